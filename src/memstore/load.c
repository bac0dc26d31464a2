/* memstore/load.c - what the log and files of names say was accepted, applied without judging again. */
#include "memstore/table.h"

#define LOAD_GAP (UINT32_C(1) << 28) /* more series than that do not die in a row: the number is damaged */

int mem_load_column(struct mem_table *t, uint32_t column, enum mem_role role, enum mem_type type,
                    struct mr_str name)
{
    if (column < t->ncolumns) {
        const struct mem_column *there = &t->columns[column];
        return there->role == role && there->type == type && mr_str_eq(there->name, name) ? MR_OK : MR_EINVAL;
    }
    bool fits = column == t->ncolumns && schema_find_column(t, name) == MEM_NOT_FOUND;
    if (role == MEM_DIMENSION)
        fits = fits && type == MEM_VARCHAR && t->ndimensions < MEM_MAX_DIMENSIONS;
    else if (role == MEM_ATTRIBUTE)
        fits = fits && type >= MEM_DOUBLE && type <= MEM_TIMESTAMP && t->nattributes < MEM_MAX_ATTRIBUTES;
    else
        fits = fits && role == MEM_MEASURE_VALUE && type >= MEM_DOUBLE && type <= MEM_BOOLEAN &&
               mr_str_eq(name, schema_value_column_name(type));
    if (!fits)
        return MR_EINVAL;
    t->heap.loading = true;
    int rc = schema_add_column(t, role, type, name);
    t->heap.loading = false;
    return rc;
}

int mem_load_measure(struct mem_table *t, uint32_t measure, enum mem_type type, struct mr_str name)
{
    if (measure < t->nmeasures)
        return t->measures[measure].type == type && mr_str_eq(t->measures[measure].name, name) ? MR_OK
                                                                                               : MR_EINVAL;
    bool typed = (type >= MEM_DOUBLE && type <= MEM_BOOLEAN) || type == MEM_MULTI;
    if (measure != t->nmeasures || measure >= MEM_MAX_MEASURES || !typed ||
        schema_find_measure(t, name) != MEM_NOT_FOUND)
        return MR_EINVAL;
    t->heap.loading = true;
    int rc = schema_add_measure(t, type, name);
    t->heap.loading = false;
    return rc;
}

/* The key by names, as the index wants it. */
static bool key_of(const struct mem_table *t, const struct mem_dim *dims, uint32_t ndims,
                   struct mr_pair *pairs, uint16_t *columns)
{
    for (uint32_t i = 0; i < ndims; i++) {
        if (dims[i].column >= t->ncolumns || t->columns[dims[i].column].role != MEM_DIMENSION)
            return false;
        pairs[i] = (struct mr_pair){t->columns[dims[i].column].name, dims[i].value};
        columns[i] = dims[i].column;
        if (i != 0 && mr_str_cmp(pairs[i - 1].name, pairs[i].name) >= 0)
            return false;
    }
    return true;
}

/* The number is the next one or higher. */
static int load_new_series(struct mem_table *t, uint32_t number, uint32_t measure,
                           const struct mr_pair *pairs, const uint16_t *columns, uint32_t ndims)
{
    for (uint32_t i = 0; i < ndims; i++) {
        bool added;
        if (schema_measure_sees(t, measure, columns[i], &added) != MR_OK)
            return MR_ENOMEM;
    }
    struct mr_str name = t->measures[measure].name;
    uint32_t hash = series_hash(series_dims_hash(pairs, ndims), name);
    struct mem_series *s = series_find(t, hash, name, pairs, ndims);
    /* Born again after all its rows had expired: the log still holds its first life, the new number counts.
     */
    if (s != NULL)
        return series_renumber(t, s, number);
    return series_new(t, number, hash, measure, pairs, columns, ndims) != NULL ? MR_OK : MR_ENOMEM;
}

/* A series that is there under this number must be the same one. */
static int load_known_series(const struct mem_table *t, uint32_t number, uint32_t measure,
                             const struct mr_pair *pairs, uint32_t ndims)
{
    const struct mem_series *s = mem_pages_get(&t->series, number);
    if (s == NULL)
        return number < t->named_below ? MR_OK : MR_EINVAL;
    return series_has_key(t, s, t->measures[measure].name, pairs, ndims) ? MR_OK : MR_EINVAL;
}

int mem_load_series(struct mem_table *t, uint32_t number, uint32_t measure, const struct mem_dim *dims,
                    uint32_t ndims)
{
    struct mr_pair pairs[MEM_MAX_DIMENSIONS];
    uint16_t columns[MEM_MAX_DIMENSIONS];
    if (number == MEM_NOT_FOUND || (number > t->next_series && number - t->next_series > LOAD_GAP) ||
        measure >= t->nmeasures || ndims > MEM_MAX_DIMENSIONS || !key_of(t, dims, ndims, pairs, columns))
        return MR_EINVAL;
    if (number < t->next_series)
        return load_known_series(t, number, measure, pairs, ndims);
    t->heap.loading = true;
    int rc = load_new_series(t, number, measure, pairs, columns, ndims);
    t->heap.loading = false;
    struct mem_series *s = mem_pages_get(&t->series, number);
    if (rc == MR_OK && s->file_time < t->load_file)
        s->file_time = t->load_file;
    if (rc == MR_OK && t->load_file < t->lowest) /* an eviction will look at series without rows */
        t->lowest = t->load_file;
    return rc;
}

void mem_load_filed(struct mem_table *t, int64_t time)
{
    t->load_file = time;
}

void mem_load_next(struct mem_table *t, uint32_t next)
{
    if (next > t->next_series)
        t->next_series = next;
    if (next > t->named_below)
        t->named_below = next;
}

static bool row_fits(const struct mem_table *t, const struct mem_series *s, const struct mem_row *row)
{
    enum mem_type type = t->measures[s->measure].type;
    if (row->ncells == 0 || row->ncells > MEM_MAX_ATTRIBUTES || (type != MEM_MULTI && row->ncells != 1))
        return false;
    for (uint32_t i = 0; i < row->ncells; i++) {
        const struct mem_cell *cell = &row->cells[i];
        if (cell->column <= MEM_COLUMN_MEASURE_NAME || cell->column >= t->ncolumns ||
            t->columns[cell->column].type != cell->value.type ||
            (i != 0 && row->cells[i - 1].column >= cell->column))
            return false;
        if (type == MEM_MULTI ? t->columns[cell->column].role != MEM_ATTRIBUTE
                              : cell->column != t->value_column[type])
            return false;
    }
    return row->time >= 0 && row->version >= 1;
}

int mem_load_row(struct mem_table *t, const struct mem_row *row, uint64_t lsn)
{
    struct mem_series *s = mem_pages_get(&t->series, row->series);
    if (s == NULL && row->series < t->named_below)
        return MR_OK;
    if (s == NULL || !row_fits(t, s, row))
        return MR_EINVAL;
    struct spot spot;
    t->heap.loading = true;
    int rc = series_locate(s, row->time, &spot) ? series_replace(t, s, spot, row, lsn, NULL)
                                                : series_insert(t, s, spot, row, lsn);
    t->heap.loading = false;
    return rc;
}
