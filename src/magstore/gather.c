/* Rows in pieces of any size, gathered into full blocks. */
#include "magstore/writer.h"

void magstore_gather_release(struct magstore_writer *w)
{
    struct magstore_gather *g = &w->gather;
    for (size_t i = 0; g->columns != NULL && i < w->ncolumns; i++) {
        mr_free(g->columns[i].values);
        mr_free(g->columns[i].valid);
    }
    mr_free(g->columns);
    mr_free(g->views);
    mr_free(g->times);
    mr_free(g->versions);
    mr_arena_release(&g->texts);
    memset(g, 0, sizeof *g);
}

/* Columns that have no value in the rows gathered stay out of the block. */
static size_t view_columns(struct magstore_writer *w)
{
    struct magstore_gather *g = &w->gather;
    size_t n = 0;
    for (size_t i = 0; i < w->ncolumns; i++)
        if (g->columns[i].used)
            g->views[n++] = (struct magstore_values){w->columns[i].id, w->columns[i].type,
                                                     g->columns[i].values, g->columns[i].valid};
    return n;
}

int magstore_gather_drain(struct magstore_writer *w, struct mr_error *err)
{
    struct magstore_gather *g = &w->gather;
    if (g->count == 0)
        return MR_OK;
    struct magstore_rows rows = {g->count, g->times, g->versions, g->views, view_columns(w)};
    g->count = g->text_bytes = 0;
    int status = magstore_writer_block(w, &rows, err);
    for (size_t i = 0; i < w->ncolumns; i++)
        g->columns[i].used = false;
    mr_arena_reset(&g->texts);
    return status;
}

/* Makes the column ready to take values; rows before this one have none. */
static int open_column(struct magstore_gather *g, struct gather_column *c, enum magstore_type type)
{
    if (c->values == NULL) {
        c->values = mr_calloc(MAGSTORE_BLOCK_ROWS, magstore_width(type));
        c->valid = c->values != NULL ? mr_malloc(MAGSTORE_BLOCK_ROWS) : NULL;
        if (c->valid == NULL) {
            mr_free(c->values);
            c->values = NULL;
            return MR_ENOMEM;
        }
    }
    if (!c->used)
        memset(c->valid, 0, g->count);
    c->used = true;
    return MR_OK;
}

static int copy_texts(struct magstore_gather *g, struct mr_str *to, const struct mr_str *from,
                      const uint8_t *valid, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (struct mr_str){"", 0};
        if (valid != NULL && valid[i] == 0)
            continue;
        to[i] = mr_arena_dup(&g->texts, from[i]);
        if (to[i].ptr == NULL)
            return MR_ENOMEM;
        g->text_bytes += from[i].len;
    }
    return MR_OK;
}

static int copy_column(struct magstore_gather *g, struct gather_column *c, const struct magstore_values *v,
                       size_t from, size_t n)
{
    if (v->values == NULL)
        return MR_OK;
    if (open_column(g, c, v->type) != MR_OK)
        return MR_ENOMEM;
    size_t width = magstore_width(v->type);
    char *to = c->values + g->count * width;
    const char *values = (const char *)v->values + from * width;
    const uint8_t *valid = v->valid != NULL ? v->valid + from : NULL;
    if (valid != NULL)
        memcpy(c->valid + g->count, valid, n);
    else
        memset(c->valid + g->count, 1, n);
    if (v->type == MAGSTORE_VARCHAR)
        return copy_texts(g, (struct mr_str *)(void *)to, (const struct mr_str *)(const void *)values, valid,
                          n);
    memcpy(to, values, n * width);
    return MR_OK;
}

/* Columns used before and absent from these rows are NULL in them. */
static int copy_rows(struct magstore_writer *w, const struct magstore_rows *rows, size_t from, size_t n)
{
    struct magstore_gather *g = &w->gather;
    memcpy(g->times + g->count, rows->times + from, n * sizeof *g->times);
    for (size_t i = 0; i < n; i++)
        g->versions[g->count + i] = rows->versions != NULL ? rows->versions[from + i] : 1;
    size_t next = 0;
    for (size_t i = 0; i < w->ncolumns; i++) {
        struct gather_column *c = &g->columns[i];
        bool here = next < rows->ncolumns && rows->columns[next].column == w->columns[i].id;
        const struct magstore_values *v = here ? &rows->columns[next++] : NULL;
        if (v != NULL && v->values != NULL) {
            if (copy_column(g, c, v, from, n) != MR_OK)
                return MR_ENOMEM;
        } else if (c->used) {
            memset(c->valid + g->count, 0, n);
        }
    }
    g->count += n;
    return MR_OK;
}

static int open_gather(struct magstore_gather *g)
{
    if (g->times == NULL)
        g->times = mr_malloc(MAGSTORE_BLOCK_ROWS * sizeof *g->times);
    if (g->versions == NULL)
        g->versions = mr_malloc(MAGSTORE_BLOCK_ROWS * sizeof *g->versions);
    return g->times != NULL && g->versions != NULL ? MR_OK : MR_ENOMEM;
}

int magstore_writer_rows(struct magstore_writer *w, const struct magstore_rows *rows, struct mr_error *err)
{
    struct magstore_gather *g = &w->gather;
    int status = magstore_writer_check(w, rows, err);
    if (status == MR_OK && open_gather(g) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory writing %s", w->final);
    for (size_t from = 0; status == MR_OK && from < rows->count;) {
        size_t n = rows->count - from, room = MAGSTORE_BLOCK_ROWS - g->count;
        if (n > room)
            n = room;
        if (copy_rows(w, rows, from, n) != MR_OK)
            return mr_error_set(err, MR_ENOMEM, "out of memory writing %s", w->final);
        from += n;
        if (g->count == MAGSTORE_BLOCK_ROWS || g->text_bytes > SEGMENT_MAX_TEXT)
            status = magstore_gather_drain(w, err);
    }
    return status;
}
