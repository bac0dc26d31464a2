#include "api/account.h"

#include "base/cursor.h"
#include "base/log.h"

#define SETTING "account-settings"
#define MAX_QUERY_TCU_DEFAULT 200

static int set_defaults(struct api_call *call, struct api_account *out)
{
    *out = (struct api_account){0};
    out->shown.max_query_tcu = (struct model_i64){true, MAX_QUERY_TCU_DEFAULT};
    out->shown.query_pricing_model = MODEL_QUERY_PRICING_MODEL_COMPUTE_UNITS;
    out->shown.query_compute = MR_ARENA_NEW(call->arena, struct model_query_compute_response);
    if (out->shown.query_compute == NULL)
        return MR_ENOMEM;
    out->shown.query_compute->compute_mode = MODEL_COMPUTE_MODE_ON_DEMAND;
    return MR_OK;
}

int api_account_load(struct api_call *call, struct api_account *out)
{
    struct mr_str kept;
    struct model_fault fault = {0};
    void *decoded = NULL;
    int rc = catalog_setting_get(call->api->catalog, SETTING, call->arena, &kept);
    if (rc == MR_ENOENT)
        return set_defaults(call, out);
    if (rc != MR_OK)
        return rc;
    struct mr_cursor c = mr_cursor_of(kept.ptr, kept.len);
    out->capacity_changed = (int64_t)mr_cursor_u64(&c);
    struct mr_str json = mr_cursor_bytes(&c, c.left);
    rc = c.bad ? MR_EINVAL
               : model_decode_response(&model_shape_describe_account_settings_response, json, call->arena,
                                       &decoded, &fault);
    if (rc == MR_ENOMEM)
        return rc;
    if (rc == MR_OK)
        out->shown = *(const struct model_describe_account_settings_response *)decoded;
    if (rc != MR_OK || out->shown.query_compute == NULL) {
        mr_log(MR_LOG_ERROR, "account_settings_unreadable", "bytes=%zu", kept.len);
        return MR_ECORRUPT;
    }
    return MR_OK;
}

void api_account_tell(const struct api_context *context, const struct api_account *account)
{
    const struct model_query_compute_response *compute = account->shown.query_compute;
    bool provisioned =
        compute->compute_mode == MODEL_COMPUTE_MODE_PROVISIONED && compute->provisioned_capacity != NULL;
    if (context->capacity.set != NULL)
        context->capacity.set(context->capacity.ctx, provisioned
                                                         ? compute->provisioned_capacity->active_query_tcu.v
                                                         : account->shown.max_query_tcu.v);
}

int api_capacity_boot(const struct api_context *context, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct api_call call = {.api = context, .arena = &arena};
    struct api_account account;
    int rc = api_account_load(&call, &account);
    if (rc == MR_ECORRUPT) /* logged; both operations will say so, and queries go on */
        rc = set_defaults(&call, &account);
    if (rc == MR_OK)
        api_account_tell(context, &account);
    else
        mr_error_set(err, (enum mr_status)rc, "the account settings cannot be read");
    mr_arena_release(&arena);
    return rc;
}

int api_account_save(struct api_call *call, const struct api_account *account, struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    mr_buf_u64(&bytes, (uint64_t)account->capacity_changed);
    model_encode(&model_shape_describe_account_settings_response, &account->shown, &bytes);
    int rc = mr_buf_ok(&bytes) ? catalog_setting_put(call->api->catalog, SETTING, mr_buf_view(&bytes), err)
                               : mr_error_set(err, MR_ENOMEM, "out of memory");
    mr_buf_release(&bytes);
    return rc;
}
