/* fuzz/json_decode.c - the first byte picks a shape and how it is decoded, the rest is the body.
 *
 * What decodes must encode, decode again as an answer, and encode to the same bytes; what is refused must say
 * why.
 */
#include "model/table.h"

static void same_again(const struct model_shape *shape, const void *value, struct mr_arena *arena)
{
    struct mr_buf first = MR_BUF_INIT, second = MR_BUF_INIT;
    struct model_fault fault = {0};
    void *again;
    model_encode(shape, value, &first);
    int rc = model_decode_response(shape, mr_buf_view(&first), arena, &again, &fault);
    MR_ASSERT(rc == MR_OK || rc == MR_ENOMEM);
    if (rc == MR_OK) {
        model_encode(shape, again, &second);
        MR_ASSERT(mr_str_eq(mr_buf_view(&first), mr_buf_view(&second)));
    }
    mr_buf_release(&first);
    mr_buf_release(&second);
}

static void check_fault(const struct model_fault *fault)
{
    struct mr_buf body = MR_BUF_INIT;
    MR_ASSERT(fault->error == MODEL_SERIALIZATION || fault->error == MODEL_CONSTRAINT);
    MR_ASSERT(mr_utf8_valid(fault->message));
    MR_ASSERT(fault->message.len < 8192); /* ten failures, each with a value of 256 bytes and a path */
    model_fault_body(fault, &body);
    mr_buf_release(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct model_shape *shape = model_shapes[data[0] % model_shape_count];
    struct mr_str body = {(const char *)data + 1, size - 1};
    struct mr_arena arena = {.limit = 64 << 20};
    struct model_fault fault = {0};
    void *value;
    int rc;
    if (data[0] / model_shape_count != 0)
        rc = model_decode_query(shape, body, &arena, &value, &fault);
    else
        rc = model_decode(shape, body, &arena, &value, &fault);
    if (rc == MR_OK)
        same_again(shape, value, &arena);
    else if (rc == MR_EINVAL)
        check_fault(&fault);
    mr_arena_release(&arena);
    return 0;
}
