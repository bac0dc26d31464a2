/* wal/read.c - one segment, frame by frame, through a window of the file. */
#include "wal/read.h"

#include <errno.h>
#include <fcntl.h>

#define WINDOW_BYTES (256u << 10) /* read at once; a longer frame makes the window longer */

/* Points *out at `len` bytes of the file. MR_ENOENT when the file ends before them. */
static int view(struct wal_reader *r, int64_t offset, size_t len, const unsigned char **out,
                struct mr_error *err)
{
    if (offset > r->size || (uint64_t)(r->size - offset) < len)
        return MR_ENOENT;
    if (offset >= r->window_offset && offset + (int64_t)len <= r->window_offset + (int64_t)r->window_len) {
        *out = r->window + (offset - r->window_offset);
        return MR_OK;
    }
    uint64_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
    if (want > (uint64_t)(r->size - offset))
        want = (uint64_t)(r->size - offset);
    r->window_len = 0;
    if (want > r->window_cap) {
        unsigned char *grown = mr_realloc(r->window, want);
        if (grown == NULL)
            return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
        r->window = grown;
        r->window_cap = want;
    }
    int status = mr_io_pread_full(r->io, r->fd, r->window, want, offset, r->path, err);
    if (status != MR_OK)
        return status;
    r->window_offset = offset;
    r->window_len = want;
    *out = r->window;
    return MR_OK;
}

/* The segment's key, from its header. */
static int find_key(struct wal_reader *r, struct seal_keyring *keyring, struct mr_error *err)
{
    struct seal_key data_key;
    struct mr_error why = MR_ERROR_INIT;
    int status = seal_keyring_get(keyring, SEAL_SCOPE_STORE, r->header.generation, &data_key, &why);
    if (status == MR_ENOENT)
        return mr_error_set(
            err, MR_ECORRUPT,
            "%s: damaged: sealed under generation %u of the log's key, and %s. Without that key "
            "its entries cannot be read; put back a keyring that has it",
            r->path, r->header.generation, why.text);
    if (status != MR_OK)
        return mr_error_set(err, (enum mr_status)status, "%s", why.text);
    status = seal_derive(&data_key, r->header.id, &r->key, err);
    seal_key_wipe(&data_key);
    if (status == MR_OK && seal_cipher_new(&r->cipher) != MR_OK)
        status = mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
    return status;
}

int wal_reader_open(struct wal_reader *r, const struct mr_io *io, const char *dir,
                    struct seal_keyring *keyring, uint64_t sequence, struct mr_error *err)
{
    char name[WAL_NAME_BYTES];
    *r = (struct wal_reader){.io = io, .fd = -1, .offset = WAL_SECTOR};
    wal_segment_name(sequence, name);
    if ((size_t)snprintf(r->path, sizeof r->path, "%s/%s", dir, name) >= sizeof r->path)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", dir);
    int status = MR_OK;
    r->fd = io->open(io->ctx, r->path, O_RDONLY, 0);
    if (r->fd < 0)
        return mr_error_errno(err, mr_io_status(r->fd), -r->fd, "cannot open %s", r->path);
    r->size = io->size(io->ctx, r->fd);
    if (r->size < 0) {
        status = mr_error_errno(err, MR_EIO, (int)-r->size, "cannot stat %s", r->path);
        goto done;
    }
    const unsigned char *bytes;
    status = view(r, 0, sizeof r->header, &bytes, err);
    if (status == MR_ENOENT)
        status = mr_error_set(err, MR_ECORRUPT, "%s: damaged: shorter than a segment header", r->path);
    if (status != MR_OK)
        goto done;
    const char *why = wal_segment_header_read(bytes, &r->header);
    if (why == NULL && r->header.sequence != sequence)
        why = "the header is another segment's";
    if (why != NULL)
        status = mr_error_set(err, MR_ECORRUPT, "%s: damaged at offset 0: %s", r->path, why);
    if (status == MR_OK)
        status = find_key(r, keyring, err);
done:
    if (status != MR_OK)
        wal_reader_close(r);
    return status;
}

void wal_reader_close(struct wal_reader *r)
{
    if (r->fd >= 0)
        r->io->close(r->io->ctx, r->fd);
    r->fd = -1;
    mr_free(r->window);
    r->window = NULL;
    r->window_len = r->window_cap = 0;
    mr_free(r->plain);
    r->plain = NULL;
    r->plain_cap = 0;
    seal_cipher_free(r->cipher);
    r->cipher = NULL;
    seal_key_wipe(&r->key);
}

/* Room for a payload of this length. */
static int reserve_plain(struct wal_reader *r, size_t len, struct mr_error *err)
{
    if (len <= r->plain_cap)
        return MR_OK;
    mr_free(r->plain);
    r->plain_cap = len < WINDOW_BYTES ? WINDOW_BYTES : len;
    r->plain = mr_malloc(r->plain_cap);
    if (r->plain != NULL)
        return MR_OK;
    r->plain_cap = 0;
    return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", r->path);
}

int wal_reader_next(struct wal_reader *r, struct wal_frame *out, const char **why, struct mr_error *err)
{
    const unsigned char *bytes;
    *why = "end of file";
    int status = view(r, r->offset, WAL_FRAME_HEADER_BYTES, &bytes, err);
    if (status != MR_OK)
        return status;
    *why = wal_frame_header_read(bytes, &r->header, (uint64_t)r->offset, (uint64_t)(r->size - r->offset),
                                 &out->header);
    if (*why != NULL)
        return MR_ENOENT;
    size_t len = out->header.payload_bytes;
    status = view(r, r->offset, WAL_FRAME_HEADER_BYTES + len + SEAL_TAG_BYTES, &bytes, err);
    if (status != MR_OK)
        return status;
    const unsigned char *sealed = bytes + WAL_FRAME_HEADER_BYTES;
    *why = wal_frame_payload_check(&out->header, sealed);
    if (*why != NULL)
        return MR_ENOENT;
    status = reserve_plain(r, len, err);
    if (status != MR_OK)
        return status;
    *why = wal_frame_open(&r->header, &out->header, r->cipher, &r->key, sealed, r->plain);
    if (*why != NULL)
        return mr_error_set(err, MR_ECORRUPT, "%s: damaged at offset %lld: %s", r->path, (long long)r->offset,
                            *why);
    out->payload = (struct mr_str){(const char *)r->plain, len};
    r->offset += (int64_t)wal_frame_bytes(len);
    return MR_OK;
}

static bool all_zero(const unsigned char *bytes, size_t len)
{
    return len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
}

int wal_reader_scan(struct wal_reader *r, uint64_t *durable_lsn, int64_t *used, struct mr_error *err)
{
    *used = r->offset;
    while (r->offset < r->size) {
        struct wal_frame frame;
        const char *why;
        int status = wal_reader_next(r, &frame, &why, err);
        if (status == MR_OK) {
            if (frame.header.durable_lsn > *durable_lsn)
                *durable_lsn = frame.header.durable_lsn;
            *used = r->offset;
            continue;
        }
        if (status != MR_ENOENT)
            return status;
        const unsigned char *bytes;
        size_t len = r->size - r->offset < (int64_t)WAL_SECTOR ? (size_t)(r->size - r->offset) : WAL_SECTOR;
        status = view(r, r->offset, len, &bytes, err);
        if (status != MR_OK)
            return status;
        r->offset += (int64_t)len;
        if (!all_zero(bytes, len))
            *used = r->offset;
    }
    return MR_OK;
}

bool wal_entry_next(struct mr_cursor *c, struct mr_str *entry)
{
    if (c->left == 0)
        return false;
    *entry = mr_cursor_bytes(c, mr_cursor_varint(c));
    return !c->bad;
}
