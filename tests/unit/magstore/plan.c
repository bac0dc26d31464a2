/* Which merges are planned, case by case. */
#include "lib/check.h"
#include "lib/fault.h"

#include "magstore/plan.h"

#include "base/rand.h"

#include <stdlib.h>

#define W 1000 /* a window, ns */
#define MIB (UINT64_C(1) << 20)
#define NONE INT64_MIN

static const struct magstore_policy policy = {.window_ns = W, .max_bytes = 100 * MIB, .small_bytes = MIB};

/* ---- cuts -------------------------------------------------------------------------------------------- */

static void check_cuts(const struct magstore_policy *p, int64_t from, int64_t to, size_t want,
                       const int64_t *starts)
{
    int64_t start[MAGSTORE_MAX_CUTS];
    size_t count = magstore_plan_cuts(p, from, to, start);
    assert_int_equal(count, want);
    for (size_t i = 0; i < count; i++)
        if (start[i] != starts[i])
            fail_msg("cut %zu of [%lld, %lld] starts at %lld", i, (long long)from, (long long)to,
                     (long long)start[i]);
}

static void cuts_follow_the_windows(void **unused)
{
    MR_UNUSED(unused);
    check_cuts(&policy, 0, 0, 1, (int64_t[]){0});
    check_cuts(&policy, 999, 999, 1, (int64_t[]){0});
    check_cuts(&policy, 999, 1000, 2, (int64_t[]){0, 1000});
    check_cuts(&policy, 2500, 4000, 3, (int64_t[]){2000, 3000, 4000});
    check_cuts(&policy, 10, 7999, 8, (int64_t[]){0, 1000, 2000, 3000, 4000, 5000, 6000, 7000});
    check_cuts(&policy, 10, 8000, 8, (int64_t[]){0, 2000, 3000, 4000, 5000, 6000, 7000, 8000});
    check_cuts(&policy, 5, 123456, 8, (int64_t[]){0, 117000, 118000, 119000, 120000, 121000, 122000, 123000});
    check_cuts(&policy, -1, 0, 2, (int64_t[]){-1000, 0});
    check_cuts(&policy, 1, 0, 0, NULL);
    struct magstore_policy usual = {.window_ns = 0};
    int64_t week = INT64_C(7) * 86400 * 1000000000;
    check_cuts(&usual, week - 1, week, 2, (int64_t[]){0, week});
}

static void cuts_at_the_ends_of_time(void **unused)
{
    MR_UNUSED(unused);
    static const int64_t windows[] = {1, 7, W, INT64_C(604800000000000), INT64_MAX};
    static const int64_t times[] = {INT64_MIN, INT64_MIN + 1, -1, 0, 1, INT64_MAX - 1, INT64_MAX};
    for (size_t w = 0; w < MR_ARRAY_LEN(windows); w++)
        for (size_t a = 0; a < MR_ARRAY_LEN(times); a++)
            for (size_t b = a; b < MR_ARRAY_LEN(times); b++) {
                struct magstore_policy p = {.window_ns = windows[w]};
                int64_t start[MAGSTORE_MAX_CUTS];
                size_t count = magstore_plan_cuts(&p, times[a], times[b], start);
                assert_true(count >= 1 && count <= MAGSTORE_MAX_CUTS);
                assert_true(start[0] <= times[a] && start[count - 1] <= times[b]);
                for (size_t i = 1; i < count; i++)
                    assert_true(start[i - 1] < start[i] && start[i] > times[a]);
            }
}

/* ---- merges ------------------------------------------------------------------------------------------ */

struct spec {
    int window, span; /* first window, and how many */
    uint8_t level;
    uint64_t kib;
    bool busy;
};

struct merge_case {
    const char *name;
    int64_t cutoff;
    struct spec files[24];
    size_t want[MAGSTORE_MAX_FANIN + 1]; /* ends with END */
    uint8_t level;
};
#define END SIZE_MAX

#define ONE(window, level, kib)                                                                              \
    {                                                                                                        \
        window, 1, level, kib, false                                                                         \
    }
#define BUSY(window, level, kib)                                                                             \
    {                                                                                                        \
        window, 1, level, kib, true                                                                          \
    }
#define WIDE(window, span, level, kib)                                                                       \
    {                                                                                                        \
        window, span, level, kib, false                                                                      \
    }

static const struct merge_case cases[] = {
    {"nothing", NONE, {ONE(0, 0, 9)}, {END}, 0},
    {"three of a level", NONE, {ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048)}, {END}, 0},
    {"four of a level",
     NONE,
     {ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 4096)},
     {0, 1, 2, 3, END},
     1},
    {"four, but of two levels",
     NONE,
     {ONE(0, 0, 2048), ONE(0, 1, 2048), ONE(0, 0, 2048), ONE(0, 0, 4096)},
     {END},
     0},
    {"four, but of two windows",
     NONE,
     {ONE(0, 0, 2048), ONE(1, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 4096)},
     {END},
     0},
    {"five of level 3",
     NONE,
     {ONE(4, 3, 2048), ONE(4, 2, 9000), ONE(4, 3, 2048), ONE(4, 3, 2048), ONE(4, 3, 2048), ONE(4, 3, 4096)},
     {0, 2, 3, 4, 5, END},
     4},
    {"the highest level stays",
     NONE,
     {ONE(0, 255, 2048), ONE(0, 255, 2048), ONE(0, 255, 2048), ONE(0, 255, 4096)},
     {0, 1, 2, 3, END},
     255},
    {"a busy one is missing",
     NONE,
     {ONE(0, 0, 2048), BUSY(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 4096)},
     {END},
     0},
    {"a busy one is left out",
     NONE,
     {ONE(0, 0, 2048), BUSY(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 4096), ONE(0, 0, 4096)},
     {0, 2, 3, 4, END},
     1},
    {"files of max_bytes are left alone",
     NONE,
     {ONE(0, 0, 102400), ONE(0, 0, 102400), ONE(0, 0, 102401), ONE(0, 0, 900000)},
     {END},
     0},
    {"too large together",
     NONE,
     {ONE(0, 2, 30000), ONE(0, 2, 30000), ONE(0, 2, 30000), ONE(0, 2, 30000), ONE(0, 2, 30000)},
     {END},
     0},
    {"as many as fit, the smallest",
     NONE,
     {ONE(0, 2, 30000), ONE(0, 2, 10000), ONE(0, 2, 20000), ONE(0, 2, 10001), ONE(0, 2, 50000)},
     {0, 1, 2, 3, END},
     3},
    {"the cheaper one first",
     NONE,
     {ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(1, 0, 2000), ONE(1, 0, 2048),
      ONE(1, 0, 2048), ONE(1, 0, 2048)},
     {4, 5, 6, 7, END},
     1},
    {"more files for the same bytes first",
     NONE,
     {ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 4096), ONE(1, 0, 2048), ONE(1, 0, 2048),
      ONE(1, 0, 2048), ONE(1, 0, 2048), ONE(1, 0, 2048)},
     {4, 5, 6, 7, 8, END},
     1},
    {"small ones of any level",
     NONE,
     {ONE(0, 0, 10), ONE(0, 2, 12), ONE(0, 1, 12), ONE(0, 0, 17)},
     {0, 1, 2, 3, END},
     2},
    {"small ones without one that is too large for them",
     NONE,
     {ONE(0, 0, 500), ONE(0, 0, 12), ONE(0, 0, 12), ONE(0, 0, 17), ONE(0, 0, 10)},
     {1, 2, 3, 4, END},
     0},
    {"small ones wait for their like",
     NONE,
     {ONE(0, 0, 500), ONE(0, 0, 12), ONE(0, 0, 12), ONE(0, 0, 17)},
     {END},
     0},
    {"eight small ones wait no longer",
     NONE,
     {ONE(0, 0, 1), ONE(0, 0, 2), ONE(0, 0, 4), ONE(0, 0, 8), ONE(0, 0, 16), ONE(0, 0, 32), ONE(0, 0, 64),
      ONE(0, 0, 128)},
     {0, 1, 2, 3, 4, 5, 6, 7, END},
     0},
    {"seven do",
     NONE,
     {ONE(0, 0, 1), ONE(0, 0, 2), ONE(0, 0, 4), ONE(0, 0, 8), ONE(0, 0, 16), ONE(0, 0, 32), ONE(0, 0, 64)},
     {END},
     0},
    {"small and large do not mix",
     NONE,
     {ONE(0, 0, 1023), ONE(0, 0, 1024), ONE(0, 0, 1025), ONE(0, 0, 1025)},
     {END},
     0},
    {"wide ones are a group, whatever they span",
     NONE,
     {WIDE(0, 2, 0, 2048), WIDE(5, 3, 0, 2048), ONE(0, 0, 2048), WIDE(9, 2, 0, 2048), WIDE(1, 9, 0, 2048)},
     {0, 1, 3, 4, END},
     1},
    {"an expired one does not count",
     1000,
     {ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048), ONE(0, 0, 2048)},
     {END},
     0},
    {"a merge comes before a rewrite",
     1900,
     {ONE(1, 1, 2048), ONE(2, 0, 2048), ONE(2, 0, 2048), ONE(2, 0, 2048), ONE(2, 0, 2048)},
     {1, 2, 3, 4, END},
     1},
    {"more than half is over", 1501, {ONE(1, 3, 2048), ONE(2, 0, 2048)}, {0, END}, 3},
    {"not yet", 1499, {ONE(1, 3, 2048), ONE(2, 0, 2048)}, {END}, 0},
    {"busy", 1900, {BUSY(1, 3, 2048), ONE(2, 0, 2048)}, {END}, 0},
    {"the smaller of two", 1900, {ONE(1, 3, 4096), ONE(1, 2, 2048), ONE(2, 0, 2048)}, {1, END}, 2},
    {"wide: half of it", 5501, {WIDE(1, 9, 3, 4096)}, {0, END}, 3},
    {"wide: not yet", 5499, {WIDE(1, 9, 3, 4096)}, {END}, 0},
    {"wide: of any size", 5501, {WIDE(1, 9, 3, 999999)}, {0, END}, 3},
    {"a large one of one window is left alone", 1900, {ONE(1, 3, 999999)}, {END}, 0},
};

static struct magstore_file file_of(const struct spec *s, uint64_t number)
{
    return (struct magstore_file){
        .kind = MAGSTORE_SEGMENT,
        .level = s->level,
        .number = number,
        .size = s->kib << 10,
        .time_min = (int64_t)s->window * W,
        .time_max = (int64_t)(s->window + s->span) * W - 1,
    };
}

static void merges_case_by_case(void **unused)
{
    MR_UNUSED(unused);
    for (size_t c = 0; c < MR_ARRAY_LEN(cases); c++) {
        struct magstore_file files[24];
        bool busy[24];
        size_t n = 0;
        for (; n < MR_ARRAY_LEN(files) && cases[c].files[n].span != 0; n++) {
            files[n] = file_of(&cases[c].files[n], n + 1);
            busy[n] = cases[c].files[n].busy;
        }
        struct magstore_job job;
        magstore_plan_merge(&policy, files, n, busy, cases[c].cutoff, &job);
        size_t want = 0;
        for (; cases[c].want[want] != END; want++)
            if (want < job.nfiles && job.files[want] != cases[c].want[want])
                fail_msg("%s: file %zu is %zu", cases[c].name, want, job.files[want]);
        if (job.nfiles != want || job.cutoff != cases[c].cutoff)
            fail_msg("%s: %zu files", cases[c].name, job.nfiles);
        if (want != 0 && job.level != cases[c].level)
            fail_msg("%s: level %u", cases[c].name, job.level);
    }
}

static void at_most_sixteen(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_file files[40];
    for (size_t small = 0; small < 2; small++) {
        for (size_t i = 0; i < MR_ARRAY_LEN(files); i++) {
            struct spec s = {7, 1, 0, small ? 100 : 1100 + 40 - i, false};
            files[i] = file_of(&s, i + 1);
        }
        struct magstore_job job;
        magstore_plan_merge(&policy, files, MR_ARRAY_LEN(files), NULL, NONE, &job);
        assert_int_equal(job.nfiles, MAGSTORE_MAX_FANIN);
        for (size_t i = 0; i < job.nfiles; i++)
            assert_int_equal(job.files[i], small ? i : 24 + i); /* the smallest; of equals the first */
    }
}

static void only_segments(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_file files[6];
    for (size_t i = 0; i < MR_ARRAY_LEN(files); i++) {
        struct spec s = {0, 1, 0, 2048, false};
        files[i] = file_of(&s, i + 1);
    }
    files[1].kind = MAGSTORE_NAMES;
    files[3].time_min = 5000; /* says nothing of its times */
    struct magstore_job job;
    magstore_plan_merge(&policy, files, MR_ARRAY_LEN(files), NULL, NONE, &job);
    assert_int_equal(job.nfiles, 4);
    assert_true(job.files[0] == 0 && job.files[1] == 2 && job.files[2] == 4 && job.files[3] == 5);
}

static void usual_numbers(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_policy usual = {.window_ns = 0};
    struct magstore_file files[4];
    struct magstore_job job;
    int64_t week = INT64_C(7) * 86400 * 1000000000;
    for (size_t i = 0; i < 4; i++)
        files[i] = (struct magstore_file){.kind = MAGSTORE_SEGMENT,
                                          .size = i == 0 ? MIB : 256 * MIB,
                                          .time_min = week,
                                          .time_max = 2 * week - 1};
    magstore_plan_merge(&usual, files, 4, NULL, NONE, &job);
    assert_int_equal(job.nfiles, 4); /* 769 MiB, none of them small */
    files[0].size = 257 * MIB;
    magstore_plan_merge(&usual, files, 4, NULL, NONE, &job);
    assert_int_equal(job.nfiles, 0); /* 1 GiB and a little */
    files[0].size = MIB - 1;
    magstore_plan_merge(&usual, files, 4, NULL, NONE, &job);
    assert_int_equal(job.nfiles, 0); /* a small one */
}

/* Whatever a damaged manifest may say: a job made of what may be touched, or none. */
static void any_numbers(void **unused)
{
    MR_UNUSED(unused);
    struct mr_rng rng = {11};
    struct magstore_file files[60];
    bool busy[60];
    unsigned jobs = 0;
    for (int round = 0; round < 20000; round++) {
        size_t n = mr_rng_below(&rng, MR_ARRAY_LEN(files) + 1);
        bool wild = round % 2 == 0;
        for (size_t i = 0; i < n; i++) {
            files[i] = (struct magstore_file){
                .kind = mr_rng_below(&rng, 10) == 0 ? MAGSTORE_NAMES : MAGSTORE_SEGMENT,
                .level = (uint8_t)mr_rng_below(&rng, wild ? 256 : 2),
                .size = wild ? mr_rng_next(&rng) >> mr_rng_below(&rng, 64) : mr_rng_below(&rng, 4 * MIB),
                .time_min = wild ? (int64_t)mr_rng_next(&rng) : (int64_t)mr_rng_below(&rng, 3000),
                .time_max = wild ? (int64_t)mr_rng_next(&rng) : (int64_t)mr_rng_below(&rng, 3000),
            };
            busy[i] = mr_rng_below(&rng, 5) == 0;
        }
        int64_t cutoff = wild ? (int64_t)mr_rng_next(&rng) : (int64_t)mr_rng_below(&rng, 1000);
        struct magstore_job job, again;
        magstore_plan_merge(&policy, files, n, busy, cutoff, &job);
        magstore_plan_merge(&policy, files, n, busy, cutoff, &again);
        assert_true(job.nfiles == again.nfiles && job.nfiles <= MAGSTORE_MAX_FANIN);
        assert_memory_equal(job.files, again.files, job.nfiles * sizeof *job.files);
        assert_true(job.nfiles <= 1 || job.nfiles >= MAGSTORE_FANIN);
        uint64_t sum = 0;
        for (size_t i = 0; i < job.nfiles; i++) {
            size_t f = job.files[i];
            assert_true(f < n && (i == 0 || job.files[i - 1] < f));
            assert_true(!busy[f] && files[f].kind == MAGSTORE_SEGMENT && files[f].time_max >= cutoff);
            sum += files[f].size;
        }
        assert_true(job.nfiles <= 1 || sum <= policy.max_bytes);
        jobs += job.nfiles != 0;
    }
    assert_true(jobs > 10000);
}

static void without_memory_nothing_is_merged(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_file files[4];
    for (size_t i = 0; i < 4; i++) {
        struct spec s = {0, 1, 0, 2048, false};
        files[i] = file_of(&s, i + 1);
    }
    struct magstore_job job;
    fault_alloc(1);
    magstore_plan_merge(&policy, files, 4, NULL, NONE, &job);
    assert_true(fault_alloc_fired());
    fault_alloc(0);
    assert_int_equal(job.nfiles, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_follow_the_windows),
        cmocka_unit_test(cuts_at_the_ends_of_time),
        cmocka_unit_test(merges_case_by_case),
        cmocka_unit_test(at_most_sixteen),
        cmocka_unit_test(only_segments),
        cmocka_unit_test(usual_numbers),
        cmocka_unit_test(any_numbers),
        cmocka_unit_test(without_memory_nothing_is_merged),
    };
    return cmocka_run_group_tests_name("magstore/plan", tests, NULL, NULL);
}
