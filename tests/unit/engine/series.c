/* Functions of time series (query-language reference 6.1). Points are given as P('t:v ...') by a macro: t in
 * seconds. */
#include "engine/harness.h"

#define S(text) "{\"ScalarValue\":\"" text "\"}"
#define NUL "{\"NullValue\":true}"
#define PT(t, v) "{\"Time\":\"1970-01-01 00:0" t ".000000000\",\"Value\":" v "}"
#define SERIES(points) "[{\"TimeSeriesValue\":[" points "]}]"

#define POINT(t, v) "{'t': " #t "000000000::BIGINT, 'v': " #v "::DOUBLE}"
#define TWO "[" POINT(0, 1) "," POINT(10, 3) "]"
#define FOUR "[" POINT(0, 0) "," POINT(1, 1) "," POINT(2, 8) "," POINT(3, 27) "]"
#define GAPS "[" POINT(0, 1) "," POINT(5, NULL) "," POINT(10, 3) "]"
#define EMPTY "[]::STRUCT(t BIGINT, v DOUBLE)[]"
#define AT(list) "list_transform(" list "::BIGINT[], x -> x * 1000000000)"

static void linear(void **state)
{
    static const struct value_case values[] = {
        {"<d>", "mr_interpolate_linear(" TWO ", " AT("[0,5,10]") ")",
         SERIES(PT("0:00", S("1.0")) "," PT("0:05", S("2.0")) "," PT("0:10", S("3.0")))},
        {"<d>", "mr_interpolate_linear(" TWO ", " AT("[11,5]") ")",
         SERIES(PT("0:11", NUL) "," PT("0:05", S("2.0")))},
        {"<d>", "mr_interpolate_linear(" GAPS ", " AT("[5]") ")", SERIES(PT("0:05", S("2.0")))},
        {"<d>", "mr_interpolate_linear(" TWO ", [NULL]::BIGINT[])",
         "[{\"TimeSeriesValue\":[{\"Time\":null,\"Value\":" NUL "}]}]"},
        {"<d>", "mr_interpolate_linear(" EMPTY ", " AT("[5]") ")", SERIES(PT("0:05", NUL))},
        {"<d>", "mr_interpolate_linear(NULL, " AT("[5]") ")", "null"},
        {"<d>", "mr_interpolate_linear(" TWO ", []::BIGINT[])", SERIES("")},
        {"d", "mr_interpolate_linear_at(" TWO ", 2500000000)", "1.5"},
        {"d", "mr_interpolate_linear_at(" TWO ", 1)", "1.0000000002"},
        {"d", "mr_interpolate_linear_at(" TWO ", -1)", "null"},
        {"d", "mr_interpolate_linear_at(" TWO ", 10000000001)", "null"},
        {"d",
         "mr_interpolate_linear_at([{'t': (-9223372036854775808)::BIGINT, 'v': 0::DOUBLE}, {'t': "
         "9223372036854775807::BIGINT, 'v': 2::DOUBLE}], 0)",
         "1.0"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void locf_and_fill(void **state)
{
    static const struct value_case values[] = {
        {"<d>", "mr_interpolate_locf(" TWO ", " AT("[5,12]") ")",
         SERIES(PT("0:05", S("1.0")) "," PT("0:12", S("3.0")))},
        {"d", "mr_interpolate_locf_at(" TWO ", -1)", "null"},
        {"<d>", "mr_interpolate_fill(" TWO ", " AT("[5,10]") ", 0)",
         SERIES(PT("0:05", S("0.0")) "," PT("0:10", S("3.0")))},
        {"<d>", "mr_interpolate_fill(" TWO ", " AT("[5]") ", 'nan'::DOUBLE)", SERIES(PT("0:05", S("NaN")))},
        {"<d>", "mr_interpolate_fill(NULL, " AT("[5]") ", 0)", "null"},
        {"d", "mr_interpolate_fill_at(" TWO ", 7, -1)", "-1.0"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void spline(void **state)
{
    static const struct value_case values[] = {
        /* a straight line stays one */
        {"d", "mr_interpolate_spline_at([" POINT(0, 1) "," POINT(1, 2) "," POINT(3, 4) "], 2000000000)",
         "3.0"},
        /* natural spline through cubes: second derivatives 0, 4.8, 16.8, 0 */
        {"d", "mr_interpolate_spline_at(" FOUR ", 1500000000)", "3.1500000000000004"},
        {"d", "mr_interpolate_spline_at(" FOUR ", 2000000000)", "8.0"},
        {"d", "mr_interpolate_spline_at(" FOUR ", 3000000001)", "null"},
        {"d", "mr_interpolate_spline_at(" TWO ", 5000000000)", "null"},
        {"d", "mr_interpolate_spline_at(" TWO ", 10000000000)", "3.0"},
        {"<d>",
         "mr_interpolate_spline([" POINT(0, 0) "," POINT(1, 5) "," POINT(1, 1) "," POINT(2, 2) "], " AT(
             "[1,3]") ")",
         SERIES(PT("0:01", S("1.0")) "," PT("0:03", NUL))},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void change_and_area(void **state)
{
    static const struct value_case values[] = {
        {"<d>", "mr_derivative([" POINT(0, 1) "," POINT(60, 4) "], 60000000000)",
         SERIES(PT("1:00", S("3.0")))},
        {"<d>", "mr_derivative(" EMPTY ", 1)", SERIES("")},
        {"<d>", "mr_derivative(" TWO ", 0)", "! interval must be positive"},
        {"<d>",
         "mr_derivative_nonneg([" POINT(0, 5) "," POINT(1, 3) "," POINT(2, 3) "," POINT(3,
                                                                                        4) "], 1000000000)",
         SERIES(PT("0:02", S("0.0")) "," PT("0:03", S("1.0")))},
        {"d", "mr_integral([" POINT(0, 12) "," POINT(1, 15.5) "," POINT(2, 14.25) "], 1000000000)", "28.625"},
        {"d", "mr_integral([" POINT(0, 12) "], 1)", "0.0"},
        {"d", "mr_integral(" EMPTY ", 1)", "null"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void correlation(void **state)
{
    static const struct value_case values[] = {
        {"d", "mr_correlate_pearson(" FOUR ", " FOUR ")", "1.0"},
        {"d", "mr_correlate_pearson([" POINT(0, 1) "," POINT(1, 2) "], [" POINT(0, 2) "," POINT(1, 1) "])",
         "-1.0"},
        {"d", "mr_correlate_pearson([" POINT(0, 1) "," POINT(1, 1) "], [" POINT(0, 2) "," POINT(1, 1) "])",
         "NaN"},
        {"d", "mr_correlate_pearson(" TWO ", " FOUR ")", "! Both time series must have the same timestamps"},
        {"d",
         "mr_correlate_spearman(" FOUR
         ", [" POINT(0, 1) "," POINT(1, 2) "," POINT(2, 90) "," POINT(3, 91) "])",
         "1.0"},
        /* ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4 */
        {"d",
         "mr_correlate_spearman([" POINT(0, 1) "," POINT(1, 2) "," POINT(2, 2) "," POINT(3, 9) "], " FOUR ")",
         "0.9486832980505138"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void whole_vectors(void **state)
{
    static const struct value_case values[] = {
        {"l",
         "count(p.v) FROM (SELECT unnest(mr_interpolate_linear(CASE WHEN a % 2 = 0 THEN " TWO
         " END, " AT("[a - a,5,20]") ")) AS p FROM range(5000) t(a))",
         "5000"},
        {"d", "sum(mr_integral(CASE WHEN a % 2 = 0 THEN " TWO " END, 10000000000)) FROM range(5000) t(a)",
         "5000.0"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(linear),          cmocka_unit_test(locf_and_fill), cmocka_unit_test(spline),
        cmocka_unit_test(change_and_area), cmocka_unit_test(correlation),   cmocka_unit_test(whole_vectors),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
