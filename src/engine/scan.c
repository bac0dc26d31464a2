/* mr_scan(<i>): the table function through which DuckDB reads the store.
 *
 * bind finds the run by its connection and declares the columns of the plan's scan i. The global state is one
 * store_scan with only the columns DuckDB asked for; each worker has a store_cursor of its own. A batch of
 * one series becomes one chunk, its constant columns constant vectors, so that grouping by a dimension costs
 * next to nothing; batches of a few rows are packed together instead, because a chunk has a price of its own
 * (scan_fill.c). When the plan asks for groups, the store aggregates and the rows are partial groups
 * (scan_groups.c).
 */
#include "engine/crew.h"
#include "engine/scan.h"

_Static_assert(SQL_FILTER_EQ == (int)STORE_FILTER_EQ && SQL_FILTER_NOT_NULL == (int)STORE_FILTER_NOT_NULL,
               "filters have one numbering");

struct bound {
    struct engine_run *run;
    const struct sql_scan *spec;
};

/* ---- the shared scan
 * ----------------------------------------------------------------------------------------- */

void scan_unref(struct scan *scan)
{
    struct engine_run *run = scan->run;

    pthread_mutex_lock(&run->lock);
    bool last = --scan->refs == 0;
    if (last) {
        struct scan **link = &run->scans;
        while (*link != scan)
            link = &(*link)->next;
        *link = scan->next;
        store_scan_close(scan->store);
        store_aggregate_close(scan->groups);
        pthread_cond_signal(&run->gone);
    }
    pthread_mutex_unlock(&run->lock); /* the last touch of the run, which may end now */
    if (last) {
        mr_free(scan->columns);
        mr_free(scan);
    }
}

static void scan_destroy(void *ptr)
{
    scan_unref(ptr);
}

static int translate_preds(const struct sql_scan *from, struct store_pred **out)
{
    static const enum store_pred_op ops[] = {
        [SQL_PRED_IN] = STORE_PRED_IN,
        [SQL_PRED_NOT_IN] = STORE_PRED_NOT_IN,
        [SQL_PRED_PREFIX] = STORE_PRED_PREFIX,
        [SQL_PRED_IS_NULL] = STORE_PRED_IS_NULL,
        [SQL_PRED_NOT_NULL] = STORE_PRED_NOT_NULL,
    };
    struct store_pred *preds = mr_calloc(from->npreds + 1, sizeof(*preds));
    if (preds == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < from->npreds; i++) {
        const struct sql_pred *p = &from->preds[i];
        preds[i] = (struct store_pred){p->column, ops[p->op], p->values, p->nvalues};
    }
    *out = preds;
    return MR_OK;
}

static int translate_filters(const struct sql_scan *from, struct store_filter **out)
{
    struct store_filter *filters = mr_calloc(from->nfilters + 1, sizeof(*filters));
    if (filters == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < from->nfilters; i++) {
        const struct sql_filter *f = &from->filters[i];
        struct store_value *v = &filters[i].value;
        filters[i].column = f->column;
        filters[i].op = (enum store_filter_op)f->op;
        v->type = scan_store_type(f->kind);
        if (f->kind == SQL_DOUBLE)
            v->f64 = f->f64;
        else if (f->kind == SQL_VARCHAR)
            v->str = f->text;
        else if (f->kind == SQL_BOOLEAN)
            v->boolean = f->i64 != 0;
        else
            v->i64 = f->i64;
    }
    *out = filters;
    return MR_OK;
}

/* Opens the store's scan for the columns DuckDB wants. */
static int open_rows(struct scan *scan, const struct sql_scan *from, struct store_scan_spec *spec,
                     duckdb_init_info info, struct mr_error *err)
{
    idx_t asked = duckdb_init_get_column_count(info);
    uint32_t *numbers = mr_calloc(asked + 1, sizeof(*numbers));

    scan->columns = mr_calloc(asked + 1, sizeof(*scan->columns));
    if (numbers == NULL || scan->columns == NULL) {
        mr_free(numbers);
        return MR_ENOMEM;
    }
    for (idx_t i = 0; i < asked; i++) {
        idx_t column = duckdb_init_get_column_index(info, i) - 1; /* of the plan; 0 was the empty one */
        if (column >= from->ncolumns) {
            scan->has_empty = true;
            scan->empty = i;
            continue;
        }
        numbers[scan->ncolumns] = from->columns[column];
        scan->columns[scan->ncolumns++] = (struct scan_column){.kind = from->kinds[column], .vector = i};
    }
    spec->columns = numbers;
    spec->ncolumns = scan->ncolumns;
    int status = store_scan_open(scan->run->snapshot, from->handle, spec, &scan->store, err);
    mr_free(numbers);
    return status;
}

int scan_spec(const struct sql_scan *from, struct store_scan_spec *out, struct mr_error *err)
{
    struct store_pred *preds = NULL;
    struct store_filter *filters = NULL;
    int status = translate_preds(from, &preds);
    if (status == MR_OK)
        status = translate_filters(from, &filters);
    if (status != MR_OK) {
        mr_free(preds);
        return mr_error_set(err, status, "out of memory");
    }
    *out = (struct store_scan_spec){.time_min = from->time_min,
                                    .time_max = from->time_max,
                                    .preds = preds,
                                    .npreds = from->npreds,
                                    .filters = filters,
                                    .nfilters = from->nfilters};
    return MR_OK;
}

void scan_spec_free(struct store_scan_spec *spec)
{
    mr_free((void *)(uintptr_t)spec->preds);
    mr_free((void *)(uintptr_t)spec->filters);
}

static int open_store(struct scan *scan, const struct sql_scan *from, duckdb_init_info info,
                      struct mr_error *err)
{
    struct store_scan_spec spec;
    int status = scan_spec(from, &spec, err);
    if (status != MR_OK)
        return status;
    status = from->groups != NULL ? scan_groups_open(scan, from, &spec, info, err)
                                  : open_rows(scan, from, &spec, info, err);
    scan_spec_free(&spec);
    if (status == MR_ENOMEM)
        mr_error_set(err, MR_ENOMEM, "out of memory");
    return status;
}

static void ask_info(const struct scan *scan, struct store_scan_info *out)
{
    if (scan->groups != NULL)
        store_aggregate_info(scan->groups, out);
    else
        store_scan_info(scan->store, out);
}

void scan_begun(struct scan *scan, size_t number, struct store_scan_info *about)
{
    struct engine_run *run = scan->run;

    ask_info(scan, about);
    double share =
        about->series_total > 0 ? (double)about->series_selected / (double)about->series_total : 1.0;
    pthread_mutex_lock(&run->lock);
    if (!run->has_coverage || share > run->coverage) {
        run->has_coverage = true;
        run->coverage = share;
        run->coverage_scan = number;
    }
    scan->next = run->scans;
    run->scans = scan;
    pthread_mutex_unlock(&run->lock);
}

/* ---- DuckDB's callbacks
 * -------------------------------------------------------------------------------------- */

static duckdb_type column_type(enum sql_kind kind)
{
    switch (kind) {
    case SQL_DOUBLE:
        return DUCKDB_TYPE_DOUBLE;
    case SQL_VARCHAR:
        return DUCKDB_TYPE_VARCHAR;
    case SQL_BOOLEAN:
        return DUCKDB_TYPE_BOOLEAN;
    default:
        return DUCKDB_TYPE_BIGINT; /* BIGINT and TIMESTAMP */
    }
}

static void scan_bind(duckdb_bind_info info)
{
    duckdb_client_context context;
    duckdb_table_function_get_client_context(info, &context);
    struct engine_run *run = duck_run_of(duckdb_bind_get_extra_info(info), context);
    duckdb_value value = duckdb_bind_get_parameter(info, 0);
    int64_t index = duckdb_is_null_value(value) ? -1 : duckdb_get_int64(value);
    duckdb_destroy_value(&value);

    if (run == NULL || index < 0 || (uint64_t)index >= run->plan->nscans) {
        duckdb_bind_set_error(info, ERROR_MARK_INTERNAL "no such scan" ERROR_MARK_END);
        return;
    }
    const struct sql_scan *spec = &run->plan->scans[index];
    /* count(*) needs no column, but DuckDB reads the first one then: give it one that costs nothing. */
    duckdb_logical_type boolean = duckdb_create_logical_type(DUCKDB_TYPE_BOOLEAN);
    duckdb_bind_add_result_column(info, "empty", boolean);
    duckdb_destroy_logical_type(&boolean);
    if (spec->groups != NULL)
        scan_groups_bind(info, spec->groups);
    for (size_t i = 0; i < spec->ncolumns && spec->groups == NULL; i++) {
        char name[24];
        snprintf(name, sizeof(name), "c%zu", i);
        duckdb_logical_type type = duckdb_create_logical_type(column_type(spec->kinds[i]));
        duckdb_bind_add_result_column(info, name, type);
        duckdb_destroy_logical_type(&type);
    }
    struct bound *bound = mr_calloc(1, sizeof(*bound));
    if (bound == NULL) {
        duckdb_bind_set_error(info, ERROR_MARK_NOMEM "out of memory" ERROR_MARK_END);
        return;
    }
    *bound = (struct bound){run, spec};
    duckdb_bind_set_bind_data(info, bound, mr_free);
}

static void scan_init(duckdb_init_info info)
{
    const struct bound *bound = duckdb_init_get_bind_data(info);
    struct engine_run *run = bound->run;
    struct mr_error err = MR_ERROR_INIT;
    struct scan *scan = mr_calloc(1, sizeof(*scan));
    int status = scan == NULL ? mr_error_set(&err, MR_ENOMEM, "out of memory") : MR_OK;

    if (status == MR_OK) {
        scan->run = run;
        scan->refs = 1;
        status = open_store(scan, bound->spec, info, &err);
    }
    if (status != MR_OK) {
        if (scan != NULL)
            mr_free(scan->columns);
        mr_free(scan);
        char text[ERROR_TEXT_MAX];
        duckdb_init_set_error(info, error_marked(text, &err));
        return;
    }
    struct store_scan_info about;
    scan_begun(scan, (size_t)(bound->spec - run->plan->scans), &about);
    duckdb_init_set_max_threads(info, about.series_selected > 1 ? about.series_selected : 1);
    duckdb_init_set_init_data(info, scan, scan_destroy);
}

static void worker_destroy(void *ptr)
{
    struct worker *worker = ptr;

    for (size_t i = 0; i < worker->nconstants; i++)
        if (worker->constants[i].value != NULL)
            duckdb_destroy_value(&worker->constants[i].value);
    store_cursor_close(worker->cursor);
    store_aggregate_cursor_close(worker->group_cursor);
    if (worker->scan != NULL)
        scan_unref(worker->scan);
    for (size_t i = 0; i < worker->nconstants; i++)
        mr_buf_release(&worker->constants[i].bytes);
    mr_free(worker->constants);
    mr_free(worker);
}

/* The worker's state is filled at its first call: DuckDB hands the shared state only to the function itself.
 */
static void worker_init(duckdb_init_info info)
{
    struct worker *worker = mr_calloc(1, sizeof(*worker));
    if (worker == NULL) {
        duckdb_init_set_error(info, ERROR_MARK_NOMEM "out of memory" ERROR_MARK_END);
        return;
    }
    duckdb_init_set_init_data(info, worker, worker_destroy);
}

static int worker_start(struct worker *worker, struct scan *scan, struct mr_error *err)
{
    crew_give_way();
    worker->constants = mr_calloc(scan->ncolumns + 1, sizeof(*worker->constants));
    if (worker->constants == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    worker->nconstants = scan->ncolumns;
    int status = scan->groups != NULL ? store_aggregate_cursor_open(scan->groups, &worker->group_cursor)
                                      : store_cursor_open(scan->store, &worker->cursor);
    if (status != MR_OK)
        return mr_error_set(err, status, "cannot start reading a table");
    pthread_mutex_lock(&scan->run->lock);
    scan->refs++;
    pthread_mutex_unlock(&scan->run->lock);
    worker->scan = scan;
    return MR_OK;
}

static void scan_function(duckdb_function_info info, duckdb_data_chunk chunk)
{
    struct scan *scan = duckdb_function_get_init_data(info);
    struct worker *worker = duckdb_function_get_local_init_data(info);
    struct mr_error err = MR_ERROR_INIT;
    int status = MR_OK;

    if (run_stopped(scan->run))
        status = mr_error_set(&err, MR_ECANCEL, "stopped");
    if (status == MR_OK && worker->scan == NULL)
        status = worker_start(worker, scan, &err);
    if (status == MR_OK)
        status =
            scan->groups != NULL ? scan_groups_fill(worker, chunk, &err) : scan_fill(worker, chunk, &err);
    if (status != MR_OK) {
        char text[ERROR_TEXT_MAX];
        mr_error_set(&err, status, "cannot read a table");
        duckdb_function_set_error(info, error_marked(text, &err));
        duckdb_data_chunk_set_size(chunk, 0);
    }
}

int scan_register(struct duck *duck, duckdb_connection con)
{
    duckdb_table_function f = duckdb_create_table_function();
    duckdb_logical_type bigint = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);

    duckdb_table_function_set_name(f, "mr_scan");
    duckdb_table_function_add_parameter(f, bigint);
    duckdb_table_function_set_extra_info(f, duck, NULL);
    duckdb_table_function_set_bind(f, scan_bind);
    duckdb_table_function_set_init(f, scan_init);
    duckdb_table_function_set_local_init(f, worker_init);
    duckdb_table_function_set_function(f, scan_function);
    duckdb_table_function_supports_projection_pushdown(f, true);
    int rc = duckdb_register_table_function(con, f) == DuckDBSuccess ? MR_OK : MR_EINTERNAL;
    duckdb_destroy_logical_type(&bigint);
    duckdb_destroy_table_function(&f);
    return rc;
}

void scan_progress(struct engine_run *run, struct engine_progress *out)
{
    uint64_t selected = 0, done = 0;

    pthread_mutex_lock(&run->lock);
    for (const struct scan *scan = run->scans; scan != NULL; scan = scan->next) {
        struct store_scan_info about;
        ask_info(scan, &about);
        selected += about.series_selected;
        done += about.series_done < about.series_selected ? about.series_done : about.series_selected;
    }
    double now = selected == 0 ? 0 : 100.0 * (double)done / (double)selected;
    if (now > run->percent)
        run->percent = now;
    out->percent = run->percent;
    out->has_coverage = run->has_coverage;
    out->coverage = run->coverage;
    out->coverage_scan = run->coverage_scan;
    pthread_mutex_unlock(&run->lock);
}
