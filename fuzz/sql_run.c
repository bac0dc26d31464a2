/* fuzz/sql_run.c - whole statements, grown by the grammar, through the front end and the engine over a small
 * table.
 *
 * Each ends in rows or in an error that a user may read: never in a crash, a stall, an internal failure or a
 * text of the embedded database. With SQL_RUN_PRINT in the environment the statements and their answers are
 * printed. */
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/engine.h"
#include "fake_store.h"
#include "grammar.h"

#define DEADLINE (2 * MR_NS_PER_S)
#define LATE (8 * MR_NS_PER_S) /* past this the deadline was not kept */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The database keeps memory between runs, and libFuzzer would look for leaks after each; the unit tests do.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

/* ---- plant.machines ---- */

enum { MEASURE = 1, MACHINE, F64, I64, FLAG, SEEN };
static int64_t times[8], cycles[8], seen[8];
static double load[8];
static uint8_t flags[8];
static const uint8_t some[] = {1, 0, 1, 1, 0, 1, 0, 1}; /* not all rows have a flag */
static const struct mr_str readings[] = {{"readings", 8}}, press1[] = {{"press-1", 7}},
                           press2[] = {{"press-2", 7}};
#define SERIES(name)                                                                                         \
    {                                                                                                        \
        {{STORE_VARCHAR, true, readings, NULL}, MEASURE}, {{STORE_VARCHAR, true, name, NULL}, MACHINE},      \
            {{STORE_DOUBLE, false, load, NULL}, F64}, {{STORE_BIGINT, false, cycles, NULL}, I64},            \
            {{STORE_BOOLEAN, false, flags, some}, FLAG},                                                     \
        {                                                                                                    \
            {STORE_TIMESTAMP, false, seen, NULL}, SEEN                                                       \
        }                                                                                                    \
    }
static const struct fake_column first[] = SERIES(press1), second[] = SERIES(press2);
static const struct fake_series series[] = {{times, 8, 0, first, 6}, {times, 8, 3, second, 6}};
static struct fake_table table = {
    .series = series,
    .nseries = 2,
    .types = {STORE_TIMESTAMP, STORE_VARCHAR, STORE_VARCHAR, STORE_DOUBLE, STORE_BIGINT, STORE_BOOLEAN,
              STORE_TIMESTAMP},
};
static const struct sql_column columns[] = {
    {{"machine_id", 10}, SQL_VARCHAR, SQL_ROLE_DIMENSION, MACHINE},
    {{"measure_name", 12}, SQL_VARCHAR, SQL_ROLE_MEASURE_NAME, MEASURE},
    {{"time", 4}, SQL_TIMESTAMP, SQL_ROLE_TIME, 0},
    {{"load", 4}, SQL_DOUBLE, SQL_ROLE_ATTRIBUTE, F64},
    {{"cycles", 6}, SQL_BIGINT, SQL_ROLE_ATTRIBUTE, I64},
    {{"flag", 4}, SQL_BOOLEAN, SQL_ROLE_ATTRIBUTE, FLAG},
    {{"seen", 4}, SQL_TIMESTAMP, SQL_ROLE_ATTRIBUTE, SEEN},
};
static const struct grammar_column shown[] = {{"machine_id", "s"}, {"measure_name", "s"}, {"time", "t"},
                                              {"load", "d"},       {"cycles", "l"},       {"flag", "b"},
                                              {"seen", "t"}};
static const struct grammar_table machines = {"plant.machines", shown, MR_ARRAY_LEN(shown)};

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    MR_UNUSED(ctx);
    MR_UNUSED(arena);
    *missing_database = !mr_str_eq(database, MR_STR("plant"));
    if (*missing_database || !mr_str_eq(name, MR_STR("machines")))
        return MR_ENOENT;
    *out = (struct sql_table){&table, database, name, columns, MR_ARRAY_LEN(columns)};
    return MR_OK;
}

static const struct sql_lookup lookup = {NULL, find_table};
static struct engine *engine;

static void start(void)
{
    struct engine_options options = {
        .memory_limit = (size_t)256 << 20, .threads = 2, .clock = &mr_clock_system};
    struct mr_error err = MR_ERROR_INIT;

    for (int i = 0; i < 8; i++) {
        times[i] = i * 60 * MR_NS_PER_S;
        cycles[i] = i * i - 9;
        load[i] = i / 4.0 - 0.5;
        flags[i] = i % 3 == 0;
        seen[i] = times[i] * 1000003 + i;
    }
    if (getenv("SQL_RUN_PRINT") != NULL)
        mr_log_set_level(MR_LOG_DEBUG);
    if (engine_open(&options, &engine, &err) != MR_OK) {
        fprintf(stderr, "engine: %s\n", err.text);
        abort();
    }
}

/* ---- what must not be seen ---- */

static void finding(const char *what, struct mr_str statement, const struct sql_plan *plan, const char *text)
{
    fprintf(stderr, "%s\nstatement: " MR_STR_FMT "\nerror: %s\n", what, MR_STR_ARG(statement), text);
    if (plan != NULL)
        fprintf(stderr, "engine: " MR_STR_FMT "\n", MR_STR_ARG(plan->duckdb));
    abort();
}

/* Prefixes and habits of the embedded database's own messages. */
static bool of_the_database(const char *text)
{
    static const char *const marks[] = {"Binder Error",
                                        "INTERNAL",
                                        "Catalog Error",
                                        "Conversion Error",
                                        "Parser Error",
                                        "Invalid Input",
                                        "Out of Range Error",
                                        "Not implemented",
                                        "Invalid Error",
                                        "Constraint Error",
                                        "DuckDB",
                                        "duckdb",
                                        "mr_",
                                        "STRUCT(",
                                        "INT64",
                                        "LINE 1:",
                                        "Candidate functions",
                                        "HUGEINT",
                                        "internal reason"};
    for (size_t i = 0; i < MR_ARRAY_LEN(marks); i++) {
        if (strstr(text, marks[i]) != NULL)
            return true;
    }
    return false;
}

/* Returns the last status; err says why. */
static int run(const struct sql_plan *plan, struct mr_error *err)
{
    const struct engine_limits limits = {.deadline_mono = mr_clock_mono(&mr_clock_system) + DEADLINE,
                                         .max_result_bytes = (uint64_t)1 << 24};
    struct engine_run *r = NULL;
    struct mr_buf row = MR_BUF_INIT;
    int status = engine_run_open(engine, plan, NULL, &limits, &r, err);

    while (status == MR_OK) {
        row.len = 0;
        status = engine_run_row(r, &row, err);
        if (status == MR_OK && getenv("SQL_RUN_PRINT") != NULL)
            fprintf(stderr, "=> " MR_STR_FMT "\n", MR_STR_ARG(mr_buf_view(&row)));
    }
    engine_run_close(r);
    mr_buf_release(&row);
    return status;
}

static void execute(struct mr_str statement)
{
    const struct sql_env env = {
        .lookup = &lookup, .now_ns = INT64_C(1678344435209000342), .time_floor = INT64_MIN};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_error err = MR_ERROR_INIT;
    int status = sql_prepare(statement, &env, &arena, &plan, &error);

    if (getenv("SQL_RUN_PRINT") != NULL)
        fprintf(stderr, MR_STR_FMT "\n", MR_STR_ARG(statement));
    if (status == MR_OK) {
        int64_t before = mr_clock_mono(&mr_clock_system);
        status = run(plan, &err);
        if (status == MR_EINTERNAL || of_the_database(err.text))
            finding("a text of the database, or an internal failure", statement, plan, err.text);
        if (mr_clock_mono(&mr_clock_system) - before > LATE)
            finding("the deadline was not kept", statement, plan, err.text);
    } else {
        mr_error_set(&err, (enum mr_status)status, MR_STR_FMT, MR_STR_ARG(error.message));
        if (error.message.len == 0)
            finding("an error without a text", statement, NULL, "");
    }
    if (getenv("SQL_RUN_PRINT") != NULL && status != MR_ENOENT)
        fprintf(stderr, "! %s\n", err.text);
    mr_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct mr_buf statement = MR_BUF_INIT;

    if (engine == NULL)
        start();
    grammar_statement(data, size, &machines, &statement);
    if (mr_buf_ok(&statement))
        execute(mr_buf_view(&statement));
    mr_buf_release(&statement);
    return 0;
}
