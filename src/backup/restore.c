/* backup/restore.c - a backup into an empty directory, or on with one that was begun. */
#include "backup/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define PATH_BYTES 4096

struct restorer {
    const struct mr_io *io;
    struct backup_target *target;
    const char *data;
    const struct backup_watch *watch;
    struct backup_progress *progress;
    struct mr_buf part;
    struct mr_error *err;
};

static int step(struct restorer *r, const char *doing)
{
    r->progress->doing = doing;
    return r->watch == NULL || r->watch->step(r->watch->ctx, r->progress)
               ? MR_OK
               : (int)mr_error_set(r->err, MR_ECANCEL, "the restore was stopped");
}

static bool is_part(struct mr_str bytes, const struct backup_part *part)
{
    char sum[65];
    if (bytes.len != part->bytes)
        return false;
    backup_sha256(bytes, sum);
    return memcmp(sum, part->sha256, sizeof sum) == 0;
}

/* ---- what an earlier restore left -----------------------------------------------------------------------
 */

static bool same(struct restorer *r, int fd, const char *path, const struct backup_file *file)
{
    uint64_t at = 0;
    if (r->io->size(r->io->ctx, fd) != (int64_t)file->whole)
        return false;
    for (size_t p = 0; p < file->nparts; p++) {
        r->part.len = 0;
        char *to = mr_buf_reserve(&r->part, file->parts[p].bytes);
        if (to == NULL ||
            mr_io_pread_full(r->io, fd, to, file->parts[p].bytes, (int64_t)at, path, NULL) != MR_OK ||
            !is_part((struct mr_str){to, file->parts[p].bytes}, &file->parts[p]))
            return false;
        at += file->parts[p].bytes;
    }
    return true;
}

static bool is_there(struct restorer *r, const char *path, const struct backup_file *file)
{
    int fd = r->io->open(r->io->ctx, path, O_RDONLY, 0);
    if (fd < 0)
        return false;
    bool yes = same(r, fd, path, file);
    r->io->close(r->io->ctx, fd);
    return yes;
}

/* ---- one file -------------------------------------------------------------------------------------------
 */

static int fetch_parts(struct restorer *r, int fd, const char *temp, const struct backup_file *file)
{
    uint64_t at = 0;
    int status = MR_OK;
    for (size_t p = 0; p < file->nparts && status == MR_OK; p++) {
        char key[BACKUP_KEY_BYTES];
        backup_part_key(file, p, key);
        r->part.len = 0;
        status = r->target->get(r->target, key, file->parts[p].bytes, &r->part, r->err);
        if (status == MR_OK && !is_part(mr_buf_view(&r->part), &file->parts[p]))
            status =
                mr_error_set(r->err, MR_ECORRUPT, "the backup is damaged: %s is not what was put there", key);
        if (status == MR_OK)
            status = mr_io_pwrite_full(r->io, fd, r->part.ptr, r->part.len, (int64_t)at, temp, r->err);
        at += file->parts[p].bytes;
        r->progress->bytes += file->parts[p].bytes;
        r->progress->copied_bytes += file->parts[p].bytes;
        if (status == MR_OK)
            status = step(r, "restoring");
    }
    if (status == MR_OK && file->whole > file->bytes) {
        int rc = r->io->ftruncate(r->io->ctx, fd, (int64_t)file->whole);
        if (rc < 0)
            status = mr_error_errno(r->err, mr_io_status(rc), -rc, "cannot extend %s", temp);
    }
    return status;
}

static int fetch(struct restorer *r, const char *path, const struct backup_file *file)
{
    char temp[PATH_BYTES];
    snprintf(temp, sizeof temp, "%s.restore", path);
    int fd = r->io->open(r->io->ctx, temp, O_RDWR | O_CREAT | O_TRUNC, 0600);
    if (fd < 0)
        return mr_error_errno(r->err, mr_io_status(fd), -fd, "cannot create %s", temp);
    int status = fetch_parts(r, fd, temp, file);
    int rc = status == MR_OK ? r->io->fsync(r->io->ctx, fd) : 0;
    if (rc < 0)
        status = mr_error_errno(r->err, MR_EIO, -rc, "cannot sync %s", temp);
    r->io->close(r->io->ctx, fd);
    rc = status == MR_OK ? r->io->rename(r->io->ctx, temp, path) : 0;
    if (rc < 0)
        status = mr_error_errno(r->err, mr_io_status(rc), -rc, "cannot rename %s", temp);
    if (status != MR_OK)
        (void)r->io->unlink(r->io->ctx, temp);
    return status;
}

static int restore_file(struct restorer *r, const struct backup_file *file)
{
    char path[PATH_BYTES - 16];
    snprintf(path, sizeof path, "%s/%s", r->data, file->path);
    r->progress->files++;
    if (!is_there(r, path, file))
        return fetch(r, path, file);
    r->progress->bytes += file->bytes;
    return step(r, "restoring");
}

/* ---- keys from elsewhere ---------------------------------------------------------------------------------
 */

struct key_copy {
    struct restorer *r;
    const char *from;
    int status;
    size_t count;
};

static int on_key(void *ctx, const char *name)
{
    struct key_copy *k = ctx;
    char path[PATH_BYTES], dir[PATH_BYTES];
    struct mr_buf bytes = MR_BUF_INIT;
    size_t len = strlen(name);
    if (len < 5 || strcmp(name + len - 4, ".key") != 0)
        return 0;
    snprintf(path, sizeof path, "%s/%s", k->from, name);
    snprintf(dir, sizeof dir, "%s/store/keys", k->r->data);
    k->status = mr_io_read_file(k->r->io, path, 65536, &bytes, k->r->err);
    if (k->status == MR_OK)
        k->status = mr_io_write_file(k->r->io, dir, name, mr_buf_view(&bytes), 0600, k->r->err);
    if (bytes.ptr != NULL)
        explicit_bzero(bytes.ptr, bytes.len);
    mr_buf_release(&bytes);
    k->count++;
    return k->status != MR_OK;
}

static int take_keys(struct restorer *r, const char *dir)
{
    struct key_copy copy = {r, dir, MR_OK, 0};
    int rc = r->io->list(r->io->ctx, dir, on_key, &copy);
    if (rc < 0)
        return mr_error_errno(r->err, mr_io_status(rc), -rc, "cannot list %s", dir);
    if (copy.status == MR_OK && copy.count == 0)
        return mr_error_set(r->err, MR_ENOENT, "%s holds no *.key file", dir);
    return copy.status;
}

/* ---- the whole -------------------------------------------------------------------------------------------
 */

static const char *const folders[] = {"store", "store/files", "store/wal", "store/keys"};

static int make_folders(struct restorer *r)
{
    for (size_t i = 0; i < MR_ARRAY_LEN(folders); i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", r->data, folders[i]);
        int rc = r->io->mkdir(r->io->ctx, path, 0700);
        if (rc < 0 && rc != -EEXIST)
            return mr_error_errno(r->err, mr_io_status(rc), -rc, "cannot make the directory %s", path);
    }
    return MR_OK;
}

/* Deepest first. */
static int sync_folders(struct restorer *r)
{
    int status = MR_OK;
    for (size_t i = MR_ARRAY_LEN(folders); i-- > 0 && status == MR_OK;) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/%s", r->data, folders[i]);
        status = mr_io_sync_dir(r->io, path, r->err);
    }
    return status == MR_OK ? mr_io_sync_dir(r->io, r->data, r->err) : status;
}

int backup_restore(const struct mr_io *io, struct backup_target *target, const struct backup_index *index,
                   const char *data, const char *keys_dir, const struct backup_watch *watch,
                   struct backup_progress *progress, struct mr_error *err)
{
    struct restorer r = {io, target, data, watch, progress, MR_BUF_INIT, err};
    *progress = (struct backup_progress){.doing = "restoring", .all_files = index->nfiles};
    if (strlen(data) > PATH_BYTES / 2)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", data);
    if (!index->keys && keys_dir == NULL)
        return mr_error_set(err, MR_EINVAL,
                            "backup %s was made without keys: without the key files of the server it came "
                            "from it cannot be read; name their directory",
                            index->id);
    for (size_t i = 0; i < index->nfiles; i++)
        progress->all_bytes += index->files[i].bytes;
    int status = make_folders(&r);
    for (size_t i = 0; i < index->nfiles && status == MR_OK; i++)
        status = restore_file(&r, &index->files[i]);
    if (status == MR_OK && keys_dir != NULL)
        status = take_keys(&r, keys_dir);
    if (status == MR_OK)
        status = sync_folders(&r);
    mr_buf_release(&r.part);
    return status;
}
