/* fuzz/sql.c - any bytes as a statement, as Query and as PrepareQuery: a plan or an error that says
 * something, never more; what is emitted holds no byte that only the statement could have brought. */
#include <stdlib.h>

#include "sql/sql.h"

static const struct sql_column columns[] = {
    {{"site", 4}, SQL_VARCHAR, SQL_ROLE_DIMENSION, 0},
    {{"measure_name", 12}, SQL_VARCHAR, SQL_ROLE_MEASURE_NAME, 1},
    {{"time", 4}, SQL_TIMESTAMP, SQL_ROLE_TIME, 2},
    {{"measure_value::double", 21}, SQL_DOUBLE, SQL_ROLE_MEASURE_VALUE, 3},
    {{"n", 1}, SQL_BIGINT, SQL_ROLE_ATTRIBUTE, 4},
    {{"b", 1}, SQL_BOOLEAN, SQL_ROLE_ATTRIBUTE, 5},
};

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    (void)ctx;
    (void)arena;
    *missing_database = !mr_str_eq(database, MR_STR("d"));
    if (*missing_database || !mr_str_eq(name, MR_STR("t")))
        return MR_ENOENT;
    *out = (struct sql_table){NULL, MR_STR("d"), MR_STR("t"), columns, MR_ARRAY_LEN(columns)};
    return MR_OK;
}

static const struct sql_lookup lookup = {NULL, find_table};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void prepare(struct mr_str text, bool as_prepare)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan;
    struct sql_error error;
    struct sql_env env = {.lookup = &lookup, .now_ns = INT64_C(1700000000000000000), .prepare = as_prepare};
    arena.limit = (size_t)256 << 20;
    int status = sql_prepare(text, &env, &arena, &plan, &error);
    if (status == MR_EINVAL && error.message.len == 0)
        abort();
    if (status == MR_OK && plan->duckdb.ptr != NULL &&
        memchr(plan->duckdb.ptr, '\0', plan->duckdb.len) != NULL)
        abort();
    if (status == MR_OK && !mr_utf8_valid(plan->duckdb))
        abort();
    mr_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_str text = {(const char *)data, size};
    prepare(text, false);
    prepare(text, true);
    return 0;
}
