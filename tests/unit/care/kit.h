/* tests/unit/care/kit.h - a data directory with rows in files and rows in the log, and what a check says of
 * it.
 */
#ifndef MR_TESTS_CARE_KIT_H
#define MR_TESTS_CARE_KIT_H

#include "care/care.h"
#include "store/store.h"

struct care_kit {
    char *dir; /* the data directory; removed by care_kit_release */
    char *store_dir;
};

/* Two tables: "shop"."orders" (two segments, one file of names, rows in the log) and "shop"."idle" (rows in
 * one segment). */
void care_kit_make(struct care_kit *kit);
void care_kit_release(struct care_kit *kit);

/* Opens the store of the directory, by hand. */
struct store *care_kit_store(const struct care_kit *kit);
/* Appends rows [from, end) of the host to the table of that number and waits until they are durable. */
void care_kit_write(struct store *store, uint64_t table, const char *host, int64_t from, int64_t end);

/* Findings of a check, one a line: "kind file table: text". The caller frees it with mr_buf_release. */
int care_kit_check(const struct care_kit *kit, struct care_counts *counts, struct mr_buf *found);

/* Paths of the files in dir/sub whose names start so; freed with care_kit_paths_free. */
char **care_kit_paths(const char *dir, const char *sub, const char *prefix, size_t *count);
void care_kit_paths_free(char **paths, size_t count);
int64_t care_kit_size(const char *path);
/* Turns all bits of one byte around. */
void care_kit_flip(const char *path, int64_t offset);

#endif
