/* magstore/format.h - bytes of a segment that stand at fixed offsets, and what writer and reader share
 * (docs/format/segment.md). */
#ifndef MR_MAGSTORE_FORMAT_H
#define MR_MAGSTORE_FORMAT_H

#include "base/hash.h"
#include "magstore/segment.h"

#define SEGMENT_MAGIC UINT64_C(0x544E4D474553524D)  /* "MRSEGMNT" */
#define SEGMENT_FOOTER UINT64_C(0x444E45474553524D) /* "MRSEGEND" */
#define SEGMENT_VERSION 1

struct segment_header {
    uint64_t magic;
    uint16_t version;
    uint8_t seal; /* 0: plain */
    uint8_t zero1;
    uint32_t zero2;
    uint64_t table;
    uint32_t zero3;
    uint32_t crc; /* of the 28 bytes before it */
};
_Static_assert(sizeof(struct segment_header) == 32, "stored");
_Static_assert(offsetof(struct segment_header, version) == 8, "stored");
_Static_assert(offsetof(struct segment_header, seal) == 10, "stored");
_Static_assert(offsetof(struct segment_header, table) == 16, "stored");
_Static_assert(offsetof(struct segment_header, crc) == 28, "stored");

struct segment_block {
    uint32_t crc; /* of the rest of the head */
    uint32_t head_bytes;
    uint32_t bytes; /* head and chunks */
    uint32_t rows;
    int64_t time_min;
    int64_t time_max;
    uint32_t series;
    uint16_t chunks;
    uint16_t zero;
};
_Static_assert(sizeof(struct segment_block) == 40, "stored");
_Static_assert(offsetof(struct segment_block, head_bytes) == 4, "stored");
_Static_assert(offsetof(struct segment_block, bytes) == 8, "stored");
_Static_assert(offsetof(struct segment_block, rows) == 12, "stored");
_Static_assert(offsetof(struct segment_block, time_min) == 16, "stored");
_Static_assert(offsetof(struct segment_block, time_max) == 24, "stored");
_Static_assert(offsetof(struct segment_block, series) == 32, "stored");
_Static_assert(offsetof(struct segment_block, chunks) == 36, "stored");

struct segment_footer {
    uint64_t directory_offset;
    uint64_t directory_bytes;
    uint64_t columns_offset;
    uint64_t columns_bytes;
    uint64_t series;
    uint64_t blocks;
    uint64_t rows;
    int64_t time_min;
    int64_t time_max;
    uint64_t table;
    uint32_t directory_crc;
    uint32_t columns_crc;
    uint16_t version;
    uint8_t seal;
    uint8_t zero;
    uint32_t crc; /* of the 92 bytes before it */
    uint64_t magic;
};
_Static_assert(sizeof(struct segment_footer) == 104, "stored");
_Static_assert(offsetof(struct segment_footer, columns_offset) == 16, "stored");
_Static_assert(offsetof(struct segment_footer, series) == 32, "stored");
_Static_assert(offsetof(struct segment_footer, time_min) == 56, "stored");
_Static_assert(offsetof(struct segment_footer, table) == 72, "stored");
_Static_assert(offsetof(struct segment_footer, directory_crc) == 80, "stored");
_Static_assert(offsetof(struct segment_footer, version) == 88, "stored");
_Static_assert(offsetof(struct segment_footer, crc) == 92, "stored");
_Static_assert(offsetof(struct segment_footer, magic) == 96, "stored");

/* Chunks are numbered: the times, the versions (only when one is not 1), then column id + CHUNK_COLUMN. */
enum { CHUNK_TIME = 0, CHUNK_VERSION = 1, CHUNK_COLUMN = 2 };

/* The byte after the number: type in the low bits, and these. */
enum { CHUNK_TYPE = 0x0F, CHUNK_NULLS = 0x10, CHUNK_STATS = 0x20 };

#define STATS_ROWS 32 /* smaller blocks have no min, max and sum: decoding them is cheap */

#ifdef MR_FUZZING /* a fuzzer could not guess checksums, and its memory is small */
#define SEGMENT_CRC_IS(stored, crc) ((void)(stored), (void)(crc), true)
#define SEGMENT_MAX_DIRECTORY ((size_t)8 << 20)
#define SEGMENT_MAX_PAGE ((size_t)64 << 20)
#else
#define SEGMENT_CRC_IS(stored, crc) ((stored) == (crc))
#define SEGMENT_MAX_DIRECTORY ((size_t)1 << 30)
#define SEGMENT_MAX_PAGE ((size_t)1 << 30)
#endif

#define SEGMENT_MAX_TEXT ((size_t)16 << 20)  /* of one block's strings, before the block is split */
#define SEGMENT_MAX_BLOCK ((size_t)512 << 20) /* as stored */

static inline bool magstore_is_value(unsigned type)
{
    return type >= MAGSTORE_DOUBLE && type <= MAGSTORE_TIMESTAMP;
}

static inline bool magstore_is_number(unsigned type)
{
    return type == MAGSTORE_DOUBLE || type == MAGSTORE_BIGINT || type == MAGSTORE_TIMESTAMP;
}

/* Bytes of one decoded value. */
static inline size_t magstore_width(unsigned type)
{
    return type == MAGSTORE_BOOLEAN ? 1 : type == MAGSTORE_VARCHAR ? sizeof(struct mr_str) : 8;
}

#endif
