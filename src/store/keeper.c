/* store/keeper.c - threads that keep memory, log and the number of files within bounds, and keys at hand.
 *
 * The flusher runs when appends have filled memory or the log (keeper_flush_soon); a failed flush, on a full
 * disk say, is tried again after a pause. The merger runs after each flush or expiry and goes on until
 * nothing is worth merging. It has the lower priority: while the processors are busy with requests it gives
 * way. The locksmith asks for keys again before their life is over (keys.c).
 */
#include "store/private.h"

#include "base/log.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PAUSE_S 5      /* after a failure */
#define MERGER_NICE 10 /* of 19 */

struct store_keeper {
    struct store *store;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool flush, grown, compact, keys, stopping;
    pthread_t flusher, merger, locksmith;
    bool has_flusher, has_merger, has_locksmith;
};

/* Waits for the flag or the end, and clears the flag; false at the end. */
static bool wait_for(struct store_keeper *k, bool *flag)
{
    pthread_mutex_lock(&k->lock);
    while (!*flag && !k->stopping)
        pthread_cond_wait(&k->wake, &k->lock);
    *flag = false;
    bool go_on = !k->stopping;
    pthread_mutex_unlock(&k->lock);
    return go_on;
}

static void pause_after(struct store_keeper *k, const char *what, const struct mr_error *err)
{
    struct timespec until;
    mr_log(MR_LOG_ERROR, what, "text=\"%s\" retry_seconds=%d", err->text, PAUSE_S);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PAUSE_S;
    pthread_mutex_lock(&k->lock);
    while (!k->stopping && pthread_cond_clockwait(&k->wake, &k->lock, CLOCK_MONOTONIC, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&k->lock);
}

/* Waits until a flush is asked for, or growth reported, or the end. *asked: whatever the growth. */
static bool wait_for_flush(struct store_keeper *k, bool *asked)
{
    pthread_mutex_lock(&k->lock);
    while (!k->flush && !k->grown && !k->stopping)
        pthread_cond_wait(&k->wake, &k->lock);
    *asked = k->flush;
    k->flush = k->grown = false;
    bool go_on = !k->stopping;
    pthread_mutex_unlock(&k->lock);
    return go_on;
}

static void *run_flusher(void *arg)
{
    struct store_keeper *k = arg;
    bool asked;
    while (wait_for_flush(k, &asked)) {
        struct mr_error err = MR_ERROR_INIT;
        if (!asked && !store_has_grown(k->store))
            continue;
        int rc = store_flush(k->store, &err);
        if (rc == MR_OK || rc == MR_ECANCEL)
            continue;
        pause_after(k, "flush_failed", &err);
        keeper_flush_soon(k->store);
    }
    return NULL;
}

static void *run_merger(void *arg)
{
    struct store_keeper *k = arg;
    if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), MERGER_NICE) != 0)
        mr_log(MR_LOG_WARN, "merger_priority", "text=\"%s\"", strerror(errno));
    while (wait_for(k, &k->compact)) {
        struct mr_error err = MR_ERROR_INIT;
        bool did = true;
        int rc = MR_OK;
        while (did && rc == MR_OK)
            rc = compact_once(k->store, &did, &err);
        if (rc == MR_OK)
            continue;
        if (rc != MR_ECANCEL)
            pause_after(k, "merge_failed", &err);
        keeper_compact_soon(k->store); /* other tables may have something to merge */
    }
    return NULL;
}

#define LONGEST_NAP_NS MR_NS_PER_S /* the store's clock may be set forward */

/* Until the time, or until something is said; false at the end. */
static bool nap(struct store_keeper *k, int64_t due)
{
    int64_t now = mr_clock_mono(k->store->clock), left = due > now ? due - now : 0;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    left = left < LONGEST_NAP_NS ? left : LONGEST_NAP_NS;
    until.tv_nsec += left % MR_NS_PER_S;
    until.tv_sec += left / MR_NS_PER_S + until.tv_nsec / MR_NS_PER_S;
    until.tv_nsec %= MR_NS_PER_S;
    pthread_mutex_lock(&k->lock);
    int rc = 0;
    while (!k->stopping && !k->keys && rc != ETIMEDOUT)
        rc = due == INT64_MAX ? pthread_cond_wait(&k->wake, &k->lock)
                              : pthread_cond_clockwait(&k->wake, &k->lock, CLOCK_MONOTONIC, &until);
    k->keys = false;
    bool go_on = !k->stopping;
    pthread_mutex_unlock(&k->lock);
    return go_on;
}

static void *run_locksmith(void *arg)
{
    struct store_keeper *k = arg;
    while (nap(k, store_keys_refresh(k->store)))
        ;
    return NULL;
}

static void raise_flag(struct store_keeper *k, bool *flag)
{
    pthread_mutex_lock(&k->lock);
    if (!*flag) {
        *flag = true;
        pthread_cond_broadcast(&k->wake);
    }
    pthread_mutex_unlock(&k->lock);
}

void keeper_flush_soon(struct store *store)
{
    if (store->keeper != NULL)
        raise_flag(store->keeper, &store->keeper->flush);
}

void keeper_has_grown(struct store *store)
{
    if (store->keeper != NULL)
        raise_flag(store->keeper, &store->keeper->grown);
}

void keeper_compact_soon(struct store *store)
{
    if (store->keeper != NULL)
        raise_flag(store->keeper, &store->keeper->compact);
}

void keeper_keys_soon(struct store *store)
{
    if (store->keeper != NULL)
        raise_flag(store->keeper, &store->keeper->keys);
}

bool keeper_stopping(const struct store *store)
{
    return store->keeper != NULL && __atomic_load_n(&store->keeper->stopping, __ATOMIC_RELAXED);
}

int keeper_start(struct store *store, struct mr_error *err)
{
    struct store_keeper *k = mr_calloc(1, sizeof *k);
    if (k == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory for the keeper");
    k->store = store;
    pthread_mutex_init(&k->lock, NULL);
    pthread_cond_init(&k->wake, NULL);
    store->keeper = k;
    int rc = pthread_create(&k->flusher, NULL, run_flusher, k);
    k->has_flusher = rc == 0;
    if (rc == 0) {
        rc = pthread_create(&k->merger, NULL, run_merger, k);
        k->has_merger = rc == 0;
    }
    if (rc == 0) {
        rc = pthread_create(&k->locksmith, NULL, run_locksmith, k);
        k->has_locksmith = rc == 0;
    }
    return rc == 0 ? MR_OK : (int)mr_error_errno(err, MR_EIO, rc, "cannot start a thread");
}

void keeper_stop(struct store *store)
{
    struct store_keeper *k = store->keeper;
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->lock);
    __atomic_store_n(&k->stopping, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&k->wake);
    pthread_mutex_unlock(&k->lock);
    pthread_mutex_lock(&store->snapshot_lock);
    store->closing = true;
    pthread_cond_broadcast(&store->snapshot_closed);
    pthread_mutex_unlock(&store->snapshot_lock);
    if (k->has_flusher)
        pthread_join(k->flusher, NULL);
    if (k->has_merger)
        pthread_join(k->merger, NULL);
    if (k->has_locksmith)
        pthread_join(k->locksmith, NULL);
    pthread_mutex_destroy(&k->lock);
    pthread_cond_destroy(&k->wake);
    mr_free(k);
    store->keeper = NULL;
}
