/* memstore/heap.h - counted allocation: what a table holds is known to the byte, and bounded.
 *
 * Sizes are passed on free, so blocks carry no header. The count is what glibc takes for the block (8 bytes
 * of header, 16-byte steps, 32 at least), which makes the total comparable with the process's real size.
 */
#ifndef MR_MEMSTORE_HEAP_H
#define MR_MEMSTORE_HEAP_H

#include "memstore/memstore.h"

enum mem_kind { MEM_ROWS, MEM_SERIES };

struct mem_heap {
    struct mem_budget *budget;
    bool refused; /* an allocation failed because of the limit, not for want of memory */
    bool loading; /* rows that are in the log must load whatever the limit says */
};

void *mem_alloc(struct mem_heap *heap, enum mem_kind kind, size_t size) MR_MUST_USE;
void mem_free(struct mem_heap *heap, enum mem_kind kind, void *ptr, size_t size);

/* Grows items[*cap] of `size`-byte elements to at least `need` by doubling from `least`. MR_OK or MR_ENOMEM.
 */
int mem_grow(struct mem_heap *heap, enum mem_kind kind, void **items, uint32_t *cap, uint32_t need,
             uint32_t least, size_t size) MR_MUST_USE;

/* MR_ELIMIT when the last failure came from the limit, else MR_ENOMEM. */
int mem_heap_status(const struct mem_heap *heap);

#endif
