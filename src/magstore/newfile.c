#include "magstore/newfile.h"

#include <fcntl.h>

static void release(struct magstore_newfile *f)
{
    if (f->fd >= 0)
        f->io->close(f->io->ctx, f->fd);
    if (f->dir_fd >= 0)
        f->io->close(f->io->ctx, f->dir_fd);
    mr_buf_release(&f->path);
    mr_buf_release(&f->temp);
    mr_buf_release(&f->dir);
    *f = (struct magstore_newfile)MAGSTORE_NEWFILE_INIT;
}

static bool make_paths(struct magstore_newfile *f, const char *dir, const char *name)
{
    mr_buf_printf(&f->path, "%s/%s", dir, name);
    mr_buf_char(&f->path, '\0');
    mr_buf_printf(&f->temp, "%s/%s.tmp", dir, name);
    mr_buf_char(&f->temp, '\0');
    mr_buf_add(&f->dir, dir, strlen(dir) + 1);
    return mr_buf_ok(&f->path) && mr_buf_ok(&f->temp) && mr_buf_ok(&f->dir);
}

int magstore_newfile_open(struct magstore_newfile *f, const struct mr_io *io, const char *dir,
                          const char *name, struct mr_error *err)
{
    int status = MR_OK;
    *f = (struct magstore_newfile)MAGSTORE_NEWFILE_INIT;
    f->io = io;
    if (!make_paths(f, dir, name)) {
        status = mr_error_set(err, MR_ENOMEM, "out of memory creating %s", name);
        goto done;
    }
    int fd = io->open(io->ctx, dir, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0) {
        status = mr_error_errno(err, mr_io_status(fd), -fd, "cannot open directory %s", dir);
        goto done;
    }
    f->dir_fd = fd;
    fd = io->open(io->ctx, f->temp.ptr, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0) {
        status = mr_error_errno(err, mr_io_status(fd), -fd, "cannot create %s", f->temp.ptr);
        goto done;
    }
    f->fd = fd;
done:
    if (status != MR_OK)
        release(f);
    return status;
}

int magstore_newfile_write(struct magstore_newfile *f, struct mr_str bytes, struct mr_error *err)
{
    int status = magstore_newfile_rewrite(f, f->size, bytes, err);
    if (status == MR_OK)
        f->size += bytes.len;
    return status;
}

int magstore_newfile_rewrite(struct magstore_newfile *f, uint64_t offset, struct mr_str bytes,
                             struct mr_error *err)
{
    return mr_io_pwrite_full(f->io, f->fd, bytes.ptr, bytes.len, (int64_t)offset, f->temp.ptr, err);
}

int magstore_newfile_finish(struct magstore_newfile *f, struct mr_error *err)
{
    mr_io_sync_or_die(f->io, f->fd, f->temp.ptr);
    int rc = f->io->rename(f->io->ctx, f->temp.ptr, f->path.ptr);
    if (rc < 0) {
        int status = mr_error_errno(err, mr_io_status(rc), -rc, "cannot rename %s", f->temp.ptr);
        magstore_newfile_abort(f);
        return status;
    }
    mr_io_sync_or_die(f->io, f->dir_fd, f->dir.ptr);
    release(f);
    return MR_OK;
}

void magstore_newfile_abort(struct magstore_newfile *f)
{
    if (f->fd >= 0)
        (void)f->io->unlink(f->io->ctx, f->temp.ptr);
    release(f);
}
