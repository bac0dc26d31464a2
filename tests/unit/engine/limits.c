/* Deadlines, cancelling, limits of memory and size, errors in the service's words, runs side by side. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "engine/duck.h"
#include "engine/fake_store.h"
#include "engine/harness.h"

#define S(text) "{\"ScalarValue\":\"" text "\"}"

static void check_error(const char *sql, const char *types, const struct engine_limits *limits,
                        const char *want)
{
    struct harness_case c;
    struct mr_buf got = MR_BUF_INIT;

    harness_case_init(&c, sql, types);
    harness_run(&c.plan, limits, &got);
    if (!mr_str_eq(mr_buf_view(&got), mr_str_of(want)))
        print_error("%s\n", sql);
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
    harness_case_release(&c);
}

/* Statements that would take minutes or more, each in its own way. */
static const struct {
    const char *sql, *types;
} endless[] = {
    {"SELECT count(*) FROM range(10000000) a(a), range(10000000) b(b) WHERE a.a + b.b = 7", "l"},
    {"SELECT sum(mr_mul_i64(a.a % 3, b.b % 5))::BIGINT FROM range(100000000) a(a), range(10000000) b(b)",
     "l"},
    {"SELECT count(*) FROM range(1000000000000) t(a) WHERE a % 7 = 8", "l"},
    {"SELECT sum(mr_levenshtein_distance(repeat('ab', 450) || a, repeat('ba', 450) || a))::BIGINT FROM "
     "range(10000000) "
     "t(a)",
     "l"},
    {"SELECT count(*) FILTER (mr_regexp_like(repeat('a', 18) || a || '!', '^(a|aa)+$')) FROM "
     "range(100000000) t(a)",
     "l"},
    {"SELECT sum(len(mr_sequence_i64(a % 2, 9999, 1)))::BIGINT FROM range(100000000) t(a)", "l"},
    {"SELECT sum(mr_length(mr_rpad('x', 60000 + a % 7, 'y')))::BIGINT FROM range(100000000) t(a)", "l"},
    {"SELECT max(x) FROM (SELECT row_number() OVER (PARTITION BY a % 3 ORDER BY hash(a)) AS x FROM "
     "range(100000000000) "
     "t(a))",
     "l"},
};

static void ends_at_the_deadline(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(endless); i++) {
        const struct engine_limits limits = {.deadline_mono =
                                                 mr_clock_mono(&mr_clock_system) + 100 * MR_NS_PER_MS};
        struct harness_case c;
        struct mr_buf got = MR_BUF_INIT;
        harness_case_init(&c, endless[i].sql, endless[i].types);
        harness_run(&c.plan, &limits, &got);
        /* the large sort may meet the memory limit before */
        if (!mr_str_starts(mr_buf_view(&got), MR_STR("limit ")))
            check_str(mr_buf_view(&got), "cancelled Query exceeded its time limit");
        mr_buf_release(&got);
        harness_case_release(&c);
    }
}

/* Not only between rows. */
static void one_match_ends_at_the_deadline(void **state)
{
    const struct engine_limits limits = {.deadline_mono =
                                             mr_clock_mono(&mr_clock_system) + 50 * MR_NS_PER_MS};

    MR_UNUSED(state);
    check_error("SELECT mr_regexp_like(repeat('a', 40) || a || 'b', '^(a+)+$') FROM range(1) t(a)", "b",
                &limits, "cancelled Query exceeded its time limit");
}

static void refuses_after_the_deadline(void **state)
{
    const struct engine_limits limits = {.deadline_mono = 1};

    MR_UNUSED(state);
    check_error("SELECT count(*) FROM range(100000000000) t(a)", "l", &limits,
                "cancelled Query exceeded its time limit");
}

static void *cancel_soon(void *run)
{
    usleep(30000);
    engine_cancel(run);
    engine_cancel(run);
    return NULL;
}

static void ends_when_cancelled(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < 3; i++) {
        struct harness_case c;
        struct mr_error err = MR_ERROR_INIT;
        struct engine_run *run;
        struct mr_buf row = MR_BUF_INIT;
        pthread_t thread;
        harness_case_init(&c, endless[i].sql, endless[i].types);
        check_ok(engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, &err), &err);
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, run), 0);
        assert_int_equal(engine_run_row(run, &row, &err), MR_ECANCEL);
        assert_string_equal(err.text, "Query was cancelled");
        assert_int_equal(engine_run_row(run, &row, NULL), MR_ECANCEL);
        assert_int_equal(row.len, 0);
        pthread_join(thread, NULL);
        engine_run_close(run);
        harness_case_release(&c);
    }
}

static void cancels_between_rows_and_at_the_end(void **state)
{
    struct harness_case c;
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run;
    struct mr_buf row = MR_BUF_INIT;

    MR_UNUSED(state);
    harness_case_init(&c, "SELECT a FROM range(100000) t(a)", "l");
    check_ok(engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, &err), &err);
    check_ok(engine_run_row(run, &row, &err), &err);
    engine_cancel(run);
    assert_int_equal(engine_run_row(run, &row, &err), MR_ECANCEL);
    engine_run_close(run);

    check_ok(engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, NULL), NULL);
    for (unsigned i = 0; i < 100000; i++)
        assert_int_equal(engine_run_row(run, &row, NULL), MR_OK);
    assert_int_equal(engine_run_row(run, &row, NULL), MR_ENOENT);
    engine_cancel(run);
    assert_int_equal(engine_run_row(run, &row, NULL), MR_ENOENT);
    engine_run_close(run);
    mr_buf_release(&row);
    harness_case_release(&c);
}

static void keeps_its_limits(void **state)
{
    const struct engine_limits small_value = {.max_value_bytes = 100};
    const struct engine_limits small_result = {.max_result_bytes = 100};

    MR_UNUSED(state);
    check_error("SELECT sum(len(l))::BIGINT FROM (SELECT list(a) AS l FROM range(1000000000) t(a))", "l",
                NULL, "limit Query exceeded the memory limit of 268435456 bytes for all queries");
    check_error("SELECT mr_percentile_i64(a, 1, 0.5) FROM range(10000000000) t(a)", "l", NULL,
                "limit Query exceeded the memory limit of 268435456 bytes for all queries");
    check_error("SELECT mr_rpad('x', 101, 'y')", "s", &small_value,
                "limit A computed value exceeds the limit of 100 bytes");
    check_error("SELECT mr_length(mr_rpad('x', 100, 'y'))", "l", &small_value, "[" S("100") "]");
    check_error("SELECT sum(mr_length(mr_lpad(a::VARCHAR, 1000000, 'y')))::BIGINT FROM range(5000) t(a)", "l",
                NULL, "limit Computed values exceed the limit of 33554432 bytes at a time");
    check_error(
        "SELECT sum(len(list_transform(range(mr_list_budget(10000 + a % 2)), lambda x: x + a)))::BIGINT FROM "
        "range(500) t(a)",
        "l", NULL, "limit Computed values exceed the limit of 33554432 bytes at a time");
    check_error(
        "SELECT sum(len(list_transform(range(mr_list_budget(10000 + a % 2)), lambda x: x + a)))::BIGINT FROM "
        "range(50) t(a)",
        "l", NULL, "[" S("500025") "]");
    check_error("SELECT a FROM range(4) t(a)", "l", &small_result,
                "[" S("0") "]\n[" S("1") "]\n[" S("2") "]limit Query result exceeds the limit of 100 bytes");
}

/* What was counted for aggregates is given back, whether they end well or not. */
static void aggregates_return_their_memory(void **state)
{
    MR_UNUSED(state);
    check_value("l", "mr_percentile_i64(a, 1, 0.5) FROM range(20000) t(a)", "9999");
    check_value(
        "l",
        "count(x) FROM (SELECT mr_approx_distinct(hash(a), 0.01) AS x FROM range(20000) t(a) GROUP BY a % 9)",
        "9");
    check_value("l", "mr_percentile_i64(a, 1 - a // 10000, 0.5) FROM range(20000) t(a)",
                "! percentile weight must be > 0");
    for (unsigned i = 0; i < 2; i++) /* in an update or in a combine, as chance has it */
        check_value("l",
                    "count(x) FROM (SELECT mr_percentile_i64(a, 1, 0.5) AS x FROM range(1000000000) t(a) "
                    "GROUP BY a % 5000)",
                    "! Query exceeded the memory limit of 268435456 bytes for all queries");
    assert_int_equal(harness_engine->agg.used, 0);
}

static void speaks_the_services_words(void **state)
{
    static const struct value_case values[] = {
        {"l", "9223372036854775807::BIGINT + a FROM range(1, 2) t(a)",
         "! bigint addition overflow: 9223372036854775807 + 1"},
        {"i", "2147483647::INTEGER * a::INTEGER FROM range(2, 3) t(a)",
         "! integer multiplication overflow: 2147483647 * 2"},
        {"l", "'abc'::BIGINT", "! Cannot cast 'abc' to BIGINT"},
        {"d", "a::DOUBLE FROM (VALUES ('it''s')) t(a)", "! Cannot cast 'it's' to DOUBLE"},
        {"i", "(a + 3000000000)::INTEGER FROM range(1) t(a)", "! Out of range for integer: 3000000000"},
        {"l", "abs((-9223372036854775808)::BIGINT)", "! Value -9223372036854775808 is out of range for abs"},
        {"l", "(SELECT a FROM range(2) t(a))", "! Scalar sub-query has returned multiple rows"},
        {"l", "nosuch", "! The query failed for an internal reason"},
        {"l", "error('the text of DuckDB')", "! The query failed for an internal reason"},
        {"l", "mr_check_i64(1, 2, 3, 'with #rm and mr#Vmarks #rm in it')",
         "! with #rm and mr#Vmarks #rm in it"},
        {"l", "mr_text_to_i64('a\"b' || chr(10) || 'c')", "! Cannot cast 'a\"b\nc' to BIGINT"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

/* ---- side by side
 * -------------------------------------------------------------------------------------------- */

static int64_t thread_times[8][3000];

struct side {
    unsigned number;
    struct fake_series series[4];
    struct fake_table table;
};

/* Each thread reads a table of its own, with a sum that only it can have. */
static void *run_many(void *arg)
{
    struct side *side = arg;
    const uint32_t columns[] = {0};
    const enum sql_kind kinds[] = {SQL_TIMESTAMP};
    const struct sql_scan scan = {.handle = &side->table,
                                  .columns = columns,
                                  .kinds = kinds,
                                  .ncolumns = 1,
                                  .time_min = INT64_MIN,
                                  .time_max = INT64_MAX};
    char want[64];

    snprintf(want, sizeof(want), "[" S("%u") "]", 4 * 3000 * side->number);
    for (unsigned i = 0; i < 25; i++) {
        struct harness_case c;
        struct mr_buf got = MR_BUF_INIT;
        harness_case_init(&c, "SELECT sum(mr_add_i64(c0, 0))::BIGINT FROM mr_scan(0)", "l");
        c.plan.scans = &scan;
        c.plan.nscans = 1;
        harness_run(&c.plan, NULL, &got);
        check_str(mr_buf_view(&got), want);
        mr_buf_release(&got);
        harness_case_release(&c);
    }
    return NULL;
}

static void runs_do_not_mix(void **state)
{
    pthread_t threads[8];
    static struct side sides[8];

    MR_UNUSED(state);
    for (unsigned t = 0; t < 8; t++) {
        for (unsigned i = 0; i < 3000; i++)
            thread_times[t][i] = t;
        for (unsigned i = 0; i < 4; i++)
            sides[t].series[i] = (struct fake_series){.time = thread_times[t], .rows = 3000};
        sides[t].number = t;
        sides[t].table =
            (struct fake_table){.series = sides[t].series, .nseries = 4, .types = {STORE_TIMESTAMP}};
        assert_int_equal(pthread_create(&threads[t], NULL, run_many, &sides[t]), 0);
    }
    for (unsigned t = 0; t < 8; t++)
        pthread_join(threads[t], NULL);
}

/* A query that fills all threads does not keep a small one from ending. */
static void a_heavy_run_leaves_room(void **state)
{
    struct harness_case heavy;
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run;
    struct mr_buf row = MR_BUF_INIT;
    pthread_t thread;

    MR_UNUSED(state);
    harness_case_init(&heavy, endless[1].sql, endless[1].types);
    check_ok(engine_run_open(harness_engine, &heavy.plan, NULL, NULL, &run, &err), &err);
    check_value("l", "sum(a)::BIGINT FROM range(1000000) t(a)", "499999500000");
    check_value("l", "sum(a)::BIGINT FROM range(1000000) t(a)", "499999500000");
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, run), 0);
    assert_int_equal(engine_run_row(run, &row, &err), MR_ECANCEL);
    pthread_join(thread, NULL);
    engine_run_close(run);
    harness_case_release(&heavy);
}

static void bounds_the_runs(void **state)
{
    static struct engine_run *runs[300];
    struct harness_case c;
    struct mr_error err = MR_ERROR_INIT;
    unsigned n = 0;
    int status = MR_OK;

    MR_UNUSED(state);
    harness_case_init(&c, "SELECT 1::BIGINT", "l");
    while (n < 300 &&
           (status = engine_run_open(harness_engine, &c.plan, NULL, NULL, &runs[n], &err)) == MR_OK)
        n++;
    assert_int_equal(status, MR_EBUSY);
    assert_int_equal(n, 256);
    while (n > 0)
        engine_run_close(runs[--n]);
    check_value("l", "1::BIGINT", "1");
    harness_case_release(&c);
}

static uint64_t process_bytes(void)
{
    unsigned long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%*u %llu", &pages), 1);
    fclose(f);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* What no limit of a function or of the database sees: texts made one vector at a time in a lambda, all kept.
 */
static void ends_what_makes_the_process_grow(void **state)
{
    const uint64_t limit = process_bytes() + (UINT64_C(200) << 20);
    const struct engine_options options = {
        .memory_limit = (size_t)256 << 20, .process_limit = limit, .threads = 2};
    struct engine *other = harness_engine, *mine = NULL;
    struct mr_error err = MR_ERROR_INIT;
    char want[120];

    MR_UNUSED(state);
    check_ok(engine_open(&options, &mine, &err), &err);
    harness_engine = mine;
    snprintf(want, sizeof(want), "limit Query exceeded the memory limit of %llu bytes for the whole server",
             (unsigned long long)limit);
    check_error("SELECT sum(len(list_transform(range(100000), lambda x: mr_rpad((x + a)::VARCHAR, 10000, "
                "'y'))))::BIGINT "
                "FROM range(1000) t(a)",
                "l", NULL, want);
    check_error("SELECT a FROM range(1) t(a)", "l", NULL, "[" S("0") "]");
    harness_engine = other;
    engine_close(mine);
}

/* After an error that ruined the database runs go on in a fresh one, and the old one ends with its last run.
 */
static void opens_a_new_database(void **state)
{
    struct harness_case c;
    struct engine_run *run;
    struct mr_buf row = MR_BUF_INIT;

    MR_UNUSED(state);
    harness_case_init(&c, "SELECT a FROM range(2) t(a)", "l");
    check_ok(engine_run_open(harness_engine, &c.plan, NULL, NULL, &run, NULL), NULL);
    const struct duck *before = harness_engine->duck;
    duck_mark_broken(run);
    check_value("t", "mr_bin(90000000000, 60000000000)", "1970-01-01 00:01:00.000000000");
    assert_ptr_not_equal(harness_engine->duck, before);
    assert_int_equal(engine_run_row(run, &row, NULL), MR_OK);
    engine_run_close(run);
    check_value("s", "current_setting('enable_external_access')::VARCHAR", "false");
    mr_buf_release(&row);
    harness_case_release(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_at_the_deadline),
        cmocka_unit_test(one_match_ends_at_the_deadline),
        cmocka_unit_test(refuses_after_the_deadline),
        cmocka_unit_test(ends_when_cancelled),
        cmocka_unit_test(cancels_between_rows_and_at_the_end),
        cmocka_unit_test(keeps_its_limits),
        cmocka_unit_test(aggregates_return_their_memory),
        cmocka_unit_test(speaks_the_services_words),
        cmocka_unit_test(runs_do_not_mix),
        cmocka_unit_test(a_heavy_run_leaves_room),
        cmocka_unit_test(bounds_the_runs),
        cmocka_unit_test(opens_a_new_database),
        cmocka_unit_test(ends_what_makes_the_process_grow),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
