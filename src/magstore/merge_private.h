/* magstore/merge_private.h - inside of struct magstore_merge: merge.c chooses rows, merge_rows.c hands them
 * out. */
#ifndef MR_MAGSTORE_MERGE_PRIVATE_H
#define MR_MAGSTORE_MERGE_PRIVATE_H

#include "magstore/merge.h"
#include "magstore/segment_format.h"
#include "magstore/skip.h"
#include "magstore/source.h"

/* Rows [at, at + rows) of the block that active[source] has loaded. */
struct magstore_pick {
    uint32_t source, at, rows;
};

/* Room for the rows of one column that were copied. */
struct magstore_copy {
    void *values; /* owned */
    size_t values_cap;
    uint8_t *valid; /* owned */
    size_t valid_cap;
};

struct magstore_merge {
    struct magstore_source *sources; /* owned */
    size_t nsources;
    struct magstore_source **heap; /* owned; by want: those that are not active and not at their end */
    size_t nheap;
    struct magstore_source **active; /* owned; those that have rows of `series` */
    size_t nactive;
    uint32_t series;
    uint32_t sought;
    int64_t least, greatest; /* times of the whole merge */
    int64_t from, to;        /* since the last seek */
    uint32_t *columns;       /* owned; those asked for */
    size_t ncolumns, columns_cap;
    bool all_columns;
    struct magstore_values *views; /* owned; what is handed out */
    size_t views_cap;
    struct magstore_values *given; /* owned; of one column, by active source */
    struct magstore_copy *copies;  /* owned; by position among the columns */
    size_t ncopies, copies_cap;
    struct magstore_pick *picks; /* owned */
    size_t npicks, picks_cap;
    int64_t *times, *versions; /* owned, MAGSTORE_BLOCK_ROWS; NULL until needed */
    uint64_t replaced;
    struct magstore_filters filters;
};

/* With all_columns: those of the blocks that active sources are on, into m->columns. */
int magstore_merge_columns(struct magstore_merge *merge, struct mr_error *err);
/* Shows rows of one source where they lie. */
int magstore_merge_view(struct magstore_merge *merge, struct magstore_source *source, uint32_t rows,
                        struct magstore_rows *out, struct mr_error *err);
/* Copies the rows picked, `rows` together. */
int magstore_merge_copy(struct magstore_merge *merge, size_t rows, struct magstore_rows *out,
                        struct mr_error *err);

#endif
