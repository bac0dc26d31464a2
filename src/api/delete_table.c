/* DeleteTable: write-api reference 3.10. The table is gone once the catalog says so; its id stays in the list
 * of dropped tables until the store has forgotten the data. Whatever stops that in between is made good at
 * the next start (api_boot_cleanup), so it is logged and the caller hears of the success. */
#include "api/show.h"

int api_delete_table(struct api_call *call, struct model_fault *fault)
{
    const struct model_delete_table_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    uint64_t id = 0;
    int rc = catalog_table_delete(call->api->catalog, in->database_name, in->table_name, &id, &err);
    if (rc == MR_ENOENT)
        return api_missing_table_or_database(call, in->database_name, in->table_name, fault);
    if (rc != MR_OK)
        return api_catalog_failed("DeleteTable", rc, &err);
    (void)api_finish_drop(call->api, id, &err); /* logged there */
    mr_buf_str(call->out, MR_STR("{}"));
    return MR_OK;
}
