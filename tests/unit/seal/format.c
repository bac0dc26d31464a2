/* tests/unit/seal/format.c - a keyring of each format version opens, and gives the keys it always gave. */
#include "lib/check.h"
#include "lib/dir.h"

#include "base/text.h"
#include "seal/format.h"

#include <stdio.h>
#include <stdlib.h>

#define FROZEN MR_SOURCE_DIR "/tests/golden/keyring-v1"
#define FROZEN_2 MR_SOURCE_DIR "/tests/golden/keyring-v2"

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

static int unwrap(void *ctx, const struct seal_wrapping *by, struct mr_str wrapped, struct seal_key *out,
                  struct mr_error *err)
{
    MR_UNUSED(ctx);
    MR_UNUSED(by);
    MR_UNUSED(err);
    memcpy(out->bytes, wrapped.ptr, SEAL_KEY_BYTES); /* the frozen "service" wraps nothing */
    return MR_OK;
}

static int generate(void *ctx, const struct seal_wrapping *by, struct seal_key *out, struct mr_buf *wrapped,
                    struct mr_error *err)
{
    MR_UNUSED(ctx);
    MR_UNUSED(by);
    MR_UNUSED(err);
    memset(out->bytes, 7, SEAL_KEY_BYTES);
    mr_buf_add(wrapped, out->bytes, SEAL_KEY_BYTES);
    return MR_OK;
}

static const struct seal_outside service = {NULL, generate, unwrap, NULL};
static const struct seal_wrapping kinds[] = {
    {SEAL_BY_MASTER, {"", 0}, {"", 0}},
    {SEAL_BY_LOCAL, {"0f2c7a1e-3b44-4c7e-9d55-aa0011223344", 36}, {"", 0}},
    {SEAL_BY_OUTSIDE, {"arn:aws:kms:us-east-1:123456789012:key/k", 40}, {"greenhouse", 10}},
};

/* What tests/golden/keyring-v2 was made with: `unit_seal_format make DIR`. */
static int make(const char *dir)
{
    struct seal_keyring *ring;
    int status = seal_keyring_open(&mr_io_posix, dir, &ring, NULL);
    if (status == MR_OK)
        seal_keyring_set_outside(ring, &service);
    for (size_t i = 0; i < 6 && status == MR_OK; i++) {
        struct seal_fresh *fresh;
        struct seal_key key;
        char hex[2 * SEAL_KEY_BYTES + 1];
        uint32_t generation;
        uint64_t scope = i < 1 ? 0 : i < 3 ? 4 : 9;
        status = seal_fresh_make(ring, &kinds[i % 3], &fresh, NULL);
        if (status == MR_OK)
            status = seal_fresh_adopt(ring, scope, fresh, NULL);
        seal_fresh_free(fresh);
        if (status == MR_OK)
            status = seal_keyring_newest(ring, scope, &generation, &key, NULL);
        mr_hex_encode(key.bytes, SEAL_KEY_BYTES, hex);
        printf("    {%d, %u, \"%s\"},\n", (int)scope, generation, hex);
    }
    return status;
}

static void version_2_opens(void **state)
{
    MR_UNUSED(state);
    static const struct {
        uint64_t scope;
        uint32_t generation;
        const char *key;
    } frozen_2[] = {
        {0, 1, "baa41dd991e5332b004e0ee33f82bb5d633191896269c3f98d3cad4b1fcca358"},
        {4, 1, "35b84acee74735f4ab462ca1466d239123b3d646bb8b549d7f175cd754c07e0f"},
        {4, 2, "0707070707070707070707070707070707070707070707070707070707070707"},
        {9, 1, "e5e1a7199c951638a78e4a3964f784070c6d0512e8e67064b0c0c9ba4b330646"},
        {9, 2, "b6ceddeb77555756479651a9f0a5efeed736b4eccae6581100f3f0d727631092"},
        {9, 3, "0707070707070707070707070707070707070707070707070707070707070707"},
    };
    char command[1024], *dir = dir_make();
    struct seal_keyring *ring;
    struct seal_key key, want;
    bool changed;
    struct mr_error err = MR_ERROR_INIT;
    snprintf(command, sizeof command, "cp " FROZEN_2 "/* %s && chmod 600 %s/*", dir, dir);
    assert_int_equal(system(command), 0);
    for (int round = 0; round < 2; round++) { /* as it is, and written again by us */
        check_ok(seal_keyring_open(&mr_io_posix, dir, &ring, &err), &err);
        seal_keyring_set_outside(ring, &service);
        seal_keyring_refresh(ring, 1, SEAL_LIFE_NS, &changed);
        for (size_t i = 0; i < MR_ARRAY_LEN(frozen_2); i++) {
            assert_true(mr_hex_decode(mr_str_of(frozen_2[i].key), want.bytes));
            check_ok(seal_keyring_get(ring, frozen_2[i].scope, frozen_2[i].generation, &key, &err), &err);
            assert_memory_equal(key.bytes, want.bytes, sizeof key.bytes);
        }
        check_ok(seal_keyring_rotate(ring, 20, &err), &err);
        seal_keyring_close(ring);
    }
    dir_remove(dir);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        return make(argv[2]) != MR_OK;

    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_opens),
        cmocka_unit_test(version_2_opens),
        cmocka_unit_test(the_bytes_are_those_of_the_page),
    };
    return cmocka_run_group_tests_name("seal/format", tests, NULL, NULL);
}
