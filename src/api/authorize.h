/* api/authorize.h - whether the caller may do what a request asks for (write-api reference 2.4, query-api
 * reference 14).
 *
 * Every operation names an action and the resources it touches; the policies of the caller decide. Without a
 * user in the call (the root key, or a server without a users file) everything is allowed and nothing is
 * computed. Condition keys: docs/security.md.
 */
#ifndef MR_API_AUTHORIZE_H
#define MR_API_AUTHORIZE_H

#include "api/action.h"
#include "policy/policy.h"

/* All that the decoded input of the call demands. MR_OK; MR_EINVAL with AccessDeniedException in the fault;
 * MR_ENOMEM. What a query demands of tables is asked later, by api_query_may. */
int api_authorize(struct api_call *call, enum model_op op, struct model_fault *fault);

/* What the caller's policies say of an action on a resource, a session policy included; POLICY_ALLOWED when
 * everything is allowed. MR_OK, MR_ENOMEM. */
int api_decide(struct api_call *call, struct mr_str action, struct mr_str resource,
               enum policy_decision *out);

/* query_caller.may: `call` is the struct api_call. */
int api_query_may(void *call, const char *action, struct mr_str database, struct mr_str table,
                  struct model_fault *fault);

#endif
