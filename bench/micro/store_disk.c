/* mr_bench_store DIR [whole|two|full] [hosts] [rows]: the storage engine alone, without HTTP and JSON.
 *
 * Writes the cpu shape of the Time Series Benchmark Suite (hosts with ten tags and ten readings a row, one
 * row every 10 s; random walks with N(0,1) steps in [0, 100]) into a store below DIR, flushes, merges, reads
 * all back, opens again, and prints what each step took and what is on disk. Loopback of nothing: one
 * process, one thread of writers.
 */
#include "base/log.h"
#include "base/rand.h"
#include "store/store.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TAGS = 10, READINGS = 10, BATCH = 100 };

static const char *const tag_names[TAGS] = {
    "arch",    "datacenter",          "hostname",        "os",  "rack", "region",
    "service", "service_environment", "service_version", "team"};
static const char *const reading_names[READINGS] = {
    "usage_guest", "usage_guest_nice", "usage_idle",  "usage_iowait", "usage_irq",
    "usage_nice",  "usage_softirq",    "usage_steal", "usage_system", "usage_user"};

struct host {
    char values[TAGS][24];
    struct mr_pair tags[TAGS];
    double walk[READINGS];
};

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

static void wait_for(struct waiting *w)
{
    pthread_mutex_lock(&lock);
    while (!w->done)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(int rc, const struct mr_error *err, const char *what)
{
    if (rc == MR_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

static double normal(struct mr_rng *rng)
{
    double u = 1.0 - mr_rng_unit(rng), v = mr_rng_unit(rng);
    return sqrt(-2.0 * log(u)) * cos(2.0 * M_PI * v);
}

static void make_host(struct host *h, unsigned i, struct mr_rng *rng)
{
    for (int t = 0; t < TAGS; t++) {
        unsigned n = t == 2 ? i : (unsigned)mr_rng_below(rng, 20);
        snprintf(h->values[t], sizeof h->values[t], "%s_%u", tag_names[t], n);
        h->tags[t] = (struct mr_pair){mr_str_of(tag_names[t]), mr_str_of(h->values[t])};
    }
    for (int r = 0; r < READINGS; r++)
        h->walk[r] = mr_rng_unit(rng) * 100;
}

static double kept(double v, double scale)
{
    return scale == 0 ? v : round(v * scale) / scale;
}

/* One batch: the next BATCH rows of a host. */
static void append(struct store_table *table, struct host *h, int64_t time, unsigned rows, double scale,
                   struct mr_rng *rng)
{
    static struct store_attr attrs[BATCH][READINGS];
    static struct store_record records[BATCH];
    struct mr_error err = MR_ERROR_INIT;
    for (unsigned i = 0; i < rows; i++) {
        for (int r = 0; r < READINGS; r++) {
            double next = h->walk[r] + normal(rng);
            h->walk[r] = next < 0 ? 0 : next > 100 ? 100 : next;
            attrs[i][r] = (struct store_attr){mr_str_of(reading_names[r]),
                                              {.type = STORE_DOUBLE, .f64 = kept(h->walk[r], scale)}};
        }
        records[i] = (struct store_record){.dims = h->tags,
                                           .ndims = TAGS,
                                           .nattrs = READINGS,
                                           .measure_name = MR_STR("cpu"),
                                           .type = STORE_MULTI,
                                           .attrs = attrs[i],
                                           .time = time + i * 10 * MR_NS_PER_S,
                                           .version = 1};
    }
    struct waiting w = {.commit = {.done = on_done}};
    int rc;
    while ((rc = store_append_wait(table, records, rows, &w.commit, &err)) == MR_EBUSY || rc == MR_ELIMIT)
        err = (struct mr_error)MR_ERROR_INIT;
    check(rc, &err, "append");
    wait_for(&w);
}

static uint64_t read_all(struct store *store, struct store_table *table, uint64_t *rows)
{
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct store_batch batch;
    struct mr_arena arena = MR_ARENA_INIT;
    struct store_schema schema;
    struct mr_error err = MR_ERROR_INIT;
    uint32_t columns[READINGS + 1] = {STORE_COLUMN_TIME};
    size_t n = 1;
    check(store_schema_get(table, &arena, &schema), &err, "schema");
    for (uint32_t i = 0; i < schema.ncolumns && n <= READINGS; i++)
        if (schema.columns[i].role == STORE_ATTRIBUTE)
            columns[n++] = i;
    struct store_scan_spec spec = {INT64_MIN, INT64_MAX, columns, n, NULL, 0, NULL, 0};
    check(store_snapshot_open(store, &snapshot), &err, "snapshot");
    check(store_scan_open(snapshot, table, &spec, &scan, &err), &err, "scan");
    check(store_cursor_open(scan, &cursor), &err, "cursor");
    uint64_t bytes = 0;
    *rows = 0;
    do {
        check(store_cursor_next(cursor, &batch, &err), &err, "rows");
        *rows += batch.rows;
        bytes += batch.bytes;
    } while (batch.rows != 0);
    store_cursor_close(cursor);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    mr_arena_release(&arena);
    return bytes;
}

struct timer {
    double wall, cpu;
};

static struct timer begin(void)
{
    return (struct timer){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static void report(const char *what, struct timer from, uint64_t values)
{
    struct timer now = begin();
    double wall = now.wall - from.wall, cpu = now.cpu - from.cpu;
    printf("%-8s %7.2f s, %7.2f s of processor, %7.2f M values/s, %.3f CPU s a million values\n", what, wall,
           cpu, (double)values / wall / 1e6, cpu / ((double)values / 1e6));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *kind = argc > 2 ? argv[2] : "two";
    unsigned hosts = argc > 3 ? (unsigned)atoi(argv[3]) : 100,
             rows = argc > 4 ? (unsigned)atoi(argv[4]) : 8640;
    double scale = strcmp(kind, "whole") == 0 ? 1 : strcmp(kind, "two") == 0 ? 100 : 0;
    if (argc < 2 || hosts == 0 || rows == 0) {
        fprintf(stderr, "usage: mr_bench_store DIR [whole|two|full] [hosts] [rows]\n");
        return 2;
    }
    struct mr_error err = MR_ERROR_INIT;
    struct mr_rng rng = {42};
    struct store *store;
    struct store_table *table;
    struct store_stats stats;
    uint64_t values = (uint64_t)hosts * rows * READINGS, read;
    const struct store_options options = {
        .io = &mr_io_posix, .clock = &mr_clock_system, .dir = argv[1], .memory_limit = (size_t)8 << 30};
    mr_log_set_level(MR_LOG_WARN);
    check(store_open(&options, &store, &err), &err, "open");
    check(store_table_ref(store, 1, 1, &table, &err), &err, "table");
    struct host *all = calloc(hosts, sizeof *all);
    if (all == NULL)
        return 1;
    for (unsigned i = 0; i < hosts; i++)
        make_host(&all[i], i, &rng);
    struct timer t = begin();
    for (unsigned row = 0; row < rows; row += BATCH)
        for (unsigned i = 0; i < hosts; i++)
            append(table, &all[i], INT64_C(1700000000) * MR_NS_PER_S + (int64_t)row * 10 * MR_NS_PER_S,
                   rows - row < BATCH ? rows - row : BATCH, scale, &rng);
    report("load", t, values);
    t = begin();
    uint64_t seen;
    read_all(store, table, &seen);
    report("read", t, seen * READINGS);
    t = begin();
    check(store_flush(store, &err), &err, "flush");
    report("flush", t, values);
    t = begin();
    check(store_compact(store, &err), &err, "merge");
    report("merge", t, values);
    store_stats(store, &stats);
    printf("disk     %.4f bytes a value: %llu files, %llu bytes, %llu rows; %llu rows in memory\n",
           (double)stats.file_bytes / (double)values, (unsigned long long)stats.files,
           (unsigned long long)stats.file_bytes, (unsigned long long)stats.file_rows,
           (unsigned long long)stats.rows);
    t = begin();
    read = read_all(store, table, &seen);
    report("read", t, seen * READINGS);
    printf("         %llu bytes read\n", (unsigned long long)read);
    store_table_unref(table);
    store_close(store);
    t = begin();
    check(store_open(&options, &store, &err), &err, "open again");
    report("open", t, values);
    store_close(store);
    free(all);
    return 0;
}
