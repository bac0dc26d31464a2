/* DeleteDatabase: write-api reference 3.5. One that still has tables is refused. With the database go its
 * keys: what copies of its files there are cannot be read any more. */
#include "api/show.h"

#include "base/log.h"

/* The database is gone whatever becomes of this; a start forgets the keys of databases that are not there. */
static void forget_keys(struct api_call *call, uint64_t id)
{
    const struct api_keys *keys = &call->api->keys;
    struct mr_error err = MR_ERROR_INIT;
    if (keys->ctx == NULL)
        return;
    int rc = keys->forget(keys->ctx, id, &err);
    mr_log(rc == MR_OK ? MR_LOG_INFO : MR_LOG_ERROR, "keys_forgotten",
           "database=%llu status=%s text=\"%s\"%s", (unsigned long long)id,
           mr_status_name((enum mr_status)rc), err.text, rc == MR_OK ? "" : " again=restart");
}

int api_delete_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_delete_database_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database row;
    int rc = catalog_database_get(call->api->catalog, in->database_name, call->arena, &row);
    if (rc == MR_OK)
        rc = catalog_database_delete(call->api->catalog, in->database_name, &err);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, in->database_name, fault);
    if (rc == MR_EBUSY && err.status == MR_OK)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "Cannot delete the database until all tables in the database are deleted.");
    if (rc != MR_OK)
        return api_catalog_failed("DeleteDatabase", rc, &err);
    forget_keys(call, row.id);
    mr_buf_str(call->out, MR_STR("{}"));
    return MR_OK;
}
