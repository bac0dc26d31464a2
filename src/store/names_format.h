/* store/names_format.h - the bytes of a file of names at their offsets (docs/format/names.md).
 *
 *     header | frame | frame | ... | end frame
 *
 *     frame = head in the clear, sealed bytes (zstd; of the end frame: struct names_end as it lies)
 */
#ifndef MR_STORE_NAMES_FORMAT_H
#define MR_STORE_NAMES_FORMAT_H

#include "seal/seal.h"

#define NAMES_MAGIC "MRTNAMES"
#define NAMES_VERSION 1u
#define NAMES_STREAM 0u /* of the nonces; the counter is the frame's number */

#define NAMES_FRAME_SERIES 16384u            /* a frame has at most so many */
#define NAMES_FRAME_BYTES ((size_t)1 << 20)  /* and is not larger, unless it has one series or none */
#define NAMES_MAX_PLAIN ((uint32_t)16 << 20) /* all columns and measure names a table may have fit */
#define NAMES_MAX_SEALED (NAMES_MAX_PLAIN + (NAMES_MAX_PLAIN >> 8) + 1024) /* zstd's bound, and the tag */

struct names_header {
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
_Static_assert(sizeof(struct names_header) == 80, "stored");
_Static_assert(offsetof(struct names_header, version) == 8, "stored");
_Static_assert(offsetof(struct names_header, key_generation) == 12, "stored");
_Static_assert(offsetof(struct names_header, database) == 16, "stored");
_Static_assert(offsetof(struct names_header, table) == 24, "stored");
_Static_assert(offsetof(struct names_header, number) == 32, "stored");
_Static_assert(offsetof(struct names_header, id) == 40, "stored");
_Static_assert(offsetof(struct names_header, zero) == 72, "stored");
_Static_assert(offsetof(struct names_header, crc) == 76, "stored");

struct names_frame {
    uint32_t sealed; /* bytes that follow, the tag with them */
    uint32_t plain;  /* bytes of the entry, before zstd */
    uint32_t last;   /* 1: the end frame */
    uint32_t crc;    /* of all above and the sealed bytes; of the end frame: footer_crc in the manifest */
};
_Static_assert(sizeof(struct names_frame) == 16, "stored");
_Static_assert(offsetof(struct names_frame, plain) == 4, "stored");
_Static_assert(offsetof(struct names_frame, last) == 8, "stored");
_Static_assert(offsetof(struct names_frame, crc) == 12, "stored");

struct names_end {
    uint32_t first_column, end_column; /* [first, end) are in the file */
    uint32_t first_measure, end_measure;
    uint32_t first_series, end_series; /* end: every number in use was below */
    uint64_t series;                   /* how many */
    uint64_t frames;                   /* before this one */
};
_Static_assert(sizeof(struct names_end) == 40, "stored");
_Static_assert(offsetof(struct names_end, first_measure) == 8, "stored");
_Static_assert(offsetof(struct names_end, first_series) == 16, "stored");
_Static_assert(offsetof(struct names_end, series) == 24, "stored");
_Static_assert(offsetof(struct names_end, frames) == 32, "stored");

/* The associated data of a frame. */
struct names_aad {
    uint32_t version;
    uint32_t last;
    uint64_t database;
    uint64_t table;
    uint64_t number; /* of the file */
    uint64_t frame;  /* 0, 1, ... */
    uint64_t plain;
};
_Static_assert(sizeof(struct names_aad) == 48, "stored");
_Static_assert(offsetof(struct names_aad, database) == 8, "stored");
_Static_assert(offsetof(struct names_aad, frame) == 32, "stored");
_Static_assert(offsetof(struct names_aad, plain) == 40, "stored");

/* A fuzzer can guess neither checksums nor tags (seal/cipher.c leaves pieces in the clear for it). */
#ifdef MR_FUZZING
#define NAMES_CRC_IS(stored, crc) ((void)(stored), (void)(crc), true)
#else
#define NAMES_CRC_IS(stored, crc) ((stored) == (crc))
#endif

#endif
