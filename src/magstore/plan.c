/* magstore/plan.c - choosing merges.
 *
 * Files of a table fall into groups: those within one window of time, by window, and those that span several
 * (very late data, or written under another policy), which are one group by themselves. Within a group small
 * files are one class, whatever their level, and larger ones a class for each level.
 *
 * A class of a level is merged when it has FANIN files; so a row is written once a level. Small files of a
 * table that gets little are merged by size: the longest row of smallest files of which none is larger than
 * half of the others together, so that what a row lies in at least triples with each merge. Where sizes are
 * too far apart for that, 2 * FANIN of them are merged anyway: the count of files matters more then.
 *
 * Of all merges that would do, the one that takes away the most files for the bytes it reads comes first.
 */
#include "magstore/plan.h"

#include <stdlib.h>

#define DAY_NS INT64_C(86400000000000)
#define DEFAULT_WINDOW_NS (7 * DAY_NS)
#define DEFAULT_MAX_BYTES (UINT64_C(1) << 30)
#define DEFAULT_SMALL_BYTES (UINT64_C(1) << 20)

static int64_t window_of(const struct magstore_policy *policy)
{
    return policy->window_ns > 0 ? policy->window_ns : DEFAULT_WINDOW_NS;
}

static int64_t floor_div(int64_t time, int64_t window)
{
    return time / window - (time % window < 0);
}

/* Where window number w starts; the first one reaches down to the end of time. */
static int64_t start_of(int64_t w, int64_t window)
{
    int64_t start;
    return __builtin_mul_overflow(w, window, &start) ? INT64_MIN : start;
}

size_t magstore_plan_cuts(const struct magstore_policy *policy, int64_t time_min, int64_t time_max,
                          int64_t start[static MAGSTORE_MAX_CUTS])
{
    if (time_min > time_max)
        return 0;
    int64_t window = window_of(policy);
    int64_t first = floor_div(time_min, window), last = floor_div(time_max, window);
    uint64_t windows = (uint64_t)last - (uint64_t)first;
    size_t count = windows < MAGSTORE_MAX_CUTS ? (size_t)windows + 1 : MAGSTORE_MAX_CUTS;
    start[0] = start_of(first, window);
    for (size_t i = 1; i < count; i++)
        start[i] = start_of(last - (int64_t)(count - 1 - i), window);
    return count;
}

/* ---- merges ------------------------------------------------------------------------------------------ */

#define SMALL (-1)

struct item {
    bool wide; /* spans several windows */
    int tier;
    int64_t window;
    uint64_t size;
    size_t index;
};

static bool same_class(const struct item *a, const struct item *b)
{
    return a->wide == b->wide && a->window == b->window && a->tier == b->tier;
}

/* By group, class, size, place. */
static int compare(const void *pa, const void *pb)
{
    const struct item *a = pa, *b = pb;
    if (a->wide != b->wide)
        return a->wide ? 1 : -1;
    if (a->window != b->window)
        return a->window < b->window ? -1 : 1;
    if (a->tier != b->tier)
        return a->tier < b->tier ? -1 : 1;
    if (a->size != b->size)
        return a->size < b->size ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

struct limits {
    int64_t window;
    uint64_t max_bytes, small_bytes;
};

static struct limits limits_of(const struct magstore_policy *policy)
{
    return (struct limits){
        .window = window_of(policy),
        .max_bytes = policy->max_bytes != 0 ? policy->max_bytes : DEFAULT_MAX_BYTES,
        .small_bytes = policy->small_bytes != 0 ? policy->small_bytes : DEFAULT_SMALL_BYTES,
    };
}

static bool may_touch(const struct magstore_file *file, const bool *busy, size_t i, int64_t cutoff)
{
    return file->kind == MAGSTORE_SEGMENT && (busy == NULL || !busy[i]) &&
           !magstore_plan_expired(file, cutoff) && file->time_min <= file->time_max;
}

static bool is_wide(const struct magstore_file *file, int64_t window)
{
    return floor_div(file->time_min, window) != floor_div(file->time_max, window);
}

/* What may be merged, in order. */
static size_t sort_files(const struct limits *limits, const struct magstore_file *files, size_t nfiles,
                         const bool *busy, int64_t cutoff, struct item *items)
{
    size_t count = 0;
    for (size_t i = 0; i < nfiles; i++) {
        const struct magstore_file *file = &files[i];
        if (!may_touch(file, busy, i, cutoff) || file->size >= limits->max_bytes)
            continue;
        bool wide = is_wide(file, limits->window);
        items[count++] = (struct item){
            .wide = wide,
            .tier = file->size < limits->small_bytes ? SMALL : file->level,
            .window = wide ? 0 : floor_div(file->time_max, limits->window),
            .size = file->size,
            .index = i,
        };
    }
    if (count > 1)
        qsort(items, count, sizeof *items, compare);
    return count;
}

/* How many of the class, smallest first, to merge; 0: none. *bytes: their sum. */
static size_t choose(const struct limits *limits, const struct item *items, size_t count, uint64_t *bytes)
{
    size_t chosen = 0;
    uint64_t sum = 0;
    *bytes = 0;
    for (size_t k = 0; k < count && k < MAGSTORE_MAX_FANIN; k++) {
        uint64_t before = sum;
        if (__builtin_add_overflow(sum, items[k].size, &sum) || sum > limits->max_bytes)
            break;
        bool fits = items[k].tier != SMALL || items[k].size <= before / 2 ||
                    (k + 1 >= 2 * MAGSTORE_FANIN && chosen == 0);
        if (k + 1 >= MAGSTORE_FANIN && fits) {
            chosen = k + 1;
            *bytes = sum;
        }
    }
    return chosen;
}

/* a takes away more files for its bytes than b. */
static bool better(size_t a_files, uint64_t a_bytes, size_t b_files, uint64_t b_bytes)
{
    return (unsigned __int128)(a_files - 1) * b_bytes > (unsigned __int128)(b_files - 1) * a_bytes;
}

static int by_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static void make_job(const struct magstore_file *files, const struct item *items, size_t count,
                     struct magstore_job *out)
{
    unsigned level = 0;
    for (size_t i = 0; i < count; i++) {
        out->files[i] = items[i].index;
        if (files[items[i].index].level > level)
            level = files[items[i].index].level;
    }
    qsort(out->files, count, sizeof *out->files, by_index);
    out->nfiles = count;
    out->level = (uint8_t)(level + (items[0].tier != SMALL && level < UINT8_MAX));
}

static void find_merge(const struct limits *limits, const struct magstore_file *files,
                       const struct item *items, size_t count, struct magstore_job *out)
{
    const struct item *best = NULL;
    size_t best_files = 0;
    uint64_t best_bytes = 0;
    for (size_t from = 0, end; from < count; from = end) {
        uint64_t bytes;
        for (end = from + 1; end < count && same_class(&items[from], &items[end]);)
            end++;
        size_t chosen = choose(limits, items + from, end - from, &bytes);
        if (chosen != 0 && (best == NULL || better(chosen, bytes, best_files, best_bytes))) {
            best = items + from;
            best_files = chosen;
            best_bytes = bytes;
        }
    }
    if (best != NULL)
        make_job(files, best, best_files, out);
}

/* A file of which more than half, and at least half a window, is over. Of several the smallest. */
static void find_rewrite(const struct limits *limits, const struct magstore_file *files, size_t nfiles,
                         const bool *busy, int64_t cutoff, struct magstore_job *out)
{
    for (size_t i = 0; i < nfiles; i++) {
        const struct magstore_file *file = &files[i];
        if (!may_touch(file, busy, i, cutoff) || file->time_min >= cutoff ||
            (file->size >= limits->max_bytes && !is_wide(file, limits->window)))
            continue;
        uint64_t over = (uint64_t)cutoff - (uint64_t)file->time_min;
        uint64_t range = (uint64_t)file->time_max - (uint64_t)file->time_min;
        if (over <= range / 2 || over < (uint64_t)limits->window / 2 ||
            (out->nfiles != 0 && files[out->files[0]].size <= file->size))
            continue;
        out->files[0] = i;
        out->nfiles = 1;
        out->level = file->level;
    }
}

void magstore_plan_merge(const struct magstore_policy *policy, const struct magstore_file *files,
                         size_t nfiles, const bool *busy, int64_t cutoff, struct magstore_job *out)
{
    struct limits limits = limits_of(policy);
    *out = (struct magstore_job){.cutoff = cutoff};
    struct item *items = mr_malloc((nfiles + 1) * sizeof *items);
    if (items != NULL)
        find_merge(&limits, files, items, sort_files(&limits, files, nfiles, busy, cutoff, items), out);
    mr_free(items);
    if (out->nfiles == 0)
        find_rewrite(&limits, files, nfiles, busy, cutoff, out);
}
