/* magstore/manifest.h - which files of a store count, and up to where the log is no longer needed.
 *
 * A manifest is one small file, "manifest-<16 hex digits of its generation>", replaced as a whole by one of
 * the next generation; the two newest are kept. What it does not name does not count: a file is written first
 * and named after that, and named no more before it is removed (reliability rule 3). Layout:
 * docs/format/manifest.md.
 *
 * Thread-safety: commit and clean of one directory are serialised by the caller.
 */
#ifndef MR_MAGSTORE_MANIFEST_H
#define MR_MAGSTORE_MANIFEST_H

#include "base/io.h"

enum magstore_kind {
    MAGSTORE_SEGMENT = 1, /* rows: "seg-<number>.mrs" */
    MAGSTORE_NAMES = 2,   /* columns, measure names and series of a table: "names-<number>.mrn" */
};

struct magstore_file {
    enum magstore_kind kind;
    uint8_t level; /* of compaction, the caller's */
    uint64_t number;
    uint64_t database, table;
    uint32_t key_generation;
    uint64_t size, rows;
    uint32_t first_series, last_series; /* of names: the numbers given out between this file and the one
                                           before it are [first, last]; first > last: none */
    int64_t time_min, time_max;
    uint32_t footer_crc;
};

struct magstore_manifest {
    uint64_t generation; /* of what is here; 0: nothing was committed yet */
    uint64_t highest;    /* of all files seen, damaged ones included */
    bool fell_back;      /* a newer one is damaged: the log must reach back to wal_low + 1 of this one */
    uint64_t wal_low;    /* log entries up to this LSN are in files, those of all tables */
    uint64_t next_file;  /* numbers from here on were never used */
    struct magstore_file *files; /* owned; by table, then kind, then number */
    size_t nfiles, files_cap;
};

#define MAGSTORE_MANIFEST_INIT                                                                               \
    {                                                                                                        \
        .next_file = 1                                                                                       \
    }

void magstore_manifest_release(struct magstore_manifest *manifest);
int magstore_manifest_copy(const struct magstore_manifest *from, struct magstore_manifest *out);
/* Keeps the order of files. MR_ENOMEM. Removing says whether it was there. */
int magstore_manifest_add(struct magstore_manifest *manifest, const struct magstore_file *file);
bool magstore_manifest_remove(struct magstore_manifest *manifest, enum magstore_kind kind, uint64_t number);

/* The newest valid manifest of the directory into `out` (released or fresh); the fresh state when there is
 * none. MR_ECORRUPT: there are manifests and none is valid. */
int magstore_manifest_load(const struct mr_io *io, const char *dir, struct magstore_manifest *out,
                           struct mr_error *err);

/* Makes the state durable under generation highest + 1 and sets generation and highest; then removes
 * manifests older than the one it came from. A failed sync ends the process (reliability rule 2). On another
 * failure (no space) the old state is what the next load finds. MR_EINVAL: two files have the same number, or
 * one is not below next_file. */
int magstore_manifest_commit(const struct mr_io *io, const char *dir, struct magstore_manifest *manifest,
                             struct mr_error *err);

/* Removes temporary files and files of ours with numbers below `below` that no manifest in the directory
 * names. `below` is the least number that somebody may be writing now; UINT64_MAX at a start. While a
 * manifest newer than the newest valid one is damaged, nothing that a manifest could name is removed. */
int magstore_manifest_clean(const struct mr_io *io, const char *dir, uint64_t below, size_t *removed,
                            struct mr_error *err);

/* Files that an older valid manifest of the directory names and this one does not, in no order: what a
 * process that was killed between two commits left for the next commit to remove. The caller frees *out. */
int magstore_manifest_leftover(const struct mr_io *io, const char *dir,
                               const struct magstore_manifest *newest, struct magstore_file **out,
                               size_t *count, struct mr_error *err);

/* The name of a file of the store in its directory. */
#define MAGSTORE_FILE_NAME_BYTES 32
void magstore_file_name(enum magstore_kind kind, uint64_t number, char out[static MAGSTORE_FILE_NAME_BYTES]);
void magstore_manifest_name(uint64_t generation, char out[static MAGSTORE_FILE_NAME_BYTES]);

/* What a name found in the directory says. FOREIGN: nothing of ours. */
enum magstore_found { MAGSTORE_FOREIGN, MAGSTORE_FOUND_MANIFEST, MAGSTORE_FOUND_FILE, MAGSTORE_FOUND_TEMP };
enum magstore_found magstore_name_read(const char *name, enum magstore_kind *kind, uint64_t *number);

/* The bytes of a manifest, for tools and fuzzers. decode: MR_ECORRUPT with the offset when damaged. */
int magstore_manifest_encode(const struct magstore_manifest *manifest, struct mr_buf *out);
int magstore_manifest_decode(struct mr_str bytes, struct magstore_manifest *out, struct mr_error *err);
/* Every number once and below next_file, the list in its order, kinds known: else MR_EINVAL. */
int magstore_manifest_check(const struct magstore_manifest *manifest);

#endif
