/* engine/scan_groups.c - mr_scan where the plan asks for groups: the store's partial groups as rows. */
#include "engine/scan.h"
#include "engine/vector.h"

enum store_type scan_store_type(enum sql_kind kind)
{
    switch (kind) {
    case SQL_DOUBLE:
        return STORE_DOUBLE;
    case SQL_VARCHAR:
        return STORE_VARCHAR;
    case SQL_BOOLEAN:
        return STORE_BOOLEAN;
    case SQL_TIMESTAMP:
        return STORE_TIMESTAMP;
    default:
        return STORE_BIGINT;
    }
}

static size_t columns_of(const struct sql_fold *fold)
{
    return fold->op == SQL_FOLD_MOMENTS ? 3 : fold->op == SQL_FOLD_FIRST || fold->op == SQL_FOLD_LAST ? 2 : 1;
}

/* ---- columns ---- */

static enum sql_kind kind_of_fold(const struct sql_fold *fold)
{
    bool counts = fold->op == SQL_FOLD_ROWS || fold->op == SQL_FOLD_COUNT || fold->op == SQL_FOLD_MOMENTS;
    return counts ? SQL_BIGINT : fold->kind;
}

size_t scan_groups_columns(const struct sql_groups *g)
{
    size_t n = g->nkeys + (g->bin_ns != 0);
    for (size_t i = 0; i < g->nfolds; i++)
        n += columns_of(&g->folds[i]);
    return n;
}

struct scan_column scan_groups_column(const struct sql_groups *g, size_t at)
{
    struct scan_column out = {.kind = SQL_VARCHAR, .from = at};

    if (at < g->nkeys)
        return out;
    out.kind = SQL_BIGINT;
    at -= g->nkeys;
    if (g->bin_ns != 0 && at-- == 0)
        return out;
    for (size_t i = 0; i < g->nfolds; i++) {
        const struct sql_fold *fold = &g->folds[i];
        if (at == 0) {
            out.kind = kind_of_fold(fold);
            out.wide = fold->op == SQL_FOLD_SUM && fold->kind == SQL_BIGINT;
            return out;
        }
        if (at < columns_of(fold)) { /* a time, a mean, squares */
            out.kind = fold->op == SQL_FOLD_MOMENTS ? SQL_DOUBLE : SQL_BIGINT;
            return out;
        }
        at -= columns_of(fold);
    }
    return out;
}

static duckdb_type type_of(struct scan_column column)
{
    if (column.wide)
        return DUCKDB_TYPE_HUGEINT;
    switch (column.kind) {
    case SQL_DOUBLE:
        return DUCKDB_TYPE_DOUBLE;
    case SQL_VARCHAR:
        return DUCKDB_TYPE_VARCHAR;
    case SQL_BOOLEAN:
        return DUCKDB_TYPE_BOOLEAN;
    default:
        return DUCKDB_TYPE_BIGINT;
    }
}

void scan_groups_bind(duckdb_bind_info info, const struct sql_groups *groups)
{
    for (size_t i = 0; i < scan_groups_columns(groups); i++) {
        char name[24];
        snprintf(name, sizeof(name), "c%zu", i);
        duckdb_logical_type type = duckdb_create_logical_type(type_of(scan_groups_column(groups, i)));
        duckdb_bind_add_result_column(info, name, type);
        duckdb_destroy_logical_type(&type);
    }
}

/* ---- opening and reading ---- */

static int translate_folds(const struct sql_groups *from, struct store_fold **out)
{
    static const enum store_fold_op ops[] = {
        [SQL_FOLD_ROWS] = STORE_FOLD_ROWS, [SQL_FOLD_COUNT] = STORE_FOLD_COUNT,
        [SQL_FOLD_SUM] = STORE_FOLD_SUM,   [SQL_FOLD_MIN] = STORE_FOLD_MIN,
        [SQL_FOLD_MAX] = STORE_FOLD_MAX,   [SQL_FOLD_FIRST] = STORE_FOLD_FIRST,
        [SQL_FOLD_LAST] = STORE_FOLD_LAST, [SQL_FOLD_MOMENTS] = STORE_FOLD_MOMENTS,
    };
    struct store_fold *folds = mr_calloc(from->nfolds + 1, sizeof(*folds));
    if (folds == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < from->nfolds; i++) {
        const struct sql_fold *f = &from->folds[i];
        folds[i] = (struct store_fold){ops[f->op], f->column, scan_store_type(f->kind), f->measure};
    }
    *out = folds;
    return MR_OK;
}

int scan_groups_start(struct scan *scan, const struct sql_scan *from, const struct store_scan_spec *spec,
                      struct mr_error *err)
{
    const struct sql_groups *g = from->groups;
    struct store_fold *folds = NULL;
    int status = translate_folds(g, &folds);

    if (status != MR_OK)
        return mr_error_set(err, status, "out of memory");
    const struct store_aggregate_spec below = {.scan = *spec,
                                               .keys = g->keys,
                                               .nkeys = g->nkeys,
                                               .bin_ns = g->bin_ns,
                                               .bin_origin = g->bin_origin,
                                               .folds = folds,
                                               .nfolds = g->nfolds};
    status = store_aggregate_open(scan->run->snapshot, from->handle, &below, &scan->groups, err);
    mr_free(folds);
    return status;
}

int scan_groups_open(struct scan *scan, const struct sql_scan *from, const struct store_scan_spec *spec,
                     duckdb_init_info info, struct mr_error *err)
{
    const struct sql_groups *g = from->groups;
    idx_t asked = duckdb_init_get_column_count(info), columns = scan_groups_columns(g);

    scan->columns = mr_calloc(asked + 1, sizeof(*scan->columns));
    if (scan->columns == NULL)
        return MR_ENOMEM;
    for (idx_t i = 0; i < asked; i++) {
        idx_t column = duckdb_init_get_column_index(info, i) - 1; /* 0 was the empty one */
        if (column >= columns) {
            scan->has_empty = true;
            scan->empty = i;
            continue;
        }
        scan->columns[scan->ncolumns] = scan_groups_column(g, column);
        scan->columns[scan->ncolumns++].vector = i;
    }
    return scan_groups_start(scan, from, spec, err);
}

static void put_column(duckdb_vector vector, const struct store_vec *vec, struct scan_column column,
                       size_t rows)
{
    if (!column.wide) {
        scan_put(vector, vec, column.kind, 0, rows);
        return;
    }
    memcpy(duckdb_vector_get_data(vector), vec->values, rows * sizeof(duckdb_hugeint));
    scan_put_validity(vector, vec, 0, rows);
}

int scan_groups_fill(struct worker *worker, duckdb_data_chunk chunk, struct mr_error *err)
{
    struct scan *scan = worker->scan;
    struct engine_run *run = scan->run;
    struct store_groups batch;

    do { /* a call that returns no rows would be the end */
        int status = store_aggregate_cursor_next(worker->group_cursor, &batch, err);
        if (status == MR_OK && run_stopped(run))
            status = mr_error_set(err, MR_ECANCEL, "stopped");
        if (status != MR_OK)
            return status;
        atomic_fetch_add_explicit(&run->bytes_scanned, batch.bytes, memory_order_relaxed);
    } while (batch.rows == 0 && !batch.ended);
    for (size_t i = 0; i < scan->ncolumns; i++)
        put_column(duckdb_data_chunk_get_vector(chunk, scan->columns[i].vector),
                   &batch.cols[scan->columns[i].from], scan->columns[i], batch.rows);
    if (scan->has_empty)
        for (size_t i = 0; i < batch.rows; i++)
            vector_set_null(duckdb_data_chunk_get_vector(chunk, scan->empty), i);
    duckdb_data_chunk_set_size(chunk, batch.rows);
    return MR_OK;
}
