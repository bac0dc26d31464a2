/* fuzz/policy.c - any bytes as a policy and as a users file. What reads can be asked, and a Deny of
 * everything beside it wins. */
#include "policy/users.h"

static struct mr_str text;

/* Odd keys have as value a piece of the document itself, others none or are unknown. */
static int value(void *ctx, struct mr_str key, struct policy_values *out)
{
    MR_UNUSED(ctx);
    *out = (struct policy_values){.known = key.len % 3 != 0, .at = &text, .n = key.len % 2};
    return MR_OK;
}

static enum policy_decision ask(const struct policy *const *policies, size_t n, struct mr_str action,
                                struct mr_str resource)
{
    const struct policy_request request = {action, resource, value, NULL};
    struct policy_verdict v;
    MR_ASSERT(policy_evaluate(policies, n, &request, &v) == MR_OK);
    return v.decision;
}

static void ask_all(const struct policy *p)
{
    static struct policy *never;
    struct mr_error err = MR_ERROR_INIT;
    if (never == NULL)
        MR_ASSERT(
            policy_parse(MR_STR("never"),
                         MR_STR("{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}}"),
                         &never, &err) == MR_OK);
    const struct policy *const both[] = {p, never};
    const struct mr_str resources[] = {
        MR_STR("*"), MR_STR("arn:aws:timestream:us-east-1:123456789012:database/d/table/t"), text};
    for (size_t i = 0; i < MR_ARRAY_LEN(resources); i++) {
        ask(both, 1, MR_STR("timestream:Select"), resources[i]);
        ask(both, 1, text, resources[i]);
        MR_ASSERT(ask(both, 2, text, resources[i]) == POLICY_FORBIDDEN);
        MR_ASSERT(ask(both, 0, text, resources[i]) == POLICY_DENIED);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str body = {(const char *)data, size};
    struct mr_error err = MR_ERROR_INIT;
    struct policy *p;
    struct policy_users *users;
    text = mr_str_slice(body, 0, 200);
    int status = policy_parse(MR_STR("fuzz"), body, &p, &err);
    MR_ASSERT(status == MR_OK || err.text[0] != '\0');
    if (status == MR_OK)
        ask_all(p);
    policy_free(p);
    err = (struct mr_error)MR_ERROR_INIT;
    status = policy_users_parse(body, &users, &err);
    MR_ASSERT(status == MR_OK || err.text[0] != '\0');
    if (status == MR_OK) {
        size_t n;
        const struct policy_user *list = policy_users_list(users, &n);
        for (size_t i = 0; i < n; i++) {
            MR_ASSERT(policy_users_find(users, list[i].name) == &list[i]);
            for (size_t k = 0; k < list[i].npolicies; k++)
                ask_all(list[i].policies[k]);
        }
    }
    policy_users_free(users);
    return 0;
}
