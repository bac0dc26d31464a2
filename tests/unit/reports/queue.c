/* tests/unit/reports/queue.c - what a report says and where it goes; and a target that never answers. */
#include "lib/check.h"

#include "base/log.h"
#include "reports/private.h"

#include <ctype.h>

static const struct reports_place garden = {.database = MR_STR("db"),
                                            .table = MR_STR("t.1"),
                                            .bucket = MR_STR("shelf"),
                                            .prefix = MR_STR("in/here/")};

static struct reports_batch *add(struct reports_queue *q, const struct reports_place *place,
                                 const char *reason, const char *record)
{
    struct reports_batch *b = NULL;
    assert_int_equal(queue_add(q, place, mr_str_of(reason), mr_str_of(record), 5, &b), MR_OK);
    return b;
}

static void test_body_and_path(void **state)
{
    MR_UNUSED(state);
    struct reports_queue q = {NULL, 0};
    struct mr_buf body = MR_BUF_INIT, path = MR_BUF_INIT;
    struct reports_batch *b = add(&q, &garden, "low \"version\"", "{\"a\":1}");
    assert_ptr_equal(add(&q, &garden, "same", "{\"a\":2}"), b);
    assert_ptr_equal(add(&q, &garden, "low \"version\"", "{\"a\":3}"), b);
    assert_int_equal(b->count, 3);
    queue_close_batch(b, INT64_C(1767323045) * MR_NS_PER_S, 9);
    for (const char *c = b->id; *c != '\0'; c++)
        assert_true(isdigit((unsigned char)*c) || (*c >= 'A' && *c <= 'F'));
    assert_int_equal(strlen(b->id), 32);
    memcpy(b->id, "0123456789ABCDEF0123456789ABCDEF", 32);
    assert_int_equal(batch_body(b, &body), MR_OK);
    check_str(mr_buf_view(&body), "{\"reportId\":\"0123456789ABCDEF0123456789ABCDEF\",\"errors\":["
                                  "{\"reason\":\"low \\\"version\\\"\",\"records\":[{\"a\":1},{\"a\":3}]},"
                                  "{\"reason\":\"same\",\"records\":[{\"a\":2}]}]}");
    assert_int_equal(batch_path(b, &path), MR_OK);
    check_str(mr_buf_view(&path),
              "/shelf/in/here/db/t.1/2026-01-02T03:04:05/0123456789ABCDEF0123456789ABCDEF.json");
    /* A closed report takes no more. */
    struct reports_batch *other = add(&q, &garden, "same", "{}");
    assert_ptr_not_equal(other, b);
    queue_take_out(&q, b);
    queue_take_out(&q, other);
    assert_null(q.first);
    assert_int_equal(q.bytes, 0);
    mr_buf_release(&body);
    mr_buf_release(&path);
}

static void test_places_do_not_share(void **state)
{
    MR_UNUSED(state);
    struct reports_queue q = {NULL, 0};
    struct mr_buf path = MR_BUF_INIT;
    struct reports_place others[5] = {garden, garden, garden, garden, garden};
    others[0].table = MR_STR("t.2");
    others[1].bucket = MR_STR("other");
    others[2].prefix = MR_STR_NULL;
    others[3].encryption = REPORTS_SSE_S3;
    others[4].kms_key = MR_STR("alias/k");
    struct reports_batch *first = add(&q, &garden, "same", "{}");
    for (size_t i = 0; i < MR_ARRAY_LEN(others); i++)
        assert_ptr_not_equal(add(&q, &others[i], "same", "{}"), first);
    struct reports_batch *bare = add(&q, &others[2], "same", "{}");
    queue_close_batch(bare, 0, 0);
    memcpy(bare->id, "X", 2);
    assert_int_equal(batch_path(bare, &path), MR_OK);
    check_str(mr_buf_view(&path), "/shelf/db/t.1/1970-01-01T00:00:00/X.json");
    while (q.first != NULL)
        queue_take_out(&q, q.first);
    mr_buf_release(&path);
}

static struct reports *open_at(const char *endpoint, size_t memory)
{
    struct mr_error err = MR_ERROR_INIT;
    struct reports *r;
    const struct reports_options options = {
        .s3 = {.endpoint = endpoint,
               .region = "us-east-1",
               .credentials = {.access_key_id = "AKIDREPORTS", .secret_access_key = "secret"}},
        .memory = memory,
        .linger_ns = 1,
        .pause_ns = 1,
    };
    check_ok(reports_open(&options, &r, &err), &err);
    return r;
}

/* Nobody listens there: every record is dropped after the last attempt, or at the stop, and counted. */
static void test_a_target_that_is_not_there(void **state)
{
    MR_UNUSED(state);
    struct reports *r = open_at("http://127.0.0.1:1", 0);
    struct reports_stats stats;
    for (int i = 0; i < 100; i++)
        reports_add(r, &garden, MR_STR("same"), MR_STR("{}"));
    do
        reports_stats(r, &stats);
    while (stats.dropped < 100);
    assert_int_equal(stats.dropped, 100);
    assert_int_equal(stats.objects, 0);
    assert_int_equal(stats.user_failures, 0);
    assert_int_equal(stats.own_failures % REPORTS_ATTEMPTS, 0);
    assert_int_equal(stats.waiting_bytes, 0);
    assert_int_equal(reports_check(r, MR_STR("shelf"), NULL), MR_EIO);
    reports_close(r);
}

/* What does not fit is dropped, and nothing grows. */
static void test_memory_is_bounded(void **state)
{
    MR_UNUSED(state);
    struct reports *r = open_at("http://127.0.0.1:1", 4000);
    struct reports_stats stats;
    char record[2000];
    memset(record, 'x', sizeof record);
    for (int i = 0; i < 50; i++) {
        reports_add(r, &garden, MR_STR("same"), (struct mr_str){record, sizeof record});
        reports_stats(r, &stats);
        assert_true(stats.waiting_bytes <= 4000 + 3 * 512);
    }
    reports_close(r);
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_body_and_path),
        cmocka_unit_test(test_places_do_not_share),
        cmocka_unit_test(test_a_target_that_is_not_there),
        cmocka_unit_test(test_memory_is_bounded),
    };
    return cmocka_run_group_tests_name("reports/queue", tests, NULL, NULL);
}
