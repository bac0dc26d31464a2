/* store/names_read.c - a file of names into a table.
 *
 * Nothing in the file is believed before its checksum and its seal were checked; then the end frame must say
 * what was read, so that a file cut short or put together from two is noticed.
 */
#include "store/names.h"

#include "store/entry.h"
#include "store/names_format.h"

#include "base/hash.h"
#include "magstore/press.h"

#include <fcntl.h>
#include <inttypes.h>

struct reader {
    const struct mr_io *io;
    const struct magstore_file *file;
    struct mem_table *mem;
    struct mr_buf path;
    int fd; /* -1: not open */
    struct seal_cipher *cipher;
    struct seal_key key; /* of the file */
    struct magstore_press *press;
    struct mr_buf sealed, plain;
    uint64_t offset; /* of the frame */
    struct names_end seen;
    bool any_columns, any_measures;
};

static void release(struct reader *r)
{
    if (r->fd >= 0)
        r->io->close(r->io->ctx, r->fd);
    seal_cipher_free(r->cipher);
    seal_key_wipe(&r->key);
    magstore_press_free(r->press);
    mr_buf_release(&r->path);
    mr_buf_release(&r->sealed);
    mr_buf_release(&r->plain);
}

static int damaged(const struct reader *r, const char *what, struct mr_error *err)
{
    return mr_error_set(err, MR_ECORRUPT, "%s is damaged at offset %" PRIu64 ": %s", r->path.ptr, r->offset,
                        what);
}

static int no_memory(const struct reader *r, struct mr_error *err)
{
    return mr_error_set(err, MR_ENOMEM, "out of memory reading %s",
                        r->path.ptr != NULL ? r->path.ptr : "names");
}

static int read_bytes(const struct reader *r, void *to, size_t len, uint64_t offset, struct mr_error *err)
{
    return mr_io_pread_full(r->io, r->fd, to, len, (int64_t)offset, r->path.ptr, err);
}

/* ---- open -------------------------------------------------------------------------------------------- */

static int open_file(struct reader *r, const char *dir, struct mr_error *err)
{
    char name[MAGSTORE_FILE_NAME_BYTES];
    magstore_file_name(MAGSTORE_NAMES, r->file->number, name);
    mr_buf_printf(&r->path, "%s/%s", dir, name);
    mr_buf_char(&r->path, '\0');
    if (!mr_buf_ok(&r->path) || magstore_press_new(&r->press) != MR_OK ||
        seal_cipher_new(&r->cipher) != MR_OK)
        return no_memory(r, err);
    int fd = r->io->open(r->io->ctx, r->path.ptr, O_RDONLY, 0);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open %s", r->path.ptr);
    r->fd = fd;
    int64_t size = r->io->size(r->io->ctx, fd);
    if (size < 0)
        return mr_error_errno(err, MR_EIO, (int)-size, "cannot tell the size of %s", r->path.ptr);
    if ((uint64_t)size == r->file->size)
        return MR_OK;
    r->offset = (uint64_t)size < r->file->size ? (uint64_t)size : r->file->size;
    return damaged(r, "it has another size than the manifest says", err);
}

static int read_header(struct reader *r, struct seal_keyring *keyring, struct mr_error *err)
{
    struct names_header h;
    const struct magstore_file *f = r->file;
    if (f->size < sizeof h)
        return damaged(r, "it ends in its header", err);
    int status = read_bytes(r, &h, sizeof h, 0, err);
    if (status != MR_OK)
        return status;
    if (memcmp(h.magic, NAMES_MAGIC, sizeof h.magic) != 0 ||
        !NAMES_CRC_IS(h.crc, mr_crc32c(0, &h, offsetof(struct names_header, crc))))
        return damaged(r, "not a header of a file of names", err);
    if (h.version != NAMES_VERSION)
        return mr_error_set(err, MR_EUNSUPPORTED, "%s has format version %u, which is not known here",
                            r->path.ptr, h.version);
    if (h.database != f->database || h.table != f->table || h.number != f->number ||
        h.key_generation != f->key_generation || h.zero != 0)
        return damaged(r, "it is another file than the manifest says", err);
    r->offset = sizeof h;
#ifdef MR_FUZZING
    MR_UNUSED(keyring);
    return MR_OK;
#else
    struct seal_key data_key;
    status = seal_keyring_get(keyring, f->database, f->key_generation, &data_key, err);
    if (status == MR_OK)
        status = seal_derive(&data_key, h.id, &r->key, err);
    seal_key_wipe(&data_key);
    return status;
#endif
}

/* ---- frames ------------------------------------------------------------------------------------------ */

/* The next frame's plain bytes into r->plain: of the end frame as sealed, of others decompressed. */
static int read_frame(struct reader *r, struct names_frame *head, struct mr_error *err)
{
    uint64_t left = r->file->size - r->offset;
    if (left < sizeof *head)
        return damaged(r, "it ends without an end frame", err);
    int status = read_bytes(r, head, sizeof *head, r->offset, err);
    if (status != MR_OK)
        return status;
    if (head->sealed < SEAL_TAG_BYTES || head->sealed > NAMES_MAX_SEALED || head->last > 1 ||
        head->sealed > left - sizeof *head || head->plain > NAMES_MAX_PLAIN)
        return damaged(r, "the head of a frame does not fit", err);
    r->sealed.len = 0;
    char *sealed = mr_buf_reserve(&r->sealed, head->sealed);
    if (sealed == NULL)
        return no_memory(r, err);
    status = read_bytes(r, sealed, head->sealed, r->offset + sizeof *head, err);
    if (status != MR_OK)
        return status;
    uint32_t crc = mr_crc32c(0, head, offsetof(struct names_frame, crc));
    if (!NAMES_CRC_IS(head->crc, mr_crc32c(crc, sealed, head->sealed)))
        return damaged(r, "wrong checksum of a frame", err);
    const struct names_aad aad = {
        .version = NAMES_VERSION,
        .last = head->last,
        .database = r->file->database,
        .table = r->file->table,
        .number = r->file->number,
        .frame = r->seen.frames,
        .plain = head->plain,
    };
    if (!seal_unlock(r->cipher, &r->key, NAMES_STREAM, r->seen.frames,
                     (struct mr_str){(const char *)&aad, sizeof aad}, (struct mr_str){sealed, head->sealed},
                     sealed))
        return damaged(r, "a frame was sealed by another key or for another place", err);
    r->sealed.len = head->sealed - SEAL_TAG_BYTES;
    return MR_OK;
}

static int unpack(struct reader *r, uint32_t plain, struct mr_error *err)
{
    r->plain.len = 0;
    char *to = mr_buf_reserve(&r->plain, (size_t)plain + 1);
    if (to == NULL)
        return no_memory(r, err);
#ifdef MR_FUZZING /* nor do mutations get far in compressed bytes */
    static const unsigned char packed[] = {0x28, 0xB5, 0x2F, 0xFD};
    if (plain >= sizeof packed && r->sealed.len == plain &&
        memcmp(r->sealed.ptr, packed, sizeof packed) != 0) {
        memcpy(to, r->sealed.ptr, plain);
        r->plain.len = plain;
        return MR_OK;
    }
#endif
    if (!magstore_press_unpack(r->press, mr_buf_view(&r->sealed), to, plain))
        return damaged(r, "a frame cannot be decompressed", err);
    r->plain.len = plain;
    return MR_OK;
}

/* ---- entries ----------------------------------------------------------------------------------------- */

static int on_column(void *ctx, uint32_t column, enum mem_role role, enum mem_type type, struct mr_str name)
{
    struct reader *r = ctx;
    if (!r->any_columns)
        r->seen.first_column = r->seen.end_column = column;
    if (column != r->seen.end_column)
        return MR_EINVAL;
    r->any_columns = true;
    r->seen.end_column++;
    return r->mem != NULL ? mem_load_column(r->mem, column, role, type, name) : MR_OK;
}

static int on_measure(void *ctx, uint32_t measure, enum mem_type type, struct mr_str name)
{
    struct reader *r = ctx;
    if (!r->any_measures)
        r->seen.first_measure = r->seen.end_measure = measure;
    if (measure != r->seen.end_measure)
        return MR_EINVAL;
    r->any_measures = true;
    r->seen.end_measure++;
    return r->mem != NULL ? mem_load_measure(r->mem, measure, type, name) : MR_OK;
}

static int on_series(void *ctx, uint32_t series, uint32_t measure, const struct mem_dim *dims, uint32_t ndims)
{
    struct reader *r = ctx;
    if (r->seen.series == 0)
        r->seen.first_series = series;
    else if (series < r->seen.end_series)
        return MR_EINVAL;
    r->seen.series++;
    r->seen.end_series = series + 1;
    return r->mem != NULL ? mem_load_series(r->mem, series, measure, dims, ndims) : MR_OK;
}

static int on_row(void *ctx, const struct mem_row *row)
{
    MR_UNUSED(ctx);
    MR_UNUSED(row);
    return MR_EINVAL;
}

static int load_entry(struct reader *r, struct mr_error *err)
{
    const struct entry_sink sink = {r, on_column, on_measure, on_series, on_row};
    struct mr_cursor c = mr_cursor_of(mr_buf_view(&r->plain).ptr, r->plain.len);
    struct entry_head head;
    const char *why = "";
    int status = entry_read_head(&c, &head, &why);
    if (status != MR_OK)
        return damaged(r, why, err);
    if (head.kind != ENTRY_APPEND || head.database_id != r->file->database || head.table_id != r->file->table)
        return damaged(r, "an entry of another table", err);
    if (r->mem != NULL)
        mem_write_lock(r->mem);
    status = entry_read_append(&c, &sink, &why);
    if (r->mem != NULL)
        mem_write_unlock(r->mem);
    if (status == MR_EINVAL)
        return damaged(r, why, err);
    return status == MR_OK ? MR_OK : no_memory(r, err);
}

/* ---- the end ----------------------------------------------------------------------------------------- */

/* What the end frame says is what was read, and what the manifest says. */
static bool end_fits(const struct reader *r, const struct names_end *end, uint32_t crc)
{
    const struct names_end *seen = &r->seen;
    const struct magstore_file *f = r->file;
    bool columns = r->any_columns
                       ? seen->first_column == end->first_column && seen->end_column == end->end_column
                       : end->first_column == end->end_column;
    bool measures = r->any_measures
                        ? seen->first_measure == end->first_measure && seen->end_measure == end->end_measure
                        : end->first_measure == end->end_measure;
    bool series = end->first_series <= end->end_series &&
                  (seen->series == 0 ||
                   (seen->first_series >= end->first_series && seen->end_series <= end->end_series));
    bool range = end->first_series < end->end_series
                     ? f->first_series == end->first_series && f->last_series == end->end_series - 1
                     : f->first_series > f->last_series;
    return columns && measures && series && range && seen->series == end->series &&
           seen->frames == end->frames && f->rows == end->series && NAMES_CRC_IS(f->footer_crc, crc);
}

static int read_end(struct reader *r, const struct names_frame *head, struct mr_error *err)
{
    struct names_end end;
    if (head->plain != sizeof end || r->sealed.len != sizeof end)
        return damaged(r, "an end frame of another size", err);
    memcpy(&end, r->sealed.ptr, sizeof end);
    if (!end_fits(r, &end, head->crc))
        return damaged(r, "its end frame speaks of another file", err);
    r->offset += sizeof *head + head->sealed;
    if (r->offset != r->file->size)
        return damaged(r, "bytes after its end frame", err);
    if (r->mem == NULL)
        return MR_OK;
    mem_write_lock(r->mem);
    mem_load_next(r->mem, end.end_series);
    mem_write_unlock(r->mem);
    return MR_OK;
}

static int read_frames(struct reader *r, struct mr_error *err)
{
    for (;;) {
        struct names_frame head;
        int status = read_frame(r, &head, err);
        if (status == MR_OK && head.last)
            return read_end(r, &head, err);
        if (status == MR_OK)
            status = unpack(r, head.plain, err);
        if (status == MR_OK)
            status = load_entry(r, err);
        if (status != MR_OK)
            return status;
        r->seen.frames++;
        r->offset += sizeof head + head.sealed;
    }
}

static void set_file_time(struct mem_table *mem, int64_t time)
{
    if (mem == NULL)
        return;
    mem_write_lock(mem);
    mem_load_filed(mem, time);
    mem_write_unlock(mem);
}

int names_read(const struct mr_io *io, const char *dir, struct seal_keyring *keyring,
               const struct magstore_file *file, struct mem_table *mem, int64_t file_time,
               struct mr_error *err)
{
    struct reader r = {.io = io, .file = file, .mem = mem, .fd = -1};
    int status = file->kind == MAGSTORE_NAMES
                     ? MR_OK
                     : (int)mr_error_set(err, MR_EINVAL, "file %" PRIu64 " holds no names", file->number);
    if (status == MR_OK)
        status = open_file(&r, dir, err);
    if (status == MR_OK)
        status = read_header(&r, keyring, err);
    if (status == MR_OK) {
        set_file_time(mem, file_time);
        status = read_frames(&r, err);
        set_file_time(mem, INT64_MIN);
    }
    release(&r);
    return status;
}
