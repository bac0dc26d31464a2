/* One block: its head, the chunks asked for, their values. */
#include "magstore/reader.h"

#define READ_WHOLE 65536 /* blocks up to this size are read at once */

int magstore_page_new(struct magstore_page **out)
{
    struct magstore_page *p = mr_calloc(1, sizeof *p);
    if (p == NULL || magstore_scratch_new(&p->scratch) != MR_OK) {
        mr_free(p);
        return MR_ENOMEM;
    }
    p->arena.limit = SEGMENT_MAX_PAGE;
    *out = p;
    return MR_OK;
}

void magstore_page_free(struct magstore_page *p)
{
    if (p == NULL)
        return;
    magstore_scratch_free(p->scratch);
    mr_buf_release(&p->head);
    mr_buf_release(&p->bytes);
    mr_free(p->chunks);
    mr_free(p->columns);
    mr_arena_release(&p->arena);
    mr_free(p);
}

static bool next_stats(struct mr_cursor *c, uint8_t type, struct magstore_stats *s)
{
    struct mr_str bytes = mr_cursor_bytes(c, type == MAGSTORE_DOUBLE ? 24 : 32);
    s->numbers = magstore_is_number(type);
    if (c->bad || !s->numbers)
        return false;
    if (type == MAGSTORE_DOUBLE) {
        memcpy(&s->f64, bytes.ptr, 24);
    } else {
        memcpy(&s->i64.min, bytes.ptr, 8);
        memcpy(&s->i64.max, bytes.ptr + 8, 8);
        memcpy(&s->i64.sum, bytes.ptr + 16, 16);
    }
    return true;
}

bool magstore_chunk_next(struct mr_cursor *c, uint32_t rows, uint64_t *offset, struct segment_chunk *out)
{
    memset(out, 0, sizeof *out);
    out->number = mr_cursor_varint(c);
    uint8_t flags = mr_cursor_u8(c);
    uint64_t bytes = mr_cursor_varint(c);
    out->crc = mr_cursor_u32(c);
    out->type = flags & CHUNK_TYPE;
    out->nulls = (flags & CHUNK_NULLS) != 0;
    uint64_t count = out->nulls ? mr_cursor_varint(c) : rows;
    if (c->bad || !magstore_is_value(out->type) || bytes > SEGMENT_MAX_BLOCK || count > rows || count == 0)
        return false;
    out->stats.type = out->type;
    out->stats.count = (uint32_t)count;
    out->bytes = (uint32_t)bytes;
    out->offset = *offset;
    *offset += bytes;
    return (flags & CHUNK_STATS) == 0 || next_stats(c, out->type, &out->stats);
}

/* The fixed part says what the directory says of the block. */
static bool head_fits(const struct segment_block *h, const struct magstore_block *b)
{
    return h->head_bytes == b->head_bytes && h->bytes == b->bytes && h->rows == b->rows &&
           h->time_min == b->time_min && h->time_max == b->time_max && h->series == b->series && h->zero == 0;
}

/* Entries ascend by number, times first, and their chunks fill the block. */
static int parse_head(struct magstore_page *p, const struct magstore_block *b)
{
    struct segment_block h;
    memcpy(&h, p->head.ptr, sizeof h);
    if (!SEGMENT_CRC_IS(h.crc, mr_crc32c(0, p->head.ptr + 4, b->head_bytes - 4)) || !head_fits(&h, b) ||
        h.chunks == 0)
        return MR_ECORRUPT;
    if (mr_grow((void **)&p->chunks, &p->chunks_cap, h.chunks, sizeof *p->chunks) != MR_OK)
        return MR_ENOMEM;
    struct mr_cursor c = mr_cursor_of(p->head.ptr + sizeof h, b->head_bytes - sizeof h);
    uint64_t offset = b->head_bytes;
    p->nchunks = h.chunks;
    for (size_t i = 0; i < p->nchunks; i++) {
        struct segment_chunk *chunk = &p->chunks[i];
        bool ok = magstore_chunk_next(&c, b->rows, &offset, chunk) &&
                  (i == 0 ? chunk->number == CHUNK_TIME : chunk->number > chunk[-1].number);
        if (ok && chunk->number < CHUNK_COLUMN)
            ok = !chunk->nulls &&
                 chunk->type == (chunk->number == CHUNK_TIME ? MAGSTORE_TIMESTAMP : MAGSTORE_BIGINT);
        if (!ok)
            return MR_ECORRUPT;
    }
    return c.left == 0 && offset == b->bytes ? MR_OK : MR_ECORRUPT;
}

/* Leaves the bytes of the whole block in p->bytes when it is small. */
static int load_head(const struct magstore_reader *r, const struct magstore_block *b, struct magstore_page *p,
                     bool whole, struct mr_error *err)
{
    whole = whole && b->bytes <= READ_WHOLE;
    p->head.len = p->bytes.len = 0;
    p->head.failed = p->bytes.failed = false;
    mr_arena_reset(&p->arena);
    char *to = mr_buf_reserve(whole ? &p->bytes : &p->head, whole ? b->bytes : b->head_bytes);
    if (to == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
    int status = mr_io_pread_full(r->io, r->fd, to, whole ? b->bytes : b->head_bytes, (int64_t)b->offset,
                                  r->path, err);
    if (status != MR_OK)
        return status;
    if (whole) {
        p->bytes.len = b->bytes;
        mr_buf_add(&p->head, to, b->head_bytes);
        if (!mr_buf_ok(&p->head))
            return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
    } else {
        p->head.len = b->head_bytes;
    }
    status = parse_head(p, b);
    if (status == MR_ECORRUPT)
        return magstore_damaged(r, b->offset, "damaged block head", err);
    return status == MR_OK ? MR_OK : mr_error_set(err, status, "out of memory reading %s", r->path);
}

static int load_chunk(const struct magstore_reader *r, const struct magstore_block *b,
                      struct magstore_page *p, const struct segment_chunk *chunk, struct mr_str *out,
                      struct mr_error *err)
{
    uint64_t offset = b->offset + chunk->offset;
    if (p->bytes.len == b->bytes) {
        *out = (struct mr_str){p->bytes.ptr + chunk->offset, chunk->bytes};
    } else {
        char *to = mr_buf_reserve(&p->bytes, (size_t)chunk->bytes + 1);
        if (to == NULL)
            return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
        int status = mr_io_pread_full(r->io, r->fd, to, chunk->bytes, (int64_t)offset, r->path, err);
        if (status != MR_OK)
            return status;
        *out = (struct mr_str){to, chunk->bytes};
    }
    if (!SEGMENT_CRC_IS(chunk->crc, mr_crc32c(0, out->ptr, out->len)))
        return magstore_damaged(r, offset, "damaged chunk", err);
    return MR_OK;
}

static int decode_values(struct magstore_page *p, uint8_t type, struct mr_str bytes, void *to, size_t n)
{
    switch (type) {
    case MAGSTORE_DOUBLE:
        return magstore_decode_f64(p->scratch, bytes, to, n);
    case MAGSTORE_VARCHAR:
        return magstore_decode_str(p->scratch, bytes, &p->arena, to, n);
    case MAGSTORE_BOOLEAN:
        return magstore_decode_bool(p->scratch, bytes, to, n);
    default:
        return magstore_decode_i64(p->scratch, bytes, to, n);
    }
}

/* Moves `count` values from the front to where the bits say, from the back on, so that none is overwritten
 * before it moved; the others become zeros or empty views. */
static void spread(char *values, size_t width, const uint8_t *valid, size_t rows, size_t count)
{
    static const struct mr_str empty = {"", 0};
    for (size_t i = rows; i-- > 0;) {
        char *to = values + i * width;
        if (valid[i] != 0)
            memmove(to, values + --count * width, width);
        else if (width == sizeof empty)
            memcpy(to, &empty, sizeof empty);
        else
            memset(to, 0, width);
    }
}

static size_t count_valid(const uint8_t *valid, size_t rows)
{
    size_t n = 0;
    for (size_t i = 0; i < rows; i++)
        n += valid[i];
    return n;
}

static int decode_chunk(struct magstore_page *p, const struct segment_chunk *chunk, struct mr_str bytes,
                        uint32_t rows, void **values, uint8_t **valid)
{
    size_t width = magstore_width(chunk->type), count = chunk->stats.count;
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    *valid = NULL;
    *values = mr_arena_alloc(&p->arena, rows * width);
    if (*values == NULL)
        return MR_ENOMEM;
    if (chunk->nulls) {
        struct mr_str bits = mr_cursor_bytes(&c, mr_cursor_varint(&c));
        *valid = mr_arena_alloc(&p->arena, rows);
        if (*valid == NULL)
            return MR_ENOMEM;
        if (c.bad || magstore_decode_bool(p->scratch, bits, *valid, rows) != MR_OK ||
            count_valid(*valid, rows) != count)
            return MR_ECORRUPT;
    }
    struct mr_str rest = {(const char *)c.ptr, c.left};
    int status = decode_values(p, chunk->type, rest, *values, count);
    if (status == MR_OK && chunk->nulls)
        spread(*values, width, *valid, rows, count);
    return status;
}

static int read_chunk(const struct magstore_reader *r, const struct magstore_block *b,
                      struct magstore_page *p, const struct segment_chunk *chunk, void **values,
                      uint8_t **valid, struct mr_error *err)
{
    struct mr_str bytes;
    int status = load_chunk(r, b, p, chunk, &bytes, err);
    if (status != MR_OK)
        return status;
    status = decode_chunk(p, chunk, bytes, b->rows, values, valid);
    if (status == MR_ECORRUPT)
        return magstore_damaged(r, b->offset + chunk->offset, "damaged chunk", err);
    return status == MR_OK ? MR_OK : mr_error_set(err, status, "out of memory reading %s", r->path);
}

/* Times must be in order, or every search in them would go wrong. */
static int read_times(const struct magstore_reader *r, const struct magstore_block *b,
                      struct magstore_page *p, struct mr_error *err)
{
    uint8_t *valid;
    void *values;
    int status = read_chunk(r, b, p, &p->chunks[0], &values, &valid, err);
    if (status != MR_OK)
        return status;
    p->times = values;
    bool ok = p->times[0] == b->time_min && p->times[b->rows - 1] == b->time_max;
    for (size_t i = 1; i < b->rows; i++)
        ok = ok && p->times[i] > p->times[i - 1];
    if (!ok)
        return magstore_damaged(r, b->offset, "times out of order", err);
    p->versions = NULL;
    if (p->nchunks > 1 && p->chunks[1].number == CHUNK_VERSION) {
        status = read_chunk(r, b, p, &p->chunks[1], &values, &valid, err);
        p->versions = values;
    }
    return status;
}

static const struct segment_chunk *find_chunk(const struct magstore_page *p, uint32_t id)
{
    size_t low = 0, high = p->nchunks;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->chunks[middle].number < (uint64_t)id + CHUNK_COLUMN)
            low = middle + 1;
        else
            high = middle;
    }
    return low < p->nchunks && p->chunks[low].number == (uint64_t)id + CHUNK_COLUMN ? &p->chunks[low] : NULL;
}

/* First row at or after t. */
static size_t lower_bound(const int64_t *times, size_t n, int64_t t)
{
    size_t low = 0, high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (times[middle] < t)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Decodes the column and shows its rows from `first` on. `chunk` NULL: no value. */
static int show_column(const struct magstore_reader *r, const struct magstore_block *b,
                       struct magstore_page *p, const struct segment_chunk *chunk, uint32_t id, size_t first,
                       struct magstore_values *out, struct mr_error *err)
{
    *out = (struct magstore_values){.column = id};
    if (chunk == NULL)
        return MR_OK;
    void *values;
    uint8_t *valid;
    int status = read_chunk(r, b, p, chunk, &values, &valid, err);
    if (status != MR_OK)
        return status;
    out->type = chunk->type;
    out->values = (const char *)values + first * magstore_width(chunk->type);
    out->valid = valid != NULL ? valid + first : NULL;
    return MR_OK;
}

/* ids NULL: all columns of the block. */
static int read_rows(const struct magstore_reader *r, const struct magstore_block *b, int64_t from,
                     int64_t to, const uint32_t *ids, size_t nids, struct magstore_page *p,
                     struct magstore_rows *out, struct mr_error *err)
{
    int status = load_head(r, b, p, true, err);
    if (status == MR_OK)
        status = read_times(r, b, p, err);
    if (status != MR_OK)
        return status;
    size_t skip = p->versions != NULL ? 2 : 1;
    if (ids == NULL)
        nids = p->nchunks - skip;
    if (mr_grow((void **)&p->columns, &p->columns_cap, nids + 1, sizeof *p->columns) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
    size_t first = lower_bound(p->times, b->rows, from);
    size_t end = to == INT64_MAX ? b->rows : lower_bound(p->times, b->rows, to + 1);
    out->count = end > first ? end - first : 0;
    out->times = p->times + first;
    out->versions = p->versions != NULL ? p->versions + first : NULL;
    out->columns = p->columns;
    out->ncolumns = nids;
    for (size_t i = 0; status == MR_OK && out->count != 0 && i < nids; i++) {
        const struct segment_chunk *chunk = ids != NULL ? find_chunk(p, ids[i]) : &p->chunks[skip + i];
        uint32_t id = ids != NULL ? ids[i] : (uint32_t)(chunk->number - CHUNK_COLUMN);
        status = show_column(r, b, p, chunk, id, first, &p->columns[i], err);
    }
    if (out->count == 0)
        out->ncolumns = 0;
    return status;
}

int magstore_read_block(const struct magstore_reader *r, const struct magstore_block *b, int64_t from,
                        int64_t to, const uint32_t *ids, size_t nids, struct magstore_page *p,
                        struct magstore_rows *out, struct mr_error *err)
{
    static const uint32_t none;
    return read_rows(r, b, from, to, ids != NULL ? ids : &none, nids, p, out, err);
}

int magstore_read_all(const struct magstore_reader *r, const struct magstore_block *b,
                      struct magstore_page *p, struct magstore_rows *out, struct mr_error *err)
{
    return read_rows(r, b, INT64_MIN, INT64_MAX, NULL, 0, p, out, err);
}

int magstore_read_stats(const struct magstore_reader *r, const struct magstore_block *b, const uint32_t *ids,
                        size_t nids, struct magstore_page *p, struct magstore_stats *out,
                        struct mr_error *err)
{
    int status = load_head(r, b, p, false, err);
    for (size_t i = 0; status == MR_OK && i < nids; i++) {
        const struct segment_chunk *chunk = find_chunk(p, ids[i]);
        memset(&out[i], 0, sizeof out[i]);
        if (chunk != NULL)
            out[i] = chunk->stats;
    }
    return status;
}

int magstore_reader_lookup(const struct magstore_reader *r, uint64_t series, int64_t time,
                           const uint32_t *ids, size_t nids, struct magstore_page *p,
                           struct magstore_rows *out, size_t *row, int64_t *version, struct mr_error *err)
{
    struct magstore_walk walk;
    struct magstore_block b;
    magstore_walk_start(r, series, time, time, &walk);
    if (!magstore_walk_next(&walk, &b))
        return MR_ENOENT;
    int status = magstore_read_block(r, &b, INT64_MIN, INT64_MAX, ids, nids, p, out, err);
    if (status != MR_OK)
        return status;
    *row = lower_bound(out->times, out->count, time);
    if (*row == out->count || out->times[*row] != time)
        return MR_ENOENT;
    *version = out->versions != NULL ? out->versions[*row] : 1;
    return MR_OK;
}
