/* Rows that have left memory: what a restart, an expiry, a drop and damage make of them. That versions and
 * snapshots hold is random.c's business. */
#include "kit.h"

#include "base/log.h"
#include "lib/check.h"
#include "lib/dir.h"
#include "lib/simdisk.h"
#include "magstore/manifest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct mr_pair dims_a[] = {{MR_STR("host"), MR_STR("a")}};
static const struct mr_pair dims_b[] = {{MR_STR("host"), MR_STR("b")}};

static void open_by_hand(struct kit *kit)
{
    *kit = (struct kit){.options = {.by_hand = true, .window_ns = 1000}};
    kit_open(kit);
}

/* Rows [from, end) of a host, one append. */
static void write_rows(struct store_table *table, const struct mr_pair *dims, int64_t from, int64_t end)
{
    struct store_record records[100];
    struct store_attr attrs[100];
    size_t n = 0;
    assert_true(end - from <= 100);
    for (int64_t t = from; t < end; t++, n++) {
        attrs[n] = kit_bigint(NULL, t * 3);
        records[n] = kit_record(dims, 1, "m", t, 1, &attrs[n], 1);
    }
    assert_int_equal(kit_append(table, records, n), MR_OK);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(records[i].outcome, STORE_STORED);
}

static void flush(struct kit *kit)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_flush(kit->store, &err), &err);
}

static struct store_stats stats_of(struct kit *kit)
{
    struct store_stats stats;
    store_stats(kit->store, &stats);
    return stats;
}

static char *files_dir(const struct kit *kit)
{
    char *path = NULL;
    assert_true(asprintf(&path, "%s/files", kit->dir) > 0);
    return path;
}

/* How many files have that beginning; the path of one goes to *one (may be NULL). */
static size_t count_files(const struct kit *kit, const char *prefix, char **one)
{
    char *dir = files_dir(kit);
    DIR *d = opendir(dir);
    size_t n = 0;
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strncmp(e->d_name, prefix, strlen(prefix)) != 0)
            continue;
        if (n++ == 0 && one != NULL)
            assert_true(asprintf(one, "%s/%s", dir, e->d_name) > 0);
    }
    closedir(d);
    free(dir);
    return n;
}

/* Turns a byte around. */
static void damage(const char *path, off_t from_the_middle)
{
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    off_t at = lseek(fd, 0, SEEK_END) / 2 + from_the_middle;
    unsigned char byte;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x40;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_restart_reads_the_tail_only(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    open_by_hand(&kit);
    write_rows(kit.table, dims_a, 0, 100);
    flush(&kit);
    assert_int_equal(stats_of(&kit).rows, 0);
    assert_int_equal(stats_of(&kit).file_rows, 100);
    write_rows(kit.table, dims_b, 100, 150);
    char *before = kit_rows(kit.store, kit.table);
    kit_reopen(&kit);
    assert_int_equal(stats_of(&kit).rows, 50); /* of 150: the others were not replayed */
    char *after = kit_rows(kit.store, kit.table);
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    flush(&kit);
    kit_reopen(&kit);
    assert_int_equal(stats_of(&kit).rows, 0);
    assert_int_equal(stats_of(&kit).file_rows, 150);
    kit_close(&kit);
}

static void test_late_records_meet_files(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    open_by_hand(&kit);
    write_rows(kit.table, dims_a, 0, 100);
    flush(&kit);
    struct store_attr same = kit_bigint(NULL, 30), other = kit_bigint(NULL, 31);
    struct store_record r[] = {
        kit_record(dims_a, 1, "m", 10, 1, &same, 1),  kit_record(dims_a, 1, "m", 10, 1, &other, 1),
        kit_record(dims_a, 1, "m", 10, 2, &other, 1), kit_record(dims_a, 1, "m", 10, 1, &other, 1),
        kit_record(dims_a, 1, "m", -5, 1, &other, 1),
    };
    struct store_commit commit = {.done = NULL};
    assert_int_equal(store_append(kit.table, r, 5, &commit, NULL), MR_EAGAIN);
    assert_int_equal(kit_append(kit.table, r, 5), MR_OK);
    assert_int_equal(r[0].outcome, STORE_DUPLICATE);
    assert_int_equal(r[1].outcome, STORE_REJECT_SAME_VERSION);
    assert_int_equal(r[1].existing_version, 1);
    assert_int_equal(r[2].outcome, STORE_STORED);
    assert_int_equal(r[3].outcome, STORE_REJECT_LOWER_VERSION);
    assert_int_equal(r[3].existing_version, 2);
    assert_int_equal(r[4].outcome, STORE_STORED);
    flush(&kit);
    kit_reopen(&kit);
    r[2].version = 2;
    assert_int_equal(kit_append(kit.table, &r[2], 1), MR_OK);
    assert_int_equal(r[2].outcome, STORE_DUPLICATE);
    kit_close(&kit);
}

static void test_expiry_removes_files(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    open_by_hand(&kit);
    write_rows(kit.table, dims_a, 900, 1000); /* windows of 1,000 ns: one file each */
    write_rows(kit.table, dims_a, 1000, 1100);
    flush(&kit);
    assert_int_equal(count_files(&kit, "seg-", NULL), 2);
    check_ok(store_expire(kit.table, 950, NULL), NULL);
    assert_int_equal(count_files(&kit, "seg-", NULL), 2);
    check_ok(store_expire(kit.table, 1000, NULL), NULL);
    assert_int_equal(count_files(&kit, "seg-", NULL), 1);
    assert_int_equal(stats_of(&kit).file_rows, 100);
    check_ok(store_expire(kit.table, 5000, NULL), NULL);
    assert_int_equal(count_files(&kit, "seg-", NULL), 0);
    assert_int_equal(stats_of(&kit).series, 0);
    /* The retention was raised: what comes now is old and stays. */
    write_rows(kit.table, dims_a, 0, 10);
    flush(&kit);
    check_ok(store_compact(kit.store, NULL), NULL);
    assert_int_equal(stats_of(&kit).file_rows, 10);
    kit_close(&kit);
}

static void test_drop_frees_the_disk(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct mr_error err = MR_ERROR_INIT;
    open_by_hand(&kit);
    write_rows(kit.table, dims_a, 0, 100);
    flush(&kit);
    write_rows(kit.table, dims_b, 0, 10);
    struct store_snapshot *snapshot;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    const struct store_scan_spec all = {.time_min = INT64_MIN, .time_max = INT64_MAX};
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct store_batch batch;
    check_ok(store_scan_open(snapshot, kit.table, &all, &scan, &err), &err);
    check_ok(store_table_drop(kit.store, 7, &err), &err);
    assert_int_equal(count_files(&kit, "seg-", NULL), 0);
    assert_int_equal(count_files(&kit, "names-", NULL), 0);
    check_ok(store_cursor_open(scan, &cursor), NULL); /* what was opened before ends well */
    size_t rows = 0;
    do {
        check_ok(store_cursor_next(cursor, &batch, &err), &err);
        rows += batch.rows;
    } while (batch.rows != 0);
    assert_int_equal(rows, 110);
    store_cursor_close(cursor);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    store_table_unref(kit.table);
    store_close(kit.store);
    check_ok(store_open(&kit.options, &kit.store, &err), &err); /* replay meets rows whose names are gone */
    assert_int_equal(store_table_ref(kit.store, 3, 7, &kit.table, &err), MR_ENOENT);
    store_close(kit.store);
    dir_remove(kit.dir);
}

/* Killed between the commit of a merge and the one that settles it: what was merged is named by the manifest
 * before the newest alone, and goes with the first commit of the next life, not with the start after it. */
static void test_a_kill_before_settling_leaves_nothing_for_long(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    open_by_hand(&kit);
    write_rows(kit.table, dims_a, 0, 100);
    flush(&kit);
    write_rows(kit.table, dims_a, 1000, 1100);
    flush(&kit);
    store_table_unref(kit.table);
    store_close(kit.store);
    char *dir = files_dir(&kit);
    check_ok(magstore_manifest_load(&mr_io_posix, dir, &m, &err), &err);
    for (size_t i = 0; i < m.nfiles; i++)
        if (m.files[i].kind == MAGSTORE_SEGMENT) {
            assert_true(magstore_manifest_remove(&m, MAGSTORE_SEGMENT, m.files[i].number));
            break;
        }
    check_ok(magstore_manifest_commit(&mr_io_posix, dir, &m, &err), &err);
    magstore_manifest_release(&m);
    free(dir);
    check_ok(store_open(&kit.options, &kit.store, &err), &err);
    check_ok(store_table_ref(kit.store, 3, 7, &kit.table, &err), &err);
    assert_int_equal(count_files(&kit, "seg-", NULL), 2);
    write_rows(kit.table, dims_a, 1200, 1210);
    flush(&kit);
    assert_int_equal(count_files(&kit, "seg-", NULL), 2); /* the merged one, and that of this flush */
    kit_close(&kit);
}

static int scan_status(struct kit *kit, struct store_table *table)
{
    struct mr_error err = MR_ERROR_INIT;
    struct store_snapshot *snapshot;
    struct store_scan *scan = NULL;
    struct store_cursor *cursor = NULL;
    struct store_batch batch = {.rows = 0};
    const uint32_t columns[] = {STORE_COLUMN_TIME, kit_column(table, "measure_value::bigint")};
    const struct store_scan_spec all = {
        .time_min = INT64_MIN, .time_max = INT64_MAX, .columns = columns, .ncolumns = 2};
    check_ok(store_snapshot_open(kit->store, &snapshot), NULL);
    int rc = store_scan_open(snapshot, table, &all, &scan, &err);
    if (rc == MR_OK)
        rc = store_cursor_open(scan, &cursor);
    do
        rc = rc == MR_OK ? store_cursor_next(cursor, &batch, &err) : rc;
    while (rc == MR_OK && batch.rows != 0);
    store_cursor_close(cursor);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    return rc;
}

/* Two tables in files; the file of the first that begins with `prefix` is damaged; the store opens again. */
static void damage_one(struct kit *kit, const char *prefix, struct store_table **second)
{
    struct mr_error err = MR_ERROR_INIT;
    char *path = NULL;
    open_by_hand(kit);
    write_rows(kit->table, dims_a, 0, 100);
    flush(kit);
    assert_int_equal(count_files(kit, prefix, &path), 1);
    check_ok(store_table_ref(kit->store, 3, 8, second, &err), &err);
    write_rows(*second, dims_a, 0, 100);
    flush(kit);
    write_rows(kit->table, dims_a, 100, 110); /* in the log */
    store_table_unref(kit->table);
    store_table_unref(*second);
    store_close(kit->store);
    damage(path, 0);
    free(path);
    check_ok(store_open(&kit->options, &kit->store, &err), &err);
    check_ok(store_table_ref(kit->store, 3, 8, second, &err), &err);
}

static void test_a_damaged_segment_costs_its_table(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct store_table *second;
    struct mr_error err = MR_ERROR_INIT;
    damage_one(&kit, "seg-", &second);
    check_ok(store_table_ref(kit.store, 3, 7, &kit.table, &err), &err);
    assert_int_equal(scan_status(&kit, kit.table), MR_ECORRUPT);
    assert_int_equal(scan_status(&kit, second), MR_OK);
    write_rows(kit.table, dims_a, 200, 210); /* later than anything in files: nothing to look up */
    flush(&kit);
    store_table_unref(second);
    kit_close(&kit);
}

static void test_damaged_names_cost_their_table(void **state)
{
    MR_UNUSED(state);
    struct kit kit;
    struct store_table *second;
    struct mr_error err = MR_ERROR_INIT;
    damage_one(&kit, "names-", &second);
    assert_int_equal(store_table_ref(kit.store, 3, 7, &kit.table, &err), MR_ECORRUPT);
    assert_int_equal(scan_status(&kit, second), MR_OK);
    write_rows(second, dims_b, 0, 10);
    flush(&kit); /* must not trim what the damaged table has in the log */
    store_table_unref(second);
    store_close(kit.store);
    check_ok(store_open(&kit.options, &kit.store, NULL), NULL);
    assert_int_equal(store_table_ref(kit.store, 3, 7, &kit.table, &err), MR_ECORRUPT);
    check_ok(store_table_ref(kit.store, 3, 8, &kit.table, NULL), NULL);
    assert_int_equal(scan_status(&kit, kit.table), MR_OK);
    kit_close(&kit);
}

/* What waits for room when the log is closed is given up, and never done: the test frees these itself. */
struct owned_commit {
    struct store_commit commit;
    struct owned_commit *next;
};

static void leave_commit(struct store_commit *commit)
{
    MR_UNUSED(commit);
}

/* The disk is full, the log cannot grow: deleting a table must work all the same, and free the disk. */
static void test_drop_on_a_full_disk(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = simdisk_new();
    const struct mr_io *io = simdisk_io(disk);
    struct mr_error err = MR_ERROR_INIT;
    struct kit kit = {
        .options = {
            .io = io, .clock = &mr_clock_system, .dir = "/s", .by_hand = true, .wal_segment_bytes = 65536}};
    const uint64_t gone[] = {7};
    assert_int_equal(io->mkdir(io->ctx, "/s", 0700), 0);
    check_ok(store_open(&kit.options, &kit.store, &err), &err);
    check_ok(store_table_ref(kit.store, 3, 7, &kit.table, &err), &err);
    write_rows(kit.table, dims_a, 0, 100);
    flush(&kit);
    write_rows(kit.table, dims_b, 0, 100); /* needs the names in the file */
    simdisk_set_limit(disk, 1 << 20);
    struct store_record r;
    struct store_attr value = kit_bigint(NULL, 1);
    int rc = MR_OK;
    struct owned_commit *owned = NULL;
    for (int64_t t = 1000; rc == MR_OK || rc == MR_EBUSY;
         t++) { /* until the segment lying ready is full too */
        struct owned_commit *one = mr_calloc(1, sizeof *one);
        assert_non_null(one);
        *one = (struct owned_commit){.commit.done = leave_commit, .next = owned};
        owned = one;
        r = kit_record(dims_a, 1, "m", t, 1, &value, 1);
        rc = store_append(kit.table, &r, 1, &one->commit, NULL);
    }
    assert_int_equal(rc, MR_ENOSPC);
    int fd = io->open(io->ctx, "/filler", O_RDWR | O_CREAT, 0600); /* not even a manifest finds room */
    assert_true(fd >= 0);
    for (int64_t at = 0; io->pwrite(io->ctx, fd, "x", 1, at) == 1;)
        at += 512;
    io->close(io->ctx, fd);
    assert_int_equal(store_table_drop(kit.store, 7, &err), MR_ENOSPC);
    assert_int_equal(stats_of(&kit).files, 0);
    store_table_unref(kit.table);
    store_close(kit.store);
    for (struct owned_commit *next; owned != NULL; owned = next) {
        next = owned->next;
        mr_free(owned);
    }
    kit.options.dropped = gone;
    kit.options.ndropped = 1;
    check_ok(store_open(&kit.options, &kit.store, NULL), NULL);
    assert_int_equal(store_table_ref(kit.store, 3, 7, &kit.table, &err), MR_ENOENT);
    simdisk_set_limit(disk, UINT64_MAX);
    do
        rc = store_table_drop(kit.store, 7, NULL);
    while (rc == MR_ENOSPC); /* until the log has seen that there is room */
    assert_int_equal(rc, MR_OK);
    store_close(kit.store);
    kit.options.ndropped = 0; /* the caller may forget it now */
    check_ok(store_open(&kit.options, &kit.store, NULL), NULL);
    store_close(kit.store);
    simdisk_free(disk);
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart_reads_the_tail_only),
        cmocka_unit_test(test_late_records_meet_files),
        cmocka_unit_test(test_expiry_removes_files),
        cmocka_unit_test(test_drop_frees_the_disk),
        cmocka_unit_test(test_a_kill_before_settling_leaves_nothing_for_long),
        cmocka_unit_test(test_a_damaged_segment_costs_its_table),
        cmocka_unit_test(test_damaged_names_cost_their_table),
        cmocka_unit_test(test_drop_on_a_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
