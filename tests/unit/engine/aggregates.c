/* Aggregates of this room (query-language reference 6.14). */
#include "engine/harness.h"

#define S(text) "{\"ScalarValue\":\"" text "\"}"
#define LIST(items) "[{\"ArrayValue\":[" items "]}]"
#define C " FROM (VALUES (1),(2),(3),(4)) t(c)"
#define U " FROM (VALUES (1),(2),(3),(4),(8)) t(u)"
#define P " FROM (VALUES (1,1),(2,2),(3,3),(4,4)) t(y,x)"
#define NONE " FROM (VALUES (1)) t(c) WHERE c > 1"

static void moments(void **state)
{
    static const struct value_case values[] = {
        {"d", "mr_geometric_mean(c)" C, "2.213363839400643"},
        {"d", "mr_skewness(u)" U, "0.8978957037987335"},
        {"d", "mr_skewness(c)" C " WHERE c < 3", "null"},
        {"d", "mr_stddev_pop(u)" U, "2.4166091947189146"},
        {"d", "mr_stddev_samp(u)" U, "2.701851217221259"},
        {"d", "mr_var_pop(u)" U, "5.840000000000001"},
        {"d", "mr_var_samp(u)" U, "7.300000000000001"},
        {"d", "mr_var_samp(c)" C " WHERE c = 1", "null"},
        {"d", "mr_var_pop(c)" C " WHERE c = 1", "0.0"},
        {"d", "mr_var_pop(c)" NONE, "null"},
        {"d", "mr_var_pop(c) FROM (VALUES (1), (NULL), (3)) t(c)", "1.0"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void pairs(void **state)
{
    static const struct value_case values[] = {
        {"d", "mr_corr(y, x)" P, "1.0"},
        {"d", "mr_covar_pop(y, x)" P, "1.25"},
        {"d", "mr_covar_samp(y, x)" P, "1.6666666666666667"},
        {"d", "mr_regr_intercept(y, x)" P, "0.0"},
        {"d", "mr_regr_slope(y, x)" P, "1.0"},
        {"d", "mr_regr_slope(y, 5)" P, "null"},
        {"d", "mr_corr(5, x)" P, "null"},
        {"d", "mr_covar_samp(y, x)" P " WHERE y = 1", "null"},
        {"d", "mr_regr_slope(2 * y + 1, x)" P, "2.0"},
        {"d", "mr_regr_intercept(2 * y + 1, x)" P, "1.0"},
        {"d", "mr_covar_pop(y, x) FROM (VALUES (1,1),(NULL,7),(7,NULL),(3,3)) t(y,x)", "1.0"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void distinct(void **state)
{
    static const struct value_case values[] = {
        {"l", "mr_approx_distinct(hash(u), 0.023)" U, "5"},
        {"l", "mr_approx_distinct(hash(u), 0.2)" U, "5"},
        {"l", "mr_approx_distinct(NULL, 0.2)" U, "0"},
        {"l", "mr_approx_distinct(hash(c), 0.023)" NONE, "0"},
        {"l", "mr_approx_distinct(hash(c), 0.5)" C, "! Max standard error must be in [0.0040625, 0.26]: 0.5"},
        {"l", "mr_approx_distinct(hash(c), 0.0040624)" C,
         "! Max standard error must be in [0.0040625, 0.26]: 0.0040624"},
        {"l", "mr_approx_distinct(hash(a % 60), 0.26) FROM range(100000) t(a)", "60"},
        {"l", "mr_approx_distinct(hash(a % 100), 0.023) FROM range(100000) t(a)", "100"},
        {"b", "abs(mr_approx_distinct(hash(a), 0.023) - 300000) < 4 * 0.023 * 300000 FROM range(300000) t(a)",
         "true"},
        {"b",
         "abs(mr_approx_distinct(hash(a), 0.0040625) - 300000) < 4 * 0.0040625 * 300000 FROM range(300000) "
         "t(a)",
         "true"},
        {"b", "abs(mr_approx_distinct(hash(a), 0.023) - 3000) < 4 * 0.023 * 3000 FROM range(3000) t(a)",
         "true"},
        {"l",
         "count(*) FROM (SELECT mr_approx_distinct(hash(a), 0.023) AS n FROM range(20000) t(a) GROUP BY a % "
         "1000) "
         "WHERE n = 20",
         "1000"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void percentiles(void **state)
{
    static const struct value_case values[] = {
        {"l", "mr_percentile_i64(c, 1, 0.4)" C, "2"},
        {"l", "mr_percentile_i64(c, 1, 0)" C, "1"},
        {"l", "mr_percentile_i64(c, 1, 1)" C, "4"},
        {"[l]", "mr_percentiles_i64(c, 1, [0.1, 0.8, 0.8])" C, LIST(S("1") "," S("4") "," S("4"))},
        {"[d]", "mr_percentiles_f64(c, 1, [0.5])" C, LIST(S("2.0"))},
        {"[d]", "mr_percentiles_f64(c, 1, []::DOUBLE[])" C, LIST("")},
        {"[d]", "mr_percentiles_f64(c, 1, [0.5])" NONE, "null"},
        {"l", "mr_percentile_i64(c, c, 0.5)" C, "3"},
        {"l", "mr_percentile_i64(c, 1 + (c = 4)::BIGINT * 9, 0.5)" C, "4"},
        {"d", "mr_percentile_f64(x, 1, 1) FROM (VALUES (1), ('nan'::DOUBLE), ('inf'::DOUBLE), (-1)) t(x)",
         "NaN"},
        {"d", "mr_percentile_f64(x, 1, 0) FROM (VALUES (1.5), (-2.5), ('-inf'::DOUBLE), (-1)) t(x)",
         "-Infinity"},
        {"d", "mr_percentile_f64(x, 1, 0.5) FROM (VALUES (1.5), (-2.5), (-3.5), (-1)) t(x)", "-2.5"},
        {"l", "mr_percentile_i64(c, 1, 1.5)" C, "! Percentile must be between 0 and 1"},
        {"l", "mr_percentile_i64(c, 0, 0.5)" C, "! percentile weight must be > 0"},
        {"l", "mr_percentile_i64(c, 1, 0.5) FROM (VALUES (1), (NULL), (3)) t(c)", "1"},
        {"l", "mr_percentile_i64((a * 7919) % 100003, 1, 0.25) FROM range(100003) t(a)", "25000"},
        {"l", "mr_percentile_i64(a // 1000, 1, 0.75) FROM range(100000) t(a)", "74"},
        {"[l]", "mr_percentiles_i64(-a, 1, [0, 0.5, 1]) FROM range(100001) t(a)",
         LIST(S("-100000") "," S("-50000") "," S("0"))},
        {"l",
         "count(*) FROM (SELECT mr_percentiles_i64(a, 1, [0.5, 1]) AS p FROM range(20000) t(a) GROUP BY a % "
         "5000) WHERE "
         "p[2] - p[1] = 10000",
         "5000"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void windows(void **state)
{
    static const struct value_case values[] = {
        {"d",
         "max(v) FROM (SELECT mr_var_pop(a) OVER (ORDER BY a ROWS 2 PRECEDING) AS v FROM range(500) t(a))",
         "0.6666666666666666"},
        {"l",
         "sum(v)::BIGINT FROM (SELECT mr_percentile_i64(a, 1, 0.5) OVER (ORDER BY a ROWS 2 PRECEDING) AS v "
         "FROM "
         "range(500) t(a))",
         "124251"},
        {"l",
         "max(v) FROM (SELECT mr_approx_distinct(hash(a), 0.023) OVER (ORDER BY a) AS v FROM range(50) t(a))",
         "50"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments),     cmocka_unit_test(pairs),   cmocka_unit_test(distinct),
        cmocka_unit_test(percentiles), cmocka_unit_test(windows),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
