/* Query: query-api reference 4. The work is the query room's. */
#include "api/query_actions.h"

int api_query(struct api_call *call, struct model_fault *fault)
{
    const struct query_caller caller = api_query_caller(call);
    return query_run(call->api->query, &caller, call->input, call->arena, call->out, fault);
}
