/* The clock that requests set forward, and the words they do it with. */
#include "lib/check.h"

#include "server/clock_call.h"
#include "server/test_clock.h"

#include <pthread.h>

static void test_still(void **state)
{
    MR_UNUSED(state);
    struct mr_clock clock;
    int64_t now = 0, before = mr_clock_wall(&mr_clock_system);
    test_clock_init(&clock, TEST_CLOCK_STILL);
    int64_t start = mr_clock_wall(&clock);
    assert_true(start >= before);
    assert_true(start <= mr_clock_wall(&mr_clock_system));
    assert_int_equal(mr_clock_wall(&clock), start);
    assert_int_equal(test_clock_advance(&clock, 1, &now), MR_OK);
    assert_int_equal(now, start + 1);
    assert_int_equal(mr_clock_wall(&clock), start + 1);
    assert_int_equal(test_clock_move_to(&clock, start + MR_NS_PER_DAY, &now), MR_OK);
    assert_int_equal(mr_clock_wall(&clock), start + MR_NS_PER_DAY);
    assert_int_equal(test_clock_move_to(&clock, start + MR_NS_PER_DAY, &now), MR_OK); /* stays */
    assert_int_equal(test_clock_move_to(&clock, start, &now), MR_EINVAL);
    assert_int_equal(test_clock_advance(&clock, -1, &now), MR_EINVAL);
    assert_int_equal(mr_clock_wall(&clock), start + MR_NS_PER_DAY);
    assert_true(mr_clock_mono(&clock) - mr_clock_mono(&mr_clock_system) <= 0); /* the system's */
}

static void test_running(void **state)
{
    MR_UNUSED(state);
    struct mr_clock clock;
    int64_t now = 0;
    test_clock_init(&clock, TEST_CLOCK_ON);
    assert_true(mr_clock_wall(&clock) <= mr_clock_wall(&mr_clock_system));
    assert_int_equal(test_clock_advance(&clock, 1000 * MR_NS_PER_DAY, &now), MR_OK);
    int64_t system = mr_clock_wall(&mr_clock_system);
    assert_true(mr_clock_wall(&clock) >= system + 1000 * MR_NS_PER_DAY);
    assert_true(now <= system + 1000 * MR_NS_PER_DAY);
    assert_int_equal(test_clock_move_to(&clock, system, &now), MR_EINVAL);
    assert_int_equal(test_clock_move_to(&clock, system + 2000 * MR_NS_PER_DAY, &now), MR_OK);
    assert_int_equal(now, system + 2000 * MR_NS_PER_DAY);
    assert_true(mr_clock_wall(&clock) >= now);
}

static void test_ends(void **state)
{
    MR_UNUSED(state);
    struct mr_clock clock;
    int64_t now = 0;
    test_clock_init(&clock, TEST_CLOCK_STILL);
    assert_int_equal(test_clock_advance(&clock, INT64_MAX, &now), MR_EINVAL);
    assert_int_equal(test_clock_move_to(&clock, INT64_MIN, &now), MR_EINVAL);
    assert_int_equal(test_clock_move_to(&clock, TEST_CLOCK_END + 1, &now), MR_EINVAL);
    assert_int_equal(test_clock_move_to(&clock, TEST_CLOCK_END, &now), MR_OK);
    assert_int_equal(test_clock_advance(&clock, 0, &now), MR_OK);
    assert_int_equal(test_clock_advance(&clock, 1, &now), MR_EINVAL);
}

#define STEPS 20000

static void *walk(void *arg)
{
    int64_t now = 0, last = 0;
    for (int i = 0; i < STEPS; i++) {
        assert_int_equal(test_clock_advance(arg, 1, &now), MR_OK);
        assert_true(now > last);
        last = now;
    }
    return NULL;
}

static void test_steps_of_two_threads_add_up(void **state)
{
    MR_UNUSED(state);
    struct mr_clock clock;
    pthread_t thread;
    test_clock_init(&clock, TEST_CLOCK_STILL);
    int64_t start = mr_clock_wall(&clock);
    assert_int_equal(pthread_create(&thread, NULL, walk, &clock), 0);
    walk(&clock);
    pthread_join(thread, NULL);
    assert_int_equal(mr_clock_wall(&clock), start + 2 * STEPS);
}

static void test_durations(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *text;
        int64_t ns; /* -1: none */
    } cases[] = {
        {"1ns", 1},
        {"2us", 2000},
        {"3ms", 3000000},
        {"4s", 4 * MR_NS_PER_S},
        {"5m", 300 * MR_NS_PER_S},
        {"36h", 36 * MR_NS_PER_HOUR},
        {"1095d", 1095 * MR_NS_PER_DAY},
        {"0d", 0},
        {"", -1},
        {"5", -1},
        {"h", -1},
        {"-5h", -1},
        {"1.5h", -1},
        {" 5h", -1},
        {"5h ", -1},
        {"5y", -1},
        {"200000d", -1},
        {"99999999999999999999ns", -1},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        int64_t ns = -1;
        bool ok = clock_parse_duration(mr_str_of(cases[i].text), &ns);
        if (ok != (cases[i].ns >= 0) || (ok && ns != cases[i].ns))
            fail_msg("'%s' was read as %d, %lld", cases[i].text, ok, (long long)ns);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_still),     cmocka_unit_test(test_running),
        cmocka_unit_test(test_ends),      cmocka_unit_test(test_steps_of_two_threads_add_up),
        cmocka_unit_test(test_durations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
