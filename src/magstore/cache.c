#include "magstore/cache.h"

#include <pthread.h>

struct magstore_cache {
    pthread_mutex_t lock;
    size_t budget, used; /* used: of all pieces that are listed */
    struct magstore_cached **slots;
    size_t nslots; /* a power of two */
    struct magstore_cached *newest, *oldest;
    uint64_t hits, misses;
};

enum { USUAL_PIECE = 16384, LEAST_SLOTS = 256, MOST_SLOTS = 1 << 20 };

int magstore_cache_open(size_t bytes, struct magstore_cache **out)
{
    struct magstore_cache *cache = mr_calloc(1, sizeof *cache);
    *out = NULL;
    if (cache == NULL)
        return MR_ENOMEM;
    cache->budget = bytes;
    cache->nslots = LEAST_SLOTS;
    while (cache->nslots < bytes / USUAL_PIECE && cache->nslots < MOST_SLOTS)
        cache->nslots *= 2;
    cache->slots = mr_calloc(cache->nslots, sizeof(struct magstore_cached *));
    if (cache->slots == NULL) {
        mr_free(cache);
        return MR_ENOMEM;
    }
    pthread_mutex_init(&cache->lock, NULL);
    *out = cache;
    return MR_OK;
}

static void free_piece(struct magstore_cached *piece)
{
    magstore_head_release(&piece->head);
    mr_free(piece->times);
    mr_free(piece->values);
    mr_free(piece->valid);
    mr_arena_release(&piece->texts);
    mr_free(piece);
}

static struct magstore_cached **slot_of(const struct magstore_cache *cache, uint64_t reader, uint32_t block,
                                        uint32_t piece)
{
    uint64_t h = (reader * UINT64_C(0x9E3779B97F4A7C15)) ^ ((uint64_t)block << 32 | piece);
    h = (h ^ h >> 31) * UINT64_C(0xD6E8FEB86659FD93);
    return &cache->slots[(h ^ h >> 32) & (cache->nslots - 1)];
}

/* ---- with the lock ---- */

static void unlist(struct magstore_cache *cache, struct magstore_cached *piece)
{
    struct magstore_cached **link = slot_of(cache, piece->reader, piece->block, piece->piece);
    while (*link != piece)
        link = &(*link)->chain;
    *link = piece->chain;
    *(piece->newer != NULL ? &piece->newer->older : &cache->newest) = piece->older;
    *(piece->older != NULL ? &piece->older->newer : &cache->oldest) = piece->newer;
    piece->listed = false;
    cache->used -= piece->bytes;
}

static void push_newest(struct magstore_cache *cache, struct magstore_cached *piece)
{
    piece->newer = NULL;
    piece->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = piece;
    cache->newest = piece;
}

static void touch(struct magstore_cache *cache, struct magstore_cached *piece)
{
    if (cache->newest == piece)
        return;
    piece->newer->older = piece->older;
    *(piece->older != NULL ? &piece->older->newer : &cache->oldest) = piece->newer;
    push_newest(cache, piece);
}

static struct magstore_cached *find(struct magstore_cache *cache, uint64_t reader, uint32_t block,
                                    uint32_t piece)
{
    struct magstore_cached *found = *slot_of(cache, reader, block, piece);
    while (found != NULL && (found->reader != reader || found->block != block || found->piece != piece))
        found = found->chain;
    return found;
}

/* Takes out what nobody holds, the oldest first, until `bytes` more fit; it is to be freed without the lock.
 */
static struct magstore_cached *make_room(struct magstore_cache *cache, size_t bytes)
{
    struct magstore_cached *gone = NULL;
    for (struct magstore_cached *p = cache->oldest, *newer; p != NULL && cache->used + bytes > cache->budget;
         p = newer) {
        newer = p->newer;
        if (p->refs != 0)
            continue;
        unlist(cache, p);
        p->chain = gone;
        gone = p;
    }
    return gone;
}

static void free_all(struct magstore_cached *gone)
{
    while (gone != NULL) {
        struct magstore_cached *next = gone->chain;
        free_piece(gone);
        gone = next;
    }
}

/* ---- */

struct magstore_cached *magstore_cache_find(struct magstore_cache *cache, uint64_t reader, uint32_t block,
                                            uint32_t piece)
{
    pthread_mutex_lock(&cache->lock);
    struct magstore_cached *found = find(cache, reader, block, piece);
    if (found != NULL) {
        found->refs++;
        touch(cache, found);
        cache->hits++;
    } else {
        cache->misses++;
    }
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void magstore_cache_add(struct magstore_cache *cache, struct magstore_cached *piece)
{
    struct magstore_cached *gone = NULL;
    MR_ASSERT(piece->refs == 0 && !piece->listed);
    piece->refs = 1;
    pthread_mutex_lock(&cache->lock);
    /* Another thread may have been faster; and no piece is worth a quarter of all. */
    if (piece->bytes <= cache->budget / 4 && find(cache, piece->reader, piece->block, piece->piece) == NULL) {
        gone = make_room(cache, piece->bytes);
        piece->listed = cache->used + piece->bytes <= cache->budget;
    }
    if (piece->listed) {
        struct magstore_cached **slot = slot_of(cache, piece->reader, piece->block, piece->piece);
        piece->chain = *slot;
        *slot = piece;
        push_newest(cache, piece);
        cache->used += piece->bytes;
    }
    pthread_mutex_unlock(&cache->lock);
    free_all(gone);
}

void magstore_cache_drop(struct magstore_cache *cache, struct magstore_cached *piece)
{
    if (piece == NULL)
        return;
    pthread_mutex_lock(&cache->lock);
    MR_ASSERT(piece->refs > 0);
    bool last = --piece->refs == 0 && !piece->listed;
    pthread_mutex_unlock(&cache->lock);
    if (last)
        free_piece(piece);
}

void magstore_cache_forget(struct magstore_cache *cache, uint64_t reader)
{
    struct magstore_cached *gone = NULL;
    pthread_mutex_lock(&cache->lock);
    for (struct magstore_cached *p = cache->newest, *older; p != NULL; p = older) {
        older = p->older;
        if (p->reader != reader)
            continue;
        unlist(cache, p);
        if (p->refs == 0) {
            p->chain = gone;
            gone = p;
        }
    }
    pthread_mutex_unlock(&cache->lock);
    free_all(gone);
}

void magstore_cache_close(struct magstore_cache *cache)
{
    if (cache == NULL)
        return;
    for (struct magstore_cached *p = cache->newest, *older; p != NULL; p = older) {
        older = p->older;
        MR_ASSERT(p->refs == 0);
        free_piece(p);
    }
    pthread_mutex_destroy(&cache->lock);
    mr_free(cache->slots);
    mr_free(cache);
}

void magstore_cache_stats(struct magstore_cache *cache, struct magstore_cache_stats *out)
{
    pthread_mutex_lock(&cache->lock);
    *out = (struct magstore_cache_stats){cache->used, cache->hits, cache->misses};
    pthread_mutex_unlock(&cache->lock);
}
