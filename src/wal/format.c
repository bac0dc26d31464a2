/* wal/format.c - sealing and checking the headers of wal/format.h.
 *
 * Under MR_FUZZING the checksums are computed but not believed, so that a fuzzer gets past them.
 */
#include "wal/format.h"

#include "base/cursor.h"
#include "base/hash.h"

#ifdef MR_FUZZING
#define CHECKSUM_DIFFERS(a, b) ((void)(a), (void)(b), false)
#else
#define CHECKSUM_DIFFERS(a, b) ((a) != (b))
#endif

void wal_segment_header_seal(struct wal_segment_header *header)
{
    memcpy(header->magic, WAL_SEGMENT_MAGIC, sizeof header->magic);
    header->version = WAL_VERSION;
    header->sector = WAL_SECTOR;
    header->crc = mr_crc32c(0, header, offsetof(struct wal_segment_header, crc));
}

const char *wal_segment_header_read(const void *bytes, struct wal_segment_header *out)
{
    memcpy(out, bytes, sizeof *out);
    if (memcmp(out->magic, WAL_SEGMENT_MAGIC, sizeof out->magic) != 0)
        return "not a segment header";
    if (out->version != WAL_VERSION) /* first: where the checksum lies is the version's to say */
        return "unknown format version";
    if (CHECKSUM_DIFFERS(out->crc, mr_crc32c(0, bytes, offsetof(struct wal_segment_header, crc))))
        return "segment header checksum differs";
    if (out->sector != WAL_SECTOR || out->generation == 0 || out->segment_bytes % WAL_SECTOR != 0 ||
        out->segment_bytes < 2 * WAL_SECTOR || out->segment_bytes > INT64_MAX || out->first_lsn == 0)
        return "segment header field out of range";
    return NULL;
}

struct bound {
    unsigned char bytes[WAL_BOUND_SEGMENT + WAL_BOUND_FRAME];
};

static struct mr_str bound_to(const struct wal_segment_header *segment, const struct wal_frame_header *frame,
                              struct bound *out)
{
    memcpy(out->bytes, segment, WAL_BOUND_SEGMENT);
    memcpy(out->bytes + WAL_BOUND_SEGMENT, frame, WAL_BOUND_FRAME);
    return (struct mr_str){(const char *)out->bytes, sizeof out->bytes};
}

void wal_frame_seal(const struct wal_segment_header *segment, struct wal_frame_header *header,
                    struct seal_cipher *cipher, const struct seal_key *key, void *payload)
{
    struct bound bound;
    header->magic = WAL_FRAME_MAGIC;
    header->header_bytes = sizeof *header;
    header->zero = 0;
    memcpy(header->id, segment->id, sizeof header->id);
    seal_lock(cipher, key, 0, header->counter, bound_to(segment, header, &bound),
              (struct mr_str){payload, header->payload_bytes}, payload);
    header->payload_crc = mr_crc32c(0, payload, header->payload_bytes + SEAL_TAG_BYTES);
    header->crc = mr_crc32c(0, header, offsetof(struct wal_frame_header, crc));
}

const char *wal_frame_header_read(const void *bytes, const struct wal_segment_header *segment,
                                  uint64_t offset, uint64_t left, struct wal_frame_header *out)
{
    memcpy(out, bytes, sizeof *out);
    if (out->magic != WAL_FRAME_MAGIC)
        return "no frame";
    if (CHECKSUM_DIFFERS(out->crc, mr_crc32c(0, bytes, offsetof(struct wal_frame_header, crc))))
        return "frame header checksum differs";
    if (out->header_bytes != sizeof *out || out->zero != 0)
        return "unknown frame header";
    if (memcmp(out->id, segment->id, sizeof out->id) != 0)
        return "frame of another segment";
    if (out->offset != offset)
        return "frame of another offset";
    if (out->payload_bytes > WAL_MAX_PAYLOAD || wal_frame_bytes(out->payload_bytes) > left)
        return "frame longer than the segment";
    if (out->first_lsn == 0 || out->durable_lsn >= out->first_lsn ||
        out->first_lsn > UINT64_MAX - out->entries)
        return "frame LSNs out of range";
    return NULL;
}

const char *wal_frame_payload_check(const struct wal_frame_header *header, const void *sealed)
{
    uint32_t crc = mr_crc32c(0, sealed, header->payload_bytes + SEAL_TAG_BYTES);
    return CHECKSUM_DIFFERS(header->payload_crc, crc) ? "payload checksum differs" : NULL;
}

const char *wal_frame_open(const struct wal_segment_header *segment, const struct wal_frame_header *header,
                           struct seal_cipher *cipher, const struct seal_key *key, const void *sealed,
                           void *out)
{
    struct bound bound;
    if (!seal_unlock(cipher, key, 0, header->counter, bound_to(segment, header, &bound),
                     (struct mr_str){sealed, header->payload_bytes + SEAL_TAG_BYTES}, out))
        return "the checksums are right and the seal is not: altered, or sealed under another key";
    struct mr_cursor c = mr_cursor_of(out, header->payload_bytes);
    for (uint32_t i = 0; i < header->entries && !c.bad; i++)
        mr_cursor_bytes(&c, mr_cursor_varint(&c));
    return c.bad || c.left != 0 ? "entries do not add up to the payload" : NULL;
}
