/* api/condition.h - what the condition keys of a policy stand for in a request.
 *
 * The keys of write-api reference 2.4 (aws:ResourceTag, aws:RequestTag, aws:TagKeys), timestream:ResourceTag,
 * and the global ones that a server on its own can tell. Keys that AWS has and a request by a long-term key
 * would lack there (multi-factor authentication, VPC, organisation, ...) are known and absent. Any other key
 * is unknown.
 */
#ifndef MR_API_CONDITION_H
#define MR_API_CONDITION_H

#include "api/action.h"
#include "policy/policy.h"

/* One question to the policies. */
struct api_ask {
    struct api_call *call;
    struct mr_str resource;             /* ARN, or "*" */
    const struct model_tag_list *tags;  /* of the request, or NULL */
    const struct model_texts *tag_keys; /* likewise, when there are keys only */
};

/* policy_request.value: `ask` is the struct api_ask. Values are in the arena of the call. */
int api_condition_value(void *ask, struct mr_str key, struct policy_values *out);

#endif
