/* tests/unit/sql/lex.c - tokens, their values and the places where there are none. */
#include "sql/lex.h"

#include <stdio.h>

#include "fixture.h"
#include "lib/check.h"

/* Kinds of all tokens as letters: w word, q quoted, m measure, s string, u unicode, i integer, d decimal, t
 * duration, p parameter, otherwise the symbol; '!' and the column of an error. */
static const char *kinds(const char *text, char *out)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_error error = {0, 0, MR_STR("")};
    struct sql_context cx = {.text = mr_str_of(text), .env = &fixture_env, .arena = &arena, .error = &error};
    struct sql_tokens tokens;
    size_t n = 0;
    if (!sql_lex(&cx, &tokens)) {
        sprintf(out, "!%u", error.column);
    } else {
        for (size_t i = 0; i + 1 < tokens.n; i++) {
            const struct sql_token *t = &tokens.items[i];
            out[n++] = t->kind == SQL_TOK_SYMBOL
                           ? (t->symbol < 256 ? (char)t->symbol : "LGNCAT"[t->symbol - 256])
                           : ".wqmsuidtp"[t->kind];
        }
        out[n] = '\0';
    }
    mr_arena_release(&arena);
    return out;
}

static void check_kinds(const char *text, const char *want)
{
    char got[256];
    assert_string_equal(kinds(text, got), want);
}

static void kinds_of_tokens(void **state)
{
    MR_UNUSED(state);
    check_kinds("", "");
    check_kinds("SELECT a1 _b", "www");
    check_kinds("\"a b\" \"a\"\"b\"", "qq");
    check_kinds("'a' 'a''b' ''", "sss");
    check_kinds("U&'\\0041' u&'x'", "uu");
    check_kinds("1 12.5 .5 1. 1e3 1.5E-2", "iddddd");
    check_kinds("5m 10000ms 1.5h 2y", "tttt");
    check_kinds("@from", "p");
    check_kinds("<= >= <> != || -> < > =", "LGNNCA<>=");
    check_kinds("a.b, (c) [1] ; * / % + -", "w.w,(w)[i];*/%+-");
    check_kinds("a -- comment\n b /* c * / */ d", "www");
    check_kinds("measure_value::double", "m");
    check_kinds("b.MEASURE_VALUE :: BigInt", "w.m");
    check_kinds("measure_value", "w");
    check_kinds("measure_value::5", "wTi");
    check_kinds("a::b", "wTw");
}

static void errors_of_tokens(void **state)
{
    MR_UNUSED(state);
    check_kinds("a 'open", "!3");
    check_kinds("a \"open", "!3");
    check_kinds("a /* open", "!3");
    check_kinds("a ? b", "!3");
    check_kinds("a `b`", "!3");
    check_kinds("a ! b", "!3");
    check_kinds("a @ b", "!3");
    check_kinds("a 1e3x", "!3");
    check_kinds("a \xC3\xA4", "!3");
}

static void check_value_of(const char *text, const char *want)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_error error = {0, 0, MR_STR("")};
    struct sql_context cx = {.text = mr_str_of(text), .env = &fixture_env, .arena = &arena, .error = &error};
    struct sql_tokens tokens;
    assert_true(sql_lex(&cx, &tokens));
    check_str(sql_token_value(&cx, &tokens.items[0]), want);
    mr_arena_release(&arena);
}

static void values_of_tokens(void **state)
{
    MR_UNUSED(state);
    check_value_of("'it''s'", "it's");
    check_value_of("''", "");
    check_value_of("''''", "'");
    check_value_of("\"a\"\"b\"", "a\"b");
    check_value_of("Name", "Name");
    check_value_of("@p1", "p1");
    check_value_of("Measure_Value :: DOUBLE", "measure_value::double");
}

/* Every line of keywords.def is found by the search, in any case, and nothing near it is. */
static void keywords_are_found(void **state)
{
    MR_UNUSED(state);
    static const char *const words[] = {
#define SQL_KEYWORD(word, reserved) #word,
#include "sql/keywords.def"
#undef SQL_KEYWORD
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(words); i++) {
        char text[128];
        struct mr_arena arena = MR_ARENA_INIT;
        struct sql_error error = {0, 0, MR_STR("")};
        struct sql_tokens tokens;
        snprintf(text, sizeof text, "%s %.*s x%s %sx", words[i], (int)strlen(words[i]) - 1, words[i],
                 words[i], words[i]);
        text[0] |= 0x20; /* lower case */
        struct sql_context cx = {
            .text = mr_str_of(text), .env = &fixture_env, .arena = &arena, .error = &error};
        assert_true(sql_lex(&cx, &tokens));
        assert_int_equal(tokens.items[0].keyword, i + 1);
        assert_int_equal(tokens.items[2].keyword, SQL_KW_NONE);
        mr_arena_release(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_of_tokens),
        cmocka_unit_test(errors_of_tokens),
        cmocka_unit_test(values_of_tokens),
        cmocka_unit_test(keywords_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
