/* auth/auth.h - Signature Version 4 in both directions, and the keys it is checked against.
 *
 * Server and client share every line but the last: both build the canonical request from the same plain
 * struct of borrowed views. Rules: write-api reference section 2; order of checks and texts: its table 2.4.
 * Thread-safe: any number of threads may verify against a key set, provided nothing is added to it any more.
 * To change keys, build a new set and swap the pointer.
 */
#ifndef MR_AUTH_AUTH_H
#define MR_AUTH_AUTH_H

#include "auth/session.h"

struct auth_keys;

/* What is signed, as it went over the wire. */
struct auth_request {
    struct mr_str method, path, query; /* path and query still percent-encoded, query without '?' */
    const struct mr_pair *headers;
    size_t nheaders;
    struct mr_str body;
    bool path_as_is; /* S3's rule: the path is signed as it stands, neither normalised nor encoded again */
};

/* Who signed; views live as long as the key set, the request and the arena of the call. */
struct auth_identity {
    struct mr_str access_key_id;
    struct mr_str region; /* of the credential scope */
    struct mr_str user;   /* name behind the key ("root" for the root pair) */
    bool root;
    bool presigned; /* authenticated by query parameters (reference 2.3) */
    const struct auth_session
        *session; /* temporary credentials; NULL: a long-term pair. A role's are not root */
};

struct auth_failure {
    const char *type; /* bare exception name, e.g. "InvalidSignatureException" */
    char message[1024];
};

struct auth_options {
    int64_t skew_ns;                  /* allowed distance of clocks; 0: 15 minutes */
    const char *service;              /* NULL: "timestream" */
    const unsigned char *session_key; /* AUTH_SESSION_KEY_BYTES; NULL: no sessions are known */
};

/* MR_OK and *who, or MR_EDENIED and *why (always 403), or MR_ENOMEM, or MR_EINTERNAL when the crypto library
 * refuses to work. Never reads the clock: now_ns is wall time. Header names may be in any case; the texts
 * echo parts of the request, made printable, and never a secret. */
int auth_verify(const struct auth_keys *keys, const struct auth_options *options,
                const struct auth_request *req, int64_t now_ns, struct mr_arena *arena,
                struct auth_identity *who, struct auth_failure *why);

/* Key sets. */
int auth_keys_new(struct auth_keys **out);
void auth_keys_free(struct auth_keys *keys); /* cleanses secrets */
/* Adds a pair; MR_EEXIST for an id that is there already. session_token may be MR_STR_NULL (none accepted
 * then); expires_ns is 0 for never. */
int auth_keys_add(struct auth_keys *keys, struct mr_str user, struct mr_str access_key_id,
                  struct mr_str secret, struct mr_str session_token, int64_t expires_ns, bool root,
                  struct mr_error *err);
/* Adds the pairs of an AWS-style credentials file: [user] sections with aws_access_key_id,
 * aws_secret_access_key and optional aws_session_token; other settings, blank lines and lines that start with
 * # or ; are skipped. A section named [root] holds a root pair. The text names line numbers in errors and
 * never echoes a secret. On an error the sections above it have been added. */
int auth_keys_parse(struct auth_keys *keys, struct mr_str text, struct mr_error *err);
size_t auth_keys_count(const struct auth_keys *keys);

/* Client side. Signs by header: appends the headers to send (authorization, x-amz-date, x-amz-security-token
 * when given) to out as pairs in the arena; every header passed in is signed too, and `host` must be among
 * them. MR_EINVAL when it is not, when one of the new headers is there already, when a name is no token,
 * above 100 headers, or for credentials that no server could accept. */
struct auth_credentials {
    struct mr_str access_key_id, secret, session_token; /* session_token may be MR_STR_NULL */
    struct mr_str region, service;
};
int auth_sign(const struct auth_credentials *cred, const struct auth_request *req, int64_t now_ns,
              struct mr_arena *arena, struct mr_pair out[static 4], size_t *nout);
/* Presigns for expires_s (1 to 604800) seconds: *query is the string to use (without '?'): the parameters of
 * req, then the X-Amz-* ones, then the signature. The headers of req must be sent with it. Errors as above.
 */
int auth_presign(const struct auth_credentials *cred, const struct auth_request *req, int64_t now_ns,
                 unsigned expires_s, struct mr_arena *arena, struct mr_str *query);

/* Intermediates, for golden tests: canonical request, string to sign, signature (64 hex). */
int auth_canonical_request(const struct auth_request *req, struct mr_str signed_headers,
                           struct mr_str payload_hash, struct mr_buf *out);

#endif
