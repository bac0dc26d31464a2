#include "engine/fake_store.h"

#include <pthread.h>

struct store_scan {
    struct fake_table *table;
    uint32_t columns[16];
    size_t ncolumns;
    int64_t time_min, time_max;
    pthread_mutex_t lock;
    size_t next, done;
    int batches;
};

struct store_cursor {
    struct store_scan *scan;
    const struct fake_series *series; /* NULL: take one */
    size_t at;
    struct store_vec vecs[16];
};

int store_scan_open(struct store_snapshot *snapshot, struct store_table *table,
                    const struct store_scan_spec *spec, struct store_scan **out, struct mr_error *err)
{
    struct fake_table *fake = (struct fake_table *)(void *)table;
    struct store_scan *scan = mr_calloc(1, sizeof(*scan));
    MR_UNUSED(snapshot);
    MR_ASSERT(spec->ncolumns <= 16);
    if (scan == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    scan->table = fake;
    scan->ncolumns = spec->ncolumns;
    scan->time_min = spec->time_min;
    scan->time_max = spec->time_max;
    if (spec->ncolumns > 0)
        memcpy(scan->columns, spec->columns, spec->ncolumns * sizeof(spec->columns[0]));
    pthread_mutex_init(&scan->lock, NULL);
    fake->nasked = spec->ncolumns;
    memcpy(fake->asked, scan->columns, sizeof(scan->columns));
    __atomic_add_fetch(&fake->open_scans, 1, __ATOMIC_RELAXED);
    *out = scan;
    return MR_OK;
}

void store_scan_close(struct store_scan *scan)
{
    if (scan == NULL)
        return;
    __atomic_sub_fetch(&scan->table->open_scans, 1, __ATOMIC_RELAXED);
    pthread_mutex_destroy(&scan->lock);
    mr_free(scan);
}

void store_scan_newest(struct store_scan *scan)
{
    MR_UNUSED(scan); /* all rows are as good */
}

bool store_scan_together(struct store_scan *scan, const uint32_t *keys, size_t nkeys)
{
    MR_UNUSED(scan);
    MR_UNUSED(keys);
    MR_UNUSED(nkeys);
    return false;
}

int64_t store_scan_last(struct store_scan *scan)
{
    return scan->time_max; /* no row is later */
}

int store_cursor_open(struct store_scan *scan, struct store_cursor **out)
{
    struct store_cursor *cursor = mr_calloc(1, sizeof(*cursor));
    if (cursor == NULL)
        return MR_ENOMEM;
    cursor->scan = scan;
    __atomic_add_fetch(&scan->table->open_cursors, 1, __ATOMIC_RELAXED);
    *out = cursor;
    return MR_OK;
}

void store_cursor_close(struct store_cursor *cursor)
{
    if (cursor == NULL)
        return;
    __atomic_sub_fetch(&cursor->scan->table->open_cursors, 1, __ATOMIC_RELAXED);
    mr_free(cursor);
}

static struct store_vec column_slice(const struct store_cursor *cursor, uint32_t number, size_t rows)
{
    static const uint8_t null = 0;
    static const uint64_t zeros[2];
    const struct fake_series *s = cursor->series;
    struct store_vec vec = {cursor->scan->table->types[number], true, zeros, &null};

    if (number == STORE_COLUMN_TIME)
        return (struct store_vec){STORE_TIMESTAMP, false, s->time + cursor->at, NULL};
    for (size_t i = 0; i < s->ncolumns; i++)
        if (s->columns[i].number == number)
            vec = s->columns[i].vec;
    if (!vec.constant) {
        size_t size = vec.type == STORE_BOOLEAN ? 1 : vec.type == STORE_VARCHAR ? sizeof(struct mr_str) : 8;
        vec.values = (const char *)vec.values + cursor->at * size;
        vec.valid = vec.valid != NULL ? vec.valid + cursor->at : NULL;
    }
    MR_UNUSED(rows);
    return vec;
}

static void take_series(struct store_cursor *cursor)
{
    struct store_scan *scan = cursor->scan;

    if (cursor->series != NULL)
        scan->done++;
    cursor->series = NULL;
    cursor->at = 0;
    if (scan->next < scan->table->nseries)
        cursor->series = &scan->table->series[scan->next++];
}

int store_cursor_next(struct store_cursor *cursor, struct store_batch *out, struct mr_error *err)
{
    struct store_scan *scan = cursor->scan;
    int status = MR_OK;

    *out = (struct store_batch){0};
    pthread_mutex_lock(&scan->lock);
    if (scan->table->fail_after > 0 && ++scan->batches >= scan->table->fail_after)
        status = mr_error_set(err, MR_ECORRUPT, "block 7 fails its checksum");
    while (status == MR_OK) {
        const struct fake_series *s = cursor->series;
        while (s != NULL && cursor->at < s->rows && s->time[cursor->at] < scan->time_min)
            cursor->at++;
        size_t most = s == NULL || s->batch == 0 ? STORE_BATCH_ROWS : s->batch, n = 0;
        while (s != NULL && n < most && cursor->at + n < s->rows && s->time[cursor->at + n] <= scan->time_max)
            n++;
        if (n > 0) {
            for (size_t c = 0; c < scan->ncolumns; c++)
                cursor->vecs[c] = column_slice(cursor, scan->columns[c], n);
            *out = (struct store_batch){.rows = n, .cols = cursor->vecs, .bytes = 16 * n};
            cursor->at += n;
            break;
        }
        take_series(cursor);
        if (cursor->series == NULL)
            break;
    }
    pthread_mutex_unlock(&scan->lock);
    return status;
}

void store_scan_info(struct store_scan *scan, struct store_scan_info *out)
{
    pthread_mutex_lock(&scan->lock);
    *out = (struct store_scan_info){scan->table->nseries, scan->table->nseries, scan->done, 0};
    pthread_mutex_unlock(&scan->lock);
}
