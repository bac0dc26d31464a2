/* DescribeTable: write-api reference 3.7. */
#include "api/show.h"

int api_describe_table(struct api_call *call, struct model_fault *fault)
{
    const struct model_describe_table_request *in = call->input;
    struct catalog_table row;
    struct model_table shown;
    bool no_database = false;
    int rc = catalog_table_get(call->api->catalog, in->database_name, in->table_name, call->arena, &row,
                               &no_database);
    if (rc == MR_ENOENT)
        return no_database ? api_no_such_database(call, in->database_name, fault)
                           : api_no_such_table(call, in->table_name, fault);
    if (rc == MR_OK)
        rc = api_show_table(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_describe_table_response, &(struct model_describe_table_response){&shown},
                     call->out);
    return rc;
}
