/* api/access.h - who may use the server: keys, users and their policies, one set that is swapped whole.
 *
 * A request holds the set it was authenticated by until it is answered, so a swap never pulls anything away
 * from under one; the next request meets the new set.
 */
#ifndef MR_API_ACCESS_H
#define MR_API_ACCESS_H

#include "auth/auth.h"
#include "policy/users.h"

struct api_access {
    struct auth_keys *keys;     /* owned */
    struct policy_users *users; /* owned; NULL: every key may do everything */
    unsigned refs;              /* atomic */
};

/* One reference; keys and users are taken over when it succeeds. */
int api_access_new(struct auth_keys *keys, struct policy_users *users, struct api_access **out);
struct api_access *api_access_ref(struct api_access *access);
void api_access_unref(struct api_access *access); /* NULL is fine; the last one frees */

/* Whose policies decide about a request of this identity. NULL: nobody's, it may do everything. A user the
 * file does not have is one without policies; so is a role. */
const struct policy_user *api_access_user(const struct api_access *access, const struct auth_identity *who);

#endif
