#include "memstore/old.h"

#include "base/hash.h"

static struct mem_old **bucket_of(const struct mem_olds *olds, uint32_t series, int64_t time)
{
    struct {
        int64_t time;
        uint64_t series;
    } key = {time, series};
    return &olds->buckets[mr_hash64(&key, sizeof key, 0) & (olds->cap - 1)];
}

static size_t old_size(uint32_t ncells)
{
    return sizeof(struct mem_old) + ncells * sizeof(struct mem_old_cell);
}

/* One bucket per row. Without memory for more buckets the chains get longer, nothing else. */
static int make_room(struct mem_olds *olds, struct mem_heap *heap)
{
    if (olds->count < olds->cap)
        return MR_OK;
    struct mem_olds grown = *olds;
    grown.cap = olds->cap != 0 ? olds->cap * 2 : 16;
    grown.buckets = mem_alloc(heap, MEM_ROWS, grown.cap * sizeof *grown.buckets);
    if (grown.buckets == NULL)
        return olds->cap != 0 ? MR_OK : MR_ENOMEM;
    memset(grown.buckets, 0, grown.cap * sizeof *grown.buckets);
    for (struct mem_old *old = olds->oldest; old != NULL; old = old->newer) {
        struct mem_old **bucket = bucket_of(&grown, old->series, old->time);
        old->chain = *bucket;
        *bucket = old;
    }
    mem_free(heap, MEM_ROWS, olds->buckets, olds->cap * sizeof *olds->buckets);
    *olds = grown;
    return MR_OK;
}

static void copy_cells(struct mem_old *old, const struct mem_chunk *c, uint32_t row)
{
    for (uint32_t i = 0; i < c->ncols; i++) {
        const struct mem_col *col = &c->cols[i];
        if (col->nullable && !chunk_valid(c, col)[row])
            continue;
        struct mem_old_cell *cell = &old->cells[old->ncells++];
        *cell = (struct mem_old_cell){.column = col->column, .type = col->type};
        if (col->type == MEM_BOOLEAN)
            cell->bits.boolean = ((const uint8_t *)chunk_values(c, col))[row];
        else
            cell->bits = ((const union mem_bits *)chunk_values(c, col))[row];
        if (col->type == MEM_VARCHAR)
            cell->bits.text->refs++;
    }
}

static uint32_t count_cells(const struct mem_chunk *c, uint32_t row)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->ncols; i++)
        count += !c->cols[i].nullable || chunk_valid(c, &c->cols[i])[row];
    return count;
}

struct mem_old *old_keep(struct mem_olds *olds, struct mem_heap *heap, uint32_t series,
                         const struct mem_chunk *c, uint32_t row, uint64_t replaced)
{
    if (make_room(olds, heap) != MR_OK)
        return NULL;
    struct mem_old *old = mem_alloc(heap, MEM_ROWS, old_size(count_cells(c, row)));
    if (old == NULL)
        return NULL;
    *old = (struct mem_old){.lsn = chunk_lsn(c, row),
                            .replaced = replaced,
                            .time = chunk_time(c)[row],
                            .version = chunk_version(c, row),
                            .series = series};
    copy_cells(old, c, row);
    struct mem_old **bucket = bucket_of(olds, series, old->time);
    old->chain = *bucket;
    *bucket = old;
    old->older = olds->newest;
    if (olds->newest != NULL)
        olds->newest->newer = old;
    else
        olds->oldest = old;
    olds->newest = old;
    olds->count++;
    return old;
}

const struct mem_old *old_find(const struct mem_olds *olds, uint32_t series, int64_t time, uint64_t snapshot)
{
    if (olds->count == 0)
        return NULL;
    for (const struct mem_old *old = *bucket_of(olds, series, time); old != NULL; old = old->chain)
        if (old->series == series && old->time == time && old->lsn <= snapshot && snapshot < old->replaced)
            return old;
    return NULL;
}

void old_drop(struct mem_olds *olds, struct mem_heap *heap, struct mem_old *old)
{
    struct mem_old **link = bucket_of(olds, old->series, old->time);
    while (*link != old)
        link = &(*link)->chain;
    *link = old->chain;
    *(old->older != NULL ? &old->older->newer : &olds->oldest) = old->newer;
    *(old->newer != NULL ? &old->newer->older : &olds->newest) = old->older;
    olds->count--;
    for (uint32_t i = 0; i < old->ncells; i++)
        if (old->cells[i].type == MEM_VARCHAR)
            text_give(heap, old->cells[i].bits.text);
    mem_free(heap, MEM_ROWS, old, old_size(old->ncells));
}

void old_settle(struct mem_olds *olds, struct mem_heap *heap, uint64_t horizon, uint32_t most)
{
    while (olds->oldest != NULL && olds->oldest->replaced <= horizon && most-- != 0)
        old_drop(olds, heap, olds->oldest);
}

enum { STEP_BUCKETS = 4096 };

bool old_expire(struct mem_olds *olds, struct mem_heap *heap, int64_t cutoff, uint32_t *bucket)
{
    for (uint32_t i = 0; i < STEP_BUCKETS && *bucket < olds->cap; i++, ++*bucket) {
        for (struct mem_old *old = olds->buckets[*bucket], *next; old != NULL; old = next) {
            next = old->chain;
            if (old->time < cutoff)
                old_drop(olds, heap, old);
        }
    }
    return *bucket < olds->cap;
}

bool old_each_upto(struct mem_olds *olds, uint64_t lsn, uint32_t *bucket,
                   void (*drop)(void *ctx, struct mem_old *old), void *ctx)
{
    for (uint32_t i = 0; i < STEP_BUCKETS && *bucket < olds->cap; i++, ++*bucket) {
        for (struct mem_old *old = olds->buckets[*bucket], *next; old != NULL; old = next) {
            next = old->chain;
            if (old->lsn <= lsn)
                drop(ctx, old);
        }
    }
    return *bucket < olds->cap;
}

void old_release(struct mem_olds *olds, struct mem_heap *heap)
{
    while (olds->oldest != NULL)
        old_drop(olds, heap, olds->oldest);
    mem_free(heap, MEM_ROWS, olds->buckets, olds->cap * sizeof *olds->buckets);
    *olds = (struct mem_olds){NULL, 0, 0, NULL, NULL};
}
