#include "client/profile.h"

#include <stdio.h>

#define PROFILE_FILE_MAX ((size_t)1 << 20)

/* `~/` in front stands for the home directory. MR_STR_NULL when there is no home, or no memory. */
static struct mr_str full_path(struct profiles *p, const struct client_world *world, const char *path)
{
    if (path[0] != '~' || path[1] != '/')
        return mr_arena_dup(&p->arena, mr_str_of(path));
    const char *home = client_env(world, "HOME");
    return home != NULL ? mr_arena_printf(&p->arena, "%s%s", home, path + 1) : MR_STR_NULL;
}

static int load(struct profiles *p, struct ini *ini, const char *path, const struct client_world *world,
                struct mr_error *err)
{
    struct mr_str full = full_path(p, world, path);
    if (full.ptr == NULL)
        return p->arena.failed ? MR_ENOMEM : MR_OK;
    struct mr_buf text = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int rc = mr_io_read_file(world->io, full.ptr, PROFILE_FILE_MAX, &text, &why);
    if (rc == MR_OK)
        rc = client_ini_parse(ini, mr_buf_view(&text), full.ptr, &p->arena, err);
    else if (rc == MR_ENOENT)
        rc = MR_OK;
    else if (rc != MR_ENOMEM)
        rc = mr_error_set(err, MR_EINVAL, "%s", why.text);
    if (text.ptr != NULL)
        explicit_bzero(text.ptr, text.cap);
    mr_buf_release(&text);
    return rc;
}

static const char *first_of(const char *a, const char *b, const char *c)
{
    return a != NULL ? a : b != NULL ? b : c;
}

bool client_profiles_have(const struct profiles *p, struct mr_str name)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_str named = mr_arena_printf(&tmp, "profile " MR_STR_FMT, MR_STR_ARG(name));
    bool found = client_ini_has_section(&p->credentials, name) || client_ini_has_section(&p->config, named) ||
                 (mr_str_eq(name, MR_STR("default")) && client_ini_has_section(&p->config, name));
    mr_arena_release(&tmp);
    return found;
}

int client_profiles_load(struct profiles *p, const struct mr_options *options,
                         const struct client_world *world, struct mr_error *err)
{
    const char *name = first_of(options->profile, client_env(world, "AWS_PROFILE"),
                                client_env(world, "AWS_DEFAULT_PROFILE"));
    p->asked = name != NULL;
    p->name = mr_arena_dup(&p->arena, mr_str_of(name != NULL ? name : "default"));
    if (p->name.ptr == NULL)
        return MR_ENOMEM;
    int rc = load(p, &p->credentials,
                  first_of(options->credentials_file, client_env(world, "AWS_SHARED_CREDENTIALS_FILE"),
                           "~/.aws/credentials"),
                  world, err);
    if (rc == MR_OK)
        rc = load(p, &p->config,
                  first_of(options->config_file, client_env(world, "AWS_CONFIG_FILE"), "~/.aws/config"),
                  world, err);
    if (rc == MR_OK && p->asked && !client_profiles_have(p, p->name))
        rc = mr_error_set(err, MR_EINVAL,
                          "The profile " MR_STR_FMT " is in neither the config nor the credentials file.",
                          MR_STR_ARG(p->name));
    return rc;
}

void client_profiles_release(struct profiles *p)
{
    for (size_t i = 0; i < p->credentials.len; i++) /* secrets do not stay behind in freed memory */
        explicit_bzero((char *)(uintptr_t)p->credentials.at[i].value.ptr, p->credentials.at[i].value.len);
    for (size_t i = 0; i < p->config.len; i++)
        explicit_bzero((char *)(uintptr_t)p->config.at[i].value.ptr, p->config.at[i].value.len);
    client_ini_release(&p->config);
    client_ini_release(&p->credentials);
    mr_arena_release(&p->arena);
}

/* Of [profile <name>], and of [<name>] when that is "default". */
static struct mr_str config_get(const struct profiles *p, struct mr_str name, struct mr_str key)
{
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_str section = mr_arena_printf(&tmp, "profile " MR_STR_FMT, MR_STR_ARG(name));
    struct mr_str value = section.ptr != NULL ? client_ini_get(&p->config, section, key) : MR_STR_NULL;
    if (value.len == 0 && mr_str_eq(name, MR_STR("default")))
        value = client_ini_get(&p->config, name, key);
    mr_arena_release(&tmp);
    return value;
}

struct mr_str client_profiles_get_of(const struct profiles *p, struct mr_str name, const char *key)
{
    struct mr_str value = client_ini_get(&p->credentials, name, mr_str_of(key));
    if (value.len == 0)
        value = config_get(p, name, mr_str_of(key));
    return value.len > 0 ? value : MR_STR_NULL;
}

struct mr_str client_profiles_get(const struct profiles *p, const char *key)
{
    return client_profiles_get_of(p, p->name, key);
}

struct mr_str client_profiles_service_endpoint(const struct profiles *p, const char *service)
{
    struct mr_str services = client_profiles_get(p, "services");
    if (services.len == 0)
        return MR_STR_NULL;
    struct mr_arena tmp = MR_ARENA_INIT;
    struct mr_str section = mr_arena_printf(&tmp, "services " MR_STR_FMT, MR_STR_ARG(services));
    struct mr_str key = mr_arena_printf(&tmp, "%s.endpoint_url", service);
    struct mr_str value =
        section.ptr != NULL && key.ptr != NULL ? client_ini_get(&p->config, section, key) : MR_STR_NULL;
    mr_arena_release(&tmp);
    return value.len > 0 ? value : MR_STR_NULL;
}
