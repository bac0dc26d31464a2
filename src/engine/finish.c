/* engine/finish.c - runs a plan whose groups are the answer, without the embedded database.
 *
 * Partial groups come from the store's cursors, one in each thread at work; they are put together, ordered,
 * cut, and handed to the row coder in stretches. What it holds counts against the memory of queries.
 */
#include "engine/finish.h"

#include "engine/crew.h"
#include "engine/vector.h"

#include <stdlib.h>

enum { STRETCH = 2048 };

struct flat {
    void *values;
    uint64_t *valid;
};

struct finish {
    struct engine_run *run;
    const struct sql_finish *plan;
    const struct sql_groups *groups;
    struct scan *scan;    /* counted; in the run's list */
    pthread_mutex_t lock; /* guards the next four while threads are at work */
    struct wholes wholes;
    uint64_t charged; /* of the engine's memory for aggregates */
    int status;
    struct mr_error failure;
    bool done; /* aggregated and ordered */
    uint32_t *order;
    size_t next, end;
    struct flat *flats; /* one an output */
};

/* ---- opening and closing ---- */

/* In place of the one before, for the plan's times within [from_time, to_time]. */
static int open_scan(struct finish *f, int64_t from_time, int64_t to_time, struct mr_error *err)
{
    struct engine_run *run = f->run;
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
        spec.time_min = from_time > spec.time_min ? from_time : spec.time_min;
        spec.time_max = to_time < spec.time_max ? to_time : spec.time_max;
        status = scan_groups_start(scan, from, &spec, err);
        scan_spec_free(&spec);
    }
    if (status != MR_OK) {
        mr_free(scan);
        return status;
    }
    scan_begun(scan, 0, &about);
    if (f->scan != NULL)
        scan_unref(f->scan);
    f->scan = scan;
    return MR_OK;
}

static int open_flats(struct finish *f)
{
    size_t n = f->run->plan->noutputs;
    f->flats = mr_calloc(n + 1, sizeof(*f->flats));
    for (size_t i = 0; f->flats != NULL && i < n; i++) {
        bool text = f->run->plan->outputs[i].type->kind == SQL_VARCHAR;
        f->flats[i].values = mr_malloc(STRETCH * (text ? sizeof(duckdb_string_t) : 8));
        f->flats[i].valid = mr_malloc(STRETCH / 8);
        if (f->flats[i].values == NULL || f->flats[i].valid == NULL)
            return MR_ENOMEM;
    }
    return f->flats != NULL ? MR_OK : MR_ENOMEM;
}

int finish_open(struct engine_run *run, struct mr_error *err)
{
    struct finish *f = mr_calloc(1, sizeof(*f));
    if (f == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    f->run = run;
    f->plan = run->plan->finish;
    f->groups = run->plan->scans[0].groups;
    pthread_mutex_init(&f->lock, NULL);
    run->finish = f;
    int status = wholes_init(&f->wholes, f->groups);
    if (status == MR_OK)
        status = open_flats(f);
    if (status == MR_OK)
        status = row_coder_open_flat(run->plan, &run->coder, err);
    if (status == MR_OK)
        status = open_scan(f, INT64_MIN, INT64_MAX, err);
    return status == MR_ENOMEM ? mr_error_set(err, MR_ENOMEM, "out of memory") : status;
}

void finish_close(struct finish *f)
{
    if (f == NULL)
        return;
    atomic_fetch_sub(&f->run->engine->agg.used, f->charged);
    if (f->scan != NULL)
        scan_unref(f->scan);
    for (size_t i = 0; f->flats != NULL && i < f->run->plan->noutputs; i++) {
        mr_free(f->flats[i].values);
        mr_free(f->flats[i].valid);
    }
    mr_free(f->flats);
    mr_free(f->order);
    wholes_release(&f->wholes);
    pthread_mutex_destroy(&f->lock);
    mr_free(f);
}

/* ---- groups in ---- */

/* More memory is held than was said. */
static int charge(struct finish *f, size_t bytes, struct mr_error *err)
{
    struct agg_budget *budget = &f->run->engine->agg;
    if (bytes <= f->charged)
        return MR_OK;
    uint64_t more = bytes - f->charged;
    if (atomic_fetch_add(&budget->used, more) + more > budget->limit) {
        atomic_fetch_sub(&budget->used, more);
        return mr_error_set(err, MR_ELIMIT, "Query exceeded the memory limit of %llu bytes for all queries",
                            (unsigned long long)budget->limit);
    }
    f->charged += more;
    return MR_OK;
}

static int add_part(struct finish *f, const struct store_groups *part, struct mr_error *err)
{
    pthread_mutex_lock(&f->lock);
    int status = f->status != MR_OK ? MR_ECANCEL : wholes_add(&f->wholes, part, f->plan);
    if (status == MR_OK)
        status = charge(f, wholes_bytes(&f->wholes), err);
    pthread_mutex_unlock(&f->lock);
    return status;
}

static int read_all(struct finish *f, struct store_aggregate_cursor *cursor, struct mr_error *err)
{
    struct store_groups part = {0};
    while (!part.ended) {
        if (run_stopped(f->run))
            return error_stopped(f->run, err);
        int status = store_aggregate_cursor_next(cursor, &part, err);
        if (status == MR_OK && part.rows != 0)
            status = add_part(f, &part, err);
        if (status != MR_OK)
            return status;
        atomic_fetch_add_explicit(&f->run->bytes_scanned, part.bytes, memory_order_relaxed);
    }
    return MR_OK;
}

/* What each thread does. */
static void work(void *ctx)
{
    struct finish *f = ctx;
    struct store_aggregate_cursor *cursor = NULL;
    struct mr_error err = MR_ERROR_INIT;
    int status = store_aggregate_cursor_open(f->scan->groups, &cursor);
    if (status == MR_OK)
        status = read_all(f, cursor, &err);
    store_aggregate_cursor_close(cursor);
    if (status == MR_OK)
        return;
    pthread_mutex_lock(&f->lock);
    if (f->status == MR_OK) {
        f->status = status;
        f->failure = err;
        mr_error_set(&f->failure, (enum mr_status)status, "%s",
                     err.text[0] != '\0' ? err.text : "out of memory");
    }
    pthread_mutex_unlock(&f->lock);
}

uint64_t finish_values(const struct finish *f)
{
    struct store_scan_info about;
    store_aggregate_info(f->scan->groups, &about);
    return about.rows_estimate * (f->groups->nfolds + 1);
}

static unsigned helpers(const struct finish *f)
{
    struct store_scan_info about;
    store_aggregate_info(f->scan->groups, &about);
    const struct engine_options *options = &f->run->engine->options;
    return about.series_selected > 1 && finish_values(f) >= options->help_from ? options->threads - 1 : 0;
}

/* ---- order ---- */

/* Above or below; an error cannot come, the values were all computed before. */
static int compare_rows(const void *a, const void *b, void *ctx)
{
    const struct finish *f = ctx;
    for (size_t i = 0; i < f->plan->norder; i++) {
        const struct sql_finish_order *o = &f->plan->order[i];
        struct whole_value x, y;
        (void)wholes_value(&f->wholes, &o->part, *(const uint32_t *)a, &x, NULL);
        (void)wholes_value(&f->wholes, &o->part, *(const uint32_t *)b, &y, NULL);
        int order = 0;
        if (x.valid && y.valid)
            order = o->desc ? whole_compare(&y, &x) : whole_compare(&x, &y);
        else if (x.valid != y.valid)
            order = x.valid == o->nulls_first ? 1 : -1;
        if (order != 0)
            return order;
    }
    return 0;
}

/* The part's values can be computed in the rows order[from, to). */
static int check_part(const struct finish *f, const struct sql_part *part, size_t from, size_t to,
                      struct mr_error *err)
{
    struct whole_value value;
    int status = MR_OK;
    if (part->how == SQL_PART_SUM_NARROW)
        for (size_t i = from; i < to && status == MR_OK; i++)
            status = wholes_value(&f->wholes, part, f->order[i], &value, err);
    return status;
}

/* An order needs its values of all rows, the answer only those of the rows it shows. */
static int put_in_order(struct finish *f, struct mr_error *err)
{
    size_t n = 0;
    int status = charge(f, wholes_bytes(&f->wholes) + f->wholes.count * sizeof(*f->order), err);
    if (status != MR_OK)
        return status;
    f->order = mr_malloc((f->wholes.count + 1) * sizeof(*f->order));
    if (f->order == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < f->wholes.count; i++)
        if (wholes_pass(&f->wholes, i, f->plan))
            f->order[n++] = (uint32_t)i;
    for (size_t i = 0; i < f->plan->norder && status == MR_OK; i++)
        status = check_part(f, &f->plan->order[i].part, 0, n, err);
    if (status == MR_OK && f->plan->norder != 0 && n != 0)
        qsort_r(f->order, n, sizeof(*f->order), compare_rows, f);
    f->next = (uint64_t)f->plan->offset < n ? (size_t)f->plan->offset : n;
    f->end = n;
    if (f->plan->limit >= 0 && (uint64_t)f->plan->limit < n - f->next)
        f->end = f->next + (size_t)f->plan->limit;
    for (size_t i = 0; i < f->run->plan->noutputs && status == MR_OK; i++)
        status = check_part(f, &f->plan->outputs[i], f->next, f->end, err);
    return status;
}

/* Reads all groups of the scan at hand. */
static int read_groups(struct finish *f, struct mr_error *err)
{
    crew_run(f->run->engine->crew, helpers(f), work, f);
    return f->status == MR_OK ? MR_OK : mr_error_set(err, (enum mr_status)f->status, "%s", f->failure.text);
}

/* ---- the newest bins ---- */

/* The rows wanted are those of the newest bins: how many, or 0. */
static uint64_t newest_wanted(const struct finish *f)
{
    const struct sql_finish *plan = f->plan;
    if (plan->norder == 0 || plan->limit < 0 || f->groups->bin_ns == 0 || plan->ntests != 0)
        return 0;
    const struct sql_finish_order *o = &plan->order[0];
    if (!o->desc || o->part.how != SQL_PART_KEY || o->part.column != f->groups->nkeys)
        return 0;
    return (uint64_t)plan->limit + (uint64_t)plan->offset;
}

/* The start of the bin `bins` before that of the time; INT64_MIN when there is no such time. */
static int64_t bin_before(const struct sql_groups *g, int64_t time, uint64_t bins)
{
    __int128 since = (__int128)time - g->bin_origin, part = since % g->bin_ns;
    __int128 start = time - (part >= 0 ? part : part + g->bin_ns) - (__int128)bins * g->bin_ns;
    return start < INT64_MIN ? INT64_MIN : (int64_t)start;
}

/* Goes backwards in windows of whole bins, each wider than the one before, until there are groups enough: all
 * that is older would stand behind them. */
static int read_newest(struct finish *f, uint64_t wanted, struct mr_error *err)
{
    enum { WIDER = 8, LEAST_NS = 1000000000 };
    const int64_t least = f->run->plan->scans[0].time_min;
    int64_t to = store_aggregate_last(f->scan->groups);
    int status = MR_OK;
    uint64_t most = (uint64_t)(LEAST_NS / f->groups->bin_ns); /* bins of a nanosecond are mostly empty */
    for (uint64_t bins = wanted > most ? wanted : most;
         to != INT64_MIN && to >= least && f->wholes.count < wanted;) {
        int64_t from = bin_before(f->groups, to, bins - 1);
        status = open_scan(f, from, to, err);
        if (status == MR_OK)
            status = read_groups(f, err);
        if (status != MR_OK || from <= least)
            break;
        to = from - 1;
        bins = bins < UINT64_MAX / WIDER ? bins * WIDER : bins;
    }
    return status;
}

static int aggregate(struct finish *f, struct mr_error *err)
{
    uint64_t wanted = newest_wanted(f);
    if (f->plan->limit == 0) /* no row is looked at, so none can be at fault */
        return put_in_order(f, err);
    int status = wanted != 0 ? read_newest(f, wanted, err) : read_groups(f, err);
    if (status == MR_OK && f->wholes.nkeys == 0 && f->wholes.count == 0)
        status = wholes_add_empty(&f->wholes);
    return status == MR_OK ? put_in_order(f, err) : status;
}

/* ---- rows out ---- */

static void put_value(struct flat *flat, size_t at, const struct whole_value *v)
{
    if (v->kind == SQL_VARCHAR) {
        duckdb_string_t *s = (duckdb_string_t *)flat->values + at;
        memset(s, 0, sizeof(*s));
        s->value.pointer.length = (uint32_t)v->text.len;
        if (v->text.len <= sizeof(s->value.inlined.inlined))
            memcpy(s->value.inlined.inlined, v->text.ptr, v->text.len);
        else
            s->value.pointer.ptr = (char *)(uintptr_t)v->text.ptr;
    } else if (v->kind == SQL_BOOLEAN) {
        ((uint8_t *)flat->values)[at] = v->i64 != 0;
    } else {
        ((int64_t *)flat->values)[at] = v->i64; /* the bits of a double, too */
    }
    if (v->valid)
        flat->valid[at / 64] |= UINT64_C(1) << (at % 64);
    else
        flat->valid[at / 64] &= ~(UINT64_C(1) << (at % 64));
}

int finish_chunk(struct engine_run *run, size_t *rows, struct mr_error *err)
{
    struct finish *f = run->finish;
    int status = MR_OK;
    *rows = 0;
    if (!f->done)
        status = aggregate(f, err);
    if (status != MR_OK)
        return status == MR_ENOMEM ? mr_error_set(err, MR_ENOMEM, "out of memory") : status;
    f->done = true;
    size_t n = f->end - f->next < STRETCH ? f->end - f->next : STRETCH;
    for (size_t i = 0; i < run->plan->noutputs; i++) {
        for (size_t r = 0; r < n; r++) {
            struct whole_value value;
            status = wholes_value(&f->wholes, &f->plan->outputs[i], f->order[f->next + r], &value, err);
            MR_ASSERT(status == MR_OK); /* it was computed once */
            put_value(&f->flats[i], r, &value);
        }
        row_coder_flat(run->coder, i, f->flats[i].values, f->flats[i].valid);
    }
    f->next += n;
    *rows = n;
    return MR_OK;
}
