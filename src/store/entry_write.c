#include "store/entry.h"

static uint64_t zigzag(int64_t v)
{
    return ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
}

static int64_t minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static void write_head(struct mr_buf *buf, enum entry_kind kind, uint64_t database_id, uint64_t table_id)
{
    mr_buf_char(buf, ENTRY_VERSION);
    mr_buf_char(buf, (char)kind);
    mr_buf_varint(buf, database_id);
    mr_buf_varint(buf, table_id);
}

static void write_str(struct mr_buf *buf, struct mr_str s)
{
    mr_buf_varint(buf, s.len);
    mr_buf_str(buf, s);
}

static void write_columns(struct mr_buf *buf, const struct mem_schema *schema, const struct mem_batch *batch)
{
    mr_buf_varint(buf, batch->first_column);
    mr_buf_varint(buf, batch->ncolumns);
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        const struct mem_column *column = &schema->columns[batch->first_column + i];
        mr_buf_char(buf, (char)column->role);
        mr_buf_char(buf, (char)column->type);
        write_str(buf, column->name);
    }
    mr_buf_varint(buf, batch->first_measure);
    mr_buf_varint(buf, batch->nmeasures);
    for (uint32_t i = 0; i < batch->nmeasures; i++) {
        const struct mem_measure *measure = &schema->measures[batch->first_measure + i];
        mr_buf_char(buf, (char)measure->type);
        write_str(buf, measure->name);
    }
}

static void write_series(struct mr_buf *buf, const struct mem_table *table, const struct mem_batch *batch)
{
    uint32_t next = 0;
    mr_buf_varint(buf, batch->nseries);
    for (size_t i = 0; i < batch->nseries; i++) {
        struct mem_dim dims[MEM_MAX_DIMENSIONS];
        uint32_t measure, ndims;
        bool there = mem_series_key(table, batch->series[i], &measure, dims, &ndims);
        MR_ASSERT(there);
        mr_buf_varint(buf, batch->series[i] - next);
        next = batch->series[i] + 1;
        mr_buf_varint(buf, measure);
        mr_buf_varint(buf, ndims);
        for (uint32_t d = 0; d < ndims; d++) {
            mr_buf_varint(buf, dims[d].column);
            write_str(buf, dims[d].value);
        }
    }
}

/* Whether v is n / power to the last bit; NaN and negative zero never are. */
static bool is_decimal(double v, enum entry_scale scale, uint64_t *short_form)
{
    double scaled = v * entry_powers[scale];
    if (!(scaled > -1e15 && scaled < 1e15))
        return false;
    int64_t n = (int64_t)(scaled + (scaled < 0 ? -0.5 : 0.5));
    double back = (double)n / entry_powers[scale];
    *short_form = zigzag(n) << 2 | scale;
    return memcmp(&back, &v, sizeof v) == 0;
}

/* Measurements of a kind have as many decimals as the one before, so that scale is tried first. */
static bool find_decimal(double v, enum entry_scale *scale, uint64_t *short_form)
{
    if (is_decimal(v, *scale, short_form))
        return true;
    for (enum entry_scale s = ENTRY_ONES; s < ENTRY_NO_DECIMAL; s++)
        if (s != *scale && is_decimal(v, s, short_form)) {
            *scale = s;
            return true;
        }
    return false;
}

static void write_double(struct mr_buf *buf, double v, enum entry_scale *scale)
{
    uint64_t short_form, bits;
    if (find_decimal(v, scale, &short_form)) {
        mr_buf_varint(buf, short_form);
        return;
    }
    memcpy(&bits, &v, sizeof bits);
    mr_buf_varint(buf, ENTRY_NO_DECIMAL);
    mr_buf_u64(buf, bits);
}

/* `scale` is NULL where doubles are written in full. */
static void write_value(struct mr_buf *buf, const struct mem_value *value, int64_t time,
                        enum entry_scale *scale)
{
    switch (value->type) {
    case MEM_DOUBLE:
        if (scale != NULL)
            write_double(buf, value->f64, scale);
        else
            mr_buf_u64(buf, (uint64_t)value->i64);
        break;
    case MEM_BIGINT:
        mr_buf_varint(buf, zigzag(value->i64));
        break;
    case MEM_TIMESTAMP:
        mr_buf_varint(buf, zigzag(minus(value->i64, time)));
        break;
    case MEM_BOOLEAN:
        mr_buf_char(buf, value->boolean);
        break;
    case MEM_VARCHAR:
        write_str(buf, value->str);
        break;
    case MEM_NONE:
    case MEM_MULTI:
        MR_ASSERT(!"a value has a type");
    }
}

static bool same_columns(const struct mem_row *a, const struct mem_row *b)
{
    if (a->ncells != b->ncells)
        return false;
    for (uint32_t i = 0; i < a->ncells; i++)
        if (a->cells[i].column != b->cells[i].column)
            return false;
    return true; /* a column has one type */
}

/* The first double speaks for the row: where it is no decimal, the others hardly are, and one byte more for
 * each would buy nothing. */
static bool has_decimals(const struct mem_row *row, enum entry_scale *scale)
{
    uint64_t unused;
    for (uint32_t i = 0; i < row->ncells; i++)
        if (row->cells[i].value.type == MEM_DOUBLE)
            return find_decimal(row->cells[i].value.f64, scale, &unused);
    return false;
}

static void write_row(struct mr_buf *buf, const struct mem_row *row, const struct mem_row *last,
                      enum entry_scale *scale)
{
    bool same = same_columns(row, last), decimals = has_decimals(row, scale);
    unsigned flags = (row->series == last->series ? ENTRY_SAME_SERIES : 0) |
                     (row->version == last->version ? ENTRY_SAME_VERSION : 0) |
                     (same ? ENTRY_SAME_COLUMNS : 0) | (decimals ? ENTRY_DECIMALS : 0);
    mr_buf_char(buf, (char)flags);
    if (row->series != last->series)
        mr_buf_varint(buf, zigzag((int64_t)row->series - (int64_t)last->series));
    mr_buf_varint(buf, zigzag(minus(row->time, last->time)));
    if (row->version != last->version)
        mr_buf_varint(buf, zigzag(minus(row->version, last->version)));
    uint32_t next = 0;
    if (!same)
        mr_buf_varint(buf, row->ncells);
    for (uint32_t i = 0; i < row->ncells && !same; i++) {
        mr_buf_varint(buf, row->cells[i].column - next);
        mr_buf_char(buf, (char)row->cells[i].value.type);
        next = row->cells[i].column + 1u;
    }
    for (uint32_t i = 0; i < row->ncells; i++)
        write_value(buf, &row->cells[i].value, row->time, decimals ? scale : NULL);
}

void entry_write_append(struct mr_buf *buf, uint64_t database_id, uint64_t table_id,
                        const struct mem_table *table, const struct mem_batch *batch)
{
    struct mem_schema schema;
    mem_schema_view(table, &schema);
    write_head(buf, ENTRY_APPEND, database_id, table_id);
    write_columns(buf, &schema, batch);
    write_series(buf, table, batch);
    mr_buf_varint(buf, batch->nrows);
    struct mem_row last = {.series = 0, .version = 1};
    enum entry_scale scale = ENTRY_ONES;
    for (size_t i = 0; i < batch->nrows; i++) {
        write_row(buf, &batch->rows[i], &last, &scale);
        last = batch->rows[i];
    }
}

void entry_write_drop(struct mr_buf *buf, uint64_t database_id, uint64_t table_id)
{
    write_head(buf, ENTRY_DROP, database_id, table_id);
}
