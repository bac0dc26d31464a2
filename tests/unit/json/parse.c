#include "lib/check.h"

#include <pthread.h>
#include <stdio.h>

#include "json/json.h"
#include "lib/fault.h"

struct fixture {
    struct mr_arena arena;
    struct json_doc doc;
    struct mr_error err;
};

static int parse_str(struct fixture *f, struct mr_str body)
{
    f->err = (struct mr_error)MR_ERROR_INIT;
    return json_parse(body, &f->arena, &f->doc, &f->err);
}

static struct json_value parsed(struct fixture *f, const char *text)
{
    check_ok(parse_str(f, mr_str_of(text)), &f->err);
    return json_root(&f->doc);
}

static void refused(struct fixture *f, struct mr_str body)
{
    int rc = parse_str(f, body);
    if (rc != MR_EINVAL)
        print_message("accepted: " MR_STR_FMT "\n", MR_STR_ARG(body));
    assert_int_equal(rc, MR_EINVAL);
    assert_true(f->err.text[0] != '\0');
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){.arena = MR_ARENA_INIT};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    mr_arena_release(&f->arena);
    return 0;
}

static void types_and_values(void **state)
{
    struct json_value root =
        parsed(*state, "{\"s\":\"x\",\"i\":-7,\"u\":18446744073709551615,\"d\":2.5,"
                       "\"t\":true,\"f\":false,\"n\":null,\"a\":[1,[2],{}],\"o\":{\"k\":1}}");
    struct json_value v;
    int64_t i;
    uint64_t u;
    double d;
    assert_int_equal(json_type(root), JSON_OBJECT);
    assert_int_equal(json_count(root), 9);
    assert_true(json_get(root, MR_STR("s"), &v) && json_type(v) == JSON_STRING);
    check_str(json_text(v), "x");
    assert_true(json_get(root, MR_STR("i"), &v) && json_i64(v, &i) && i == -7);
    assert_false(json_u64(v, &u));
    assert_true(json_f64(v, &d) && d == -7);
    assert_true(json_get(root, MR_STR("u"), &v) && json_u64(v, &u) && u == UINT64_MAX);
    assert_false(json_i64(v, &i));
    assert_true(json_f64(v, &d) && d == 18446744073709551615.0);
    assert_true(json_get(root, MR_STR("d"), &v) && json_f64(v, &d) && d == 2.5);
    assert_false(json_i64(v, &i) || json_u64(v, &u));
    assert_true(json_get(root, MR_STR("t"), &v) && json_type(v) == JSON_TRUE && !json_f64(v, &d));
    assert_true(json_get(root, MR_STR("f"), &v) && json_type(v) == JSON_FALSE);
    assert_true(json_get(root, MR_STR("n"), &v) && json_type(v) == JSON_NULL);
    assert_true(json_get(root, MR_STR("a"), &v) && json_type(v) == JSON_ARRAY && json_count(v) == 3);
    assert_false(json_get(v, MR_STR("a"), &v));
    assert_false(json_get(root, MR_STR("missing"), &v));
}

static void integers_are_exact_at_the_borders(void **state)
{
    struct json_value root = parsed(
        *state, "[9223372036854775807,-9223372036854775808,9223372036854775808,9007199254740993,0,-0]");
    static const int64_t want[] = {INT64_MAX, INT64_MIN, 0, 9007199254740993, 0, 0};
    struct json_iter it = json_items(root);
    struct json_value v;
    for (size_t k = 0; json_next(&it, &v); k++) {
        int64_t i = 1;
        uint64_t u;
        if (k == 2)
            assert_true(!json_i64(v, &i) && json_u64(v, &u) && u == (uint64_t)1 << 63);
        else
            assert_true(json_i64(v, &i) && i == want[k]);
    }
}

static void iteration_skips_nested_values(void **state)
{
    struct json_value root =
        parsed(*state, "{\"a\":{\"x\":[1,2,{\"y\":3}]},\"b\":4.5,\"c\":[[],[[]]],\"d\":\"e\"}");
    struct json_iter it = json_items(root);
    struct mr_str name;
    struct json_value v = {0};
    char names[8] = "";
    size_t n = 0;
    while (json_next_field(&it, &name, &v))
        names[n++] = name.ptr[0];
    names[n] = '\0';
    assert_string_equal(names, "abcd");
    assert_int_equal(json_type(v), JSON_STRING);
}

/* 2^24 bytes and around: more than a word has room for. */
static void long_strings_keep_their_length(void **state)
{
    struct fixture *f = *state;
    for (size_t len = (1 << 24) - 3; len <= (1 << 24) + 1; len++) {
        struct mr_buf body = MR_BUF_INIT;
        mr_buf_str(&body, MR_STR("[\""));
        memset(mr_buf_reserve(&body, len), 'x', len);
        body.len += len;
        mr_buf_str(&body, MR_STR("\",\"\",\"y\"]"));
        assert_true(mr_buf_ok(&body));
        check_ok(parse_str(f, mr_buf_view(&body)), &f->err);
        struct json_iter it = json_items(json_root(&f->doc));
        struct json_value v = {0};
        static const char last[] = {'x', 0, 'y'};
        const size_t want[] = {len, 0, 1};
        for (size_t i = 0; i < MR_ARRAY_LEN(want); i++) {
            assert_true(json_next(&it, &v));
            struct mr_str text = json_text(v);
            assert_int_equal(text.len, want[i]);
            assert_true(text.ptr[text.len] == '\0' && (text.len == 0 || text.ptr[text.len - 1] == last[i]));
        }
        mr_arena_release(&f->arena);
        mr_buf_release(&body);
    }
}

static void the_last_of_equal_names_counts(void **state)
{
    struct json_value v;
    int64_t i;
    assert_true(json_get(parsed(*state, "{\"a\":1,\"b\":2,\"a\":3}"), MR_STR("a"), &v));
    assert_true(json_i64(v, &i) && i == 3);
}

static void strings_are_unescaped(void **state)
{
    struct json_value v =
        parsed(*state, "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00e9\\u20ac\\ud83d\\ude00 \\u2028\"");
    check_str(json_text(v), "\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 \xe2\x80\xa8");
    struct mr_str nul = json_text(parsed(*state, "\"a\\u0000b\""));
    assert_int_equal(nul.len, 3);
    assert_memory_equal(nul.ptr, "a\0b", 4);
}

static void strings_outlive_the_next_document(void **state)
{
    struct mr_str first = json_text(parsed(*state, "\"first\""));
    parsed(*state, "\"other text of another document\"");
    check_str(first, "first");
}

static void what_is_not_json_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "{",
        "}",
        "[1,2",
        "{\"a\":}",
        "{\"a\" 1}",
        "{a:1}",
        "{'a':1}",
        "[1,]",
        "{\"a\":1,}",
        "01",
        "1.",
        ".5",
        "+1",
        "-",
        "1e",
        "0x10",
        "NaN",
        "Infinity",
        "tru",
        "nul",
        "True",
        "\"a",
        "\"\\x\"",
        "\"\\u12g4\"",
        "\"a\nb\"",
        "{} {}",
        "{}x",
        "1 2",
        "[1]]",
        "//c\n1",
        "\xef\xbb\xbf{}",
        "123456789012345678901234567890",
        "-9223372036854775809",
        "18446744073709551616",
        "1e400",
        "-1e400",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        refused(*state, mr_str_of(bad[i]));
    refused(*state, (struct mr_str){"[1]\0", 4});
    refused(*state, (struct mr_str){NULL, 0});
}

static void invalid_utf8_is_refused(void **state)
{
    static const char *const bad[] = {
        "\"\xff\"",         "\"\xc3\"",         "\"\xc0\x80\"",
        "\"\xe0\x80\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
        "\"\x80\"",         "{\"\xfe\":1}",     "\"a\xe2\x82\"",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        refused(*state, mr_str_of(bad[i]));
}

static void lone_surrogates_are_refused(void **state)
{
    static const char *const bad[] = {
        "\"\\ud800\"",     "\"\\udc00\"",        "\"\\uDFFF x\"",      "\"\\ud83dx\"",
        "\"\\ud83d\\n\"",  "\"\\ud83d\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\ude00\\ud83d\"",
        "{\"\\udbff\":0}", "\"\\\\\\ud800\"",    "\"\\uD83D\"",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        refused(*state, mr_str_of(bad[i]));
    /* Not an escape at all: the backslash before is one itself. */
    check_str(json_text(parsed(*state, "\"\\\\ud800\"")), "\\ud800");
    check_str(json_text(parsed(*state, "\"\\uD83D\\uDE00\\\\\"")), "\xf0\x9f\x98\x80\\");
}

static void depth_is_limited(void **state)
{
    struct fixture *f = *state;
    for (int depth = JSON_MAX_DEPTH - 1; depth <= JSON_MAX_DEPTH + 1; depth++) {
        char text[512];
        size_t n = 0;
        for (int i = 0; i < depth; i++)
            text[n++] = '[';
        for (int i = 0; i < depth; i++)
            text[n++] = ']';
        if (depth <= JSON_MAX_DEPTH)
            check_ok(parse_str(f, (struct mr_str){text, n}), &f->err);
        else
            refused(f, (struct mr_str){text, n});
    }
    char *deep = mr_malloc(100000);
    memset(deep, '[', 100000);
    refused(f, (struct mr_str){deep, 100000});
    mr_free(deep);
}

/* Every prefix and every single-byte change of a document either parses or is refused, within its bytes: the
 * body sits at the end of its own block, where a sanitizer sees one byte too many. */
static void truncated_and_damaged_bodies(void **state)
{
    static const char text[] = "{\"a\":[1,-2.5e3,\"\\u00e9\\ud83d\\ude00\",true,null],\"b\":{\"c\":\"d\"}}";
    struct fixture *f = *state;
    for (size_t n = 0; n < sizeof text; n++) {
        char *copy = mr_malloc(n);
        memcpy(copy, text, n);
        assert_int_equal(parse_str(f, (struct mr_str){copy, n}) == MR_OK, n == sizeof text - 1);
        for (int c = 0; n == sizeof text - 1 && c < 256; c++)
            for (size_t at = 0; at < n; at++) {
                copy[at] = (char)c;
                parse_str(f, (struct mr_str){copy, n});
                copy[at] = text[at];
            }
        mr_free(copy);
        mr_arena_reset(&f->arena);
    }
}

static void big_and_small_bodies_alternate(void **state)
{
    struct fixture *f = *state;
    struct mr_buf big = MR_BUF_INIT;
    mr_buf_char(&big, '[');
    for (int i = 0; i < 400000; i++)
        mr_buf_printf(&big, "%s%d", i != 0 ? "," : "", i);
    mr_buf_char(&big, ']');
    for (int round = 0; round < 2; round++) {
        check_ok(parse_str(f, mr_buf_view(&big)), &f->err);
        assert_int_equal(json_count(json_root(&f->doc)), 400000);
        assert_int_equal(json_count(parsed(f, "[1,2,3]")), 3);
        mr_arena_reset(&f->arena);
    }
    mr_buf_release(&big);
}

/* More elements than the tape's own 24-bit counter holds. */
static void counts_beyond_the_tapes_counter(void **state)
{
    struct fixture *f = *state;
    const size_t n = 0xffffff + 5;
    char *text = mr_malloc(2 * n + 1);
    for (size_t i = 0; i < n; i++) {
        text[1 + 2 * i] = '7';
        text[2 + 2 * i] = ',';
    }
    text[0] = '[';
    text[2 * n] = ']';
    check_ok(parse_str(f, (struct mr_str){text, 2 * n + 1}), &f->err);
    assert_int_equal(json_count(json_root(&f->doc)), n);
    mr_free(text);
}

static void *parse_in_thread(void *arg)
{
    long id = (long)arg;
    struct fixture f = {.arena = MR_ARENA_INIT};
    for (int i = 0; i < 200; i++) {
        char text[64];
        snprintf(text, sizeof text, "[%ld,\"thread %ld\",%d]", id, id, i);
        int64_t sum = 0, v;
        struct json_value item;
        if (parse_str(&f, mr_str_of(text)) != MR_OK)
            return NULL;
        struct json_iter it = json_items(json_root(&f.doc));
        while (json_next(&it, &item))
            if (json_i64(item, &v))
                sum += v;
        if (sum != id + i)
            return NULL;
        mr_arena_reset(&f.arena);
    }
    mr_arena_release(&f.arena);
    return arg;
}

static void threads_have_their_own_parsers(void **state)
{
    MR_UNUSED(state);
    pthread_t threads[4];
    for (long i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, parse_in_thread, (void *)(i + 1)), 0);
    for (long i = 0; i < 4; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, (void *)(i + 1));
    }
}

static void *parse_once(void *arg)
{
    struct fixture f = {.arena = MR_ARENA_INIT};
    *(int *)arg = parse_str(&f, MR_STR("{\"a\":[1,2,3]}"));
    int again = parse_str(&f, MR_STR("[]")); /* the thread is not spoilt: only one allocation fails */
    if (again != MR_OK)
        *(int *)arg = MR_EINTERNAL;
    mr_arena_release(&f.arena);
    return NULL;
}

static void every_allocation_may_fail(void **state)
{
    MR_UNUSED(state);
    for (unsigned n = 1;; n++) {
        int rc = MR_EINTERNAL;
        pthread_t thread; /* a new one, which has no buffers yet */
        fault_alloc(n);
        assert_int_equal(pthread_create(&thread, NULL, parse_once, &rc), 0);
        pthread_join(thread, NULL);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        if (!fired) {
            assert_true(n > 5); /* the sweep reached simdjson's buffers */
            assert_int_equal(rc, MR_OK);
            return;
        }
        if (rc != MR_OK)
            assert_int_equal(rc, MR_ENOMEM);
    }
}

static void the_arenas_limit_holds(void **state)
{
    struct fixture *f = *state;
    f->arena.limit = 8192;
    struct mr_buf big = MR_BUF_INIT;
    mr_buf_char(&big, '"');
    for (int i = 0; i < 10000; i++)
        mr_buf_char(&big, 'x');
    mr_buf_char(&big, '"');
    assert_int_equal(parse_str(f, mr_buf_view(&big)), MR_ENOMEM);
    mr_buf_release(&big);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(types_and_values),
        TEST(integers_are_exact_at_the_borders),
        TEST(iteration_skips_nested_values),
        TEST(long_strings_keep_their_length),
        TEST(the_last_of_equal_names_counts),
        TEST(strings_are_unescaped),
        TEST(strings_outlive_the_next_document),
        TEST(what_is_not_json_is_refused),
        TEST(invalid_utf8_is_refused),
        TEST(lone_surrogates_are_refused),
        TEST(depth_is_limited),
        TEST(truncated_and_damaged_bodies),
        TEST(big_and_small_bodies_alternate),
        TEST(counts_beyond_the_tapes_counter),
        TEST(threads_have_their_own_parsers),
        TEST(every_allocation_may_fail),
        TEST(the_arenas_limit_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
