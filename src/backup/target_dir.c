/* backup/target_dir.c - a target on a disk: an object is a file, a key its path. */
#include "backup/target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define PATH_BYTES 4096

struct dir_target {
    struct backup_target base;
    const struct mr_io *io;
    char *root;
};

static int make_dir(const struct mr_io *io, const char *path, struct mr_error *err)
{
    int rc = io->mkdir(io->ctx, path, 0700);
    return rc >= 0 || rc == -EEXIST
               ? MR_OK
               : (int)mr_error_errno(err, mr_io_status(rc), -rc, "cannot make the directory %s", path);
}

/* The directory of a key and its name, made when it is missing. */
static int split(struct dir_target *t, const char *key, char dir[static PATH_BYTES], const char **name,
                 bool make, struct mr_error *err)
{
    const char *slash = strrchr(key, '/');
    int len = snprintf(dir, PATH_BYTES, "%s/%.*s", t->root, slash != NULL ? (int)(slash - key) : 0, key);
    *name = slash != NULL ? slash + 1 : key;
    if (len < 0 || len >= PATH_BYTES)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", t->root);
    if (!make)
        return MR_OK;
    for (char *at = dir + strlen(t->root) + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        int status = make_dir(t->io, dir, err);
        *at = '/';
        if (status != MR_OK)
            return status;
    }
    return make_dir(t->io, dir, err);
}

static int put(struct backup_target *target, const char *key, struct mr_str bytes, struct mr_error *err)
{
    struct dir_target *t = (struct dir_target *)target;
    char dir[PATH_BYTES];
    const char *name;
    int status = split(t, key, dir, &name, true, err);
    return status == MR_OK ? mr_io_write_file(t->io, dir, name, bytes, 0600, err) : status;
}

static int get(struct backup_target *target, const char *key, size_t limit, struct mr_buf *out,
               struct mr_error *err)
{
    struct dir_target *t = (struct dir_target *)target;
    char path[PATH_BYTES];
    if ((size_t)snprintf(path, sizeof path, "%s/%s", t->root, key) >= sizeof path)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", t->root);
    return mr_io_read_file(t->io, path, limit, out, err);
}

struct walk {
    struct dir_target *target;
    const char *folder; /* ends with '/' */
    backup_list_fn *fn;
    void *ctx;
    struct mr_error *err;
};

static int list_folder(struct dir_target *t, const char *folder, backup_list_fn *fn, void *ctx,
                       struct mr_error *err);

static int on_name(void *arg, const char *name)
{
    struct walk *w = arg;
    char key[PATH_BYTES / 2], path[PATH_BYTES];
    struct stat st;
    snprintf(key, sizeof key, "%s%s", w->folder, name);
    snprintf(path, sizeof path, "%s/%s", w->target->root, key);
    size_t len = strlen(name);
    bool temp = len > 4 && strcmp(name + len - 4, ".tmp") == 0;
    if (temp || !backup_key_valid(mr_str_of(key)) || stat(path, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return w->fn(w->ctx, mr_str_of(key), (uint64_t)st.st_size) == MR_OK ? 0 : 1;
    size_t end = strlen(key);
    if (end + 2 > sizeof key || strchr(w->folder, '/') != strrchr(w->folder, '/'))
        return 0; /* deeper than any of ours */
    key[end] = '/';
    key[end + 1] = '\0';
    return list_folder(w->target, key, w->fn, w->ctx, w->err) == MR_OK ? 0 : 1;
}

static int list_folder(struct dir_target *t, const char *folder, backup_list_fn *fn, void *ctx,
                       struct mr_error *err)
{
    char path[PATH_BYTES];
    struct walk walk = {t, folder, fn, ctx, err};
    if ((size_t)snprintf(path, sizeof path, "%s/%s", t->root, folder) >= sizeof path)
        return mr_error_set(err, MR_EINVAL, "path too long: %s", t->root);
    int rc = t->io->list(t->io->ctx, path, on_name, &walk);
    if (rc == -ENOENT || rc == 0)
        return MR_OK;
    return rc > 0 ? (int)mr_error_set(err, MR_ENOMEM, "out of memory listing %s", path)
                  : (int)mr_error_errno(err, mr_io_status(rc), -rc, "cannot list %s", path);
}

static int list(struct backup_target *target, const char *folder, backup_list_fn *fn, void *ctx,
                struct mr_error *err)
{
    return list_folder((struct dir_target *)target, folder, fn, ctx, err);
}

static void close_dir(struct backup_target *target)
{
    struct dir_target *t = (struct dir_target *)target;
    mr_free(t->root);
    mr_free(t);
}

int backup_dir_open(const char *path, bool make, struct backup_target **out, struct mr_error *err)
{
    struct dir_target *t = mr_calloc(1, sizeof *t);
    char *root = mr_strndup(path, strlen(path));
    if (t == NULL || root == NULL) {
        mr_free(t);
        mr_free(root);
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", path);
    }
    *t = (struct dir_target){{put, get, list, close_dir}, &mr_io_posix, root};
    int status = MR_OK;
    if (make)
        status = make_dir(t->io, path, err);
    int fd = status == MR_OK ? t->io->open(t->io->ctx, path, O_RDONLY | O_DIRECTORY, 0) : 0;
    if (fd < 0)
        status = mr_error_errno(err, mr_io_status(fd), -fd, "cannot open the directory %s", path);
    else if (status == MR_OK)
        t->io->close(t->io->ctx, fd);
    if (status != MR_OK)
        close_dir(&t->base);
    else
        *out = &t->base;
    return status;
}
