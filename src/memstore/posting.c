#include "memstore/intern.h"

int mem_posting_add(struct mem_posting *posting, struct mem_heap *heap, uint32_t number)
{
    if (posting->cap == 0 && posting->count == 0) {
        posting->one = number;
        posting->count = 1;
        return MR_OK;
    }
    if (posting->cap == 0) {
        uint32_t *many = mem_alloc(heap, MEM_SERIES, 4 * sizeof *many);
        if (many == NULL)
            return MR_ENOMEM;
        many[0] = posting->one;
        posting->many = many;
        posting->cap = 4;
    } else if (mem_grow(heap, MEM_SERIES, (void **)&posting->many, &posting->cap, posting->count + 1, 4,
                        sizeof *posting->many) != MR_OK) {
        return MR_ENOMEM;
    }
    posting->many[posting->count++] = number;
    return MR_OK;
}

void mem_posting_undo(struct mem_posting *posting, uint32_t number)
{
    if (posting->count != 0 && mem_posting_items(posting)[posting->count - 1] == number)
        posting->count--;
}

void mem_posting_sweep(struct mem_posting *posting, struct mem_heap *heap, uint32_t live,
                       const struct mem_pages *series)
{
    if (posting->count / 2 <= live + 16)
        return;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < posting->count; i++)
        if (mem_pages_get(series, posting->many[i]) != NULL)
            posting->many[kept++] = posting->many[i];
    posting->count = kept;
    uint32_t cap = kept < 4 ? 4 : kept;
    uint32_t *fitted = cap < posting->cap ? mem_alloc(heap, MEM_SERIES, cap * sizeof *fitted) : NULL;
    if (fitted == NULL)
        return; /* the larger block serves as well */
    memcpy(fitted, posting->many, kept * sizeof *fitted);
    mem_free(heap, MEM_SERIES, posting->many, posting->cap * sizeof *posting->many);
    posting->many = fitted;
    posting->cap = cap;
}

void mem_posting_release(struct mem_posting *posting, struct mem_heap *heap)
{
    if (posting->cap != 0)
        mem_free(heap, MEM_SERIES, posting->many, posting->cap * sizeof *posting->many);
    *posting = (struct mem_posting){0, 0, {0}};
}
