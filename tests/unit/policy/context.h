/* What the policy tests share: a request whose condition keys are few and known. */
#ifndef MR_TESTS_POLICY_CONTEXT_H
#define MR_TESTS_POLICY_CONTEXT_H

#include "policy/policy.h"

struct context {
    const char *k; /* values of the key k, "a|b"; NULL: none; "?": the key is not known */
    struct mr_str values[16];
};

static inline size_t context_split(struct context *c)
{
    size_t n = 0;
    for (struct mr_str rest = mr_str_of(c->k); c->k != NULL && n < MR_ARRAY_LEN(c->values);) {
        size_t end = mr_str_find(rest, '|', 0);
        c->values[n++] = mr_str_slice(rest, 0, end);
        if (end == rest.len)
            break;
        rest = mr_str_slice(rest, end + 1, rest.len);
    }
    return n;
}

/* k; aws:username is ana; star is "a*c"; raw holds a byte that no text has; account is the one of the rows;
 * many has two; aws:none is absent. */
static inline int context_value(void *ctx, struct mr_str key, struct policy_values *out)
{
    static const struct mr_str ana = MR_STR("ana"), star = MR_STR("a*c"),
                               raw = MR_STR("a\xff"
                                            "c"),
                               account = MR_STR("123456789012");
    static const struct mr_str many[] = {MR_STR("bob"), MR_STR("eve")};
    struct context *c = ctx;
    *out = (struct policy_values){.known = true};
    if (mr_str_ieq(key, MR_STR("k"))) {
        out->known = c->k == NULL || strcmp(c->k, "?") != 0;
        out->at = c->values;
        out->n = out->known ? context_split(c) : 0;
    } else if (mr_str_ieq(key, MR_STR("aws:username"))) {
        *out = (struct policy_values){true, &ana, 1, false};
    } else if (mr_str_ieq(key, MR_STR("star"))) {
        *out = (struct policy_values){true, &star, 1, false};
    } else if (mr_str_ieq(key, MR_STR("raw"))) {
        *out = (struct policy_values){true, &raw, 1, false};
    } else if (mr_str_ieq(key, MR_STR("account"))) {
        *out = (struct policy_values){true, &account, 1, false};
    } else if (mr_str_ieq(key, MR_STR("many"))) {
        *out = (struct policy_values){true, many, 2, true};
    } else if (!mr_str_ieq(key, MR_STR("aws:none"))) {
        out->known = false;
    }
    return MR_OK;
}

#endif
