/* policy/users.h - the users file: who there is, with which keys, under which policies.
 *
 *     {
 *       "Policies": {"writer": {"Version": "2012-10-17", "Statement": [...]}},
 *       "Users": {
 *         "probe": {
 *           "AccessKeys": [{"AccessKeyId": "AKPROBE1", "SecretAccessKey": "..."}],
 *           "Policies": ["writer", {"Version": "2012-10-17", "Statement": [...]}]
 *         }
 *       },
 *       "Roles": {
 *         "loader": {
 *           "Trust": {"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS":
 * "..."}}}, "Policies": ["writer"], "MaxSessionSeconds": 3600
 *         }
 *       }
 *     }
 *
 * A user's policies are names of "Policies" or documents of its own. A key may have a "SessionToken", which a
 * request must then carry, "Expires", a time in ISO 8601 after which it is refused, and "Status", Active or
 * Inactive: an inactive one counts as unknown. Members that are unknown or come twice are errors. User names
 * are IAM's: 1 to 64 of A-Z a-z 0-9 _ + = , . @ -, and not "root"; role names likewise.
 *
 * "RequestsPerSecond" of a user (1 to 1000000) is for each of its keys, in place of the server's setting.
 * A role is assumed by whom its trust policy allows (policy_read_trust), for at most MaxSessionSeconds (900
 * to 43200; 3600).
 *
 * Immutable once parsed, so any number of threads may look users up.
 */
#ifndef MR_POLICY_USERS_H
#define MR_POLICY_USERS_H

#include "policy/policy.h"

#define POLICY_MAX_USERS_TEXT ((size_t)8 << 20)

struct policy_key {
    struct mr_str id, secret, token; /* token: MR_STR_NULL for none */
    int64_t expires_ns;              /* wall time; 0: never */
    bool inactive;                   /* counts as unknown */
};

struct policy_user {
    struct mr_str name;
    struct policy_key *keys;
    size_t nkeys;
    const struct policy **policies;
    size_t npolicies;
    int64_t requests_per_s; /* of each of its keys; 0: as the server is set */
};

struct policy_role {
    struct policy_user as; /* its name and policies; no keys */
    const struct policy *trust;
    int64_t max_session_s;
};

struct policy_users;

/* MR_OK; MR_EINVAL with a text that never echoes a secret; MR_ENOMEM. */
int policy_users_parse(struct mr_str text, struct policy_users **out, struct mr_error *err);
void policy_users_free(struct policy_users *users); /* cleanses secrets; NULL is fine */

/* In the order of the file. */
const struct policy_user *policy_users_list(const struct policy_users *users, size_t *n);
/* NULL when there is none. */
const struct policy_user *policy_users_find(const struct policy_users *users, struct mr_str name);
const struct policy_role *policy_roles_find(const struct policy_users *users, struct mr_str name);
/* Overwrites the secrets and tokens, once somebody else keeps them. */
void policy_users_forget_secrets(struct policy_users *users);

#endif
