/* Databases, tables and settings: every call, before and after a restart. */
#include "catalog/catalog.h"
#include "lib/check.h"
#include "lib/dir.h"

#include <stdio.h>
#include <sys/stat.h>

struct fixture {
    char *dir;
    struct mr_clock clock;
    struct catalog *catalog;
    struct mr_arena arena;
    struct mr_error err;
};

static int setup(void **state)
{
    struct fixture *f = mr_calloc(1, sizeof(*f));
    f->dir = dir_make();
    mr_clock_manual_init(&f->clock, 1000);
    check_ok(catalog_open(f->dir, &f->clock, &f->catalog, &f->err), &f->err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    catalog_close(f->catalog);
    mr_arena_release(&f->arena);
    dir_remove(f->dir);
    mr_free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    catalog_close(f->catalog);
    f->catalog = NULL;
    check_ok(catalog_open(f->dir, &f->clock, &f->catalog, &f->err), &f->err);
}

static struct catalog_database make_database(struct fixture *f, const char *name)
{
    struct catalog_database d;
    check_ok(catalog_database_create(f->catalog, mr_str_of(name), MR_STR("alias/k"), NULL, 0, &f->arena, &d,
                                     &f->err),
             &f->err);
    return d;
}

static struct catalog_table plain_table(const char *database, const char *name)
{
    return (struct catalog_table){
        .database = mr_str_of(database), .name = mr_str_of(name), .memory_hours = 6, .magnetic_days = 73000};
}

static uint64_t make_table(struct fixture *f, const char *database, const char *name)
{
    struct catalog_table t = plain_table(database, name);
    check_ok(catalog_table_create(f->catalog, &t, NULL, 0, &f->err), &f->err);
    return t.id;
}

static void databases_live_and_die(void **state)
{
    struct fixture *f = *state;
    struct catalog_database d;
    uint64_t before = catalog_version(f->catalog);
    uint64_t first = make_database(f, "rivers").id;
    assert_int_not_equal(before, catalog_version(f->catalog));
    assert_int_equal(
        catalog_database_create(f->catalog, MR_STR("rivers"), MR_STR("k"), NULL, 0, &f->arena, &d, NULL),
        MR_EEXIST);
    make_database(f, "Rivers"); /* names are bytes */

    mr_clock_manual_set(&f->clock, 2000);
    check_ok(catalog_database_update(f->catalog, MR_STR("rivers"), MR_STR("alias/k"), &f->arena, &d, NULL),
             NULL);
    assert_int_equal(d.updated, 1000); /* the key it had */
    check_ok(catalog_database_update(f->catalog, MR_STR("rivers"), MR_STR("alias/new"), &f->arena, &d, NULL),
             NULL);
    assert_int_equal(d.updated, 2000);
    check_str(d.kms_key, "alias/new");

    for (int restarted = 0; restarted < 2; restarted++) {
        check_ok(catalog_database_get(f->catalog, MR_STR("rivers"), &f->arena, &d), NULL);
        assert_int_equal(d.id, first);
        check_str(d.name, "rivers");
        check_str(d.kms_key, "alias/new");
        assert_int_equal(d.created, 1000);
        assert_int_equal(d.updated, 2000);
        reopen(f);
    }
    check_ok(catalog_database_delete(f->catalog, MR_STR("rivers"), NULL), NULL);
    assert_int_equal(catalog_database_delete(f->catalog, MR_STR("rivers"), NULL), MR_ENOENT);
    assert_int_equal(catalog_database_get(f->catalog, MR_STR("rivers"), &f->arena, &d), MR_ENOENT);
    assert_int_equal(catalog_database_update(f->catalog, MR_STR("rivers"), MR_STR("k"), &f->arena, &d, NULL),
                     MR_ENOENT);
}

static void ids_do_not_come_back(void **state)
{
    struct fixture *f = *state;
    make_database(f, "a");
    uint64_t database = make_database(f, "b").id, table = make_table(f, "a", "t"), id = 0;
    check_ok(catalog_database_delete(f->catalog, MR_STR("b"), NULL), NULL);
    check_ok(catalog_table_delete(f->catalog, MR_STR("a"), MR_STR("t"), &id, NULL), NULL);
    assert_int_equal(id, table);
    reopen(f);
    assert_true(make_database(f, "b").id > database);
    assert_true(make_table(f, "a", "t") > table);
}

static void a_database_with_tables_stays(void **state)
{
    struct fixture *f = *state;
    struct catalog_database d;
    uint64_t id = 0;
    make_database(f, "a");
    make_table(f, "a", "t");
    assert_int_equal(catalog_database_delete(f->catalog, MR_STR("a"), NULL), MR_EBUSY);
    check_ok(catalog_database_get(f->catalog, MR_STR("a"), &f->arena, &d), NULL);
    assert_int_equal(d.table_count, 1);
    check_ok(catalog_table_delete(f->catalog, MR_STR("a"), MR_STR("t"), &id, NULL), NULL);
    check_ok(catalog_database_delete(f->catalog, MR_STR("a"), NULL), NULL);
}

static void tables_keep_all_members(void **state)
{
    struct fixture *f = *state;
    make_database(f, "a");
    struct catalog_table t = plain_table("a", "full"), got;
    t.magnetic_writes = true;
    t.rejected_bucket = MR_STR("bucket");
    t.rejected_prefix = MR_STR("in/");
    t.rejected_kms_key = MR_STR("alias/r");
    t.rejected_encryption = 2;
    t.partition_dimension = MR_STR("host");
    t.enforcement = CATALOG_ENFORCE_REQUIRED;
    check_ok(catalog_table_create(f->catalog, &t, NULL, 0, NULL), NULL);
    make_table(f, "a", "bare");
    for (int restarted = 0; restarted < 2; restarted++) {
        check_ok(catalog_table_get(f->catalog, MR_STR("a"), MR_STR("full"), &f->arena, &got, NULL), NULL);
        assert_int_equal(got.id, t.id);
        assert_int_equal(got.database_id, t.database_id);
        check_str(got.database, "a");
        check_str(got.name, "full");
        assert_true(got.magnetic_writes);
        check_str(got.rejected_bucket, "bucket");
        check_str(got.rejected_prefix, "in/");
        check_str(got.rejected_kms_key, "alias/r");
        assert_int_equal(got.rejected_encryption, 2);
        check_str(got.partition_dimension, "host");
        assert_int_equal(got.enforcement, CATALOG_ENFORCE_REQUIRED);
        assert_int_equal(got.created, 1000);
        check_ok(catalog_table_get(f->catalog, MR_STR("a"), MR_STR("bare"), &f->arena, &got, NULL), NULL);
        assert_null(got.rejected_bucket.ptr); /* absent stays absent */
        assert_null(got.partition_dimension.ptr);
        assert_false(got.magnetic_writes);
        assert_int_equal(got.memory_hours, 6);
        assert_int_equal(got.magnetic_days, 73000);
        reopen(f);
    }
}

static void table_errors_tell_which_name(void **state)
{
    struct fixture *f = *state;
    struct catalog_table t = plain_table("a", "t"), got;
    bool missing = false;
    assert_int_equal(catalog_table_create(f->catalog, &t, NULL, 0, NULL), MR_ENOENT);
    assert_int_equal(catalog_table_get(f->catalog, MR_STR("a"), MR_STR("t"), &f->arena, &got, &missing),
                     MR_ENOENT);
    assert_true(missing);
    make_database(f, "a");
    assert_int_equal(catalog_table_get(f->catalog, MR_STR("a"), MR_STR("t"), &f->arena, &got, &missing),
                     MR_ENOENT);
    assert_false(missing);
    make_table(f, "a", "t");
    assert_int_equal(catalog_table_create(f->catalog, &t, NULL, 0, NULL), MR_EEXIST);
    make_database(f, "b");
    make_table(f, "b", "t"); /* unique within the database only */
}

static void updates_change_what_is_set(void **state)
{
    struct fixture *f = *state;
    struct catalog_table got;
    make_database(f, "a");
    struct catalog_table t = plain_table("a", "t");
    t.partition_dimension = MR_STR("host");
    t.rejected_bucket = MR_STR("old");
    t.magnetic_writes = true;
    check_ok(catalog_table_create(f->catalog, &t, NULL, 0, NULL), NULL);
    mr_clock_manual_set(&f->clock, 5000);

    struct catalog_table_change none = {0};
    check_ok(catalog_table_update(f->catalog, MR_STR("a"), MR_STR("t"), &none, &f->arena, &got, NULL), NULL);
    assert_int_equal(got.updated, 1000);

    struct catalog_table_change retention = {.set_retention = true, .memory_hours = 12, .magnetic_days = 7};
    check_ok(catalog_table_update(f->catalog, MR_STR("a"), MR_STR("t"), &retention, &f->arena, &got, NULL),
             NULL);
    assert_int_equal(got.updated, 5000);
    assert_int_equal(got.memory_hours, 12);
    check_str(got.rejected_bucket, "old");

    struct catalog_table_change magnetic = {.set_magnetic = true, .rejected_prefix = MR_STR("p")};
    check_ok(catalog_table_update(f->catalog, MR_STR("a"), MR_STR("t"), &magnetic, &f->arena, &got, NULL),
             NULL);
    assert_false(got.magnetic_writes);
    assert_null(got.rejected_bucket.ptr); /* the block was replaced */

    struct catalog_table_change enforce = {.set_enforcement = true, .enforcement = CATALOG_ENFORCE_OPTIONAL};
    check_ok(catalog_table_update(f->catalog, MR_STR("a"), MR_STR("t"), &enforce, &f->arena, &got, NULL),
             NULL);
    reopen(f);
    check_ok(catalog_table_get(f->catalog, MR_STR("a"), MR_STR("t"), &f->arena, &got, NULL), NULL);
    assert_int_equal(got.memory_hours, 12);
    assert_int_equal(got.magnetic_days, 7);
    check_str(got.rejected_prefix, "p");
    assert_int_equal(got.enforcement, CATALOG_ENFORCE_OPTIONAL);
    check_str(got.partition_dimension, "host");
    assert_int_equal(got.created, 1000);
    assert_int_equal(catalog_table_update(f->catalog, MR_STR("a"), MR_STR("x"), &none, &f->arena, &got, NULL),
                     MR_ENOENT);
}

static void dropped_ids_wait_for_the_store(void **state)
{
    struct fixture *f = *state;
    uint64_t id = 0, *ids = NULL;
    size_t n = 9;
    check_ok(catalog_dropped_tables(f->catalog, &f->arena, &ids, &n), NULL);
    assert_int_equal(n, 0);
    make_database(f, "a");
    uint64_t one = make_table(f, "a", "t1"), two = make_table(f, "a", "t2");
    check_ok(catalog_table_delete(f->catalog, MR_STR("a"), MR_STR("t2"), &id, NULL), NULL);
    check_ok(catalog_table_delete(f->catalog, MR_STR("a"), MR_STR("t1"), &id, NULL), NULL);
    assert_int_equal(catalog_table_delete(f->catalog, MR_STR("a"), MR_STR("t1"), &id, NULL), MR_ENOENT);
    reopen(f);
    check_ok(catalog_dropped_tables(f->catalog, &f->arena, &ids, &n), NULL);
    assert_int_equal(n, 2);
    assert_int_equal(ids[0], one);
    assert_int_equal(ids[1], two);
    check_ok(catalog_dropped_done(f->catalog, one, NULL), NULL);
    check_ok(catalog_dropped_done(f->catalog, one, NULL), NULL); /* may be told twice */
    check_ok(catalog_dropped_tables(f->catalog, &f->arena, &ids, &n), NULL);
    assert_int_equal(n, 1);
    assert_int_equal(ids[0], two);
}

static void databases_are_paged_by_bytes(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"b", "a-", "a", "a.b", "B", "aa"}; /* sorted: B a a- a.b aa b */
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++)
        make_database(f, names[i]);
    struct mr_buf seen = MR_BUF_INIT;
    struct mr_str after = MR_STR_NULL;
    bool more = true;
    for (int pages = 0; more; pages++) {
        struct catalog_database *list = NULL;
        size_t n = 0;
        check_ok(catalog_database_list(f->catalog, after, 4, &f->arena, &list, &n, &more), NULL);
        for (size_t i = 0; i < n; i++)
            mr_buf_printf(&seen, MR_STR_FMT " ", MR_STR_ARG(list[i].name));
        after = list[n - 1].name;
        assert_true(pages < 2);
    }
    check_str(mr_buf_view(&seen), "B a a- a.b aa b ");
    mr_buf_release(&seen);
}

static void tables_are_paged_over_databases(void **state)
{
    struct fixture *f = *state;
    make_database(f, "x");
    make_database(f, "empty");
    make_database(f, "c");
    make_table(f, "x", "1");
    make_table(f, "x", "2");
    make_table(f, "c", "9");
    make_table(f, "c", "3");
    for (size_t limit = 1; limit <= 5; limit++) {
        struct mr_buf seen = MR_BUF_INIT;
        struct mr_str after_database = MR_STR_NULL, after_table = MR_STR_NULL;
        bool more = true;
        while (more) {
            struct catalog_table *list = NULL;
            size_t n = 0;
            check_ok(catalog_table_list(f->catalog, MR_STR_NULL, after_database, after_table, limit,
                                        &f->arena, &list, &n, &more),
                     NULL);
            assert_true(n > 0 && n <= limit);
            for (size_t i = 0; i < n; i++)
                mr_buf_printf(&seen, MR_STR_FMT "/" MR_STR_FMT " ", MR_STR_ARG(list[i].database),
                              MR_STR_ARG(list[i].name));
            after_database = list[n - 1].database;
            after_table = list[n - 1].name;
        }
        check_str(mr_buf_view(&seen), "c/3 c/9 x/1 x/2 ");
        mr_buf_release(&seen);
    }
}

static void one_database_of_tables(void **state)
{
    struct fixture *f = *state;
    struct catalog_table *list = NULL;
    size_t n = 0;
    bool more = false;
    make_database(f, "a");
    make_database(f, "b");
    make_table(f, "a", "1");
    make_table(f, "a", "2");
    make_table(f, "b", "3");
    check_ok(
        catalog_table_list(f->catalog, MR_STR("a"), MR_STR_NULL, MR_STR_NULL, 1, &f->arena, &list, &n, &more),
        NULL);
    assert_int_equal(n, 1);
    assert_true(more);
    /* the marker of a page may have been deleted meanwhile: the next name follows */
    check_ok(catalog_table_list(f->catalog, MR_STR("a"), MR_STR("a"), MR_STR("1x"), 9, &f->arena, &list, &n,
                                &more),
             NULL);
    assert_int_equal(n, 1);
    check_str(list[0].name, "2");
    assert_false(more);
    check_ok(catalog_table_list(f->catalog, MR_STR_NULL, MR_STR("aa"), MR_STR("1"), 9, &f->arena, &list, &n,
                                &more),
             NULL);
    assert_int_equal(n, 1);
    check_str(list[0].name, "3");
    assert_int_equal(catalog_table_list(f->catalog, MR_STR("no"), MR_STR_NULL, MR_STR_NULL, 9, &f->arena,
                                        &list, &n, &more),
                     MR_ENOENT);
}

static void limits_hold(void **state)
{
    struct fixture *f = *state;
    struct catalog_database d;
    uint64_t databases = 0, tables = 0;
    catalog_set_limits(f->catalog, 2, 1);
    make_database(f, "a");
    make_database(f, "b");
    assert_int_equal(
        catalog_database_create(f->catalog, MR_STR("c"), MR_STR("k"), NULL, 0, &f->arena, &d, NULL),
        MR_ELIMIT);
    /* a name that is there is a conflict before it is a quota */
    assert_int_equal(
        catalog_database_create(f->catalog, MR_STR("b"), MR_STR("k"), NULL, 0, &f->arena, &d, NULL),
        MR_EEXIST);
    make_table(f, "a", "t");
    struct catalog_table t = plain_table("b", "u");
    assert_int_equal(catalog_table_create(f->catalog, &t, NULL, 0, NULL), MR_ELIMIT);
    catalog_counts(f->catalog, &databases, &tables);
    assert_int_equal(databases, 2);
    assert_int_equal(tables, 1);
}

static void settings_are_bytes(void **state)
{
    struct fixture *f = *state;
    struct mr_str v;
    assert_int_equal(catalog_setting_get(f->catalog, "k", &f->arena, &v), MR_ENOENT);
    check_ok(catalog_setting_put(f->catalog, "k", MR_STR("one"), NULL), NULL);
    check_ok(catalog_setting_put(f->catalog, "a", MR_STR(""), NULL), NULL);
    check_ok(catalog_setting_put(f->catalog, "k", MR_STR("a\0b"), NULL), NULL);
    for (int restarted = 0; restarted < 2; restarted++) {
        check_ok(catalog_setting_get(f->catalog, "k", &f->arena, &v), NULL);
        assert_true(mr_str_eq(v, MR_STR("a\0b")));
        check_ok(catalog_setting_get(f->catalog, "a", &f->arena, &v), NULL);
        assert_non_null(v.ptr);
        assert_int_equal(v.len, 0);
        reopen(f);
    }
}

static void the_file_is_private(void **state)
{
    struct fixture *f = *state;
    char path[600];
    struct stat st;
    snprintf(path, sizeof path, "%s/catalog.sqlite", f->dir);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);
}

static void many_tables_survive_a_restart(void **state)
{
    struct fixture *f = *state;
    char name[16];
    uint64_t databases = 0, tables = 0;
    make_database(f, "m");
    make_database(f, "n");
    for (int i = 0; i < 700; i++) {
        snprintf(name, sizeof name, "t%d", i * 7919 % 700);
        make_table(f, i % 2 != 0 ? "m" : "n", name);
    }
    reopen(f);
    catalog_counts(f->catalog, &databases, &tables);
    assert_int_equal(tables, 700);
    struct catalog_table *list = NULL;
    size_t n = 0;
    bool more = true;
    check_ok(catalog_table_list(f->catalog, MR_STR_NULL, MR_STR_NULL, MR_STR_NULL, 1000, &f->arena, &list, &n,
                                &more),
             NULL);
    assert_int_equal(n, 700);
    for (size_t i = 1; i < n; i++) {
        int order = mr_str_cmp(list[i - 1].database, list[i].database);
        assert_true(order < 0 || (order == 0 && mr_str_cmp(list[i - 1].name, list[i].name) < 0));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(databases_live_and_die),
        TEST(ids_do_not_come_back),
        TEST(a_database_with_tables_stays),
        TEST(tables_keep_all_members),
        TEST(table_errors_tell_which_name),
        TEST(updates_change_what_is_set),
        TEST(dropped_ids_wait_for_the_store),
        TEST(databases_are_paged_by_bytes),
        TEST(tables_are_paged_over_databases),
        TEST(one_database_of_tables),
        TEST(limits_hold),
        TEST(settings_are_bytes),
        TEST(the_file_is_private),
        TEST(many_tables_survive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
