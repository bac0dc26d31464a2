/* LIKE of SHOW statements and page tokens. */
#include "lib/check.h"

#include "query/run.h"

static void test_like(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *text, *pattern, *escape;
        bool match;
    } cases[] = {
        {"plant", "plant", "", true},
        {"plant", "p%", "", true},
        {"plant", "%t", "", true},
        {"plant", "p_ant", "", true},
        {"plant", "p__ant", "", false},
        {"plant", "%", "", true},
        {"", "%", "", true},
        {"", "_", "", false},
        {"", "", "", true},
        {"plant", "", "", false},
        {"plant", "P%", "", false},
        {"a%b", "a\\%b", "\\", true},
        {"axb", "a\\%b", "\\", false},
        {"a_b", "a#_b", "#", true},
        {"axb", "a#_b", "#", false},
        {"\xC3\xA9t\xC3\xA9", "_t_", "", true},
        {"aaab", "%a%b", "", true},
        {"aaac", "%a%b", "", false},
        {"abcabd", "%abd", "", true},
        {"ab", "ab%%", "", true},
        {"a.b", "a.b", "", true},
        {"ab", "a\\", "\\", false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++)
        if (query_like(mr_str_of(cases[i].text), mr_str_of(cases[i].pattern), mr_str_of(cases[i].escape)) !=
            cases[i].match)
            fail_msg("'%s' LIKE '%s' ESCAPE '%s'", cases[i].text, cases[i].pattern, cases[i].escape);
}

/* The backtracking of nested % must not explode. */
static void test_like_is_not_exponential(void **state)
{
    MR_UNUSED(state);
    char text[2001], pattern[2001];
    memset(text, 'a', 2000);
    for (size_t i = 0; i < 2000; i += 2) {
        pattern[i] = '%';
        pattern[i + 1] = 'a';
    }
    pattern[1999] = 'b';
    assert_false(query_like((struct mr_str){text, 2000}, (struct mr_str){pattern, 2000}, MR_STR("")));
}

static void test_tokens(void **state)
{
    MR_UNUSED(state);
    struct query_run run = {0};
    for (int i = 0; i < QUERY_SECRET_BYTES; i++)
        run.secret[i] = (unsigned char)(i * 11);
    struct mr_buf token = MR_BUF_INIT;
    query_token_make(&run, 7, &token);
    unsigned char secret[QUERY_SECRET_BYTES];
    uint64_t page;
    assert_true(query_token_parse(mr_buf_view(&token), secret, &page));
    assert_memory_equal(secret, run.secret, QUERY_SECRET_BYTES);
    assert_int_equal(page, 7);
    static const char *const bad[] = {"", "x", "not base64 at all!", "AAAA", "////"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++)
        assert_false(query_token_parse(mr_str_of(bad[i]), secret, &page));
    assert_false(query_token_parse(mr_str_slice(mr_buf_view(&token), 0, token.len - 1), secret, &page));
    mr_buf_release(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_like),
        cmocka_unit_test(test_like_is_not_exponential),
        cmocka_unit_test(test_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
