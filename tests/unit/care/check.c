/* A check names what is damaged, and nothing else. */
#include "kit.h"

#include "catalog/catalog.h"
#include "lib/check.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_whole(const struct care_kit *kit)
{
    struct care_counts counts;
    struct mr_buf found;
    assert_int_equal(care_kit_check(kit, &counts, &found), MR_OK);
    assert_string_equal(found.ptr, "");
    mr_buf_release(&found);
}

static void test_whole(void **state)
{
    struct care_kit kit;
    struct care_counts counts;
    struct mr_buf found;
    MR_UNUSED(state);
    care_kit_make(&kit);
    assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
    assert_string_equal(found.ptr, "");
    assert_int_equal(counts.databases, 1);
    assert_int_equal(counts.tables, 2);
    assert_int_equal(counts.files, 3);
    assert_int_equal(counts.names_files, 2);
    assert_int_equal(counts.rows, 90);
    assert_int_equal(counts.series, 3);
    assert_int_equal(counts.log_rows, 30);
    assert_int_equal(counts.keys, 2);
    mr_buf_release(&found);
    care_kit_release(&kit);
}

/* Every byte of a file of the kind, turned around: the check names the file and, where one is known, the
 * table.
 */
static void flip_every(const struct care_kit *kit, const char *sub, const char *prefix, const char *table,
                       int64_t step)
{
    size_t n;
    char **paths = care_kit_paths(kit->dir, sub, prefix, &n);
    assert_true(n != 0);
    for (size_t i = 0; i < n; i++) {
        int64_t size = care_kit_size(paths[i]);
        const char *name = strrchr(paths[i], '/') + 1;
        for (int64_t at = 0; at < size; at += step) {
            struct care_counts counts;
            struct mr_buf found;
            care_kit_flip(paths[i], at);
            assert_int_equal(care_kit_check(kit, &counts, &found), MR_OK);
            if (counts.damaged == 0 || strstr(found.ptr, name) == NULL || strstr(found.ptr, table) == NULL)
                fail_msg("%s: byte %lld turned around: %s", name, (long long)at, found.ptr);
            mr_buf_release(&found);
            care_kit_flip(paths[i], at);
        }
    }
    care_kit_paths_free(paths, n);
    check_whole(kit);
}

static void test_flipped_bytes(void **state)
{
    struct care_kit kit;
    MR_UNUSED(state);
    care_kit_make(&kit);
    flip_every(&kit, "store/files", "seg-", "\"shop\".", 7);
    flip_every(&kit, "store/files", "names-", "\"shop\".", 7);
    flip_every(&kit, "store/files", "manifest-", "", 11);
    flip_every(&kit, "store/keys", "keyring", "", 3);
    care_kit_release(&kit);
}

/* Of the log what was acknowledged; of a catalog what SQLite's own check sees. */
static void test_log_and_catalog(void **state)
{
    struct care_kit kit;
    struct care_counts counts;
    struct mr_buf found;
    size_t n;
    MR_UNUSED(state);
    care_kit_make(&kit);
    char **log = care_kit_paths(kit.dir, "store/wal", "wal-", &n);
    care_kit_flip(log[0], 4096 + 100);
    assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
    assert_int_equal(counts.damaged, 1);
    assert_non_null(strstr(found.ptr, "damaged at offset 4096"));
    mr_buf_release(&found);
    care_kit_flip(log[0], 4096 + 100);
    care_kit_paths_free(log, n);
    check_whole(&kit);

    char **catalog = care_kit_paths(kit.dir, "", "catalog.sqlite", &n);
    for (int64_t page = 1; page < care_kit_size(catalog[0]) / 4096; page++) {
        care_kit_flip(catalog[0], page * 4096);
        assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
        if (strstr(found.ptr, "damage catalog.sqlite") == NULL)
            fail_msg("page %lld: %s", (long long)page, found.ptr);
        mr_buf_release(&found);
        care_kit_flip(catalog[0], page * 4096);
    }
    care_kit_paths_free(catalog, n);
    check_whole(&kit);
    care_kit_release(&kit);
}

/* Files that are gone, cut short, or another's. */
static void test_missing_and_swapped(void **state)
{
    struct care_kit kit;
    struct care_counts counts;
    struct mr_buf found;
    size_t n;
    MR_UNUSED(state);
    care_kit_make(&kit);
    char **paths = care_kit_paths(kit.dir, "store/files", "seg-", &n);
    char *aside = NULL;
    assert_true(asprintf(&aside, "%s/aside", kit.dir) > 0);
    assert_int_equal(rename(paths[0], aside), 0);
    assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
    assert_true(counts.damaged >= 1);
    assert_non_null(strstr(found.ptr, strrchr(paths[0], '/') + 1));
    mr_buf_release(&found);
    assert_int_equal(link(paths[1], paths[0]), 0); /* the other one under its name */
    assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
    assert_non_null(strstr(found.ptr, "another"));
    mr_buf_release(&found);
    assert_int_equal(rename(aside, paths[0]), 0);
    check_whole(&kit);
    free(aside);
    care_kit_paths_free(paths, n);
    care_kit_release(&kit);
}

/* Data of a table that the catalog does not know; not when its drop is remembered. */
static void test_cross_references(void **state)
{
    struct care_kit kit;
    struct care_counts counts;
    struct mr_buf found;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog *catalog;
    uint64_t id;
    MR_UNUSED(state);
    care_kit_make(&kit);
    check_ok(catalog_open(kit.dir, &mr_clock_system, &catalog, &err), &err);
    check_ok(catalog_table_delete(catalog, MR_STR("shop"), MR_STR("idle"), &id, &err), &err);
    catalog_close(catalog);
    check_whole(&kit);
    check_ok(catalog_open(kit.dir, &mr_clock_system, &catalog, &err), &err);
    check_ok(catalog_dropped_done(catalog, id, &err), &err);
    catalog_close(catalog);
    assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
    assert_int_equal(counts.damaged, 1);
    assert_non_null(
        strstr(found.ptr, "number 2: the store has data of a table that the catalog does not know"));
    mr_buf_release(&found);
    struct store *store = care_kit_store(&kit);
    check_ok(store_table_drop(store, id, &err), &err);
    store_close(store);
    check_whole(&kit);
    care_kit_release(&kit);
}

static void test_lock(void **state)
{
    struct care_kit kit;
    struct mr_error err = MR_ERROR_INIT;
    char *path = NULL;
    int fd;
    MR_UNUSED(state);
    care_kit_make(&kit);
    check_ok(care_lock(kit.dir, &fd, &err), &err);
    assert_int_equal(fd, -1);
    assert_true(asprintf(&path, "%s/lock", kit.dir) > 0);
    int held = open(path, O_RDWR | O_CREAT, 0600);
    assert_int_equal(flock(held, LOCK_EX | LOCK_NB), 0);
    assert_int_equal(care_lock(kit.dir, &fd, &err), MR_EBUSY);
    close(held);
    err = (struct mr_error)MR_ERROR_INIT;
    check_ok(care_lock(kit.dir, &fd, &err), &err);
    care_unlock(fd);
    free(path);
    care_kit_release(&kit);
}

/* A missing catalog, a missing keyring: named, and nothing is made in their place. */
static void test_lost(void **state)
{
    static const char *const lost[] = {"catalog.sqlite", "store/keys/keyring", "store/keys/master.key"};
    struct care_counts counts;
    struct mr_buf found;
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(lost); i++) {
        struct care_kit kit;
        char *path = NULL;
        care_kit_make(&kit);
        assert_true(asprintf(&path, "%s/%s", kit.dir, lost[i]) > 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(care_kit_check(&kit, &counts, &found), MR_OK);
        assert_true(counts.damaged >= 1);
        assert_int_not_equal(access(path, F_OK), 0);
        mr_buf_release(&found);
        free(path);
        care_kit_release(&kit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_flipped_bytes),
        cmocka_unit_test(test_log_and_catalog),
        cmocka_unit_test(test_missing_and_swapped),
        cmocka_unit_test(test_cross_references),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
