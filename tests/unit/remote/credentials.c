/* Where the pair comes from, and that a file may change under a running server. */
#include "lib/check.h"
#include "lib/dir.h"
#include "remote/private.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *path, const char *text, unsigned mode)
{
    char fresh[300];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, mode);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    assert_int_equal(rename(fresh, path), 0);
}

static int try_open(struct remote_keys *keys, const struct remote_credentials *from, struct mr_error *err)
{
    *keys = (struct remote_keys){.file = NULL};
    *err = (struct mr_error)MR_ERROR_INIT;
    pthread_mutex_init(&keys->lock, NULL);
    return remote_keys_open(keys, from, err);
}

static void check_pair(struct remote_keys *keys, const char *id, const char *secret, const char *token)
{
    struct remote_pair pair;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(remote_keys_get(keys, &pair, &err), &err);
    assert_string_equal(pair.id, id);
    assert_string_equal(pair.secret, secret);
    if (token != NULL)
        assert_string_equal(pair.token, token);
    else
        assert_null(pair.token);
    remote_pair_release(&pair);
}

static void test_file(void **state)
{
    (void)state;
    char *dir = dir_make(), path[256];
    struct remote_keys keys;
    struct mr_error err;
    struct remote_pair pair;
    snprintf(path, sizeof path, "%s/credentials", dir);
    const struct remote_credentials from = {.file = path}, other = {.file = path, .profile = "kms"};
    put(path,
        "# ours\n[kms]\naws_access_key_id=OTHER\naws_secret_access_key = s2 \n\n"
        "[default]\r\naws_access_key_id = ONE\r\naws_secret_access_key = a/b+c=\r\nregion = x\r\n"
        "aws_session_token = tok\r\n",
        0600);
    check_ok(try_open(&keys, &from, &err), &err);
    check_pair(&keys, "ONE", "a/b+c=", "tok");
    /* Replaced, then spoilt, then put right: the calls follow. */
    put(path, "[default]\naws_access_key_id = TWO\naws_secret_access_key = other-secret\n", 0600);
    check_pair(&keys, "TWO", "other-secret", NULL);
    put(path, "[default]\naws_access_key_id = THREE\n", 0600);
    assert_int_equal(remote_keys_get(&keys, &pair, &err), MR_EINVAL);
    put(path, "[default]\naws_access_key_id = FOUR\naws_secret_access_key = four\n", 0600);
    check_pair(&keys, "FOUR", "four", NULL);
    put(path, "[default]\naws_access_key_id = FIVE\naws_secret_access_key = a-secret-seen\n", 0644);
    err = (struct mr_error)MR_ERROR_INIT;
    assert_int_equal(remote_keys_get(&keys, &pair, &err), MR_EDENIED);
    assert_null(strstr(err.text, "a-secret-seen"));
    unlink(path);
    assert_int_equal(remote_keys_get(&keys, &pair, &err), MR_EDENIED);
    remote_keys_close(&keys);
    put(path, "[kms]\naws_access_key_id=OTHER\naws_secret_access_key = s2 \n", 0600);
    check_ok(try_open(&keys, &other, &err), &err);
    check_pair(&keys, "OTHER", "s2", NULL);
    remote_keys_close(&keys);
    assert_int_equal(try_open(&keys, &from, &err), MR_EINVAL);
    assert_non_null(strstr(err.text, "[default]"));
    remote_keys_close(&keys);
    dir_remove(dir);
}

static void test_environment(void **state)
{
    (void)state;
    struct remote_keys keys;
    struct mr_error err;
    const struct remote_credentials none = {.file = NULL},
                                    given = {.access_key_id = "GIVEN", .secret_access_key = "g"};
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_SESSION_TOKEN");
    assert_int_equal(try_open(&keys, &none, &err), MR_EINVAL);
    remote_keys_close(&keys);
    setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
    assert_int_equal(try_open(&keys, &none, &err), MR_EINVAL);
    remote_keys_close(&keys);
    setenv("AWS_SECRET_ACCESS_KEY", "env-secret", 1);
    check_ok(try_open(&keys, &none, &err), &err);
    check_pair(&keys, "ENV", "env-secret", NULL);
    remote_keys_close(&keys);
    setenv("AWS_SESSION_TOKEN", "env-token", 1);
    check_ok(try_open(&keys, &none, &err), &err);
    check_pair(&keys, "ENV", "env-secret", "env-token");
    remote_keys_close(&keys);
    check_ok(try_open(&keys, &given, &err), &err);
    check_pair(&keys, "GIVEN", "g", NULL);
    remote_keys_close(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_file), cmocka_unit_test(test_environment)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
