#include "kms/answer.h"

#include "json/json.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>

#define BLOB_MAX 8192 /* of base64; KMS gives at most 6144 bytes */

static bool parse_object(struct mr_str body, struct mr_arena *arena, struct json_doc *doc)
{
    return json_parse(body, arena, doc, NULL) == MR_OK && json_type(json_root(doc)) == JSON_OBJECT;
}

static struct mr_str text_of(struct json_value object, const char *name)
{
    struct json_value v;
    if (!json_get(object, mr_str_of(name), &v) || json_type(v) != JSON_STRING)
        return MR_STR_NULL;
    return json_text(v);
}

static const struct {
    const char *type;
    enum mr_status status;
} meanings[] = {
    {"NotFoundException", MR_ENOENT},           {"InvalidArnException", MR_ENOENT},
    {"DisabledException", MR_EINVAL},           {"KMSInvalidStateException", MR_EINVAL},
    {"InvalidKeyUsageException", MR_EINVAL},    {"UnsupportedOperationException", MR_EINVAL},
    {"ValidationException", MR_EINVAL},         {"AccessDeniedException", MR_EDENIED},
    {"InvalidGrantTokenException", MR_EDENIED}, {"InvalidCiphertextException", MR_ECORRUPT},
    {"IncorrectKeyException", MR_ECORRUPT},
};

/* Everything else, our own credentials being refused among it, may be put right without a change here. */
int kms_answer_status(int http, struct mr_str body, struct mr_arena *arena, char type[static 64])
{
    struct json_doc doc;
    type[0] = '\0';
    if (http == 200)
        return MR_OK;
    struct mr_str name = parse_object(body, arena, &doc) ? text_of(json_root(&doc), "__type") : MR_STR_NULL;
    size_t hash = mr_str_find(name, '#', 0);
    if (hash < name.len)
        name = mr_str_slice(name, hash + 1, name.len);
    size_t n = 0;
    for (size_t i = 0; i < name.len && n < 63; i++)
        if (name.ptr[i] > 0x20 && name.ptr[i] < 0x7f && name.ptr[i] != '"')
            type[n++] = name.ptr[i];
    type[n] = '\0';
    for (size_t i = 0; i < MR_ARRAY_LEN(meanings) && http < 500; i++)
        if (mr_str_eq(name, mr_str_of(meanings[i].type)))
            return meanings[i].status;
    return MR_EIO;
}

int kms_answer_metadata(struct mr_str body, struct mr_arena *arena, struct mr_str *arn)
{
    struct json_doc doc;
    struct json_value meta;
    *arn = MR_STR_NULL;
    if (!parse_object(body, arena, &doc) || !json_get(json_root(&doc), MR_STR("KeyMetadata"), &meta) ||
        json_type(meta) != JSON_OBJECT)
        return MR_EIO;
    struct mr_str name = text_of(meta, "Arn"), state = text_of(meta, "KeyState"),
                  usage = text_of(meta, "KeyUsage"), spec = text_of(meta, "KeySpec");
    if (name.len == 0 || name.len > 2048)
        return MR_EIO;
    bool usable = (state.ptr == NULL || mr_str_eq(state, MR_STR("Enabled"))) &&
                  (usage.ptr == NULL || mr_str_eq(usage, MR_STR("ENCRYPT_DECRYPT"))) &&
                  (spec.ptr == NULL || mr_str_eq(spec, MR_STR("SYMMETRIC_DEFAULT")));
    if (!usable)
        return MR_EINVAL;
    *arn = mr_arena_dup(arena, name);
    return arn->ptr != NULL ? MR_OK : MR_ENOMEM;
}

/* Bytes of a standard base64 text; -1 when it is none. `out` has room for 3 of every 4 characters. */
static int from_base64(struct mr_str text, unsigned char *out)
{
    if (text.len == 0 || text.len % 4 != 0 || text.len > BLOB_MAX)
        return -1;
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.ptr, (int)text.len);
    for (size_t i = text.len; n > 0 && i > text.len - 2 && text.ptr[i - 1] == '='; i--)
        n--;
    return n;
}

int kms_answer_key(struct mr_str body, struct mr_arena *arena, unsigned char out[static KMS_KEY_BYTES],
                   struct mr_buf *wrapped)
{
    struct json_doc doc;
    unsigned char plain[3 * BLOB_MAX / 4];
    if (!parse_object(body, arena, &doc))
        return MR_EIO;
    struct mr_str key = text_of(json_root(&doc), "Plaintext"),
                  blob = text_of(json_root(&doc), "CiphertextBlob");
    int status = MR_EIO;
    if (key.len == 4 * ((KMS_KEY_BYTES + 2) / 3) && from_base64(key, plain) == KMS_KEY_BYTES) {
        memcpy(out, plain, KMS_KEY_BYTES);
        status = MR_OK;
    }
    OPENSSL_cleanse(plain, sizeof plain);
    if (key.ptr != NULL)
        OPENSSL_cleanse((void *)(uintptr_t)key.ptr, key.len); /* the arena's copy */
    if (status != MR_OK || wrapped == NULL)
        return status;
    int n = from_base64(blob, plain);
    if (n <= 0)
        return MR_EIO;
    mr_buf_add(wrapped, plain, (size_t)n);
    return mr_buf_ok(wrapped) ? MR_OK : MR_ENOMEM;
}
