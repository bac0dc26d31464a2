/* Rows of a store cursor into a DuckDB chunk. */
#include "engine/scan.h"
#include "engine/vector.h"

_Static_assert(STORE_BATCH_ROWS <= 2048, "a batch fits one DuckDB vector");

static int next_batch(struct worker *worker, struct store_batch *batch, struct mr_error *err)
{
    if (worker->held.rows > 0) {
        *batch = worker->held;
        worker->held.rows = 0;
        return MR_OK;
    }
    *batch = (struct store_batch){0};
    if (worker->ended)
        return MR_OK;
    do {
        if (run_stopped(worker->scan->run))
            return mr_error_set(err, MR_ECANCEL, "stopped");
        int status = store_cursor_next(worker->cursor, batch, err);
        if (status != MR_OK)
            return status;
        atomic_fetch_add_explicit(&worker->scan->run->bytes_scanned, batch->bytes, memory_order_relaxed);
    } while (batch->rows == 0 && batch->more);
    worker->ended = batch->rows == 0;
    return MR_OK;
}

/* ---- constant columns
 * ---------------------------------------------------------------------------------------- */

static struct mr_str constant_bytes(const struct store_vec *vec, enum sql_kind kind)
{
    if (kind == SQL_VARCHAR)
        return *(const struct mr_str *)vec->values;
    return (struct mr_str){vec->values, kind == SQL_BOOLEAN ? 1 : 8};
}

static duckdb_value make_value(struct mr_str bytes, enum sql_kind kind)
{
    int64_t i64 = 0;
    double f64 = 0;

    switch (kind) {
    case SQL_VARCHAR:
        return duckdb_create_varchar_length(bytes.ptr != NULL ? bytes.ptr : "", bytes.len);
    case SQL_BOOLEAN:
        return duckdb_create_bool(bytes.ptr[0] != 0);
    case SQL_DOUBLE:
        memcpy(&f64, bytes.ptr, sizeof(f64));
        return duckdb_create_double(f64);
    default:
        memcpy(&i64, bytes.ptr, sizeof(i64));
        return duckdb_create_int64(i64);
    }
}

static int put_constant(struct constant *constant, duckdb_vector vector, const struct store_vec *vec,
                        enum sql_kind kind)
{
    struct mr_str bytes = constant_bytes(vec, kind);

    if (constant->value == NULL || !mr_str_eq(bytes, mr_buf_view(&constant->bytes))) {
        if (constant->value != NULL)
            duckdb_destroy_value(&constant->value);
        constant->bytes.len = 0;
        mr_buf_str(&constant->bytes, bytes);
        if (!mr_buf_ok(&constant->bytes))
            return MR_ENOMEM;
        constant->value = make_value(bytes, kind);
    }
    duckdb_vector_reference_value(vector, constant->value);
    return MR_OK;
}

/* ---- flat columns
 * -------------------------------------------------------------------------------------------- */

static void put_nulls(duckdb_vector vector, size_t at, size_t rows)
{
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    for (size_t i = at; i < at + rows; i++)
        validity[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

void scan_put_validity(duckdb_vector vector, const struct store_vec *vec, size_t at, size_t rows)
{
    if (vec->valid == NULL || memchr(vec->valid, 0, rows) == NULL)
        return;
    duckdb_vector_ensure_validity_writable(vector);
    uint64_t *validity = duckdb_vector_get_validity(vector);
    for (size_t i = 0; i < rows; i++)
        if (!vec->valid[i])
            validity[(at + i) / 64] &= ~(UINT64_C(1) << ((at + i) % 64));
}

static void put_strings(duckdb_vector vector, const struct store_vec *vec, size_t at, size_t rows)
{
    const struct mr_str *strs = vec->values;

    for (size_t i = 0; i < rows; i++) {
        size_t from = vec->constant ? 0 : i;
        bool valid = vec->valid == NULL || vec->valid[from];
        vector_put_str(vector, at + i, valid ? strs[from] : MR_STR(""));
    }
}

/* A constant in a packed chunk: repeated. */
static void repeat(duckdb_vector vector, const struct store_vec *vec, enum sql_kind kind, size_t at,
                   size_t rows)
{
    if (vec->valid != NULL && !vec->valid[0]) {
        if (kind == SQL_VARCHAR)
            put_strings(vector, vec, at, rows);
        put_nulls(vector, at, rows);
        return;
    }
    void *data = duckdb_vector_get_data(vector);
    if (kind == SQL_VARCHAR) {
        put_strings(vector, vec, at, rows);
    } else if (kind == SQL_BOOLEAN) {
        memset((uint8_t *)data + at, *(const uint8_t *)vec->values != 0, rows);
    } else {
        for (size_t i = 0; i < rows; i++)
            memcpy((uint64_t *)data + at + i, vec->values, 8);
    }
}

void scan_put(duckdb_vector vector, const struct store_vec *vec, enum sql_kind kind, size_t at, size_t rows)
{
    if (vec->constant) {
        repeat(vector, vec, kind, at, rows);
        return;
    }
    void *data = duckdb_vector_get_data(vector);
    if (kind == SQL_VARCHAR)
        put_strings(vector, vec, at, rows);
    else if (kind == SQL_BOOLEAN)
        memcpy((uint8_t *)data + at, vec->values, rows);
    else
        memcpy((uint64_t *)data + at, vec->values, rows * 8);
    scan_put_validity(vector, vec, at, rows);
}

static void put_empty(struct scan *scan, duckdb_data_chunk chunk, size_t at, size_t rows)
{
    if (scan->has_empty)
        put_nulls(duckdb_data_chunk_get_vector(chunk, scan->empty), at, rows);
}

/* ---- whole batches
 * ------------------------------------------------------------------------------------------- */

static int put_whole(struct worker *worker, duckdb_data_chunk chunk, const struct store_batch *batch)
{
    struct scan *scan = worker->scan;

    for (size_t c = 0; c < scan->ncolumns; c++) {
        const struct store_vec *vec = &batch->cols[c];
        enum sql_kind kind = scan->columns[c].kind;
        duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, scan->columns[c].vector);
        bool null = vec->valid != NULL && !vec->valid[0];
        if (vec->constant && !null) {
            int status = put_constant(&worker->constants[c], vector, vec, kind);
            if (status != MR_OK)
                return status;
        } else {
            scan_put(vector, vec, kind, 0, batch->rows);
        }
    }
    put_empty(scan, chunk, 0, batch->rows);
    duckdb_data_chunk_set_size(chunk, batch->rows);
    return MR_OK;
}

static int pack(struct worker *worker, duckdb_data_chunk chunk, struct store_batch *batch,
                struct mr_error *err)
{
    struct scan *scan = worker->scan;
    size_t at = 0;

    for (;;) {
        for (size_t c = 0; c < scan->ncolumns; c++)
            scan_put(duckdb_data_chunk_get_vector(chunk, scan->columns[c].vector), &batch->cols[c],
                     scan->columns[c].kind, at, batch->rows);
        put_empty(scan, chunk, at, batch->rows);
        at += batch->rows;
        int status = next_batch(worker, batch, err);
        if (status != MR_OK)
            return status;
        if (batch->rows == 0 || batch->rows >= SCAN_SMALL_BATCH || at + batch->rows > STORE_BATCH_ROWS)
            break;
    }
    worker->held = *batch;
    duckdb_data_chunk_set_size(chunk, at);
    return MR_OK;
}

int scan_fill(struct worker *worker, duckdb_data_chunk chunk, struct mr_error *err)
{
    struct store_batch batch;
    int status = next_batch(worker, &batch, err);
    if (status != MR_OK)
        return status;
    if (batch.rows == 0) {
        duckdb_data_chunk_set_size(chunk, 0);
        return MR_OK;
    }
    if (batch.rows >= SCAN_SMALL_BATCH)
        return put_whole(worker, chunk, &batch);
    return pack(worker, chunk, &batch, err);
}
