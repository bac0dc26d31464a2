/* memstore/put.c - one record against everything before it: judged as a whole, then applied (write-api
 * reference, sections 5.7 and 5.10). Judging changes nothing, so a refused record leaves no trace in the
 * schema. */
#include "memstore/table.h"

#define NEW_COLUMN UINT16_MAX /* of a cell whose attribute is not in the schema yet; sorts last */

/* What judging found out, for applying. */
struct judged {
    struct mem_series *series; /* NULL: to be made */
    uint32_t series_hash;
    uint32_t measure; /* MEM_NOT_FOUND: to be made */
    struct mem_row row;
    struct mem_cell *cells;                      /* of the row; sorted by column, new columns last */
    struct mr_str new_names[MEM_MAX_ATTRIBUTES]; /* of the new columns among the cells, in their order */
    uint32_t nnew;
    bool found; /* a row is there */
    struct spot spot;
    bool unknown; /* whether a row is there: files must say */
};

static enum mem_outcome refuse(struct mem_record *r, enum mem_outcome outcome, struct mr_str detail)
{
    r->outcome = outcome;
    r->detail = detail;
    return outcome;
}

/* ---- judging
 * --------------------------------------------------------------------------------------------------- */

static enum mem_outcome judge_measure(const struct mem_table *t, struct mem_record *r, struct judged *j)
{
    j->measure = j->series != NULL ? j->series->measure : schema_find_measure(t, r->measure_name);
    if (j->measure == MEM_NOT_FOUND)
        return t->nmeasures >= MEM_MAX_MEASURES ? refuse(r, MEM_REJECT_MEASURE_LIMIT, r->measure_name)
                                                : MEM_STORED;
    if (t->measures[j->measure].type != r->type)
        return refuse(r, MEM_REJECT_MEASURE_TYPE, r->measure_name);
    return MEM_STORED;
}

static enum mem_outcome judge_dims(const struct mem_table *t, struct mem_record *r)
{
    uint32_t count = t->ndimensions;
    for (uint32_t i = 0; i < r->ndims; i++) {
        uint32_t column = schema_find_column(t, r->dims[i].name);
        if (column == MEM_NOT_FOUND) {
            if (++count > MEM_MAX_DIMENSIONS)
                return refuse(r, MEM_REJECT_DIMENSION_LIMIT, r->dims[i].name);
        } else if (t->columns[column].role != MEM_DIMENSION) {
            return refuse(r, MEM_REJECT_NAME_IS_MEASURE, r->dims[i].name);
        }
    }
    return MEM_STORED;
}

/* Is it one of the record's own dimensions? They are sorted. */
static bool is_own_dim(const struct mem_record *r, struct mr_str name)
{
    uint32_t low = 0, high = r->ndims;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        int order = mr_str_cmp(r->dims[mid].name, name);
        if (order == 0)
            return true;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

static enum mem_outcome judge_attr(const struct mem_table *t, struct mem_record *r,
                                   const struct mem_attr *attr, struct judged *j, struct mem_cell *cell)
{
    uint32_t column = schema_find_column(t, attr->name);
    *cell = (struct mem_cell){NEW_COLUMN, attr->value};
    if (column == MEM_NOT_FOUND) {
        if (is_own_dim(r, attr->name))
            return refuse(r, MEM_REJECT_NAME_IS_DIMENSION, attr->name);
        if (t->nattributes + j->nnew >= MEM_MAX_ATTRIBUTES)
            return refuse(r, MEM_REJECT_ATTRIBUTE_LIMIT, attr->name);
        j->new_names[j->nnew++] = attr->name;
        return MEM_STORED;
    }
    if (t->columns[column].role != MEM_ATTRIBUTE)
        return refuse(r, MEM_REJECT_NAME_IS_DIMENSION, attr->name);
    if (t->columns[column].type != attr->value.type)
        return refuse(r, MEM_REJECT_ATTRIBUTE_TYPE, attr->name);
    cell->column = (uint16_t)column;
    return MEM_STORED;
}

static enum mem_outcome judge_value(const struct mem_table *t, struct mem_record *r, struct judged *j)
{
    struct mr_str name = schema_value_column_name(r->type);
    uint32_t column = t->value_column[r->type];
    j->cells[0] = (struct mem_cell){column != 0 ? (uint16_t)column : NEW_COLUMN, r->attrs[0].value};
    if (column != 0)
        return MEM_STORED;
    if (schema_find_column(t, name) != MEM_NOT_FOUND || is_own_dim(r, name))
        return refuse(r, MEM_REJECT_NAME_IS_DIMENSION, name);
    j->new_names[j->nnew++] = name;
    return MEM_STORED;
}

/* Stable, and clients send attributes in the same order each time: nearly always one pass. */
static void sort_cells(struct mem_cell *cells, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct mem_cell cell = cells[i];
        uint32_t at = i;
        for (; at > 0 && cells[at - 1].column > cell.column; at--)
            cells[at] = cells[at - 1];
        cells[at] = cell;
    }
}

static enum mem_outcome judge_attrs(const struct mem_table *t, struct mem_record *r, struct judged *j)
{
    if (r->type != MEM_MULTI)
        return judge_value(t, r, j);
    for (uint32_t i = 0; i < r->nattrs; i++) {
        enum mem_outcome outcome = judge_attr(t, r, &r->attrs[i], j, &j->cells[i]);
        if (outcome != MEM_STORED)
            return outcome;
    }
    sort_cells(j->cells, r->nattrs);
    return MEM_STORED;
}

static bool same_value(const struct mem_chunk *c, const struct mem_col *col, uint32_t row,
                       const struct mem_value *value)
{
    if (col->type == MEM_BOOLEAN)
        return ((const uint8_t *)chunk_values(c, col))[row] == value->boolean;
    union mem_bits bits = ((const union mem_bits *)chunk_values(c, col))[row];
    if (col->type == MEM_VARCHAR)
        return mr_str_eq((struct mr_str){bits.text->bytes, bits.text->len}, value->str);
    return bits.i64 == value->i64; /* doubles by their bits: no NaN comes in, and -0.0 is another value */
}

static bool same_content(const struct mem_chunk *c, uint32_t row, const struct mem_row *want)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < c->ncols; i++) {
        const struct mem_col *col = &c->cols[i];
        if (col->nullable && !chunk_valid(c, col)[row])
            continue;
        if (next == want->ncells || want->cells[next].column != col->column ||
            !same_value(c, col, row, &want->cells[next].value))
            return false;
        next++;
    }
    return next == want->ncells;
}

static bool same_cells(const struct mem_row *a, const struct mem_row *b)
{
    if (a->ncells != b->ncells)
        return false;
    for (uint32_t i = 0; i < a->ncells; i++) {
        const struct mem_value *x = &a->cells[i].value, *y = &b->cells[i].value;
        if (a->cells[i].column != b->cells[i].column || x->type != y->type)
            return false;
        if (x->type == MEM_VARCHAR ? !mr_str_eq(x->str, y->str)
                                   : (x->type == MEM_BOOLEAN ? x->boolean != y->boolean : x->i64 != y->i64))
            return false;
    }
    return true;
}

/* The row there has this version; MEM_DUPLICATE: the same, so that the content decides. */
static enum mem_outcome judge_against(struct mem_record *r, int64_t there)
{
    r->existing_version = there;
    if (r->version < there)
        return refuse(r, MEM_REJECT_LOWER_VERSION, r->measure_name);
    return r->version > there ? MEM_STORED : MEM_DUPLICATE;
}

/* The row is not in memory and may be in files. */
static enum mem_outcome judge_filed(const struct mem_table *t, struct mem_record *r, struct judged *j)
{
    const struct mem_prior *prior = prior_find(t->batch, j->series->number, r->time);
    j->unknown = prior == NULL;
    if (prior == NULL || !prior->found)
        return MEM_STORED;
    enum mem_outcome outcome = judge_against(r, prior->row.version);
    if (outcome != MEM_DUPLICATE)
        return outcome;
    j->unknown = !prior->whole;
    if (j->unknown)
        return MEM_STORED;
    bool same = same_cells(&j->row, &prior->row); /* a new attribute has a number like no other */
    return refuse(r, same ? MEM_DUPLICATE : MEM_REJECT_SAME_VERSION, r->measure_name);
}

static enum mem_outcome judge_version(const struct mem_table *t, struct mem_record *r, struct judged *j)
{
    if (j->series == NULL)
        return MEM_STORED;
    if (!series_locate(j->series, r->time, &j->spot))
        return r->time > j->series->file_time ? MEM_STORED : judge_filed(t, r, j);
    const struct mem_chunk *c = series_chunk(j->series, j->spot.run);
    j->found = true;
    enum mem_outcome outcome = judge_against(r, chunk_version(c, j->spot.row));
    if (outcome != MEM_DUPLICATE)
        return outcome;
    bool same = j->nnew == 0 && same_content(c, j->spot.row, &j->row);
    return refuse(r, same ? MEM_DUPLICATE : MEM_REJECT_SAME_VERSION, r->measure_name);
}

static enum mem_outcome judge(struct mem_table *t, struct mem_record *r, struct judged *j)
{
    j->series = r->looked_up;
    if (j->series == NULL)
        j->series = series_of(t, &t->batch->lookup, r, &j->series_hash);
    enum mem_outcome outcome = judge_measure(t, r, j);
    if (outcome == MEM_STORED && j->series == NULL)
        outcome = judge_dims(t, r);
    if (outcome == MEM_STORED)
        outcome = judge_attrs(t, r, j);
    return outcome == MEM_STORED ? judge_version(t, r, j) : outcome;
}

/* ---- applying
 * -------------------------------------------------------------------------------------------------- */

static int add_column(struct mem_table *t, enum mem_role role, enum mem_type type, struct mr_str name)
{
    int rc = batch_room(t);
    if (rc == MR_OK)
        rc = schema_add_column(t, role, type, name);
    if (rc == MR_OK)
        batch_note(t, (struct op){.kind = OP_COLUMN});
    return rc;
}

static int add_dims(struct mem_table *t, const struct mem_record *r, uint16_t *columns)
{
    for (uint32_t i = 0; i < r->ndims; i++) {
        uint32_t column = schema_find_column(t, r->dims[i].name);
        if (column == MEM_NOT_FOUND) {
            column = t->ncolumns;
            int rc = add_column(t, MEM_DIMENSION, MEM_VARCHAR, r->dims[i].name);
            if (rc != MR_OK)
                return rc;
        }
        columns[i] = (uint16_t)column;
    }
    return MR_OK;
}

static int add_new_columns(struct mem_table *t, const struct mem_record *r, struct judged *j)
{
    enum mem_role role = r->type == MEM_MULTI ? MEM_ATTRIBUTE : MEM_MEASURE_VALUE;
    for (uint32_t i = 0; i < j->nnew; i++) {
        struct mem_cell *cell = &j->cells[j->row.ncells - j->nnew + i];
        cell->column = (uint16_t)t->ncolumns;
        int rc = add_column(t, role, cell->value.type, j->new_names[i]);
        if (rc != MR_OK)
            return rc;
    }
    return MR_OK;
}

static int add_measure(struct mem_table *t, const struct mem_record *r, struct judged *j)
{
    if (j->measure != MEM_NOT_FOUND)
        return MR_OK;
    j->measure = t->nmeasures;
    int rc = batch_room(t);
    if (rc == MR_OK)
        rc = schema_add_measure(t, r->type, r->measure_name);
    if (rc == MR_OK)
        batch_note(t, (struct op){.kind = OP_MEASURE});
    return rc;
}

static int see_dims(struct mem_table *t, uint32_t measure, const uint16_t *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool added = false;
        int rc = batch_room(t);
        if (rc == MR_OK)
            rc = schema_measure_sees(t, measure, columns[i], &added);
        if (rc != MR_OK)
            return rc;
        if (added)
            batch_note(t, (struct op){.kind = OP_MEASURE_DIM, .number = measure});
    }
    return MR_OK;
}

static int add_series(struct mem_table *t, const struct mem_record *r, struct judged *j)
{
    struct mem_scratch *b = t->batch;
    uint16_t columns[MEM_MAX_DIMENSIONS];
    int rc = add_dims(t, r, columns);
    if (rc == MR_OK)
        rc = add_measure(t, r, j);
    if (rc == MR_OK)
        rc = see_dims(t, j->measure, columns, r->ndims);
    if (rc == MR_OK)
        rc = batch_room(t);
    if (rc == MR_OK)
        rc = mr_grow((void **)&b->series, &b->series_cap, b->nseries + 1, sizeof *b->series);
    if (rc != MR_OK)
        return rc;
    j->series = series_new(t, t->next_series, j->series_hash, j->measure, r->dims, columns, r->ndims);
    if (j->series == NULL)
        return mem_heap_status(&t->heap);
    batch_note(t, (struct op){.kind = OP_SERIES, .number = j->series->number});
    b->series[b->nseries++] = j->series->number;
    b->lookup.last = j->series;
    b->lookup.peer = j->series;
    return MR_OK;
}

static int apply_row(struct mem_table *t, struct judged *j)
{
    struct op op = {.kind = OP_INSERT, .number = j->series->number, .time = j->row.time};
    int rc = batch_room(t);
    if (rc != MR_OK)
        return rc;
    MR_ASSERT(j->series != NULL); /* apply_series made it when it was not there */
    if (!j->found) {
        if (j->series->nruns == 0)
            j->spot = (struct spot){0, 0};
        rc = series_insert(t, j->series, j->spot, &j->row, t->batch->lsn);
    } else {
        op.kind = OP_REPLACE;
        rc = series_replace(t, j->series, j->spot, &j->row, t->batch->lsn, &op.old);
    }
    if (rc == MR_OK)
        batch_note(t, op);
    return rc;
}

static int apply(struct mem_table *t, const struct mem_record *r, struct judged *j)
{
    struct mem_scratch *b = t->batch;
    int rc = mr_grow((void **)&b->rows, &b->rows_cap, b->nrows + 1, sizeof *b->rows);
    if (rc == MR_OK && j->series == NULL)
        rc = add_series(t, r, j);
    if (rc == MR_OK)
        rc = add_new_columns(t, r, j);
    if (rc != MR_OK)
        return rc;
    j->row.series = j->series->number;
    rc = apply_row(t, j);
    if (rc == MR_OK)
        b->rows[b->nrows++] = j->row;
    return rc;
}

static bool well_formed(const struct mem_record *r)
{
    bool single = r->type >= MEM_DOUBLE && r->type <= MEM_BOOLEAN;
    if (r->ndims > MEM_MAX_DIMENSIONS || r->nattrs == 0 || r->nattrs > MEM_MAX_ATTRIBUTES)
        return false;
    for (uint32_t i = 0; i < r->nattrs; i++)
        if (r->attrs[i].value.type < MEM_DOUBLE || r->attrs[i].value.type > MEM_TIMESTAMP)
            return false;
    return r->type == MEM_MULTI || (single && r->nattrs == 1 && r->attrs[0].value.type == r->type);
}

void mem_batch_look_up(struct mem_table *t, struct mem_record *records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t hash;
        struct mem_series *s = series_of(t, &t->batch->lookup, &records[i], &hash);
        records[i].looked_up = s;
        if (s != NULL && s->nruns != 0)
            __builtin_prefetch(series_slot(s, s->nruns - 1));
    }
    for (size_t i = 0; i < count; i++) {
        const struct mem_series *s = records[i].looked_up;
        if (s != NULL && s->nruns != 0)
            __builtin_prefetch(series_chunk(s, s->nruns - 1));
    }
    for (size_t i = 0; i < count; i++) {
        const struct mem_series *s = records[i].looked_up;
        if (s != NULL && s->nruns != 0)
            chunk_prefetch_end(series_chunk(s, s->nruns - 1));
    }
}

int mem_batch_put(struct mem_table *t, struct mem_record *r)
{
    struct judged j; /* 4 KiB of names: filled as far as needed, not cleared */
    j.spot = (struct spot){0, 0};
    r->existing_version = 0;
    r->detail = MR_STR_NULL;
    if (!well_formed(r))
        return MR_EINVAL;
    j.cells = mr_arena_alloc(&t->batch->arena, r->nattrs * sizeof *j.cells);
    if (j.cells == NULL)
        return MR_ENOMEM;
    j.series = NULL;
    j.series_hash = 0;
    j.nnew = 0;
    j.found = j.unknown = false;
    j.row = (struct mem_row){0, r->nattrs, r->time, r->version, j.cells};
    r->outcome = judge(t, r, &j);
    if (j.unknown)
        return MR_EAGAIN;
    return r->outcome == MEM_STORED ? apply(t, r, &j) : MR_OK;
}
