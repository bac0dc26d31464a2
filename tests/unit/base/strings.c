#include "lib/check.h"

#include "base/hash.h"
#include "base/text.h"

static void test_integers(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"+17", true, 17},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551616", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+", false, 0},
        {"-+1", false, 0},
        {"1 ", false, 0},
        {" 1", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
        {"1e3", false, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        int64_t v = 0;
        if (mr_str_to_i64(mr_str_of(cases[i].text), &v) != cases[i].ok ||
            (cases[i].ok && v != cases[i].value))
            fail_msg("\"%s\" gave %lld", cases[i].text, (long long)v);
    }
}

static void test_utf8(void **state)
{
    MR_UNUSED(state);
    static const char *const good[] = {
        "", "abc", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"};
    static const char *const bad[] = {
        "\x80",   "\xC0\xAF",         "\xC3",        "\xE2\x82", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xFF",
        "a\xC3(", "\xF4\x90\x80\x80", "\xE0\x80\xAF"};
    for (size_t i = 0; i < MR_ARRAY_LEN(good); i++)
        assert_true(mr_utf8_valid(mr_str_of(good[i])));
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        assert_false(mr_utf8_valid(mr_str_of(bad[i])));
    assert_int_equal(mr_utf8_length(MR_STR("a\xC3\xA9\xF0\x9F\x98\x80")), 3);
}

static void test_views(void **state)
{
    MR_UNUSED(state);
    check_str(mr_str_trim(MR_STR(" \t a b \t")), "a b");
    check_str(mr_str_slice(MR_STR("hello"), 1, 3), "el");
    check_str(mr_str_slice(MR_STR("hello"), 4, 99), "o");
    check_str(mr_str_slice(MR_STR("hello"), 9, 99), "");
    assert_true(mr_str_ieq(MR_STR("Content-Type"), MR_STR("content-tYPE")));
    assert_false(mr_str_ieq(MR_STR("@"), MR_STR("`")));
    assert_true(mr_str_cmp(MR_STR("a"), MR_STR("ab")) < 0);
    assert_true(mr_str_cmp(MR_STR("\xC3\xA9"), MR_STR("z")) > 0);
    assert_int_equal(mr_str_find(MR_STR("a=b=c"), '=', 2), 3);
    assert_int_equal(mr_str_find(MR_STR("abc"), '=', 0), 3);
}

/* Every length in turn, equal and with one byte changed at each place; each in a block of its own size, so
 * that a checker of memory sees a byte read beyond. */
static void test_equality(void **state)
{
    MR_UNUSED(state);
    for (size_t len = 0; len < 80; len++) {
        char *a = mr_malloc(len), *b = mr_malloc(len);
        assert_true(a != NULL && b != NULL);
        for (size_t i = 0; i < len; i++)
            a[i] = b[i] = (char)(i * 7);
        assert_true(mr_str_eq((struct mr_str){a, len}, (struct mr_str){b, len}));
        for (size_t i = 0; i < len; i++) {
            b[i] ^= 64;
            if (mr_str_eq((struct mr_str){a, len}, (struct mr_str){b, len}))
                fail_msg("%zu bytes are equal in spite of byte %zu", len, i);
            b[i] ^= 64;
        }
        assert_false(len != 0 && mr_str_eq((struct mr_str){a, len}, (struct mr_str){a, len - 1}));
        mr_free(a);
        mr_free(b);
    }
    assert_true(mr_str_eq(MR_STR_NULL, MR_STR("")));
}

static void test_errors_keep_the_first(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(mr_error_set(&err, MR_EINVAL, "first %d", 1), MR_EINVAL);
    assert_int_equal(mr_error_set(&err, MR_EIO, "second"), MR_EIO);
    assert_int_equal(err.status, MR_EINVAL);
    assert_string_equal(err.text, "first 1");
    assert_int_equal(mr_error_set(NULL, MR_EIO, "nobody listens"), MR_EIO);

    char longer[600];
    memset(longer, 'a', sizeof longer);
    memcpy(longer + 509, "\xE2\x82\xAC", 3); /* straddles the cut at byte 511 */
    longer[599] = '\0';
    struct mr_error cut = MR_ERROR_INIT;
    mr_error_set(&cut, MR_EINVAL, "%s", longer);
    assert_int_equal(strlen(cut.text), 509);
    assert_true(mr_utf8_valid(mr_str_of(cut.text)));
}

static void test_crc32c(void **state)
{
    MR_UNUSED(state);
    /* Check values of RFC 3720 appendix B.4 and the usual "123456789". */
    unsigned char bytes[32];
    assert_int_equal(mr_crc32c(0, "123456789", 9), 0xE3069283);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(mr_crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, sizeof bytes);
    assert_int_equal(mr_crc32c(0, bytes, 32), 0x62A8AB43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(mr_crc32c(0, bytes, 32), 0x46DD794E);
    assert_int_equal(mr_crc32c(mr_crc32c(0, bytes, 13), bytes + 13, 19), 0x46DD794E);
}

static void test_hex_and_base64(void **state)
{
    MR_UNUSED(state);
    char hex[9];
    mr_hex_encode("\x00\x7f\xab\xff", 4, hex);
    assert_string_equal(hex, "007fabff");
    unsigned char raw[4];
    assert_true(mr_hex_decode(MR_STR("007FabFF"), raw));
    assert_memory_equal(raw, "\x00\x7f\xab\xff", 4);
    assert_false(mr_hex_decode(MR_STR("0"), raw));
    assert_false(mr_hex_decode(MR_STR("0g"), raw));

    char id[27];
    mr_base32_random(26, id);
    assert_int_equal(strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), 26);

    for (size_t len = 0; len < 20; len++) {
        struct mr_buf text = MR_BUF_INIT, back = MR_BUF_INIT;
        char bytes[20];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(i * 37 + 200);
        mr_base64url_encode((struct mr_str){bytes, len}, &text);
        assert_int_equal(text.len, (len * 8 + 5) / 6);
        assert_true(mr_base64url_decode(mr_buf_view(&text), &back));
        assert_int_equal(back.len, len);
        if (len != 0)
            assert_memory_equal(back.ptr, bytes, len);
        mr_buf_release(&text);
        mr_buf_release(&back);
    }
    struct mr_buf junk = MR_BUF_INIT;
    assert_false(mr_base64url_decode(MR_STR("A"), &junk));
    assert_false(mr_base64url_decode(MR_STR("ab+/"), &junk));
    mr_buf_release(&junk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),       cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_views),          cmocka_unit_test(test_errors_keep_the_first),
        cmocka_unit_test(test_equality),       cmocka_unit_test(test_crc32c),
        cmocka_unit_test(test_hex_and_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
