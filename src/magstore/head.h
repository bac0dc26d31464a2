/* magstore/head.h - the head of a block: its runs of rows, and where its columns lie. */
#ifndef MR_MAGSTORE_HEAD_H
#define MR_MAGSTORE_HEAD_H

#include "magstore/scratch.h"
#include "magstore/segment_format.h"

/* A piece of the block; the first lies behind the head. */
struct magstore_head_column {
    uint32_t column;
    uint32_t plain;   /* bytes before sealing */
    uint32_t offset;  /* in the block; set by parsing */
    uint32_t texts;   /* VARCHAR: bytes of all its texts */
    uint32_t counter; /* of the nonce, less that of the head */
    bool nulls;
    struct magstore_stats stats;
};

struct magstore_head {
    struct magstore_run *runs; /* owned */
    size_t nruns, runs_cap;
    uint32_t times, versions; /* bytes before sealing; versions 0: all are 1 */
    uint32_t times_offset, versions_offset;
    struct magstore_head_column *columns; /* owned; by number */
    uint32_t *numbers;                    /* owned; the same numbers alone */
    size_t ncolumns, columns_cap, numbers_cap;
};

void magstore_head_release(struct magstore_head *head);

/* Appends the head of a block with these runs and columns. MR_ENOMEM. */
int magstore_head_write(struct magstore_scratch *scratch, const struct magstore_head *head,
                        struct mr_buf *out);

/* Reads the head of a block of that entry, whose head takes `head_bytes` as stored. Checks all that can be
 * checked without the pieces. MR_ECORRUPT, MR_ENOMEM. */
int magstore_head_parse(struct magstore_scratch *scratch, struct mr_str bytes,
                        const struct magstore_block *block, uint32_t head_bytes, struct magstore_head *out);

/* NULL when the block has no such column. */
const struct magstore_head_column *magstore_head_find(const struct magstore_head *head, uint32_t column);

/* What the head will say of values without NULLs between them. */
void magstore_stats_of(enum magstore_type type, const void *values, size_t count, struct magstore_stats *out);

#endif
