/* store/flush.c - memory into files, and the log made shorter by it (a checkpoint).
 *
 *   1. a snapshot gives the LSN F, all of whose rows are durable
 *   2. each table's rows up to F are copied into new segments, and names that no file has into a file of
 * names
 *   3. the log is flushed: names may stem from entries younger than F, and must not be durable before them
 *   4. the manifest names the new files and says that the log is needed from F + 1 on
 *   5. the new view is installed; when every older snapshot has closed, memory lets go of the rows up to F
 *   6. the log is trimmed
 *
 * A crash before 4 leaves files that nobody names, which the next start removes, and the log as it was; one
 * after it leaves a log with entries that the start passes over. In between rows are in memory and in files
 * at once, which does no harm: a scan takes the one in memory.
 */
#include "store/flush.h"

#include "base/log.h"
#include "seal/seal.h"
#include "store/names.h"

int flush_note_file(struct flush *flush, const struct magstore_file *file)
{
    if (mr_grow((void **)&flush->add, &flush->add_cap, flush->nadd + 1, sizeof *flush->add) != MR_OK) {
        files_discard(flush->store, file->kind, file->number);
        return MR_ENOMEM;
    }
    flush->add[flush->nadd++] = *file;
    return MR_OK;
}

/* ---- names
 * ----------------------------------------------------------------------------------------------------- */

/* Files of names that a rewrite would replace: all of the table's, when the small ones have become many, or
 * when one is under an old key. */
static int replace_names(struct flush *flush, const struct store_table *table, bool *all)
{
    bool outdated = false;
    enum { MANY = 8 };
    struct magstore_file *files;
    size_t n, names = 0;
    if (files_list(flush->store, table->id, &files, &n) != MR_OK)
        return MR_ENOMEM;
    uint64_t bytes = 0, largest = 0;
    for (size_t i = 0; i < n; i++) {
        if (files[i].kind != MAGSTORE_NAMES)
            continue;
        bytes += files[i].size;
        largest = files[i].size > largest ? files[i].size : largest;
        outdated = outdated || keys_outdated(flush->store, &files[i]);
        files[names++] = files[i];
    }
    *all = names >= MANY && bytes >= largest + largest / 2;
    *all = *all || names >= 8 * MANY || outdated;
    int rc = MR_OK;
    if (*all)
        rc = mr_grow((void **)&flush->remove, &flush->remove_cap, flush->nremove + names,
                     sizeof *flush->remove);
    if (*all && rc == MR_OK) {
        memcpy(flush->remove + flush->nremove, files, names * sizeof *files);
        flush->nremove += names;
    }
    mr_free(files);
    return rc;
}

int flush_names(struct flush *flush, struct store_table *table, struct flushed_table *out)
{
    struct store *store = flush->store;
    struct magstore_file file;
    bool all = false;
    int rc = replace_names(flush, table, &all);
    if (rc != MR_OK)
        return rc;
    uint64_t number = files_number(store);
    rc = names_write(&store->io, store->files_dir, store->keyring, table->database_id, table->id, number,
                     table->mem, all ? 0 : table->named_columns, all ? 0 : table->named_measures,
                     all ? 0 : table->named_series, &file, &out->end_columns, &out->end_measures,
                     &out->end_series, flush->err);
    return rc == MR_OK ? flush_note_file(flush, &file) : rc;
}

static bool has_old_names(struct store_table *table)
{
    struct magstore_file *files;
    size_t n;
    bool old = false;
    if (files_list(table->store, table->id, &files, &n) != MR_OK)
        return false; /* the next flush sees to it */
    for (size_t i = 0; i < n; i++)
        old = old || (files[i].kind == MAGSTORE_NAMES && keys_outdated(table->store, &files[i]));
    mr_free(files);
    return old;
}

static bool has_new_names(struct store_table *table)
{
    struct mem_schema schema;
    struct mem_counts counts;
    mem_read_lock(table->mem);
    mem_schema_view(table->mem, &schema);
    mem_counts(table->mem, &counts);
    mem_read_unlock(table->mem);
    return schema.ncolumns > table->named_columns || schema.nmeasures > table->named_measures ||
           counts.next_series > table->named_series;
}

/* ---- one table
 * ------------------------------------------------------------------------------------------------- */

static int flush_table(struct store_table *table, void *ctx)
{
    struct flush *flush = ctx;
    uint64_t rows = 0;
    if (table_is_gone(flush->store, table->id))
        return MR_OK;
    /* A table whose key is not at hand keeps its rows, and the log what they are made of. */
    if (table_waits(table) || seal_keyring_usable(flush->store->keyring, table->database_id, NULL) != MR_OK) {
        flush->keep_log = true;
        return MR_OK;
    }
    if (table->damage.status != MR_OK)
        return MR_OK;
    int rc = mr_grow((void **)&flush->tables, &flush->tables_cap, flush->ntables + 1, sizeof *flush->tables);
    if (rc == MR_OK)
        rc = flush_rows(flush, table, &rows);
    if (rc != MR_OK)
        return rc;
    struct flushed_table done = {table, rows != 0, table->named_columns, table->named_measures,
                                 table->named_series};
    bool names = has_new_names(table) || has_old_names(table);
    if (names)
        rc = flush_names(flush, table, &done);
    if (rc != MR_OK || (!names && rows == 0))
        return rc;
    if (!table_pin(table))
        MR_ASSERT(false); /* the caller holds a pin */
    flush->tables[flush->ntables++] = done;
    flush->rows += rows;
    return MR_OK;
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------- */

static void flush_release(struct flush *flush)
{
    for (size_t i = 0; i < flush->nfresh; i++)
        segment_unref(flush->fresh[i]);
    for (size_t i = 0; i < flush->ntables; i++)
        table_unpin(flush->tables[i].table);
    mr_free(flush->add);
    mr_free(flush->remove);
    mr_free(flush->fresh);
    mr_free(flush->tables);
}

static int commit(struct flush *flush, uint64_t *flushes)
{
    struct store *store = flush->store;
    wal_flush(store->wal);
    struct store_change change = {.add = flush->add,
                                  .nadd = flush->nadd,
                                  .fresh = flush->fresh,
                                  .nfresh = flush->nfresh,
                                  .remove = flush->remove,
                                  .nremove = flush->nremove,
                                  .wal_low = flush->keep_log ? 0 : flush->lsn,
                                  .flushed = true};
    int rc = files_commit(store, &change, flushes, flush->err);
    for (size_t i = 0; i < flush->nadd && rc != MR_OK; i++)
        files_discard(store, flush->add[i].kind, flush->add[i].number);
    for (size_t i = 0; i < flush->ntables && rc == MR_OK; i++) {
        struct flushed_table *done = &flush->tables[i];
        done->table->named_columns = done->end_columns;
        done->table->named_measures = done->end_measures;
        done->table->named_series = done->end_series;
    }
    return rc;
}

/* Rows out of memory, entries out of the log. */
static int let_go(struct flush *flush, uint64_t flushes)
{
    struct store *store = flush->store;
    /* Not all have closed when the store closes or nobody waits; the next flush copies the rows once more. */
    bool all = snapshot_wait(store, flushes);
    for (size_t i = 0; all && i < flush->ntables; i++)
        if (flush->tables[i].rows)
            mem_release(flush->tables[i].table->mem, flush->lsn);
    int rc = files_settle(store, false, flush->err); /* now either manifest does without the log up to F */
    if (rc == MR_OK && !flush->keep_log)
        rc = wal_trim(store->wal, holds_log(store, flush->lsn), flush->err);
    return rc;
}

static int flush_locked(struct store *store, struct mr_error *err)
{
    struct flush flush = {
        .store = store, .err = err, .keep_log = __atomic_load_n(&store->keep_log, __ATOMIC_RELAXED)};
    struct store_snapshot *snapshot;
    uint64_t flushes = 0;
    int64_t began = mr_clock_mono(store->clock);
    if (store_snapshot_open(store, &snapshot) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "no memory for a flush");
    __atomic_store_n(&store->log_since, 0, __ATOMIC_RELAXED);
    flush.lsn = snapshot->lsn;
    int rc = tables_each(store, flush_table, &flush);
    store_snapshot_close(snapshot);
    bool nothing = flush.ntables == 0 && flush.lsn == store->manifest.wal_low;
    if (rc == MR_OK && !nothing)
        rc = commit(&flush, &flushes);
    else
        for (size_t i = 0; i < flush.nadd; i++)
            files_discard(store, flush.add[i].kind, flush.add[i].number);
    if (rc == MR_OK && !nothing)
        rc = let_go(&flush, flushes);
    if (rc == MR_OK && !nothing) {
        int64_t took = mr_clock_mono(store->clock) - began;
        __atomic_fetch_add(&store->counters.flushes, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&store->counters.flush_rows, flush.rows, __ATOMIC_RELAXED);
        __atomic_fetch_add(&store->counters.flush_ns, (uint64_t)took, __ATOMIC_RELAXED);
        mr_log(MR_LOG_INFO, "flushed", "lsn=%llu rows=%llu files=%zu ms=%lld", (unsigned long long)flush.lsn,
               (unsigned long long)flush.rows, flush.nadd, (long long)(took / MR_NS_PER_MS));
    }
    flush_release(&flush);
    return rc == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)rc, "cannot flush");
}

int store_flush(struct store *store, struct mr_error *err)
{
    pthread_mutex_lock(&store->flush_lock);
    __atomic_store_n(&store->flushing, true, __ATOMIC_RELAXED);
    int rc = flush_locked(store, err);
    __atomic_store_n(&store->flushing, false, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&store->flush_lock);
    if (rc == MR_OK)
        keeper_compact_soon(store);
    return rc;
}
