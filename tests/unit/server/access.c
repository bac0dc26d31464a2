/* Which keys a server has, from which files, and which files it does not take. */
#include "lib/check.h"

#include "lib/dir.h"

#include "base/io.h"
#include "server/access.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;
static char users_path[600], credentials_path[600];

static int setup(void **state)
{
    MR_UNUSED(state);
    dir = dir_make();
    snprintf(users_path, sizeof users_path, "%s/users", dir);
    snprintf(credentials_path, sizeof credentials_path, "%s/credentials", dir);
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    dir_remove(dir);
    return 0;
}

static void put(const char *name, const char *text)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, name, mr_str_of(text), 0600, &err), &err);
}

static int load(const char *credentials, const char *users, struct api_access **out, struct mr_error *err)
{
    const struct access_files files = {MR_STR("ROOTID"), MR_STR("rootsecret"), credentials, users};
    *err = (struct mr_error)MR_ERROR_INIT;
    return access_load(&files, out, err);
}

static const struct policy_user *judge(const struct api_access *access, const char *user, bool root)
{
    const struct auth_identity who = {.user = mr_str_of(user), .root = root};
    return api_access_user(access, &who);
}

static void test_who_is_judged(void **state)
{
    MR_UNUSED(state);
    struct api_access *access;
    struct mr_error err;
    check_ok(load(NULL, NULL, &access, &err), &err);
    assert_int_equal(auth_keys_count(access->keys), 1);
    assert_null(judge(access, "root", true));
    api_access_unref(access);

    put("credentials", "[amy]\naws_access_key_id = AK1\naws_secret_access_key = s1\n");
    check_ok(load(credentials_path, NULL, &access, &err), &err);
    assert_int_equal(auth_keys_count(access->keys), 2);
    assert_null(judge(access, "amy", false)); /* without a users file every key may do everything */
    api_access_unref(access);

    put("users",
        "{\"Users\":{\"bob\":{\"AccessKeys\":["
        "{\"AccessKeyId\":\"AK2\",\"SecretAccessKey\":\"s2\"},"
        "{\"AccessKeyId\":\"AK3\",\"SecretAccessKey\":\"s3\",\"Status\":\"Inactive\"}],"
        "\"Policies\":[{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}]}}}");
    check_ok(load(credentials_path, users_path, &access, &err), &err);
    assert_int_equal(auth_keys_count(access->keys), 3); /* the inactive one is not there */
    assert_int_equal(judge(access, "bob", false)->npolicies, 1);
    assert_int_equal(judge(access, "amy", false)->npolicies, 0); /* the file does not know her */
    assert_null(judge(access, "root", true));
    const struct policy_user *bob = policy_users_find(access->users, MR_STR("bob"));
    assert_int_equal(bob->keys[0].secret.ptr[0], '\0'); /* secrets lie in the key set only */
    struct api_access *second = api_access_ref(access);
    api_access_unref(access);
    assert_int_equal(judge(second, "bob", false)->npolicies, 1);
    api_access_unref(second);
}

static void refuse(const char *credentials, const char *users, int status, const char *why)
{
    struct api_access *access = NULL;
    struct mr_error err;
    assert_int_equal(load(credentials, users, &access, &err), status);
    assert_null(access);
    if (strstr(err.text, why) == NULL)
        fail_msg("'%s' instead of '%s'", err.text, why);
    assert_null(strstr(err.text, "verysecret"));
}

static void test_files_that_are_refused(void **state)
{
    MR_UNUSED(state);
    refuse(NULL, users_path, MR_ENOENT, "cannot read");
    refuse(credentials_path, NULL, MR_ENOENT, "credentials");
    put("users", "{\"Users\":{}}");
    assert_int_equal(chmod(users_path, 0640), 0);
    refuse(NULL, users_path, MR_EINVAL, "chmod 600");
    assert_int_equal(chmod(users_path, 0604), 0);
    refuse(NULL, users_path, MR_EINVAL, "chmod 600");
    put("users", "{\"Users\":{\"u\":{\"AccessKeys\":[{\"AccessKeyId\":\"ROOTID\",\"SecretAccessKey\":"
                 "\"verysecret\"}]}}}");
    refuse(NULL, users_path, MR_EEXIST, "user 'u': access key id ROOTID is there already");
    put("users", "{\"Users\":{\"u\":{\"AccessKeys\":[{\"AccessKeyId\":\"a "
                 "b\",\"SecretAccessKey\":\"verysecret\"}]}}}");
    refuse(NULL, users_path, MR_EINVAL, "an access key id has");
    put("users", "{\"Users\":{\"u\":{\"AccessKeys\":[{\"SecretAccessKey\":\"verysecret\"");
    refuse(NULL, users_path, MR_EINVAL, users_path);
    put("credentials", "[a]\naws_access_key_id = A\naws_secret_access_key = verysecret\n[b]\nnonsense\n");
    refuse(credentials_path, NULL, MR_EINVAL, credentials_path);
    if (geteuid() == 0) { /* only root can give a file away */
        put("users", "{\"Users\":{}}");
        assert_int_equal(chown(users_path, 12345, 12345), 0);
        refuse(NULL, users_path, MR_EINVAL, "belongs to another user");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(test_who_is_judged), TEST(test_files_that_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
