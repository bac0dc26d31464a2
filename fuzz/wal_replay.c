/* fuzz/wal_replay.c - any bytes as a log directory: recovery and dump may refuse, and nothing worse.
 *
 * The first byte chooses. Odd: the rest is segment 1 as it lies. Even: the rest is a list of chunks (16-bit
 * length, bytes); each begins at a sector, the top bit of the length begins a new segment, and a segment is
 * filled up with zeros to the size its header claims (up to 1 MiB), so that a small input can be a whole log.
 *
 * Checksums are not believed under MR_FUZZING and nothing is sealed. What recovery accepts has to be
 * consistent.
 */
#include "wal/read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 4
#define FILE_MAX (1u << 20)

struct file {
    uint8_t *bytes; /* exactly len: reading beyond is seen */
    size_t len;
};

struct files {
    struct file file[FILES];
    int count;
};

static int mem_open(void *ctx, const char *path, int flags, unsigned mode)
{
    MR_UNUSED(flags);
    MR_UNUSED(mode);
    struct files *f = ctx;
    for (int i = 0; i < f->count; i++) {
        char name[WAL_NAME_BYTES];
        wal_segment_name((uint64_t)i + 1, name);
        if (strstr(path, name) != NULL)
            return i;
    }
    return -ENOENT;
}

static int mem_close(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static ssize_t mem_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    const struct file *f = &((struct files *)ctx)->file[fd];
    if (offset < 0 || (uint64_t)offset >= f->len)
        return 0;
    if (len > f->len - (size_t)offset)
        len = f->len - (size_t)offset;
    memcpy(buf, f->bytes + offset, len);
    return (ssize_t)len;
}

static int64_t mem_size(void *ctx, int fd)
{
    return (int64_t)((struct files *)ctx)->file[fd].len;
}

static int mem_list(void *ctx, const char *path, int (*fn)(void *arg, const char *name), void *arg)
{
    MR_UNUSED(path);
    struct files *f = ctx;
    int rc = 0;
    for (int i = f->count; i > 0 && rc == 0; i--) { /* unsorted, as a directory is */
        char name[WAL_NAME_BYTES];
        wal_segment_name((uint64_t)i, name);
        rc = fn(arg, name);
    }
    return rc;
}

static void add_bytes(struct file *f, const uint8_t *bytes, size_t len)
{
    f->bytes = realloc(f->bytes, f->len + len + 1);
    MR_ASSERT(f->bytes != NULL);
    if (bytes != NULL)
        memcpy(f->bytes + f->len, bytes, len);
    else
        memset(f->bytes + f->len, 0, len);
    f->len += len;
}

static void pad(struct file *f, size_t to)
{
    if (f->len < to && to <= FILE_MAX)
        add_bytes(f, NULL, to - f->len);
}

static void finish(struct file *f)
{
    struct wal_segment_header h;
    if (f->len >= sizeof h) {
        memcpy(&h, f->bytes, sizeof h);
        pad(f, h.segment_bytes <= FILE_MAX ? (size_t)h.segment_bytes : 0);
    }
}

static void build(struct files *files, const uint8_t *data, size_t size)
{
    files->count = 1;
    if (size == 0 || data[0] % 2 != 0) {
        add_bytes(&files->file[0], data + (size != 0), size != 0 ? size - 1 : 0);
        return;
    }
    struct mr_cursor c = mr_cursor_of(data + 1, size - 1);
    while (c.left > 2) {
        struct file *f = &files->file[files->count - 1];
        unsigned word = mr_cursor_u16(&c);
        size_t len = word & 0x7FFF;
        if (len > c.left)
            len = c.left;
        if ((word & 0x8000) && f->len != 0 && files->count < FILES) {
            finish(f);
            f = &files->file[files->count++];
        }
        pad(f, (f->len + WAL_SECTOR - 1) / WAL_SECTOR * WAL_SECTOR);
        add_bytes(f, (const uint8_t *)mr_cursor_bytes(&c, len).ptr, len);
    }
    finish(&files->file[files->count - 1]);
}

struct seen {
    uint64_t first, next, entries;
    uint64_t sum; /* of all bytes: each is read */
};

static int replay(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    MR_UNUSED(err);
    struct seen *s = ctx;
    MR_ASSERT(s->entries == 0 || lsn == s->next);
    if (s->entries++ == 0)
        s->first = lsn;
    s->next = lsn + 1;
    for (size_t i = 0; i < entry.len; i++)
        s->sum += (uint8_t)entry.ptr[i];
    return MR_OK;
}

static void check(const struct wal_recovery *r, const struct seen *s)
{
    MR_ASSERT(r->entries == s->entries);
    MR_ASSERT(s->entries == 0 || r->next_lsn == s->next);
    MR_ASSERT(r->durable_lsn < r->next_lsn);
    struct mr_cursor c = mr_cursor_of(r->tail.ptr, r->tail.len);
    struct mr_str entry;
    uint64_t n = 0;
    while (r->tail_entries != 0 && wal_entry_next(&c, &entry))
        n++;
    MR_ASSERT(!c.bad && n == r->tail_entries);
    MR_ASSERT(n == 0 ? r->durable_lsn + 1 == r->next_lsn : r->tail_lsn + n == r->next_lsn);
}

/* With one key of the log's. Its files are not needed any more once it is open. */
static struct seal_keyring *make_keyring(void)
{
    char dir[] = "/tmp/fuzz-keys-XXXXXX", path[64];
    static const char *const names[] = {"master.key", "keyring"};
    struct seal_keyring *keyring;
    struct seal_key key;
    uint32_t generation;
    struct mr_error err = MR_ERROR_INIT;
    MR_ASSERT(mkdtemp(dir) != NULL);
    MR_ASSERT(seal_keyring_open(&mr_io_posix, dir, &keyring, &err) == MR_OK);
    MR_ASSERT(seal_keyring_newest(keyring, SEAL_SCOPE_STORE, &generation, &key, &err) == MR_OK);
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    return keyring;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static FILE *null;
    static struct seal_keyring *keyring;
    if (null == NULL) {
        null = fopen("/dev/null", "w");
        keyring = make_keyring();
    }
    struct files files = {.count = 0};
    const struct mr_io io = {.ctx = &files,
                             .open = mem_open,
                             .close = mem_close,
                             .pread = mem_pread,
                             .size = mem_size,
                             .list = mem_list};
    build(&files, data, size);
    struct wal_recovery r;
    struct seen s = {0, 0, 0, 0};
    struct mr_error err = MR_ERROR_INIT;
    int status = wal_recover(&io, "/wal", keyring, 0, replay, &s, &r, &err);
    MR_ASSERT(status == MR_OK || (status == MR_ECORRUPT && err.text[0] != '\0'));
    if (status == MR_OK)
        check(&r, &s);
    wal_recovery_release(&r);
    err = (struct mr_error)MR_ERROR_INIT;
    MR_ASSERT(wal_dump(&io, "/wal", keyring, true, null, &err) == status);
    for (int i = 0; i < FILES; i++)
        free(files.file[i].bytes);
    return 0;
}
