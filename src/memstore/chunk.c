#include "memstore/chunk.h"

static uint32_t lsn_offset(const struct mem_chunk *c)
{
    return (uint32_t)(sizeof *c + c->ncols * sizeof(struct mem_col) + c->cap * sizeof(int64_t));
}

static uint32_t version_offset(const struct mem_chunk *c)
{
    return lsn_offset(c) + chunk_pad(c->cap * c->lsn_width);
}

static uint64_t load(const struct mem_chunk *c, uint32_t offset, uint8_t width, uint32_t row)
{
    const char *p = (const char *)c + offset;
    if (width == 4)
        return ((const uint32_t *)p)[row];
    return width == 8 ? ((const uint64_t *)p)[row] : 0;
}

static void keep(struct mem_chunk *c, uint32_t offset, uint8_t width, uint32_t row, uint64_t delta)
{
    char *p = (char *)c + offset;
    if (width == 4)
        ((uint32_t *)p)[row] = (uint32_t)delta;
    else if (width == 8)
        ((uint64_t *)p)[row] = delta;
}

uint64_t chunk_lsn(const struct mem_chunk *c, uint32_t row)
{
    return c->lsn_base + load(c, lsn_offset(c), c->lsn_width, row);
}

int64_t chunk_version(const struct mem_chunk *c, uint32_t row)
{
    /* Deltas wrap: with 8 bytes a version below the base is as good as one above. */
    return (int64_t)((uint64_t)c->version_base + load(c, version_offset(c), c->version_width, row));
}

void chunk_set_lsn(struct mem_chunk *c, uint32_t row, uint64_t lsn)
{
    if (c->lsn_width == 0)
        c->lsn_base = lsn; /* all its rows are of the commit that is being numbered */
    else
        keep(c, lsn_offset(c), c->lsn_width, row, lsn - c->lsn_base);
    if (lsn > c->lsn_max)
        c->lsn_max = lsn;
}

void chunk_set_version(struct mem_chunk *c, uint32_t row, int64_t version)
{
    keep(c, version_offset(c), c->version_width, row, (uint64_t)version - (uint64_t)c->version_base);
}

uint32_t chunk_lower(const struct mem_chunk *c, int64_t t)
{
    const int64_t *time = chunk_time(c);
    uint32_t low = 0, count = c->rows;
    while (count != 0) {
        uint32_t half = count / 2;
        if (time[low + half] < t) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

const struct mem_col *chunk_col(const struct mem_chunk *c, uint16_t column)
{
    uint32_t low = 0, high = c->ncols;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (c->cols[mid].column == column)
            return &c->cols[mid];
        if (c->cols[mid].column < column)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static void put_bits(struct mem_chunk *c, const struct mem_col *col, uint32_t row, union mem_bits bits)
{
    if (col->type == MEM_BOOLEAN)
        ((uint8_t *)chunk_values(c, col))[row] = bits.boolean;
    else
        ((union mem_bits *)chunk_values(c, col))[row] = bits;
}

void chunk_write(struct mem_chunk *c, uint32_t at, const struct chunk_need *need, const union mem_bits *bits)
{
    uint32_t next = 0;
    for (uint32_t i = 0; i < c->ncols; i++) {
        const struct mem_col *col = &c->cols[i];
        bool has = next < need->ncells && need->cells[next].column == col->column;
        put_bits(c, col, at, has ? bits[next] : (union mem_bits){.i64 = 0});
        if (col->nullable)
            chunk_valid(c, col)[at] = has;
        next += has;
    }
    MR_ASSERT(next == need->ncells);
    chunk_set_lsn(c, at, need->lsn);
    chunk_set_version(c, at, need->version);
}

/* Moves `count` rows from `from` to `to` in every part of the block. */
static void move_rows(struct mem_chunk *c, uint32_t from, uint32_t to, uint32_t count)
{
    if (count == 0)
        return;
    int64_t *time = chunk_time(c);
    memmove(time + to, time + from, count * sizeof *time);
    char *lsn = (char *)c + lsn_offset(c), *version = (char *)c + version_offset(c);
    memmove(lsn + to * c->lsn_width, lsn + from * c->lsn_width, count * c->lsn_width);
    memmove(version + to * c->version_width, version + from * c->version_width, count * c->version_width);
    for (uint32_t i = 0; i < c->ncols; i++) {
        uint32_t width = chunk_width(c->cols[i].type);
        char *values = chunk_values(c, &c->cols[i]);
        memmove(values + to * width, values + from * width, count * width);
        if (c->cols[i].nullable)
            memmove(chunk_valid(c, &c->cols[i]) + to, chunk_valid(c, &c->cols[i]) + from, count);
    }
}

void chunk_insert(struct mem_chunk *c, uint32_t at, int64_t time, const struct chunk_need *need,
                  const union mem_bits *bits)
{
    MR_ASSERT(c->rows < c->cap);
    move_rows(c, at, at + 1, c->rows - at);
    c->rows++;
    chunk_time(c)[at] = time;
    chunk_write(c, at, need, bits);
}

void chunk_drop_columns(struct mem_chunk *c, uint32_t first)
{
    uint32_t count = c->ncols;
    while (count != 0 && c->cols[count - 1].column >= first)
        count--;
    if (count == c->ncols)
        return;
    const char *from = (const char *)chunk_time(c);
    size_t size =
        c->cap * sizeof(int64_t) + chunk_pad(c->cap * c->lsn_width) + chunk_pad(c->cap * c->version_width);
    c->ncols = (uint16_t)count;
    memmove(chunk_time(c), from, size); /* what the columns held stays behind, unused */
}

static void give_texts(struct mem_heap *heap, struct mem_chunk *c, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < c->ncols; i++) {
        if (c->cols[i].type != MEM_VARCHAR)
            continue;
        struct mem_text **texts = chunk_values(c, &c->cols[i]);
        for (uint32_t row = from; row < to; row++)
            text_give(heap, texts[row]);
    }
}

void chunk_remove(struct mem_heap *heap, struct mem_chunk *c, uint32_t from, uint32_t to)
{
    give_texts(heap, c, from, to);
    move_rows(c, to, from, c->rows - to);
    c->rows = (uint16_t)(c->rows - (to - from));
}

/* LSNs start at `base` from now on, so that those of a chunk that lives long stay narrow. No row's is below.
 */
static void rebase_lsns(struct mem_chunk *c, uint64_t base)
{
    uint64_t less = base - c->lsn_base;
    for (uint32_t row = 0; row < c->rows; row++)
        keep(c, lsn_offset(c), c->lsn_width, row, load(c, lsn_offset(c), c->lsn_width, row) - less);
    c->lsn_base = base;
}

void chunk_remove_upto(struct mem_heap *heap, struct mem_chunk *c, uint64_t lsn, int64_t *newest)
{
    uint32_t kept = 0, row = 0;
    while (row < c->rows) {
        uint32_t from = row;
        while (row < c->rows && chunk_lsn(c, row) <= lsn)
            row++;
        if (row != from && chunk_time(c)[row - 1] > *newest)
            *newest = chunk_time(c)[row - 1];
        give_texts(heap, c, from, row);
        from = row;
        while (row < c->rows && chunk_lsn(c, row) > lsn)
            row++;
        if (from != kept)
            move_rows(c, from, kept, row - from);
        kept += row - from;
    }
    c->rows = (uint16_t)kept;
    if (kept != 0 && c->lsn_width != 0 && c->lsn_base <= lsn)
        rebase_lsns(c, lsn + 1); /* old copies that are older go with the rows */
}

void chunk_free(struct mem_heap *heap, struct mem_chunk *c)
{
    give_texts(heap, c, 0, c->rows);
    mem_free(heap, MEM_ROWS, c, c->size);
}

struct mem_text *text_new(struct mem_heap *heap, struct mr_str s)
{
    struct mem_text *text = mem_alloc(heap, MEM_ROWS, sizeof *text + s.len);
    if (text == NULL)
        return NULL;
    text->refs = 1;
    text->len = (uint32_t)s.len;
    if (s.len != 0)
        memcpy(text->bytes, s.ptr, s.len);
    return text;
}

void text_give(struct mem_heap *heap, struct mem_text *text)
{
    if (text != NULL && --text->refs == 0)
        mem_free(heap, MEM_ROWS, text, sizeof *text + text->len);
}
