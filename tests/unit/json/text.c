#include "lib/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "json/json.h"
#include "json/number.h"
#include "json/write.h"

static void doubles_are_read_whole(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *text;
        double want;
    } good[] = {
        {"1", 1},
        {"+1", 1},
        {"-0.5", -0.5},
        {"+.5", 0.5},
        {"5.", 5},
        {"1e-3", 1e-3},
        {"1E+3", 1000},
        {"-1.7976931348623157E308", -1.7976931348623157e308},
        {"4.9E-324", 5e-324},
        {"0.1", 0.1},
        {"000.250", 0.25},
        {"9007199254740993", 9007199254740992.0},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
        {"1e-400", 0},
        {"0.00000000000000000000000000000000000001e-350", 0},
        {"0e999999999999", 0},
        {"179769313486231570000000000000000000000000000000000000000000000000000000000000e230",
         1.7976931348623157e307},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(good); i++) {
        double v = NAN;
        if (!json_parse_double(mr_str_of(good[i].text), &v))
            fail_msg("refused: %s", good[i].text);
        if (v != good[i].want)
            fail_msg("%s gave %a", good[i].text, v);
    }
    double zero = 1;
    assert_true(json_parse_double(MR_STR("-0"), &zero) && zero == 0 && signbit(zero));
    zero = 1;
    assert_true(json_parse_double(MR_STR("-1e-999"), &zero) && zero == 0 && signbit(zero));
}

static void what_is_no_double_is_refused(void **state)
{
    MR_UNUSED(state);
    static const char *const bad[] = {
        "",
        " ",
        " 1",
        "1 ",
        "1\n",
        "+",
        "-",
        ".",
        "e5",
        "+-1",
        "-+1",
        "--1",
        "++1",
        "1e",
        "1e+",
        "0x10",
        "0x1p3",
        "inf",
        "-inf",
        "nan",
        "NaN",
        "+nan",
        "-nan",
        "Infinity",
        "1d",
        "1f",
        "1.5D",
        "1_0",
        "1,5",
        "1.2.3",
        "1e5.5",
        "1e309",
        "-1e309",
        "2e308",
        "None",
        "\xd9\xa1",
        "17976931348623159000000000000000000000000000e266",
        "1e99999999999999999999",
        "0.001e400",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        double v = 42;
        if (json_parse_double(mr_str_of(bad[i]), &v))
            fail_msg("accepted: '%s' as %g", bad[i], v);
        assert_true(v == 42);
    }
    double v;
    assert_false(json_parse_double(MR_STR_NULL, &v));
    assert_false(json_parse_double((struct mr_str){"1\0", 2}, &v));
}

static void the_view_ends_where_it_says(void **state)
{
    MR_UNUSED(state);
    double v;
    assert_true(json_parse_double((struct mr_str){"12345", 2}, &v) && v == 12);
    assert_true(json_parse_double((struct mr_str){"1e5", 1}, &v) && v == 1);
}

static void doubles_in_javas_form(void **state)
{
    MR_UNUSED(state);
    static const struct {
        double v;
        const char *want;
    } rows[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1, "1.0"},
        {-4, "-4.0"},
        {100, "100.0"},
        {20.25, "20.25"},
        {0.1 + 0.2, "0.30000000000000004"},
        {0.001, "0.001"},
        {0.0015, "0.0015"},
        {0.0125, "0.0125"},
        {0.00099999999, "9.9999999E-4"},
        {0.0001, "1.0E-4"},
        {9999999, "9999999.0"},
        {9999999.5, "9999999.5"},
        {1e7, "1.0E7"},
        {12345678, "1.2345678E7"},
        {1678344435.2089999, "1.6783444352089999E9"},
        {1e22, "1.0E22"},
        {2e23, "2.0E23"},
        {1.0E23, "1.0E23"},
        {5e-324, "4.9E-324"},
        {1.7976931348623157e308, "1.7976931348623157E308"},
        {2.2250738585072014e-308, "2.2250738585072014E-308"},
        {NAN, "NaN"},
        {INFINITY, "Infinity"},
        {-INFINITY, "-Infinity"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_buf buf = MR_BUF_INIT;
        json_write_java_double(&buf, rows[i].v);
        check_str(mr_buf_view(&buf), rows[i].want);
        mr_buf_release(&buf);
    }
}

/* Decimals of up to six places, by the text they were made of: those with few places are written another way.
 */
static void short_decimals_in_javas_form(void **state)
{
    MR_UNUSED(state);
    uint64_t bits = 7;
    for (int i = 0; i < 200000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        unsigned places = (unsigned)(bits >> 60) % 7;
        uint64_t most = 1;
        for (unsigned k = 0; k < (unsigned)(bits >> 50) % 7 + places; k++)
            most *= 10;
        uint64_t number = (bits >> 8) % most, scale = 1;
        char want[64], got[JSON_NUMBER_MAX + 1];
        for (unsigned k = 0; k < places; k++)
            scale *= 10;
        if (number * 1000 < scale || number / scale >= 10000000)
            continue; /* written with an exponent */
        int n = snprintf(want, sizeof want, "%llu.%0*llu", (unsigned long long)(number / scale), (int)places,
                         (unsigned long long)(number % scale));
        if (places == 0)
            want[n - 1] = '0'; /* the digit of nothing */
        while (want[n - 1] == '0' && want[n - 2] != '.')
            want[--n] = '\0';
        size_t len = json_format_java_double(strtod(want, NULL), got);
        check_str((struct mr_str){got, len}, want);
    }
}

static void doubles_in_jsons_form(void **state)
{
    MR_UNUSED(state);
    static const struct {
        double v;
        const char *want;
    } rows[] = {
        {0, "0"},        {-0.0, "-0"},    {0.1, "0.1"},  {100, "100"},       {-2.5, "-2.5"},
        {1e22, "1e+22"}, {1e-7, "1e-07"}, {NAN, "null"}, {INFINITY, "null"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_buf buf = MR_BUF_INIT;
        json_write_double(&buf, rows[i].v);
        check_str(mr_buf_view(&buf), rows[i].want);
        mr_buf_release(&buf);
    }
}

/* Random bit patterns: both forms read back as the same double, by our reader, by libc's, and by the JSON
 * parser. */
static void doubles_round_trip(void **state)
{
    MR_UNUSED(state);
    uint64_t bits = 0x9e3779b97f4a7c15u;
    struct mr_arena arena = MR_ARENA_INIT;
    for (int i = 0; i < 20000; i++) {
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        double v, back;
        memcpy(&v, &bits, sizeof v);
        if (!isfinite(v))
            continue;
        for (int form = 0; form < 2; form++) {
            char text[JSON_NUMBER_MAX + 1];
            size_t n = form == 0 ? json_format_double(v, text) : json_format_java_double(v, text);
            text[n] = '\0';
            assert_true(n < JSON_NUMBER_MAX);
            assert_true(json_parse_double((struct mr_str){text, n}, &back));
            assert_memory_equal(&back, &v, sizeof v);
            assert_true(strtod(text, NULL) == v);
            struct json_doc doc;
            check_ok(json_parse((struct mr_str){text, n}, &arena, &doc, NULL), NULL);
            assert_true(json_f64(json_root(&doc), &back) && back == v);
        }
        mr_arena_reset(&arena);
    }
    mr_arena_release(&arena);
}

static void strings_are_escaped_and_read_back(void **state)
{
    MR_UNUSED(state);
    struct mr_buf buf = MR_BUF_INIT;
    json_write_string(&buf, MR_STR("a\"b\\c/\b\f\n\r\t\x01\x1f\x7f \xc3\xa9 \xe2\x80\xa8"));
    check_str(mr_buf_view(&buf), "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f \xc3\xa9 \xe2\x80\xa8\"");
    mr_buf_release(&buf);
    json_write_string(&buf, MR_STR(""));
    check_str(mr_buf_view(&buf), "\"\"");
    mr_buf_release(&buf);

    /* Each byte below 128 at each place of a word and in every alignment of what follows. */
    struct mr_arena arena = MR_ARENA_INIT;
    for (int c = 0; c < 128; c++)
        for (size_t at = 0; at < 20; at++) {
            char text[20];
            memset(text, 'x', sizeof text);
            text[at] = (char)c;
            if (at > 0)
                text[at - 1] = '\\';
            struct mr_str s = {text, sizeof text};
            json_write_string(&buf, s);
            struct json_doc doc;
            check_ok(json_parse(mr_buf_view(&buf), &arena, &doc, NULL), NULL);
            assert_true(mr_str_eq(json_text(json_root(&doc)), s));
            mr_buf_release(&buf);
            mr_arena_reset(&arena);
        }
    mr_arena_release(&arena);
}

static void integers_are_written(void **state)
{
    MR_UNUSED(state);
    struct mr_buf buf = MR_BUF_INIT;
    json_write_i64(&buf, INT64_MIN);
    mr_buf_char(&buf, ' ');
    json_write_i64(&buf, INT64_MAX);
    mr_buf_char(&buf, ' ');
    json_write_i64(&buf, 0);
    check_str(mr_buf_view(&buf), "-9223372036854775808 9223372036854775807 0");
    mr_buf_release(&buf);
}

/* Short decimals have a way of their own; its edges are 15 digits and 16 bytes. */
static void test_short_decimals(void **state)
{
    MR_UNUSED(state);
    uint64_t bits = 7;
    for (int i = 0; i < 50000; i++) {
        char text[32];
        bits = bits * 6364136223846793005u + 1442695040888963407u;
        int digits = 1 + (int)(bits >> 33) % 17, point = (int)(bits >> 40) % (digits + 1);
        size_t n = 0;
        if ((bits >> 50) % 3 != 0)
            text[n++] = (bits >> 50) % 3 == 1 ? '-' : '+';
        for (int d = 0; d < digits; d++) {
            if (d == point)
                text[n++] = '.';
            bits = bits * 6364136223846793005u + 1442695040888963407u;
            text[n++] = (char)('0' + (bits >> 40) % 10);
        }
        text[n] = '\0';
        double v, want = strtod(text, NULL);
        assert_true(json_parse_double((struct mr_str){text, n}, &v));
        if (memcmp(&v, &want, sizeof v) != 0)
            fail_msg("%s: %.17g instead of %.17g", text, v, want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_short_decimals),
        cmocka_unit_test(doubles_are_read_whole),
        cmocka_unit_test(what_is_no_double_is_refused),
        cmocka_unit_test(the_view_ends_where_it_says),
        cmocka_unit_test(doubles_in_javas_form),
        cmocka_unit_test(short_decimals_in_javas_form),
        cmocka_unit_test(doubles_in_jsons_form),
        cmocka_unit_test(doubles_round_trip),
        cmocka_unit_test(strings_are_escaped_and_read_back),
        cmocka_unit_test(integers_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
