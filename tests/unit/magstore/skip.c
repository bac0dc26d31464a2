/* Blocks left out by filters: whatever overlaps whatever, every row of the merged state that passes comes
 * out, and nothing that was replaced. Random segments with blocks of one series each and values that differ
 * from block to block. */
#include "lib/check.h"
#include "magstore/merge.h"
#include "unit/magstore/rows_kit.h"

enum { SERIES = 6, STEPS = 3300, FILES = 4, COLUMN = 9, PIECE = 1100 };

struct cell {
    int64_t version; /* 0: no row */
    int64_t value;   /* INT64_MIN: NULL */
};

static struct cell state[SERIES][STEPS];
static struct mr_rng rng;

static unsigned below(unsigned n)
{
    return (unsigned)mr_rng_below(&rng, n);
}

/* Some pieces of some series, with versions of their own, into a segment and into the state. */
static void write_file(const struct magstore_place *place, int64_t version)
{
    static int64_t times[STEPS], versions[STEPS], values[STEPS];
    static uint8_t valid[STEPS];
    struct magstore_writer *writer;
    struct magstore_info info;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(magstore_writer_open(place, &writer, &err), &err);
    for (uint32_t s = 0; s < SERIES; s++) {
        size_t n = 0;
        for (int piece = 0; piece < STEPS / PIECE; piece++) {
            if (s != 0 && below(3) != 0)
                continue;
            int64_t base = (int64_t)below(20) * 100;
            for (int t = piece * PIECE; t < (piece + 1) * PIECE; t++, n++) {
                times[n] = t;
                versions[n] = version;
                values[n] = base + (int64_t)below(90);
                valid[n] = below(50) != 0;
                state[s][t] = (struct cell){version, valid[n] ? values[n] : INT64_MIN};
            }
        }
        const struct magstore_values column = {COLUMN, MAGSTORE_BIGINT, values, valid};
        const struct magstore_rows rows = {n, times, versions, &column, 1};
        if (n != 0)
            check_ok(magstore_writer_add(writer, s, &rows, &err), &err);
    }
    check_ok(magstore_writer_finish(writer, &info, &err), &err);
}

static bool passes(const struct magstore_filter *f, int64_t v)
{
    if (v == INT64_MIN || f->op == MAGSTORE_FILTER_IS_NULL)
        return (v == INT64_MIN) == (f->op == MAGSTORE_FILTER_IS_NULL);
    switch (f->op) {
    case MAGSTORE_FILTER_EQ:
        return v == f->i64;
    case MAGSTORE_FILTER_NE:
        return v != f->i64;
    case MAGSTORE_FILTER_LT:
        return v < f->i64;
    case MAGSTORE_FILTER_LE:
        return v <= f->i64;
    case MAGSTORE_FILTER_GT:
        return v > f->i64;
    case MAGSTORE_FILTER_GE:
        return v >= f->i64;
    default:
        return true;
    }
}

/* Reads everything; returns blocks left out. */
static uint64_t check_merge(struct magstore_reader *const *readers, const struct magstore_filter *filter)
{
    static bool seen[SERIES][STEPS];
    const uint32_t column = COLUMN;
    struct magstore_merge *merge;
    struct magstore_rows rows;
    struct mr_error err = MR_ERROR_INIT;
    uint32_t series;
    memset(seen, 0, sizeof seen);
    assert_int_equal(magstore_merge_open(readers, FILES, INT64_MIN, INT64_MAX, &column, 1, false, &merge),
                     MR_OK);
    magstore_merge_filter(merge, filter, 1);
    for (;;) {
        check_ok(magstore_merge_next(merge, 2048, false, &series, &rows, &err), &err);
        if (rows.count == 0)
            break;
        const struct magstore_values *v = &rows.columns[0];
        for (size_t i = 0; i < rows.count; i++) {
            const struct cell *c = &state[series][rows.times[i]];
            bool valid = v->type != MAGSTORE_NONE && (v->valid == NULL || v->valid[i]);
            assert_false(seen[series][rows.times[i]]);
            seen[series][rows.times[i]] = true;
            assert_int_equal(valid ? ((const int64_t *)v->values)[i] : INT64_MIN, c->value);
        }
    }
    for (size_t s = 0; s < SERIES; s++)
        for (size_t t = 0; t < STEPS; t++)
            if (state[s][t].version != 0 && passes(filter, state[s][t].value))
                assert_true(seen[s][t]);
    uint64_t skipped = magstore_merge_skipped(merge);
    magstore_merge_close(merge);
    return skipped;
}

static void test_nothing_replaced_comes_back(void **unused)
{
    uint64_t skipped = 0;
    MR_UNUSED(unused);
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct kit_place kit;
        struct magstore_reader *readers[FILES];
        struct mr_error err = MR_ERROR_INIT;
        rng.state = seed;
        memset(state, 0, sizeof state);
        kit_open(&kit);
        for (int f = 0; f < FILES; f++) {
            kit.place.number = (uint64_t)f + 1;
            write_file(&kit.place, f + 1);
            check_ok(magstore_reader_open(&kit.place, &readers[f], &err), &err);
        }
        for (int i = 0; i < 16; i++) {
            const struct magstore_filter filter = {.column = COLUMN,
                                                   .op = (enum magstore_filter_op)(i % 8),
                                                   .type = MAGSTORE_BIGINT,
                                                   .i64 = (int64_t)below(2100)};
            skipped += check_merge(readers, &filter);
        }
        for (int f = 0; f < FILES; f++)
            magstore_reader_close(readers[f]);
        kit_close(&kit);
    }
    print_message("%llu blocks left out\n", (unsigned long long)skipped);
    assert_true(skipped > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_replaced_comes_back)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
