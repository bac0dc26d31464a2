#include "magstore/piece.h"

#include "base/hash.h"

#ifdef MR_FUZZING /* in the clear, with a tag of zeros: segment_format.h */
int magstore_piece_seal(struct seal_cipher *cipher, const struct magstore_locks *locks,
                        const struct magstore_piece *piece, struct mr_buf *buf, size_t start)
{
    MR_UNUSED(cipher);
    MR_UNUSED(locks);
    MR_UNUSED(piece);
    MR_UNUSED(start);
    static const char zeros[SEGMENT_PIECE_EXTRA];
    mr_buf_add(buf, zeros, sizeof zeros);
    return mr_buf_ok(buf) ? MR_OK : MR_ENOMEM;
}

const char *magstore_piece_open(struct seal_cipher *cipher, const struct magstore_locks *locks,
                                const struct magstore_piece *piece, struct mr_str bytes, void *out)
{
    MR_UNUSED(cipher);
    MR_UNUSED(locks);
    MR_UNUSED(piece);
    if (bytes.len < SEGMENT_PIECE_EXTRA)
        return "too short";
    memcpy(out, bytes.ptr, bytes.len - SEGMENT_PIECE_EXTRA);
    return NULL;
}

#else

static struct segment_aad aad_of(const struct magstore_locks *locks, const struct magstore_piece *piece,
                                 size_t plain)
{
    return (struct segment_aad){SEGMENT_VERSION, piece->kind,  locks->database, locks->table,
                                locks->number,   piece->block, piece->column,   plain};
}

int magstore_piece_seal(struct seal_cipher *cipher, const struct magstore_locks *locks,
                        const struct magstore_piece *piece, struct mr_buf *buf, size_t start)
{
    if (!mr_buf_ok(buf) || mr_buf_reserve(buf, SEGMENT_PIECE_EXTRA) == NULL)
        return MR_ENOMEM;
    struct mr_str plain = {buf->ptr + start, buf->len - start};
    const struct segment_aad aad = aad_of(locks, piece, plain.len);
    seal_lock(cipher, &locks->key, SEGMENT_STREAM, piece->counter,
              (struct mr_str){(const char *)&aad, sizeof aad}, plain, buf->ptr + start);
    buf->len += SEAL_TAG_BYTES;
    mr_buf_u32(buf, mr_crc32c(0, buf->ptr + start, buf->len - start));
    return mr_buf_ok(buf) ? MR_OK : MR_ENOMEM;
}

const char *magstore_piece_open(struct seal_cipher *cipher, const struct magstore_locks *locks,
                                const struct magstore_piece *piece, struct mr_str bytes, void *out)
{
    if (bytes.len < SEGMENT_PIECE_EXTRA)
        return "too short";
    struct mr_str sealed = {bytes.ptr, bytes.len - 4};
    uint32_t crc;
    memcpy(&crc, bytes.ptr + sealed.len, sizeof crc);
    if (crc != mr_crc32c(0, sealed.ptr, sealed.len))
        return "checksum differs";
    const struct segment_aad aad = aad_of(locks, piece, sealed.len - SEAL_TAG_BYTES);
    if (!seal_unlock(cipher, &locks->key, SEGMENT_STREAM, piece->counter,
                     (struct mr_str){(const char *)&aad, sizeof aad}, sealed, out))
        return "sealed by another key or for another place";
    return NULL;
}
#endif
