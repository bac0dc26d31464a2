/* memstore/names.c - the names of a table in portions, for those who write them to files. */
#include "memstore/table.h"

size_t mem_series_list(const struct mem_table *t, uint32_t from, uint32_t *out, size_t room)
{
    size_t count = 0;
    while (count < room) {
        uint32_t number = mem_pages_after(&t->series, from);
        if (number == UINT32_MAX)
            break;
        out[count++] = number;
        from = number + 1;
    }
    return count;
}

uint32_t mem_names_since(const struct mem_table *t, uint32_t first_column, uint32_t first_measure,
                         uint32_t from, uint32_t *numbers, size_t room, struct mem_batch *out)
{
    *out = (struct mem_batch){.first_column = first_column,
                              .first_measure = first_measure,
                              .series = numbers,
                              .nseries = mem_series_list(t, from, numbers, room)};
    if (first_column < t->ncolumns)
        out->ncolumns = t->ncolumns - first_column;
    if (first_measure < t->nmeasures)
        out->nmeasures = t->nmeasures - first_measure;
    if (out->nseries < room || room == 0)
        return room != 0 ? t->next_series : from;
    return numbers[room - 1] + 1;
}
