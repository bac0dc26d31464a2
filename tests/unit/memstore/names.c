/* Names in portions and back: series with gaps, overlap of names and log, numbers that died; and keys and
 * versions as cursors tell them. */
#include "kit.h"

#include "lib/check.h"
#include "lib/fault.h"

#include <stdio.h>

static struct mem_budget budget, budget2;
static struct mem_table *table, *loaded;
static struct mem_scratch *scratch;

static int open_tables(void **state)
{
    MR_UNUSED(state);
    check_ok(mem_table_open(&budget, &table), NULL);
    check_ok(mem_table_open(&budget2, &loaded), NULL);
    scratch = mem_scratch_new();
    return scratch != NULL ? 0 : -1;
}

static int close_tables(void **state)
{
    MR_UNUSED(state);
    mem_table_close(table);
    mem_table_close(loaded);
    mem_scratch_free(scratch);
    return mem_budget_bytes(&budget) == 0 && mem_budget_bytes(&budget2) == 0 ? 0 : -1;
}

static void put(uint64_t lsn, unsigned k, int64_t time, unsigned content)
{
    assert_int_equal(kit_put(table, scratch, lsn, (struct kit_row){k, 0, time, 1, content}), MEM_STORED);
}

/* Series 0 to 9 of which 3, 4 and 9 die again. */
static void make_series(void)
{
    for (unsigned k = 0; k < 10; k++)
        put(1, k, k == 3 || k == 4 || k == 9 ? 1 : 100, 15);
    mem_evict(table, 50, 0);
    struct mem_counts counts;
    mem_counts(table, &counts);
    assert_int_equal(counts.series, 7);
    assert_int_equal(counts.next_series, 10);
}

static void test_lists_in_portions(void **state)
{
    MR_UNUSED(state);
    uint32_t out[8];
    struct mem_batch batch;
    assert_int_equal(mem_series_list(table, 0, out, 8), 0);
    assert_int_equal(mem_names_since(table, 0, 0, 0, out, 8, &batch), 0);
    assert_int_equal(batch.ncolumns, 2);
    make_series();
    assert_int_equal(mem_series_list(table, 0, out, 8), 7);
    assert_true(out[2] == 2 && out[3] == 5 && out[6] == 8);
    assert_int_equal(mem_series_list(table, 3, out, 1), 1);
    assert_int_equal(out[0], 5);
    assert_int_equal(mem_series_list(table, 9, out, 8), 0);
    assert_int_equal(mem_names_since(table, 0, 0, 0, out, 3, &batch), 3);
    assert_true(batch.nseries == 3 && batch.series == out && batch.nrows == 0);
    assert_int_equal(batch.ncolumns, 2 + 7); /* host, rack, a to d, and the single value */
    assert_int_equal(batch.nmeasures, 2);
    assert_int_equal(mem_names_since(table, 8, 1, 3, out, 3, &batch), 8);
    assert_true(batch.nseries == 3 && out[0] == 5 && out[2] == 7);
    assert_true(batch.first_column == 8 && batch.ncolumns == 1);
    assert_true(batch.first_measure == 1 && batch.nmeasures == 1);
    assert_int_equal(mem_names_since(table, 9, 2, 8, out, 3, &batch), 10); /* past the one that died */
    assert_true(batch.nseries == 1 && batch.ncolumns == 0 && batch.nmeasures == 0);
    assert_int_equal(mem_names_since(table, 9, 2, 10, out, 3, &batch), 10);
    assert_int_equal(batch.nseries, 0);
}

static void take(struct kit_names *names, uint32_t first_column, uint32_t from, uint32_t *numbers,
                 size_t room)
{
    struct mem_batch batch;
    mem_names_since(table, first_column, 0, from, numbers, room, &batch);
    kit_names_take(names, table, &batch);
}

/* Where files may be asked about the series at the time. */
static bool files_asked(unsigned k, int64_t time)
{
    struct kit_words w;
    struct mem_want want;
    struct mem_record r = kit_record(&w, (struct kit_row){k, 0, time, 1, 1});
    return mem_wants(loaded, &r, 1, &want) == 1;
}

static void test_names_come_back(void **state)
{
    MR_UNUSED(state);
    uint32_t numbers[16], found[16];
    struct kit_names names;
    make_series();
    take(&names, 0, 0, numbers, 16);
    mem_load_filed(loaded, 77);
    for (int twice = 0; twice < 2; twice++)
        check_ok(kit_names_load(&names, loaded), NULL);
    mem_load_filed(loaded, INT64_MIN);
    mem_load_next(loaded, 10);
    check_ok(kit_names_load(&names, loaded), NULL); /* the log says it again, and takes no file time away */
    assert_int_equal(mem_series_list(loaded, 0, found, 16), 7);
    assert_memory_equal(found, numbers, 7 * sizeof *found);
    for (unsigned k = 0; k < 10; k++)
        assert_int_equal(kit_series(loaded, k), kit_series(table, k));
    assert_true(files_asked(5, 77) && !files_asked(5, 78));
    struct mem_counts counts;
    mem_counts(loaded, &counts);
    assert_int_equal(counts.next_series, 10);
    mem_load_next(loaded, 5); /* never back */
    mem_counts(loaded, &counts);
    assert_int_equal(counts.next_series, 10);
    kit_names_free(&names);
    put(2, 3, 100, 15); /* born after the names were written: no file has it */
    take(&names, 9, 10, numbers, 16);
    check_ok(kit_names_load(&names, loaded), NULL);
    assert_int_equal(kit_series(loaded, 3), 10);
    assert_false(files_asked(3, 0));
    kit_names_free(&names);
    check_ok(mem_load_series(loaded, 11, 0, &(struct mem_dim){2, MR_STR("h0")}, 1), NULL); /* born again */
    assert_int_equal(kit_series(loaded, 0), 11);
    assert_true(files_asked(0, 77) && !files_asked(0, 78));
    mem_evict(loaded, 78, 0); /* none of them has a row, or one young enough in files */
    mem_counts(loaded, &counts);
    assert_int_equal(counts.series, 0);
}

static void test_names_that_differ(void **state)
{
    MR_UNUSED(state);
    uint32_t numbers[16];
    struct kit_names names;
    make_series();
    take(&names, 0, 0, numbers, 16);
    check_ok(kit_names_load(&names, loaded), NULL);
    struct mr_str host = MR_STR("host");
    check_ok(mem_load_column(loaded, 2, MEM_DIMENSION, MEM_VARCHAR, host), NULL);
    check_ok(mem_load_column(loaded, 0, MEM_TIME, MEM_TIMESTAMP, MR_STR("time")), NULL);
    assert_int_equal(mem_load_column(loaded, 2, MEM_DIMENSION, MEM_VARCHAR, MR_STR("hos")), MR_EINVAL);
    assert_int_equal(mem_load_column(loaded, 2, MEM_ATTRIBUTE, MEM_VARCHAR, host), MR_EINVAL);
    assert_int_equal(mem_load_column(loaded, 2, MEM_DIMENSION, MEM_DOUBLE, host), MR_EINVAL);
    assert_int_equal(mem_load_column(loaded, 9, MEM_DIMENSION, MEM_VARCHAR, host), MR_EINVAL);
    assert_int_equal(mem_load_column(loaded, 10, MEM_ATTRIBUTE, MEM_DOUBLE, MR_STR("far")), MR_EINVAL);
    struct mr_str s = names.measures[0].type == MEM_MULTI ? MR_STR("m") : MR_STR("s");
    check_ok(mem_load_measure(loaded, 0, names.measures[0].type, s), NULL);
    assert_int_equal(mem_load_measure(loaded, 0, MEM_BIGINT, s), MR_EINVAL);
    assert_int_equal(mem_load_measure(loaded, 1, names.measures[0].type, s), MR_EINVAL);
    assert_int_equal(mem_load_measure(loaded, 3, MEM_DOUBLE, MR_STR("far")), MR_EINVAL);
    struct mem_dim dim = {2, MR_STR("h0")};
    check_ok(mem_load_series(loaded, 0, 0, &dim, 1), NULL);
    assert_int_equal(mem_load_series(loaded, 0, 1, &dim, 1), MR_EINVAL);
    dim.value = MR_STR("h1");
    assert_int_equal(mem_load_series(loaded, 0, 0, &dim, 1), MR_EINVAL);
    assert_int_equal(mem_load_series(loaded, 0, 2, &dim, 1), MR_EINVAL);
    kit_names_free(&names);
}

/* A number below that of mem_load_next without a series died before the names were written. */
static void test_the_dead_are_passed_over(void **state)
{
    MR_UNUSED(state);
    uint32_t numbers[16];
    struct kit_names names;
    struct kit_words w;
    make_series();
    take(&names, 0, 0, numbers, 16);
    check_ok(kit_names_load(&names, loaded), NULL);
    struct mem_dim dim = {2, MR_STR("h1")};
    struct mem_row row = kit_cells(&w, loaded, (struct kit_row){2, 3, 1, 1, 15});
    assert_int_equal(mem_load_series(loaded, 3, 1, &dim, 1), MR_EINVAL); /* not known to be dead */
    assert_int_equal(mem_load_row(loaded, &row, 1), MR_EINVAL);
    mem_load_next(loaded, 10);
    check_ok(mem_load_series(loaded, 3, 1, &dim, 1), NULL);
    check_ok(mem_load_row(loaded, &row, 1), NULL);
    row.series = 9;
    check_ok(mem_load_row(loaded, &row, 1), NULL);
    row.series = 10;
    assert_int_equal(mem_load_row(loaded, &row, 1), MR_EINVAL);
    struct mem_counts counts;
    mem_counts(loaded, &counts);
    assert_true(counts.series == 7 && counts.rows == 0);
    kit_names_free(&names);
}

/* Numbers may leave out many, at no cost to speak of, and not absurdly many. */
static void test_gaps(void **state)
{
    MR_UNUSED(state);
    enum { GAP = 1 << 28 };
    static const uint32_t numbers[] = {0, 5, 100000, 100001, 100002 + GAP, 2u * GAP};
    check_ok(mem_load_column(loaded, 2, MEM_DIMENSION, MEM_VARCHAR, MR_STR("host")), NULL);
    check_ok(mem_load_column(loaded, 3, MEM_MEASURE_VALUE, MEM_DOUBLE, MR_STR("measure_value::double")),
             NULL);
    check_ok(mem_load_measure(loaded, 0, MEM_DOUBLE, MR_STR("s")), NULL);
    for (uint32_t i = 0; i < MR_ARRAY_LEN(numbers); i++) {
        char host[16];
        snprintf(host, sizeof host, "h%u", 2 * i);
        struct mem_dim dim = {2, mr_str_of(host)};
        check_ok(mem_load_series(loaded, numbers[i], 0, &dim, 1), NULL);
    }
    assert_true(budget2.series_bytes < 1 << 20);
    struct mem_dim dim = {2, MR_STR("h9")};
    assert_int_equal(mem_load_series(loaded, 3u * GAP + 2, 0, &dim, 1), MR_EINVAL);
    assert_int_equal(mem_load_series(loaded, UINT32_MAX, 0, &dim, 1), MR_EINVAL);
    uint32_t found[8];
    assert_int_equal(mem_series_list(loaded, 0, found, 8), MR_ARRAY_LEN(numbers));
    assert_memory_equal(found, numbers, sizeof numbers);
    struct kit_words w;
    for (uint32_t i = 0; i < MR_ARRAY_LEN(numbers); i++) {
        struct mem_row row = kit_cells(&w, loaded, (struct kit_row){4 * i, numbers[i], 1, 1, 1});
        check_ok(mem_load_row(loaded, &row, 1), NULL);
    }
    check_ok(mem_load_series(loaded, 3u * GAP + 1, 0, &(struct mem_dim){2, MR_STR("h2")}, 1), NULL);
    assert_int_equal(kit_series(loaded, 4), 3u * GAP + 1); /* born again: the later number, with its row */
    struct kit_reader *reader = kit_reader_open(loaded);
    struct kit_row row;
    assert_int_equal(kit_read(reader, loaded, 3u * GAP + 1, 0, 9, 1, &row, 1), 1);
    kit_reader_close(reader);
}

/* Whatever allocation fails, the table can be closed. */
static void test_loading_without_memory(void **state)
{
    MR_UNUSED(state);
    uint32_t numbers[16];
    struct kit_names names;
    make_series();
    take(&names, 0, 0, numbers, 16);
    int rc = MR_ENOMEM;
    for (unsigned n = 1; rc != MR_OK; n++) {
        mem_table_close(loaded);
        check_ok(mem_table_open(&budget2, &loaded), NULL);
        fault_alloc(n);
        rc = kit_names_load(&names, loaded);
        fault_alloc(0);
        assert_true(rc == MR_OK || rc == MR_ENOMEM);
        assert_true(n < 500);
    }
    kit_names_free(&names);
}

/* ---- cursors
 * --------------------------------------------------------------------------------------------------- */

static void expect_versions(struct mem_cursor *cursor, int64_t from, uint64_t lsn, bool constant,
                            const int64_t *want, size_t count)
{
    size_t rows;
    bool more;
    check_ok(mem_cursor_fill(cursor, table, 0, &from, 100, lsn, &rows, &more), NULL);
    const struct mem_vec *vec = &mem_cursor_vecs(cursor)[0];
    assert_int_equal(rows, count);
    assert_true(vec->type == MEM_BIGINT && vec->valid == NULL);
    assert_int_equal(vec->constant, constant);
    for (size_t i = 0; i < (constant ? 1 : count); i++)
        assert_true(((const int64_t *)vec->values)[i] == want[i]);
}

static void test_versions_of_a_cursor(void **state)
{
    MR_UNUSED(state);
    static const struct kit_row rows[] = {{0, 0, 1, 5, 1}, {0, 0, 2, 5, 1}, {0, 0, 3, INT64_MAX, 1}};
    static const int64_t all[] = {5, 5, INT64_MAX}, younger[] = {5, 6, INT64_MAX};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(kit_put(table, scratch, 1, rows[i]), MEM_STORED);
    uint32_t column = MEM_COLUMN_VERSION;
    struct mem_cursor *cursor;
    check_ok(mem_cursor_open(table, &column, 1, &cursor), NULL);
    expect_versions(cursor, 0, 1, false, all, 3);
    expect_versions(cursor, 3, 1, true, all + 2, 1);
    assert_int_equal(kit_put(table, scratch, 2, (struct kit_row){0, 0, 2, 6, 1}), MEM_STORED);
    expect_versions(cursor, 0, 1, false, all, 3); /* the second from its old copy */
    expect_versions(cursor, 0, 2, false, younger, 3);
    mem_cursor_close(cursor);
    column = MEM_COLUMN_VERSION - 1;
    assert_int_equal(mem_cursor_open(table, &column, 1, &cursor), MR_EINVAL);
}

static void test_keys_of_a_cursor(void **state)
{
    MR_UNUSED(state);
    put(1, 3, 1, 15); /* host and rack */
    put(1, 1, 1, 15); /* host alone */
    mem_release(table, 1);
    static const uint32_t columns[] = {MEM_COLUMN_TIME, 3, MEM_COLUMN_MEASURE_NAME, 2};
    struct mem_cursor *cursor;
    check_ok(mem_cursor_open(table, columns, 4, &cursor), NULL);
    check_ok(mem_cursor_key(cursor, table, 0), NULL);
    const struct mem_vec *vecs = mem_cursor_vecs(cursor);
    assert_true(vecs[1].constant && vecs[2].constant && vecs[3].constant);
    check_str(*(const struct mr_str *)vecs[1].values, "r");
    check_str(*(const struct mr_str *)vecs[2].values, "m");
    check_str(*(const struct mr_str *)vecs[3].values, "h1");
    check_ok(mem_cursor_key(cursor, table, 1), NULL);
    assert_true(vecs[1].constant && vecs[1].valid != NULL && vecs[1].valid[0] == 0);
    check_str(*(const struct mr_str *)vecs[3].values, "h0");
    assert_int_equal(mem_cursor_bytes(cursor), 0);
    assert_int_equal(mem_cursor_key(cursor, table, 2), MR_ENOENT);
    mem_cursor_close(cursor);
    check_ok(mem_cursor_open(table, columns, 4, &cursor), NULL);
    fault_alloc(1);
    assert_int_equal(mem_cursor_key(cursor, table, 0), MR_ENOMEM);
    fault_alloc(0);
    check_ok(mem_cursor_key(cursor, table, 0), NULL);
    mem_cursor_close(cursor);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_tables, close_tables)
    const struct CMUnitTest tests[] = {TEST(test_lists_in_portions),
                                       TEST(test_names_come_back),
                                       TEST(test_names_that_differ),
                                       TEST(test_the_dead_are_passed_over),
                                       TEST(test_gaps),
                                       TEST(test_loading_without_memory),
                                       TEST(test_versions_of_a_cursor),
                                       TEST(test_keys_of_a_cursor)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
