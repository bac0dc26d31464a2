/* magstore/manifest.h - which segments of a store count, and up to where the log is no longer needed.
 *
 * A manifest is one small file, "manifest-<16 hex digits of its generation>", replaced as a whole by one of
 * the next generation; the two newest are kept. What it does not name does not count: a segment is written
 * first and named after that, and named no more before it is removed (reliability rule 3). Layout:
 * docs/format/manifest.md.
 *
 * Thread-safety: commit and clean of one directory are serialised by the caller.
 */
#ifndef MR_MAGSTORE_MANIFEST_H
#define MR_MAGSTORE_MANIFEST_H

#include "base/io.h"

struct magstore_manifest_segment {
    uint64_t number; /* magstore_segment_name makes its file name */
    uint64_t table, size, rows;
    int64_t time_min, time_max;
    uint32_t footer_crc;
    uint32_t level; /* of compaction, the caller's */
};

struct magstore_manifest {
    uint64_t generation;   /* of what is here; 0: nothing was committed yet */
    uint64_t highest;      /* of all files seen, damaged ones included */
    bool fell_back;        /* a newer one is damaged: the log must reach back to wal_low + 1 */
    uint64_t wal_low;      /* log entries up to this LSN are in segments, those of all tables */
    uint64_t next_segment; /* numbers from here on were never used */
    struct magstore_manifest_segment *segments; /* owned, any order */
    size_t nsegments, segments_cap;
    uint64_t *dropped; /* owned: tables whose segments and log entries are to be ignored */
    size_t ndropped, dropped_cap;
};

#define MAGSTORE_MANIFEST_INIT                                                                               \
    {                                                                                                        \
        .next_segment = 1                                                                                    \
    }

void magstore_manifest_release(struct magstore_manifest *manifest);

/* The newest valid manifest of the directory into `out` (released or fresh); the fresh state when there is
 * none. MR_ECORRUPT: there are manifests and none is valid. */
int magstore_manifest_load(const struct mr_io *io, const char *dir, struct magstore_manifest *out,
                           struct mr_error *err);

/* Makes the state durable under generation highest + 1 and sets generation and highest; then removes
 * manifests older than the one it came from. On failure the old or the new state may be found by the next
 * load: nothing may be removed that either names, until a later commit succeeds. MR_EINVAL: two segments have
 * the same number, or one is not below next_segment. */
int magstore_manifest_commit(const struct mr_io *io, const char *dir, struct magstore_manifest *manifest,
                             struct mr_error *err);

/* Removes temporary files and segments with numbers below `below` that no manifest in the directory names.
 * `below` is the least number that somebody may be writing now; UINT64_MAX at a start. While a manifest newer
 * than the newest valid one is damaged, no segment is removed: it may be the only one to name it. */
int magstore_manifest_clean(const struct mr_io *io, const char *dir, uint64_t below, size_t *removed,
                            struct mr_error *err);

/* The bytes of a file, for tools and fuzzers. decode: MR_ECORRUPT with the offset when damaged. */
int magstore_manifest_encode(const struct magstore_manifest *manifest, struct mr_buf *out);
int magstore_manifest_decode(struct mr_str bytes, struct magstore_manifest *out, struct mr_error *err);
/* MR_EINVAL as for commit. */
int magstore_manifest_check(const struct magstore_manifest *manifest);

#endif
