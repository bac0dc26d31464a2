/* UpdateDatabase: write-api reference 3.4. The key is all it changes; the key it has already, in whichever
 * form, is no change and leaves LastUpdatedTime alone. */
#include "api/kms.h"
#include "api/show.h"

/* Whether the database has that key; *row is the database. */
static int has_key(struct api_call *call, const struct model_update_database_request *in,
                   struct catalog_database *row, bool *same)
{
    int rc = catalog_database_get(call->api->catalog, in->database_name, call->arena, row);
    if (rc != MR_OK)
        return rc;
    struct mr_str now = api_kms_arn(call, row->kms_key), then = api_kms_arn(call, in->kms_key_id);
    *same = mr_str_eq(now, then);
    return now.ptr == NULL || then.ptr == NULL ? MR_ENOMEM : MR_OK;
}

int api_update_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_update_database_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database row;
    struct model_database shown;
    bool same = false;
    int rc = api_kms_check(call, in->kms_key_id, "KmsKeyId", fault);
    if (rc == MR_OK)
        rc = has_key(call, in, &row, &same);
    if (rc == MR_OK && !same)
        rc = catalog_database_update(call->api->catalog, in->database_name, in->kms_key_id, call->arena, &row,
                                     &err);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, in->database_name, fault);
    if (rc != MR_OK)
        return err.status != MR_OK ? api_catalog_failed("UpdateDatabase", rc, &err) : rc;
    rc = api_show_database(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_update_database_response, &(struct model_update_database_response){&shown},
                     call->out);
    return rc;
}
