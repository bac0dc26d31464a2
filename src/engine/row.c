/* Rows of DuckDB chunks as {"Data":[...]} (query-api reference 7.2, 7.3).
 *
 * A tree of columns mirrors the types of the plan. For each chunk the tree is pointed at the chunk's vectors
 * once; a row then is nothing but loads, a switch and copies into reserved memory.
 */
#include "engine/duck.h"
#include "engine/text.h"
#include "engine/vector.h"
#include "json/number.h"
#include "json/write.h"

struct column {
    enum sql_kind kind;
    const void *data;      /* of the current chunk */
    const uint64_t *valid; /* NULL: all valid */
    struct column *kids;   /* ARRAY: element; ROW: fields; TIMESERIES: t, v */
    size_t nkids;
    struct text_day day;
};

struct row_coder {
    struct mr_arena arena;
    struct column root; /* kids are the outputs */
};

/* ---- building and checking
 * ----------------------------------------------------------------------------------- */

static duckdb_type scalar_type(enum sql_kind kind)
{
    switch (kind) {
    case SQL_BOOLEAN:
        return DUCKDB_TYPE_BOOLEAN;
    case SQL_UNKNOWN:
    case SQL_INTEGER:
    case SQL_DATE:
    case SQL_INTERVAL_YEAR:
        return DUCKDB_TYPE_INTEGER;
    case SQL_BIGINT:
    case SQL_TIME:
    case SQL_TIMESTAMP:
    case SQL_INTERVAL_DAY:
        return DUCKDB_TYPE_BIGINT;
    case SQL_DOUBLE:
        return DUCKDB_TYPE_DOUBLE;
    case SQL_VARCHAR:
        return DUCKDB_TYPE_VARCHAR;
    default:
        return DUCKDB_TYPE_INVALID;
    }
}

static int build(struct mr_arena *arena, struct column *column, const struct sql_type *type,
                 duckdb_logical_type duck);

static int build_row(struct mr_arena *arena, struct column *column, const struct sql_type *type,
                     duckdb_logical_type duck)
{
    int status = MR_OK;

    if (duckdb_get_type_id(duck) != DUCKDB_TYPE_STRUCT ||
        duckdb_struct_type_child_count(duck) != type->nfields)
        return MR_EINTERNAL;
    column->nkids = type->nfields;
    column->kids = MR_ARENA_ARRAY(arena, type->nfields + 1, struct column);
    if (column->kids == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < type->nfields && status == MR_OK; i++) {
        duckdb_logical_type child = duckdb_struct_type_child_type(duck, i);
        status = build(arena, &column->kids[i], type->fields[i].type, child);
        duckdb_destroy_logical_type(&child);
    }
    return status;
}

static int build_list(struct mr_arena *arena, struct column *column, const struct sql_type *type,
                      duckdb_logical_type duck)
{
    if (duckdb_get_type_id(duck) != DUCKDB_TYPE_LIST)
        return MR_EINTERNAL;
    duckdb_logical_type child = duckdb_list_type_child_type(duck);
    int status;
    if (type->kind == SQL_ARRAY) {
        column->nkids = 1;
        column->kids = MR_ARENA_ARRAY(arena, 1, struct column);
        status = column->kids == NULL ? MR_ENOMEM : build(arena, column->kids, type->elem, child);
    } else {
        const struct sql_type time = {.kind = SQL_TIMESTAMP};
        const struct sql_field point[] = {{MR_STR_NULL, &time}, {MR_STR_NULL, type->elem}};
        const struct sql_type row = {.kind = SQL_ROW, .fields = point, .nfields = 2};
        status = build_row(arena, column, &row, child);
    }
    duckdb_destroy_logical_type(&child);
    return status;
}

static int build(struct mr_arena *arena, struct column *column, const struct sql_type *type,
                 duckdb_logical_type duck)
{
    column->kind = type->kind;
    if (type->kind == SQL_ARRAY || type->kind == SQL_TIMESERIES)
        return build_list(arena, column, type, duck);
    if (type->kind == SQL_ROW)
        return build_row(arena, column, type, duck);
    return duckdb_get_type_id(duck) == scalar_type(type->kind) ? MR_OK : MR_EINTERNAL;
}

int row_coder_open(const struct sql_plan *plan, duckdb_result *result, struct row_coder **out,
                   struct mr_error *err)
{
    struct row_coder *coder = mr_calloc(1, sizeof(*coder));
    int status = MR_OK;

    if (coder == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    coder->root.nkids = plan->noutputs;
    coder->root.kids = MR_ARENA_ARRAY(&coder->arena, plan->noutputs + 1, struct column);
    if (coder->root.kids == NULL)
        status = MR_ENOMEM;
    else if (duckdb_column_count(result) != plan->noutputs)
        status = MR_EINTERNAL;
    for (size_t i = 0; i < plan->noutputs && status == MR_OK; i++) {
        duckdb_logical_type duck = duckdb_column_logical_type(result, i);
        status = build(&coder->arena, &coder->root.kids[i], plan->outputs[i].type, duck);
        duckdb_destroy_logical_type(&duck);
        if (status == MR_EINTERNAL)
            mr_log(MR_LOG_ERROR, "engine_type_mismatch", "output=%zu kind=%d", i,
                   (int)plan->outputs[i].type->kind);
    }
    if (status != MR_OK) {
        row_coder_close(coder);
        return mr_error_set(err, status,
                            status == MR_ENOMEM ? "out of memory" : "A result does not match its plan");
    }
    *out = coder;
    return MR_OK;
}

int row_coder_open_flat(const struct sql_plan *plan, struct row_coder **out, struct mr_error *err)
{
    struct row_coder *coder = mr_calloc(1, sizeof(*coder));

    if (coder != NULL) {
        coder->root.nkids = plan->noutputs;
        coder->root.kids = MR_ARENA_ARRAY(&coder->arena, plan->noutputs + 1, struct column);
    }
    if (coder == NULL || coder->root.kids == NULL) {
        row_coder_close(coder);
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < plan->noutputs; i++) {
        coder->root.kids[i].kind = plan->outputs[i].type->kind;
        MR_ASSERT(scalar_type(coder->root.kids[i].kind) != DUCKDB_TYPE_INVALID);
    }
    *out = coder;
    return MR_OK;
}

void row_coder_flat(struct row_coder *coder, size_t column, const void *data, const uint64_t *valid)
{
    coder->root.kids[column].data = data;
    coder->root.kids[column].valid = valid;
}

void row_coder_close(struct row_coder *coder)
{
    if (coder == NULL)
        return;
    mr_arena_release(&coder->arena);
    mr_free(coder);
}

/* ---- pointing at a chunk
 * ------------------------------------------------------------------------------------- */

static void point_at(struct column *column, duckdb_vector vector)
{
    column->data = duckdb_vector_get_data(vector);
    column->valid = duckdb_vector_get_validity(vector);
    if (column->kind == SQL_ARRAY) {
        point_at(column->kids, duckdb_list_vector_get_child(vector));
        return;
    }
    if (column->kind == SQL_TIMESERIES)
        vector = duckdb_list_vector_get_child(vector);
    for (size_t i = 0; i < column->nkids; i++)
        point_at(&column->kids[i], duckdb_struct_vector_get_child(vector, i));
}

void row_coder_chunk(struct row_coder *coder, duckdb_data_chunk chunk)
{
    for (size_t i = 0; i < coder->root.nkids; i++)
        point_at(&coder->root.kids[i], duckdb_data_chunk_get_vector(chunk, i));
}

/* ---- writing
 * ------------------------------------------------------------------------------------------------- */

#define PUT(to, literal) (memcpy((to), (literal), sizeof(literal) - 1), (to) + sizeof(literal) - 1)

char *row_put_scalar(char *to, enum sql_kind kind, const void *data, size_t row, struct text_day *day)
{
    switch (kind) {
    case SQL_BOOLEAN:
        return ((const uint8_t *)data)[row] != 0 ? PUT(to, "true") : PUT(to, "false");
    case SQL_INTEGER:
        return to + json_format_i64(((const int32_t *)data)[row], to);
    case SQL_BIGINT:
        return to + json_format_i64(((const int64_t *)data)[row], to);
    case SQL_DOUBLE:
        return to + json_format_java_double(((const double *)data)[row], to);
    case SQL_DATE:
        return text_date(to, ((const int32_t *)data)[row], day);
    case SQL_TIME:
        return text_time(to, ((const int64_t *)data)[row]);
    case SQL_TIMESTAMP:
        return text_timestamp(to, ((const int64_t *)data)[row], day);
    case SQL_INTERVAL_DAY:
        return text_interval_day(to, ((const int64_t *)data)[row]);
    case SQL_INTERVAL_YEAR:
        return text_interval_year(to, ((const int32_t *)data)[row]);
    default:
        return to;
    }
}

static char *put_scalar(char *to, struct column *column, size_t row)
{
    return row_put_scalar(to, column->kind, column->data, row, &column->day);
}

static void put_datum(struct column *column, size_t row, struct mr_buf *out);

static void put_row_datum(struct column *column, size_t row, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("{\"RowValue\":{\"Data\":["));
    for (size_t i = 0; i < column->nkids; i++) {
        if (i > 0)
            mr_buf_char(out, ',');
        put_datum(&column->kids[i], row, out);
    }
    mr_buf_str(out, MR_STR("]}}"));
}

static void put_array(struct column *column, size_t row, struct mr_buf *out)
{
    duckdb_list_entry entry = ((const duckdb_list_entry *)column->data)[row];

    mr_buf_str(out, MR_STR("{\"ArrayValue\":["));
    for (uint64_t i = 0; i < entry.length; i++) {
        if (i > 0)
            mr_buf_char(out, ',');
        put_datum(column->kids, entry.offset + i, out);
    }
    mr_buf_str(out, MR_STR("]}"));
}

static void put_series(struct column *column, size_t row, struct mr_buf *out)
{
    duckdb_list_entry entry = ((const duckdb_list_entry *)column->data)[row];
    struct column *time = &column->kids[0];

    mr_buf_str(out, MR_STR("{\"TimeSeriesValue\":["));
    for (uint64_t i = entry.offset; i < entry.offset + entry.length; i++) {
        char *start = mr_buf_reserve(out, TEXT_SCALAR_MAX + 32);
        if (start == NULL)
            return;
        char *to = start;
        if (i > entry.offset)
            *to++ = ',';
        if (vector_row_valid(time->valid, i)) {
            to = PUT(to, "{\"Time\":\"");
            to = put_scalar(to, time, i);
            to = PUT(to, "\",\"Value\":");
        } else { /* a point at no instant, which interpolation at a NULL instant gives */
            to = PUT(to, "{\"Time\":null,\"Value\":");
        }
        out->len += (size_t)(to - start);
        put_datum(&column->kids[1], i, out);
        mr_buf_char(out, '}');
    }
    mr_buf_str(out, MR_STR("]}"));
}

static void put_datum(struct column *column, size_t row, struct mr_buf *out)
{
    if (column->kind == SQL_UNKNOWN || !vector_row_valid(column->valid, row)) {
        mr_buf_str(out, MR_STR("{\"NullValue\":true}"));
        return;
    }
    switch (column->kind) {
    case SQL_ARRAY:
        put_array(column, row, out);
        return;
    case SQL_ROW:
        put_row_datum(column, row, out);
        return;
    case SQL_TIMESERIES:
        put_series(column, row, out);
        return;
    case SQL_VARCHAR:
        mr_buf_str(out, MR_STR("{\"ScalarValue\":\""));
        json_write_escaped(out, vector_str(&((const duckdb_string_t *)column->data)[row]));
        mr_buf_str(out, MR_STR("\"}"));
        return;
    default:
        break;
    }
    char *start = mr_buf_reserve(out, TEXT_SCALAR_MAX + 32);
    if (start == NULL)
        return;
    char *to = PUT(start, "{\"ScalarValue\":\"");
    to = put_scalar(to, column, row);
    to = PUT(to, "\"}");
    out->len += (size_t)(to - start);
}

void row_coder_row(struct row_coder *coder, idx_t row, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("{\"Data\":["));
    for (size_t i = 0; i < coder->root.nkids; i++) {
        if (i > 0)
            mr_buf_char(out, ',');
        put_datum(&coder->root.kids[i], row, out);
    }
    mr_buf_str(out, MR_STR("]}"));
}
