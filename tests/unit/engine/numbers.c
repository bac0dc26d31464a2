/* Integers, doubles and casts (query-language reference 3.3, 3.5, 5.4, 6.5, 6.8). */
#include "engine/harness.h"

static void integers(void **state)
{
    static const struct value_case values[] = {
        {"i", "mr_add_i32(2, 3)", "5"},
        {"i", "mr_add_i32(2147483647, 1)", "! integer addition overflow: 2147483647 + 1"},
        {"i", "mr_sub_i32(-2147483648, 1)", "! integer subtraction overflow: -2147483648 - 1"},
        {"i", "mr_mul_i32(65536, 65536)", "! integer multiplication overflow: 65536 * 65536"},
        {"l", "mr_add_i64(9223372036854775807, 1)", "! bigint addition overflow: 9223372036854775807 + 1"},
        {"l", "mr_sub_i64(-9223372036854775807, 2)",
         "! bigint subtraction overflow: -9223372036854775807 - 2"},
        {"l", "mr_mul_i64(4611686018427387904, 2)",
         "! bigint multiplication overflow: 4611686018427387904 * 2"},
        {"l", "mr_div_i64(7, 2)", "3"},
        {"l", "mr_div_i64(-7, 2)", "-3"},
        {"i", "mr_div_i32(1, 0)", "! Division by zero"},
        {"l", "mr_div_i64((-9223372036854775808)::BIGINT, -1)",
         "! bigint division overflow: -9223372036854775808 / -1"},
        {"i", "mr_div_i32((-2147483648)::INTEGER, -1)", "! integer division overflow: -2147483648 / -1"},
        {"l", "mr_mod_i64(-7, 3)", "-1"},
        {"l", "mr_mod_i64((-9223372036854775808)::BIGINT, -1)", "0"},
        {"i", "mr_mod_i32(7, 0)", "! Division by zero"},
        {"i", "mr_neg_i32((-2147483648)::INTEGER)", "! integer negation overflow: -2147483648"},
        {"l", "mr_neg_i64(5)", "-5"},
        {"i", "mr_abs_i32(-7)", "7"},
        {"i", "mr_abs_i32((-2147483648)::INTEGER)", "! Value -2147483648 is out of range for abs(integer)"},
        {"l", "mr_abs_i64((-9223372036854775808)::BIGINT)",
         "! Value -9223372036854775808 is out of range for abs(bigint)"},
        {"i", "mr_round_i32(1255, -1)", "1260"},
        {"i", "mr_round_i32(-1255, -1)", "-1260"},
        {"i", "mr_round_i32(1254, -1)", "1250"},
        {"i", "mr_round_i32(7, 3)", "7"},
        {"i", "mr_round_i32(2147483647, -1)", "! Out of range for integer: 2147483647"},
        {"l", "mr_round_i64(9223372036854775807, -1)", "! Out of range for bigint: 9223372036854775807"},
        {"l", "mr_round_i64(9223372036854775807, -19)", "! Out of range for bigint: 9223372036854775807"},
        {"l", "mr_round_i64(4999999999999999999, -19)", "0"},
        {"l", "mr_round_i64(9223372036854775807, -25)", "0"},
        {"l", "mr_bit_count(19, 8)", "3"},
        {"l", "mr_bit_count(-1, 64)", "64"},
        {"l", "mr_bit_count(-2, 2)", "1"},
        {"l", "mr_bit_count(19, 2)",
         "! Number must be representable with the bits specified. 19 can not be represented with 2 bits"},
        {"l", "mr_bit_count(1, 65)", "! Bits specified in bit_count must be between 2 and 64, got 65"},
        {"l", "mr_from_base('ff', 16)", "255"},
        {"l", "mr_from_base('-zZ', 36)", "-1295"},
        {"l", "mr_from_base('9223372036854775808', 10)", "! Not a valid base-10 number: 9223372036854775808"},
        {"l", "mr_from_base('-9223372036854775808', 10)", "-9223372036854775808"},
        {"l", "mr_from_base('xyz', 16)", "! Not a valid base-16 number: xyz"},
        {"l", "mr_from_base('', 16)", "! Not a valid base-16 number: "},
        {"l", "mr_from_base('1', 37)", "! Radix must be between 2 and 36"},
        {"s", "mr_to_base(255, 16)", "ff"},
        {"s", "mr_to_base(0, 2)", "0"},
        {"s", "mr_to_base((-9223372036854775808)::BIGINT, 2)",
         "-1000000000000000000000000000000000000000000000000000000000000000"},
        {"s", "mr_to_base(1, 1)", "! Radix must be between 2 and 36"},
        {"l", "mr_subscript(2, 3)", "2"},
        {"l", "mr_subscript(0, 3)", "! SQL array indices start at 1"},
        {"l", "mr_subscript(-1, 3)", "! Array subscript is negative: -1"},
        {"l", "mr_subscript(4, 3)", "! Array subscript must be less than or equal to array length: 4 > 3"},
        {"l", "mr_check_i64(5, 1, 9, 'no')", "5"},
        {"l", "mr_check_i64(10, 1, 9, 'Offset must be at least 1')", "! Offset must be at least 1"},
        {"l", "mr_narrow_sum(5::HUGEINT)", "5"},
        {"l", "mr_narrow_sum((-9223372036854775808)::HUGEINT)", "-9223372036854775808"},
        {"l", "mr_narrow_sum(9223372036854775808::HUGEINT)", "! bigint addition overflow"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void doubles(void **state)
{
    static const struct value_case values[] = {
        {"d", "mr_cbrt(27)", "3.0"},
        {"d", "mr_ceil(-1.2)", "-1.0"},
        {"d", "mr_floor(-1.2)", "-2.0"},
        {"d", "mr_degrees(3.141592653589793)", "180.0"},
        {"d", "mr_radians(180)", "3.141592653589793"},
        {"d", "mr_exp(1)", "2.718281828459045"},
        {"d", "mr_ln(2.718281828459045)", "1.0"},
        {"d", "mr_ln(0)", "-Infinity"},
        {"d", "mr_ln(-1)", "NaN"},
        {"d", "mr_log2(8)", "3.0"},
        {"d", "mr_log10(1000)", "3.0"},
        {"d", "mr_sqrt(2)", "1.4142135623730951"},
        {"d", "mr_sqrt(-1)", "NaN"},
        {"d", "mr_pow(2, 10)", "1024.0"},
        {"d", "mr_acos(2)", "NaN"},
        {"d", "mr_asin(1)", "1.5707963267948966"},
        {"d", "mr_atan2(1, 1)", "0.7853981633974483"},
        {"d", "mr_cosh(1)", "1.5430806348152437"},
        {"d", "mr_tanh(1)", "0.7615941559557649"},
        {"d", "mr_tan(1)", "1.5574077246549023"},
        {"d", "mr_round(2.5)", "3.0"},
        {"d", "mr_round(-2.5)", "-3.0"},
        {"d", "mr_round_n(3.14159, 2)", "3.14"},
        {"d", "mr_round_n(-2.675, 1)", "-2.7"},
        {"d", "mr_round_n(1250, -2)", "1300.0"},
        {"d", "mr_round_n('inf'::DOUBLE, 2)", "Infinity"},
        {"d", "mr_round_n('nan'::DOUBLE, 2)", "NaN"},
        {"d", "mr_round_n(1.5, 400)", "1.5"},
        {"d", "mr_round_n(1.5, -400)", "0.0"},
        {"d", "mr_truncate(-1.9)", "-1.0"},
        {"d", "mr_sign(-0.5)", "-1.0"},
        {"d", "mr_sign('nan'::DOUBLE)", "NaN"},
        {"d", "mr_mod_f64(5.5, 2)", "1.5"},
        {"d", "mr_mod_f64(1, 0)", "NaN"},
        {"b", "mr_eq_f64('nan'::DOUBLE, 'nan'::DOUBLE)", "false"},
        {"b", "mr_ne_f64('nan'::DOUBLE, 'nan'::DOUBLE)", "true"},
        {"b", "mr_lt_f64(1, 'nan'::DOUBLE)", "false"},
        {"b", "mr_le_f64(1, 1)", "true"},
        {"d", "mr_check_f64(0.5, 0, 1, 'x')", "0.5"},
        {"d", "mr_check_f64('nan'::DOUBLE, 0, 1, 'Percentile must be between 0 and 1')",
         "! Percentile must be between 0 and 1"},
        {"b",
         "min(x) >= 0 AND max(x) < 5 AND count(DISTINCT x) = 5 FROM (SELECT mr_random_i32(5, mr_random()) AS "
         "x FROM "
         "range(999))",
         "true"},
        {"b",
         "count(DISTINCT x) = 999 FROM (SELECT mr_random_i64(9223372036854775807, mr_random()) AS x FROM "
         "range(999))",
         "true"},
        {"l", "mr_random_i64(0, 0.5e0)", "! bound must be positive"},
        {"b", "count(DISTINCT x) = 5000 FROM (SELECT mr_random() AS x FROM range(5000))", "true"},
        {"b", "count(DISTINCT x) = 5000 FROM (SELECT mr_shuffle_key(1, mr_random()) AS x FROM range(5000))",
         "true"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void casts(void **state)
{
    static const struct value_case values[] = {
        {"i", "mr_i64_to_i32(3000000000)", "! Out of range for integer: 3000000000"},
        {"i", "mr_i64_to_i32(-2147483648)", "-2147483648"},
        {"i", "mr_f64_to_i32(2.5)", "3"},
        {"i", "mr_f64_to_i32(-2.5)", "-3"},
        {"i", "mr_f64_to_i32(2147483647.4)", "2147483647"},
        {"i", "mr_f64_to_i32(2147483647.5)", "! Out of range for integer: 2.1474836475E9"},
        {"i", "mr_f64_to_i32('nan'::DOUBLE)", "! Cannot cast double NaN to integer"},
        {"l", "mr_f64_to_i64(2.6)", "3"},
        {"l", "mr_f64_to_i64(1e300)", "! Out of range for bigint: 1.0E300"},
        {"l", "mr_f64_to_i64(9223372036854775807)", "! Out of range for bigint: 9.223372036854776E18"},
        {"s", "mr_f64_to_text(1678344435.2089999)", "1.6783444352089999E9"},
        {"s", "mr_f64_to_text(-0.0::DOUBLE)", "-0.0"},
        {"i", "mr_text_to_i32('-12')", "-12"},
        {"i", "mr_text_to_i32('9.9')", "! Cannot cast '9.9' to INT"},
        {"i", "mr_text_to_i32(' 9')", "! Cannot cast ' 9' to INT"},
        {"i", "mr_text_to_i32('2147483648')", "! Cannot cast '2147483648' to INT"},
        {"l", "mr_text_to_i64('abc')", "! Cannot cast 'abc' to BIGINT"},
        {"l", "mr_text_to_i64('+5')", "5"},
        {"d", "mr_text_to_f64(' 1.5e3 ')", "1500.0"},
        {"d", "mr_text_to_f64('.5')", "0.5"},
        {"d", "mr_text_to_f64('-Infinity')", "-Infinity"},
        {"d", "mr_text_to_f64('NaN')", "NaN"},
        {"d", "mr_text_to_f64('0x10')", "! Cannot cast '0x10' to DOUBLE"},
        {"d", "mr_text_to_f64('1d')", "! Cannot cast '1d' to DOUBLE"},
        {"d", "mr_text_to_f64('')", "! Cannot cast '' to DOUBLE"},
        {"d", "mr_text_to_f64('1e')", "! Cannot cast '1e' to DOUBLE"},
        {"b", "mr_text_to_bool('TRUE')", "true"},
        {"b", "mr_text_to_bool('f')", "false"},
        {"b", "mr_text_to_bool('yes')", "! Cannot cast 'yes' to BOOLEAN"},
        {"s", "try(mr_text_to_i64('abc'))::VARCHAR", "null"},
        {"s", "sum(try(mr_text_to_i64(x)))::VARCHAR FROM (VALUES ('1'), ('x'), ('5')) t(x)", "6"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

/* More rows than a vector, some NULL, some filtered away. */
static void whole_vectors(void **state)
{
    static const struct value_case values[] = {
        {"l", "sum(mr_add_i64(a, CASE WHEN a % 3 = 0 THEN NULL ELSE 1 END))::BIGINT FROM range(10000) t(a)",
         "33333333"},
        {"l", "count(mr_f64_to_text(CASE WHEN a % 5 > 0 THEN a / 7 END)) FROM range(10000) t(a)", "8000"},
        {"l", "sum(mr_add_i64(a, 1))::BIGINT FROM range(10000) t(a) WHERE a % 1000 = 7", "45080"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),
        cmocka_unit_test(doubles),
        cmocka_unit_test(casts),
        cmocka_unit_test(whole_vectors),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
