/* What a writer refuses, and where it cuts blocks. */
#include "lib/check.h"

#include "magstore/segment_format.h"
#include "rows_kit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

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

static struct magstore_writer *open_writer(void)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_writer *writer;
    check_ok(magstore_writer_open(&kit.place, &writer, &err), &err);
    return writer;
}

static int add_times(struct magstore_writer *w, uint32_t series, const int64_t *times, size_t n)
{
    struct mr_error err = MR_ERROR_INIT;
    int status = magstore_writer_add(w, series, &(struct magstore_rows){n, times, NULL, NULL, 0}, &err);
    assert_int_equal(status, err.status);
    assert_int_equal(status == MR_OK, err.text[0] == '\0');
    return status;
}

static int add_columns(struct magstore_writer *w, uint32_t series, const struct magstore_values *v, size_t n)
{
    static const int64_t time = 5;
    return magstore_writer_add(w, series, &(struct magstore_rows){1, &time, NULL, v, n}, NULL);
}

/* After a refusal the writer refuses everything, and leaves no file. */
static void check_refused(struct magstore_writer *w, int want)
{
    static const int64_t late = INT64_MAX;
    struct magstore_info info;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(add_times(w, UINT32_MAX, &late, 1), want);
    assert_int_equal(magstore_writer_finish(w, &info, &err), want);
    char path[512], name[MAGSTORE_NAME_BYTES];
    magstore_segment_name(kit.place.number, name);
    snprintf(path, sizeof path, "%s/%s", kit.dir, name);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/%s.tmp", kit.dir, name);
    assert_int_not_equal(access(path, F_OK), 0);
}

static void test_rows_out_of_order_are_refused(void **state)
{
    MR_UNUSED(state);
    static const int64_t good[] = {1, 2, 9}, same[] = {10, 10}, back[] = {12, 11}, nine[] = {9};
    struct magstore_writer *w = open_writer();
    assert_int_equal(add_times(w, 7, good, 3), MR_OK);
    assert_int_equal(add_times(w, 7, good, 0), MR_OK); /* nothing is always in order */
    assert_int_equal(add_times(w, 7, nine, 1), MR_EINVAL);
    check_refused(w, MR_EINVAL);
    w = open_writer();
    assert_int_equal(add_times(w, 7, good, 3), MR_OK);
    assert_int_equal(add_times(w, 6, good, 3), MR_EINVAL);
    check_refused(w, MR_EINVAL);
    w = open_writer();
    assert_int_equal(add_times(w, 7, same, 2), MR_EINVAL);
    check_refused(w, MR_EINVAL);
    w = open_writer();
    assert_int_equal(add_times(w, 7, back, 2), MR_EINVAL);
    check_refused(w, MR_EINVAL);
}

static void test_columns_out_of_order_are_refused(void **state)
{
    MR_UNUSED(state);
    static const double d = 1;
    static const int64_t i = 2;
    static const struct magstore_values good[] = {{3, MAGSTORE_DOUBLE, &d, NULL},
                                                  {4, MAGSTORE_BIGINT, &i, NULL}};
    static const struct magstore_values twice[] = {{3, MAGSTORE_DOUBLE, &d, NULL},
                                                   {3, MAGSTORE_DOUBLE, &d, NULL}};
    static const struct magstore_values back[] = {{3, MAGSTORE_DOUBLE, &d, NULL},
                                                  {2, MAGSTORE_NONE, NULL, NULL}};
    static const struct magstore_values other[] = {{4, MAGSTORE_TIMESTAMP, &i, NULL}};
    static const struct magstore_values unknown[] = {{4, (enum magstore_type)6, &i, NULL}};
    const struct magstore_values *bad[] = {twice, back, other, unknown};
    static const size_t counts[] = {2, 2, 1, 1};
    for (size_t k = 0; k < MR_ARRAY_LEN(bad); k++) {
        struct magstore_writer *w = open_writer();
        assert_int_equal(add_columns(w, 1, good, 2), MR_OK);
        assert_int_equal(add_columns(w, 2, bad[k], counts[k]), MR_EINVAL);
        check_refused(w, MR_EINVAL);
    }
}

static void test_a_segment_without_rows_is_refused(void **state)
{
    MR_UNUSED(state);
    struct magstore_info info;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(magstore_writer_finish(open_writer(), &info, &err), MR_EINVAL);
    magstore_writer_abort(open_writer());
    magstore_writer_abort(NULL);
}

static void test_too_many_columns_are_refused(void **state)
{
    MR_UNUSED(state);
    static const double d = 1;
    struct magstore_values *v = calloc(MAGSTORE_MAX_COLUMNS + 1, sizeof *v);
    assert_non_null(v);
    for (uint32_t i = 0; i <= MAGSTORE_MAX_COLUMNS; i++)
        v[i] = (struct magstore_values){i, MAGSTORE_DOUBLE, &d, NULL};
    struct magstore_writer *w = open_writer();
    struct magstore_info info;
    struct mr_error err = MR_ERROR_INIT;
    for (uint32_t i = 0; i < 40; i++)
        assert_int_equal(add_columns(w, i, v, MAGSTORE_MAX_COLUMNS), MR_OK);
    check_ok(magstore_writer_finish(w, &info, &err), &err);
    assert_int_equal(info.blocks, 2); /* of at most 2 Mi cells */
    struct magstore_reader *reader;
    struct magstore_page *page;
    check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    check_ok(magstore_page_load(page, reader, 1, &err), &err);
    struct magstore_values last;
    check_ok(magstore_page_column(page, MAGSTORE_MAX_COLUMNS - 1, &last, &err), &err);
    assert_true(((const double *)last.values)[7] == 1);
    magstore_page_free(page);
    magstore_reader_close(reader);
    kit.place.number++;
    w = open_writer();
    assert_int_equal(add_columns(w, 1, v, MAGSTORE_MAX_COLUMNS), MR_OK);
    assert_int_equal(add_columns(w, 2, v + MAGSTORE_MAX_COLUMNS, 1), MR_ELIMIT);
    check_refused(w, MR_ELIMIT);
    free(v);
}

static void test_texts_are_cut_into_blocks(void **state)
{
    MR_UNUSED(state);
    char *big = malloc(SEGMENT_MAX_TEXT + 1);
    assert_non_null(big);
    memset(big, 'b', SEGMENT_MAX_TEXT + 1);
    static const int64_t times[] = {1, 2, 3, 4, 5};
    static const uint8_t valid[] = {1, 1, 1, 0, 1};
    const size_t half = SEGMENT_MAX_TEXT / 2;
    const struct mr_str texts[] = {
        {big, half}, {big, half}, {big, 1}, {NULL, SIZE_MAX}, {big, SEGMENT_MAX_TEXT}};
    const struct magstore_values v = {3, MAGSTORE_VARCHAR, texts, valid};
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_info info;
    struct magstore_reader *reader;
    struct magstore_page *page;
    struct magstore_writer *w = open_writer();
    check_ok(magstore_writer_add(w, 1, &(struct magstore_rows){5, times, NULL, &v, 1}, &err), &err);
    check_ok(magstore_writer_finish(w, &info, &err), &err);
    check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
    static const uint32_t rows[] = {2, 2, 1}; /* half and half; the single byte and the NULL; the largest */
    assert_int_equal(info.blocks, 3);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    for (uint32_t i = 0, at = 0; i < 3; at += rows[i++]) {
        struct magstore_values got;
        check_ok(magstore_page_load(page, reader, i, &err), &err);
        assert_int_equal(magstore_reader_block(reader, i)->rows, rows[i]);
        check_ok(magstore_page_column(page, 3, &got, &err), &err);
        for (uint32_t r = 0; r < rows[i]; r++)
            if (valid[at + r] != 0)
                assert_true(mr_str_eq(((const struct mr_str *)got.values)[r], texts[at + r]));
    }
    magstore_page_free(page);
    magstore_reader_close(reader);
    const struct mr_str larger = {big, SEGMENT_MAX_TEXT + 1}, most = {big, SEGMENT_MAX_TEXT};
    const struct magstore_values one = {3, MAGSTORE_VARCHAR, &larger, NULL};
    const struct magstore_values two[] = {{3, MAGSTORE_VARCHAR, &most, NULL},
                                          {4, MAGSTORE_VARCHAR, &texts[2], NULL}};
    kit.place.number++;
    w = open_writer();
    assert_int_equal(add_columns(w, 1, &one, 1), MR_ELIMIT);
    check_refused(w, MR_ELIMIT);
    w = open_writer();
    assert_int_equal(add_columns(w, 1, two, 2), MR_ELIMIT); /* of all columns together */
    check_refused(w, MR_ELIMIT);
    free(big);
}

/* Writes series of these lengths and checks the rows of the blocks. */
static void check_cuts(const size_t *series, size_t nseries, const uint32_t *want, size_t nwant)
{
    static int64_t times[20000];
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_info info;
    struct magstore_reader *reader;
    for (size_t i = 0; i < MR_ARRAY_LEN(times); i++)
        times[i] = (int64_t)i;
    struct magstore_writer *w = open_writer();
    for (size_t i = 0; i < nseries; i++)
        assert_int_equal(add_times(w, (uint32_t)i, times, series[i]), MR_OK);
    assert_true(magstore_writer_bytes(w) >= sizeof(struct segment_header));
    check_ok(magstore_writer_finish(w, &info, &err), &err);
    check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
    assert_int_equal(info.blocks, nwant);
    for (uint32_t i = 0; i < nwant; i++)
        assert_int_equal(magstore_reader_block(reader, i)->rows, want[i]);
    magstore_reader_close(reader);
}

static void test_where_blocks_end(void **state)
{
    MR_UNUSED(state);
    check_cuts((size_t[]){8192, 1}, 2, (uint32_t[]){8192, 1}, 2);
    check_cuts((size_t[]){8191, 1}, 2, (uint32_t[]){8191, 1}, 2); /* a long series alone ends its block */
    check_cuts((size_t[]){1024, 5}, 2, (uint32_t[]){1024, 5}, 2);
    check_cuts((size_t[]){1023, 5}, 2, (uint32_t[]){1028}, 1);
    check_cuts((size_t[]){1023, 2000, 5}, 3, (uint32_t[]){3028}, 1); /* shared: goes on to 4096 */
    check_cuts((size_t[]){1023, 3073, 5}, 3, (uint32_t[]){4096, 5}, 2);
    check_cuts((size_t[]){1000, 20000}, 2, (uint32_t[]){8192, 8192, 4616}, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_out_of_order_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_columns_out_of_order_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_segment_without_rows_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_too_many_columns_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_texts_are_cut_into_blocks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_where_blocks_end, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
