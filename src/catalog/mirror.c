#include "catalog/mirror.h"

#include <stdlib.h>

/* ---- index
 * ---------------------------------------------------------------------------------------------------- */

bool mirror_find(const struct mirror_index *index, struct mr_str name, size_t *at)
{
    size_t low = 0, high = index->count;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = mr_str_cmp(index->at[mid]->name, name);
        if (order == 0) {
            *at = mid;
            return true;
        }
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    *at = low;
    return false;
}

int mirror_reserve(struct mirror_index *index)
{
    return mr_grow((void **)&index->at, &index->cap, index->count + 1, sizeof(*index->at));
}

void mirror_insert(struct mirror_index *index, size_t at, struct mirror_node *node)
{
    MR_ASSERT(index->count < index->cap && at <= index->count);
    memmove(index->at + at + 1, index->at + at, (index->count - at) * sizeof(*index->at));
    index->at[at] = node;
    index->count++;
}

struct mirror_node *mirror_remove(struct mirror_index *index, size_t at)
{
    MR_ASSERT(at < index->count);
    struct mirror_node *node = index->at[at];
    index->count--;
    memmove(index->at + at, index->at + at + 1, (index->count - at) * sizeof(*index->at));
    return node;
}

struct mirror_database *mirror_database(const struct mirror *mirror, struct mr_str name)
{
    size_t at = 0;
    return mirror_find(&mirror->databases, name, &at) ? (struct mirror_database *)mirror->databases.at[at]
                                                      : NULL;
}

struct mirror_table *mirror_table(const struct mirror_database *database, struct mr_str name)
{
    size_t at = 0;
    return mirror_find(&database->tables, name, &at) ? (struct mirror_table *)database->tables.at[at] : NULL;
}

/* ---- objects
 * -------------------------------------------------------------------------------------------------- */

/* Appends the bytes to a block that was made large enough; an absent view stays absent. */
static struct mr_str keep(char **next, struct mr_str s)
{
    if (s.ptr == NULL)
        return s;
    char *to = *next;
    memcpy(to, s.ptr, s.len);
    *next = to + s.len;
    return (struct mr_str){to, s.len};
}

struct mirror_database *mirror_database_new(struct mr_str name, struct mr_str kms_key)
{
    struct mirror_database *d = mr_calloc(1, sizeof(*d) + name.len);
    if (d == NULL)
        return NULL;
    char *next = (char *)(d + 1);
    d->node.name = keep(&next, name);
    d->kms_key = mr_strndup(kms_key.ptr, kms_key.len);
    if (d->kms_key == NULL) {
        mr_free(d);
        return NULL;
    }
    return d;
}

struct mirror_table *mirror_table_new(const struct catalog_table *row)
{
    size_t bytes = row->name.len + row->rejected_bucket.len + row->rejected_prefix.len +
                   row->rejected_kms_key.len + row->partition_dimension.len;
    /* + 1: an empty view at the very end still points into the block */
    struct mirror_table *t = mr_calloc(1, sizeof(*t) + bytes + 1);
    if (t == NULL)
        return NULL;
    char *next = (char *)(t + 1);
    t->row = *row;
    t->row.database = MR_STR_NULL;
    t->row.name = keep(&next, row->name);
    t->row.rejected_bucket = keep(&next, row->rejected_bucket);
    t->row.rejected_prefix = keep(&next, row->rejected_prefix);
    t->row.rejected_kms_key = keep(&next, row->rejected_kms_key);
    t->row.partition_dimension = keep(&next, row->partition_dimension);
    t->node.name = t->row.name;
    return t;
}

struct mirror_setting *mirror_setting_new(struct mr_str name, struct mr_str value)
{
    struct mirror_setting *s = mr_calloc(1, sizeof(*s) + name.len + value.len + 1);
    if (s == NULL)
        return NULL;
    char *next = (char *)(s + 1);
    s->node.name = keep(&next, name);
    s->value = keep(&next, value);
    return s;
}

static int by_key(const void *a, const void *b)
{
    return mr_str_cmp(((const struct mr_pair *)a)->name, ((const struct mr_pair *)b)->name);
}

int mirror_tags_new(const struct mr_pair *tags, size_t ntags, struct mirror_tags **out)
{
    *out = NULL;
    if (ntags == 0)
        return MR_OK;
    size_t bytes = 0;
    for (size_t i = 0; i < ntags; i++)
        bytes += tags[i].name.len + tags[i].value.len;
    struct mirror_tags *set = mr_calloc(1, sizeof(*set) + ntags * sizeof(*tags) + bytes + 1);
    if (set == NULL)
        return MR_ENOMEM;
    char *next = (char *)&set->at[ntags];
    set->count = ntags;
    for (size_t i = 0; i < ntags; i++)
        set->at[i] = (struct mr_pair){keep(&next, tags[i].name), keep(&next, tags[i].value)};
    qsort(set->at, ntags, sizeof(*set->at), by_key);
    *out = set;
    return MR_OK;
}

/* ---- release
 * -------------------------------------------------------------------------------------------------- */

void mirror_table_free(struct mirror_table *table)
{
    if (table == NULL)
        return;
    mr_free(table->tags);
    mr_free(table);
}

void mirror_database_free(struct mirror_database *database)
{
    if (database == NULL)
        return;
    for (size_t i = 0; i < database->tables.count; i++)
        mirror_table_free((struct mirror_table *)database->tables.at[i]);
    mr_free(database->tables.at);
    mr_free(database->tags);
    mr_free(database->kms_key);
    mr_free(database);
}

void mirror_release(struct mirror *mirror)
{
    for (size_t i = 0; i < mirror->databases.count; i++)
        mirror_database_free((struct mirror_database *)mirror->databases.at[i]);
    for (size_t i = 0; i < mirror->settings.count; i++)
        mr_free(mirror->settings.at[i]);
    mr_free(mirror->databases.at);
    mr_free(mirror->settings.at);
    *mirror = (struct mirror){0};
}
