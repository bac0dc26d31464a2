#include "api/show.h"

#include "api/arn.h"
#include "api/kms.h"

#include "base/log.h"

static struct model_f64 seconds(int64_t ns)
{
    return (struct model_f64){true, (double)ns / 1e9};
}

static struct model_i64 number(int64_t v)
{
    return (struct model_i64){true, v};
}

int api_show_database(struct api_call *call, const struct catalog_database *row, struct model_database *out)
{
    *out = (struct model_database){
        .arn = api_database_arn(call, row->name),
        .database_name = row->name,
        .table_count = number((int64_t)row->table_count),
        .kms_key_id = api_kms_arn(call, row->kms_key),
        .creation_time = seconds(row->created),
        .last_updated_time = seconds(row->updated),
    };
    return out->arn.ptr == NULL || out->kms_key_id.ptr == NULL ? MR_ENOMEM : MR_OK;
}

/* ---- tables
 * --------------------------------------------------------------------------------------------------- */

static struct model_retention_properties *retention(struct mr_arena *arena, const struct catalog_table *row)
{
    struct model_retention_properties *r = MR_ARENA_NEW(arena, struct model_retention_properties);
    if (r == NULL)
        return NULL;
    r->memory_store_retention_period_in_hours = number(row->memory_hours);
    r->magnetic_store_retention_period_in_days = number(row->magnetic_days);
    return r;
}

/* A rejected-data location always has a bucket (create_table.c), so that tells whether there is one. */
static struct model_magnetic_store_write_properties *magnetic(struct mr_arena *arena,
                                                              const struct catalog_table *row)
{
    struct model_magnetic_store_write_properties *m =
        MR_ARENA_NEW(arena, struct model_magnetic_store_write_properties);
    if (m == NULL)
        return NULL;
    m->enable_magnetic_store_writes = (struct model_bool){true, row->magnetic_writes};
    if (row->rejected_bucket.ptr == NULL)
        return m;
    struct model_magnetic_store_rejected_data_location *location =
        MR_ARENA_NEW(arena, struct model_magnetic_store_rejected_data_location);
    struct model_s3_configuration *s3 = MR_ARENA_NEW(arena, struct model_s3_configuration);
    if (location == NULL || s3 == NULL)
        return NULL;
    s3->bucket_name = row->rejected_bucket;
    s3->object_key_prefix = row->rejected_prefix;
    s3->encryption_option = row->rejected_encryption;
    s3->kms_key_id = row->rejected_kms_key;
    location->s3_configuration = s3;
    m->magnetic_store_rejected_data_location = location;
    return m;
}

/* Reference 3.6 and 7: a measure key shows its type alone, a dimension key the enforcement only when it was
 * given. */
static struct model_schema *schema(struct mr_arena *arena, const struct catalog_table *row)
{
    static const int levels[] = {
        [CATALOG_ENFORCE_NONE] = MODEL_PARTITION_KEY_ENFORCEMENT_LEVEL_ABSENT,
        [CATALOG_ENFORCE_OPTIONAL] = MODEL_PARTITION_KEY_ENFORCEMENT_LEVEL_OPTIONAL,
        [CATALOG_ENFORCE_REQUIRED] = MODEL_PARTITION_KEY_ENFORCEMENT_LEVEL_REQUIRED,
    };
    struct model_schema *s = MR_ARENA_NEW(arena, struct model_schema);
    struct model_partition_key *key = MR_ARENA_NEW(arena, struct model_partition_key);
    if (s == NULL || key == NULL)
        return NULL;
    key->type = MODEL_PARTITION_KEY_TYPE_MEASURE;
    if (row->partition_dimension.ptr != NULL) {
        key->type = MODEL_PARTITION_KEY_TYPE_DIMENSION;
        key->name = row->partition_dimension;
        key->enforcement_in_record = levels[row->enforcement];
    }
    s->composite_partition_key = (struct model_partition_key_list){key, 1, true};
    return s;
}

int api_show_table(struct api_call *call, const struct catalog_table *row, struct model_table *out)
{
    *out = (struct model_table){
        .arn = api_table_arn(call, row->database, row->name),
        .table_name = row->name,
        .database_name = row->database,
        .table_status = MODEL_TABLE_STATUS_ACTIVE,
        .retention_properties = retention(call->arena, row),
        .creation_time = seconds(row->created),
        .last_updated_time = seconds(row->updated),
        .magnetic_store_write_properties = magnetic(call->arena, row),
        .schema = schema(call->arena, row),
    };
    return out->arn.ptr == NULL || out->retention_properties == NULL ||
                   out->magnetic_store_write_properties == NULL || out->schema == NULL
               ? MR_ENOMEM
               : MR_OK;
}

/* ---- what went wrong
 * ------------------------------------------------------------------------------------------ */

int api_no_such_database(struct api_call *call, struct mr_str database, struct model_fault *fault)
{
    return model_fail(fault, MODEL_NOT_FOUND, call->arena, "The database " MR_STR_FMT " does not exist.",
                      MR_STR_ARG(database));
}

int api_no_such_table(struct api_call *call, struct mr_str table, struct model_fault *fault)
{
    return model_fail(fault, MODEL_NOT_FOUND, call->arena, "The table " MR_STR_FMT " does not exist.",
                      MR_STR_ARG(table));
}

int api_missing_table_or_database(struct api_call *call, struct mr_str database, struct mr_str table,
                                  struct model_fault *fault)
{
    struct catalog_database row;
    int rc = catalog_database_get(call->api->catalog, database, call->arena, &row);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, database, fault);
    return rc == MR_OK ? api_no_such_table(call, table, fault) : rc;
}

int api_catalog_failed(const char *operation, int status, const struct mr_error *err)
{
    mr_log(MR_LOG_ERROR, "catalog_failed", "operation=%s status=%s error=\"%s\"", operation,
           mr_status_name((enum mr_status)status), err->text);
    return status;
}
