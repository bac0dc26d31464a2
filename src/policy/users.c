/* The users file. */
#include "policy/private.h"
#include "policy/users.h"

#include <stdlib.h>

struct policy_users {
    struct mr_arena arena; /* everything but the policies */
    struct policy_user *at;
    size_t n;
    const struct policy_user **by_name; /* sorted */
    struct policy_role *roles;
    size_t nroles;
    struct policy **policies; /* owned; the shared ones come first */
    size_t npolicies, nshared, cap;
};

static bool name_is_fine(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("_+=,.@-", c) == NULL))
            return false;
    }
    return s.len >= 1 && s.len <= 64 && !mr_str_eq(s, MR_STR("root"));
}

static int add_policy(struct policy_users *u, struct mr_str name, struct json_value document,
                      const struct policy **out, struct mr_error *err)
{
    struct policy *p;
    int status = mr_grow((void **)&u->policies, &u->cap, u->npolicies + 1, sizeof *u->policies);
    if (status == MR_OK)
        status = policy_read(name, document, &p, err);
    if (status != MR_OK)
        return status;
    u->policies[u->npolicies++] = p;
    *out = p;
    return MR_OK;
}

static const struct policy *shared_policy(const struct policy_users *u, struct mr_str name)
{
    for (size_t i = 0; i < u->nshared; i++)
        if (mr_str_eq(u->policies[i]->name, name))
            return u->policies[i];
    return NULL;
}

static int read_shared(struct policy_users *u, struct json_value v, struct mr_error *err)
{
    const struct policy *p;
    struct mr_str name;
    struct json_value document;
    if (json_type(v) != JSON_OBJECT)
        return mr_error_set(err, MR_EINVAL, "\"Policies\" must be an object");
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &document)) {
        if (shared_policy(u, name) != NULL)
            return mr_error_set(err, MR_EINVAL, "policy '" MR_STR_FMT "' comes twice", MR_STR_ARG(name));
        int status = add_policy(u, name, document, &p, err);
        if (status != MR_OK)
            return status;
        u->nshared = u->npolicies;
    }
    return MR_OK;
}

static int wrong(const struct policy_user *user, const char *what, struct mr_error *err)
{
    return mr_error_set(err, MR_EINVAL, "user '" MR_STR_FMT "': %s", MR_STR_ARG(user->name), what);
}

static void wipe(struct mr_str s)
{
    if (s.ptr != NULL)
        explicit_bzero((char *)(uintptr_t)s.ptr, s.len); /* an arena's, so ours to write */
}

/* The texts themselves: what may be wrong with them is the key set's to say. */
static int read_key(struct policy_users *u, const struct policy_user *user, struct json_value v,
                    struct policy_key *key, struct mr_error *err)
{
    struct mr_str name, expires = MR_STR_NULL, state = MR_STR_NULL;
    struct json_value value;
    if (json_type(v) != JSON_OBJECT)
        return wrong(user, "an access key must be an object", err);
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &value)) {
        struct mr_str *to = mr_str_eq(name, MR_STR("AccessKeyId"))       ? &key->id
                            : mr_str_eq(name, MR_STR("SecretAccessKey")) ? &key->secret
                            : mr_str_eq(name, MR_STR("SessionToken"))    ? &key->token
                            : mr_str_eq(name, MR_STR("Expires"))         ? &expires
                            : mr_str_eq(name, MR_STR("Status"))          ? &state
                                                                         : NULL;
        if (to == NULL || to->ptr != NULL || json_type(value) != JSON_STRING)
            return wrong(user,
                         "an access key has AccessKeyId, SecretAccessKey and may have SessionToken, "
                         "Expires and Status, each once and a string",
                         err);
        *to = mr_arena_dup(&u->arena, json_text(value));
        if (to == &key->secret || to == &key->token)
            wipe(json_text(value)); /* the parser's copy */
        if (to->ptr == NULL)
            return MR_ENOMEM;
    }
    if (key->id.len == 0 || key->secret.len == 0)
        return wrong(user, "an access key needs AccessKeyId and SecretAccessKey", err);
    if (expires.ptr != NULL && (!policy_read_time(expires, &key->expires_ns) || key->expires_ns <= 0))
        return wrong(user, "Expires must be a time like 2030-01-31T12:00:00Z", err);
    key->inactive = mr_str_eq(state, MR_STR("Inactive"));
    if (state.ptr != NULL && !key->inactive && !mr_str_eq(state, MR_STR("Active")))
        return wrong(user, "Status of an access key is Active or Inactive", err);
    return MR_OK;
}

static int read_keys(struct policy_users *u, struct policy_user *user, struct json_value v,
                     struct mr_error *err)
{
    if (json_type(v) != JSON_ARRAY)
        return wrong(user, "\"AccessKeys\" must be a list", err);
    user->keys = MR_ARENA_ARRAY(&u->arena, json_count(v) + 1, struct policy_key);
    if (user->keys == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(v);
    for (struct json_value item; json_next(&it, &item);) {
        int status = read_key(u, user, item, &user->keys[user->nkeys++], err);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

/* A name, or a document that is the user's own and is called after it. */
static int read_policy(struct policy_users *u, const struct policy_user *user, struct json_value v,
                       const struct policy **out, struct mr_error *err)
{
    if (json_type(v) != JSON_STRING)
        return add_policy(u, user->name, v, out, err);
    *out = shared_policy(u, json_text(v));
    if (*out != NULL)
        return MR_OK;
    return mr_error_set(err, MR_EINVAL, "user '" MR_STR_FMT "': there is no policy '" MR_STR_FMT "'",
                        MR_STR_ARG(user->name), MR_STR_ARG(json_text(v)));
}

static int read_policies(struct policy_users *u, struct policy_user *user, struct json_value v,
                         struct mr_error *err)
{
    if (json_type(v) != JSON_ARRAY)
        return wrong(user, "\"Policies\" must be a list", err);
    user->policies = MR_ARENA_ARRAY(&u->arena, json_count(v) + 1, const struct policy *);
    if (user->policies == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(v);
    for (struct json_value item; json_next(&it, &item);) {
        int status = read_policy(u, user, item, &user->policies[user->npolicies++], err);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static int read_user(struct policy_users *u, struct json_value v, struct policy_user *user,
                     struct mr_error *err)
{
    struct mr_str name;
    struct json_value value;
    if (!name_is_fine(user->name))
        return wrong(user, "a name has 1 to 64 characters of A-Z a-z 0-9 _ + = , . @ - and is not root", err);
    if (json_type(v) != JSON_OBJECT)
        return wrong(user, "must be an object", err);
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &value)) {
        int status;
        if (mr_str_eq(name, MR_STR("AccessKeys")) && user->keys == NULL)
            status = read_keys(u, user, value, err);
        else if (mr_str_eq(name, MR_STR("Policies")) && user->policies == NULL)
            status = read_policies(u, user, value, err);
        else if (mr_str_eq(name, MR_STR("RequestsPerSecond")) && user->requests_per_s == 0)
            status = json_i64(value, &user->requests_per_s) && user->requests_per_s >= 1 &&
                             user->requests_per_s <= 1000000
                         ? MR_OK
                         : wrong(user, "RequestsPerSecond is a number from 1 to 1000000", err);
        else
            return wrong(user, "may have AccessKeys, Policies and RequestsPerSecond, each once", err);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static int read_trust(struct policy_users *u, struct json_value v, struct policy_role *role,
                      struct mr_error *err)
{
    struct policy *p;
    int status = mr_grow((void **)&u->policies, &u->cap, u->npolicies + 1, sizeof *u->policies);
    if (status == MR_OK)
        status = policy_read_trust(role->as.name, v, &p, err);
    if (status != MR_OK)
        return status;
    u->policies[u->npolicies++] = p;
    role->trust = p;
    return MR_OK;
}

static int wrong_role(const struct policy_role *role, const char *what, struct mr_error *err)
{
    return mr_error_set(err, MR_EINVAL, "role '" MR_STR_FMT "': %s", MR_STR_ARG(role->as.name), what);
}

static int read_role(struct policy_users *u, struct json_value v, struct policy_role *role,
                     struct mr_error *err)
{
    struct mr_str name;
    struct json_value value;
    if (!name_is_fine(role->as.name))
        return wrong_role(role, "a name has 1 to 64 characters of A-Z a-z 0-9 _ + = , . @ - and is not root",
                          err);
    if (json_type(v) != JSON_OBJECT)
        return wrong_role(role, "must be an object", err);
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &value)) {
        int status = MR_OK;
        if (mr_str_eq(name, MR_STR("Policies")) && role->as.policies == NULL)
            status = read_policies(u, &role->as, value, err);
        else if (mr_str_eq(name, MR_STR("Trust")) && role->trust == NULL)
            status = read_trust(u, value, role, err);
        else if (!mr_str_eq(name, MR_STR("MaxSessionSeconds")) || role->max_session_s != 0)
            return wrong_role(role, "may have Trust, Policies and MaxSessionSeconds, each once", err);
        else if (!json_i64(value, &role->max_session_s) || role->max_session_s < 900 ||
                 role->max_session_s > 43200)
            return wrong_role(role, "MaxSessionSeconds is a number from 900 to 43200", err);
        if (status != MR_OK)
            return status;
    }
    if (role->max_session_s == 0)
        role->max_session_s = 3600;
    return role->trust != NULL ? MR_OK : wrong_role(role, "needs a Trust", err);
}

static int read_roles(struct policy_users *u, struct json_value v, struct mr_error *err)
{
    struct mr_str name;
    struct json_value value;
    if (json_type(v) != JSON_OBJECT)
        return mr_error_set(err, MR_EINVAL, "\"Roles\" must be an object");
    u->roles = MR_ARENA_ARRAY(&u->arena, json_count(v) + 1, struct policy_role);
    if (u->roles == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &value)) {
        struct policy_role *role = &u->roles[u->nroles];
        role->as.name = mr_arena_dup(&u->arena, name);
        if (policy_roles_find(u, name) != NULL)
            return wrong_role(role, "comes twice", err);
        u->nroles++;
        int status = role->as.name.ptr == NULL ? MR_ENOMEM : read_role(u, value, role, err);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct policy_user *x = *(const struct policy_user *const *)a;
    const struct policy_user *y = *(const struct policy_user *const *)b;
    return mr_str_cmp(x->name, y->name);
}

/* The sorted index; neighbours of one name are a name that comes twice. */
static int index_users(struct policy_users *u, struct mr_error *err)
{
    u->by_name = MR_ARENA_ARRAY(&u->arena, u->n + 1, const struct policy_user *);
    if (u->by_name == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < u->n; i++)
        u->by_name[i] = &u->at[i];
    qsort(u->by_name, u->n, sizeof *u->by_name, by_name);
    for (size_t i = 1; i < u->n; i++)
        if (mr_str_eq(u->by_name[i - 1]->name, u->by_name[i]->name))
            return wrong(u->by_name[i], "comes twice", err);
    return MR_OK;
}

static int read_users(struct policy_users *u, struct json_value v, struct mr_error *err)
{
    struct mr_str name;
    struct json_value value;
    if (json_type(v) != JSON_OBJECT)
        return mr_error_set(err, MR_EINVAL, "\"Users\" must be an object");
    u->at = MR_ARENA_ARRAY(&u->arena, json_count(v) + 1, struct policy_user);
    if (u->at == NULL)
        return MR_ENOMEM;
    struct json_iter it = json_items(v);
    while (json_next_field(&it, &name, &value)) {
        struct policy_user *user = &u->at[u->n++];
        user->name = mr_arena_dup(&u->arena, name);
        int status = user->name.ptr == NULL ? MR_ENOMEM : read_user(u, value, user, err);
        if (status != MR_OK)
            return status;
    }
    return index_users(u, err);
}

/* The shared policies are read first, wherever they stand. */
static int read_file(struct policy_users *u, struct json_value root, struct mr_error *err)
{
    static const struct mr_str names[] = {MR_STR("Policies"), MR_STR("Users"), MR_STR("Roles")};
    static int (*const read[])(struct policy_users *, struct json_value,
                               struct mr_error *) = {read_shared, read_users, read_roles};
    struct json_value parts[MR_ARRAY_LEN(names)], value;
    bool seen[MR_ARRAY_LEN(names)] = {false};
    struct mr_str name;
    if (json_type(root) != JSON_OBJECT)
        return mr_error_set(err, MR_EINVAL, "a users file is a JSON object");
    struct json_iter it = json_items(root);
    while (json_next_field(&it, &name, &value)) {
        size_t i = 0;
        while (i < MR_ARRAY_LEN(names) && !mr_str_eq(name, names[i]))
            i++;
        if (i == MR_ARRAY_LEN(names) || seen[i])
            return mr_error_set(err, MR_EINVAL,
                                "a users file has Users, Roles and Policies, each once, not '" MR_STR_FMT "'",
                                MR_STR_ARG(name));
        seen[i] = true;
        parts[i] = value;
    }
    if (!seen[1])
        return mr_error_set(err, MR_EINVAL, "a users file needs Users");
    int status = MR_OK;
    for (size_t i = 0; i < MR_ARRAY_LEN(names) && status == MR_OK; i++)
        if (seen[i])
            status = read[i](u, parts[i], err);
    return status;
}

int policy_users_parse(struct mr_str text, struct policy_users **out, struct mr_error *err)
{
    struct mr_arena parsed = MR_ARENA_INIT;
    struct json_doc doc;
    *out = NULL;
    if (text.len > POLICY_MAX_USERS_TEXT)
        return mr_error_set(err, MR_EINVAL, "longer than %zu bytes", POLICY_MAX_USERS_TEXT);
    struct policy_users *u = mr_calloc(1, sizeof *u);
    if (u == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading users");
    int status = json_parse(text, &parsed, &doc, err);
    if (status == MR_OK)
        status = read_file(u, json_root(&doc), err);
    mr_arena_release(&parsed);
    if (status != MR_OK) {
        policy_users_free(u);
        return mr_error_set(err, status, "out of memory reading users");
    }
    *out = u;
    return MR_OK;
}

void policy_users_forget_secrets(struct policy_users *u)
{
    for (size_t i = 0; i < u->n; i++) {
        for (size_t k = 0; k < u->at[i].nkeys; k++) {
            wipe(u->at[i].keys[k].secret);
            wipe(u->at[i].keys[k].token);
        }
    }
}

void policy_users_free(struct policy_users *u)
{
    if (u == NULL)
        return;
    policy_users_forget_secrets(u);
    for (size_t i = 0; i < u->npolicies; i++)
        policy_free(u->policies[i]);
    mr_free(u->policies);
    mr_arena_release(&u->arena);
    mr_free(u);
}

const struct policy_user *policy_users_list(const struct policy_users *u, size_t *n)
{
    *n = u->n;
    return u->at;
}

const struct policy_user *policy_users_find(const struct policy_users *u, struct mr_str name)
{
    size_t low = 0, high = u->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = mr_str_cmp(u->by_name[mid]->name, name);
        if (c == 0)
            return u->by_name[mid];
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const struct policy_role *policy_roles_find(const struct policy_users *u, struct mr_str name)
{
    for (size_t i = 0; i < u->nroles; i++)
        if (mr_str_eq(u->roles[i].as.name, name))
            return &u->roles[i];
    return NULL;
}
