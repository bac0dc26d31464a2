/* The library's own JSON against that of src/json: the same verdicts, the same trees, the same texts of
 * numbers. */
#include "client/plain_json.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "json/number.h"
#include "lib/check.h"

static void compare(struct mr_str text)
{
    struct mr_arena a = MR_ARENA_INIT, b = MR_ARENA_INIT;
    struct json_doc mine, theirs;
    struct mr_error e1 = MR_ERROR_INIT, e2 = MR_ERROR_INIT;
    int rc1 = plain_json_parse(text, &a, &mine, &e1), rc2 = json_parse(text, &b, &theirs, &e2);
    if (rc1 != rc2)
        fail_msg(MR_STR_FMT ": %d (%s), simdjson %d (%s)", MR_STR_ARG(text), rc1, e1.text, rc2, e2.text);
    if (rc1 == MR_OK && !plain_same(json_root(&mine), json_root(&theirs)))
        fail_msg(MR_STR_FMT ": another tree", MR_STR_ARG(text));
    mr_arena_release(&a);
    mr_arena_release(&b);
}

static void test_documents(void **state)
{
    (void)state;
    static const char *const documents[] = {"{}",
                                            "[]",
                                            "null",
                                            "true",
                                            " false ",
                                            "0",
                                            "-0",
                                            "1",
                                            "-1",
                                            "\"\"",
                                            "\"a\"",
                                            "",
                                            " ",
                                            "nul",
                                            "nulll",
                                            "truefalse",
                                            "[1,2,3]",
                                            "[1,2,3,]",
                                            "[,1]",
                                            "[1 2]",
                                            "{\"a\":1}",
                                            "{\"a\":1,}",
                                            "{a:1}",
                                            "{\"a\"}",
                                            "{\"a\":}",
                                            "{\"a\":1 \"b\":2}",
                                            "{\"a\":{\"b\":[{\"c\":null}]},\"a\":2}",
                                            "[[[[]]]]",
                                            "[",
                                            "]",
                                            "{",
                                            "}",
                                            "[}",
                                            "{]",
                                            "[1]]",
                                            "1 2",
                                            "9223372036854775807",
                                            "9223372036854775808",
                                            "18446744073709551615",
                                            "18446744073709551616",
                                            "-9223372036854775808",
                                            "-9223372036854775809",
                                            "01",
                                            "-01",
                                            "00",
                                            "1.",
                                            ".1",
                                            "1.5",
                                            "1e5",
                                            "1E+5",
                                            "1e",
                                            "1e+",
                                            "-",
                                            "+1",
                                            "1e308",
                                            "1e309",
                                            "-1e309",
                                            "1e-400",
                                            "0.1",
                                            "123456789012345678901234567890.0",
                                            "0x10",
                                            "1_000",
                                            "\"\\u0041\\u00e9\\u20ac\\ud83d\\ude00\"",
                                            "\"\\ud83d\"",
                                            "\"\\ude00\"",
                                            "\"\\ud83dx\"",
                                            "\"\\ud83d\\u0041\"",
                                            "\"\\u12\"",
                                            "\"\\u12g4\"",
                                            "\"\\x\"",
                                            "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
                                            "\"\\",
                                            "\"abc",
                                            "\"a\nb\"",
                                            "\"a\tb\"",
                                            "\"\\u0000\"",
                                            "\"\xc3\xa9\"",
                                            "\"\xc3\"",
                                            "\"\xff\"",
                                            "\"\xed\xa0\x80\"",
                                            "\"\xf4\x90\x80\x80\"",
                                            "\xef\xbb\xbf{}",
                                            "[\"a\",\"b\" ,\t\"c\"\r\n]",
                                            "{\"k\" : [ 1 , -2.5e-3 , true ] }",
                                            "[1.7976931348623157e308]",
                                            "[4.9e-324]",
                                            "[0.0000000000000000000000000000000000001]",
                                            "tru",
                                            "t",
                                            "\"\\"};
    for (size_t i = 0; i < MR_ARRAY_LEN(documents); i++)
        compare(mr_str_of(documents[i]));
    compare((struct mr_str){"[1]\0", 4});
    compare((struct mr_str){"\"a\0b\"", 5});
}

static void test_depth(void **state)
{
    (void)state;
    char text[300];
    for (size_t depth = 60; depth < 68; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        compare((struct mr_str){text, 2 * depth});
        compare((struct mr_str){text, depth});
    }
}

/* Documents with a few bytes changed: most are broken, and both have to say so. */
static void test_damaged_documents(void **state)
{
    (void)state;
    static const char *const seeds[] = {
        "{\"QueryId\":\"AE7\",\"Rows\":[{\"Data\":[{\"ScalarValue\":\"1.5\"},{\"NullValue\":true}]}],\"n\":-"
        "12.25e+3}",
        "{\"__type\":\"x#ThrottlingException\",\"message\":\"\\u00fc\\n\",\"l\":[1,22,333,null,false]}"};
    struct mr_rng rng = {7};
    char text[256];
    for (int round = 0; round < 20000; round++) {
        const char *seed = seeds[round % 2];
        size_t len = strlen(seed);
        memcpy(text, seed, len);
        for (uint64_t n = 1 + mr_rng_below(&rng, 3); n > 0; n--) {
            static const char bytes[] = "{}[],:\"\\0123456789.eE+-tfnu \x01\xc3\xa9";
            text[mr_rng_below(&rng, len)] = bytes[mr_rng_below(&rng, sizeof bytes - 1)];
        }
        compare((struct mr_str){text, len - mr_rng_below(&rng, 2)});
    }
}

static void same_texts(double v)
{
    char a[64], b[64];
    size_t n = plain_format_java_double(v, a), m = json_format_java_double(v, b);
    if (n != m || memcmp(a, b, n) != 0)
        fail_msg("%a: %.*s, not %.*s", v, (int)n, a, (int)m, b);
    if (!isfinite(v))
        return;
    double back;
    n = plain_format_double(v, a);
    assert_true(n < JSON_NUMBER_MAX);
    assert_true(json_parse_double((struct mr_str){a, n}, &back));
    assert_memory_equal(&v, &back, sizeof v);
    assert_true(n <= json_format_double(v, b) + 4); /* as short, give or take where the exponent begins */
    assert_true(plain_parse_double((struct mr_str){a, n}, &back));
    assert_memory_equal(&v, &back, sizeof v);
}

static void test_doubles(void **state)
{
    (void)state;
    static const double some[] = {0.0,
                                  -0.0,
                                  1,
                                  -1,
                                  0.1,
                                  100,
                                  1e7,
                                  9999999,
                                  1e-3,
                                  9.99e-4,
                                  5e-324,
                                  1.7976931348623157e308,
                                  2.2250738585072014e-308,
                                  123456789,
                                  0.30000000000000004,
                                  1e21,
                                  1e22,
                                  1e23,
                                  2e-44};
    struct mr_rng rng = {11};
    for (size_t i = 0; i < MR_ARRAY_LEN(some); i++)
        same_texts(some[i]);
    same_texts((double)NAN);
    same_texts(HUGE_VAL);
    same_texts(-HUGE_VAL);
    for (int i = 0; i < 100000; i++) {
        uint64_t bits = mr_rng_next(&rng);
        double v;
        memcpy(&v, &bits, sizeof v);
        same_texts(i % 2 == 0 ? v : round(v * 1000) / 1000);
    }
    static const char *const texts[] = {
        "",      "+",   "-",   ".",  "1",  "+1",  "1.",    ".1",     "1e",     "1e5",
        "0x1p3", "inf", "nan", " 1", "1 ", "1,5", "1e400", "-1e400", "1e-400", "1e99999999999",
        "1.5f"};
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++) {
        double x = 0, y = 0;
        assert_int_equal(plain_parse_double(mr_str_of(texts[i]), &x),
                         json_parse_double(mr_str_of(texts[i]), &y));
        assert_memory_equal(&x, &y, sizeof x);
    }
}

static void test_integers(void **state)
{
    (void)state;
    static const int64_t some[] = {0, 1, -1, 10, INT64_MAX, INT64_MIN, 1234567890123};
    for (size_t i = 0; i < MR_ARRAY_LEN(some); i++) {
        char a[64], b[64];
        size_t n = plain_format_i64(some[i], a), m = json_format_i64(some[i], b);
        assert_int_equal(n, m);
        assert_memory_equal(a, b, n);
    }
}

int main(void)
{
    setlocale(LC_ALL, ""); /* whatever the machine has: numbers must not care */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),         cmocka_unit_test(test_depth),
        cmocka_unit_test(test_damaged_documents), cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
