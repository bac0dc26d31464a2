/* tests/unit/sql/hostile.c - statements that want to hurt: deep, long, wide, doubled. Each must end with an
 * error or a plan; that it ends soon is held by the runner's time limit, and seen with MR_VERBOSE=1. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "fixture.h"
#include "lib/check.h"

#define LIMIT 262144

static char text[LIMIT + 1];

static void finish(const char *what, size_t len)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan;
    struct sql_error error;
    struct timespec a, b;
    arena.limit = (size_t)1 << 30;
    clock_gettime(CLOCK_MONOTONIC, &a);
    int status = sql_prepare((struct mr_str){text, len}, &fixture_env, &arena, &plan, &error);
    clock_gettime(CLOCK_MONOTONIC, &b);
    double seconds = (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
    if (getenv("MR_VERBOSE") != NULL)
        fprintf(stderr, "%6.3f s %6zu KiB %d %.30s: " MR_STR_FMT "\n", seconds, arena.total / 1024, status,
                what, MR_STR_ARG(error.message));
    assert_true(status == MR_OK || status == MR_EINVAL);
    if (status == MR_EINVAL)
        assert_true(error.message.len > 0);
    mr_arena_release(&arena);
}

/* head, then body as often as it fits, then tail */
static void repeat(const char *head, const char *body, const char *tail)
{
    size_t h = strlen(head), b = strlen(body), t = strlen(tail), n = h;
    memcpy(text, head, h);
    for (; n + b + t <= LIMIT; n += b)
        memcpy(text + n, body, b);
    memcpy(text + n, tail, t);
    finish(body, n + t);
}

static void deep(void **state)
{
    MR_UNUSED(state);
    static const char *const bodies[] = {"(",
                                         "((a),",
                                         "-",
                                         "- ",
                                         "+ ",
                                         "NOT ",
                                         "[",
                                         "ARRAY[",
                                         "f(",
                                         "CASE WHEN ",
                                         "CASE ",
                                         "CAST(",
                                         "(SELECT ",
                                         "EXISTS(SELECT ",
                                         "x -> ",
                                         "(x, y) -> (",
                                         "1 IN (",
                                         "a.",
                                         "a[",
                                         "try(",
                                         "if(",
                                         "ROW(",
                                         "1 + (",
                                         "a AND (",
                                         "EXTRACT(a FROM ",
                                         "position(a IN ",
                                         "filter(x, y -> ",
                                         "count(*) FILTER (WHERE ",
                                         "sum(a) OVER (PARTITION BY ",
                                         "INTERVAL - ",
                                         "U&",
                                         "nullif(1,"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bodies); i++) {
        repeat("SELECT ", bodies[i], "");
        repeat("SELECT ", bodies[i], "1");
    }
    repeat("SELECT CAST(1 AS ", "ARRAY(", "");
    repeat("SELECT CAST(1 AS ", "ROW(a ", "");
    repeat("", "(", "");
    repeat("SELECT 1 FROM ", "(", "");
    repeat("SELECT 1 FROM ", "(SELECT 1 FROM ", "");
    repeat("SELECT 1 FROM ", "LATERAL (SELECT 1 FROM ", "");
    repeat("SELECT 1 FROM ", "UNNEST((SELECT 1 FROM ", "");
    repeat("", "WITH a AS (", "");
    repeat("SELECT 1 IN ", "((", "");
}

static void long_chains(void **state)
{
    MR_UNUSED(state);
    static const char *const bodies[] = {"+1",
                                         "-1",
                                         "*1",
                                         " AND 1 = 1",
                                         " OR true",
                                         "||'a'",
                                         ",1",
                                         " = 1",
                                         ".a",
                                         "[1]",
                                         ",a",
                                         ", count(*)",
                                         " UNION ALL SELECT 1",
                                         " UNION SELECT 1",
                                         " INTERSECT SELECT 1",
                                         " EXCEPT SELECT 1",
                                         " FROM a",
                                         " a",
                                         ";",
                                         "''",
                                         "\"\"",
                                         "/*",
                                         "--\n",
                                         "/**/",
                                         " BETWEEN 1 AND 1",
                                         " IS NULL",
                                         " LIKE 'a'",
                                         ", *",
                                         ", 1 AS a"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bodies); i++)
        repeat("SELECT 1", bodies[i], "");
    repeat("SELECT 1 IN (1", ",1", ")");
    repeat("SELECT site IN ('a'", ",'b'", ") FROM works.sensors");
    repeat("SELECT site FROM works.sensors WHERE site = 'a'", " OR site = 'b'", "");
    repeat("SELECT site FROM works.sensors WHERE time > 'x'", " AND time > ago(1d)", "");
    repeat("SELECT concat('a'", ", site", ") FROM works.sensors");
    repeat("SELECT coalesce(1", ", 2", ")");
    repeat("SELECT greatest(1", ", 2.5", ")");
    repeat("SELECT ARRAY[1", ",2.5", "]");
    repeat("SELECT CASE", " WHEN true THEN 1", " END");
    repeat("SELECT coalesce(0", ", sum(cycles + 1)", ") FROM works.sensors");
    repeat("VALUES 1", ",1", "");
    repeat("VALUES (1,2)", ",(1,2)", "");
    repeat("SELECT 1 FROM works.sensors GROUP BY site", ",site", "");
    repeat("SELECT 1 FROM works.sensors GROUP BY site", ",CUBE(site,zone)", "");
    repeat("SELECT 1 FROM works.sensors GROUP BY CUBE(site", ",site", ")");
    repeat("SELECT 1 FROM works.sensors GROUP BY ROLLUP(site", ",zone", ")");
    repeat("SELECT 1 FROM works.sensors GROUP BY GROUPING SETS (site", ",(zone, site)", ")");
    repeat("SELECT site FROM works.sensors ORDER BY 1", ",1", "");
    repeat("SELECT site FROM works.sensors ORDER BY 1", ",site || 'a'", "");
    repeat("SELECT * FROM works.sensors a", ", works.sensors a", "");
    repeat("SELECT * FROM works.sensors a", " JOIN works.sensors b USING (site)", "");
    repeat("SELECT * FROM works.sensors a JOIN works.sensors b USING (site", ",site", ")");
    repeat("WITH a AS (SELECT 1)", ", a AS (SELECT 1)", " SELECT 1");
    repeat("SELECT sum(1) OVER (PARTITION BY 1", ",1", ")");
    repeat("SELECT filter(ARRAY[1], (a", ",a", ") -> true)");
    repeat("SELECT CAST(1 AS ROW(a INT", ", a INT", "))");
    repeat("SELECT @a", " + @b", "");
    repeat("SELECT '", "a", "'");
    repeat("SELECT '", "''", "'");
    repeat("SELECT \"", "a", "\"");
    repeat("SELECT ", "a", " FROM works.sensors");
    repeat("SELECT ", "9", "");
    repeat("SELECT U&'", "\\0061", "'");
}

/* Names that only a wide scope has. */
static void wide_scopes(void **state)
{
    MR_UNUSED(state);
    size_t n = 0;
    n += (size_t)sprintf(text, "SELECT 1 FROM works.sensors t0");
    for (int i = 1; i <= 50; i++)
        n += (size_t)sprintf(text + n, " CROSS JOIN works.sensors t%d", i);
    n += (size_t)sprintf(text + n, " WHERE 1 IN (1");
    while (n + 32 < LIMIT)
        n += (size_t)sprintf(text + n, ",t50.cycles");
    n += (size_t)sprintf(text + n, ")");
    finish("wide scope", n);
}

/* Each level uses the one below twice. */
static void doubling(void **state)
{
    MR_UNUSED(state);
    static const char *const heads[] = {"SELECT a || a AS a", "SELECT concat(a, a) AS a",
                                        "SELECT nullif(a, 'b') AS a", "SELECT greatest(a, a) AS a"};
    for (size_t k = 0; k < MR_ARRAY_LEN(heads); k++) {
        size_t n = 0;
        for (int i = 0; i < 40; i++)
            n += (size_t)sprintf(text + n, "%s FROM (", heads[k]);
        n += (size_t)sprintf(text + n, "SELECT 'x' AS a");
        for (int i = 0; i < 40; i++)
            text[n++] = ')';
        finish(heads[k], n);
    }
    size_t n = (size_t)sprintf(text, "WITH a0 AS (SELECT 1 AS x)");
    for (int i = 1; i < 60; i++)
        n += (size_t)sprintf(text + n, ", a%d AS (SELECT p.x FROM a%d p, a%d q)", i, i - 1, i - 1);
    n += (size_t)sprintf(text + n, " SELECT * FROM a59");
    finish("WITH chain", n);
    n = 0;
    for (int i = 0; i < 60; i++)
        n += (size_t)sprintf(text + n, "SELECT *, * FROM (");
    n += (size_t)sprintf(text + n, "SELECT 1 AS a");
    for (int i = 0; i < 60; i++)
        text[n++] = ')';
    finish("doubled star", n);
    n = (size_t)sprintf(text, "SELECT ");
    for (int i = 0; i < 60; i++)
        n += (size_t)sprintf(text + n, "CAST(");
    n += (size_t)sprintf(text + n, "ROW(1, 2)");
    for (int i = 0; i < 60; i++)
        n += (size_t)sprintf(text + n, " AS ROW(a %s, b BIGINT))", i % 2 ? "BIGINT" : "VARCHAR");
    finish("row casts", n);
    n = (size_t)sprintf(text, "SELECT ");
    for (int i = 0; i < 80; i++)
        n += (size_t)sprintf(text + n, "nullif(");
    n += (size_t)sprintf(text + n, "1");
    for (int i = 0; i < 80; i++)
        n += (size_t)sprintf(text + n, ", 2.5)");
    finish("nullif of another type", n);
}

static void too_long(void **state)
{
    MR_UNUSED(state);
    static char longer[LIMIT + 2];
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan;
    struct sql_error error;
    memset(longer, ' ', sizeof longer);
    assert_int_equal(sql_prepare((struct mr_str){longer, LIMIT + 1}, &fixture_env, &arena, &plan, &error),
                     MR_EINVAL);
    check_str(error.message, "Query is longer than 262144 bytes");
    mr_arena_release(&arena);
}

/* Bytes that are no text. */
static void broken_bytes(void **state)
{
    MR_UNUSED(state);
    static const char *const broken[] = {"SELECT '\xFF'", "SELECT \xC3", "\x80", "SELECT '\xED\xA0\x80'"};
    for (size_t i = 0; i < MR_ARRAY_LEN(broken); i++) {
        memcpy(text, broken[i], strlen(broken[i]));
        finish("broken", strlen(broken[i]));
    }
    memcpy(text, "SELECT 'a\0b'", 12);
    finish("NUL", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deep),     cmocka_unit_test(long_chains), cmocka_unit_test(wide_scopes),
        cmocka_unit_test(doubling), cmocka_unit_test(too_long),    cmocka_unit_test(broken_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
