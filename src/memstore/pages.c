#include "memstore/pages.h"

static int grow_shelves(struct mem_pages *pages, struct mem_heap *heap, uint32_t need)
{
    uint32_t before = pages->cap;
    if (mem_grow(heap, MEM_SERIES, (void **)&pages->shelves, &pages->cap, need, 1, sizeof *pages->shelves) !=
        MR_OK)
        return MR_ENOMEM;
    if (pages->cap != before)
        memset(pages->shelves + before, 0, (pages->cap - before) * sizeof *pages->shelves);
    return MR_OK;
}

static int grow_shelf(struct mem_shelf *shelf, struct mem_heap *heap, uint32_t need)
{
    uint32_t before = shelf->cap;
    if (mem_grow(heap, MEM_SERIES, (void **)&shelf->pages, &shelf->cap, need, 4, sizeof(struct mem_page *)) !=
        MR_OK)
        return MR_ENOMEM;
    for (uint32_t i = before; i < shelf->cap; i++)
        shelf->pages[i] = NULL;
    return MR_OK;
}

int mem_pages_reserve(struct mem_pages *pages, struct mem_heap *heap, uint32_t number)
{
    uint32_t at = number / MEM_PAGE_SLOTS % MEM_SHELF_PAGES;
    if (grow_shelves(pages, heap, number / MEM_SHELF_SLOTS + 1) != MR_OK)
        return MR_ENOMEM;
    struct mem_shelf *shelf = &pages->shelves[number / MEM_SHELF_SLOTS];
    if (grow_shelf(shelf, heap, at + 1) != MR_OK)
        return MR_ENOMEM;
    if (shelf->pages[at] != NULL)
        return MR_OK;
    struct mem_page *page = mem_alloc(heap, MEM_SERIES, sizeof *page);
    if (page == NULL)
        return MR_ENOMEM;
    memset(page, 0, sizeof *page);
    shelf->pages[at] = page;
    shelf->used++;
    return MR_OK;
}

void mem_pages_set(struct mem_pages *pages, uint32_t number, void *ptr)
{
    struct mem_page *page = mem_pages_page(pages, number);
    MR_ASSERT(page != NULL && page->slots[number % MEM_PAGE_SLOTS] == NULL);
    page->slots[number % MEM_PAGE_SLOTS] = ptr;
    page->used++;
}

static void free_shelf(struct mem_shelf *shelf, struct mem_heap *heap)
{
    mem_free(heap, MEM_SERIES, shelf->pages, shelf->cap * sizeof *shelf->pages);
    *shelf = (struct mem_shelf){NULL, 0, 0};
}

void mem_pages_clear(struct mem_pages *pages, struct mem_heap *heap, uint32_t number)
{
    struct mem_page *page = mem_pages_page(pages, number);
    MR_ASSERT(page != NULL && page->slots[number % MEM_PAGE_SLOTS] != NULL);
    page->slots[number % MEM_PAGE_SLOTS] = NULL;
    if (--page->used != 0)
        return;
    struct mem_shelf *shelf = &pages->shelves[number / MEM_SHELF_SLOTS];
    shelf->pages[number / MEM_PAGE_SLOTS % MEM_SHELF_PAGES] = NULL;
    mem_free(heap, MEM_SERIES, page, sizeof *page);
    if (--shelf->used == 0)
        free_shelf(shelf, heap);
}

static uint32_t slot_after(const struct mem_page *page, uint32_t slot)
{
    while (slot < MEM_PAGE_SLOTS && page->slots[slot] == NULL)
        slot++;
    return slot;
}

uint32_t mem_pages_after(const struct mem_pages *pages, uint32_t from)
{
    uint32_t slot = from % MEM_PAGE_SLOTS, at = from / MEM_PAGE_SLOTS % MEM_SHELF_PAGES;
    for (uint32_t shelf = from / MEM_SHELF_SLOTS; shelf < pages->cap; shelf++, at = 0, slot = 0) {
        for (; at < pages->shelves[shelf].cap; at++, slot = 0) {
            const struct mem_page *page = pages->shelves[shelf].pages[at];
            slot = page != NULL ? slot_after(page, slot) : MEM_PAGE_SLOTS;
            if (slot < MEM_PAGE_SLOTS)
                return shelf * MEM_SHELF_SLOTS + at * MEM_PAGE_SLOTS + slot;
        }
    }
    return UINT32_MAX;
}

void mem_pages_release(struct mem_pages *pages, struct mem_heap *heap)
{
    for (uint32_t i = 0; i < pages->cap; i++) {
        struct mem_shelf *shelf = &pages->shelves[i];
        for (uint32_t at = 0; at < shelf->cap; at++)
            mem_free(heap, MEM_SERIES, shelf->pages[at], sizeof **shelf->pages);
        free_shelf(shelf, heap);
    }
    mem_free(heap, MEM_SERIES, pages->shelves, pages->cap * sizeof *pages->shelves);
    *pages = (struct mem_pages){NULL, 0};
}
