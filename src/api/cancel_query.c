/* CancelQuery: query-api reference 6. The work is the query room's. */
#include "api/query_actions.h"

int api_cancel_query(struct api_call *call, struct model_fault *fault)
{
    const struct query_caller caller = api_query_caller(call);
    return query_cancel(call->api->query, &caller, call->input, call->arena, call->out, fault);
}
