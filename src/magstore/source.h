/* magstore/source.h - one segment as a merge sees it: a place in the order (series, time) that only moves on.
 *
 * A source is either settled, on rows of a series in a loaded block, or it knows from the directory alone
 * that its next rows are of series `want` or later. A block is read when nothing less will do.
 */
#ifndef MR_MAGSTORE_SOURCE_H
#define MR_MAGSTORE_SOURCE_H

#include "magstore/segment.h"

struct magstore_filters;
struct magstore_source {
    const struct magstore_filters *filters; /* NULL: none; see skip.h */
    uint64_t skipped;                       /* blocks that they left out */
    const struct magstore_reader *reader;
    struct magstore_page *page; /* owned; made with the first block */
    bool past_cache;            /* of the page */
    size_t order;               /* of equal versions the least counts */
    uint32_t blocks, block;     /* all, and the one at hand; equal at the end */
    uint64_t want; /* all rows of series below are done; one beyond all series is possible, hence 64 bits */
    bool settled;
    uint32_t run, at, end; /* settled: rows [at, end) of that run of the block, of series `want` */
    const int64_t *times;  /* settled: of the block */
};

/* Rows of series >= `series` from now on. Reads nothing. */
void magstore_source_seek(struct magstore_source *source, uint32_t series, int64_t from, int64_t to);
static inline bool magstore_source_ended(const struct magstore_source *source)
{
    return source->block == source->blocks;
}
/* Goes to the next row within [from, to] of a series <= `limit`: settled, or ended, or want > limit. */
int magstore_source_settle(struct magstore_source *source, uint64_t limit, int64_t from, int64_t to,
                           struct mr_error *err);
/* Of a settled source: takes rows away. No longer settled when none is left; the page stays as it is. */
void magstore_source_take(struct magstore_source *source, uint32_t rows, int64_t from, int64_t to);
/* Of a settled source: the first row, from `at` on, at or behind the time; `end` when there is none. */
uint32_t magstore_source_find(const struct magstore_source *source, uint32_t at, int64_t time);

#endif
