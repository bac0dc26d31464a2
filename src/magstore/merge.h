/* magstore/merge.h - several segments of one table read as one, in the order (series, time).
 *
 * Where segments hold a row of the same series and time, the higher version counts (of equal versions, which
 * say the same, the one of the segment named first). Compaction reads everything from one end to the other;
 * a scan seeks each series it has chosen.
 *
 * Thread-safety: a merge has one owner at a time.
 */
#ifndef MR_MAGSTORE_MERGE_H
#define MR_MAGSTORE_MERGE_H

#include "magstore/segment.h"

struct magstore_merge;

/* Readers (any number, of one table) stay the caller's and outlive the merge. Rows within [from, to] only.
 * `columns` are those that come back, in that order and copied; all NULL with ncolumns 0: every column that
 * has a value, ascending, which may differ from call to call; read past the cache
 * of blocks. */
int magstore_merge_open(struct magstore_reader *const *readers, size_t nreaders, int64_t from, int64_t to,
                        const uint32_t *columns, size_t ncolumns, bool all_columns,
                        struct magstore_merge **out);    /* MR_ENOMEM */
void magstore_merge_close(struct magstore_merge *merge); /* NULL is fine */

/* What rows must be like to matter: values of a column against a number. The merge may leave out blocks in
 * which, by their heads, no row passes one of the filters, and hands out all else, whether it passes or not.
 * A block is left out only where no other reader has a block of the same series and times: a row in there
 * might be the newer version of one elsewhere that passes, and hiding it would bring that one back. (Rows in
 * memory need no such care: they are never older than those in files.) The filters stay the caller's. */
enum magstore_filter_op {
    MAGSTORE_FILTER_EQ,
    MAGSTORE_FILTER_NE,
    MAGSTORE_FILTER_LT,
    MAGSTORE_FILTER_LE,
    MAGSTORE_FILTER_GT,
    MAGSTORE_FILTER_GE,
    MAGSTORE_FILTER_IS_NULL,
    MAGSTORE_FILTER_NOT_NULL,
};
struct magstore_filter {
    uint32_t column;
    enum magstore_filter_op op;
    enum magstore_type type; /* of the value; others than DOUBLE, BIGINT and TIMESTAMP are not compared */
    union {
        double f64;
        int64_t i64;
    };
};
void magstore_merge_filter(struct magstore_merge *merge, const struct magstore_filter *filters,
                           size_t nfilters);

/* Goes on at the first row of a series >= `series`, forwards or backwards; [from, to] may be narrowed for
 * what follows. Reads nothing by itself. */
void magstore_merge_seek(struct magstore_merge *merge, uint32_t series, int64_t from, int64_t to);

/* The next rows, all of one series, at most `most`; count 0: the end. A long stretch without overlap comes as
 * views into the block, without copying. With `only` (after a seek) the end is that of the series sought.
 * Views are valid until the next call. versions: NULL when the blocks at hand have none but 1. After a
 * failure (MR_ECORRUPT, MR_EIO, MR_ENOMEM) the merge is at its end until the next seek. */
int magstore_merge_next(struct magstore_merge *merge, size_t most, bool only, uint32_t *series,
                        struct magstore_rows *out, struct mr_error *err);
uint64_t magstore_merge_bytes(const struct magstore_merge *merge);   /* looked at so far */
uint64_t magstore_merge_skipped(const struct magstore_merge *merge); /* blocks left out by filters */

/* What a compaction did. */
struct magstore_merged {
    uint64_t rows_in, rows_out, expired, replaced;
};
/* All rows of the readers within [from, to] into the writer; `stop` (may be NULL) is asked between blocks:
 * true ends it with MR_ECANCEL. */
int magstore_merge_into(struct magstore_reader *const *readers, size_t nreaders, int64_t from, int64_t to,
                        struct magstore_writer *writer, bool (*stop)(void *ctx), void *ctx,
                        struct magstore_merged *out, struct mr_error *err);

#endif
