/* Full disks, failing file operations and failing allocations: an error is reported, nothing has changed, and
 * the catalog goes on when the fault is over.
 *
 * File faults come from a VFS laid over SQLite's own, which fails its n-th write, sync or truncation. */
#include "catalog/parts.h"
#include "lib/check.h"
#include "lib/dir.h"
#include "lib/fault.h"

#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

/* ---- the VFS
 * -------------------------------------------------------------------------------------------------- */

static sqlite3_vfs *real;
static unsigned countdown; /* 0: never */
static bool fired, full;

struct shim {
    sqlite3_file base;
    sqlite3_file *file; /* in the bytes behind this struct */
};

static sqlite3_file *inner(sqlite3_file *f)
{
    return ((struct shim *)f)->file;
}

static bool fails(void)
{
    if (countdown == 0 || --countdown != 0)
        return false;
    fired = true;
    return true;
}

static int s_close(sqlite3_file *f)
{
    return inner(f)->pMethods->xClose(inner(f));
}

static int s_read(sqlite3_file *f, void *to, int n, sqlite3_int64 at)
{
    return inner(f)->pMethods->xRead(inner(f), to, n, at);
}

/* A write that fails has written half of it. */
static int s_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    if (!fails())
        return inner(f)->pMethods->xWrite(inner(f), from, n, at);
    if (n > 1)
        inner(f)->pMethods->xWrite(inner(f), from, n / 2, at);
    return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static int s_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return fails() ? SQLITE_IOERR_TRUNCATE : inner(f)->pMethods->xTruncate(inner(f), size);
}

static int s_sync(sqlite3_file *f, int flags)
{
    return fails() ? SQLITE_IOERR_FSYNC : inner(f)->pMethods->xSync(inner(f), flags);
}

static int s_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return inner(f)->pMethods->xFileSize(inner(f), size);
}

static int s_lock(sqlite3_file *f, int level)
{
    return inner(f)->pMethods->xLock(inner(f), level);
}

static int s_unlock(sqlite3_file *f, int level)
{
    return inner(f)->pMethods->xUnlock(inner(f), level);
}

static int s_reserved(sqlite3_file *f, int *out)
{
    return inner(f)->pMethods->xCheckReservedLock(inner(f), out);
}

static int s_control(sqlite3_file *f, int op, void *arg)
{
    return inner(f)->pMethods->xFileControl(inner(f), op, arg);
}

static int s_sector(sqlite3_file *f)
{
    return inner(f)->pMethods->xSectorSize(inner(f));
}

static int s_device(sqlite3_file *f)
{
    return inner(f)->pMethods->xDeviceCharacteristics(inner(f));
}

static const sqlite3_io_methods shim_methods = {
    .iVersion = 1, /* no shared memory: the catalog's lock is exclusive */
    .xClose = s_close,
    .xRead = s_read,
    .xWrite = s_write,
    .xTruncate = s_truncate,
    .xSync = s_sync,
    .xFileSize = s_size,
    .xLock = s_lock,
    .xUnlock = s_unlock,
    .xCheckReservedLock = s_reserved,
    .xFileControl = s_control,
    .xSectorSize = s_sector,
    .xDeviceCharacteristics = s_device,
};

static int s_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    struct shim *shim = (struct shim *)f;
    MR_UNUSED(vfs);
    shim->base.pMethods = NULL;
    shim->file = (sqlite3_file *)(shim + 1);
    memset(shim->file, 0, (size_t)real->szOsFile);
    int rc = real->xOpen(real, name, shim->file, flags, out);
    if (rc == SQLITE_OK)
        shim->base.pMethods = &shim_methods;
    return rc;
}

static int group_setup(void **state)
{
    static sqlite3_vfs vfs;
    MR_UNUSED(state);
    real = sqlite3_vfs_find(NULL);
    vfs = *real;
    vfs.zName = "faulty";
    vfs.pNext = NULL;
    vfs.szOsFile = (int)sizeof(struct shim) + real->szOsFile;
    vfs.xOpen = s_open;
    return sqlite3_vfs_register(&vfs, 1);
}

/* ---- a world to fail in
 * --------------------------------------------------------------------------------------- */

static char *dir;
static struct mr_clock now;
static struct catalog *catalog;

static void open_catalog(void)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(catalog_open(dir, &now, &catalog, &err), &err);
}

static int setup(void **state)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database d;
    struct catalog_table t = {
        .database = MR_STR("a"), .name = MR_STR("t"), .memory_hours = 1, .magnetic_days = 1};
    const struct mr_pair tag = {MR_STR("k"), MR_STR("v")};
    MR_UNUSED(state);
    countdown = 0;
    fired = full = false;
    dir = dir_make();
    mr_clock_manual_init(&now, 1);
    open_catalog();
    check_ok(catalog_database_create(catalog, MR_STR("a"), MR_STR("key"), &tag, 1, &arena, &d, NULL), NULL);
    check_ok(catalog_table_create(catalog, &t, &tag, 1, NULL), NULL);
    check_ok(catalog_setting_put(catalog, "s", MR_STR("v"), NULL), NULL);
    mr_arena_release(&arena);
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    countdown = 0;
    fault_alloc(0);
    catalog_close(catalog);
    catalog = NULL;
    dir_remove(dir);
    return 0;
}

/* Everything that can be seen of the catalog, as text. */
static void describe(struct mr_buf *out)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database *d = NULL;
    struct catalog_table *t = NULL;
    struct mr_pair *tags = NULL;
    struct mr_str v;
    uint64_t *ids = NULL;
    size_t n = 0;
    bool more = false;
    out->len = 0;
    check_ok(catalog_database_list(catalog, MR_STR_NULL, 99, &arena, &d, &n, &more), NULL);
    for (size_t i = 0; i < n; i++)
        mr_buf_printf(out, "database " MR_STR_FMT " " MR_STR_FMT "\n", MR_STR_ARG(d[i].name),
                      MR_STR_ARG(d[i].kms_key));
    check_ok(catalog_table_list(catalog, MR_STR_NULL, MR_STR_NULL, MR_STR_NULL, 99, &arena, &t, &n, &more),
             NULL);
    for (size_t i = 0; i < n; i++)
        mr_buf_printf(out, "table " MR_STR_FMT " " MR_STR_FMT " %d\n", MR_STR_ARG(t[i].database),
                      MR_STR_ARG(t[i].name), (int)t[i].memory_hours);
    static const char *const paths[] = {"database/a", "database/a/table/t", "database/b",
                                        "database/a/table/u"};
    for (size_t p = 0; p < MR_ARRAY_LEN(paths); p++)
        if (catalog_tags_list(catalog, mr_str_of(paths[p]), &arena, &tags, &n) == MR_OK)
            for (size_t i = 0; i < n; i++)
                mr_buf_printf(out, "tag %s " MR_STR_FMT " " MR_STR_FMT "\n", paths[p],
                              MR_STR_ARG(tags[i].name), MR_STR_ARG(tags[i].value));
    check_ok(catalog_dropped_tables(catalog, &arena, &ids, &n), NULL);
    for (size_t i = 0; i < n; i++)
        mr_buf_printf(out, "dropped %d\n", (int)ids[i]);
    if (catalog_setting_get(catalog, "s", &arena, &v) == MR_OK)
        mr_buf_printf(out, "setting " MR_STR_FMT "\n", MR_STR_ARG(v));
    mr_arena_release(&arena);
}

static void check_same(const struct mr_buf *got, const struct mr_buf *want)
{
    if (!mr_str_eq(mr_buf_view(got), mr_buf_view(want)))
        fail_msg("now\n" MR_STR_FMT "was\n" MR_STR_FMT, MR_STR_ARG(mr_buf_view(got)),
                 MR_STR_ARG(mr_buf_view(want)));
}

/* ---- the changes, each to be failed at every step
 * -------------------------------------------------------------- */

static int create_database(struct mr_arena *arena, struct mr_error *err)
{
    struct catalog_database d;
    const struct mr_pair tag = {MR_STR("x"), MR_STR("y")};
    return catalog_database_create(catalog, MR_STR("b"), MR_STR("key"), &tag, 1, arena, &d, err);
}

static int update_database(struct mr_arena *arena, struct mr_error *err)
{
    struct catalog_database d;
    return catalog_database_update(catalog, MR_STR("a"), MR_STR("other"), arena, &d, err);
}

static int create_table(struct mr_arena *arena, struct mr_error *err)
{
    struct catalog_table t = {
        .database = MR_STR("a"), .name = MR_STR("u"), .memory_hours = 1, .magnetic_days = 1};
    const struct mr_pair tag = {MR_STR("x"), MR_STR("y")};
    MR_UNUSED(arena);
    return catalog_table_create(catalog, &t, &tag, 1, err);
}

static int update_table(struct mr_arena *arena, struct mr_error *err)
{
    struct catalog_table t;
    struct catalog_table_change change = {.set_retention = true, .memory_hours = 5, .magnetic_days = 5};
    return catalog_table_update(catalog, MR_STR("a"), MR_STR("t"), &change, arena, &t, err);
}

static int delete_table(struct mr_arena *arena, struct mr_error *err)
{
    uint64_t id = 0;
    MR_UNUSED(arena);
    return catalog_table_delete(catalog, MR_STR("a"), MR_STR("t"), &id, err);
}

static int put_tags(struct mr_arena *arena, struct mr_error *err)
{
    const struct mr_pair tags[] = {{MR_STR("k"), MR_STR("w")}, {MR_STR("l"), MR_STR("m")}};
    MR_UNUSED(arena);
    return catalog_tags_put(catalog, MR_STR("database/a"), tags, 2, 50, err);
}

static int remove_tags(struct mr_arena *arena, struct mr_error *err)
{
    const struct mr_str key = MR_STR("k");
    MR_UNUSED(arena);
    return catalog_tags_remove(catalog, MR_STR("database/a/table/t"), &key, 1, err);
}

static int put_setting(struct mr_arena *arena, struct mr_error *err)
{
    MR_UNUSED(arena);
    return catalog_setting_put(catalog, "s", MR_STR("w"), err);
}

typedef int change_fn(struct mr_arena *arena, struct mr_error *err);
static change_fn *const changes[] = {create_database, update_database, create_table, update_table, put_tags,
                                     remove_tags,     put_setting,     delete_table /* others need it */};

/* Runs one change with the fault armed at n; false when it ran to its end without meeting the fault. */
static bool fail_once(change_fn *change, unsigned n, enum mr_status want, bool memory)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf before = MR_BUF_INIT, after = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    describe(&before);
    fired = false;
    if (memory)
        fault_alloc(n);
    else
        countdown = n;
    int rc = change(&arena, &err);
    bool met = memory ? fault_alloc_fired() : fired;
    fault_alloc(0);
    countdown = 0;
    describe(&after);
    if (rc != MR_OK) {
        if (!met || rc != (int)want)
            fail_msg("%s fault %u: %s: %s", met ? "met" : "unmet", n, mr_status_name((enum mr_status)rc),
                     err.text);
        assert_int_not_equal(err.text[0], '\0');
        check_same(&after, &before);
    } else {
        assert_false(mr_str_eq(mr_buf_view(&before), mr_buf_view(&after)));
    }
    mr_buf_release(&before);
    mr_buf_release(&after);
    mr_arena_release(&arena);
    return rc != MR_OK;
}

static void fail_everywhere(enum mr_status want, bool memory)
{
    unsigned failures = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(changes); i++) {
        unsigned n = 1;
        while (fail_once(changes[i], n, want, memory))
            assert_true(++n < 100);
        failures += n - 1;
    }
    assert_true(failures >= 8);
    struct mr_buf before = MR_BUF_INIT, after = MR_BUF_INIT;
    describe(&before);
    catalog_close(catalog);
    open_catalog();
    describe(&after);
    check_same(&after, &before);
    mr_buf_release(&before);
    mr_buf_release(&after);
}

static void file_errors(void **state)
{
    MR_UNUSED(state);
    fail_everywhere(MR_EIO, false);
}

static void allocation_errors(void **state)
{
    MR_UNUSED(state);
    fail_everywhere(MR_ENOMEM, true);
}

static void allocation_errors_at_open(void **state)
{
    struct catalog *c = NULL;
    MR_UNUSED(state);
    catalog_close(catalog);
    catalog = NULL;
    unsigned n = 1;
    for (;; n++) {
        struct mr_error err = MR_ERROR_INIT;
        fault_alloc(n);
        int rc = catalog_open(dir, &now, &c, &err);
        fault_alloc(0);
        if (rc == MR_OK)
            break;
        assert_int_equal(rc, MR_ENOMEM);
        assert_int_not_equal(err.text[0], '\0');
        assert_true(n < 200);
    }
    assert_true(n > 5);
    catalog_close(c);
}

/* A disk that is full in the middle of a write of the log. */
static void full_while_writing(void **state)
{
    MR_UNUSED(state);
    full = true;
    assert_true(fail_once(create_database, 1, MR_ENOSPC, false));
    full = false;
    assert_false(fail_once(create_database, 0, MR_OK, false));
}

/* The file may not grow any more: creates are refused in time, what is there can be read and changed. */
static void full_file(void **state)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_table_change change = {.set_retention = true, .memory_hours = 9, .magnetic_days = 9};
    struct catalog_table t, made = {.database = MR_STR("a"), .memory_hours = 1, .magnetic_days = 1};
    uint64_t databases = 0, tables = 0;
    char name[16];
    int rc = MR_OK, n = 0;
    MR_UNUSED(state);
    assert_int_equal(sqlite3_exec(catalog->db.handle, "PRAGMA max_page_count = 1", NULL, NULL, NULL),
                     SQLITE_OK);
    for (; rc == MR_OK; n++) {
        snprintf(name, sizeof name, "f%d", n);
        made.name = mr_str_of(name);
        rc = catalog_table_create(catalog, &made, NULL, 0, &err);
        assert_true(n < 1000);
    }
    assert_int_equal(rc, MR_ENOSPC);
    catalog_counts(catalog, &databases, &tables);
    assert_int_equal(tables, n); /* t and the n - 1 that went in */
    assert_int_equal(catalog_table_get(catalog, MR_STR("a"), mr_str_of(name), &arena, &t, NULL), MR_ENOENT);
    check_ok(catalog_table_update(catalog, MR_STR("a"), MR_STR("t"), &change, &arena, &t, NULL), NULL);
    assert_int_equal(sqlite3_exec(catalog->db.handle, "PRAGMA max_page_count = 100000", NULL, NULL, NULL),
                     SQLITE_OK);
    check_ok(catalog_table_create(catalog, &made, NULL, 0, NULL), NULL);
    mr_arena_release(&arena);
}

/* Write-back of the log fails once: no second try in this process, the log keeps all, and the next start is
 * whole. */
static void failed_checkpoint(void **state)
{
    struct mr_buf before = MR_BUF_INIT, after = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    MR_UNUSED(state);
    mr_log_set_level(MR_LOG_ERROR + 1);
    /* A change writes and syncs the log, then the file: the fault is armed ever later until it meets the
     * second. */
    for (unsigned n = 1; !catalog->db.no_checkpoint; n++) {
        countdown = n;
        (void)catalog_setting_put(catalog, "s", n % 2 != 0 ? MR_STR("odd") : MR_STR("even"), &err);
        countdown = 0;
        assert_true(n < 100);
    }
    mr_log_set_level(MR_LOG_INFO);
    assert_true(fired);
    check_ok(catalog_setting_put(catalog, "s", MR_STR("last"), &err), &err);
    describe(&before);
    catalog_close(catalog);
    char log[600];
    snprintf(log, sizeof log, "%s/catalog.sqlite-wal", dir);
    assert_int_equal(access(log, F_OK), 0);
    open_catalog();
    describe(&after);
    check_same(&after, &before);
    mr_buf_release(&before);
    mr_buf_release(&after);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(file_errors),        TEST(allocation_errors), TEST(allocation_errors_at_open),
        TEST(full_while_writing), TEST(full_file),         TEST(failed_checkpoint),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
