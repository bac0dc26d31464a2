/* base/arena.h - memory that ends together.
 *
 * Allocation bumps a pointer in a chunk; release frees all chunks. An allocation that fails returns NULL and
 * sets `failed`, so a parser can test once. Alignment is 16 bytes for mr_arena_alloc, none for mr_arena_dup.
 * `limit` bounds the whole arena: outside input cannot make it grow without end. Not thread-safe.
 */
#ifndef MR_BASE_ARENA_H
#define MR_BASE_ARENA_H

#include "base/core.h"
#include "base/str.h"

struct mr_arena_chunk;

struct mr_arena {
    struct mr_arena_chunk *chunks; /* newest first, owned */
    char *next;                    /* first free byte of the newest chunk */
    char *end;                     /* one past its last byte */
    size_t total;                  /* bytes of all chunks */
    size_t limit;                  /* largest total, 0 for none */
    bool failed;                   /* an allocation was refused since init or reset */
};

#define MR_ARENA_INIT                                                                                        \
    {                                                                                                        \
        NULL, NULL, NULL, 0, 0, false                                                                        \
    }

void *mr_arena_alloc(struct mr_arena *arena, size_t size) MR_MUST_USE;  /* uninitialised */
void *mr_arena_zalloc(struct mr_arena *arena, size_t size) MR_MUST_USE; /* zeroed */
/* count * size zeroed bytes; NULL when the product overflows. */
void *mr_arena_array(struct mr_arena *arena, size_t count, size_t size) MR_MUST_USE;

/* A NUL-terminated copy in the arena. On failure the view is MR_STR_NULL (a non-NULL copy never is). */
struct mr_str mr_arena_dup(struct mr_arena *arena, struct mr_str s);
struct mr_str mr_arena_printf(struct mr_arena *arena, const char *fmt, ...) MR_PRINTF(2, 3);

void mr_arena_reset(struct mr_arena *arena);   /* keeps the first (smallest) chunk for reuse */
void mr_arena_release(struct mr_arena *arena); /* frees everything; the limit stays */

#define MR_ARENA_NEW(arena, type) ((type *)mr_arena_zalloc((arena), sizeof(type)))
#define MR_ARENA_ARRAY(arena, count, type) ((type *)mr_arena_array((arena), (count), sizeof(type)))

#endif
