/* Times, dates, intervals, the calendar, patterns (query-language reference 5.6, 6.10 to 6.13, 7). */
#include <stdio.h>

#include "engine/harness.h"

/* 2023-03-09 06:47:15.209000342, 1969-12-31 23:59:59.999999999 and such, as the engine carries them. */
#define TS "1678344435209000342"
#define DAY "86400000000000"

static void arithmetic(void **state)
{
    static const struct value_case values[] = {
        {"t", "mr_ts_add(" TS ", 75)", "2023-03-09 06:47:15.209000417"},
        {"t", "mr_ts_sub(" TS ", 21600000000000)", "2023-03-09 00:47:15.209000342"},
        {"t", "mr_ts_add(9223372036854775807, 1)", "! Timestamp is out of range"},
        {"v", "mr_ts_diff(5, 86400000000010)", "-1 00:00:00.000000005"},
        {"v", "mr_ts_diff(9223372036854775807, -1)", "! Interval is out of range"},
        {"t", "mr_ts_add_months(mr_text_to_ts('2022-01-31 10:00:00.000000001'), 1)",
         "2022-02-28 10:00:00.000000001"},
        {"t", "mr_ts_sub_months(mr_text_to_ts('2024-03-31'), 1)", "2024-02-29 00:00:00.000000000"},
        {"t", "mr_ts_sub_months(" TS ", 1200)", "1923-03-09 06:47:15.209000342"},
        {"t", "mr_ts_add_months(" TS ", 12000)", "! Timestamp is out of range"},
        {"D", "mr_date_add(mr_text_to_date('2023-02-26'), 3 * " DAY ")", "2023-03-01"},
        {"D", "mr_date_add(0, 1)", "! Cannot add hour, minutes or seconds to a date"},
        {"D", "mr_date_sub(0, 1)", "! Cannot subtract hour, minutes or seconds from a date"},
        {"D", "mr_date_sub(0, " DAY ")", "1969-12-31"},
        {"D", "mr_date_add_months(mr_text_to_date('2023-01-31'), 1)", "2023-02-28"},
        {"D", "mr_date_sub_months(mr_text_to_date('2023-03-31'), 1)", "2023-02-28"},
        {"v", "mr_date_diff_ival(19425, 19424)", "1 00:00:00.000000000"},
        {"v", "mr_date_diff_ival(2147483647, -2147483648)", "! Interval is out of range"},
        {"T", "mr_time_add(82800000000000, 7200000000001)", "01:00:00.000000001"},
        {"T", "mr_time_sub(0, 1)", "23:59:59.999999999"},
        {"T", "mr_time_sub(0, (-9223372036854775808)::BIGINT)", "23:47:16.854775808"},
        {"v", "mr_ival_add(3, 4)", "0 00:00:00.000000007"},
        {"v", "mr_ival_sub(3 * " DAY ", 9 * 3600000000000)", "2 15:00:00.000000000"},
        {"v", "mr_ival_neg(1)", "-0 00:00:00.000000001"},
        {"v", "mr_ival_mul_i64(" DAY ", 2)", "2 00:00:00.000000000"},
        {"v", "mr_ival_mul_i64(" DAY ", 2000000)", "! Interval is out of range"},
        {"v", "mr_ival_mul_f64(3, 1.5)", "0 00:00:00.000000004"},
        {"v", "mr_ival_mul_f64(3, 'nan'::DOUBLE)", "! Interval is out of range"},
        {"v", "mr_ival_div_f64(" DAY ", 2)", "0 12:00:00.000000000"},
        {"v", "mr_ival_div_f64(1, 0)", "! Division by zero"},
        {"y", "mr_ivaly_add(72, 1)", "6-1"},
        {"y", "mr_ivaly_sub(60, 8)", "4-4"},
        {"y", "mr_ivaly_neg(13)", "-1-1"},
        {"y", "mr_ivaly_mul_i64(7, 2)", "1-2"},
        {"y", "mr_ivaly_mul_f64(7, 1.5)", "0-10"},
        {"y", "mr_ivaly_div_f64(7, 2)", "0-3"},
        {"y", "mr_ivaly_mul_i64(7, 9223372036854775807)", "! Interval is out of range"},
        {"D", "mr_ts_to_date(-1)", "1969-12-31"},
        {"T", "mr_ts_to_time(-1)", "23:59:59.999999999"},
        {"t", "mr_date_to_ts(19425)", "2023-03-09 00:00:00.000000000"},
        {"t", "mr_date_to_ts(2147483647)", "! Timestamp is out of range"},
        {"t", "mr_from_millis(1678344435209)", "2023-03-09 06:47:15.209000000"},
        {"t", "mr_from_millis(9223372036854775807)", "! Timestamp is out of range"},
        {"t", "mr_from_unixtime(1)", "1970-01-01 00:00:01.000000000"},
        {"t", "mr_from_unixtime(-0.5)", "1969-12-31 23:59:59.500000000"},
        {"t", "mr_from_unixtime(1e300)", "! Timestamp is out of range"},
        {"t", "mr_from_unixtime('nan'::DOUBLE)", "! Timestamp is out of range"},
        {"l", "mr_ts_to_millis(-1)", "-1"},
        {"l", "mr_ival_to_millis(-1999999)", "-1"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void texts(void **state)
{
    static const struct value_case values[] = {
        {"t", "mr_text_to_ts('2023-03-09 04:30')", "2023-03-09 04:30:00.000000000"},
        {"t", "mr_text_to_ts('2023-03-09 06:47:15.204518 +0100')", "2023-03-09 05:47:15.204518000"},
        {"t", "mr_text_to_ts('abc')", "! Value cannot be cast to timestamp: abc"},
        {"D", "mr_text_to_date('2023-02-29')", "! Value cannot be cast to date: 2023-02-29"},
        {"T", "mr_text_to_time('06:30')", "06:30:00.000000000"},
        {"T", "mr_text_to_time('24:00')", "! Value cannot be cast to time: 24:00"},
        {"s", "mr_ts_to_text(" TS ")", "2023-03-09 06:47:15.209000342"},
        {"s", "mr_ts_to_iso8601(" TS ")", "2023-03-09T06:47:15.209000342Z"},
        {"s", "mr_date_to_text(19425)", "2023-03-09"},
        {"s", "mr_time_to_text(1)", "00:00:00.000000001"},
        {"s", "mr_ival_to_text(-226800000000000)", "-2 15:00:00.000000000"},
        {"s", "mr_ivaly_to_text(-52)", "-4-4"},
        {"v", "mr_parse_duration('12.5ms')", "0 00:00:00.012500000"},
        {"v", "mr_parse_duration('1 day')", "1 00:00:00.000000000"},
        {"v", "mr_parse_duration('abc')", "! duration is not a valid data duration string: abc"},
        {"v", "mr_parse_duration('5 fortnights')", "! Unknown time unit: fortnights"},
        {"v", "mr_parse_duration('1y')", "! Unknown time unit: y"},
        {"t", "mr_from_iso8601_timestamp('2023-03-09T06:47:15.209+02:00')", "2023-03-09 04:47:15.209000000"},
        {"t", "mr_from_iso8601_timestamp('x')", "! Invalid format: \"x\""},
        {"D", "mr_from_iso8601_date('2023-W10-4')", "2023-03-09"},
        {"D", "mr_from_iso8601_date('')", "! Invalid format: \"\""},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

/* The room's own fast printers say what sql/timetext.h says. */
static void printers_agree(void **state)
{
    MR_UNUSED(state);
    check_value("b",
                "bool_and(mr_ts_to_text(x) IS NOT NULL) FROM (SELECT a * 9173568372913847 AS x FROM "
                "range(-1000,1000) "
                "t(a))",
                "true");
    static const char *const stamps[] = {"0", "-1", "9223372036854775807", "(-9223372036854775807)::BIGINT",
                                         TS};
    for (size_t i = 0; i < MR_ARRAY_LEN(stamps); i++) {
        char sql[240];
        struct mr_buf got = MR_BUF_INIT;
        struct harness_case c;
        snprintf(sql, sizeof(sql), "SELECT %s::BIGINT, mr_ts_to_text(%s), %s::BIGINT, mr_ival_to_text(%s)",
                 stamps[i], stamps[i], stamps[i], stamps[i]);
        harness_case_init(&c, sql, "tsvs");
        harness_run(&c.plan, NULL, &got);
        /* the same text twice, twice */
        char a[64], b[64], d[64], e[64];
        mr_buf_char(&got, '\0');
        int n = sscanf(
            got.ptr,
            "[{\"ScalarValue\":\"%63[^\"]\"},{\"ScalarValue\":\"%63[^\"]\"},{\"ScalarValue\":\"%63[^\"]\"},{"
            "\"ScalarValue\":\"%63[^\"]\"}]",
            a, b, d, e);
        assert_int_equal(n, 4);
        assert_string_equal(a, b);
        assert_string_equal(d, e);
        mr_buf_release(&got);
        harness_case_release(&c);
    }
}

static void calendar(void **state)
{
    static const struct value_case values[] = {
        {"t", "mr_bin(mr_text_to_ts('2023-03-14 06:47:15'), 20 * 60000000000)",
         "2023-03-14 06:40:00.000000000"},
        {"t", "mr_bin(mr_text_to_ts('2023-03-14 06:47:15'), 45 * " DAY ")", "2023-02-07 00:00:00.000000000"},
        {"t", "mr_bin(-1, " DAY ")", "1969-12-31 00:00:00.000000000"},
        {"t", "mr_bin(7, 0)", "! bin interval must be positive"},
        {"t", "mr_bin((-9223372036854775808)::BIGINT, 1000)", "! Timestamp is out of range"},
        {"t", "mr_date_trunc_ts('HOUR', " TS ")", "2023-03-09 06:00:00.000000000"},
        {"t", "mr_date_trunc_ts('week', " TS ")", "2023-03-06 00:00:00.000000000"},
        {"t", "mr_date_trunc_ts('quarter', " TS ")", "2023-01-01 00:00:00.000000000"},
        {"t", "mr_date_trunc_ts('millisecond', " TS ")", "2023-03-09 06:47:15.209000000"},
        {"t", "mr_date_trunc_ts('fortnight', " TS ")", "! 'fortnight' is not a valid TIMESTAMP field"},
        {"D", "mr_date_trunc_date('month', 19425)", "2023-03-01"},
        {"D", "mr_date_trunc_date('hour', 19425)", "! 'hour' is not a valid DATE field"},
        {"T", "mr_date_trunc_time('minute', 24435209000342)", "06:47:00.000000000"},
        {"T", "mr_date_trunc_time('day', 1)", "! 'day' is not a valid TIME field"},
        {"t", "mr_date_add_ts('month', 1, mr_text_to_ts('2023-01-31 01:02:03'))",
         "2023-02-28 01:02:03.000000000"},
        {"t", "mr_date_add_ts('minute', -50, " TS ")", "2023-03-09 05:57:15.209000342"},
        {"t", "mr_date_add_ts('year', 9223372036854775807, 0)", "! Timestamp is out of range"},
        {"D", "mr_date_add_date('week', 2, 19425)", "2023-03-23"},
        {"D", "mr_date_add_date('year', -1, mr_text_to_date('2024-02-29'))", "2023-02-28"},
        {"D", "mr_date_add_date('day', 9223372036854775807, 1)", "! Date is out of range"},
        {"T", "mr_date_add_time('hour', -9223372036854775807, 0)", "17:00:00.000000000"},
        {"T", "mr_date_add_time('millisecond', 1, 86399999000000)", "00:00:00.000000000"},
        {"l", "mr_date_diff_ts('month', mr_text_to_ts('2022-01-31'), mr_text_to_ts('2022-02-28'))", "0"},
        {"l", "mr_date_diff_ts('hour', " TS ", 0)", "-466206"},
        {"l", "mr_date_diff_date('day', mr_text_to_date('2023-02-26'), mr_text_to_date('2023-03-01'))", "3"},
        {"l", "mr_date_diff_time('second', 0, 1999999999)", "1"},
        {"l", "mr_extract_ts('day_of_week', mr_text_to_ts('2024-11-24 18:36:09'))", "7"},
        {"l", "mr_extract_ts('week', mr_text_to_ts('2024-11-24 18:36:09'))", "47"},
        {"l", "mr_extract_ts('year_of_week', mr_text_to_ts('2024-12-31'))", "2025"},
        {"l", "mr_extract_ts('day_of_year', mr_text_to_ts('2024-11-24'))", "329"},
        {"l", "mr_extract_ts('nanosecond', " TS ")", "209000342"},
        {"l", "mr_extract_date('week', mr_text_to_date('2024-11-24'))", "47"},
        {"l", "mr_extract_date('year_of_week', mr_text_to_date('2024-12-31'))", "2025"},
        {"l", "mr_extract_date('day_of_week', -4)", "7"},
        {"l", "mr_extract_date('quarter', mr_text_to_date('2024-11-24'))", "4"},
        {"l", "mr_extract_date('day', mr_text_to_date('2024-11-24'))", "24"},
        {"l", "mr_extract_time('millisecond', 24435209000342)", "209"},
        {"l", "mr_extract_ival('day', -226800000000000)", "-2"},
        {"l", "mr_extract_ival('hour', -226800000000000)", "-15"},
        {"l", "mr_extract_ivaly('month', -52)", "-4"},
        {"l", "mr_extract_ivaly('year', 52)", "4"},
        {"D", "mr_last_day_ts(" TS ")", "2023-03-31"},
        {"D", "mr_last_day_date(mr_text_to_date('2024-02-01'))", "2024-02-29"},
        {"b",
         "bool_and(mr_extract_date(u, d) = mr_extract_ts(u, mr_date_to_ts(d))) FROM (SELECT a::INTEGER AS d "
         "FROM "
         "range(-9000,9000,7) t(a)), (VALUES ('year'), ('quarter'), ('month'), ('week'), ('day'), "
         "('day_of_week'), "
         "('day_of_year'), ('year_of_week')) f(u)",
         "true"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void mysql_patterns(void **state)
{
    static const struct value_case values[] = {
        {"s", "mr_date_format(" TS ", '%d.%m.%Y %H:%i:%s')", "09.03.2023 06:47:15"},
        {"s", "mr_date_format(" TS ", '%a %b %c %e %f %h %I %j %k %l %M %p %r %S %T %v %W %x %y %% %q')",
         "Thu Mar 3 9 209000 06 06 068 6 6 March AM 06:47:15 AM 15 06:47:15 10 Thursday 2023 23 % q"},
        {"s", "mr_date_format(mr_text_to_ts('2023-03-09 00:00:00'), '%h%p')", "12AM"},
        {"s", "mr_date_format(1, '%V')", "! %V not supported in date format string"},
        {"t", "mr_date_parse('09.03.2023 06:47:15', '%d.%m.%Y %H:%i:%s')", "2023-03-09 06:47:15.000000000"},
        {"t", "mr_date_parse('mar 9 69 11 pm .123456789', '%b %e %y %h %p .%f')",
         "2069-03-09 23:00:00.123456789"},
        {"t", "mr_date_parse('2023 068', '%Y %j')", "2023-03-09 00:00:00.000000000"},
        {"t", "mr_date_parse('2023-10-Thu', '%x-%v-%a')", "2023-03-09 00:00:00.000000000"},
        {"t", "mr_date_parse('06:47:15 AM', '%r')", "1970-01-01 06:47:15.000000000"},
        {"t", "mr_date_parse('abc', '%Y')", "! Invalid format: \"abc\""},
        {"t", "mr_date_parse('2019-1x', '%Y-%m')", "! Invalid format: \"2019-1x\" is malformed at \"x\""},
        {"t", "mr_date_parse('2019-13', '%Y-%m')", "! Invalid format: \"2019-13\""},
        {"t", "mr_date_parse('2019-', '%Y-%m')", "! Invalid format: \"2019-\" is too short"},
        {"t", "mr_date_parse('2019', '%D')", "! %D not supported in date format string"},
        {"t", "mr_date_parse('9999', '%Y')", "! Invalid format: \"9999\""},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

static void joda_patterns(void **state)
{
    static const struct value_case values[] = {
        {"s", "mr_format_datetime(mr_parse_datetime('30/05/1966 21', 'dd/MM/yyyy HH'), 'yyyy MM dd HH')",
         "1966 05 30 21"},
        {"s",
         "mr_format_datetime(" TS
         ", 'G C Y x w e E EEEE y yy D M MM MMM MMMM d a K h H k m s SSS SSSSSSSSS')",
         "AD 20 2023 2023 10 4 Thu Thursday 2023 23 68 3 03 Mar March 9 AM 6 6 6 6 47 15 209 209000342"},
        {"s", "mr_format_datetime(0, 'kk KK hh')", "24 00 12"},
        {"s", "mr_format_datetime(0, 'z zzzz Z ZZ ZZZ u LL')",
         "UTC Coordinated Universal Time +0000 +00:00 UTC 1970 01"},
        {"s", "mr_format_datetime(0, '''at'' yyyy''T''''x''''''')", "at 1970T'x'"},
        {"s", "mr_format_datetime(0, 'yyyy tt')", "! Illegal pattern component: tt"},
        {"t", "mr_parse_datetime('02/14/2023 22:05 EST', 'LL/dd/uuuu HH:mm z')",
         "2023-02-15 03:05:00.000000000"},
        {"t", "mr_parse_datetime('20230309064715209', 'yyyyMMddHHmmssSSS')", "2023-03-09 06:47:15.209000000"},
        {"t", "mr_parse_datetime('9 march 23 12 am +05:30', 'd MMMM yy h a Z')",
         "2023-03-08 18:30:00.000000000"},
        {"t", "mr_parse_datetime('2023-W10-4', 'xxxx-''W''ww-e')", "2023-03-09 00:00:00.000000000"},
        {"t", "mr_parse_datetime('12023-01-01', 'yyyy-MM-dd')", "! Invalid format: \"12023-01-01\""},
        {"t", "mr_parse_datetime('2023/01/01', 'yyyy-MM-dd')",
         "! Invalid format: \"2023/01/01\" is malformed at \"/01/01\""},
        {"t", "mr_parse_datetime('2023-02-30', 'yyyy-MM-dd')", "! Invalid format: \"2023-02-30\""},
        {"t", "mr_parse_datetime('x', 'f')", "! Illegal pattern component: f"},
        {"t", "mr_parse_datetime('2023', NULL::VARCHAR)", "null"},
    };
    MR_UNUSED(state);
    CHECK_VALUES(values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic), cmocka_unit_test(texts),          cmocka_unit_test(printers_agree),
        cmocka_unit_test(calendar),   cmocka_unit_test(mysql_patterns), cmocka_unit_test(joda_patterns),
    };
    return cmocka_run_group_tests(tests, harness_open, harness_close);
}
