/* base/io.h - file operations through a table, so that tests can fail, tear or lose any of them.
 *
 * Every function returns a value >= 0 or a negated errno; EINTR is handled inside (retried), short transfers
 * are looped by mr_io_pread_full / mr_io_pwrite_full. `ctx` is the table's own. Data files use nothing else:
 * no stdio, no mmap. Thread-safe as far as the kernel is.
 */
#ifndef MR_BASE_IO_H
#define MR_BASE_IO_H

#include "base/base.h"

#include <sys/types.h>

struct mr_io {
    void *ctx;
    int (*open)(void *ctx, const char *path, int flags, unsigned mode); /* O_CLOEXEC is added */
    int (*close)(void *ctx, int fd);
    ssize_t (*pread)(void *ctx, int fd, void *buf, size_t len, int64_t offset);
    ssize_t (*pwrite)(void *ctx, int fd, const void *buf, size_t len, int64_t offset);
    int (*fdatasync)(void *ctx, int fd);
    int (*fsync)(void *ctx, int fd);
    int (*fallocate)(void *ctx, int fd, int64_t offset, int64_t len);
    int (*ftruncate)(void *ctx, int fd, int64_t len);
    int64_t (*size)(void *ctx, int fd);
    int (*rename)(void *ctx, const char *from, const char *to);
    int (*unlink)(void *ctx, const char *path);
    int (*mkdir)(void *ctx, const char *path, unsigned mode);
    int (*rmdir)(void *ctx, const char *path);
    /* Calls fn for each name except "." and ".."; a non-zero return of fn stops and is returned. */
    int (*list)(void *ctx, const char *path, int (*fn)(void *arg, const char *name), void *arg);
};

extern const struct mr_io mr_io_posix;

/* Reads exactly len bytes. MR_OK, MR_EIO, or MR_ECORRUPT when the file ends early. */
int mr_io_pread_full(const struct mr_io *io, int fd, void *buf, size_t len, int64_t offset, const char *path,
                     struct mr_error *err) MR_MUST_USE;
/* Writes exactly len bytes. MR_OK, MR_ENOSPC or MR_EIO. */
int mr_io_pwrite_full(const struct mr_io *io, int fd, const void *buf, size_t len, int64_t offset,
                      const char *path, struct mr_error *err) MR_MUST_USE;
/* fsync of the directory itself, which makes created, renamed and removed names durable. */
int mr_io_sync_dir(const struct mr_io *io, const char *dir, struct mr_error *err) MR_MUST_USE;
/* Whole small file into out. MR_ENOENT when absent; MR_ELIMIT above `limit` bytes. */
int mr_io_read_file(const struct mr_io *io, const char *path, size_t limit, struct mr_buf *out,
                    struct mr_error *err) MR_MUST_USE;
/* Replaces dir/name with the bytes, all or nothing: temp file, fsync, rename, fsync of the directory. After a
 * failure before the rename the temp file is gone again, as far as the disk lets it. */
int mr_io_write_file(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes,
                     unsigned mode, struct mr_error *err) MR_MUST_USE;
/* The same for what the server builds on: a sync that fails, of the file or of the directory, leaves unknown
 * what is on disk, so it ends the process with one line in the log (reliability rule 2). */
int mr_io_write_file_or_die(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes,
                            unsigned mode, struct mr_error *err) MR_MUST_USE;
/* fsync of an open file or directory, or the end of the process. */
void mr_io_sync_or_die(const struct mr_io *io, int fd, const char *path);
/* The same of a directory that is not open yet. Fails only when it cannot be opened. */
int mr_io_sync_dir_or_die(const struct mr_io *io, const char *dir, struct mr_error *err) MR_MUST_USE;

/* Negated errno of a table call to a status: -ENOSPC and -EDQUOT are MR_ENOSPC, -ENOENT MR_ENOENT, else
 * MR_EIO. */
enum mr_status mr_io_status(int64_t negated_errno);

#endif
