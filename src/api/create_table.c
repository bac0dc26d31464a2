/* CreateTable: write-api reference 3.6. */
#include "api/show.h"
#include "api/table_rules.h"
#include "api/tag_rules.h"

#define MEMORY_HOURS_DEFAULT 6
#define MAGNETIC_DAYS_DEFAULT 73000

static int set_magnetic(struct api_call *call, const struct model_magnetic_store_write_properties *properties,
                        struct catalog_table *row, struct model_fault *fault)
{
    const struct model_s3_configuration *s3 = NULL;
    if (properties == NULL)
        return MR_OK;
    row->magnetic_writes = properties->enable_magnetic_store_writes.v;
    int rc = api_rejected_location(call, properties, &s3, fault);
    if (rc != MR_OK || s3 == NULL)
        return rc;
    row->rejected_bucket = s3->bucket_name;
    row->rejected_prefix = s3->object_key_prefix;
    row->rejected_kms_key = s3->kms_key_id;
    row->rejected_encryption = s3->encryption_option;
    return MR_OK;
}

static int fill_row(struct api_call *call, struct catalog_table *row, struct model_fault *fault)
{
    const struct model_create_table_request *in = call->input;
    const struct model_partition_key *key = NULL;
    *row = (struct catalog_table){
        .database = in->database_name,
        .name = in->table_name,
        .memory_hours = MEMORY_HOURS_DEFAULT,
        .magnetic_days = MAGNETIC_DAYS_DEFAULT,
    };
    if (in->retention_properties != NULL) {
        row->memory_hours = in->retention_properties->memory_store_retention_period_in_hours.v;
        row->magnetic_days = in->retention_properties->magnetic_store_retention_period_in_days.v;
    }
    int rc = set_magnetic(call, in->magnetic_store_write_properties, row, fault);
    if (rc == MR_OK)
        rc = api_partition_key(call, in->schema, &key, fault);
    if (rc == MR_OK && key != NULL && key->type == MODEL_PARTITION_KEY_TYPE_DIMENSION) {
        row->partition_dimension = key->name;
        row->enforcement = api_enforcement(key);
    }
    return rc;
}

static int create(struct api_call *call, struct catalog_table *row, const struct mr_pair *tags, size_t ntags,
                  struct model_fault *fault)
{
    struct mr_error err = MR_ERROR_INIT;
    int rc = catalog_table_create(call->api->catalog, row, tags, ntags, &err);
    switch (rc) {
    case MR_OK:
        return MR_OK;
    case MR_ENOENT:
        return api_no_such_database(call, row->database, fault);
    case MR_EEXIST:
        return model_fail(fault, MODEL_CONFLICT, call->arena, "The table " MR_STR_FMT " already exists.",
                          MR_STR_ARG(row->name));
    case MR_ELIMIT:
        return model_fail(fault, MODEL_QUOTA, call->arena, "You have exceeded the maximum number of tables.");
    default:
        return api_catalog_failed("CreateTable", rc, &err);
    }
}

int api_create_table(struct api_call *call, struct model_fault *fault)
{
    const struct model_create_table_request *in = call->input;
    struct catalog_table row;
    struct model_table shown;
    struct mr_pair *tags = NULL;
    int rc = fill_row(call, &row, fault);
    if (rc == MR_OK)
        rc = api_tags_check(call, &in->tags, &tags, fault);
    if (rc == MR_OK && in->tags.len > API_TAGS_PER_RESOURCE)
        rc = api_tags_too_many(call, fault);
    if (rc == MR_OK)
        rc = create(call, &row, tags, in->tags.len, fault);
    if (rc == MR_OK)
        rc = api_show_table(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_create_table_response, &(struct model_create_table_response){&shown},
                     call->out);
    return rc;
}
