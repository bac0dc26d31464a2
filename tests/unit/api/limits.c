/* A key's calls: a second's worth at once, then evenly; keys do not take from each other. */
#include "lib/check.h"

#include <stdio.h>

#include "api/limits.h"
#include "base/clock.h"

static unsigned taken(struct api_limits *l, const char *key, enum api_rate rate, int64_t per_second,
                      int64_t now, unsigned tries)
{
    unsigned n = 0;
    for (unsigned i = 0; i < tries; i++)
        n += api_limits_take(l, mr_str_of(key), rate, per_second, now);
    return n;
}

static void test_bucket(void **state)
{
    MR_UNUSED(state);
    struct api_limits *l;
    int64_t now = 1000 * MR_NS_PER_S;
    assert_int_equal(api_limits_new(&l), MR_OK);
    assert_int_equal(taken(l, "A", API_RATE_ALL, 0, now, 1000), 1000); /* no limit */
    assert_int_equal(taken(l, "A", API_RATE_ALL, 5, now, 100), 5);
    assert_int_equal(taken(l, "A", API_RATE_CHANGE, 1, now, 100), 1); /* each rate has a bucket */
    assert_int_equal(taken(l, "B", API_RATE_ALL, 5, now, 100), 5);
    assert_int_equal(taken(l, "A", API_RATE_ALL, 5, now + MR_NS_PER_S / 5, 100), 1);
    assert_int_equal(taken(l, "A", API_RATE_ALL, 5, now + 100 * MR_NS_PER_S, 100),
                     5); /* no more than is in it */
    unsigned n = 0;
    for (int i = 1; i <= 1000; i++) /* ten seconds, 100 tries each */
        n += taken(l, "C", API_RATE_ALL, 7, now + i * MR_NS_PER_S / 100, 1);
    assert_in_range(n, 70, 77);
    api_limits_free(l);
    api_limits_free(NULL);
}

/* More keys than places: nobody gets more than its rate and, while the others rest, nobody less. */
static void test_many_keys(void **state)
{
    MR_UNUSED(state);
    struct api_limits *l;
    assert_int_equal(api_limits_new(&l), MR_OK);
    for (int i = 0; i < 10000; i++) {
        char key[16];
        snprintf(key, sizeof key, "K%d", i);
        assert_int_equal(taken(l, key, API_RATE_ALL, 3, (i + 1) * INT64_C(2) * MR_NS_PER_S, 10), 3);
    }
    api_limits_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bucket), cmocka_unit_test(test_many_keys)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
