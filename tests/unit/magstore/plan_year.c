/* A year of flushes as the plan sees it: files that only have sizes and times. Rows come late, files are
 * merged and expire; then the count of files, the bytes written and the times a row was rewritten are
 * judged. */
#include "lib/check.h"

#include "magstore/plan.h"

#include "base/rand.h"

#include <math.h>
#include <stdlib.h>

#define HOUR INT64_C(3600000000000)
#define DAY (24 * HOUR)
#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)
#define MAX_FILES 5000
#define SMALL_IN_WINDOW (2 * MAGSTORE_FANIN)

/* How a table is written to. */
struct table {
    const char *name;
    int64_t every;     /* between flushes */
    uint64_t bytes;    /* of a flush */
    double late;       /* share of the bytes that are late */
    int64_t late_mean; /* how late, exponentially */
    int64_t retention;
    struct magstore_policy policy;
};

static const struct table tables[] = {
    {"hourly, 20 MiB, 5 % a day late", HOUR, 20 * MIB, 0.05, DAY, 180 * DAY, {0, 0, 0}},
    {"every 15 minutes, 3 MiB, all in time", HOUR / 4, 3 * MIB, 0, DAY, 365 * DAY, {0, 0, 0}},
    {"hourly, 60 MiB, 10 % a month late", HOUR, 60 * MIB, 0.1, 30 * DAY, 120 * DAY, {0, 0, 0}},
    {"hourly, 4 KiB", HOUR, 4 * KIB, 0, DAY, 365 * DAY, {0, 0, 0}},
    {"hourly, 200 KiB, 20 % a week late", HOUR, 200 * KIB, 0.2, 7 * DAY, 365 * DAY, {0, 0, 0}},
    {"daily, 2 GiB, 5 % a week late", DAY, 2048 * MIB, 0.05, 7 * DAY, 365 * DAY, {0, 0, 0}},
    {"hourly, 2 MiB, kept for three days", HOUR, 2 * MIB, 0.02, DAY / 2, 3 * DAY, {DAY, 0, 0}},
    {"every 30 minutes, 1 MiB, windows of a day",
     HOUR / 2,
     MIB,
     0.05,
     2 * DAY,
     30 * DAY,
     {DAY, 256 * MIB, 0}},
};

struct file {
    struct magstore_file f;
    unsigned rewrites; /* that led to it, along the longest way; 0 when it spans windows */
};

struct world {
    const struct table *table;
    int64_t window;
    uint64_t max_bytes, small_bytes;
    struct file files[MAX_FILES];
    size_t nfiles, most_files;
    uint64_t next, flushed, written, jobs, rewrites_alone, expired;
    unsigned most_rewrites;
    struct mr_rng rng;
};

static void add(struct world *w, uint64_t size, int64_t from, int64_t to, uint8_t level, unsigned rewrites)
{
    assert_true(w->nfiles < MAX_FILES);
    w->files[w->nfiles++] = (struct file){
        .f = {.kind = MAGSTORE_SEGMENT,
              .level = level,
              .number = ++w->next,
              .size = size,
              .time_min = from,
              .time_max = to},
        .rewrites = rewrites,
    };
    w->written += size;
    if (w->nfiles > w->most_files)
        w->most_files = w->nfiles;
    if (rewrites > w->most_rewrites)
        w->most_rewrites = rewrites;
    assert_true(rewrites <= 24); /* log 3 and log 4 of sizes, and some for sizes far apart */
}

/* Share of the late rows that are later than `age`. */
static double later(const struct world *w, int64_t age)
{
    return age <= 0 ? 1 : exp(-(double)age / (double)w->table->late_mean);
}

/* The rows that came between now - every and now, cut by the plan. */
static void flush(struct world *w, int64_t now)
{
    const struct table *t = w->table;
    int64_t start[MAGSTORE_MAX_CUTS];
    int64_t oldest = now - t->every - (t->late > 0 ? 5 * t->late_mean : 0);
    if (oldest < now - t->retention)
        oldest = now - t->retention;
    if (oldest < 0)
        oldest = 0;
    size_t cuts = magstore_plan_cuts(&t->policy, oldest, now - 1, start);
    for (size_t i = 0; i < cuts; i++) {
        int64_t from = i == 0 ? oldest : start[i], to = i + 1 < cuts ? start[i + 1] - 1 : now - 1;
        double share = t->late * (later(w, now - t->every - to) - later(w, now - t->every - from));
        int64_t fresh = now - t->every > from ? now - t->every : from;
        if (to >= fresh)
            share += (1 - t->late) * (double)(to - fresh + 1) / (double)t->every;
        uint64_t size = (uint64_t)((double)t->bytes * share * (0.5 + mr_rng_unit(&w->rng)));
        if (size == 0)
            continue;
        w->flushed += size;
        add(w, size + 300, from, to, 0, 0); /* a file has a head and an end */
    }
}

static void expire(struct world *w, int64_t cutoff)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->nfiles; i++) {
        if (magstore_plan_expired(&w->files[i].f, cutoff))
            w->expired++;
        else
            w->files[kept++] = w->files[i];
    }
    w->nfiles = kept;
}

/* What a merge makes of the files; rows before the cutoff are gone in proportion. */
static void merge(struct world *w, const struct magstore_job *job)
{
    double size = 0;
    int64_t from = INT64_MAX, to = INT64_MIN;
    unsigned rewrites = 0;
    for (size_t i = 0; i < job->nfiles; i++) {
        const struct file *file = &w->files[job->files[i]];
        int64_t first = file->f.time_min > job->cutoff ? file->f.time_min : job->cutoff;
        bool wide = file->f.time_min / w->window != file->f.time_max / w->window;
        assert_true(file->f.size < w->max_bytes || (wide && job->nfiles == 1));
        size += (double)file->f.size * (double)(file->f.time_max - first + 1) /
                (double)(file->f.time_max - file->f.time_min + 1);
        from = first < from ? first : from;
        to = file->f.time_max > to ? file->f.time_max : to;
        rewrites = file->rewrites > rewrites ? file->rewrites : rewrites;
    }
    for (size_t i = job->nfiles; i-- > 0;)
        w->files[job->files[i]] = w->files[--w->nfiles];
    w->jobs++;
    w->rewrites_alone += job->nfiles == 1;
    /* Those that span windows are cut at one end as they grow at the other: no row of them stays for ever. */
    bool wide = from / w->window != to / w->window;
    add(w, (uint64_t)size + 1, from, to, job->level, wide ? 0 : rewrites + 1);
}

/* Until nothing is to be done, which is soon. */
static void compact(struct world *w, int64_t cutoff)
{
    static struct magstore_file files[MAX_FILES];
    for (unsigned rounds = 0;; rounds++) {
        struct magstore_job job;
        for (size_t i = 0; i < w->nfiles; i++)
            files[i] = w->files[i].f;
        magstore_plan_merge(&w->table->policy, files, w->nfiles, NULL, cutoff, &job);
        if (job.nfiles == 0)
            break;
        assert_true(rounds < 100);
        merge(w, &job);
    }
}

/* No window has many small files, or many of one level that could be one. */
static void check_windows(const struct world *w, int64_t now)
{
    int64_t last = now / w->window;
    for (int64_t window = -1; window <= last; window++) { /* -1: those that span several */
        unsigned small = 0, level[256] = {0};
        uint64_t least[256][MAGSTORE_FANIN];
        memset(least, 0xff, sizeof least);
        for (size_t i = 0; i < w->nfiles; i++) {
            const struct magstore_file *f = &w->files[i].f;
            int64_t of = f->time_min / w->window == f->time_max / w->window ? f->time_min / w->window : -1;
            if (of != window || f->size >= w->max_bytes)
                continue;
            if (f->size < w->small_bytes) {
                small++;
                continue;
            }
            level[f->level]++;
            uint64_t size = f->size;
            for (size_t k = 0; k < MAGSTORE_FANIN; k++) {
                uint64_t there = least[f->level][k];
                least[f->level][k] = size < there ? size : there;
                size = size < there ? there : size;
            }
        }
        assert_true(small < SMALL_IN_WINDOW);
        for (int l = 0; l < 256; l++) {
            uint64_t sum = 0;
            for (size_t k = 0; k < MAGSTORE_FANIN; k++)
                sum += level[l] >= MAGSTORE_FANIN ? least[l][k] : 0;
            assert_true(level[l] < MAGSTORE_FANIN || sum > w->max_bytes);
        }
    }
}

static void one_year(const struct table *t)
{
    static struct world w;
    w = (struct world){.table = t, .rng = {5}};
    w.window = t->policy.window_ns != 0 ? t->policy.window_ns : 7 * DAY;
    w.max_bytes = t->policy.max_bytes != 0 ? t->policy.max_bytes : 1024 * MIB;
    w.small_bytes = t->policy.small_bytes != 0 ? t->policy.small_bytes : MIB;
    int64_t end = 365 * DAY, begin = 2 * t->every;
    for (int64_t now = begin; now <= end; now += t->every) {
        int64_t cutoff = now - t->retention;
        flush(&w, now);
        expire(&w, cutoff);
        compact(&w, cutoff);
        if (now / t->every % 97 == 0)
            check_windows(&w, now);
    }
    check_windows(&w, end);
    uint64_t total = 0;
    for (size_t i = 0; i < w.nfiles; i++)
        total += w.files[i].f.size;
    double amplification = (double)w.written / (double)w.flushed;
    double windows = (double)(t->retention < end ? t->retention : end) / (double)w.window + 2;
    print_message(
        "%-42s %4zu files (at most %4zu; %5.1f a window), %6.0f MiB, %5llu merges, written %.2f times, "
        "a row at most %u\n",
        t->name, w.nfiles, w.most_files, (double)w.nfiles / windows, (double)total / (double)MIB,
        (unsigned long long)w.jobs, amplification, w.most_rewrites + 1);
    /* Levels up to max_bytes, FANIN - 1 of each, the small ones, and what is as large as files get. */
    double levels = log((double)w.max_bytes / (double)w.small_bytes) / log(MAGSTORE_FANIN) + 1;
    double bound = (windows + 1) * (levels * (MAGSTORE_FANIN - 1) + SMALL_IN_WINDOW - 1) +
                   MAGSTORE_FANIN * (double)total / (double)w.max_bytes;
    assert_true((double)w.most_files <= bound);
    assert_true(amplification < 6);
    assert_true(t->retention >= end || w.expired > 0);
    size_t before = w.nfiles;
    uint64_t jobs = w.jobs;
    compact(&w, end - t->retention);
    assert_true(w.nfiles == before && w.jobs == jobs);
}

static void a_year_of_flushes(void **unused)
{
    MR_UNUSED(unused);
    for (size_t i = 0; i < MR_ARRAY_LEN(tables); i++)
        one_year(&tables[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_year_of_flushes),
    };
    return cmocka_run_group_tests_name("magstore/plan_year", tests, NULL, NULL);
}
