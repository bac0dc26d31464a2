/* magstore/gather.h - the rows of the block that a writer has not closed yet, column by column.
 *
 * Only values that are there are kept, one after the other, with a byte a row that says where NULLs are. A
 * column stays known from its first value to the end of the segment: its type may not change.
 */
#ifndef MR_MAGSTORE_GATHER_H
#define MR_MAGSTORE_GATHER_H

#include "magstore/segment_format.h"

struct magstore_gather_column {
    uint32_t column;
    enum magstore_type type;
    uint32_t rows;  /* looked at so far; those behind them are NULL */
    uint32_t count; /* values among them; 0: the column is not in the block */
    bool nulls;     /* valid says which rows have one; else all so far */
    void *values;   /* owned; count of them */
    size_t values_cap;
    uint8_t *valid; /* owned */
    size_t valid_cap;
};

struct magstore_gather {
    uint32_t rows;
    int64_t *times, *versions; /* owned, MAGSTORE_BLOCK_ROWS */
    bool versioned;            /* some version is not 1 */
    struct magstore_run *runs; /* owned */
    size_t nruns, runs_cap;
    struct magstore_gather_column *columns; /* owned; by number */
    size_t ncolumns, columns_cap;
    size_t used;           /* columns with a value in the block */
    struct mr_arena texts; /* of the block */
    size_t text_bytes;
    uint32_t *row_texts; /* owned; scratch of magstore_gather_fit */
};

/* MR_ENOMEM; release is due either way. */
int magstore_gather_init(struct magstore_gather *gather);
void magstore_gather_release(struct magstore_gather *gather);

/* The types of the columns are those they had, numbers ascend. MR_EINVAL, MR_ELIMIT, MR_ENOMEM. */
int magstore_gather_check(struct magstore_gather *gather, const struct magstore_rows *rows,
                          struct mr_error *err);
/* How many of the rows from `at` on the block still takes; 0: none, it is full. MR_ELIMIT: a row is too large
 * for any block. */
int magstore_gather_fit(const struct magstore_gather *gather, const struct magstore_rows *rows, size_t at,
                        size_t *out, struct mr_error *err);
/* Copies rows that fit. MR_ENOMEM. */
int magstore_gather_add(struct magstore_gather *gather, uint32_t series, const struct magstore_rows *rows,
                        size_t at, size_t n);
/* Brings all columns to the number of rows, so that they can be written. MR_ENOMEM. */
int magstore_gather_close(struct magstore_gather *gather);
/* Empties it for the next block. */
void magstore_gather_reset(struct magstore_gather *gather);

#endif
