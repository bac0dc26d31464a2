/* store/scan.c - a scan chooses its series once, then cursors take them one by one and copy rows out.
 *
 * A table's rows come from an ordered list of sources, newest first. Today it has one entry, the memory
 * store, and a batch of it passes through as it is. What a second source has to honour: rows of a series
 * ascending by time, the state as of an LSN, and the higher version winning where two sources hold the same
 * row.
 */
#include "store/private.h"

_Static_assert(STORE_PRED_IN == (int)MEM_PRED_IN && STORE_PRED_NOT_NULL == (int)MEM_PRED_NOT_NULL,
               "predicates have one numbering");
_Static_assert(STORE_BATCH_ROWS == MEM_BATCH_ROWS, "a batch passes through");

struct store_scan {
    struct store_table *table;
    uint64_t lsn;
    int64_t time_min, time_max;
    uint32_t *columns;
    size_t ncolumns;
    uint32_t *series;
    size_t nseries, series_cap;
    size_t next; /* atomic: first series not taken by a cursor */
    size_t done; /* atomic */
    uint64_t series_total, rows_estimate;
};

struct store_cursor {
    struct store_scan *scan;
    struct mem_cursor *mem;
    struct store_vec *vecs;
    bool active; /* a series is being read */
    uint32_t series;
    int64_t from;
};

static int open_select(struct store_scan *scan, const struct store_scan_spec *spec, struct mem_select **out)
{
    struct mem_table *mem = scan->table->mem;
    struct mem_pred *preds = mr_calloc(spec->npreds + 1, sizeof *preds);
    if (preds == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < spec->npreds; i++)
        preds[i] = (struct mem_pred){spec->preds[i].column, (enum mem_pred_op)spec->preds[i].op,
                                     spec->preds[i].values, spec->preds[i].nvalues};
    struct mem_counts counts;
    struct mem_schema schema;
    mem_read_lock(mem);
    int rc = scan->table->dropped ? MR_ENOENT : MR_OK;
    mem_counts(mem, &counts);
    mem_schema_view(mem, &schema);
    for (size_t i = 0; i < spec->ncolumns && rc == MR_OK; i++)
        rc = spec->columns[i] < schema.ncolumns ? MR_OK : MR_EINVAL;
    if (rc == MR_OK)
        rc = mem_select_open(mem, preds, spec->npreds, spec->time_min, spec->time_max, out);
    mem_read_unlock(mem);
    scan->series_total = counts.series;
    mr_free(preds);
    return rc;
}

/* Collects the numbers of the series, letting writers in between the steps. */
static int choose_series(struct store_scan *scan, const struct store_scan_spec *spec)
{
    enum { ROOM = 4096 };
    struct mem_select *select = NULL;
    int rc = open_select(scan, spec, &select);
    for (bool more = true; rc == MR_OK && more;) {
        rc = mr_grow((void **)&scan->series, &scan->series_cap, scan->nseries + ROOM, sizeof *scan->series);
        if (rc != MR_OK)
            break;
        size_t found = 0;
        mem_read_lock(scan->table->mem);
        more = mem_select_step(select, scan->table->mem, scan->series + scan->nseries, ROOM, &found,
                               &scan->rows_estimate);
        mem_read_unlock(scan->table->mem);
        scan->nseries += found;
    }
    mem_select_close(select);
    return rc;
}

int store_scan_open(struct store_snapshot *snapshot, struct store_table *table,
                    const struct store_scan_spec *spec, struct store_scan **out, struct mr_error *err)
{
    if (!table_pin(table))
        return table_dropped(table, err);
    struct store_scan *scan = mr_calloc(1, sizeof *scan);
    if (scan == NULL) {
        table_unpin(table);
        return mr_error_set(err, MR_ENOMEM, "no memory for a scan");
    }
    scan->table = table;
    scan->lsn = snapshot->lsn;
    scan->time_min = spec->time_min;
    scan->time_max = spec->time_max;
    scan->ncolumns = spec->ncolumns;
    scan->columns = mr_calloc(spec->ncolumns, sizeof *scan->columns);
    int rc = MR_ENOMEM;
    if (scan->columns != NULL) {
        if (spec->ncolumns != 0)
            memcpy(scan->columns, spec->columns, spec->ncolumns * sizeof *scan->columns);
        rc = choose_series(scan, spec);
    }
    if (rc != MR_OK) {
        store_scan_close(scan);
        if (rc == MR_ENOENT)
            return table_dropped(table, err);
        return mr_error_set(err, (enum mr_status)rc, "cannot scan: %s", mr_status_name((enum mr_status)rc));
    }
    *out = scan;
    return MR_OK;
}

void store_scan_close(struct store_scan *scan)
{
    if (scan == NULL)
        return;
    table_unpin(scan->table);
    mr_free(scan->columns);
    mr_free(scan->series);
    mr_free(scan);
}

void store_scan_info(struct store_scan *scan, struct store_scan_info *out)
{
    *out = (struct store_scan_info){scan->series_total, scan->nseries,
                                    __atomic_load_n(&scan->done, __ATOMIC_RELAXED), scan->rows_estimate};
}

/* ---- cursor
 * ---------------------------------------------------------------------------------------------------- */

int store_cursor_open(struct store_scan *scan, struct store_cursor **out)
{
    struct store_cursor *cursor = mr_calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return MR_ENOMEM;
    cursor->scan = scan;
    cursor->vecs = mr_calloc(scan->ncolumns, sizeof *cursor->vecs);
    int rc = MR_ENOMEM;
    if (cursor->vecs != NULL) {
        mem_read_lock(scan->table->mem);
        rc = mem_cursor_open(scan->table->mem, scan->columns, scan->ncolumns, &cursor->mem);
        mem_read_unlock(scan->table->mem);
    }
    if (rc != MR_OK) {
        store_cursor_close(cursor);
        return rc;
    }
    *out = cursor;
    return MR_OK;
}

void store_cursor_close(struct store_cursor *cursor)
{
    if (cursor == NULL)
        return;
    mem_cursor_close(cursor->mem);
    mr_free(cursor->vecs);
    mr_free(cursor);
}

static bool take_series(struct store_cursor *cursor)
{
    struct store_scan *scan = cursor->scan;
    size_t at = __atomic_fetch_add(&scan->next, 1, __ATOMIC_RELAXED);
    if (at >= scan->nseries) {
        __atomic_store_n(&scan->next, scan->nseries, __ATOMIC_RELAXED); /* never wraps */
        return false;
    }
    cursor->active = true;
    cursor->series = scan->series[at];
    cursor->from = scan->time_min;
    return true;
}

/* Rows of the next series that has some, under a lock that is let go now and then. */
static int fill(struct store_cursor *cursor, size_t *rows)
{
    enum { CALLS = 64 }; /* of a fill under one lock; nearly all of them find nothing or end the loop */
    struct store_scan *scan = cursor->scan;
    struct mem_table *mem = scan->table->mem;
    int rc = MR_OK;
    *rows = 0;
    while (rc == MR_OK && *rows == 0) {
        mem_read_lock(mem);
        for (int call = 0; call < CALLS && rc == MR_OK && *rows == 0; call++) {
            if (!cursor->active && !take_series(cursor)) {
                mem_read_unlock(mem);
                return MR_OK;
            }
            bool more = false;
            rc = mem_cursor_fill(cursor->mem, mem, cursor->series, &cursor->from, scan->time_max, scan->lsn,
                                 rows, &more);
            cursor->active = more;
            if (!more)
                __atomic_fetch_add(&scan->done, 1, __ATOMIC_RELAXED);
            if (more && *rows == 0)
                break; /* that was a long look at rows too young */
        }
        mem_read_unlock(mem);
    }
    return rc;
}

int store_cursor_next(struct store_cursor *cursor, struct store_batch *out, struct mr_error *err)
{
    size_t rows;
    *out = (struct store_batch){0, cursor->vecs, 0};
    if (fill(cursor, &rows) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "no memory for a batch of a scan");
    const struct mem_vec *vecs = mem_cursor_vecs(cursor->mem);
    for (size_t i = 0; i < cursor->scan->ncolumns && rows != 0; i++)
        cursor->vecs[i] = (struct store_vec){(enum store_type)vecs[i].type, vecs[i].constant, vecs[i].values,
                                             vecs[i].valid};
    out->rows = rows;
    out->bytes = rows != 0 ? mem_cursor_bytes(cursor->mem) : 0;
    return MR_OK;
}
