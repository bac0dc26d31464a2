/* The directories of a segment, its footer, and the step from temporary to real. */
#include "magstore/scratch.h"
#include "magstore/writer.h"

int magstore_writer_close_series(struct magstore_writer *w, struct mr_error *err)
{
    int status = magstore_gather_drain(w, err);
    if (status != MR_OK || !w->any_series)
        return status;
    mr_buf_str(&w->series, mr_buf_view(&w->key));
    mr_buf_varint(&w->series, w->nblocks);
    mr_buf_str(&w->series, mr_buf_view(&w->blocks));
    if (!mr_buf_ok(&w->series) || !mr_buf_ok(&w->key) || !mr_buf_ok(&w->blocks))
        return mr_error_set(err, MR_ENOMEM, "out of memory writing %s", w->final);
    if (w->series.len + w->strings.bytes.len > SEGMENT_MAX_DIRECTORY - 64)
        return mr_error_set(err, MR_ELIMIT, "too many series for %s", w->final);
    w->key.len = w->blocks.len = 0;
    w->nblocks = 0;
    return MR_OK;
}

/* The key in words, for the comparison with the next one. */
static int keep_key(struct magstore_writer *w, const struct magstore_key *key)
{
    mr_arena_reset(&w->last_arena);
    struct mr_pair *dims = MR_ARENA_ARRAY(&w->last_arena, key->ndims + 1, struct mr_pair);
    if (dims == NULL)
        return MR_ENOMEM;
    for (uint32_t i = 0; i < key->ndims; i++) {
        dims[i].name = mr_arena_dup(&w->last_arena, key->dims[i].name);
        dims[i].value = mr_arena_dup(&w->last_arena, key->dims[i].value);
    }
    w->last = *key;
    w->last.measure_name = mr_arena_dup(&w->last_arena, key->measure_name);
    w->last.dims = dims;
    return w->last_arena.failed ? MR_ENOMEM : MR_OK;
}

static int add_string(struct magstore_writer *w, struct mr_str s)
{
    uint32_t number;
    int status = magstore_strings_add(&w->strings, s, &number);
    if (status == MR_OK)
        mr_buf_varint(&w->key, number);
    return status;
}

/* The key as the directory has it. */
static int code_key(struct magstore_writer *w, const struct magstore_key *key)
{
    int status = add_string(w, key->measure_name);
    mr_buf_char(&w->key, (char)key->kind);
    mr_buf_varint(&w->key, key->ndims);
    for (uint32_t i = 0; status == MR_OK && i < key->ndims; i++) {
        status = add_string(w, key->dims[i].name);
        if (status == MR_OK)
            status = add_string(w, key->dims[i].value);
    }
    return status;
}

int magstore_writer_series(struct magstore_writer *w, const struct magstore_key *key, struct mr_error *err)
{
    int status = magstore_writer_close_series(w, err);
    if (status != MR_OK)
        return status;
    if (key->ndims > MAGSTORE_MAX_DIMS || w->info.series == UINT32_MAX ||
        (!magstore_is_value(key->kind) && key->kind != MAGSTORE_MULTI) ||
        (w->any_series && magstore_key_cmp(&w->last, key) >= 0))
        return mr_error_set(err, MR_EINVAL, "series of %s are out of order", w->final);
    status = code_key(w, key);
    if (status == MR_OK)
        status = keep_key(w, key);
    if (status != MR_OK)
        return mr_error_set(err, status, "out of memory writing %s", w->final);
    w->any_series = true;
    w->info.series++;
    return MR_OK;
}

/* Strings and series as one run; its bytes go to the file. */
static int put_directory(struct magstore_writer *w, struct segment_footer *f, struct mr_error *err)
{
    struct mr_buf raw = MR_BUF_INIT, packed = MR_BUF_INIT;
    mr_buf_varint(&raw, w->strings.count);
    mr_buf_str(&raw, mr_buf_view(&w->strings.bytes));
    mr_buf_str(&raw, mr_buf_view(&w->series));
    int status = mr_buf_ok(&raw) ? MR_OK : MR_ENOMEM;
    if (status == MR_OK)
        status = magstore_squeeze(w->encoder.scratch, MAGSTORE_TEXTS, raw.ptr, raw.len, &packed);
    if (status != MR_OK) {
        mr_error_set(err, status, "out of memory writing %s", w->final);
        goto done;
    }
    f->directory_offset = w->offset;
    f->directory_bytes = packed.len;
    f->directory_crc = mr_crc32c(0, packed.ptr, packed.len);
    status = magstore_writer_put(w, packed.ptr, packed.len, err);
done:
    mr_buf_release(&raw);
    mr_buf_release(&packed);
    return status;
}

static int put_columns(struct magstore_writer *w, struct segment_footer *f, struct mr_error *err)
{
    struct mr_buf bytes = MR_BUF_INIT;
    mr_buf_varint(&bytes, w->ncolumns);
    for (size_t i = 0; i < w->ncolumns; i++) {
        const struct magstore_column *c = &w->columns[i];
        mr_buf_varint(&bytes, c->id);
        mr_buf_char(&bytes, (char)c->type);
        mr_buf_char(&bytes, (char)c->role);
        mr_buf_varint(&bytes, c->name.len);
        mr_buf_str(&bytes, c->name);
    }
    int status;
    if (!mr_buf_ok(&bytes)) {
        status = mr_error_set(err, MR_ENOMEM, "out of memory writing %s", w->final);
        goto done;
    }
    f->columns_offset = w->offset;
    f->columns_bytes = bytes.len;
    f->columns_crc = mr_crc32c(0, bytes.ptr, bytes.len);
    status = magstore_writer_put(w, bytes.ptr, bytes.len, err);
done:
    mr_buf_release(&bytes);
    return status;
}

static int put_footer(struct magstore_writer *w, struct segment_footer *f, struct mr_error *err)
{
    f->series = w->info.series;
    f->blocks = w->info.blocks;
    f->rows = w->info.rows;
    f->time_min = w->info.time_min;
    f->time_max = w->info.time_max;
    f->table = w->info.table;
    f->version = SEGMENT_VERSION;
    f->magic = SEGMENT_FOOTER;
    f->crc = mr_crc32c(0, f, offsetof(struct segment_footer, crc));
    w->info.footer_crc = f->crc;
    int status = magstore_writer_put(w, f, sizeof *f, err);
    w->info.size = w->offset;
    return status == MR_OK ? magstore_writer_drain(w, err) : status;
}

/* Temp file to disk, then its name, then the directory. */
static int make_durable(struct magstore_writer *w, bool *named, struct mr_error *err)
{
    const struct mr_io *io = w->io;
    int rc = io->fsync(io->ctx, w->fd);
    if (rc < 0)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot sync %s", w->temp);
    rc = io->rename(io->ctx, w->temp, w->final);
    if (rc < 0)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot rename %s", w->temp);
    *named = true;
    return mr_io_sync_dir(io, w->dir, err);
}

int magstore_writer_finish(struct magstore_writer *w, struct magstore_info *out, struct mr_error *err)
{
    struct segment_footer footer = {0};
    bool named = false;
    int status = magstore_writer_close_series(w, err);
    if (status == MR_OK)
        status = put_directory(w, &footer, err);
    if (status == MR_OK)
        status = put_columns(w, &footer, err);
    if (status == MR_OK)
        status = put_footer(w, &footer, err);
    if (status == MR_OK)
        status = make_durable(w, &named, err);
    if (status != MR_OK) {
        if (named)
            w->io->unlink(w->io->ctx, w->final); /* whole, but nobody will name it in a manifest */
        magstore_writer_abort(w);
        return status;
    }
    *out = w->info;
    magstore_writer_free(w);
    return MR_OK;
}
