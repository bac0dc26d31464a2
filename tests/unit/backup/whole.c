/* A store in use, copied and put back elsewhere: what was durable at the moment is there, nothing is copied
 * twice, faults and kills lose nothing, and damage of the copy is noticed. */
#include "lib/check.h"
#include "lib/dir.h"
#include "lib/fault.h"
#include "unit/store/kit.h"

#include "backup/target.h"
#include "store/hold.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct mr_pair dims[] = {{MR_STR("host"), MR_STR("a")}};

struct place {
    char *data;
    char store[512];
    struct kit kit;
};

static void open_store(struct place *p, const char *data)
{
    struct mr_error err = MR_ERROR_INIT;
    snprintf(p->store, sizeof p->store, "%s/store", data);
    mkdir(p->store, 0700);
    p->kit.options = (struct store_options){.by_hand = true,
                                            .window_ns = 1000,
                                            .io = &mr_io_posix,
                                            .clock = &mr_clock_system,
                                            .dir = p->store,
                                            .wal_segment_bytes = 65536};
    check_ok(store_open(&p->kit.options, &p->kit.store, &err), &err);
    check_ok(store_table_ref(p->kit.store, 3, 7, &p->kit.table, &err), &err);
}

static void close_store(struct place *p)
{
    store_table_unref(p->kit.table);
    store_close(p->kit.store);
}

static void write_rows(struct place *p, int64_t from, int64_t end)
{
    for (int64_t t = from; t < end; t++) {
        struct store_attr attr = kit_bigint(NULL, t * 3);
        struct store_record record = kit_record(dims, 1, "m", t, 1, &attr, 1);
        assert_int_equal(kit_append(p->kit.table, &record, 1), MR_OK);
    }
}

static void flush(struct place *p)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_flush(p->kit.store, &err), &err);
}

/* A store with rows in two files and in the log. */
static void begin(struct place *p)
{
    p->data = dir_make();
    open_store(p, p->data);
    write_rows(p, 0, 50);
    flush(p);
    write_rows(p, 1000, 1050);
    flush(p);
    write_rows(p, 1100, 1120);
}

static void end(struct place *p)
{
    close_store(p);
    dir_remove(p->data);
}

static uint64_t take_moment(struct place *p, struct backup_moment *moment)
{
    char path[600];
    uint64_t id;
    struct mr_error err = MR_ERROR_INIT;
    *moment = (struct backup_moment)BACKUP_MOMENT_INIT;
    check_ok(store_hold(p->kit.store, 60 * MR_NS_PER_S, &id, &moment->manifest, &moment->lsn, &err), &err);
    snprintf(path, sizeof path, "%s/keys/keyring", p->store);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 20, &moment->keyring, &err), &err);
    mr_buf_str(&moment->catalog, MR_STR("a catalog"));
    return id;
}

static int make(const struct mr_io *io, const struct place *p, const struct backup_moment *moment,
                const char *to, struct backup_result *result, struct mr_error *err)
{
    struct backup_target *target;
    check_ok(backup_target_open(to, NULL, true, &target, err), err);
    int status = backup_make(io, p->data, moment, true, 1700000000 * MR_NS_PER_S, target, NULL, result, err);
    backup_target_close(target);
    return status;
}

static int restore(const struct mr_io *io, const char *from, const char *id, const char *data,
                   struct mr_error *err)
{
    struct backup_target *target;
    struct backup_index index;
    struct backup_progress progress;
    check_ok(backup_target_open(from, NULL, false, &target, err), err);
    check_ok(backup_read_index(target, id, &index, err), err);
    int status = backup_restore(io, target, &index, data, NULL, NULL, &progress, err);
    backup_index_release(&index);
    backup_target_close(target);
    return status;
}

static void check_restored(const char *data, const char *rows)
{
    struct place back = {.data = NULL};
    open_store(&back, data);
    char *got = kit_rows(back.kit.store, back.kit.table);
    assert_string_equal(got, rows);
    mr_free(got);
    write_rows(&back, 5000, 5010); /* and it lives */
    flush(&back);
    close_store(&back);
}

static void test_a_store_in_use(void **state)
{
    MR_UNUSED(state);
    struct place p;
    struct backup_moment moment;
    struct backup_result first, second;
    struct mr_error err = MR_ERROR_INIT;
    char *to = dir_make(), *data = dir_make(), *again = dir_make();
    begin(&p);
    char *rows = kit_rows(p.kit.store, p.kit.table);
    uint64_t hold = take_moment(&p, &moment);
    /* Everything that could take a file or the log away. */
    write_rows(&p, 1200, 1300);
    flush(&p);
    check_ok(store_compact(p.kit.store, &err), &err);
    check_ok(store_expire(p.kit.table, 1000, &err), &err);
    flush(&p);
    check_ok(make(&mr_io_posix, &p, &moment, to, &first, &err), &err);
    assert_int_equal(first.rows, 100);
    assert_true(first.progress.copied_bytes > 0);
    store_hold_release(p.kit.store, hold);
    check_ok(restore(&mr_io_posix, to, first.id, data, &err), &err);
    check_restored(data, rows);
    mr_free(rows);
    backup_moment_release(&moment);
    /* Another one copies what is new. */
    rows = kit_rows(p.kit.store, p.kit.table);
    hold = take_moment(&p, &moment);
    check_ok(make(&mr_io_posix, &p, &moment, to, &second, &err), &err);
    uint64_t all = second.progress.copied_bytes;
    check_ok(make(&mr_io_posix, &p, &moment, to, &second, &err), &err);
    assert_true(second.progress.copied_bytes < all);
    assert_true(second.progress.copied_bytes <= moment.catalog.len + moment.keyring.len + 4096);
    store_hold_release(p.kit.store, hold);
    check_ok(restore(&mr_io_posix, to, second.id, again, &err), &err);
    check_restored(again, rows);
    mr_free(rows);
    backup_moment_release(&moment);
    end(&p);
    dir_remove(to);
    dir_remove(data);
    dir_remove(again);
}

/* One backup of the store as it is, put back. */
static void there_and_back(struct place *p)
{
    struct backup_moment moment;
    struct backup_result result;
    struct mr_error err = MR_ERROR_INIT;
    char *to = dir_make(), *data = dir_make();
    uint64_t hold = take_moment(p, &moment);
    char *rows = kit_rows(p->kit.store, p->kit.table);
    check_ok(make(&mr_io_posix, p, &moment, to, &result, &err), &err);
    store_hold_release(p->kit.store, hold);
    check_ok(restore(&mr_io_posix, to, result.id, data, &err), &err);
    check_restored(data, rows);
    mr_free(rows);
    backup_moment_release(&moment);
    dir_remove(to);
    dir_remove(data);
}

/* A store that never had a row; one that has all in files, its log trimmed; one that was opened again, with a
 * log in pieces and no frame of its own; one with many log segments. */
static void test_every_shape_of_a_log(void **state)
{
    MR_UNUSED(state);
    struct place p = {.data = dir_make()};
    open_store(&p, p.data);
    there_and_back(&p);
    write_rows(&p, 0, 50);
    there_and_back(&p);
    flush(&p);
    there_and_back(&p);
    flush(&p);
    close_store(&p);
    open_store(&p, p.data);
    there_and_back(&p);
    write_rows(&p, 100, 150);
    close_store(&p);
    open_store(&p, p.data);
    there_and_back(&p);
    write_rows(&p, 200, 210);
    there_and_back(&p);
    for (int64_t t = 0; t < 5; t++)
        write_rows(&p, 10000 + t * 100, 10100 + t * 100);
    there_and_back(&p);
    flush(&p);
    write_rows(&p, 20000, 20003);
    there_and_back(&p);
    end(&p);
}

static size_t count_files(const struct place *p)
{
    char path[600];
    snprintf(path, sizeof path, "%s/files", p->store);
    DIR *d = opendir(path);
    size_t n = 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += strncmp(e->d_name, "seg-", 4) == 0;
    closedir(d);
    return n;
}

static void test_what_is_held_goes_in_the_end(void **state)
{
    MR_UNUSED(state);
    struct place p;
    struct magstore_manifest manifest;
    uint64_t id, lsn, other[STORE_HOLDS_MAX];
    begin(&p);
    check_ok(store_hold(p.kit.store, 60 * MR_NS_PER_S, &id, &manifest, &lsn, NULL), NULL);
    magstore_manifest_release(&manifest);
    check_ok(store_expire(p.kit.table, 5000, NULL), NULL);
    flush(&p);
    flush(&p);
    assert_int_equal(count_files(&p), 2); /* nobody but the hold wants them */
    assert_int_equal(store_hold_renew(p.kit.store, id, 60 * MR_NS_PER_S), MR_OK);
    store_hold_release(p.kit.store, id);
    assert_int_equal(count_files(&p), 0);
    assert_int_equal(store_hold_renew(p.kit.store, id, MR_NS_PER_S), MR_ENOENT);
    /* One whose owner was killed runs out. */
    check_ok(store_hold(p.kit.store, -1, &id, &manifest, &lsn, NULL), NULL);
    magstore_manifest_release(&manifest);
    assert_int_equal(store_hold_renew(p.kit.store, id, MR_NS_PER_S), MR_ENOENT);
    for (size_t i = 0; i < STORE_HOLDS_MAX; i++) {
        check_ok(store_hold(p.kit.store, 60 * MR_NS_PER_S, &other[i], &manifest, &lsn, NULL), NULL);
        magstore_manifest_release(&manifest);
    }
    assert_int_equal(store_hold(p.kit.store, 1, &id, &manifest, &lsn, NULL), MR_EBUSY);
    end(&p);
}

/* Ended after its n-th step, as by kill -9, and then made again: done, and the second attempt copies less. */
struct countdown {
    int left;
};

static bool die_at(void *ctx, const struct backup_progress *progress)
{
    struct countdown *c = ctx;
    MR_UNUSED(progress);
    if (c->left-- == 0)
        _exit(9);
    return true;
}

static void test_killed_and_made_again(void **state)
{
    MR_UNUSED(state);
    struct place p;
    struct backup_moment moment;
    struct backup_result result = {.lsn = 0};
    struct mr_error err = MR_ERROR_INIT;
    begin(&p);
    uint64_t hold = take_moment(&p, &moment);
    char *rows = kit_rows(p.kit.store, p.kit.table);
    for (int n = 0; n < 8; n++) {
        char *to = dir_make(), *data = dir_make();
        fflush(NULL);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            struct countdown left = {n};
            const struct backup_watch watch = {&left, die_at};
            struct backup_target *target;
            if (backup_target_open(to, NULL, true, &target, NULL) == MR_OK)
                (void)backup_make(&mr_io_posix, p.data, &moment, true, 1, target, &watch, &result, NULL);
            _exit(0);
        }
        int ended;
        assert_int_equal(waitpid(child, &ended, 0), child);
        struct backup_target *target;
        char(*ids)[BACKUP_ID_BYTES];
        size_t count;
        check_ok(backup_target_open(to, NULL, true, &target, &err), &err);
        check_ok(backup_list(target, &ids, &count, &err), &err);
        assert_int_equal(count, WEXITSTATUS(ended) == 9 ? 0 : 1); /* it counts whole or not at all */
        mr_free(ids);
        backup_target_close(target);
        check_ok(make(&mr_io_posix, &p, &moment, to, &result, &err), &err);
        if (n >= 4)
            assert_true(result.progress.copied_bytes < result.progress.all_bytes);
        /* The restore is killed likewise. */
        fflush(NULL);
        child = fork();
        if (child == 0) {
            struct countdown left = {n};
            const struct backup_watch watch = {&left, die_at};
            struct backup_index index;
            struct backup_progress progress;
            if (backup_target_open(to, NULL, false, &target, NULL) == MR_OK &&
                backup_read_index(target, result.id, &index, NULL) == MR_OK)
                (void)backup_restore(&mr_io_posix, target, &index, data, NULL, &watch, &progress, NULL);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &ended, 0), child);
        check_ok(restore(&mr_io_posix, to, result.id, data, &err), &err);
        check_restored(data, rows);
        dir_remove(to);
        dir_remove(data);
    }
    mr_free(rows);
    store_hold_release(p.kit.store, hold);
    backup_moment_release(&moment);
    end(&p);
}

/* The n-th call fails: the backup or restore says so, and the next one is right. */
static void test_any_call_may_fail(void **state)
{
    MR_UNUSED(state);
    struct place p;
    struct backup_moment moment;
    struct backup_result result;
    unsigned failed = 0;
    begin(&p);
    uint64_t hold = take_moment(&p, &moment);
    char *rows = kit_rows(p.kit.store, p.kit.table);
    char *to = dir_make();
    struct fault_io fault;
    fault_io_init(&fault);
    for (unsigned nth = 1;; nth++) {
        struct mr_error err = MR_ERROR_INIT;
        fault_io_arm(&fault, nth, EIO, FAULT_ERROR, false);
        int status = make(&fault.io, &p, &moment, to, &result, &err);
        if (!fault.fired)
            break;
        failed += status != MR_OK;
        assert_true(status == MR_OK || err.text[0] != '\0');
    }
    struct mr_error last = MR_ERROR_INIT;
    check_ok(make(&mr_io_posix, &p, &moment, to, &result, &last), &last);
    for (unsigned nth = 1;; nth++) {
        struct mr_error err = MR_ERROR_INIT;
        char *data = dir_make();
        fault_io_arm(&fault, nth, nth % 2 != 0 ? ENOSPC : EIO, FAULT_ERROR, false);
        int status = restore(&fault.io, to, result.id, data, &err);
        bool fired = fault.fired;
        failed += status != MR_OK;
        check_ok(restore(&mr_io_posix, to, result.id, data, &last), &last);
        if (nth % 7 == 1 || !fired)
            check_restored(data, rows);
        dir_remove(data);
        if (!fired)
            break;
    }
    assert_true(failed > 40);
    mr_free(rows);
    store_hold_release(p.kit.store, hold);
    backup_moment_release(&moment);
    end(&p);
    dir_remove(to);
}

/* A file of more than one part, there and back, and a part of it lost. */
static void test_large_files_lie_in_parts(void **state)
{
    MR_UNUSED(state);
    struct place p;
    struct backup_moment moment;
    struct backup_result result;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_buf got = MR_BUF_INIT;
    char *to = dir_make(), *data = dir_make(), path[900];
    size_t bytes = BACKUP_PART_BYTES + 12345;
    begin(&p);
    uint64_t hold = take_moment(&p, &moment);
    moment.catalog.len = 0;
    char *fill = mr_buf_reserve(&moment.catalog, bytes);
    assert_non_null(fill);
    for (size_t i = 0; i < bytes; i++)
        fill[i] = (char)(i * 7 + i / 4096);
    moment.catalog.len = bytes;
    check_ok(make(&mr_io_posix, &p, &moment, to, &result, &err), &err);
    store_hold_release(p.kit.store, hold);
    check_ok(restore(&mr_io_posix, to, result.id, data, &err), &err);
    snprintf(path, sizeof path, "%s/catalog.sqlite", data);
    check_ok(mr_io_read_file(&mr_io_posix, path, bytes, &got, &err), &err);
    assert_true(mr_str_eq(mr_buf_view(&got), mr_buf_view(&moment.catalog)));
    assert_int_equal(truncate(path, (off_t)bytes - 1),
                     0); /* seen by the next restore, which makes it whole */
    check_ok(restore(&mr_io_posix, to, result.id, data, &err), &err);
    got.len = 0;
    check_ok(mr_io_read_file(&mr_io_posix, path, bytes, &got, &err), &err);
    assert_true(mr_str_eq(mr_buf_view(&got), mr_buf_view(&moment.catalog)));
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/backups/%s/catalog.sqlite-00001", to, result.id);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(restore(&mr_io_posix, to, result.id, data, &err), MR_ENOENT);
    assert_non_null(strstr(err.text, "catalog.sqlite-00001"));
    mr_buf_release(&got);
    backup_moment_release(&moment);
    end(&p);
    dir_remove(to);
    dir_remove(data);
}

static int on_object(void *ctx, struct mr_str key, uint64_t bytes)
{
    char *path = ctx;
    MR_UNUSED(bytes);
    snprintf(path, 600, MR_STR_FMT, MR_STR_ARG(key));
    return MR_OK;
}

static void test_a_damaged_copy_is_refused(void **state)
{
    MR_UNUSED(state);
    struct place p;
    struct backup_moment moment;
    struct backup_result result;
    struct backup_target *target;
    struct mr_error err = MR_ERROR_INIT;
    char *to = dir_make(), *data = dir_make(), key[600] = "", path[1300];
    begin(&p);
    uint64_t hold = take_moment(&p, &moment);
    check_ok(make(&mr_io_posix, &p, &moment, to, &result, &err), &err);
    store_hold_release(p.kit.store, hold);
    check_ok(backup_target_open(to, NULL, false, &target, &err), &err);
    check_ok(target->list(target, "files/", on_object, key, &err), &err);
    backup_target_close(target);
    snprintf(path, sizeof path, "%s/%s", to, key);
    int fd = open(path, O_RDWR);
    char byte;
    assert_int_equal(pread(fd, &byte, 1, 100), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, 100), 1);
    close(fd);
    assert_int_equal(restore(&mr_io_posix, to, result.id, data, &err), MR_ECORRUPT);
    assert_non_null(strstr(err.text, key));
    backup_moment_release(&moment);
    end(&p);
    dir_remove(to);
    dir_remove(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_store_in_use),
        cmocka_unit_test(test_every_shape_of_a_log),
        cmocka_unit_test(test_what_is_held_goes_in_the_end),
        cmocka_unit_test(test_killed_and_made_again),
        cmocka_unit_test(test_any_call_may_fail),
        cmocka_unit_test(test_a_damaged_copy_is_refused),
        cmocka_unit_test(test_large_files_lie_in_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
