/* Tags of databases and tables. */
#include "catalog/catalog.h"
#include "lib/check.h"
#include "lib/dir.h"

static char *dir;
static struct mr_clock now;
static struct catalog *catalog;
static struct mr_arena arena;

static void reopen(void)
{
    struct mr_error err = MR_ERROR_INIT;
    catalog_close(catalog);
    check_ok(catalog_open(dir, &now, &catalog, &err), &err);
}

static void add_table(const char *name, const struct mr_pair *tags, size_t ntags)
{
    struct catalog_table t = {
        .database = MR_STR("db"), .name = mr_str_of(name), .memory_hours = 1, .magnetic_days = 1};
    check_ok(catalog_table_create(catalog, &t, tags, ntags, NULL), NULL);
}

static int setup(void **state)
{
    MR_UNUSED(state);
    struct catalog_database d;
    const struct mr_pair tags[] = {{MR_STR("z"), MR_STR("1")}, {MR_STR("a"), MR_STR("")}};
    dir = dir_make();
    mr_clock_manual_init(&now, 1);
    reopen();
    check_ok(catalog_database_create(catalog, MR_STR("db"), MR_STR("k"), tags, 2, &arena, &d, NULL), NULL);
    add_table("plain", NULL, 0);
    add_table("tagged", tags, 1);
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    catalog_close(catalog);
    catalog = NULL;
    mr_arena_release(&arena);
    dir_remove(dir);
    return 0;
}

static void check_tags(const char *resource, const char *want)
{
    struct mr_pair *tags = NULL;
    size_t n = 0;
    struct mr_buf got = MR_BUF_INIT;
    check_ok(catalog_tags_list(catalog, mr_str_of(resource), &arena, &tags, &n), NULL);
    for (size_t i = 0; i < n; i++)
        mr_buf_printf(&got, MR_STR_FMT "=" MR_STR_FMT " ", MR_STR_ARG(tags[i].name),
                      MR_STR_ARG(tags[i].value));
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
}

static void given_at_creation(void **state)
{
    MR_UNUSED(state);
    for (int restarted = 0; restarted < 2; restarted++) {
        check_tags("database/db", "a= z=1 ");
        check_tags("database/db/table/plain", "");
        check_tags("database/db/table/tagged", "z=1 ");
        reopen();
    }
}

static void put_adds_and_overwrites(void **state)
{
    MR_UNUSED(state);
    const struct mr_pair tags[] = {{MR_STR("m"), MR_STR("2")}, {MR_STR("z"), MR_STR("3")}};
    check_ok(catalog_tags_put(catalog, MR_STR("database/db"), tags, 2, 50, NULL), NULL);
    check_ok(catalog_tags_put(catalog, MR_STR("database/db/table/plain"), tags, 2, 50, NULL), NULL);
    for (int restarted = 0; restarted < 2; restarted++) {
        check_tags("database/db", "a= m=2 z=3 ");
        check_tags("database/db/table/plain", "m=2 z=3 ");
        reopen();
    }
}

static void the_limit_counts_the_union(void **state)
{
    MR_UNUSED(state);
    const struct mr_pair more[] = {{MR_STR("z"), MR_STR("9")}, {MR_STR("y"), MR_STR("9")}};
    assert_int_equal(catalog_tags_put(catalog, MR_STR("database/db"), more, 2, 2, NULL), MR_ELIMIT);
    check_tags("database/db", "a= z=1 ");                                               /* none of them */
    check_ok(catalog_tags_put(catalog, MR_STR("database/db"), more, 1, 2, NULL), NULL); /* overwrites */
    check_tags("database/db", "a= z=9 ");
}

static void remove_ignores_unknown_keys(void **state)
{
    MR_UNUSED(state);
    const struct mr_str keys[] = {MR_STR("a"), MR_STR("none")};
    check_ok(catalog_tags_remove(catalog, MR_STR("database/db"), keys, 2, NULL), NULL);
    check_ok(catalog_tags_remove(catalog, MR_STR("database/db/table/plain"), keys, 2, NULL), NULL);
    for (int restarted = 0; restarted < 2; restarted++) {
        check_tags("database/db", "z=1 ");
        reopen();
    }
    const struct mr_str last = MR_STR("z");
    check_ok(catalog_tags_remove(catalog, MR_STR("database/db"), &last, 1, NULL), NULL);
    check_tags("database/db", "");
}

static void tags_go_with_their_resource(void **state)
{
    MR_UNUSED(state);
    uint64_t id = 0;
    check_ok(catalog_table_delete(catalog, MR_STR("db"), MR_STR("tagged"), &id, NULL), NULL);
    add_table("tagged", NULL, 0);
    check_tags("database/db/table/tagged", "");
    reopen();
    check_tags("database/db/table/tagged", "");
}

static void tags_stay_through_an_update(void **state)
{
    MR_UNUSED(state);
    struct catalog_table t;
    struct catalog_table_change change = {.set_retention = true, .memory_hours = 2, .magnetic_days = 2};
    check_ok(catalog_table_update(catalog, MR_STR("db"), MR_STR("tagged"), &change, &arena, &t, NULL), NULL);
    check_tags("database/db/table/tagged", "z=1 ");
}

static void unknown_resources(void **state)
{
    MR_UNUSED(state);
    static const char *const paths[] = {"database/no",
                                        "database/db/table/no",
                                        "database/db/",
                                        "database/db/tables/plain",
                                        "database/db/table/plain/x",
                                        "",
                                        "scheduled-query/q"};
    struct mr_pair *tags = NULL, one = {MR_STR("k"), MR_STR("v")};
    size_t n = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(paths); i++) {
        struct mr_str path = mr_str_of(paths[i]);
        assert_int_equal(catalog_tags_list(catalog, path, &arena, &tags, &n), MR_ENOENT);
        assert_int_equal(catalog_tags_put(catalog, path, &one, 1, 50, NULL), MR_ENOENT);
        assert_int_equal(catalog_tags_remove(catalog, path, &one.name, 1, NULL), MR_ENOENT);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(given_at_creation),           TEST(put_adds_and_overwrites),
        TEST(the_limit_counts_the_union),  TEST(remove_ignores_unknown_keys),
        TEST(tags_go_with_their_resource), TEST(tags_stay_through_an_update),
        TEST(unknown_resources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
