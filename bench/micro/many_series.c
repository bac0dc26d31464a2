/* mr_bench_many [series]: so many series with three short dimensions and one row each, through the store
 * alone; what they cost in memory and on disk, how long the slowest append took, and how long a start takes
 * with them. */
#include "base/log.h"
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { BATCH = 100, IN_FLIGHT = 16 };

struct waiting {
    struct store_commit commit; /* first: done() gets its address */
    bool going;
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void on_done(struct store_commit *commit)
{
    pthread_mutex_lock(&lock);
    ((struct waiting *)commit)->going = false;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(struct waiting *w)
{
    pthread_mutex_lock(&lock);
    while (w->going)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(int rc, const struct mr_error *err, const char *what)
{
    if (rc == MR_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err->text);
    exit(1);
}

/* Series [from, from + BATCH): device d of site d / 1000 in region d / 100000. */
static void append(struct store_table *table, unsigned long from)
{
    static char words[BATCH][3][24];
    static struct mr_pair dims[BATCH][3];
    static struct store_attr values[BATCH];
    static struct store_record records[BATCH];
    struct mr_error err = MR_ERROR_INIT;
    for (unsigned i = 0; i < BATCH; i++) {
        unsigned long d = from + i;
        snprintf(words[i][0], sizeof words[i][0], "d%lu", d);
        snprintf(words[i][1], sizeof words[i][1], "r%lu", d / 100000);
        snprintf(words[i][2], sizeof words[i][2], "s%lu", d / 1000);
        dims[i][0] = (struct mr_pair){MR_STR("device"), mr_str_of(words[i][0])};
        dims[i][1] = (struct mr_pair){MR_STR("region"), mr_str_of(words[i][1])};
        dims[i][2] = (struct mr_pair){MR_STR("site"), mr_str_of(words[i][2])};
        values[i] = (struct store_attr){MR_STR_NULL, {.type = STORE_DOUBLE, .f64 = (double)d}};
        records[i] = (struct store_record){.dims = dims[i],
                                           .ndims = 3,
                                           .nattrs = 1,
                                           .measure_name = MR_STR("temperature"),
                                           .type = STORE_DOUBLE,
                                           .attrs = &values[i],
                                           .time = INT64_C(1700000000) * MR_NS_PER_S,
                                           .version = 1};
    }
    static struct waiting waiting[IN_FLIGHT];
    struct waiting *w = &waiting[from / BATCH % IN_FLIGHT];
    wait_for(w);
    *w = (struct waiting){.commit = {.done = on_done}, .going = true};
    int rc;
    while ((rc = store_append_wait(table, records, BATCH, &w->commit, &err)) == MR_EBUSY || rc == MR_ELIMIT)
        err = (struct mr_error)MR_ERROR_INIT;
    check(rc, &err, "append");
}

int main(int argc, char **argv)
{
    unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    char dir[] = "/tmp/millrace-many-XXXXXX", command[64];
    struct mr_error err = MR_ERROR_INIT;
    struct store *store;
    struct store_table *table;
    struct store_stats stats;
    if (mkdtemp(dir) == NULL)
        return 1;
    const struct store_options options = {
        .io = &mr_io_posix, .clock = &mr_clock_system, .dir = dir, .memory_limit = (size_t)12 << 30};
    mr_log_set_level(MR_LOG_WARN);
    check(store_open(&options, &store, &err), &err, "open");
    check(store_table_ref(store, 1, 1, &table, &err), &err, "table");
    double began = now(), slowest = 0;
    for (unsigned long i = 0; i + BATCH <= n; i += BATCH) {
        double before = now();
        append(table, i);
        slowest = now() - before > slowest ? now() - before : slowest;
    }
    printf("write    %.1f s, %.0f series/s, slowest batch %.1f ms\n", now() - began,
           (double)n / (now() - began), slowest * 1000);
    began = now();
    check(store_flush(store, &err), &err, "flush");
    check(store_compact(store, &err), &err, "merge");
    store_stats(store, &stats);
    printf("settle   %.1f s\n", now() - began);
    printf("memory   %.0f bytes a series (rows in files)\n", (double)stats.memory_bytes / (double)n);
    printf("disk     %.1f bytes a series, %llu files\n", (double)stats.file_bytes / (double)n,
           (unsigned long long)stats.files);
    store_table_unref(table);
    store_close(store);
    began = now();
    check(store_open(&options, &store, &err), &err, "open again");
    printf("start    %.1f s\n", now() - began);
    store_close(store);
    snprintf(command, sizeof command, "rm -rf %s", dir);
    return system(command) == 0 ? 0 : 1;
}
