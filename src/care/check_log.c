/* care/check_log.c - the log as a start reads it: every frame, and every entry applied on top of the names.
 */
#include "care/check.h"
#include "store/entry.h"
#include "wal/read.h"

#define LOG "store/wal"

struct applying {
    struct check_table *table;
    uint64_t lsn;
    uint64_t rows;
};

static int on_column(void *ctx, uint32_t column, enum mem_role role, enum mem_type type, struct mr_str name)
{
    return mem_load_column(((struct applying *)ctx)->table->mem, column, role, type, name);
}

static int on_measure(void *ctx, uint32_t measure, enum mem_type type, struct mr_str name)
{
    return mem_load_measure(((struct applying *)ctx)->table->mem, measure, type, name);
}

static int on_series(void *ctx, uint32_t series, uint32_t measure, const struct mem_dim *dims, uint32_t ndims)
{
    return mem_load_series(((struct applying *)ctx)->table->mem, series, measure, dims, ndims);
}

static int on_row(void *ctx, const struct mem_row *row)
{
    struct applying *a = ctx;
    a->rows++;
    return mem_load_row(a->table->mem, row, a->lsn);
}

static int apply(struct check *check, struct check_table *table, struct mr_cursor *c, uint64_t lsn,
                 const char **why)
{
    struct applying a = {table, lsn, 0};
    const struct entry_sink sink = {&a, on_column, on_measure, on_series, on_row};
    if (table->mem == NULL && mem_table_open(&check->budget, &table->mem) != MR_OK)
        return MR_ENOMEM;
    mem_write_lock(table->mem);
    int status = entry_read_append(c, &sink, why);
    mem_write_unlock(table->mem);
    check->counts->log_rows += a.rows;
    return status;
}

static int on_entry(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    struct check *check = ctx;
    struct mr_cursor c = mr_cursor_of(entry.ptr, entry.len);
    struct entry_head head;
    const char *why = "";
    int status = entry_read_head(&c, &head, &why);
    check->counts->log_entries++;
    if (status == MR_OK && check->manifest_known && lsn <= check->manifest.wal_low && head.kind != ENTRY_DROP)
        return MR_OK; /* in files */
    struct check_table *t =
        status == MR_OK ? care_check_store_table(check, head.database_id, head.table_id, LOG) : NULL;
    if (status == MR_OK && t == NULL)
        status = MR_ENOMEM;
    if (status == MR_OK && head.kind == ENTRY_DROP) {
        t->dropped = true;
    } else if (status == MR_OK && !t->dropped && !t->broken && !t->closed && t->misfit_lsn == 0) {
        status = apply(check, t, &c, lsn, &why);
        if (status == MR_EINVAL) { /* or of a table whose drop follows */
            t->misfit_lsn = lsn;
            t->misfit = why;
            status = MR_OK;
        }
    }
    if (status == MR_EINVAL)
        return mr_error_set(err, MR_ECORRUPT, "entry %llu of the log is damaged: %s", (unsigned long long)lsn,
                            why);
    if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "out of memory checking the log");
    return care_check_step(check, LOG, 0, err);
}

int care_check_log(struct check *check, struct mr_error *err)
{
    struct wal_recovery recovery = {.count = 0};
    struct mr_error local = MR_ERROR_INIT;
    const char *dir = care_check_path(check, LOG);
    if (dir == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory checking");
    if (check->keyring == NULL) {
        care_check_found(check, CARE_UNCHECKED, LOG, NULL, "its key is not at hand");
        return MR_OK;
    }
    uint64_t need = check->manifest_known ? check->manifest.wal_low + 1 : 0;
    int status = wal_recover(check->io, dir, check->keyring, need, on_entry, check, &recovery, &local);
    check->counts->log_segments = recovery.count;
    check->counts->next_lsn = recovery.next_lsn;
    wal_recovery_release(&recovery);
    if (status == MR_ECORRUPT || status == MR_ENOENT) {
        care_check_found(check, CARE_DAMAGE, LOG, NULL, local.text);
        return MR_OK;
    }
    return status == MR_OK ? MR_OK : (int)mr_error_set(err, (enum mr_status)status, "%s", local.text);
}
