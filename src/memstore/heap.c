#include "memstore/heap.h"

static uint64_t cost_of(size_t size)
{
    uint64_t cost = ((uint64_t)size + 8 + 15) & ~UINT64_C(15);
    return cost < 32 ? 32 : cost;
}

static uint64_t *counter(struct mem_budget *budget, enum mem_kind kind)
{
    return kind == MEM_ROWS ? &budget->row_bytes : &budget->series_bytes;
}

uint64_t mem_budget_bytes(const struct mem_budget *budget)
{
    return __atomic_load_n(&budget->row_bytes, __ATOMIC_RELAXED) +
           __atomic_load_n(&budget->series_bytes, __ATOMIC_RELAXED);
}

void *mem_alloc(struct mem_heap *heap, enum mem_kind kind, size_t size)
{
    uint64_t cost = cost_of(size);
    uint64_t limit = heap->budget->limit;
    if (limit != 0 && !heap->loading && mem_budget_bytes(heap->budget) + cost > limit) {
        heap->refused = true;
        return NULL;
    }
    void *ptr = mr_malloc(size);
    if (ptr != NULL)
        __atomic_fetch_add(counter(heap->budget, kind), cost, __ATOMIC_RELAXED);
    return ptr;
}

void mem_free(struct mem_heap *heap, enum mem_kind kind, void *ptr, size_t size)
{
    if (ptr == NULL)
        return;
    __atomic_fetch_sub(counter(heap->budget, kind), cost_of(size), __ATOMIC_RELAXED);
    mr_free(ptr);
}

int mem_grow(struct mem_heap *heap, enum mem_kind kind, void **items, uint32_t *cap, uint32_t need,
             uint32_t least, size_t size)
{
    if (need <= *cap)
        return MR_OK;
    uint64_t grown = *cap != 0 ? *cap : least;
    while (grown < need)
        grown *= 2;
    if (grown > UINT32_MAX)
        return MR_ENOMEM;
    void *moved = mem_alloc(heap, kind, grown * size);
    if (moved == NULL)
        return MR_ENOMEM;
    if (*cap != 0)
        memcpy(moved, *items, *cap * size);
    mem_free(heap, kind, *items, *cap * size);
    *items = moved;
    *cap = (uint32_t)grown;
    return MR_OK;
}

int mem_heap_status(const struct mem_heap *heap)
{
    return heap->refused ? MR_ELIMIT : MR_ENOMEM;
}
