/* tests/unit/wal/craft.h - segments written by hand, so that every rule of recovery has its log. */
#ifndef MR_TESTS_WAL_CRAFT_H
#define MR_TESTS_WAL_CRAFT_H

#include "unit/wal/kit.h"

#define CRAFT_BYTES (64u << 10)

/* A segment in the making. */
struct craft {
    unsigned char bytes[CRAFT_BYTES];
    struct wal_segment_header header;
    struct seal_key key; /* of the segment */
    uint64_t counter;    /* of the next frame */
    size_t offset;       /* of the next frame */
};

/* Sealed under the newest key of kit_keyring(). */
void craft_begin(struct craft *c, uint64_t sequence, uint64_t first_lsn);
/* Adds a frame of entries first..first+entries-1 (kit_entry) with the mark; returns its offset. */
size_t craft_frame(struct craft *c, uint64_t first_lsn, uint32_t entries, uint64_t durable_lsn);
/* Adds a frame with a payload of any bytes. */
size_t craft_payload(struct craft *c, uint64_t first_lsn, uint32_t entries, uint64_t durable_lsn,
                     struct mr_str payload);
/* Writes the segment under the name of `sequence` into dir. */
void craft_write(const struct craft *c, const struct mr_io *io, const char *dir, uint64_t sequence);

#endif
