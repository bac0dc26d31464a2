#include "server/retention.h"

#include "base/log.h"
#include "catalog/retention.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define PAGE 256

bool retention_clock_check(struct retention_clock *c, int64_t wall, int64_t mono)
{
    int64_t drift = c->started ? (wall - c->wall) - (mono - c->mono) : 0;
    if (!c->started) {
        c->started = true;
        c->trusted_since = mono;
    } else if (drift > RETENTION_JUMP_NS || drift < -RETENTION_JUMP_NS) {
        c->trusted_since = mono;
        mr_log(MR_LOG_WARN, "wall_clock_jumped", "seconds=%lld detail=\"nothing is expired for 10 minutes\"",
               (long long)(drift / MR_NS_PER_S));
    }
    c->wall = wall;
    c->mono = mono;
    return mono - c->trusted_since >= RETENTION_TRUST_NS;
}

static int expire_table(struct store *store, const struct catalog_table *info, int64_t wall,
                        struct mr_error *err)
{
    struct store_table *table;
    int status = store_table_ref(store, info->database_id, info->id, &table, err);
    if (status == MR_ENOENT)
        return MR_OK; /* dropped meanwhile */
    if (status != MR_OK)
        return status;
    status = store_expire(table, catalog_retention_floor(info, wall), err);
    store_table_unref(table);
    return status;
}

int retention_run(struct catalog *catalog, struct store *store, int64_t wall, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str after_database = MR_STR_NULL, after_table = MR_STR_NULL;
    bool more = true;
    int first = MR_OK;
    while (more) {
        struct catalog_table *list;
        size_t n;
        int status = catalog_table_list(catalog, MR_STR_NULL, after_database, after_table, PAGE, &arena,
                                        &list, &n, &more);
        if (status != MR_OK) {
            first =
                first != MR_OK ? first : mr_error_set(err, (enum mr_status)status, "cannot list the tables");
            break;
        }
        for (size_t i = 0; i < n; i++) {
            status = expire_table(store, &list[i], wall, err);
            first = first != MR_OK ? first : status;
            after_database = list[i].database;
            after_table = list[i].name;
        }
    }
    mr_arena_release(&arena);
    return first;
}

struct retention_job {
    struct catalog *catalog;
    struct store *store;
    const struct mr_clock *clock;
    int64_t interval;
    struct retention_clock seen;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stopping;
    pthread_t thread;
};

/* Sleeps for the interval or until stopped; false when stopped. */
static bool wait_interval(struct retention_job *job)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + job->interval;
    until.tv_sec += ns / MR_NS_PER_S;
    until.tv_nsec = ns % MR_NS_PER_S;
    pthread_mutex_lock(&job->lock);
    while (!job->stopping &&
           pthread_cond_clockwait(&job->wake, &job->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        ;
    bool go_on = !job->stopping;
    pthread_mutex_unlock(&job->lock);
    return go_on;
}

static void *loop(void *arg)
{
    struct retention_job *job = arg;
    while (wait_interval(job)) {
        int64_t wall = mr_clock_wall(job->clock);
        struct mr_error err = MR_ERROR_INIT;
        if (!retention_clock_check(&job->seen, wall, mr_clock_mono(job->clock)))
            continue;
        if (retention_run(job->catalog, job->store, wall, &err) != MR_OK)
            mr_log(MR_LOG_ERROR, "retention_failed", "text=\"%s\"", err.text);
    }
    return NULL;
}

int retention_start(struct catalog *catalog, struct store *store, const struct mr_clock *clock,
                    int64_t interval_ns, struct retention_job **out, struct mr_error *err)
{
    struct retention_job *job = mr_calloc(1, sizeof *job);
    if (job == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the retention job");
    job->catalog = catalog;
    job->store = store;
    job->clock = clock;
    job->interval = interval_ns;
    retention_clock_check(&job->seen, mr_clock_wall(clock), mr_clock_mono(clock));
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->wake, NULL);
    int e = pthread_create(&job->thread, NULL, loop, job);
    if (e != 0) {
        pthread_cond_destroy(&job->wake);
        pthread_mutex_destroy(&job->lock);
        mr_free(job);
        return mr_error_errno(err, MR_EIO, e, "cannot start the retention job");
    }
    *out = job;
    return MR_OK;
}

void retention_stop(struct retention_job *job)
{
    if (job == NULL)
        return;
    pthread_mutex_lock(&job->lock);
    job->stopping = true;
    pthread_cond_signal(&job->wake);
    pthread_mutex_unlock(&job->lock);
    pthread_join(job->thread, NULL);
    pthread_cond_destroy(&job->wake);
    pthread_mutex_destroy(&job->lock);
    mr_free(job);
}
