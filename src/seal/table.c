/* seal/table.c - the data keys in memory. */
#include "seal/private.h"

int seal_table_new(size_t room, struct seal_table *out)
{
    *out = (struct seal_table){.room = room};
    if (room == 0)
        return MR_OK;
    out->names = mr_calloc(room, sizeof *out->names);
    if (out->names == NULL || seal_pages_new(room * sizeof(struct seal_key), &out->pages) != MR_OK) {
        seal_table_release(out);
        return MR_ENOMEM;
    }
    return MR_OK;
}

void seal_table_release(struct seal_table *table)
{
    mr_free(table->names);
    seal_pages_free(&table->pages);
    *table = (struct seal_table){.room = 0};
}

struct seal_key *seal_table_key(const struct seal_table *table, size_t index)
{
    return (struct seal_key *)table->pages.ptr + index;
}

struct seal_key *seal_table_add(struct seal_table *table, struct seal_name name)
{
    MR_ASSERT(table->count < table->room);
    MR_ASSERT(table->count == 0 || seal_name_compare(table->names[table->count - 1], name) < 0);
    table->names[table->count] = name;
    return seal_table_key(table, table->count++);
}

int seal_name_compare(struct seal_name a, struct seal_name b)
{
    if (a.scope != b.scope)
        return a.scope < b.scope ? -1 : 1;
    return (a.generation > b.generation) - (a.generation < b.generation);
}

size_t seal_table_find(const struct seal_table *table, struct seal_name name)
{
    size_t low = 0, high = table->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (seal_name_compare(table->names[mid], name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}
