/* What catalog_open says to files that are not, or no longer, a catalog of ours. */
#include "catalog/catalog.h"
#include "catalog/db.h"
#include "lib/check.h"
#include "lib/dir.h"

#include "base/io.h"
#include "base/rand.h"

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

/* Runs it without the triggers, which keep the sums of rows and which only the catalog can run. */
static void run_unnoticed(const char *change)
{
    struct mr_buf sql = MR_BUF_INIT;
    mr_buf_printf(&sql,
                  "CREATE TEMP TABLE keep AS SELECT * FROM sqlite_schema WHERE type = 'trigger';"
                  "PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger';"
                  "PRAGMA writable_schema = RESET; %s; PRAGMA writable_schema = ON;"
                  "INSERT INTO sqlite_schema SELECT * FROM keep;",
                  change);
    mr_buf_char(&sql, '\0');
    run_sql(sql.ptr);
    mr_buf_release(&sql);
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
    refused(MR_EUNSUPPORTED, "has format 99 and this build knows format 2 only; a newer Millrace wrote it");
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
    run_unnoticed("INSERT INTO tables VALUES (1, 77, 't', 1, 1, 0, NULL, NULL, NULL, 0, NULL, 0, 1, 1)");
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

/* A value that is not what was written, in a page that is sound: every statement here leaves a file SQLite
 * finds nothing wrong with. */
static void a_value_is_changed(void **state)
{
    static const char *const changes[] = {
        "UPDATE databases SET kms_key = 'l' WHERE id = 2",
        "UPDATE databases SET id = 9 WHERE id = 3",
        "UPDATE databases SET created = created + 1",
        "UPDATE settings SET value = zeroblob(length(value))",
        "DELETE FROM settings",
        "INSERT INTO dropped_tables VALUES (1)",
        "UPDATE sums SET sum = sum + 1 WHERE name = 'rows'",
        "DELETE FROM sums WHERE name = 'rows'",
        "UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = 'databases'",
    };
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(changes); i++) {
        make_catalog(i == 0 ? 4 : 0);
        if (i == 0) {
            struct catalog *c = NULL;
            check_ok(catalog_open(dir, &now, &c, &err), &err);
            check_ok(catalog_setting_put(c, "s", MR_STR("w"), &err), &err);
            catalog_close(c);
        }
        struct mr_buf good = MR_BUF_INIT;
        check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 24, &good, &err), &err);
        run_unnoticed(changes[i]);
        refused(MR_ECORRUPT, "do not add up");
        err = (struct mr_error)MR_ERROR_INIT;
        check_ok(mr_io_write_file(&mr_io_posix, dir, "catalog.sqlite", mr_buf_view(&good), 0600, &err), &err);
        mr_buf_release(&good);
    }
}

/* Everything the tables say, a row a line. */
static int add_line(void *buf, int count, char **values, char **names)
{
    MR_UNUSED(names);
    for (int i = 0; i < count; i++)
        mr_buf_printf(buf, "%s%c", values[i] != NULL ? values[i] : "(null)", i + 1 < count ? '|' : '\n');
    return 0;
}

static void describe(struct mr_buf *out)
{
    sqlite3 *handle = NULL;
    assert_int_equal(sqlite3_open(path, &handle), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(handle,
                     "SELECT * FROM databases; SELECT * FROM tables; SELECT * FROM database_tags;"
                     "SELECT * FROM table_tags; SELECT * FROM dropped_tables;"
                     "SELECT name, hex(value) FROM settings; SELECT * FROM sqlite_sequence",
                     add_line, out, NULL),
        SQLITE_OK);
    sqlite3_close(handle);
}

/* One bit at a time, anywhere: noticed, or without any effect on what is said. */
static void a_bit_is_flipped(void **state)
{
    struct mr_buf good = MR_BUF_INIT, want = MR_BUF_INIT, got = MR_BUF_INIT;
    struct mr_rng rng = {4};
    unsigned noticed = 0;
    MR_UNUSED(state);
    mr_clock_manual_set(&now, 20000 * MR_NS_PER_DAY); /* times take their bytes, and no index has them */
    make_catalog(40);
    describe(&want);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 24, &good, &err), &err);
    for (int i = 0; i < 600; i++) {
        struct catalog *c = NULL;
        size_t bit = mr_rng_below(&rng, good.len * 8);
        good.ptr[bit / 8] ^= (char)(1 << bit % 8);
        check_ok(mr_io_write_file(&mr_io_posix, dir, "catalog.sqlite", mr_buf_view(&good), 0600, &err), &err);
        good.ptr[bit / 8] ^= (char)(1 << bit % 8);
        int status = catalog_open(dir, &now, &c, &err);
        catalog_close(c);
        err = (struct mr_error)MR_ERROR_INIT;
        noticed += status != MR_OK;
        if (status != MR_OK)
            continue;
        got.len = 0;
        describe(&got);
        if (!mr_str_eq(mr_buf_view(&got), mr_buf_view(&want)))
            fail_msg("bit %zu changes what is said, unnoticed", bit);
    }
    assert_true(noticed > 50);
    mr_buf_release(&good);
    mr_buf_release(&want);
    mr_buf_release(&got);
}

/* Version 1 had no sums: they are made at open, of what is there. */
static void an_older_format(void **state)
{
    struct mr_buf want = MR_BUF_INIT, got = MR_BUF_INIT;
    struct catalog *c = NULL;
    MR_UNUSED(state);
    make_catalog(5);
    describe(&want);
    run_sql("PRAGMA writable_schema = ON; DELETE FROM sqlite_schema WHERE type = 'trigger';"
            "PRAGMA writable_schema = RESET; DROP TABLE sums; PRAGMA user_version = 1");
    check_ok(catalog_open(dir, &now, &c, &err), &err);
    catalog_close(c);
    describe(&got);
    assert_true(mr_str_eq(mr_buf_view(&got), mr_buf_view(&want)));
    run_unnoticed("UPDATE databases SET updated = updated + 1");
    refused(MR_ECORRUPT, "do not add up");
    mr_buf_release(&want);
    mr_buf_release(&got);
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
        TEST(another_format),     TEST(somebody_elses_file),    TEST(not_sqlite),
        TEST(a_table_is_missing), TEST(a_reference_to_nothing), TEST(a_page_is_overwritten),
        TEST(a_value_is_changed), TEST(a_bit_is_flipped),       TEST(an_older_format),
        TEST(cut_short),          TEST(empty_is_new),           TEST(one_process_at_a_time),
        TEST(no_directory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
