#include "store/private.h"

/* One block for all names: a query copies the schema each time. */
struct names {
    char *next;
};

static struct mr_str keep(struct names *names, struct mr_str name)
{
    struct mr_str copy = {names->next, name.len};
    memcpy(names->next, name.ptr, name.len);
    names->next[name.len] = '\0';
    names->next += name.len + 1;
    return copy;
}

static int copy(const struct mem_schema *from, struct mr_arena *arena, struct store_schema *out)
{
    size_t bytes = 0, ndims = 0;
    for (uint32_t i = 0; i < from->ncolumns; i++)
        bytes += from->columns[i].name.len + 1;
    for (uint32_t i = 0; i < from->nmeasures; i++) {
        bytes += from->measures[i].name.len + 1;
        ndims += from->measures[i].ndims;
    }
    struct names names = {mr_arena_alloc(arena, bytes)};
    struct store_column *columns = MR_ARENA_ARRAY(arena, from->ncolumns, struct store_column);
    struct store_measure *measures = MR_ARENA_ARRAY(arena, from->nmeasures + 1, struct store_measure);
    uint32_t *dims = MR_ARENA_ARRAY(arena, ndims + 1, uint32_t);
    if (names.next == NULL || columns == NULL || measures == NULL || dims == NULL)
        return MR_ENOMEM;
    for (uint32_t i = 0; i < from->ncolumns; i++) {
        const struct mem_column *column = &from->columns[i];
        columns[i] = (struct store_column){keep(&names, column->name), (enum store_type)column->type,
                                           (enum store_role)column->role};
    }
    for (uint32_t i = 0; i < from->nmeasures; i++) {
        const struct mem_measure *measure = &from->measures[i];
        measures[i] = (struct store_measure){keep(&names, measure->name), (enum store_type)measure->type,
                                             dims, measure->ndims};
        for (uint32_t d = 0; d < measure->ndims; d++)
            *dims++ = measure->dims[d];
    }
    *out = (struct store_schema){columns, from->ncolumns, measures, from->nmeasures, from->version};
    return MR_OK;
}

int store_schema_get(struct store_table *table, struct mr_arena *arena, struct store_schema *out)
{
    if (!table_pin(table))
        return MR_ENOENT;
    struct mem_schema schema;
    mem_read_lock(table->mem);
    mem_schema_view(table->mem, &schema);
    int rc = copy(&schema, arena, out);
    mem_read_unlock(table->mem);
    table_unpin(table);
    return rc;
}
