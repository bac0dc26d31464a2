/* CreateTable, DescribeTable, UpdateTable, DeleteTable. Sections are those of the write-api reference. */
#include "world.h"

#include "base/log.h"

#define ARN "arn:aws:timestream:eu-west-1:123456789012:database/plant/table/"
#define T(name, rest) "{\"DatabaseName\":\"plant\",\"TableName\":\"" name "\"" rest "}"
#define KEYS(keys) ",\"Schema\":{\"CompositePartitionKey\":[" keys "]}"
#define RETENTION(hours, days)                                                                               \
    ",\"RetentionProperties\":{\"MemoryStoreRetentionPeriodInHours\":" hours                                 \
    ",\"MagneticStoreRetentionPeriodInDays\":" days "}"

static int setup(void **state)
{
    world_setup(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"plant\"}");
    return 0;
}

/* The part of the last answer from `from` on, up to and without `to`. */
static void check_part(const char *from, const char *to, const char *want)
{
    struct mr_str text = mr_arena_dup(&world.arena, mr_buf_view(&world.out));
    const char *begin = strstr(text.ptr, from), *end = begin != NULL ? strstr(begin, to) : NULL;
    assert_non_null(begin);
    assert_non_null(end);
    check_str((struct mr_str){begin, (size_t)(end - begin)}, want);
}

static void check_schema(const char *want)
{
    check_part("\"Schema\"", "}}", want);
}

static void check_magnetic(const char *want)
{
    check_part("\"MagneticStoreWriteProperties\"", ",\"Schema\"", want);
}

/* 3.6: what the answer holds when only the two names were given. */
static void defaults(void **state)
{
    MR_UNUSED(state);
    const char *want =
        "{\"Table\":{\"Arn\":\"" ARN
        "pumps\",\"TableName\":\"pumps\",\"DatabaseName\":\"plant\",\"TableStatus\":"
        "\"ACTIVE\",\"RetentionProperties\":{\"MemoryStoreRetentionPeriodInHours\":6,"
        "\"MagneticStoreRetentionPeriodInDays\":73000},\"CreationTime\":1700000000.123,\"LastUpdatedTime\":"
        "1700000000.123,\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":false},\"Schema\":"
        "{\"CompositePartitionKey\":[{\"Type\":\"MEASURE\"}]}}}";
    answers("CreateTable", T("pumps", ""), want);
    answers("DescribeTable", T("pumps", ""), want); /* 3.7 */
    answers("UpdateTable", T("pumps", ""), want);   /* 3.9: none of the three changes nothing */
}

/* 3.6, 13: taken and unknown names. */
static void names(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateTable", T("pumps", ""));
    fails("CreateTable", T("pumps", ""), MODEL_CONFLICT, "The table pumps already exists.");
    succeeds("CreateTable", T("Pumps", ""));
    static const char *const operations[] = {"DescribeTable", "UpdateTable", "DeleteTable"};
    for (size_t i = 0; i < MR_ARRAY_LEN(operations); i++) {
        fails(operations[i], T("valves", ""), MODEL_NOT_FOUND, "The table valves does not exist.");
        fails(operations[i], "{\"DatabaseName\":\"office\",\"TableName\":\"pumps\"}", MODEL_NOT_FOUND,
              "The database office does not exist.");
    }
    fails("CreateTable", "{\"DatabaseName\":\"office\",\"TableName\":\"pumps\"}", MODEL_NOT_FOUND,
          "The database office does not exist.");
    fails("UpdateTable", T("valves", KEYS("{\"Type\":\"MEASURE\"}")), MODEL_NOT_FOUND,
          "The table valves does not exist.");
}

/* 6: bounds of retention, both members required. */
static void retention(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateTable", T("low", RETENTION("1", "1")));
    succeeds("CreateTable", T("high", RETENTION("8766", "73000")));
    check_part("\"RetentionProperties\"", ",\"CreationTime\"",
               "\"RetentionProperties\":{\"MemoryStoreRetentionPeriodInHours\":8766,"
               "\"MagneticStoreRetentionPeriodInDays\":73000}");
    fails("CreateTable", T("bad", RETENTION("8767", "0")), MODEL_CONSTRAINT,
          "2 validation errors detected: Value '8767' at "
          "'retentionProperties.memoryStoreRetentionPeriodInHours' failed "
          "to satisfy constraint: Member must have value less than or equal to 8766; Value '0' at "
          "'retentionProperties.magneticStoreRetentionPeriodInDays' failed to satisfy constraint: Member "
          "must have "
          "value greater than or equal to 1");
    fails("UpdateTable", T("low", ",\"RetentionProperties\":{\"MemoryStoreRetentionPeriodInHours\":5}"),
          MODEL_CONSTRAINT,
          "1 validation error detected: Value null at "
          "'retentionProperties.magneticStoreRetentionPeriodInDays' failed to "
          "satisfy constraint: Member must not be null");
}

/* 3.6: members that were not given are not invented. */
static void magnetic_writes_are_echoed(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateTable",
             T("one", ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true}"));
    check_magnetic("\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true}");
    succeeds("CreateTable",
             T("two", ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
                      "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":"
                      "\"leftovers\"}}}"));
    const char *bucket =
        "\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
        "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":\"leftovers\"}}}";
    check_magnetic(bucket);
    succeeds("DescribeTable", T("two", ""));
    check_magnetic(bucket);
    const char *full =
        ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":false,"
        "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":\"leftovers\","
        "\"ObjectKeyPrefix\":\"late/rows\",\"EncryptionOption\":\"SSE_KMS\",\"KmsKeyId\":"
        "\"alias/leftovers\"}}}";
    struct mr_str input =
        mr_arena_printf(&world.arena, "{\"DatabaseName\":\"plant\",\"TableName\":\"three\"%s}", full);
    succeeds("CreateTable", input.ptr);
    check_magnetic(full + 1);
}

/* 3.6: a location needs a bucket; its key has one of the four forms. */
static void rejected_locations(void **state)
{
    MR_UNUSED(state);
    const char *text = "MagneticStoreRejectedDataLocation must have an S3Configuration with a BucketName.";
    fails("CreateTable",
          T("bad", ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
                   "\"MagneticStoreRejectedDataLocation\":{}}"),
          MODEL_VALIDATION, text);
    fails("CreateTable",
          T("bad",
            ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
            "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"EncryptionOption\":\"SSE_S3\"}}}"),
          MODEL_VALIDATION, text);
    fails("CreateTable",
          T("bad",
            ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
            "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":\"abc\",\"KmsKeyId\":"
            "\"?\"}}}"),
          MODEL_VALIDATION,
          "KmsKeyId of S3Configuration must be the id or ARN of a KMS key, or the name or ARN of an alias of "
          "one.");
    fails("CreateTable", T("bad", ",\"MagneticStoreWriteProperties\":{}"), MODEL_CONSTRAINT,
          "1 validation error detected: Value null at "
          "'magneticStoreWriteProperties.enableMagneticStoreWrites' failed to "
          "satisfy constraint: Member must not be null");
}

/* 3.6, 7: the forms of a partition key, shown as they were given. */
static void partition_keys(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateTable", T("one", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\",\"EnforcementInRecord\":"
                                          "\"REQUIRED\"}")));
    check_schema("\"Schema\":{\"CompositePartitionKey\":[{\"Type\":\"DIMENSION\",\"Name\":\"site\","
                 "\"EnforcementInRecord\":\"REQUIRED\"}]");
    succeeds("CreateTable", T("two", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\"}")));
    check_schema("\"Schema\":{\"CompositePartitionKey\":[{\"Type\":\"DIMENSION\",\"Name\":\"site\"}]");
    succeeds("CreateTable", T("three", KEYS("{\"Type\":\"MEASURE\"}")));
    check_schema("\"Schema\":{\"CompositePartitionKey\":[{\"Type\":\"MEASURE\"}]");
    succeeds("CreateTable", T("four", ",\"Schema\":{}"));
    check_schema("\"Schema\":{\"CompositePartitionKey\":[{\"Type\":\"MEASURE\"}]");
}

/* 3.6, 7: what is no partition key. */
static void bad_partition_keys(void **state)
{
    MR_UNUSED(state);
    const char *measure = "A partition key of type MEASURE takes neither Name nor EnforcementInRecord.";
    const char *invalid = "The name of the partition key is not a valid dimension name.";
    fails("CreateTable", T("bad", KEYS("{\"Type\":\"MEASURE\"},{\"Type\":\"DIMENSION\",\"Name\":\"site\"}")),
          MODEL_VALIDATION,
          "You have specified too many partition keys to be used in your composite partition key. Only 1 "
          "partition keys "
          "can be specified.");
    fails("CreateTable", T("bad", KEYS("{\"Type\":\"DIMENSION\"}")), MODEL_VALIDATION,
          "A partition key of type DIMENSION must have a Name.");
    fails("CreateTable", T("bad", KEYS("{\"Type\":\"MEASURE\",\"Name\":\"site\"}")), MODEL_VALIDATION,
          measure);
    fails("CreateTable", T("bad", KEYS("{\"Type\":\"MEASURE\",\"EnforcementInRecord\":\"OPTIONAL\"}")),
          MODEL_VALIDATION, measure);
    static const char *const bad[] = {
        "time",
        "ts_x",
        "measure_value::double",
        "measure_name",
        "a:b",
        "a\\\"b",
        "a\\u0001b",
        "a\\u2028b",
        "a\\u2029b",
        "0123456789012345678901234567890123456789012345678901234567890" /* 61 bytes */};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        struct mr_str input =
            mr_arena_printf(&world.arena, T("bad", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"%s\"}")), bad[i]);
        fails("CreateTable", input.ptr, MODEL_VALIDATION, invalid);
    }
    succeeds("CreateTable", T("good", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"$id.\\u2027 x\"}")));
    fails("CreateTable", T("bad", KEYS("")), MODEL_CONSTRAINT,
          "1 validation error detected: Value '[]' at 'schema.compositePartitionKey' failed to satisfy "
          "constraint: Member "
          "must have length greater than or equal to 1");
}

/* 3.9: only the given block changes; LastUpdatedTime moves, CreationTime stays. */
static void update_one_block(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateTable",
             T("pumps", ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
                        "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":"
                        "\"leftovers\"}}}"));
    mr_clock_manual_set(&world.clock, INT64_C(1700000100500000000));
    answers("UpdateTable", T("pumps", RETENTION("24", "30")),
            "{\"Table\":{\"Arn\":\"" ARN
            "pumps\",\"TableName\":\"pumps\",\"DatabaseName\":\"plant\",\"TableStatus\":"
            "\"ACTIVE\",\"RetentionProperties\":{\"MemoryStoreRetentionPeriodInHours\":24,"
            "\"MagneticStoreRetentionPeriodInDays\":30},\"CreationTime\":1700000000.123,\"LastUpdatedTime\":"
            "1700000100.5,\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true,"
            "\"MagneticStoreRejectedDataLocation\":{\"S3Configuration\":{\"BucketName\":\"leftovers\"}}},"
            "\"Schema\":"
            "{\"CompositePartitionKey\":[{\"Type\":\"MEASURE\"}]}}}");
    succeeds("UpdateTable",
             T("pumps", ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true}"));
    check_magnetic(
        "\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true}"); /* the block was replaced */
    succeeds("DescribeTable", T("pumps", ""));
    check_magnetic("\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true}");
}

/* 3.9, 7: of the key only the enforcement changes. */
static void update_enforcement(void **state)
{
    MR_UNUSED(state);
    const char *fixed = "The composite partition key of a table cannot be changed.";
    succeeds("CreateTable", T("pumps", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\"}")));
    succeeds("UpdateTable",
             T("pumps", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\",\"EnforcementInRecord\":"
                             "\"REQUIRED\"}")));
    succeeds("UpdateTable",
             T("pumps", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\"}"))); /* left out: stays */
    check_schema("\"Schema\":{\"CompositePartitionKey\":[{\"Type\":\"DIMENSION\",\"Name\":\"site\","
                 "\"EnforcementInRecord\":\"REQUIRED\"}]");
    succeeds("UpdateTable",
             T("pumps", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\",\"EnforcementInRecord\":"
                             "\"OPTIONAL\"}")));
    check_schema("\"Schema\":{\"CompositePartitionKey\":[{\"Type\":\"DIMENSION\",\"Name\":\"site\","
                 "\"EnforcementInRecord\":\"OPTIONAL\"}]");
    fails("UpdateTable", T("pumps", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"Site\"}")), MODEL_VALIDATION,
          fixed);
    fails("UpdateTable", T("pumps", KEYS("{\"Type\":\"MEASURE\"}")), MODEL_VALIDATION, fixed);
    succeeds("CreateTable", T("old", ""));
    fails("UpdateTable", T("old", KEYS("{\"Type\":\"DIMENSION\",\"Name\":\"site\"}")), MODEL_VALIDATION,
          fixed);
    succeeds("UpdateTable", T("old", KEYS("{\"Type\":\"MEASURE\"}")));
}

/* A refused update changes nothing, not even its good blocks. */
static void a_refused_update_changes_nothing(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateTable", T("pumps", ""));
    struct mr_str before = mr_arena_dup(&world.arena, mr_buf_view(&world.out));
    assert_int_equal(world_send("UpdateTable", T("pumps", RETENTION("24", "30") KEYS(
                                                              "{\"Type\":\"DIMENSION\",\"Name\":\"site\"}"))),
                     MR_EINVAL);
    answers("DescribeTable", T("pumps", ""), before.ptr);
}

static struct {
    int begun, ended, status;
    int64_t hours;
} guard;

static int guard_begin(void *ctx, struct mr_str database, struct mr_str table, int64_t hours,
                       struct mr_error *err)
{
    MR_UNUSED(ctx);
    MR_UNUSED(err);
    check_str(database, "plant");
    check_str(table, "pumps");
    assert_int_equal(guard.begun, guard.ended);
    guard.begun++;
    guard.hours = hours;
    return guard.status;
}

static void guard_end(void *ctx)
{
    MR_UNUSED(ctx);
    guard.ended++;
}

/* 6: whoever expires rows hears of a change of retention before it is made, and may prevent it. */
static void a_change_of_retention_is_guarded(void **state)
{
    MR_UNUSED(state);
    memset(&guard, 0, sizeof guard);
    world.api.retention = (struct api_retention_guard){guard_begin, guard_end, NULL};
    succeeds("CreateTable", T("pumps", RETENTION("1", "7")));
    succeeds("UpdateTable",
             T("pumps", ",\"MagneticStoreWriteProperties\":{\"EnableMagneticStoreWrites\":true}"));
    assert_int_equal(guard.begun, 0);
    succeeds("UpdateTable", T("pumps", RETENTION("12", "30")));
    assert_int_equal(guard.begun, 1);
    assert_int_equal(guard.ended, 1);
    assert_int_equal(guard.hours, 12 + 30 * 24);
    succeeds("DescribeTable", T("pumps", ""));
    struct mr_str before = mr_arena_dup(&world.arena, mr_buf_view(&world.out));
    guard.status = MR_EIO;
    mr_log_set_level(MR_LOG_ERROR);
    assert_int_equal(world_send("UpdateTable", T("pumps", RETENTION("12", "31"))), MR_EIO);
    mr_log_set_level(MR_LOG_INFO);
    assert_int_equal(guard.begun, 2);
    assert_int_equal(guard.ended, 1);
    answers("DescribeTable", T("pumps", ""), before.ptr);
}

/* 3.10: the table goes, and the store is told to forget its data. */
static void delete_forgets_the_data(void **state)
{
    MR_UNUSED(state);
    uint64_t *ids = NULL;
    size_t n = 0;
    struct catalog_table row;
    succeeds("CreateTable", T("pumps", ""));
    check_ok(catalog_table_get(world.api.catalog, MR_STR("plant"), MR_STR("pumps"), &world.arena, &row, NULL),
             NULL);
    answers("DeleteTable", T("pumps", ""), "{}");
    assert_int_equal(ndropped, 1);
    assert_int_equal(dropped[0], row.id);
    check_ok(catalog_dropped_tables(world.api.catalog, &world.arena, &ids, &n), NULL);
    assert_int_equal(n, 0);
    fails("DeleteTable", T("pumps", ""), MODEL_NOT_FOUND, "The table pumps does not exist.");
    drop_status = MR_ENOENT; /* a table that nothing was ever written to */
    succeeds("CreateTable", T("pumps", ""));
    answers("DeleteTable", T("pumps", ""), "{}");
    check_ok(catalog_dropped_tables(world.api.catalog, &world.arena, &ids, &n), NULL);
    assert_int_equal(n, 0);
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(defaults),
        TEST(names),
        TEST(retention),
        TEST(magnetic_writes_are_echoed),
        TEST(rejected_locations),
        TEST(partition_keys),
        TEST(bad_partition_keys),
        TEST(update_one_block),
        TEST(update_enforcement),
        TEST(a_refused_update_changes_nothing),
        TEST(a_change_of_retention_is_guarded),
        TEST(delete_forgets_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
