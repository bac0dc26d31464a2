#include "store/hold.h"

#include "base/log.h"
#include "store/private.h"

/* Leases run by the machine's clock, whatever a test does to the store's. */
static int64_t now(void)
{
    return mr_clock_mono(&mr_clock_system);
}

static bool lives(const struct store_held *hold)
{
    return hold->id != 0 && hold->deadline > now();
}

bool holds_any(const struct store *store)
{
    for (size_t i = 0; i < STORE_HOLDS_MAX; i++)
        if (lives(&store->holds[i]))
            return true;
    return false;
}

uint64_t holds_log(struct store *store, uint64_t lsn)
{
    pthread_mutex_lock(&store->commit_lock);
    for (size_t i = 0; i < STORE_HOLDS_MAX; i++)
        if (lives(&store->holds[i]) && store->holds[i].wal_low < lsn)
            lsn = store->holds[i].wal_low;
    pthread_mutex_unlock(&store->commit_lock);
    return lsn;
}

static struct store_held *find(struct store *store, uint64_t id)
{
    for (size_t i = 0; i < STORE_HOLDS_MAX; i++)
        if (store->holds[i].id == id && lives(&store->holds[i]))
            return &store->holds[i];
    return NULL;
}

static struct store_held *find_free(struct store *store)
{
    for (size_t i = 0; i < STORE_HOLDS_MAX; i++)
        if (!lives(&store->holds[i]))
            return &store->holds[i];
    return NULL;
}

int store_hold(struct store *store, int64_t lease_ns, uint64_t *id, struct magstore_manifest *manifest,
               uint64_t *lsn, struct mr_error *err)
{
    pthread_mutex_lock(&store->commit_lock);
    struct store_held *hold = find_free(store);
    int status = hold != NULL
                     ? magstore_manifest_copy(&store->manifest, manifest)
                     : mr_error_set(err, MR_EBUSY, "%d copies are being made already", STORE_HOLDS_MAX);
    if (status == MR_OK) {
        *id = ++store->last_hold;
        *lsn = wal_durable_lsn(store->wal);
        *hold = (struct store_held){*id, manifest->wal_low, now() + lease_ns};
    }
    pthread_mutex_unlock(&store->commit_lock);
    if (status == MR_OK)
        mr_log(MR_LOG_INFO, "store_held", "hold=%llu generation=%llu lsn=%llu", (unsigned long long)*id,
               (unsigned long long)manifest->generation, (unsigned long long)*lsn);
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)status, "no memory for a hold");
}

int store_hold_renew(struct store *store, uint64_t id, int64_t lease_ns)
{
    pthread_mutex_lock(&store->commit_lock);
    struct store_held *hold = id != 0 ? find(store, id) : NULL;
    if (hold != NULL)
        hold->deadline = now() + lease_ns;
    pthread_mutex_unlock(&store->commit_lock);
    return hold != NULL ? MR_OK : MR_ENOENT;
}

void store_hold_release(struct store *store, uint64_t id)
{
    pthread_mutex_lock(&store->commit_lock);
    struct store_held *hold = id != 0 ? find(store, id) : NULL;
    if (hold != NULL)
        *hold = (struct store_held){0, 0, 0};
    files_empty_graves(store);
    pthread_mutex_unlock(&store->commit_lock);
    if (hold != NULL)
        mr_log(MR_LOG_INFO, "store_released", "hold=%llu", (unsigned long long)id);
}
