/* base/alloc.h - heap memory through a table, so that a test can make the n-th allocation fail.
 *
 * Every allocation returns NULL on failure and the caller handles it (MR_ENOMEM). Thread-safe.
 */
#ifndef MR_BASE_ALLOC_H
#define MR_BASE_ALLOC_H

#include "base/core.h"

struct mr_alloc_ops {
    void *(*malloc)(size_t size);
    void *(*realloc)(void *ptr, size_t size);
    void (*free)(void *ptr);
};

/* Replaces the allocator for the whole process; call before any thread starts. NULL restores libc's. */
void mr_alloc_use(const struct mr_alloc_ops *ops);

void *mr_malloc(size_t size) MR_MUST_USE;
void *mr_calloc(size_t count, size_t size) MR_MUST_USE;    /* zeroed; NULL also when count * size overflows */
void *mr_realloc(void *ptr, size_t size) MR_MUST_USE;      /* on NULL the old block is still valid */
void mr_free(void *ptr);                                   /* NULL is fine */
char *mr_strndup(const char *ptr, size_t len) MR_MUST_USE; /* NUL-terminated copy */

/* Grows the array *items of `size`-byte elements so that it holds at least `need`; *cap is its capacity in
 * elements. Doubles, so n appends cost O(n). Returns MR_OK or MR_ENOMEM (array unchanged). */
int mr_grow(void **items, size_t *cap, size_t need, size_t size) MR_MUST_USE;

#endif
