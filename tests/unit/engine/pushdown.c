/* Two ways to one answer: random statements over random records, with the conditions pushed into the scans
 * and without. The rows must be the same. MR_SEED in the environment starts another run. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "engine/harness.h"
#include "unit/store/kit.h"

enum { SERIES = 60, ROWS = 900, STATEMENTS = 600 };
#define HOUR (3600 * MR_NS_PER_S)
#define SPAN (240 * HOUR) /* of the times of the records */

static struct kit kit;
static struct mr_rng rng;
static unsigned pushed; /* scans that got a bound or a predicate */

static unsigned below(unsigned n)
{
    return (unsigned)mr_rng_below(&rng, n);
}

/* ---- records ---- */

static void write_row(const char *const *words, const char *measure)
{
    uint32_t ndims;
    struct mr_pair *dims = kit_dims(words, &ndims);
    struct store_attr attrs[3] = {kit_double("v", (int)below(40) / 4.0 - 2), kit_bigint("n", below(9)),
                                  kit_text("s", below(2) ? "odd" : "even")};
    int64_t time = (int64_t)below(240) * HOUR; /* half of them where the conditions end, give or take 1 ns */
    if (below(2))
        time += (int64_t)below(3600) * MR_NS_PER_S;
    if (time > 0)
        time += (int64_t)below(3) - 1;
    struct store_record r = kit_record(dims, ndims, measure, time, 1, attrs + below(2), 2);
    check_ok(kit_append(kit.table, &r, 1), NULL);
    kit_dims_free(dims);
}

static void write_rows(void)
{
    for (int i = 0; i < ROWS; i++) {
        char host[8], measure[8];
        const char *words[8];
        unsigned series = below(SERIES), n = 0;
        snprintf(host, sizeof(host), "h%u", series % 12);
        snprintf(measure, sizeof(measure), "m%u", series % 5);
        if (series % 7 != 0 || series % 3 == 0) {
            words[n++] = "host";
            words[n++] = host;
        }
        if (series % 3 != 0) {
            words[n++] = "rack";
            words[n++] = series % 2 ? "r1" : "r2";
        }
        words[n++] = "zone";
        words[n++] = series % 4 ? "east" : "eastern";
        words[n] = NULL;
        write_row(words, measure);
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

/* ---- statements ---- */

static void moment(struct mr_buf *out)
{
    int64_t t = (int64_t)below(260) * HOUR - 5 * HOUR;
    if (below(3) == 0)
        t += (int64_t)below(1800) * MR_NS_PER_S + below(2);
    if (below(2))
        mr_buf_printf(out, "from_nanoseconds(%lld)", (long long)t);
    else
        mr_buf_printf(out, "from_milliseconds(%lld)", (long long)(t / MR_NS_PER_MS));
}

static const char *const time_forms[] = {
    "%s >= @",
    "%s < @",
    "%s BETWEEN @ AND @",
    "@ < %s",
    "%s = @",
    "bin(%s, 6h) = bin(@, 6h)",
    "date_trunc('day', %s) = date_trunc('day', @)",
    "%s + 3h > @",
    "%s - 90m <= @",
    "%s > @ - interval '1' day",
    "date(%s) = date(@)",
    "%s >= date(@)",
    "to_milliseconds(%s) < to_milliseconds(@)",
    "to_nanoseconds(%s) >= to_nanoseconds(@)",
    "%s IN (@, @)",
    "NOT (%s > @)",
    "NOT %s BETWEEN @ AND @",
    "%s IS NOT NULL",
    "(%s < @ OR %s > @)",
    "day(%s) = 4",
    "hour(%s) > 12",
    "%s >= '1970-01-04'",
    "%s < '1970-01-06 12:00:00.000000001'",
    "%s - timestamp '1970-01-02' > 30h",
    "cast(%s AS date) <= date '1970-01-05'",
    "bin(%s, 1d) BETWEEN @ AND @",
    "bin(%s + 2h, 4h) >= @",
    "date_add('hour', 5, %s) < @",
    "%s <> @",
    "%s > %s - 1h",
    "coalesce(%s, @) < @",
    "if(%s > @, true, false)",
    "%s = (SELECT min(q.time) FROM d.t q)",
    "to_unixtime(%s) > 200000",
};
static const char *const name_forms[] = {
    "%s = '#'",
    "%s <> '#'",
    "'#' = %s",
    "%s IN ('#', '#', '#')",
    "%s NOT IN ('#')",
    "%s LIKE '#%%'",
    "%s LIKE '_1%%'",
    "%s LIKE '#'",
    "%s NOT LIKE '#%%'",
    "%s IS NULL",
    "%s IS NOT NULL",
    "NOT %s = '#'",
    "%s > '#'",
    "%s BETWEEN '#' AND '#'",
    "lower(%s) = '#'",
    "%s || '' = '#'",
    "(%s = '#' OR %s = '#')",
    "(%s = '#' OR %s IS NULL)",
    "%s IN ('#', NULL)",
    "%s NOT IN ('#', NULL)",
    "%s IS DISTINCT FROM '#'",
    "%s IS NOT DISTINCT FROM '#'",
    "substr(%s, 1, 2) = '#'",
    "regexp_like(%s, '^#')",
    "%s LIKE 'ea%%n'",
    "%s = NULL",
    "coalesce(%s, 'none') = '#'",
    "%s LIKE '#!%%' ESCAPE '!'",
    "nullif(%s, '#') IS NULL",
    "CASE WHEN %s = '#' THEN true END",
};
static const char *const value_forms[] = {"%sv > 0",        "%sn %% 2 = 0",  "%ss = 'odd'",
                                          "%sv IS NULL",    "%sn IN (1, 3)", "%sv BETWEEN 0 AND 5",
                                          "%ss LIKE 'e%%'", "%sn + 0 < 4"};

static const char *random_value(void)
{
    static const char *const values[] = {"h1",      "h10", "h3", "h11", "r1", "r2", "east",
                                         "eastern", "m0",  "m3", "m4",  "h",  ""};
    return values[below(MR_ARRAY_LEN(values))];
}

/* %s is the column (or, in value_forms, the alias before it), @ a moment, # a value, %% a percent sign */
static void fill(struct mr_buf *out, const char *form, const char *alias, const char *column)
{
    for (const char *p = form; *p != '\0'; p++) {
        if (p[0] == '%' && p[1] == 's') {
            mr_buf_printf(out, "%s%s", alias, column);
            p++;
        } else if (p[0] == '%' && p[1] == '%') {
            mr_buf_char(out, '%');
            p++;
        } else if (*p == '@') {
            moment(out);
        } else if (*p == '#') {
            mr_buf_str(out, mr_str_of(random_value()));
        } else {
            mr_buf_char(out, *p);
        }
    }
}

static void condition(struct mr_buf *out, const char *alias, unsigned levels)
{
    static const char *const names[] = {"host", "rack", "zone", "measure_name"};
    unsigned kind = levels > 0 ? below(12) : below(4);
    switch (kind) {
    case 0:
        fill(out, time_forms[below(MR_ARRAY_LEN(time_forms))], alias, "time");
        return;
    case 1:
    case 2:
        fill(out, name_forms[below(MR_ARRAY_LEN(name_forms))], alias, names[below(4)]);
        return;
    case 3:
        fill(out, value_forms[below(MR_ARRAY_LEN(value_forms))], alias, "");
        return;
    case 6:
        mr_buf_str(out, MR_STR("NOT "));
        break;
    default:
        break;
    }
    mr_buf_char(out, '(');
    condition(out, alias, levels - 1);
    mr_buf_str(out, kind == 5 ? MR_STR(" OR ") : MR_STR(" AND "));
    condition(out, alias, levels - 1);
    mr_buf_char(out, ')');
}

/* ? stands for conditions on the only relation, ?a and ?b for those on the relations a and b. */
static const char *const shapes[] = {
    "SELECT host, rack, zone, measure_name, time, v, n, s FROM d.t WHERE ?",
    "SELECT count(*), min(time), max(time), sum(n) FROM d.t WHERE ?",
    "SELECT host, bin(time, 1d), count(*), max(v) FROM d.t WHERE ? GROUP BY host, bin(time, 1d)",
    "SELECT zone, count(*) FROM d.t WHERE ? GROUP BY zone HAVING min(time) < from_milliseconds(400000000)",
    "SELECT host, time, n FROM (SELECT * FROM d.t WHERE ?) WHERE ?",
    "WITH w AS (SELECT host, rack, zone, measure_name, time, v, n, s FROM d.t WHERE ?) SELECT rack, count(*) "
    "FROM w WHERE ? GROUP BY rack",
    "WITH w AS (SELECT * FROM d.t WHERE ?) SELECT x.host, count(*) FROM w x JOIN w y ON x.time = y.time "
    "GROUP BY x.host",
    "SELECT a.host, b.zone, a.time FROM d.t a JOIN d.t b ON a.time = b.time AND a.host = b.host WHERE ?a AND "
    "?b",
    "SELECT a.host, a.time, b.n FROM d.t a LEFT JOIN d.t b ON a.time = b.time AND ?b WHERE ?a",
    "SELECT a.host, a.time, b.n FROM d.t a LEFT JOIN d.t b ON a.host = b.host AND a.time = b.time WHERE ?a "
    "AND (b.n > 3 OR b.n IS NULL)",
    "SELECT a.n, b.host, b.time FROM d.t a RIGHT JOIN d.t b ON a.time = b.time AND ?a WHERE ?b",
    "SELECT a.host, b.host FROM (SELECT * FROM d.t a WHERE ?a) a FULL JOIN (SELECT * FROM d.t b WHERE ?b) b "
    "ON a.time = b.time",
    "SELECT host, time FROM d.t WHERE ? UNION ALL SELECT rack, time FROM d.t WHERE ?",
    "SELECT host FROM d.t WHERE ? EXCEPT SELECT host FROM d.t WHERE ?",
    "SELECT host, time FROM (SELECT host, time, row_number() OVER (PARTITION BY host ORDER BY time, v, n, s, "
    "rack, zone, measure_name) AS r, rack, zone, measure_name, v, n, s FROM d.t WHERE ?) WHERE r < 4 AND ?",
    "SELECT host, time FROM (SELECT * FROM d.t WHERE ? ORDER BY time, host, rack, zone, measure_name, v, n, "
    "s LIMIT 30) WHERE ?",
    "SELECT zone, n FROM d.t a WHERE EXISTS (SELECT 1 FROM d.t b WHERE b.time = a.time AND ?b) AND ?a",
    "SELECT count(*) FROM d.t a WHERE a.host IN (SELECT b.host FROM d.t b WHERE ?b) AND ?a",
    "SELECT measure_name, count(*) FILTER (WHERE ?), sum(n) FROM d.t WHERE ? GROUP BY measure_name",
    "SELECT DISTINCT host, zone FROM d.t WHERE ?",
    "SELECT a.zone, u.o FROM d.t a CROSS JOIN UNNEST(ARRAY[a.n, 1]) WITH ORDINALITY AS u(x, o) WHERE ?a AND "
    "u.x > 2",
    "SELECT host, rack, count(*) FROM d.t WHERE ? GROUP BY CUBE (host, rack)",
    "SELECT (SELECT count(*) FROM d.t b WHERE b.time <= a.time AND ?b) FROM d.t a WHERE ?a AND a.n = 5",
};

static void statement(struct mr_buf *out)
{
    for (const char *p = shapes[below(MR_ARRAY_LEN(shapes))]; *p != '\0'; p++) {
        if (*p != '?') {
            mr_buf_char(out, *p);
        } else if (p[1] == 'a' || p[1] == 'b') {
            condition(out, *++p == 'a' ? "a." : "b.", 2);
        } else {
            condition(out, "", 2);
        }
    }
}

/* ---- running ---- */

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The rows, or the error, as sorted lines. */
static void answer(struct mr_str text, bool plain, struct mr_buf *out)
{
    const struct sql_env env = {.lookup = &lookup, .now_ns = SPAN, .time_floor = INT64_MIN, .plain = plain};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run = NULL;
    struct store_snapshot *snapshot = NULL;
    struct mr_buf row = MR_BUF_INIT;
    char *lines[8192];
    size_t n = 0;

    if (sql_prepare(text, &env, &arena, &plan, &error) != MR_OK)
        fail_msg(MR_STR_FMT ": " MR_STR_FMT, MR_STR_ARG(text), MR_STR_ARG(error.message));
    for (size_t i = 0; i < plan->nscans; i++) {
        const struct sql_scan *s = &plan->scans[i];
        bool narrow = s->time_min != INT64_MIN || s->time_max != INT64_MAX || s->npreds > 0;
        assert_false(plain && narrow);
        pushed += narrow;
    }
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    int status = engine_run_open(harness_engine, plan, snapshot, NULL, &run, &err);
    while (status == MR_OK && n < MR_ARRAY_LEN(lines)) {
        row.len = 0;
        if ((status = engine_run_row(run, &row, &err)) == MR_OK) {
            mr_buf_char(&row, '\0');
            assert_non_null(lines[n++] = strdup(row.ptr));
        }
    }
    if (n > 0)
        qsort(lines, n, sizeof(lines[0]), by_text);
    for (size_t i = 0; i < n; i++) {
        mr_buf_printf(out, "%s\n", lines[i]);
        free(lines[i]);
    }
    if (status != MR_ENOENT && status != MR_EINVAL)
        fail_msg(MR_STR_FMT ": %s", MR_STR_ARG(text), err.text);
    if (status != MR_ENOENT) /* both ways the same, too */
        mr_buf_printf(out, "%d %s\n", status, err.text);
    engine_run_close(run);
    store_snapshot_close(snapshot);
    mr_buf_release(&row);
    mr_arena_release(&arena);
}

static void both_ways_give_the_same_rows(void **state)
{
    const char *seed = getenv("MR_SEED");
    unsigned rows = 0;

    MR_UNUSED(state);
    rng.state = seed != NULL ? strtoull(seed, NULL, 10) : 1;
    kit_open(&kit);
    write_rows();
    for (int i = 0; i < STATEMENTS; i++) {
        struct mr_buf text = MR_BUF_INIT, narrow = MR_BUF_INIT, wide = MR_BUF_INIT;
        statement(&text);
        answer(mr_buf_view(&text), false, &narrow);
        answer(mr_buf_view(&text), true, &wide);
        if (!mr_str_eq(mr_buf_view(&narrow), mr_buf_view(&wide)))
            fail_msg(MR_STR_FMT "\npushed down\n" MR_STR_FMT "plain\n" MR_STR_FMT,
                     MR_STR_ARG(mr_buf_view(&text)), MR_STR_ARG(mr_buf_view(&narrow)),
                     MR_STR_ARG(mr_buf_view(&wide)));
        rows += narrow.len > 0 && narrow.ptr[0] == '{';
        mr_buf_release(&text);
        mr_buf_release(&narrow);
        mr_buf_release(&wide);
    }
    kit_close(&kit);
    print_message("%d statements, %u with rows, %u scans narrowed\n", STATEMENTS, rows, pushed);
    assert_true(rows > STATEMENTS / 3);
    assert_true(pushed > STATEMENTS / 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(both_ways_give_the_same_rows)};
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
