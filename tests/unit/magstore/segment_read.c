/* What a reader says without decoding, and what pages keep. */
#include "lib/check.h"

#include "magstore/merge.h"
#include "rows_kit.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>

static struct kit_place kit;
static struct kit_model model;
static struct magstore_reader *reader;

/* Series of many lengths: some blocks hold many, some series take several blocks. */
static int set_up(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {77};
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_info info;
    kit_open(&kit);
    for (uint32_t i = 0; i < 400; i++) {
        size_t n = i % 100 == 3 ? 20000 : 1 + mr_rng_below(&rng, 200);
        int64_t time = (int64_t)mr_rng_below(&rng, 1000);
        for (; n > 0; n--, time += 1 + (int64_t)mr_rng_below(&rng, 10))
            kit_fill(&model, kit_append(&model, i * 2 + 1, time, 1), &rng);
    }
    kit_write(&kit.place, &model, &rng, &info);
    check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    magstore_reader_close(reader);
    kit_free(&model);
    kit_close(&kit);
    return 0;
}

/* Every block that has a row of the series and the time range lies within what is located. */
static void test_blocks_are_located(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {9};
    uint32_t blocks = (uint32_t)magstore_reader_info(reader)->blocks, found = 0, needed = 0;
    for (int i = 0; i < 3000; i++) {
        uint32_t series = (uint32_t)mr_rng_below(&rng, 805), first, end;
        int64_t from = mr_rng_below(&rng, 4) == 0 ? INT64_MIN + 10 : (int64_t)mr_rng_below(&rng, 120000);
        int64_t to = mr_rng_below(&rng, 4) == 0 ? INT64_MAX : from + (int64_t)mr_rng_below(&rng, 2000) - 10;
        if (i % 3 == 0) { /* the very times at which a block begins or ends */
            const struct magstore_block *b =
                magstore_reader_block(reader, (uint32_t)mr_rng_below(&rng, blocks));
            series = i % 2 == 0 ? b->first_series : b->last_series;
            from = to = i % 2 == 0 ? b->first_time : b->last_time;
        }
        magstore_reader_locate(reader, series, from, to, &first, &end);
        assert_true(first <= end && end <= blocks);
        size_t row = 0;
        for (uint32_t b = 0; b < blocks; b++) {
            bool has = false;
            for (uint32_t r = 0; r < magstore_reader_block(reader, b)->rows; r++, row++)
                has = has || (model.rows[row].series == series && model.rows[row].time >= from &&
                              model.rows[row].time <= to);
            assert_true(!has || (b >= first && b < end));
            needed += has;
        }
        found += end - first;
    }
    assert_true(found < 2 * needed + 1000); /* and not much else is */
}

static uint64_t bits_of(double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}

static void check_stats(const struct magstore_stats *s, size_t column, const struct kit_row *rows, uint32_t n)
{
    double fmin = INFINITY, fmax = -INFINITY, fsum = 0;
    int64_t imin = INT64_MAX, imax = INT64_MIN;
    __int128 isum = 0;
    uint32_t count = 0;
    bool nan = false, number = kit_types[column] != MAGSTORE_VARCHAR && kit_types[column] != MAGSTORE_BOOLEAN;
    for (uint32_t r = 0; r < n; r++) {
        const struct kit_cell *c = &rows[r].cells[column];
        double f;
        memcpy(&f, &c->bits, sizeof f);
        if (!c->set)
            continue;
        count++;
        nan = nan || isnan(f);
        fmin = f < fmin ? f : fmin;
        fmax = f > fmax ? f : fmax;
        fsum += f;
        imin = (int64_t)c->bits < imin ? (int64_t)c->bits : imin;
        imax = (int64_t)c->bits > imax ? (int64_t)c->bits : imax;
        isum += (int64_t)c->bits;
    }
    bool is_double = kit_types[column] == MAGSTORE_DOUBLE;
    assert_int_equal(s->type, count != 0 ? kit_types[column] : MAGSTORE_NONE);
    assert_int_equal(s->count, count);
    assert_int_equal(s->numbers, count != 0 && number && !(is_double && nan));
    if (s->numbers && is_double)
        assert_true(s->f64.min == fmin && s->f64.max == fmax && bits_of(s->f64.sum) == bits_of(fsum));
    else if (s->numbers)
        assert_true(s->i64.min == imin && s->i64.max == imax && s->i64.sum == isum);
}

static void test_heads_tell_counts_and_sums(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_page *page;
    struct magstore_stats stats;
    assert_int_equal(magstore_page_new(&page), MR_OK);
    size_t row = 0;
    for (uint32_t b = 0; b < magstore_reader_info(reader)->blocks; b++) {
        uint32_t n = magstore_reader_block(reader, b)->rows;
        check_ok(magstore_page_load(page, reader, b, &err), &err);
        for (size_t k = 0; k < KIT_COLUMNS; k++) {
            magstore_page_stats(page, kit_columns[k], &stats);
            check_stats(&stats, k, model.rows + row, n);
        }
        magstore_page_stats(page, 5, &stats);
        assert_true(stats.type == MAGSTORE_NONE && stats.count == 0 && !stats.numbers);
        row += n;
    }
    magstore_page_free(page);
}

/* -0.0 and sums that round: the head says what adding in the order of rows gives. */
static void test_sums_are_those_of_the_rows_in_order(void **state)
{
    MR_UNUSED(state);
    static const double values[] = {1e16, 1, 1, -1e16, 0.1};
    static const int64_t times[] = {1, 2, 3, 4, 5}, big[] = {INT64_MAX, INT64_MAX, 5, -7, INT64_MAX};
    struct magstore_place place = kit.place;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_writer *w;
    struct magstore_info info;
    struct magstore_reader *r;
    struct magstore_page *page;
    struct magstore_stats s;
    const struct magstore_values v[] = {{3, MAGSTORE_DOUBLE, values, NULL},
                                        {4, MAGSTORE_TIMESTAMP, big, NULL}};
    place.number++;
    check_ok(magstore_writer_open(&place, &w, &err), &err);
    check_ok(magstore_writer_add(w, 1, &(struct magstore_rows){5, times, NULL, v, 2}, &err), &err);
    check_ok(magstore_writer_finish(w, &info, &err), &err);
    check_ok(magstore_reader_open(&place, &r, &err), &err);
    assert_int_equal(magstore_page_new(&page), MR_OK);
    check_ok(magstore_page_load(page, r, 0, &err), &err);
    magstore_page_stats(page, 3, &s);
    assert_true(s.f64.sum == 1e16 + 1 + 1 - 1e16 + 0.1 && s.f64.min == -1e16 && s.f64.max == 1e16);
    magstore_page_stats(page, 4, &s);
    assert_true(s.i64.sum == (__int128)INT64_MAX * 3 - 2 && s.i64.min == -7 && s.i64.max == INT64_MAX);
    magstore_page_free(page);
    magstore_reader_close(r);
}

static void test_what_is_decoded_stays(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_page *page;
    struct magstore_values a, b, c;
    assert_int_equal(magstore_page_new(&page), MR_OK);
    assert_int_equal(magstore_page_bytes(page), 0);
    check_ok(magstore_page_load(page, reader, 1, &err), &err);
    check_ok(magstore_page_column(page, kit_columns[0], &a, &err), &err);
    uint64_t bytes = magstore_page_bytes(page);
    assert_true(bytes < magstore_reader_block(reader, 1)->bytes); /* columns not asked for are not read */
    check_ok(magstore_page_load(page, reader, 1, &err), &err);
    check_ok(magstore_page_column(page, kit_columns[0], &b, &err), &err);
    assert_ptr_equal(a.values, b.values);
    assert_int_equal(magstore_page_bytes(page), bytes);
    for (size_t i = 1; i < KIT_COLUMNS; i++) /* more columns move nothing */
        check_ok(magstore_page_column(page, kit_columns[i], &c, &err), &err);
    check_ok(magstore_page_column(page, kit_columns[0], &b, &err), &err);
    assert_ptr_equal(a.values, b.values);
    check_ok(magstore_page_load(page, reader, 0, &err), &err);
    assert_true(magstore_page_bytes(page) > bytes);
    magstore_page_free(page);
}

/* A page knows a reader by its open, not by its address: another one may get the same. */
static void test_another_reader_at_the_same_address(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_page *page;
    struct mr_rng rng = {5};
    assert_int_equal(magstore_page_new(&page), MR_OK);
    for (uint32_t i = 0; i < 20; i++) {
        struct kit_model m = {0};
        struct magstore_reader *r;
        struct magstore_info info;
        struct magstore_place place = kit.place;
        place.number = 100 + i;
        kit_fill(&m, kit_append(&m, i, i, 1), &rng);
        kit_write(&place, &m, &rng, &info);
        check_ok(magstore_reader_open(&place, &r, &err), &err);
        check_ok(magstore_page_load(page, r, 0, &err), &err);
        assert_int_equal(magstore_page_times(page)[0], i);
        magstore_reader_close(r);
        kit_free(&m);
    }
    magstore_page_free(page);
}

/* Each with a merge of its own over one reader; unit/magstore is run under ThreadSanitizer by hand. */
static void *read_all(void *arg)
{
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_merge *merge;
    struct magstore_reader *readers[] = {reader};
    struct magstore_rows rows = {.count = 1};
    uint32_t series;
    size_t *seen = arg;
    if (magstore_merge_open(readers, 1, INT64_MIN, INT64_MAX, kit_columns, 3, false, &merge) != MR_OK)
        return NULL;
    while (magstore_merge_next(merge, 1000, false, &series, &rows, &err) == MR_OK && rows.count != 0)
        *seen += rows.count;
    magstore_merge_close(merge);
    return NULL;
}

static void test_many_threads_read_through_one_reader(void **state)
{
    MR_UNUSED(state);
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t seen[THREADS] = {0};
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, &seen[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(seen[i], model.count);
    }
}

static void test_segments_of_others_are_refused(void **state)
{
    MR_UNUSED(state);
    struct magstore_reader *r;
    for (int i = 0; i < 4; i++) {
        struct mr_error err = MR_ERROR_INIT;
        struct magstore_place place = kit.place;
        place.database += i == 0;
        place.table += i == 1;
        place.number += i == 2 ? 50 : 0; /* there is no such file */
        if (i == 3)                      /* the key is gone */
            check_ok(seal_keyring_forget(place.keyring, place.database, &err), &err);
        int status = magstore_reader_open(&place, &r, &err);
        assert_int_equal(status, i < 2 ? MR_ECORRUPT : MR_ENOENT);
        assert_null(r);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_located),
        cmocka_unit_test(test_heads_tell_counts_and_sums),
        cmocka_unit_test(test_sums_are_those_of_the_rows_in_order),
        cmocka_unit_test(test_what_is_decoded_stays),
        cmocka_unit_test(test_another_reader_at_the_same_address),
        cmocka_unit_test(test_many_threads_read_through_one_reader),
        cmocka_unit_test(test_segments_of_others_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
