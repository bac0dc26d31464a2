/* DeleteDatabase: write-api reference 3.5. One that still has tables is refused. */
#include "api/show.h"

int api_delete_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_delete_database_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    int rc = catalog_database_delete(call->api->catalog, in->database_name, &err);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, in->database_name, fault);
    if (rc == MR_EBUSY && err.status == MR_OK)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "Cannot delete the database until all tables in the database are deleted.");
    if (rc != MR_OK)
        return api_catalog_failed("DeleteDatabase", rc, &err);
    mr_buf_str(call->out, MR_STR("{}"));
    return MR_OK;
}
