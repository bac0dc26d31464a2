/* memstore/insert.c - a row into, out of, and over another in its series.
 *
 * A series is a list of chunks by time, each sorted: a B+ tree of two levels. A row in order goes to the end
 * of the last chunk; any other is found by two binary searches and moves at most half a chunk of rows, so a
 * row four years late costs what a row four seconds late costs. Chunks are split at half when they are full
 * in the middle, and left full when rows come in order.
 */
#include "memstore/table.h"

static int64_t chunk_last(const struct mem_chunk *c)
{
    return chunk_time(c)[c->rows - 1];
}

/* The last run that starts at or before the time, or the first. */
static uint32_t find_run(const struct mem_series *s, int64_t time)
{
    if (s->nruns <= 1 || s->many[s->nruns - 1].first <= time)
        return s->nruns != 0 ? s->nruns - 1 : 0;
    uint32_t low = 0, high = s->nruns - 1; /* many[high].first > time */
    while (high - low > 1) {
        uint32_t mid = (low + high) / 2;
        if (s->many[mid].first <= time)
            low = mid;
        else
            high = mid;
    }
    return low;
}

bool series_locate(const struct mem_series *s, int64_t time, struct spot *spot)
{
    *spot = (struct spot){0, 0};
    if (s->nruns == 0)
        return false;
    spot->run = find_run(s, time);
    const struct mem_chunk *c = series_chunk(s, spot->run);
    if (time > chunk_last(c)) {
        spot->row = c->rows;
        return false;
    }
    spot->row = chunk_lower(c, time);
    return chunk_time(c)[spot->row] == time;
}

static int add_run(struct mem_table *t, struct mem_series *s, uint32_t at, struct mem_chunk *c)
{
    if (s->nruns == 0 && s->runs_cap == 0) {
        s->one = c;
        s->nruns = 1;
        return MR_OK;
    }
    if (s->runs_cap == 0) {
        struct mem_run *many = mem_alloc(&t->heap, MEM_ROWS, 4 * sizeof *many);
        if (many == NULL)
            return MR_ENOMEM;
        if (s->nruns != 0)
            many[0] = (struct mem_run){chunk_time(s->one)[0], s->one};
        s->many = many;
        s->runs_cap = 4;
    } else if (mem_grow(&t->heap, MEM_ROWS, (void **)&s->many, &s->runs_cap, s->nruns + 1, 4,
                        sizeof *s->many) != MR_OK) {
        return MR_ENOMEM;
    }
    memmove(s->many + at + 1, s->many + at, (s->nruns - at) * sizeof *s->many);
    s->many[at] = (struct mem_run){c->rows != 0 ? chunk_time(c)[0] : INT64_MAX, c};
    s->nruns++;
    return MR_OK;
}

void series_cut(struct mem_table *t, struct mem_series *s, uint32_t from, uint32_t to)
{
    if (s->runs_cap != 0)
        memmove(s->many + from, s->many + to, (s->nruns - to) * sizeof *s->many);
    s->nruns -= to - from;
    if (s->runs_cap == 0 || s->nruns > 1)
        return;
    struct mem_chunk *last = s->nruns == 1 ? s->many[0].chunk : NULL;
    mem_free(&t->heap, MEM_ROWS, s->many, s->runs_cap * sizeof *s->many);
    s->runs_cap = 0;
    s->one = last;
}

void series_free_runs(struct mem_table *t, struct mem_series *s)
{
    for (uint32_t i = 0; i < s->nruns; i++)
        chunk_free(&t->heap, series_chunk(s, i));
    series_cut(t, s, 0, s->nruns);
}

uint64_t series_rows(const struct mem_series *s)
{
    uint64_t rows = 0;
    for (uint32_t i = 0; i < s->nruns; i++)
        rows += series_chunk(s, i)->rows;
    return rows;
}

/* ---- texts
 * ----------------------------------------------------------------------------------------------------- */

/* A text with these bytes among the rows before the spot: values of states repeat. */
static struct mem_text *text_nearby(const struct mem_chunk *c, const struct mem_col *col, uint32_t row,
                                    struct mr_str s)
{
    struct mem_text **texts = chunk_values(c, col);
    for (uint32_t look = 0; look < 4 && row > 0; look++) {
        struct mem_text *text = texts[--row];
        if (text != NULL && mr_str_eq((struct mr_str){text->bytes, text->len}, s))
            return text;
    }
    return NULL;
}

static int make_bits(struct mem_table *t, const struct mem_chunk *near, uint32_t row,
                     const struct mem_cell *cell, union mem_bits *bits)
{
    const struct mem_value *value = &cell->value;
    bits->i64 = 0;
    if (value->type == MEM_BOOLEAN) {
        bits->boolean = value->boolean;
    } else if (value->type == MEM_VARCHAR) {
        const struct mem_col *col = near != NULL ? chunk_col(near, cell->column) : NULL;
        bits->text = col != NULL ? text_nearby(near, col, row, value->str) : NULL;
        if (bits->text != NULL)
            bits->text->refs++;
        else
            bits->text = text_new(&t->heap, value->str);
        return bits->text != NULL ? MR_OK : MR_ENOMEM;
    } else {
        bits->i64 = value->i64; /* the same 8 bytes for a double */
    }
    return MR_OK;
}

static void drop_bits(struct mem_table *t, const struct mem_row *row, const union mem_bits *bits,
                      uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (row->cells[i].value.type == MEM_VARCHAR)
            text_give(&t->heap, bits[i].text);
}

/* The row's values as they will lie in the chunk, into bits[ncells]. */
static int make_row(struct mem_table *t, const struct mem_chunk *near, uint32_t at, const struct mem_row *row,
                    union mem_bits *bits)
{
    for (uint32_t i = 0; i < row->ncells; i++) {
        if (make_bits(t, near, at, &row->cells[i], &bits[i]) != MR_OK) {
            drop_bits(t, row, bits, i);
            return MR_ENOMEM;
        }
    }
    return MR_OK;
}

/* ---- insert
 * ---------------------------------------------------------------------------------------------------- */

static uint32_t first_cap(const struct mem_series *s, uint32_t limit)
{
    if (s->nruns == 0)
        return 1; /* many series have one row, ever */
    return limit < 64 ? limit : 64;
}

/* A new chunk for the row at position `at` of the list. */
static int insert_in_new(struct mem_table *t, struct mem_series *s, uint32_t at, int64_t time,
                         const struct chunk_need *need, const union mem_bits *bits)
{
    struct mem_chunk *c = chunk_new(&t->heap, need, first_cap(s, chunk_limit(NULL, need->ncells)));
    if (c == NULL)
        return MR_ENOMEM;
    if (add_run(t, s, at, c) != MR_OK) {
        mem_free(&t->heap, MEM_ROWS, c, c->size);
        return MR_ENOMEM;
    }
    chunk_insert(c, 0, time, need, bits);
    if (s->runs_cap != 0)
        s->many[at].first = time;
    return MR_OK;
}

/* Makes room in a full chunk by moving its upper half out; the spot follows its row. */
static int halve(struct mem_table *t, struct mem_series *s, struct spot *spot)
{
    struct mem_chunk *c = series_chunk(s, spot->run);
    uint32_t half = c->rows / 2;
    struct mem_chunk *upper = chunk_split(&t->heap, c, half);
    if (upper == NULL)
        return MR_ENOMEM;
    if (add_run(t, s, spot->run + 1, upper) != MR_OK) {
        c->rows = (uint16_t)(c->rows + upper->rows); /* the rows are still in place */
        mem_free(&t->heap, MEM_ROWS, upper, upper->size);
        return MR_ENOMEM;
    }
    if (spot->row > half)
        *spot = (struct spot){spot->run + 1, spot->row - half};
    return MR_OK;
}

static int insert_bits(struct mem_table *t, struct mem_series *s, struct spot spot, int64_t time,
                       const struct chunk_need *need, const union mem_bits *bits)
{
    if (s->nruns == 0)
        return insert_in_new(t, s, 0, time, need, bits);
    struct mem_chunk *c = series_chunk(s, spot.run);
    uint32_t limit = chunk_limit(c, need->ncells);
    if (c->rows >= limit && spot.row == c->rows && spot.run + 1 < s->nruns) {
        /* Between two chunks: the front of the next is as good, and a gap filled backwards fills chunks. */
        const struct mem_chunk *next = series_chunk(s, spot.run + 1);
        if (next->rows < chunk_limit(next, need->ncells)) {
            spot = (struct spot){spot.run + 1, 0};
            c = series_chunk(s, spot.run);
            limit = chunk_limit(c, need->ncells);
        }
    }
    if (c->rows >= limit && spot.row == c->rows)
        return insert_in_new(t, s, spot.run + 1, time, need, bits);
    if (c->rows >= limit && spot.row == 0 && spot.run == 0)
        return insert_in_new(t, s, 0, time, need, bits);
    if (c->rows >= limit && halve(t, s, &spot) != MR_OK)
        return MR_ENOMEM;
    if (chunk_fit(&t->heap, series_slot(s, spot.run), need, limit) != MR_OK)
        return MR_ENOMEM;
    chunk_insert(series_chunk(s, spot.run), spot.row, time, need, bits);
    if (spot.row == 0 && s->runs_cap != 0)
        s->many[spot.run].first = time;
    return MR_OK;
}

static struct chunk_need need_of(const struct mem_row *row, uint32_t room, uint64_t lsn)
{
    return (struct chunk_need){row->cells, row->ncells, room, lsn, row->version};
}

int series_insert(struct mem_table *t, struct mem_series *s, struct spot spot, const struct mem_row *row,
                  uint64_t lsn)
{
    union mem_bits bits[MEM_MAX_ATTRIBUTES];
    struct chunk_need need = need_of(row, 1, lsn);
    const struct mem_chunk *near = s->nruns != 0 ? series_chunk(s, spot.run) : NULL;
    if (make_row(t, near, spot.row, row, bits) != MR_OK)
        return mem_heap_status(&t->heap);
    if (insert_bits(t, s, spot, row->time, &need, bits) != MR_OK) {
        drop_bits(t, row, bits, row->ncells);
        return mem_heap_status(&t->heap);
    }
    t->nrows++;
    if (row->time < t->lowest)
        t->lowest = row->time;
    return MR_OK;
}

/* ---- replace
 * --------------------------------------------------------------------------------------------------- */

/* Gives back the texts of a row that is about to be overwritten. */
static void give_row_texts(struct mem_table *t, struct mem_chunk *c, uint32_t row)
{
    for (uint32_t i = 0; i < c->ncols; i++)
        if (c->cols[i].type == MEM_VARCHAR)
            text_give(&t->heap, ((struct mem_text **)chunk_values(c, &c->cols[i]))[row]);
}

int series_replace(struct mem_table *t, struct mem_series *s, struct spot spot, const struct mem_row *row,
                   uint64_t lsn, struct mem_old **keep)
{
    union mem_bits bits[MEM_MAX_ATTRIBUTES];
    struct chunk_need need = need_of(row, 0, lsn);
    struct mem_chunk **slot = series_slot(s, spot.run);
    if (make_row(t, *slot, spot.row + 1, row, bits) != MR_OK)
        return mem_heap_status(&t->heap);
    struct mem_old *old = keep != NULL ? old_keep(&t->olds, &t->heap, s->number, *slot, spot.row, lsn) : NULL;
    if (keep != NULL && old == NULL)
        goto failed;
    if (chunk_fit(&t->heap, slot, &need, MEM_CHUNK_ROWS) != MR_OK) {
        if (old != NULL)
            old_drop(&t->olds, &t->heap, old);
        goto failed;
    }
    if (keep != NULL)
        *keep = old;
    give_row_texts(t, *slot, spot.row);
    chunk_write(*slot, spot.row, &need, bits);
    return MR_OK;
failed:
    drop_bits(t, row, bits, row->ncells);
    return mem_heap_status(&t->heap);
}

/* ---- undo
 * ------------------------------------------------------------------------------------------------------ */

void series_remove_row(struct mem_table *t, struct mem_series *s, struct spot spot)
{
    struct mem_chunk *c = series_chunk(s, spot.run);
    chunk_remove(&t->heap, c, spot.row, spot.row + 1);
    t->nrows--;
    if (c->rows != 0) {
        if (spot.row == 0 && s->runs_cap != 0)
            s->many[spot.run].first = chunk_time(c)[0];
        return;
    }
    chunk_free(&t->heap, c);
    series_cut(t, s, spot.run, spot.run + 1);
}

void series_restore(struct mem_table *t, struct mem_series *s, struct spot spot, struct mem_old *old)
{
    struct mem_chunk *c = series_chunk(s, spot.run);
    give_row_texts(t, c, spot.row);
    struct mem_cell cells[MEM_MAX_ATTRIBUTES];
    union mem_bits bits[MEM_MAX_ATTRIBUTES];
    for (uint32_t i = 0; i < old->ncells; i++) {
        cells[i] = (struct mem_cell){old->cells[i].column, {.type = old->cells[i].type}};
        bits[i] = old->cells[i].bits;
        if (old->cells[i].type == MEM_VARCHAR)
            bits[i].text->refs++;
    }
    struct chunk_need need = {cells, old->ncells, 0, old->lsn, old->version};
    chunk_write(c, spot.row, &need, bits);
    old_drop(&t->olds, &t->heap, old);
}
