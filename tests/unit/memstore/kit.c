#include "kit.h"

#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const attr_names[] = {"a", "b", "c", "d"};

static struct mem_value value_of(struct kit_words *w, unsigned attr, unsigned content)
{
    switch (attr) {
    case 0:
        return (struct mem_value){.type = MEM_DOUBLE, .f64 = content};
    case 1:
        snprintf(w->text, sizeof w->text, "text %u", content);
        return (struct mem_value){.type = MEM_VARCHAR, .str = mr_str_of(w->text)};
    case 2:
        return (struct mem_value){.type = MEM_BOOLEAN, .boolean = (content & 1) != 0};
    default:
        return (struct mem_value){.type = MEM_BIGINT, .i64 = content};
    }
}

struct mem_record kit_record(struct kit_words *w, struct kit_row row)
{
    struct mem_record r = {.dims = w->dims,
                           .ndims = 1 + row.k / 2 % 2,
                           .measure_name = mr_str_of(row.k % 2 != 0 ? "m" : "s"),
                           .type = row.k % 2 != 0 ? MEM_MULTI : MEM_DOUBLE,
                           .attrs = w->attrs,
                           .time = row.time,
                           .version = row.version};
    snprintf(w->host, sizeof w->host, "h%u", row.k / 2);
    w->dims[0] = (struct mr_pair){MR_STR("host"), mr_str_of(w->host)};
    w->dims[1] = (struct mr_pair){MR_STR("rack"), MR_STR("r")};
    for (unsigned i = 0; i < 4 && r.type == MEM_MULTI; i++)
        if ((row.content >> i & 1) != 0)
            w->attrs[r.nattrs++] = (struct mem_attr){mr_str_of(attr_names[i]), value_of(w, i, row.content)};
    if (r.type != MEM_MULTI)
        w->attrs[r.nattrs++] = (struct mem_attr){MR_STR_NULL, value_of(w, 0, row.content)};
    return r;
}

static uint32_t column_of(const struct mem_table *t, const char *name)
{
    struct mem_schema schema;
    mem_schema_view(t, &schema);
    for (uint32_t i = 0; i < schema.ncolumns; i++)
        if (mr_str_eq(schema.columns[i].name, mr_str_of(name)))
            return i;
    return UINT32_MAX;
}

struct mem_row kit_cells(struct kit_words *w, const struct mem_table *t, struct kit_row row)
{
    struct mem_row out = {row.series, 0, row.time, row.version, w->cells};
    if (row.k % 2 == 0) {
        w->cells[out.ncells++] =
            (struct mem_cell){(uint16_t)column_of(t, "measure_value::double"), value_of(w, 0, row.content)};
        return out;
    }
    for (unsigned i = 0; i < 4; i++) {
        if ((row.content >> i & 1) == 0)
            continue;
        struct mem_cell cell = {(uint16_t)column_of(t, attr_names[i]), value_of(w, i, row.content)};
        uint32_t at = out.ncells++;
        for (; at > 0 && w->cells[at - 1].column > cell.column; at--)
            w->cells[at] = w->cells[at - 1];
        w->cells[at] = cell;
    }
    return out;
}

unsigned kit_k(const struct mem_table *t, uint32_t series)
{
    struct mem_schema schema;
    struct mem_dim dims[MEM_MAX_DIMENSIONS];
    uint32_t measure, ndims;
    mem_schema_view(t, &schema);
    assert_true(mem_series_key(t, series, &measure, dims, &ndims));
    assert_true(dims[0].value.len >= 2 && dims[0].value.ptr[0] == 'h');
    uint64_t host = 0;
    assert_true(mr_str_to_u64((struct mr_str){dims[0].value.ptr + 1, dims[0].value.len - 1}, &host));
    assert_int_equal(ndims, 1 + host % 2);
    return (unsigned)host * 2 + (schema.measures[measure].type == MEM_MULTI);
}

uint32_t kit_series(const struct mem_table *t, unsigned k)
{
    uint32_t from = 0, number;
    while (mem_series_list(t, from, &number, 1) == 1) {
        if (kit_k(t, number) == k)
            return number;
        from = number + 1;
    }
    return UINT32_MAX;
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------- */

struct kit_reader {
    struct mem_cursor *cursor;
    int at[5]; /* vector of attribute a, b, c, d and of the single value; -1: no such column yet */
};

struct kit_reader *kit_reader_open(struct mem_table *t)
{
    struct kit_reader *reader = calloc(1, sizeof *reader);
    assert_non_null(reader);
    uint32_t columns[8] = {MEM_COLUMN_TIME, MEM_COLUMN_VERSION}, count = 2;
    for (unsigned i = 0; i < 5; i++) {
        uint32_t column = column_of(t, i < 4 ? attr_names[i] : "measure_value::double");
        reader->at[i] = column != UINT32_MAX ? (int)count : -1;
        if (column != UINT32_MAX)
            columns[count++] = column;
    }
    check_ok(mem_cursor_open(t, columns, count, &reader->cursor), NULL);
    return reader;
}

void kit_reader_close(struct kit_reader *reader)
{
    mem_cursor_close(reader->cursor);
    free(reader);
}

static const void *cell(const struct mem_vec *vec, size_t row, size_t width)
{
    size_t at = vec->constant ? 0 : row;
    return vec->valid == NULL || vec->valid[at] ? (const char *)vec->values + at * width : NULL;
}

/* The content that row shows; its attributes must agree on it. */
static unsigned content_of(const struct kit_reader *reader, unsigned k, size_t row)
{
    const struct mem_vec *vecs = mem_cursor_vecs(reader->cursor);
    unsigned content = 0;
    const void *cells[5] = {NULL};
    for (unsigned i = 0; i < 5; i++)
        if (reader->at[i] >= 0)
            cells[i] = cell(&vecs[reader->at[i]], row, i == 1 ? sizeof(struct mr_str) : i == 2 ? 1 : 8);
    if (k % 2 == 0) {
        assert_non_null(cells[4]);
        return (unsigned)*(const double *)cells[4];
    }
    for (unsigned i = 0; i < 4; i++)
        content |= (unsigned)(cells[i] != NULL) << i;
    struct kit_words w;
    if (cells[0] != NULL)
        assert_true(*(const double *)cells[0] == content);
    if (cells[1] != NULL)
        assert_true(mr_str_eq(*(const struct mr_str *)cells[1], value_of(&w, 1, content).str));
    if (cells[2] != NULL)
        assert_int_equal(*(const uint8_t *)cells[2], content & 1);
    if (cells[3] != NULL)
        assert_true(*(const int64_t *)cells[3] == content);
    return content;
}

size_t kit_read(struct kit_reader *reader, struct mem_table *t, uint32_t series, int64_t from, int64_t to,
                uint64_t lsn, struct kit_row *out, size_t room)
{
    size_t count = 0, rows;
    unsigned k = kit_k(t, series);
    for (bool more = true; more;) {
        check_ok(mem_cursor_fill(reader->cursor, t, series, &from, to, lsn, &rows, &more), NULL);
        const struct mem_vec *vecs = mem_cursor_vecs(reader->cursor);
        assert_true(count + rows <= room);
        for (size_t i = 0; i < rows; i++)
            out[count++] = (struct kit_row){k, series, *(const int64_t *)cell(&vecs[0], i, 8),
                                            *(const int64_t *)cell(&vecs[1], i, 8), content_of(reader, k, i)};
    }
    return count;
}

enum mem_outcome kit_put(struct mem_table *t, struct mem_scratch *scratch, uint64_t lsn, struct kit_row row)
{
    struct kit_words w;
    struct mem_record r = kit_record(&w, row);
    mem_write_lock(t);
    mem_batch_begin(t, scratch, lsn, 0);
    check_ok(mem_batch_put(t, &r), NULL);
    mem_batch_commit(t, lsn);
    mem_write_unlock(t);
    return r.outcome;
}

/* ---- names
 * ----------------------------------------------------------------------------------------------------- */

void kit_names_take(struct kit_names *names, const struct mem_table *t, const struct mem_batch *batch)
{
    struct mem_schema schema;
    mem_schema_view(t, &schema);
    *names = (struct kit_names){.batch = *batch, .series = calloc(batch->nseries + 1, sizeof *names->series)};
    assert_non_null(names->series);
    for (uint32_t i = 0; i < batch->ncolumns; i++) {
        const struct mem_column *c = &schema.columns[batch->first_column + i];
        names->columns[i] = (struct kit_column){c->role, c->type, ""};
        memcpy(names->columns[i].name, c->name.ptr, c->name.len);
    }
    for (uint32_t i = 0; i < batch->nmeasures; i++) {
        const struct mem_measure *m = &schema.measures[batch->first_measure + i];
        names->measures[i] = (struct kit_column){MEM_MEASURE_NAME, m->type, ""};
        memcpy(names->measures[i].name, m->name.ptr, m->name.len);
    }
    for (size_t i = 0; i < batch->nseries; i++) {
        struct mem_dim dims[MEM_MAX_DIMENSIONS];
        struct kit_key *key = &names->series[i];
        key->number = batch->series[i];
        assert_true(mem_series_key(t, key->number, &key->measure, dims, &key->ndims));
        for (uint32_t d = 0; d < key->ndims; d++) {
            memcpy(key->values[d], dims[d].value.ptr, dims[d].value.len);
            key->dims[d].column = dims[d].column;
        }
    }
}

int kit_names_load(const struct kit_names *names, struct mem_table *t)
{
    const struct mem_batch *b = &names->batch;
    int rc = MR_OK;
    for (uint32_t i = 0; i < b->ncolumns && rc == MR_OK; i++)
        rc = mem_load_column(t, b->first_column + i, names->columns[i].role, names->columns[i].type,
                             mr_str_of(names->columns[i].name));
    for (uint32_t i = 0; i < b->nmeasures && rc == MR_OK; i++)
        rc = mem_load_measure(t, b->first_measure + i, names->measures[i].type,
                              mr_str_of(names->measures[i].name));
    for (size_t i = 0; i < b->nseries && rc == MR_OK; i++) {
        const struct kit_key *key = &names->series[i];
        struct mem_dim dims[2];
        for (uint32_t d = 0; d < key->ndims; d++)
            dims[d] = (struct mem_dim){key->dims[d].column, mr_str_of(key->values[d])};
        rc = mem_load_series(t, key->number, key->measure, dims, key->ndims);
    }
    return rc;
}

void kit_names_free(struct kit_names *names)
{
    free(names->series);
    names->series = NULL;
}
