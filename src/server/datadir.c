#include "server/datadir.h"

#include "base/io.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define STAMP "millrace data 1\n"

static char *join(const char *dir, const char *name)
{
    struct mr_buf path = MR_BUF_INIT;
    mr_buf_printf(&path, "%s/%s", dir, name);
    mr_buf_char(&path, '\0');
    if (!mr_buf_ok(&path)) {
        mr_buf_release(&path);
        return NULL;
    }
    return path.ptr;
}

static int make_dir(const char *path, struct mr_error *err)
{
    int rc = mr_io_posix.mkdir(NULL, path, 0700);
    if (rc < 0 && rc != -EEXIST)
        return mr_error_errno(err, MR_EIO, -rc, "cannot make the directory %s", path);
    return MR_OK;
}

/* For `millrace user`, which tells the holder of the lock that the users file has changed. Not synced: it
 * means something only while the lock is held. */
static int note_pid(int fd, const char *path, struct mr_error *err)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
    int rc = mr_io_posix.ftruncate(NULL, fd, 0);
    if (rc < 0)
        return mr_error_errno(err, mr_io_status(rc), -rc, "cannot write %s", path);
    return mr_io_pwrite_full(&mr_io_posix, fd, text, (size_t)n, 0, path, err);
}

static int take_lock(struct datadir *dir, struct mr_error *err)
{
    char *path = join(dir->path, "lock");
    if (path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", dir->path);
    int status = MR_OK;
    int fd = mr_io_posix.open(NULL, path, O_RDWR | O_CREAT, 0600);
    if (fd < 0)
        status = mr_error_errno(err, MR_EIO, -fd, "cannot open %s", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        status = mr_error_set(err, MR_EBUSY, "%s is in use by another millrace process", dir->path);
    struct mr_error ignored = MR_ERROR_INIT; /* a full disk must not stop a start */
    if (status == MR_OK && note_pid(fd, path, &ignored) != MR_OK)
        mr_log(MR_LOG_WARN, "pid_not_noted", "text=\"%s\"", ignored.text);
    if (status == MR_OK)
        dir->lock_fd = fd;
    else if (fd >= 0)
        mr_io_posix.close(NULL, fd);
    mr_free(path);
    return status;
}

static int count_entry(void *arg, const char *name)
{
    /* What may be there before the stamp is: our own lock, a stamp that did not get its name, and mkfs's
     * lost+found. */
    if (strcmp(name, "lock") != 0 && strcmp(name, "VERSION.tmp") != 0 && strcmp(name, "lost+found") != 0)
        ++*(int *)arg;
    return 0;
}

int datadir_stamp(const char *path, struct mr_error *err)
{
    return mr_io_write_file(&mr_io_posix, path, "VERSION", MR_STR(STAMP), 0600, err);
}

/* The stamp comes before the check of what was restored, this goes after it. */
static int check_restored(const struct datadir *dir, struct mr_error *err)
{
    char *path = join(dir->path, DATADIR_RESTORING);
    struct mr_buf id = MR_BUF_INIT;
    if (path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", dir->path);
    int status = mr_io_read_file(&mr_io_posix, path, 4096, &id, NULL);
    if (status == MR_OK)
        status = mr_error_set(err, MR_EINVAL,
                              "%s holds an unfinished restore of " MR_STR_FMT
                              ": run millrace restore again, or empty it",
                              dir->path, MR_STR_ARG(mr_buf_view(&id)));
    else if (status == MR_ENOENT)
        status = MR_OK;
    else
        mr_error_set(err, (enum mr_status)status, "cannot read %s", path);
    mr_buf_release(&id);
    mr_free(path);
    return status;
}

static int check_stamp(const struct datadir *dir, struct mr_error *err)
{
    char *path = join(dir->path, "VERSION");
    if (path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", dir->path);
    struct mr_buf got = MR_BUF_INIT;
    struct mr_error why = MR_ERROR_INIT;
    int status = mr_io_read_file(&mr_io_posix, path, 4096, &got, &why);
    if (status == MR_ENOENT) {
        int others = 0;
        mr_io_posix.list(NULL, dir->path, count_entry, &others);
        status = others == 0 ? datadir_stamp(dir->path, err)
                             : mr_error_set(err, MR_EINVAL,
                                            "%s is not empty and not a millrace data directory", dir->path);
    } else if (status != MR_OK) {
        mr_error_set(err, (enum mr_status)status, "%s", why.text);
    } else if (!mr_str_eq(mr_buf_view(&got), MR_STR(STAMP))) {
        status = mr_error_set(
            err, MR_EINVAL, "%s holds '" MR_STR_FMT "'; this server reads 'millrace data 1'", path,
            MR_STR_ARG(mr_str_slice(mr_buf_view(&got), 0, mr_str_find(mr_buf_view(&got), '\n', 0))));
    }
    mr_buf_release(&got);
    mr_free(path);
    return status;
}

int datadir_open(const char *path, struct datadir *out, struct mr_error *err)
{
    umask(077);
    *out = (struct datadir)DATADIR_INIT;
    int status = make_dir(path, err);
    if (status != MR_OK)
        return status;
    out->path = realpath(path, NULL);
    if (out->path == NULL)
        return mr_error_errno(err, MR_EIO, errno, "cannot use the directory %s", path);
    if ((status = take_lock(out, err)) != MR_OK || (status = check_restored(out, err)) != MR_OK ||
        (status = check_stamp(out, err)) != MR_OK)
        return status;
    out->store_path = join(out->path, "store");
    if (out->store_path == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory opening %s", path);
    return make_dir(out->store_path, err);
}

void datadir_close(struct datadir *dir)
{
    if (dir->lock_fd >= 0)
        mr_io_posix.close(NULL, dir->lock_fd);
    free(dir->path); /* realpath's own allocation */
    mr_free(dir->store_path);
    *dir = (struct datadir)DATADIR_INIT;
}

/* The value of `key = value` in the generated file; it has one section and no comments. */
static struct mr_str value_of(struct mr_str text, struct mr_str key)
{
    while (text.len > 0) {
        size_t end = mr_str_find(text, '\n', 0);
        struct mr_str line = mr_str_slice(text, 0, end);
        size_t eq = mr_str_find(line, '=', 0);
        if (eq < line.len && mr_str_eq(mr_str_trim(mr_str_slice(line, 0, eq)), key))
            return mr_str_trim(mr_str_slice(line, eq + 1, line.len));
        text = mr_str_slice(text, end + 1, text.len);
    }
    return MR_STR_NULL;
}

/* AKIA and 16 base32 characters; 30 random bytes as 40 base64url characters: the lengths AWS uses. */
static int generate(const struct datadir *dir, struct mr_buf *file, struct mr_error *err)
{
    char id[17], raw[30];
    mr_base32_random(16, id);
    mr_random_bytes(raw, sizeof raw);
    mr_buf_printf(file, "[default]\naws_access_key_id = AKIA%s\naws_secret_access_key = ", id);
    mr_base64url_encode((struct mr_str){raw, sizeof raw}, file);
    mr_buf_char(file, '\n');
    explicit_bzero(raw, sizeof raw);
    if (!mr_buf_ok(file))
        return mr_error_set(err, MR_ENOMEM, "out of memory making root credentials");
    mr_log(MR_LOG_INFO, "root_credentials_made", "file=\"%s/root-credentials\"", dir->path);
    return mr_io_write_file(&mr_io_posix, dir->path, "root-credentials", mr_buf_view(file), 0600, err);
}

int datadir_root_credentials(const struct datadir *dir, struct mr_buf *id, struct mr_buf *secret,
                             struct mr_error *err)
{
    const char *env_id = getenv("MILLRACE_ROOT_ACCESS_KEY_ID");
    const char *env_secret = getenv("MILLRACE_ROOT_SECRET_ACCESS_KEY");
    struct mr_buf file = MR_BUF_INIT;
    struct mr_str id_text = mr_str_of(env_id), secret_text = mr_str_of(env_secret);
    int status = MR_OK;
    if ((env_id == NULL) != (env_secret == NULL)) {
        return mr_error_set(err, MR_EINVAL,
                            "MILLRACE_ROOT_ACCESS_KEY_ID and MILLRACE_ROOT_SECRET_ACCESS_KEY go together");
    } else if (env_id == NULL) {
        char *path = join(dir->path, "root-credentials");
        if (path == NULL)
            return mr_error_set(err, MR_ENOMEM, "out of memory reading root credentials");
        struct mr_error why = MR_ERROR_INIT;
        status = mr_io_read_file(&mr_io_posix, path, 4096, &file, &why);
        if (status == MR_ENOENT)
            status = generate(dir, &file, err);
        else if (status != MR_OK)
            mr_error_set(err, (enum mr_status)status, "%s", why.text);
        id_text = value_of(mr_buf_view(&file), MR_STR("aws_access_key_id"));
        secret_text = value_of(mr_buf_view(&file), MR_STR("aws_secret_access_key"));
        mr_free(path);
    }
    if (status == MR_OK && (id_text.len == 0 || secret_text.len == 0))
        status = mr_error_set(err, MR_EINVAL, "%s/root-credentials does not hold a key pair", dir->path);
    if (status == MR_OK) {
        mr_buf_str(id, id_text);
        mr_buf_str(secret, secret_text);
        if (!mr_buf_ok(id) || !mr_buf_ok(secret))
            status = mr_error_set(err, MR_ENOMEM, "out of memory reading root credentials");
    }
    if (file.ptr != NULL)
        explicit_bzero(file.ptr, file.len);
    mr_buf_release(&file);
    return status;
}
