#include "magstore/source.h"

#include "magstore/locate.h"
#include "magstore/skip.h"

/* Goes on to the first block that may hold what is wanted, by the directory. */
static void skip(struct magstore_source *s, int64_t from, int64_t to)
{
    while (s->block < s->blocks) {
        const struct magstore_block *b = magstore_reader_block(s->reader, s->block);
        if (b->first_series > s->want)
            s->want = b->first_series;
        uint32_t want = (uint32_t)s->want;
        if (s->want > UINT32_MAX) {
            s->block = s->blocks;
        } else if (b->last_series < want || (b->last_series == want && b->last_time < from)) {
            s->block = magstore_locate_from(s->reader, s->block + 1, want, from);
        } else if (b->first_series == want && b->first_time > to) {
            s->want++; /* what is left of the series is later than all that counts */
        } else if (b->time_max < from || b->time_min > to) {
            s->want = b->last_series; /* it may go on in the next block */
            s->block++;
        } else {
            return;
        }
    }
}

void magstore_source_seek(struct magstore_source *s, uint32_t series, int64_t from, int64_t to)
{
    uint32_t start = 0;
    if (s->block < s->blocks) { /* near what was read last, more often than not */
        const struct magstore_block *b = magstore_reader_block(s->reader, s->block);
        if (b->first_series < series || (b->first_series == series && b->first_time <= from))
            start = s->block;
    }
    s->settled = false;
    s->want = series;
    s->block = magstore_locate_from(s->reader, start, series, from);
    skip(s, from, to);
}

uint32_t magstore_source_find(const struct magstore_source *s, uint32_t at, int64_t time)
{
    uint32_t step = 1, low = at, high = s->end;
    while (low < high && step < high - low && s->times[low + step - 1] < time) {
        low += step;
        step *= 2;
    }
    if (step < high - low && s->times[low + step - 1] >= time)
        high = low + step - 1;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (s->times[middle] < time)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Settles on a run that has rows within the range. */
static bool settle_on(struct magstore_source *s, const struct magstore_run *run, uint32_t index, int64_t from,
                      int64_t to)
{
    s->run = index;
    s->at = run->first;
    s->end = run->first + run->rows;
    if (s->times[s->at] < from)
        s->at = magstore_source_find(s, s->at, from);
    if (s->at < s->end && s->times[s->end - 1] > to)
        s->end = magstore_source_find(s, s->at, to + 1); /* some time is beyond, so `to` is not the last */
    s->settled = s->at < s->end;
    return s->settled;
}

/* Looks through the block at hand. False: it has nothing that counts. */
static bool look(struct magstore_source *s, uint64_t limit, int64_t from, int64_t to)
{
    uint32_t count;
    const struct magstore_run *runs = magstore_page_runs(s->page, &count);
    uint32_t low = 0, high = count, next = s->run + 1;
    if (next < count && runs[s->run].series < s->want && s->want <= runs[next].series)
        low = high = next; /* as ever when nothing was sought */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (runs[middle].series < s->want)
            low = middle + 1;
        else
            high = middle;
    }
    s->times = magstore_page_times(s->page);
    for (; low < count; low++) {
        s->want = runs[low].series;
        if (s->want > limit || settle_on(s, &runs[low], low, from, to))
            return true;
    }
    return false;
}

int magstore_source_settle(struct magstore_source *s, uint64_t limit, int64_t from, int64_t to,
                           struct mr_error *err)
{
    for (skip(s, from, to); !s->settled && s->block < s->blocks && s->want <= limit; skip(s, from, to)) {
        if (s->page == NULL && magstore_page_new(&s->page) != MR_OK)
            return mr_error_set(err, MR_ENOMEM, "out of memory for a page");
        if (s->past_cache)
            magstore_page_past_cache(s->page);
        int status = magstore_page_load(s->page, s->reader, s->block, err);
        if (status != MR_OK)
            return status;
        if (s->filters != NULL && magstore_skip(s->filters, s)) {
            const struct magstore_block *b = magstore_reader_block(s->reader, s->block++);
            s->want = b->last_series > s->want ? b->last_series : s->want; /* it may go on in the next */
            s->skipped++;
            continue;
        }
        if (look(s, limit, from, to))
            return MR_OK;
        s->block++; /* the last series may go on there: want stays */
    }
    return MR_OK;
}

void magstore_source_take(struct magstore_source *s, uint32_t rows, int64_t from, int64_t to)
{
    uint32_t count;
    s->at += rows;
    if (s->at < s->end)
        return;
    s->settled = false;
    (void)magstore_page_runs(s->page, &count);
    if (s->run + 1 < count)
        s->want++; /* the series ends within the block */
    else
        s->block++;
    skip(s, from, to);
}
