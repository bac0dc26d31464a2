/* ListDatabases and ListTables: pages, order, tokens. Sections are those of the write-api reference. */
#include "world.h"

static void make_databases(int n)
{
    for (int i = 0; i < n; i++)
        succeeds("CreateDatabase", mr_arena_printf(&world.arena, "{\"DatabaseName\":\"db%02d\"}", i).ptr);
}

static void make_table(const char *database, const char *table)
{
    succeeds(
        "CreateTable",
        mr_arena_printf(&world.arena, "{\"DatabaseName\":\"%s\",\"TableName\":\"%s\"}", database, table).ptr);
}

/* The value of that member in every element of the last answer, each followed by a blank. */
static const char *all(const char *name)
{
    struct mr_str pattern = mr_arena_printf(&world.arena, "\"%s\":\"", name);
    struct mr_str text = mr_arena_dup(&world.arena, mr_buf_view(&world.out));
    struct mr_buf list = MR_BUF_INIT;
    for (const char *at = text.ptr; (at = strstr(at, pattern.ptr)) != NULL;) {
        at += pattern.len;
        mr_buf_printf(&list, "%.*s ", (int)strcspn(at, "\""), at);
    }
    struct mr_str kept = mr_arena_dup(&world.arena, mr_buf_view(&list));
    mr_buf_release(&list);
    return kept.ptr;
}

/* 3.3: nothing there is an empty list, and no token. */
static void empty_lists(void **state)
{
    MR_UNUSED(state);
    answers("ListDatabases", "", "{\"Databases\":[]}");
    answers("ListTables", "{}", "{\"Tables\":[]}");
    make_databases(1);
    answers("ListTables", "{\"DatabaseName\":\"db00\"}", "{\"Tables\":[]}");
}

/* 3.3: full Database shapes. */
static void databases_are_whole(void **state)
{
    MR_UNUSED(state);
    make_databases(1);
    make_table("db00", "t00");
    answers("ListDatabases", "{\"MaxResults\":1}",
            "{\"Databases\":[{\"Arn\":\"arn:aws:timestream:eu-west-1:123456789012:database/"
            "db00\",\"DatabaseName\":"
            "\"db00\",\"TableCount\":1,\"KmsKeyId\":\"" DEFAULT_KEY "\",\"CreationTime\":1700000000.123,"
            "\"LastUpdatedTime\":1700000000.123}]}");
}

/* 3: without MaxResults a page holds 20; the last page has no token. */
static void twenty_a_page(void **state)
{
    MR_UNUSED(state);
    make_databases(41);
    succeeds("ListDatabases", "{}");
    assert_string_equal(all("DatabaseName"),
                        "db00 db01 db02 db03 db04 db05 db06 db07 db08 db09 db10 db11 db12 db13 db14 "
                        "db15 db16 db17 db18 db19 ");
    succeeds("ListDatabases",
             mr_arena_printf(&world.arena, "{\"NextToken\":\"%s\"}", member("NextToken")).ptr);
    const char *token = member("NextToken");
    succeeds("ListDatabases",
             mr_arena_printf(&world.arena, "{\"NextToken\":\"%s\",\"MaxResults\":5}", token).ptr);
    assert_string_equal(all("DatabaseName"), "db40 ");
    assert_string_equal(member("NextToken"), "");
    succeeds("ListDatabases", mr_arena_printf(&world.arena, "{\"NextToken\":\"%s\"}", token).ptr); /* again */
    assert_string_equal(all("DatabaseName"), "db40 ");
}

/* 3: MaxResults is 1 to 20. */
static void bounds(void **state)
{
    MR_UNUSED(state);
    static const char *const operations[] = {"ListDatabases", "ListTables"};
    for (size_t i = 0; i < 2; i++) {
        fails(operations[i], "{\"MaxResults\":0}", MODEL_CONSTRAINT,
              "1 validation error detected: Value '0' at 'maxResults' failed to satisfy constraint: Member "
              "must have value "
              "greater than or equal to 1");
        fails(operations[i], "{\"MaxResults\":21}", MODEL_CONSTRAINT,
              "1 validation error detected: Value '21' at 'maxResults' failed to satisfy constraint: Member "
              "must have "
              "value less than or equal to 20");
    }
}

/* 3.8: tables of one database; without a name those of all, in order of (database, table). */
static void tables_of_one_or_all(void **state)
{
    MR_UNUSED(state);
    make_databases(3);
    make_table("db02", "aaa");
    make_table("db00", "zzz");
    make_table("db00", "mmm");
    succeeds("ListTables", "{}");
    assert_string_equal(all("DatabaseName"), "db00 db00 db02 ");
    assert_string_equal(all("TableName"), "mmm zzz aaa ");
    succeeds("ListTables", "{\"DatabaseName\":\"db00\"}");
    assert_string_equal(all("TableName"), "mmm zzz ");
    fails("ListTables", "{\"DatabaseName\":\"nowhere\"}", MODEL_NOT_FOUND,
          "The database nowhere does not exist.");

    struct mr_buf seen = MR_BUF_INIT;
    const char *input = "{\"MaxResults\":1}";
    for (int page = 0; page < 3; page++) {
        succeeds("ListTables", input);
        mr_buf_printf(&seen, "%s", all("TableName"));
        input =
            mr_arena_printf(&world.arena, "{\"MaxResults\":1,\"NextToken\":\"%s\"}", member("NextToken")).ptr;
    }
    assert_string_equal(member("NextToken"), "");
    check_str(mr_buf_view(&seen), "mmm zzz aaa ");
    mr_buf_release(&seen);
}

static void refused(const char *operation, const char *database, const char *token)
{
    struct mr_str input =
        database != NULL
            ? mr_arena_printf(&world.arena, "{\"DatabaseName\":\"%s\",\"NextToken\":\"%s\"}", database, token)
            : mr_arena_printf(&world.arena, "{\"NextToken\":\"%s\"}", token);
    fails(operation, input.ptr, MODEL_VALIDATION, "Invalid NextToken.");
}

/* 3, 13: a token belongs to its operation and parameters, and every bit of it counts. */
static void tokens_are_guarded(void **state)
{
    MR_UNUSED(state);
    make_databases(2);
    make_table("db00", "aaa");
    make_table("db00", "bbb");
    make_table("db01", "ccc");
    succeeds("ListTables", "{\"MaxResults\":1,\"DatabaseName\":\"db00\"}");
    const char *token = member("NextToken");
    size_t len = strlen(token);
    assert_true(len > 40);
    refused("ListTables", NULL, token);
    refused("ListTables", "db01", token);
    refused("ListDatabases", NULL, token);
    succeeds("ListTables", "{\"MaxResults\":1}");
    refused("ListDatabases", NULL, member("NextToken")); /* the same parameters: none */
    for (size_t i = 0; i < len; i++) {
        char *changed = (char *)mr_arena_dup(&world.arena, mr_str_of(token)).ptr;
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        refused("ListTables", "db00", changed);
        refused("ListTables", "db00", mr_arena_printf(&world.arena, "%.*s", (int)i, token).ptr);
    }
    refused("ListTables", "db00", mr_arena_printf(&world.arena, "%sAAAA", token).ptr);
    refused("ListTables", "db00", "!");
    struct mr_str good =
        mr_arena_printf(&world.arena, "{\"DatabaseName\":\"db00\",\"NextToken\":\"%s\"}", token);
    succeeds("ListTables", good.ptr);
    assert_string_equal(all("TableName"), "bbb ");
}

/* A token outlives a restart, and the name it ended with. */
static void tokens_last(void **state)
{
    MR_UNUSED(state);
    make_databases(3);
    succeeds("ListDatabases", "{\"MaxResults\":2}");
    struct mr_str next = mr_arena_printf(&world.arena, "{\"NextToken\":\"%s\"}", member("NextToken"));
    succeeds("DeleteDatabase", "{\"DatabaseName\":\"db01\"}");
    world_restart();
    succeeds("ListDatabases", next.ptr);
    assert_string_equal(all("DatabaseName"), "db02 ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(empty_lists),          TEST(databases_are_whole), TEST(twenty_a_page), TEST(bounds),
        TEST(tables_of_one_or_all), TEST(tokens_are_guarded),  TEST(tokens_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
