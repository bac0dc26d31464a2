#include "store/private.h"

#include "base/log.h"

#include <errno.h>
#include <time.h>

int store_snapshot_open(struct store *store, struct store_snapshot **out)
{
    struct store_snapshot *snapshot = mr_calloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        return MR_ENOMEM;
    snapshot->store = store;
    pthread_mutex_lock(&store->snapshot_lock);
    snapshot->lsn = wal_durable_lsn(store->wal);
    snapshot->view = view_ref(store->view);
    snapshot->flushes = store->flushes;
    snapshot->older = store->newest;
    if (store->newest != NULL)
        store->newest->newer = snapshot;
    else
        store->oldest = snapshot;
    store->newest = snapshot;
    pthread_mutex_unlock(&store->snapshot_lock);
    *out = snapshot;
    return MR_OK;
}

void store_snapshot_close(struct store_snapshot *snapshot)
{
    if (snapshot == NULL)
        return;
    struct store *store = snapshot->store;
    pthread_mutex_lock(&store->snapshot_lock);
    *(snapshot->older != NULL ? &snapshot->older->newer : &store->oldest) = snapshot->newer;
    *(snapshot->newer != NULL ? &snapshot->newer->older : &store->newest) = snapshot->older;
    pthread_cond_broadcast(&store->snapshot_closed);
    pthread_mutex_unlock(&store->snapshot_lock);
    view_unref(snapshot->view);
    mr_free(snapshot);
}

struct store_view *snapshot_view(struct store *store)
{
    pthread_mutex_lock(&store->snapshot_lock);
    struct store_view *view = view_ref(store->view);
    pthread_mutex_unlock(&store->snapshot_lock);
    return view;
}

uint64_t snapshot_install(struct store *store, struct store_view *view, bool flushed)
{
    pthread_mutex_lock(&store->snapshot_lock);
    struct store_view *before = store->view;
    store->view = view;
    store->flushes += flushed;
    uint64_t flushes = store->flushes;
    pthread_mutex_unlock(&store->snapshot_lock);
    view_unref(before);
    return flushes;
}

/* Of those that have not seen so many flushes, the number; the oldest come first in the list. */
static size_t overtake(struct store *store, uint64_t flushes)
{
    size_t n = 0;
    for (struct store_snapshot *s = store->oldest; s != NULL && s->flushes < flushes; s = s->newer, n++)
        __atomic_store_n(&s->overtaken, true, __ATOMIC_RELEASE);
    return n;
}

bool snapshot_wait(struct store *store, uint64_t flushes)
{
    struct timespec until;
    int rc = 0;
    size_t overtaken = 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += SNAPSHOT_PATIENCE_S;
    pthread_mutex_lock(&store->snapshot_lock);
    while (store->oldest != NULL && store->oldest->flushes < flushes && !store->closing && !store->by_hand &&
           rc != ETIMEDOUT)
        rc = pthread_cond_clockwait(&store->snapshot_closed, &store->snapshot_lock, CLOCK_MONOTONIC, &until);
    if (rc == ETIMEDOUT)
        overtaken = overtake(store, flushes);
    bool all = overtaken != 0 || store->oldest == NULL || store->oldest->flushes >= flushes;
    pthread_mutex_unlock(&store->snapshot_lock);
    if (overtaken != 0)
        mr_log(MR_LOG_WARN, "snapshots_overtaken", "count=%zu seconds=%d", overtaken, SNAPSHOT_PATIENCE_S);
    return all;
}

uint64_t snapshot_horizon(struct store *store)
{
    pthread_mutex_lock(&store->snapshot_lock);
    /* Read under the lock: a snapshot that opens later cannot get less. */
    uint64_t lsn = store->oldest != NULL ? store->oldest->lsn : wal_durable_lsn(store->wal);
    pthread_mutex_unlock(&store->snapshot_lock);
    return lsn;
}
