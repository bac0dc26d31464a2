/* bench/micro/sql_plan.c - what a query costs before its first row: parse, bind and emit, then the database's
 * prepare.
 *
 * Prints a line for each kind of query: medians and 99th percentiles in microseconds. Argument: rounds
 * (2000). The store is a table without rows, so nothing of the scan is in the numbers.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/engine.h"
#include "fake_store.h"

static const struct {
    const char *name, *sql;
} queries[] = {
    {"panel", "SELECT bin(time, 30s) AS slot, avg(measure_value::double) AS load FROM \"plant\".\"machines\" "
              "WHERE time BETWEEN from_milliseconds(1690000000000) AND from_milliseconds(1690021600000) "
              "AND measure_name = 'spindle_load' AND site = 'north' GROUP BY bin(time, 30s) ORDER BY 1"},
    {"pivot",
     "SELECT site, bin(time, 15m) AS slot, "
     "avg(CASE WHEN measure_name = 'coolant_temp' THEN measure_value::double ELSE NULL END) AS coolant, "
     "max(CASE WHEN measure_name = 'oil_pressure' THEN measure_value::double ELSE NULL END) AS oil "
     "FROM plant.machines WHERE time > ago(6h) AND line_no IN ('1', '2', '3') GROUP BY site, bin(time, 15m) "
     "ORDER BY site, slot"},
    {"last point",
     "SELECT machine_id, max(time) AS time, max_by(measure_value::double, time) AS load_now "
     "FROM plant.machines WHERE measure_name = 'spindle_load' AND time > ago(1h) GROUP BY machine_id "
     "ORDER BY machine_id, time DESC LIMIT 100"},
    {"drop-down", "SELECT DISTINCT site FROM plant.machines WHERE time > ago(3h) ORDER BY 1"},
    {"filled curve", "WITH per_minute AS (SELECT machine_id, bin(time, 1m) AS slot, "
                     "round(avg(measure_value::double), 1) AS load "
                     "FROM plant.machines WHERE time > ago(45m) AND measure_name = 'spindle_load' GROUP BY "
                     "machine_id, bin(time, 1m)), "
                     "filled AS (SELECT machine_id, interpolate_linear(create_time_series(slot, load), "
                     "sequence(min(slot), max(slot), "
                     "20s)) AS curve FROM per_minute GROUP BY machine_id) "
                     "SELECT machine_id, time, round(value, 1) FROM filled CROSS JOIN UNNEST(curve)"},
};

static struct fake_table table = {.types = {STORE_TIMESTAMP, STORE_VARCHAR, STORE_VARCHAR, STORE_VARCHAR,
                                            STORE_VARCHAR, STORE_DOUBLE, STORE_BIGINT}};
static const struct sql_column columns[] = {
    {{"machine_id", 10}, SQL_VARCHAR, SQL_ROLE_DIMENSION, 2},
    {{"site", 4}, SQL_VARCHAR, SQL_ROLE_DIMENSION, 3},
    {{"line_no", 7}, SQL_VARCHAR, SQL_ROLE_DIMENSION, 4},
    {{"measure_name", 12}, SQL_VARCHAR, SQL_ROLE_MEASURE_NAME, 1},
    {{"time", 4}, SQL_TIMESTAMP, SQL_ROLE_TIME, 0},
    {{"measure_value::double", 21}, SQL_DOUBLE, SQL_ROLE_MEASURE_VALUE, 5},
    {{"measure_value::bigint", 21}, SQL_BIGINT, SQL_ROLE_MEASURE_VALUE, 6},
};

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    MR_UNUSED(ctx);
    MR_UNUSED(arena);
    *missing_database = false;
    *out = (struct sql_table){&table, database, name, columns, MR_ARRAY_LEN(columns)};
    return MR_OK;
}

static const struct sql_lookup lookup = {NULL, find_table};

struct times {
    int64_t front, prepare, total;
};

/* Ends the program when something fails: a bench of errors would be fast. */
static struct times plan_once(struct engine *engine, const char *sql)
{
    const struct sql_env env = {
        .lookup = &lookup, .now_ns = INT64_C(1690021600000000000), .time_floor = INT64_MIN};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_error err = MR_ERROR_INIT;
    struct engine_run *run = NULL;
    int64_t start = mr_clock_mono(&mr_clock_system);
    int status = sql_prepare(mr_str_of(sql), &env, &arena, &plan, &error);
    int64_t emitted = mr_clock_mono(&mr_clock_system);
    if (status == MR_OK)
        status = engine_run_open(engine, plan, NULL, NULL, &run, &err);
    int64_t end = mr_clock_mono(&mr_clock_system);
    if (status != MR_OK) {
        fprintf(stderr, "%s\n" MR_STR_FMT "%s\n", sql, MR_STR_ARG(error.message), err.text);
        exit(1);
    }
    engine_run_close(run);
    mr_arena_release(&arena);
    return (struct times){emitted - start, end - emitted, end - start};
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* The median and the 99th percentile, in us. */
static void print_part(const char *name, int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof(ns[0]), by_size);
    printf("  %s p50 %.0f us, p99 %.0f us", name, (double)ns[n / 2] / 1e3, (double)ns[n * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000;
    const struct engine_options options = {.threads = 2};
    struct mr_error err = MR_ERROR_INIT;
    struct engine *engine;
    int64_t *front = calloc(rounds, sizeof(*front)), *prepare = calloc(rounds, sizeof(*prepare)),
            *total = calloc(rounds, sizeof(*total));
    if (rounds == 0 || front == NULL || prepare == NULL || total == NULL ||
        engine_open(&options, &engine, &err) != MR_OK)
        return 1;
    for (size_t q = 0; q < MR_ARRAY_LEN(queries); q++) {
        for (size_t i = 0; i < rounds; i++) {
            struct times t = plan_once(engine, queries[q].sql);
            front[i] = t.front;
            prepare[i] = t.prepare;
            total[i] = t.total;
        }
        printf("%-12s", queries[q].name);
        print_part("total", total, rounds);
        print_part("parse+bind+emit", front, rounds);
        print_part("prepare", prepare, rounds);
        printf("\n");
    }
    engine_close(engine);
    free(front);
    free(prepare);
    free(total);
    return 0;
}
