/* A segment from its header to its last block. */
#include "magstore/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define PIECE ((size_t)1 << 20) /* of one write */

void magstore_segment_name(uint64_t number, char out[static MAGSTORE_NAME_BYTES])
{
    snprintf(out, MAGSTORE_NAME_BYTES, "seg-%016" PRIx64 ".mrs", number);
}

int magstore_key_cmp(const struct magstore_key *a, const struct magstore_key *b)
{
    int c = mr_str_cmp(a->measure_name, b->measure_name);
    for (uint32_t i = 0; c == 0 && i < a->ndims && i < b->ndims; i++) {
        c = mr_str_cmp(a->dims[i].name, b->dims[i].name);
        if (c == 0)
            c = mr_str_cmp(a->dims[i].value, b->dims[i].value);
    }
    return c != 0 ? c : (a->ndims > b->ndims) - (a->ndims < b->ndims);
}

void magstore_writer_free(struct magstore_writer *w)
{
    if (w->fd >= 0)
        w->io->close(w->io->ctx, w->fd);
    magstore_gather_release(w);
    for (size_t i = 0; w->columns != NULL && i < w->ncolumns; i++)
        mr_free((char *)w->columns[i].name.ptr);
    mr_free(w->columns);
    mr_free(w->dir);
    mr_free(w->temp);
    mr_free(w->final);
    magstore_encoder_release(&w->encoder);
    magstore_strings_release(&w->strings);
    mr_buf_release(&w->pending);
    mr_buf_release(&w->series);
    mr_buf_release(&w->blocks);
    mr_buf_release(&w->key);
    mr_arena_release(&w->last_arena);
    mr_free(w);
}

void magstore_writer_abort(struct magstore_writer *w)
{
    if (w == NULL)
        return;
    if (w->fd >= 0)
        w->io->unlink(w->io->ctx, w->temp); /* one that stays is removed by magstore_manifest_clean */
    magstore_writer_free(w);
}

static int copy_names(struct magstore_writer *w, const char *dir, const char *name)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/%s.tmp", dir, name);
    if (mr_buf_ok(&path)) {
        w->dir = mr_strndup(dir, strlen(dir));
        w->temp = mr_strndup(path.ptr, path.len);
        w->final = mr_strndup(path.ptr, path.len - 4);
    }
    mr_buf_release(&path);
    return w->dir != NULL && w->temp != NULL && w->final != NULL ? MR_OK : MR_ENOMEM;
}

static int copy_columns(struct magstore_writer *w, const struct magstore_column *columns, size_t n)
{
    w->columns = mr_calloc(n + 1, sizeof *w->columns);
    w->gather.columns = mr_calloc(n + 1, sizeof *w->gather.columns);
    w->gather.views = mr_calloc(n + 1, sizeof *w->gather.views);
    if (w->columns == NULL || w->gather.columns == NULL || w->gather.views == NULL)
        return MR_ENOMEM;
    w->ncolumns = n;
    for (size_t i = 0; i < n; i++) {
        w->columns[i] = columns[i];
        w->columns[i].name.ptr = mr_strndup(columns[i].name.ptr, columns[i].name.len);
        if (w->columns[i].name.ptr == NULL)
            return MR_ENOMEM;
    }
    return MR_OK;
}

static bool columns_fit(const struct magstore_column *columns, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!magstore_is_value(columns[i].type) || (i > 0 && columns[i].id <= columns[i - 1].id))
            return false;
    return n <= MAGSTORE_MAX_COLUMNS;
}

static int put_header(struct magstore_writer *w, struct mr_error *err)
{
    struct segment_header h = {
        .magic = SEGMENT_MAGIC, .version = SEGMENT_VERSION, .table = w->info.table};
    h.crc = mr_crc32c(0, &h, offsetof(struct segment_header, crc));
    return magstore_writer_put(w, &h, sizeof h, err);
}

int magstore_writer_open(const struct mr_io *io, const char *dir, const char *name, uint64_t table,
                         const struct magstore_column *columns, size_t ncolumns, struct magstore_writer **out,
                         struct mr_error *err)
{
    if (!columns_fit(columns, ncolumns))
        return mr_error_set(err, MR_EINVAL, "columns of %s do not ascend", name);
    struct magstore_writer *w = mr_calloc(1, sizeof *w);
    if (w == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory writing %s", name);
    w->io = io;
    w->fd = -1;
    w->info = (struct magstore_info){.table = table, .time_min = INT64_MAX, .time_max = INT64_MIN};
    int status = copy_names(w, dir, name);
    if (status == MR_OK)
        status = copy_columns(w, columns, ncolumns);
    if (status == MR_OK)
        status = magstore_encoder_new(&w->encoder);
    if (status != MR_OK) {
        mr_error_set(err, status, "out of memory writing %s", name);
        goto done;
    }
    w->fd = io->open(io->ctx, w->temp, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (w->fd < 0)
        status = mr_error_errno(err, mr_io_status(w->fd), -w->fd, "cannot create %s", w->temp);
    else
        status = put_header(w, err);
done:
    if (status != MR_OK)
        magstore_writer_abort(w);
    else
        *out = w;
    return status;
}

int magstore_writer_drain(struct magstore_writer *w, struct mr_error *err)
{
    struct mr_str v = mr_buf_view(&w->pending);
    int status =
        mr_io_pwrite_full(w->io, w->fd, v.ptr, v.len, (int64_t)(w->offset - v.len), w->temp, err);
    w->pending.len = 0;
    return status;
}

int magstore_writer_put(struct magstore_writer *w, const void *bytes, size_t len, struct mr_error *err)
{
    mr_buf_add(&w->pending, bytes, len);
    if (!mr_buf_ok(&w->pending))
        return mr_error_set(err, MR_ENOMEM, "out of memory writing %s", w->temp);
    w->offset += len;
    return w->pending.len >= PIECE ? magstore_writer_drain(w, err) : MR_OK;
}

int magstore_writer_check(const struct magstore_writer *w, const struct magstore_rows *rows,
                          struct mr_error *err)
{
    bool ok = w->any_series;
    for (size_t i = 0; ok && i < rows->count; i++) {
        const struct magstore_gather *g = &w->gather;
        bool first = i == 0 && w->nblocks == 0 && g->count == 0;
        int64_t before = g->count != 0 ? g->times[g->count - 1] : w->last_time;
        ok = first || rows->times[i] > (i > 0 ? rows->times[i - 1] : before);
    }
    size_t at = 0;
    for (size_t i = 0; ok && i < rows->ncolumns; i++) {
        const struct magstore_values *v = &rows->columns[i];
        while (at < w->ncolumns && w->columns[at].id < v->column)
            at++;
        ok = at < w->ncolumns && w->columns[at].id == v->column && w->columns[at].type == v->type;
        at++; /* each once */
    }
    return ok ? MR_OK : mr_error_set(err, MR_EINVAL, "rows do not fit into %s", w->final);
}

/* Bytes of the texts of rows [from, to). */
static size_t text_bytes(const struct magstore_rows *rows, size_t from, size_t to)
{
    size_t bytes = 0;
    for (size_t c = 0; c < rows->ncolumns; c++) {
        const struct magstore_values *v = &rows->columns[c];
        if (v->type != MAGSTORE_VARCHAR || v->values == NULL)
            continue;
        const struct mr_str *s = v->values;
        for (size_t i = from; i < to; i++)
            bytes += v->valid == NULL || v->valid[i] != 0 ? s[i].len : 0;
    }
    return bytes;
}

static int put_block(struct magstore_writer *w, const struct magstore_rows *rows, size_t from, size_t to,
                     struct mr_error *err)
{
    struct magstore_encoder *e = &w->encoder;
    int status = magstore_encode_block(e, (uint32_t)(w->info.series - 1), rows, from, to);
    if (status != MR_OK)
        return mr_error_set(err, status, "cannot encode a block of %s", w->final);
    status = magstore_writer_put(w, e->head.ptr, e->head.len, err);
    if (status == MR_OK)
        status = magstore_writer_put(w, mr_buf_view(&e->body).ptr, e->body.len, err);
    if (status != MR_OK)
        return status;
    int64_t first = rows->times[from], last = rows->times[to - 1];
    uint64_t gap = (uint64_t)first - (w->nblocks != 0 ? (uint64_t)w->last_time : 0);
    mr_buf_varint(&w->blocks, e->head.len + e->body.len);
    mr_buf_varint(&w->blocks, e->head.len);
    mr_buf_varint(&w->blocks, to - from);
    mr_buf_varint(&w->blocks, w->nblocks != 0 ? gap : gap << 1 ^ (0 - (gap >> 63)));
    mr_buf_varint(&w->blocks, (uint64_t)last - (uint64_t)first);
    w->nblocks++;
    w->last_time = last;
    w->info.blocks++;
    w->info.rows += to - from;
    w->info.time_min = first < w->info.time_min ? first : w->info.time_min;
    w->info.time_max = last > w->info.time_max ? last : w->info.time_max;
    return MR_OK;
}

int magstore_writer_block(struct magstore_writer *w, const struct magstore_rows *rows, struct mr_error *err)
{
    if (rows->count > MAGSTORE_BLOCK_ROWS)
        return mr_error_set(err, MR_EINVAL, "too many rows for a block of %s", w->final);
    int status = magstore_writer_check(w, rows, err);
    for (size_t from = 0; status == MR_OK && from < rows->count;) {
        size_t to = rows->count;
        while (to - from > 1 && text_bytes(rows, from, to) > SEGMENT_MAX_TEXT)
            to = from + (to - from) / 2;
        if (text_bytes(rows, from, to) > SEGMENT_MAX_TEXT)
            return mr_error_set(err, MR_ELIMIT, "a row of %s is too large", w->final);
        status = put_block(w, rows, from, to, err);
        from = to;
    }
    return status;
}
