/* Texts of chaos, and that chance keeps to them. */
#include "lib/check.h"

#include "api/chaos.h"
#include "base/clock.h"

static void set(struct api_chaos *c, const char *text)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(api_chaos_set(c, mr_str_of(text), &err), &err);
}

static void test_groups(void **state)
{
    MR_UNUSED(state);
    struct api_chaos *c;
    assert_int_equal(api_chaos_new(&c), MR_OK);
    assert_false(api_chaos_on(c));
    set(c, "ListTables:throttle=1 ; *:fail=1,delay=1@250;skew=-3");
    assert_true(api_chaos_on(c));
    assert_true(api_chaos_skew_ns(c) == -3 * MR_NS_PER_S);
    struct api_chaos_fate f = api_chaos_draw(c, MODEL_OP_LIST_TABLES);
    assert_true(f.throttle && !f.fail && f.delay_ns == 0);
    f = api_chaos_draw(c, MODEL_OP_QUERY);
    assert_true(f.fail && !f.unavailable && !f.empty && f.delay_ns == 250 * MR_NS_PER_MS);
    f = api_chaos_draw(c, MODEL_OP_QUERY);
    assert_true(f.fail && f.unavailable);
    assert_int_equal(api_chaos_count(c, CHAOS_FAIL), 2);
    set(c, "Query:empty=1;WriteRecords:reject=1");
    assert_true(api_chaos_draw(c, MODEL_OP_QUERY).empty);
    assert_true(api_chaos_rejects(c));
    assert_false(api_chaos_draw(c, MODEL_OP_LIST_TABLES).throttle);
    set(c, "");
    assert_false(api_chaos_on(c) || api_chaos_draw(c, MODEL_OP_QUERY).empty || api_chaos_rejects(c));
    api_chaos_free(c);
    api_chaos_free(NULL);
}

/* 10,000 draws of each probability, each seed the same once more. */
static void test_chance(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *text;
        unsigned least, most;
    } rows[] = {{"*:throttle=0;seed=1", 0, 0},
                {"*:throttle=0.1;seed=1", 850, 1150},
                {"*:throttle=0.5;seed=2", 4800, 5200},
                {"*:throttle=1.0;seed=3", 10000, 10000}};
    struct api_chaos *c;
    assert_int_equal(api_chaos_new(&c), MR_OK);
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        unsigned hits[2] = {0};
        for (int again = 0; again < 2; again++) {
            set(c, rows[i].text);
            for (unsigned k = 0; k < 10000; k++)
                hits[again] += api_chaos_draw(c, MODEL_OP_LIST_TABLES).throttle;
        }
        assert_in_range(hits[0], rows[i].least, rows[i].most);
        assert_int_equal(hits[0], hits[1]);
    }
    api_chaos_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_groups), cmocka_unit_test(test_chance)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
