/* memstore/evict.c - rows that are too old, then series without rows here or in files; a few at a time,
 * writers get in between. */
#include "memstore/table.h"

enum { STEP_SERIES = 64, STEP_CHUNKS = 32, STEP_OLDS = 4096 };

static int64_t first_time(const struct mem_series *s)
{
    return chunk_time(series_chunk(s, 0))[0];
}

/* Removes whole chunks from the front, at most `most`. Returns how many. */
static uint32_t drop_chunks(struct mem_table *t, struct mem_series *s, int64_t cutoff, uint32_t most)
{
    uint32_t count = 0;
    while (count < most && count < s->nruns) {
        struct mem_chunk *c = series_chunk(s, count);
        if (chunk_time(c)[c->rows - 1] >= cutoff)
            break;
        t->nrows -= c->rows;
        chunk_free(&t->heap, c);
        count++;
    }
    if (count != 0)
        series_cut(t, s, 0, count);
    return count;
}

static void drop_rows(struct mem_table *t, struct mem_series *s, int64_t cutoff)
{
    struct mem_chunk *c = series_chunk(s, 0);
    uint32_t rows = chunk_lower(c, cutoff);
    if (rows == 0)
        return;
    chunk_remove(&t->heap, c, 0, rows);
    t->nrows -= rows;
    if (s->runs_cap != 0)
        s->many[0].first = chunk_time(c)[0];
}

/* One step from series *next on; *lowest follows the rows that stay. False at the end. */
static bool evict_step(struct mem_table *t, int64_t cutoff, uint32_t *next, int64_t *lowest)
{
    uint32_t chunks = 0;
    for (uint32_t i = 0; i < STEP_SERIES; i++) {
        uint32_t number = mem_pages_after(&t->series, *next);
        if (number == UINT32_MAX)
            return false;
        struct mem_series *s = mem_pages_get(&t->series, number);
        chunks += drop_chunks(t, s, cutoff, STEP_CHUNKS - chunks);
        if (chunks == STEP_CHUNKS)
            return true; /* the same series again */
        *next = number + 1;
        if (s->nruns == 0 && s->file_time < cutoff) {
            series_drop(t, s);
            continue;
        }
        if (s->nruns != 0)
            drop_rows(t, s, cutoff);
        int64_t oldest = s->nruns != 0 ? first_time(s) : s->file_time;
        if (oldest < *lowest)
            *lowest = oldest;
    }
    return true;
}

void mem_evict(struct mem_table *t, int64_t cutoff, uint64_t horizon)
{
    mem_write_lock(t);
    bool more = cutoff > t->lowest;
    if (more)
        t->lowest = INT64_MAX; /* until the steps know better; rows that come meanwhile lower it themselves */
    old_settle(&t->olds, &t->heap, horizon, STEP_OLDS);
    mem_write_unlock(t);
    int64_t lowest = INT64_MAX;
    uint32_t bucket = 0;
    for (bool kept = more; kept;) {
        mem_write_lock(t);
        kept = old_expire(&t->olds, &t->heap, cutoff, &bucket);
        mem_write_unlock(t);
    }
    for (uint32_t next = 0; more;) {
        mem_write_lock(t);
        more = evict_step(t, cutoff, &next, &lowest);
        if (!more && lowest < t->lowest)
            t->lowest = lowest;
        mem_write_unlock(t);
    }
}
