/* The users file: what is read, what is found, and what is refused, row by row. */
#include "lib/check.h"

#include <stdio.h>

#include "policy/users.h"

#define DOCUMENT "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}"

static struct policy_users *parse(const char *text)
{
    struct policy_users *users = NULL;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(policy_users_parse(mr_str_of(text), &users, &err), &err);
    return users;
}

static void test_read(void **state)
{
    MR_UNUSED(state);
    struct policy_users *u = parse(
        "{\"Users\":{\"zoe\":{\"Policies\":[\"p\"," DOCUMENT "]},"
        "\"amy\":{\"AccessKeys\":[{\"AccessKeyId\":\"AK1\",\"SecretAccessKey\":\"s1\",\"Status\":\"Active\"},"
        "{\"AccessKeyId\":\"AK2\",\"SecretAccessKey\":\"s2\",\"SessionToken\":\"t2\",\"Status\":\"Inactive\","
        "\"Expires\":\"1970-01-01T00:00:02Z\"}]}},\"Policies\":{\"p\":" DOCUMENT "}}");
    size_t n;
    const struct policy_user *list = policy_users_list(u, &n);
    assert_int_equal(n, 2);
    check_str(list[0].name, "zoe"); /* the order of the file */
    assert_int_equal(list[0].npolicies, 2);
    check_str(policy_name(list[0].policies[0]), "p");
    check_str(policy_name(list[0].policies[1]), "zoe");
    const struct policy_user *amy = policy_users_find(u, MR_STR("amy"));
    assert_ptr_equal(amy, &list[1]);
    assert_int_equal(amy->nkeys, 2);
    check_str(amy->keys[0].secret, "s1");
    assert_null(amy->keys[0].token.ptr);
    assert_int_equal(amy->keys[0].expires_ns, 0);
    assert_false(amy->keys[0].inactive);
    check_str(amy->keys[1].token, "t2");
    assert_int_equal(amy->keys[1].expires_ns, INT64_C(2000000000));
    assert_true(amy->keys[1].inactive);
    assert_null(policy_users_find(u, MR_STR("Amy")));
    assert_null(policy_users_find(u, MR_STR("")));
    policy_users_forget_secrets(u);
    assert_int_equal(amy->keys[0].secret.len, 2);
    assert_int_equal(amy->keys[0].secret.ptr[0], '\0');
    assert_int_equal(amy->keys[1].token.ptr[1], '\0');
    policy_users_free(u);
    policy_users_free(NULL);
}

/* Whom a trust policy names, one way or another. */
static void test_roles(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *principal, *asked;
        bool allowed;
    } rows[] = {
        {"\"*\"", "arn:aws:iam::1:user/amy", true},
        {"{\"AWS\":\"*\"}", "arn:aws:iam::1:user/amy", true},
        {"{\"AWS\":\"arn:aws:iam::1:user/amy\"}", "arn:aws:iam::1:user/amy", true},
        {"{\"AWS\":[\"arn:aws:iam::1:user/bob\",\"arn:aws:iam::1:user/amy\"]}", "arn:aws:iam::1:user/amy",
         true},
        {"{\"AWS\":\"arn:aws:iam::1:user/*\"}", "arn:aws:iam::1:user/amy", false}, /* no wildcards inside */
        {"{\"AWS\":\"arn:aws:iam::1:user/Amy\"}", "arn:aws:iam::1:user/amy", false},
        {"{\"AWS\":\"123456789012\"}", "arn:aws:iam::123456789012:root", true},
        {"{\"AWS\":\"123456789012\"}", "arn:aws:iam::123456789012:user/amy", false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_buf text = MR_BUF_INIT;
        mr_buf_printf(&text,
                      "{\"Users\":{},\"Roles\":{\"r\":{\"MaxSessionSeconds\":900,\"Trust\":{\"Statement\":{"
                      "\"Effect\":\"Allow\",\"Action\":\"sts:*\",\"Principal\":%s}}}}}",
                      rows[i].principal);
        mr_buf_char(&text, '\0');
        struct policy_users *u = parse(text.ptr);
        const struct policy_role *role = policy_roles_find(u, MR_STR("r"));
        const struct policy_request request = {MR_STR("sts:AssumeRole"), mr_str_of(rows[i].asked), NULL,
                                               NULL};
        struct policy_verdict verdict;
        assert_int_equal(role->max_session_s, 900);
        assert_null(policy_roles_find(u, MR_STR("s")));
        assert_int_equal(policy_evaluate(&role->trust, 1, &request, &verdict), MR_OK);
        if ((verdict.decision == POLICY_ALLOWED) != rows[i].allowed)
            fail_msg("%s against %s", rows[i].principal, rows[i].asked);
        policy_users_free(u);
        mr_buf_release(&text);
    }
}

static void test_many_are_found(void **state)
{
    MR_UNUSED(state);
    struct mr_buf text = MR_BUF_INIT;
    mr_buf_str(&text, MR_STR("{\"Users\":{"));
    for (int i = 0; i < 500; i++)
        mr_buf_printf(&text, "%s\"u%d\":{}", i > 0 ? "," : "", i * 7919 % 500);
    mr_buf_str(&text, MR_STR("}}"));
    mr_buf_char(&text, '\0');
    struct policy_users *u = parse(text.ptr);
    for (int i = 0; i < 500; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%d", i);
        assert_non_null(policy_users_find(u, mr_str_of(name)));
    }
    policy_users_free(u);
    mr_buf_release(&text);
}

#define ROLE(members) "{\"Users\":{},\"Roles\":{\"r\":{" members "}}}"
#define TRUST(more) "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"sts:AssumeRole\"" more "}}"
#define ANYBODY ",\"Principal\":\"*\""
#define KEY(members) "{\"Users\":{\"u\":{\"AccessKeys\":[{" members "}]}}}"
#define PAIR "\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"verysecret\""

static const struct {
    const char *text, *why;
} refused[] = {
    {"", ""},
    {"[]", "a users file is a JSON object"},
    {"{}", "needs Users"},
    {"{\"Users\":[]}", "\"Users\" must be an object"},
    {"{\"Users\":{},\"Policies\":[]}", "\"Policies\" must be an object"},
    {"{\"Users\":{},\"Users\":{}}", "each once"},
    {"{\"Users\":{},\"Groups\":{}}", "not 'Groups'"},
    {"{\"Users\":{\"u\":{},\"u\":{}}}", "user 'u': comes twice"},
    {"{\"Users\":{\"root\":{}}}", "is not root"},
    {"{\"Users\":{\"\":{}}}", "1 to 64 characters"},
    {"{\"Users\":{\"a b\":{}}}", "1 to 64 characters"},
    {"{\"Users\":{\"a\\u0000\":{}}}", "1 to 64 characters"},
    {"{\"Users\":{\"u\":[]}}", "must be an object"},
    {"{\"Users\":{\"u\":{\"Keys\":[]}}}", "may have AccessKeys"},
    {"{\"Users\":{\"u\":{\"Policies\":[],\"Policies\":[]}}}", "each once"},
    {"{\"Users\":{\"u\":{\"AccessKeys\":{}}}}", "\"AccessKeys\" must be a list"},
    {"{\"Users\":{\"u\":{\"AccessKeys\":[1]}}}", "an access key must be an object"},
    {"{\"Users\":{\"u\":{\"Policies\":\"p\"}}}", "\"Policies\" must be a list"},
    {"{\"Users\":{\"u\":{\"Policies\":[\"p\"]}}}", "there is no policy 'p'"},
    {"{\"Users\":{\"u\":{\"RequestsPerSecond\":0}}}", "from 1 to 1000000"},
    {"{\"Users\":{\"u\":{\"Policies\":[7]}}}", "a policy is a JSON object"},
    {"{\"Users\":{},\"Policies\":{\"p\":{}}}", "policy 'p': a policy needs a Statement"},
    {"{\"Users\":{},\"Policies\":{\"p\":" DOCUMENT ",\"p\":" DOCUMENT "}}", "policy 'p' comes twice"},
    {"{\"Users\":{},\"Roles\":[]}", "\"Roles\" must be an object"},
    {ROLE(""), "role 'r': needs a Trust"},
    {ROLE("\"Trust\":" DOCUMENT), "unknown element 'Resource'"},
    {ROLE("\"Trust\":" TRUST(",\"Principal\":{\"AWS\":\"bob\"}")), "'bob' is no principal"},
    {ROLE("\"Trust\":" TRUST(",\"Principal\":{\"Service\":\"x\"}")), "an object with AWS alone"},
    {ROLE("\"Trust\":" TRUST(",\"Principal\":\"bob\"")), "an object with AWS alone"},
    {ROLE("\"Trust\":" TRUST("")), "needs Effect, Action or NotAction, Principal"},
    {ROLE("\"Trust\":" TRUST(ANYBODY) ",\"Trust\":" TRUST(ANYBODY)), "each once"},
    {ROLE("\"Trust\":" TRUST(ANYBODY) ",\"MaxSessionSeconds\":899"), "from 900 to 43200"},
    {ROLE("\"Trust\":" TRUST(ANYBODY) ",\"MaxSessionSeconds\":\"900\""), "from 900 to 43200"},
    {ROLE("\"Trust\":" TRUST(ANYBODY) ",\"Keys\":[]"), "may have Trust"},
    {ROLE("\"Trust\":" TRUST(ANYBODY) ",\"Policies\":[\"p\"]"), "there is no policy 'p'"},
    {"{\"Users\":{},\"Roles\":{\"a b\":{}}}", "role 'a b': a name has"},
    {"{\"Users\":{},\"Roles\":{\"r\":{\"Trust\":" TRUST(ANYBODY) "},\"r\":{}}}", "role 'r': comes twice"},
    {KEY("\"AccessKeyId\":\"A\""), "needs AccessKeyId and SecretAccessKey"},
    {KEY("\"SecretAccessKey\":\"verysecret\""), "needs AccessKeyId and SecretAccessKey"},
    {KEY(PAIR ",\"AccessKeyId\":\"B\""), "each once and a string"},
    {KEY(PAIR ",\"Secret\":\"verysecret\""), "each once and a string"},
    {KEY(PAIR ",\"SessionToken\":1"), "each once and a string"},
    {KEY(PAIR ",\"Expires\":\"soon\""), "Expires must be a time"},
    {KEY(PAIR ",\"Expires\":\"1960-01-01T00:00:00Z\""), "Expires must be a time"},
    {KEY(PAIR ",\"Status\":\"active\""), "Active or Inactive"},
    {KEY(PAIR ",\"Status\":\"\""), "Active or Inactive"},
};

static void test_refused(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(refused); i++) {
        struct policy_users *users = NULL;
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(policy_users_parse(mr_str_of(refused[i].text), &users, &err), MR_EINVAL);
        assert_null(users);
        if (strstr(err.text, refused[i].why) == NULL || err.text[0] == '\0')
            fail_msg("%s gives '%s', not '%s'", refused[i].text, err.text, refused[i].why);
        assert_null(strstr(err.text, "verysecret"));
    }
    struct mr_buf long_text = MR_BUF_INIT;
    for (size_t i = 0; i <= POLICY_MAX_USERS_TEXT / 64; i++)
        mr_buf_str(&long_text, MR_STR("                                                                "));
    struct policy_users *users = NULL;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(policy_users_parse(mr_buf_view(&long_text), &users, &err), MR_EINVAL);
    assert_non_null(strstr(err.text, "longer than"));
    mr_buf_release(&long_text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_roles),
                                       cmocka_unit_test(test_many_are_found), cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
