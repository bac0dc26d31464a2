/* tests/unit/sql/times.c - the calendar and the texts of times, both ways and at the ends of their ranges. */
#include "sql/timetext.h"

#include "lib/check.h"

#define TS(s) timestamp_of(MR_STR(s))

static int64_t timestamp_of(struct mr_str text)
{
    int64_t ns;
    if (!sql_parse_timestamp(text, &ns))
        fail_msg("not a timestamp: " MR_STR_FMT, MR_STR_ARG(text));
    return ns;
}

static void check_timestamp(int64_t ns, const char *want)
{
    char text[SQL_TIME_TEXT];
    size_t n = sql_print_timestamp(ns, text);
    check_str((struct mr_str){text, n}, want);
}

static void timestamps_are_read_in_every_form(void **state)
{
    MR_UNUSED(state);
    assert_int_equal(TS("1970-01-01"), 0);
    assert_int_equal(TS("1970-01-01 00:01"), SQL_NS_MINUTE);
    assert_int_equal(TS("1970-01-01 00:00:01.5"), 1500000000);
    assert_int_equal(TS("1970-01-01 00:00:00.000000001"), 1);
    assert_int_equal(TS("1970-01-01 02:00:00 +0200"), 0);
    assert_int_equal(TS("1970-01-01T02:00:00+02:00"), 0);
    assert_int_equal(TS("1970-01-01 00:00:00Z"), 0);
    assert_int_equal(TS("1970-01-01 00:00:00 UTC"), 0);
    assert_int_equal(TS("1969-12-31 23:59:59.999999999"), -1);
    assert_int_equal(TS("2262-04-11 23:47:16.854775807"), INT64_MAX);
    assert_int_equal(TS("1677-09-21 00:12:43.145224192"), INT64_MIN);
}

static void bad_timestamps_are_refused(void **state)
{
    MR_UNUSED(state);
    static const char *const bad[] = {"",
                                      "x",
                                      "2024-02-30",
                                      "2023-02-29",
                                      "2024-13-01",
                                      "2024-00-01",
                                      "2024-01-00",
                                      "24-01-01",
                                      "2024-01-01 24:00",
                                      "2024-01-01 10:60",
                                      "2024-01-01 10:00:60",
                                      "2024-01-01 10",
                                      "2024-01-01 10:00:00.",
                                      "2024-01-01 10:00:00.1234567890",
                                      "2024-01-01 10:00:00 +25:00",
                                      "2024-01-01 10:00:00 PST",
                                      "2024-01-01 10:00:00x",
                                      " 2024-01-01",
                                      "2262-04-11 23:47:16.854775808",
                                      "9999-01-01"};
    int64_t ns;
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        if (sql_parse_timestamp(mr_str_of(bad[i]), &ns))
            fail_msg("taken for a timestamp: %s", bad[i]);
    }
}

static void texts_come_back(void **state)
{
    MR_UNUSED(state);
    check_timestamp(0, "1970-01-01 00:00:00.000000000");
    check_timestamp(-1, "1969-12-31 23:59:59.999999999");
    check_timestamp(INT64_MAX, "2262-04-11 23:47:16.854775807");
    check_timestamp(INT64_MIN, "1677-09-21 00:12:43.145224192");
    char text[SQL_TIME_TEXT];
    sql_print_interval_day(-SQL_NS_DAY - 1, text);
    assert_string_equal(text, "-1 00:00:00.000000001");
    sql_print_interval_day(INT64_MIN, text);
    assert_string_equal(text, "-106751 23:47:16.854775808");
    sql_print_interval_year(-52, text);
    assert_string_equal(text, "-4-4");
    sql_print_interval_year(INT32_MIN, text);
    assert_string_equal(text, "-178956970-8");
    sql_print_date(-1, text);
    assert_string_equal(text, "1969-12-31");
    sql_print_time(SQL_NS_DAY - 1, text);
    assert_string_equal(text, "23:59:59.999999999");
    sql_print_iso_timestamp(1, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000000001Z");
}

static void iso_dates_have_three_systems(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *text;
        int32_t days;
    } good[] = {{"1970-01-02", 1}, {"1970-02", 31},   {"1971", 365},      {"1970-002", 1},
                {"1970-W01", -3},  {"1970-W01-4", 0}, {"1972-366", 1095}, {"2020-W53-7", 18630}};
    static const char *const bad[] = {"1970-13",    "1970-000", "1971-366", "1970-W54",
                                      "1970-W01-8", "70-01-01", "1970-1"};
    int32_t days;
    for (size_t i = 0; i < MR_ARRAY_LEN(good); i++) {
        assert_true(sql_parse_iso_date(mr_str_of(good[i].text), &days));
        assert_int_equal(days, good[i].days);
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        assert_false(sql_parse_iso_date(mr_str_of(bad[i]), &days));
    int64_t ns;
    assert_true(sql_parse_iso_timestamp(MR_STR("1970-01-01T01:00:00.5+01:00"), &ns));
    assert_int_equal(ns, 500000000);
    assert_false(sql_parse_iso_timestamp(MR_STR("1970-01-01 01:00"), &ns));
}

static void durations_have_units(void **state)
{
    MR_UNUSED(state);
    bool months;
    int64_t value;
    struct mr_str unit;
    assert_int_equal(sql_parse_duration(MR_STR("12.5ms"), &months, &value, &unit), SQL_DURATION_OK);
    assert_int_equal(value, 12500000);
    assert_int_equal(sql_parse_duration(MR_STR(" 1 Day "), &months, &value, &unit), SQL_DURATION_OK);
    assert_int_equal(value, SQL_NS_DAY);
    assert_int_equal(sql_parse_duration(MR_STR("3year"), &months, &value, &unit), SQL_DURATION_OK);
    assert_true(months);
    assert_int_equal(value, 36);
    assert_int_equal(sql_parse_duration(MR_STR("3 weeks"), &months, &value, &unit), SQL_DURATION_BAD_UNIT);
    check_str(unit, "weeks");
    static const char *const bad[] = {"", "d", "3", "-3d", "1.d", "99999999999d", "99999999999999999999s"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        assert_int_equal(sql_parse_duration(mr_str_of(bad[i]), &months, &value, &unit),
                         SQL_DURATION_BAD_FORM);
}

static void months_clamp(void **state)
{
    MR_UNUSED(state);
    int64_t out;
    assert_true(sql_ts_add_months(TS("2024-01-31 08:00"), 1, &out));
    check_timestamp(out, "2024-02-29 08:00:00.000000000");
    assert_true(sql_ts_add_months(TS("2024-03-31"), -13, &out));
    check_timestamp(out, "2023-02-28 00:00:00.000000000");
    assert_false(sql_ts_add_months(TS("2024-03-31"), 12 * 300, &out));
    assert_false(sql_ts_add_months(0, INT64_MAX, &out));
    assert_false(sql_ts_add_months(0, INT64_MIN, &out));
}

static void units_truncate_and_count(void **state)
{
    MR_UNUSED(state);
    int64_t t = TS("2024-05-17 10:20:30.456789123"), out; /* a Friday */
    static const struct {
        enum sql_unit unit;
        const char *want;
    } cases[] = {{SQL_UNIT_MILLISECOND, "2024-05-17 10:20:30.456000000"},
                 {SQL_UNIT_HOUR, "2024-05-17 10:00:00.000000000"},
                 {SQL_UNIT_WEEK, "2024-05-13 00:00:00.000000000"},
                 {SQL_UNIT_MONTH, "2024-05-01 00:00:00.000000000"},
                 {SQL_UNIT_QUARTER, "2024-04-01 00:00:00.000000000"},
                 {SQL_UNIT_YEAR, "2024-01-01 00:00:00.000000000"}};
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        assert_true(sql_ts_trunc(cases[i].unit, t, &out));
        check_timestamp(out, cases[i].want);
    }
    assert_false(sql_ts_trunc(SQL_UNIT_YEAR, INT64_MIN, &out));
    assert_int_equal(sql_ts_diff(SQL_UNIT_MONTH, TS("2024-01-31"), TS("2024-02-29")), 0);
    assert_int_equal(sql_ts_diff(SQL_UNIT_MONTH, TS("2024-02-29"), TS("2024-01-29")), -1);
    assert_int_equal(sql_ts_diff(SQL_UNIT_YEAR, TS("2020-05-17"), t), 4);
    assert_int_equal(sql_ts_diff(SQL_UNIT_DAY, TS("2024-05-17 12:00"), TS("2024-05-15 13:00")), -1);
    assert_int_equal(sql_ts_field(SQL_UNIT_WEEK, TS("2021-01-03")), 53);
    assert_int_equal(sql_ts_field(SQL_FIELD_YEAR_OF_WEEK, TS("2021-01-03")), 2020);
    assert_int_equal(sql_ts_field(SQL_FIELD_DAY_OF_WEEK, TS("2024-05-17")), 5);
    assert_int_equal(sql_ts_field(SQL_FIELD_DAY_OF_YEAR, TS("2024-12-31")), 366);
    assert_int_equal(sql_ts_field(SQL_UNIT_YEAR, INT64_MIN), 1677);
}

static void bins_count_from_the_epoch(void **state)
{
    MR_UNUSED(state);
    int64_t out;
    assert_true(sql_ts_bin(TS("2024-05-17 10:20"), 7 * SQL_NS_DAY, &out));
    check_timestamp(out, "2024-05-16 00:00:00.000000000"); /* a Thursday, like the epoch */
    assert_true(sql_ts_bin(-1, SQL_NS_HOUR, &out));
    check_timestamp(out, "1969-12-31 23:00:00.000000000");
    assert_false(sql_ts_bin(0, 0, &out));
    assert_false(sql_ts_bin(0, -1, &out));
    assert_false(sql_ts_bin(INT64_MIN, SQL_NS_DAY, &out));
}

/* Every day of the range goes to a date and back, and weekdays follow each other. */
static void days_and_dates_agree(void **state)
{
    MR_UNUSED(state);
    for (int64_t day = -106751; day <= 106751; day++) {
        struct sql_civil c = sql_civil_of_days(day);
        assert_int_equal(sql_days_of_civil(c.year, c.month, c.day), day);
        assert_true(c.day <= sql_days_in_month(c.year, c.month));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timestamps_are_read_in_every_form),
        cmocka_unit_test(bad_timestamps_are_refused),
        cmocka_unit_test(texts_come_back),
        cmocka_unit_test(iso_dates_have_three_systems),
        cmocka_unit_test(durations_have_units),
        cmocka_unit_test(months_clamp),
        cmocka_unit_test(units_truncate_and_count),
        cmocka_unit_test(bins_count_from_the_epoch),
        cmocka_unit_test(days_and_dates_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
