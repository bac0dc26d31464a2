/* mr_scan over a fake store: columns, NULLs, constants, small batches, projection, bounds, failures. */
#include <stdio.h>

#include "engine/fake_store.h"
#include "engine/harness.h"

#define ROWS 5000

static int64_t times[ROWS], bigints[ROWS];
static double doubles[ROWS];
static uint8_t odd[ROWS], flags[ROWS];
static struct mr_str names[ROWS];
static char name_text[ROWS][24];

/* Column numbers: 0 time, 1 measure_name, 2 host (dimension), 3 double, 4 bigint, 5 varchar, 6 boolean. */
enum { HOST = 2, F64, I64, TEXT, FLAG };
static const struct mr_str measure[] = {{"load", 4}}, host_a[] = {{"alpha", 5}},
                           host_b[] = {{"a-host-name-longer-than-twelve-bytes", 36}};
static const struct fake_column columns_a[] = {
    {{STORE_VARCHAR, true, measure, NULL}, 1},   {{STORE_VARCHAR, true, host_a, NULL}, HOST},
    {{STORE_DOUBLE, false, doubles, NULL}, F64}, {{STORE_BIGINT, false, bigints, odd}, I64},
    {{STORE_VARCHAR, false, names, odd}, TEXT},  {{STORE_BOOLEAN, false, flags, NULL}, FLAG},
};
static const struct fake_column columns_b[] = {
    {{STORE_VARCHAR, true, measure, NULL}, 1},
    {{STORE_VARCHAR, true, host_b, NULL}, HOST},
    {{STORE_DOUBLE, false, doubles, odd}, F64},
};
static const struct fake_series series[] = {
    {times, ROWS, 0, columns_a, MR_ARRAY_LEN(columns_a)},
    {times, ROWS, 7, columns_b, MR_ARRAY_LEN(columns_b)}, /* batches small enough to be packed */
    {times, 3, 1, columns_a, MR_ARRAY_LEN(columns_a)},
};
static struct fake_table table = {
    .series = series,
    .nseries = MR_ARRAY_LEN(series),
    .types = {STORE_TIMESTAMP, STORE_VARCHAR, STORE_VARCHAR, STORE_DOUBLE, STORE_BIGINT, STORE_VARCHAR,
              STORE_BOOLEAN},
};

static const uint32_t columns[] = {0, 1, HOST, F64, I64, TEXT, FLAG};
static const enum sql_kind kinds[] = {SQL_TIMESTAMP, SQL_VARCHAR, SQL_VARCHAR, SQL_DOUBLE,
                                      SQL_BIGINT,    SQL_VARCHAR, SQL_BOOLEAN};
static struct sql_scan scan = {
    .handle = &table,
    .columns = columns,
    .kinds = kinds,
    .ncolumns = MR_ARRAY_LEN(columns),
    .time_min = INT64_MIN,
    .time_max = INT64_MAX,
};

static int fill(void **state)
{
    for (size_t i = 0; i < ROWS; i++) {
        times[i] = 1000 * (int64_t)i;
        bigints[i] = (int64_t)i;
        doubles[i] = (double)i / 2;
        odd[i] = i % 2;
        flags[i] = i % 3 == 0;
        snprintf(name_text[i], sizeof(name_text[i]), i % 5 == 0 ? "n%zu" : "name-that-is-long-%zu", i);
        names[i] = mr_str_of(name_text[i]);
    }
    return harness_open(state);
}

static void check_scan(const char *sql, const char *types, const char *want)
{
    struct harness_case c;
    struct mr_buf got = MR_BUF_INIT;

    harness_case_init(&c, sql, types);
    c.plan.scans = &scan;
    c.plan.nscans = 1;
    harness_run(&c.plan, NULL, &got);
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
    harness_case_release(&c);
    assert_int_equal(table.open_scans, 0);
    assert_int_equal(table.open_cursors, 0);
}

#define S(text) "{\"ScalarValue\":\"" text "\"}"
#define NUL "{\"NullValue\":true}"

static void counts_without_columns(void **state)
{
    MR_UNUSED(state);
    check_scan("SELECT count(*) FROM mr_scan(0)", "l", "[" S("10003") "]");
    assert_int_equal(table.nasked, 0);
}

static void reads_only_what_is_needed(void **state)
{
    MR_UNUSED(state);
    check_scan("SELECT c2, count(c3), sum(c3) FROM mr_scan(0) GROUP BY c2 ORDER BY c2", "sld",
               "[" S("a-host-name-longer-than-twelve-bytes") "," S("2500") "," S(
                   "3125000.0") "]\n"
                                "[" S("alpha") "," S("5003") "," S("6248751.5") "]");
    assert_int_equal(table.nasked, 2);
    assert_int_equal(table.asked[0], HOST);
    assert_int_equal(table.asked[1], F64);
}

static void carries_every_type(void **state)
{
    MR_UNUSED(state);
    check_scan(
        "SELECT c0, c1, c2, c3, c4, c5, c6 FROM mr_scan(0) WHERE c0 IN (1000, 4998000) ORDER BY c0, c2, c4",
        "tssdlsb",
        "[" S("1970-01-01 00:00:00.000001000") "," S("load") "," S("a-host-name-longer-than-twelve-bytes") "," S(
            "0.5") "," NUL "," NUL "," NUL "]\n"
                   "[" S("1970-01-01 00:00:00.000001000") "," S("load") "," S("alpha") "," S("0.5") "," S("1") "," S("name-that-is-long-1") "," S(
                       "false") "]\n"
                                "[" S("1970-01-01 00:00:00.000001000") "," S("load") "," S("alpha") "," S(
                                    "0."
                                    "5") "," S("1") "," S("name-that-is-long-1") "," S("false") "]\n"
                                                                                                "[" S(
                                                                                                    "1970-01-"
                                                                                                    "01 "
                                                                                                    "00:00:"
                                                                                                    "00."
                                                                                                    "00499800"
                                                                                                    "0") "," S("load") "," S("a-host-name-longer-than-"
                                                                                                                             "twelve-bytes") "," NUL
                                                                                                                                             "," NUL
                                                                                                                                             "," NUL
                                                                                                                                             "," NUL
                                                                                                                                             "]\n"
                                                                                                                                             "[" S(
                                                                                                                                                 "1970-01-"
                                                                                                                                                 "01 "
                                                                                                                                                 "00:00:"
                                                                                                                                                 "00."
                                                                                                                                                 "00499800"
                                                                                                                                                 "0") "," S("load") "," S("alpha") "," S("2499.0") "," NUL
                                                                                                                                                                                                   "," NUL
                                                                                                                                                                                                   "," S(
                                                                                                                                                                                                       "true") "]");
    check_scan("SELECT count(c4), sum(c4)::BIGINT, count(DISTINCT c5), count(*) FILTER (c6) FROM mr_scan(0) "
               "WHERE c2 = 'alpha'",
               "llll", "[" S("2501") "," S("6250001") "," S("2500") "," S("1668") "]");
}

static void passes_time_bounds_on(void **state)
{
    MR_UNUSED(state);
    scan.time_min = 1000;
    scan.time_max = 2000;
    check_scan("SELECT count(*), min(c0), max(c0) FROM mr_scan(0)", "ltt",
               "[" S("6") "," S("1970-01-01 00:00:00.000001000") "," S("1970-01-01 00:00:00.000002000") "]");
    scan.time_min = INT64_MIN;
    scan.time_max = INT64_MAX;
}

static void joins_two_scans_of_one_table(void **state)
{
    struct harness_case c;
    struct mr_buf got = MR_BUF_INIT;
    const struct sql_scan scans[] = {scan, scan};

    MR_UNUSED(state);
    harness_case_init(
        &c, "SELECT count(*) FROM mr_scan(0) a JOIN mr_scan(1) b ON a.c0 = b.c0 AND a.c2 = b.c2", "l");
    c.plan.scans = scans;
    c.plan.nscans = 2;
    harness_run(&c.plan, NULL, &got);
    check_str(mr_buf_view(&got), "[" S("10009") "]"); /* 5000 + 5000 + 3 twice more + 3 */
    mr_buf_release(&got);
    harness_case_release(&c);
}

static void refuses_scans_that_are_not_there(void **state)
{
    MR_UNUSED(state);
    check_scan("SELECT count(*) FROM mr_scan(1)", "l", "internal no such scan");
    check_scan("SELECT count(*) FROM mr_scan(-1)", "l", "internal no such scan");
}

static void reports_corruption_as_such(void **state)
{
    MR_UNUSED(state);
    table.fail_after = 3;
    check_scan("SELECT count(c0) FROM mr_scan(0)", "l", "corrupt block 7 fails its checksum");
    table.fail_after = 0;
}

static void tells_progress(void **state)
{
    struct harness_case c;
    struct engine_run *run;
    struct engine_progress progress;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_buf row = MR_BUF_INIT;

    MR_UNUSED(state);
    harness_case_init(&c, "SELECT count(c0) FROM mr_scan(0)", "l");
    c.plan.scans = &scan;
    c.plan.nscans = 1;
    check_ok(engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, &err), &err);
    engine_progress(run, &progress);
    assert_true(progress.percent <= 100 && progress.rows == 0); /* workers may have begun already */
    check_ok(engine_run_row(run, &row, &err), &err);
    assert_int_equal(engine_run_row(run, &row, &err), MR_ENOENT);
    assert_int_equal(engine_run_row(run, &row, &err), MR_ENOENT);
    engine_progress(run, &progress);
    assert_true(progress.percent == 100);
    assert_int_equal(progress.rows, 1);
    assert_int_equal(progress.bytes_scanned, 16 * 10003);
    engine_run_close(run);
    mr_buf_release(&row);
    harness_case_release(&c);
}

/* A run may be dropped at any point; when close returns nothing reads the store any more. */
static void may_be_dropped(void **state)
{
    MR_UNUSED(state);
    for (unsigned rows = 0; rows < 40; rows++) {
        struct harness_case c;
        struct engine_run *run;
        struct mr_error err = MR_ERROR_INIT;
        struct mr_buf row = MR_BUF_INIT;
        harness_case_init(&c,
                          rows % 2 == 0 ? "SELECT c0, c2 FROM mr_scan(0)"
                                        : "SELECT a.c0, a.c2 FROM mr_scan(0) a, mr_scan(0) b",
                          "ts");
        c.plan.scans = &scan;
        c.plan.nscans = 1;
        check_ok(engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, &err), &err);
        for (unsigned i = 0; i < rows / 2 * 100; i++)
            check_ok(engine_run_row(run, &row, &err), &err);
        engine_run_close(run);
        assert_int_equal(table.open_scans, 0);
        assert_int_equal(table.open_cursors, 0);
        mr_buf_release(&row);
        harness_case_release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_without_columns),
        cmocka_unit_test(reads_only_what_is_needed),
        cmocka_unit_test(carries_every_type),
        cmocka_unit_test(passes_time_bounds_on),
        cmocka_unit_test(joins_two_scans_of_one_table),
        cmocka_unit_test(refuses_scans_that_are_not_there),
        cmocka_unit_test(reports_corruption_as_such),
        cmocka_unit_test(tells_progress),
        cmocka_unit_test(may_be_dropped),
    };
    return cmocka_run_group_tests(tests, fill, harness_close);
}
