#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_CHUNK ((size_t)4096)
#define LARGEST_CHUNK ((size_t)1 << 20)

struct mr_arena_chunk {
    struct mr_arena_chunk *older;
    size_t size; /* whole chunk, this header included */
    _Alignas(16) char bytes[];
};

/* Chunks double up to LARGEST_CHUNK, so a big request costs few mallocs and a small one wastes little. */
static bool add_chunk(struct mr_arena *arena, size_t need)
{
    size_t size = arena->chunks == NULL ? FIRST_CHUNK : arena->chunks->size * 2;
    if (size > LARGEST_CHUNK)
        size = LARGEST_CHUNK;
    size_t least;
    if (__builtin_add_overflow(need, sizeof(struct mr_arena_chunk) + 16, &least))
        return false;
    if (size < least)
        size = least;
    if (arena->limit != 0 && (size > arena->limit || arena->total > arena->limit - size))
        return false;
    struct mr_arena_chunk *chunk = mr_malloc(size);
    if (chunk == NULL)
        return false;
    chunk->older = arena->chunks;
    chunk->size = size;
    arena->chunks = chunk;
    arena->next = chunk->bytes;
    arena->end = (char *)chunk + size;
    arena->total += size;
    return true;
}

static void *take(struct mr_arena *arena, size_t size, size_t align)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (arena->next != NULL) {
            uintptr_t at = ((uintptr_t)arena->next + (align - 1)) & ~(uintptr_t)(align - 1);
            if (at <= (uintptr_t)arena->end && size <= (uintptr_t)arena->end - at) {
                arena->next = (char *)at + size;
                return (void *)at;
            }
        }
        if (attempt == 0 && !add_chunk(arena, size))
            break;
    }
    arena->failed = true;
    return NULL;
}

void *mr_arena_alloc(struct mr_arena *arena, size_t size)
{
    return take(arena, size, 16);
}

void *mr_arena_zalloc(struct mr_arena *arena, size_t size)
{
    void *ptr = take(arena, size, 16);
    if (ptr != NULL)
        memset(ptr, 0, size);
    return ptr;
}

void *mr_arena_array(struct mr_arena *arena, size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        arena->failed = true;
        return NULL;
    }
    return mr_arena_zalloc(arena, bytes);
}

struct mr_str mr_arena_dup(struct mr_arena *arena, struct mr_str s)
{
    char *copy = take(arena, s.len + 1, 1);
    if (copy == NULL)
        return MR_STR_NULL;
    if (s.len != 0)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return (struct mr_str){copy, s.len};
}

struct mr_str mr_arena_printf(struct mr_arena *arena, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        return MR_STR_NULL;
    char *text = take(arena, (size_t)n + 1, 1);
    if (text == NULL)
        return MR_STR_NULL;
    va_start(ap, fmt);
    vsnprintf(text, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct mr_str){text, (size_t)n};
}

void mr_arena_reset(struct mr_arena *arena)
{
    while (arena->chunks != NULL && arena->chunks->older != NULL) {
        struct mr_arena_chunk *older = arena->chunks->older;
        arena->total -= arena->chunks->size;
        mr_free(arena->chunks);
        arena->chunks = older;
    }
    if (arena->chunks != NULL) {
        arena->next = arena->chunks->bytes;
        arena->end = (char *)arena->chunks + arena->chunks->size;
    }
    arena->failed = false;
}

void mr_arena_release(struct mr_arena *arena)
{
    while (arena->chunks != NULL) {
        struct mr_arena_chunk *older = arena->chunks->older;
        mr_free(arena->chunks);
        arena->chunks = older;
    }
    size_t limit = arena->limit;
    *arena = (struct mr_arena)MR_ARENA_INIT;
    arena->limit = limit;
}
