#include "store/scan_runs.h"

#include "base/hash.h"

enum { STEP = 512 /* series a hold of the lock */, LONGEST = 128 /* series of a run */ };

/* Of the values of the keys. Where two sets of values have the same hash their series share a run, which does
 * no harm. */
static uint64_t hash_series(const struct mem_table *mem, uint32_t series, const uint32_t *keys, size_t nkeys,
                            struct mem_dim *dims)
{
    uint64_t hash = mr_hash_seed();
    uint32_t measure, ndims = 0;
    if (!mem_series_key(mem, series, &measure, dims, &ndims))
        return 0; /* it has gone, and has no rows */
    for (size_t i = 0; i < nkeys; i++) {
        uint32_t k = 0;
        while (k < ndims && dims[k].column != keys[i])
            k++;
        if (keys[i] == MEM_COLUMN_MEASURE_NAME)
            hash = mr_hash64(&measure, sizeof measure, hash);
        else if (k < ndims)
            hash = mr_hash64(dims[k].value.ptr, dims[k].value.len, hash);
        else
            hash = hash * 31 + 7;
    }
    return hash;
}

static bool hash_all(struct mem_table *mem, const uint32_t *series, size_t nseries, const uint32_t *keys,
                     size_t nkeys, uint64_t *hashes)
{
    struct mem_dim *dims = mr_calloc(MEM_MAX_DIMENSIONS, sizeof *dims);
    for (size_t i = 0; dims != NULL && i < nseries;) {
        mem_read_lock(mem);
        for (size_t end = i + STEP; i < nseries && i < end; i++)
            hashes[i] = hash_series(mem, series[i], keys, nkeys, dims);
        mem_read_unlock(mem);
    }
    mr_free(dims);
    return dims != NULL;
}

/* Numbers the runs in the order of their first series: numbers[i] is that of series i, ends[n] counts the
 * series of run n. False: one is too long. */
static bool number_runs(const uint64_t *hashes, size_t nseries, uint32_t *slots, size_t nslots,
                        uint64_t *known, uint32_t *numbers, struct scan_runs *runs)
{
    for (size_t i = 0; i < nseries; i++) {
        size_t at = (hashes[i] ^ hashes[i] >> 32) & (nslots - 1);
        while (slots[at] != 0 && known[slots[at] - 1] != hashes[i])
            at = (at + 1) & (nslots - 1);
        if (slots[at] == 0) {
            known[runs->count] = hashes[i];
            slots[at] = (uint32_t)++runs->count;
        }
        numbers[i] = slots[at] - 1;
        if (++runs->ends[numbers[i]] > LONGEST)
            return false;
    }
    return true;
}

/* Room for the work on so many series. */
struct room {
    uint64_t *hashes, *known;
    uint32_t *numbers, *sorted, *slots;
    size_t nslots;
};

static bool room_make(struct room *r, size_t nseries)
{
    for (r->nslots = 64; r->nslots < 2 * nseries;)
        r->nslots *= 2;
    r->hashes = mr_calloc(nseries, sizeof *r->hashes);
    r->known = mr_calloc(nseries, sizeof *r->known);
    r->numbers = mr_calloc(nseries, sizeof *r->numbers);
    r->sorted = mr_calloc(nseries, sizeof *r->sorted);
    r->slots = mr_calloc(r->nslots, sizeof *r->slots);
    return r->hashes != NULL && r->known != NULL && r->numbers != NULL && r->sorted != NULL &&
           r->slots != NULL;
}

static void room_free(struct room *r)
{
    mr_free(r->hashes);
    mr_free(r->known);
    mr_free(r->numbers);
    mr_free(r->sorted);
    mr_free(r->slots);
}

/* By the numbers, keeping their order within a run; lengths become ends. */
static void sort_series(struct room *r, uint32_t *series, size_t nseries, struct scan_runs *runs)
{
    size_t start = 0;
    for (size_t i = 0; i < runs->count; i++) {
        size_t length = runs->ends[i];
        runs->ends[i] = start;
        start += length;
    }
    for (size_t i = 0; i < nseries; i++)
        r->sorted[runs->ends[r->numbers[i]]++] = series[i];
    memcpy(series, r->sorted, nseries * sizeof *series);
}

bool scan_runs_find(struct mem_table *mem, uint32_t *series, size_t nseries, const uint32_t *keys,
                    size_t nkeys, struct scan_runs *out)
{
    struct room room = {0};
    *out = (struct scan_runs){0};
    if (nseries == 0)
        return false;
    out->ends = mr_calloc(nseries, sizeof *out->ends);
    bool found = out->ends != NULL && room_make(&room, nseries) &&
                 hash_all(mem, series, nseries, keys, nkeys, room.hashes) &&
                 number_runs(room.hashes, nseries, room.slots, room.nslots, room.known, room.numbers, out);
    if (found) {
        sort_series(&room, series, nseries, out);
    } else {
        mr_free(out->ends);
        *out = (struct scan_runs){0};
    }
    room_free(&room);
    return found;
}
