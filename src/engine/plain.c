/* engine/plain.c - runs a plan whose rows are the answer, without the embedded database.
 *
 * Batches of the store become result JSON as they lie. What is constant in a batch (dimensions, the measure
 * name) is written once, and its text copied with whatever stands between it and the next value that changes.
 */
#include "engine/crew.h"
#include "engine/scan.h"
#include "engine/text.h"
#include "json/write.h"

#include <stdlib.h>

enum { VALUE_MAX = TEXT_SCALAR_MAX + 32 };

/* Texts of the batch, and the value that follows each of them but the last. */
struct link {
    size_t from, len; /* in `fixed` */
    size_t column;    /* of the batch */
};

/* A row kept: when it is, and its text among `texts`. */
struct kept {
    int64_t time;
    size_t from, len;
};

struct plain {
    struct engine_run *run;
    const struct sql_rows *plan;
    struct scan *scan; /* counted; in the run's list */
    struct store_cursor *cursor;
    struct store_batch batch;
    size_t at; /* next row of the batch */
    uint64_t left, skip;
    struct mr_buf fixed;
    struct link *links; /* noutputs + 1 */
    size_t nlinks;
    struct text_day *days; /* one a column */
    /* the newest: */
    bool gathered;
    struct mr_buf texts;
    struct kept *kept;
    size_t nkept, kept_cap, next;
    int64_t least; /* rows at or before it cannot count any more */
    uint64_t charged;
};

/* ---- opening and closing ---- */

/* In place of the one before, for the plan's times within [from_time, to_time]. */
static int open_scan(struct plain *p, int64_t from_time, int64_t to_time, struct mr_error *err)
{
    struct engine_run *run = p->run;
    const struct sql_scan *from = &run->plan->scans[0];
    struct store_scan_spec spec;
    struct store_scan_info about;
    struct scan *scan = mr_calloc(1, sizeof(*scan));
    if (scan == NULL)
        return MR_ENOMEM;
    scan->run = run;
    scan->refs = 1;
    int status = scan_spec(from, &spec, err);
    if (status == MR_OK) {
        spec.columns = from->columns;
        spec.ncolumns = from->ncolumns;
        spec.time_min = from_time > spec.time_min ? from_time : spec.time_min;
        spec.time_max = to_time < spec.time_max ? to_time : spec.time_max;
        status = store_scan_open(run->snapshot, from->handle, &spec, &scan->store, err);
        scan_spec_free(&spec);
    }
    if (status != MR_OK) {
        mr_free(scan);
        return status;
    }
    scan_begun(scan, 0, &about);
    store_cursor_close(p->cursor);
    p->cursor = NULL;
    if (p->scan != NULL)
        scan_unref(p->scan);
    p->scan = scan;
    return store_cursor_open(scan->store, &p->cursor);
}

int plain_open(struct engine_run *run, struct mr_error *err)
{
    struct plain *p = mr_calloc(1, sizeof(*p));
    if (p == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    p->run = run;
    p->plan = run->plan->rows;
    p->left = p->plan->limit >= 0 ? (uint64_t)p->plan->limit : UINT64_MAX;
    p->skip = p->plan->newest ? 0 : (uint64_t)p->plan->offset;
    p->least = INT64_MIN;
    run->plain = p;
    p->links = mr_calloc(run->plan->noutputs + 1, sizeof(*p->links));
    p->days = mr_calloc(run->plan->scans[0].ncolumns + 1, sizeof(*p->days));
    int status = p->links != NULL && p->days != NULL ? open_scan(p, INT64_MIN, INT64_MAX, err) : MR_ENOMEM;
    return status == MR_ENOMEM ? mr_error_set(err, MR_ENOMEM, "out of memory") : status;
}

uint64_t plain_values(const struct plain *p)
{
    struct store_scan_info about;
    store_scan_info(p->scan->store, &about);
    return about.rows_estimate * (p->run->plan->scans[0].ncolumns + 1);
}

void plain_close(struct plain *p)
{
    if (p == NULL)
        return;
    atomic_fetch_sub(&p->run->engine->agg.used, p->charged);
    store_cursor_close(p->cursor);
    if (p->scan != NULL)
        scan_unref(p->scan);
    mr_buf_release(&p->texts);
    mr_free(p->kept);
    mr_buf_release(&p->fixed);
    mr_free(p->links);
    mr_free(p->days);
    mr_free(p);
}

/* ---- a batch ---- */

/* A value into a buffer that grows by itself. */
static void put_value(struct plain *p, size_t column, size_t row, struct mr_buf *out)
{
    const struct store_vec *vec = &p->batch.cols[column];
    enum sql_kind kind = p->run->plan->scans[0].kinds[column];
    if (vec->valid != NULL && !vec->valid[row]) {
        mr_buf_str(out, MR_STR("{\"NullValue\":true}"));
        return;
    }
    mr_buf_str(out, MR_STR("{\"ScalarValue\":\""));
    if (kind == SQL_VARCHAR) {
        json_write_escaped(out, ((const struct mr_str *)vec->values)[row]);
    } else {
        char *start = mr_buf_reserve(out, TEXT_SCALAR_MAX);
        if (start != NULL)
            out->len += (size_t)(row_put_scalar(start, kind, vec->values, row, &p->days[column]) - start);
    }
    mr_buf_str(out, MR_STR("\"}"));
}

/* Writes the texts between the values that change from row to row. */
static int lay_out(struct plain *p)
{
    size_t from = 0;
    p->fixed.len = 0;
    p->nlinks = 0;
    mr_buf_str(&p->fixed, MR_STR("{\"Data\":["));
    for (size_t i = 0; i < p->run->plan->noutputs; i++) {
        size_t column = p->plan->outputs[i];
        if (i > 0)
            mr_buf_char(&p->fixed, ',');
        if (p->batch.cols[column].constant) {
            put_value(p, column, 0, &p->fixed);
        } else {
            p->links[p->nlinks++] = (struct link){from, p->fixed.len - from, column};
            from = p->fixed.len;
        }
    }
    mr_buf_str(&p->fixed, MR_STR("]}"));
    p->links[p->nlinks++] = (struct link){from, p->fixed.len - from, 0};
    return mr_buf_ok(&p->fixed) ? MR_OK : MR_ENOMEM;
}

/* Until there is a row. MR_ENOENT at the end. */
static int next_batch(struct plain *p, struct mr_error *err)
{
    p->at = 0;
    do {
        if (run_stopped(p->run))
            return error_stopped(p->run, err);
        int status = store_cursor_next(p->cursor, &p->batch, err);
        if (status != MR_OK)
            return status;
        atomic_fetch_add_explicit(&p->run->bytes_scanned, p->batch.bytes, memory_order_relaxed);
        if (p->batch.rows != 0 && p->skip >= p->batch.rows) {
            p->skip -= p->batch.rows;
            p->batch.more = true;
            p->batch.rows = 0;
        }
    } while (p->batch.rows == 0 && p->batch.more);
    p->at = (size_t)p->skip;
    p->skip = 0;
    return p->batch.rows != 0 ? lay_out(p) : MR_ENOENT;
}

/* ---- a row ---- */

static void put_row(struct plain *p, size_t row, struct mr_buf *out)
{
    for (size_t i = 0; i < p->nlinks; i++) {
        const struct link *l = &p->links[i];
        enum sql_kind kind = p->run->plan->scans[0].kinds[l->column];
        char *start = mr_buf_reserve(out, l->len + VALUE_MAX);
        if (start == NULL)
            return;
        memcpy(start, p->fixed.ptr + l->from, l->len);
        out->len += l->len;
        if (i + 1 < p->nlinks && kind == SQL_VARCHAR) {
            put_value(p, l->column, row, out);
        } else if (i + 1 < p->nlinks) {
            static const char null[] = "{\"NullValue\":true}", head[] = "{\"ScalarValue\":\"";
            const struct store_vec *vec = &p->batch.cols[l->column];
            char *to = start + l->len;
            if (vec->valid != NULL && !vec->valid[row]) {
                memcpy(to, null, sizeof(null) - 1);
                out->len += sizeof(null) - 1;
                continue;
            }
            memcpy(to, head, sizeof(head) - 1);
            to = row_put_scalar(to + sizeof(head) - 1, kind, vec->values, row, &p->days[l->column]);
            *to++ = '"';
            *to++ = '}';
            out->len = (size_t)(to - out->ptr);
        }
    }
}

/* ---- the newest ---- */

static int by_falling_time(const void *a, const void *b)
{
    int64_t x = ((const struct kept *)a)->time, y = ((const struct kept *)b)->time;
    return (x < y) - (x > y);
}

/* Orders what is kept and lets go of all but the newest `wanted`. */
static int cut(struct plain *p, size_t wanted)
{
    struct mr_buf texts = MR_BUF_INIT;
    if (p->nkept != 0)
        qsort(p->kept, p->nkept, sizeof(*p->kept), by_falling_time);
    if (p->nkept > wanted)
        p->nkept = wanted;
    for (size_t i = 0; i < p->nkept; i++) {
        struct kept *k = &p->kept[i];
        mr_buf_str(&texts, (struct mr_str){p->texts.ptr + k->from, k->len});
        k->from = texts.len - k->len;
    }
    if (!mr_buf_ok(&texts)) {
        mr_buf_release(&texts);
        return MR_ENOMEM;
    }
    mr_buf_release(&p->texts);
    p->texts = texts;
    if (p->nkept == wanted && wanted != 0)
        p->least = p->kept[wanted - 1].time;
    return MR_OK;
}

/* What is kept counts against the memory of queries. */
static int charge(struct plain *p, struct mr_error *err)
{
    struct agg_budget *budget = &p->run->engine->agg;
    uint64_t bytes = p->texts.len + p->kept_cap * sizeof(*p->kept);
    uint64_t more = bytes > p->charged ? bytes - p->charged : 0;
    if (atomic_fetch_add(&budget->used, more) + more > budget->limit) {
        atomic_fetch_sub(&budget->used, more);
        return mr_error_set(err, MR_ELIMIT, "Query exceeded the memory limit of %llu bytes for all queries",
                            (unsigned long long)budget->limit);
    }
    p->charged += more;
    return MR_OK;
}

static int keep_batch(struct plain *p, size_t wanted, struct mr_error *err)
{
    const int64_t *times = p->batch.cols[p->plan->time].values;
    for (size_t i = p->batch.rows; i-- > 0 && times[i] > p->least;) { /* a series: from its end */
        size_t from = p->texts.len;
        if (mr_grow((void **)&p->kept, &p->kept_cap, p->nkept + 1, sizeof(*p->kept)) != MR_OK)
            return MR_ENOMEM;
        put_row(p, i, &p->texts);
        if (!mr_buf_ok(&p->texts))
            return MR_ENOMEM;
        p->kept[p->nkept++] = (struct kept){times[i], from, p->texts.len - from};
    }
    int status = charge(p, err);
    return status == MR_OK && p->nkept > 2 * wanted + STORE_BATCH_ROWS ? cut(p, wanted) : status;
}

/* Goes backwards in windows, each wider than the one before, until there are rows enough: all others are
 * older. */
static int gather(struct plain *p, size_t wanted, struct mr_error *err)
{
    enum { WIDER = 8 };
    const int64_t least = p->run->plan->scans[0].time_min;
    int64_t to = store_scan_last(p->scan->store), width = 60 * MR_NS_PER_S;
    int status = MR_OK;
    while (status == MR_OK && to != INT64_MIN && to >= least && p->nkept < wanted) {
        int64_t from;
        if (__builtin_sub_overflow(to, width - 1, &from) || from < least)
            from = least;
        status = open_scan(p, from, to, err);
        while (status == MR_OK && (status = next_batch(p, err)) == MR_OK)
            status = keep_batch(p, wanted, err);
        if (status == MR_ENOENT)
            status = MR_OK;
        if (from == least)
            break;
        to = from - 1;
        if (__builtin_mul_overflow(width, WIDER, &width))
            width = INT64_MAX;
    }
    return status == MR_OK ? cut(p, wanted) : status;
}

static int newest_row(struct plain *p, struct mr_buf *out, struct mr_error *err)
{
    if (!p->gathered) {
        int status = gather(p, (size_t)(p->plan->limit + p->plan->offset), err);
        if (status != MR_OK)
            return status == MR_ENOMEM ? mr_error_set(err, MR_ENOMEM, "out of memory") : status;
        p->gathered = true;
        p->next = (size_t)p->plan->offset;
    }
    if (p->next >= p->nkept)
        return MR_ENOENT;
    const struct kept *k = &p->kept[p->next++];
    mr_buf_str(out, (struct mr_str){p->texts.ptr + k->from, k->len});
    return MR_OK;
}

int plain_row(struct engine_run *run, struct mr_buf *out, struct mr_error *err)
{
    struct plain *p = run->plain;
    crew_give_way();
    if (p->plan->newest)
        return newest_row(p, out, err);
    if (p->left == 0)
        return MR_ENOENT;
    if (p->at == p->batch.rows) {
        int status = next_batch(p, err);
        if (status != MR_OK)
            return status == MR_ENOMEM ? mr_error_set(err, MR_ENOMEM, "out of memory") : status;
    }
    put_row(p, p->at++, out);
    p->left--;
    return MR_OK;
}
