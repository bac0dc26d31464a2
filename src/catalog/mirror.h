/* catalog/mirror.h - the catalog in memory: what reads are answered from.
 *
 *   databases, by name -> tables, by name          settings, by name
 *           `- tags, by key    `- tags, by key
 *
 * Sorted arrays of pointers: a look-up is a binary search, a page is a slice, and an insert into the largest
 * array possible (50,000 tables in one database) moves 400 kB, which is less than the sync that came before
 * it.
 *
 * A table, a tag set and a setting are immutable once they are in: a change makes a new one and swaps the
 * pointer. Everything that can fail (allocation) happens before the transaction commits; the swap after it
 * cannot fail. Not locked here; catalog/parts.h says who may touch what.
 */
#ifndef MR_CATALOG_MIRROR_H
#define MR_CATALOG_MIRROR_H

#include "catalog/catalog.h"

/* First member of all that is kept in an index; the name is in the object's own block. */
struct mirror_node {
    struct mr_str name;
};

struct mirror_index {
    struct mirror_node **at; /* ascending by name */
    size_t count, cap;
};

/* One block, the bytes of the pairs included. A NULL set has no tags. */
struct mirror_tags {
    size_t count;
    struct mr_pair at[]; /* ascending by key */
};

struct mirror_table {
    struct mirror_node node;
    struct catalog_table row; /* every view in this block; `database` is MR_STR_NULL here */
    struct mirror_tags *tags; /* owned */
};

struct mirror_database {
    struct mirror_node node;
    uint64_t id;
    int64_t created, updated;
    char *kms_key;            /* owned, NUL-terminated */
    struct mirror_tags *tags; /* owned */
    struct mirror_index tables;
};

struct mirror_setting {
    struct mirror_node node;
    struct mr_str value; /* in this block */
};

struct mirror {
    struct mirror_index databases, settings;
    size_t tables; /* of all databases */
};

void mirror_release(struct mirror *mirror);

/* Position of the name, or where it would stand; true when it is there. */
bool mirror_find(const struct mirror_index *index, struct mr_str name, size_t *at);
/* Room for one more, so that mirror_insert cannot fail. */
int mirror_reserve(struct mirror_index *index) MR_MUST_USE;
void mirror_insert(struct mirror_index *index, size_t at, struct mirror_node *node);
struct mirror_node *mirror_remove(struct mirror_index *index, size_t at);

struct mirror_database *mirror_database(const struct mirror *mirror,
                                        struct mr_str name); /* NULL when absent */
struct mirror_table *mirror_table(const struct mirror_database *database, struct mr_str name);

/* New objects, NULL when memory ran out. Tags given in any order, keys unique. */
struct mirror_database *mirror_database_new(struct mr_str name, struct mr_str kms_key);
struct mirror_table *mirror_table_new(const struct catalog_table *row);
struct mirror_setting *mirror_setting_new(struct mr_str name, struct mr_str value);
int mirror_tags_new(const struct mr_pair *tags, size_t ntags, struct mirror_tags **out) MR_MUST_USE;

void mirror_database_free(struct mirror_database *database); /* its tables too; NULL is fine */
void mirror_table_free(struct mirror_table *table);

#endif
