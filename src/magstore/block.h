/* magstore/block.h - one block as bytes: what writer and reader need of each other's room. */
#ifndef MR_MAGSTORE_BLOCK_H
#define MR_MAGSTORE_BLOCK_H

#include "base/cursor.h"
#include "magstore/codec.h"
#include "magstore/format.h"

/* Working memory of the encoder. */
struct magstore_encoder {
    struct magstore_scratch *scratch;
    struct mr_buf head, body, dense;
};
int magstore_encoder_new(struct magstore_encoder *encoder);
void magstore_encoder_release(struct magstore_encoder *encoder);

/* Rows [from, to) as a block: encoder->head and encoder->body, to be written one behind the other. MR_ENOMEM,
 * or MR_ELIMIT when it is too large. */
int magstore_encode_block(struct magstore_encoder *encoder, uint32_t series, const struct magstore_rows *rows,
                          size_t from, size_t to);

/* One entry of a block's head. */
struct segment_chunk {
    uint64_t number; /* CHUNK_TIME ... */
    uint8_t type;
    bool nulls;
    uint32_t bytes, crc;
    uint64_t offset; /* from the start of the block */
    struct magstore_stats stats;
};

/* Reads the next entry. false: damaged. *offset is moved past the chunk. */
bool magstore_chunk_next(struct mr_cursor *head, uint32_t rows, uint64_t *offset, struct segment_chunk *out);

/* Counts values without NULLs, and what else their type allows. */
void magstore_stats_of(enum magstore_type type, const void *values, size_t count, struct magstore_stats *out);

#endif
