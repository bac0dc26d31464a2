/* client/credentials.h - who signs: found along the chain of the AWS SDKs, kept, and renewed before it
 * expires.
 *
 *   1. options          access_key_id and secret_access_key
 *   2. environment      AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN; skipped when options
 * name a profile
 *   3. web identity AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN; skipped likewise
 *   4. profile          in this order: role_arn (with source_profile, credential_source or
 *                       web_identity_token_file), aws_access_key_id and its kin, credential_process, sso_*
 *   5. container        AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI
 *   6. instance         the EC2 metadata service, version 2 of its protocol only, unless
 * AWS_EC2_METADATA_DISABLED=true
 *
 * A source that is configured but broken ends the search: nobody wants to sign as somebody else because a
 * file has a typo. What is not built (mfa_serial, renewing an SSO session) says so.
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
    struct mr_str region; /* where the Security Token Service is asked */

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
/* AWS_WEB_IDENTITY_TOKEN_FILE. */
int client_credentials_from_web_identity(const struct credentials *c, struct credential_set *set,
                                         struct mr_error *err);
/* All that a profile can say. */
int client_credentials_from_profile(const struct credentials *c, struct credential_set *set,
                                    struct mr_error *err);
/* A pair of long-term keys, or of temporary ones whose end nobody told; `where` is for the error. */
int client_credentials_fixed(struct credential_set *set, struct mr_str id, struct mr_str secret,
                             struct mr_str token, const char *where, struct mr_error *err);

/* What the role of a profile needs to be assumed. */
struct credential_role {
    struct mr_str arn, session, external_id, seconds; /* all but arn may have ptr NULL */
    struct mr_str token_file;                         /* of a web identity; else `who` signs */
    const struct credential_set *who;
};
/* Asks the Security Token Service. */
int client_credentials_assume(const struct credentials *c, const struct credential_role *role,
                              struct credential_set *set, struct mr_error *err);
/* The answer of that service, XML, with status 200 or another. */
int client_credentials_from_xml(int status, struct mr_str body, struct credential_set *set,
                                struct mr_error *err);
/* sso_account_id and sso_role_name of the profile, by the token that `aws sso login` left. */
int client_credentials_from_sso(const struct credentials *c, struct mr_str profile,
                                struct credential_set *set, struct mr_error *err);
/* One request without credentials: 200 and its body, or the error is set. */
int client_credentials_fetch(const struct client_world *world, const struct client_request *request,
                             struct client_response *r, struct mr_error *err);
/* "2026-01-02T03:04:05Z", with a fraction or not, with an offset like +00:00 instead of the Z. */
bool client_credentials_expiry(struct mr_str text, int64_t *ns);
/* The JSON document of container and instance, and of credential_process, which calls the token SessionToken.
 */
int client_credentials_from_json(struct mr_str body, struct credential_set *set, struct mr_error *err);

#endif
