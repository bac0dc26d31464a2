/* magstore/locate.c - what a reader answers from its directory alone. */
#include "magstore/locate.h"

const struct magstore_info *magstore_reader_info(const struct magstore_reader *r)
{
    return &r->info;
}

size_t magstore_reader_memory(const struct magstore_reader *r)
{
    return sizeof *r + strlen(r->path) + 1 + (size_t)r->info.blocks * sizeof *r->entries;
}

const struct magstore_block *magstore_reader_block(const struct magstore_reader *r, uint32_t index)
{
    MR_ASSERT(index < r->info.blocks);
    return &r->entries[index].block;
}

static bool ends_before(const struct magstore_block *b, uint32_t series, int64_t time)
{
    return b->last_series != series ? b->last_series < series : b->last_time < time;
}

uint32_t magstore_locate_from(const struct magstore_reader *r, uint32_t at, uint32_t series, int64_t time)
{
    uint32_t blocks = (uint32_t)r->info.blocks, step = 1;
    if (at >= blocks || !ends_before(&r->entries[at].block, series, time))
        return at;
    uint32_t low = at + 1, high = blocks; /* steps that double: the next block is near more often than not */
    while (low < blocks && step < blocks - low) {
        if (!ends_before(&r->entries[low + step - 1].block, series, time)) {
            high = low + step - 1;
            break;
        }
        low += step;
        step *= 2;
    }
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ends_before(&r->entries[middle].block, series, time))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first block that begins behind (series, to). */
static uint32_t locate_end(const struct magstore_reader *r, uint32_t low, uint32_t series, int64_t to)
{
    uint32_t high = (uint32_t)r->info.blocks;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct magstore_block *b = &r->entries[middle].block;
        if (b->first_series != series ? b->first_series < series : b->first_time <= to)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool apart(const struct magstore_block *b, int64_t from, int64_t to)
{
    return b->time_max < from || b->time_min > to;
}

void magstore_reader_locate(const struct magstore_reader *r, uint32_t series, int64_t from, int64_t to,
                            uint32_t *first, uint32_t *end)
{
    *first = magstore_locate_from(r, 0, series, from);
    *end = locate_end(r, *first, series, to);
    /* Blocks in between hold this series alone; the outer two may hold others, of other times. */
    if (*first < *end && apart(&r->entries[*first].block, from, to))
        (*first)++;
    if (*first < *end && apart(&r->entries[*end - 1].block, from, to))
        (*end)--;
    if (from > to || *first >= *end)
        *end = *first;
}
