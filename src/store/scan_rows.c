#include "store/scan_rows.h"

enum { BATCH = STORE_BATCH_ROWS, LONG_RUN = 512, NOT_IN_FILES = UINT32_MAX };

/* A column of the batch being copied together. */
struct column {
    uint32_t in_files; /* its place among the columns of the merge; NOT_IN_FILES: time, names, dimensions */
    void *values;      /* BATCH of them once needed */
    uint8_t *valid;
    bool some, nulls; /* among the rows copied so far */
};

struct rows_stream {
    const struct rows_spec *spec;
    struct column *columns;
    struct mem_cursor *mem;
    struct magstore_merge *merge; /* NULL: no files */
    struct magstore_page *page;   /* to look for newest rows; NULL until that was done */
    bool wants_key;               /* a dimension or the measure name was asked for */
    bool key_here;                /* the cursor's constant vectors are those of the series */
    uint32_t series;
    /* memory: rows [mem_at, mem_rows) of the cursor's batch are left */
    size_t mem_at, mem_rows;
    int64_t mem_from;
    bool mem_more;
    /* files: likewise of the merge's */
    struct magstore_rows file;
    size_t file_at;
    bool file_more;
    size_t copied; /* rows in the columns' own memory */
    struct mr_arena texts;
    uint64_t mem_bytes, file_bytes;
};

static const int64_t null_value[2];
static const uint8_t null_valid;

static bool is_value(enum mem_role role)
{
    return role == MEM_MEASURE_VALUE || role == MEM_ATTRIBUTE;
}

/* ---- lifetime
 * -------------------------------------------------------------------------------------------------- */

static int open_sources(struct rows_stream *s)
{
    const struct rows_spec *spec = s->spec;
    uint32_t *all = mr_calloc(spec->ncolumns + 1, sizeof *all);
    uint32_t *values = mr_calloc(spec->ncolumns + 1, sizeof *values);
    size_t nvalues = 0;
    int rc = all != NULL && values != NULL ? MR_OK : MR_ENOMEM;
    for (size_t i = 0; rc == MR_OK && i < spec->ncolumns; i++) {
        enum mem_role role = spec->kinds[i].role;
        all[i] = spec->columns[i];
        s->columns[i].in_files = is_value(role) ? (uint32_t)nvalues : NOT_IN_FILES;
        s->wants_key = s->wants_key || role == MEM_DIMENSION || role == MEM_MEASURE_NAME;
        if (is_value(role))
            values[nvalues++] = spec->columns[i];
    }
    if (rc == MR_OK) {
        all[spec->ncolumns] = MEM_COLUMN_TIME; /* for the merge below, whoever else wants it */
        mem_read_lock(spec->table->mem);
        rc = mem_cursor_open(spec->table->mem, all, spec->ncolumns + 1, &s->mem);
        mem_read_unlock(spec->table->mem);
    }
    if (rc == MR_OK && spec->nreaders != 0)
        rc = magstore_merge_open(spec->readers, spec->nreaders, spec->time_min, spec->time_max, values,
                                 nvalues, false, &s->merge);
    if (rc == MR_OK && s->merge != NULL)
        magstore_merge_filter(s->merge, spec->filters, spec->nfilters);
    mr_free(all);
    mr_free(values);
    return rc;
}

int rows_open(const struct rows_spec *spec, struct rows_stream **out)
{
    struct rows_stream *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return MR_ENOMEM;
    s->spec = spec;
    s->columns = mr_calloc(spec->ncolumns, sizeof *s->columns);
    int rc = s->columns != NULL ? open_sources(s) : MR_ENOMEM;
    if (rc != MR_OK) {
        rows_close(s);
        return rc;
    }
    *out = s;
    return MR_OK;
}

void rows_close(struct rows_stream *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; s->columns != NULL && i < s->spec->ncolumns; i++) {
        mr_free(s->columns[i].values);
        mr_free(s->columns[i].valid);
    }
    mr_free(s->columns);
    mem_cursor_close(s->mem);
    magstore_merge_close(s->merge);
    magstore_page_free(s->page);
    mr_arena_release(&s->texts);
    mr_free(s);
}

/* ---- filling up the two sides
 * ---------------------------------------------------------------------------------- */

void rows_seek(struct rows_stream *s, uint32_t series, int64_t from)
{
    s->series = series;
    s->key_here = false;
    s->mem_at = s->mem_rows = 0;
    s->mem_from = from;
    s->mem_more = true;
    s->file_at = s->file.count = 0;
    s->file_more = s->merge != NULL;
    if (s->file_more)
        magstore_merge_seek(s->merge, series, from, s->spec->time_max);
}

/* The last time within [from, to] of the series in the block loaded. */
static bool last_in_block(struct magstore_page *page, uint32_t series, int64_t from, int64_t to, int64_t *out)
{
    uint32_t count, low = 0;
    const struct magstore_run *runs = magstore_page_runs(page, &count);
    for (uint32_t high = count; low < high;) {
        uint32_t middle = low + (high - low) / 2;
        if (runs[middle].series < series)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || runs[low].series != series)
        return false;
    const int64_t *times = magstore_page_times(page) + runs[low].first;
    size_t end = runs[low].rows;
    if (times[end - 1] > to)
        end = store_lower_bound(times, 0, end, to + 1); /* some time is beyond, so `to` is not the last */
    if (end == 0 || times[end - 1] < from)
        return false;
    *out = times[end - 1];
    return true;
}

/* Raises *from to the newest row that the segment has at or behind it. Blocks from the last one back. */
static int raise_by_file(struct rows_stream *s, const struct magstore_reader *reader, uint32_t series,
                         int64_t *from, struct mr_error *err)
{
    uint32_t first, end;
    magstore_reader_locate(reader, series, *from, s->spec->time_max, &first, &end);
    for (; first < end; end--) {
        if (magstore_reader_block(reader, end - 1)->time_max < *from)
            continue;
        if (s->page == NULL && magstore_page_new(&s->page) != MR_OK)
            return mr_error_set(err, MR_ENOMEM, "out of memory for a page");
        int rc = magstore_page_load(s->page, reader, end - 1, err);
        if (rc != MR_OK)
            return rc;
        if (last_in_block(s->page, series, *from, s->spec->time_max, from))
            return MR_OK;
    }
    return MR_OK;
}

int rows_seek_newest(struct rows_stream *s, uint32_t series, struct mr_error *err)
{
    const struct rows_spec *spec = s->spec;
    int64_t from = spec->time_min, time;
    mem_read_lock(spec->table->mem);
    if (mem_newest(spec->table->mem, series, from, spec->time_max, spec->lsn, &time))
        from = time;
    mem_read_unlock(spec->table->mem);
    int rc = MR_OK;
    for (size_t i = 0; i < spec->nreaders && rc == MR_OK; i++)
        rc = raise_by_file(s, spec->readers[i], series, &from, err);
    if (rc == MR_OK)
        rows_seek(s, series, from);
    return rc;
}

static int fill_mem(struct rows_stream *s)
{
    struct mem_table *mem = s->spec->table->mem;
    int rc = MR_OK;
    while (rc == MR_OK && s->mem_at == s->mem_rows && s->mem_more) {
        s->mem_at = 0;
        mem_read_lock(mem);
        rc = mem_cursor_fill(s->mem, mem, s->series, &s->mem_from, s->spec->time_max, s->spec->lsn,
                             &s->mem_rows, &s->mem_more);
        mem_read_unlock(mem);
        s->key_here = rc == MR_OK && s->mem_rows != 0;
        s->mem_bytes += rc == MR_OK && s->mem_rows != 0 ? mem_cursor_bytes(s->mem) : 0;
    }
    return rc;
}

static int fill_file(struct rows_stream *s, struct mr_error *err)
{
    uint32_t series;
    if (s->file_at < s->file.count || !s->file_more)
        return MR_OK;
    s->file_at = 0;
    int rc = magstore_merge_next(s->merge, BATCH, true, &series, &s->file, err);
    if (rc != MR_OK)
        s->file.count = 0;
    s->file_more = rc == MR_OK && s->file.count != 0;
    return rc;
}

static const int64_t *mem_times(const struct rows_stream *s)
{
    return mem_cursor_vecs(s->mem)[s->spec->ncolumns].values;
}

/* ---- the next run
 * ---------------------------------------------------------------------------------------------- */

struct run {
    bool from_file;
    size_t rows; /* 0: the series has ended */
};

/* Both sides hold a row or have ended. Drops rows of files that memory has as well. */
static struct run next_run(struct rows_stream *s)
{
    size_t mem_left = s->mem_rows - s->mem_at, file_left = s->file.count - s->file_at;
    if (mem_left == 0 || file_left == 0)
        return (struct run){mem_left == 0, mem_left + file_left};
    const int64_t *times = mem_times(s);
    int64_t mem_time = times[s->mem_at], file_time = s->file.times[s->file_at];
    if (file_time < mem_time)
        return (struct run){true, store_lower_bound(s->file.times, s->file_at, s->file.count, mem_time) -
                                      s->file_at};
    if (file_time == mem_time) {
        s->file_at++;
        return (struct run){false, 1};
    }
    return (struct run){false, store_lower_bound(times, s->mem_at, s->mem_rows, file_time) - s->mem_at};
}

static void skip(struct rows_stream *s, struct run run, size_t rows)
{
    *(run.from_file ? &s->file_at : &s->mem_at) += rows;
}

/* Column i of the rows at hand on one side. */
static struct store_vec piece_of(const struct rows_stream *s, bool from_file, size_t i)
{
    enum store_type type = (enum store_type)s->spec->kinds[i].type;
    const struct store_vec none = {type, true, null_value, &null_valid};
    const char *values;
    const uint8_t *valid = NULL;
    size_t at = from_file ? s->file_at : s->mem_at;
    if (!from_file) {
        const struct mem_vec *vec = &mem_cursor_vecs(s->mem)[i];
        if (vec->constant)
            return (struct store_vec){type, true, vec->values, vec->valid};
        values = vec->values;
        valid = vec->valid;
    } else if (s->spec->kinds[i].role == MEM_TIME) {
        values = (const char *)s->file.times;
    } else if (s->columns[i].in_files == NOT_IN_FILES) {
        const struct mem_vec *vec = &mem_cursor_vecs(s->mem)[i];
        return (struct store_vec){type, true, vec->values, vec->valid};
    } else {
        const struct magstore_values *v = &s->file.columns[s->columns[i].in_files];
        if (v->type == MAGSTORE_NONE)
            return none;
        values = v->values;
        valid = v->valid;
    }
    return (struct store_vec){type, false, values + at * store_width((int)type),
                              valid != NULL ? valid + at : NULL};
}

/* ---- copying together
 * ------------------------------------------------------------------------------------------ */

static int copy_texts(struct rows_stream *s, struct mr_str *to, const struct store_vec *piece, size_t rows)
{
    const struct mr_str *from = piece->values;
    for (size_t i = 0; i < rows; i++) {
        bool valid = piece->valid == NULL || piece->valid[i];
        to[i] = valid ? mr_arena_dup(&s->texts, from[i]) : (struct mr_str){"", 0};
        if (to[i].ptr == NULL)
            return MR_ENOMEM;
    }
    return MR_OK;
}

static int copy_column(struct rows_stream *s, bool from_file, size_t i, size_t rows)
{
    struct column *c = &s->columns[i];
    enum store_type type = (enum store_type)s->spec->kinds[i].type;
    size_t width = store_width((int)type);
    if (c->values == NULL)
        c->values = mr_malloc(BATCH * width);
    if (c->valid == NULL)
        c->valid = mr_malloc(BATCH);
    if (c->values == NULL || c->valid == NULL)
        return MR_ENOMEM;
    struct store_vec piece = piece_of(s, from_file, i);
    char *to = (char *)c->values + s->copied * width;
    uint8_t *valid = c->valid + s->copied;
    if (piece.constant) { /* of a value column: NULL */
        memset(to, 0, rows * width);
        memset(valid, 0, rows);
        c->nulls = true;
        return MR_OK;
    }
    c->some = true;
    c->nulls = c->nulls || piece.valid != NULL;
    if (piece.valid != NULL)
        memcpy(valid, piece.valid, rows);
    else
        memset(valid, 1, rows);
    if (type == STORE_VARCHAR)
        return copy_texts(s, (struct mr_str *)to, &piece, rows);
    memcpy(to, piece.values, rows * width);
    return MR_OK;
}

static bool is_key(const struct rows_stream *s, size_t i)
{
    return s->spec->kinds[i].role == MEM_DIMENSION || s->spec->kinds[i].role == MEM_MEASURE_NAME;
}

static int copy_run(struct rows_stream *s, struct run run, size_t rows)
{
    int rc = MR_OK;
    for (size_t i = 0; i < s->spec->ncolumns && rc == MR_OK; i++)
        if (!is_key(s, i))
            rc = copy_column(s, run.from_file, i, rows);
    s->copied += rows;
    return rc;
}

/* ---- a batch
 * --------------------------------------------------------------------------------------------------- */

/* Brings the vectors of the series' names. MR_ENOENT: the series has gone, it expired. */
static int bring_key(struct rows_stream *s)
{
    if (s->key_here || !s->wants_key)
        return MR_OK;
    mem_read_lock(s->spec->table->mem);
    int rc = mem_cursor_key(s->mem, s->spec->table->mem, s->series);
    mem_read_unlock(s->spec->table->mem);
    s->key_here = rc == MR_OK;
    return rc;
}

static void show_run(const struct rows_stream *s, struct run run, struct store_vec *vecs)
{
    for (size_t i = 0; i < s->spec->ncolumns; i++)
        vecs[i] = piece_of(s, run.from_file, i);
}

static void show_copied(struct rows_stream *s, struct store_vec *vecs)
{
    for (size_t i = 0; i < s->spec->ncolumns; i++) {
        struct column *c = &s->columns[i];
        enum store_type type = (enum store_type)s->spec->kinds[i].type;
        if (is_key(s, i))
            vecs[i] = piece_of(s, false, i);
        else if (!c->some)
            vecs[i] = (struct store_vec){type, true, null_value, &null_valid};
        else
            vecs[i] = (struct store_vec){type, false, c->values, c->nulls ? c->valid : NULL};
    }
}

/* Collects short runs until the batch is full, a long one comes or the series ends. *direct: a long run
 * stands alone and is to be shown where it lies. */
static int collect(struct rows_stream *s, struct run *direct, struct mr_error *err)
{
    *direct = (struct run){false, 0};
    for (;;) {
        int rc = fill_mem(s);
        if (rc == MR_OK)
            rc = fill_file(s, err);
        if (rc != MR_OK)
            return rc;
        struct run run = next_run(s);
        bool alone = run.from_file ? s->mem_at == s->mem_rows : s->file_at == s->file.count;
        if (run.rows == 0 ||
            ((alone || run.rows >= LONG_RUN) && s->copied != 0 && run.rows + s->copied > BATCH))
            return MR_OK;
        if (s->copied == 0 && (alone || run.rows >= LONG_RUN)) {
            *direct = run;
            return MR_OK;
        }
        size_t rows = run.rows < BATCH - s->copied ? run.rows : BATCH - s->copied;
        rc = copy_run(s, run, rows);
        skip(s, run, rows);
        if (rc != MR_OK || s->copied == BATCH)
            return rc;
    }
}

int rows_next(struct rows_stream *s, struct store_vec *vecs, size_t *rows, struct mr_error *err)
{
    struct run direct;
    *rows = s->copied = 0;
    mr_arena_reset(&s->texts);
    for (size_t i = 0; i < s->spec->ncolumns; i++)
        s->columns[i].some = s->columns[i].nulls = false;
    int rc = collect(s, &direct, err);
    if (rc != MR_OK || (direct.rows == 0 && s->copied == 0))
        return rc;
    rc = bring_key(s);
    if (rc != MR_OK)
        return rc == MR_ENOENT ? MR_OK : rc;
    if (direct.rows != 0)
        show_run(s, direct, vecs);
    else
        show_copied(s, vecs);
    *rows = direct.rows != 0 ? direct.rows : s->copied;
    if (direct.rows != 0)
        skip(s, direct, direct.rows);
    return MR_OK;
}

uint64_t rows_bytes(struct rows_stream *s)
{
    uint64_t read = s->merge != NULL ? magstore_merge_bytes(s->merge) : 0;
    read += s->page != NULL ? magstore_page_bytes(s->page) : 0;
    uint64_t bytes = s->mem_bytes + read - s->file_bytes;
    s->mem_bytes = 0;
    s->file_bytes = read;
    return bytes;
}
