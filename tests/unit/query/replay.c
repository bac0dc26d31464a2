/* ClientToken (query-api reference 4.3). */
#include "lib/check.h"

#include "query/run.h"

#include <stdio.h>

#define MINUTE (60 * MR_NS_PER_S)

static enum query_replay_hit find(struct query_replay *r, const char *who, const char *token,
                                  uint64_t parameters, int64_t now, const char *want)
{
    struct mr_buf out = MR_BUF_INIT;
    enum query_replay_hit hit = query_replay_find(r, mr_str_of(who), mr_str_of(token), parameters, now, &out);
    if (want != NULL)
        check_str(mr_buf_view(&out), want);
    mr_buf_release(&out);
    return hit;
}

static void test_windows(void **state)
{
    MR_UNUSED(state);
    struct query_replay *r = query_replay_new();
    assert_non_null(r);
    int64_t now = 1000 * MINUTE;
    assert_int_equal(find(r, "a", "t", 1, now, NULL), QUERY_REPLAY_NONE);
    query_replay_keep(r, MR_STR("a"), MR_STR("t"), 1, now, MR_STR("{answer}"));
    assert_int_equal(find(r, "a", "t", 1, now + 4 * MINUTE, "{answer}"), QUERY_REPLAY_SAME);
    assert_int_equal(find(r, "a", "t", 2, now, NULL), QUERY_REPLAY_CONFLICT);
    assert_int_equal(find(r, "b", "t", 1, now, NULL),
                     QUERY_REPLAY_NONE); /* another principal's token is another token */
    assert_int_equal(find(r, "a", "t", 1, now + 6 * MINUTE, NULL), QUERY_REPLAY_CONFLICT);
    assert_int_equal(find(r, "a", "t", 1, now + 241 * MINUTE, NULL), QUERY_REPLAY_NONE);
    static char page[1100000]; /* a whole page, and what stands around it */
    memset(page, 'x', sizeof page);
    query_replay_keep(r, MR_STR("a"), MR_STR("u"), 1, now, (struct mr_str){page, sizeof page});
    assert_int_equal(find(r, "a", "u", 1, now, NULL), QUERY_REPLAY_SAME);
    query_replay_free(r);
}

static void test_bounded(void **state)
{
    MR_UNUSED(state);
    struct query_replay *r = query_replay_new();
    assert_non_null(r);
    static char big[60000];
    memset(big, 'x', sizeof big);
    char token[16];
    for (int i = 0; i < 20000; i++) {
        snprintf(token, sizeof token, "t%d", i);
        query_replay_keep(r, MR_STR("a"), mr_str_of(token), 1, i + 1, (struct mr_str){big, sizeof big});
    }
    assert_int_equal(find(r, "a", "t19999", 1, 20001, NULL), QUERY_REPLAY_SAME);
    assert_int_equal(find(r, "a", "t19000", 1, 20001, NULL), QUERY_REPLAY_NONE); /* its answer had to go */
    assert_int_equal(find(r, "a", "t19000", 2, 20001, NULL),
                     QUERY_REPLAY_CONFLICT); /* the token is still known */
    assert_int_equal(find(r, "a", "t0", 1, 20001, NULL), QUERY_REPLAY_NONE);
    query_replay_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
