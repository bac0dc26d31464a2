/* tests/unit/store/kit.h - a store in a scratch directory, records in few words, rows back as text. */
#ifndef MR_TESTS_STORE_KIT_H
#define MR_TESTS_STORE_KIT_H

#include "store/store.h"

struct kit {
    char *dir;
    struct store_options options;
    struct store *store;
    struct store_table *table; /* number 7 of database 3 */
};

void kit_open(struct kit *kit);
void kit_close(struct kit *kit);
/* Closes the store and opens it again from its log. */
void kit_reopen(struct kit *kit);

/* A dimension set in an array that ends with a NULL name: {"host", "a", "rack", "1", NULL}. Sorted by the
 * caller. */
struct mr_pair *kit_dims(const char *const *words, uint32_t *ndims);
void kit_dims_free(struct mr_pair *dims);

struct store_attr kit_double(const char *name, double v);
struct store_attr kit_bigint(const char *name, int64_t v);
struct store_attr kit_text(const char *name, const char *v);
struct store_attr kit_bool(const char *name, bool v);
struct store_attr kit_time(const char *name, int64_t v);

/* A record that borrows everything. One attr without a name makes a single-measure record. */
struct store_record kit_record(const struct mr_pair *dims, uint32_t ndims, const char *measure, int64_t time,
                               int64_t version, const struct store_attr *attrs, uint32_t nattrs);

/* Appends and waits until it is durable. */
int kit_append(struct store_table *table, struct store_record *records, size_t count);

/* All rows of the table in a snapshot taken now, one a line, lines sorted:
 *   measure{dim=value,...}@time attr=value ...
 * The caller frees the text with mr_free. */
char *kit_rows(struct store *store, struct store_table *table);
char *kit_rows_at(struct store_snapshot *snapshot, struct store_table *table, const struct store_pred *preds,
                  size_t npreds, int64_t time_min, int64_t time_max);

/* The number of a column by name; fails the test when there is none. */
uint32_t kit_column(struct store_table *table, const char *name);

#endif
