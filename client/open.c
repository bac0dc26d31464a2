/* Opening and closing of a client. */
#include "client/client.h"
#include "client/process.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

const char *mr_version(void)
{
    return MR_VERSION;
}

static const char *process_env(void *ctx, const char *name)
{
    (void)ctx;
    return getenv(name);
}

static void process_sleep(void *ctx, int64_t ns)
{
    (void)ctx;
    struct timespec left = {ns / MR_NS_PER_S, ns % MR_NS_PER_S};
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

/* Copies of the caller's options, texts included. */
static int take_options(struct mr_client *c, const struct mr_options *given, struct mr_error *err)
{
    struct mr_options *o = &c->options;
    *o = (struct mr_options)MR_OPTIONS_INIT;
    if (given != NULL && given->size == 0)
        return mr_error_set(err, MR_EINVAL, "The options do not begin with MR_OPTIONS_INIT.");
    if (given != NULL) /* a caller built against an older header has a shorter struct */
        memcpy(o, given, given->size < sizeof *o ? given->size : sizeof *o);
    const char **texts[] = {&o->region,        &o->endpoint,          &o->write_endpoint, &o->query_endpoint,
                            &o->access_key_id, &o->secret_access_key, &o->session_token,  &o->profile,
                            &o->config_file,   &o->credentials_file,  &o->proxy,          &o->ca_file,
                            &o->user_agent};
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++)
        if (*texts[i] != NULL)
            *texts[i] = mr_arena_dup(&c->arena, mr_str_of(*texts[i])).ptr;
    if (o->profile != NULL && o->profile[0] == '\0')
        o->profile = NULL;
    return c->arena.failed ? MR_ENOMEM : MR_OK;
}

static int make_locks(struct mr_client *c)
{
    int made = 0;
    for (; made < CLIENT_APIS; made++)
        if (pthread_mutex_init(&c->endpoints[made].lock, NULL) != 0)
            break;
    c->credentials.region = c->settings.region;
    if (made == CLIENT_APIS && pthread_mutex_init(&c->rng_lock, NULL) == 0) {
        if (client_credentials_init(&c->credentials, &c->world, &c->options, &c->profiles) == MR_OK)
            return MR_OK;
        pthread_mutex_destroy(&c->rng_lock);
    }
    while (made-- > 0)
        pthread_mutex_destroy(&c->endpoints[made].lock);
    return MR_ENOMEM;
}

/* The parts that make_locks does not make. */
static void release(struct mr_client *c)
{
    if (c->options.secret_access_key != NULL)
        explicit_bzero((char *)(uintptr_t)c->options.secret_access_key, strlen(c->options.secret_access_key));
    client_http_pool_free(c->pool);
    client_profiles_release(&c->profiles);
    for (int api = 0; api < CLIENT_APIS; api++)
        mr_arena_release(&c->endpoints[api].arena);
    mr_arena_release(&c->arena);
    mr_free(c);
}

static int open_transport(struct mr_client *c)
{
    if (c->world.send != NULL)
        return MR_OK;
    const struct client_settings *s = &c->settings;
    struct http_options http = {
        .proxy = s->proxy, .ca_file = s->ca_file, .insecure = s->insecure, .idle = s->idle_connections};
    c->pool = client_http_pool_new(&http);
    c->world.send = client_http_send;
    c->world.ctx = c->pool;
    return c->pool != NULL ? MR_OK : MR_ENOMEM;
}

int client_open_in(const struct client_world *world, const struct mr_options *options, struct mr_client **out,
                   struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    struct mr_error err = MR_ERROR_INIT;
    *out = NULL;
    struct mr_client *c = mr_calloc(1, sizeof *c);
    if (c == NULL) {
        client_outcome_fail(&o, MR_ERR_MEMORY, "Out of memory.");
        return client_outcome_deliver(&o, fault);
    }
    c->world = *world;
    mr_random_bytes(&c->rng.state, sizeof c->rng.state);
    int rc = take_options(c, options, &err);
    if (rc == MR_OK)
        rc = client_profiles_load(&c->profiles, &c->options, &c->world, &err);
    if (rc == MR_OK)
        rc = client_settings_load(&c->settings, &c->options, &c->profiles, &c->world, &c->arena, &err);
    if (rc == MR_OK)
        rc = open_transport(c);
    if (rc == MR_OK)
        rc = make_locks(c);
    if (rc == MR_OK) {
        *out = c;
    } else {
        client_outcome_status(&o, rc, MR_ERR_CONFIG, err.text);
        release(c);
    }
    return client_outcome_deliver(&o, fault);
}

int mr_client_open(const struct mr_options *options, struct mr_client **out, struct mr_fault *fault)
{
    static const struct client_world process = {.clock = &mr_clock_system,
                                                .io = &mr_io_posix,
                                                .env = process_env,
                                                .sleep = process_sleep,
                                                .send = NULL,
                                                .run = client_process_run,
                                                .ctx = NULL};
    return client_open_in(&process, options, out, fault);
}

void mr_client_close(struct mr_client *c)
{
    if (c == NULL)
        return;
    client_credentials_release(&c->credentials);
    pthread_mutex_destroy(&c->rng_lock);
    for (int api = 0; api < CLIENT_APIS; api++)
        pthread_mutex_destroy(&c->endpoints[api].lock);
    release(c);
}

const char *mr_client_region(const struct mr_client *client)
{
    return client->settings.region.ptr;
}
