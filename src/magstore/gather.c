#include "magstore/gather.h"

/* Memory of columns kept from one block to the next; more is given back. */
#define KEPT_BYTES ((size_t)64 << 20)

int magstore_gather_init(struct magstore_gather *g)
{
    *g = (struct magstore_gather){.texts = MR_ARENA_INIT};
    g->times = mr_malloc(MAGSTORE_BLOCK_ROWS * sizeof *g->times);
    g->versions = mr_malloc(MAGSTORE_BLOCK_ROWS * sizeof *g->versions);
    g->row_texts = mr_malloc(MAGSTORE_BLOCK_ROWS * sizeof *g->row_texts);
    return g->times != NULL && g->versions != NULL && g->row_texts != NULL ? MR_OK : MR_ENOMEM;
}

static void drop_memory(struct magstore_gather_column *c)
{
    mr_free(c->values);
    mr_free(c->valid);
    c->values = c->valid = NULL;
    c->values_cap = c->valid_cap = 0;
}

void magstore_gather_release(struct magstore_gather *g)
{
    for (size_t i = 0; i < g->ncolumns; i++)
        drop_memory(&g->columns[i]);
    mr_free(g->columns);
    mr_free(g->runs);
    mr_free(g->times);
    mr_free(g->versions);
    mr_free(g->row_texts);
    mr_arena_release(&g->texts);
    *g = (struct magstore_gather){.texts = MR_ARENA_INIT};
}

void magstore_gather_reset(struct magstore_gather *g)
{
    size_t kept = 0;
    for (size_t i = 0; i < g->ncolumns; i++) {
        struct magstore_gather_column *c = &g->columns[i];
        c->rows = c->count = 0;
        c->nulls = false;
        kept += c->values_cap * magstore_width(c->type) + c->valid_cap;
        if (kept > KEPT_BYTES)
            drop_memory(c);
    }
    g->rows = 0;
    g->nruns = g->used = g->text_bytes = 0;
    g->versioned = false;
    mr_arena_reset(&g->texts);
}

/* Where the column stands or would stand; `hint` is looked at first. */
static size_t find_column(const struct magstore_gather *g, uint32_t column, size_t hint)
{
    if (hint < g->ncolumns && g->columns[hint].column == column)
        return hint;
    size_t low = 0, high = g->ncolumns;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (g->columns[middle].column < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool has_values(const struct magstore_values *v)
{
    return v->type != MAGSTORE_NONE && v->values != NULL;
}

static int insert_column(struct magstore_gather *g, size_t at, const struct magstore_values *v,
                         struct mr_error *err)
{
    if (g->ncolumns == MAGSTORE_MAX_COLUMNS)
        return mr_error_set(err, MR_ELIMIT, "a segment has at most %d columns", MAGSTORE_MAX_COLUMNS);
    if (mr_grow((void **)&g->columns, &g->columns_cap, g->ncolumns + 1, sizeof *g->columns) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory for a column");
    memmove(g->columns + at + 1, g->columns + at, (g->ncolumns - at) * sizeof *g->columns);
    g->columns[at] = (struct magstore_gather_column){.column = v->column, .type = v->type};
    g->ncolumns++;
    return MR_OK;
}

int magstore_gather_check(struct magstore_gather *g, const struct magstore_rows *rows, struct mr_error *err)
{
    size_t hint = 0;
    for (size_t i = 0; i < rows->ncolumns; i++) {
        const struct magstore_values *v = &rows->columns[i];
        if (i != 0 && v->column <= v[-1].column)
            return mr_error_set(err, MR_EINVAL, "columns out of order");
        if (!has_values(v))
            continue;
        if (!magstore_is_value(v->type))
            return mr_error_set(err, MR_EINVAL, "column %u has no known type", v->column);
        size_t at = find_column(g, v->column, hint);
        if (at == g->ncolumns || g->columns[at].column != v->column) {
            int status = insert_column(g, at, v, err);
            if (status != MR_OK)
                return status;
        } else if (g->columns[at].type != v->type) {
            return mr_error_set(err, MR_EINVAL, "column %u changes its type", v->column);
        }
        hint = at + 1;
    }
    return MR_OK;
}

/* Sums up the texts of rows [at, at + n). False: there are none. */
static bool measure_texts(const struct magstore_gather *g, const struct magstore_rows *rows, size_t at,
                          size_t n)
{
    bool any = false;
    for (size_t i = 0; i < rows->ncolumns; i++) {
        const struct magstore_values *v = &rows->columns[i];
        if (v->type != MAGSTORE_VARCHAR || v->values == NULL)
            continue;
        if (!any)
            memset(g->row_texts, 0, n * sizeof *g->row_texts);
        any = true;
        const struct mr_str *texts = (const struct mr_str *)v->values + at;
        for (size_t r = 0; r < n; r++) {
            if (v->valid != NULL && v->valid[at + r] == 0)
                continue;
            size_t len = texts[r].len > SEGMENT_MAX_TEXT ? SEGMENT_MAX_TEXT + 1 : texts[r].len;
            if (g->row_texts[r] <= SEGMENT_MAX_TEXT)
                g->row_texts[r] += (uint32_t)len;
        }
    }
    return any;
}

/* Columns that would be in the block after these rows. */
static size_t columns_after(const struct magstore_gather *g, const struct magstore_rows *rows)
{
    size_t hint = 0, n = g->used;
    for (size_t i = 0; i < rows->ncolumns; i++) {
        if (!has_values(&rows->columns[i]))
            continue;
        size_t at = find_column(g, rows->columns[i].column, hint);
        n += g->columns[at].count == 0;
        hint = at + 1;
    }
    return n;
}

int magstore_gather_fit(const struct magstore_gather *g, const struct magstore_rows *rows, size_t at,
                        size_t *out, struct mr_error *err)
{
    size_t n = rows->count - at, columns = columns_after(g, rows);
    size_t most = columns != 0 ? SEGMENT_MAX_CELLS / columns : MAGSTORE_BLOCK_ROWS;
    if (most == 0)
        most = 1;
    if (most > MAGSTORE_BLOCK_ROWS)
        most = MAGSTORE_BLOCK_ROWS;
    most = most > g->rows ? most - g->rows : 0;
    if (n > most)
        n = most;
    *out = n;
    if (n == 0 || !measure_texts(g, rows, at, n))
        return MR_OK;
    size_t total = g->text_bytes;
    for (size_t r = 0; r < n; r++) {
        if (g->row_texts[r] > SEGMENT_MAX_TEXT)
            return mr_error_set(err, MR_ELIMIT, "a row has more than %zu bytes of text", SEGMENT_MAX_TEXT);
        total += g->row_texts[r];
        if (total > SEGMENT_MAX_TEXT) {
            *out = r;
            break;
        }
    }
    return MR_OK;
}

/* Says of rows [c->rows, c->rows + n) that they are NULL, or are not. */
static int mark(struct magstore_gather_column *c, size_t n, uint8_t valid)
{
    size_t rows = c->rows + n;
    if (valid == 0 && n != 0 && !c->nulls) {
        if (mr_grow((void **)&c->valid, &c->valid_cap, rows, 1) != MR_OK)
            return MR_ENOMEM;
        memset(c->valid, 1, c->rows);
        c->nulls = true;
    }
    if (c->nulls) {
        if (mr_grow((void **)&c->valid, &c->valid_cap, rows, 1) != MR_OK)
            return MR_ENOMEM;
        memset(c->valid + c->rows, valid, n);
    }
    c->rows = (uint32_t)rows;
    return MR_OK;
}

/* Copies n values side by side; texts go into the arena. */
static int copy_values(struct magstore_gather *g, struct magstore_gather_column *c,
                       const struct magstore_values *v, size_t at, size_t n)
{
    size_t width = magstore_width(c->type);
    if (mr_grow(&c->values, &c->values_cap, c->count + n, width) != MR_OK)
        return MR_ENOMEM;
    char *to = (char *)c->values + c->count * width;
    memcpy(to, (const char *)v->values + at * width, n * width);
    if (c->type == MAGSTORE_VARCHAR) {
        struct mr_str *texts = (struct mr_str *)(void *)to;
        for (size_t i = 0; i < n; i++) {
            g->text_bytes += texts[i].len;
            texts[i] = texts[i].len != 0 ? mr_arena_dup(&g->texts, texts[i]) : MR_STR("");
            if (texts[i].ptr == NULL)
                return MR_ENOMEM;
        }
    }
    g->used += c->count == 0;
    c->count += (uint32_t)n;
    return MR_OK;
}

/* Row by row in stretches that are NULL or are not. */
static int add_column(struct magstore_gather *g, struct magstore_gather_column *c,
                      const struct magstore_values *v, size_t at, size_t n)
{
    int status = MR_OK;
    if (c->rows < g->rows) /* it was absent from the rows before */
        status = mark(c, g->rows - c->rows, 0);
    for (size_t i = 0; status == MR_OK && i < n;) {
        size_t end = n;
        uint8_t valid = 1;
        if (v->valid != NULL) {
            valid = v->valid[at + i] != 0;
            for (end = i + 1; end < n && (v->valid[at + end] != 0) == valid;)
                end++;
        }
        if (valid)
            status = copy_values(g, c, v, at + i, end - i);
        if (status == MR_OK)
            status = mark(c, end - i, valid);
        i = end;
    }
    return status;
}

static int add_run(struct magstore_gather *g, uint32_t series, size_t n)
{
    if (g->nruns == 0 || g->runs[g->nruns - 1].series != series) {
        if (mr_grow((void **)&g->runs, &g->runs_cap, g->nruns + 1, sizeof *g->runs) != MR_OK)
            return MR_ENOMEM;
        g->runs[g->nruns++] = (struct magstore_run){series, g->rows, 0};
    }
    g->runs[g->nruns - 1].rows += (uint32_t)n;
    return MR_OK;
}

int magstore_gather_add(struct magstore_gather *g, uint32_t series, const struct magstore_rows *rows,
                        size_t at, size_t n)
{
    size_t hint = 0;
    int status = add_run(g, series, n);
    for (size_t i = 0; status == MR_OK && i < rows->ncolumns; i++) {
        if (!has_values(&rows->columns[i]))
            continue;
        size_t c = find_column(g, rows->columns[i].column, hint);
        status = add_column(g, &g->columns[c], &rows->columns[i], at, n);
        hint = c + 1;
    }
    if (status != MR_OK)
        return status;
    memcpy(g->times + g->rows, rows->times + at, n * sizeof *g->times);
    for (size_t i = 0; i < n; i++) {
        g->versions[g->rows + i] = rows->versions != NULL ? rows->versions[at + i] : 1;
        g->versioned = g->versioned || g->versions[g->rows + i] != 1;
    }
    g->rows += (uint32_t)n;
    return MR_OK;
}

int magstore_gather_close(struct magstore_gather *g)
{
    int status = MR_OK;
    for (size_t i = 0; status == MR_OK && i < g->ncolumns; i++) {
        struct magstore_gather_column *c = &g->columns[i];
        if (c->count != 0 && c->rows < g->rows)
            status = mark(c, g->rows - c->rows, 0);
    }
    return status;
}
