/* Two ways to one answer: random grouped statements over random records in memory and in files, aggregated by
 * the store and by the embedded database. MR_SEED in the environment starts another run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/rand.h"
#include "engine/harness.h"
#include "engine/statements.h"
#include "unit/store/kit.h"

enum { SERIES = 60, ROWS = 2400, STATEMENTS = 700 };
#define HOUR (3600 * MR_NS_PER_S)
#define SPAN (240 * HOUR) /* of the times of the records */

static struct kit kit;
static struct mr_rng rng;
static unsigned aggregated; /* scans that the store aggregated */
static unsigned finished;   /* answers made of its groups alone */
static unsigned plain_rows; /* and of its rows */

static unsigned below(unsigned n)
{
    return (unsigned)mr_rng_below(&rng, n);
}

/* ---- records ---- */

static double some_double(void)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 1e300};
    return below(60) == 0 ? odd[below(MR_ARRAY_LEN(odd))] : (mr_rng_unit(&rng) - 0.3) * 1000;
}

static void write_row(unsigned series, int64_t time, int64_t version)
{
    char host[16], measure[16];
    struct mr_pair dims[3];
    struct store_attr attrs[6];
    uint32_t ndims = 0, n = 0;
    snprintf(host, sizeof(host), "h%u", series % 12);
    snprintf(measure, sizeof(measure), "m%u", series % 5);
    if (series % 7 != 0)
        dims[ndims++] = (struct mr_pair){MR_STR("host"), mr_str_of(host)};
    if (series % 3 != 0)
        dims[ndims++] = (struct mr_pair){MR_STR("rack"), series % 2 ? MR_STR("r1") : MR_STR("r2")};
    dims[ndims++] = (struct mr_pair){MR_STR("zone"), series % 4 ? MR_STR("east") : MR_STR("eastern")};
    if (series % 5 == 4) { /* a series of single measures */
        attrs[n++] = kit_double(NULL, some_double());
    } else {
        attrs[n++] = kit_text("s", below(2) ? "odd" : "even");
        if (below(3) != 0)
            attrs[n++] = kit_double("v", some_double());
        if (below(3) != 0)
            attrs[n++] = kit_bigint("n", below(200) == 0 ? INT64_MAX - below(2) : (int64_t)below(90) - 30);
        if (below(3) != 0)
            attrs[n++] = kit_bool("b", below(2));
        if (below(3) != 0)
            attrs[n++] = kit_time("ts", (int64_t)below(1000) * HOUR);
    }
    struct store_record r = kit_record(dims, ndims, measure, time, version, attrs, n);
    check_ok(kit_append(kit.table, &r, 1), NULL);
    assert_int_equal(r.outcome, STORE_STORED);
}

/* Writes again what was written, with other values. */
static void write_again(const unsigned *series, const int64_t *times, int64_t *versions, int n)
{
    int i = (int)below((unsigned)n);
    write_row(series[i], times[i], ++versions[i]);
}

/* No two series at the same time, so that the row of the greatest one is known; some next to where bins end.
 * twins: up to five series at the same time. */
static void write_rows(bool twins)
{
    static unsigned series[ROWS];
    static int64_t times[ROWS], versions[ROWS];
    for (int i = 0; i < ROWS; i++) {
        times[i] = SPAN / ROWS * i;
        if (i > 0)
            times[i] += (int64_t)below(3) - 1;
        series[i] = below(SERIES);
        versions[i] = 1;
        write_row(series[i], times[i], 1);
        for (unsigned k = 1; twins && k < 1 + below(5); k++) /* of the same host, and other measures */
            write_row((series[i] + 12 * k) % SERIES, times[i], 1);
        if (below(6) == 0)
            write_again(series, times, versions, i + 1);
        if (i == ROWS / 3 || i == ROWS / 2)
            check_ok(store_flush(kit.store, NULL), NULL);
    }
}

/* ---- what the binder asks ---- */

static const enum sql_kind kinds[] = {[STORE_DOUBLE] = SQL_DOUBLE,
                                      [STORE_BIGINT] = SQL_BIGINT,
                                      [STORE_VARCHAR] = SQL_VARCHAR,
                                      [STORE_BOOLEAN] = SQL_BOOLEAN,
                                      [STORE_TIMESTAMP] = SQL_TIMESTAMP};
static const enum sql_role roles[] = {[STORE_TIME] = SQL_ROLE_TIME,
                                      [STORE_MEASURE_NAME] = SQL_ROLE_MEASURE_NAME,
                                      [STORE_DIMENSION] = SQL_ROLE_DIMENSION,
                                      [STORE_MEASURE_VALUE] = SQL_ROLE_MEASURE_VALUE,
                                      [STORE_ATTRIBUTE] = SQL_ROLE_ATTRIBUTE};

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    struct store_schema schema;
    MR_UNUSED(ctx);
    *missing_database = false;
    if (store_schema_get(kit.table, arena, &schema) != MR_OK)
        return MR_ENOMEM;
    struct sql_column *columns = MR_ARENA_ARRAY(arena, schema.ncolumns, struct sql_column);
    assert_non_null(columns);
    for (size_t i = 0; i < schema.ncolumns; i++)
        columns[i] = (struct sql_column){schema.columns[i].name, kinds[schema.columns[i].type],
                                         roles[schema.columns[i].role], (uint32_t)i};
    *out = (struct sql_table){kit.table, database, name, columns, schema.ncolumns};
    return MR_OK;
}

static const struct sql_lookup lookup = {NULL, find_table};

/* ---- running ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows, or the error, as lines; sorted when the statement leaves the order open: keys come first, so it
 * is theirs. */
static void answer(struct mr_str text, bool groups, struct mr_buf *out)
{
    const struct sql_env env = {
        .lookup = &lookup, .now_ns = SPAN, .time_floor = INT64_MIN, .groups = groups, .plain = !groups};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run = NULL;
    struct store_snapshot *snapshot = NULL;
    struct mr_buf row = MR_BUF_INIT;
    static char *lines[65536];
    size_t n = 0;

    if (sql_prepare(text, &env, &arena, &plan, &error) != MR_OK)
        fail_msg(MR_STR_FMT ": " MR_STR_FMT, MR_STR_ARG(text), MR_STR_ARG(error.message));
    for (size_t i = 0; i < plan->nscans; i++) {
        assert_true(groups || plan->scans[i].groups == NULL);
        aggregated += plan->scans[i].groups != NULL;
    }
    finished += plan->finish != NULL;
    plain_rows += plan->rows != NULL;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    int status = engine_run_open(harness_engine, plan, snapshot, NULL, &run, &err);
    while (status == MR_OK && n < MR_ARRAY_LEN(lines)) {
        row.len = 0;
        if ((status = engine_run_row(run, &row, &err)) == MR_OK) {
            mr_buf_char(&row, '\0');
            assert_non_null(lines[n++] = strdup(row.ptr));
        }
    }
    if (n > 0 && strstr(text.ptr, "ORDER BY") == NULL)
        qsort(lines, n, sizeof(lines[0]), by_text);
    for (size_t i = 0; i < n; i++) {
        mr_buf_printf(out, "%s\n", lines[i]);
        free(lines[i]);
    }
    if (status != MR_ENOENT && status != MR_EINVAL)
        fail_msg(MR_STR_FMT ": %s", MR_STR_ARG(text), err.text);
    if (status != MR_ENOENT) { /* both ways the same; rows may have come before */
        out->len = 0;
        mr_buf_printf(out, "%d %s\n", status, err.text);
    }
    mr_buf_char(out, '\0');
    engine_run_close(run);
    store_snapshot_close(snapshot);
    mr_buf_release(&row);
    mr_arena_release(&arena);
}

/* Doubles are this near; a sum of values up to 1000 in another order may differ where they cancel. */
static bool near(double x, double y)
{
    const double digits = 1e-12, summand = 1e5;
    return x == y || fabs(x - y) <= digits * fmax(summand, fmax(fabs(x), fabs(y)));
}

/* Equal but for the last digits of doubles. */
static bool same(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        char *enda, *endb;
        bool starts = (*a >= '0' && *a <= '9') || *a == '-';
        if (!starts && *a != *b)
            return false;
        if (!starts) {
            a++;
            b++;
            continue;
        }
        double x = strtod(a, &enda), y = strtod(b, &endb);
        bool real = memchr(a, '.', (size_t)(enda - a)) != NULL && memchr(b, '.', (size_t)(endb - b)) != NULL;
        if (enda == a && *a != *b)
            return false;
        if (enda == a) {
            a++;
            b++;
            continue;
        }
        if (real ? !near(x, y) : enda - a != endb - b || memcmp(a, b, (size_t)(enda - a)) != 0)
            return false;
        a = enda;
        b = endb;
    }
    return *a == *b;
}

static void compare(const char *text, unsigned *rows)
{
    struct mr_buf store = MR_BUF_INIT, plain = MR_BUF_INIT;
    answer(mr_str_of(text), true, &store);
    answer(mr_str_of(text), false, &plain);
    /* The store computes only the rows that HAVING, LIMIT and OFFSET leave; the others may overflow. */
    bool cut = (strstr(text, " LIMIT ") != NULL || strstr(text, " OFFSET ") != NULL ||
                strstr(text, " HAVING ") != NULL) &&
               strstr(plain.ptr, "addition overflow") != NULL;
    if (!cut && !same(store.ptr, plain.ptr))
        fail_msg("%s\nin the store\n%splain\n%s", text, store.ptr, plain.ptr);
    *rows += store.ptr[0] == '{';
    mr_buf_release(&store);
    mr_buf_release(&plain);
}

static void compare_both_ways(bool twins)
{
    const char *seed = getenv("MR_SEED");
    unsigned rows = 0;

    rng.state = seed != NULL ? strtoull(seed, NULL, 10) : 1;
    aggregated = finished = plain_rows = 0;
    kit = (struct kit){.options = {.by_hand = true, .window_ns = SPAN / 3}};
    kit_open(&kit);
    write_rows(twins);
    for (int i = 0; i < STATEMENTS; i++) {
        struct mr_buf text = MR_BUF_INIT;
        random_statement(&rng, twins, &text);
        mr_buf_char(&text, '\0');
        compare(text.ptr, &rows);
        mr_buf_release(&text);
    }
    kit_close(&kit);
    print_message("%d statements, %u with rows, %u scans aggregated, %u answers of groups alone\n",
                  STATEMENTS, rows, aggregated, finished);
    assert_true(rows > STATEMENTS / 3);
    assert_true(aggregated > STATEMENTS / 4);
    assert_true(finished > STATEMENTS / 10);
    assert_true(plain_rows > STATEMENTS / 20);
}

static void both_ways_give_the_same_groups(void **state)
{
    MR_UNUSED(state);
    compare_both_ways(false);
}

static void series_of_the_same_times_too(void **state)
{
    MR_UNUSED(state);
    compare_both_ways(true);
}

static size_t count_lines(const char *text)
{
    struct mr_buf out = MR_BUF_INIT;
    size_t n = 0;
    answer(mr_str_of(text), true, &out);
    for (const char *p = out.ptr; *p != '\0'; p++)
        n += *p == '\n';
    mr_buf_release(&out);
    return n;
}

static void limits_cut_rows(void **state)
{
    MR_UNUSED(state);
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
    for (int i = 0; i < 40; i++)
        write_row((unsigned)i, i, 1);
    plain_rows = 0;
    assert_int_equal(count_lines("SELECT * FROM d.t"), 40);
    assert_int_equal(count_lines("SELECT host FROM d.t LIMIT 7"), 7);
    assert_int_equal(count_lines("SELECT host FROM d.t LIMIT 0"), 0);
    assert_int_equal(count_lines("SELECT host FROM d.t OFFSET 37"), 3);
    assert_int_equal(count_lines("SELECT host FROM d.t OFFSET 38 LIMIT 5"), 2);
    assert_int_equal(count_lines("SELECT host FROM d.t OFFSET 50"), 0);
    assert_int_equal(plain_rows, 6);
    kit_close(&kit);
}

static void write_value(const char *host, int64_t time, double v)
{
    const struct mr_pair dim = {MR_STR("host"), mr_str_of(host)};
    struct store_attr attr = kit_double("v", v);
    struct store_record r = kit_record(&dim, 1, "m", time, 1, &attr, 1);
    check_ok(kit_append(kit.table, &r, 1), NULL);
}

/* Of equal values nothing, of large ones that lie close together the same as of small ones; one alone has
 * none. */
static void deviations_keep_their_digits(void **state)
{
    struct mr_buf out = MR_BUF_INIT;
    MR_UNUSED(state);
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
    for (int i = 0; i < 30; i++) {
        write_value("equal", i, 0.1);
        write_value("large", i, 1e9 + i % 3);
    }
    write_value("lonely", 0, 5);
    finished = 0;
    answer(MR_STR("SELECT host, stddev(v), var_pop(v) FROM d.t GROUP BY host ORDER BY host"), true, &out);
    assert_string_equal(
        out.ptr,
        "{\"Data\":[{\"ScalarValue\":\"equal\"},{\"ScalarValue\":\"0.0\"},{\"ScalarValue\":\"0.0\"}]}\n"
        "{\"Data\":[{\"ScalarValue\":\"large\"},{\"ScalarValue\":\"0.8304547985373997\"},"
        "{\"ScalarValue\":\"0.6666666666666666\"}]}\n"
        "{\"Data\":[{\"ScalarValue\":\"lonely\"},{\"NullValue\":true},{\"ScalarValue\":\"0.0\"}]}\n");
    assert_int_equal(finished, 1);
    mr_buf_release(&out);
    kit_close(&kit);
}

/* Which statements go which way, and that EXPLAIN says so. */
static void explain_tells_the_path(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"SELECT host, count(*) FROM d.t WHERE host = 'h1' GROUP BY host", "aggregated in the store: by "},
        {"SELECT max(v) FROM d.t WHERE time > from_milliseconds(5)",
         "aggregated in the store: by nothing; max("},
        {"SELECT bin(time, 1h), count(*) FROM d.t GROUP BY bin(time, 1h)",
         "aggregated in the store: by bins of 3600000000000 ns from 0; rows"},
        {"SELECT date_trunc('week', time), count(*) FROM d.t GROUP BY 1",
         "604800000000000 ns from 345600000000000"},
        {"SELECT host, max(v) FROM d.t GROUP BY 1 ORDER BY 2 DESC LIMIT 3", "the groups are the answer"},
        {"SELECT max(v) FROM d.t WHERE time > from_milliseconds(5) AND v > 1", "filter: column"},
        {"SELECT max(v) FROM d.t WHERE time > from_milliseconds(5) AND v > n", "rows are read: WHERE "},
        {"SELECT max(v) FROM d.t WHERE zone LIKE 'a%b'", "rows are read: WHERE "},
        {"SELECT host, stddev(v), var_pop(v) FROM d.t GROUP BY 1", "the groups are the answer"},
        {"SELECT max(s) FROM d.t", "rows are read: an aggregate "},
        {"SELECT host, avg(CASE WHEN measure_name = 'm4' THEN measure_value::double END) FROM d.t GROUP BY 1",
         "where measure_name is 'm4'"},
        {"SELECT host, max(IF(measure_name = 'm1', v)) FROM d.t GROUP BY 1", "the groups are the answer"},
        {"SELECT count(*) FROM d.t GROUP BY s", "rows are read: a key "},
        {"SELECT count(*) FROM d.t GROUP BY bin(time, 1h), bin(time, 2h)", "rows are read: a key "},
        {"SELECT time, host, count(*) FROM d.t GROUP BY 1, 2", " time; rows"},
        {"SELECT host, max(v) FROM d.t GROUP BY 1 HAVING max(v) > 3", "the groups are the answer"},
        {"SELECT count(*) FROM d.t GROUP BY time, bin(time, 2h)", "rows are read: a key "},
        {"SELECT count(*) FROM d.t GROUP BY bin(ts, 1h)", "rows are read: a key "},
        {"SELECT count(*) FROM d.t GROUP BY date_trunc('month', time)", "rows are read: a key "},
        {"SELECT host, count(*) FROM d.t GROUP BY ROLLUP (host)", "rows are read: there are several sets"},
    };
    MR_UNUSED(state);
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
    for (int i = 0; i < 40; i++)
        write_row((unsigned)i, i, 1);
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        const struct sql_env env = {.lookup = &lookup, .time_floor = INT64_MIN, .groups = true};
        struct mr_arena arena = MR_ARENA_INIT;
        struct sql_plan *plan = NULL;
        struct sql_error error = {0};
        struct mr_str text = mr_arena_printf(&arena, "EXPLAIN %s", cases[i].text);
        if (sql_prepare(text, &env, &arena, &plan, &error) != MR_OK)
            fail_msg("%s: " MR_STR_FMT, cases[i].text, MR_STR_ARG(error.message));
        if (strstr(plan->explain.ptr, cases[i].want) == NULL)
            fail_msg("%s: no '%s' in\n%s", cases[i].text, cases[i].want, plan->explain.ptr);
        mr_arena_release(&arena);
    }
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_give_the_same_groups), cmocka_unit_test(series_of_the_same_times_too),
        cmocka_unit_test(limits_cut_rows), cmocka_unit_test(deviations_keep_their_digits),
        cmocka_unit_test(explain_tells_the_path)};
    mr_log_set_level(MR_LOG_WARN);
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
