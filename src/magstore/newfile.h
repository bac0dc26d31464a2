/* magstore/newfile.h - a file that comes into being whole: written under its name with ".tmp" behind it,
 * synced, renamed, and its directory synced (reliability rule 3).
 *
 * A failed sync ends the process with one line in the log: the kernel marks the pages it could not write as
 * clean, so nothing that happens later would tell the truth (rule 2). The directory is opened before the
 * rename: once the file has its name, only that sync can fail.
 *
 * Thread-safety: one owner at a time.
 */
#ifndef MR_MAGSTORE_NEWFILE_H
#define MR_MAGSTORE_NEWFILE_H

#include "base/io.h"

struct magstore_newfile {
    const struct mr_io *io;
    struct mr_buf path, temp, dir; /* NUL-terminated */
    int fd, dir_fd;                /* -1: not open */
    uint64_t size;                 /* bytes written so far */
};

#define MAGSTORE_NEWFILE_INIT                                                                                \
    {                                                                                                        \
        .fd = -1, .dir_fd = -1                                                                               \
    }

/* Creates dir/name.tmp, over one that an earlier process left. On failure nothing is left to release. */
int magstore_newfile_open(struct magstore_newfile *file, const struct mr_io *io, const char *dir,
                          const char *name, struct mr_error *err);
/* Appends. After a failure only abort remains. */
int magstore_newfile_write(struct magstore_newfile *file, struct mr_str bytes, struct mr_error *err);
/* Overwrites bytes written before. */
int magstore_newfile_rewrite(struct magstore_newfile *file, uint64_t offset, struct mr_str bytes,
                             struct mr_error *err);
/* Makes the file durable under its name and releases everything, also on failure; then the temporary file is
 * gone, or, where even that fails, left for magstore_manifest_clean. */
int magstore_newfile_finish(struct magstore_newfile *file, struct mr_error *err);
/* Removes the temporary file and releases. Fine on MAGSTORE_NEWFILE_INIT and after a failed open. */
void magstore_newfile_abort(struct magstore_newfile *file);

#endif
