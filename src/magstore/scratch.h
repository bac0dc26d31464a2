/* magstore/scratch.h - inside of struct magstore_scratch, and the entropy coder behind the encoders of this
 * room. */
#ifndef MR_MAGSTORE_SCRATCH_H
#define MR_MAGSTORE_SCRATCH_H

#include "magstore/codec.h"

#include <zstd.h>

struct magstore_scratch {
    ZSTD_CCtx *compress[2]; /* by magstore_matter */
    ZSTD_DCtx *decompress;
    int64_t *numbers; /* MAGSTORE_MAX_VALUES of each */
    uint64_t *residuals;
    uint8_t *symbols;
    uint32_t *codes;
};

/* What is squeezed decides how: symbols have no repeats worth looking for, texts have. */
enum magstore_matter { MAGSTORE_SYMBOLS, MAGSTORE_TEXTS };

/* Appends a packed run of bytes: varint raw length, varint packed length (0: stored raw), bytes. */
int magstore_squeeze(struct magstore_scratch *s, enum magstore_matter matter, const void *bytes, size_t len,
                     struct mr_buf *out);
struct mr_cursor;
/* Reads one run of exactly `len` bytes into `to`. MR_ECORRUPT when it is anything else. */
int magstore_unsqueeze(struct magstore_scratch *s, struct mr_cursor *from, void *to, size_t len);
/* The raw length of the run the cursor stands at, without moving it; 0 when there is none. */
size_t magstore_squeezed_length(struct mr_cursor from);

/* The low `width` bits of n values, least significant first, padded to a byte. width 0 writes nothing. */
void magstore_pack(const uint64_t *values, size_t n, unsigned width, struct mr_buf *out);
/* ORs the unpacked values into out. false when bytes are missing. */
bool magstore_unpack(struct mr_cursor *from, size_t n, unsigned width, uint64_t *out);

#endif
