/* Groups of one time each, over series that have the same times, nearly the same, and quite others: each
 * group once when it is said to be whole, its parts add up when it is not. */
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEASURES = 4, BATCH = 2000, MOST_HOSTS = 40, MOST_TIMES = 70000 };

static struct kit kit;
static uint32_t host_column, f_column;

/* What a host has written, and what came back, at each time. */
static uint16_t written[MOST_HOSTS][MOST_TIMES];
static uint16_t counted[MOST_HOSTS][MOST_TIMES];
static uint8_t came[MOST_HOSTS][MOST_TIMES], whole[MOST_HOSTS][MOST_TIMES];

/* ---- records ---- */

static double value_of(int host, int measure, int time)
{
    return host * 1000 + measure * 100 + time % 64;
}

/* `times` rows of the measure, at first, first + step, ... */
static void write_series(int host, int measure, int rack, int first, int step, int times)
{
    static struct store_record records[BATCH];
    static struct store_attr attrs[BATCH];
    char host_name[16], measure_name[16], rack_name[16];
    snprintf(host_name, sizeof host_name, "h%d", host);
    snprintf(measure_name, sizeof measure_name, "m%d", measure);
    snprintf(rack_name, sizeof rack_name, "r%d", rack);
    const struct mr_pair dims[] = {{MR_STR("host"), mr_str_of(host_name)},
                                   {MR_STR("rack"), mr_str_of(rack_name)}};
    for (int i = 0; i < times;) {
        size_t n = 0;
        for (; n < BATCH && i < times; i++, n++) {
            int time = first + i * step;
            assert_true(time < MOST_TIMES);
            attrs[n] = kit_double("f", value_of(host, measure, time));
            records[n] = kit_record(dims, 2, measure_name, time, 1, &attrs[n], 1);
            written[host][time]++;
        }
        check_ok(kit_append(kit.table, records, n), NULL);
    }
}

static void begin(void)
{
    memset(written, 0, sizeof written);
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
}

/* ---- reading ---- */

static void take(const struct store_groups *part)
{
    for (size_t i = 0; i < part->rows; i++) {
        struct mr_str name = ((const struct mr_str *)part->cols[0].values)[i];
        int64_t time = ((const int64_t *)part->cols[1].values)[i];
        int host = atoi(name.ptr + 1);
        assert_true(host < MOST_HOSTS && time >= 0 && time < MOST_TIMES);
        counted[host][time] += (uint16_t)((const int64_t *)part->cols[2].values)[i];
        came[host][time]++;
        whole[host][time] += part->whole;
        for (int m = 0; m < MEASURES; m++) {
            const struct store_vec *most = &part->cols[3 + m];
            if (most->valid[i])
                assert_true(((const double *)most->values)[i] == value_of(host, m, (int)time));
        }
    }
}

/* All groups of (host, time) by so many cursors in turn; how many parts of them were whole. */
static size_t read_groups(size_t ncursors)
{
    static const struct mr_str measures[] = {MR_STR("m0"), MR_STR("m1"), MR_STR("m2"), MR_STR("m3")};
    struct store_fold folds[1 + MEASURES] = {{STORE_FOLD_ROWS, 0, STORE_NONE, MR_STR_NULL}};
    struct store_aggregate_cursor *cursors[3] = {NULL};
    struct store_snapshot *snapshot;
    struct store_aggregate *aggregate;
    struct mr_error err = MR_ERROR_INIT;
    size_t wholes = 0;
    for (int m = 0; m < MEASURES; m++)
        folds[1 + m] = (struct store_fold){STORE_FOLD_MAX, f_column, STORE_DOUBLE, measures[m]};
    const struct store_aggregate_spec spec = {.scan = {.time_max = INT64_MAX},
                                              .keys = &host_column,
                                              .nkeys = 1,
                                              .bin_ns = 1,
                                              .folds = folds,
                                              .nfolds = MR_ARRAY_LEN(folds)};
    memset(counted, 0, sizeof counted);
    memset(came, 0, sizeof came);
    memset(whole, 0, sizeof whole);
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    check_ok(store_aggregate_open(snapshot, kit.table, &spec, &aggregate, &err), &err);
    for (size_t i = 0; i < ncursors; i++)
        check_ok(store_aggregate_cursor_open(aggregate, &cursors[i]), NULL);
    for (size_t i = 0, open = ncursors; open > 0; i = (i + 1) % ncursors) {
        struct store_groups part;
        if (cursors[i] == NULL)
            continue;
        check_ok(store_aggregate_cursor_next(cursors[i], &part, &err), &err);
        take(&part);
        wholes += part.whole ? part.rows : 0;
        if (part.ended) {
            store_aggregate_cursor_close(cursors[i]);
            cursors[i] = NULL;
            open--;
        }
    }
    store_aggregate_close(aggregate);
    store_snapshot_close(snapshot);
    return wholes;
}

static void check_groups(void)
{
    for (int h = 0; h < MOST_HOSTS; h++)
        for (int t = 0; t < MOST_TIMES; t++) {
            assert_int_equal(counted[h][t], written[h][t]);
            assert_int_equal(came[h][t] != 0, written[h][t] != 0);
            if (whole[h][t] != 0)
                assert_int_equal(came[h][t], 1);
        }
}

static void look_up_columns(void)
{
    host_column = kit_column(kit.table, "host");
    f_column = kit_column(kit.table, "f");
}

/* ---- tests ---- */

static void test_groups_of_short_runs_are_whole(void **state)
{
    MR_UNUSED(state);
    begin();
    for (int h = 0; h < MOST_HOSTS; h++) {
        for (int m = 0; m < MEASURES; m++)
            write_series(h, m, 0, h % 3 == 1 ? m * 7 : 0, 10 + (h % 3 == 2 ? m : 0), 700);
        if (h == MOST_HOSTS / 2)
            check_ok(store_flush(kit.store, NULL), NULL);
    }
    look_up_columns();
    for (size_t cursors = 1; cursors <= 3; cursors++) {
        assert_true(read_groups(cursors) > 700 * MOST_HOSTS); /* all: some series add times of their own */
        check_groups();
        for (int h = 0; h < MOST_HOSTS; h++)
            for (int t = 0; t < MOST_TIMES; t++)
                assert_int_equal(whole[h][t], written[h][t] != 0);
    }
    kit_close(&kit);
}

/* Of one host there are more groups than a cursor holds. */
static void test_a_long_run_comes_in_parts(void **state)
{
    MR_UNUSED(state);
    begin();
    for (int h = 0; h < 9; h++)
        for (int m = 0; m < MEASURES; m++)
            write_series(h, m, 0, m == 3, 1, h == 4 ? MOST_TIMES - 1 : 50);
    look_up_columns();
    for (size_t cursors = 1; cursors <= 3; cursors++) {
        size_t wholes = read_groups(cursors);
        check_groups();
        assert_true(wholes > 0 && wholes <= 9 * 51);
        for (int t = 0; t < MOST_TIMES; t++)
            assert_int_equal(whole[4][t], 0);
    }
    kit_close(&kit);
}

/* So many series of the same keys are shared by the cursors. */
static void test_runs_of_many_series_are_not_taken_together(void **state)
{
    MR_UNUSED(state);
    begin();
    for (int rack = 0; rack < 150; rack++)
        write_series(rack < 140 ? 0 : 1, 0, rack, 0, 3, 40);
    look_up_columns();
    for (size_t cursors = 1; cursors <= 3; cursors++) {
        assert_int_equal(read_groups(cursors), 0);
        check_groups();
    }
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_of_short_runs_are_whole),
        cmocka_unit_test(test_a_long_run_comes_in_parts),
        cmocka_unit_test(test_runs_of_many_series_are_not_taken_together),
    };
    mr_log_set_level(MR_LOG_WARN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
