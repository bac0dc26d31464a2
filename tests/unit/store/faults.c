/* No memory, no room in the log, no room under the limit: an append that fails changes nothing, and a scan or
 * a replay that fails leaks nothing. */
#include "fake_wal.h"
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"
#include "lib/fault.h"

#include <stdio.h>
#include <stdlib.h>

static struct mr_pair dims_a[] = {{MR_STR("host"), MR_STR("a")}, {MR_STR("rack"), MR_STR("r1")}};
static struct mr_pair dims_b[] = {{MR_STR("host"), MR_STR("b")}, {MR_STR("zone"), MR_STR("z")}};

static void on_done(struct store_commit *commit)
{
    MR_UNUSED(commit);
}

/* Everything that can be seen of the table: rows, schema, counts. Free with mr_free. */
static char *everything(struct kit *kit)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf out = MR_BUF_INIT;
    struct store_schema schema;
    struct store_stats stats;
    char *rows = kit_rows(kit->store, kit->table);
    check_ok(store_schema_get(kit->table, &arena, &schema), NULL);
    store_stats(kit->store, &stats);
    mr_buf_printf(&out, "%sversion %d series %d rows %d records %d\n", rows, (int)schema.version,
                  (int)stats.series, (int)stats.rows, (int)stats.records);
    for (size_t i = 0; i < schema.ncolumns; i++)
        mr_buf_printf(&out, MR_STR_FMT " ", MR_STR_ARG(schema.columns[i].name));
    for (size_t i = 0; i < schema.nmeasures; i++) {
        mr_buf_printf(&out, MR_STR_FMT ":%d", MR_STR_ARG(schema.measures[i].name),
                      (int)schema.measures[i].type);
        for (size_t d = 0; d < schema.measures[i].ndims; d++)
            mr_buf_printf(&out, ",%u", schema.measures[i].dims[d]);
    }
    mr_buf_char(&out, '\0');
    mr_free(rows);
    mr_arena_release(&arena);
    return out.ptr;
}

/* Fails each allocation of the append in turn until it goes through. Returns how often it failed. */
static unsigned sweep(struct kit *kit, struct store_record *records, size_t count)
{
    static struct store_commit commit = {.done = on_done};
    char *before = everything(kit);
    unsigned failures = 0;
    for (unsigned nth = 1;; nth++) {
        fault_alloc(nth);
        int rc = store_append(kit->table, records, count, &commit, NULL);
        fault_alloc(0);
        if (rc == MR_OK)
            break;
        assert_int_equal(rc, MR_ENOMEM);
        failures++;
        char *after = everything(kit);
        assert_string_equal(after, before);
        mr_free(after);
    }
    for (size_t i = 0; i < count; i++)
        assert_int_equal(records[i].outcome, STORE_STORED);
    mr_free(before);
    return failures;
}

/* By hand: a thread of the store would take some of the failures meant for the code under test. */
static void open_on_fake(struct kit *kit)
{
    fake_wal_reset();
    fake_wal_auto(true);
    kit->options.by_hand = true;
    kit_open(kit);
}

static void test_append_without_memory(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    open_on_fake(&kit);
    struct store_attr d = kit_double(NULL, 1), d2 = kit_double(NULL, 2), t = kit_text(NULL, "on");
    struct store_attr multi[] = {kit_double("x", 1), kit_text("state", "up"), kit_bool("ok", true)};
    struct store_attr wider[] = {kit_text("state", "down"), kit_bigint("n", 7), kit_time("seen", 9)};
    struct store_record first[] = {kit_record(dims_a, 2, "s", 10, 1, &d, 1),
                                   kit_record(dims_a, 2, "t", 10, 1, &t, 1),
                                   kit_record(dims_b, 2, "m", 10, 1, multi, 3)};
    assert_in_range(sweep(&kit, first, 3), 20, 1000);
    /* Replacements, with and without new content; rows before and after; new columns in an old series. */
    struct store_record second[] = {
        kit_record(dims_b, 2, "m", 10, 5, wider, 3),  kit_record(dims_a, 2, "s", 10, 3, &d2, 1),
        kit_record(dims_a, 2, "s", 5, 1, &d, 1),      kit_record(dims_a, 2, "s", 10, 9, &d2, 1),
        kit_record(dims_a, 2, "t", 10, 2, &t, 1),     kit_record(dims_a, 2, "s", 10, INT64_MAX, &d, 1),
        kit_record(dims_b, 2, "fresh", 1, 1, &d2, 1), kit_record(dims_b, 2, "m", 9, 1, multi, 2),
    };
    assert_in_range(sweep(&kit, second, MR_ARRAY_LEN(second)), 10, 1000);
    /* A long series: full chunks, a split, another list entry. */
    enum { LONG = 1500 };
    struct store_record *many = calloc(LONG, sizeof *many);
    assert_non_null(many);
    for (int i = 0; i < LONG; i++)
        many[i] = kit_record(dims_a, 2, "s", 1000 + 2 * i, 1, &d, 1);
    assert_in_range(sweep(&kit, many, LONG), 3, 1000);
    for (int i = 0; i < LONG; i++)
        many[i] = kit_record(dims_a, 2, "s", 1001 + 2 * ((i * 7) % LONG), 1, &d, 1);
    assert_in_range(sweep(&kit, many, LONG), 1, 1000);
    free(many);
    kit_close(&kit);
}

static void test_log_refuses(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    open_on_fake(&kit);
    struct store_attr d = kit_double(NULL, 1), d2 = kit_double(NULL, 2);
    struct store_record r[] = {kit_record(dims_a, 2, "s", 10, 1, &d, 1),
                               kit_record(dims_b, 2, "q", 10, 1, &d, 1)};
    struct store_record next[] = {kit_record(dims_a, 2, "s", 10, 2, &d2, 1),
                                  kit_record(dims_a, 2, "z", 1, 1, &d, 1)};
    char *empty = everything(&kit);
    fake_wal_fail(MR_EBUSY);
    assert_int_equal(kit_append(kit.table, r, 2), MR_EBUSY);
    char *still = everything(&kit);
    assert_string_equal(still, empty);
    check_ok(kit_append(kit.table, r, 2), NULL);
    char *before = everything(&kit);
    fake_wal_fail(MR_ENOSPC);
    assert_int_equal(kit_append(kit.table, next, 2), MR_ENOSPC);
    char *after = everything(&kit);
    assert_string_equal(after, before);
    /* Nothing to log, so a refusing log does not matter. */
    fake_wal_fail(MR_ENOSPC);
    check_ok(kit_append(kit.table, r, 2), NULL);
    assert_int_equal(r[0].outcome, STORE_DUPLICATE);
    fake_wal_fail(MR_OK);
    mr_free(empty);
    mr_free(still);
    mr_free(before);
    mr_free(after);
    kit_close(&kit);
}

static void test_memory_limit(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {.options = {.memory_limit = 200000, .by_hand = true}};
    open_on_fake(&kit);
    struct store_attr d = kit_double(NULL, 1);
    struct store_stats stats;
    int rc = MR_OK, i = 0;
    for (; rc == MR_OK; i++) {
        char host[16];
        snprintf(host, sizeof host, "h%d", i);
        struct mr_pair dim = {MR_STR("host"), mr_str_of(host)};
        struct store_record r = kit_record(&dim, 1, "s", i, 1, &d, 1);
        char *before = i % 50 == 0 ? everything(&kit) : NULL;
        rc = kit_append(kit.table, &r, 1);
        char *after = before != NULL && rc != MR_OK ? everything(&kit) : NULL;
        if (after != NULL)
            assert_string_equal(after, before);
        mr_free(before);
        mr_free(after);
        store_stats(kit.store, &stats);
        assert_true(stats.memory_bytes <= 200000);
    }
    assert_int_equal(rc, MR_ELIMIT);
    assert_int_equal(stats.rows, i - 1);
    assert_true(i > 300);
    /* Room again after rows have gone. */
    check_ok(store_expire(kit.table, i / 2, NULL), NULL);
    struct store_record r = kit_record(dims_a, 2, "s", i, 1, &d, 1);
    check_ok(kit_append(kit.table, &r, 1), NULL);
    /* The log is read back whatever the limit says. */
    kit.options.memory_limit = 1;
    kit_reopen(&kit);
    store_stats(kit.store, &stats);
    assert_int_equal(stats.rows, i);
    assert_int_equal(kit_append(kit.table, &r, 1), MR_ELIMIT);
    kit_close(&kit);
}

static void fill(struct kit *kit)
{
    struct store_attr d = kit_double(NULL, 1);
    struct store_attr multi[] = {kit_double("x", 1), kit_text("state", "up"), kit_bool("ok", true)};
    for (int i = 0; i < 20; i++) {
        struct store_record r[] = {kit_record(dims_a, 2, "s", 100 - i, 1, &d, 1),
                                   kit_record(dims_b, 2, "m", i % 7, 1 + i, multi, 1 + i % 3)};
        check_ok(kit_append(kit->table, r, 2), NULL);
    }
}

static void test_scan_without_memory(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    open_on_fake(&kit);
    fill(&kit);
    struct store_snapshot *snapshot;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    struct mr_str value = MR_STR("b");
    struct store_pred pred = {2, STORE_PRED_IN, &value, 1};
    const uint32_t columns[] = {0, 1, 2, kit_column(kit.table, "state")};
    struct store_scan_spec spec = {0, INT64_MAX, columns, 4, &pred, 1, NULL, 0};
    unsigned failures = 0;
    for (unsigned nth = 1;; nth++) {
        struct store_scan *scan = NULL;
        struct store_cursor *cursor = NULL;
        struct store_batch batch = {0};
        fault_alloc(nth);
        int rc = store_scan_open(snapshot, kit.table, &spec, &scan, NULL);
        if (rc == MR_OK)
            rc = store_cursor_open(scan, &cursor);
        if (rc == MR_OK)
            rc = store_cursor_next(cursor, &batch, NULL);
        fault_alloc(0);
        if (rc == MR_OK)
            assert_int_equal(batch.rows, 7);
        else
            assert_int_equal(rc, MR_ENOMEM);
        store_cursor_close(cursor);
        store_scan_close(scan);
        if (rc == MR_OK)
            break;
        failures++;
    }
    assert_in_range(failures, 8, 100);
    store_snapshot_close(snapshot);
    kit_close(&kit);
}

static void test_replay_without_memory(void **state)
{
    MR_UNUSED(state);
    struct kit kit = {0};
    open_on_fake(&kit);
    fill(&kit);
    char *before = kit_rows(kit.store, kit.table);
    store_table_unref(kit.table);
    store_close(kit.store);
    unsigned failures = 0;
    int rc = MR_ENOMEM;
    for (unsigned nth = 1; rc != MR_OK; nth++) {
        struct mr_error err = MR_ERROR_INIT;
        fault_alloc(nth);
        rc = store_open(&kit.options, &kit.store, &err);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        failures += rc != MR_OK;
        if (rc != MR_OK)
            assert_int_equal(rc, MR_ENOMEM);
        else
            assert_false(fired);
    }
    assert_in_range(failures, 30, 1000);
    check_ok(store_table_ref(kit.store, 3, 7, &kit.table, NULL), NULL);
    char *after = kit_rows(kit.store, kit.table);
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    kit_close(&kit);
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_append_without_memory), cmocka_unit_test(test_log_refuses),
        cmocka_unit_test(test_memory_limit),          cmocka_unit_test(test_scan_without_memory),
        cmocka_unit_test(test_replay_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
