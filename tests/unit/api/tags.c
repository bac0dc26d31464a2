/* TagResource, UntagResource, ListTagsForResource, and tags given at creation. Sections are those of the
 * write-api reference; the Query API's three operations are the same ones (query-api reference 3.11 to 3.13).
 */
#include "world.h"

#define DB "arn:aws:timestream:eu-west-1:123456789012:database/plant"
#define TABLE DB "/table/pumps"
#define LIST(arn) "{\"ResourceARN\":\"" arn "\"}"
#define TAG(arn, tags) "{\"ResourceARN\":\"" arn "\",\"Tags\":[" tags "]}"
#define UNTAG(arn, keys) "{\"ResourceARN\":\"" arn "\",\"TagKeys\":[" keys "]}"

static int setup(void **state)
{
    world_setup(state);
    succeeds("CreateDatabase",
             "{\"DatabaseName\":\"plant\",\"Tags\":[{\"Key\":\"team\",\"Value\":\"water\"}]}");
    succeeds("CreateTable", "{\"DatabaseName\":\"plant\",\"TableName\":\"pumps\",\"Tags\":[]}");
    return 0;
}

/* 3.14 to 3.16: the happy path, for both kinds of resource. */
static void tag_list_untag(void **state)
{
    MR_UNUSED(state);
    answers("ListTagsForResource", LIST(TABLE), "{\"Tags\":[]}");
    answers("ListTagsForResource", LIST(DB), "{\"Tags\":[{\"Key\":\"team\",\"Value\":\"water\"}]}");
    answers("TagResource", TAG(TABLE, "{\"Key\":\"b\",\"Value\":\"\"},{\"Key\":\"a\",\"Value\":\"1\"}"),
            "{}");
    answers("ListTagsForResource", LIST(TABLE),
            "{\"Tags\":[{\"Key\":\"a\",\"Value\":\"1\"},{\"Key\":\"b\",\"Value\":\"\"}]}");
    answers("TagResource", TAG(TABLE, "{\"Key\":\"a\",\"Value\":\"2\"},{\"Key\":\"A\",\"Value\":\"3\"}"),
            "{}");
    answers("ListTagsForResource", LIST(TABLE),
            "{\"Tags\":[{\"Key\":\"A\",\"Value\":\"3\"},{\"Key\":\"a\",\"Value\":\"2\"},{\"Key\":\"b\","
            "\"Value\":\"\"}]}");
    answers("UntagResource", UNTAG(TABLE, "\"a\",\"unknown\",\"A\""), "{}");
    answers("ListTagsForResource", LIST(TABLE), "{\"Tags\":[{\"Key\":\"b\",\"Value\":\"\"}]}");
    answers("TagResource", TAG(TABLE, ""), "{}");
    answers("UntagResource", UNTAG(TABLE, ""), "{}");
}

/* 4.4: characters, the reserved name space, duplicates; on creation as well. */
static void tag_rules(void **state)
{
    MR_UNUSED(state);
    const char *characters = "Tag keys and values may hold letters, digits, spaces and + - = . _ : / @ only.";
    succeeds("TagResource",
             TAG(TABLE, "{\"Key\":\"Az09 +-=._:/@\",\"Value\":\"Gr\\u00f6\\u00dfe \\u6c34 +-=._:/@\"}"));
    static const char *const bad[] = {"a#b", "a,b", "a\\\\b", "a\\u0000b", "a\\tb", "a\\u0085b"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        struct mr_str key =
            mr_arena_printf(&world.arena, TAG(DB, "{\"Key\":\"%s\",\"Value\":\"v\"}"), bad[i]);
        struct mr_str value =
            mr_arena_printf(&world.arena, TAG(DB, "{\"Key\":\"k\",\"Value\":\"%s\"}"), bad[i]);
        fails("TagResource", key.ptr, MODEL_VALIDATION, characters);
        fails("TagResource", value.ptr, MODEL_VALIDATION, characters);
    }
    fails("TagResource", TAG(DB, "{\"Key\":\"AwS:x\",\"Value\":\"v\"}"), MODEL_VALIDATION,
          "Tag keys that begin with aws: are reserved for system use: AwS:x");
    succeeds("TagResource", TAG(DB, "{\"Key\":\"aws\",\"Value\":\"aws:v\"}"));
    fails("TagResource", TAG(DB, "{\"Key\":\"k\",\"Value\":\"1\"},{\"Key\":\"k\",\"Value\":\"2\"}"),
          MODEL_VALIDATION, "The tag key k is given twice.");
    fails("CreateDatabase", "{\"DatabaseName\":\"new\",\"Tags\":[{\"Key\":\"aws:k\",\"Value\":\"\"}]}",
          MODEL_VALIDATION, "Tag keys that begin with aws: are reserved for system use: aws:k");
    fails("CreateTable",
          "{\"DatabaseName\":\"plant\",\"TableName\":\"new\",\"Tags\":[{\"Key\":\"a\",\"Value\":\"!\"}]}",
          MODEL_VALIDATION, characters);
}

/* n tags k<first>, k<first + 1>, ... as the inside of a JSON list */
static const char *many(int first, int n)
{
    struct mr_buf text = MR_BUF_INIT;
    for (int i = 0; i < n; i++)
        mr_buf_printf(&text, "%s{\"Key\":\"k%d\",\"Value\":\"v\"}", i != 0 ? "," : "", first + i);
    struct mr_str kept = mr_arena_dup(&world.arena, mr_buf_view(&text));
    mr_buf_release(&text);
    return kept.ptr;
}

/* 4.4, 12: 50 tags a resource. */
static void fifty_tags(void **state)
{
    MR_UNUSED(state);
    const char *text = "A resource may have 50 tags at most.";
    struct mr_str input = mr_arena_printf(&world.arena, TAG(TABLE, "%s"), many(0, 51));
    fails("TagResource", input.ptr, MODEL_QUOTA, text);
    input = mr_arena_printf(&world.arena, TAG(TABLE, "%s"), many(0, 50));
    succeeds("TagResource", input.ptr);
    succeeds("TagResource", input.ptr); /* overwrites */
    fails("TagResource", TAG(TABLE, "{\"Key\":\"one-more\",\"Value\":\"v\"}"), MODEL_QUOTA, text);
    input = mr_arena_printf(&world.arena, "{\"DatabaseName\":\"new\",\"Tags\":[%s]}", many(0, 51));
    fails("CreateDatabase", input.ptr, MODEL_QUOTA, text);
    input = mr_arena_printf(&world.arena, "{\"DatabaseName\":\"plant\",\"TableName\":\"new\",\"Tags\":[%s]}",
                            many(0, 51));
    fails("CreateTable", input.ptr, MODEL_QUOTA, text);
}

static void each_fails(const char *arn, enum model_error error, const char *message)
{
    fails("ListTagsForResource", mr_arena_printf(&world.arena, LIST("%s"), arn).ptr, error, message);
    fails("TagResource", mr_arena_printf(&world.arena, TAG("%s", "{\"Key\":\"k\",\"Value\":\"v\"}"), arn).ptr,
          error, message);
    fails("UntagResource", mr_arena_printf(&world.arena, UNTAG("%s", "\"k\""), arn).ptr, error, message);
}

/* 13: an ARN of something that is not here. */
static void unknown_resources(void **state)
{
    MR_UNUSED(state);
    static const char *const arns[] = {
        DB "s",
        DB "/table/valves",
        "arn:aws:timestream:eu-west-1:210987654321:database/plant", /* another account */
        "arn:aws:timestream:us-east-1:123456789012:database/plant", /* another region */
        "arn:aws-cn:timestream:eu-west-1:123456789012:database/plant",
        "arn:aws:timestream:eu-west-1:123456789012:scheduled-query/hourly-0a1b2c",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(arns); i++)
        each_fails(arns[i], MODEL_NOT_FOUND, "The resource does not exist.");
}

/* 13, 4.1: what is no ARN of this service. */
static void malformed_arns(void **state)
{
    MR_UNUSED(state);
    static const char *const arns[] = {
        "plant",
        "arn:aws:timestream:eu-west-1:123456789012",
        "arn:aws:timestream:eu-west-1:123456789012:",
        "arn:aws:timestream:eu-west-1:123456789012:database",
        "arn:aws:timestream:eu-west-1:123456789012:database/",
        "arn:aws:timestream:eu-west-1:123456789012:database/ab",
        "arn:aws:timestream:eu-west-1:123456789012:database/pl ant",
        "arn:aws:timestream:eu-west-1:123456789012:bucket/plant",
        DB "/",
        DB "/table",
        DB "/table/",
        DB "/table/pumps/",
        DB "/tables/pumps",
        "arn:aws:timestream:eu-west-1:12345678901:database/plant",
        "arn:aws:timestream:eu-west-1:12345678901x:database/plant",
        "arn:aws:timestream::123456789012:database/plant",
        "arn:aws:s3:eu-west-1:123456789012:database/plant",
        "urn:aws:timestream:eu-west-1:123456789012:database/plant",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(arns); i++)
        each_fails(arns[i], MODEL_VALIDATION, "The resource ARN is invalid.");
    fails("ListTagsForResource", "{}", MODEL_CONSTRAINT,
          "1 validation error detected: Value null at 'resourceARN' failed to satisfy constraint: Member "
          "must not be null");
}

/* 3.14: pages only when MaxResults asks for them. */
static void pages_when_asked(void **state)
{
    MR_UNUSED(state);
    struct mr_str input = mr_arena_printf(&world.arena, TAG(TABLE, "%s"), many(1, 5));
    succeeds("TagResource", input.ptr);
    answers("ListTagsForResource", LIST(TABLE),
            "{\"Tags\":[{\"Key\":\"k1\",\"Value\":\"v\"},{\"Key\":\"k2\",\"Value\":\"v\"},{\"Key\":\"k3\","
            "\"Value\":\"v\"},"
            "{\"Key\":\"k4\",\"Value\":\"v\"},{\"Key\":\"k5\",\"Value\":\"v\"}]}");
    succeeds("ListTagsForResource", "{\"ResourceARN\":\"" TABLE "\",\"MaxResults\":2}");
    const char *token = member("NextToken");
    assert_string_not_equal(token, "");
    input = mr_arena_printf(&world.arena, "{\"ResourceARN\":\"%s\",\"MaxResults\":1,\"NextToken\":\"%s\"}",
                            TABLE, token);
    succeeds("ListTagsForResource", input.ptr);
    assert_string_equal(member("Key"), "k3");
    succeeds("UntagResource", UNTAG(TABLE, "\"k2\"")); /* the key the page ended with */
    input = mr_arena_printf(&world.arena, "{\"ResourceARN\":\"%s\",\"MaxResults\":3,\"NextToken\":\"%s\"}",
                            TABLE, token);
    answers("ListTagsForResource", input.ptr,
            "{\"Tags\":[{\"Key\":\"k3\",\"Value\":\"v\"},{\"Key\":\"k4\",\"Value\":\"v\"},{\"Key\":\"k5\","
            "\"Value\":\"v\"}]}");
    input = mr_arena_printf(&world.arena, "{\"ResourceARN\":\"%s\",\"NextToken\":\"%s\"}", DB, token);
    fails("ListTagsForResource", input.ptr, MODEL_VALIDATION, "Invalid NextToken.");
    fails("ListTagsForResource", "{\"ResourceARN\":\"" TABLE "\",\"MaxResults\":201}", MODEL_CONSTRAINT,
          "1 validation error detected: Value '201' at 'maxResults' failed to satisfy constraint: Member "
          "must have value "
          "less than or equal to 200");
}

int main(void)
{
#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)
    const struct CMUnitTest tests[] = {
        TEST(tag_list_untag),    TEST(tag_rules),      TEST(fifty_tags),
        TEST(unknown_resources), TEST(malformed_arns), TEST(pages_when_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
