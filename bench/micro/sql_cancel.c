/* bench/micro/sql_cancel.c - how soon a query ends once it is cancelled: the time from engine_cancel to the
 * end of the call that waits for a row.
 *
 * Prints a line for each kind of work: median and maximum in milliseconds of some rounds (argument, 20). Each
 * query would run for minutes and is cancelled after 150 ms.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/engine.h"

static const struct {
    const char *name, *sql;
} works[] = {
    {"cross join",
     "SELECT count(*) FROM UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 10000)) AS b(y), "
     "UNNEST(sequence(1, 10000)) AS c(z) WHERE x * y > z"},
    {"group", "SELECT x * y, count(*), approx_percentile(z, 0.5) FROM UNNEST(sequence(1, 1000)) AS a(x), "
              "UNNEST(sequence(1, 1000)) AS b(y), UNNEST(sequence(1, 1000)) AS c(z) GROUP BY 1"},
    {"sort", "SELECT x FROM UNNEST(sequence(1, 5000)) AS a(x), UNNEST(sequence(1, 5000)) AS b(y) "
             "ORDER BY x * y % 7919, y, x"},
    {"window",
     "SELECT max(r) FROM (SELECT sum(x) OVER (PARTITION BY x % 3 ORDER BY y ROWS 900 PRECEDING) AS r FROM "
     "UNNEST(sequence(1, 3000)) AS a(x), UNNEST(sequence(1, 3000)) AS b(y))"},
    {"texts", "SELECT max(levenshtein_distance(array_join(sequence(1, x), ','), array_join(sequence(2, y), "
              "','))) FROM "
              "UNNEST(sequence(100, 400)) AS a(x), UNNEST(sequence(100, 400)) AS b(y)"},
    {"patterns", "SELECT count_if(regexp_like(array_join(sequence(1, x), ','), '(\\d+,)*\\d+x')) FROM "
                 "UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 1000)) AS b(y)"},
    {"one pattern", "SELECT count_if(regexp_like(lpad('a', 200000 + x, 'a'), 'a*[bc]')) FROM "
                    "UNNEST(sequence(1, 1000)) AS a(x)"},
    {"one more", "SELECT count_if(regexp_like(lpad('a', 900000 + x, 'ab'), '(.*a.*)*\\d')) FROM "
                 "UNNEST(sequence(1, 1000)) AS a(x)"},
    {"lambdas", "SELECT max(reduce(sequence(1, x), BIGINT '0', (s, e) -> s + e % y, s -> s)) FROM "
                "UNNEST(sequence(1, 10000)) AS a(x), UNNEST(sequence(1, 1000)) AS b(y)"},
};

static int no_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                    struct sql_table *out, bool *missing_database)
{
    MR_UNUSED(ctx);
    MR_UNUSED(database);
    MR_UNUSED(name);
    MR_UNUSED(arena);
    MR_UNUSED(out);
    *missing_database = true;
    return MR_ENOENT;
}

static const struct sql_lookup lookup = {NULL, no_table};

struct cancel {
    struct engine_run *run;
    int64_t at;
};

static void *cancel_later(void *arg)
{
    struct cancel *c = arg;
    nanosleep(&(struct timespec){0, 150 * 1000 * 1000}, NULL);
    c->at = mr_clock_mono(&mr_clock_system);
    engine_cancel(c->run);
    return NULL;
}

/* ms from the cancel to the end; -1 when the query ended by itself. */
static double round_of(struct engine *engine, const char *sql)
{
    const struct sql_env env = {.lookup = &lookup, .now_ns = 0, .time_floor = INT64_MIN};
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan = NULL;
    struct sql_error error = {0};
    struct mr_error err = MR_ERROR_INIT;
    struct cancel c = {NULL, 0};
    struct mr_buf row = MR_BUF_INIT;
    pthread_t thread;

    if (sql_prepare(mr_str_of(sql), &env, &arena, &plan, &error) != MR_OK ||
        engine_run_open(engine, plan, NULL, NULL, &c.run, &err) != MR_OK) {
        fprintf(stderr, "%s\n" MR_STR_FMT "%s\n", sql, MR_STR_ARG(error.message), err.text);
        exit(1);
    }
    if (pthread_create(&thread, NULL, cancel_later, &c) != 0)
        exit(1);
    int status;
    while ((status = engine_run_row(c.run, &row, &err)) == MR_OK)
        row.len = 0;
    int64_t end = mr_clock_mono(&mr_clock_system);
    pthread_join(thread, NULL);
    engine_run_close(c.run);
    mr_buf_release(&row);
    mr_arena_release(&arena);
    return status == MR_ECANCEL ? (double)(end - c.at) / 1e6 : -1;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 1 ? strtoull(argv[1], NULL, 10) : 20;
    const struct engine_options options = {.threads = 2};
    struct mr_error err = MR_ERROR_INIT;
    struct engine *engine;
    double *ms = calloc(rounds, sizeof(*ms));

    if (rounds == 0 || ms == NULL || engine_open(&options, &engine, &err) != MR_OK)
        return 1;
    for (size_t w = 0; w < MR_ARRAY_LEN(works); w++) {
        for (size_t i = 0; i < rounds; i++)
            ms[i] = round_of(engine, works[w].sql);
        qsort(ms, rounds, sizeof(ms[0]), by_size);
        printf("%-12s cancelled after p50 %.1f ms, max %.1f ms%s\n", works[w].name, ms[rounds / 2],
               ms[rounds - 1], ms[0] < 0 ? " (some ended by themselves)" : "");
    }
    engine_close(engine);
    free(ms);
    return 0;
}
