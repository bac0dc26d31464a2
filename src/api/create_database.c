/* CreateDatabase: write-api reference 3.1. A name that exists always conflicts, with the same parameters too.
 *
 * A key that was named is tried before the database is there: a data key is made under it. If the server dies
 * before it is the database's, the first file makes another.
 */
#include "api/kms.h"
#include "api/show.h"
#include "api/tag_rules.h"

#include "base/log.h"

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

/* The key to remember, and a data key under it when it is not the one of all databases. A name that exists
 * is told first: nothing is made for it. */
static int prepare_key(struct api_call *call, const struct model_create_database_request *in,
                       struct mr_str *key, struct seal_fresh **fresh, struct model_fault *fault)
{
    const struct api_keys *keys = &call->api->keys;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database row;
    *key = in->kms_key_id.ptr != NULL ? in->kms_key_id : API_DEFAULT_KEY;
    if (in->kms_key_id.ptr == NULL || keys->ctx == NULL ||
        catalog_database_get(call->api->catalog, in->database_name, call->arena, &row) == MR_OK)
        return MR_OK;
    int rc = keys->resolve(keys->ctx, in->kms_key_id, call->arena, key, &err);
    if (rc == MR_OK)
        rc = keys->prepare(keys->ctx, *key, in->database_name, fresh, &err);
    return rc == MR_OK ? MR_OK : api_kms_refused(call, "CreateDatabase", rc, &err, fault);
}

static int create(struct api_call *call, struct mr_str key, const struct mr_pair *tags,
                  struct catalog_database *row, struct model_fault *fault)
{
    const struct model_create_database_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    int rc = catalog_database_create(call->api->catalog, in->database_name, key, tags, in->tags.len,
                                     call->arena, row, &err);
    if (rc == MR_EEXIST)
        return model_fail(fault, MODEL_CONFLICT, call->arena, "The database " MR_STR_FMT " already exists.",
                          MR_STR_ARG(in->database_name));
    if (rc == MR_ELIMIT)
        return model_fail(fault, MODEL_QUOTA, call->arena,
                          "You have exceeded the maximum number of databases.");
    return rc == MR_OK ? MR_OK : api_catalog_failed("CreateDatabase", rc, &err);
}

int api_create_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_create_database_request *in = call->input;
    const struct api_keys *keys = &call->api->keys;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database row;
    struct model_database shown;
    struct mr_pair *tags = NULL;
    struct seal_fresh *fresh = NULL;
    struct mr_str key;
    int rc = check(call, in, &tags, fault);
    if (rc == MR_OK)
        rc = prepare_key(call, in, &key, &fresh, fault);
    if (rc == MR_OK)
        rc = create(call, key, tags, &row, fault);
    if (rc == MR_OK && fresh != NULL && keys->adopt(keys->ctx, row.id, fresh, &err) != MR_OK)
        mr_log(MR_LOG_WARN, "key_not_kept",
               "database=%llu detail=\"its first file makes another\" text=\"%s\"",
               (unsigned long long)row.id, err.text);
    if (rc == MR_OK)
        rc = api_show_database(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_create_database_response, &(struct model_create_database_response){&shown},
                     call->out);
    if (keys->discard != NULL)
        keys->discard(fresh);
    return rc;
}
