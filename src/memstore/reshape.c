/* memstore/reshape.c - the shapes of a chunk and the way from one block to the next. */
#include "memstore/chunk.h"

struct shape {
    uint32_t cap, ncols;
    uint8_t lsn_width, version_width;
    struct mem_col *cols; /* offset unset */
};

static uint8_t lsn_width_for(const struct mem_chunk *c, uint64_t lsn)
{
    if (lsn - c->lsn_base >= UINT32_MAX - MEM_LSN_SLACK)
        return 8;
    if (c->lsn_width == 0 && c->rows != 0 && lsn != c->lsn_base)
        return 4;
    return c->lsn_width;
}

static uint8_t version_width_for(const struct mem_chunk *c, int64_t version)
{
    uint64_t delta = (uint64_t)version - (uint64_t)c->version_base;
    if (delta > UINT32_MAX)
        return 8;
    if (c->version_width == 0 && delta != 0)
        return 4;
    return c->version_width;
}

/* Which columns a chunk must have once the row is in: the union, nullable where one side lacks it. True when
 * that is more than it has. `cols` has room for ncols + ncells. */
static bool merge_columns(const struct mem_chunk *c, const struct chunk_need *need, struct mem_col *cols,
                          uint32_t *count)
{
    uint32_t i = 0, k = 0, n = 0;
    bool more = false;
    while (i < c->ncols || k < need->ncells) {
        const struct mem_cell *cell = k < need->ncells ? &need->cells[k] : NULL;
        if (cell == NULL || (i < c->ncols && c->cols[i].column < cell->column)) {
            cols[n] = c->cols[i++];
            more |= !cols[n].nullable;
            cols[n++].nullable = 1;
        } else if (i == c->ncols || cell->column < c->cols[i].column) {
            cols[n++] = (struct mem_col){cell->column, (uint8_t)cell->value.type, c->rows != 0, 0};
            more = true;
            k++;
        } else {
            cols[n++] = c->cols[i++];
            k++;
        }
    }
    *count = n;
    return more;
}

/* The common case without a merge: the same columns in the same order. */
static bool same_columns(const struct mem_chunk *c, const struct chunk_need *need)
{
    if (c->ncols != need->ncells)
        return false;
    for (uint32_t i = 0; i < c->ncols; i++)
        if (c->cols[i].column != need->cells[i].column)
            return false;
    return true;
}

static struct mem_chunk *block_new(struct mem_heap *heap, const struct shape *shape)
{
    uint32_t size = (uint32_t)(sizeof(struct mem_chunk) + shape->ncols * sizeof(struct mem_col) +
                               shape->cap * sizeof(int64_t)) +
                    chunk_pad(shape->cap * shape->lsn_width) + chunk_pad(shape->cap * shape->version_width);
    for (uint32_t i = 0; i < shape->ncols; i++) {
        shape->cols[i].offset = size;
        size += chunk_pad(shape->cap * chunk_width(shape->cols[i].type));
        size += shape->cols[i].nullable ? chunk_pad(shape->cap) : 0;
    }
    struct mem_chunk *c = mem_alloc(heap, MEM_ROWS, size);
    if (c == NULL)
        return NULL;
    *c = (struct mem_chunk){.size = size,
                            .cap = (uint16_t)shape->cap,
                            .ncols = (uint16_t)shape->ncols,
                            .lsn_width = shape->lsn_width,
                            .version_width = shape->version_width};
    memcpy(c->cols, shape->cols, shape->ncols * sizeof *shape->cols);
    return c;
}

static void copy_column(struct mem_chunk *to, const struct mem_col *col, const struct mem_chunk *from,
                        uint32_t first, uint32_t rows)
{
    const struct mem_col *old = chunk_col(from, col->column);
    uint32_t width = chunk_width(col->type);
    if (old != NULL)
        memcpy(chunk_values(to, col), (char *)chunk_values(from, old) + first * width, rows * width);
    else
        memset(chunk_values(to, col), 0, rows * width);
    if (!col->nullable)
        return;
    if (old != NULL && old->nullable)
        memcpy(chunk_valid(to, col), chunk_valid(from, old) + first, rows);
    else
        memset(chunk_valid(to, col), old != NULL, rows);
}

static void copy_rows(struct mem_chunk *to, const struct mem_chunk *from, uint32_t first, uint32_t rows)
{
    to->rows = (uint16_t)rows;
    to->lsn_base = from->lsn_base;
    to->lsn_max = from->lsn_max;
    to->version_base = from->version_base;
    memcpy(chunk_time(to), chunk_time(from) + first, rows * sizeof(int64_t));
    for (uint32_t row = 0; row < rows && to->lsn_width != 0; row++)
        chunk_set_lsn(to, row, chunk_lsn(from, first + row));
    for (uint32_t row = 0; row < rows && to->version_width != 0; row++)
        chunk_set_version(to, row, chunk_version(from, first + row));
    for (uint32_t i = 0; i < to->ncols; i++)
        copy_column(to, &to->cols[i], from, first, rows);
}

uint32_t chunk_limit(const struct mem_chunk *c, uint32_t ncells)
{
    uint32_t columns = c != NULL && c->ncols > ncells ? c->ncols : ncells;
    uint32_t rows = MEM_CHUNK_BYTES / (12 + 9 * columns);
    if (rows > MEM_CHUNK_ROWS)
        return MEM_CHUNK_ROWS;
    return rows < MEM_CHUNK_LEAST ? MEM_CHUNK_LEAST : rows;
}

struct mem_chunk *chunk_new(struct mem_heap *heap, const struct chunk_need *need, uint32_t cap)
{
    struct mem_col cols[MEM_MAX_ATTRIBUTES];
    struct shape shape = {.cap = cap, .ncols = need->ncells, .cols = cols};
    for (uint32_t i = 0; i < need->ncells; i++)
        cols[i] = (struct mem_col){need->cells[i].column, (uint8_t)need->cells[i].value.type, 0, 0};
    struct mem_chunk *c = block_new(heap, &shape);
    if (c == NULL)
        return NULL;
    c->lsn_base = c->lsn_max = need->lsn;
    c->version_base = need->version;
    return c;
}

int chunk_fit(struct mem_heap *heap, struct mem_chunk **c, const struct chunk_need *need, uint32_t limit)
{
    struct mem_chunk *old = *c;
    struct mem_col cols[2 * MEM_MAX_ATTRIBUTES];
    struct shape shape = {old->cap, old->ncols, lsn_width_for(old, need->lsn),
                          version_width_for(old, need->version), cols};
    bool fits = shape.lsn_width == old->lsn_width && shape.version_width == old->version_width;
    if (old->rows + need->room > old->cap) {
        fits = false;
        shape.cap = old->cap * 2u < limit ? old->cap * 2u : limit;
    }
    if (need->cells != NULL && !same_columns(old, need)) {
        if (merge_columns(old, need, cols, &shape.ncols))
            fits = false;
    } else if (!fits) {
        memcpy(cols, old->cols, old->ncols * sizeof *cols);
    }
    if (fits)
        return MR_OK;
    MR_ASSERT(shape.cap >= old->rows + need->room);
    struct mem_chunk *fitted = block_new(heap, &shape);
    if (fitted == NULL)
        return MR_ENOMEM;
    copy_rows(fitted, old, 0, old->rows);
    mem_free(heap, MEM_ROWS, old, old->size);
    *c = fitted;
    return MR_OK;
}

struct mem_chunk *chunk_split(struct mem_heap *heap, struct mem_chunk *c, uint32_t at)
{
    struct mem_col cols[2 * MEM_MAX_ATTRIBUTES];
    struct shape shape = {c->cap, c->ncols, c->lsn_width, c->version_width, cols};
    memcpy(cols, c->cols, c->ncols * sizeof *cols);
    struct mem_chunk *upper = block_new(heap, &shape);
    if (upper == NULL)
        return NULL;
    copy_rows(upper, c, at, c->rows - at);
    c->rows = (uint16_t)at;
    return upper;
}

void chunk_shrink(struct mem_heap *heap, struct mem_chunk **c)
{
    struct mem_chunk *old = *c;
    struct mem_col cols[2 * MEM_MAX_ATTRIBUTES];
    struct shape shape = {old->cap, old->ncols, old->lsn_width, old->version_width, cols};
    while (shape.cap / 4 >= old->rows && shape.cap > 1)
        shape.cap /= 2;
    if (shape.cap == old->cap)
        return;
    memcpy(cols, old->cols, old->ncols * sizeof *cols);
    struct mem_chunk *fitted = block_new(heap, &shape);
    if (fitted == NULL)
        return;
    copy_rows(fitted, old, 0, old->rows);
    mem_free(heap, MEM_ROWS, old, old->size);
    *c = fitted;
}
