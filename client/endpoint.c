#include "client/client.h"

#define MINUTE_NS (60 * MR_NS_PER_S)
#define LONGEST_CACHE_MINUTES 10080 /* a week; what the service says beyond it is not believed */

static void copy_url(const struct client_url *from, struct mr_arena *arena, struct client_url *out)
{
    *out = (struct client_url){from->tls, mr_arena_dup(arena, from->host), mr_arena_dup(arena, from->name),
                               mr_arena_dup(arena, from->path), mr_arena_dup(arena, from->text)};
}

/* An Address that is a URL is used unchanged; a host gets the scheme we discovered over. */
static int take_address(struct endpoint *e, const struct client_url *base, struct mr_str address)
{
    mr_arena_release(&e->arena);
    e->url.text = MR_STR_NULL;
    struct mr_str text = address;
    if (!mr_str_starts(address, MR_STR("http://")) && !mr_str_starts(address, MR_STR("https://")))
        text =
            mr_arena_printf(&e->arena, "%s://" MR_STR_FMT, base->tls ? "https" : "http", MR_STR_ARG(address));
    int rc = text.ptr != NULL ? client_url_parse(text, &e->arena, &e->url) : MR_ENOMEM;
    if (rc == MR_OK && base->tls && !e->url.tls)
        rc = MR_EINVAL; /* nobody may talk us out of TLS */
    if (rc != MR_OK)
        e->url.text = MR_STR_NULL;
    return rc;
}

/* Under the lock. */
static int discover(struct mr_client *c, enum client_api api, struct endpoint *e, struct outcome *o)
{
    const struct client_url *base = &c->settings.endpoint[api];
    struct model_describe_endpoints_response *answer = NULL;
    struct outcome inner = {.error = 0};
    void *block = NULL;
    int rc = client_try(c, api, model_operation(MODEL_OP_DESCRIBE_ENDPOINTS), NULL, &block, &inner);
    answer = block;
    if (rc != 0) {
        rc = client_outcome_fail(o, rc, "DescribeEndpoints at " MR_STR_FMT ": %s%s%s", MR_STR_ARG(base->text),
                                 inner.code != NULL ? inner.code : "", inner.code != NULL ? ": " : "",
                                 inner.message != NULL ? inner.message : "");
        o->http_status = inner.http_status;
        o->retryable = inner.retryable;
        if (inner.code != NULL)
            o->code = mr_arena_dup(&o->arena, mr_str_of(inner.code)).ptr;
        goto done;
    }
    if (answer->endpoints.len == 0 || answer->endpoints.at[0].address.len == 0) {
        rc = client_outcome_fail(o, MR_ERR_ANSWER, "DescribeEndpoints named no endpoint.");
        goto done;
    }
    int64_t minutes = answer->endpoints.at[0].cache_period_in_minutes.v;
    int status = take_address(e, base, answer->endpoints.at[0].address);
    if (status != MR_OK) {
        rc = client_outcome_status(o, status, MR_ERR_ANSWER,
                                   "DescribeEndpoints named an address that is none.");
        goto done;
    }
    if (minutes > LONGEST_CACHE_MINUTES)
        minutes = LONGEST_CACHE_MINUTES;
    e->until_ns = mr_clock_mono(c->world.clock) + (minutes > 0 ? minutes : 0) * MINUTE_NS;
done:
    client_outcome_release(&inner);
    mr_response_free(block);
    return rc;
}

int client_endpoint_get(struct mr_client *c, enum client_api api, struct mr_arena *arena,
                        struct client_url *out, struct outcome *o)
{
    int rc = 0;
    if (!c->settings.discover[api]) {
        copy_url(&c->settings.endpoint[api], arena, out);
    } else {
        struct endpoint *e = &c->endpoints[api];
        pthread_mutex_lock(&e->lock);
        if (e->url.text.ptr == NULL || mr_clock_mono(c->world.clock) >= e->until_ns) {
            bool stale = e->url.text.ptr != NULL;
            struct outcome inner = {.error = 0};
            rc = discover(c, api, e, stale ? &inner : o);
            if (rc != 0 && stale && e->url.text.ptr != NULL) { /* an old address is better than none */
                e->until_ns = mr_clock_mono(c->world.clock) + MINUTE_NS;
                rc = 0;
            } else if (rc != 0 && stale)
                client_outcome_fail(o, rc, "%s", inner.message != NULL ? inner.message : "");
            client_outcome_release(&inner);
        }
        if (rc == 0)
            copy_url(&e->url, arena, out);
        pthread_mutex_unlock(&e->lock);
    }
    return rc == 0 && arena->failed ? client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.") : rc;
}

void client_endpoint_drop(struct mr_client *c, enum client_api api, const struct client_url *used)
{
    struct endpoint *e = &c->endpoints[api];
    pthread_mutex_lock(&e->lock);
    if (e->url.text.ptr != NULL && mr_str_eq(e->url.text, used->text))
        e->url.text = MR_STR_NULL;
    pthread_mutex_unlock(&e->lock);
}
