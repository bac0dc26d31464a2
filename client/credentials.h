/* client/credentials.h - who signs: found along the chain of the AWS SDKs, kept, and renewed before it
 * expires.
 *
 *   1. options          access_key_id and secret_access_key
 *   2. environment      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; skipped when options
 * name a profile
 *   3. profile          aws_access_key_id and its kin, from the credentials file, then the config file
 *   4. container        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
 *   5. instance         the EC2 metadata service, version 2 of its protocol only, unless
 * AWS_EC2_METADATA_DISABLED=true
 *
 * A source that is configured but broken ends the search: nobody wants to sign as somebody else because a
 * file has a typo. Roles, SSO and credential_process are not built; a profile that relies on them says so.
 *
 * Credentials with an expiry are renewed CREDENTIALS_AHEAD_NS before it, by one thread, while the others go
 * on with the old ones; when renewing fails, the old ones serve until they expire.
 */
#ifndef MR_CLIENT_CREDENTIALS_H
#define MR_CLIENT_CREDENTIALS_H

#include <pthread.h>

#include "auth/auth.h"
#include "client/profile.h"
#include "client/world.h"

#define CREDENTIALS_AHEAD_NS (5 * 60 * MR_NS_PER_S)
#define CREDENTIALS_AGAIN_NS (30 * MR_NS_PER_S) /* between two attempts to renew what still holds */

/* One set, in an arena of its own. */
struct credential_set {
    struct mr_arena arena;
    struct mr_str id, secret, token; /* token ptr NULL: long-term */
    int64_t expires_ns;              /* 0: never */
};

void client_credential_set_release(struct credential_set *set); /* wipes */

/* Starts zeroed, then client_credentials_init. */
struct credentials {
    const struct client_world *world;
    const struct mr_options *options; /* of the client, as long as it lives */
    const struct profiles *profiles;

    pthread_mutex_t fetching; /* held by the thread that asks a source; taken before lock */
    pthread_mutex_t lock;     /* guards all below */
    struct credential_set set;
    bool present;
    int64_t next_try_ns; /* not before then while the set still holds */
};

int client_credentials_init(struct credentials *c, const struct client_world *world,
                            const struct mr_options *options, const struct profiles *profiles);
void client_credentials_release(struct credentials *c);

/* Copies id, secret and token into the arena. 0, MR_ERR_CREDENTIALS with the error set, MR_ERR_MEMORY. */
int client_credentials_get(struct credentials *c, int64_t now_ns, struct mr_arena *arena,
                           struct auth_credentials *out, struct mr_error *err);
/* The service called this id's token expired: ask the source again next time. No effect on long-term pairs.
 */
void client_credentials_drop(struct credentials *c, struct mr_str id);

/* ---- sources, each filling an empty set: MR_OK; MR_ENOENT when it is not configured; else the error is set
 * ---- */

int client_credentials_from_container(const struct client_world *world, struct credential_set *set,
                                      struct mr_error *err);
int client_credentials_from_instance(const struct client_world *world, struct credential_set *set,
                                     struct mr_error *err);
/* The JSON document of the two above. */
int client_credentials_from_json(struct mr_str body, struct credential_set *set, struct mr_error *err);

#endif
