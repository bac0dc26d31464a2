/* fuzz/client_answer.c - what a server may say: the first two bytes pick the status and the shape that is
 * expected, the rest is the body. What decodes as a page of Query is read row by row, too.
 */
#include "client/cell.h"
#include "client/client.h"

static void read_rows(const struct model_query_response *page)
{
    struct mr_arena arena = {.limit = 64 << 20};
    for (size_t i = 0; i < page->rows.len; i++)
        for (size_t k = 0; k < page->rows.at[i].data.len && k < page->column_info.len; k++) {
            struct mr_cell cell;
            int rc =
                client_cell_read(page->column_info.at[k].type, &page->rows.at[i].data.at[k], &arena, &cell);
            MR_ASSERT(rc == MR_OK || rc == MR_EINVAL || rc == MR_ENOMEM);
        }
    mr_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int statuses[] = {200, 200, 200, 400, 419, 404, 503, 302};
    if (size < 2)
        return 0;
    struct client_response response = {.status = statuses[data[0] % MR_ARRAY_LEN(statuses)]};
    const struct model_shape *shape =
        model_operation((enum model_op)(1 + data[1] % (MODEL_OP_COUNT - 1)))->output;
    struct mr_arena arena = MR_ARENA_INIT;
    struct outcome o = {.error = 0};
    struct mr_fault fault = MR_FAULT_INIT;
    void *value;
    mr_buf_add(&response.body, data + 2, size - 2);
    int rc = client_answer_read(shape, &response, &arena, &value, &o);
    MR_ASSERT(rc == o.error && (rc == 0 || response.status != 200 || value == NULL));
    if (rc == 0 && shape == &model_shape_query_response)
        read_rows(value);
    client_outcome_deliver(&o, &fault);
    MR_ASSERT(strlen(fault.code) + strlen(fault.message) <= 4 * size + 4096);
    for (size_t i = 0; i < fault.nrejected; i++)
        MR_ASSERT(fault.rejected[i].reason.ptr == NULL || strlen(fault.rejected[i].reason.ptr) <= size);
    mr_fault_clear(&fault);
    mr_arena_release(&arena);
    mr_buf_release(&response.body);
    return 0;
}
