/* fuzz/client_batch.c - packed records from a damaged spool. What unpacks must pack to the same and make a
 * request. */
#include "client/batch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena arena = {.limit = 64 << 20};
    struct mr_cursor c = mr_cursor_of(data, size);
    struct model_record records[BATCH_RECORDS_MAX];
    struct mr_buf packed = MR_BUF_INIT, body = MR_BUF_INIT;
    size_t n = 0;
    while (n < BATCH_RECORDS_MAX && c.left > 0 && client_batch_unpack(&c, &arena, &records[n]) == MR_OK) {
        client_batch_pack(&packed, &records[n]);
        n++;
    }
    struct mr_cursor again = mr_cursor_of(packed.ptr, packed.len);
    for (size_t i = 0; i < n; i++) {
        struct model_record r;
        int rc = client_batch_unpack(&again, &arena, &r);
        MR_ASSERT(rc == MR_OK || rc == MR_ENOMEM);
    }
    MR_ASSERT(again.left == 0 || arena.failed);
    if (n > 0)
        client_batch_encode(MR_STR("database"), MR_STR("table"), records, n, &arena, &body);
    mr_buf_release(&packed);
    mr_buf_release(&body);
    mr_arena_release(&arena);
    return 0;
}
