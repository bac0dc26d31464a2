/* memstore/release.c - rows that lie in files now leave memory, a few at a time; and what a flush wants to
 * know about them before. */
#include "memstore/table.h"

enum { STEP_SERIES = 64, STEP_CHUNKS = 32 };

static int64_t last_time(const struct mem_chunk *c)
{
    return chunk_time(c)[c->rows - 1];
}

/* ---- release
 * --------------------------------------------------------------------------------------------------- */

struct release {
    struct mem_table *table;
    uint64_t lsn;
    uint32_t series; /* to go on with */
    int64_t from;    /* in it: chunks before are done */
};

static void raise_file_time(struct mem_series *s, int64_t time)
{
    if (time > s->file_time)
        s->file_time = time;
}

/* Removes the rows up to the LSN; true when the chunk went with them. */
static bool release_chunk(struct mem_table *t, struct mem_series *s, uint32_t run, uint64_t lsn)
{
    struct mem_chunk **slot = series_slot(s, run), *c = *slot;
    uint32_t rows = c->rows;
    if (c->lsn_base > lsn)
        return false;
    if (c->lsn_max <= lsn) {
        raise_file_time(s, last_time(c));
        t->nrows -= rows;
        chunk_free(&t->heap, c);
        return true;
    }
    chunk_remove_upto(&t->heap, c, lsn, &s->file_time);
    t->nrows -= rows - c->rows;
    if (c->rows == 0) {
        chunk_free(&t->heap, c);
        return true;
    }
    if (c->rows != rows)
        chunk_shrink(&t->heap, slot);
    if (s->runs_cap != 0)
        s->many[run].first = chunk_time(*slot)[0];
    return false;
}

/* Goes on in a series, looking at up to *chunks of them; true when it is done. */
static bool release_series(struct release *r, struct mem_series *s, uint32_t *chunks)
{
    struct mem_table *t = r->table;
    struct spot spot;
    series_locate(s, r->from, &spot);
    uint32_t run = spot.run, kept = run;
    for (; run < s->nruns && *chunks != 0; run++, --*chunks) {
        int64_t last = last_time(series_chunk(s, run));
        r->from = last < INT64_MAX ? last + 1 : last;
        if (release_chunk(t, s, run, r->lsn))
            continue;
        if (kept != run)
            s->many[kept] = s->many[run];
        kept++;
    }
    bool done = run == s->nruns;
    series_cut(t, s, kept, run);
    return done;
}

static bool release_step(struct release *r)
{
    uint32_t chunks = STEP_CHUNKS;
    for (uint32_t i = 0; i < STEP_SERIES; i++) {
        uint32_t number = mem_pages_after(&r->table->series, r->series);
        if (number == UINT32_MAX)
            return false;
        if (number != r->series)
            r->from = INT64_MIN;
        r->series = number;
        if (!release_series(r, mem_pages_get(&r->table->series, number), &chunks))
            return true;
        r->series = number + 1;
        r->from = INT64_MIN;
    }
    return true;
}

static void release_old(void *ctx, struct mem_old *old)
{
    struct mem_table *t = ((struct release *)ctx)->table;
    struct mem_series *s = mem_pages_get(&t->series, old->series);
    if (s != NULL)
        raise_file_time(s, old->time);
    old_drop(&t->olds, &t->heap, old);
}

/* Old rows last: those that were replaced while the rest was going on are among them. */
void mem_release(struct mem_table *t, uint64_t lsn)
{
    struct release r = {t, lsn, 0, INT64_MIN};
    uint32_t bucket = 0;
    mem_write_lock(t);
    t->epoch++;
    mem_write_unlock(t);
    for (bool more = true; more;) {
        mem_write_lock(t);
        more = release_step(&r);
        mem_write_unlock(t);
    }
    for (bool more = true; more;) {
        mem_write_lock(t);
        more = old_each_upto(&t->olds, lsn, &bucket, release_old, &r);
        mem_write_unlock(t);
    }
}

/* ---- extent
 * ---------------------------------------------------------------------------------------------------- */

static void extend(struct mem_extent *extent, uint64_t rows, int64_t first, int64_t last)
{
    extent->rows += rows;
    if (first < extent->time_min)
        extent->time_min = first;
    if (last > extent->time_max)
        extent->time_max = last;
}

static void extend_mixed(struct mem_extent *extent, const struct mem_table *t, const struct mem_series *s,
                         const struct mem_chunk *c, uint64_t lsn)
{
    for (uint32_t row = 0; row < c->rows; row++) {
        int64_t time = chunk_time(c)[row];
        if (chunk_lsn(c, row) <= lsn || old_find(&t->olds, s->number, time, lsn) != NULL)
            extend(extent, 1, time, time);
    }
}

bool mem_extent_step(const struct mem_table *t, uint64_t lsn, uint32_t *next, struct mem_extent *extent)
{
    enum { WORK = 4096, MIXED = 64 }; /* a look at a series or chunk is 1 */
    if (*next == 0)
        *extent = (struct mem_extent){0, INT64_MAX, INT64_MIN};
    for (uint64_t work = 0; work < WORK;) {
        uint32_t number = mem_pages_after(&t->series, *next);
        if (number == UINT32_MAX)
            return false;
        const struct mem_series *s = mem_pages_get(&t->series, number);
        *next = number + 1;
        work += 1 + s->nruns;
        for (uint32_t run = 0; run < s->nruns; run++) {
            const struct mem_chunk *c = series_chunk(s, run);
            if (c->lsn_max <= lsn) {
                extend(extent, c->rows, chunk_time(c)[0], last_time(c));
            } else if (c->lsn_base <= lsn) {
                extend_mixed(extent, t, s, c, lsn);
                work += MIXED;
            }
        }
    }
    return true;
}
