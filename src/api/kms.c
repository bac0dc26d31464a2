#include "api/kms.h"

#include "api/arn.h"
#include "api/state.h"

#include "base/log.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

static bool is_hex(struct mr_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            return false;
    }
    return true;
}

/* 8-4-4-4-12 hexadecimal digits, or the form of a multi-region key: "mrk-" and 32 of them. */
static bool is_key_id(struct mr_str s)
{
    static const unsigned char groups[] = {8, 4, 4, 4, 12};
    if (mr_str_starts(s, MR_STR("mrk-")))
        return s.len == 36 && is_hex(mr_str_slice(s, 4, s.len));
    size_t at = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(groups); i++) {
        if (i != 0 && (at >= s.len || s.ptr[at++] != '-'))
            return false;
        if (at + groups[i] > s.len || !is_hex(mr_str_slice(s, at, at + groups[i])))
            return false;
        at += groups[i];
    }
    return at == s.len;
}

/* "alias/" and letters, digits, '/', '_', '-'; 256 characters in all. */
static bool is_alias(struct mr_str s)
{
    const struct mr_str head = MR_STR("alias/");
    if (!mr_str_starts(s, head) || s.len == head.len || s.len > 256)
        return false;
    for (size_t i = head.len; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '/' && c != '_' && c != '-')
            return false;
    }
    return true;
}

static bool split_arn(struct mr_str key, struct api_arn *arn)
{
    return api_arn_split(key, arn) && mr_str_eq(arn->service, MR_STR("kms"));
}

static bool is_key_path(struct mr_str resource)
{
    return mr_str_starts(resource, MR_STR("key/")) && is_key_id(mr_str_slice(resource, 4, resource.len));
}

int api_kms_check(struct api_call *call, struct mr_str key, const char *member, struct model_fault *fault)
{
    struct api_arn arn;
    if (is_key_id(key) || is_alias(key) ||
        (split_arn(key, &arn) && (is_key_path(arn.resource) || is_alias(arn.resource))))
        return MR_OK;
    return model_fail(fault, MODEL_VALIDATION, call->arena,
                      "%s must be the id or ARN of a KMS key, or the name or ARN of an alias of one.",
                      member);
}

/* The first 16 bytes of HMAC-SHA256(seed, account ":" alias), dressed as a random UUID. */
static struct mr_str derived_id(const struct api_context *api, struct mr_str account, struct mr_str alias,
                                struct mr_arena *arena)
{
    unsigned char mac[EVP_MAX_MD_SIZE];
    char hex[33];
    struct mr_str text =
        mr_arena_printf(arena, MR_STR_FMT ":" MR_STR_FMT, MR_STR_ARG(account), MR_STR_ARG(alias));
    if (text.ptr == NULL || HMAC(EVP_sha256(), api->state->kms_seed, API_SECRET_BYTES,
                                 (const unsigned char *)text.ptr, text.len, mac, NULL) == NULL)
        return MR_STR_NULL;
    mac[6] = (unsigned char)((mac[6] & 0x0F) | 0x40);
    mac[8] = (unsigned char)((mac[8] & 0x3F) | 0x80);
    mr_hex_encode(mac, 16, hex);
    return mr_arena_printf(arena, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

struct mr_str api_kms_id(const struct api_context *api, struct mr_str key, struct mr_arena *arena)
{
    struct api_arn arn;
    struct mr_str account = mr_str_of(api->account);
    if (split_arn(key, &arn)) {
        account = arn.account;
        key = arn.resource;
    }
    if (mr_str_starts(key, MR_STR("alias/")))
        return derived_id(api, account, key, arena);
    return mr_str_starts(key, MR_STR("key/")) ? mr_str_slice(key, 4, key.len) : key;
}

bool api_kms_is_default(const struct api_context *api, struct mr_str key, struct mr_arena *arena)
{
    struct mr_str id = api_kms_id(api, key, arena), standard = api_kms_id(api, API_DEFAULT_KEY, arena);
    return id.ptr != NULL && mr_str_eq(id, standard);
}

struct mr_str api_kms_arn(struct api_call *call, struct mr_str key)
{
    struct api_arn arn = {mr_str_of(call->api->partition), MR_STR("kms"), call->region,
                          mr_str_of(call->api->account), key};
    struct api_arn given;
    if (split_arn(key, &given)) {
        if (mr_str_starts(given.resource, MR_STR("key/")))
            return key;
        arn = given;
    }
    struct mr_str id = api_kms_id(call->api, key, call->arena);
    if (id.ptr == NULL)
        return MR_STR_NULL;
    return mr_arena_printf(
        call->arena, "arn:" MR_STR_FMT ":kms:" MR_STR_FMT ":" MR_STR_FMT ":key/" MR_STR_FMT,
        MR_STR_ARG(arn.partition), MR_STR_ARG(arn.region), MR_STR_ARG(arn.account), MR_STR_ARG(id));
}

int api_kms_refused(struct api_call *call, const char *operation, int status, const struct mr_error *err,
                    struct model_fault *fault)
{
    mr_log(MR_LOG_WARN, "key_refused", "id=%s operation=%s status=%s text=\"%s\"", call->id, operation,
           mr_status_name((enum mr_status)status), err->text);
    switch (status) {
    case MR_ENOENT:
    case MR_EINVAL:
        return model_fail(fault, MODEL_VALIDATION, call->arena, "The KMS key cannot be used: %s.", err->text);
    case MR_EDENIED:
        return model_fail(fault, MODEL_ACCESS_DENIED, call->arena, "The KMS key cannot be used: %s.",
                          err->text);
    case MR_EIO:
        return model_fail(fault, MODEL_INTERNAL, call->arena,
                          "The KMS key cannot be asked for now. Retry the request.");
    default:
        return status;
    }
}
