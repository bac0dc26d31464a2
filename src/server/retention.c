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
        c->jumped = true;
        mr_log(MR_LOG_WARN, "wall_clock_jumped", "seconds=%lld detail=\"nothing is expired for 10 minutes\"",
               (long long)(drift / MR_NS_PER_S));
    }
    c->wall = wall;
    c->mono = mono;
    return mono - c->trusted_since >= RETENTION_TRUST_NS;
}

struct retention_job {
    struct retention_options options;
    struct retention_clock seen;
    /* Held while a table expires and while a retention changes: an expiry goes by the retention of now.
     * Guards `seen`. */
    pthread_mutex_t turn;
    pthread_mutex_t lock; /* of `stopping` */
    pthread_cond_t wake;
    bool stopping;
    pthread_t thread;
};

static bool look_at_clocks(struct retention_job *job)
{
    const struct mr_clock *clock = job->options.clock;
    return job->options.trusting ||
           retention_clock_check(&job->seen, mr_clock_wall(clock), mr_clock_mono(clock));
}

/* `remove` is store_expire or store_purge. */
static int expire_before(struct store *store, const struct catalog_table *info, int64_t cutoff,
                         int (*remove)(struct store_table *, int64_t, struct mr_error *),
                         struct mr_error *err)
{
    struct store_table *table;
    if (store_database_usable(store, info->database_id, NULL) != MR_OK)
        return MR_OK; /* its key is not at hand: nobody sees it either; a later round comes to it */
    int status = store_table_ref(store, info->database_id, info->id, &table, err);
    if (status == MR_ENOENT)
        return MR_OK; /* dropped meanwhile */
    if (status != MR_OK)
        return status;
    status = remove(table, cutoff, err);
    store_table_unref(table);
    return status;
}

/* The list it came from may be older than a change of its retention. */
static int expire_table(struct retention_job *job, const struct catalog_table *listed, struct mr_arena *arena,
                        struct mr_error *err)
{
    struct catalog_table info;
    pthread_mutex_lock(&job->turn);
    int status = catalog_table_get(job->options.catalog, listed->database, listed->name, arena, &info, NULL);
    if (status == MR_OK)
        status = expire_before(job->options.store, &info,
                               catalog_retention_floor(&info, mr_clock_wall(job->options.clock)),
                               store_expire, err);
    pthread_mutex_unlock(&job->turn);
    return status == MR_ENOENT ? MR_OK : status;
}

int retention_now(struct retention_job *job, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str after_database = MR_STR_NULL, after_table = MR_STR_NULL;
    bool more = true;
    int first = MR_OK;
    while (more) {
        struct catalog_table *list;
        size_t n;
        int status = catalog_table_list(job->options.catalog, MR_STR_NULL, after_database, after_table, PAGE,
                                        &arena, &list, &n, &more);
        if (status != MR_OK) {
            first =
                first != MR_OK ? first : mr_error_set(err, (enum mr_status)status, "cannot list the tables");
            break;
        }
        for (size_t i = 0; i < n; i++) {
            status = expire_table(job, &list[i], &arena, err);
            first = first != MR_OK ? first : status;
            after_database = list[i].database;
            after_table = list[i].name;
        }
    }
    mr_arena_release(&arena);
    return first;
}

int retention_change_begin(void *arg, struct mr_str database, struct mr_str table, int64_t hours,
                           struct mr_error *err)
{
    struct retention_job *job = arg;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_table info;
    pthread_mutex_lock(&job->turn);
    int status = catalog_table_get(job->options.catalog, database, table, &arena, &info, NULL);
    bool longer = status == MR_OK && hours > catalog_retention_hours(&info);
    if (longer && (look_at_clocks(job) || !job->seen.jumped))
        status = expire_before(job->options.store, &info,
                               catalog_retention_floor(&info, mr_clock_wall(job->options.clock)), store_purge,
                               err);
    mr_arena_release(&arena);
    if (status == MR_OK || status == MR_ENOENT)
        return MR_OK;
    pthread_mutex_unlock(&job->turn);
    return status;
}

void retention_change_end(void *arg)
{
    struct retention_job *job = arg;
    pthread_mutex_unlock(&job->turn);
}

/* Sleeps for the interval or until stopped; false when stopped. */
static bool wait_interval(struct retention_job *job)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + job->options.interval_ns;
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
        struct mr_error err = MR_ERROR_INIT;
        pthread_mutex_lock(&job->turn);
        bool safe = look_at_clocks(job);
        pthread_mutex_unlock(&job->turn);
        if (safe && retention_now(job, &err) != MR_OK)
            mr_log(MR_LOG_ERROR, "retention_failed", "text=\"%s\"", err.text);
    }
    return NULL;
}

static void free_job(struct retention_job *job)
{
    pthread_cond_destroy(&job->wake);
    pthread_mutex_destroy(&job->lock);
    pthread_mutex_destroy(&job->turn);
    mr_free(job);
}

int retention_start(const struct retention_options *options, struct retention_job **out, struct mr_error *err)
{
    struct retention_job *job = mr_calloc(1, sizeof *job);
    if (job == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the retention job");
    job->options = *options;
    pthread_mutex_init(&job->turn, NULL);
    pthread_mutex_init(&job->lock, NULL);
    pthread_cond_init(&job->wake, NULL);
    look_at_clocks(job);
    int e = options->interval_ns != 0 ? pthread_create(&job->thread, NULL, loop, job) : 0;
    if (e != 0) {
        free_job(job);
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
    if (job->options.interval_ns != 0)
        pthread_join(job->thread, NULL);
    free_job(job);
}
