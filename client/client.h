/* client/client.h - the inside of a client, and the way of one call. Private to this folder.
 *
 * A call (call.c):   check.c      the request can be encoded
 *                    endpoint.c   where to, discovered if need be
 *                    credentials  who signs
 *                    auth_sign    the server's own code
 *                    world.send   http.c, or a test
 *                    answer.c     200 and a shape, or an error and its members
 *                    retry.c      again?
 */
#ifndef MR_CLIENT_CLIENT_H
#define MR_CLIENT_CLIENT_H

#include <pthread.h>

#include "client/credentials.h"
#include "client/http.h"
#include "client/outcome.h"
#include "client/retry.h"
#include "client/settings.h"
#include "model/table.h"

#define CLIENT_CONTENT_TYPE "application/x-amz-json-1.0"

/* A discovered address. */
struct endpoint {
    pthread_mutex_t lock; /* held while discovering: one thread asks, the others wait */
    struct mr_arena arena;
    struct client_url url; /* text.ptr NULL: none known */
    int64_t until_ns;      /* monotonic */
};

struct mr_client {
    struct client_world world;
    struct http_pool *pool; /* NULL when the world is a test's */
    struct mr_arena arena;  /* options and settings, constant after opening */
    struct mr_options options;
    struct profiles profiles;
    struct client_settings settings;
    struct credentials credentials;
    struct endpoint endpoints[CLIENT_APIS];
    int64_t skew_ns; /* server's clock minus ours; atomic */
    pthread_mutex_t rng_lock;
    struct mr_rng rng;
};

/* mr_client_open in a given world; with send NULL, over the network. */
int client_open_in(const struct client_world *world, const struct mr_options *options, struct mr_client **out,
                   struct mr_fault *fault);

/* What the functions of millrace.h are made of. `input` may be NULL for a shape without members; *output
 * becomes a response block, or stays NULL for operations without one and when output is NULL. */
int client_call(struct mr_client *client, enum client_api api, const struct model_operation *op,
                const void *input, void **output, struct mr_fault *fault);
/* The same with the outcome in hand; the caller releases it. */
int client_try(struct mr_client *client, enum client_api api, const struct model_operation *op,
               const void *input, void **output, struct outcome *outcome);
/* One call with its body given, at most `attempts` requests. */
int client_try_body(struct mr_client *client, enum client_api api, const struct model_operation *op,
                    struct mr_str body, int attempts, void **output, struct outcome *outcome);

/* The pause before the next attempt, from the client's generator. */
int64_t client_pause_ns(struct mr_client *client, enum retry_class class_, int attempt);

/* Which operation a number of millrace.h is, and of which API; NULL for none. */
const struct model_operation *client_operation(enum mr_operation operation, enum client_api *api);

/* Whether model_encode may have it: enum values that exist, lists and texts that point somewhere, valid
 * UTF-8. The outcome says what is wrong. */
int client_check(const struct model_shape *shape, const void *value, struct outcome *outcome);

/* Where requests of the API go. Copies into the arena. Asks the service when discovery is on and nothing
 * fresh is known. */
int client_endpoint_get(struct mr_client *client, enum client_api api, struct mr_arena *arena,
                        struct client_url *out, struct outcome *outcome);
/* The address turned out wrong; forgets it, unless another one has been found meanwhile. */
void client_endpoint_drop(struct mr_client *client, enum client_api api, const struct client_url *used);

/* Makes a response block of the struct, whose members live in the arena; takes the arena, on failure too. */
void *client_response_new(const void *value, size_t size, struct mr_arena *arena);

/* A random UUID, the form of client tokens. */
void client_uuid(char out[static 37]);

#endif
