/* What catalog_open says to files that are not, or no longer, a catalog of ours. */
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "lib/check.h"
#include "lib/dir.h"

#include "base/io.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

static char *dir;
static char path[600];
static struct mr_clock now;
static struct mr_error err;

static int setup(void **state)
{
    MR_UNUSED(state);
    dir = dir_make();
    mr_clock_manual_init(&now, 1);
    snprintf(path, sizeof path, "%s/catalog.sqlite", dir);
    err = (struct mr_error)MR_ERROR_INIT;
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    dir_remove(dir);
    return 0;
}

static void make_catalog(int databases)
{
    struct catalog *c = NULL;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database d;
    check_ok(catalog_open(dir, &now, &c, &err), &err);
    for (int i = 0; i < databases; i++) {
        char name[16];
        snprintf(name, sizeof name, "db%04d", i);
        check_ok(catalog_database_create(c, mr_str_of(name), MR_STR("k"), NULL, 0, &arena, &d, &err), &err);
    }
    catalog_close(c);
    mr_arena_release(&arena);
}

static void run_sql(const char *sql)
{
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(sqlite3_exec(handle, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(handle), SQLITE_OK);
}

static void refused(enum mr_status status, const char *text)
{
    struct catalog *c = NULL;
    assert_int_equal(catalog_open(dir, &now, &c, &err), status);
    assert_null(c);
    if (strstr(err.text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

static void another_format(void **state)
{
    MR_UNUSED(state);
    make_catalog(1);
    run_sql("PRAGMA user_version = 99");
    refused(MR_EUNSUPPORTED, "has format 99 and this build knows format 1 only; a newer Millrace wrote it");
}

static void somebody_elses_file(void **state)
{
    MR_UNUSED(state);
    run_sql("CREATE TABLE notes (t TEXT)");
    refused(MR_ECORRUPT, "something else");
}

static void not_sqlite(void **state)
{
    MR_UNUSED(state);
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    check_ok(mr_io_write_file(&mr_io_posix, dir, "catalog.sqlite", (struct mr_str){bytes, sizeof bytes}, 0600,
                              &err),
             &err);
    refused(MR_ECORRUPT, "not a database");
}

static void a_table_is_missing(void **state)
{
    MR_UNUSED(state);
    make_catalog(0);
    run_sql("DROP TABLE settings");
    refused(MR_ECORRUPT, "lacks part of its tables");
}

static void a_reference_to_nothing(void **state)
{
    MR_UNUSED(state);
    make_catalog(0);
    run_sql("INSERT INTO tables VALUES (1, 77, 't', 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, 1, 1)");
    refused(MR_ECORRUPT, "refers to nothing");
}

/* Every page overwritten in turn: opening notices it, and never crashes. */
static void a_page_is_overwritten(void **state)
{
    MR_UNUSED(state);
    struct mr_buf good = MR_BUF_INIT;
    make_catalog(400);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 24, &good, &err), &err);
    assert_true(good.len > 4 * 4096);
    for (size_t at = 0; at < good.len; at += 4096) {
        char saved[4096];
        memcpy(saved, good.ptr + at, 4096);
        memset(good.ptr + at, 0xA5, 4096);
        check_ok(mr_io_write_file(&mr_io_posix, dir, "catalog.sqlite", mr_buf_view(&good), 0600, &err), &err);
        memcpy(good.ptr + at, saved, 4096);
        refused(MR_ECORRUPT, "catalog: ");
        err = (struct mr_error)MR_ERROR_INIT;
    }
    mr_buf_release(&good);
}

static void cut_short(void **state)
{
    MR_UNUSED(state);
    struct mr_buf good = MR_BUF_INIT;
    make_catalog(400);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 24, &good, &err), &err);
    struct mr_str half = {good.ptr, good.len / 2};
    check_ok(mr_io_write_file(&mr_io_posix, dir, "catalog.sqlite", half, 0600, &err), &err);
    refused(MR_ECORRUPT, "catalog: ");
    mr_buf_release(&good);
}

/* A crash right after the file was made leaves it empty: that is a new catalog. */
static void empty_is_new(void **state)
{
    MR_UNUSED(state);
    check_ok(mr_io_write_file(&mr_io_posix, dir, "catalog.sqlite", MR_STR(""), 0600, &err), &err);
    make_catalog(1);
}

static void one_process_at_a_time(void **state)
{
    MR_UNUSED(state);
    struct catalog *first = NULL;
    check_ok(catalog_open(dir, &now, &first, &err), &err);
    refused(MR_EBUSY, "another process");
    catalog_close(first);
}

static void no_directory(void **state)
{
    MR_UNUSED(state);
    struct catalog *c = NULL;
    assert_int_equal(catalog_open("/nonexistent/dir", &now, &c, &err), MR_ENOENT);
    assert_non_null(strstr(err.text, "/nonexistent/dir/catalog.sqlite"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(another_format),         TEST(somebody_elses_file),   TEST(not_sqlite), TEST(a_table_is_missing),
        TEST(a_reference_to_nothing), TEST(a_page_is_overwritten), TEST(cut_short),  TEST(empty_is_new),
        TEST(one_process_at_a_time),  TEST(no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
