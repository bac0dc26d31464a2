#include "api/table_rules.h"

#include "api/kms.h"
#include "model/names.h"

#include "base/log.h"

/* Reference 7: the key of a dimension obeys the rules of dimension names. */
static int check_dimension(struct api_call *call, struct mr_str name, struct model_fault *fault)
{
    if (name.ptr == NULL || name.len == 0)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "A partition key of type DIMENSION must have a Name.");
    if (model_dimension_name(name) != MODEL_NAME_OK)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "The name of the partition key is not a valid dimension name.");
    return MR_OK;
}

int api_partition_key(struct api_call *call, const struct model_schema *schema,
                      const struct model_partition_key **key, struct model_fault *fault)
{
    *key = NULL;
    if (schema == NULL || schema->composite_partition_key.len == 0)
        return MR_OK;
    if (schema->composite_partition_key.len > 1)
        return model_fail(
            fault, MODEL_VALIDATION, call->arena,
            "You have specified too many partition keys to be used in your composite partition key. Only "
            "1 partition keys can be specified.");
    const struct model_partition_key *k = schema->composite_partition_key.at;
    *key = k;
    if (k->type == MODEL_PARTITION_KEY_TYPE_DIMENSION)
        return check_dimension(call, k->name, fault);
    if (k->name.ptr != NULL || k->enforcement_in_record != MODEL_PARTITION_KEY_ENFORCEMENT_LEVEL_ABSENT)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "A partition key of type MEASURE takes neither Name nor EnforcementInRecord.");
    return MR_OK;
}

enum catalog_enforcement api_enforcement(const struct model_partition_key *key)
{
    switch (key->enforcement_in_record) {
    case MODEL_PARTITION_KEY_ENFORCEMENT_LEVEL_OPTIONAL:
        return CATALOG_ENFORCE_OPTIONAL;
    case MODEL_PARTITION_KEY_ENFORCEMENT_LEVEL_REQUIRED:
        return CATALOG_ENFORCE_REQUIRED;
    default:
        return CATALOG_ENFORCE_NONE;
    }
}

/* A bucket is asked for where there is a storage to ask. */
static int check_bucket(struct api_call *call, struct mr_str bucket, struct model_fault *fault)
{
    const struct api_reports *reports = &call->api->reports;
    struct mr_error err = MR_ERROR_INIT;
    if (reports->ctx == NULL)
        return MR_OK;
    switch (reports->check(reports->ctx, bucket, &err)) {
    case MR_OK:
        return MR_OK;
    case MR_ENOENT:
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "The S3 bucket " MR_STR_FMT " does not exist.", MR_STR_ARG(bucket));
    case MR_EDENIED:
        return model_fail(fault, MODEL_ACCESS_DENIED, call->arena,
                          "The S3 bucket " MR_STR_FMT " cannot be accessed.", MR_STR_ARG(bucket));
    default:
        mr_log(MR_LOG_WARN, "bucket_not_checked", "id=%s text=\"%s\"", call->id, err.text);
        return model_fail(fault, MODEL_INTERNAL, call->arena,
                          "The S3 bucket " MR_STR_FMT " cannot be asked for now. Retry the request.",
                          MR_STR_ARG(bucket));
    }
}

int api_rejected_location(struct api_call *call,
                          const struct model_magnetic_store_write_properties *properties,
                          const struct model_s3_configuration **s3, struct model_fault *fault)
{
    const struct model_magnetic_store_rejected_data_location *location =
        properties->magnetic_store_rejected_data_location;
    *s3 = NULL;
    if (location == NULL)
        return MR_OK;
    *s3 = location->s3_configuration;
    if (*s3 == NULL || (*s3)->bucket_name.ptr == NULL)
        return model_fail(
            fault, MODEL_VALIDATION, call->arena,
            "MagneticStoreRejectedDataLocation must have an S3Configuration with a BucketName.");
    if ((*s3)->kms_key_id.ptr != NULL) {
        int rc = api_kms_check(call, (*s3)->kms_key_id, "KmsKeyId of S3Configuration", fault);
        if (rc != MR_OK)
            return rc;
    }
    return check_bucket(call, (*s3)->bucket_name, fault);
}
