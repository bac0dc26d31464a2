/* Merges give back what a naive sort of all rows gives, whatever overlaps, is sought or asked for. */
#include "lib/check.h"

#include "magstore/merge.h"
#include "rows_kit.h"

#include <stdio.h>
#include <stdlib.h>

#define MOST_SEGMENTS 5

/* Some segments, and what they are together. */
struct bench {
    struct kit_model models[MOST_SEGMENTS], all;
    struct magstore_reader *readers[MOST_SEGMENTS];
    size_t count;
};

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

/* Takes over what was appended to b->models. */
static void write_segments(struct bench *b, struct mr_rng *rng)
{
    struct mr_error err = MR_ERROR_INIT;
    for (size_t i = 0; i < b->count; i++) {
        struct magstore_info info;
        struct magstore_place place = kit.place;
        place.number = i + 1;
        kit_settle(&b->models[i]);
        kit_copy(&b->all, &b->models[i], 0, b->models[i].count);
        kit_write(&place, &b->models[i], rng, &info);
        check_ok(magstore_reader_open(&place, &b->readers[i], &err), &err);
    }
    kit_settle(&b->all);
}

static void make_random(struct bench *b, struct mr_rng *rng)
{
    *b = (struct bench){.count = 1 + mr_rng_below(rng, MOST_SEGMENTS)};
    uint32_t series = 1 + (uint32_t)mr_rng_below(rng, 40);
    int64_t times = 1 + (int64_t)mr_rng_below(rng, mr_rng_below(rng, 2) ? 30 : 2000);
    bool versions = mr_rng_below(rng, 2) != 0;
    for (size_t i = 0; i < b->count; i++) {
        for (size_t n = 1 + mr_rng_below(rng, 3000); n > 0; n--) {
            struct kit_row *row = kit_append(&b->models[i], (uint32_t)mr_rng_below(rng, series) * 2,
                                             (int64_t)mr_rng_below(rng, (uint64_t)times) - 5,
                                             versions ? 1 + (int64_t)mr_rng_below(rng, 3) : 1);
            kit_fill(&b->models[i], row, rng);
        }
    }
    write_segments(b, rng);
}

static void drop(struct bench *b)
{
    for (size_t i = 0; i < b->count; i++) {
        magstore_reader_close(b->readers[i]);
        kit_free(&b->models[i]);
    }
    kit_free(&b->all);
}

/* What a merge was asked for. */
struct question {
    int64_t from, to;
    uint32_t columns[KIT_COLUMNS];
    size_t which[KIT_COLUMNS]; /* of the kit's */
    size_t ncolumns;
    bool all;
};

static void ask(struct question *q, struct mr_rng *rng)
{
    q->from = mr_rng_below(rng, 3) == 0 ? (int64_t)mr_rng_below(rng, 50) - 10 : INT64_MIN;
    q->to = mr_rng_below(rng, 3) == 0 ? (int64_t)mr_rng_below(rng, 2000) : INT64_MAX;
    q->all = mr_rng_below(rng, 3) == 0;
    q->ncolumns = 0;
    for (size_t i = 0; !q->all && i < KIT_COLUMNS; i++) {
        size_t k = mr_rng_below(rng, KIT_COLUMNS); /* in any order */
        bool twice = false;
        for (size_t j = 0; j < q->ncolumns; j++)
            twice = twice || q->which[j] == k;
        if (twice)
            continue;
        q->which[q->ncolumns] = k;
        q->columns[q->ncolumns++] = kit_columns[k];
    }
}

static void check_values(const struct magstore_rows *rows, const struct kit_row *want,
                         const struct question *q)
{
    for (size_t i = 0; !q->all && i < q->ncolumns; i++) {
        assert_int_equal(rows->columns[i].column, q->columns[i]);
        for (size_t r = 0; r < rows->count; r++)
            assert_true(kit_same(&rows->columns[i], r, &want[r].cells[q->which[i]]));
    }
    for (size_t k = 0, i = 0; q->all && k < KIT_COLUMNS; k++) {
        bool here = i < rows->ncolumns && rows->columns[i].column == kit_columns[k], any = false;
        for (size_t r = 0; r < rows->count; r++) {
            any = any || want[r].cells[k].set;
            if (here)
                assert_true(kit_same(&rows->columns[i], r, &want[r].cells[k]));
        }
        assert_int_equal(here, any);
        i += here;
    }
}

/* Reads on from row `at` of the model until the end, or as many calls as that. Returns where it came to. */
static size_t follow(struct magstore_merge *merge, const struct kit_model *all, size_t at,
                     const struct question *q, int64_t from, int64_t to, bool only, size_t calls,
                     struct mr_rng *rng)
{
    struct mr_error err = MR_ERROR_INIT;
    uint32_t last = at < all->count ? all->rows[at].series : 0;
    for (; calls > 0; calls--) {
        struct magstore_rows rows;
        uint32_t series;
        size_t most = mr_rng_below(rng, 2) ? 1 + mr_rng_below(rng, 20) : MAGSTORE_BLOCK_ROWS;
        while (at < all->count && (all->rows[at].time < from || all->rows[at].time > to))
            at++;
        check_ok(magstore_merge_next(merge, most, only, &series, &rows, &err), &err);
        bool end = at == all->count || (only && all->rows[at].series != last);
        assert_int_equal(rows.count == 0, end);
        if (end)
            break;
        assert_true(rows.count <= most);
        if (!q->all)
            assert_int_equal(rows.ncolumns, q->ncolumns);
        for (size_t r = 0; r < rows.count; r++) {
            assert_true(at + r < all->count);
            assert_int_equal(all->rows[at + r].series, series);
            assert_int_equal(all->rows[at + r].time, rows.times[r]);
            assert_int_equal(all->rows[at + r].version, rows.versions != NULL ? rows.versions[r] : 1);
        }
        check_values(&rows, all->rows + at, q);
        at += rows.count;
    }
    return at;
}

static size_t first_of(const struct kit_model *all, uint32_t series)
{
    size_t at = 0;
    while (at < all->count && all->rows[at].series < series)
        at++;
    return at;
}

/* One merge, read from the start, then sought at random. */
static void test_against_a_naive_sort(void **state)
{
    MR_UNUSED(state);
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct mr_rng rng = {seed};
        struct bench b;
        make_random(&b, &rng);
        for (int round = 0; round < 4; round++) {
            struct question q;
            struct magstore_merge *merge;
            ask(&q, &rng);
            assert_int_equal(
                magstore_merge_open(b.readers, b.count, q.from, q.to, q.columns, q.ncolumns, q.all, &merge),
                MR_OK);
            follow(merge, &b.all, 0, &q, q.from, q.to, false, mr_rng_below(&rng, 2) ? SIZE_MAX : 3, &rng);
            for (int seek = 0; seek < 20; seek++) {
                uint32_t series = (uint32_t)mr_rng_below(&rng, 85);
                int64_t from = mr_rng_below(&rng, 2) ? q.from : (int64_t)mr_rng_below(&rng, 40);
                int64_t to = mr_rng_below(&rng, 2) ? q.to : (int64_t)mr_rng_below(&rng, 40);
                bool only = mr_rng_below(&rng, 2) != 0;
                size_t at = first_of(&b.all, series);
                magstore_merge_seek(merge, series, from, to);
                from = from > q.from ? from : q.from;
                to = to < q.to ? to : q.to;
                if (only && (at == b.all.count || b.all.rows[at].series != series)) {
                    struct magstore_rows rows;
                    struct mr_error err = MR_ERROR_INIT;
                    check_ok(magstore_merge_next(merge, 10, true, &series, &rows, &err), &err);
                    assert_int_equal(rows.count, 0);
                } else {
                    follow(merge, &b.all, at, &q, from, to, only, mr_rng_below(&rng, 8), &rng);
                }
            }
            magstore_merge_close(merge);
        }
        drop(&b);
    }
}

/* Windows of time over series of several blocks. */
static void seek_in_time(struct magstore_merge *merge, const struct kit_model *all, const struct question *q,
                         struct mr_rng *rng)
{
    for (int i = 0; i < 150; i++) {
        uint32_t series = (uint32_t)mr_rng_below(rng, 8);
        int64_t from = (int64_t)mr_rng_below(rng, 30000), to = from + (int64_t)mr_rng_below(rng, 9000);
        bool only = mr_rng_below(rng, 2) != 0;
        magstore_merge_seek(merge, series, from, to);
        follow(merge, all, first_of(all, series), q, from, to, only, 1 + mr_rng_below(rng, 100), rng);
    }
}

/* Three segments whose series are longer than blocks: apart, interleaved in stretches, and row by row. */
static void test_long_series(void **state)
{
    MR_UNUSED(state);
    for (int stretch = 1; stretch <= 20000; stretch = stretch * 7 + 1) {
        struct mr_rng rng = {(uint64_t)stretch};
        struct bench b = {.count = 3};
        for (int64_t i = 0; i < 500; i++) /* short ones ahead: they share a block with the first long one */
            kit_append(&b.models[i % 3], (uint32_t)(i / 100), i % 100, 1);
        for (int64_t i = 0; i < 30000; i++) {
            size_t model = (size_t)(i / stretch) % 3;
            struct kit_row *row = kit_append(&b.models[model], 5 + (uint32_t)(i / 12500), i, 1);
            row->cells[0].set = row->cells[2].set = true;
            row->cells[0].bits = (uint64_t)i;
            row->cells[2].text = MR_STR("text");
            if (i % 1000 == 0)
                kit_copy(&b.models[(model + 1) % 3], &b.models[model], b.models[model].count - 1, 1);
        }
        write_segments(&b, &rng);
        struct question q = {.from = INT64_MIN, .to = INT64_MAX, .all = true};
        struct magstore_merge *merge;
        assert_int_equal(magstore_merge_open(b.readers, b.count, q.from, q.to, NULL, 0, true, &merge), MR_OK);
        assert_int_equal(follow(merge, &b.all, 0, &q, q.from, q.to, false, SIZE_MAX, &rng), 30500);
        seek_in_time(merge, &b.all, &q, &rng);
        magstore_merge_close(merge);
        drop(&b);
    }
}

/* What has been decoded is not read again, and of a block only what is asked for is read. */
static void test_seeking_in_a_block_reads_it_once(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {4};
    struct mr_error err = MR_ERROR_INIT;
    struct bench b = {.count = 1};
    for (uint32_t i = 0; i < 20000; i++)
        kit_fill(&b.models[0], kit_append(&b.models[0], i / 2, i, 1), &rng);
    write_segments(&b, &rng);
    struct magstore_merge *merge;
    uint64_t before = 0;
    assert_int_equal(magstore_merge_open(b.readers, 1, INT64_MIN, INT64_MAX, kit_columns, 1, false, &merge),
                     MR_OK);
    assert_int_equal(magstore_merge_bytes(merge), 0);
    for (uint32_t i = 0; i < 2000; i += 7) {
        struct magstore_rows rows;
        uint32_t series;
        magstore_merge_seek(merge, i, INT64_MIN, INT64_MAX);
        check_ok(magstore_merge_next(merge, 100, true, &series, &rows, &err), &err);
        assert_int_equal(rows.count, 2);
        assert_int_equal(series, i);
        if (i != 0)
            assert_int_equal(magstore_merge_bytes(merge), before);
        before = magstore_merge_bytes(merge);
    }
    const struct magstore_block *block = magstore_reader_block(b.readers[0], 0);
    assert_true(before < block->bytes / 2); /* one column of eight, head and times */
    magstore_merge_close(merge);
    drop(&b);
}

/* Compaction gives the segment that a writer of the sorted rows gives. */
static void test_merging_into_a_segment(void **state)
{
    MR_UNUSED(state);
    for (uint64_t seed = 100; seed < 120; seed++) {
        struct mr_rng rng = {seed};
        struct mr_error err = MR_ERROR_INIT;
        struct bench b;
        struct magstore_merged merged;
        struct magstore_writer *writer;
        struct magstore_info info;
        make_random(&b, &rng);
        int64_t from = seed % 2 == 0 ? INT64_MIN : 3;
        uint64_t rows_in = 0, within = 0;
        struct kit_model want = {0};
        for (size_t i = 0; i < b.count; i++) {
            rows_in += b.models[i].count;
            for (size_t r = 0; r < b.models[i].count; r++)
                within += b.models[i].rows[r].time >= from;
        }
        for (size_t i = 0; i < b.all.count; i++)
            if (b.all.rows[i].time >= from)
                kit_copy(&want, &b.all, i, 1);
        check_ok(magstore_writer_open(&kit.place, &writer, &err), &err);
        check_ok(magstore_merge_into(b.readers, b.count, from, INT64_MAX, writer, NULL, NULL, &merged, &err),
                 &err);
        assert_int_equal(merged.rows_in, rows_in);
        assert_int_equal(merged.rows_out, want.count);
        assert_int_equal(merged.expired, rows_in - within);
        assert_int_equal(merged.replaced, within - want.count);
        if (want.count == 0) {
            magstore_writer_abort(writer);
        } else {
            struct magstore_reader *reader;
            check_ok(magstore_writer_finish(writer, &info, &err), &err);
            check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
            kit_compare(reader, &want);
            magstore_reader_close(reader);
        }
        kit_free(&want);
        drop(&b);
    }
}

/* The catalog gives a column one type for good; segments that say otherwise are not of one table. */
static void test_a_column_of_two_types_is_refused(void **state)
{
    MR_UNUSED(state);
    static const int64_t times[] = {1, 2, 3}, later[] = {2, 4}, numbers[] = {7, 8, 9};
    static const double doubles[] = {7, 8};
    const struct magstore_values a = {3, MAGSTORE_BIGINT, numbers, NULL},
                                 b = {3, MAGSTORE_DOUBLE, doubles, NULL};
    const struct magstore_rows rows[] = {{3, times, NULL, &a, 1}, {2, later, NULL, &b, 1}};
    struct magstore_reader *readers[2];
    struct mr_error err = MR_ERROR_INIT;
    for (uint64_t i = 0; i < 2; i++) {
        struct magstore_writer *writer;
        struct magstore_info info;
        struct magstore_place place = kit.place;
        place.number = i + 1;
        check_ok(magstore_writer_open(&place, &writer, &err), &err);
        check_ok(magstore_writer_add(writer, 5, &rows[i], &err), &err);
        check_ok(magstore_writer_finish(writer, &info, &err), &err);
        check_ok(magstore_reader_open(&place, &readers[i], &err), &err);
    }
    struct magstore_merge *merge;
    struct magstore_rows out;
    uint32_t series;
    assert_int_equal(magstore_merge_open(readers, 2, INT64_MIN, INT64_MAX, NULL, 0, true, &merge), MR_OK);
    assert_int_equal(magstore_merge_next(merge, 10, false, &series, &out, &err), MR_ECORRUPT);
    assert_non_null(strstr(err.text, "column 3"));
    err = (struct mr_error)MR_ERROR_INIT;
    check_ok(magstore_merge_next(merge, 10, false, &series, &out, &err), &err); /* at its end */
    assert_int_equal(out.count, 0);
    magstore_merge_close(merge);
    magstore_reader_close(readers[0]);
    magstore_reader_close(readers[1]);
}

static bool stop_at_once(void *ctx)
{
    return ++*(int *)ctx == 2;
}

static void test_a_merge_can_be_stopped(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {4};
    struct mr_error err = MR_ERROR_INIT;
    struct bench b = {.count = 1};
    for (uint32_t i = 0; i < 20000; i++)
        kit_append(&b.models[0], i, 7, 1);
    write_segments(&b, &rng);
    int asked = 0;
    struct magstore_merged merged;
    struct magstore_writer *writer;
    check_ok(magstore_writer_open(&kit.place, &writer, &err), &err);
    assert_int_equal(
        magstore_merge_into(b.readers, 1, INT64_MIN, INT64_MAX, writer, stop_at_once, &asked, &merged, &err),
        MR_ECANCEL);
    assert_int_equal(merged.rows_out, MAGSTORE_BLOCK_ROWS);
    magstore_writer_abort(writer);
    drop(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_naive_sort),
        cmocka_unit_test(test_long_series),
        cmocka_unit_test(test_seeking_in_a_block_reads_it_once),
        cmocka_unit_test(test_merging_into_a_segment),
        cmocka_unit_test(test_a_column_of_two_types_is_refused),
        cmocka_unit_test(test_a_merge_can_be_stopped),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
