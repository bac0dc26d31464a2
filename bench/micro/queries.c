/* mr_bench_queries DIR [rounds] [hosts] [rows]: dashboard queries, aggregated by the store and from rows.
 *
 * Writes the cpu shape of the Time Series Benchmark Suite into a store below DIR when it is empty (hosts with
 * ten tags and ten readings a row, one row every 10 s, 100 hosts and a day by default), moves it to files,
 * and times the suite's query types in Timestream SQL both ways: from text to last row, in this
 * process, with 2 threads of the embedded database, without HTTP and signatures. Every round asks about other
 * hosts and another time. Prints medians with least and greatest, and checks that both ways give as many
 * bytes.
 */
#include "base/log.h"
#include "base/rand.h"
#include "engine/engine.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { TAGS = 10, READINGS = 10, BATCH = 100 };
#define START (INT64_C(1700000000) / 86400 * 86400 * MR_NS_PER_S)
#define STEP (10 * MR_NS_PER_S)

static const char *const tag_names[TAGS] = {
    "arch",    "datacenter",          "hostname",        "os",  "rack", "region",
    "service", "service_environment", "service_version", "team"};
static const char *const readings[READINGS] = {
    "usage_guest", "usage_guest_nice", "usage_idle",  "usage_iowait", "usage_irq",
    "usage_nice",  "usage_softirq",    "usage_steal", "usage_system", "usage_user"};

static struct store *store;
static struct store_table *table;
static struct engine *engine;
static unsigned hosts = 100, rows = 8640;
static struct mr_rng rng = {42};

static void check(int rc, const struct mr_error *err, const char *what)
{
    if (rc == MR_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* ---- data ---- */

struct waiting {
    struct store_commit commit; /* first: done() gets its address */
    bool done;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_done(struct store_commit *commit)
{
    pthread_mutex_lock(&lock);
    ((struct waiting *)commit)->done = true;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

/* The next rows of a host: walks of whole steps within 0 to 100, as the suite makes them, two decimals. */
static void append(const struct mr_pair *tags, double *walk, int64_t time, unsigned count)
{
    static struct store_attr attrs[BATCH][READINGS];
    static struct store_record records[BATCH];
    struct mr_error err = MR_ERROR_INIT;
    struct waiting w = {.commit = {.done = on_done}};
    for (unsigned i = 0; i < count; i++) {
        for (int r = 0; r < READINGS; r++) {
            walk[r] = fmin(fmax(walk[r] + (mr_rng_unit(&rng) - 0.5) * 3.4, 0), 100);
            attrs[i][r] = (struct store_attr){mr_str_of(readings[r]),
                                              {.type = STORE_DOUBLE, .f64 = round(walk[r] * 100) / 100}};
        }
        records[i] = (struct store_record){.dims = tags,
                                           .ndims = TAGS,
                                           .nattrs = READINGS,
                                           .measure_name = MR_STR("cpu"),
                                           .type = STORE_MULTI,
                                           .attrs = attrs[i],
                                           .time = time + i * STEP,
                                           .version = 1};
    }
    check(store_append_wait(table, records, count, &w.commit, &err), &err, "append");
    pthread_mutex_lock(&lock);
    while (!w.done)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void load(void)
{
    struct mr_error err = MR_ERROR_INIT;
    for (unsigned h = 0; h < hosts; h++) {
        char values[TAGS][32];
        struct mr_pair tags[TAGS];
        double walk[READINGS];
        for (int t = 0; t < TAGS; t++) {
            snprintf(values[t], sizeof values[t], "%s_%u", t == 2 ? "host" : tag_names[t],
                     t == 2 ? h : (unsigned)mr_rng_below(&rng, 20));
            tags[t] = (struct mr_pair){mr_str_of(tag_names[t]), mr_str_of(values[t])};
        }
        for (int r = 0; r < READINGS; r++)
            walk[r] = mr_rng_unit(&rng) * 100;
        for (unsigned i = 0; i < rows; i += BATCH)
            append(tags, walk, START + i * STEP, rows - i < BATCH ? rows - i : BATCH);
    }
    check(store_flush(store, &err), &err, "flush");
    check(store_compact(store, &err), &err, "merge");
}

/* ---- what the binder asks ---- */

static int find_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                      struct sql_table *out, bool *missing_database)
{
    static const enum sql_role roles[] = {
        [STORE_TIME] = SQL_ROLE_TIME,           [STORE_MEASURE_NAME] = SQL_ROLE_MEASURE_NAME,
        [STORE_DIMENSION] = SQL_ROLE_DIMENSION, [STORE_MEASURE_VALUE] = SQL_ROLE_MEASURE_VALUE,
        [STORE_ATTRIBUTE] = SQL_ROLE_ATTRIBUTE,
    };
    struct store_schema schema;
    MR_UNUSED(ctx);
    *missing_database = false;
    if (store_schema_get(table, arena, &schema) != MR_OK)
        return MR_ENOMEM;
    struct sql_column *columns = MR_ARENA_ARRAY(arena, schema.ncolumns, struct sql_column);
    for (size_t i = 0; columns != NULL && i < schema.ncolumns; i++) {
        enum sql_kind kind = schema.columns[i].type == STORE_DOUBLE      ? SQL_DOUBLE
                             : schema.columns[i].type == STORE_TIMESTAMP ? SQL_TIMESTAMP
                                                                         : SQL_VARCHAR;
        columns[i] =
            (struct sql_column){schema.columns[i].name, kind, roles[schema.columns[i].role], (uint32_t)i};
    }
    *out = (struct sql_table){table, database, name, columns, schema.ncolumns};
    return columns != NULL ? MR_OK : MR_ENOMEM;
}

/* ---- queries ---- */

static const struct query {
    const char *name, *aggregate; /* of each reading, %s in it */
    unsigned nreadings, nhosts;   /* 0 hosts: all */
    unsigned hours;               /* 0: all of time */
    const char *bin;              /* NULL: none */
    bool by_host;
    enum { GROUPS, ROWS_ABOVE_90, LAST_BINS } form;
} queries[] = {
    {"single-groupby-1-1-1", "max(%s)", 1, 1, 1, "1m", false, GROUPS},
    {"single-groupby-1-8-1", "max(%s)", 1, 8, 1, "1m", false, GROUPS},
    {"single-groupby-5-8-1", "max(%s)", 5, 8, 1, "1m", false, GROUPS},
    {"cpu-max-all-8", "max(%s)", 10, 8, 8, "1h", false, GROUPS},
    {"double-groupby-1", "avg(%s)", 1, 0, 12, "1h", true, GROUPS},
    {"double-groupby-5", "avg(%s)", 5, 0, 12, "1h", true, GROUPS},
    {"double-groupby-all", "avg(%s)", 10, 0, 12, "1h", true, GROUPS},
    {"high-cpu-1", NULL, 0, 1, 12, NULL, false, ROWS_ABOVE_90},
    {"high-cpu-all", NULL, 0, 0, 12, NULL, false, ROWS_ABOVE_90},
    {"lastpoint", "max_by(%s, time)", 10, 0, 0, NULL, true, GROUPS},
    {"groupby-orderby-limit", "max(%s)", 1, 0, 0, "1m", false, LAST_BINS},
};

static void print_outputs(const struct query *q, struct mr_buf *out)
{
    const char *before = "";
    if (q->by_host)
        mr_buf_str(out, MR_STR("hostname, "));
    if (q->bin != NULL)
        mr_buf_printf(out, "bin(time, %s) AS t, ", q->bin);
    else
        mr_buf_str(out, MR_STR("max(time), "));
    for (unsigned i = 0; i < q->nreadings; i++, before = ", ") {
        const char *hole = strstr(q->aggregate, "%s");
        mr_buf_printf(out, "%s%.*s%s%s", before, (int)(hole - q->aggregate), q->aggregate,
                      readings[READINGS - 1 - i], hole + 2);
    }
}

static void print_where(const struct query *q, struct mr_buf *out)
{
    const char *before = " WHERE ";
    int64_t all = rows * STEP;
    if (q->form == LAST_BINS) {
        mr_buf_printf(out, " WHERE time < from_nanoseconds(%lld)",
                      (long long)(START + all / 2 + (int64_t)mr_rng_below(&rng, (uint64_t)all / 2)));
        before = " AND ";
    } else if (q->hours != 0) {
        int64_t span = (int64_t)q->hours * 3600 * MR_NS_PER_S;
        int64_t from = START + (all > span ? (int64_t)mr_rng_below(&rng, (uint64_t)(all - span)) : 0);
        mr_buf_printf(out, " WHERE time >= from_nanoseconds(%lld) AND time < from_nanoseconds(%lld)",
                      (long long)from, (long long)(from + span));
        before = " AND ";
    }
    unsigned first = (unsigned)mr_rng_below(&rng, hosts - q->nhosts);
    for (unsigned i = 0; i < q->nhosts; i++)
        mr_buf_printf(out, "%s%s'host_%u'", i > 0 ? ", " : before, i > 0 ? "" : "hostname IN (", first + i);
    mr_buf_str(out, q->nhosts > 0 ? MR_STR(")") : MR_STR(""));
    if (q->form == ROWS_ABOVE_90)
        mr_buf_str(out, MR_STR(" AND usage_user > 90.0"));
}

static void print_query(const struct query *q, struct mr_buf *out)
{
    mr_buf_str(out, MR_STR("SELECT "));
    if (q->form == ROWS_ABOVE_90)
        mr_buf_char(out, '*');
    else
        print_outputs(q, out);
    mr_buf_str(out, MR_STR(" FROM bench.cpu"));
    print_where(q, out);
    if (q->form == ROWS_ABOVE_90)
        return;
    mr_buf_str(out, q->by_host && q->bin != NULL ? MR_STR(" GROUP BY hostname, bin(time, 1h) ORDER BY 1, 2")
                    : q->by_host                 ? MR_STR(" GROUP BY hostname ORDER BY 1")
                                                 : MR_STR(" GROUP BY "));
    if (!q->by_host)
        mr_buf_printf(out, "bin(time, %s) ORDER BY 1%s", q->bin, q->form == LAST_BINS ? " DESC LIMIT 5" : "");
}

/* From text to last row, in ns; *bytes of rows. Ends the program on any error. */
static int64_t run(struct mr_str text, bool groups, size_t *bytes)
{
    const struct sql_lookup lookup = {NULL, find_table};
    const struct sql_env env = {
        .lookup = &lookup, .now_ns = START, .time_floor = INT64_MIN, .groups = groups};
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf out = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct sql_error error = {0};
    struct sql_plan *plan = NULL;
    struct store_snapshot *snapshot = NULL;
    struct engine_run *run = NULL;
    int64_t start = mr_clock_mono(&mr_clock_system);
    int rc = sql_prepare(text, &env, &arena, &plan, &error);
    if (rc == MR_OK)
        rc = store_snapshot_open(store, &snapshot);
    if (rc == MR_OK)
        rc = engine_run_open(engine, plan, snapshot, NULL, &run, &err);
    while (rc == MR_OK)
        rc = engine_run_row(run, &out, &err);
    int64_t end = mr_clock_mono(&mr_clock_system);
    if (rc != MR_ENOENT) {
        fprintf(stderr, MR_STR_FMT "\n" MR_STR_FMT "%s\n", MR_STR_ARG(text), MR_STR_ARG(error.message),
                err.text);
        exit(1);
    }
    if (groups && plan->scans[0].groups == NULL && strstr(text.ptr, "GROUP") != NULL) {
        fprintf(stderr, MR_STR_FMT "\nis not aggregated in the store\n", MR_STR_ARG(text));
        exit(1);
    }
    *bytes = out.len;
    engine_run_close(run);
    store_snapshot_close(snapshot);
    mr_buf_release(&out);
    mr_arena_release(&arena);
    return end - start;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print_times(int64_t *ns, size_t n)
{
    qsort(ns, n, sizeof *ns, by_size);
    printf(" %.2f (%.2f .. %.2f) |", (double)ns[n / 2] / 1e6, (double)ns[0] / 1e6, (double)ns[n - 1] / 1e6);
}

static void measure(const struct query *q, size_t rounds)
{
    int64_t *ns[2] = {mr_calloc(rounds, sizeof(int64_t)), mr_calloc(rounds, sizeof(int64_t))};
    if (ns[0] == NULL || ns[1] == NULL)
        exit(1);
    for (size_t i = 0; i < rounds; i++) {
        struct mr_buf text = MR_BUF_INIT;
        size_t bytes[2];
        print_query(q, &text);
        mr_buf_char(&text, '\0');
        text.len--;
        for (int k = 0; k < 2; k++) /* each first in turn */
            ns[(k + i) % 2][i] = run(mr_buf_view(&text), (k + i) % 2 == 0, &bytes[(k + i) % 2]);
        if (llabs((long long)bytes[0] - (long long)bytes[1]) >
            (long long)bytes[0] / 20) /* digits of sums differ */
            fprintf(stderr, MR_STR_FMT "\n%zu and %zu bytes\n", MR_STR_ARG(mr_buf_view(&text)), bytes[0],
                    bytes[1]);
        mr_buf_release(&text);
    }
    printf("| %s |", q->name);
    print_times(ns[0], rounds);
    print_times(ns[1], rounds);
    printf("\n");
    fflush(stdout);
    mr_free(ns[0]);
    mr_free(ns[1]);
}

int main(int argc, char **argv)
{
    size_t rounds = argc > 2 ? strtoull(argv[2], NULL, 10) : 50;
    hosts = argc > 3 ? (unsigned)atoi(argv[3]) : hosts;
    rows = argc > 4 ? (unsigned)atoi(argv[4]) : rows;
    if (argc < 2 || rounds == 0 || hosts < 8 || rows == 0) {
        fprintf(stderr, "usage: mr_bench_queries DIR [rounds] [hosts] [rows]\n");
        return 2;
    }
    struct mr_error err = MR_ERROR_INIT;
    const struct store_options options = {
        .io = &mr_io_posix, .clock = &mr_clock_system, .dir = argv[1], .memory_limit = (size_t)8 << 30};
    const struct engine_options engine_options = {.threads = 2, .clock = &mr_clock_system};
    struct store_stats stats;
    mr_log_set_level(MR_LOG_WARN);
    check(store_open(&options, &store, &err), &err, "open");
    check(store_table_ref(store, 1, 1, &table, &err), &err, "table");
    store_stats(store, &stats);
    if (stats.file_rows == 0)
        load();
    store_stats(store, &stats);
    printf("%llu rows in %llu files, %llu in memory; %zu rounds; ms: median (least .. greatest)\n\n",
           (unsigned long long)stats.file_rows, (unsigned long long)stats.files,
           (unsigned long long)stats.rows, rounds);
    printf("| query | aggregated in the store | rows |\n| --- | --- | --- |\n");
    check(engine_open(&engine_options, &engine, &err), &err, "engine");
    for (size_t i = 0; i < MR_ARRAY_LEN(queries); i++)
        measure(&queries[i], rounds);
    engine_close(engine);
    store_table_unref(table);
    store_close(store);
    return 0;
}
