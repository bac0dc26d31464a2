/* What each part of a policy means, row by row (rows.def, conditions.def), and which documents are refused.
 */
#include "lib/check.h"

#include <stdio.h>

#include "policy/context.h"
#include "policy/users.h"

#define ALL "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"

static enum policy_decision decide(const char *statements, const char *action, const char *resource,
                                   const char *k)
{
    struct policy *p = NULL;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_buf text = MR_BUF_INIT;
    mr_buf_printf(&text, "{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statements);
    check_ok(policy_parse(MR_STR("p"), mr_buf_view(&text), &p, &err), &err);
    struct context c = {.k = k};
    struct policy_request request = {mr_str_of(action), mr_str_of(resource), context_value, &c};
    struct policy_verdict verdict;
    check_ok(policy_evaluate((const struct policy *const *)&p, 1, &request, &verdict), NULL);
    policy_free(p);
    mr_buf_release(&text);
    return verdict.decision;
}

enum { NO, YES, UNKNOWN };

static void expect(int line, enum policy_decision got, enum policy_decision want)
{
    if (got != want)
        fail_msg("row of line %d: decision %d instead of %d", line, (int)got, (int)want);
}

static const struct {
    int line, want;
    const char *pattern, *text;
} matches[] =
    {
#define MATCH(want, pattern, text) {__LINE__, want, pattern, text},
#include "policy/rows.def"
},
  actions[] = {
#define ACTION(want, pattern, text) {__LINE__, want, pattern, text},
#include "policy/rows.def"
};

static const struct {
    int line, want;
    const char *operation, *operands, *values;
} tests[] = {
#define TEST(want, operation, operands, values) {__LINE__, want, operation, operands, values},
#include "policy/conditions.def"
};

static void resources(void **state)
{
    MR_UNUSED(state);
    char s[1000];
    for (size_t i = 0; i < MR_ARRAY_LEN(matches); i++) {
        snprintf(s, sizeof s, "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"%s\"}",
                 matches[i].pattern);
        expect(matches[i].line, decide(s, "a:b", matches[i].text, NULL),
               matches[i].want == YES ? POLICY_ALLOWED : POLICY_DENIED);
    }
}

static void action_names(void **state)
{
    MR_UNUSED(state);
    char s[1000];
    for (size_t i = 0; i < MR_ARRAY_LEN(actions); i++) {
        snprintf(s, sizeof s, "{\"Effect\":\"Allow\",\"Action\":\"%s\",\"Resource\":\"*\"}",
                 actions[i].pattern);
        expect(actions[i].line, decide(s, actions[i].text, "*", NULL),
               actions[i].want == YES ? POLICY_ALLOWED : POLICY_DENIED);
        snprintf(s, sizeof s, "{\"Effect\":\"Allow\",\"NotAction\":[\"%s\"],\"Resource\":\"*\"}",
                 actions[i].pattern);
        expect(actions[i].line, decide(s, actions[i].text, "*", NULL),
               actions[i].want == YES ? POLICY_DENIED : POLICY_ALLOWED);
    }
}

/* Each row as an Allow, and as a Deny beside an Allow of everything: what cannot be told allows nothing and
 * denies. */
static void conditions(void **state)
{
    MR_UNUSED(state);
    char s[2000];
    for (size_t i = 0; i < MR_ARRAY_LEN(tests); i++) {
        snprintf(
            s, sizeof s,
            "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"%s\":{\"K\":%s}}}",
            tests[i].operation, tests[i].operands);
        expect(tests[i].line, decide(s, "a:b", "*", tests[i].values),
               tests[i].want == YES ? POLICY_ALLOWED : POLICY_DENIED);
        snprintf(
            s, sizeof s,
            ALL
            ",{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"%s\":{\"k\":%s}}}",
            tests[i].operation, tests[i].operands);
        expect(tests[i].line, decide(s, "a:b", "*", tests[i].values),
               tests[i].want == NO ? POLICY_ALLOWED : POLICY_FORBIDDEN);
    }
}

#define R "\"Resource\":\"*\""
#define ONE(effect, more) "{\"Effect\":\"" effect "\"," more "}"

static void statements(void **state)
{
    MR_UNUSED(state);
    static const char allow[] = ONE("Allow", "\"Action\":\"t:A\"," R),
                      deny[] = ONE("Deny", "\"Action\":\"t:A\"," R);
    char s[2000];
    expect(__LINE__, decide("", "t:A", "*", NULL), POLICY_DENIED);
    expect(__LINE__, decide(allow, "t:A", "*", NULL), POLICY_ALLOWED);
    expect(__LINE__, decide(allow, "t:B", "*", NULL), POLICY_DENIED);
    expect(__LINE__, decide(deny, "t:A", "*", NULL), POLICY_FORBIDDEN);
    expect(__LINE__, decide(deny, "t:B", "*", NULL), POLICY_DENIED);
    snprintf(s, sizeof s, "%s,%s", allow, deny);
    expect(__LINE__, decide(s, "t:A", "*", NULL), POLICY_FORBIDDEN);
    snprintf(s, sizeof s, "%s,%s", deny, allow);
    expect(__LINE__, decide(s, "t:A", "*", NULL), POLICY_FORBIDDEN);
    expect(__LINE__, decide(ONE("Allow", "\"Action\":[\"t:A\",\"t:B\"]," R), "t:B", "*", NULL),
           POLICY_ALLOWED);
    expect(__LINE__, decide(ONE("Allow", "\"NotAction\":[\"t:A\",\"t:B\"]," R), "t:B", "*", NULL),
           POLICY_DENIED);
    expect(__LINE__, decide(ONE("Allow", "\"NotAction\":[\"t:A\",\"t:B\"]," R), "t:C", "*", NULL),
           POLICY_ALLOWED);
    expect(__LINE__, decide(ONE("Deny", "\"NotAction\":\"t:A\"," R) "," ALL, "t:A", "*", NULL),
           POLICY_ALLOWED);
    expect(__LINE__, decide(ONE("Deny", "\"NotAction\":\"t:A\"," R) "," ALL, "t:B", "*", NULL),
           POLICY_FORBIDDEN);
    static const char other[] = ONE("Allow", "\"Action\":\"*\",\"NotResource\":\"arn:a:b:c:d:e\"");
    expect(__LINE__, decide(other, "t:A", "arn:a:b:c:d:e", NULL), POLICY_DENIED);
    expect(__LINE__, decide(other, "t:A", "arn:a:b:c:d:f", NULL), POLICY_ALLOWED);
    expect(__LINE__, decide(other, "t:A", "*", NULL), POLICY_ALLOWED);
    /* the variable cannot be told, and so neither can its opposite */
    static const char doubt[] = ONE("Allow", "\"Action\":\"*\",\"NotResource\":\"arn:a:b:c:d:${mystery}\"");
    expect(__LINE__, decide(doubt, "t:A", "arn:a:b:c:d:f", NULL), POLICY_DENIED);
    static const char two[] =
        ONE("Allow", "\"Action\":\"*\"," R ",\"Condition\":{\"StringEquals\":{\"k\":\"a\"},"
                     "\"StringLike\":{\"aws:username\":\"a*\"}}");
    expect(__LINE__, decide(two, "t:A", "*", "a"), POLICY_ALLOWED);
    expect(__LINE__, decide(two, "t:A", "*", "b"), POLICY_DENIED);
    expect(__LINE__, decide(ONE("Allow", "\"Action\":\"*\"," R ",\"Condition\":{}"), "t:A", "*", NULL),
           POLICY_ALLOWED);
}

/* The old version has no variables; without a version it is that one. */
static void versions(void **state)
{
    MR_UNUSED(state);
    static const char *const heads[] = {"\"Version\":\"2008-10-17\",", "", "\"Version\":\"2012-10-17\","};
    for (size_t i = 0; i < 3; i++) {
        char text[500];
        struct policy *p;
        struct mr_error err = MR_ERROR_INIT;
        struct policy_verdict v;
        struct context c = {0};
        snprintf(text, sizeof text,
                 "{%s\"Id\":\"x\",\"Statement\":{\"Sid\":\"s1\",\"Effect\":\"Allow\",\"Action\":\"*\","
                 "\"Resource\":\"arn:a:b:c:d:${aws:username}\"}}",
                 heads[i]);
        check_ok(policy_parse(MR_STR("mine"), mr_str_of(text), &p, &err), &err);
        struct policy_request request = {MR_STR("t:A"), MR_STR("arn:a:b:c:d:${aws:username}"), context_value,
                                         &c};
        check_ok(policy_evaluate((const struct policy *const *)&p, 1, &request, &v), NULL);
        assert_int_equal(v.decision, i < 2 ? POLICY_ALLOWED : POLICY_DENIED);
        request.resource = MR_STR("arn:a:b:c:d:ana");
        check_ok(policy_evaluate((const struct policy *const *)&p, 1, &request, &v), NULL);
        assert_int_equal(v.decision, i < 2 ? POLICY_DENIED : POLICY_ALLOWED);
        if (i == 2) {
            check_str(v.policy, "mine");
            check_str(v.sid, "s1");
        }
        check_str(policy_name(p), "mine");
        policy_free(p);
    }
}

#define S(more) "{\"Statement\":{" more "}}"
#define OK "\"Effect\":\"Allow\",\"Action\":\"a:b\",\"Resource\":\"*\""

static const struct {
    const char *document, *why;
} refusals[] = {
    {"", ""},
    {"{", ""},
    {"[]", "JSON object"},
    {"1", "JSON object"},
    {"null", "JSON object"},
    {"{}", "needs a Statement"},
    {"{\"Statement\":1}", "object"},
    {"{\"Statement\":[1]}", "object"},
    {"{\"Statement\":[],\"Principal\":\"*\"}", "unknown element 'Principal'"},
    {"{\"Statement\":[],\"Statement\":[]}", "second 'Statement'"},
    {"{\"statement\":[]}", "unknown element"},
    {"{\"Version\":\"2012\",\"Statement\":[]}", "Version"},
    {"{\"Version\":1,\"Statement\":[]}", "string"},
    {"{\"Id\":1,\"Statement\":[]}", "string"},
    {S(""), "needs Effect"},
    {S("\"Effect\":\"Allow\""), "needs"},
    {S("\"Action\":\"a:b\",\"Resource\":\"*\""), "needs Effect"},
    {S("\"Effect\":\"Allow\",\"Action\":\"a:b\""), "needs"},
    {S("\"Effect\":\"Allow\",\"Resource\":\"*\""), "needs"},
    {S("\"Effect\":\"allow\""), "Allow or Deny"},
    {S("\"Effect\":1"), "Allow or Deny"},
    {S(OK ",\"Effect\":\"Deny\""), "comes twice"},
    {S(OK ",\"Action\":\"a:c\""), "comes twice"},
    {S(OK ",\"NotAction\":\"a:c\""), "beside its opposite"},
    {S(OK ",\"NotResource\":\"*\""), "beside its opposite"},
    {S(OK ",\"Principal\":\"*\""), "unknown element"},
    {S(OK ",\"Sid\":1"), "a string"},
    {S(OK ",\"x\":1"), "unknown"},
    {S("\"Action\":[]"), "list of strings"},
    {S("\"Action\":[1]"), "list of strings"},
    {S("\"Action\":{}"), "list of strings"},
    {S("\"Action\":\"Select\""), "no action"},
    {S("\"Resource\":\"database/d\""), "no resource"},
    {S("\"Resource\":\"arn:a:b:c:d\""), "no resource"},
    {S("\"Resource\":\"\""), "no resource"},
    {S("\"Resource\":\"x:a:b:c:d:e\""), "no resource"},
    {S("\"Resource\":\"**\""), "no resource"},
    {S(OK ",\"Condition\":1"), "an object"},
    {S(OK ",\"Condition\":{\"Bool\":1}"), "an object"},
    {S(OK ",\"Condition\":{\"Boolean\":{\"k\":\"true\"}}"), "unknown condition operator"},
    {S(OK ",\"Condition\":{\"bool\":{\"k\":\"true\"}}"), "unknown condition operator"},
    {S(OK ",\"Condition\":{\"NullIfExists\":{\"k\":\"true\"}}"), "unknown condition operator"},
    {S(OK ",\"Condition\":{\"ForAnyValue:Null\":{\"k\":\"true\"}}"), "unknown condition operator"},
    {S(OK ",\"Condition\":{\"ForSomeValues:Bool\":{\"k\":\"true\"}}"), "unknown condition operator"},
    {S(OK ",\"Condition\":{\"Bool\":{\"k\":\"maybe\"}}"), "no value"},
    {S(OK ",\"Condition\":{\"Bool\":{\"k\":[]}}"), "without a value"},
    {S(OK ",\"Condition\":{\"Bool\":{\"\":\"true\"}}"), "without a key"},
    {S(OK ",\"Condition\":{\"Bool\":{\"k\":{}}}"), "no value"},
    {S(OK ",\"Condition\":{\"Bool\":{\"k\":null}}"), "no value"},
    {S(OK ",\"Condition\":{\"NumericEquals\":{\"k\":\"x\"}}"), "no value"},
    {S(OK ",\"Condition\":{\"DateEquals\":{\"k\":\"soon\"}}"), "no value"},
    {S(OK ",\"Condition\":{\"IpAddress\":{\"k\":\"10.0.0.0/33\"}}"), "no value"},
    {S(OK ",\"Condition\":{\"IpAddress\":{\"k\":\"10.0\"}}"), "no value"},
    {S(OK ",\"Condition\":{\"ArnLike\":{\"k\":\"x\"}}"), "no value"},
    {S(OK ",\"Condition\":{\"Bool\":{\"k\":\"true\",\"K\":\"false\"}}"), "second Bool"},
    {"{\"Version\":\"2012-10-17\",\"Statement\":{\"Resource\":\"arn:a:b:c:d:${x\"}}", "malformed variable"},
    {"{\"Version\":\"2012-10-17\",\"Statement\":{\"Resource\":\"arn:a:b:c:d:${}\"}}", "malformed variable"},
    {"{\"Version\":\"2012-10-17\",\"Statement\":{\"Resource\":\"arn:a:b:c:d:${x, y}\"}}",
     "malformed variable"},
};

static void documents_refused(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(refusals); i++) {
        struct policy *p;
        struct mr_error err = MR_ERROR_INIT;
        int status = policy_parse(MR_STR("p"), mr_str_of(refusals[i].document), &p, &err);
        if (status != MR_EINVAL || strstr(err.text, refusals[i].why) == NULL)
            fail_msg("%s: status %d, \"%s\"", refusals[i].document, status, err.text);
        assert_null(p);
    }
}

static void row_count(void **state)
{
    MR_UNUSED(state);
    size_t n =
        MR_ARRAY_LEN(matches) + 2 * MR_ARRAY_LEN(actions) + 2 * MR_ARRAY_LEN(tests) + MR_ARRAY_LEN(refusals);
    print_message("%zu rows\n", n);
    assert_true(n >= 300);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(resources),  cmocka_unit_test(action_names),      cmocka_unit_test(conditions),
        cmocka_unit_test(statements), cmocka_unit_test(documents_refused), cmocka_unit_test(versions),
        cmocka_unit_test(row_count),
    };
    return cmocka_run_group_tests(all, NULL, NULL);
}
