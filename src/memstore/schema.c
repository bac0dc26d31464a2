#include "memstore/table.h"

uint32_t schema_find_column(const struct mem_table *t, struct mr_str name)
{
    struct mem_probe probe;
    for (uint32_t n = mem_map_find(&t->column_map, mem_hash(name), &probe); n != MEM_NOT_FOUND;
         n = mem_map_next(&probe))
        if (mr_str_eq(t->columns[n].name, name))
            return n;
    return MEM_NOT_FOUND;
}

uint32_t schema_find_measure(const struct mem_table *t, struct mr_str name)
{
    struct mem_probe probe;
    for (uint32_t n = mem_map_find(&t->measure_map, mem_hash(name), &probe); n != MEM_NOT_FOUND;
         n = mem_map_next(&probe))
        if (mr_str_eq(t->measures[n].name, name))
            return n;
    return MEM_NOT_FOUND;
}

struct mr_str schema_value_column_name(enum mem_type type)
{
    switch (type) {
    case MEM_DOUBLE:
        return MR_STR("measure_value::double");
    case MEM_BIGINT:
        return MR_STR("measure_value::bigint");
    case MEM_VARCHAR:
        return MR_STR("measure_value::varchar");
    case MEM_BOOLEAN:
        return MR_STR("measure_value::boolean");
    case MEM_TIMESTAMP:
        return MR_STR("measure_value::timestamp");
    default:
        return MR_STR_NULL;
    }
}

static char *name_copy(struct mem_table *t, struct mr_str name)
{
    char *copy = mem_alloc(&t->heap, MEM_SERIES, name.len + 1);
    if (copy == NULL)
        return NULL;
    if (name.len != 0)
        memcpy(copy, name.ptr, name.len);
    copy[name.len] = '\0';
    return copy;
}

static void name_free(struct mem_table *t, struct mr_str name)
{
    mem_free(&t->heap, MEM_SERIES, (char *)name.ptr, name.len + 1);
}

int schema_add_column(struct mem_table *t, enum mem_role role, enum mem_type type, struct mr_str name)
{
    struct mem_heap *heap = &t->heap;
    uint32_t n = t->ncolumns;
    if (mem_grow(heap, MEM_SERIES, (void **)&t->columns, &t->columns_cap, n + 1, 8, sizeof *t->columns) !=
            MR_OK ||
        mem_grow(heap, MEM_SERIES, (void **)&t->dicts, &t->dicts_cap, n + 1, 8, sizeof *t->dicts) != MR_OK)
        return mem_heap_status(heap);
    char *copy = name_copy(t, name);
    struct mem_dict *dict =
        copy != NULL && role == MEM_DIMENSION ? mem_alloc(heap, MEM_SERIES, sizeof *dict) : NULL;
    if (copy == NULL || (role == MEM_DIMENSION && dict == NULL) ||
        mem_map_insert(&t->column_map, heap, mem_hash(name), n) != MR_OK) {
        mem_free(heap, MEM_SERIES, copy, name.len + 1);
        mem_free(heap, MEM_SERIES, dict, sizeof *dict);
        return mem_heap_status(heap);
    }
    if (dict != NULL)
        memset(dict, 0, sizeof *dict);
    t->columns[n] = (struct mem_column){{copy, name.len}, type, role};
    t->dicts[n] = dict;
    t->ncolumns++;
    t->ndimensions += role == MEM_DIMENSION;
    t->nattributes += role == MEM_ATTRIBUTE;
    if (role == MEM_MEASURE_VALUE)
        t->value_column[type] = n;
    t->schema_version++;
    return MR_OK;
}

static void column_free(struct mem_table *t, uint32_t n)
{
    if (t->dicts[n] != NULL) {
        mem_dict_release(t->dicts[n], &t->heap);
        mem_free(&t->heap, MEM_SERIES, t->dicts[n], sizeof *t->dicts[n]);
    }
    name_free(t, t->columns[n].name);
}

void schema_drop_last_column(struct mem_table *t)
{
    uint32_t n = --t->ncolumns;
    const struct mem_column *column = &t->columns[n];
    mem_map_remove(&t->column_map, mem_hash(column->name), n);
    t->ndimensions -= column->role == MEM_DIMENSION;
    t->nattributes -= column->role == MEM_ATTRIBUTE;
    if (column->role == MEM_MEASURE_VALUE)
        t->value_column[column->type] = 0;
    column_free(t, n);
}

int schema_add_measure(struct mem_table *t, enum mem_type type, struct mr_str name)
{
    struct mem_heap *heap = &t->heap;
    uint32_t n = t->nmeasures;
    if (mem_grow(heap, MEM_SERIES, (void **)&t->measures, &t->measures_cap, n + 1, 4, sizeof *t->measures) !=
            MR_OK ||
        mem_grow(heap, MEM_SERIES, (void **)&t->measure_index, &t->index_cap, n + 1, 4,
                 sizeof *t->measure_index) != MR_OK)
        return mem_heap_status(heap);
    char *copy = name_copy(t, name);
    if (copy == NULL || mem_map_insert(&t->measure_map, heap, mem_hash(name), n) != MR_OK) {
        mem_free(heap, MEM_SERIES, copy, name.len + 1);
        return mem_heap_status(heap);
    }
    t->measures[n] = (struct mem_measure){{copy, name.len}, type, NULL, 0, 0};
    t->measure_index[n] = (struct measure_index){{0, 0, {0}}, 0};
    t->nmeasures++;
    t->schema_version++;
    return MR_OK;
}

static void measure_free(struct mem_table *t, uint32_t n)
{
    struct mem_measure *measure = &t->measures[n];
    mem_posting_release(&t->measure_index[n].posting, &t->heap);
    mem_free(&t->heap, MEM_SERIES, measure->dims, measure->dims_cap * sizeof *measure->dims);
    name_free(t, measure->name);
}

void schema_drop_last_measure(struct mem_table *t)
{
    uint32_t n = --t->nmeasures;
    mem_map_remove(&t->measure_map, mem_hash(t->measures[n].name), n);
    measure_free(t, n);
}

int schema_measure_sees(struct mem_table *t, uint32_t measure, uint16_t column, bool *added)
{
    struct mem_measure *m = &t->measures[measure];
    *added = false;
    for (uint32_t i = 0; i < m->ndims; i++)
        if (m->dims[i] == column)
            return MR_OK;
    if (mem_grow(&t->heap, MEM_SERIES, (void **)&m->dims, &m->dims_cap, m->ndims + 1, 4, sizeof *m->dims) !=
        MR_OK)
        return mem_heap_status(&t->heap);
    m->dims[m->ndims++] = column;
    t->schema_version++;
    *added = true;
    return MR_OK;
}

void schema_release(struct mem_table *t)
{
    struct mem_heap *heap = &t->heap;
    for (uint32_t n = 0; n < t->ncolumns; n++)
        column_free(t, n);
    for (uint32_t n = 0; n < t->nmeasures; n++)
        measure_free(t, n);
    mem_free(heap, MEM_SERIES, t->columns, t->columns_cap * sizeof *t->columns);
    mem_free(heap, MEM_SERIES, t->dicts, t->dicts_cap * sizeof *t->dicts);
    mem_free(heap, MEM_SERIES, t->measures, t->measures_cap * sizeof *t->measures);
    mem_free(heap, MEM_SERIES, t->measure_index, t->index_cap * sizeof *t->measure_index);
    mem_map_release(&t->column_map, heap);
    mem_map_release(&t->measure_map, heap);
}

void mem_schema_view(const struct mem_table *t, struct mem_schema *out)
{
    *out = (struct mem_schema){t->columns, t->measures, t->ncolumns, t->nmeasures, t->schema_version};
}
