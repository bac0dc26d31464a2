/* fuzz/kms_answer.c - any bytes as the answer of a key service: what is taken out of it is whole. */
#include "kms/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf wrapped = MR_BUF_INIT;
    struct mr_str body = {(const char *)data, size}, arn;
    unsigned char key[KMS_KEY_BYTES];
    char type[64];
    int status = kms_answer_status(400, body, &arena, type);
    MR_ASSERT(status != MR_OK && strlen(type) < sizeof type);
    if (kms_answer_metadata(body, &arena, &arn) == MR_OK)
        MR_ASSERT(arn.len > 0 && arn.len <= 2048);
    if (kms_answer_key(body, &arena, key, &wrapped) == MR_OK)
        MR_ASSERT(wrapped.len > 0 && wrapped.len <= 6144);
    mr_buf_release(&wrapped);
    mr_arena_release(&arena);
    return 0;
}
