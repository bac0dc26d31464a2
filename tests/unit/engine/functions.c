/* Every function of sql/engine_functions.def is there, takes and gives what its line says, and keeps NULLs.
 */
#include <stdio.h>

#include "engine/harness.h"

struct line {
    const char *name, *kind, *args, *result;
};

static const struct line lines[] = {
#define SQL_ENGINE_FN(name, kind, args, result) {#name, #kind, args, result},
#include "sql/engine_functions.def"
#undef SQL_ENGINE_FN
};

/* The DuckDB type of the letters at *p. */
static const char *type_sql(const char **p)
{
    char c = *(*p)++;

    switch (c) {
    case 'b':
        return "BOOLEAN";
    case 'i':
        return "INTEGER";
    case 'l':
        return "BIGINT";
    case 'd':
        return "DOUBLE";
    case 's':
        return "VARCHAR";
    case 'u':
        return "UBIGINT";
    case 'h':
        return "HUGEINT";
    case 'P':
        return "STRUCT(t BIGINT, v DOUBLE)[]";
    case 'R':
        return "STRUCT(lit VARCHAR, \"groups\" VARCHAR[])[]";
    default:
        break;
    }
    assert_int_equal(c, '[');
    const char *inner = type_sql(p);
    assert_int_equal(*(*p)++, ']');
    return strcmp(inner, "VARCHAR") == 0  ? "VARCHAR[]"
           : strcmp(inner, "DOUBLE") == 0 ? "DOUBLE[]"
                                          : "BIGINT[]";
}

/* name(NULL::t1, NULL::t2, ...) with the column `row` of a two-row table woven in, so that nothing is folded.
 */
static void call_sql(const struct line *line, struct mr_buf *out)
{
    const char *p = line->args;

    mr_buf_printf(out, "%s(", line->name);
    for (unsigned n = 0; *p != '\0'; n++) {
        mr_buf_printf(out, "%sCASE WHEN a >= 0 THEN NULL::%s END", n > 0 ? ", " : "", type_sql(&p));
        if (*p == '*')
            p++;
    }
    mr_buf_char(out, ')');
}

static void every_function_is_registered(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(lines); i++) {
        struct mr_buf sql = MR_BUF_INIT;
        const char *result = lines[i].result;
        bool aggregate = strcmp(lines[i].kind, "AGGREGATE") == 0;
        /* NULL arguments make NULL, an aggregate of nothing too, except a count; a random number needs none.
         */
        const char *want = strcmp(lines[i].name, "mr_approx_distinct") == 0 ? "0" : "null";
        const char *type = type_sql(&result);
        mr_buf_printf(&sql, "any_value(coalesce(typeof(x), '') = '%s')::VARCHAR || ' ' || ", type);
        mr_buf_str(&sql, MR_STR("coalesce(any_value(x::VARCHAR), 'null') FROM (SELECT "));
        if (aggregate)
            mr_buf_printf(&sql, "a %% 2, ");
        call_sql(&lines[i], &sql);
        mr_buf_printf(&sql, " AS x FROM range(10) t(a)%s)", aggregate ? " GROUP BY 1" : "");
        mr_buf_char(&sql, '\0');

        char expected[32];
        snprintf(expected, sizeof(expected), "true %s", want);
        if (strcmp(lines[i].name, "mr_random") == 0)
            check_value("b", "mr_random() >= 0 AND mr_random() < 1", "true");
        else
            check_value("s", sql.ptr, expected);
        mr_buf_release(&sql);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_function_is_registered)};
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
