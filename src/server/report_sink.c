#include "server/report_sink.h"

#include "model/model.h"

static enum reports_encryption encryption_of(int option)
{
    switch (option) {
    case MODEL_S3_ENCRYPTION_OPTION_SSE_S3:
        return REPORTS_SSE_S3;
    case MODEL_S3_ENCRYPTION_OPTION_SSE_KMS:
        return REPORTS_SSE_KMS;
    default:
        return REPORTS_AS_IT_IS;
    }
}

static void add(void *ctx, const struct catalog_table *t, struct mr_str reason, struct mr_str record)
{
    const struct reports_place place = {
        .database = t->database,
        .table = t->name,
        .bucket = t->rejected_bucket,
        .prefix = t->rejected_prefix,
        .encryption = encryption_of(t->rejected_encryption),
        .kms_key = t->rejected_kms_key,
    };
    reports_add(ctx, &place, reason, record);
}

static int check(void *ctx, struct mr_str bucket, struct mr_error *err)
{
    return reports_check(ctx, bucket, err);
}

int report_sink_open(const struct server_config *c, struct reports **out, struct mr_error *err)
{
    *out = NULL;
    if (c->s3_endpoint == NULL)
        return MR_OK;
    const struct reports_options options = {
        .s3 = {.endpoint = c->s3_endpoint,
               .region = c->s3_region,
               .credentials = {.file = c->s3_credentials},
               .ca_file = c->s3_ca},
    };
    return reports_open(&options, out, err);
}

struct api_reports report_sink_calls(struct reports *reports)
{
    return reports != NULL ? (struct api_reports){reports, add, check}
                           : (struct api_reports){NULL, NULL, NULL};
}
