/* store/flush_rows.c - copying a table's rows, as of an LSN, into segments.
 *
 * Series are taken in the order of their numbers and read a batch at a time under the table's read lock;
 * encoding happens outside of it. A row goes to the segment of its window of time, so a flush may write
 * several segments side by side.
 */
#include "store/flush.h"

enum { SERIES_ROOM = 1024 };

/* One table's pass. */
struct pass {
    struct flush *flush;
    struct store_table *table;
    struct mem_cursor *cursor;
    uint32_t *columns; /* read: time, version, then those with values */
    size_t nvalues;
    struct magstore_values *values, *slice;
    int64_t *versions; /* room for a batch */
    int64_t start[MAGSTORE_MAX_CUTS];
    size_t ncuts;
    struct magstore_writer *writers[MAGSTORE_MAX_CUTS]; /* NULL: no row has come yet */
    uint64_t numbers[MAGSTORE_MAX_CUTS];
    uint64_t rows;
};

static int open_writer(struct pass *p, size_t cut)
{
    struct store *store = p->flush->store;
    p->numbers[cut] = files_number(store);
    const struct magstore_place place = {
        &store->io, store->files_dir, store->keyring, p->table->database_id, p->table->id, p->numbers[cut]};
    return magstore_writer_open(&place, &p->writers[cut], p->flush->err);
}

/* ---- from the memory store's vectors to the segment's
 * ------------------------------------------------------------ */

static void convert(struct pass *p, const struct mem_vec *vecs, size_t rows, struct magstore_rows *out)
{
    const struct mem_vec *version = &vecs[1];
    const int64_t *versions = version->values;
    if (version->constant && versions[0] == 1) {
        versions = NULL;
    } else if (version->constant) {
        for (size_t i = 0; i < rows; i++)
            p->versions[i] = *(const int64_t *)version->values;
        versions = p->versions;
    }
    size_t n = 0;
    for (size_t i = 0; i < p->nvalues; i++) {
        const struct mem_vec *vec = &vecs[i + 2];
        if (vec->constant)
            continue; /* a value column is constant only as NULL */
        p->values[n++] = (struct magstore_values){p->columns[i + 2], (enum magstore_type)vec->type,
                                                  vec->values, vec->valid};
    }
    *out = (struct magstore_rows){rows, vecs[0].values, versions, p->values, n};
}

static struct magstore_rows slice_of(const struct pass *p, const struct magstore_rows *rows, size_t from,
                                     size_t end)
{
    for (size_t i = 0; i < rows->ncolumns; i++) {
        const struct magstore_values *v = &rows->columns[i];
        p->slice[i] = (struct magstore_values){v->column, v->type,
                                               (const char *)v->values + from * store_width((int)v->type),
                                               v->valid != NULL ? v->valid + from : NULL};
    }
    return (struct magstore_rows){end - from, rows->times + from,
                                  rows->versions != NULL ? rows->versions + from : NULL, p->slice,
                                  rows->ncolumns};
}

static int add_rows(struct pass *p, uint32_t series, const struct magstore_rows *rows)
{
    size_t from = 0;
    int rc = MR_OK;
    for (size_t cut = 0; cut < p->ncuts && rc == MR_OK && from < rows->count; cut++) {
        size_t end = cut + 1 < p->ncuts ? store_lower_bound(rows->times, 0, rows->count, p->start[cut + 1])
                                        : rows->count;
        if (end <= from)
            continue;
        if (p->writers[cut] == NULL)
            rc = open_writer(p, cut);
        struct magstore_rows part = slice_of(p, rows, from, end);
        if (rc == MR_OK)
            rc = magstore_writer_add(p->writers[cut], series, &part, p->flush->err);
        from = end;
    }
    p->rows += rows->count;
    return rc;
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------- */

static int copy_series(struct pass *p, uint32_t series)
{
    struct mem_table *mem = p->table->mem;
    int64_t from = INT64_MIN;
    bool more = true;
    int rc = MR_OK;
    while (more && rc == MR_OK) {
        size_t rows = 0;
        mem_read_lock(mem);
        rc = mem_cursor_fill(p->cursor, mem, series, &from, INT64_MAX, p->flush->lsn, &rows, &more);
        mem_read_unlock(mem);
        if (rc != MR_OK || rows == 0)
            continue;
        struct magstore_rows converted;
        convert(p, mem_cursor_vecs(p->cursor), rows, &converted);
        rc = add_rows(p, series, &converted);
    }
    return rc;
}

static int copy_all(struct pass *p)
{
    uint32_t *numbers = mr_malloc(SERIES_ROOM * sizeof *numbers);
    if (numbers == NULL)
        return MR_ENOMEM;
    int rc = MR_OK;
    for (uint32_t next = 0; rc == MR_OK;) {
        mem_read_lock(p->table->mem);
        size_t n = mem_series_list(p->table->mem, next, numbers, SERIES_ROOM);
        mem_read_unlock(p->table->mem);
        for (size_t i = 0; i < n && rc == MR_OK; i++)
            rc = keeper_stopping(p->flush->store) ? MR_ECANCEL : copy_series(p, numbers[i]);
        if (n == 0 || numbers[n - 1] == UINT32_MAX)
            break;
        next = numbers[n - 1] + 1;
    }
    mr_free(numbers);
    return rc;
}

static int set_up(struct pass *p)
{
    struct mem_table *mem = p->table->mem;
    struct mem_schema schema;
    mem_read_lock(mem);
    mem_schema_view(mem, &schema);
    p->columns = mr_calloc(schema.ncolumns + 2, sizeof *p->columns);
    p->values = mr_calloc(schema.ncolumns + 1, sizeof *p->values);
    p->slice = mr_calloc(schema.ncolumns + 1, sizeof *p->slice);
    p->versions = mr_malloc(MEM_BATCH_ROWS * sizeof *p->versions);
    int rc = MR_ENOMEM;
    if (p->columns != NULL && p->values != NULL && p->slice != NULL && p->versions != NULL) {
        p->columns[0] = MEM_COLUMN_TIME;
        p->columns[1] = MEM_COLUMN_VERSION;
        for (uint32_t i = 0; i < schema.ncolumns; i++)
            if (schema.columns[i].role == MEM_MEASURE_VALUE || schema.columns[i].role == MEM_ATTRIBUTE)
                p->columns[2 + p->nvalues++] = i;
        rc = mem_cursor_open(mem, p->columns, p->nvalues + 2, &p->cursor);
    }
    mem_read_unlock(mem);
    return rc;
}

/* ---- the end
 * --------------------------------------------------------------------------------------------------- */

static struct magstore_file file_of(const struct magstore_info *info, uint64_t number)
{
    return (struct magstore_file){.kind = MAGSTORE_SEGMENT,
                                  .number = number,
                                  .database = info->database,
                                  .table = info->table,
                                  .key_generation = info->key_generation,
                                  .size = info->size,
                                  .rows = info->rows,
                                  .first_series = info->first_series,
                                  .last_series = info->last_series,
                                  .time_min = info->time_min,
                                  .time_max = info->time_max,
                                  .footer_crc = info->footer_crc};
}

int segment_finish(struct store *store, struct magstore_writer *writer, uint64_t number, uint8_t level,
                   struct magstore_file *file, struct store_segment **segment, struct mr_error *err)
{
    struct magstore_info info;
    int rc = magstore_writer_finish(writer, &info, err);
    if (rc != MR_OK)
        return rc;
    *file = file_of(&info, number);
    file->level = level;
    rc = segment_open(&store->io, store->files_dir, store->keyring, store->cache, file, segment);
    if (rc == MR_OK && (*segment)->reader == NULL) {
        rc = mr_error_set(err, (*segment)->damage.status, "%s", (*segment)->damage.text);
        segment_unref(*segment);
        *segment = NULL;
    }
    if (rc != MR_OK)
        files_discard(store, MAGSTORE_SEGMENT, number);
    return rc;
}

static int finish_writer(struct pass *p, size_t cut)
{
    struct flush *f = p->flush;
    struct magstore_file file;
    struct store_segment *segment;
    int rc = mr_grow((void **)&f->fresh, &f->fresh_cap, f->nfresh + 1, sizeof(struct store_segment *));
    if (rc != MR_OK)
        return rc;
    struct magstore_writer *writer = p->writers[cut];
    p->writers[cut] = NULL;
    rc = segment_finish(f->store, writer, p->numbers[cut], 0, &file, &segment, f->err);
    if (rc != MR_OK)
        return rc;
    f->fresh[f->nfresh++] = segment;
    return flush_note_file(f, &file);
}

int flush_rows(struct flush *flush, struct store_table *table, uint64_t *rows)
{
    struct pass p = {.flush = flush, .table = table};
    struct mem_extent extent = {0, INT64_MAX, INT64_MIN};
    *rows = 0;
    bool more = true;
    for (uint32_t next = 0; more;) {
        mem_read_lock(table->mem);
        more = mem_extent_step(table->mem, flush->lsn, &next, &extent);
        mem_read_unlock(table->mem);
    }
    if (extent.time_min > extent.time_max)
        return MR_OK;
    p.ncuts = magstore_plan_cuts(&flush->store->policy, extent.time_min, extent.time_max, p.start);
    int rc = set_up(&p);
    if (rc == MR_OK)
        rc = copy_all(&p);
    for (size_t cut = 0; cut < p.ncuts; cut++)
        if (rc == MR_OK && p.writers[cut] != NULL)
            rc = finish_writer(&p, cut);
    for (size_t cut = 0; cut < p.ncuts; cut++)
        magstore_writer_abort(p.writers[cut]);
    mem_cursor_close(p.cursor);
    mr_free(p.columns);
    mr_free(p.values);
    mr_free(p.slice);
    mr_free(p.versions);
    *rows = p.rows;
    return rc;
}
