/* memstore/prior.c - what files hold of rows that are not in memory: which rows to look up, and what the
 * caller found. */
#include "memstore/table.h"

#include <stdlib.h>

static int by_key(const void *a, const void *b)
{
    const struct mem_want *x = a, *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->time != y->time)
        return x->time < y->time ? -1 : 1;
    return (x->version > y->version) - (x->version < y->version);
}

size_t mem_wants(struct mem_table *t, const struct mem_record *records, size_t count, struct mem_want *out)
{
    struct series_lookup lookup = {0};
    size_t found = 0, kept = 0;
    for (size_t i = 0; i < count; i++) {
        const struct mem_record *r = &records[i];
        uint32_t hash;
        struct spot spot;
        const struct mem_series *s = series_of(t, &lookup, r, &hash);
        if (s != NULL && r->time <= s->file_time && !series_locate(s, r->time, &spot))
            out[found++] = (struct mem_want){s->number, r->time, r->version};
    }
    if (found != 0)
        qsort(out, found, sizeof *out, by_key);
    for (size_t i = 0; i < found; i++)
        if (kept == 0 || out[i].series != out[kept - 1].series || out[i].time != out[kept - 1].time)
            out[kept++] = out[i];
    return kept;
}

void mem_batch_priors(struct mem_table *t, const struct mem_prior *priors, size_t count, uint64_t epoch)
{
    struct mem_scratch *b = t->batch;
    b->priors = priors;
    b->npriors = epoch == t->epoch ? count : 0;
}

const struct mem_prior *prior_find(const struct mem_scratch *b, uint32_t series, int64_t time)
{
    size_t low = 0, high = b->npriors;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        const struct mem_prior *prior = &b->priors[mid];
        if (prior->series == series && prior->time == time)
            return prior;
        if (prior->series < series || (prior->series == series && prior->time < time))
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}
