#include "lib/check.h"

#include "lib/dir.h"
#include "lib/fault.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static void test_write_and_read_back(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, "f", MR_STR("hello"), 0600, &err), &err);
    check_ok(mr_io_write_file(&mr_io_posix, dir, "f", MR_STR("hello again"), 0600, &err), &err);
    char path[600];
    snprintf(path, sizeof path, "%s/f", dir);
    struct mr_buf got = MR_BUF_INIT;
    check_ok(mr_io_read_file(&mr_io_posix, path, 100, &got, &err), &err);
    check_str(mr_buf_view(&got), "hello again");
    mr_buf_release(&got);
    assert_int_equal(mr_io_read_file(&mr_io_posix, path, 5, &got, &err), MR_ELIMIT);
    struct mr_error absent = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, "empty", MR_STR(""), 0600, &absent), &absent);
    snprintf(path, sizeof path, "%s/empty", dir);
    check_ok(mr_io_read_file(&mr_io_posix, path, 5, &got, &absent), &absent);
    check_str(mr_buf_view(&got), "");
    mr_buf_release(&got);
    snprintf(path, sizeof path, "%s/none", dir);
    assert_int_equal(mr_io_read_file(&mr_io_posix, path, 5, &got, &absent), MR_ENOENT);
    assert_non_null(strstr(absent.text, "No such file"));
    dir_remove(dir);
}

/* Whatever call fails, the old content is still there, whole, and the failure is reported. */
static void test_every_fault_leaves_the_old_file(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, "f", MR_STR("old"), 0600, &err), &err);
    char path[600];
    snprintf(path, sizeof path, "%s/f", dir);
    char temp[600];
    snprintf(temp, sizeof temp, "%s/f.tmp", dir);
    struct fault_io fault;
    fault_io_init(&fault);
    for (int kind = FAULT_ERROR; kind <= FAULT_SHORT; kind++) {
        for (unsigned n = 1; n <= 4; n++) { /* open, pwrite, fsync, rename */
            fault_io_arm(&fault, n, ENOSPC, (enum fault_kind)kind, true);
            struct mr_error why = MR_ERROR_INIT;
            int status = mr_io_write_file(&fault.io, dir, "f", MR_STR("new"), 0600, &why);
            if (kind == FAULT_SHORT && n != 2)
                continue;
            assert_true(fault.fired);
            assert_int_not_equal(status, MR_OK);
            struct mr_buf got = MR_BUF_INIT;
            check_ok(mr_io_read_file(&mr_io_posix, path, 100, &got, &err), &err);
            check_str(mr_buf_view(&got), "old");
            fault_io_arm(&fault, n, ENOSPC, (enum fault_kind)kind, false);
            assert_int_not_equal(mr_io_write_file(&fault.io, dir, "f", MR_STR("new"), 0600, NULL), MR_OK);
            assert_int_equal(access(temp, F_OK), -1); /* a disk that works again is cleaned up */
            mr_buf_release(&got);
        }
    }
    dir_remove(dir);
}

static void test_short_transfers_are_completed(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    struct fault_io fault;
    fault_io_init(&fault);
    fault_io_arm(&fault, 2, EIO, FAULT_SHORT, false);
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(mr_io_write_file(&fault.io, dir, "f", MR_STR("0123456789"), 0600, &err), MR_EIO);
    assert_true(fault.fired); /* the rest of the short write was tried, and its error seen */
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_and_read_back),
        cmocka_unit_test(test_every_fault_leaves_the_old_file),
        cmocka_unit_test(test_short_transfers_are_completed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
