#include "api/action.h"
#include "api/state.h"

#include "base/log.h"
#include "base/rand.h"

#include <openssl/crypto.h>

/* The secret of that name, made at the first start and kept, so that what was derived from it stays good. */
static int load_secret(struct catalog *catalog, const char *name, unsigned char out[static API_SECRET_BYTES],
                       struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_str kept;
    int rc = catalog_setting_get(catalog, name, &arena, &kept);
    if (rc == MR_OK && kept.len != API_SECRET_BYTES)
        rc = mr_error_set(err, MR_ECORRUPT, "catalog: the setting %s has %zu bytes instead of %d", name,
                          kept.len, API_SECRET_BYTES);
    if (rc == MR_OK) {
        memcpy(out, kept.ptr, API_SECRET_BYTES);
        OPENSSL_cleanse((void *)kept.ptr, kept.len);
    } else if (rc == MR_ENOENT) {
        mr_random_bytes(out, API_SECRET_BYTES);
        rc = catalog_setting_put(catalog, name, (struct mr_str){(const char *)out, API_SECRET_BYTES}, err);
    }
    mr_arena_release(&arena);
    return rc;
}

int api_context_init(struct api_context *context, struct mr_error *err)
{
    if (context->account == NULL)
        context->account = "123456789012";
    if (context->partition == NULL)
        context->partition = "aws";
    if (context->max_databases == 0)
        context->max_databases = 500;
    if (context->max_tables == 0)
        context->max_tables = 50000;
    catalog_set_limits(context->catalog, context->max_databases, context->max_tables);
    context->state = mr_calloc(1, sizeof *context->state);
    if (context->state == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the API");
    pthread_mutex_init(&context->state->account, NULL);
    pthread_mutex_init(&context->state->updating_lock, NULL);
    int rc = load_secret(context->catalog, "page-token-key", context->state->token_key, err);
    if (rc == MR_OK)
        rc = load_secret(context->catalog, "kms-seed", context->state->kms_seed, err);
    if (rc == MR_OK)
        rc = load_secret(context->catalog, "session-key", context->state->session_key, err);
    if (rc != MR_OK)
        api_context_release(context);
    return rc;
}

void api_context_release(struct api_context *context)
{
    if (context->state == NULL)
        return;
    pthread_mutex_destroy(&context->state->account);
    pthread_mutex_destroy(&context->state->updating_lock);
    OPENSSL_cleanse(context->state->token_key, API_SECRET_BYTES);
    OPENSSL_cleanse(context->state->kms_seed, API_SECRET_BYTES);
    OPENSSL_cleanse(context->state->session_key, API_SECRET_BYTES);
    mr_free(context->state);
    context->state = NULL;
}

/* Forgets the data of a deleted table, then the table. */
int api_finish_drop(const struct api_context *context, uint64_t id, struct mr_error *err)
{
    int rc = store_table_drop(context->store, id, err);
    if (rc == MR_OK || rc == MR_ENOENT) /* nothing was ever written, or it was forgotten before a crash */
        rc = catalog_dropped_done(context->catalog, id, err);
    mr_log(rc == MR_OK ? MR_LOG_INFO : MR_LOG_WARN, "table_data_forgotten",
           "id=%llu status=%s error=\"%s\"%s", (unsigned long long)id, mr_status_name((enum mr_status)rc),
           err->text, rc == MR_OK ? "" : " again=restart");
    return rc;
}

int api_boot_cleanup(const struct api_context *context, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    uint64_t *ids = NULL;
    size_t n = 0;
    int rc = catalog_dropped_tables(context->catalog, &arena, &ids, &n);
    if (rc != MR_OK)
        mr_error_set(err, rc, "the list of deleted tables cannot be read");
    for (size_t i = 0; i < n && rc == MR_OK; i++) {
        struct mr_error why = MR_ERROR_INIT;
        rc = api_finish_drop(context, ids[i], &why);
        if (rc == MR_ENOSPC)
            rc = MR_OK; /* out of reach, and remembered: a full disk must not stop a start */
        if (rc != MR_OK)
            mr_error_set(err, (enum mr_status)rc, "%s", why.text);
    }
    mr_arena_release(&arena);
    return rc;
}
