/* wal/format.h - the bytes of a segment, at their offsets. docs/format/wal.md is the same in prose, and
 * tests/unit/wal/decode.py reads segments from that page alone.
 *
 *     offset 0                4096                               segment_bytes
 *     +-----------------------+---------+---------+--- ... ------+
 *     | segment header, zeros | frame   | frame   |  zeros       |      frames start and end at sectors
 *     +-----------------------+---------+---------+--- ... ------+
 *
 * A frame is one group commit: a header, then entries (varint length, bytes), then zeros up to the sector.
 * Its sectors are written once and never again, so a write in flight cannot harm what was acknowledged.
 */
#ifndef MR_WAL_FORMAT_H
#define MR_WAL_FORMAT_H

#include "base/base.h"

#define WAL_VERSION 1u
#define WAL_SECTOR 4096u /* a page and the largest physical sector in use: never half of somebody else's */
#define WAL_ID_BYTES 16u
#define WAL_MAX_PAYLOAD (256u << 20) /* a longer frame is not read */
#define WAL_FRAME_MAGIC 0x4657524Du  /* "MRWF" */
#define WAL_SEGMENT_MAGIC "MRWALSEG"

struct wal_segment_header {
    char magic[8];
    uint32_t version;
    uint32_t sector;        /* WAL_SECTOR */
    uint64_t segment_bytes; /* size of the file while it is the newest */
    uint64_t sequence;      /* as in the file's name */
    uint64_t first_lsn; /* of its first frame. All below is durable; the same or higher LSNs in older segments
                           are void */
    unsigned char id[WAL_ID_BYTES]; /* random; echoed by each frame */
    uint32_t zero;
    uint32_t crc; /* CRC-32C of all above */
};

struct wal_frame_header {
    uint32_t magic;
    uint16_t header_bytes; /* sizeof this */
    uint16_t zero;
    uint32_t payload_bytes;
    uint32_t entries;
    uint64_t first_lsn;   /* of the first entry; of the next one to come when there are none */
    uint64_t durable_lsn; /* highest durable LSN when this was written: below first_lsn */
    unsigned char id[WAL_ID_BYTES];
    uint64_t offset;      /* of this header in the segment */
    uint32_t payload_crc; /* CRC-32C of the payload */
    uint32_t crc;         /* CRC-32C of all above */
};

_Static_assert(sizeof(struct wal_segment_header) == 64, "format");
_Static_assert(offsetof(struct wal_segment_header, version) == 8, "format");
_Static_assert(offsetof(struct wal_segment_header, sector) == 12, "format");
_Static_assert(offsetof(struct wal_segment_header, segment_bytes) == 16, "format");
_Static_assert(offsetof(struct wal_segment_header, sequence) == 24, "format");
_Static_assert(offsetof(struct wal_segment_header, first_lsn) == 32, "format");
_Static_assert(offsetof(struct wal_segment_header, id) == 40, "format");
_Static_assert(offsetof(struct wal_segment_header, zero) == 56, "format");
_Static_assert(offsetof(struct wal_segment_header, crc) == 60, "format");

_Static_assert(sizeof(struct wal_frame_header) == 64, "format");
_Static_assert(offsetof(struct wal_frame_header, header_bytes) == 4, "format");
_Static_assert(offsetof(struct wal_frame_header, zero) == 6, "format");
_Static_assert(offsetof(struct wal_frame_header, payload_bytes) == 8, "format");
_Static_assert(offsetof(struct wal_frame_header, entries) == 12, "format");
_Static_assert(offsetof(struct wal_frame_header, first_lsn) == 16, "format");
_Static_assert(offsetof(struct wal_frame_header, durable_lsn) == 24, "format");
_Static_assert(offsetof(struct wal_frame_header, id) == 32, "format");
_Static_assert(offsetof(struct wal_frame_header, offset) == 48, "format");
_Static_assert(offsetof(struct wal_frame_header, payload_crc) == 56, "format");
_Static_assert(offsetof(struct wal_frame_header, crc) == 60, "format");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored integers are copied as they lie");

#define WAL_FRAME_HEADER_BYTES sizeof(struct wal_frame_header)
#define WAL_VARINT_MAX 5u /* bytes of an entry's length: entries stay below WAL_MAX_PAYLOAD */

/* Bytes a frame with this payload takes in the segment: header, payload and zeros up to the sector. */
static inline size_t wal_frame_bytes(size_t payload)
{
    return (WAL_FRAME_HEADER_BYTES + payload + WAL_SECTOR - 1) / WAL_SECTOR * WAL_SECTOR;
}

/* Fills in magic, version, sector size and checksum around the caller's fields. */
void wal_segment_header_seal(struct wal_segment_header *header);
/* NULL when the bytes are a segment header (copied to *out), else what is wrong with them. */
const char *wal_segment_header_read(const void *bytes, struct wal_segment_header *out);

/* Fills in magic and both checksums; the payload's length is header->payload_bytes. */
void wal_frame_header_seal(struct wal_frame_header *header, const void *payload);
/* NULL when the bytes are a frame header of the segment `id` at `offset`, with `left` bytes of segment from
 * there on; else what is wrong. Judges the header alone. */
const char *wal_frame_header_read(const void *bytes, const unsigned char id[WAL_ID_BYTES], uint64_t offset,
                                  uint64_t left, struct wal_frame_header *out);
/* NULL when the payload is the one the header was sealed over and holds exactly its entries. */
const char *wal_frame_payload_check(const struct wal_frame_header *header, const void *payload,
                                    bool *malformed);

#endif
