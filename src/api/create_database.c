/* CreateDatabase: write-api reference 3.1. A name that exists always conflicts, with the same parameters too.
 */
#include "api/kms.h"
#include "api/show.h"
#include "api/tag_rules.h"

static int check(struct api_call *call, const struct model_create_database_request *in, struct mr_pair **tags,
                 struct model_fault *fault)
{
    int rc = api_tags_check(call, &in->tags, tags, fault);
    if (rc == MR_OK && in->kms_key_id.ptr != NULL)
        rc = api_kms_check(call, in->kms_key_id, "KmsKeyId", fault);
    if (rc == MR_OK && in->tags.len > API_TAGS_PER_RESOURCE)
        rc = api_tags_too_many(call, fault);
    return rc;
}

int api_create_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_create_database_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database row;
    struct model_database shown;
    struct mr_pair *tags = NULL;
    int rc = check(call, in, &tags, fault);
    if (rc != MR_OK)
        return rc;
    struct mr_str key = in->kms_key_id.ptr != NULL ? in->kms_key_id : API_DEFAULT_KEY;
    rc = catalog_database_create(call->api->catalog, in->database_name, key, tags, in->tags.len, call->arena,
                                 &row, &err);
    if (rc == MR_EEXIST)
        return model_fail(fault, MODEL_CONFLICT, call->arena, "The database " MR_STR_FMT " already exists.",
                          MR_STR_ARG(in->database_name));
    if (rc == MR_ELIMIT)
        return model_fail(fault, MODEL_QUOTA, call->arena,
                          "You have exceeded the maximum number of databases.");
    if (rc != MR_OK)
        return api_catalog_failed("CreateDatabase", rc, &err);
    rc = api_show_database(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_create_database_response, &(struct model_create_database_response){&shown},
                     call->out);
    return rc;
}
