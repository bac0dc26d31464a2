/* magstore/writer_block.c - closes blocks, and at the end the file. */
#include "magstore/writer.h"

#include "base/hash.h"

#define DRAIN_BYTES ((size_t)256 << 10) /* small blocks go to the file together */

static int no_memory(struct mr_error *err)
{
    return mr_error_set(err, MR_ENOMEM, "out of memory for a block");
}

int magstore_writer_drain(struct magstore_writer *w, bool all, struct mr_error *err)
{
    if (!mr_buf_ok(&w->out))
        return no_memory(err);
    if (w->out.len == 0 || (!all && w->out.len < DRAIN_BYTES))
        return MR_OK;
    int status = magstore_newfile_write(&w->file, mr_buf_view(&w->out), err);
    w->out.len = 0;
    return status;
}

/* Seals what was appended to w->pieces from `start` on. */
static int seal(struct magstore_writer *w, enum segment_kind kind, uint32_t column, size_t start,
                uint32_t *plain)
{
    *plain = (uint32_t)(w->pieces.len - start);
    const struct magstore_piece piece = {kind, (uint32_t)w->info.blocks, column, w->counter++};
    return magstore_piece_seal(w->cipher, &w->locks, &piece, &w->pieces, start);
}

static int encode_values(struct magstore_scratch *s, const struct magstore_gather_column *c,
                         struct mr_buf *out)
{
    switch (c->type) {
    case MAGSTORE_DOUBLE:
        return magstore_encode_f64(s, c->values, c->count, out);
    case MAGSTORE_VARCHAR:
        return magstore_encode_str(s, c->values, c->count, out);
    case MAGSTORE_BOOLEAN:
        return magstore_encode_bool(s, c->values, c->count, out);
    default:
        return magstore_encode_i64(s, c->values, c->count, out);
    }
}

/* Which rows have a value, as a boolean column behind its size. */
static int encode_valid(struct magstore_scratch *s, const uint8_t *valid, size_t rows, struct mr_buf *out)
{
    struct mr_buf bits = MR_BUF_INIT;
    int status = magstore_encode_bool(s, valid, rows, &bits);
    mr_buf_varint(out, bits.len);
    mr_buf_str(out, mr_buf_view(&bits));
    if (status == MR_OK && (!mr_buf_ok(&bits) || !mr_buf_ok(out)))
        status = MR_ENOMEM;
    mr_buf_release(&bits);
    return status;
}

static uint32_t bytes_of_texts(const struct magstore_gather_column *c)
{
    const struct mr_str *texts = c->values;
    size_t bytes = 0;
    for (size_t i = 0; i < c->count; i++)
        bytes += texts[i].len;
    return (uint32_t)bytes;
}

static int put_column(struct magstore_writer *w, const struct magstore_gather_column *c)
{
    struct magstore_head *h = &w->head;
    struct magstore_head_column *entry = &h->columns[h->ncolumns++];
    size_t start = w->pieces.len;
    memset(entry, 0, sizeof *entry);
    entry->column = c->column;
    entry->nulls = c->count < w->gather.rows;
    magstore_stats_of(c->type, c->values, c->count, &entry->stats);
    if (c->type == MAGSTORE_VARCHAR)
        entry->texts = bytes_of_texts(c);
    int status = MR_OK;
    if (entry->nulls)
        status = encode_valid(w->scratch, c->valid, w->gather.rows, &w->pieces);
    if (status == MR_OK)
        status = encode_values(w->scratch, c, &w->pieces);
    if (status == MR_OK)
        status = seal(w, SEGMENT_COLUMN, c->column, start, &entry->plain);
    return status;
}

static int put_times(struct magstore_writer *w)
{
    const struct magstore_gather *g = &w->gather;
    struct magstore_head *h = &w->head;
    h->versions = 0;
    int status = magstore_encode_i64(w->scratch, g->times, g->rows, &w->pieces);
    if (status == MR_OK)
        status = seal(w, SEGMENT_TIMES, 0, 0, &h->times);
    if (status != MR_OK || !g->versioned)
        return status;
    size_t start = w->pieces.len;
    status = magstore_encode_i64(w->scratch, g->versions, g->rows, &w->pieces);
    if (status == MR_OK)
        status = seal(w, SEGMENT_VERSIONS, 0, start, &h->versions);
    return status;
}

/* All pieces but the head, which tells their sizes. */
static int put_pieces(struct magstore_writer *w)
{
    struct magstore_gather *g = &w->gather;
    struct magstore_head *h = &w->head;
    w->pieces.len = 0;
    h->ncolumns = 0;
    int status = magstore_gather_close(g);
    if (status == MR_OK)
        status = mr_grow((void **)&h->columns, &h->columns_cap, g->used, sizeof *h->columns);
    if (status == MR_OK)
        status = mr_grow((void **)&h->runs, &h->runs_cap, g->nruns, sizeof *h->runs);
    if (status != MR_OK)
        return status;
    memcpy(h->runs, g->runs, g->nruns * sizeof *h->runs);
    h->nruns = g->nruns;
    status = put_times(w);
    for (size_t i = 0; status == MR_OK && i < g->ncolumns; i++)
        if (g->columns[i].count != 0)
            status = put_column(w, &g->columns[i]);
    return status;
}

static int put_head(struct magstore_writer *w, uint64_t counter, uint32_t *bytes)
{
    size_t start = w->out.len;
    int status = magstore_head_write(w->scratch, &w->head, &w->out);
    const struct magstore_piece piece = {SEGMENT_HEAD, (uint32_t)w->info.blocks, 0, counter};
    if (status == MR_OK)
        status = magstore_piece_seal(w->cipher, &w->locks, &piece, &w->out, start);
    *bytes = (uint32_t)(w->out.len - start);
    return status;
}

static void describe(const struct magstore_gather *g, struct magstore_block *b)
{
    b->rows = g->rows;
    b->first_series = g->runs[0].series;
    b->last_series = g->runs[g->nruns - 1].series;
    b->first_time = b->time_min = b->time_max = g->times[0];
    b->last_time = g->times[g->rows - 1];
    for (size_t i = 1; i < g->rows; i++) {
        b->time_min = g->times[i] < b->time_min ? g->times[i] : b->time_min;
        b->time_max = g->times[i] > b->time_max ? g->times[i] : b->time_max;
    }
}

static void count_block(struct magstore_writer *w, const struct magstore_block *b)
{
    struct magstore_info *info = &w->info;
    if (info->blocks == 0)
        info->first_series = b->first_series;
    info->last_series = b->last_series;
    info->time_min = b->time_min < info->time_min ? b->time_min : info->time_min;
    info->time_max = b->time_max > info->time_max ? b->time_max : info->time_max;
    info->blocks++;
    info->rows += b->rows;
}

int magstore_writer_close_block(struct magstore_writer *w, struct mr_error *err)
{
    if (w->gather.rows == 0)
        return MR_OK;
    if (w->info.blocks == UINT32_MAX)
        return mr_error_set(err, MR_ELIMIT, "too many blocks for a segment");
    struct magstore_entry entry = {.counter = w->counter++};
    describe(&w->gather, &entry.block);
    int status = put_pieces(w);
    if (status == MR_OK)
        status = put_head(w, entry.counter, &entry.head_bytes);
    if (status != MR_OK)
        return no_memory(err);
    mr_buf_str(&w->out, mr_buf_view(&w->pieces));
    MR_ASSERT(entry.head_bytes + w->pieces.len <= SEGMENT_MAX_BLOCK);
    entry.block.bytes = (uint32_t)(entry.head_bytes + w->pieces.len);
    entry.block.offset = w->offset;
    w->offset += entry.block.bytes;
    magstore_entry_write(w->info.blocks != 0 ? &w->last : NULL, &entry, &w->directory);
    if (!mr_buf_ok(&w->directory))
        return no_memory(err);
    w->last = entry;
    count_block(w, &entry.block);
    magstore_gather_reset(&w->gather);
    return magstore_writer_drain(w, false, err);
}

int magstore_writer_close_file(struct magstore_writer *w, struct mr_error *err)
{
    struct magstore_info *info = &w->info;
    const struct magstore_piece piece = {SEGMENT_DIRECTORY, 0, 0, w->counter++};
    if (magstore_piece_seal(w->cipher, &w->locks, &piece, &w->directory, 0) != MR_OK)
        return no_memory(err);
    if (w->directory.len > UINT32_MAX)
        return mr_error_set(err, MR_ELIMIT, "too many blocks for a segment");
    struct segment_footer footer = {
        .directory_offset = w->offset,
        .directory_counter = piece.counter,
        .rows = info->rows,
        .time_min = info->time_min,
        .time_max = info->time_max,
        .directory_bytes = (uint32_t)w->directory.len,
        .blocks = (uint32_t)info->blocks,
        .first_series = info->first_series,
        .last_series = info->last_series,
        .header_crc = w->header_crc,
        .directory_crc = mr_crc32c(0, w->directory.ptr, w->directory.len),
        .version = SEGMENT_VERSION,
    };
    memcpy(footer.magic, SEGMENT_END_MAGIC, sizeof footer.magic);
    footer.crc = mr_crc32c(0, &footer, offsetof(struct segment_footer, crc));
    mr_buf_str(&w->out, mr_buf_view(&w->directory));
    mr_buf_add(&w->out, &footer, sizeof footer);
    w->offset += w->directory.len + sizeof footer;
    info->size = w->offset;
    info->footer_crc = footer.crc;
    return magstore_writer_drain(w, true, err);
}
