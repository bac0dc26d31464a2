/* magstore/merge.h - segments of one table into one. */
#ifndef MR_MAGSTORE_MERGE_H
#define MR_MAGSTORE_MERGE_H

#include "magstore/segment.h"

#define MAGSTORE_MAX_MERGE 64

struct magstore_merged {
    struct magstore_info info; /* of the new segment; no rows: there is none */
    uint64_t rows_in, expired, replaced;
};

/* Writes dir/name from the readers (of the same table, 1 to MAGSTORE_MAX_MERGE): rows with a time below
 * `cutoff` are dropped (INT64_MIN: none); of rows of one series and time the highest version stays, of equal
 * versions the one of the first reader. A column in several segments must be the same in all: MR_ECORRUPT.
 * When no row is left, no file is written. Memory: a decoded block for each reader, one to be written, and
 * the directory. */
int magstore_merge(struct magstore_reader *const *readers, size_t nreaders, const struct mr_io *io,
                   const char *dir, const char *name, int64_t cutoff, struct magstore_merged *out,
                   struct mr_error *err);

#endif
