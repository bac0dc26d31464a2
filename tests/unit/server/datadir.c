#include "lib/check.h"

#include "lib/dir.h"

#include "base/io.h"
#include "server/datadir.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static void test_made_stamped_locked(void **state)
{
    MR_UNUSED(state);
    char *base = dir_make();
    char path[600];
    snprintf(path, sizeof path, "%s/data", base);
    struct datadir dir, second;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(datadir_open(path, &dir, &err), &err);
    struct stat st;
    assert_int_equal(stat(dir.store_path, &st), 0);
    assert_int_equal(st.st_mode & 077, 0);

    struct mr_error busy = MR_ERROR_INIT;
    assert_int_equal(datadir_open(path, &second, &busy), MR_EBUSY);
    assert_non_null(strstr(busy.text, "in use"));
    datadir_close(&second);
    datadir_close(&dir);
    check_ok(datadir_open(path, &dir, &err), &err); /* the lock goes with the process that held it */
    datadir_close(&dir);

    check_ok(mr_io_write_file(&mr_io_posix, path, "VERSION", MR_STR("millrace data 9\n"), 0600, &err), &err);
    struct mr_error newer = MR_ERROR_INIT;
    assert_int_equal(datadir_open(path, &dir, &newer), MR_EINVAL);
    assert_non_null(strstr(newer.text, "millrace data 9"));
    datadir_close(&dir);
    dir_remove(base);
}

static void test_foreign_directory_is_left_alone(void **state)
{
    MR_UNUSED(state);
    char *base = dir_make();
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, base, "letters.txt", MR_STR("x"), 0600, &err), &err);
    struct datadir dir;
    struct mr_error why = MR_ERROR_INIT;
    assert_int_equal(datadir_open(base, &dir, &why), MR_EINVAL);
    assert_non_null(strstr(why.text, "not a millrace data directory"));
    datadir_close(&dir);
    dir_remove(base);
}

/* Everything is there, and nobody has checked it. */
static void test_unfinished_restore(void **state)
{
    MR_UNUSED(state);
    char *base = dir_make();
    struct datadir dir;
    struct mr_error err = MR_ERROR_INIT, why = MR_ERROR_INIT;
    check_ok(datadir_open(base, &dir, &err), &err);
    datadir_close(&dir);
    check_ok(mr_io_write_file(&mr_io_posix, base, DATADIR_RESTORING, MR_STR("20260102T030405678Z-abc"), 0600,
                              &err),
             &err);
    assert_int_equal(datadir_open(base, &dir, &why), MR_EINVAL);
    assert_non_null(strstr(why.text, "unfinished restore of 20260102T030405678Z-abc"));
    datadir_close(&dir);
    dir_remove(base);
}

/* A first start that ended between the two is not the last. */
static void test_stamp_without_its_name(void **state)
{
    MR_UNUSED(state);
    char *base = dir_make();
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, base, "VERSION.tmp", MR_STR("millra"), 0600, &err), &err);
    struct datadir dir;
    check_ok(datadir_open(base, &dir, &err), &err);
    datadir_close(&dir);
    dir_remove(base);
}

static void test_root_credentials(void **state)
{
    MR_UNUSED(state);
    unsetenv("MILLRACE_ROOT_ACCESS_KEY_ID");
    unsetenv("MILLRACE_ROOT_SECRET_ACCESS_KEY");
    char *base = dir_make();
    struct datadir dir;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(datadir_open(base, &dir, &err), &err);
    struct mr_buf id = MR_BUF_INIT, secret = MR_BUF_INIT, id2 = MR_BUF_INIT, secret2 = MR_BUF_INIT;
    check_ok(datadir_root_credentials(&dir, &id, &secret, &err), &err);
    assert_int_equal(id.len, 20);
    assert_int_equal(secret.len, 40);
    char path[600];
    snprintf(path, sizeof path, "%s/root-credentials", base);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    check_ok(datadir_root_credentials(&dir, &id2, &secret2, &err), &err);
    assert_true(mr_str_eq(mr_buf_view(&id), mr_buf_view(&id2)));
    assert_true(mr_str_eq(mr_buf_view(&secret), mr_buf_view(&secret2)));
    mr_buf_release(&id2);
    mr_buf_release(&secret2);

    setenv("MILLRACE_ROOT_ACCESS_KEY_ID", "AKIDENV", 1);
    struct mr_error half = MR_ERROR_INIT;
    assert_int_equal(datadir_root_credentials(&dir, &id2, &secret2, &half), MR_EINVAL);
    setenv("MILLRACE_ROOT_SECRET_ACCESS_KEY", "from-env", 1);
    check_ok(datadir_root_credentials(&dir, &id2, &secret2, &err), &err);
    check_str(mr_buf_view(&id2), "AKIDENV");
    check_str(mr_buf_view(&secret2), "from-env");
    unsetenv("MILLRACE_ROOT_ACCESS_KEY_ID");
    unsetenv("MILLRACE_ROOT_SECRET_ACCESS_KEY");
    mr_buf_release(&id);
    mr_buf_release(&secret);
    mr_buf_release(&id2);
    mr_buf_release(&secret2);
    datadir_close(&dir);
    dir_remove(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_made_stamped_locked), cmocka_unit_test(test_foreign_directory_is_left_alone),
        cmocka_unit_test(test_unfinished_restore),  cmocka_unit_test(test_stamp_without_its_name),
        cmocka_unit_test(test_root_credentials),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
