/* remote/remote.h - one signed HTTP request to an AWS-compatible service elsewhere: KMS, S3, a stand-in of
 * either.
 *
 * A call blocks, so it is never made on an I/O thread or under a lock that requests wait for. It is signed by
 * Signature Version 4 with the code that verifies it in the server (auth/). Certificates and names of TLS are
 * verified, no redirect is followed, no proxy of the environment is used, no answer beyond a limit is kept,
 * and no call lasts longer than its time limit, whatever the other side does. Retries are the caller's: with
 * back-off, and only of requests that may be repeated.
 *
 * S3: a service named "s3" gets x-amz-content-sha256 and a path that is percent-encoded once and signed as it
 * stands; others sign it encoded twice, as AWS has it. Addressing is by path ("/bucket/key"): the host is the
 * endpoint's and nobody else's.
 *
 * Thread-safe; connections are kept and used again. Secrets appear in no text and no log line.
 */
#ifndef MR_REMOTE_REMOTE_H
#define MR_REMOTE_REMOTE_H

#include "base/clock.h"

struct remote; /* endpoint, credentials, kept connections */

/* Where the keys of the signature come from. Each time a request is signed the file is looked at, and read
 * again when it has changed, so that temporary credentials can be replaced under a running server. */
struct remote_credentials {
    const char *file;          /* an AWS credentials file of mode 0600; NULL: the environment */
    const char *profile;       /* its section; NULL: "default" */
    const char *access_key_id; /* when given, these are used and nothing is looked up */
    const char *secret_access_key;
    const char *session_token; /* or NULL */
};

struct remote_options {
    const char *endpoint; /* http[s]://host[:port][/prefix] */
    const char *region;   /* of the signature */
    const char *service;  /* of the signature: "kms", "s3" */
    struct remote_credentials credentials;
    const char *ca_file;           /* PEM; NULL: what the system trusts */
    uint32_t connect_ms, total_ms; /* 0: 2000, 10000 */
    size_t max_answer;             /* bytes of a body; 0: 1 MiB */
    unsigned keep;                 /* idle connections; 0: 4 */
    const struct mr_clock *clock;  /* date of the signature; NULL: the system's */
};

/* Everything is copied. Nothing is connected yet. Environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
 * AWS_SESSION_TOKEN, read here. MR_EINVAL: the endpoint is no such URL, or there are no usable credentials.
 */
int remote_open(const struct remote_options *options, struct remote **out, struct mr_error *err);
void remote_close(struct remote *remote); /* no call may be under way; NULL is fine */

/* Ends calls under way, within about a second, and all later ones, with MR_ECANCEL: for a stop. */
void remote_cancel(struct remote *remote);

struct remote_request {
    const char *method; /* GET, HEAD, PUT, POST, DELETE */
    struct mr_str path; /* starts with '/', not yet encoded */
    const struct mr_pair *query;
    size_t nquery; /* not yet encoded */
    const struct mr_pair *headers;
    size_t nheaders;    /* all are signed; not Host, Content-Length or what the signature adds */
    struct mr_str body; /* sent with PUT and POST only */
    uint32_t total_ms;  /* 0: the options' */
    size_t max_answer;  /* 0: the options' */
};

struct remote_answer {
    int status;         /* of HTTP */
    struct mr_buf body; /* owned */
    struct mr_buf head; /* owned; the header lines as they came */
};
#define REMOTE_ANSWER_INIT                                                                                   \
    {                                                                                                        \
        0, MR_BUF_INIT, MR_BUF_INIT                                                                          \
    }

/* MR_OK with whatever HTTP status. Otherwise *answer is empty: MR_EIO (no whole answer came: name,
 * connection, TLS, time; whether the other side did what was asked is not known), MR_ELIMIT (the answer is
 * too large), MR_ECANCEL (remote_cancel), MR_EINVAL (a request that cannot be sent), MR_EDENIED (the
 * credentials file cannot be used), MR_ENOMEM. */
int remote_call(struct remote *remote, const struct remote_request *request, struct remote_answer *answer,
                struct mr_error *err);
void remote_answer_release(struct remote_answer *answer); /* an empty one is fine */

/* The trimmed value of the first header of that name, in any case; MR_STR_NULL: not there. A view. */
struct mr_str remote_answer_header(const struct remote_answer *answer, struct mr_str name);

#endif
