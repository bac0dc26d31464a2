/* memstore/pages.h - from a number to a pointer, for numbers that are given out once and never again.
 *
 * 64 pointers a page; a page whose last pointer goes is freed, so what remains of long gone numbers is 8
 * bytes for 64.
 */
#ifndef MR_MEMSTORE_PAGES_H
#define MR_MEMSTORE_PAGES_H

#include "memstore/heap.h"

enum { MEM_PAGE_SLOTS = 64 };

struct mem_page {
    void *slots[MEM_PAGE_SLOTS];
    uint32_t used;
};

struct mem_pages {
    struct mem_page **pages;
    uint32_t cap; /* of pages; those beyond what was used are NULL */
};

static inline void *mem_pages_get(const struct mem_pages *pages, uint32_t number)
{
    uint32_t page = number / MEM_PAGE_SLOTS;
    if (page >= pages->cap || pages->pages[page] == NULL)
        return NULL;
    return pages->pages[page]->slots[number % MEM_PAGE_SLOTS];
}

/* Makes room for the number, so that the next set of it cannot fail. */
int mem_pages_reserve(struct mem_pages *pages, struct mem_heap *heap, uint32_t number) MR_MUST_USE;
/* `ptr` is not NULL; the slot must be reserved and empty. */
void mem_pages_set(struct mem_pages *pages, uint32_t number, void *ptr);
void mem_pages_clear(struct mem_pages *pages, struct mem_heap *heap, uint32_t number);
/* The smallest used number >= from, or UINT32_MAX. */
uint32_t mem_pages_after(const struct mem_pages *pages, uint32_t from);
void mem_pages_release(struct mem_pages *pages, struct mem_heap *heap);

#endif
