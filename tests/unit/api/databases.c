/* CreateDatabase, DescribeDatabase, UpdateDatabase, DeleteDatabase. Sections are those of the write-api
 * reference. */
#include "world.h"

#define ARN "arn:aws:timestream:eu-west-1:123456789012:database/"
#define KEY_ID "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define BAD_KEY "KmsKeyId must be the id or ARN of a KMS key, or the name or ARN of an alias of one."

/* 3.1: the answer holds the whole Database; without a key, the ARN of the key behind alias/aws/timestream. */
static void create_answers_the_database(void **state)
{
    MR_UNUSED(state);
    const char *want =
        "{\"Database\":{\"Arn\":\"" ARN "meters\",\"DatabaseName\":\"meters\",\"TableCount\":0,\"KmsKeyId\":"
        "\"" DEFAULT_KEY "\",\"CreationTime\":1700000000.123,\"LastUpdatedTime\":1700000000.123}}";
    answers("CreateDatabase", "{\"DatabaseName\":\"meters\"}", want);
    answers("DescribeDatabase", "{\"DatabaseName\":\"meters\"}", want); /* 3.2 */
}

/* 3.1: always a conflict, with the same parameters too; 4.2: names are bytes. */
static void create_twice_conflicts(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"meters\"}");
    fails("CreateDatabase", "{\"DatabaseName\":\"meters\"}", MODEL_CONFLICT,
          "The database meters already exists.");
    succeeds("CreateDatabase", "{\"DatabaseName\":\"Meters\"}");
}

/* 4.2, 1.7: names are the model's business, one text and not two. */
static void bad_names(void **state)
{
    MR_UNUSED(state);
    static const char *const operations[] = {"CreateDatabase", "DescribeDatabase", "DeleteDatabase"};
    for (size_t i = 0; i < MR_ARRAY_LEN(operations); i++) {
        fails(operations[i], "{}", MODEL_CONSTRAINT,
              "1 validation error detected: Value null at 'databaseName' failed to satisfy constraint: "
              "Member must not "
              "be null");
        fails(operations[i], "{\"DatabaseName\":\"ab\"}", MODEL_CONSTRAINT,
              "1 validation error detected: Value 'ab' at 'databaseName' failed to satisfy constraint: "
              "Member must have "
              "length greater than or equal to 3");
        assert_int_equal(world_send(operations[i], "{\"DatabaseName\":\"a b c\"}"), MR_EINVAL);
        assert_int_equal(world.fault.error, MODEL_CONSTRAINT);
    }
    succeeds("CreateDatabase", "{\"DatabaseName\":\"-.0\"}");
}

/* 4.5: four forms in, key ARNs out. */
static void keys_come_back_as_arns(void **state)
{
    MR_UNUSED(state);
    static const char *const same[] = {
        "arn:aws:kms:us-east-2:210987654321:key/" KEY_ID,
        "arn:aws:kms:us-east-2:210987654321:key/mrk-00112233445566778899aabbccddeeff",
    };
    succeeds("CreateDatabase", "{\"DatabaseName\":\"meters\",\"KmsKeyId\":\"" KEY_ID "\"}");
    assert_string_equal(member("KmsKeyId"), "arn:aws:kms:eu-west-1:123456789012:key/" KEY_ID);
    for (size_t i = 0; i < MR_ARRAY_LEN(same); i++) {
        struct mr_str input =
            mr_arena_printf(&world.arena, "{\"DatabaseName\":\"meters\",\"KmsKeyId\":\"%s\"}", same[i]);
        succeeds("UpdateDatabase", input.ptr);
        assert_string_equal(member("KmsKeyId"), same[i]);
    }
    succeeds("UpdateDatabase", "{\"DatabaseName\":\"meters\",\"KmsKeyId\":\"alias/aws/timestream\"}");
    assert_string_equal(member("KmsKeyId"), DEFAULT_KEY);
}

/* 4.5: an alias has one key, whether it is named or given as an ARN; another alias has another. */
static void aliases_are_stable(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"one\",\"KmsKeyId\":\"alias/team/blue\"}");
    const char *blue = member("KmsKeyId");
    assert_true(mr_str_starts(mr_str_of(blue), MR_STR("arn:aws:kms:eu-west-1:123456789012:key/")));
    succeeds(
        "CreateDatabase",
        "{\"DatabaseName\":\"two\",\"KmsKeyId\":\"arn:aws:kms:eu-west-1:123456789012:alias/team/blue\"}");
    assert_string_equal(member("KmsKeyId"), blue);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"three\",\"KmsKeyId\":\"alias/team/red\"}");
    assert_string_not_equal(member("KmsKeyId"), blue);
    succeeds(
        "CreateDatabase",
        "{\"DatabaseName\":\"four\",\"KmsKeyId\":\"arn:aws:kms:us-west-2:210987654321:alias/team/blue\"}");
    assert_true(
        mr_str_starts(mr_str_of(member("KmsKeyId")), MR_STR("arn:aws:kms:us-west-2:210987654321:key/")));
    assert_null(strstr(member("KmsKeyId"), blue + strlen("arn:aws:kms:eu-west-1:123456789012:key/")));
    world_restart();
    succeeds("DescribeDatabase", "{\"DatabaseName\":\"one\"}");
    assert_string_equal(member("KmsKeyId"), blue);
}

/* 3.4: what is no key is a ValidationException. */
static void malformed_keys(void **state)
{
    MR_UNUSED(state);
    static const char *const keys[] = {
        "secret",
        "alias/",
        "alias/a b",
        "alias",
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f00",
        "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1fg",
        "0f1e2d3c4-b5a-6978-8796-a5b4c3d2e1f0",
        "mrk-0011",
        "arn:aws:kms:eu-west-1:123456789012:key/",
        "arn:aws:kms:eu-west-1:1234:key/" KEY_ID,
        "arn:aws:kms::123456789012:key/" KEY_ID,
        "arn:aws:s3:eu-west-1:123456789012:key/" KEY_ID,
        "arn:aws:kms:eu-west-1:123456789012:" KEY_ID,
        "arn:aws:kms:eu-west-1:123456789012:alias/",
        "key/" KEY_ID,
    };
    succeeds("CreateDatabase", "{\"DatabaseName\":\"there\"}");
    for (size_t i = 0; i < MR_ARRAY_LEN(keys); i++) {
        struct mr_str create =
            mr_arena_printf(&world.arena, "{\"DatabaseName\":\"new\",\"KmsKeyId\":\"%s\"}", keys[i]);
        struct mr_str update =
            mr_arena_printf(&world.arena, "{\"DatabaseName\":\"there\",\"KmsKeyId\":\"%s\"}", keys[i]);
        fails("CreateDatabase", create.ptr, MODEL_VALIDATION, BAD_KEY);
        fails("UpdateDatabase", update.ptr, MODEL_VALIDATION, BAD_KEY);
    }
    fails("DescribeDatabase", "{\"DatabaseName\":\"new\"}", MODEL_NOT_FOUND,
          "The database new does not exist.");
}

/* 3.1, 3.4: LastUpdatedTime moves when the key changes, and neither for the same key nor for a new table. */
static void last_updated_time(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"meters\"}");
    mr_clock_manual_set(&world.clock, INT64_C(1700000009000000000));
    succeeds("CreateTable", "{\"DatabaseName\":\"meters\",\"TableName\":\"flow\"}");
    const char *unchanged =
        "{\"Database\":{\"Arn\":\"" ARN "meters\",\"DatabaseName\":\"meters\",\"TableCount\":1,"
        "\"KmsKeyId\":\"" DEFAULT_KEY "\",\"CreationTime\":1700000000.123,\"LastUpdatedTime\":"
        "1700000000.123}}";
    answers("UpdateDatabase", "{\"DatabaseName\":\"meters\",\"KmsKeyId\":\"" DEFAULT_KEY "\"}", unchanged);
    answers("UpdateDatabase", "{\"DatabaseName\":\"meters\",\"KmsKeyId\":\"" KEY_ID "\"}",
            "{\"Database\":{\"Arn\":\"" ARN
            "meters\",\"DatabaseName\":\"meters\",\"TableCount\":1,\"KmsKeyId\":"
            "\"arn:aws:kms:eu-west-1:123456789012:key/" KEY_ID
            "\",\"CreationTime\":1700000000.123,\"LastUpdatedTime\":"
            "1700000009}}");
    fails("UpdateDatabase", "{\"DatabaseName\":\"nowhere\",\"KmsKeyId\":\"" KEY_ID "\"}", MODEL_NOT_FOUND,
          "The database nowhere does not exist.");
}

/* 3.5: refused with ValidationException while there are tables; twice is ResourceNotFound. */
static void delete_needs_an_empty_database(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"meters\"}");
    succeeds("CreateTable", "{\"DatabaseName\":\"meters\",\"TableName\":\"flow\"}");
    fails("DeleteDatabase", "{\"DatabaseName\":\"meters\"}", MODEL_VALIDATION,
          "Cannot delete the database until all tables in the database are deleted.");
    succeeds("DeleteTable", "{\"DatabaseName\":\"meters\",\"TableName\":\"flow\"}");
    answers("DeleteDatabase", "{\"DatabaseName\":\"meters\"}", "{}");
    fails("DeleteDatabase", "{\"DatabaseName\":\"meters\"}", MODEL_NOT_FOUND,
          "The database meters does not exist.");
    fails("DescribeDatabase", "{\"DatabaseName\":\"meters\"}", MODEL_NOT_FOUND,
          "The database meters does not exist.");
}

/* 12: more than the quota. */
static void quota(void **state)
{
    MR_UNUSED(state);
    catalog_set_limits(world.api.catalog, 1, 1);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"first\"}");
    fails("CreateDatabase", "{\"DatabaseName\":\"second\"}", MODEL_QUOTA,
          "You have exceeded the maximum number of databases.");
    succeeds("CreateTable", "{\"DatabaseName\":\"first\",\"TableName\":\"one\"}");
    fails("CreateTable", "{\"DatabaseName\":\"first\",\"TableName\":\"two\"}", MODEL_QUOTA,
          "You have exceeded the maximum number of tables.");
}

/* 4.1: the region of an ARN is that of the request. */
static void arns_follow_the_request(void **state)
{
    MR_UNUSED(state);
    succeeds("CreateDatabase", "{\"DatabaseName\":\"meters\"}");
    world.call.region = MR_STR("ap-southeast-2");
    succeeds("DescribeDatabase", "{\"DatabaseName\":\"meters\"}");
    assert_string_equal(member("Arn"), "arn:aws:timestream:ap-southeast-2:123456789012:database/meters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(create_answers_the_database),
        TEST(create_twice_conflicts),
        TEST(bad_names),
        TEST(keys_come_back_as_arns),
        TEST(aliases_are_stable),
        TEST(malformed_keys),
        TEST(last_updated_time),
        TEST(delete_needs_an_empty_database),
        TEST(quota),
        TEST(arns_follow_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
