/* seal/local.c - keys in files of this machine, 32 bytes and mode 0600, and what is wrapped by them. */
#include "seal/private.h"

#include "base/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

int key_file_read(const struct mr_io *io, const char *path, struct seal_key *out, struct mr_error *err)
{
    struct stat st;
    int fd = io->open(io->ctx, path, O_RDONLY, 0);
    if (fd == -ENOENT)
        return MR_ENOENT;
    if (fd < 0)
        return mr_error_errno(err, mr_io_status(fd), -fd, "cannot open %s", path);
    int status = MR_OK;
    int64_t size = io->size(io->ctx, fd);
    /* The mode is asked of the system: the table has no call for it. A disk in memory has descriptors the
     * system does not know, and no modes. */
    if (fstat(fd, &st) == 0 && (st.st_mode & 077) != 0)
        status = mr_error_set(err, MR_EDENIED,
                              "%s can be read by others (mode %03o): make it 600, and consider its key known",
                              path, (unsigned)st.st_mode & 0777);
    else if (size < 0)
        status = mr_error_errno(err, MR_EIO, (int)-size, "cannot stat %s", path);
    else if (size != SEAL_KEY_BYTES)
        status = mr_error_set(err, MR_ECORRUPT,
                              "%s: damaged: has %lld bytes, a %s key has %d. Put back a copy of it; without "
                              "it nothing stored %scan be read",
                              path, (long long)size, strstr(path, MASTER_NAME) != NULL ? "master" : "named",
                              SEAL_KEY_BYTES, strstr(path, MASTER_NAME) != NULL ? "" : "under it ");
    else
        status = mr_io_pread_full(io, fd, out, SEAL_KEY_BYTES, 0, path, err);
    io->close(io->ctx, fd);
    return status;
}

int key_file_make(const struct mr_io *io, const char *dir, const char *name, struct seal_key *out,
                  struct mr_error *err)
{
    mr_random_bytes(out, SEAL_KEY_BYTES);
    struct mr_str bytes = {(const char *)out->bytes, SEAL_KEY_BYTES};
    return mr_io_write_file_or_die(io, dir, name, bytes, 0600, err);
}

bool local_name_valid(struct mr_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    }
    return name.len > 0 && name.len <= KEYRING_LOCAL_NAME;
}

int local_key(const struct mr_io *io, const char *dir, struct mr_str name, bool make, struct seal_key *out,
              struct mr_error *err)
{
    char file[KEYRING_LOCAL_NAME + 8];
    struct mr_buf path = MR_BUF_INIT;
    if (!local_name_valid(name))
        return mr_error_set(err, MR_EINVAL, "a local key cannot have that name");
    snprintf(file, sizeof file, MR_STR_FMT ".key", MR_STR_ARG(name));
    mr_buf_printf(&path, "%s/%s", dir, file);
    mr_buf_char(&path, '\0');
    int status = mr_buf_ok(&path) ? key_file_read(io, path.ptr, out, err) : MR_ENOMEM;
    if (status == MR_ENOENT && make)
        status = key_file_make(io, dir, file, out, err);
    mr_buf_release(&path);
    return status;
}

/* A wrapped key is bound to its own name and to that of the key around it. `room` holds the result. */
#define BOUND_BYTES (sizeof(struct keyring_place) + KEYRING_LOCAL_NAME)
static struct mr_str bound_to(struct seal_name name, struct mr_str key_name, char room[static BOUND_BYTES])
{
    struct keyring_place place = {
        .version = KEYRING_VERSION, .generation = name.generation, .scope = name.scope};
    MR_ASSERT(key_name.len <= KEYRING_LOCAL_NAME);
    memcpy(place.magic, KEYRING_MAGIC, sizeof place.magic);
    memcpy(room, &place, sizeof place);
    memcpy(room + sizeof place, key_name.ptr, key_name.len);
    return (struct mr_str){room, sizeof place + key_name.len};
}

void local_wrap(const struct seal_key *by, struct seal_name name, struct mr_str key_name,
                const struct seal_key *key, struct seal_cipher *cipher, struct keyring_local *out)
{
    char room[BOUND_BYTES];
    out->nonce = keyring_fresh_nonce();
    seal_lock(cipher, by, out->nonce.stream, keyring_counter(out->nonce), bound_to(name, key_name, room),
              (struct mr_str){(const char *)key->bytes, SEAL_KEY_BYTES}, out->wrapped);
}

bool local_unwrap(const struct seal_key *by, struct seal_name name, struct mr_str key_name,
                  struct mr_str blob, struct seal_cipher *cipher, struct seal_key *out)
{
    char room[BOUND_BYTES];
    struct keyring_local wrapped;
    if (blob.len != sizeof wrapped)
        return false;
    memcpy(&wrapped, blob.ptr, sizeof wrapped);
    return seal_unlock(cipher, by, wrapped.nonce.stream, keyring_counter(wrapped.nonce),
                       bound_to(name, key_name, room),
                       (struct mr_str){(const char *)wrapped.wrapped, sizeof wrapped.wrapped}, out);
}
