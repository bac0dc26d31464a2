/* backup/backup.h - copies of a data directory: made while a server writes to it, and put back.
 *
 * A target is a directory or a prefix of an S3 bucket. It holds any number of backups that share what does
 * not change: segments, files of names and pieces of the log are copied once. Layout: docs/format/backup.md.
 *
 * Whoever makes a backup brings a moment: the manifest, the LSN, the catalog and the keyring as they were
 * together, and the promise that the files stay while it copies. The server hands one out (server/hold_call);
 * from a directory nobody serves it is read.
 *
 * A backup counts from the moment its index is written, which is last. Killed before, what was copied is not
 * copied again; a restore that was killed goes on likewise. Calls block and are made by one thread.
 */
#ifndef MR_BACKUP_BACKUP_H
#define MR_BACKUP_BACKUP_H

#include "magstore/manifest.h"

#define BACKUP_PART_BYTES ((size_t)32 << 20) /* no object is larger, and no more is held in memory */
#define BACKUP_ID_BYTES 27                   /* "20260102T030405000Z-1a2b3c" and the terminator */

/* ---- where backups are ------------------------------------------------------------------------------- */

struct backup_target;

struct backup_s3 {
    const char *endpoint;                   /* NULL: AWS in that region */
    const char *region;                     /* NULL: us-east-1 */
    const char *ca_file;                    /* NULL: what the system trusts */
    const char *credentials_file, *profile; /* NULL: the environment */
};

/* `where` is a directory, or "s3://bucket" or "s3://bucket/prefix" of letters, digits and "/._-". A directory
 * is made when `make`. MR_EINVAL, MR_ENOENT, MR_EIO. */
int backup_target_open(const char *where, const struct backup_s3 *s3, bool make, struct backup_target **out,
                       struct mr_error *err);
void backup_target_close(struct backup_target *target); /* NULL is fine */

/* ---- what a backup is of ----------------------------------------------------------------------------- */

struct backup_moment {
    struct magstore_manifest manifest;
    uint64_t lsn;
    struct mr_buf catalog, keyring; /* bytes of these files */
};
#define BACKUP_MOMENT_INIT                                                                                   \
    {                                                                                                        \
        MAGSTORE_MANIFEST_INIT, 0, MR_BUF_INIT, MR_BUF_INIT                                                  \
    }
void backup_moment_release(struct backup_moment *moment);
/* As bytes, for the way from the server to who copies. decode: MR_ECORRUPT. */
int backup_moment_encode(const struct backup_moment *moment, struct mr_buf *out);
int backup_moment_decode(struct mr_str bytes, struct backup_moment *out, struct mr_error *err);

struct backup_progress {
    const char *doing;
    uint64_t files, all_files, bytes, all_bytes; /* looked at so far, and in all */
    uint64_t copied_bytes;                       /* of them, not in the target before */
};
struct backup_watch {
    void *ctx;
    bool (*step)(void *ctx, const struct backup_progress *progress); /* often; false: MR_ECANCEL */
};

struct backup_result {
    char id[BACKUP_ID_BYTES];
    struct backup_progress progress;
    uint64_t rows, log_entries; /* rows of segments; entries of the log above the manifest's mark */
    uint64_t lsn;
    bool keys; /* the keys that unwrap are in it */
};

/* Copies the data directory as of the moment. `keys`: also the files that unwrap data keys, and the root
 * credentials; without them the backup tells nobody anything, and is worth nothing without them. A file that
 * cannot be read ends it, and the text names the file. */
int backup_make(const struct mr_io *io, const char *data, const struct backup_moment *moment, bool keys,
                int64_t wall_ns, struct backup_target *target, const struct backup_watch *watch,
                struct backup_result *out, struct mr_error *err);

/* ---- what is there ----------------------------------------------------------------------------------- */

struct backup_part {
    uint32_t bytes;
    char sha256[65];
};
struct backup_file {
    char *path; /* in the data directory, relative */
    char *key;  /* in the target; of a file in several parts, what their keys begin with */
    uint64_t bytes;
    uint64_t whole; /* filled up with zeros to it; = bytes otherwise */
    struct backup_part *parts;
    size_t nparts;
};
struct backup_index {
    char id[BACKUP_ID_BYTES];
    int64_t made; /* wall ns */
    uint64_t lsn, rows, log_entries;
    bool keys;
    struct backup_file *files;
    size_t nfiles, files_cap;
};
void backup_index_release(struct backup_index *index);
int backup_index_encode(const struct backup_index *index, struct mr_buf *out); /* MR_ENOMEM */
/* Believes nothing: paths stay within a data directory, keys within a target. MR_ECORRUPT, MR_ENOMEM. */
int backup_index_decode(struct mr_str bytes, struct backup_index *out, struct mr_error *err);

/* Ids of the complete backups of a target, ascending, which is by time. The caller frees *out. */
int backup_list(struct backup_target *target, char (**out)[BACKUP_ID_BYTES], size_t *count,
                struct mr_error *err);
int backup_read_index(struct backup_target *target, const char *id, struct backup_index *out,
                      struct mr_error *err);

/* ---- putting back ------------------------------------------------------------------------------------ */

/* Writes the backup's files into `data`, which is locked by the caller, and empty or what an earlier restore
 * of the same backup left. Every part is held against its hash; what is there already is read and kept.
 * `keys_dir` (may be NULL) has the key files of a backup without keys. Everything is durable when it returns;
 * the directory's stamp is the caller's to write, after he has looked at what is there. */
int backup_restore(const struct mr_io *io, struct backup_target *target, const struct backup_index *index,
                   const char *data, const char *keys_dir, const struct backup_watch *watch,
                   struct backup_progress *progress, struct mr_error *err);

#endif
