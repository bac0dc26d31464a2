/* Every allocation of ours fails once: the answer is an error or the right rows, and nothing leaks or
 * crashes. */
#include "engine/fake_store.h"
#include "engine/harness.h"
#include "lib/fault.h"

static int64_t times[3000];
static const struct mr_str host[] = {{"a host name longer than twelve", 30}};
static const struct fake_column columns[] = {{{STORE_VARCHAR, true, host, NULL}, 2}};
static const struct fake_series series[] = {{times, 3000, 0, columns, 1}, {times, 40, 8, columns, 1}};
static struct fake_table table = {
    .series = series, .nseries = 2, .types = {STORE_TIMESTAMP, STORE_VARCHAR, STORE_VARCHAR}};

/* One thread, because the countdown of lib/fault.h knows no other. */
static const struct engine_options options = {.memory_limit = (size_t)64 << 20, .threads = 1};

/* One statement that goes through scans, strings, lists, patterns and aggregates of this room. */
static const char sql[] =
    "SELECT max(mr_concat(c1, mr_date_format(c0, '%Y'))), mr_percentiles_f64(c0, 1 + (c0 % 2), [0.5, 1.0]), "
    "mr_approx_distinct(hash(c0), 0.26), max(mr_regexp_replace(c1, 'host', mr_upper('x'))), "
    "max(len(mr_interpolate_spline([{'t': c0, 'v': 1.0::DOUBLE}, {'t': c0 + 1, 'v': 2.0::DOUBLE}, {'t': c0 + "
    "2, 'v': "
    "4.0::DOUBLE}], [c0])))::BIGINT FROM mr_scan(0)";

static void survives_every_failed_allocation(void **state)
{
    const uint32_t numbers[] = {0, 2};
    const enum sql_kind kinds[] = {SQL_TIMESTAMP, SQL_VARCHAR};
    const struct sql_scan scan = {.handle = &table,
                                  .columns = numbers,
                                  .kinds = kinds,
                                  .ncolumns = 2,
                                  .time_min = INT64_MIN,
                                  .time_max = INT64_MAX};
    unsigned failed = 0;

    MR_UNUSED(state);
    for (unsigned n = 1; n < 4000; n++) {
        struct harness_case c;
        struct mr_error err = MR_ERROR_INIT;
        struct engine_run *run = NULL;
        struct mr_buf row = MR_BUF_INIT;
        harness_case_init(&c, sql, "s[d]lsl");
        c.plan.scans = &scan;
        c.plan.nscans = 1;
        fault_alloc(n);
        int status = engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, &err);
        while (status == MR_OK)
            status = engine_run_row(run, &row, &err);
        engine_run_close(run);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        mr_buf_release(&row);
        harness_case_release(&c);
        assert_int_equal(table.open_scans, 0);
        assert_int_equal(table.open_cursors, 0);
        if (status != MR_ENOENT && status != MR_ENOMEM)
            print_error("allocation %u: %d %s\n", n, status, err.text);
        assert_true(status == MR_ENOENT || status == MR_ENOMEM);
        failed += status == MR_ENOMEM;
        if (!fired)
            break;
    }
    assert_true(failed > 20);
}

static void opens_or_says_why(void **state)
{
    unsigned failed = 0;

    MR_UNUSED(state);
    for (unsigned n = 1; n < 1000; n += 10) {
        struct engine *engine = NULL;
        struct mr_error err = MR_ERROR_INIT;
        fault_alloc(n);
        int status = engine_open(&options, &engine, &err);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        assert_int_equal(status, fired ? MR_ENOMEM : MR_OK);
        failed += fired;
        if (status == MR_OK)
            engine_close(engine);
        if (!fired)
            break;
    }
    assert_true(failed > 5);
}

static int fill(void **state)
{
    for (int64_t i = 0; i < 3000; i++)
        times[i] = i * 1000000000;
    MR_UNUSED(state);
    check_ok(engine_open(&options, &harness_engine, NULL), NULL);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(opens_or_says_why),
    };
    return cmocka_run_group_tests(tests, fill, harness_close);
}
