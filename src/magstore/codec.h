/* magstore/codec.h - columns of values as bytes, each by the encoding that makes it smallest.
 *
 * Every encoder writes one self-describing column of `n` values (n is kept by the caller) and every decoder
 * gives the values back bit for bit: NaN payloads, negative zero and all. Layouts: docs/format/columns.md.
 *
 * One idea carries the numbers: predict each value from those before it, write the zigzag of what is left
 * over split at a bit position k. The low k bits are noise and are packed as they are; the high part is one
 * small symbol a value and goes through an entropy coder. k is chosen by the entropy of the symbols.
 *
 *     timestamps, integers   predicted by nothing (minimum), the last value, or the last difference
 *     doubles                decimal-like ones become integers times a power of ten (the idea of ALP,
 *                            Afroozeh and Boncz 2023), with exceptions; others: exponents and mantissas
 *     strings                a dictionary when values repeat, else lengths and bytes
 *     booleans, nulls        bits
 *
 * Decoders check every length against what is left and fail with MR_ECORRUPT; they allocate from the scratch
 * only. Thread-safe on different scratch objects.
 */
#ifndef MR_MAGSTORE_CODEC_H
#define MR_MAGSTORE_CODEC_H

#include "base/base.h"

#define MAGSTORE_MAX_VALUES 65536 /* of one column */

/* Working memory and entropy-coder contexts, kept between calls. */
struct magstore_scratch;
int magstore_scratch_new(struct magstore_scratch **out);
void magstore_scratch_free(struct magstore_scratch *scratch);

int magstore_encode_i64(struct magstore_scratch *s, const int64_t *values, size_t n, struct mr_buf *out);
int magstore_decode_i64(struct magstore_scratch *s, struct mr_str bytes, int64_t *values, size_t n);

int magstore_encode_f64(struct magstore_scratch *s, const double *values, size_t n, struct mr_buf *out);
int magstore_decode_f64(struct magstore_scratch *s, struct mr_str bytes, double *values, size_t n);

/* One byte a value, 0 or 1. */
int magstore_encode_bool(struct magstore_scratch *s, const uint8_t *values, size_t n, struct mr_buf *out);
int magstore_decode_bool(struct magstore_scratch *s, struct mr_str bytes, uint8_t *values, size_t n);

/* Decoded views point into the arena. Texts of more than `most` bytes together are MR_ECORRUPT. */
int magstore_encode_str(struct magstore_scratch *s, const struct mr_str *values, size_t n,
                        struct mr_buf *out);
int magstore_decode_str(struct magstore_scratch *s, struct mr_str bytes, size_t most, struct mr_arena *arena,
                        struct mr_str *values, size_t n);

#endif
