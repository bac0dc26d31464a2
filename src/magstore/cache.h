/* magstore/cache.h - decoded pieces of blocks, kept for whoever reads the block next.
 *
 * Reading and opening a piece costs some ten times what looking at it does, and dashboards ask for the same
 * hours again and again. Bounded by a budget of bytes; what was used longest ago goes first. A piece that a
 * page holds stays until the page lets go of it. Blocks never change, so nothing is ever stale; a reader that
 * closes takes its pieces along. Merges of files read past the cache, so that they do not flush it out.
 *
 * Thread-safe. What is found is not to be changed.
 */
#ifndef MR_MAGSTORE_CACHE_H
#define MR_MAGSTORE_CACHE_H

#include "magstore/head.h"

struct magstore_cache;

/* The piece of a block: a column's number, or one of these. */
#define MAGSTORE_CACHED_HEAD UINT32_MAX
#define MAGSTORE_CACHED_VERSIONS (UINT32_MAX - 1)

struct magstore_cached {
    uint64_t reader;
    uint32_t block, piece;
    size_t bytes;              /* all that follows, about */
    struct magstore_head head; /* HEAD */
    int64_t *times;            /* HEAD; owned */
    void *values;              /* column, versions; owned */
    uint8_t *valid;            /* owned; NULL: no NULLs */
    struct mr_arena texts;     /* of VARCHAR values */
    /* the cache's */
    unsigned refs;
    bool listed;
    struct magstore_cached *chain, *newer, *older;
};

/* bytes 0: keeps nothing. MR_ENOMEM. */
int magstore_cache_open(size_t bytes, struct magstore_cache **out);
/* Nothing may be held. NULL is fine. */
void magstore_cache_close(struct magstore_cache *cache);

/* Held by the caller until dropped; NULL: not there. */
struct magstore_cached *magstore_cache_find(struct magstore_cache *cache, uint64_t reader, uint32_t block,
                                            uint32_t piece);
/* Takes over a piece made by the caller (mr_calloc), who holds it from now on. */
void magstore_cache_add(struct magstore_cache *cache, struct magstore_cached *piece);
void magstore_cache_drop(struct magstore_cache *cache, struct magstore_cached *piece); /* NULL is fine */
void magstore_cache_forget(struct magstore_cache *cache, uint64_t reader);

struct magstore_cache_stats {
    uint64_t bytes, hits, misses;
};
void magstore_cache_stats(struct magstore_cache *cache, struct magstore_cache_stats *out);

#endif
