/* What the tests of this room share: a request from JSON, built against a table with given properties. */
#ifndef MR_TESTS_INGEST_KIT_H
#define MR_TESTS_INGEST_KIT_H

#include "lib/check.h"

#include "ingest/ingest.h"

#define NOW (INT64_C(1700000000000) * MR_NS_PER_MS) /* 2023-11-14T22:13:20Z */

struct kit {
    struct mr_arena arena;
    struct catalog_table table;
    struct ingest_batch batch;
    struct model_fault fault;
    int status;
};

static inline void kit_init(struct kit *kit)
{
    *kit = (struct kit){.arena = MR_ARENA_INIT, .table = {.memory_hours = 6, .magnetic_days = 10}};
}

/* `rest`: members after the two names, e.g. "\"Records\":[...]". */
static inline void kit_build(struct kit *kit, const char *rest)
{
    void *input = NULL;
    struct mr_str body =
        mr_arena_printf(&kit->arena, "{\"DatabaseName\":\"db1\",\"TableName\":\"tb1\",%s}", rest);
    kit->fault = (struct model_fault){0};
    int status = model_decode(&model_shape_write_records_request, body, &kit->arena, &input, &kit->fault);
    if (status != MR_OK)
        fail_msg("the test's request does not decode: " MR_STR_FMT, MR_STR_ARG(kit->fault.message));
    kit->status = ingest_build(input, &kit->table, NOW, &kit->arena, &kit->batch, &kit->fault);
}

static inline void kit_release(struct kit *kit)
{
    mr_arena_release(&kit->arena);
}

#endif
