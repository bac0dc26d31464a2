/* Changing the users file: what is kept, who may read it, and that two editors take turns. */
#include "lib/check.h"

#include "lib/dir.h"

#include "base/io.h"
#include "policy/edit.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static char *dir;
static char path[600];

static int setup(void **state)
{
    MR_UNUSED(state);
    dir = dir_make();
    snprintf(path, sizeof path, "%s/users.json", dir);
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    dir_remove(dir);
    return 0;
}

static void put(const char *text)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, "users.json", mr_str_of(text), 0640, &err), &err);
}

static void expect(const char *want)
{
    struct mr_buf got = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 20, &got, &err), &err);
    check_str(mr_buf_view(&got), want);
    mr_buf_release(&got);
}

static void test_made_closed_to_others(void **state)
{
    MR_UNUSED(state);
    struct policy_edit e;
    struct mr_error err = MR_ERROR_INIT;
    struct json_node *user;
    assert_int_equal(policy_edit_open(path, POLICY_EDIT_CHANGE, &e, &err), MR_ENOENT);
    policy_edit_close(&e);
    err = (struct mr_error)MR_ERROR_INIT;
    check_ok(policy_edit_open(path, POLICY_EDIT_MAKE, &e, &err), &err);
    check_ok(policy_edit_add_user(&e, MR_STR("amy"), &user, &err), &err);
    struct mr_str id, secret;
    check_ok(policy_edit_new_key(&e, user, MR_STR_NULL, &id, &secret, &err), &err);
    assert_int_equal(id.len, 20);
    assert_int_equal(secret.len, 40);
    check_ok(policy_edit_save(&e, &err), &err);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char left[620];
    snprintf(left, sizeof left, "%s.new", path);
    assert_int_equal(access(left, F_OK), -1);
    struct json_node *key;
    check_ok(policy_edit_key(&e, user, id, &key, &err), &err);
    assert_int_equal(policy_edit_key(&e, user, MR_STR("AK"), &key, &err), MR_ENOENT);
    assert_int_equal(policy_edit_add_user(&e, MR_STR("amy"), &user, NULL), MR_EEXIST);
    policy_edit_close(&e);
}

static void test_the_rest_stays_and_a_link_too(void **state)
{
    MR_UNUSED(state);
    put("{\"Users\":{\"u\":{\"AccessKeys\":[{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}]},\"v\":{}}}");
    char link[620];
    snprintf(link, sizeof link, "%s/link", dir);
    assert_int_equal(symlink("users.json", link), 0);
    struct policy_edit e;
    struct mr_error err = MR_ERROR_INIT;
    struct json_node *user, *key;
    check_ok(policy_edit_open(link, POLICY_EDIT_CHANGE, &e, &err), &err);
    check_ok(policy_edit_user(&e, MR_STR("u"), &user, &err), &err);
    check_ok(policy_edit_key(&e, user, MR_STR("A"), &key, &err), &err);
    check_ok(policy_edit_key_status(&e, key, false), NULL);
    check_ok(policy_edit_save(&e, &err), &err);
    expect("{\n  \"Users\": {\n    \"u\": {\n      \"AccessKeys\": [\n"
           "        {\"AccessKeyId\": \"A\", \"SecretAccessKey\": \"s\", \"Status\": \"Inactive\"}\n      "
           "]\n    },\n"
           "    \"v\": {}\n  }\n}\n");
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    policy_edit_close(&e);
}

static void test_what_the_server_would_refuse_is_not_written(void **state)
{
    MR_UNUSED(state);
    put("{\"Users\":{}}");
    struct policy_edit e;
    struct mr_error err = MR_ERROR_INIT;
    struct json_node *user;
    check_ok(policy_edit_open(path, POLICY_EDIT_CHANGE, &e, &err), &err);
    check_ok(policy_edit_add_user(&e, MR_STR("a b"), &user, &err), &err);
    assert_int_equal(policy_edit_save(&e, &err), MR_EINVAL);
    assert_non_null(strstr(err.text, "user 'a b'"));
    policy_edit_close(&e);
    expect("{\"Users\":{}}");
    put("{\"Users\":7}");
    err = (struct mr_error)MR_ERROR_INIT;
    assert_int_equal(policy_edit_open(path, POLICY_EDIT_CHANGE, &e, &err), MR_EINVAL);
    policy_edit_close(&e);
}

static void *add_users(void *arg)
{
    for (int i = 0; i < 20; i++) {
        struct policy_edit e;
        struct mr_error err = MR_ERROR_INIT;
        struct json_node *user;
        char name[16];
        snprintf(name, sizeof name, "u%d-%d", *(int *)arg, i);
        if (policy_edit_open(path, POLICY_EDIT_CHANGE, &e, &err) != MR_OK ||
            policy_edit_add_user(&e, mr_str_of(name), &user, &err) != MR_OK ||
            policy_edit_save(&e, &err) != MR_OK)
            *(int *)arg = -1;
        policy_edit_close(&e);
    }
    return NULL;
}

static void test_editors_take_turns(void **state)
{
    MR_UNUSED(state);
    put("{\"Users\":{}}");
    pthread_t threads[4];
    int numbers[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_users, &numbers[i]), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    struct policy_edit e;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(policy_edit_open(path, POLICY_EDIT_READ, &e, &err), &err);
    int n = 0;
    for (struct json_node *u = json_tree_get(e.root, MR_STR("Users"))->first; u != NULL; u = u->next)
        n++;
    assert_int_equal(n, 80);
    for (int i = 0; i < 4; i++)
        assert_int_equal(numbers[i], i);
    policy_edit_close(&e);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_closed_to_others),
        TEST(test_the_rest_stays_and_a_link_too),
        TEST(test_what_the_server_would_refuse_is_not_written),
        TEST(test_editors_take_turns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
