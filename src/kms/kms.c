#include "kms/answer.h"

#include "json/write.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

struct kms {
    struct remote *remote;
};

int kms_open(const struct remote_options *options, struct kms **out, struct mr_error *err)
{
    struct remote_options o = *options;
    struct kms *kms = mr_calloc(1, sizeof *kms);
    *out = NULL;
    if (kms == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory for the key service");
    if (o.service == NULL)
        o.service = "kms";
    o.max_answer = o.max_answer != 0 ? o.max_answer : (size_t)64 << 10;
    int status = remote_open(&o, &kms->remote, err);
    if (status != MR_OK)
        kms_close(kms);
    else
        *out = kms;
    return status;
}

void kms_close(struct kms *kms)
{
    if (kms == NULL)
        return;
    remote_close(kms->remote);
    mr_free(kms);
}

void kms_cancel(struct kms *kms)
{
    remote_cancel(kms->remote);
}

/* One call; *body is what came with a 200, and the caller's to wipe and release. */
static int call(struct kms *kms, const char *target, struct mr_str key, const struct mr_buf *input,
                struct mr_buf *body, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct remote_answer answer;
    char type[64];
    const struct mr_pair headers[] = {{MR_STR("content-type"), MR_STR("application/x-amz-json-1.1")},
                                      {MR_STR("x-amz-target"), mr_str_of(target)}};
    const struct remote_request request = {
        .method = "POST", .path = MR_STR("/"), .headers = headers, .nheaders = 2, .body = mr_buf_view(input)};
    if (!mr_buf_ok(input))
        return MR_ENOMEM;
    int status = remote_call(kms->remote, &request, &answer, err);
    if (status != MR_OK)
        return status == MR_ENOMEM ? MR_ENOMEM : MR_EIO;
    status = kms_answer_status(answer.status, mr_buf_view(&answer.body), &arena, type);
    if (status != MR_OK)
        mr_error_set(err, (enum mr_status)status, "the key service answers %d %s for the key " MR_STR_FMT,
                     answer.status, type, MR_STR_ARG(key));
    else {
        *body = answer.body;
        answer.body = (struct mr_buf)MR_BUF_INIT;
    }
    remote_answer_release(&answer);
    mr_arena_release(&arena);
    return status;
}

static void forget(struct mr_buf *body)
{
    if (body->ptr != NULL)
        OPENSSL_cleanse(body->ptr, body->len);
    mr_buf_release(body);
}

static void add_member(struct mr_buf *out, const char *name, struct mr_str value)
{
    mr_buf_char(out, out->len == 0 ? '{' : ',');
    json_write_string(out, mr_str_of(name));
    mr_buf_char(out, ':');
    json_write_string(out, value);
}

static void add_context(struct mr_buf *out, struct mr_str database)
{
    mr_buf_str(out, MR_STR(",\"EncryptionContext\":{\"millrace:database\":"));
    json_write_string(out, database);
    mr_buf_str(out, MR_STR("}}"));
}

int kms_describe(struct kms *kms, struct mr_str key, struct mr_arena *arena, struct mr_str *arn,
                 struct mr_error *err)
{
    struct mr_buf input = MR_BUF_INIT, body = MR_BUF_INIT;
    add_member(&input, "KeyId", key);
    mr_buf_char(&input, '}');
    int status = call(kms, "TrentService.DescribeKey", key, &input, &body, err);
    if (status == MR_OK)
        status = kms_answer_metadata(mr_buf_view(&body), arena, arn);
    if (status == MR_EINVAL)
        mr_error_set(err, MR_EINVAL, "the key " MR_STR_FMT " is not enabled for encrypting and decrypting",
                     MR_STR_ARG(key));
    mr_buf_release(&input);
    mr_buf_release(&body);
    return status == MR_OK
               ? MR_OK
               : (int)mr_error_set(err, (enum mr_status)status,
                                   "the key service's answer about the key " MR_STR_FMT " makes no sense",
                                   MR_STR_ARG(key));
}

/* Takes the key out of the answer, and wipes that. */
static int take_key(struct mr_buf *body, int status, unsigned char out[static KMS_KEY_BYTES],
                    struct mr_buf *wrapped, struct mr_error *err)
{
    struct mr_arena arena = MR_ARENA_INIT;
    if (status == MR_OK)
        status = kms_answer_key(mr_buf_view(body), &arena, out, wrapped);
    forget(body);
    mr_arena_release(&arena);
    return status == MR_OK ? MR_OK
                           : (int)mr_error_set(err, (enum mr_status)status,
                                               "the key service gives no data key of 32 bytes");
}

int kms_generate(struct kms *kms, struct mr_str key, struct mr_str database,
                 unsigned char out[static KMS_KEY_BYTES], struct mr_buf *wrapped, struct mr_error *err)
{
    struct mr_buf input = MR_BUF_INIT, body = MR_BUF_INIT;
    add_member(&input, "KeyId", key);
    add_member(&input, "KeySpec", MR_STR("AES_256"));
    add_context(&input, database);
    int status = call(kms, "TrentService.GenerateDataKey", key, &input, &body, err);
    mr_buf_release(&input);
    return take_key(&body, status, out, wrapped, err);
}

int kms_decrypt(struct kms *kms, struct mr_str key, struct mr_str database, struct mr_str wrapped,
                unsigned char out[static KMS_KEY_BYTES], struct mr_error *err)
{
    struct mr_buf input = MR_BUF_INIT, body = MR_BUF_INIT, blob = MR_BUF_INIT;
    unsigned char *text = (unsigned char *)mr_buf_reserve(&blob, 4 * (wrapped.len / 3 + 1) + 1);
    if (text == NULL)
        return MR_ENOMEM;
    blob.len = (size_t)EVP_EncodeBlock(text, (const unsigned char *)wrapped.ptr, (int)wrapped.len);
    add_member(&input, "KeyId", key);
    add_member(&input, "CiphertextBlob", mr_buf_view(&blob));
    add_context(&input, database);
    int status = call(kms, "TrentService.Decrypt", key, &input, &body, err);
    mr_buf_release(&input);
    mr_buf_release(&blob);
    return take_key(&body, status, out, NULL, err);
}
