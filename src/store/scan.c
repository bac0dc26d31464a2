/* store/scan.c - a scan chooses its series once, then cursors take them a few at a time and copy rows out.
 *
 * The index of series is in memory for all rows, those in files too, so predicates on names are answered
 * before any file is touched. Rows then come from two sides, memory and the segments of the snapshot's view;
 * scan_rows.h joins them.
 */
#include "store/filter.h"
#include "store/scan_runs.h"
#include "store/scan_rows.h"

#include <limits.h>

_Static_assert(STORE_PRED_IN == (int)MEM_PRED_IN && STORE_PRED_NOT_NULL == (int)MEM_PRED_NOT_NULL,
               "predicates have one numbering");
_Static_assert(STORE_BATCH_ROWS == MEM_BATCH_ROWS, "a batch passes through");

/* Batches read at most before a caller may look around. */
enum { BATCHES_A_CALL = 64 };

struct store_scan {
    const struct store_snapshot *snapshot;
    struct rows_spec rows;
    size_t ncolumns; /* handed out; behind them those that only filters look at */
    uint32_t *columns;
    struct mem_column *kinds;
    struct store_filter *filters;
    size_t *filtered; /* of each filter: its column among the scan's */
    size_t nfilters;
    struct magstore_filter *block_filters;
    uint32_t *series;
    size_t nseries, series_cap;
    size_t next;           /* atomic: first series not taken by a cursor */
    size_t done;           /* atomic */
    bool newest;           /* only the last row of each series matters */
    size_t stride;         /* series a cursor takes at once: neighbours share blocks of segments */
    struct scan_runs runs; /* of series taken together; none: a stride of them is */
    uint64_t series_total, rows_estimate;
};

struct store_cursor {
    struct store_scan *scan;
    struct rows_stream *rows;
    struct store_vec *vecs;
    struct filter_room *rooms; /* one a column; NULL without filters */
    uint8_t *pass;             /* STORE_BATCH_ROWS; likewise */
    uint16_t *kept;
    bool active;    /* a series is being read */
    size_t at, end; /* of the scan's series: taken and not begun */
};

static int open_select(struct store_scan *scan, const struct store_scan_spec *spec, struct mem_select **out)
{
    struct mem_table *mem = scan->rows.table->mem;
    struct mem_pred *preds = mr_calloc(spec->npreds + 1, sizeof *preds);
    if (preds == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < spec->npreds; i++)
        preds[i] = (struct mem_pred){spec->preds[i].column, (enum mem_pred_op)spec->preds[i].op,
                                     spec->preds[i].values, spec->preds[i].nvalues};
    struct mem_counts counts;
    struct mem_schema schema;
    mem_read_lock(mem);
    int rc = scan->rows.table->dropped ? MR_ENOENT : MR_OK;
    mem_counts(mem, &counts);
    mem_schema_view(mem, &schema);
    for (size_t i = 0; i < scan->rows.ncolumns && rc == MR_OK; i++) {
        rc = scan->columns[i] < schema.ncolumns ? MR_OK : MR_EINVAL;
        if (rc == MR_OK)
            scan->kinds[i] = schema.columns[scan->columns[i]];
    }
    for (size_t i = 0; i < scan->nfilters && rc == MR_OK; i++) {
        const struct mem_column *kind = &scan->kinds[scan->filtered[i]];
        bool value = kind->role == MEM_MEASURE_VALUE || kind->role == MEM_ATTRIBUTE;
        rc = value && filter_fits(&scan->filters[i], (enum store_type)kind->type) ? MR_OK : MR_EINVAL;
    }
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
        mem_read_lock(scan->rows.table->mem);
        more = mem_select_step(select, scan->rows.table->mem, scan->series + scan->nseries, ROOM, &found,
                               &scan->rows_estimate);
        mem_read_unlock(scan->rows.table->mem);
        scan->nseries += found;
    }
    mem_select_close(select);
    return rc;
}

/* Segments that may hold rows within the scan's time. */
static int choose_segments(struct store_scan *scan, const struct store_view *view, struct mr_error *err)
{
    struct rows_spec *r = &scan->rows;
    uint64_t rows = 0;
    r->readers = mr_calloc(view_count(view, r->table->id), sizeof(struct magstore_reader *));
    if (r->readers == NULL)
        return MR_ENOMEM;
    int rc = view_readers(view, r->table->id, r->time_min, r->time_max, r->readers, &r->nreaders, &rows, err);
    if (scan->series_total != 0)
        scan->rows_estimate += (uint64_t)((double)rows * (double)scan->nseries / (double)scan->series_total);
    return rc;
}

static size_t stride_of(const struct store_scan *scan)
{
    enum { MOST = 64, SHARES = 16 };
    size_t stride = scan->rows.nreaders != 0 ? scan->nseries / SHARES : 1;
    return stride < 1 ? 1 : stride > MOST ? MOST : stride;
}

/* The columns asked for, then those of filters that are not among them. */
static int set_columns(struct store_scan *scan, const struct store_scan_spec *spec)
{
    size_t most = spec->ncolumns + spec->nfilters;
    scan->columns = mr_calloc(most, sizeof *scan->columns);
    scan->kinds = mr_calloc(most, sizeof *scan->kinds);
    scan->filters = mr_calloc(spec->nfilters, sizeof *scan->filters);
    scan->filtered = mr_calloc(spec->nfilters, sizeof *scan->filtered);
    scan->block_filters = mr_calloc(spec->nfilters, sizeof *scan->block_filters);
    if (scan->columns == NULL || scan->kinds == NULL || scan->filters == NULL || scan->filtered == NULL ||
        scan->block_filters == NULL)
        return MR_ENOMEM;
    if (spec->ncolumns != 0)
        memcpy(scan->columns, spec->columns, spec->ncolumns * sizeof *scan->columns);
    size_t n = scan->ncolumns = spec->ncolumns;
    for (; scan->nfilters < spec->nfilters; scan->nfilters++) {
        const struct store_filter *f = &spec->filters[scan->nfilters];
        size_t at = 0;
        while (at < n && scan->columns[at] != f->column)
            at++;
        if (at == n)
            scan->columns[n++] = f->column;
        scan->filtered[scan->nfilters] = at;
        scan->filters[scan->nfilters] = *f;
        scan->block_filters[scan->nfilters] = filter_of_blocks(f);
    }
    scan->rows.columns = scan->columns;
    scan->rows.kinds = scan->kinds;
    scan->rows.ncolumns = n;
    scan->rows.filters = scan->block_filters;
    scan->rows.nfilters = scan->nfilters;
    return MR_OK;
}

static int set_up(struct store_scan *scan, const struct store_snapshot *snapshot,
                  const struct store_scan_spec *spec, struct mr_error *err)
{
    int rc = set_columns(scan, spec);
    if (rc == MR_OK)
        rc = choose_series(scan, spec);
    if (rc == MR_OK)
        rc = choose_segments(scan, snapshot->view, err);
    scan->stride = stride_of(scan);
    return rc;
}

int store_scan_open(struct store_snapshot *snapshot, struct store_table *table,
                    const struct store_scan_spec *spec, struct store_scan **out, struct mr_error *err)
{
    int usable = store_database_usable(snapshot->store, table->database_id, err);
    if (usable != MR_OK)
        return usable;
    if (!table_pin(table))
        return table_dropped(table, err);
    struct store_scan *scan = mr_calloc(1, sizeof *scan);
    if (scan == NULL) {
        table_unpin(table);
        return mr_error_set(err, MR_ENOMEM, "no memory for a scan");
    }
    scan->snapshot = snapshot;
    scan->rows = (struct rows_spec){
        .table = table, .lsn = snapshot->lsn, .time_min = spec->time_min, .time_max = spec->time_max};
    int rc = set_up(scan, snapshot, spec, err);
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
    table_unpin(scan->rows.table);
    mr_free(scan->rows.readers);
    mr_free(scan->columns);
    mr_free(scan->kinds);
    mr_free(scan->filters);
    mr_free(scan->filtered);
    mr_free(scan->block_filters);
    mr_free(scan->series);
    mr_free(scan->runs.ends);
    mr_free(scan);
}

void store_scan_newest(struct store_scan *scan)
{
    MR_ASSERT(scan->nfilters == 0); /* the newest row may not pass */
    scan->newest = true;
}

bool store_scan_together(struct store_scan *scan, const uint32_t *keys, size_t nkeys)
{
    return scan_runs_find(scan->rows.table->mem, scan->series, scan->nseries, keys, nkeys, &scan->runs);
}

void store_scan_info(struct store_scan *scan, struct store_scan_info *out)
{
    enum { TO_NEWEST = 64 }; /* rows whose reading takes as long as looking for the newest one */
    uint64_t most = (uint64_t)scan->nseries * TO_NEWEST;
    *out = (struct store_scan_info){scan->series_total, scan->nseries,
                                    __atomic_load_n(&scan->done, __ATOMIC_RELAXED),
                                    scan->newest && most < scan->rows_estimate ? most : scan->rows_estimate};
}

int64_t store_scan_last(struct store_scan *scan)
{
    enum { STEP = 1024 }; /* series a hold of the lock */
    const struct rows_spec *r = &scan->rows;
    int64_t last = INT64_MIN, time;
    for (size_t i = 0; i < r->nreaders; i++) {
        int64_t most = magstore_reader_info(r->readers[i])->time_max;
        most = most < r->time_max ? most : r->time_max;
        last = most > last ? most : last;
    }
    for (size_t i = 0; i < scan->nseries;) {
        mem_read_lock(r->table->mem);
        for (size_t end = i + STEP; i < scan->nseries && i < end; i++)
            if (mem_newest(r->table->mem, scan->series[i], last > r->time_min ? last : r->time_min,
                           r->time_max, r->lsn, &time))
                last = time;
        mem_read_unlock(r->table->mem);
    }
    return scan->nseries != 0 ? last : INT64_MIN;
}

/* ---- cursor
 * ---------------------------------------------------------------------------------------------------- */

int store_cursor_open(struct store_scan *scan, struct store_cursor **out)
{
    struct store_cursor *cursor = mr_calloc(1, sizeof *cursor);
    if (cursor == NULL)
        return MR_ENOMEM;
    cursor->scan = scan;
    cursor->vecs = mr_calloc(scan->rows.ncolumns, sizeof *cursor->vecs);
    int rc = cursor->vecs != NULL ? rows_open(&scan->rows, &cursor->rows) : MR_ENOMEM;
    if (rc == MR_OK && scan->nfilters != 0) {
        cursor->rooms = mr_calloc(scan->ncolumns, sizeof *cursor->rooms);
        cursor->pass = mr_malloc(STORE_BATCH_ROWS);
        cursor->kept = mr_malloc(STORE_BATCH_ROWS * sizeof *cursor->kept);
        rc = cursor->rooms != NULL && cursor->pass != NULL && cursor->kept != NULL ? MR_OK : MR_ENOMEM;
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
    rows_close(cursor->rows);
    for (size_t i = 0; cursor->rooms != NULL && i < cursor->scan->ncolumns; i++)
        filter_room_free(&cursor->rooms[i]);
    mr_free(cursor->rooms);
    mr_free(cursor->pass);
    mr_free(cursor->kept);
    mr_free(cursor->vecs);
    mr_free(cursor);
}

/* The next series that nobody has taken. False: there are none. */
static bool take_more(struct store_cursor *cursor)
{
    struct store_scan *scan = cursor->scan;
    bool runs = scan->runs.count != 0;
    size_t stride = runs ? 1 : scan->stride, end = runs ? scan->runs.count : scan->nseries;
    size_t at = __atomic_fetch_add(&scan->next, stride, __ATOMIC_RELAXED);
    if (at >= end) {
        __atomic_store_n(&scan->next, end, __ATOMIC_RELAXED); /* never wraps */
        return false;
    }
    cursor->at = at;
    cursor->end = end - at < stride ? end : at + stride;
    if (runs) {
        cursor->at = at != 0 ? scan->runs.ends[at - 1] : 0;
        cursor->end = scan->runs.ends[at];
    }
    return true;
}

/* Begins with the next series; *taken false: there is none. */
static int take_series(struct store_cursor *cursor, bool *taken, struct mr_error *err)
{
    struct store_scan *scan = cursor->scan;
    if (cursor->at == cursor->end && !take_more(cursor)) {
        *taken = false;
        return MR_OK;
    }
    uint32_t series = scan->series[cursor->at++];
    *taken = cursor->active = true;
    if (scan->newest)
        return rows_seek_newest(cursor->rows, series, err);
    rows_seek(cursor->rows, series, scan->rows.time_min);
    return MR_OK;
}

/* Leaves those of the rows at hand that pass. */
static int keep_passing(struct store_cursor *cursor, size_t *rows)
{
    const struct store_scan *scan = cursor->scan;
    size_t kept = 0;
    memset(cursor->pass, 1, *rows);
    for (size_t i = 0; i < scan->nfilters; i++)
        filter_rows(&scan->filters[i], &cursor->vecs[scan->filtered[i]], *rows, cursor->pass);
    for (size_t i = 0; i < *rows; i++) {
        cursor->kept[kept] = (uint16_t)i;
        kept += cursor->pass[i];
    }
    int rc = MR_OK;
    for (size_t i = 0; i < scan->ncolumns && kept != 0 && kept != *rows && rc == MR_OK; i++)
        rc = filter_pack(&cursor->rooms[i], &cursor->vecs[i], cursor->kept, kept);
    *rows = kept;
    return rc;
}

int store_cursor_next(struct store_cursor *cursor, struct store_batch *out, struct mr_error *err)
{
    size_t rows = 0;
    *out = (struct store_batch){.cols = cursor->vecs};
    bool more = true;
    int left = cursor->scan->nfilters != 0 ? BATCHES_A_CALL : INT_MAX;
    for (; rows == 0 && more && left != 0 && !out->run_ended; left--) {
        int rc = cursor->active ? MR_OK : take_series(cursor, &more, err);
        if (rc == MR_OK && more)
            rc = rows_next(cursor->rows, cursor->vecs, &rows, err);
        if (rc != MR_OK)
            return mr_error_set(err, (enum mr_status)rc, "cannot read the rows of a scan: %s",
                                mr_status_name((enum mr_status)rc));
        if (rows == 0 && more) {
            cursor->active = false;
            out->run_ended = cursor->scan->runs.count != 0 && cursor->at == cursor->end;
            __atomic_fetch_add(&cursor->scan->done, 1, __ATOMIC_RELAXED);
        }
        if (rows != 0 && cursor->scan->nfilters != 0)
            rc = keep_passing(cursor, &rows);
        if (rc != MR_OK)
            return mr_error_set(err, MR_ENOMEM, "no memory for the rows of a scan");
    }
    /* Asked after the rows were gathered: what was read before the flag was set is whole. */
    if (__atomic_load_n(&cursor->scan->snapshot->overtaken, __ATOMIC_ACQUIRE))
        return mr_error_set(
            err, MR_ELIMIT,
            "the query was idle or running while its data left memory, for more than %d seconds; "
            "run it again",
            SNAPSHOT_PATIENCE_S);
    out->rows = rows;
    out->more = more && rows == 0;
    out->bytes = rows_bytes(cursor->rows);
    return MR_OK;
}
