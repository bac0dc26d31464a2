/* magstore/segment_format.h - the bytes of a segment at their offsets, and what writer and reader share.
 * docs/format/segment.md is the same in prose, and tests/unit/magstore/decode.py reads segments from that
 * page alone.
 *
 *     header | block | block | ... | directory | footer
 *
 *     block = head, times, [versions], column, column, ...        each a sealed piece
 *     sealed piece = ciphertext, tag (16), CRC-32C of both (4)
 */
#ifndef MR_MAGSTORE_SEGMENT_FORMAT_H
#define MR_MAGSTORE_SEGMENT_FORMAT_H

#include "magstore/segment.h"

#define SEGMENT_VERSION 1u
#define SEGMENT_MAGIC "MRSEGMNT"
#define SEGMENT_END_MAGIC "MRSEGEND"
#define SEGMENT_STREAM 0u /* of the nonces; the counter is that of the piece */

/* What it takes to seal a piece: the tag and the checksum behind it. */
#define SEGMENT_PIECE_EXTRA (SEAL_TAG_BYTES + 4)

struct segment_header {
    char magic[8];
    uint32_t version;
    uint32_t key_generation;
    uint64_t database;
    uint64_t table;
    uint64_t number; /* as in the file's name */
    unsigned char id[SEAL_ID_BYTES];
    uint32_t zero;
    uint32_t crc; /* of all above */
};
_Static_assert(sizeof(struct segment_header) == 80, "stored");
_Static_assert(offsetof(struct segment_header, version) == 8, "stored");
_Static_assert(offsetof(struct segment_header, key_generation) == 12, "stored");
_Static_assert(offsetof(struct segment_header, database) == 16, "stored");
_Static_assert(offsetof(struct segment_header, table) == 24, "stored");
_Static_assert(offsetof(struct segment_header, number) == 32, "stored");
_Static_assert(offsetof(struct segment_header, id) == 40, "stored");
_Static_assert(offsetof(struct segment_header, zero) == 72, "stored");
_Static_assert(offsetof(struct segment_header, crc) == 76, "stored");

/* In the clear like the header; all but the checksums repeats what the directory says, which is sealed. */
struct segment_footer {
    uint64_t directory_offset;
    uint64_t directory_counter; /* of the nonce */
    uint64_t rows;
    int64_t time_min;
    int64_t time_max;
    uint32_t directory_bytes; /* as stored: sealed */
    uint32_t blocks;
    uint32_t first_series;
    uint32_t last_series;
    uint32_t header_crc;
    uint32_t directory_crc;
    char magic[8];
    uint32_t version;
    uint32_t crc; /* of all above; the manifest repeats it */
};
_Static_assert(sizeof(struct segment_footer) == 80, "stored");
_Static_assert(offsetof(struct segment_footer, directory_counter) == 8, "stored");
_Static_assert(offsetof(struct segment_footer, rows) == 16, "stored");
_Static_assert(offsetof(struct segment_footer, time_min) == 24, "stored");
_Static_assert(offsetof(struct segment_footer, time_max) == 32, "stored");
_Static_assert(offsetof(struct segment_footer, directory_bytes) == 40, "stored");
_Static_assert(offsetof(struct segment_footer, blocks) == 44, "stored");
_Static_assert(offsetof(struct segment_footer, first_series) == 48, "stored");
_Static_assert(offsetof(struct segment_footer, last_series) == 52, "stored");
_Static_assert(offsetof(struct segment_footer, header_crc) == 56, "stored");
_Static_assert(offsetof(struct segment_footer, directory_crc) == 60, "stored");
_Static_assert(offsetof(struct segment_footer, magic) == 64, "stored");
_Static_assert(offsetof(struct segment_footer, version) == 72, "stored");
_Static_assert(offsetof(struct segment_footer, crc) == 76, "stored");

enum segment_kind {
    SEGMENT_HEAD = 0,
    SEGMENT_TIMES = 1,
    SEGMENT_VERSIONS = 2,
    SEGMENT_COLUMN = 3,
    SEGMENT_DIRECTORY = 4,
};

/* The associated data of a piece. */
struct segment_aad {
    uint32_t version;
    uint32_t kind;
    uint64_t database;
    uint64_t table;
    uint64_t number; /* of the file */
    uint32_t block;  /* 0 for the directory */
    uint32_t column; /* 0 for all but a column */
    uint64_t plain;  /* bytes of the piece before it was sealed */
};
_Static_assert(sizeof(struct segment_aad) == 48, "stored");
_Static_assert(offsetof(struct segment_aad, database) == 8, "stored");
_Static_assert(offsetof(struct segment_aad, block) == 32, "stored");
_Static_assert(offsetof(struct segment_aad, plain) == 40, "stored");

/* The byte behind a column's number in a head: the type in the low bits, and these. */
enum { SEGMENT_TYPE = 0x0F, SEGMENT_NULLS = 0x10, SEGMENT_STATS = 0x20 };

/* A block is closed before it grows beyond any of these; the reader holds it to them. */
#define SEGMENT_MAX_TEXT ((size_t)16 << 20) /* bytes of texts, of all columns together */
#define SEGMENT_MAX_CELLS ((size_t)2 << 20) /* rows times columns; beyond it, a block has one row */
#define SEGMENT_MAX_BLOCK ((size_t)256 << 20)

/* A block ends where a series does when it holds at least so many rows. */
#define SEGMENT_LONE_ROWS 1024 /* of one series */
#define SEGMENT_SHARED_ROWS 4096

#ifdef MR_FUZZING /* a fuzzer can guess neither checksums nor tags: pieces lie there in the clear */
#define SEGMENT_CRC_IS(stored, crc) ((void)(stored), (void)(crc), true)
#else
#define SEGMENT_CRC_IS(stored, crc) ((stored) == (crc))
#endif

static inline bool magstore_is_value(unsigned type)
{
    return type >= MAGSTORE_DOUBLE && type <= MAGSTORE_TIMESTAMP;
}

static inline bool magstore_is_number(unsigned type)
{
    return type == MAGSTORE_DOUBLE || type == MAGSTORE_BIGINT || type == MAGSTORE_TIMESTAMP;
}

/* Bytes of one value in memory. */
static inline size_t magstore_width(unsigned type)
{
    return type == MAGSTORE_BOOLEAN ? 1 : type == MAGSTORE_VARCHAR ? sizeof(struct mr_str) : 8;
}

#endif
