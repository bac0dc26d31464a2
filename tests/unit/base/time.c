#include "lib/check.h"

#include "base/clock.h"

static void test_civil_round_trip(void **state)
{
    MR_UNUSED(state);
    int64_t previous = mr_days_from_civil(1599, 12, 31);
    for (int64_t days = mr_days_from_civil(1600, 1, 1); days < mr_days_from_civil(2400, 1, 1); days++) {
        int64_t y;
        unsigned m, d;
        mr_civil_from_days(days, &y, &m, &d);
        assert_int_equal(mr_days_from_civil(y, m, d), days);
        assert_int_equal(days, previous + 1);
        previous = days;
    }
    assert_int_equal(mr_days_from_civil(1970, 1, 1), 0);
    assert_int_equal(mr_days_from_civil(2000, 3, 1), 11017);
    assert_int_equal(mr_days_from_civil(1677, 9, 21), -106752);
    assert_int_equal(mr_days_from_civil(2262, 4, 11), 106751);
}

static void test_forms(void **state)
{
    MR_UNUSED(state);
    char out[32];
    mr_format_iso_ms(INT64_C(1767323045678901234), out);
    assert_string_equal(out, "2026-01-02T03:04:05.678Z");
    mr_format_iso_ms(INT64_C(-1), out);
    assert_string_equal(out, "1969-12-31T23:59:59.999Z");
    mr_format_iso_ms(INT64_MIN, out);
    assert_string_equal(out, "1677-09-21T00:12:43.145Z");
    mr_format_amz_date(INT64_C(1767323045678901234), out);
    assert_string_equal(out, "20260102T030405Z");
}

static void test_manual_clock(void **state)
{
    MR_UNUSED(state);
    struct mr_clock clock;
    mr_clock_manual_init(&clock, 42);
    assert_int_equal(mr_clock_wall(&clock), 42);
    mr_clock_manual_set(&clock, 99);
    assert_int_equal(mr_clock_wall(&clock), 99);
    assert_int_equal(mr_clock_mono(&clock), 99);
    assert_true(mr_clock_wall(&mr_clock_system) > INT64_C(1700000000) * MR_NS_PER_S);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_civil_round_trip),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_manual_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
