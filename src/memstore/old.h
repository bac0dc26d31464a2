/* memstore/old.h - rows as they were before a replacement, for readers whose snapshot is older.
 *
 * A kept row answers a reader at snapshot S when lsn <= S < replaced. It goes when the horizon (the oldest
 * state anybody may still ask for) has reached `replaced`. Filed by (series, time); all of them also hang in
 * a queue in the order of replacement, so that letting go costs nothing when there is nothing to let go.
 * Write lock to change.
 */
#ifndef MR_MEMSTORE_OLD_H
#define MR_MEMSTORE_OLD_H

#include "memstore/chunk.h"

struct mem_old {
    struct mem_old *chain;         /* in its bucket */
    struct mem_old *older, *newer; /* in the queue */
    uint64_t lsn, replaced;
    int64_t time, version;
    uint32_t series;
    uint32_t ncells;
    struct mem_old_cell {
        uint16_t column;
        uint8_t type;
        union mem_bits bits; /* a text is a counted reference */
    } cells[];
};

struct mem_olds {
    struct mem_old **buckets;
    uint32_t cap; /* power of two, or 0 */
    uint32_t count;
    struct mem_old *oldest, *newest;
};

/* A copy of the chunk's row (with references to its texts), filed as replaced by `replaced`. NULL: no memory.
 */
struct mem_old *old_keep(struct mem_olds *olds, struct mem_heap *heap, uint32_t series,
                         const struct mem_chunk *c, uint32_t row, uint64_t replaced);
/* The state of the row at the snapshot, or NULL when there was none. */
const struct mem_old *old_find(const struct mem_olds *olds, uint32_t series, int64_t time, uint64_t snapshot);
void old_drop(struct mem_olds *olds, struct mem_heap *heap, struct mem_old *old);
/* Lets go of everything replaced at or before the horizon, at most `most` rows. */
void old_settle(struct mem_olds *olds, struct mem_heap *heap, uint64_t horizon, uint32_t most);
/* Drops rows before the cutoff in some buckets from *bucket on and moves it; false at the end. Buckets that
 * double in between send their rows to where they still are or to the new half, so none is missed. */
bool old_expire(struct mem_olds *olds, struct mem_heap *heap, int64_t cutoff, uint32_t *bucket);
/* The rows with an LSN up to `lsn`, in steps like these; each is handed to `drop`, which must drop it. */
bool old_each_upto(struct mem_olds *olds, uint64_t lsn, uint32_t *bucket,
                   void (*drop)(void *ctx, struct mem_old *old), void *ctx);
void old_release(struct mem_olds *olds, struct mem_heap *heap);

#endif
