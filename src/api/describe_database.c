/* DescribeDatabase: write-api reference 3.2. */
#include "api/show.h"

int api_describe_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_describe_database_request *in = call->input;
    struct catalog_database row;
    struct model_database shown;
    int rc = catalog_database_get(call->api->catalog, in->database_name, call->arena, &row);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, in->database_name, fault);
    if (rc == MR_OK)
        rc = api_show_database(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_describe_database_response,
                     &(struct model_describe_database_response){&shown}, call->out);
    return rc;
}
