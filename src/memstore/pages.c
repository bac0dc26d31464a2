#include "memstore/pages.h"

int mem_pages_reserve(struct mem_pages *pages, struct mem_heap *heap, uint32_t number)
{
    uint32_t at = number / MEM_PAGE_SLOTS, before = pages->cap;
    if (mem_grow(heap, MEM_SERIES, (void **)&pages->pages, &pages->cap, at + 1, 4, sizeof *pages->pages) !=
        MR_OK)
        return MR_ENOMEM;
    if (pages->cap != before)
        memset(pages->pages + before, 0, (pages->cap - before) * sizeof *pages->pages);
    if (pages->pages[at] != NULL)
        return MR_OK;
    struct mem_page *page = mem_alloc(heap, MEM_SERIES, sizeof *page);
    if (page == NULL)
        return MR_ENOMEM;
    memset(page, 0, sizeof *page);
    pages->pages[at] = page;
    return MR_OK;
}

void mem_pages_set(struct mem_pages *pages, uint32_t number, void *ptr)
{
    struct mem_page *page = pages->pages[number / MEM_PAGE_SLOTS];
    MR_ASSERT(page->slots[number % MEM_PAGE_SLOTS] == NULL);
    page->slots[number % MEM_PAGE_SLOTS] = ptr;
    page->used++;
}

void mem_pages_clear(struct mem_pages *pages, struct mem_heap *heap, uint32_t number)
{
    struct mem_page **page = &pages->pages[number / MEM_PAGE_SLOTS];
    MR_ASSERT((*page)->slots[number % MEM_PAGE_SLOTS] != NULL);
    (*page)->slots[number % MEM_PAGE_SLOTS] = NULL;
    if (--(*page)->used == 0) {
        mem_free(heap, MEM_SERIES, *page, sizeof **page);
        *page = NULL;
    }
}

uint32_t mem_pages_after(const struct mem_pages *pages, uint32_t from)
{
    for (uint32_t at = from / MEM_PAGE_SLOTS, slot = from % MEM_PAGE_SLOTS; at < pages->cap; at++, slot = 0) {
        const struct mem_page *page = pages->pages[at];
        for (; page != NULL && slot < MEM_PAGE_SLOTS; slot++)
            if (page->slots[slot] != NULL)
                return at * MEM_PAGE_SLOTS + slot;
    }
    return UINT32_MAX;
}

void mem_pages_release(struct mem_pages *pages, struct mem_heap *heap)
{
    for (uint32_t i = 0; i < pages->cap; i++)
        mem_free(heap, MEM_SERIES, pages->pages[i], sizeof **pages->pages);
    mem_free(heap, MEM_SERIES, pages->pages, pages->cap * sizeof *pages->pages);
    *pages = (struct mem_pages){NULL, 0};
}
