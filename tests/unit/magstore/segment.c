/* Segments give back every value bit for bit, cut rows into the blocks they should, and refuse what is out of
 * order. */
#include "lib/check.h"

#include "rows_kit.h"

#include <math.h>
#include <stdio.h>

static struct kit_place kit;

static int set_up(void **state)
{
    MR_UNUSED(state);
    kit_open(&kit);
    return 0;
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    kit_close(&kit);
    return 0;
}

static struct magstore_reader *open_reader(const struct magstore_info *want)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_reader *reader;
    check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
    const struct magstore_info *got = magstore_reader_info(reader);
    assert_memory_equal(got, want, sizeof *got);
    assert_true(magstore_reader_memory(reader) >= got->blocks * sizeof(struct magstore_block));
    return reader;
}

/* Writes, opens, compares. */
static void round_trip(const struct kit_model *m, uint64_t seed)
{
    struct mr_rng rng = {seed};
    struct magstore_info info;
    kit_write(&kit.place, m, &rng, &info);
    assert_int_equal(info.first_series, m->rows[0].series);
    assert_int_equal(info.last_series, m->rows[m->count - 1].series);
    struct magstore_reader *reader = open_reader(&info);
    kit_compare(reader, m);
    magstore_reader_close(reader);
}

static void test_rows_of_all_kinds_come_back(void **state)
{
    MR_UNUSED(state);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct mr_rng rng = {seed};
        struct kit_model m = {0};
        uint32_t series = (uint32_t)mr_rng_below(&rng, 100);
        size_t longest = seed % 4 == 0 ? 12000 : 300;
        for (size_t k = 0; k < 12; k++) {
            int64_t time = mr_rng_below(&rng, 5) == 0 ? INT64_MIN : (int64_t)mr_rng_below(&rng, 1000000);
            for (size_t n = 1 + mr_rng_below(&rng, longest); n > 0; n--) {
                int64_t version = seed % 2 == 0 ? 1 : (int64_t)mr_rng_below(&rng, 1000);
                kit_fill(&m, kit_append(&m, series, time, version), &rng);
                time += 1 + (int64_t)mr_rng_below(&rng, seed % 3 == 0 ? 2 : 100000000000);
            }
            series += 1 + (uint32_t)mr_rng_below(&rng, 3);
        }
        round_trip(&m, seed);
        kit_free(&m);
    }
}

static void test_extremes_of_series_and_times(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {3};
    struct kit_model m = {0};
    static const uint32_t series[] = {0, 1, UINT32_MAX - 1, UINT32_MAX};
    for (size_t i = 0; i < MR_ARRAY_LEN(series); i++) {
        kit_fill(&m, kit_append(&m, series[i], INT64_MIN, 1), &rng);
        kit_fill(&m, kit_append(&m, series[i], 0, INT64_MAX), &rng);
        kit_fill(&m, kit_append(&m, series[i], INT64_MAX, INT64_MIN), &rng);
    }
    round_trip(&m, 4);
    m.count = 1;
    round_trip(&m, 5);
    kit_free(&m);
}

static void test_short_series_share_blocks(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {8};
    struct kit_model m = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        struct kit_row *row = kit_append(&m, i * 3, 1000000 + (int64_t)mr_rng_below(&rng, 5), 1);
        row->cells[i % 2].set = true; /* columns of the series are united, the rest is NULL */
        row->cells[i % 2].bits = i % 2 == 0 ? 0x4045000000000000 : i;
    }
    struct magstore_info info;
    kit_write(&kit.place, &m, &rng, &info);
    struct magstore_reader *reader = open_reader(&info);
    assert_int_equal(info.blocks, 100000 / 4096 + 1);
    print_message("100,000 series of one row: %.2f bytes a row, %zu bytes of memory\n",
                  (double)info.size / 100000, magstore_reader_memory(reader));
    kit_compare(reader, &m);
    magstore_reader_close(reader);
    kit_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_all_kinds_come_back),
        cmocka_unit_test(test_extremes_of_series_and_times),
        cmocka_unit_test(test_short_series_share_blocks),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
