/* server/keys.h - which key wraps the data keys of which database, and who is asked for it.
 *
 * A database without a key of its own is under the store's master key. A key that was named is, without a key
 * service, a local one: 32 random bytes in a file of its id, made on first use. With one (--kms-endpoint) it
 * is the service's. The catalog says which key a database has; a start brings the keyring in line with it.
 *
 * The calls of `calls` and of `outside` are for any thread.
 */
#ifndef MR_SERVER_KEYS_H
#define MR_SERVER_KEYS_H

#include "api/action.h"
#include "seal/seal.h"
#include "server/config.h"

struct kms;

struct server_keys {
    const struct api_context *api; /* with its catalog and state; the store comes when it is open */
    struct kms *kms;               /* NULL: local keys only */
    struct seal_outside outside;   /* for store_options */
    struct api_keys calls;         /* for api_context */
};

/* MR_EINVAL: the endpoint or the credentials are of no use; nobody is asked yet. `api` outlives it. */
int server_keys_open(struct server_keys *keys, const struct server_config *config,
                     const struct api_context *api, struct mr_error *err);
/* Before the first request, with the store open: keys of databases that are not there are forgotten, and
 * where catalog and keyring name different keys, the catalog's gets a new data key. What fails is logged, and
 * done by the next start. */
void server_keys_settle(struct server_keys *keys);
void server_keys_cancel(struct server_keys *keys); /* calls to the service end; zeroed keys are fine */
void server_keys_close(struct server_keys *keys);  /* the store is closed; zeroed keys are fine */

#endif
