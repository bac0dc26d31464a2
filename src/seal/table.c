/* seal/table.c - the data keys in memory, and how each is wrapped. */
#include "seal/private.h"

int seal_wrap_new(const struct seal_wrapping *by, struct mr_str blob, struct seal_wrap **out)
{
    struct seal_wrap *wrap = mr_malloc(sizeof *wrap + by->key.len + by->binding.len + blob.len + 1);
    *out = wrap;
    if (wrap == NULL)
        return MR_ENOMEM;
    const struct mr_str parts[] = {by->key, by->binding, blob};
    struct mr_str views[3];
    char *at = wrap->bytes;
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++) {
        views[i] = (struct mr_str){at, parts[i].len};
        if (parts[i].len > 0)
            memcpy(at, parts[i].ptr, parts[i].len);
        at += parts[i].len;
    }
    wrap->refs = 1;
    wrap->by = (struct seal_wrapping){by->kind, views[0], views[1]};
    wrap->blob = views[2];
    return MR_OK;
}

struct seal_wrap *seal_wrap_ref(struct seal_wrap *wrap)
{
    if (wrap != NULL)
        __atomic_fetch_add(&wrap->refs, 1, __ATOMIC_RELAXED);
    return wrap;
}

void seal_wrap_unref(struct seal_wrap *wrap)
{
    if (wrap != NULL && __atomic_sub_fetch(&wrap->refs, 1, __ATOMIC_ACQ_REL) == 0)
        mr_free(wrap);
}

int seal_table_new(size_t room, struct seal_table *out)
{
    *out = (struct seal_table){.room = room};
    if (room == 0)
        return MR_OK;
    out->names = mr_calloc(room, sizeof *out->names);
    out->states = mr_calloc(room, sizeof *out->states);
    if (out->names == NULL || out->states == NULL ||
        seal_pages_new(room * sizeof(struct seal_key), &out->pages) != MR_OK) {
        seal_table_release(out);
        return MR_ENOMEM;
    }
    return MR_OK;
}

void seal_table_release(struct seal_table *table)
{
    for (size_t i = 0; i < table->count && table->states != NULL; i++)
        seal_wrap_unref(table->states[i].wrap);
    mr_free(table->names);
    mr_free(table->states);
    seal_pages_free(&table->pages);
    *table = (struct seal_table){.room = 0};
}

struct seal_key *seal_table_key(const struct seal_table *table, size_t index)
{
    return (struct seal_key *)table->pages.ptr + index;
}

struct seal_key *seal_table_add(struct seal_table *table, struct seal_name name)
{
    MR_ASSERT(table->count < table->room && table->names != NULL && table->states != NULL);
    MR_ASSERT(table->count == 0 || seal_name_compare(table->names[table->count - 1], name) < 0);
    table->names[table->count] = name;
    table->states[table->count] = (struct seal_state){.at_hand = true};
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

void seal_table_scope(const struct seal_table *table, uint64_t scope, size_t *start, size_t *end)
{
    *start = seal_table_find(table, (struct seal_name){scope, 0});
    *end = seal_table_find(table, (struct seal_name){scope, UINT32_MAX});
    if (*end < table->count && table->names[*end].scope == scope)
        ++*end;
}

void seal_table_copy(const struct seal_table *from, size_t start, size_t end, struct seal_table *to)
{
    for (size_t i = start; i < end; i++) {
        *seal_table_add(to, from->names[i]) = *seal_table_key(from, i);
        to->states[to->count - 1] = from->states[i];
        seal_wrap_ref(from->states[i].wrap);
    }
}
