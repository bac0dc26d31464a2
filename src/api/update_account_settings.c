/* UpdateAccountSettings: query-api reference 3.15 and 10. Members left out stay as they are. */
#include "api/account.h"
#include "api/show.h"
#include "api/state.h"

#define TCU_STEP 4
#define TCU_MAX 1000
#define PROVISIONED_REGION "ap-south-1" /* the only one that offers it, and there it is the only mode */
#define LOWER_AFTER MR_NS_PER_HOUR

static int check_tcu(struct api_call *call, const char *member, int64_t value, struct model_fault *fault)
{
    if (value >= TCU_STEP && value <= TCU_MAX && value % TCU_STEP == 0)
        return MR_OK;
    return model_fail(fault, MODEL_VALIDATION, call->arena, "%s must be a multiple of %d between %d and %d.",
                      member, TCU_STEP, TCU_STEP, TCU_MAX);
}

static int set_mode(struct api_call *call, const struct model_query_compute_request *in,
                    struct api_account *account, struct model_fault *fault)
{
    bool provisioned_here = mr_str_eq(call->region, MR_STR(PROVISIONED_REGION));
    if (in->compute_mode == MODEL_COMPUTE_MODE_ABSENT)
        return MR_OK;
    if (in->compute_mode == MODEL_COMPUTE_MODE_PROVISIONED && !provisioned_here)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "The compute mode PROVISIONED is not available in this region.");
    if (in->compute_mode == MODEL_COMPUTE_MODE_ON_DEMAND && provisioned_here)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "The only compute mode that can be set in this region is PROVISIONED.");
    account->shown.query_compute->compute_mode = in->compute_mode;
    return MR_OK;
}

static int set_capacity(struct api_call *call, const struct model_provisioned_capacity_request *in,
                        struct api_account *account, struct model_fault *fault)
{
    struct model_query_compute_response *compute = account->shown.query_compute;
    const struct model_provisioned_capacity_response *old = compute->provisioned_capacity;
    int64_t now = mr_clock_wall(call->api->clock), target = in->target_query_tcu.v;
    int rc = check_tcu(call, "TargetQueryTCU", target, fault);
    if (rc != MR_OK)
        return rc;
    if (old != NULL && target < old->active_query_tcu.v && now - account->capacity_changed < LOWER_AFTER)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "TargetQueryTCU can be lowered an hour after its last change at the earliest.");
    struct model_provisioned_capacity_response *fresh =
        MR_ARENA_NEW(call->arena, struct model_provisioned_capacity_response);
    struct model_last_update *update = MR_ARENA_NEW(call->arena, struct model_last_update);
    if (fresh == NULL || update == NULL)
        return MR_ENOMEM;
    update->target_query_tcu = (struct model_i64){true, target};
    update->status = MODEL_LAST_UPDATE_STATUS_SUCCEEDED;
    fresh->active_query_tcu = update->target_query_tcu;
    fresh->last_update = update;
    fresh->notification_configuration = in->notification_configuration;
    if (fresh->notification_configuration == NULL && old != NULL)
        fresh->notification_configuration = old->notification_configuration;
    compute->provisioned_capacity = fresh;
    account->capacity_changed = now;
    return MR_OK;
}

static int set_compute(struct api_call *call, const struct model_query_compute_request *in,
                       struct api_account *account, struct model_fault *fault)
{
    if (in == NULL)
        return MR_OK;
    int rc = set_mode(call, in, account, fault);
    if (rc != MR_OK)
        return rc;
    bool provisioned = account->shown.query_compute->compute_mode == MODEL_COMPUTE_MODE_PROVISIONED;
    if (in->provisioned_capacity == NULL) {
        if (provisioned && account->shown.query_compute->provisioned_capacity == NULL)
            return model_fail(fault, MODEL_VALIDATION, call->arena,
                              "The compute mode PROVISIONED needs a ProvisionedCapacity.");
        return MR_OK;
    }
    if (!provisioned)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "ProvisionedCapacity can be set in the compute mode PROVISIONED only.");
    return set_capacity(call, in->provisioned_capacity, account, fault);
}

static int apply(struct api_call *call, struct api_account *account, struct model_fault *fault)
{
    const struct model_update_account_settings_request *in = call->input;
    int rc = MR_OK;
    if (in->query_pricing_model == MODEL_QUERY_PRICING_MODEL_BYTES_SCANNED)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "The only query pricing model that can be set is COMPUTE_UNITS.");
    if (in->query_pricing_model != MODEL_QUERY_PRICING_MODEL_ABSENT)
        account->shown.query_pricing_model = in->query_pricing_model;
    if (in->max_query_tcu.set)
        rc = check_tcu(call, "MaxQueryTCU", in->max_query_tcu.v, fault);
    if (rc == MR_OK)
        rc = set_compute(call, in->query_compute, account, fault);
    if (rc != MR_OK || !in->max_query_tcu.set)
        return rc;
    if (account->shown.query_compute->compute_mode == MODEL_COMPUTE_MODE_PROVISIONED)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "MaxQueryTCU can be set in the compute mode ON_DEMAND only.");
    account->shown.max_query_tcu = in->max_query_tcu;
    return MR_OK;
}

int api_update_account_settings(struct api_call *call, struct model_fault *fault)
{
    struct mr_error err = MR_ERROR_INIT;
    struct api_account account;
    pthread_mutex_lock(&call->api->state->account);
    int rc = api_account_load(call, &account);
    if (rc == MR_OK)
        rc = apply(call, &account, fault);
    if (rc == MR_OK && (rc = api_account_save(call, &account, &err)) != MR_OK)
        api_catalog_failed("UpdateAccountSettings", rc, &err);
    if (rc == MR_OK)
        api_account_tell(call->api, &account);
    pthread_mutex_unlock(&call->api->state->account);
    if (rc == MR_OK) /* both operations answer the same members */
        model_encode(&model_shape_describe_account_settings_response, &account.shown, call->out);
    return rc;
}
