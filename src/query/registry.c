#include "query/registry.h"

#include <openssl/crypto.h>

void query_registry_use(struct query_run *run)
{
    run->users++;
}

void query_registry_unuse(struct query_service *s, struct query_run *run)
{
    MR_UNUSED(s);
    MR_ASSERT(run->users > 0);
    if (--run->users == 0 && !run->linked)
        query_run_free(run);
}

/* The longest idle run that nobody is looking at. */
static struct query_run *victim(struct query_service *s)
{
    struct query_run *oldest = NULL;
    for (struct query_run *run = s->runs; run != NULL; run = run->next)
        if (run->users == 0 && (oldest == NULL || run->last_used < oldest->last_used))
            oldest = run;
    return oldest;
}

static void expire(struct query_service *s, int64_t now)
{
    for (struct query_run *run = s->runs, *next; run != NULL; run = next) {
        next = run->next;
        if (run->users == 0 && now - run->last_used > s->options.token_ns)
            query_registry_unlink(s, run);
    }
}

void query_registry_link(struct query_service *s, struct query_run *run)
{
    int64_t now = mr_clock_mono(s->options.clock);
    expire(s, now); /* a parked run holds a snapshot, and with it memory */
    if (s->nruns >= s->options.max_parked) {
        struct query_run *oldest = s->nruns >= s->options.max_parked ? victim(s) : NULL;
        if (oldest != NULL)
            query_registry_unlink(s, oldest);
    }
    run->last_used = now;
    run->linked = true;
    run->users = 1;
    run->prev = NULL;
    run->next = s->runs;
    if (s->runs != NULL)
        s->runs->prev = run;
    s->runs = run;
    s->nruns++;
    s->stats.started++;
}

void query_registry_unlink(struct query_service *s, struct query_run *run)
{
    if (!run->linked)
        return;
    *(run->prev != NULL ? &run->prev->next : &s->runs) = run->next;
    if (run->next != NULL)
        run->next->prev = run->prev;
    run->linked = false;
    s->nruns--;
    query_registry_remember(s, run->id);
    if (run->users == 0)
        query_run_free(run);
}

struct query_run *query_registry_by_id(struct query_service *s, struct mr_str id)
{
    for (struct query_run *run = s->runs; run != NULL; run = run->next)
        if (mr_str_eq(id, mr_str_of(run->id)))
            return run;
    return NULL;
}

struct query_run *query_registry_by_secret(struct query_service *s, const unsigned char *secret)
{
    for (struct query_run *run = s->runs; run != NULL; run = run->next)
        if (CRYPTO_memcmp(run->secret, secret, QUERY_SECRET_BYTES) == 0)
            return run;
    return NULL;
}

bool query_registry_cancel(struct query_service *s, struct query_run *run)
{
    if (run->state == QUERY_FAILED || run->state == QUERY_CANCELLED ||
        (run->state == QUERY_IDLE && run->page.last))
        return false;
    if (run->engine != NULL)
        engine_cancel(run->engine);
    run->state = QUERY_CANCELLED;
    s->stats.cancelled++;
    pthread_cond_broadcast(&run->changed);
    return true;
}

void query_registry_close(struct query_service *s, struct query_run *run)
{
    MR_ASSERT(run->users > 0);
    struct query_run ended = {
        .engine = run->engine,
        .snapshot = run->snapshot,
        .tables = run->tables,
        .ntables = run->ntables,
        .pending = run->pending,
    };
    run->engine = NULL;
    run->snapshot = NULL;
    run->tables = NULL;
    run->ntables = run->captables = 0;
    run->pending = (struct mr_buf)MR_BUF_INIT;
    pthread_mutex_unlock(&s->lock);
    query_run_close(&ended);
    mr_free(ended.tables);
    pthread_mutex_lock(&s->lock);
}

void query_registry_remember(struct query_service *s, const char *id)
{
    memcpy(s->recent[s->recent_next], id, QUERY_ID_CHARS + 1);
    s->recent_next = (s->recent_next + 1) % QUERY_RECENT;
}

bool query_registry_was_there(const struct query_service *s, struct mr_str id)
{
    for (size_t i = 0; i < QUERY_RECENT; i++)
        if (mr_str_eq(id, mr_str_of(s->recent[i])))
            return true;
    return false;
}
