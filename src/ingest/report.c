/* ingest/report.c - the records that an answer leaves out, as AWS's error reports tell of records (write-api
 * reference 8): names begin in lower case, times are in nanoseconds, what a record does not have is null. */
#include "ingest/parts.h"

#include "json/write.h"

#include <inttypes.h>

static const char *type_name(enum store_type type)
{
    switch (type) {
    case STORE_DOUBLE:
        return "DOUBLE";
    case STORE_BIGINT:
        return "BIGINT";
    case STORE_BOOLEAN:
        return "BOOLEAN";
    case STORE_TIMESTAMP:
        return "TIMESTAMP";
    case STORE_MULTI:
        return "MULTI";
    default:
        return "VARCHAR";
    }
}

/* As a JSON string, which is how values are sent. */
static void add_value(struct mr_buf *out, const struct store_value *v)
{
    if (v->type == STORE_VARCHAR) {
        json_write_string(out, v->str);
        return;
    }
    mr_buf_char(out, '"');
    if (v->type == STORE_DOUBLE)
        json_write_java_double(out, v->f64);
    else if (v->type == STORE_BOOLEAN)
        mr_buf_str(out, v->boolean ? MR_STR("true") : MR_STR("false"));
    else
        json_write_i64(out, v->i64);
    mr_buf_char(out, '"');
}

static void add_dimensions(struct mr_buf *out, const struct store_record *r)
{
    mr_buf_str(out, MR_STR("{\"dimensions\":["));
    for (uint32_t i = 0; i < r->ndims; i++) {
        mr_buf_str(out, i > 0 ? MR_STR(",{\"name\":") : MR_STR("{\"name\":"));
        json_write_string(out, r->dims[i].name);
        mr_buf_str(out, MR_STR(",\"value\":"));
        json_write_string(out, r->dims[i].value);
        mr_buf_str(out, MR_STR(",\"dimensionValueType\":null}"));
    }
    mr_buf_str(out, MR_STR("],\"measureName\":"));
    json_write_string(out, r->measure_name);
}

static void add_values(struct mr_buf *out, const struct store_record *r)
{
    mr_buf_str(out, MR_STR(",\"measureValue\":"));
    if (r->type != STORE_MULTI) {
        add_value(out, &r->attrs[0].value);
        mr_buf_str(out, MR_STR(",\"measureValues\":null"));
    } else {
        mr_buf_str(out, MR_STR("null,\"measureValues\":["));
        for (uint32_t i = 0; i < r->nattrs; i++) {
            mr_buf_str(out, i > 0 ? MR_STR(",{\"name\":") : MR_STR("{\"name\":"));
            json_write_string(out, r->attrs[i].name);
            mr_buf_str(out, MR_STR(",\"value\":"));
            add_value(out, &r->attrs[i].value);
            mr_buf_printf(out, ",\"type\":\"%s\"}", type_name(r->attrs[i].value.type));
        }
        mr_buf_char(out, ']');
    }
    mr_buf_printf(out,
                  ",\"measureValueType\":\"%s\",\"time\":\"%" PRId64 "\",\"timeUnit\":\"NANOSECONDS\","
                  "\"version\":%" PRId64 "}",
                  type_name(r->type), r->time, r->version);
}

int ingest_report(const struct ingest_batch *batch, struct mr_arena *arena, ingest_report_fn *fn, void *ctx)
{
    struct mr_buf json = MR_BUF_INIT;
    int status = MR_OK;
    for (size_t i = 0; i < batch->count && status == MR_OK; i++) {
        const struct store_record *r = &batch->records[i];
        if (!ingest_is_unreported(r))
            continue;
        struct mr_str reason = ingest_reason(r, arena);
        json.len = 0;
        add_dimensions(&json, r);
        add_values(&json, r);
        status = reason.ptr != NULL && mr_buf_ok(&json) ? MR_OK : MR_ENOMEM;
        if (status == MR_OK)
            fn(ctx, reason, mr_buf_view(&json));
    }
    mr_buf_release(&json);
    return status;
}
