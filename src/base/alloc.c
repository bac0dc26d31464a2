#include "base/base.h"

#include <stdlib.h>

static const struct mr_alloc_ops libc_ops = {malloc, realloc, free};
static const struct mr_alloc_ops *ops = &libc_ops;

void mr_alloc_use(const struct mr_alloc_ops *replacement)
{
    ops = replacement != NULL ? replacement : &libc_ops;
}

void *mr_malloc(size_t size)
{
    return ops->malloc(size != 0 ? size : 1);
}

void *mr_calloc(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *ptr = mr_malloc(bytes);
    if (ptr != NULL)
        memset(ptr, 0, bytes);
    return ptr;
}

void *mr_realloc(void *ptr, size_t size)
{
    return ops->realloc(ptr, size != 0 ? size : 1);
}

void mr_free(void *ptr)
{
    ops->free(ptr);
}

char *mr_strndup(const char *ptr, size_t len)
{
    char *copy = mr_malloc(len + 1);
    if (copy == NULL)
        return NULL;
    if (len != 0)
        memcpy(copy, ptr, len);
    copy[len] = '\0';
    return copy;
}

int mr_grow(void **items, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return MR_OK;
    size_t grown = *cap < 8 ? 8 : *cap;
    while (grown < need)
        if (__builtin_mul_overflow(grown, (size_t)2, &grown))
            return MR_ENOMEM;
    size_t bytes;
    if (__builtin_mul_overflow(grown, size, &bytes))
        return MR_ENOMEM;
    void *moved = mr_realloc(*items, bytes);
    if (moved == NULL)
        return MR_ENOMEM;
    *items = moved;
    *cap = grown;
    return MR_OK;
}
