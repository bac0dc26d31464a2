/* The steps of one record, in order: merge members, dimensions, name, time, version, values; then what
 * rejects it. */
#include "ingest/parts.h"

#include "catalog/retention.h"

static const struct model_record no_common;

/* The record's own member, else the common one (reference 5.2). */
#define MERGED_STR(field) (record->field.ptr != NULL ? record->field : w->common->field)
#define MERGED_INT(field) (record->field != 0 ? record->field : w->common->field)

static int check_kind(struct ingest_work *w, enum store_type type, struct mr_str value, size_t nattrs)
{
    if (type == STORE_TIMESTAMP)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "TIMESTAMP is an invalid measure value type.");
    if (type == STORE_MULTI) {
        if (value.ptr != NULL)
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "A record of measure value type MULTI must not have a measure value.");
        if (nattrs == 0)
            return model_fail(
                w->fault, MODEL_VALIDATION, w->arena,
                "A record of measure value type MULTI must have at least one of MeasureValues.");
        if (nattrs > INGEST_MAX_ATTRIBUTES)
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "A record of measure value type MULTI can have at most %d measure values.",
                              INGEST_MAX_ATTRIBUTES);
        return MR_OK;
    }
    if (nattrs != 0)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "MeasureValues are only allowed in a record of measure value type MULTI.");
    if (value.ptr == NULL)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena, "The record has no measure value.");
    return MR_OK;
}

static uint32_t value_bytes(const struct store_value *value)
{
    return value->type == STORE_VARCHAR ? (uint32_t)value->str.len : value->type == STORE_BOOLEAN ? 1 : 8;
}

static int add_attrs(struct ingest_work *w, const struct model_record *from, int64_t unit_ns,
                     struct store_attr *attrs, size_t *n, uint32_t *bytes)
{
    for (size_t i = 0; i < from->measure_values.len; i++) {
        const struct model_measure_value *in = &from->measure_values.at[i];
        struct store_attr *attr = &attrs[(*n)++];
        int status = ingest_check_measure_name(w, in->name);
        if (status != MR_OK)
            return status;
        if (in->type == MODEL_MEASURE_VALUE_TYPE_MULTI)
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "MULTI is an invalid type of a measure value.");
        attr->name = in->name;
        status = ingest_parse_value(w, (enum store_type)in->type, in->value, unit_ns, &attr->value);
        if (status != MR_OK)
            return status;
        *bytes += value_bytes(&attr->value);
    }
    return MR_OK;
}

/* Names are compared pairwise: records have a handful of attributes, and 256 at most. */
static int check_unique(struct ingest_work *w, const struct store_attr *attrs, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (mr_str_eq(attrs[i].name, attrs[k].name))
                return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                                  "The record contains measure values with duplicate names: " MR_STR_FMT ".",
                                  MR_STR_ARG(attrs[i].name));
    return MR_OK;
}

static int build_values(struct ingest_work *w, const struct model_record *record, int64_t unit_ns,
                        struct store_record *out, uint32_t *bytes)
{
    struct mr_str value = MERGED_STR(measure_value);
    size_t n = w->common->measure_values.len + record->measure_values.len;
    int status = check_kind(w, out->type, value, n);
    if (status != MR_OK)
        return status;
    bool multi = out->type == STORE_MULTI;
    struct store_attr *attrs = MR_ARENA_ARRAY(w->arena, multi ? n : 1, struct store_attr);
    if (attrs == NULL)
        return MR_ENOMEM;
    out->attrs = attrs;
    out->nattrs = (uint32_t)(multi ? n : 1);
    if (!multi) {
        status = ingest_parse_value(w, out->type, value, unit_ns, &attrs[0].value);
        *bytes += status == MR_OK ? value_bytes(&attrs[0].value) : 0;
        return status;
    }
    size_t filled = 0;
    if ((status = add_attrs(w, w->common, unit_ns, attrs, &filled, bytes)) != MR_OK ||
        (status = add_attrs(w, record, unit_ns, attrs, &filled, bytes)) != MR_OK)
        return status;
    return check_unique(w, attrs, filled);
}

static bool has_dimension(const struct store_record *record, struct mr_str name)
{
    for (uint32_t i = 0; i < record->ndims; i++)
        if (mr_str_eq(record->dims[i].name, name))
            return true;
    return false;
}

/* The reason to reject a well-formed record without asking the store, or MR_STR_NULL. */
static struct mr_str rejection(struct ingest_work *w, const struct store_record *record, uint32_t dim_bytes,
                               uint32_t values)
{
    const struct catalog_table *t = w->table;
    if (record->time < w->window_from || record->time >= w->window_to) {
        char from[32], to[32];
        mr_format_iso_ms(w->window_from, from);
        mr_format_iso_ms(w->window_to, to);
        return mr_arena_printf(w->arena, "The record timestamp is outside the time range [%s, %s) of the %s.",
                               from, to, t->magnetic_writes ? "data ingestion window" : "memory store");
    }
    if (dim_bytes > INGEST_MAX_DIMENSION_BYTES || (record->type == STORE_MULTI && values > INGEST_MAX_VALUE))
        return MR_STR("The record size exceeds the limit of 2048 bytes.");
    if (t->enforcement == CATALOG_ENFORCE_REQUIRED && t->partition_dimension.ptr != NULL &&
        !has_dimension(record, t->partition_dimension))
        return mr_arena_printf(w->arena,
                               "The record is missing the required partition key dimension " MR_STR_FMT ".",
                               MR_STR_ARG(t->partition_dimension));
    return MR_STR_NULL;
}

static int build_version(struct ingest_work *w, const struct model_record *record, int64_t *out)
{
    const struct model_i64 *version = record->version.set ? &record->version : &w->common->version;
    *out = version->set ? version->v : 1;
    if (*out >= 1)
        return MR_OK;
    return model_fail(w->fault, MODEL_VALIDATION, w->arena, "The record version must be at least 1.");
}

static int build_record(struct ingest_work *w, uint32_t index)
{
    const struct model_record *record = &w->input->records.at[index];
    struct ingest_batch *batch = w->batch;
    struct store_record *out = &batch->records[batch->count];
    uint32_t dim_bytes, values = 0;
    *out = (struct store_record){0};
    int status = ingest_merge_dims(w, record, &out->dims, &out->ndims, &dim_bytes);
    if (status != MR_OK)
        return status;
    out->measure_name = MERGED_STR(measure_name);
    if (out->measure_name.ptr == NULL)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena, "The record has no measure name.");
    int type = MERGED_INT(measure_value_type);
    out->type = type != 0 ? (enum store_type)type : STORE_DOUBLE;
    int64_t unit_ns = ingest_unit_ns(MERGED_INT(time_unit));
    if ((status = ingest_check_measure_name(w, out->measure_name)) != MR_OK ||
        (status = ingest_parse_time(w, MERGED_STR(time), unit_ns, &out->time)) != MR_OK ||
        (status = build_version(w, record, &out->version)) != MR_OK ||
        (status = build_values(w, record, unit_ns, out, &values)) != MR_OK)
        return status;
    batch->metered_bytes += 8 + dim_bytes + out->measure_name.len + values;
    struct mr_str reason = rejection(w, out, dim_bytes, values);
    if (reason.ptr != NULL)
        return ingest_reject(w, index, reason);
    if (w->arena->failed)
        return MR_ENOMEM;
    out->magnetic = out->time < w->memory_from;
    batch->index[batch->count++] = index;
    return MR_OK;
}

int ingest_reject(struct ingest_work *w, uint32_t index, struct mr_str reason)
{
    struct ingest_batch *batch = w->batch;
    batch->rejections[batch->nrejections++] = (struct ingest_rejection){index, 0, reason};
    return reason.ptr != NULL ? MR_OK : MR_ENOMEM;
}

void ingest_drop(struct ingest_batch *batch, bool (*drop)(void *ctx), void *ctx, struct mr_str reason)
{
    size_t kept = 0;
    for (size_t i = 0; i < batch->count; i++) {
        if (!drop(ctx)) {
            batch->records[kept] = batch->records[i];
            batch->index[kept++] = batch->index[i];
            continue;
        }
        size_t at = batch->nrejections++; /* ascending by index, as they are */
        for (; at > 0 && batch->rejections[at - 1].index > batch->index[i]; at--)
            batch->rejections[at] = batch->rejections[at - 1];
        batch->rejections[at] = (struct ingest_rejection){batch->index[i], 0, reason};
    }
    batch->count = kept;
}

static void set_windows(struct ingest_work *w, int64_t now_ns)
{
    w->window_to = now_ns + INGEST_FUTURE_LIMIT;
    w->memory_from = now_ns - w->table->memory_hours * MR_NS_PER_HOUR - INGEST_PAST_GRACE;
    w->window_from = w->memory_from;
    if (w->table->magnetic_writes) {
        int64_t floor = catalog_retention_floor(w->table, now_ns);
        w->window_from = floor > INGEST_PAST_GRACE ? floor - INGEST_PAST_GRACE : 0;
    }
}

int ingest_build(const struct model_write_records_request *input, const struct catalog_table *table,
                 int64_t now_ns, struct mr_arena *arena, struct ingest_batch *out, struct model_fault *fault)
{
    size_t n = input->records.len;
    *out = (struct ingest_batch){.total = n};
    out->records = MR_ARENA_ARRAY(arena, n, struct store_record);
    out->index = MR_ARENA_ARRAY(arena, n, uint32_t);
    out->rejections = MR_ARENA_ARRAY(arena, n, struct ingest_rejection);
    if (out->records == NULL || out->index == NULL || out->rejections == NULL)
        return MR_ENOMEM;
    struct ingest_work w = {
        .input = input,
        .common = input->common_attributes != NULL ? input->common_attributes : &no_common,
        .table = table,
        .arena = arena,
        .fault = fault,
        .batch = out,
    };
    set_windows(&w, now_ns);
    for (uint32_t i = 0; i < n; i++) {
        int status = build_record(&w, i);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}
