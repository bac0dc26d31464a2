/* UpdateDatabase: write-api reference 3.4. The key is all it changes; the key it has already, in whichever
 * form, is no change and leaves LastUpdatedTime alone.
 *
 * The order of a change: a data key is made under the new key (it is probed by that), the keyring takes it on
 * durably, the catalog remembers the key. A crash before the last step leaves files under a key that the
 * catalog does not name; a start makes the two agree. Of two at one time the first wins: the other is
 * refused.
 */
#include "api/kms.h"
#include "api/show.h"
#include "api/state.h"

/* Whether the database has that key; *row is the database. */
static int has_key(struct api_call *call, struct mr_str key, const struct catalog_database *row, bool *same)
{
    const struct api_keys *keys = &call->api->keys;
    struct mr_str now = api_kms_arn(call, row->kms_key), then = api_kms_arn(call, key);
    *same = mr_str_eq(now, then) && (keys->ctx == NULL || keys->has(keys->ctx, row->id, key));
    return now.ptr == NULL || then.ptr == NULL ? MR_ENOMEM : MR_OK;
}

/* The place taken for the database; NULL when another call has one, or all are taken. */
static uint64_t *begin(struct api_state *state, uint64_t id)
{
    uint64_t *place = NULL;
    bool busy = false;
    pthread_mutex_lock(&state->updating_lock);
    for (size_t i = 0; i < API_UPDATES; i++) {
        busy = busy || state->updating[i] == id;
        if (state->updating[i] == 0)
            place = &state->updating[i];
    }
    if (busy)
        place = NULL;
    if (place != NULL)
        *place = id;
    pthread_mutex_unlock(&state->updating_lock);
    return place;
}

static void end(struct api_state *state, uint64_t *place)
{
    pthread_mutex_lock(&state->updating_lock);
    *place = 0;
    pthread_mutex_unlock(&state->updating_lock);
}

/* The new key is tried, then files go under it. */
static int change_key(struct api_call *call, const struct catalog_database *row, struct mr_str key,
                      struct model_fault *fault)
{
    const struct api_keys *keys = &call->api->keys;
    struct mr_error err = MR_ERROR_INIT;
    struct seal_fresh *fresh = NULL;
    if (keys->ctx == NULL)
        return MR_OK;
    int rc = keys->prepare(keys->ctx, key, row->name, &fresh, &err);
    if (rc == MR_OK && fresh != NULL)
        rc = keys->adopt(keys->ctx, row->id, fresh, &err);
    keys->discard(fresh);
    return rc == MR_OK ? MR_OK : api_kms_refused(call, "UpdateDatabase", rc, &err, fault);
}

static int update(struct api_call *call, struct mr_str key, struct catalog_database *row,
                  struct model_fault *fault)
{
    const struct model_update_database_request *in = call->input;
    struct api_state *state = call->api->state;
    struct mr_error err = MR_ERROR_INIT;
    bool same = false;
    uint64_t *place = begin(state, row->id);
    if (place == NULL)
        return model_fail(fault, MODEL_VALIDATION, call->arena,
                          "Another update of the database " MR_STR_FMT " is under way.",
                          MR_STR_ARG(in->database_name));
    /* As it is now that nobody else changes it. */
    int rc = catalog_database_get(call->api->catalog, in->database_name, call->arena, row);
    if (rc == MR_OK)
        rc = has_key(call, key, row, &same);
    if (rc == MR_OK && !same)
        rc = change_key(call, row, key, fault);
    if (rc == MR_OK && !same)
        rc = catalog_database_update(call->api->catalog, in->database_name, key, call->arena, row, &err);
    end(state, place);
    return rc == MR_OK || rc == MR_ENOENT || err.status == MR_OK
               ? rc
               : api_catalog_failed("UpdateDatabase", rc, &err);
}

int api_update_database(struct api_call *call, struct model_fault *fault)
{
    const struct model_update_database_request *in = call->input;
    const struct api_keys *keys = &call->api->keys;
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database row;
    struct model_database shown;
    struct mr_str key = in->kms_key_id;
    int rc = api_kms_check(call, in->kms_key_id, "KmsKeyId", fault);
    if (rc == MR_OK)
        rc = catalog_database_get(call->api->catalog, in->database_name, call->arena, &row);
    if (rc == MR_OK && keys->ctx != NULL) {
        rc = keys->resolve(keys->ctx, in->kms_key_id, call->arena, &key, &err);
        if (rc != MR_OK)
            return api_kms_refused(call, "UpdateDatabase", rc, &err, fault);
    }
    if (rc == MR_OK)
        rc = update(call, key, &row, fault);
    if (rc == MR_ENOENT)
        return api_no_such_database(call, in->database_name, fault);
    if (rc == MR_OK)
        rc = api_show_database(call, &row, &shown);
    if (rc == MR_OK)
        model_encode(&model_shape_update_database_response, &(struct model_update_database_response){&shown},
                     call->out);
    return rc;
}
