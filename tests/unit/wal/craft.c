#include "unit/wal/craft.h"

#include <fcntl.h>
#include <stdio.h>

/* Which data key the segment is sealed under, and the segment's own key. */
static void craft_key(struct craft *c)
{
    struct seal_key data_key;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(seal_keyring_newest(kit_keyring(), SEAL_SCOPE_STORE, &c->header.generation, &data_key, &err),
             &err);
    check_ok(seal_derive(&data_key, c->header.id, &c->key, &err), &err);
}

static struct seal_cipher *cipher(void)
{
    static struct seal_cipher *c;
    if (c == NULL)
        assert_int_equal(seal_cipher_new(&c), MR_OK);
    return c;
}

void craft_begin(struct craft *c, uint64_t sequence, uint64_t first_lsn)
{
    memset(c, 0, sizeof *c);
    c->header.segment_bytes = CRAFT_BYTES;
    c->header.sequence = sequence;
    c->header.first_lsn = first_lsn;
    memset(c->header.id, (int)sequence + 0x40, sizeof c->header.id);
    craft_key(c);
    wal_segment_header_seal(&c->header);
    memcpy(c->bytes, &c->header, sizeof c->header);
    c->offset = WAL_SECTOR;
}

size_t craft_payload(struct craft *c, uint64_t first_lsn, uint32_t entries, uint64_t durable_lsn,
                     struct mr_str payload)
{
    struct wal_frame_header h = {
        .payload_bytes = (uint32_t)payload.len,
        .entries = entries,
        .first_lsn = first_lsn,
        .durable_lsn = durable_lsn,
        .offset = c->offset,
        .counter = c->counter++,
    };
    size_t at = c->offset;
    assert_true(at + wal_frame_bytes(payload.len) <= CRAFT_BYTES);
    if (payload.len != 0)
        memcpy(c->bytes + at + sizeof h, payload.ptr, payload.len);
    wal_frame_seal(&c->header, &h, cipher(), &c->key, c->bytes + at + sizeof h);
    memcpy(c->bytes + at, &h, sizeof h);
    c->offset += wal_frame_bytes(payload.len);
    return at;
}

size_t craft_frame(struct craft *c, uint64_t first_lsn, uint32_t entries, uint64_t durable_lsn)
{
    struct mr_buf payload = MR_BUF_INIT;
    for (uint64_t n = first_lsn; n < first_lsn + entries; n++) {
        struct mr_str e = kit_entry(n);
        mr_buf_varint(&payload, e.len);
        mr_buf_str(&payload, e);
    }
    size_t at = craft_payload(c, first_lsn, entries, durable_lsn, mr_buf_view(&payload));
    mr_buf_release(&payload);
    return at;
}

void craft_write(const struct craft *c, const struct mr_io *io, const char *dir, uint64_t sequence)
{
    char name[WAL_NAME_BYTES], path[512];
    struct mr_error err = MR_ERROR_INIT;
    wal_segment_name(sequence, name);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    int fd = io->open(io->ctx, path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    check_ok(mr_io_pwrite_full(io, fd, c->bytes, CRAFT_BYTES, 0, path, &err), &err);
    io->close(io->ctx, fd);
}
