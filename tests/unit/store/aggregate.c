/* Groups against a plain scan of the same rows, grouped here the slow way: random records in memory and in
 * files, with versions and NULLs, random specs, several cursors. MR_SEED in the environment starts another
 * run. */
#include "kit.h"

#include "base/log.h"
#include "base/rand.h"
#include "lib/check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SERIES = 24, ROWS = 3000, SPECS = 300, COLUMNS = 9, MOST_GROUPS = 8192, MOST_FOLDS = 6 };
#define SPAN (INT64_C(20) * ROWS) /* of the times */

enum { MEASURE, HOST, RACK, TIME, F, N, B, TS, S };
static const char *const names[COLUMNS] = {"measure_name", "host", "rack", "time", "f", "n", "b", "ts", "s"};
static const enum store_type types[COLUMNS] = {STORE_VARCHAR,   STORE_VARCHAR,   STORE_VARCHAR,
                                               STORE_TIMESTAMP, STORE_DOUBLE,    STORE_BIGINT,
                                               STORE_BOOLEAN,   STORE_TIMESTAMP, STORE_VARCHAR};

static struct kit kit;
static struct mr_rng rng;
static uint32_t numbers[COLUMNS];

struct cell {
    bool valid;
    double f64;
    __int128 i64; /* wide enough for sums */
    char text[16];
};
struct row {
    struct cell cells[COLUMNS];
};
static struct row rows[ROWS];
static size_t nrows;

static unsigned below(unsigned n)
{
    return (unsigned)mr_rng_below(&rng, n);
}

/* ---- records ---- */

static int64_t some_integer(void)
{
    return below(8) == 0 ? INT64_MAX - below(3) : below(8) == 0 ? INT64_MIN + below(3) : (int64_t)below(100);
}

/* Times are never equal, so that first and last are defined; doubles add up exactly in any order. */
static void write_row(unsigned series, int64_t time, int64_t version)
{
    char host[16], rack[16];
    struct mr_pair dims[2];
    struct store_attr attrs[5];
    uint32_t ndims = 0, n = 0;
    snprintf(host, sizeof host, "h%u", series % 7);
    snprintf(rack, sizeof rack, "r%u", series / 7);
    if (series % 5 != 0)
        dims[ndims++] = (struct mr_pair){MR_STR("host"), mr_str_of(host)};
    dims[ndims++] = (struct mr_pair){MR_STR("rack"), mr_str_of(rack)};
    if (below(3) != 0)
        attrs[n++] = kit_double("f", below(40) == 0 ? NAN : below(400) / 4.0 - 50);
    if (below(3) != 0)
        attrs[n++] = kit_bigint("n", some_integer());
    if (below(3) != 0)
        attrs[n++] = kit_bool("b", below(2));
    if (below(3) != 0)
        attrs[n++] = kit_time("ts", (int64_t)below(1000000));
    attrs[n] = kit_text("s", below(2) ? "odd" : "even");
    n += n == 0 || below(3) != 0;
    struct store_record r = kit_record(dims, ndims, series % 3 ? "m" : "other", time, version, attrs, n);
    check_ok(kit_append(kit.table, &r, 1), NULL);
    assert_int_equal(r.outcome, STORE_STORED);
}

static void write_rows(void)
{
    for (int i = 0; i < ROWS; i++) {
        write_row((unsigned)(i % SERIES), (int64_t)i * 20 + below(20), 1);
        if (i == ROWS / 3 || i == ROWS / 2)
            check_ok(store_flush(kit.store, NULL), NULL);
        if (i == ROWS / 3 + 50)
            check_ok(store_compact(kit.store, NULL), NULL);
    }
}

/* ---- the plain scan ---- */

static void read_cell(struct cell *cell, const struct store_vec *vec, size_t i)
{
    i = vec->constant ? 0 : i;
    cell->valid = vec->valid == NULL || vec->valid[i];
    if (!cell->valid)
        return;
    if (vec->type == STORE_DOUBLE) {
        cell->f64 = ((const double *)vec->values)[i];
    } else if (vec->type == STORE_VARCHAR) {
        struct mr_str s = ((const struct mr_str *)vec->values)[i];
        snprintf(cell->text, sizeof cell->text, MR_STR_FMT, MR_STR_ARG(s));
    } else if (vec->type == STORE_BOOLEAN) {
        cell->i64 = ((const uint8_t *)vec->values)[i];
    } else {
        cell->i64 = ((const int64_t *)vec->values)[i];
    }
}

static void read_rows(struct store_snapshot *snapshot)
{
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct store_batch batch;
    const struct store_scan_spec spec = {.time_max = INT64_MAX, .columns = numbers, .ncolumns = COLUMNS};
    check_ok(store_scan_open(snapshot, kit.table, &spec, &scan, NULL), NULL);
    check_ok(store_cursor_open(scan, &cursor), NULL);
    memset(rows, 0, sizeof rows);
    for (nrows = 0;;) {
        check_ok(store_cursor_next(cursor, &batch, NULL), NULL);
        if (batch.rows == 0)
            break;
        for (size_t i = 0; i < batch.rows; i++, nrows++)
            for (int c = 0; c < COLUMNS; c++)
                read_cell(&rows[nrows].cells[c], &batch.cols[c], i);
    }
    store_cursor_close(cursor);
    store_scan_close(scan);
    assert_int_equal(nrows, ROWS);
}

/* ---- groups, both ways ---- */

struct spec {
    struct store_aggregate_spec spec;
    struct store_pred pred;
    struct mr_str value;
    uint32_t keys[3];
    int key_columns[3], fold_columns[MOST_FOLDS];
    struct store_fold folds[MOST_FOLDS];
};

/* A result a fold: value, and for first and last its time. */
struct result {
    struct cell value;
    int64_t time;
    uint64_t seen;
};
struct grouped {
    char key[64];
    struct result results[MOST_FOLDS];
};
static struct grouped want[MOST_GROUPS], got[MOST_GROUPS];

static void make_spec(struct spec *s)
{
    static const int64_t bins[] = {0, 0, 1, 50, 1000, 7000, SPAN};
    *s = (struct spec){0};
    s->spec.scan.time_min = below(2) ? 0 : (int64_t)below(SPAN);
    s->spec.scan.time_max = below(2) ? INT64_MAX : s->spec.scan.time_min + (int64_t)below(SPAN);
    for (int c = MEASURE; c <= RACK; c++) {
        if (below(2)) {
            s->key_columns[s->spec.nkeys] = c;
            s->keys[s->spec.nkeys++] = numbers[c];
        }
    }
    s->spec.keys = s->keys;
    s->spec.bin_ns = bins[below(MR_ARRAY_LEN(bins))];
    s->spec.bin_origin = s->spec.bin_ns != 0 ? (int64_t)mr_rng_below(&rng, (uint64_t)s->spec.bin_ns) : 0;
    while (s->spec.nfolds < MOST_FOLDS && below(8) != 0) {
        int column = TIME + (int)below(COLUMNS - TIME);
        static const struct mr_str measures[] = {MR_STR_NULL, MR_STR_NULL, MR_STR("m"), MR_STR("other"),
                                                 MR_STR("no such")};
        struct store_fold f = {(enum store_fold_op)below(STORE_FOLD_LAST + 1), numbers[column], types[column],
                               measures[below(MR_ARRAY_LEN(measures))]};
        bool number = column == TIME || column == F || column == N || column == TS;
        bool ordered = f.op == STORE_FOLD_MIN || f.op == STORE_FOLD_MAX;
        bool ends = f.op == STORE_FOLD_FIRST || f.op == STORE_FOLD_LAST;
        if ((f.op == STORE_FOLD_SUM && column != F && column != N) || (ordered && !number) ||
            (ends && column == S))
            continue;
        s->fold_columns[s->spec.nfolds] = column;
        s->folds[s->spec.nfolds++] = f;
    }
    s->spec.folds = s->folds;
    if (below(3) == 0) {
        s->value = below(2) ? MR_STR("r1") : MR_STR("r2");
        s->pred = (struct store_pred){numbers[RACK], STORE_PRED_IN, &s->value, 1};
        s->spec.scan.preds = &s->pred;
        s->spec.scan.npreds = 1;
    }
}

static struct grouped *find(struct grouped *list, size_t *n, const char *key)
{
    for (size_t i = *n; i > 0; i--)
        if (strcmp(list[i - 1].key, key) == 0)
            return &list[i - 1];
    assert_true(*n < MOST_GROUPS);
    struct grouped *g = &list[(*n)++];
    memset(g, 0, sizeof *g);
    snprintf(g->key, sizeof g->key, "%s", key);
    return g;
}

static bool better(bool max, enum store_type type, const struct cell *a, const struct cell *b)
{
    if (type != STORE_DOUBLE)
        return max ? a->i64 > b->i64 : a->i64 < b->i64;
    if (isnan(a->f64) || isnan(b->f64))
        return max ? isnan(a->f64) : isnan(b->f64);
    return max ? a->f64 > b->f64 : a->f64 < b->f64;
}

/* Adds a partial result (of one row, or of a group handed out) to what is there. */
static void add(const struct store_fold *fold, struct result *to, const struct result *from)
{
    bool last = fold->op == STORE_FOLD_LAST, max = fold->op == STORE_FOLD_MAX;
    switch (fold->op) {
    case STORE_FOLD_FIRST:
    case STORE_FOLD_LAST:
        if (!to->seen || (last ? from->time > to->time : from->time < to->time))
            *to = *from;
        break;
    case STORE_FOLD_MIN:
    case STORE_FOLD_MAX:
        if (from->value.valid && (!to->value.valid || better(max, fold->type, &from->value, &to->value)))
            *to = *from;
        break;
    default:
        if (!from->value.valid)
            break;
        to->value.valid = true;
        to->value.f64 += from->value.f64;
        to->value.i64 += from->value.i64;
    }
    to->seen = 1;
}

static void add_key(char *key, size_t size, const struct cell *cell)
{
    size_t n = strlen(key);
    snprintf(key + n, size - n, "%s,", cell->valid ? cell->text : "(none)");
}

static size_t group_plain(const struct spec *s)
{
    size_t n = 0;
    for (size_t r = 0; r < nrows; r++) {
        const struct cell *c = rows[r].cells;
        int64_t time = (int64_t)c[TIME].i64;
        char key[64] = "";
        if (time < s->spec.scan.time_min || time > s->spec.scan.time_max ||
            (s->spec.scan.npreds > 0 && !mr_str_eq(mr_str_of(c[RACK].text), s->value)))
            continue;
        for (size_t k = 0; k < s->spec.nkeys; k++)
            add_key(key, sizeof key, &c[s->key_columns[k]]);
        if (s->spec.bin_ns != 0) {
            int64_t bin = s->spec.bin_origin - s->spec.bin_ns;
            bin += (time - bin) / s->spec.bin_ns * s->spec.bin_ns;
            snprintf(key + strlen(key), sizeof key - strlen(key), "%lld", (long long)bin);
        }
        struct grouped *g = find(want, &n, key);
        for (size_t f = 0; f < s->spec.nfolds; f++) {
            struct result one = {c[s->fold_columns[f]], time, 1};
            bool counts = s->folds[f].op == STORE_FOLD_COUNT;
            bool all = s->folds[f].measure.ptr == NULL,
                 asked = all || mr_str_eq(s->folds[f].measure, mr_str_of(c[MEASURE].text));
            if (s->folds[f].op == STORE_FOLD_ROWS || counts)
                one.value = (struct cell){.valid = true, .i64 = asked && (!counts || one.value.valid)};
            else if (!asked)
                continue;
            add(&s->folds[f], &g->results[f], &one);
        }
    }
    return n;
}

static void read_result(const struct store_fold *fold, const struct store_vec **vec, size_t row,
                        struct result *out)
{
    *out = (struct result){.seen = 1};
    read_cell(&out->value, *vec, row);
    if (fold->op == STORE_FOLD_SUM && fold->type == STORE_BIGINT && out->value.valid)
        out->value.i64 = ((const __int128 *)(*vec)->values)[row];
    (*vec)++;
    if (fold->op == STORE_FOLD_FIRST || fold->op == STORE_FOLD_LAST)
        out->time = ((const int64_t *)(*vec)++->values)[row];
}

static void take_groups(const struct spec *s, const struct store_groups *batch, size_t *n)
{
    for (size_t row = 0; row < batch->rows; row++) {
        const struct store_vec *vec = batch->cols;
        char key[64] = "";
        for (size_t k = 0; k < s->spec.nkeys; k++) {
            struct cell cell = {0};
            read_cell(&cell, vec++, row);
            add_key(key, sizeof key, &cell);
        }
        if (s->spec.bin_ns != 0)
            snprintf(key + strlen(key), sizeof key - strlen(key), "%lld",
                     (long long)((const int64_t *)vec++->values)[row]);
        struct grouped *g = find(got, n, key);
        for (size_t f = 0; f < s->spec.nfolds; f++) {
            struct result part;
            read_result(&s->folds[f], &vec, row, &part);
            add(&s->folds[f], &g->results[f], &part);
        }
    }
}

static size_t group_in_store(const struct spec *s, struct store_snapshot *snapshot)
{
    struct store_aggregate *aggregate;
    struct store_aggregate_cursor *cursors[3];
    struct mr_error err = MR_ERROR_INIT;
    size_t n = 0, ncursors = 1 + below(3), open = ncursors;
    check_ok(store_aggregate_open(snapshot, kit.table, &s->spec, &aggregate, &err), &err);
    for (size_t i = 0; i < ncursors; i++)
        check_ok(store_aggregate_cursor_open(aggregate, &cursors[i]), NULL);
    while (open > 0) {
        size_t i = below((unsigned)ncursors);
        struct store_groups batch;
        if (cursors[i] == NULL)
            continue;
        check_ok(store_aggregate_cursor_next(cursors[i], &batch, &err), &err);
        take_groups(s, &batch, &n);
        if (batch.ended) {
            store_aggregate_cursor_close(cursors[i]);
            cursors[i] = NULL;
            open--;
        }
    }
    store_aggregate_close(aggregate);
    return n;
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct grouped *)a)->key, ((const struct grouped *)b)->key);
}

static void check_result(const struct store_fold *fold, const struct result *a, const struct result *b)
{
    assert_int_equal(a->value.valid, b->value.valid);
    if ((fold->op == STORE_FOLD_FIRST || fold->op == STORE_FOLD_LAST) &&
        b->seen) /* else no row of the name */
        assert_int_equal(a->time, b->time);
    if (!a->value.valid)
        return;
    assert_true(a->value.i64 == b->value.i64);
    assert_true(a->value.f64 == b->value.f64 || (isnan(a->value.f64) && isnan(b->value.f64)));
}

static void test_groups_are_those_of_a_scan(void **state)
{
    const char *seed = getenv("MR_SEED");
    size_t groups = 0;
    MR_UNUSED(state);
    rng.state = seed != NULL ? strtoull(seed, NULL, 10) : 3;
    kit = (struct kit){.options = {.by_hand = true, .window_ns = SPAN / 3}};
    kit_open(&kit);
    write_rows();
    for (int c = 0; c < COLUMNS; c++)
        numbers[c] = kit_column(kit.table, names[c]);
    for (int i = 0; i < SPECS; i++) {
        struct spec s;
        struct store_snapshot *snapshot;
        if (i % 100 == 50) { /* newer versions in memory of rows in files, then all in files */
            check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
            read_rows(snapshot);
            store_snapshot_close(snapshot);
            for (unsigned r = below(50); r < nrows; r += 1 + below(50))
                write_row((unsigned)(rows[r].cells[TIME].i64 / 20) % SERIES, (int64_t)rows[r].cells[TIME].i64,
                          i);
        } else if (i % 100 == 75) {
            check_ok(store_flush(kit.store, NULL), NULL);
        }
        check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
        read_rows(snapshot);
        make_spec(&s);
        size_t n = group_plain(&s);
        assert_int_equal(group_in_store(&s, snapshot), n);
        groups += n;
        qsort(want, n, sizeof want[0], by_key);
        qsort(got, n, sizeof got[0], by_key);
        for (size_t g = 0; g < n; g++) {
            assert_string_equal(got[g].key, want[g].key);
            for (size_t f = 0; f < s.spec.nfolds; f++)
                check_result(&s.folds[f], &got[g].results[f], &want[g].results[f]);
        }
        store_snapshot_close(snapshot);
    }
    assert_true(groups > 10 * SPECS);
    kit_close(&kit);
}

/* More groups than a cursor holds at a time: they come in parts, and none is lost. */
static void test_many_groups_come_in_parts(void **state)
{
    MR_UNUSED(state);
    enum { HOSTS = 300, STEPS = 400 };
    struct mr_error err = MR_ERROR_INIT;
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
    for (int h = 0; h < HOSTS; h++) {
        static struct store_record records[STEPS];
        struct store_attr attr = kit_double("f", 1);
        char host[16];
        snprintf(host, sizeof host, "h%d", h);
        struct mr_pair dim = {MR_STR("host"), mr_str_of(host)};
        for (int i = 0; i < STEPS; i++)
            records[i] = kit_record(&dim, 1, "m", i, 1, &attr, 1);
        check_ok(kit_append(kit.table, records, STEPS), NULL);
    }
    const uint32_t host = kit_column(kit.table, "host"), f = kit_column(kit.table, "f");
    const struct store_fold folds[] = {{STORE_FOLD_SUM, f, STORE_DOUBLE, MR_STR_NULL},
                                       {STORE_FOLD_ROWS, 0, STORE_NONE, MR_STR_NULL}};
    const struct store_aggregate_spec spec = {
        .scan = {.time_max = INT64_MAX}, .keys = &host, .nkeys = 1, .bin_ns = 1, .folds = folds, .nfolds = 2};
    struct store_snapshot *snapshot;
    struct store_aggregate *aggregate;
    struct store_aggregate_cursor *cursor;
    struct store_groups batch;
    double sum = 0;
    int64_t groups = 0, count = 0, batches_before = 0;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    check_ok(store_aggregate_open(snapshot, kit.table, &spec, &aggregate, &err), &err);
    check_ok(store_aggregate_cursor_open(aggregate, &cursor), NULL);
    do {
        struct store_scan_info info;
        check_ok(store_aggregate_cursor_next(cursor, &batch, &err), &err);
        store_aggregate_info(aggregate, &info);
        batches_before += batch.rows != 0 && info.series_done < HOSTS;
        groups += (int64_t)batch.rows;
        for (size_t i = 0; i < batch.rows; i++) {
            sum += ((const double *)batch.cols[2].values)[i];
            count += ((const int64_t *)batch.cols[3].values)[i];
        }
    } while (!batch.ended);
    assert_int_equal(groups, HOSTS * STEPS); /* each alone: bins of one row are never split */
    assert_int_equal(count, HOSTS * STEPS);
    assert_true(sum == HOSTS * STEPS);
    assert_true(batches_before > 0); /* some came before all was read */
    store_aggregate_cursor_close(cursor);
    store_aggregate_close(aggregate);
    store_snapshot_close(snapshot);
    kit_close(&kit);
}

/* ---- the last row of each series, of which little but the end is read ---- */

enum { LONG = 20000 };

/* The last row at or before `most`: its time and value. */
static void check_last(struct store_snapshot *snapshot, uint32_t column, int64_t most, int64_t last,
                       uint64_t *bytes)
{
    const struct store_fold folds[] = {{STORE_FOLD_LAST, column, STORE_BIGINT, MR_STR_NULL},
                                       {STORE_FOLD_MAX, STORE_COLUMN_TIME, STORE_TIMESTAMP, MR_STR_NULL}};
    const struct store_aggregate_spec spec = {
        .scan = {.time_min = 5, .time_max = most}, .folds = folds, .nfolds = 2};
    struct store_aggregate *aggregate;
    struct store_aggregate_cursor *cursor;
    struct store_groups batch;
    check_ok(store_aggregate_open(snapshot, kit.table, &spec, &aggregate, NULL), NULL);
    check_ok(store_aggregate_cursor_open(aggregate, &cursor), NULL);
    check_ok(store_aggregate_cursor_next(cursor, &batch, NULL), NULL);
    *bytes = batch.bytes;
    assert_int_equal(batch.rows, last >= 5);
    for (size_t i = 0; i < batch.rows; i++) {
        assert_int_equal(((const int64_t *)batch.cols[0].values)[0], last * 7);
        assert_int_equal(((const int64_t *)batch.cols[1].values)[0], last);
        assert_int_equal(((const int64_t *)batch.cols[2].values)[0], last);
    }
    store_aggregate_cursor_close(cursor);
    store_aggregate_close(aggregate);
}

/* Times are even numbers; the first half are one file, the second another, [mem_from, ...) in memory too. */
static void write_even(int from, int end)
{
    static struct store_record records[1000];
    static struct store_attr attrs[1000];
    const struct mr_pair dim = {MR_STR("host"), MR_STR("a")};
    for (int i = from; i < end;) {
        size_t n = 0;
        for (; n < 1000 && i < end; i++, n++) {
            attrs[n] = kit_bigint("n", INT64_C(14) * i);
            records[n] = kit_record(&dim, 1, "m", INT64_C(2) * i, 1, &attrs[n], 1);
        }
        check_ok(kit_append(kit.table, records, n), NULL);
    }
}

static void test_last_rows_are_found_from_the_end(void **state)
{
    MR_UNUSED(state);
    struct store_snapshot *snapshot;
    uint64_t bytes, all;
    kit = (struct kit){.options = {.by_hand = true}};
    kit_open(&kit);
    write_even(0, LONG);
    check_ok(store_flush(kit.store, NULL), NULL);
    const uint32_t column = kit_column(kit.table, "n");
    for (int memory = 0; memory < 2; memory++) {
        int count = LONG + memory * 1500;
        if (memory)
            write_even(LONG, count);
        check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
        if (memory)
            write_even(count, count + 10); /* too late for the snapshot */
        check_last(snapshot, column, INT64_MAX, 2 * (count - 1), &bytes);
        check_last(snapshot, column, INT64_MAX, 2 * (count - 1), &all);
        assert_int_equal(all, bytes);   /* also when the blocks are in the cache */
        for (int i = 0; i < 200; i++) { /* every odd bound, too, and what is next to the ends of blocks */
            int64_t most =
                i < 100 ? (int64_t)below(2 * LONG + 4000) : 8192 * 2 * (1 + i % 2) - 12 + (i - 100) / 5;
            int64_t last = most < 2 * (count - 1) ? most / 2 * 2 : 2 * (count - 1);
            check_last(snapshot, column, most, last, &all);
        }
        check_last(snapshot, column, 5, 4, &all); /* no row at all */
        store_snapshot_close(snapshot);
        if (!memory)
            assert_true(bytes < 16000); /* of 20,000 rows of two columns: the third block of three */
    }
    kit_close(&kit);
}

static void test_bad_specs(void **state)
{
    MR_UNUSED(state);
    const uint32_t time = STORE_COLUMN_TIME, far = 99;
    const struct store_fold bad[] = {
        {STORE_FOLD_SUM, 2, STORE_VARCHAR, MR_STR_NULL}, {STORE_FOLD_SUM, 2, STORE_TIMESTAMP, MR_STR_NULL},
        {STORE_FOLD_MIN, 2, STORE_BOOLEAN, MR_STR_NULL}, {STORE_FOLD_LAST, 2, STORE_VARCHAR, MR_STR_NULL},
        {STORE_FOLD_COUNT, 2, STORE_MULTI, MR_STR_NULL}, {STORE_FOLD_SUM, 99, STORE_DOUBLE, MR_STR_NULL}};
    struct store_snapshot *snapshot;
    struct store_aggregate *aggregate = NULL;
    struct store_aggregate_cursor *cursor;
    struct store_groups batch;
    kit = (struct kit){0};
    kit_open(&kit);
    write_row(1, 5, 1);
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        const struct store_aggregate_spec spec = {.folds = &bad[i], .nfolds = 1};
        assert_int_equal(store_aggregate_open(snapshot, kit.table, &spec, &aggregate, NULL), MR_EINVAL);
    }
    const struct store_aggregate_spec bins[] = {{.bin_ns = -1},
                                                {.bin_ns = 5, .bin_origin = 5},
                                                {.bin_ns = 5, .bin_origin = -1},
                                                {.keys = &far, .nkeys = 1}};
    for (size_t i = 0; i < MR_ARRAY_LEN(bins); i++)
        assert_int_equal(store_aggregate_open(snapshot, kit.table, &bins[i], &aggregate, NULL), MR_EINVAL);
    /* What only the rows can show: a key that is none, a type that is not the column's. */
    const struct store_fold wrong = {STORE_FOLD_SUM, kit_column(kit.table, "rack"), STORE_DOUBLE,
                                     MR_STR_NULL};
    const struct store_aggregate_spec late[] = {{.scan = {.time_max = 9}, .keys = &time, .nkeys = 1},
                                                {.scan = {.time_max = 9}, .folds = &wrong, .nfolds = 1}};
    for (size_t i = 0; i < MR_ARRAY_LEN(late); i++) {
        check_ok(store_aggregate_open(snapshot, kit.table, &late[i], &aggregate, NULL), NULL);
        check_ok(store_aggregate_cursor_open(aggregate, &cursor), NULL);
        assert_int_equal(store_aggregate_cursor_next(cursor, &batch, NULL), MR_EINVAL);
        store_aggregate_cursor_close(cursor);
        store_aggregate_close(aggregate);
    }
    store_snapshot_close(snapshot);
    kit_close(&kit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups_are_those_of_a_scan),
        cmocka_unit_test(test_many_groups_come_in_parts),
        cmocka_unit_test(test_last_rows_are_found_from_the_end),
        cmocka_unit_test(test_bad_specs),
    };
    mr_log_set_level(MR_LOG_WARN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
