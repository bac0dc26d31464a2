/* Rows of one series as a block: a head that says what is where, then one chunk a column. */
#include "magstore/block.h"

int magstore_encoder_new(struct magstore_encoder *e)
{
    *e = (struct magstore_encoder){NULL, MR_BUF_INIT, MR_BUF_INIT, MR_BUF_INIT};
    return magstore_scratch_new(&e->scratch);
}

void magstore_encoder_release(struct magstore_encoder *e)
{
    magstore_scratch_free(e->scratch);
    mr_buf_release(&e->head);
    mr_buf_release(&e->body);
    mr_buf_release(&e->dense);
    e->scratch = NULL;
}

static void stats_f64(const double *v, size_t n, struct magstore_stats *out)
{
    out->f64.min = out->f64.max = v[0];
    out->f64.sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i] != v[i]) {
            out->numbers = false; /* what the least of NaN and 1 is depends on who asks */
            return;
        }
        if (v[i] < out->f64.min)
            out->f64.min = v[i];
        if (v[i] > out->f64.max)
            out->f64.max = v[i];
        out->f64.sum += v[i];
    }
}

static void stats_i64(const int64_t *v, size_t n, struct magstore_stats *out)
{
    out->i64.min = out->i64.max = v[0];
    out->i64.sum = 0;
    for (size_t i = 0; i < n; i++) {
        if (v[i] < out->i64.min)
            out->i64.min = v[i];
        if (v[i] > out->i64.max)
            out->i64.max = v[i];
        out->i64.sum += v[i];
    }
}

void magstore_stats_of(enum magstore_type type, const void *values, size_t count, struct magstore_stats *out)
{
    memset(out, 0, sizeof *out);
    out->type = type;
    out->count = (uint32_t)count;
    out->numbers = magstore_is_number(type) && count != 0;
    if (!out->numbers)
        return;
    if (type == MAGSTORE_DOUBLE)
        stats_f64(values, count, out);
    else
        stats_i64(values, count, out);
}

/* The values that are not NULL, side by side; the bytes of whole columns are used where they lie. */
static const void *densify(struct magstore_encoder *e, const struct magstore_values *v, size_t from,
                           size_t rows, size_t *count)
{
    size_t width = magstore_width(v->type);
    const char *values = (const char *)v->values + from * width;
    *count = rows;
    if (v->valid == NULL)
        return values;
    e->dense.len = *count = 0;
    char *to = mr_buf_reserve(&e->dense, rows * width);
    for (size_t i = 0; to != NULL && i < rows; i++)
        if (v->valid[from + i] != 0)
            memcpy(to + (*count)++ * width, values + i * width, width);
    return to;
}

static int encode_values(struct magstore_encoder *e, enum magstore_type type, const void *values, size_t n)
{
    switch (type) {
    case MAGSTORE_DOUBLE:
        return magstore_encode_f64(e->scratch, values, n, &e->body);
    case MAGSTORE_VARCHAR:
        return magstore_encode_str(e->scratch, values, n, &e->body);
    case MAGSTORE_BOOLEAN:
        return magstore_encode_bool(e->scratch, values, n, &e->body);
    case MAGSTORE_BIGINT:
    case MAGSTORE_TIMESTAMP:
        return magstore_encode_i64(e->scratch, values, n, &e->body);
    case MAGSTORE_MULTI:
        break;
    }
    return MR_EINVAL;
}

static int encode_validity(struct magstore_encoder *e, const uint8_t *valid, size_t n)
{
    struct mr_buf bits = MR_BUF_INIT;
    int status = magstore_encode_bool(e->scratch, valid, n, &bits);
    mr_buf_varint(&e->body, bits.len);
    mr_buf_str(&e->body, mr_buf_view(&bits));
    mr_buf_release(&bits);
    return status;
}

/* Closes the chunk that began at `start` of the body. */
static void write_entry(struct magstore_encoder *e, uint64_t number, unsigned flags, size_t start,
                        const struct magstore_stats *stats)
{
    size_t bytes = e->body.len - start;
    mr_buf_varint(&e->head, number);
    mr_buf_char(&e->head, (char)flags);
    mr_buf_varint(&e->head, bytes);
    mr_buf_u32(&e->head, mr_buf_ok(&e->body) ? mr_crc32c(0, mr_buf_view(&e->body).ptr + start, bytes) : 0);
    if ((flags & CHUNK_NULLS) != 0)
        mr_buf_varint(&e->head, stats->count);
    if ((flags & CHUNK_STATS) == 0)
        return;
    /* min, max and a sum of 8 or 16 bytes lie in the union as they are stored. */
    if (stats->type == MAGSTORE_DOUBLE) {
        mr_buf_add(&e->head, &stats->f64, 24);
    } else {
        mr_buf_add(&e->head, &stats->i64.min, 8);
        mr_buf_add(&e->head, &stats->i64.max, 8);
        mr_buf_add(&e->head, &stats->i64.sum, 16);
    }
}

static int encode_column(struct magstore_encoder *e, const struct magstore_values *v, size_t from,
                         size_t rows, bool *written)
{
    size_t count, start = e->body.len;
    *written = false;
    if (v->values == NULL)
        return MR_OK;
    const void *dense = densify(e, v, from, rows, &count);
    if (dense == NULL)
        return MR_ENOMEM;
    if (count == 0)
        return MR_OK; /* nothing says NULL as briefly */
    struct magstore_stats stats;
    magstore_stats_of(v->type, dense, count, &stats);
    unsigned flags = v->type;
    if (count != rows)
        flags |= CHUNK_NULLS;
    if (rows >= STATS_ROWS && stats.numbers)
        flags |= CHUNK_STATS;
    int status = count != rows ? encode_validity(e, v->valid + from, rows) : MR_OK;
    if (status == MR_OK)
        status = encode_values(e, v->type, dense, count);
    write_entry(e, (uint64_t)v->column + CHUNK_COLUMN, flags, start, &stats);
    *written = true;
    return status;
}

static bool all_one(const int64_t *versions, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (versions[i] != 1)
            return false;
    return true;
}

/* Fills in the fixed part once all is known. */
static int seal_head(struct magstore_encoder *e, struct segment_block *fixed)
{
    if (!mr_buf_ok(&e->head) || !mr_buf_ok(&e->body))
        return MR_ENOMEM;
    if (e->head.len + e->body.len > SEGMENT_MAX_BLOCK)
        return MR_ELIMIT;
    fixed->head_bytes = (uint32_t)e->head.len;
    fixed->bytes = (uint32_t)(e->head.len + e->body.len);
    memcpy(e->head.ptr, fixed, sizeof *fixed);
    fixed->crc = mr_crc32c(0, e->head.ptr + 4, e->head.len - 4);
    memcpy(e->head.ptr, &fixed->crc, 4);
    return MR_OK;
}

int magstore_encode_block(struct magstore_encoder *e, uint32_t series, const struct magstore_rows *rows,
                          size_t from, size_t to)
{
    size_t n = to - from;
    MR_ASSERT(n > 0 && n <= MAGSTORE_BLOCK_ROWS);
    struct segment_block fixed = {.rows = (uint32_t)n, .series = series, .chunks = 1};
    fixed.time_min = rows->times[from];
    fixed.time_max = rows->times[to - 1];
    if (!mr_buf_ok(&e->dense)) /* an allocation failed once: it may succeed now */
        mr_buf_release(&e->dense);
    e->head.len = e->body.len = 0;
    e->head.failed = e->body.failed = false;
    mr_buf_add(&e->head, &fixed, sizeof fixed);
    int status = magstore_encode_i64(e->scratch, rows->times + from, n, &e->body);
    write_entry(e, CHUNK_TIME, MAGSTORE_TIMESTAMP, 0, NULL);
    if (status == MR_OK && rows->versions != NULL && !all_one(rows->versions + from, n)) {
        size_t start = e->body.len;
        status = magstore_encode_i64(e->scratch, rows->versions + from, n, &e->body);
        write_entry(e, CHUNK_VERSION, MAGSTORE_BIGINT, start, NULL);
        fixed.chunks++;
    }
    for (size_t i = 0; status == MR_OK && i < rows->ncolumns; i++) {
        bool written;
        status = encode_column(e, &rows->columns[i], from, n, &written);
        fixed.chunks = (uint16_t)(fixed.chunks + written);
    }
    return status != MR_OK ? status : seal_head(e, &fixed);
}
