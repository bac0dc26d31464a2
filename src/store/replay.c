/* store/replay.c - from the log back into memory. What was accepted once is applied in the same order without
 * being judged again, so the result does not depend on rows that were expired in between. */
#include "store/private.h"

#include "store/entry.h"

struct replay {
    struct mem_table *table;
    uint64_t lsn;
};

static int on_column(void *ctx, uint32_t column, enum mem_role role, enum mem_type type, struct mr_str name)
{
    return mem_load_column(((struct replay *)ctx)->table, column, role, type, name);
}

static int on_measure(void *ctx, uint32_t measure, enum mem_type type, struct mr_str name)
{
    return mem_load_measure(((struct replay *)ctx)->table, measure, type, name);
}

static int on_series(void *ctx, uint32_t series, uint32_t measure, const struct mem_dim *dims, uint32_t ndims)
{
    return mem_load_series(((struct replay *)ctx)->table, series, measure, dims, ndims);
}

static int on_row(void *ctx, const struct mem_row *row)
{
    struct replay *replay = ctx;
    return mem_load_row(replay->table, row, replay->lsn);
}

int replay_append(struct store_table *table, struct mr_cursor *cursor, uint64_t lsn, const char **why)
{
    struct replay replay = {table->mem, lsn};
    struct entry_sink sink = {&replay, on_column, on_measure, on_series, on_row};
    mem_write_lock(table->mem);
    int rc = entry_read_append(cursor, &sink, why);
    mem_write_unlock(table->mem);
    return rc;
}

int store_replay(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    struct store *store = ctx;
    if (lsn <= store->manifest.wal_low)
        return MR_OK; /* in files */
    struct mr_cursor cursor = mr_cursor_of(entry.ptr, entry.len);
    struct entry_head head;
    struct store_table *table = NULL;
    const char *why = "";
    int rc = entry_read_head(&cursor, &head, &why);
    if (rc == MR_OK)
        rc = table_find_or_make(store, head.database_id, head.table_id, &table);
    if (rc == MR_OK && !table->dropped) {
        if (head.kind == ENTRY_APPEND) {
            /* The names of a table whose drop follows may be gone already; those that cannot be read keep
             * theirs. */
            if (table->misfit_lsn == 0 && table->damage.status == MR_OK)
                rc = table_waits(table) ? keys_keep_entry(table, lsn, entry)
                                        : replay_append(table, &cursor, lsn, &why);
            if (rc == MR_EINVAL) {
                table->misfit_lsn = lsn;
                table->misfit = why;
                rc = MR_OK;
            }
        } else {
            mr_buf_release(&table->pending);
            table->dropped = true;
            __atomic_store_n(&table->drop_lsn, lsn, __ATOMIC_RELEASE);
            table_forget(table);
        }
    }
    if (rc == MR_EINVAL)
        return mr_error_set(err, MR_ECORRUPT, "entry %llu of the log is damaged: %s", (unsigned long long)lsn,
                            why);
    return rc == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)rc, "no memory to read the log back");
}
