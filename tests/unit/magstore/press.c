/* Bytes pressed come back, and nothing else passes for them. */
#include "lib/check.h"
#include "lib/fault.h"

#include "base/rand.h"
#include "magstore/press.h"

#include <stdlib.h>

static void what_is_packed_comes_back(void **unused)
{
    MR_UNUSED(unused);
    static char bytes[200000], back[200001];
    static const size_t lengths[] = {0, 1, 100, sizeof bytes};
    struct magstore_press *press;
    struct mr_rng rng = {8};
    assert_int_equal(magstore_press_new(&press), MR_OK);
    for (size_t i = 0; i < MR_ARRAY_LEN(lengths); i++)
        for (int dull = 0; dull < 2; dull++) {
            size_t len = lengths[i];
            struct mr_buf out = MR_BUF_INIT;
            for (size_t k = 0; k < len; k++)
                bytes[k] = (char)mr_rng_below(&rng, dull ? 4 : 256);
            mr_buf_char(&out, 'x'); /* appends */
            assert_int_equal(magstore_press_pack(press, (struct mr_str){bytes, len}, &out), MR_OK);
            struct mr_str packed = {out.ptr + 1, out.len - 1};
            assert_true(!dull || len < 1000 || packed.len < len / 3);
            assert_true(magstore_press_unpack(press, packed, back, len));
            assert_memory_equal(back, bytes, len);
            assert_false(magstore_press_unpack(press, packed, back, len + 1));
            assert_true(len == 0 || !magstore_press_unpack(press, packed, back, len - 1));
            for (size_t cut = 0; cut < packed.len; cut += 1 + packed.len / 50)
                assert_false(magstore_press_unpack(press, (struct mr_str){packed.ptr, cut}, back, len) &&
                             cut != 0);
            mr_buf_release(&out);
        }
    magstore_press_free(press);
    magstore_press_free(NULL);
}

static void memory_may_be_short(void **unused)
{
    MR_UNUSED(unused);
    struct magstore_press *press;
    struct mr_buf out = MR_BUF_INIT;
    fault_alloc(1);
    assert_int_equal(magstore_press_new(&press), MR_ENOMEM);
    fault_alloc(0);
    assert_null(press);
    assert_int_equal(magstore_press_new(&press), MR_OK);
    fault_alloc(1);
    assert_int_equal(magstore_press_pack(press, MR_STR("some bytes"), &out), MR_ENOMEM);
    fault_alloc(0);
    mr_buf_release(&out);
    magstore_press_free(press);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_packed_comes_back),
        cmocka_unit_test(memory_may_be_short),
    };
    return cmocka_run_group_tests_name("magstore/press", tests, NULL, NULL);
}
