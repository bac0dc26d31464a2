/* PrepareQuery: query-api reference 5. The work is the query room's. */
#include "api/query_actions.h"

int api_prepare_query(struct api_call *call, struct model_fault *fault)
{
    const struct query_caller caller = api_query_caller(call);
    return query_prepare(call->api->query, &caller, call->input, call->arena, call->out, fault);
}
