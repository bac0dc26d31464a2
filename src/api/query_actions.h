/* api/query_actions.h - the actions of the Query API that need the query service (action.h lists the others).
 */
#ifndef MR_API_QUERY_ACTIONS_H
#define MR_API_QUERY_ACTIONS_H

#include "api/action.h"
#include "api/authorize.h"
#include "query/query.h"

api_action api_query;
api_action api_cancel_query;
api_action api_prepare_query;

static inline struct query_caller api_query_caller(struct api_call *call)
{
    return (struct query_caller){
        .principal = call->principal_arn,
        .region = call->region,
        .account = call->api->account,
        .partition = call->api->partition,
        .empty_page = call->empty_page,
        .may = api_query_may,
        .may_ctx = call,
    };
}

#endif
