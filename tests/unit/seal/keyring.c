/* tests/unit/seal/keyring.c - what a keyring does for its callers; damage and crashes are in damage.c,
 * crash.c. */
#include "lib/check.h"
#include "lib/dir.h"

#include "seal/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

struct world {
    char *dir;
    struct seal_keyring *ring;
    struct mr_error err;
};

static int setup(void **state)
{
    static struct world w;
    w = (struct world){.dir = dir_make(), .err = MR_ERROR_INIT};
    check_ok(seal_keyring_open(&mr_io_posix, w.dir, &w.ring, &w.err), &w.err);
    *state = &w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    seal_keyring_close(w->ring);
    dir_remove(w->dir);
    return 0;
}

static void reopen(struct world *w)
{
    seal_keyring_close(w->ring);
    check_ok(seal_keyring_open(&mr_io_posix, w->dir, &w->ring, &w->err), &w->err);
}

static uint32_t newest(struct world *w, uint64_t scope, struct seal_key *key)
{
    uint32_t generation = 0;
    check_ok(seal_keyring_newest(w->ring, scope, &generation, key, &w->err), &w->err);
    return generation;
}

static void assert_key(const struct seal_key *a, const struct seal_key *b)
{
    assert_memory_equal(a->bytes, b->bytes, SEAL_KEY_BYTES);
}

static void test_a_key_is_made_once_and_stays(void **state)
{
    struct world *w = *state;
    struct seal_key a, b, c;
    assert_int_equal(newest(w, 5, &a), 1);
    assert_int_equal(newest(w, 5, &b), 1);
    assert_key(&a, &b);
    assert_int_equal(newest(w, SEAL_SCOPE_STORE, &c), 1);
    assert_memory_not_equal(a.bytes, c.bytes, SEAL_KEY_BYTES);
    reopen(w);
    check_ok(seal_keyring_get(w->ring, 5, 1, &b, &w->err), &w->err);
    assert_key(&a, &b);
    assert_int_equal(newest(w, SEAL_SCOPE_STORE, &b), 1);
    assert_key(&c, &b);
}

static void test_rotation_keeps_the_old_key(void **state)
{
    struct world *w = *state;
    struct seal_key first, second, got;
    newest(w, 5, &first);
    check_ok(seal_keyring_rotate(w->ring, 5, &w->err), &w->err);
    assert_int_equal(newest(w, 5, &second), 2);
    assert_memory_not_equal(first.bytes, second.bytes, SEAL_KEY_BYTES);
    reopen(w);
    check_ok(seal_keyring_get(w->ring, 5, 1, &got, &w->err), &w->err);
    assert_key(&first, &got);
    assert_int_equal(newest(w, 5, &got), 2);
    assert_key(&second, &got);
    check_ok(seal_keyring_rotate(w->ring, 77, &w->err), &w->err); /* of a scope without one: the first */
    assert_int_equal(newest(w, 77, &got), 1);
}

static void test_a_forgotten_scope_is_gone_and_others_stay(void **state)
{
    struct world *w = *state;
    struct seal_key key[4], got;
    for (uint64_t scope = 0; scope < 4; scope++)
        newest(w, scope, &key[scope]);
    check_ok(seal_keyring_rotate(w->ring, 2, &w->err), &w->err);
    check_ok(seal_keyring_forget(w->ring, 2, &w->err), &w->err);
    check_ok(seal_keyring_forget(w->ring, 99, &w->err), &w->err);
    for (int round = 0; round < 2; round++) {
        for (uint64_t scope = 0; scope < 4; scope++) {
            struct mr_error err = MR_ERROR_INIT;
            int status = seal_keyring_get(w->ring, scope, 1, &got, &err);
            assert_int_equal(status, scope == 2 ? MR_ENOENT : MR_OK);
            if (scope == 2)
                assert_non_null(strstr(err.text, "no key of scope 2, generation 1"));
            else
                assert_key(&key[scope], &got);
        }
        assert_int_equal(seal_keyring_get(w->ring, 2, 2, &got, NULL), MR_ENOENT);
        reopen(w);
    }
    for (uint64_t scope = 0; scope < 4; scope++)
        check_ok(seal_keyring_forget(w->ring, scope, &w->err), &w->err);
    reopen(w);
    assert_int_equal(seal_keyring_get(w->ring, 0, 1, &got, NULL), MR_ENOENT);
}

/* Scopes out of order, several generations, more than one page of keys. */
static void test_many_keys(void **state)
{
    struct world *w = *state;
    enum { SCOPES = 150 };
    static struct seal_key key[SCOPES][2];
    struct seal_key got;
    for (uint64_t i = 0; i < SCOPES; i++) {
        uint64_t at = i * 67 % SCOPES, scope = at * at * UINT64_C(0x100000001); /* up to the top of 64 bits */
        newest(w, scope, &key[at][0]);
        check_ok(seal_keyring_rotate(w->ring, scope, &w->err), &w->err);
        assert_int_equal(newest(w, scope, &key[at][1]), 2);
    }
    reopen(w);
    for (uint64_t at = 0; at < SCOPES; at++) {
        for (uint32_t g = 0; g < 2; g++) {
            uint64_t scope = at * at * UINT64_C(0x100000001);
            check_ok(seal_keyring_get(w->ring, scope, g + 1, &got, &w->err), &w->err);
            assert_key(&key[at][g], &got);
        }
    }
    check_ok(seal_keyring_rotate(w->ring, UINT64_MAX, &w->err), &w->err);
    assert_int_equal(newest(w, UINT64_MAX, &got), 1);
}

static void path_of(const struct world *w, const char *name, char out[static 256])
{
    snprintf(out, 256, "%s/%s", w->dir, name);
}

static void test_nobody_else_may_read_the_files(void **state)
{
    struct world *w = *state;
    static const char *const names[] = {"master.key", "keyring"};
    char path[256];
    struct stat st;
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        path_of(w, names[i], path);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    path_of(w, "master.key", path);
    seal_keyring_close(w->ring);
    for (unsigned bit = 0; bit < 6; bit++) { /* group and others: x, w, r */
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(chmod(path, 0600 | 1u << bit), 0);
        assert_int_equal(seal_keyring_open(&mr_io_posix, w->dir, &w->ring, &err), MR_EDENIED);
        assert_null(w->ring);
        assert_non_null(strstr(err.text, "master.key can be read by others"));
    }
    assert_int_equal(chmod(path, 0400), 0);
    check_ok(seal_keyring_open(&mr_io_posix, w->dir, &w->ring, &w->err), &w->err);
}

/* No key lies in the files as it is, but the master key in its own. */
static void test_data_keys_are_wrapped(void **state)
{
    struct world *w = *state;
    struct seal_key key;
    char path[256];
    struct mr_buf bytes = MR_BUF_INIT;
    newest(w, 5, &key);
    path_of(w, "keyring", path);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 20, &bytes, &w->err), &w->err);
    assert_null(memmem(bytes.ptr, bytes.len, key.bytes, 8));
    mr_buf_release(&bytes);
    path_of(w, "master.key", path);
    check_ok(mr_io_read_file(&mr_io_posix, path, 1 << 20, &bytes, &w->err), &w->err);
    assert_int_equal(bytes.len, 32);
    mr_buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_key_is_made_once_and_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rotation_keeps_the_old_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_forgotten_scope_is_gone_and_others_stay, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nobody_else_may_read_the_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_data_keys_are_wrapped, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
