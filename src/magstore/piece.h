/* magstore/piece.h - sealed pieces of a segment: AES-256-GCM, and a checksum that tells damage from a wrong
 * key. */
#ifndef MR_MAGSTORE_PIECE_H
#define MR_MAGSTORE_PIECE_H

#include "magstore/segment_format.h"

/* What all pieces of a file share. */
struct magstore_locks {
    struct seal_key key; /* of the file; wiped by its owner */
    uint64_t database, table, number;
};

/* Which piece. `counter` is given to one piece of a file only, ever. */
struct magstore_piece {
    enum segment_kind kind;
    uint32_t block, column;
    uint64_t counter;
};

/* Seals buf[start, len) where it lies and appends tag and checksum. MR_ENOMEM. */
int magstore_piece_seal(struct seal_cipher *cipher, const struct magstore_locks *locks,
                        const struct magstore_piece *piece, struct mr_buf *buf, size_t start);

/* Checks and opens a stored piece into `out`, which has room for bytes.len - SEGMENT_PIECE_EXTRA. NULL, or
 * what is wrong with it. */
const char *magstore_piece_open(struct seal_cipher *cipher, const struct magstore_locks *locks,
                                const struct magstore_piece *piece, struct mr_str bytes,
                                void *out) MR_MUST_USE;

#endif
