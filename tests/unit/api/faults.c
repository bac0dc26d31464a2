/* Allocations that fail: each request, with its n-th allocation refused, for every n. The answer is
 * MR_ENOMEM, there is no half answer, and the same request succeeds (or conflicts, when only the answer could
 * not be made) afterwards. */
#include "world.h"

#include "base/log.h"
#include "lib/fault.h"

#define ARN "arn:aws:timestream:eu-west-1:123456789012:database/plant"

static int setup(void **state)
{
    world_setup(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"plant\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}");
    succeeds("CreateDatabase", "{\"DatabaseName\":\"quarry\"}");
    succeeds("CreateTable",
             "{\"DatabaseName\":\"plant\",\"TableName\":\"pumps\",\"MagneticStoreWriteProperties\":"
             "{\"EnableMagneticStoreWrites\":true,\"MagneticStoreRejectedDataLocation\":"
             "{\"S3Configuration\":{\"BucketName\":\"leftovers\"}}}}");
    succeeds("CreateTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"valves\"}");
    mr_log_set_level(MR_LOG_ERROR + 1);
    return 0;
}

static int teardown(void **state)
{
    fault_alloc(0);
    mr_log_set_level(MR_LOG_INFO);
    return world_teardown(state);
}

/* A request that may be repeated: every allocation fails once, then it succeeds. */
static void survives(const char *operation, const char *input)
{
    unsigned n = 1;
    for (;; n++) {
        mr_buf_release(&world.out); /* so that the answer's own memory is asked for again */
        mr_arena_release(&world.arena);
        fault_alloc(n);
        int rc = world_send(operation, input);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        if (!fired) {
            assert_int_equal(rc, MR_OK);
            break;
        }
        if (rc != MR_OK && rc != MR_ENOMEM)
            fail_msg("%s, allocation %u: %s: " MR_STR_FMT, operation, n, mr_status_name((enum mr_status)rc),
                     MR_STR_ARG(world.fault.message));
        assert_true(n < 200);
    }
    assert_true(n > 1);
}

static void reads(void **state)
{
    MR_UNUSED(state);
    survives("DescribeDatabase", "{\"DatabaseName\":\"plant\"}");
    survives("ListDatabases", "{\"MaxResults\":1}");
    survives("DescribeTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"pumps\"}");
    survives("ListTables", "{\"MaxResults\":1}");
    survives("ListTagsForResource", "{\"ResourceARN\":\"" ARN "\",\"MaxResults\":1}");
    survives("DescribeEndpoints", "{}");
    survives("DescribeAccountSettings", "{}");
}

static void changes_that_repeat(void **state)
{
    MR_UNUSED(state);
    survives("UpdateDatabase", "{\"DatabaseName\":\"plant\",\"KmsKeyId\":\"alias/other\"}");
    survives("UpdateTable",
             "{\"DatabaseName\":\"plant\",\"TableName\":\"pumps\",\"MagneticStoreWriteProperties\":"
             "{\"EnableMagneticStoreWrites\":false}}");
    survives("TagResource", "{\"ResourceARN\":\"" ARN "\",\"Tags\":[{\"Key\":\"x\",\"Value\":\"y\"}]}");
    survives("UntagResource", "{\"ResourceARN\":\"" ARN "\",\"TagKeys\":[\"x\"]}");
    survives("UpdateAccountSettings", "{\"MaxQueryTCU\":8}");
}

/* Creates and deletes: a failure before the commit leaves nothing, one after it leaves all. */
static void changes_once(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *change, *input, *undo, *undo_input;
    } pairs[] = {
        {"CreateDatabase", "{\"DatabaseName\":\"new\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}",
         "DeleteDatabase", "{\"DatabaseName\":\"new\"}"},
        {"CreateTable",
         "{\"DatabaseName\":\"plant\",\"TableName\":\"new\",\"Tags\":[{\"Key\":\"k\",\"Value\":\"v\"}]}",
         "DeleteTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"new\"}"},
        {"DeleteTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"valves\"}", "CreateTable",
         "{\"DatabaseName\":\"plant\",\"TableName\":\"valves\"}"},
        {"DeleteDatabase", "{\"DatabaseName\":\"quarry\"}", "CreateDatabase",
         "{\"DatabaseName\":\"quarry\"}"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(pairs); i++) {
        for (unsigned n = 1;; n++) {
            mr_buf_release(&world.out);
            mr_arena_release(&world.arena);
            fault_alloc(n);
            int rc = world_send(pairs[i].change, pairs[i].input);
            bool fired = fault_alloc_fired();
            fault_alloc(0);
            assert_true(rc == MR_OK || rc == MR_ENOMEM);
            mr_arena_release(&world.arena); /* which remembers that it was refused memory */
            int undone = world_send(pairs[i].undo, pairs[i].undo_input);
            bool nothing = world.fault.error == MODEL_NOT_FOUND || world.fault.error == MODEL_CONFLICT;
            if (undone != MR_OK &&
                (rc == MR_OK || !nothing)) /* it may only fail when there is nothing to undo */
                fail_msg("%s, allocation %u: %s: " MR_STR_FMT, pairs[i].undo, n,
                         mr_status_name((enum mr_status)undone), MR_STR_ARG(world.fault.message));
            if (!fired)
                break;
            assert_true(n < 200);
        }
    }
}

static void boot(void **state)
{
    MR_UNUSED(state);
    unsigned n = 1;
    for (;; n++) {
        struct api_context second = {.catalog = world.api.catalog, .clock = &world.clock};
        struct mr_error err = MR_ERROR_INIT;
        fault_alloc(n);
        int rc = api_context_init(&second, &err);
        fault_alloc(0);
        if (rc == MR_OK) {
            api_context_release(&second);
            break;
        }
        assert_int_equal(rc, MR_ENOMEM);
        assert_null(second.state);
        assert_true(n < 50);
    }
    assert_true(n > 2);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(reads), TEST(changes_that_repeat), TEST(changes_once),
                                       TEST(boot)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
