/* Rows that were purged stay away: after a start, after an earlier cutoff, whether they were in memory, in
 * the log or in files; and rows of the same times written afterwards stay. */
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

static struct kit kit;

static void write_rows(int64_t from, int64_t end, int64_t version)
{
    const struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    struct store_attr attr = kit_double(NULL, (double)version);
    for (int64_t t = from; t < end; t++) {
        struct store_record r = kit_record(&dim, 1, "m", t, version, &attr, 1);
        check_ok(kit_append(kit.table, &r, 1), NULL);
        assert_int_equal(r.outcome, STORE_STORED);
    }
}

static size_t rows_from(int64_t from)
{
    struct store_snapshot *snapshot;
    size_t n = 0;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    char *text = kit_rows_at(snapshot, kit.table, NULL, 0, from, INT64_MAX);
    for (const char *p = text; *p != '\0'; p++)
        n += *p == '\n';
    mr_free(text);
    store_snapshot_close(snapshot);
    return n;
}

static void purged_rows_stay_away(void **state)
{
    MR_UNUSED(state);
    kit = (struct kit){.options = {.by_hand = true, .window_ns = 1000}};
    kit_open(&kit);
    write_rows(0, 20, 1);
    check_ok(store_flush(kit.store, NULL), NULL);
    write_rows(20, 60, 1);
    check_ok(store_flush(kit.store, NULL), NULL);
    write_rows(60, 100, 1); /* in memory and in the log */
    write_rows(5, 8, 2);    /* late, so that memory has rows before the cutoff, too */
    assert_int_equal(rows_from(0), 100);
    check_ok(store_purge(kit.table, 50, NULL), NULL);
    assert_int_equal(rows_from(0), 50);
    check_ok(store_expire(kit.table, 0, NULL), NULL);
    assert_int_equal(rows_from(0), 50);
    kit_reopen(&kit);
    assert_int_equal(rows_from(0), 50);
    assert_int_equal(rows_from(50), 50);
    write_rows(10, 30, 3); /* of before, and welcome now */
    assert_int_equal(rows_from(0), 70);
    kit_reopen(&kit);
    assert_int_equal(rows_from(0), 70);
    check_ok(store_compact(kit.store, NULL), NULL);
    assert_int_equal(rows_from(0), 70);
    kit_close(&kit);
}

static void nothing_or_everything_may_be_before(void **state)
{
    MR_UNUSED(state);
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
    check_ok(store_purge(kit.table, 50, NULL), NULL);
    write_rows(100, 120, 1);
    check_ok(store_purge(kit.table, 100, NULL), NULL);
    assert_int_equal(rows_from(0), 20);
    check_ok(store_purge(kit.table, 120, NULL), NULL);
    kit_reopen(&kit);
    assert_int_equal(rows_from(0), 0);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(purged_rows_stay_away),
                                       cmocka_unit_test(nothing_or_everything_may_be_before)};
    mr_log_set_level(MR_LOG_WARN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
