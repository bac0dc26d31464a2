#include "client/credentials.h"

void client_credential_set_release(struct credential_set *set)
{
    const struct mr_str secrets[] = {set->secret, set->token};
    for (size_t i = 0; i < MR_ARRAY_LEN(secrets); i++)
        if (secrets[i].ptr != NULL)
            explicit_bzero((char *)(uintptr_t)secrets[i].ptr, secrets[i].len);
    mr_arena_release(&set->arena);
    *set = (struct credential_set){.expires_ns = 0};
}

int client_credentials_init(struct credentials *c, const struct client_world *world,
                            const struct mr_options *options, const struct profiles *profiles)
{
    c->world = world;
    c->options = options;
    c->profiles = profiles;
    if (pthread_mutex_init(&c->fetching, NULL) != 0)
        return MR_ENOMEM;
    if (pthread_mutex_init(&c->lock, NULL) != 0) {
        pthread_mutex_destroy(&c->fetching);
        return MR_ENOMEM;
    }
    return MR_OK;
}

void client_credentials_release(struct credentials *c)
{
    client_credential_set_release(&c->set);
    pthread_mutex_destroy(&c->lock);
    pthread_mutex_destroy(&c->fetching);
}

/* ---- the chain ---- */

int client_credentials_fixed(struct credential_set *set, struct mr_str id, struct mr_str secret,
                             struct mr_str token, const char *where, struct mr_error *err)
{
    if (id.len == 0 && secret.len == 0)
        return MR_ENOENT;
    if (id.len == 0 || secret.len == 0)
        return mr_error_set(err, MR_EINVAL, "%s: an access key id needs a secret, and the other way round.",
                            where);
    set->id = mr_arena_dup(&set->arena, id);
    set->secret = mr_arena_dup(&set->arena, secret);
    if (token.len > 0)
        set->token = mr_arena_dup(&set->arena, token);
    return set->arena.failed ? MR_ENOMEM : MR_OK;
}

static int from_options(const struct credentials *c, struct credential_set *set, struct mr_error *err)
{
    const struct mr_options *o = c->options;
    return client_credentials_fixed(set, mr_str_of(o->access_key_id), mr_str_of(o->secret_access_key),
                                    mr_str_of(o->session_token), "options", err);
}

static int from_environment(const struct credentials *c, struct credential_set *set, struct mr_error *err)
{
    if (c->options->profile != NULL)
        return MR_ENOENT;
    return client_credentials_fixed(set, mr_str_of(client_env(c->world, "AWS_ACCESS_KEY_ID")),
                                    mr_str_of(client_env(c->world, "AWS_SECRET_ACCESS_KEY")),
                                    mr_str_of(client_env(c->world, "AWS_SESSION_TOKEN")), "environment", err);
}

static int find(const struct credentials *c, struct credential_set *set, struct mr_error *err)
{
    int rc = from_options(c, set, err);
    if (rc == MR_ENOENT && err->status == MR_OK)
        rc = from_environment(c, set, err);
    if (rc == MR_ENOENT && err->status == MR_OK)
        rc = client_credentials_from_web_identity(c, set, err);
    if (rc == MR_ENOENT && err->status == MR_OK)
        rc = client_credentials_from_profile(c, set, err);
    if (rc == MR_ENOENT && err->status == MR_OK)
        rc = client_credentials_from_container(c->world, set, err);
    if (rc == MR_ENOENT && err->status == MR_OK)
        rc = client_credentials_from_instance(c->world, set, err);
    if (rc == MR_ENOENT)
        mr_error_set(err, MR_ENOENT,
                     "No credentials in options, environment, profile, container or instance.");
    return rc;
}

/* ---- the cache ---- */

static bool holds(const struct credentials *c, int64_t now_ns)
{
    return c->present && (c->set.expires_ns == 0 || now_ns < c->set.expires_ns);
}

static bool fresh(const struct credentials *c, int64_t now_ns)
{
    return holds(c, now_ns) && (c->set.expires_ns == 0 || now_ns < c->set.expires_ns - CREDENTIALS_AHEAD_NS ||
                                now_ns < c->next_try_ns);
}

/* Under `fetching`. Puts a new set in place; without one, what still holds serves on. */
static int renew(struct credentials *c, int64_t now_ns, struct mr_error *err)
{
    struct credential_set set = {.expires_ns = 0};
    struct mr_error why = MR_ERROR_INIT;
    int rc = find(c, &set, &why);
    pthread_mutex_lock(&c->lock);
    if (rc == MR_OK) {
        struct credential_set old = c->set;
        c->set = set;
        c->present = true;
        c->next_try_ns =
            now_ns + CREDENTIALS_AGAIN_NS; /* for sources that hand out what is about to expire */
        set = old;
    } else if (holds(c, now_ns)) {
        c->next_try_ns = now_ns + CREDENTIALS_AGAIN_NS;
        rc = MR_OK;
    }
    pthread_mutex_unlock(&c->lock);
    client_credential_set_release(&set);
    return rc == MR_OK || rc == MR_ENOMEM ? rc : mr_error_set(err, rc, "%s", why.text);
}

static void copy(const struct credential_set *set, struct mr_arena *arena, struct auth_credentials *out)
{
    out->access_key_id = mr_arena_dup(arena, set->id);
    out->secret = mr_arena_dup(arena, set->secret);
    out->session_token = set->token.ptr != NULL ? mr_arena_dup(arena, set->token) : MR_STR_NULL;
}

int client_credentials_get(struct credentials *c, int64_t now_ns, struct mr_arena *arena,
                           struct auth_credentials *out, struct mr_error *err)
{
    pthread_mutex_lock(&c->lock);
    bool is_fresh = fresh(c, now_ns), still_holds = holds(c, now_ns);
    pthread_mutex_unlock(&c->lock);
    int rc = MR_OK;
    if (!is_fresh &&
        (still_holds ? pthread_mutex_trylock(&c->fetching) : pthread_mutex_lock(&c->fetching)) == 0) {
        pthread_mutex_lock(&c->lock);
        is_fresh = fresh(c, now_ns); /* another thread may have been here meanwhile */
        pthread_mutex_unlock(&c->lock);
        if (!is_fresh)
            rc = renew(c, now_ns, err);
        pthread_mutex_unlock(&c->fetching);
    }
    if (rc != MR_OK)
        return rc == MR_ENOMEM ? MR_ERR_MEMORY : MR_ERR_CREDENTIALS;
    pthread_mutex_lock(&c->lock);
    copy(&c->set, arena, out);
    pthread_mutex_unlock(&c->lock);
    return arena->failed ? MR_ERR_MEMORY : 0;
}

void client_credentials_drop(struct credentials *c, struct mr_str id)
{
    pthread_mutex_lock(&c->lock);
    if (c->present && c->set.token.ptr != NULL && mr_str_eq(c->set.id, id))
        c->present = false;
    pthread_mutex_unlock(&c->lock);
}
