/* The index of a backup, a moment of a server, a page of a bucket's list: bytes from a target or a wire. */
#include "backup/parts.h"

static int on_key(void *ctx, struct mr_str key, uint64_t bytes)
{
    MR_UNUSED(bytes);
    MR_ASSERT(backup_key_valid(key));
    ++*(size_t *)ctx;
    return MR_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str bytes = {(const char *)data, size};
    struct backup_index index;
    struct backup_moment moment;
    struct mr_buf token = MR_BUF_INIT;
    size_t keys = 0;
    if (backup_index_decode(bytes, &index, NULL) == MR_OK) {
        struct mr_buf again = MR_BUF_INIT;
        struct backup_index back;
        MR_ASSERT(backup_index_encode(&index, &again) == MR_OK);
        MR_ASSERT(backup_index_decode(mr_buf_view(&again), &back, NULL) == MR_OK);
        MR_ASSERT(back.nfiles == index.nfiles);
        backup_index_release(&back);
        backup_index_release(&index);
        mr_buf_release(&again);
    }
    if (backup_moment_decode(bytes, &moment, NULL) == MR_OK)
        backup_moment_release(&moment);
    (void)backup_s3_page(bytes, on_key, &keys, &token, NULL);
    mr_buf_release(&token);
    return 0;
}
