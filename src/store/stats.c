#include "store/private.h"

int store_expire(struct store_table *table, int64_t cutoff, struct mr_error *err)
{
    if (!table_pin(table))
        return table_dropped(table, err);
    __atomic_store_n(&table->cutoff, cutoff, __ATOMIC_RELAXED);
    mem_evict(table->mem, cutoff, snapshot_horizon(table->store));
    table_unpin(table);
    int rc = files_expire(table->store, table->id, err);
    keeper_compact_soon(table->store);
    return rc;
}

int store_purge(struct store_table *table, int64_t cutoff, struct mr_error *err)
{
    int rc = store_expire(table, cutoff, err);
    if (rc == MR_OK)
        rc = store_flush(table->store, err); /* the log forgets what was in memory */
    return rc == MR_OK ? compact_purge(table->store, table->id, cutoff, err) : rc;
}

/* The table's numbers, when it has data. */
static void add_table(struct store_table *table, struct store_stats *out)
{
    struct mem_counts counts;
    if (!table_pin(table))
        return;
    mem_read_lock(table->mem);
    mem_counts(table->mem, &counts);
    out->tables += !table->dropped;
    mem_read_unlock(table->mem);
    table_unpin(table);
    out->series += counts.series;
    out->rows += counts.rows;
}

static void add_files(struct store *store, struct store_stats *out)
{
    pthread_mutex_lock(&store->commit_lock);
    for (size_t i = 0; i < store->manifest.nfiles; i++) {
        const struct magstore_file *file = &store->manifest.files[i];
        out->files++;
        out->file_bytes += file->size;
        out->file_rows += file->kind == MAGSTORE_SEGMENT ? file->rows : 0;
        if (keys_outdated(store, file)) {
            out->old_key_files++;
            out->old_key_bytes += file->size;
        }
    }
    pthread_mutex_unlock(&store->commit_lock);
    struct store_view *view = snapshot_view(store);
    for (size_t i = 0; i < view->nsegments; i++)
        out->closed_files += view->segments[i]->closed;
    view_unref(view);
    const struct store_counters *c = &store->counters;
    out->flushes = __atomic_load_n(&c->flushes, __ATOMIC_RELAXED);
    out->flush_rows = __atomic_load_n(&c->flush_rows, __ATOMIC_RELAXED);
    out->flush_ns = __atomic_load_n(&c->flush_ns, __ATOMIC_RELAXED);
    out->compactions = __atomic_load_n(&c->compactions, __ATOMIC_RELAXED);
    out->compacted_rows = __atomic_load_n(&c->compacted_rows, __ATOMIC_RELAXED);
    out->compacted_bytes = __atomic_load_n(&c->compacted_bytes, __ATOMIC_RELAXED);
    out->late_lookups = __atomic_load_n(&c->lookups, __ATOMIC_RELAXED);
}

void store_stats(struct store *store, struct store_stats *out)
{
    *out = (struct store_stats){0};
    pthread_mutex_lock(&store->tables_lock);
    for (size_t i = 0; i < store->nbuckets; i++)
        for (struct store_table *table = store->buckets[i]; table != NULL; table = table->next)
            add_table(table, out);
    pthread_mutex_unlock(&store->tables_lock);
    add_files(store, out);
    out->memory_bytes = mem_budget_bytes(&store->budget);
    out->series_bytes = __atomic_load_n(&store->budget.series_bytes, __ATOMIC_RELAXED);
    out->appends = __atomic_load_n(&store->appends, __ATOMIC_RELAXED);
    out->records = __atomic_load_n(&store->records, __ATOMIC_RELAXED);
    out->duplicates = __atomic_load_n(&store->duplicates, __ATOMIC_RELAXED);
    out->rejected = __atomic_load_n(&store->rejected, __ATOMIC_RELAXED);
    struct magstore_cache_stats cache;
    magstore_cache_stats(store->cache, &cache);
    out->cache_bytes = cache.bytes;
    out->cache_hits = cache.hits;
    out->cache_misses = cache.misses;
    struct wal_stats wal;
    wal_stats(store->wal, &wal);
    out->log_bytes = wal.bytes;
    out->syncs = wal.syncs;
    out->sync_ns_total = wal.sync_ns_total;
    out->sync_ns_max = wal.sync_ns_max;
    out->commits = wal.frames;
    out->durable_lsn = wal_durable_lsn(store->wal);
    out->last_lsn = wal_last_lsn(store->wal);
}
