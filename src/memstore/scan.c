/* memstore/scan.c - rows of one series, copied out column by column.
 *
 * First the rows that the snapshot sees are collected as segments (runs of neighbours in a chunk, or a kept
 * old row), then each column is copied over all segments. A chunk whose every row is old enough for the
 * snapshot is one segment and its columns are plain copies.
 */
#include "memstore/table.h"

enum { SEGMENTS = 256, LOOK_ROWS = 4 * MEM_BATCH_ROWS, TEXT_BYTES = 4 << 20, TEXT_LEAST = 2048 };

struct segment {
    const struct mem_chunk *chunk;
    const struct mem_old *old; /* chunk NULL: this one row */
    uint32_t first, rows;
};

struct output {
    uint32_t column;
    enum mem_type type;
    enum mem_role role; /* of the version that of time: every row has one */
    void *values;       /* MEM_BATCH_ROWS of them, or NULL for time-constant columns */
    uint8_t *valid;     /* MEM_BATCH_ROWS */
    struct mr_str one;  /* the constant of a dimension or measure_name */
};

struct mem_cursor {
    size_t ncolumns;
    struct output *outputs;
    struct mem_vec *vecs;
    struct mr_arena texts;
    struct segment *segments;
    size_t nsegments;
    size_t rows;
    uint64_t bytes;
};

static const int64_t null_value[2]; /* stands for all rows of a column of NULLs, whatever its type */
static const uint8_t null_valid;

static size_t width_of(enum mem_type type)
{
    if (type == MEM_BOOLEAN)
        return 1;
    return type == MEM_VARCHAR ? sizeof(struct mr_str) : 8;
}

int mem_cursor_open(struct mem_table *t, const uint32_t *columns, size_t ncolumns, struct mem_cursor **out)
{
    struct mem_cursor *c = mr_calloc(1, sizeof *c);
    if (c == NULL)
        return MR_ENOMEM;
    int rc = MR_ENOMEM;
    c->outputs = mr_calloc(ncolumns, sizeof *c->outputs);
    c->vecs = mr_calloc(ncolumns, sizeof *c->vecs);
    c->segments = mr_malloc(SEGMENTS * sizeof *c->segments);
    if (c->outputs == NULL || c->vecs == NULL || c->segments == NULL)
        goto failed;
    for (; c->ncolumns < ncolumns; c->ncolumns++) {
        uint32_t column = columns[c->ncolumns];
        rc = MR_EINVAL;
        if (column == MEM_COLUMN_VERSION) {
            c->outputs[c->ncolumns] = (struct output){.column = column, .type = MEM_BIGINT, .role = MEM_TIME};
            continue;
        }
        if (column >= t->ncolumns)
            goto failed;
        c->outputs[c->ncolumns] = (struct output){
            .column = column, .type = t->columns[column].type, .role = t->columns[column].role};
    }
    *out = c;
    return MR_OK;
failed:
    mem_cursor_close(c);
    return rc;
}

void mem_cursor_close(struct mem_cursor *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->ncolumns; i++) {
        MR_ASSERT(c->outputs != NULL);
        mr_free(c->outputs[i].values);
        mr_free(c->outputs[i].valid);
    }
    mr_free(c->outputs);
    mr_free(c->vecs);
    mr_free(c->segments);
    mr_arena_release(&c->texts);
    mr_free(c);
}

const struct mem_vec *mem_cursor_vecs(const struct mem_cursor *c)
{
    return c->vecs;
}

uint64_t mem_cursor_bytes(const struct mem_cursor *c)
{
    return c->bytes;
}

/* ---- what the snapshot sees
 * ------------------------------------------------------------------------------------ */

static void add_segment(struct mem_cursor *c, struct segment segment)
{
    c->segments[c->nsegments++] = segment;
    c->rows += segment.rows;
}

static bool cursor_full(const struct mem_cursor *c)
{
    return c->nsegments == SEGMENTS || c->rows == MEM_BATCH_ROWS;
}

/* Rows [first, end) of a chunk some of whose rows are too young. Returns where it stopped. */
static uint32_t collect_seen(struct mem_cursor *c, const struct mem_olds *olds, uint32_t series,
                             const struct mem_chunk *chunk, uint32_t first, uint32_t end, uint64_t lsn)
{
    uint32_t row = first;
    while (row < end && !cursor_full(c)) {
        uint32_t from = row;
        uint32_t most = row + (uint32_t)(MEM_BATCH_ROWS - c->rows);
        while (row < end && row < most && chunk_lsn(chunk, row) <= lsn)
            row++;
        if (row != from) {
            add_segment(c, (struct segment){chunk, NULL, from, row - from});
            continue;
        }
        const struct mem_old *old = old_find(olds, series, chunk_time(chunk)[row], lsn);
        if (old != NULL)
            add_segment(c, (struct segment){NULL, old, 0, 1});
        row++;
    }
    return row;
}

/* Collects segments from *from on; false when nothing can follow. */
static bool collect(struct mem_cursor *c, const struct mem_table *t, const struct mem_series *s,
                    int64_t *from, int64_t to, uint64_t lsn)
{
    struct spot spot;
    uint32_t looked = 0;
    series_locate(s, *from, &spot);
    for (; spot.run < s->nruns; spot.run++, spot.row = 0) {
        const struct mem_chunk *chunk = series_chunk(s, spot.run);
        const int64_t *time = chunk_time(chunk);
        uint32_t end = time[chunk->rows - 1] <= to ? chunk->rows : chunk_lower(chunk, to + 1);
        uint32_t row = spot.row;
        if (chunk->lsn_max <= lsn && row < end && !cursor_full(c)) {
            uint32_t room = (uint32_t)(MEM_BATCH_ROWS - c->rows), rows = end - row < room ? end - row : room;
            add_segment(c, (struct segment){chunk, NULL, row, rows});
            row += rows;
        } else {
            row = collect_seen(c, &t->olds, s->number, chunk, row, end, lsn);
        }
        looked += row - spot.row;
        if (row < end || (looked >= LOOK_ROWS && row != 0)) {
            *from =
                row < chunk->rows ? time[row] : time[row - 1] + 1; /* a later row exists, or any later time */
            return row < chunk->rows || time[row - 1] < to;
        }
        if (end < chunk->rows)
            return false;
    }
    return false;
}

/* The last row below `end` of a chunk that the snapshot sees, or an old row in place of one too young. */
static bool last_seen(const struct mem_table *t, uint32_t series, const struct mem_chunk *chunk, uint32_t end,
                      uint64_t lsn, int64_t *time)
{
    while (end-- > 0) {
        *time = chunk_time(chunk)[end];
        if (chunk->lsn_max <= lsn || chunk_lsn(chunk, end) <= lsn ||
            old_find(&t->olds, series, *time, lsn) != NULL)
            return true;
    }
    return false;
}

bool mem_newest(const struct mem_table *t, uint32_t series, int64_t from, int64_t to, uint64_t lsn,
                int64_t *time)
{
    const struct mem_series *s = mem_pages_get(&t->series, series);
    for (uint32_t run = s != NULL && from <= to ? s->nruns : 0; run-- > 0;) {
        const struct mem_chunk *chunk = series_chunk(s, run);
        const int64_t *times = chunk_time(chunk);
        uint32_t end = times[chunk->rows - 1] <= to ? chunk->rows : chunk_lower(chunk, to + 1);
        if (last_seen(t, series, chunk, end, lsn, time))
            return *time >= from;
        if (times[0] < from)
            return false;
    }
    return false;
}

static int64_t segment_time(const struct segment *segment, uint32_t row)
{
    return segment->chunk != NULL ? chunk_time(segment->chunk)[segment->first + row] : segment->old->time;
}

/* ---- copying
 * --------------------------------------------------------------------------------------------------- */

static const struct mem_old_cell *old_cell(const struct mem_old *old, uint32_t column)
{
    for (uint32_t i = 0; i < old->ncells; i++)
        if (old->cells[i].column == column)
            return &old->cells[i];
    return NULL;
}

/* Values and valid bytes of a column in one segment. Without the column: values NULL. */
struct piece {
    const void *values;
    const uint8_t *valid; /* NULL: all */
};

static struct piece piece_of(const struct segment *segment, uint32_t column)
{
    if (segment->chunk == NULL) {
        const struct mem_old_cell *cell = old_cell(segment->old, column);
        return (struct piece){cell != NULL ? &cell->bits : NULL, NULL};
    }
    const struct mem_col *col = chunk_col(segment->chunk, (uint16_t)column);
    if (col == NULL)
        return (struct piece){NULL, NULL};
    const char *values = chunk_values(segment->chunk, col);
    return (struct piece){values + segment->first * chunk_width(col->type),
                          col->nullable ? chunk_valid(segment->chunk, col) + segment->first : NULL};
}

static int output_room(struct output *out)
{
    if (out->values == NULL)
        out->values = mr_malloc(MEM_BATCH_ROWS * width_of(out->type));
    if (out->valid == NULL)
        out->valid = mr_malloc(MEM_BATCH_ROWS);
    return out->values != NULL && out->valid != NULL ? MR_OK : MR_ENOMEM;
}

static void set_null(struct mem_vec *vec, enum mem_type type)
{
    *vec = (struct mem_vec){type, true, null_value, &null_valid};
}

static void copy_time(struct mem_cursor *c, const struct output *out)
{
    int64_t *to = out->values;
    for (size_t i = 0; i < c->nsegments; i++) {
        const struct segment *segment = &c->segments[i];
        if (segment->chunk != NULL)
            memcpy(to, chunk_time(segment->chunk) + segment->first, segment->rows * sizeof *to);
        else
            *to = segment->old->time;
        to += segment->rows;
    }
}

/* The versions of all segments; a constant when they are one. */
static void copy_versions(struct mem_cursor *c, const struct output *out, struct mem_vec *vec)
{
    int64_t *to = out->values;
    size_t at = 0;
    bool same = true;
    for (size_t i = 0; i < c->nsegments; i++) {
        const struct segment *segment = &c->segments[i];
        for (uint32_t row = 0; row < segment->rows; row++, at++) {
            to[at] = segment->chunk != NULL ? chunk_version(segment->chunk, segment->first + row)
                                            : segment->old->version;
            same &= to[at] == to[0];
        }
    }
    *vec = (struct mem_vec){MEM_BIGINT, same, to, NULL};
}

/* The strings of a column into the cursor's own memory; a text that repeats is copied once. */
static int copy_texts(struct mem_cursor *c, struct mr_str *to, struct mem_text *const *texts,
                      const uint8_t *valid, uint32_t rows)
{
    const struct mem_text *last = NULL;
    struct mr_str copy = {"", 0};
    for (uint32_t row = 0; row < rows; row++) {
        if (valid != NULL && !valid[row]) {
            to[row] = (struct mr_str){"", 0};
            continue;
        }
        if (texts[row] != last) {
            last = texts[row];
            copy = mr_arena_dup(&c->texts, (struct mr_str){last->bytes, last->len});
            if (copy.ptr == NULL)
                return MR_ENOMEM;
        }
        to[row] = copy;
        c->bytes += copy.len;
    }
    return MR_OK;
}

/* A measure column over all segments; turned into a constant NULL when no row has it. */
static int copy_values(struct mem_cursor *c, struct output *out, struct mem_vec *vec)
{
    size_t at = 0, width = width_of(out->type);
    bool some = false, all = true;
    for (size_t i = 0; i < c->nsegments && at < c->rows; i++) {
        struct piece piece = piece_of(&c->segments[i], out->column);
        uint32_t rows = c->segments[i].rows;
        if (rows > c->rows - at)
            rows = (uint32_t)(c->rows - at);
        char *to = (char *)out->values + at * width;
        if (piece.values == NULL) {
            memset(to, 0, rows * width);
            memset(out->valid + at, 0, rows);
        } else if (out->type != MEM_VARCHAR) {
            memcpy(to, piece.values, rows * width);
            c->bytes += rows * width;
        } else if (copy_texts(c, (struct mr_str *)to, piece.values, piece.valid, rows) != MR_OK) {
            return MR_ENOMEM;
        }
        if (piece.values != NULL && piece.valid != NULL)
            memcpy(out->valid + at, piece.valid, rows);
        else if (piece.values != NULL)
            memset(out->valid + at, 1, rows);
        some |= piece.values != NULL;
        all &= piece.values != NULL && piece.valid == NULL;
        at += rows;
    }
    if (some)
        *vec = (struct mem_vec){out->type, false, out->values, all ? NULL : out->valid};
    else
        set_null(vec, out->type);
    return MR_OK;
}

/* How many rows of a varchar column fit the bytes; at least one. */
static size_t rows_within(const struct mem_cursor *c, uint32_t column, uint64_t budget)
{
    uint64_t sum = 0;
    size_t at = 0;
    for (size_t i = 0; i < c->nsegments; i++) {
        struct piece piece = piece_of(&c->segments[i], column);
        struct mem_text *const *texts = piece.values;
        for (uint32_t row = 0; row < c->segments[i].rows && at < c->rows; row++, at++) {
            if (texts == NULL || (piece.valid != NULL && !piece.valid[row]))
                continue;
            sum += texts[row]->len;
            if (sum > budget && at != 0)
                return at;
        }
    }
    return c->rows;
}

/* Cuts the batch so that its texts stay within bounds; *from moves to the first row left out. */
static bool cut_texts(struct mem_cursor *c, int64_t *from)
{
    uint64_t columns = 0;
    for (size_t i = 0; i < c->ncolumns; i++)
        columns += c->outputs[i].type == MEM_VARCHAR && c->outputs[i].role >= MEM_MEASURE_VALUE;
    if (columns == 0)
        return false;
    uint64_t budget = TEXT_BYTES / columns > TEXT_LEAST ? TEXT_BYTES / columns : TEXT_LEAST;
    size_t before = c->rows;
    for (size_t i = 0; i < c->ncolumns; i++)
        if (c->outputs[i].type == MEM_VARCHAR && c->outputs[i].role >= MEM_MEASURE_VALUE)
            c->rows = rows_within(c, c->outputs[i].column, budget);
    if (c->rows == before)
        return false;
    size_t at = 0, i = 0;
    while (at + c->segments[i].rows <= c->rows)
        at += c->segments[i++].rows;
    *from = segment_time(&c->segments[i], (uint32_t)(c->rows - at));
    return true;
}

static int copy_constant(struct mem_cursor *c, const struct mem_table *t, const struct mem_series *s,
                         struct output *out, struct mem_vec *vec)
{
    struct mr_str value = MR_STR_NULL;
    if (out->role == MEM_MEASURE_NAME)
        value = t->measures[s->measure].name;
    for (uint32_t i = 0; out->role == MEM_DIMENSION && i < s->ndims; i++)
        if (series_columns(s)[i] == out->column)
            value = mem_word_str(mem_dict_word(t->dicts[out->column], s->words[i]));
    if (value.ptr == NULL) {
        set_null(vec, out->type);
        return MR_OK;
    }
    out->one = mr_arena_dup(&c->texts, value);
    *vec = (struct mem_vec){out->type, true, &out->one, NULL};
    c->bytes += c->rows * value.len;
    return out->one.ptr != NULL ? MR_OK : MR_ENOMEM;
}

/* Can rows of the series have the column at all? */
static bool may_have(const struct mem_table *t, const struct mem_series *s, const struct output *out)
{
    enum mem_type type = t->measures[s->measure].type;
    if (out->role == MEM_MEASURE_VALUE)
        return type == out->type;
    return type == MEM_MULTI;
}

static int copy_output(struct mem_cursor *c, const struct mem_table *t, const struct mem_series *s,
                       struct output *out, struct mem_vec *vec)
{
    if (out->role == MEM_MEASURE_NAME || out->role == MEM_DIMENSION)
        return copy_constant(c, t, s, out, vec);
    if (out->role != MEM_TIME && !may_have(t, s, out)) {
        set_null(vec, out->type);
        return MR_OK;
    }
    if (output_room(out) != MR_OK)
        return MR_ENOMEM;
    if (out->role != MEM_TIME)
        return copy_values(c, out, vec);
    if (out->column == MEM_COLUMN_VERSION) {
        copy_versions(c, out, vec);
        return MR_OK;
    }
    copy_time(c, out);
    *vec = (struct mem_vec){MEM_TIMESTAMP, false, out->values, NULL};
    return MR_OK;
}

int mem_cursor_key(struct mem_cursor *c, struct mem_table *t, uint32_t series)
{
    const struct mem_series *s = mem_pages_get(&t->series, series);
    c->nsegments = c->rows = 0;
    c->bytes = 0;
    if (s == NULL)
        return MR_ENOENT;
    mr_arena_reset(&c->texts);
    for (size_t i = 0; i < c->ncolumns; i++) {
        struct output *out = &c->outputs[i];
        if ((out->role == MEM_MEASURE_NAME || out->role == MEM_DIMENSION) &&
            copy_constant(c, t, s, out, &c->vecs[i]) != MR_OK)
            return MR_ENOMEM;
    }
    return MR_OK;
}

int mem_cursor_fill(struct mem_cursor *c, struct mem_table *t, uint32_t series, int64_t *from, int64_t to,
                    uint64_t lsn, size_t *rows, bool *more)
{
    const struct mem_series *s = mem_pages_get(&t->series, series);
    c->nsegments = c->rows = 0;
    c->bytes = 0;
    *rows = 0;
    *more = false;
    if (s == NULL || s->nruns == 0 || *from > to)
        return MR_OK;
    mr_arena_reset(&c->texts);
    *more = collect(c, t, s, from, to, lsn);
    if (c->rows == 0)
        return MR_OK;
    if (cut_texts(c, from))
        *more = true;
    c->bytes = c->rows * sizeof(int64_t);
    for (size_t i = 0; i < c->ncolumns; i++)
        if (copy_output(c, t, s, &c->outputs[i], &c->vecs[i]) != MR_OK)
            return MR_ENOMEM;
    *rows = c->rows;
    return MR_OK;
}
