/* memstore/pages.h - from a number to a pointer, for numbers that are given out once and never again.
 *
 * 64 pointers a page, up to 1024 pages a shelf. A page whose last pointer goes is freed, and so is a shelf
 * without pages: what remains of long gone numbers, and what a gap among the numbers takes, is 16 bytes for
 * 65536 of them.
 */
#ifndef MR_MEMSTORE_PAGES_H
#define MR_MEMSTORE_PAGES_H

#include "memstore/heap.h"

enum { MEM_PAGE_SLOTS = 64, MEM_SHELF_PAGES = 1024, MEM_SHELF_SLOTS = MEM_PAGE_SLOTS * MEM_SHELF_PAGES };

struct mem_page {
    void *slots[MEM_PAGE_SLOTS];
    uint32_t used;
};

struct mem_shelf {
    struct mem_page **pages;
    uint32_t cap, used; /* pages that can lie here, and that do */
};

struct mem_pages {
    struct mem_shelf *shelves;
    uint32_t cap; /* those beyond what was used are empty */
};

static inline struct mem_page *mem_pages_page(const struct mem_pages *pages, uint32_t number)
{
    uint32_t shelf = number / MEM_SHELF_SLOTS, at = number / MEM_PAGE_SLOTS % MEM_SHELF_PAGES;
    if (shelf >= pages->cap || at >= pages->shelves[shelf].cap)
        return NULL;
    return pages->shelves[shelf].pages[at];
}

static inline void *mem_pages_get(const struct mem_pages *pages, uint32_t number)
{
    const struct mem_page *page = mem_pages_page(pages, number);
    return page != NULL ? page->slots[number % MEM_PAGE_SLOTS] : NULL;
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
