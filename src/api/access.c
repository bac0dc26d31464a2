#include "api/access.h"

int api_access_new(struct auth_keys *keys, struct policy_users *users, struct api_access **out)
{
    struct api_access *a = mr_calloc(1, sizeof *a);
    if (a == NULL)
        return MR_ENOMEM;
    *a = (struct api_access){keys, users, 1};
    *out = a;
    return MR_OK;
}

struct api_access *api_access_ref(struct api_access *access)
{
    __atomic_add_fetch(&access->refs, 1, __ATOMIC_RELAXED);
    return access;
}

void api_access_unref(struct api_access *access)
{
    if (access == NULL || __atomic_sub_fetch(&access->refs, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    auth_keys_free(access->keys);
    policy_users_free(access->users);
    mr_free(access);
}

const struct policy_user *api_access_user(const struct api_access *access, const struct auth_identity *who)
{
    static const struct policy_user stranger = {0};
    if (who->session != NULL && who->session->role.len > 0) {
        const struct policy_role *role =
            access->users != NULL ? policy_roles_find(access->users, who->session->role) : NULL;
        return role != NULL ? &role->as : &stranger;
    }
    if (who->root || access->users == NULL)
        return NULL;
    const struct policy_user *user = policy_users_find(access->users, who->user);
    return user != NULL ? user : &stranger;
}
