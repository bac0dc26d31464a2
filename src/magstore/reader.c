/* Opening a segment: header, footer, column directory; then directory.c. */
#include "magstore/reader.h"

#include <fcntl.h>
#include <inttypes.h>

int magstore_damaged(const struct magstore_reader *r, uint64_t offset, const char *what, struct mr_error *err)
{
    return mr_error_set(err, MR_ECORRUPT, "%s: %s at offset %" PRIu64, r->path, what, offset);
}

void magstore_reader_close(struct magstore_reader *r)
{
    if (r == NULL)
        return;
    if (r->fd >= 0)
        r->io->close(r->io->ctx, r->fd);
    mr_free(r->path);
    mr_free(r->directory);
    mr_free(r->strings);
    mr_free(r->series);
    mr_free(r->columns);
    mr_buf_release(&r->column_bytes);
    mr_free(r);
}

static int read_header(struct magstore_reader *r, struct mr_error *err)
{
    struct segment_header h;
    int status = mr_io_pread_full(r->io, r->fd, &h, sizeof h, 0, r->path, err);
    if (status != MR_OK)
        return status;
    uint32_t crc = mr_crc32c(0, &h, offsetof(struct segment_header, crc));
    if (h.magic != SEGMENT_MAGIC || !SEGMENT_CRC_IS(h.crc, crc))
        return magstore_damaged(r, 0, "damaged header", err);
    if (h.version != SEGMENT_VERSION || h.seal != 0)
        return mr_error_set(err, MR_EUNSUPPORTED, "%s: format version %u, seal %u", r->path, h.version,
                            h.seal);
    if (h.zero1 != 0 || h.zero2 != 0 || h.zero3 != 0)
        return magstore_damaged(r, 0, "damaged header", err);
    r->info.table = h.table;
    return MR_OK;
}

/* Parts follow each other without a gap, so that no byte of the file goes unchecked. */
static bool footer_fits(const struct magstore_reader *r, uint64_t end)
{
    const struct segment_footer *f = &r->footer;
    return f->version == SEGMENT_VERSION && f->seal == 0 && f->zero == 0 && f->table == r->info.table &&
           f->directory_offset >= sizeof(struct segment_header) && f->directory_offset <= end &&
           f->directory_bytes <= end - f->directory_offset &&
           f->columns_offset == f->directory_offset + f->directory_bytes &&
           f->columns_bytes == end - f->columns_offset && f->series <= UINT32_MAX &&
           (f->rows == 0) == (f->blocks == 0);
}

static int read_footer(struct magstore_reader *r, struct mr_error *err)
{
    struct segment_footer *f = &r->footer;
    int64_t size = r->io->size(r->io->ctx, r->fd);
    if (size < 0)
        return mr_error_errno(err, mr_io_status(size), (int)-size, "cannot tell the size of %s", r->path);
    if ((uint64_t)size < sizeof(struct segment_header) + sizeof *f)
        return magstore_damaged(r, (uint64_t)size, "file ends early", err);
    int64_t end = size - (int64_t)sizeof *f;
    int status = mr_io_pread_full(r->io, r->fd, f, sizeof *f, end, r->path, err);
    if (status != MR_OK)
        return status;
    if (f->magic != SEGMENT_FOOTER ||
        !SEGMENT_CRC_IS(f->crc, mr_crc32c(0, f, offsetof(struct segment_footer, crc))) ||
        !footer_fits(r, (uint64_t)end))
        return magstore_damaged(r, (uint64_t)end, "damaged footer", err);
    r->info.size = (uint64_t)size;
    r->info.series = f->series;
    r->info.blocks = f->blocks;
    r->info.rows = f->rows;
    r->info.time_min = f->time_min;
    r->info.time_max = f->time_max;
    r->info.footer_crc = f->crc;
    return MR_OK;
}

static int parse_columns(struct magstore_reader *r, struct mr_error *err)
{
    struct mr_cursor c = mr_cursor_of(mr_buf_view(&r->column_bytes).ptr, r->column_bytes.len);
    uint64_t n = mr_cursor_varint(&c);
    if (c.bad || n > MAGSTORE_MAX_COLUMNS || n > c.left / 4)
        return magstore_damaged(r, r->footer.columns_offset, "damaged columns", err);
    r->columns = mr_calloc(n + 1, sizeof *r->columns);
    if (r->columns == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", r->path);
    for (size_t i = 0; i < n; i++) {
        struct magstore_column *column = &r->columns[i];
        uint64_t id = mr_cursor_varint(&c);
        column->id = (uint32_t)id;
        column->type = mr_cursor_u8(&c);
        column->role = mr_cursor_u8(&c);
        column->name = mr_cursor_bytes(&c, mr_cursor_varint(&c));
        if (c.bad || id > UINT32_MAX || !magstore_is_value(column->type) ||
            (i > 0 && column->id <= column[-1].id))
            return magstore_damaged(r, r->footer.columns_offset, "damaged columns", err);
    }
    r->ncolumns = n;
    return c.left == 0 ? MR_OK : magstore_damaged(r, r->footer.columns_offset, "damaged columns", err);
}

static int read_columns(struct magstore_reader *r, struct mr_error *err)
{
    size_t len = r->footer.columns_bytes;
    char *to = len <= SEGMENT_MAX_DIRECTORY ? mr_buf_reserve(&r->column_bytes, len + 1) : NULL;
    if (to == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", r->path);
    int status =
        mr_io_pread_full(r->io, r->fd, to, len, (int64_t)r->footer.columns_offset, r->path, err);
    if (status != MR_OK)
        return status;
    r->column_bytes.len = len;
    if (!SEGMENT_CRC_IS(r->footer.columns_crc, mr_crc32c(0, to, len)))
        return magstore_damaged(r, r->footer.columns_offset, "damaged columns", err);
    return parse_columns(r, err);
}

int magstore_reader_open(const struct mr_io *io, const char *dir, const char *name,
                         struct magstore_reader **out, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT;
    struct magstore_reader *r = mr_calloc(1, sizeof *r);
    mr_buf_printf(&path, "%s/%s", dir, name);
    int status = MR_ENOMEM;
    if (r == NULL)
        goto done;
    r->io = io;
    r->fd = -1;
    r->path = mr_buf_ok(&path) ? mr_strndup(path.ptr, path.len) : NULL;
    if (r->path == NULL)
        goto done;
    r->fd = io->open(io->ctx, r->path, O_RDONLY, 0);
    if (r->fd < 0) {
        status = mr_error_errno(err, mr_io_status(r->fd), -r->fd, "cannot open %s", r->path);
        goto done;
    }
    status = read_header(r, err);
    if (status == MR_OK)
        status = read_footer(r, err);
    if (status == MR_OK)
        status = read_columns(r, err);
    if (status == MR_OK)
        status = magstore_reader_load(r, err);
done:
    mr_buf_release(&path);
    if (status == MR_OK) {
        *out = r;
        return MR_OK;
    }
    magstore_reader_close(r);
    return mr_error_set(err, status, "out of memory opening %s/%s", dir, name); /* unless it says more */
}

const struct magstore_info *magstore_reader_info(const struct magstore_reader *r)
{
    return &r->info;
}

const struct magstore_column *magstore_reader_columns(const struct magstore_reader *r, size_t *count)
{
    *count = r->ncolumns;
    return r->columns;
}

size_t magstore_reader_memory(const struct magstore_reader *r)
{
    return sizeof *r + r->directory_bytes + r->nstrings * sizeof *r->strings +
           r->info.series * sizeof *r->series + r->column_bytes.cap + r->ncolumns * sizeof *r->columns;
}
