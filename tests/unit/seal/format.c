/* tests/unit/seal/format.c - a keyring of each format version opens, and gives the keys it always gave. */
#include "lib/check.h"
#include "lib/dir.h"

#include "base/text.h"
#include "seal/format.h"

#include <stdio.h>
#include <stdlib.h>

#define FROZEN MR_SOURCE_DIR "/tests/golden/keyring-v1"

static const struct {
    uint64_t scope;
    uint32_t generation;
    const char *key;
} frozen[] = {
    {0, 1, "75becf149eb46abc6cbdee11fac0fbcb6a41f8c60c825147a26a629e1fbf127c"},
    {0, 2, "c98ace338f4f185613dac4754ef90a6662cdf3a7479a87112c12cc777e22e10b"},
    {7, 1, "946116209555641cee224a5c102e0ccae421922492213e1a7dc1769c4d319a11"},
    {(UINT64_C(1) << 40) + 1, 1, "f9995d9e1949f0019372721be2587c1e8fe855f43b8a3fc9d088aef7316b8814"},
};

static void version_1_opens(void **state)
{
    MR_UNUSED(state);
    char command[1024], *dir = dir_make();
    struct seal_keyring *ring;
    struct seal_key key, want;
    uint32_t generation;
    struct mr_error err = MR_ERROR_INIT;
    snprintf(command, sizeof command, "cp " FROZEN "/* %s && chmod 600 %s/*", dir, dir);
    assert_int_equal(system(command), 0);
    for (int round = 0; round < 2; round++) { /* as it is, and written again by us */
        check_ok(seal_keyring_open(&mr_io_posix, dir, &ring, &err), &err);
        for (size_t i = 0; i < MR_ARRAY_LEN(frozen); i++) {
            assert_true(mr_hex_decode(mr_str_of(frozen[i].key), want.bytes));
            check_ok(seal_keyring_get(ring, frozen[i].scope, frozen[i].generation, &key, &err), &err);
            assert_memory_equal(key.bytes, want.bytes, sizeof key.bytes);
        }
        check_ok(seal_keyring_newest(ring, 0, &generation, &key, &err), &err);
        assert_int_equal(generation, 2);
        check_ok(seal_keyring_rotate(ring, 8 + (uint64_t)round, &err), &err);
        seal_keyring_close(ring);
    }
    dir_remove(dir);
}

/* The header, a key's name and the length, at the offsets of docs/format/keyring.md. */
static void the_bytes_are_those_of_the_page(void **state)
{
    MR_UNUSED(state);
    static const unsigned char head[] = {'M', 'R', 'K', 'E', 'Y', 'R', 'N', 'G', 1, 0, 0, 0, 4, 0,
                                         0,   0,   0,   0,   0,   0,   0,   0,   0, 0, 1, 0, 0, 0};
    static const unsigned char third[] = {7, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    struct mr_buf bytes = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_read_file(&mr_io_posix, FROZEN "/keyring", 1 << 20, &bytes, &err), &err);
    assert_int_equal(bytes.len, 48 + 4 * 72);
    assert_memory_equal(bytes.ptr, head, sizeof head);
    assert_memory_equal(bytes.ptr + 16 + 2 * 72, third, sizeof third);
    mr_buf_release(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_opens),
        cmocka_unit_test(the_bytes_are_those_of_the_page),
    };
    return cmocka_run_group_tests_name("seal/format", tests, NULL, NULL);
}
