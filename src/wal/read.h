/* wal/read.h - the log read-only: for recovery, for `millrace dump` and for tests. Nothing here changes a
 * disk.
 *
 * Not thread-safe; each reader has one user. Views point into the reader and last until its next call.
 */
#ifndef MR_WAL_READ_H
#define MR_WAL_READ_H

#include "base/cursor.h"
#include "base/io.h"
#include "wal/format.h"
#include "wal/wal.h"

#include <stdio.h>

#define WAL_NAME_BYTES 32   /* room for a segment's name, "wal-0000000000000001.log" */
#define WAL_PATH_BYTES 4096 /* room for a path */
#define WAL_TEMP_NAME "wal-ready.tmp"

void wal_segment_name(uint64_t sequence, char out[static WAL_NAME_BYTES]);

/* Segment numbers in a directory, ascending. Starts as zeros; released by wal_list_release. */
struct wal_list {
    uint64_t *sequences;
    size_t count, cap;
};
int wal_list_read(const struct mr_io *io, const char *dir, struct wal_list *out, struct mr_error *err);
void wal_list_release(struct wal_list *list);

struct wal_reader {
    const struct mr_io *io;
    int fd;
    int64_t size; /* of the file */
    char path[WAL_PATH_BYTES];
    struct wal_segment_header header;
    struct seal_key key; /* of the segment */
    struct seal_cipher *cipher;
    int64_t offset; /* where the next frame is looked for */
    unsigned char *window;
    size_t window_len, window_cap;
    int64_t window_offset;
    unsigned char *plain; /* the payload of the last frame; the window stays sealed, it may be read again */
    size_t plain_cap;
};

struct wal_frame {
    struct wal_frame_header header;
    struct mr_str payload;
};

/* Opens a segment and checks its header. MR_ECORRUPT with a report when that is damaged, or names a key that
 * the keyring does not have. On failure there is nothing to close. */
int wal_reader_open(struct wal_reader *reader, const struct mr_io *io, const char *dir,
                    struct seal_keyring *keyring, uint64_t sequence, struct mr_error *err);
void wal_reader_close(struct wal_reader *reader);

/* The frame at reader->offset, which moves behind it. MR_ENOENT: there is no valid frame, *why says what is
 * there and reader->offset stays. MR_ECORRUPT: its checksums hold, and its seal does not or its contents make
 * no sense; *why says which. MR_EIO, MR_ENOMEM. */
int wal_reader_next(struct wal_reader *reader, struct wal_frame *out, const char **why, struct mr_error *err);

/* Behind an invalid frame: looks at every sector from reader->offset on. *durable_lsn is raised to the
 * highest mark of a valid frame; *used is where the last sector that is not all zeros ends (or the starting
 * offset). */
int wal_reader_scan(struct wal_reader *reader, uint64_t *durable_lsn, int64_t *used, struct mr_error *err);

/* Walks the entries of a frame: `c` starts as mr_cursor_of its payload. false at the end. */
bool wal_entry_next(struct mr_cursor *c, struct mr_str *entry);

/* What is known of a log when it was read. Starts as zeros; released by wal_recovery_release. */
struct wal_segment_ref {
    uint64_t sequence, first_lsn;
};
struct wal_recovery {
    struct wal_segment_ref *segments; /* ascending */
    size_t count, cap;
    uint64_t next_lsn;    /* the first that is not in the log */
    uint64_t durable_lsn; /* the highest known to be on disk, not only in the page cache */
    uint64_t tail_lsn;    /* first LSN of `tail` */
    uint32_t tail_entries;
    struct mr_buf tail; /* entries above durable_lsn, framed as in a payload */
    int64_t end;        /* where the last valid frame of the newest segment ends */
    uint64_t entries, bytes, torn_bytes;
};

/* The recovery rule (docs/format/wal.md): replays every entry, decides what is torn and what is damaged.
 * need_lsn: the oldest entry that has to be there, 0 for whatever the oldest segment begins with. */
int wal_recover(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t need_lsn,
                wal_replay_fn *replay, void *ctx, struct wal_recovery *out, struct mr_error *err);
void wal_recovery_release(struct wal_recovery *recovery);

/* A part of the log to be copied: of the segment the first `bytes`, which hold its entries below end_lsn. */
struct wal_piece {
    uint64_t sequence, first_lsn, end_lsn, entries;
    uint64_t bytes;
    uint64_t segment_bytes; /* what a newest segment has: a copy that is to be one is filled up with zeros */
    unsigned char id[SEAL_ID_BYTES];
};
/* The pieces, ascending, that hold the entries (low, lsn]; they hold some before as well. Every frame is read
 * and checked. The log may be open and written to: then somebody keeps it from being trimmed above `low`,
 * and lsn is durable. MR_ECORRUPT: an entry is not there. The caller frees *out. */
int wal_pieces(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t low,
               uint64_t lsn, struct wal_piece **out, size_t *count, struct mr_error *err);

/* Prints every segment, frame and the verdict of the recovery rule. With `entries` also each entry in
 * hexadecimal. MR_ECORRUPT when the log is damaged (and says so in the text as well). */
int wal_dump(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, bool entries, FILE *out,
             struct mr_error *err);
/* The same of one segment, without a verdict. */
int wal_dump_segment(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t sequence,
                     bool entries, FILE *out, struct mr_error *err);

#endif
