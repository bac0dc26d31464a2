/* 100,000 random policies against an evaluator that knows nothing but the rules: it walks the statements as
 * they were drawn, matches by plain recursion and keeps no state. MILLRACE_POLICY_SEED repeats a run. */
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rand.h"
#include "policy/context.h"

#define CASES 100000
enum { NO, YES, UNKNOWN };

struct condition {
    bool all, any, if_exists, negated, like, null;
    const char *operands[2];
    int n;
};

struct statement {
    bool deny, not_action, not_resource;
    const char *actions[2], *resources[2];
    int nactions, nresources, nconditions;
    struct condition conditions[2];
};

static struct mr_rng rng;

static const char *pick(const char *const *from, size_t n)
{
    return from[mr_rng_below(&rng, n)];
}
#define PICK(list) pick(list, MR_ARRAY_LEN(list))
static const char *const action_patterns[] = {"*", "t:*", "t:a", "T:A", "t:?", "t:ab", "t:*b", "u:*", "t:a*"};
static const char *const actions[] = {"t:a", "t:b", "t:ab", "t:A", "u:ab"};
static const char *const resource_patterns[] = {"*",
                                                "arn:p:t:r:1:*",
                                                "arn:p:t:r:1:d/x",
                                                "arn:p:t:*:1:d/*",
                                                "arn:*:*:*:*:*y",
                                                "arn:p:t:r:1:d/?",
                                                "arn:p:t:r:2:*",
                                                "arn:p:t:r:1:*/t/*",
                                                "arn:p:t:r:1:*x*y*",
                                                "arn:p:?:?:?:d/xx"};
static const char *const resources[] = {"*",
                                        "arn:p:t:r:1:d/x",
                                        "arn:p:t:r:1:d/xx",
                                        "arn:p:t:r:1:d/x/t/y",
                                        "arn:p:t:s:1:d/y",
                                        "arn:p:t:r:2:d/x",
                                        "arn:p:t:r:1:d:xy"};
static const char *const operands[] = {"a", "b", "ab", "a*", "*", "?b", ""};
static const char *const values[] = {NULL, "?", "a", "b", "ab", "a|b", "ab|ab", "a*", "", "c|"};

static struct statement draw(void)
{
    struct statement s = {.deny = mr_rng_below(&rng, 4) == 0,
                          .not_action = mr_rng_below(&rng, 5) == 0,
                          .not_resource = mr_rng_below(&rng, 5) == 0,
                          .nactions = 1 + (int)mr_rng_below(&rng, 2),
                          .nresources = 1 + (int)mr_rng_below(&rng, 2),
                          .nconditions = (int)mr_rng_below(&rng, 3)};
    for (int i = 0; i < 2; i++) {
        struct condition *c = &s.conditions[i];
        uint64_t set = mr_rng_below(&rng, 4);
        s.actions[i] = PICK(action_patterns);
        s.resources[i] = PICK(resource_patterns);
        c->null = i == 1 && mr_rng_below(&rng, 3) == 0;
        c->all = !c->null && set == 0;
        c->any = !c->null && set == 1;
        c->if_exists = !c->null && mr_rng_below(&rng, 4) == 0;
        c->negated = mr_rng_below(&rng, 2) == 0;
        c->like = i == 0; /* so that two conditions never have one operator */
        c->n = 1 + (int)mr_rng_below(&rng, 2);
        for (int k = 0; k < 2; k++)
            c->operands[k] = c->null ? (mr_rng_below(&rng, 2) != 0 ? "true" : "false") : PICK(operands);
    }
    return s;
}

/* ---- the document ---- */

static void print_list(struct mr_buf *out, const char *name, const char *const *list, int n)
{
    mr_buf_printf(out, "\"%s\":[", name);
    for (int i = 0; i < n; i++)
        mr_buf_printf(out, "%s\"%s\"", i != 0 ? "," : "", list[i]);
    mr_buf_str(out, MR_STR("]"));
}

static void print_statement(struct mr_buf *out, const struct statement *s)
{
    mr_buf_printf(out, "{\"Effect\":\"%s\",", s->deny ? "Deny" : "Allow");
    print_list(out, s->not_action ? "NotAction" : "Action", s->actions, s->nactions);
    mr_buf_char(out, ',');
    print_list(out, s->not_resource ? "NotResource" : "Resource", s->resources, s->nresources);
    mr_buf_str(out, MR_STR(",\"Condition\":{"));
    for (int i = 0; i < s->nconditions; i++) {
        const struct condition *c = &s->conditions[i];
        mr_buf_printf(out, "%s\"%s%s%s%s\":{", i != 0 ? "," : "",
                      c->all   ? "ForAllValues:"
                      : c->any ? "ForAnyValue:"
                               : "",
                      c->null      ? "Null"
                      : c->negated ? "StringNot"
                                   : "String",
                      c->null   ? ""
                      : c->like ? "Like"
                                : "Equals",
                      c->if_exists ? "IfExists" : "");
        print_list(out, "k", c->operands, c->n);
        mr_buf_char(out, '}');
    }
    mr_buf_str(out, MR_STR("}}"));
}

/* ---- the rules, plainly ---- */

static bool glob(const char *p, const char *t, const char *end, bool fold)
{
    if (*p == '\0')
        return t == end;
    if (*p == '*')
        return glob(p + 1, t, end, fold) || (t < end && glob(p, t + 1, end, fold));
    if (t == end)
        return false;
    char a = *p, b = *t;
    if (fold) {
        a = a >= 'A' && a <= 'Z' ? (char)(a + 32) : a;
        b = b >= 'A' && b <= 'Z' ? (char)(b + 32) : b;
    }
    return (a == '?' || a == b) && glob(p + 1, t + 1, end, fold);
}

static bool arn_glob(const char *p, const char *t)
{
    char part[100];
    if (strcmp(p, "*") == 0)
        return true;
    for (int i = 0; i < 5; i++) {
        const char *pc = strchr(p, ':'), *tc = strchr(t, ':');
        if (tc == NULL)
            return false;
        snprintf(part, sizeof part, "%.*s", (int)(pc - p), p);
        if (!glob(part, t, tc, false))
            return false;
        p = pc + 1;
        t = tc + 1;
    }
    return glob(p, t, t + strlen(t), false);
}

static bool operand_matches(const struct condition *c, struct mr_str value)
{
    for (int i = 0; i < c->n; i++) {
        bool yes = c->like ? glob(c->operands[i], value.ptr, value.ptr + value.len, false)
                           : mr_str_eq(mr_str_of(c->operands[i]), value);
        if (yes)
            return true;
    }
    return false;
}

static int test(const struct condition *c, const char *k)
{
    struct context split = {.k = k};
    if (k != NULL && strcmp(k, "?") == 0)
        return UNKNOWN;
    size_t n = context_split(&split), matching = 0;
    if (c->null) {
        for (int i = 0; i < c->n; i++)
            if ((strcmp(c->operands[i], "true") == 0) == (n == 0))
                return YES;
        return NO;
    }
    for (size_t i = 0; i < n; i++)
        matching += operand_matches(c, split.values[i]) ? 1 : 0;
    if (n == 0 && c->if_exists)
        return YES;
    size_t good = c->negated ? n - matching : matching;
    if (c->all)
        return good == n;
    if (c->any)
        return good > 0;
    return c->negated ? matching == 0 : matching > 0;
}

static int applies(const struct statement *s, const char *action, const char *resource, const char *k)
{
    bool a = false, r = false, unknown = false;
    for (int i = 0; i < s->nactions; i++)
        a = a || glob(s->actions[i], action, action + strlen(action), true);
    for (int i = 0; i < s->nresources; i++)
        r = r || arn_glob(s->resources[i], resource);
    if (a == s->not_action || r == s->not_resource)
        return NO;
    for (int i = 0; i < s->nconditions; i++) {
        int one = test(&s->conditions[i], k);
        if (one == NO)
            return NO;
        unknown = unknown || one == UNKNOWN;
    }
    return unknown ? UNKNOWN : YES;
}

static enum policy_decision naive(const struct statement *s, int n, const char *action, const char *resource,
                                  const char *k)
{
    bool allowed = false, denied = false;
    for (int i = 0; i < n; i++) {
        int t = applies(&s[i], action, resource, k);
        denied = denied || (s[i].deny && t != NO);
        allowed = allowed || (!s[i].deny && t == YES);
    }
    return denied ? POLICY_FORBIDDEN : allowed ? POLICY_ALLOWED : POLICY_DENIED;
}

/* The statements spread over two policies, as a user has several. */
static enum policy_decision ours(const struct statement *s, int n, struct policy_request *request,
                                 struct mr_buf *text)
{
    struct policy *p[2];
    struct mr_error err = MR_ERROR_INIT;
    struct policy_verdict v;
    for (int i = 0; i < 2; i++) {
        int from = i == 0 ? 0 : n / 2, to = i == 0 ? n / 2 : n;
        text->len = 0;
        mr_buf_str(text, MR_STR("{\"Version\":\"2012-10-17\",\"Statement\":["));
        for (int k = from; k < to; k++) {
            mr_buf_str(text, k != from ? MR_STR(",") : MR_STR(""));
            print_statement(text, &s[k]);
        }
        mr_buf_str(text, MR_STR("]}"));
        check_ok(policy_parse(MR_STR("p"), mr_buf_view(text), &p[i], &err), &err);
    }
    check_ok(policy_evaluate((const struct policy *const *)p, 2, request, &v), NULL);
    policy_free(p[0]);
    policy_free(p[1]);
    return v.decision;
}

static void random_policies(void **state)
{
    MR_UNUSED(state);
    const char *given = getenv("MILLRACE_POLICY_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20260101;
    size_t seen[3] = {0};
    struct mr_buf text = MR_BUF_INIT;
    rng.state = seed;
    for (int i = 0; i < CASES; i++) {
        struct statement s[4];
        int n = 1 + (int)mr_rng_below(&rng, 4);
        for (int k = 0; k < n; k++)
            s[k] = draw();
        const char *action = PICK(actions), *resource = PICK(resources);
        struct context c = {.k = PICK(values)};
        struct policy_request request = {mr_str_of(action), mr_str_of(resource), context_value, &c};
        enum policy_decision want = naive(s, n, action, resource, c.k), got = ours(s, n, &request, &text);
        seen[want]++;
        if (got != want)
            fail_msg("seed %llu case %d: %d instead of %d: %s %s k=%s\n" MR_STR_FMT, (unsigned long long)seed,
                     i, (int)got, (int)want, action, resource, c.k != NULL ? c.k : "(none)",
                     MR_STR_ARG(mr_buf_view(&text)));
    }
    print_message("%d cases: %zu denied, %zu allowed, %zu forbidden\n", CASES, seen[POLICY_DENIED],
                  seen[POLICY_ALLOWED], seen[POLICY_FORBIDDEN]);
    assert_true(seen[POLICY_DENIED] > CASES / 20 && seen[POLICY_ALLOWED] > CASES / 20 &&
                seen[POLICY_FORBIDDEN] > CASES / 20);
    mr_buf_release(&text);
}

int main(void)
{
    const struct CMUnitTest all[] = {cmocka_unit_test(random_policies)};
    return cmocka_run_group_tests(all, NULL, NULL);
}
