/* Rows that leave memory, and those that stay: what a release takes, what evictions and selects make of
 * series without rows, what a flush is told before. */
#include "kit.h"

#include "lib/check.h"
#include "lib/fault.h"

enum { MANY = 3000 };

static struct mem_budget budget;
static struct mem_table *table;
static struct mem_scratch *scratch;

static int open_table(void **state)
{
    MR_UNUSED(state);
    check_ok(mem_table_open(&budget, &table), NULL);
    scratch = mem_scratch_new();
    return scratch != NULL ? 0 : -1;
}

static int close_table(void **state)
{
    MR_UNUSED(state);
    mem_table_close(table);
    mem_scratch_free(scratch);
    return mem_budget_bytes(&budget) == 0 ? 0 : -1;
}

static void put(uint64_t lsn, unsigned k, int64_t time, int64_t version, unsigned content)
{
    assert_int_equal(kit_put(table, scratch, lsn, (struct kit_row){k, 0, time, version, content}),
                     MEM_STORED);
}

static void expect_counts(uint64_t series, uint64_t rows, uint64_t replaced)
{
    struct mem_counts counts;
    mem_counts(table, &counts);
    assert_int_equal(counts.series, series);
    assert_int_equal(counts.rows, rows);
    assert_int_equal(counts.replaced, replaced);
}

/* Would files be asked about the time? That is, is it at or below the series' file time? */
static bool files_asked(unsigned k, int64_t time)
{
    struct kit_words w;
    struct mem_want want;
    struct mem_record r = kit_record(&w, (struct kit_row){k, 0, time, 1, 1});
    return mem_wants(table, &r, 1, &want) == 1;
}

static bool selected(unsigned k, int64_t from, int64_t to)
{
    struct mem_select *select;
    uint32_t numbers[16], number = kit_series(table, k);
    size_t found;
    uint64_t rows = 0;
    bool is = false;
    check_ok(mem_select_open(table, NULL, 0, from, to, &select), NULL);
    assert_false(mem_select_step(select, table, numbers, MR_ARRAY_LEN(numbers), &found, &rows));
    for (size_t i = 0; i < found; i++)
        is |= numbers[i] == number;
    mem_select_close(select);
    return is;
}

static struct mem_extent extent_at(uint64_t lsn)
{
    struct mem_extent extent;
    uint32_t next = 0;
    while (mem_extent_step(table, lsn, &next, &extent))
        ;
    return extent;
}

static void expect_extent(uint64_t lsn, uint64_t rows, int64_t time_min, int64_t time_max)
{
    struct mem_extent extent = extent_at(lsn);
    assert_int_equal(extent.rows, rows);
    assert_int_equal(extent.time_min, time_min);
    assert_int_equal(extent.time_max, time_max);
}

/* Every third row is younger: those stay, whole, in order, and in little memory. */
static void thinned_out(unsigned k)
{
    static struct kit_row rows[MANY];
    for (uint64_t lsn = 1; lsn <= 2; lsn++)
        for (int64_t t = 0; t < MANY; t++)
            if ((t % 3 == 0) == (lsn == 2))
                put(lsn, k, t, 1 + t % 5, 1 + (unsigned)t % 15);
    uint64_t full = budget.row_bytes, epoch = mem_epoch(table);
    mem_release(table, 0); /* of nothing, which is a release all the same */
    expect_counts(1, MANY, 0);
    assert_true(mem_epoch(table) != epoch && !files_asked(k, -1));
    expect_extent(1, MANY - MANY / 3, 1, MANY - 1);
    mem_release(table, 1);
    expect_counts(1, MANY / 3, 0);
    assert_true(budget.row_bytes < full);
    struct kit_reader *reader = kit_reader_open(table);
    assert_int_equal(kit_read(reader, table, 0, 0, MANY, 2, rows, MANY), MANY / 3);
    for (int64_t i = 0; i < MANY / 3; i++) {
        assert_int_equal(rows[i].time, 3 * i);
        assert_int_equal(rows[i].version, 1 + 3 * i % 5);
        assert_int_equal(rows[i].content, 1 + 3 * i % 15);
    }
    kit_reader_close(reader);
    assert_true(files_asked(k, MANY - 1) && !files_asked(k, MANY));
    put(3, k, MANY, 1, 1); /* the series goes on as before */
    expect_extent(2, MANY / 3, 0, MANY - 3);
    mem_release(table, 3);
    expect_counts(1, 0, 0);
    assert_int_equal(budget.row_bytes, 0);
    assert_true(files_asked(k, MANY));
}

static void test_single_thinned_out(void **state)
{
    MR_UNUSED(state);
    thinned_out(0);
}

static void test_multi_thinned_out(void **state)
{
    MR_UNUSED(state);
    thinned_out(1);
}

/* The last few rows of a long series do not keep the room of the many. */
static void test_little_is_left_of_much(void **state)
{
    MR_UNUSED(state);
    for (int64_t t = 0; t < 400; t++)
        put(1, 0, t, 1, 1);
    uint64_t full = budget.row_bytes;
    put(2, 0, 400, 1, 1);
    mem_release(table, 1);
    expect_counts(1, 1, 0);
    assert_true(budget.row_bytes * 8 < full);
}

static void test_no_memory_for_a_smaller_block(void **state)
{
    MR_UNUSED(state);
    struct kit_row row;
    for (int64_t t = 0; t < 400; t++)
        put(1, 1, t, 1, 15);
    put(2, 1, 200, 2, 7);
    fault_alloc(1);
    mem_release(table, 1);
    assert_true(fault_alloc_fired());
    fault_alloc(0);
    expect_counts(1, 1, 0);
    struct kit_reader *reader = kit_reader_open(table);
    assert_int_equal(kit_read(reader, table, 0, 0, 1000, 2, &row, 1), 1);
    assert_true(row.time == 200 && row.version == 2 && row.content == 7);
    kit_reader_close(reader);
}

/* The state before a replacement is in files and goes; the younger row stays and hides it. */
static void test_replaced_rows(void **state)
{
    MR_UNUSED(state);
    struct kit_row row;
    put(1, 0, 50, 1, 1);
    put(2, 0, 50, 2, 2);
    put(3, 0, 50, 3, 3);
    put(3, 2, 7, 1, 1);
    expect_counts(2, 2, 2);
    expect_extent(0, 0, INT64_MAX, INT64_MIN);
    expect_extent(1, 1, 50, 50);
    expect_extent(3, 2, 7, 50);
    mem_release(table, 1);
    expect_counts(2, 2, 1); /* that of LSN 2 is in no file */
    assert_true(files_asked(0, 49) && !files_asked(0, 51) && !files_asked(2, 7));
    struct kit_reader *reader = kit_reader_open(table);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 2, &row, 1), 1);
    assert_int_equal(row.content, 2);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 1, &row, 1), 0);
    expect_extent(2, 1, 50, 50);
    mem_release(table, 2);
    expect_counts(2, 2, 0);
    assert_int_equal(kit_read(reader, table, 0, 0, 100, 3, &row, 1), 1);
    assert_int_equal(row.content, 3);
    kit_reader_close(reader);
    mem_release(table, 3);
    expect_counts(2, 0, 0);
}

static void test_eviction_minds_files(void **state)
{
    MR_UNUSED(state);
    put(1, 0, 10, 1, 1);
    put(1, 2, 20, 1, 1);
    put(2, 0, 5, 1, 1);
    mem_release(table, 1);
    expect_counts(2, 1, 0);
    mem_evict(table, 10, 0); /* files may hold the row of time 10 */
    expect_counts(2, 0, 0);
    mem_evict(table, 11, 0);
    expect_counts(1, 0, 0);
    assert_true(kit_series(table, 0) == UINT32_MAX && kit_series(table, 2) == 1);
    put(3, 0, 12, 1, 1); /* born again, and no file knows it */
    assert_int_equal(kit_series(table, 0), 2);
    assert_false(files_asked(0, 11));
    mem_evict(table, 21, 0);
    expect_counts(0, 0, 0);
}

static void test_select_minds_files(void **state)
{
    MR_UNUSED(state);
    put(1, 0, 100, 1, 1);
    put(1, 2, 100, 1, 1);
    put(2, 4, 100, 1, 1);
    assert_false(selected(0, 0, 99));
    mem_release(table, 1);
    assert_true(selected(0, 100, 200)); /* in files alone */
    assert_true(selected(0, 0, 99));    /* nobody knows how far back they go */
    assert_false(selected(0, 101, 200));
    put(3, 2, 150, 1, 1);
    assert_true(selected(2, 101, 200) && selected(2, 0, 50) && !selected(2, 151, 200));
    assert_true(selected(4, 100, 100) && !selected(4, 0, 99) && !selected(4, 101, 200));
    assert_true(selected(4, INT64_MIN, INT64_MAX) &&
                !selected(4, INT64_MIN, 0)); /* not in files: that is known */
}

/* More series and chunks than a step takes, so that each kind of step goes on where the last one ended. */
static void test_many_steps(void **state)
{
    MR_UNUSED(state);
    enum { SERIES = 300, LONG = 40000 };
    for (uint64_t lsn = 1; lsn <= 2; lsn++) {
        for (unsigned k = 0; k < SERIES; k++)
            if (k % 2 == lsn - 1)
                put(lsn, 2 * k, 5, 1, 1);
        for (int64_t t = 10; t < LONG; t++)
            for (unsigned k = 60; k <= 64; k += 4) /* with neighbouring numbers */
                if ((t % 4096 == 0) == (lsn == 2))
                    put(lsn, k, t, 1, 1);
    }
    uint64_t left = SERIES / 2 + 2 * (LONG / 4096);
    struct mem_extent extent = extent_at(1);
    assert_int_equal(extent.rows, SERIES + 2 * (LONG - 10) - left);
    mem_release(table, 1);
    expect_counts(SERIES, left, 0);
    expect_extent(2, left, 5, LONG / 4096 * 4096);
    for (unsigned k = 0; k < SERIES; k++)
        assert_int_equal(files_asked(2 * k, 4), k % 2 == 0);
    assert_true(files_asked(60, LONG - 1) && files_asked(64, LONG - 1));
    mem_release(table, UINT64_MAX);
    expect_counts(SERIES, 0, 0);
    assert_int_equal(budget.row_bytes, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_table, close_table)
    const struct CMUnitTest tests[] = {
        TEST(test_single_thinned_out),     TEST(test_multi_thinned_out),
        TEST(test_little_is_left_of_much), TEST(test_no_memory_for_a_smaller_block),
        TEST(test_replaced_rows),          TEST(test_eviction_minds_files),
        TEST(test_select_minds_files),     TEST(test_many_steps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
