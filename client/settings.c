#include "client/settings.h"

#include <strings.h>

/* What differs between the two APIs. */
static const struct api_names {
    const char *host;     /* before .timestream.<region> */
    const char *variable; /* of the environment */
    const char *service;  /* in a [services] section */
} names[CLIENT_APIS] = {
    [CLIENT_WRITE] = {"ingest", "AWS_ENDPOINT_URL_TIMESTREAM_WRITE", "timestream_write"},
    [CLIENT_QUERY] = {"query", "AWS_ENDPOINT_URL_TIMESTREAM_QUERY", "timestream_query"},
};

struct loader {
    struct client_settings *out;
    const struct mr_options *options;
    const struct profiles *profiles;
    const struct client_world *world;
    struct mr_arena *arena;
    struct mr_error *err;
};

/* The first that is there: option, variables, key of the profile. MR_STR_NULL for none. */
static struct mr_str pick(const struct loader *l, const char *option, const char *variable,
                          const char *variable2, const char *key)
{
    const char *text = option != NULL && option[0] != '\0' ? option : NULL;
    if (text == NULL && variable != NULL)
        text = client_env(l->world, variable);
    if (text == NULL && variable2 != NULL)
        text = client_env(l->world, variable2);
    if (text != NULL)
        return mr_str_trim(mr_str_of(text));
    return key != NULL ? client_profiles_get(l->profiles, key) : MR_STR_NULL;
}

static bool is_true(struct mr_str text)
{
    return mr_str_ieq(text, MR_STR("true"));
}

/* A region becomes part of a host name and of the signature's scope. */
static bool region_valid(struct mr_str region)
{
    for (size_t i = 0; i < region.len; i++) {
        char c = region.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && i > 0)))
            return false;
    }
    return region.len > 0 && region.len <= 63;
}

static int load_region(struct loader *l)
{
    struct mr_str region = pick(l, l->options->region, "AWS_REGION", "AWS_DEFAULT_REGION", "region");
    if (region.ptr == NULL)
        return mr_error_set(l->err, MR_EINVAL,
                            "No region: set the option, AWS_REGION, or region in the profile.");
    if (!region_valid(region))
        return mr_error_set(l->err, MR_EINVAL, "\"" MR_STR_FMT "\" is no region.", MR_STR_ARG(region));
    l->out->region = mr_arena_dup(l->arena, region);
    return l->out->region.ptr != NULL ? MR_OK : MR_ENOMEM;
}

/* MR_STR_NULL when nobody configured one. */
static struct mr_str custom_endpoint(const struct loader *l, enum client_api api)
{
    const struct mr_options *o = l->options;
    const char *own = api == CLIENT_WRITE ? o->write_endpoint : o->query_endpoint;
    struct mr_str text = pick(l, own != NULL ? own : o->endpoint, NULL, NULL, NULL);
    if (text.ptr != NULL || is_true(pick(l, NULL, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", NULL,
                                         "ignore_configured_endpoint_urls")))
        return text;
    text = pick(l, NULL, names[api].variable, "AWS_ENDPOINT_URL", NULL);
    if (text.ptr == NULL)
        text = client_profiles_service_endpoint(l->profiles, names[api].service);
    return text.ptr != NULL ? text : client_profiles_get(l->profiles, "endpoint_url");
}

static const char *domain_of(struct mr_str region)
{
    return mr_str_starts(region, MR_STR("cn-")) ? "amazonaws.com.cn" : "amazonaws.com";
}

static int load_endpoint(struct loader *l, enum client_api api)
{
    struct mr_str custom = custom_endpoint(l, api), text = custom;
    if (custom.ptr == NULL)
        text = mr_arena_printf(l->arena, "https://%s.timestream." MR_STR_FMT ".%s", names[api].host,
                               MR_STR_ARG(l->out->region), domain_of(l->out->region));
    if (text.ptr == NULL)
        return MR_ENOMEM;
    int rc = client_url_parse(text, l->arena, &l->out->endpoint[api]);
    if (rc == MR_EINVAL)
        return mr_error_set(l->err, MR_EINVAL,
                            "\"" MR_STR_FMT "\" is no endpoint: http://host[:port] or https://host[:port].",
                            MR_STR_ARG(text));
    l->out->discover[api] = custom.ptr == NULL;
    return rc;
}

static int load_discovery(struct loader *l)
{
    struct mr_str word = pick(l, NULL, "AWS_ENABLE_ENDPOINT_DISCOVERY", "AWS_ENDPOINT_DISCOVERY_ENABLED",
                              "endpoint_discovery_enabled");
    enum mr_choice choice = l->options->discovery;
    if (choice == MR_CHOICE_AUTO && word.ptr != NULL)
        choice = is_true(word)                       ? MR_CHOICE_ON
                 : mr_str_ieq(word, MR_STR("false")) ? MR_CHOICE_OFF
                                                     : MR_CHOICE_AUTO;
    for (int api = 0; api < CLIENT_APIS; api++)
        if (choice != MR_CHOICE_AUTO)
            l->out->discover[api] = choice == MR_CHOICE_ON;
    return MR_OK;
}

/* A number from the option, the environment or the profile, within bounds. */
static int load_number(const struct loader *l, int option, const char *variable, const char *key,
                       int otherwise, int most, int *out)
{
    int64_t v = option;
    if (option == 0) {
        struct mr_str text = pick(l, NULL, variable, NULL, key);
        if (text.ptr == NULL)
            v = otherwise;
        else if (!mr_str_to_i64(text, &v))
            v = -1;
    }
    if (v < 1 || v > most)
        return mr_error_set(l->err, MR_EINVAL, "%s must be a number from 1 to %d.", key, most);
    *out = (int)v;
    return MR_OK;
}

static int load_transport(struct loader *l)
{
    const struct mr_options *o = l->options;
    struct client_settings *s = l->out;
    struct mr_str ca = pick(l, o->ca_file, "AWS_CA_BUNDLE", NULL, "ca_bundle");
    s->insecure = o->insecure;
    s->proxy = o->proxy != NULL ? mr_arena_dup(l->arena, mr_str_of(o->proxy)) : MR_STR_NULL;
    s->ca_file = ca.ptr != NULL ? mr_arena_dup(l->arena, ca) : MR_STR_NULL;
    s->user_agent = o->user_agent != NULL ? mr_arena_dup(l->arena, mr_str_of(o->user_agent)) : MR_STR_NULL;
    for (size_t i = 0; i < s->user_agent.len; i++)
        if ((unsigned char)s->user_agent.ptr[i] < 0x20 || (unsigned char)s->user_agent.ptr[i] >= 0x7f)
            return mr_error_set(l->err, MR_EINVAL, "user_agent must be printable ASCII.");
    int rc = load_number(l, o->max_attempts, "AWS_MAX_ATTEMPTS", "max_attempts", 3, 100, &s->max_attempts);
    if (rc == MR_OK)
        rc = load_number(l, o->connect_timeout_ms, NULL, "connect_timeout_ms", 10000, 3600000,
                         &s->connect_timeout_ms);
    if (rc == MR_OK)
        rc = load_number(l, o->timeout_ms, NULL, "timeout_ms", 75000, 24 * 3600000, &s->timeout_ms);
    if (rc == MR_OK)
        rc = load_number(l, o->idle_connections, NULL, "idle_connections", 8, 10000, &s->idle_connections);
    return rc == MR_OK && l->arena->failed ? MR_ENOMEM : rc;
}

int client_settings_load(struct client_settings *out, const struct mr_options *options,
                         const struct profiles *profiles, const struct client_world *world,
                         struct mr_arena *arena, struct mr_error *err)
{
    struct loader l = {out, options, profiles, world, arena, err};
    *out = (struct client_settings){.max_attempts = 0};
    int rc = load_region(&l);
    for (int api = 0; rc == MR_OK && api < CLIENT_APIS; api++)
        rc = load_endpoint(&l, (enum client_api)api);
    if (rc == MR_OK)
        rc = load_discovery(&l);
    if (rc == MR_OK)
        rc = load_transport(&l);
    return rc;
}
