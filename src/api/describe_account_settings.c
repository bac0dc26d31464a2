/* DescribeAccountSettings: query-api reference 3.14 and 10. */
#include "api/account.h"

int api_describe_account_settings(struct api_call *call, struct model_fault *fault)
{
    struct api_account account;
    MR_UNUSED(fault);
    int rc = api_account_load(call, &account);
    if (rc == MR_OK)
        model_encode(&model_shape_describe_account_settings_response, &account.shown, call->out);
    return rc;
}
