/* store/aggregate.c - the seam: opens the scan below, folds its batches into groups, hands those out. */
#include "store/aggregate.h"

enum { BATCHES_A_CALL = 32, TUPLE_NONE = UINT32_MAX };

/* Groups of whole runs are handed out when they hold so much: the next run's then lie in the same memory,
 * which is in the processor's cache. */
#define RUN_BYTES ((size_t)256 << 10)

struct store_aggregate {
    struct store_scan *scan;
    size_t nkeys, nfolds;
    int64_t bin_ns, bin_origin;
    struct store_fold *folds;
    size_t *at;        /* of each fold: its column in a batch */
    size_t time_at;    /* likewise; SIZE_MAX: not read */
    size_t measure_at; /* likewise; SIZE_MAX: no fold asks for a measure name */
    bool each;         /* bins of 1 ns: a group is of one time */
    bool together;     /* the scan reads series of the same keys together */
};

struct store_aggregate_cursor {
    struct store_aggregate *aggregate;
    struct store_cursor *rows;
    struct groups groups;
    uint32_t tuple; /* of the last batch; TUPLE_NONE: there was none since the groups were reset */
    size_t *active; /* the folds that count rows of the batch at hand */
    size_t nactive;
    bool read_all, handing;
    bool split;    /* some of the groups of the run being read have been handed out */
    bool whole;    /* the groups being handed out are of runs that are read to their end */
    size_t handed; /* of the groups */
    struct output *outputs;
    struct store_vec *vecs;
    size_t noutputs;
};

/* ---- opening ---- */

static size_t add_column(uint32_t *columns, size_t *n, uint32_t column)
{
    for (size_t i = 0; i < *n; i++)
        if (columns[i] == column)
            return i;
    columns[*n] = column;
    return (*n)++;
}

static bool spec_fits(const struct store_aggregate_spec *spec)
{
    bool fits =
        spec->bin_ns == 0 || (spec->bin_ns > 0 && spec->bin_origin >= 0 && spec->bin_origin < spec->bin_ns);
    for (size_t i = 0; i < spec->nfolds; i++)
        fits = fits && fold_fits(&spec->folds[i]);
    return fits;
}

/* Whether the last row of each series says it all: last values, the greatest time, or the keys alone. */
static bool wants_newest(const struct store_aggregate_spec *spec)
{
    bool newest = spec->bin_ns == 0 && spec->scan.nfilters == 0;
    for (size_t i = 0; i < spec->nfolds; i++) {
        const struct store_fold *f = &spec->folds[i];
        newest = newest &&
                 (f->op == STORE_FOLD_LAST || (f->op == STORE_FOLD_MAX && f->column == STORE_COLUMN_TIME));
    }
    return newest;
}

/* The columns of the scan below: keys, time and measure_name when somebody looks at them, values. */
static size_t choose_columns(struct store_aggregate *a, const struct store_aggregate_spec *spec,
                             uint32_t *columns)
{
    size_t n = 0;
    bool timed = spec->bin_ns != 0, named = false;
    for (size_t i = 0; i < spec->nkeys; i++)
        columns[n++] = spec->keys[i];
    for (size_t i = 0; i < spec->nfolds; i++) {
        timed = timed || fold_wants_time(&spec->folds[i]);
        named = named || spec->folds[i].measure.ptr != NULL;
    }
    a->time_at = timed ? add_column(columns, &n, STORE_COLUMN_TIME) : SIZE_MAX;
    a->measure_at = named ? add_column(columns, &n, STORE_COLUMN_MEASURE_NAME) : SIZE_MAX;
    for (size_t i = 0; i < spec->nfolds; i++)
        if (spec->folds[i].op != STORE_FOLD_ROWS)
            a->at[i] = add_column(columns, &n, spec->folds[i].column);
    return n;
}

int store_aggregate_open(struct store_snapshot *snapshot, struct store_table *table,
                         const struct store_aggregate_spec *spec, struct store_aggregate **out,
                         struct mr_error *err)
{
    if (!spec_fits(spec))
        return mr_error_set(err, MR_EINVAL, "an aggregate of the wrong type, or a bin that is none");
    struct store_aggregate *a = mr_calloc(1, sizeof *a);
    uint32_t *columns = mr_calloc(spec->nkeys + spec->nfolds + 2, sizeof *columns);
    int rc = MR_ENOMEM;
    if (a == NULL || columns == NULL)
        goto done;
    a->nkeys = spec->nkeys;
    a->nfolds = spec->nfolds;
    a->bin_ns = spec->bin_ns;
    a->bin_origin = spec->bin_origin;
    a->folds = mr_calloc(spec->nfolds, sizeof *a->folds);
    a->at = mr_calloc(spec->nfolds, sizeof *a->at);
    if (a->folds == NULL || a->at == NULL)
        goto done;
    if (spec->nfolds != 0)
        memcpy(a->folds, spec->folds, spec->nfolds * sizeof *a->folds);
    struct store_scan_spec below = spec->scan;
    below.columns = columns;
    below.ncolumns = choose_columns(a, spec, columns);
    rc = store_scan_open(snapshot, table, &below, &a->scan, err);
    if (rc == MR_OK && wants_newest(spec))
        store_scan_newest(a->scan);
    a->each = spec->bin_ns == 1;
    a->together = rc == MR_OK && a->each && store_scan_together(a->scan, spec->keys, spec->nkeys);
done:
    mr_free(columns);
    if (rc != MR_OK) {
        store_aggregate_close(a);
        return mr_error_set(err, (enum mr_status)rc, "cannot aggregate: %s",
                            mr_status_name((enum mr_status)rc));
    }
    *out = a;
    return MR_OK;
}

void store_aggregate_close(struct store_aggregate *a)
{
    if (a == NULL)
        return;
    store_scan_close(a->scan);
    mr_free(a->folds);
    mr_free(a->at);
    mr_free(a);
}

void store_aggregate_info(struct store_aggregate *a, struct store_scan_info *out)
{
    store_scan_info(a->scan, out);
}

int64_t store_aggregate_last(struct store_aggregate *a)
{
    return store_scan_last(a->scan);
}

/* ---- cursors ---- */

static size_t output_width(const struct store_aggregate *a, size_t fold)
{
    return a->folds[fold].op == STORE_FOLD_SUM && a->folds[fold].type == STORE_BIGINT ? sizeof(__int128) : 8;
}

static int add_output(struct store_aggregate_cursor *c, enum store_type type, size_t width)
{
    struct output *o = &c->outputs[c->noutputs];
    o->values = mr_calloc(STORE_BATCH_ROWS, width);
    o->valid = mr_calloc(STORE_BATCH_ROWS, 1);
    c->vecs[c->noutputs++] = (struct store_vec){type, false, o->values, o->valid};
    return o->values != NULL && o->valid != NULL ? MR_OK : MR_ENOMEM;
}

static int add_outputs(struct store_aggregate_cursor *c)
{
    const struct store_aggregate *a = c->aggregate;
    size_t most = a->nkeys + 1 + 3 * a->nfolds;
    c->outputs = mr_calloc(most, sizeof *c->outputs);
    c->vecs = mr_calloc(most, sizeof *c->vecs);
    if (c->outputs == NULL || c->vecs == NULL)
        return MR_ENOMEM;
    int rc = MR_OK;
    for (size_t i = 0; i < a->nkeys && rc == MR_OK; i++)
        rc = add_output(c, STORE_VARCHAR, sizeof(struct mr_str));
    if (rc == MR_OK && a->bin_ns != 0)
        rc = add_output(c, STORE_TIMESTAMP, 8);
    for (size_t i = 0; i < a->nfolds && rc == MR_OK; i++) {
        bool moments = a->folds[i].op == STORE_FOLD_MOMENTS;
        bool counts = moments || a->folds[i].op == STORE_FOLD_ROWS || a->folds[i].op == STORE_FOLD_COUNT;
        rc = add_output(c, counts ? STORE_BIGINT : a->folds[i].type, output_width(a, i));
        if (rc == MR_OK && fold_wants_time(&a->folds[i]))
            rc = add_output(c, STORE_TIMESTAMP, 8);
        for (int k = 0; k < 2 && moments && rc == MR_OK; k++)
            rc = add_output(c, STORE_DOUBLE, 8);
    }
    return rc;
}

int store_aggregate_cursor_open(struct store_aggregate *aggregate, struct store_aggregate_cursor **out)
{
    struct store_aggregate_cursor *c = mr_calloc(1, sizeof *c);
    if (c == NULL)
        return MR_ENOMEM;
    c->aggregate = aggregate;
    c->tuple = TUPLE_NONE;
    groups_init(&c->groups, aggregate->nkeys, aggregate->nfolds);
    c->active = mr_calloc(aggregate->nfolds + 1, sizeof *c->active);
    int rc = c->active != NULL ? add_outputs(c) : MR_ENOMEM;
    if (rc == MR_OK)
        rc = store_cursor_open(aggregate->scan, &c->rows);
    if (rc != MR_OK) {
        store_aggregate_cursor_close(c);
        return rc;
    }
    *out = c;
    return MR_OK;
}

void store_aggregate_cursor_close(struct store_aggregate_cursor *c)
{
    if (c == NULL)
        return;
    store_cursor_close(c->rows);
    groups_release(&c->groups);
    for (size_t i = 0; i < c->noutputs; i++) {
        mr_free(c->outputs[i].values);
        mr_free(c->outputs[i].valid);
    }
    mr_free(c->outputs);
    mr_free(c->vecs);
    mr_free(c->active);
    mr_free(c);
}

/* ---- rows in ---- */

static int64_t bin_start(const struct store_aggregate *a, int64_t time)
{
    if (a->bin_ns == 0)
        return 0;
    int64_t since = time - a->bin_origin, part = since % a->bin_ns;
    return time - (part >= 0 ? part : part + a->bin_ns);
}

/* First of times[at..rows) that is not before t; it is near as a rule. */
static size_t find_end(const int64_t *times, size_t at, size_t rows, int64_t t)
{
    size_t step = 1;
    if (times[rows - 1] < t)
        return rows;
    while (at + step < rows && times[at + step] < t) {
        at += step;
        step *= 2;
    }
    size_t end = at + step < rows ? at + step : rows;
    while (at < end) {
        size_t middle = at + (end - at) / 2;
        if (times[middle] < t)
            at = middle + 1;
        else
            end = middle;
    }
    return at;
}

/* The batch's columns are what the folds expect. Times come as they are stored, never as a constant. */
static bool batch_fits(const struct store_aggregate *a, const struct store_batch *batch)
{
    bool fits = a->time_at == SIZE_MAX || !batch->cols[a->time_at].constant;
    for (size_t i = 0; i < a->nfolds; i++)
        fits = fits && (a->folds[i].op == STORE_FOLD_ROWS || batch->cols[a->at[i]].type == a->folds[i].type);
    return fits;
}

/* A batch is of one series, so it has one measure name. */
static void choose_folds(struct store_aggregate_cursor *c, const struct store_batch *batch)
{
    const struct store_aggregate *a = c->aggregate;
    struct mr_str name =
        a->measure_at != SIZE_MAX ? *(const struct mr_str *)batch->cols[a->measure_at].values : MR_STR_NULL;
    c->nactive = 0;
    for (size_t i = 0; i < a->nfolds; i++)
        if (a->folds[i].measure.ptr == NULL || mr_str_eq(a->folds[i].measure, name))
            c->active[c->nactive++] = i;
}

/* Each row is of a group of its own, which other series may have begun. */
static int take_each(struct store_aggregate_cursor *c, const struct store_batch *batch, const int64_t *times)
{
    const struct store_aggregate *a = c->aggregate;
    for (size_t from = 0, n, first; from < batch->rows; from += n) {
        int rc = groups_stretch(&c->groups, c->tuple, times + from, batch->rows - from, &first, &n);
        if (rc != MR_OK)
            return rc;
        for (size_t k = 0; k < c->nactive; k++) {
            size_t i = c->active[k];
            fold_each(&a->folds[i], groups_states(&c->groups, i) + first, &batch->cols[a->at[i]], times, from,
                      n);
        }
    }
    return MR_OK;
}

static int take_batch(struct store_aggregate_cursor *c, const struct store_batch *batch)
{
    const struct store_aggregate *a = c->aggregate;
    const int64_t *times = a->time_at != SIZE_MAX ? batch->cols[a->time_at].values : NULL;
    int rc = batch_fits(a, batch) ? MR_OK : MR_EINVAL;
    if (rc == MR_OK && (c->tuple == TUPLE_NONE || !groups_is_tuple(&c->groups, batch->cols, c->tuple)))
        rc = groups_tuple(&c->groups, batch->cols, &c->tuple);
    if (rc != MR_OK)
        return rc;
    MR_ASSERT(a->bin_ns == 0 || times != NULL);
    choose_folds(c, batch);
    if (a->each)
        return take_each(c, batch, times);
    for (size_t from = 0, end = batch->rows; from < batch->rows; from = end) {
        int64_t bin = 0, next;
        if (a->bin_ns != 0) {
            bin = bin_start(a, times[from]);
            end = __builtin_add_overflow(bin, a->bin_ns, &next) ? batch->rows
                                                                : find_end(times, from, batch->rows, next);
        }
        size_t group = groups_find(&c->groups, c->tuple, bin);
        if (group == SIZE_MAX)
            return MR_ENOMEM;
        for (size_t k = 0; k < c->nactive; k++) {
            size_t i = c->active[k];
            fold_rows(&a->folds[i], groups_states(&c->groups, i) + group, &batch->cols[a->at[i]], times, from,
                      end);
        }
    }
    return MR_OK;
}

/* Whether the groups are to be handed out, and as what. */
static void choose_handing(struct store_aggregate_cursor *c, bool run_ended)
{
    bool ends = run_ended || c->read_all;
    size_t bytes = groups_bytes(&c->groups);
    c->handing = c->read_all || bytes > (ends ? RUN_BYTES : GROUPS_BYTES) || (run_ended && c->split);
    c->whole = c->aggregate->together && ends && !c->split;
    c->split = !ends && (c->split || c->handing);
}

/* Reads until the groups are to be handed out or it has been long enough. */
static int read_rows(struct store_aggregate_cursor *c, uint64_t *bytes, struct mr_error *err)
{
    struct store_batch batch;
    for (int i = 0; i < BATCHES_A_CALL && !c->handing; i++) {
        int rc = store_cursor_next(c->rows, &batch, err);
        if (rc == MR_OK && batch.rows != 0)
            rc = take_batch(c, &batch);
        if (rc != MR_OK)
            return mr_error_set(err, (enum mr_status)rc, "cannot aggregate rows: %s",
                                mr_status_name((enum mr_status)rc));
        *bytes += batch.bytes;
        c->read_all = batch.rows == 0 && !batch.more;
        choose_handing(c, batch.run_ended);
    }
    return MR_OK;
}

/* ---- groups out ---- */

static void put_keys(struct store_aggregate_cursor *c, size_t first, size_t n)
{
    const struct groups *g = &c->groups;
    size_t nkeys = c->aggregate->nkeys;
    for (size_t k = 0; k < nkeys; k++) {
        struct mr_str *to = c->outputs[k].values;
        for (size_t i = 0; i < n; i++) {
            struct mr_str key = g->keys[g->list[first + i].tuple * nkeys + k];
            c->outputs[k].valid[i] = key.ptr != NULL;
            to[i] = key.ptr != NULL ? key : MR_STR("");
        }
    }
}

static void put_groups(struct store_aggregate_cursor *c, size_t first, size_t n)
{
    const struct store_aggregate *a = c->aggregate;
    const struct groups *g = &c->groups;
    struct output *o = c->outputs + a->nkeys;
    put_keys(c, first, n);
    if (a->bin_ns != 0) {
        for (size_t i = 0; i < n; i++)
            ((int64_t *)o->values)[i] = g->list[first + i].bin;
        memset(o++->valid, 1, n);
    }
    for (size_t i = 0; i < a->nfolds; i++) {
        put_fold(&a->folds[i], groups_states(g, i) + first, o, n);
        o += fold_columns(&a->folds[i]);
    }
}

int store_aggregate_cursor_next(struct store_aggregate_cursor *c, struct store_groups *out,
                                struct mr_error *err)
{
    *out = (struct store_groups){.cols = c->vecs};
    if (c->handing && c->handed == c->groups.count && !c->read_all) {
        groups_reset(&c->groups); /* the views of the last call end here */
        c->tuple = TUPLE_NONE;
        c->handed = 0;
        c->handing = false;
    }
    int rc = c->handing ? MR_OK : read_rows(c, &out->bytes, err);
    if (rc != MR_OK || !c->handing)
        return rc;
    size_t left = c->groups.count - c->handed;
    out->rows = left < STORE_BATCH_ROWS ? left : STORE_BATCH_ROWS;
    out->ended = out->rows == 0 && c->read_all;
    out->whole = c->whole;
    if (out->rows != 0)
        put_groups(c, c->handed, out->rows);
    c->handed += out->rows;
    return MR_OK;
}
