/* DescribeAccountSettings, UpdateAccountSettings: query-api reference 3.14, 3.15 and 10. */
#include "world.h"

#include "base/log.h"

#define DEFAULTS                                                                                             \
    "{\"MaxQueryTCU\":200,\"QueryPricingModel\":\"COMPUTE_UNITS\",\"QueryCompute\":{\"ComputeMode\":\"ON_"   \
    "DEMAND\"}}"
#define PROVISIONED(tcu, more)                                                                               \
    "{\"QueryCompute\":{\"ComputeMode\":\"PROVISIONED\",\"ProvisionedCapacity\":{\"TargetQueryTCU\":" tcu    \
        more "}}}"

/* 10: the default reply. */
static void defaults(void **state)
{
    MR_UNUSED(state);
    answers("DescribeAccountSettings", "", DEFAULTS);
    answers("UpdateAccountSettings", "{}", DEFAULTS);
}

/* 10: multiples of 4 from 4 to 1000; kept over a restart. */
static void max_query_tcu(void **state)
{
    MR_UNUSED(state);
    const char *text = "MaxQueryTCU must be a multiple of 4 between 4 and 1000.";
    static const char *const bad[] = {"0", "3", "6", "-4", "1001", "1004"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        fails("UpdateAccountSettings", mr_arena_printf(&world.arena, "{\"MaxQueryTCU\":%s}", bad[i]).ptr,
              MODEL_VALIDATION, text);
    answers("DescribeAccountSettings", "{}", DEFAULTS);
    succeeds("UpdateAccountSettings", "{\"MaxQueryTCU\":1000}");
    const char *want = "{\"MaxQueryTCU\":4,\"QueryPricingModel\":\"COMPUTE_UNITS\",\"QueryCompute\":{"
                       "\"ComputeMode\":\"ON_DEMAND\"}}";
    answers("UpdateAccountSettings", "{\"MaxQueryTCU\":4,\"QueryPricingModel\":\"COMPUTE_UNITS\"}", want);
    world_restart();
    answers("DescribeAccountSettings", "{}", want);
    answers("UpdateAccountSettings", "{\"QueryCompute\":{\"ComputeMode\":\"ON_DEMAND\"}}", want);
}

/* 10: only COMPUTE_UNITS is taken. */
static void pricing_model(void **state)
{
    MR_UNUSED(state);
    fails("UpdateAccountSettings", "{\"QueryPricingModel\":\"BYTES_SCANNED\",\"MaxQueryTCU\":8}",
          MODEL_VALIDATION, "The only query pricing model that can be set is COMPUTE_UNITS.");
    answers("DescribeAccountSettings", "{}", DEFAULTS);
}

/* 10: provisioned capacity is offered in one region only. */
static void no_provisioned_mode_here(void **state)
{
    MR_UNUSED(state);
    fails("UpdateAccountSettings", PROVISIONED("8", ""), MODEL_VALIDATION,
          "The compute mode PROVISIONED is not available in this region.");
    fails("UpdateAccountSettings", "{\"QueryCompute\":{\"ProvisionedCapacity\":{\"TargetQueryTCU\":8}}}",
          MODEL_VALIDATION, "ProvisionedCapacity can be set in the compute mode PROVISIONED only.");
}

/* 10: and there it is the only mode; the answer has the active capacity and the last update. */
static void provisioned_mode(void **state)
{
    MR_UNUSED(state);
    world.call.region = MR_STR("ap-south-1");
    fails("UpdateAccountSettings", "{\"QueryCompute\":{\"ComputeMode\":\"ON_DEMAND\"}}", MODEL_VALIDATION,
          "The only compute mode that can be set in this region is PROVISIONED.");
    fails("UpdateAccountSettings", "{\"QueryCompute\":{\"ComputeMode\":\"PROVISIONED\"}}", MODEL_VALIDATION,
          "The compute mode PROVISIONED needs a ProvisionedCapacity.");
    fails("UpdateAccountSettings", PROVISIONED("6", ""), MODEL_VALIDATION,
          "TargetQueryTCU must be a multiple of 4 between 4 and 1000.");
    const char *want =
        "{\"MaxQueryTCU\":200,\"QueryPricingModel\":\"COMPUTE_UNITS\",\"QueryCompute\":{\"ComputeMode\":"
        "\"PROVISIONED\",\"ProvisionedCapacity\":{\"ActiveQueryTCU\":16,\"NotificationConfiguration\":"
        "{\"SnsConfiguration\":{\"TopicArn\":\"arn:aws:sns:ap-south-1:123456789012:tcu\"},\"RoleArn\":"
        "\"arn:aws:iam::123456789012:role/tcu\"},\"LastUpdate\":{\"TargetQueryTCU\":16,\"Status\":"
        "\"SUCCEEDED\"}}}}";
    answers("UpdateAccountSettings",
            PROVISIONED("16", ",\"NotificationConfiguration\":{\"SnsConfiguration\":{\"TopicArn\":"
                              "\"arn:aws:sns:ap-south-1:123456789012:tcu\"},\"RoleArn\":"
                              "\"arn:aws:iam::123456789012:role/tcu\"}"),
            want);
    world_restart();
    answers("DescribeAccountSettings", "{}", want);
    fails("UpdateAccountSettings", "{\"MaxQueryTCU\":8}", MODEL_VALIDATION,
          "MaxQueryTCU can be set in the compute mode ON_DEMAND only.");
}

/* 10: lowered an hour after the last change at the earliest, raised at any time. */
static void lowering_waits(void **state)
{
    MR_UNUSED(state);
    int64_t start = mr_clock_wall(&world.clock);
    const char *text = "TargetQueryTCU can be lowered an hour after its last change at the earliest.";
    world.call.region = MR_STR("ap-south-1");
    succeeds("UpdateAccountSettings", PROVISIONED("16", ""));
    succeeds("UpdateAccountSettings", PROVISIONED("32", ""));
    fails("UpdateAccountSettings", PROVISIONED("28", ""), MODEL_VALIDATION, text);
    mr_clock_manual_set(&world.clock, start + MR_NS_PER_HOUR - 1);
    world_restart();
    fails("UpdateAccountSettings", PROVISIONED("28", ""), MODEL_VALIDATION, text);
    mr_clock_manual_set(&world.clock, start + MR_NS_PER_HOUR);
    succeeds("UpdateAccountSettings", PROVISIONED("28", ""));
}

/* Bytes that are no settings are an error, not a crash and not the defaults. */
static void damaged_settings(void **state)
{
    MR_UNUSED(state);
    static const char *const bad[] = {"",          "short",      "12345678",
                                      "12345678{", "12345678[]", "12345678{\"MaxQueryTCU\":8}"};
    mr_log_set_level(MR_LOG_ERROR + 1);
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        check_ok(catalog_setting_put(world.api.catalog, "account-settings", mr_str_of(bad[i]), NULL), NULL);
        assert_int_equal(world_send("DescribeAccountSettings", "{}"), MR_ECORRUPT);
        assert_int_equal(world_send("UpdateAccountSettings", "{\"MaxQueryTCU\":8}"), MR_ECORRUPT);
    }
    mr_log_set_level(MR_LOG_INFO);
}

static int64_t told;

static void tell(void *ctx, int64_t tcu)
{
    assert_ptr_equal(ctx, &told);
    told = tcu;
}

/* 10: the limit counts from the start and after every change, in PROVISIONED mode the active capacity. */
static void capacity_is_told(void **state)
{
    struct mr_error err = MR_ERROR_INIT;

    MR_UNUSED(state);
    world.api.capacity = (struct api_capacity){tell, &told};
    check_ok(api_capacity_boot(&world.api, &err), &err);
    assert_int_equal(told, 200);
    succeeds("UpdateAccountSettings", "{\"MaxQueryTCU\":8}");
    assert_int_equal(told, 8);
    fails("UpdateAccountSettings", "{\"MaxQueryTCU\":9}", MODEL_VALIDATION,
          "MaxQueryTCU must be a multiple of 4 between 4 and 1000.");
    assert_int_equal(told, 8);
    world.call.region = MR_STR("ap-south-1");
    succeeds("UpdateAccountSettings", PROVISIONED("32", ""));
    assert_int_equal(told, 32);
    told = 0;
    check_ok(api_capacity_boot(&world.api, &err), &err);
    assert_int_equal(told, 32);
    mr_log_set_level(MR_LOG_ERROR + 1);
    check_ok(catalog_setting_put(world.api.catalog, "account-settings", MR_STR("12345678{"), NULL), NULL);
    check_ok(api_capacity_boot(&world.api, &err), &err);
    mr_log_set_level(MR_LOG_INFO);
    assert_int_equal(told, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults),         TEST(max_query_tcu),  TEST(pricing_model),    TEST(no_provisioned_mode_here),
        TEST(provisioned_mode), TEST(lowering_waits), TEST(damaged_settings), TEST(capacity_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
