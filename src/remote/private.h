/* remote/private.h - what the files of this room share. Private. */
#ifndef MR_REMOTE_PRIVATE_H
#define MR_REMOTE_PRIVATE_H

#include "auth/auth.h"
#include "remote/remote.h"

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include <curl/curl.h>

/* ---- credentials.c. Starts as zeros; every string is owned and wiped. */
struct remote_pair {
    char *id, *secret, *token;
};
void remote_pair_release(struct remote_pair *pair);
int remote_pair_copy(const struct remote_pair *from, struct remote_pair *to); /* MR_ENOMEM */

struct remote_keys {
    char *file, *profile; /* NULL: the pair never changes */
    pthread_mutex_t lock; /* of what follows */
    struct remote_pair pair;
    struct timespec changed; /* of the file that the pair is of */
    off_t size;
};
int remote_keys_open(struct remote_keys *keys, const struct remote_credentials *from, struct mr_error *err);
void remote_keys_close(struct remote_keys *keys);
/* A copy of the pair that is good now. MR_EINVAL or MR_EDENIED: the file has none. */
int remote_keys_get(struct remote_keys *keys, struct remote_pair *out, struct mr_error *err);

/* ---- remote.c */
struct remote {
    char *origin; /* "https://host:8443" */
    char *host;   /* as in the header: without the port when it is the scheme's own */
    char *prefix; /* of paths, encoded, without a slash at the end; "" for none */
    char *region, *service, *ca_file;
    bool s3;
    bool cancelled; /* atomic */
    struct remote_keys keys;
    uint32_t connect_ms, total_ms;
    size_t max_answer;
    const struct mr_clock *clock;

    pthread_mutex_t lock;
    CURL **idle; /* a stack: the latest used is the likeliest to be connected still */
    size_t nidle, keep;
};

/* ---- request.c: what goes over the wire, in an arena. */
struct remote_wire {
    const char *url;
    struct curl_slist *headers; /* owned */
};
int remote_wire_make(struct remote *remote, const struct remote_request *request, struct mr_arena *arena,
                     struct remote_wire *out, struct mr_error *err);
void remote_wire_release(struct remote_wire *wire);

#endif
