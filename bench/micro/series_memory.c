/* bench/micro/series_memory.c - what a series costs in memory, and what rows cost in time, without log and
 * network.
 *
 *     ninja -C build mr_bench_series && build/bench/mr_bench_series
 *
 * Rows go through mem_batch_put in batches of 100 on one thread, as store_append does it; then the same rows
 * as log entries, written and replayed; then a scan of them. "bytes" are the store's own count, "rss" the
 * kernel's.
 */
#include "base/rand.h"
#include "memstore/memstore.h"
#include "store/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 100, HOSTS = 1000, ATTRS = 10 };

struct bench {
    struct mem_budget budget;
    struct mem_table *table;
    struct mem_scratch *scratch;
    struct mr_buf entries; /* each behind a 32-bit length, when `keep` is set */
    bool keep;
    uint64_t lsn;
};

/* Seconds of processor time: one thread, and the machine may be busy with other things. */
static double now(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static double rss(void)
{
    unsigned long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%lu %lu", &total, &resident) != 2)
        resident = 0;
    if (f != NULL)
        fclose(f);
    return (double)resident * (double)sysconf(_SC_PAGESIZE);
}

static void open_bench(struct bench *b)
{
    *b = (struct bench){.entries = MR_BUF_INIT};
    MR_ASSERT(mem_table_open(&b->budget, &b->table) == MR_OK);
    b->scratch = mem_scratch_new();
    MR_ASSERT(b->scratch != NULL);
}

static void close_bench(struct bench *b)
{
    mem_table_close(b->table);
    mem_scratch_free(b->scratch);
    mr_buf_release(&b->entries);
}

static void keep_entry(struct bench *b)
{
    struct mem_batch batch;
    size_t at = b->entries.len;
    mem_batch_view(b->table, &batch);
    mr_buf_u32(&b->entries, 0);
    entry_write_append(&b->entries, 1, 1, b->table, &batch);
    MR_ASSERT(mr_buf_ok(&b->entries));
    uint32_t len = (uint32_t)(b->entries.len - at - 4);
    memcpy(b->entries.ptr + at, &len, 4);
}

static void put(struct bench *b, struct mem_record *records, size_t count)
{
    b->lsn++;
    mem_write_lock(b->table);
    mem_batch_begin(b->table, b->scratch, b->lsn, b->lsn - 1);
    for (size_t i = 0; i < count; i++)
        MR_ASSERT(mem_batch_put(b->table, &records[i]) == MR_OK && records[i].outcome == MEM_STORED);
    if (b->keep)
        keep_entry(b);
    mem_batch_commit(b->table, b->lsn);
    mem_write_unlock(b->table);
}

/* ---- series with one row
 * ---------------------------------------------------------------------------------------- */

static void series_of_one_row(const char *what, unsigned hosts, unsigned units)
{
    static struct mem_record records[BATCH];
    static struct mr_pair dims[BATCH][3];
    static char names[BATCH][3][16];
    struct bench b;
    struct mem_attr attr = {{"", 0}, {.type = MEM_DOUBLE, .f64 = 1.5}};
    unsigned count = hosts * units;
    double before = rss();
    open_bench(&b);
    double start = now();
    for (unsigned i = 0; i < count; i += BATCH) {
        for (unsigned k = 0; k < BATCH; k++) {
            unsigned host = (i + k) / units, unit = (i + k) % units;
            snprintf(names[k][0], 16, "host-%07u", host);
            snprintf(names[k][1], 16, "eu-%u", host % 20);
            snprintf(names[k][2], 16, "u%u", unit);
            dims[k][0] = (struct mr_pair){MR_STR("host"), mr_str_of(names[k][0])};
            dims[k][1] = (struct mr_pair){MR_STR("region"), mr_str_of(names[k][1])};
            dims[k][2] = (struct mr_pair){MR_STR("unit"), mr_str_of(names[k][2])};
            records[k] = (struct mem_record){.dims = dims[k],
                                             .ndims = 3,
                                             .nattrs = 1,
                                             .attrs = &attr,
                                             .measure_name = MR_STR("temperature"),
                                             .type = MEM_DOUBLE,
                                             .time = INT64_C(1700000000000000000) + i,
                                             .version = 1};
        }
        put(&b, records, BATCH);
    }
    double seconds = now() - start;
    printf("%-34s %6.0f bytes a series (%.0f without its row), rss %.0f, %.0f ns an append\n", what,
           (double)mem_budget_bytes(&b.budget) / count, (double)b.budget.series_bytes / count,
           (rss() - before) / count, seconds / count * 1e9);
    start = now();
    mem_release(b.table, b.lsn); /* as if files had the rows */
    printf("%-34s %6.0f bytes a series left in files alone, %.0f ns a release\n", what,
           (double)mem_budget_bytes(&b.budget) / count, (now() - start) / count * 1e9);
    close_bench(&b);
}

/* ---- rows in order
 * ---------------------------------------------------------------------------------------------- */

struct names {
    char hosts[HOSTS][16];
    struct mr_pair dims[HOSTS][2];
    struct mem_attr attrs[ATTRS];
    char attr_names[ATTRS][16];
};

static void make_names(struct names *n)
{
    for (int i = 0; i < HOSTS; i++) {
        snprintf(n->hosts[i], 16, "host-%04d", i);
        n->dims[i][0] = (struct mr_pair){MR_STR("host"), mr_str_of(n->hosts[i])};
        n->dims[i][1] = (struct mr_pair){MR_STR("region"), MR_STR("eu-west-1")};
    }
    for (int i = 0; i < ATTRS; i++) {
        snprintf(n->attr_names[i], 16, "attribute_%d", i);
        n->attrs[i] = (struct mem_attr){mr_str_of(n->attr_names[i]), {.type = MEM_DOUBLE, .f64 = 0.25 * i}};
    }
}

static void replay(struct bench *from, const char *what, double rows);
static void release(struct bench *b, const char *what, double rows);

static void rows_in_order(struct names *n, const char *what, unsigned nattrs, unsigned per_host)
{
    static struct mem_record records[BATCH];
    struct bench b;
    open_bench(&b);
    b.keep = true;
    double rows = 0, spent = 0;
    for (unsigned step = 0; step < per_host; step++) {
        for (unsigned host = 0; host < HOSTS; host += BATCH) {
            for (unsigned k = 0; k < BATCH; k++)
                records[k] =
                    (struct mem_record){.dims = n->dims[host + k],
                                        .ndims = 2,
                                        .nattrs = nattrs,
                                        .attrs = n->attrs,
                                        .measure_name = MR_STR("metrics"),
                                        .type = nattrs == 1 ? MEM_DOUBLE : MEM_MULTI,
                                        .time = INT64_C(1700000000000000000) + step * INT64_C(1000000000),
                                        .version = 1};
            double start = now();
            put(&b, records, BATCH);
            spent += now() - start;
            rows += BATCH;
        }
    }
    printf("%-34s %6.2f M rows/s with log entries, %.1f bytes a row in memory, %.1f in the log\n", what,
           rows / spent / 1e6, (double)b.budget.row_bytes / rows, (double)b.entries.len / rows);
    replay(&b, what, rows);
    release(&b, what, rows);
    close_bench(&b);
}

/* ---- replay and scan
 * -------------------------------------------------------------------------------------------- */

struct load {
    struct mem_table *table;
    uint64_t lsn;
};

static int on_column(void *ctx, uint32_t column, enum mem_role role, enum mem_type type, struct mr_str name)
{
    return mem_load_column(((struct load *)ctx)->table, column, role, type, name);
}

static int on_measure(void *ctx, uint32_t measure, enum mem_type type, struct mr_str name)
{
    return mem_load_measure(((struct load *)ctx)->table, measure, type, name);
}

static int on_series(void *ctx, uint32_t series, uint32_t measure, const struct mem_dim *dims, uint32_t ndims)
{
    return mem_load_series(((struct load *)ctx)->table, series, measure, dims, ndims);
}

static int on_row(void *ctx, const struct mem_row *row)
{
    struct load *load = ctx;
    return mem_load_row(load->table, row, load->lsn);
}

static void scan(struct bench *b, const char *what, double rows)
{
    const uint32_t columns[] = {MEM_COLUMN_TIME, 2, 4};
    struct mem_cursor *cursor;
    struct mem_counts counts;
    mem_counts(b->table, &counts);
    MR_ASSERT(mem_cursor_open(b->table, columns, 3, &cursor) == MR_OK);
    double start = now(), seen = 0;
    for (uint32_t series = 0; series < counts.next_series; series++) {
        int64_t from = 0;
        for (bool more = true; more;) {
            size_t got;
            mem_read_lock(b->table);
            MR_ASSERT(mem_cursor_fill(cursor, b->table, series, &from, INT64_MAX, UINT64_MAX, &got, &more) ==
                      MR_OK);
            mem_read_unlock(b->table);
            seen += (double)got;
        }
    }
    MR_ASSERT(seen == rows);
    printf("%-34s %6.0f M rows/s scanned (time, a dimension, a double)\n", what,
           rows / (now() - start) / 1e6);
    mem_cursor_close(cursor);
}

/* Nine tenths of the rows: whole chunks, and the older part of one in each series. */
static void release(struct bench *b, const char *what, double rows)
{
    struct mem_counts counts;
    double start = now();
    mem_release(b->table, b->lsn - b->lsn / 10);
    double seconds = now() - start;
    mem_counts(b->table, &counts);
    printf("%-34s %6.0f M rows/s released\n", what, (rows - (double)counts.rows) / seconds / 1e6);
}

static void replay(struct bench *from, const char *what, double rows)
{
    struct bench b;
    open_bench(&b);
    struct load load = {b.table, 0};
    struct entry_sink sink = {&load, on_column, on_measure, on_series, on_row};
    double start = now();
    for (size_t at = 0; at < from->entries.len;) {
        uint32_t len;
        memcpy(&len, from->entries.ptr + at, 4);
        struct mr_cursor cursor = mr_cursor_of(from->entries.ptr + at + 4, len);
        struct entry_head head;
        load.lsn++;
        MR_ASSERT(entry_read_head(&cursor, &head, NULL) == MR_OK);
        MR_ASSERT(entry_read_append(&cursor, &sink, NULL) == MR_OK);
        at += 4 + len;
    }
    double seconds = now() - start;
    printf("%-34s %6.0f MB/s of log replayed, %.2f M rows/s\n", what,
           (double)from->entries.len / seconds / 1e6, rows / seconds / 1e6);
    scan(&b, what, rows);
    close_bench(&b);
}

/* ---- rows in no order
 * ------------------------------------------------------------------------------------------- */

static void rows_in_no_order(unsigned count)
{
    enum { PARTS = 4 };
    static struct mem_record records[BATCH];
    struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    struct mem_attr attr = {{"", 0}, {.type = MEM_DOUBLE, .f64 = 1.5}};
    struct mr_rng rng = {1};
    struct bench b;
    open_bench(&b);
    printf("one series, %u rows anywhere in 4 years, ns an append in each quarter of them:", count);
    for (int part = 0; part < PARTS; part++) {
        double start = now();
        for (unsigned i = 0; i < count / PARTS; i += BATCH) {
            for (unsigned k = 0; k < BATCH; k++)
                records[k] =
                    (struct mem_record){.dims = &dim,
                                        .ndims = 1,
                                        .nattrs = 1,
                                        .attrs = &attr,
                                        .measure_name = MR_STR("m"),
                                        .type = MEM_DOUBLE,
                                        .time = (int64_t)mr_rng_below(&rng, UINT64_C(126144000000000000)),
                                        .version = 1};
            put(&b, records, BATCH);
        }
        printf(" %.0f", (now() - start) / (count / PARTS) * 1e9);
    }
    printf("; %.1f bytes a row\n", (double)b.budget.row_bytes / count);
    close_bench(&b);
}

int main(void)
{
    static struct names names;
    make_names(&names);
    series_of_one_row("1 M series, 100 k hosts of 10 units", 100000, 10);
    series_of_one_row("1 M series, 1 M hosts", 1000000, 1);
    rows_in_order(&names, "single measure, 1,000 series", 1, 5000);
    rows_in_order(&names, "MULTI of 10 doubles, 1,000 series", ATTRS, 1000);
    rows_in_no_order(4000000);
    return 0;
}
