/* magstore/merge.c - whose rows come next.
 *
 * Sources wait in a heap by the series they are at; those at the least one become active. While one source is
 * active alone its rows go out as they lie. Between several, the least time is next; at equal times the
 * higher version, then the source named first. Long stretches of one source go out as they lie, short ones
 * are picked and copied together. A stretch ends where a source leaves its run of rows: beyond it, another
 * block would be loaded over the texts that were picked.
 */
#include "magstore/merge_private.h"

#define LONG_STRETCH 256 /* rows; shorter ones are copied */

int magstore_merge_open(struct magstore_reader *const *readers, size_t nreaders, int64_t from, int64_t to,
                        const uint32_t *columns, size_t ncolumns, bool all_columns,
                        struct magstore_merge **out)
{
    *out = NULL;
    struct magstore_merge *m = mr_calloc(1, sizeof *m);
    if (m == NULL)
        return MR_ENOMEM;
    m->sources = mr_calloc(nreaders + 1, sizeof *m->sources);
    m->heap = mr_calloc(nreaders + 1, sizeof(struct magstore_source *));
    m->active = mr_calloc(nreaders + 1, sizeof(struct magstore_source *));
    m->given = mr_calloc(nreaders + 1, sizeof *m->given);
    if (m->sources == NULL || m->heap == NULL || m->active == NULL || m->given == NULL ||
        mr_grow((void **)&m->columns, &m->columns_cap, ncolumns, sizeof *m->columns) != MR_OK) {
        magstore_merge_close(m);
        return MR_ENOMEM;
    }
    m->nsources = nreaders;
    for (size_t i = 0; i < nreaders; i++)
        m->sources[i] =
            (struct magstore_source){.reader = readers[i],
                                     .past_cache = all_columns,
                                     .order = i,
                                     .blocks = (uint32_t)magstore_reader_info(readers[i])->blocks};
    if (ncolumns != 0)
        memcpy(m->columns, columns, ncolumns * sizeof *columns);
    m->ncolumns = ncolumns;
    m->all_columns = all_columns;
    m->least = from;
    m->greatest = to;
    magstore_merge_seek(m, 0, from, to);
    *out = m;
    return MR_OK;
}

void magstore_merge_close(struct magstore_merge *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; m->sources != NULL && i < m->nsources; i++)
        magstore_page_free(m->sources[i].page);
    for (size_t i = 0; m->copies != NULL && i < m->ncopies; i++) {
        mr_free(m->copies[i].values);
        mr_free(m->copies[i].valid);
    }
    mr_free(m->sources);
    mr_free(m->heap);
    mr_free(m->active);
    mr_free(m->columns);
    mr_free(m->views);
    mr_free(m->given);
    mr_free(m->copies);
    mr_free(m->picks);
    mr_free(m->times);
    mr_free(m->versions);
    mr_free(m);
}

uint64_t magstore_merge_bytes(const struct magstore_merge *m)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < m->nsources; i++)
        bytes += m->sources[i].page != NULL ? magstore_page_bytes(m->sources[i].page) : 0;
    return bytes;
}

uint64_t magstore_merge_skipped(const struct magstore_merge *m)
{
    uint64_t blocks = 0;
    for (size_t i = 0; i < m->nsources; i++)
        blocks += m->sources[i].skipped;
    return blocks;
}

void magstore_merge_filter(struct magstore_merge *m, const struct magstore_filter *filters, size_t nfilters)
{
    m->filters = (struct magstore_filters){filters, nfilters, m->sources, m->nsources};
    for (size_t i = 0; i < m->nsources; i++)
        m->sources[i].filters = nfilters != 0 ? &m->filters : NULL;
}

/* The source at `at` may have moved on: lets it sink to where it belongs. */
static void sink(struct magstore_merge *m, size_t at)
{
    struct magstore_source *s = m->heap[at];
    for (size_t child; (child = 2 * at + 1) < m->nheap; at = child) {
        if (child + 1 < m->nheap && m->heap[child + 1]->want < m->heap[child]->want)
            child++;
        if (m->heap[child]->want >= s->want)
            break;
        m->heap[at] = m->heap[child];
    }
    m->heap[at] = s;
}

static void push(struct magstore_merge *m, struct magstore_source *s)
{
    size_t at = m->nheap++;
    for (; at > 0 && m->heap[(at - 1) / 2]->want > s->want; at = (at - 1) / 2)
        m->heap[at] = m->heap[(at - 1) / 2];
    m->heap[at] = s;
}

static void pop(struct magstore_merge *m)
{
    m->heap[0] = m->heap[--m->nheap];
    if (m->nheap != 0)
        sink(m, 0);
}

void magstore_merge_seek(struct magstore_merge *m, uint32_t series, int64_t from, int64_t to)
{
    m->from = from > m->least ? from : m->least;
    m->to = to < m->greatest ? to : m->greatest;
    m->sought = series;
    m->nheap = m->nactive = 0;
    for (size_t i = 0; m->from <= m->to && i < m->nsources; i++) {
        struct magstore_source *s = &m->sources[i];
        magstore_source_seek(s, series, m->from, m->to);
        if (!magstore_source_ended(s))
            push(m, s);
    }
}

/* Active sources that have no row of the series any more go back to the heap. */
static int refresh(struct magstore_merge *m, struct mr_error *err)
{
    size_t kept = 0;
    for (size_t i = 0; i < m->nactive; i++) {
        struct magstore_source *s = m->active[i];
        int status = s->settled ? MR_OK : magstore_source_settle(s, m->series, m->from, m->to, err);
        if (status != MR_OK)
            return status;
        if (s->settled)
            m->active[kept++] = s;
        else if (!magstore_source_ended(s))
            push(m, s);
    }
    m->nactive = kept;
    return MR_OK;
}

/* Makes those active that are at the least series, when it is at most `limit`. */
static int next_series(struct magstore_merge *m, uint64_t limit, struct mr_error *err)
{
    while (m->nheap != 0 && m->heap[0]->want <= limit) {
        struct magstore_source *s = m->heap[0];
        if (!s->settled) {
            int status = magstore_source_settle(s, limit, m->from, m->to, err);
            if (status != MR_OK)
                return status;
            if (magstore_source_ended(s))
                pop(m);
            else
                sink(m, 0);
            continue;
        }
        m->series = (uint32_t)s->want;
        limit = s->want; /* others at the same one only */
        m->active[m->nactive++] = s;
        pop(m);
    }
    return MR_OK;
}

static int version_of(const struct magstore_source *s, int64_t *out, struct mr_error *err)
{
    const int64_t *versions;
    int status = magstore_page_versions(s->page, &versions, err);
    *out = status == MR_OK && versions != NULL ? versions[s->at] : 1;
    return status;
}

/* The active source whose row is next, and how many rows of it come before all others; 0: others are at the
 * same time. */
static size_t choose(const struct magstore_merge *m, uint32_t *rows)
{
    size_t best = 0;
    for (size_t i = 1; i < m->nactive; i++)
        if (m->active[i]->times[m->active[i]->at] < m->active[best]->times[m->active[best]->at])
            best = i;
    const struct magstore_source *b = m->active[best];
    uint32_t end = b->end;
    for (size_t i = 0; i < m->nactive; i++) {
        const struct magstore_source *s = m->active[i];
        if (i != best && end > b->at && b->times[end - 1] >= s->times[s->at])
            end = magstore_source_find(b, b->at, s->times[s->at]);
    }
    *rows = end - b->at;
    return best;
}

/* Of the rows at one time, the one that counts. */
static int settle_tie(struct magstore_merge *m, size_t *best, struct mr_error *err)
{
    int64_t time = m->active[*best]->times[m->active[*best]->at], highest = 0;
    bool any = false;
    for (size_t i = 0; i < m->nactive; i++) {
        const struct magstore_source *s = m->active[i];
        if (s->times[s->at] != time)
            continue;
        int64_t version;
        int status = version_of(s, &version, err);
        if (status != MR_OK)
            return status;
        if (!any || version > highest || (version == highest && s->order < m->active[*best]->order)) {
            *best = i;
            highest = version;
        }
        any = true;
    }
    return MR_OK;
}

static int pick(struct magstore_merge *m, size_t source, uint32_t rows, struct mr_error *err)
{
    const struct magstore_source *s = m->active[source];
    struct magstore_pick *last = m->npicks != 0 ? &m->picks[m->npicks - 1] : NULL;
    if (last != NULL && last->source == source && last->at + last->rows == s->at) {
        last->rows += rows;
        return MR_OK;
    }
    if (mr_grow((void **)&m->picks, &m->picks_cap, m->npicks + 1, sizeof *m->picks) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory merging");
    m->picks[m->npicks++] = (struct magstore_pick){(uint32_t)source, s->at, rows};
    return MR_OK;
}

/* Takes rows of one source away, or, with 0, the rows of all at the time of that one. True: some source has
 * left its run. */
static bool take(struct magstore_merge *m, size_t source, uint32_t rows)
{
    int64_t time = m->active[source]->times[m->active[source]->at];
    bool left = false;
    for (size_t i = 0; i < m->nactive; i++) {
        struct magstore_source *s = m->active[i];
        if (i != source && (rows != 0 || s->times[s->at] != time))
            continue;
        m->replaced += i != source;
        magstore_source_take(s, rows != 0 ? rows : 1, m->from, m->to);
        left = left || !s->settled;
    }
    return left;
}

static size_t most_copied(const struct magstore_merge *m, size_t most)
{
    size_t fit = m->ncolumns != 0 ? SEGMENT_MAX_CELLS / m->ncolumns : MAGSTORE_BLOCK_ROWS;
    fit = fit != 0 ? fit : 1;
    most = most < fit ? most : fit;
    return most < MAGSTORE_BLOCK_ROWS ? most : MAGSTORE_BLOCK_ROWS;
}

/* Picks rows until there are enough, a source leaves its run, or a long stretch is ahead. */
static int weave(struct magstore_merge *m, size_t most, size_t *picked, struct mr_error *err)
{
    bool left = false;
    *picked = m->npicks = 0;
    while (!left && *picked < most) {
        uint32_t rows;
        size_t best = choose(m, &rows);
        if (rows >= LONG_STRETCH && *picked != 0)
            break;
        if (rows > most - *picked)
            rows = (uint32_t)(most - *picked);
        int status = rows == 0 ? settle_tie(m, &best, err) : MR_OK;
        if (status == MR_OK)
            status = pick(m, best, rows != 0 ? rows : 1, err);
        if (status != MR_OK)
            return status;
        *picked += rows != 0 ? rows : 1;
        left = take(m, best, rows);
    }
    return MR_OK;
}

static int next_rows(struct magstore_merge *m, size_t most, struct magstore_rows *out, struct mr_error *err)
{
    int status = m->all_columns ? magstore_merge_columns(m, err) : MR_OK;
    if (status != MR_OK)
        return status;
    uint32_t rows = 0;
    size_t best = choose(m, &rows), picked;
    if (m->nactive == 1 || rows >= LONG_STRETCH) {
        rows = rows < most ? rows : (uint32_t)most;
        status = magstore_merge_view(m, m->active[best], rows, out, err);
        if (status == MR_OK)
            (void)take(m, best, rows);
        return status;
    }
    status = weave(m, most_copied(m, most), &picked, err);
    return status == MR_OK ? magstore_merge_copy(m, picked, out, err) : status;
}

int magstore_merge_next(struct magstore_merge *m, size_t most, bool only, uint32_t *series,
                        struct magstore_rows *out, struct mr_error *err)
{
    *out = (struct magstore_rows){0};
    MR_ASSERT(most != 0);
    int status = refresh(m, err);
    if (status == MR_OK && m->nactive == 0)
        status = next_series(m, only ? m->sought : UINT32_MAX, err);
    if (status == MR_OK && m->nactive != 0) {
        *series = m->series;
        status = next_rows(m, most, out, err);
    }
    if (status != MR_OK) {
        *out = (struct magstore_rows){0};
        m->nheap = m->nactive = 0; /* at the end, until the next seek */
    }
    return status;
}
