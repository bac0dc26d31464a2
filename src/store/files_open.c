/* store/files_open.c - what a start does with the files: the newest manifest, then names, then segments.
 *
 * Files whose key is not at hand wait for it, and so do those that the disk does not give (keys.c). A damaged
 * segment costs the queries that need it. Damaged names cost their table: it answers MR_ECORRUPT, its entries
 * stay in the log (keep_log), the other tables go on.
 */
#include "store/private.h"

#include "base/log.h"
#include "store/names.h"

#include <errno.h>

/* The newest time any segment of the table may hold. */
static int64_t newest_time(struct store *store, uint64_t table)
{
    const struct magstore_manifest *m = &store->manifest;
    int64_t newest = INT64_MIN;
    pthread_mutex_lock(&store->commit_lock);
    for (size_t i = 0; i < m->nfiles; i++)
        if (m->files[i].table == table && m->files[i].kind == MAGSTORE_SEGMENT &&
            m->files[i].time_max > newest)
            newest = m->files[i].time_max;
    pthread_mutex_unlock(&store->commit_lock);
    return newest;
}

int files_read_names(struct store *store, struct store_table *table, const struct magstore_file *file,
                     struct mr_error *err)
{
    if (table->damage.status != MR_OK)
        return MR_OK;
    int rc = names_read(&store->io, store->files_dir, store->keyring, file, table->mem,
                        newest_time(store, file->table), &table->damage);
    if (rc == MR_ENOMEM)
        return mr_error_set(err, MR_ENOMEM, "no memory to read names");
    if (rc != MR_OK) {
        mr_log(MR_LOG_ERROR, rc == MR_EIO ? "names_unread" : "names_damaged",
               "table=%llu file=%llu text=\"%s\"", (unsigned long long)file->table,
               (unsigned long long)file->number, table->damage.text);
        if (rc != MR_EIO)
            __atomic_store_n(&store->keep_log, true, __ATOMIC_RELAXED);
        return MR_OK;
    }
    struct mem_schema schema;
    struct mem_counts counts;
    mem_read_lock(table->mem);
    mem_schema_view(table->mem, &schema);
    mem_counts(table->mem, &counts);
    mem_read_unlock(table->mem);
    table->named_columns = schema.ncolumns;
    table->named_measures = schema.nmeasures;
    table->named_series = counts.next_series;
    return MR_OK;
}

static int read_names(struct store *store, const struct magstore_file *file, struct mr_error *err)
{
    struct store_table *table;
    if (table_find_or_make(store, file->database, file->table, &table) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "no memory for a table");
    if (table_is_gone(store, file->table) || keys_must_wait(store, table))
        return MR_OK;
    int rc = files_read_names(store, table, file, err);
    if (rc == MR_OK && table->damage.status == MR_EIO)
        rc = keys_wait_for_disk(table);
    return rc == MR_OK ? MR_OK : (int)mr_error_set(err, MR_ENOMEM, "no memory for a table");
}

static int open_segments(struct store *store, struct store_segment **fresh, size_t *nfresh,
                         struct mr_error *err)
{
    const struct magstore_manifest *m = &store->manifest;
    for (size_t i = 0; i < m->nfiles; i++) {
        if (m->files[i].kind == MAGSTORE_NAMES) {
            int rc = read_names(store, &m->files[i], err);
            if (rc != MR_OK)
                return rc;
            continue;
        }
        if (segment_open(&store->io, store->files_dir, store->keyring, store->cache, &m->files[i],
                         &fresh[*nfresh]) != MR_OK)
            return mr_error_set(err, MR_ENOMEM, "no memory to open a segment");
        store->unread = store->unread || fresh[*nfresh]->unread;
        ++*nfresh;
    }
    return MR_OK;
}

int files_open(struct store *store, struct mr_error *err)
{
    size_t removed, nfresh = 0;
    struct store_view *view;
    int rc = magstore_manifest_load(&store->io, store->files_dir, &store->manifest, err);
    if (rc == MR_OK)
        rc = magstore_manifest_clean(&store->io, store->files_dir, UINT64_MAX, &removed, err);
    if (rc == MR_OK)
        rc = files_bury_leftover(store, err);
    if (rc != MR_OK)
        return rc;
    if (store->manifest.fell_back)
        mr_log(MR_LOG_WARN, "manifest_fell_back", "generation=%llu newest=%llu",
               (unsigned long long)store->manifest.generation, (unsigned long long)store->manifest.highest);
    struct store_segment **fresh = mr_calloc(store->manifest.nfiles, sizeof(struct store_segment *));
    if (fresh == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory to open the files");
    rc = open_segments(store, fresh, &nfresh, err);
    if (rc == MR_OK && view_make(&store->manifest, NULL, fresh, nfresh, &view) != MR_OK)
        rc = mr_error_set(err, MR_ENOMEM, "no memory to open the files");
    if (rc == MR_OK)
        snapshot_install(store, view, false);
    files_keep_ballast(store);
    for (size_t i = 0; i < nfresh; i++)
        segment_unref(fresh[i]);
    mr_free(fresh);
    return rc;
}

void files_close(struct store *store)
{
    view_unref(store->view);
    magstore_manifest_release(&store->manifest);
    mr_free(store->graves);
    mr_free(store->files_dir);
}
