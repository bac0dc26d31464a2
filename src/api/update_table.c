/* UpdateTable: write-api reference 3.9. Blocks left out stay; MagneticStoreWriteProperties is replaced whole;
 * of the partition key only the enforcement can change; nothing given is a success without a change. */
#include "api/show.h"
#include "api/table_rules.h"

static int set_magnetic(struct api_call *call, const struct model_magnetic_store_write_properties *properties,
                        struct catalog_table_change *change, struct model_fault *fault)
{
    const struct model_s3_configuration *s3 = NULL;
    if (properties == NULL)
        return MR_OK;
    change->set_magnetic = true;
    change->magnetic_writes = properties->enable_magnetic_store_writes.v;
    int rc = api_rejected_location(call, properties, &s3, fault);
    if (rc != MR_OK || s3 == NULL)
        return rc;
    change->rejected_bucket = s3->bucket_name;
    change->rejected_prefix = s3->object_key_prefix;
    change->rejected_kms_key = s3->kms_key_id;
    change->rejected_encryption = s3->encryption_option;
    return MR_OK;
}

static bool same_key(const struct catalog_table *row, const struct model_partition_key *key)
{
    if (key->type == MODEL_PARTITION_KEY_TYPE_MEASURE)
        return row->partition_dimension.ptr == NULL;
    return row->partition_dimension.ptr != NULL && mr_str_eq(row->partition_dimension, key->name);
}

/* The key never changes after creation, so what is read here still holds when the change is made. */
static int set_enforcement(struct api_call *call, const struct model_update_table_request *in,
                           struct catalog_table_change *change, struct model_fault *fault)
{
    const struct model_partition_key *key = NULL;
    struct catalog_table row;
    int rc = api_partition_key(call, in->schema, &key, fault);
    if (rc != MR_OK || key == NULL)
        return rc;
    rc = catalog_table_get(call->api->catalog, in->database_name, in->table_name, call->arena, &row, NULL);
    if (rc != MR_OK)
        return rc;
    if (!same_key(&row, key))
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "The composite partition key of a table cannot be changed.");
    change->enforcement = api_enforcement(key);
    change->set_enforcement = change->enforcement != CATALOG_ENFORCE_NONE;
    return MR_OK;
}

static int update_guarded(struct api_call *call, const struct model_update_table_request *in,
                          const struct catalog_table_change *change, struct catalog_table *row,
                          struct mr_error *err)
{
    const struct api_retention_guard *guard = &call->api->retention;
    bool guarded = change->set_retention && guard->begin != NULL;
    int64_t hours = change->memory_hours + change->magnetic_days * 24;
    int rc = guarded ? guard->begin(guard->ctx, in->database_name, in->table_name, hours, err) : MR_OK;
    if (rc != MR_OK)
        return mr_error_set(err, (enum mr_status)rc, "rows past the old retention cannot be removed");
    rc = catalog_table_update(call->api->catalog, in->database_name, in->table_name, change, call->arena, row,
                              err);
    if (guarded)
        guard->end(guard->ctx);
    return rc;
}

int api_update_table(struct api_call *call, struct model_fault *fault)
{
    const struct model_update_table_request *in = call->input;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_table_change change = {0};
    struct catalog_table row;
    struct model_table shown;
    if (in->retention_properties != NULL) {
        change.set_retention = true;
        change.memory_hours = in->retention_properties->memory_store_retention_period_in_hours.v;
        change.magnetic_days = in->retention_properties->magnetic_store_retention_period_in_days.v;
    }
    int rc = set_magnetic(call, in->magnetic_store_write_properties, &change, fault);
    if (rc == MR_OK)
        rc = set_enforcement(call, in, &change, fault);
    if (rc == MR_OK)
        rc = update_guarded(call, in, &change, &row, &err);
    if (rc == MR_ENOENT)
        return api_missing_table_or_database(call, in->database_name, in->table_name, fault);
    if (rc != MR_OK)
        return err.status != MR_OK ? api_catalog_failed("UpdateTable", rc, &err) : rc;
    rc = api_show_table(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_update_table_response, &(struct model_update_table_response){&shown},
                     call->out);
    return rc;
}
