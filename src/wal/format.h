/* wal/format.h - the bytes of a segment, at their offsets. docs/format/wal.md is the same in prose, and
 * tests/unit/wal/decode.py reads segments from that page alone.
 *
 *     offset 0                4096                               segment_bytes
 *     +-----------------------+---------+---------+--- ... ------+
 *     | segment header, zeros | frame   | frame   |  zeros       |      frames start and end at sectors
 *     +-----------------------+---------+---------+--- ... ------+
 *
 * A frame is one group commit: a header, then entries (varint length, bytes) sealed as one piece, then zeros
 * up to the sector. Its sectors are written once and never again, so a write in flight cannot harm what was
 * acknowledged. Checksums are over what lies on the disk: torn or damaged is told apart without a key.
 */
#ifndef MR_WAL_FORMAT_H
#define MR_WAL_FORMAT_H

#include "seal/seal.h"

#define WAL_VERSION 2u
#define WAL_SECTOR 4096u /* a page and the largest physical sector in use: never half of somebody else's */
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
    unsigned char id[SEAL_ID_BYTES]; /* random; echoed by each frame */
    uint32_t generation; /* of the data key (scope SEAL_SCOPE_STORE) that the segment's key is of */
    uint32_t crc;        /* CRC-32C of all above */
};

struct wal_frame_header {
    uint32_t magic;
    uint16_t header_bytes; /* sizeof this */
    uint16_t zero;
    uint32_t payload_bytes; /* of the entries; sealed they are SEAL_TAG_BYTES more */
    uint32_t entries;
    uint64_t first_lsn;   /* of the first entry; of the next one to come when there are none */
    uint64_t durable_lsn; /* highest durable LSN when this was written: below first_lsn */
    unsigned char id[SEAL_ID_BYTES];
    uint64_t offset;      /* of this header in the segment */
    uint64_t counter;     /* of the nonce: frames sealed under the segment's key before this one */
    uint32_t payload_crc; /* CRC-32C of the sealed payload */
    uint32_t crc;         /* CRC-32C of all above */
};

/* What a payload is bound to, as associated data: both headers up to their checksums. */
#define WAL_BOUND_SEGMENT offsetof(struct wal_segment_header, crc)
#define WAL_BOUND_FRAME offsetof(struct wal_frame_header, payload_crc)

_Static_assert(sizeof(struct wal_segment_header) == 80, "format");
_Static_assert(offsetof(struct wal_segment_header, version) == 8, "format");
_Static_assert(offsetof(struct wal_segment_header, sector) == 12, "format");
_Static_assert(offsetof(struct wal_segment_header, segment_bytes) == 16, "format");
_Static_assert(offsetof(struct wal_segment_header, sequence) == 24, "format");
_Static_assert(offsetof(struct wal_segment_header, first_lsn) == 32, "format");
_Static_assert(offsetof(struct wal_segment_header, id) == 40, "format");
_Static_assert(offsetof(struct wal_segment_header, generation) == 72, "format");
_Static_assert(offsetof(struct wal_segment_header, crc) == 76, "format");

_Static_assert(sizeof(struct wal_frame_header) == 88, "format");
_Static_assert(offsetof(struct wal_frame_header, header_bytes) == 4, "format");
_Static_assert(offsetof(struct wal_frame_header, zero) == 6, "format");
_Static_assert(offsetof(struct wal_frame_header, payload_bytes) == 8, "format");
_Static_assert(offsetof(struct wal_frame_header, entries) == 12, "format");
_Static_assert(offsetof(struct wal_frame_header, first_lsn) == 16, "format");
_Static_assert(offsetof(struct wal_frame_header, durable_lsn) == 24, "format");
_Static_assert(offsetof(struct wal_frame_header, id) == 32, "format");
_Static_assert(offsetof(struct wal_frame_header, offset) == 64, "format");
_Static_assert(offsetof(struct wal_frame_header, counter) == 72, "format");
_Static_assert(offsetof(struct wal_frame_header, payload_crc) == 80, "format");
_Static_assert(offsetof(struct wal_frame_header, crc) == 84, "format");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored integers are copied as they lie");

#define WAL_FRAME_HEADER_BYTES sizeof(struct wal_frame_header)
#define WAL_VARINT_MAX 5u /* bytes of an entry's length: entries stay below WAL_MAX_PAYLOAD */

/* Bytes a frame with this payload takes in the segment: header, sealed payload and zeros up to the sector. */
static inline size_t wal_frame_bytes(size_t payload)
{
    return (WAL_FRAME_HEADER_BYTES + payload + SEAL_TAG_BYTES + WAL_SECTOR - 1) / WAL_SECTOR * WAL_SECTOR;
}

/* Fills in magic, version, sector size and checksum around the caller's fields. */
void wal_segment_header_seal(struct wal_segment_header *header);
/* NULL when the bytes are a segment header (copied to *out), else what is wrong with them. */
const char *wal_segment_header_read(const void *bytes, struct wal_segment_header *out);

/* Fills in magic and both checksums around the caller's fields, and seals the payload of
 * header->payload_bytes where it lies: SEAL_TAG_BYTES more follow it. */
void wal_frame_seal(const struct wal_segment_header *segment, struct wal_frame_header *header,
                    struct seal_cipher *cipher, const struct seal_key *key, void *payload);
/* NULL when the bytes are a frame header of the segment at `offset`, with `left` bytes of segment from there
 * on; else what is wrong. Judges the header alone. */
const char *wal_frame_header_read(const void *bytes, const struct wal_segment_header *segment,
                                  uint64_t offset, uint64_t left, struct wal_frame_header *out);
/* NULL when the sealed payload is the one the header was sealed over. Needs no key. */
const char *wal_frame_payload_check(const struct wal_frame_header *header, const void *sealed);
/* The payload, opened into `out` (may be in place): NULL when it is what the writer sealed there and holds
 * exactly its entries, else what is wrong, which no torn write explains. */
const char *wal_frame_open(const struct wal_segment_header *segment, const struct wal_frame_header *header,
                           struct seal_cipher *cipher, const struct seal_key *key, const void *sealed,
                           void *out);

#endif
