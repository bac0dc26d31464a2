#include "base/io.h"

#include "base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY(call)                                                                                          \
    ({                                                                                                       \
        __typeof__(call) r_;                                                                                 \
        do                                                                                                   \
            r_ = (call);                                                                                     \
        while (r_ < 0 && errno == EINTR);                                                                    \
        r_ < 0 ? -(__typeof__(call))errno : r_;                                                              \
    })

static int posix_open(void *ctx, const char *path, int flags, unsigned mode)
{
    MR_UNUSED(ctx);
    return RETRY(open(path, flags | O_CLOEXEC, mode));
}

static int posix_close(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    /* Linux closes the descriptor even when it reports EINTR; retrying could close somebody else's. */
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

static ssize_t posix_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    MR_UNUSED(ctx);
    return RETRY(pread(fd, buf, len, offset));
}

static ssize_t posix_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    MR_UNUSED(ctx);
    return RETRY(pwrite(fd, buf, len, offset));
}

static int posix_fdatasync(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    return fdatasync(fd) < 0 ? -errno : 0; /* never retried: Linux forgets the failure after one report */
}

static int posix_fsync(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    return fsync(fd) < 0 ? -errno : 0;
}

static int posix_fallocate_(void *ctx, int fd, int64_t offset, int64_t len)
{
    MR_UNUSED(ctx);
    return RETRY(fallocate(fd, 0, offset, len));
}

static int posix_ftruncate(void *ctx, int fd, int64_t len)
{
    MR_UNUSED(ctx);
    return RETRY(ftruncate(fd, len));
}

static int64_t posix_size(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    struct stat st;
    return fstat(fd, &st) < 0 ? -(int64_t)errno : (int64_t)st.st_size;
}

static int posix_rename(void *ctx, const char *from, const char *to)
{
    MR_UNUSED(ctx);
    return rename(from, to) < 0 ? -errno : 0;
}

static int posix_unlink(void *ctx, const char *path)
{
    MR_UNUSED(ctx);
    return unlink(path) < 0 ? -errno : 0;
}

static int posix_mkdir(void *ctx, const char *path, unsigned mode)
{
    MR_UNUSED(ctx);
    return mkdir(path, mode) < 0 ? -errno : 0;
}

static int posix_rmdir(void *ctx, const char *path)
{
    MR_UNUSED(ctx);
    return rmdir(path) < 0 ? -errno : 0;
}

static int posix_list(void *ctx, const char *path, int (*fn)(void *arg, const char *name), void *arg)
{
    MR_UNUSED(ctx);
    DIR *dir = opendir(path);
    if (dir == NULL)
        return -errno;
    int rc = 0;
    for (;;) {
        errno = 0;
        struct dirent *e = readdir(dir);
        if (e == NULL) {
            rc = errno != 0 ? -errno : 0;
            break;
        }
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        rc = fn(arg, e->d_name);
        if (rc != 0)
            break;
    }
    closedir(dir);
    return rc;
}

const struct mr_io mr_io_posix = {
    .open = posix_open,
    .close = posix_close,
    .pread = posix_pread,
    .pwrite = posix_pwrite,
    .fdatasync = posix_fdatasync,
    .fsync = posix_fsync,
    .fallocate = posix_fallocate_,
    .ftruncate = posix_ftruncate,
    .size = posix_size,
    .rename = posix_rename,
    .unlink = posix_unlink,
    .mkdir = posix_mkdir,
    .rmdir = posix_rmdir,
    .list = posix_list,
};

enum mr_status mr_io_status(int64_t negated_errno)
{
    switch (negated_errno) {
    case -ENOSPC:
    case -EDQUOT:
        return MR_ENOSPC;
    case -ENOENT:
        return MR_ENOENT;
    case -ENOMEM:
        return MR_ENOMEM;
    default:
        return MR_EIO;
    }
}

int mr_io_pread_full(const struct mr_io *io, int fd, void *buf, size_t len, int64_t offset, const char *path,
                     struct mr_error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = io->pread(io->ctx, fd, (char *)buf + done, len - done, offset + (int64_t)done);
        if (n < 0)
            return mr_error_errno(err, MR_EIO, (int)-n, "cannot read %s", path);
        if (n == 0)
            return mr_error_set(err, MR_ECORRUPT, "%s ends early", path);
        done += (size_t)n;
    }
    return MR_OK;
}

int mr_io_pwrite_full(const struct mr_io *io, int fd, const void *buf, size_t len, int64_t offset,
                      const char *path, struct mr_error *err)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = io->pwrite(io->ctx, fd, (const char *)buf + done, len - done, offset + (int64_t)done);
        if (n <= 0) {
            int e = n < 0 ? (int)-n : ENOSPC; /* a write of nothing without an error: the disk is full */
            return mr_error_errno(err, mr_io_status(-e), e, "cannot write %s", path);
        }
        done += (size_t)n;
    }
    return MR_OK;
}

int mr_io_sync_dir(const struct mr_io *io, const char *dir, struct mr_error *err)
{
    int fd = io->open(io->ctx, dir, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open directory %s", dir);
    int rc = io->fsync(io->ctx, fd);
    io->close(io->ctx, fd);
    if (rc < 0)
        return mr_error_errno(err, MR_EIO, -rc, "cannot sync directory %s", dir);
    return MR_OK;
}

int mr_io_read_file(const struct mr_io *io, const char *path, size_t limit, struct mr_buf *out,
                    struct mr_error *err)
{
    int fd = io->open(io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open %s", path);
    int status = MR_OK;
    int64_t size = io->size(io->ctx, fd);
    if (size < 0) {
        status = mr_error_errno(err, MR_EIO, (int)-size, "cannot stat %s", path);
        goto done;
    }
    if ((uint64_t)size > limit) {
        status = mr_error_set(err, MR_ELIMIT, "%s is larger than %zu bytes", path, limit);
        goto done;
    }
    char *to = mr_buf_reserve(out, (size_t)size + 1); /* an empty file is no lack of memory */
    if (to == NULL) {
        status = mr_error_set(err, MR_ENOMEM, "out of memory reading %s", path);
        goto done;
    }
    status = mr_io_pread_full(io, fd, to, (size_t)size, 0, path, err);
    if (status == MR_OK)
        out->len += (size_t)size;
done:
    io->close(io->ctx, fd);
    return status;
}

void mr_io_sync_or_die(const struct mr_io *io, int fd, const char *path)
{
    int rc = io->fsync(io->ctx, fd);
    if (rc >= 0)
        return;
    mr_log(MR_LOG_ERROR, "sync_failed", "path=\"%s\" reason=\"%s\" action=abort", path, strerror(-rc));
    abort();
}

int mr_io_sync_dir_or_die(const struct mr_io *io, const char *dir, struct mr_error *err)
{
    int fd = io->open(io->ctx, dir, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open directory %s", dir);
    mr_io_sync_or_die(io, fd, dir);
    io->close(io->ctx, fd);
    return MR_OK;
}

/* The bytes into a new file, synced. */
static int write_temp(const struct mr_io *io, const char *temp, struct mr_str bytes, unsigned mode, bool die,
                      struct mr_error *err)
{
    int fd = io->open(io->ctx, temp, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot create %s", temp);
    int status = mr_io_pwrite_full(io, fd, bytes.ptr, bytes.len, 0, temp, err);
    if (status == MR_OK && die) {
        mr_io_sync_or_die(io, fd, temp);
    } else if (status == MR_OK) {
        int rc = io->fsync(io->ctx, fd);
        if (rc < 0)
            status = mr_error_errno(err, MR_EIO, -rc, "cannot sync %s", temp);
    }
    io->close(io->ctx, fd);
    return status;
}

static int replace_file(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes,
                        unsigned mode, bool die, struct mr_error *err)
{
    struct mr_buf temp = MR_BUF_INIT, final = MR_BUF_INIT;
    mr_buf_printf(&final, "%s/%s", dir, name);
    mr_buf_char(&final, '\0');
    mr_buf_printf(&temp, "%s/%s.tmp", dir, name);
    mr_buf_char(&temp, '\0');
    int status = MR_ENOMEM;
    if (!mr_buf_ok(&temp) || !mr_buf_ok(&final)) {
        mr_error_set(err, MR_ENOMEM, "out of memory writing %s", name);
        goto done;
    }
    status = write_temp(io, temp.ptr, bytes, mode, die, err);
    if (status == MR_OK) {
        int rc = io->rename(io->ctx, temp.ptr, final.ptr);
        if (rc < 0)
            status = mr_error_errno(err, mr_io_status(rc), -rc, "cannot rename %s", temp.ptr);
    }
    if (status != MR_OK)
        (void)io->unlink(io->ctx, temp.ptr);
    else
        status = die ? mr_io_sync_dir_or_die(io, dir, err) : mr_io_sync_dir(io, dir, err);
done:
    mr_buf_release(&temp);
    mr_buf_release(&final);
    return status;
}

int mr_io_write_file(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes,
                     unsigned mode, struct mr_error *err)
{
    return replace_file(io, dir, name, bytes, mode, false, err);
}

int mr_io_write_file_or_die(const struct mr_io *io, const char *dir, const char *name, struct mr_str bytes,
                            unsigned mode, struct mr_error *err)
{
    return replace_file(io, dir, name, bytes, mode, true, err);
}
