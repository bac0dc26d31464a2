/* IAM's evaluation: any Deny, else any Allow, else no. */
#include "policy/private.h"

static int any_matches(const struct policy_patterns *list, struct mr_str text, bool ignore_case,
                       const struct policy_request *request, enum policy_truth *truth)
{
    *truth = POLICY_NO;
    for (size_t i = 0; i < list->n && *truth != POLICY_YES; i++) {
        enum policy_truth one;
        int status = policy_pattern_match(&list->at[i], text, ignore_case, request, &one);
        if (status != MR_OK)
            return status;
        *truth = policy_or(*truth, one);
    }
    if (list->inverted)
        *truth = policy_not(*truth);
    return MR_OK;
}

static int applies(const struct policy_statement *s, const struct policy_request *request,
                   enum policy_truth *truth)
{
    enum policy_truth part;
    int status = any_matches(&s->actions, request->action, true, request, truth);
    if (status != MR_OK || *truth == POLICY_NO)
        return status;
    status = any_matches(&s->resources, request->resource, false, request, &part);
    *truth = policy_and(*truth, part);
    for (size_t i = 0; i < s->nconditions && status == MR_OK && *truth != POLICY_NO; i++) {
        status = policy_condition_test(&s->conditions[i], request, &part);
        *truth = policy_and(*truth, part);
    }
    return status;
}

int policy_evaluate(const struct policy *const *policies, size_t n, const struct policy_request *request,
                    struct policy_verdict *out)
{
    *out = (struct policy_verdict){POLICY_DENIED, MR_STR_NULL, MR_STR_NULL, 0};
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < policies[i]->nstatements; k++) {
            const struct policy_statement *s = &policies[i]->statements[k];
            enum policy_truth truth = POLICY_NO;
            if (!s->deny && out->decision == POLICY_ALLOWED)
                continue;
            int status = applies(s, request, &truth);
            if (status != MR_OK)
                return status;
            if (s->deny && truth != POLICY_NO) {
                *out = (struct policy_verdict){POLICY_FORBIDDEN, policies[i]->name, s->sid, k + 1};
                return MR_OK;
            }
            if (!s->deny && truth == POLICY_YES)
                *out = (struct policy_verdict){POLICY_ALLOWED, policies[i]->name, s->sid, k + 1};
        }
    }
    return MR_OK;
}
