/* Layout: docs/format/segment.md, "Head". */
#include "magstore/head.h"

#include "base/cursor.h"

#define MAX_RUN_BYTES 65536 /* two varints a run and 8192 runs at most; what the scratch holds */
_Static_assert(MAX_RUN_BYTES <= MAGSTORE_MAX_VALUES, "unsqueezed into the symbols of the scratch");
_Static_assert(MAGSTORE_BLOCK_ROWS *(5 + 2) < MAX_RUN_BYTES, "all runs fit");

void magstore_head_release(struct magstore_head *h)
{
    mr_free(h->runs);
    mr_free(h->columns);
    mr_free(h->numbers);
    *h = (struct magstore_head){0};
}

static void stats_of_doubles(const double *v, size_t n, struct magstore_stats *s)
{
    double min = v[0], max = v[0], sum = 0;
    bool numbers = true;
    for (size_t i = 0; i < n; i++) {
        numbers = numbers && v[i] == v[i]; /* not a NaN */
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
        sum += v[i];
    }
    s->numbers = numbers;
    if (numbers) {
        s->f64.min = min;
        s->f64.max = max;
        s->f64.sum = sum;
    }
}

static void stats_of_integers(const int64_t *v, size_t n, struct magstore_stats *s)
{
    int64_t min = v[0], max = v[0];
    __int128 sum = 0;
    for (size_t i = 0; i < n; i++) {
        min = v[i] < min ? v[i] : min;
        max = v[i] > max ? v[i] : max;
        sum += v[i];
    }
    s->numbers = true;
    s->i64.min = min;
    s->i64.max = max;
    s->i64.sum = sum;
}

void magstore_stats_of(enum magstore_type type, const void *values, size_t count, struct magstore_stats *out)
{
    memset(out, 0, sizeof *out);
    if (count == 0)
        return;
    out->type = type;
    out->count = (uint32_t)count;
    if (type == MAGSTORE_DOUBLE)
        stats_of_doubles(values, count, out);
    else if (magstore_is_number(type))
        stats_of_integers(values, count, out);
}

static int write_runs(struct magstore_scratch *scratch, const struct magstore_head *h, struct mr_buf *out)
{
    struct mr_buf runs = MR_BUF_INIT;
    uint32_t series = h->runs[0].series;
    for (size_t i = 0; i < h->nruns; i++) {
        mr_buf_varint(&runs, h->runs[i].series - series);
        mr_buf_varint(&runs, h->runs[i].rows);
        series = h->runs[i].series;
    }
    int status =
        mr_buf_ok(&runs) ? magstore_squeeze(scratch, MAGSTORE_TEXTS, runs.ptr, runs.len, out) : MR_ENOMEM;
    mr_buf_release(&runs);
    return status;
}

static void write_column(const struct magstore_head_column *c, uint32_t before, struct mr_buf *out)
{
    const struct magstore_stats *s = &c->stats;
    mr_buf_varint(out, c->column - before);
    mr_buf_char(out, (char)(s->type | (c->nulls ? SEGMENT_NULLS : 0) | (s->numbers ? SEGMENT_STATS : 0)));
    mr_buf_varint(out, c->plain);
    if (c->nulls)
        mr_buf_varint(out, s->count);
    if (s->type == MAGSTORE_VARCHAR)
        mr_buf_varint(out, c->texts);
    if (s->numbers && s->type == MAGSTORE_DOUBLE) {
        mr_buf_add(out, &s->f64.min, 8);
        mr_buf_add(out, &s->f64.max, 8);
        mr_buf_add(out, &s->f64.sum, 8);
    } else if (s->numbers) {
        mr_buf_add(out, &s->i64.min, 8);
        mr_buf_add(out, &s->i64.max, 8);
        mr_buf_add(out, &s->i64.sum, 16);
    }
}

int magstore_head_write(struct magstore_scratch *scratch, const struct magstore_head *h, struct mr_buf *out)
{
    int status = write_runs(scratch, h, out);
    mr_buf_varint(out, h->times);
    mr_buf_varint(out, h->versions);
    mr_buf_varint(out, h->ncolumns);
    for (size_t i = 0; i < h->ncolumns; i++)
        write_column(&h->columns[i], i != 0 ? h->columns[i - 1].column : 0, out);
    return status == MR_OK && !mr_buf_ok(out) ? MR_ENOMEM : status;
}

/* Series ascend from the first to the last that the directory names; rows add up. */
static int parse_runs(struct magstore_scratch *scratch, struct mr_cursor *c, const struct magstore_block *b,
                      struct magstore_head *h)
{
    size_t len = magstore_squeezed_length(*c);
    if (len == 0 || len > MAX_RUN_BYTES || magstore_unsqueeze(scratch, c, scratch->symbols, len) != MR_OK)
        return MR_ECORRUPT;
    struct mr_cursor runs = mr_cursor_of(scratch->symbols, len);
    uint64_t series = b->first_series, rows = 0;
    h->nruns = 0;
    while (runs.left != 0) {
        uint64_t step = mr_cursor_varint(&runs), n = mr_cursor_varint(&runs);
        if (runs.bad || n == 0 || n > b->rows - rows || (h->nruns == 0) != (step == 0) ||
            step > b->last_series - series)
            return MR_ECORRUPT;
        if (mr_grow((void **)&h->runs, &h->runs_cap, h->nruns + 1, sizeof *h->runs) != MR_OK)
            return MR_ENOMEM;
        series += step;
        h->runs[h->nruns++] = (struct magstore_run){(uint32_t)series, (uint32_t)rows, (uint32_t)n};
        rows += n;
    }
    return rows == b->rows && series == b->last_series ? MR_OK : MR_ECORRUPT;
}

static void parse_numbers(struct mr_cursor *c, struct magstore_stats *s)
{
    struct mr_str bytes = mr_cursor_bytes(c, s->type == MAGSTORE_DOUBLE ? 24 : 32);
    if (c->bad)
        return;
    s->numbers = true;
    if (s->type == MAGSTORE_DOUBLE) {
        memcpy(&s->f64.min, bytes.ptr, 8);
        memcpy(&s->f64.max, bytes.ptr + 8, 8);
        memcpy(&s->f64.sum, bytes.ptr + 16, 8);
    } else {
        memcpy(&s->i64.min, bytes.ptr, 8);
        memcpy(&s->i64.max, bytes.ptr + 8, 8);
        memcpy(&s->i64.sum, bytes.ptr + 16, 16);
    }
}

/* Takes the piece's place in the block. */
static bool place_piece(uint64_t plain, const struct magstore_block *b, uint64_t *offset, uint32_t *at)
{
    if (plain > b->bytes || *offset > b->bytes - plain || *offset + plain > b->bytes - SEGMENT_PIECE_EXTRA)
        return false;
    *at = (uint32_t)*offset;
    *offset += plain + SEGMENT_PIECE_EXTRA;
    return true;
}

static bool parse_column(struct mr_cursor *c, const struct magstore_block *b, bool first, uint64_t *number,
                         uint64_t *offset, struct magstore_head_column *out)
{
    memset(out, 0, sizeof *out);
    uint64_t step = mr_cursor_varint(c);
    uint8_t flags = mr_cursor_u8(c);
    uint64_t plain = mr_cursor_varint(c);
    out->nulls = (flags & SEGMENT_NULLS) != 0;
    uint64_t count = out->nulls ? mr_cursor_varint(c) : b->rows;
    unsigned type = flags & SEGMENT_TYPE;
    uint64_t texts = type == MAGSTORE_VARCHAR ? mr_cursor_varint(c) : 0;
    if (c->bad || !magstore_is_value(type) || (flags & ~(SEGMENT_TYPE | SEGMENT_NULLS | SEGMENT_STATS)) != 0)
        return false;
    if ((!first && step == 0) || step > UINT32_MAX - *number || count == 0 || count > b->rows ||
        (out->nulls && count == b->rows) || texts > SEGMENT_MAX_TEXT)
        return false;
    *number += step;
    out->column = (uint32_t)*number;
    out->plain = (uint32_t)plain;
    out->texts = (uint32_t)texts;
    out->stats.type = (enum magstore_type)type;
    out->stats.count = (uint32_t)count;
    if (!place_piece(plain, b, offset, &out->offset))
        return false;
    if ((flags & SEGMENT_STATS) == 0)
        return true;
    if (!magstore_is_number(type))
        return false;
    parse_numbers(c, &out->stats);
    return !c->bad;
}

static int parse_columns(struct mr_cursor *c, const struct magstore_block *b, uint64_t offset, uint64_t n,
                         struct magstore_head *h)
{
    if (n > MAGSTORE_MAX_COLUMNS || n > c->left || (n * b->rows > SEGMENT_MAX_CELLS && b->rows > 1))
        return MR_ECORRUPT;
    if (mr_grow((void **)&h->columns, &h->columns_cap, n, sizeof *h->columns) != MR_OK ||
        mr_grow((void **)&h->numbers, &h->numbers_cap, n, sizeof *h->numbers) != MR_OK)
        return MR_ENOMEM;
    uint64_t number = 0, texts = 0;
    uint32_t counter = h->versions != 0 ? 3 : 2; /* behind head, times and versions */
    for (size_t i = 0; i < n; i++) {
        struct magstore_head_column *column = &h->columns[i];
        if (!parse_column(c, b, i == 0, &number, &offset, column))
            return MR_ECORRUPT;
        column->counter = counter++;
        h->numbers[i] = column->column;
        texts += column->texts;
    }
    h->ncolumns = n;
    return c->left == 0 && offset == b->bytes && texts <= SEGMENT_MAX_TEXT ? MR_OK : MR_ECORRUPT;
}

int magstore_head_parse(struct magstore_scratch *scratch, struct mr_str bytes, const struct magstore_block *b,
                        uint32_t head_bytes, struct magstore_head *h)
{
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    uint64_t offset = head_bytes;
    h->ncolumns = 0;
    int status = parse_runs(scratch, &c, b, h);
    if (status != MR_OK)
        return status;
    uint64_t times = mr_cursor_varint(&c), versions = mr_cursor_varint(&c), n = mr_cursor_varint(&c);
    if (c.bad || times == 0 || !place_piece(times, b, &offset, &h->times_offset) ||
        (versions != 0 && !place_piece(versions, b, &offset, &h->versions_offset)))
        return MR_ECORRUPT;
    h->times = (uint32_t)times;
    h->versions = (uint32_t)versions;
    return parse_columns(&c, b, offset, n, h);
}

const struct magstore_head_column *magstore_head_find(const struct magstore_head *h, uint32_t column)
{
    size_t low = 0, high = h->ncolumns;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (h->numbers[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < h->ncolumns && h->numbers[low] == column ? &h->columns[low] : NULL;
}
