/* Every column comes back bit for bit, and damaged columns are refused or harmless, never a crash. */
#include "lib/check.h"

#include "base/rand.h"
#include "magstore/codec.h"

#include <math.h>
#include <stdio.h>

static struct magstore_scratch *scratch;

static int set_up(void **state)
{
    MR_UNUSED(state);
    return magstore_scratch_new(&scratch);
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    magstore_scratch_free(scratch);
    return 0;
}

static double normal(struct mr_rng *rng)
{
    return sqrt(-2 * log(1 - mr_rng_unit(rng))) * cos(2 * M_PI * mr_rng_unit(rng));
}

/* Encodes, decodes, compares; returns bytes a value. */
static double trip_i64(const int64_t *v, size_t n)
{
    static int64_t back[MAGSTORE_MAX_VALUES];
    struct mr_buf out = MR_BUF_INIT;
    assert_int_equal(magstore_encode_i64(scratch, v, n, &out), MR_OK);
    assert_int_equal(magstore_decode_i64(scratch, mr_buf_view(&out), back, n), MR_OK);
    if (n != 0)
        assert_memory_equal(v, back, n * sizeof *v);
    double size = n != 0 ? (double)out.len / (double)n : 0;
    mr_buf_release(&out);
    return size;
}

static double trip_f64(const double *v, size_t n)
{
    static double back[MAGSTORE_MAX_VALUES];
    struct mr_buf out = MR_BUF_INIT;
    assert_int_equal(magstore_encode_f64(scratch, v, n, &out), MR_OK);
    assert_int_equal(magstore_decode_f64(scratch, mr_buf_view(&out), back, n), MR_OK);
    if (n != 0)
        assert_memory_equal(v, back, n * sizeof *v);
    double size = n != 0 ? (double)out.len / (double)n : 0;
    mr_buf_release(&out);
    return size;
}

static void test_integers_of_every_shape(void **state)
{
    MR_UNUSED(state);
    static int64_t v[MAGSTORE_MAX_VALUES];
    struct mr_rng rng = {1};
    static const size_t sizes[] = {0, 1, 2, 3, 7, 63, 64, 65, 1000, 8192, MAGSTORE_MAX_VALUES};
    for (size_t s = 0; s < MR_ARRAY_LEN(sizes); s++) {
        for (unsigned width = 0; width <= 64; width++) {
            for (size_t i = 0; i < sizes[s]; i++)
                v[i] = (int64_t)(width == 0 ? 0 : mr_rng_next(&rng) >> (64 - width));
            if (sizes[s] < 9000 || width % 16 == 0)
                trip_i64(v, sizes[s]);
        }
    }
    static const int64_t edges[] = {INT64_MIN, INT64_MAX,     0, -1, INT64_MIN, INT64_MIN + 1,
                                    INT64_MAX, INT64_MAX - 1, 1};
    trip_i64(edges, MR_ARRAY_LEN(edges));
}

static void test_regular_times_cost_next_to_nothing(void **state)
{
    MR_UNUSED(state);
    static int64_t v[8192];
    for (size_t i = 0; i < 8192; i++)
        v[i] = INT64_C(1700000000000000000) + (int64_t)i * INT64_C(10000000000);
    assert_true(trip_i64(v, 8192) * 8192 < 40);
    v[4000] += 1; /* one late sample must not widen the rest */
    assert_true(trip_i64(v, 8192) * 8192 < 90);
}

/* Whole seconds in nanoseconds; the bound is the row of docs/format/columns.md. */
static void test_multiples_of_a_unit_are_divided(void **state)
{
    MR_UNUSED(state);
    static int64_t v[8192];
    struct mr_rng rng = {5};
    int64_t t = INT64_C(1700000000123456789);
    for (size_t i = 0; i < 8192; i++)
        v[i] = t += INT64_C(1000000000) * (1 + (int64_t)mr_rng_below(&rng, 16));
    double size = trip_i64(v, 8192);
    print_message("times in whole seconds: %.3f bytes a value\n", size);
    assert_true(size < 0.52);
    for (size_t i = 0; i < 8192; i++) /* over the whole range: differences wrap */
        v[i] = (int64_t)(UINT64_C(0xFFFFFFFFFFFFFFFF) / 3 * mr_rng_below(&rng, 4) + (UINT64_C(1) << 63));
    assert_true(trip_i64(v, 8192) < 0.4);
    v[77]++;
    trip_i64(v, 8192);
    trip_i64(v, 2);
}

/* Short series in one column: regular times of sixty rows each, every series with a phase of its own. The
 * jumps from one to the next are exceptions. */
static void test_times_of_short_series(void **state)
{
    MR_UNUSED(state);
    static int64_t v[4200];
    struct mr_rng rng = {5};
    for (size_t i = 0; i < 4200; i++)
        v[i] = i % 60 == 0 ? INT64_C(1700000000000000000) + (int64_t)mr_rng_below(&rng, 10000000000)
                           : v[i - 1] + INT64_C(10000000000);
    double size = trip_i64(v, 4200);
    print_message("times of short series: %.3f bytes a value\n", size);
    assert_true(size < 0.3);
}

static void walk(double *v, size_t n, double unit)
{
    struct mr_rng rng = {7};
    double x = 50;
    for (size_t i = 0; i < n; i++) {
        x += normal(&rng);
        x = x < 0 ? 0 : x > 100 ? 100 : x;
        v[i] = unit != 0 ? round(x / unit) * unit : x;
        if (unit == 0.01)
            v[i] = round(x * 100) / 100;
    }
}

/* The three kinds of the sizes' table in docs/format/columns.md; the bounds leave room for files around
 * columns. */
static void test_random_walks_stay_near_their_entropy(void **state)
{
    MR_UNUSED(state);
    static double v[8192];
    walk(v, 8192, 1);
    double whole = trip_f64(v, 8192);
    walk(v, 8192, 0.01);
    double cents = trip_f64(v, 8192);
    walk(v, 8192, 0);
    double full = trip_f64(v, 8192);
    print_message("bytes a value: whole %.3f, two decimals %.3f, full %.3f\n", whole, cents, full);
    assert_true(whole < 0.31 && cents < 1.14 && full < 6.6);
}

static void test_doubles_of_every_kind(void **state)
{
    MR_UNUSED(state);
    static double v[4096];
    struct mr_rng rng = {3};
    for (size_t i = 0; i < 4096; i++) { /* any bits at all: NaN payloads, subnormals, infinities */
        uint64_t b = mr_rng_next(&rng);
        memcpy(&v[i], &b, 8);
    }
    trip_f64(v, 4096);
    static const double edges[] = {
        0.0,  -0.0, INFINITY, -INFINITY,          5e-324,       1.7976931348623157e308,
        0.1,  1e22, -1e-7,    9007199254740993.0, 123456789.25, 1e18,
        -1e18};
    trip_f64(edges, MR_ARRAY_LEN(edges));
    for (size_t i = 0; i < 4096; i++)
        v[i] = i % 50 == 0 ? NAN : i % 77 == 0 ? M_PI : (double)(int64_t)(i % 13) / 4;
    trip_f64(v, 4096);
    for (size_t i = 0; i < 4096; i++)
        v[i] = -0.0;
    assert_true(trip_f64(v, 4096) < 0.1);
}

static double trip_str(const struct mr_str *v, size_t n)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str *back = MR_ARENA_ARRAY(&arena, n + 1, struct mr_str);
    struct mr_buf out = MR_BUF_INIT;
    assert_int_equal(magstore_encode_str(scratch, v, n, &out), MR_OK);
    assert_int_equal(magstore_decode_str(scratch, mr_buf_view(&out), 1 << 20, &arena, back, n), MR_OK);
    for (size_t i = 0; i < n; i++)
        assert_true(mr_str_eq(v[i], back[i]));
    double size = n != 0 ? (double)out.len / (double)n : 0;
    mr_buf_release(&out);
    mr_arena_release(&arena);
    return size;
}

static void test_strings_and_booleans(void **state)
{
    MR_UNUSED(state);
    struct mr_arena arena = MR_ARENA_INIT;
    static struct mr_str v[5000];
    static uint8_t b[5000], back[5000];
    for (size_t i = 0; i < 5000; i++) {
        v[i] = mr_arena_printf(&arena, "state-%zu", i * i % 5);
        b[i] = i % 3 == 0;
    }
    assert_true(trip_str(v, 5000) < 0.5);
    for (size_t i = 0; i < 5000; i++)
        v[i] = mr_arena_printf(&arena, "unique value number %zu", i);
    trip_str(v, 5000);
    v[0] = MR_STR("");
    trip_str(v, 1);
    trip_str(v, 0);
    for (size_t n = 0; n < 100; n++) {
        struct mr_buf out = MR_BUF_INIT;
        assert_int_equal(magstore_encode_bool(scratch, b, n, &out), MR_OK);
        assert_int_equal(magstore_decode_bool(scratch, mr_buf_view(&out), back, n), MR_OK);
        if (n != 0)
            assert_memory_equal(b, back, n);
        mr_buf_release(&out);
    }
    mr_arena_release(&arena);
}

/* Byte flips and truncations: a checksum outside catches them, but a decoder must survive them without it. */
static void test_damage_is_survived(void **state)
{
    MR_UNUSED(state);
    static double v[2000], back[2000];
    static int64_t numbers[2000];
    struct mr_rng rng = {11};
    walk(v, 2000, 0.01);
    struct mr_buf out = MR_BUF_INIT;
    assert_int_equal(magstore_encode_f64(scratch, v, 2000, &out), MR_OK);
    for (int i = 0; i < 3000; i++) {
        size_t at = mr_rng_below(&rng, out.len), len = i % 3 == 0 ? mr_rng_below(&rng, out.len) : out.len;
        char old = out.ptr[at];
        out.ptr[at] = (char)mr_rng_next(&rng);
        struct mr_str damaged = {mr_strndup(out.ptr, len),
                                 len}; /* its own allocation: an over-read is seen */
        assert_non_null(damaged.ptr);
        struct mr_arena arena = MR_ARENA_INIT;
        arena.limit = 64 << 20;
        struct mr_str *texts = MR_ARENA_ARRAY(&arena, 2000, struct mr_str);
        int a = magstore_decode_f64(scratch, damaged, back, 2000);
        int b = magstore_decode_i64(scratch, damaged, numbers, 2000);
        int c = magstore_decode_str(scratch, damaged, 1 << 20, &arena, texts, 2000);
        assert_true((a == MR_OK || a == MR_ECORRUPT) && (b == MR_OK || b == MR_ECORRUPT));
        assert_true(c == MR_OK || c == MR_ECORRUPT || c == MR_ENOMEM);
        mr_arena_release(&arena);
        mr_free((void *)(uintptr_t)damaged.ptr);
        out.ptr[at] = old;
    }
    mr_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers_of_every_shape),
        cmocka_unit_test(test_regular_times_cost_next_to_nothing),
        cmocka_unit_test(test_multiples_of_a_unit_are_divided),
        cmocka_unit_test(test_times_of_short_series),
        cmocka_unit_test(test_random_walks_stay_near_their_entropy),
        cmocka_unit_test(test_doubles_of_every_kind),
        cmocka_unit_test(test_strings_and_booleans),
        cmocka_unit_test(test_damage_is_survived),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
