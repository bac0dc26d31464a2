#include "kit.h"

#include "lib/check.h"
#include "lib/dir.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>

static void open_again(struct kit *kit)
{
    struct mr_error err = MR_ERROR_INIT;
    kit->options.io = &mr_io_posix;
    kit->options.clock = &mr_clock_system;
    kit->options.dir = kit->dir;
    check_ok(store_open(&kit->options, &kit->store, &err), &err);
    check_ok(store_table_ref(kit->store, 3, 7, &kit->table, &err), &err);
}

void kit_open(struct kit *kit)
{
    kit->dir = dir_make();
    open_again(kit);
}

static void shut(struct kit *kit)
{
    store_table_unref(kit->table);
    store_close(kit->store);
}

void kit_close(struct kit *kit)
{
    shut(kit);
    dir_remove(kit->dir);
}

void kit_reopen(struct kit *kit)
{
    shut(kit);
    open_again(kit);
}

struct mr_pair *kit_dims(const char *const *words, uint32_t *ndims)
{
    struct mr_pair *dims = calloc(256, sizeof *dims);
    assert_non_null(dims);
    *ndims = 0;
    for (; words[0] != NULL; words += 2)
        dims[(*ndims)++] = (struct mr_pair){mr_str_of(words[0]), mr_str_of(words[1])};
    return dims;
}

void kit_dims_free(struct mr_pair *dims)
{
    free(dims);
}

struct store_attr kit_double(const char *name, double v)
{
    return (struct store_attr){mr_str_of(name), {.type = STORE_DOUBLE, .f64 = v}};
}

struct store_attr kit_bigint(const char *name, int64_t v)
{
    return (struct store_attr){mr_str_of(name), {.type = STORE_BIGINT, .i64 = v}};
}

struct store_attr kit_text(const char *name, const char *v)
{
    return (struct store_attr){mr_str_of(name), {.type = STORE_VARCHAR, .str = mr_str_of(v)}};
}

struct store_attr kit_bool(const char *name, bool v)
{
    return (struct store_attr){mr_str_of(name), {.type = STORE_BOOLEAN, .boolean = v}};
}

struct store_attr kit_time(const char *name, int64_t v)
{
    return (struct store_attr){mr_str_of(name), {.type = STORE_TIMESTAMP, .i64 = v}};
}

struct store_record kit_record(const struct mr_pair *dims, uint32_t ndims, const char *measure, int64_t time,
                               int64_t version, const struct store_attr *attrs, uint32_t nattrs)
{
    return (struct store_record){.dims = dims,
                                 .ndims = ndims,
                                 .nattrs = nattrs,
                                 .measure_name = mr_str_of(measure),
                                 .type = attrs[0].name.ptr != NULL ? STORE_MULTI : attrs[0].value.type,
                                 .attrs = attrs,
                                 .time = time,
                                 .version = version};
}

/* ---- append
 * ---------------------------------------------------------------------------------------------------- */

struct waiting {
    struct store_commit commit;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void on_done(struct store_commit *commit)
{
    struct waiting *w = (struct waiting *)commit;
    pthread_mutex_lock(&w->lock);
    w->done = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

int kit_append(struct store_table *table, struct store_record *records, size_t count)
{
    struct waiting w = {.commit = {.done = on_done}, .done = false};
    pthread_mutex_init(&w.lock, NULL);
    pthread_cond_init(&w.changed, NULL);
    int rc = store_append(table, records, count, &w.commit, NULL);
    if (rc == MR_EAGAIN)
        rc = store_append_wait(table, records, count, &w.commit, NULL);
    pthread_mutex_lock(&w.lock);
    while (rc == MR_OK && !w.done)
        pthread_cond_wait(&w.changed, &w.lock);
    pthread_mutex_unlock(&w.lock);
    pthread_cond_destroy(&w.changed);
    pthread_mutex_destroy(&w.lock);
    return rc;
}

/* ---- rows
 * ------------------------------------------------------------------------------------------------------ */

static void print_value(struct mr_buf *out, const struct store_vec *vec, size_t row)
{
    size_t at = vec->constant ? 0 : row;
    switch (vec->type) {
    case STORE_DOUBLE:
        mr_buf_printf(out, "%.17g", ((const double *)vec->values)[at]);
        break;
    case STORE_VARCHAR:
        mr_buf_str(out, ((const struct mr_str *)vec->values)[at]);
        break;
    case STORE_BOOLEAN:
        mr_buf_printf(out, "%s", ((const uint8_t *)vec->values)[at] ? "true" : "false");
        break;
    default:
        mr_buf_printf(out, "%" PRId64, ((const int64_t *)vec->values)[at]);
    }
}

static bool is_null(const struct store_vec *vec, size_t row)
{
    return vec->valid != NULL && !vec->valid[vec->constant ? 0 : row];
}

static void print_row(struct mr_buf *out, const struct store_schema *schema, const struct store_batch *batch,
                      size_t row)
{
    print_value(out, &batch->cols[STORE_COLUMN_MEASURE_NAME], row);
    const char *mark = "{";
    for (size_t i = 0; i < schema->ncolumns; i++) {
        if (schema->columns[i].role != STORE_DIMENSION || is_null(&batch->cols[i], row))
            continue;
        mr_buf_printf(out, "%s" MR_STR_FMT "=", mark, MR_STR_ARG(schema->columns[i].name));
        print_value(out, &batch->cols[i], row);
        mark = ",";
    }
    mr_buf_printf(out, "%s}@", mark[0] == '{' ? "{" : "");
    print_value(out, &batch->cols[STORE_COLUMN_TIME], row);
    for (size_t i = 2; i < schema->ncolumns; i++) {
        if (schema->columns[i].role == STORE_DIMENSION || is_null(&batch->cols[i], row))
            continue;
        mr_buf_printf(out, " " MR_STR_FMT "=", MR_STR_ARG(schema->columns[i].name));
        print_value(out, &batch->cols[i], row);
    }
    mr_buf_char(out, '\0');
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The lines (each ended by NUL) sorted, ended by newlines. */
static char *sorted(struct mr_buf *lines, size_t count)
{
    char **sort = calloc(count + 1, sizeof *sort);
    char *text = mr_malloc(lines->len + 1);
    assert_non_null(sort);
    assert_non_null(text);
    char *next = lines->ptr, *to = text;
    for (size_t i = 0; i < count; i++, next += strlen(next) + 1)
        sort[i] = next;
    if (count != 0)
        qsort(sort, count, sizeof *sort, by_text);
    for (size_t i = 0; i < count; i++)
        to = stpcpy(stpcpy(to, sort[i]), "\n");
    *to = '\0';
    free(sort);
    return text;
}

static size_t print_scan(struct store_scan *scan, const struct store_schema *schema, struct mr_buf *lines)
{
    struct store_cursor *cursor;
    struct mr_error err = MR_ERROR_INIT;
    size_t count = 0;
    check_ok(store_cursor_open(scan, &cursor), NULL);
    for (;;) {
        struct store_batch batch;
        check_ok(store_cursor_next(cursor, &batch, &err), &err);
        if (batch.rows == 0)
            break;
        assert_true(batch.rows <= STORE_BATCH_ROWS);
        const int64_t *time = batch.cols[STORE_COLUMN_TIME].values;
        for (size_t row = 0; row < batch.rows; row++) {
            assert_true(row == 0 || time[row - 1] < time[row]);
            print_row(lines, schema, &batch, row);
        }
        count += batch.rows;
    }
    store_cursor_close(cursor);
    return count;
}

char *kit_rows_at(struct store_snapshot *snapshot, struct store_table *table, const struct store_pred *preds,
                  size_t npreds, int64_t time_min, int64_t time_max)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf lines = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct store_schema schema;
    struct store_scan *scan;
    check_ok(store_schema_get(table, &arena, &schema), NULL);
    uint32_t *columns = MR_ARENA_ARRAY(&arena, schema.ncolumns, uint32_t);
    for (size_t i = 0; i < schema.ncolumns; i++)
        columns[i] = (uint32_t)i;
    struct store_scan_spec spec = {time_min, time_max, columns, schema.ncolumns, preds, npreds, NULL, 0};
    check_ok(store_scan_open(snapshot, table, &spec, &scan, &err), &err);
    size_t count = print_scan(scan, &schema, &lines);
    struct store_scan_info info;
    store_scan_info(scan, &info);
    assert_int_equal(info.series_done, info.series_selected);
    store_scan_close(scan);
    char *text = sorted(&lines, count);
    mr_buf_release(&lines);
    mr_arena_release(&arena);
    return text;
}

char *kit_rows(struct store *store, struct store_table *table)
{
    struct store_snapshot *snapshot;
    check_ok(store_snapshot_open(store, &snapshot), NULL);
    char *text = kit_rows_at(snapshot, table, NULL, 0, INT64_MIN, INT64_MAX);
    store_snapshot_close(snapshot);
    return text;
}

uint32_t kit_column(struct store_table *table, const char *name)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct store_schema schema;
    uint32_t found = UINT32_MAX;
    check_ok(store_schema_get(table, &arena, &schema), NULL);
    for (size_t i = 0; i < schema.ncolumns; i++)
        if (mr_str_eq(schema.columns[i].name, mr_str_of(name)))
            found = (uint32_t)i;
    mr_arena_release(&arena);
    assert_int_not_equal(found, UINT32_MAX);
    return found;
}
