/* fuzz/keyring.c - any bytes as the file "keyring": opening may refuse, and nothing worse. What it takes can
 * be asked, changed, and opened again.
 *
 * Checksum and tags are not believed under MR_FUZZING, and keys lie there unwrapped.
 */
#include "seal/format.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MASTER, KEYRING, TEMP, FILES, OLD };

struct file {
    uint8_t *bytes; /* exactly len: reading beyond is seen */
    size_t len;
    bool there;
};

static int file_of(const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    return strcmp(name, MASTER_NAME) == 0 ? MASTER : strcmp(name, KEYRING_NAME) == 0 ? KEYRING : TEMP;
}

static int mem_open(void *ctx, const char *path, int flags, unsigned mode)
{
    MR_UNUSED(mode);
    struct file *f = ctx;
    if (flags & O_DIRECTORY)
        return 1000 + FILES;
    int i = file_of(path);
    if (i == KEYRING && (flags & O_ACCMODE) == O_WRONLY)
        return 1000 + OLD; /* the one that is about to be replaced, to be wiped then */
    if (flags & O_TRUNC) {
        free(f[i].bytes);
        f[i] = (struct file){NULL, 0, true};
    }
    return f[i].there ? 1000 + i : -ENOENT;
}

static int mem_close(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static ssize_t mem_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    const struct file *f = (struct file *)ctx + (fd - 1000);
    size_t left = f->len - (size_t)offset;
    len = len < left ? len : left;
    if (len != 0)
        memcpy(buf, f->bytes + offset, len);
    return (ssize_t)len;
}

static ssize_t mem_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    struct file *f = (struct file *)ctx + (fd - 1000);
    if (fd == 1000 + OLD)
        return (ssize_t)len;
    MR_ASSERT((size_t)offset == f->len);
    f->bytes = realloc(f->bytes, f->len + len);
    MR_ASSERT(f->bytes != NULL);
    memcpy(f->bytes + f->len, buf, len);
    f->len += len;
    return (ssize_t)len;
}

static int64_t mem_size(void *ctx, int fd)
{
    return fd == 1000 + OLD ? 5000 : (int64_t)((struct file *)ctx)[fd - 1000].len;
}

static int mem_fsync(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static int mem_rename(void *ctx, const char *from, const char *to)
{
    struct file *f = ctx;
    MR_ASSERT(file_of(from) == TEMP && file_of(to) == KEYRING);
    free(f[KEYRING].bytes);
    f[KEYRING] = f[TEMP];
    f[TEMP] = (struct file){NULL, 0, false};
    return 0;
}

/* Whatever names the file has: each key can be had, and changes go through. */
static void use(const struct mr_io *io, struct seal_keyring *ring, const uint8_t *data, size_t size)
{
    struct seal_key key, again;
    uint32_t generation = 0;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct seal_entry *entries;
    size_t count;
    bool changed;
    MR_UNUSED(data);
    MR_ASSERT(seal_keyring_list(ring, &arena, &entries, &count) == MR_OK);
    seal_keyring_refresh(ring, 1, SEAL_LIFE_NS, &changed);
    for (size_t i = 0; i < count; i++) {
        const struct seal_entry *e = &entries[i];
        int got = seal_keyring_get(ring, e->scope, e->generation, &key, NULL);
        MR_ASSERT(got == (e->at_hand ? MR_OK : MR_EDENIED) || (!e->at_hand && got == MR_EIO));
        got = seal_keyring_newest(ring, e->scope, &generation, &key, NULL);
        MR_ASSERT(got != MR_OK || generation >= e->generation);
    }
    mr_arena_release(&arena);
    uint64_t scope = size % 5;
    int status = seal_keyring_rotate(ring, scope, &err);
    if (status == MR_EIO || status == MR_EDENIED)
        return; /* its newest key is wrapped by one that is not here */
    MR_ASSERT(status == MR_OK || status == MR_ELIMIT);
    if (status == MR_ELIMIT)
        return;
    err = (struct mr_error)MR_ERROR_INIT;
    MR_ASSERT(seal_keyring_newest(ring, scope, &generation, &key, &err) == MR_OK);
    struct seal_keyring *other;
    MR_ASSERT(seal_keyring_open(io, "/keys", &other, &err) == MR_OK);
    MR_ASSERT(seal_keyring_get(other, scope, generation, &again, &err) == MR_OK);
    MR_ASSERT(memcmp(&key, &again, sizeof key) == 0);
    MR_ASSERT(seal_keyring_forget(other, scope, &err) == MR_OK);
    MR_ASSERT(seal_keyring_get(other, scope, generation, &again, &err) == MR_ENOENT);
    seal_keyring_close(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct file files[FILES + 1] = {{NULL, 0, true}, {NULL, 0, true}, {NULL, 0, false}, {NULL, 0, false}};
    const struct mr_io io = {.ctx = files,
                             .open = mem_open,
                             .close = mem_close,
                             .pread = mem_pread,
                             .pwrite = mem_pwrite,
                             .size = mem_size,
                             .fsync = mem_fsync,
                             .fdatasync = mem_fsync,
                             .rename = mem_rename};
    static const uint8_t master[SEAL_KEY_BYTES];
    mem_pwrite(files, 1000 + MASTER, master, sizeof master, 0);
    if (size != 0)
        mem_pwrite(files, 1000 + KEYRING, data, size, 0);
    struct seal_keyring *ring;
    struct mr_error err = MR_ERROR_INIT;
    int status = seal_keyring_open(&io, "/keys", &ring, &err);
    MR_ASSERT(status == MR_OK || (status == MR_ECORRUPT && err.text[0] != '\0'));
    if (status == MR_OK)
        use(&io, ring, data, size);
    seal_keyring_close(ring);
    for (int i = 0; i < FILES; i++)
        free(files[i].bytes);
    return 0;
}
