#include "store/private.h"

int store_snapshot_open(struct store *store, struct store_snapshot **out)
{
    struct store_snapshot *snapshot = mr_calloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        return MR_ENOMEM;
    snapshot->store = store;
    pthread_mutex_lock(&store->snapshot_lock);
    snapshot->lsn = wal_durable_lsn(store->wal);
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
    pthread_mutex_unlock(&store->snapshot_lock);
    mr_free(snapshot);
}

uint64_t snapshot_horizon(struct store *store)
{
    pthread_mutex_lock(&store->snapshot_lock);
    /* Read under the lock: a snapshot that opens later cannot get less. */
    uint64_t lsn = store->oldest != NULL ? store->oldest->lsn : wal_durable_lsn(store->wal);
    pthread_mutex_unlock(&store->snapshot_lock);
    return lsn;
}
