/* fuzz/cli_line.c - a line of the Influx line protocol. What is taken must make a request that encodes. */
#include "cli/cli.h"
#include "model/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_arena arena = {.limit = 64 << 20};
    struct mr_record record;
    struct mr_buf out = MR_BUF_INIT;
    const char *why = NULL;
    bool good = cli_line((struct mr_str){(const char *)data, size}, 1, &arena, &record, &why);
    MR_ASSERT(good || why != NULL);
    if (good && record.measure_name.ptr != NULL) {
        MR_ASSERT(record.measure_name.len > 0 && record.measure_values.len > 0 && record.time.len > 0);
        for (size_t i = 0; i < record.measure_values.len; i++)
            MR_ASSERT(record.measure_values.at[i].value.len > 0 && record.measure_values.at[i].type != 0);
        model_encode(&model_shape_record, &record, &out);
    }
    mr_buf_release(&out);
    mr_arena_release(&arena);
    return 0;
}
