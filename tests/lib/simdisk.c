#include "lib/simdisk_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

void simdisk_record(struct simdisk *d, struct sim_change c)
{
    if (d->nchanges == d->changes_cap) {
        d->changes_cap = d->changes_cap * 2 + 64;
        d->changes = sim_alloc(d->changes, d->changes_cap * sizeof *d->changes);
    }
    d->changes[d->nchanges] = c;
    sim_image_apply(&d->now, &c);
    __atomic_store_n(&d->nchanges, d->nchanges + 1, __ATOMIC_RELEASE);
}

size_t simdisk_changes(const struct simdisk *d)
{
    return __atomic_load_n(&d->nchanges, __ATOMIC_ACQUIRE);
}

/* ---- paths
 * --------------------------------------------------------------------------------------------------- */

struct spot {
    uint32_t dir;     /* SIM_NONE: a directory on the way does not exist */
    const char *name; /* last component, in the caller's path */
    size_t len;
    uint32_t node; /* SIM_NONE: no such name */
};

/* Where a path leads. Components of length 0 are skipped; "." and ".." are not known. */
static struct spot walk(const struct simdisk *d, const char *path)
{
    struct spot s = {.dir = SIM_NONE, .name = path, .len = 0, .node = SIM_ROOT};
    for (const char *p = path; *p != '\0';) {
        size_t len = strcspn(p, "/");
        if (len != 0) {
            bool enter = s.node != SIM_NONE && d->now.nodes[s.node].dir;
            s.dir = enter ? s.node : SIM_NONE;
            s.name = p;
            s.len = len;
            const struct sim_name *found = enter ? sim_image_find(&d->now, s.dir, p, len) : NULL;
            s.node = found != NULL ? found->node : SIM_NONE;
        }
        p += len + (p[len] == '/');
    }
    return s;
}

static struct sim_change named(enum sim_kind kind, const struct spot *s)
{
    return (struct sim_change){
        .kind = kind, .node = s->dir, .child = s->node, .name = sim_strdup(s->name, s->len)};
}

/* The node of a descriptor. */
static struct sim_node *node_of(struct simdisk *d, int fd, uint32_t *number)
{
    MR_ASSERT(fd >= SIM_FD_BASE && fd < SIM_FD_BASE + SIM_FDS && d->fds[fd - SIM_FD_BASE] != SIM_NONE);
    *number = d->fds[fd - SIM_FD_BASE];
    return &d->now.nodes[*number];
}

static uint64_t used(const struct simdisk *d)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < d->now.count; i++)
        if (d->now.nodes[i].links != 0 || d->now.nodes[i].opens != 0)
            sum += d->now.nodes[i].size;
    return sum;
}

/* Makes a file larger. false: the disk is full. */
static bool grow(struct simdisk *d, uint32_t node, uint64_t size)
{
    uint64_t old = d->now.nodes[node].size;
    if (size <= old)
        return true;
    if (d->limit != UINT64_MAX && used(d) + (size - old) > d->limit)
        return false;
    simdisk_record(d, (struct sim_change){.kind = SIM_SIZE, .node = node, .offset = size});
    return true;
}

/* ---- the table
 * ----------------------------------------------------------------------------------------------- */

#define LOCKED(body)                                                                                         \
    struct simdisk *d = ctx;                                                                                 \
    pthread_mutex_lock(&d->lock);                                                                            \
    __typeof__(body) rc_ = (body);                                                                           \
    pthread_mutex_unlock(&d->lock);                                                                          \
    return rc_

static int open_node(struct simdisk *d, const char *path, int flags)
{
    struct spot s = walk(d, path);
    if (s.node == SIM_NONE && (!(flags & O_CREAT) || s.dir == SIM_NONE))
        return -ENOENT;
    if (s.node != SIM_NONE && (flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    if (s.node == SIM_NONE) {
        s.node = sim_image_new_node(&d->now, false);
        simdisk_record(d, named(SIM_LINK, &s));
    }
    struct sim_node *n = &d->now.nodes[s.node];
    if ((flags & O_DIRECTORY) && !n->dir)
        return -ENOTDIR;
    if (n->dir && (flags & O_ACCMODE) != O_RDONLY)
        return -EISDIR;
    if ((flags & O_TRUNC) && n->size != 0)
        simdisk_record(d, (struct sim_change){.kind = SIM_SIZE, .node = s.node, .offset = 0});
    for (int i = 0; i < SIM_FDS; i++) {
        if (d->fds[i] == SIM_NONE) {
            d->fds[i] = s.node;
            d->now.nodes[s.node].opens++;
            return SIM_FD_BASE + i;
        }
    }
    return -EMFILE;
}

static int sim_open(void *ctx, const char *path, int flags, unsigned mode)
{
    MR_UNUSED(mode);
    LOCKED(open_node(d, path, flags));
}

static int close_fd(struct simdisk *d, int fd)
{
    uint32_t number;
    node_of(d, fd, &number)->opens--;
    d->fds[fd - SIM_FD_BASE] = SIM_NONE;
    return 0;
}

static int sim_close(void *ctx, int fd)
{
    LOCKED(close_fd(d, fd));
}

static ssize_t read_at(struct simdisk *d, int fd, void *buf, size_t len, int64_t offset)
{
    uint32_t number;
    const struct sim_node *n = node_of(d, fd, &number);
    if (n->dir)
        return -EISDIR;
    if (offset < 0)
        return -EINVAL;
    if ((uint64_t)offset >= n->size)
        return 0;
    if (len > n->size - (uint64_t)offset)
        len = n->size - (uint64_t)offset;
    if (len != 0)
        memcpy(buf, n->data + offset, len);
    return (ssize_t)len;
}

static ssize_t sim_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    LOCKED(read_at(d, fd, buf, len, offset));
}

static ssize_t write_at(struct simdisk *d, int fd, const void *buf, size_t len, int64_t offset)
{
    uint32_t number;
    node_of(d, fd, &number);
    if (offset < 0)
        return -EINVAL;
    uint64_t end = (uint64_t)offset + len;
    /* As Linux does it: what fits is written, and only a write of nothing says why. */
    while (!grow(d, number, end)) {
        uint64_t size = d->now.nodes[number].size;
        uint64_t room = d->limit > used(d) ? d->limit - used(d) : 0;
        if (size + room <= (uint64_t)offset || room == 0)
            return -ENOSPC;
        end = size + room;
        len = (size_t)(end - (uint64_t)offset);
    }
    const unsigned char *bytes = buf;
    bool zeros = len == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0);
    unsigned char *copy = NULL;
    if (!zeros) {
        copy = sim_alloc(NULL, len);
        memcpy(copy, bytes, len);
    }
    simdisk_record(
        d, (struct sim_change){
               .kind = SIM_WRITE, .node = number, .offset = (uint64_t)offset, .len = len, .data = copy});
    return (ssize_t)len;
}

static ssize_t sim_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    LOCKED(write_at(d, fd, buf, len, offset));
}

static int sync_fd(struct simdisk *d, int fd)
{
    uint32_t number;
    node_of(d, fd, &number);
    simdisk_record(d, (struct sim_change){.kind = SIM_SYNC, .node = number});
    return 0;
}

static int sim_sync(void *ctx, int fd)
{
    LOCKED(sync_fd(d, fd));
}

static int fallocate_fd(struct simdisk *d, int fd, int64_t offset, int64_t len)
{
    uint32_t number;
    node_of(d, fd, &number);
    return grow(d, number, (uint64_t)(offset + len)) ? 0 : -ENOSPC;
}

static int sim_fallocate(void *ctx, int fd, int64_t offset, int64_t len)
{
    LOCKED(fallocate_fd(d, fd, offset, len));
}

static int truncate_fd(struct simdisk *d, int fd, int64_t len)
{
    uint32_t number;
    const struct sim_node *n = node_of(d, fd, &number);
    if (len < 0)
        return -EINVAL;
    if ((uint64_t)len > n->size)
        return grow(d, number, (uint64_t)len) ? 0 : -ENOSPC;
    simdisk_record(d, (struct sim_change){.kind = SIM_SIZE, .node = number, .offset = (uint64_t)len});
    return 0;
}

static int sim_ftruncate(void *ctx, int fd, int64_t len)
{
    LOCKED(truncate_fd(d, fd, len));
}

static int64_t size_fd(struct simdisk *d, int fd)
{
    uint32_t number;
    return (int64_t)node_of(d, fd, &number)->size;
}

static int64_t sim_size(void *ctx, int fd)
{
    LOCKED(size_fd(d, fd));
}

static int rename_path(struct simdisk *d, const char *from, const char *to)
{
    struct spot a = walk(d, from), b = walk(d, to);
    if (a.node == SIM_NONE || b.dir == SIM_NONE)
        return -ENOENT;
    if (b.node != SIM_NONE && d->now.nodes[b.node].nnames != 0)
        return -ENOTEMPTY;
    struct sim_change c = named(SIM_RENAME, &a);
    c.node2 = b.dir;
    c.name2 = sim_strdup(b.name, b.len);
    c.dir = d->now.nodes[a.node].dir;
    simdisk_record(d, c);
    return 0;
}

static int sim_rename(void *ctx, const char *from, const char *to)
{
    LOCKED(rename_path(d, from, to));
}

static int unlink_path(struct simdisk *d, const char *path, bool dir)
{
    struct spot s = walk(d, path);
    if (s.node == SIM_NONE || s.dir == SIM_NONE)
        return -ENOENT;
    const struct sim_node *n = &d->now.nodes[s.node];
    if (n->dir != dir)
        return dir ? -ENOTDIR : -EISDIR;
    if (n->nnames != 0)
        return -ENOTEMPTY;
    simdisk_record(d, named(SIM_UNLINK, &s));
    return 0;
}

static int sim_unlink(void *ctx, const char *path)
{
    LOCKED(unlink_path(d, path, false));
}

static int sim_rmdir(void *ctx, const char *path)
{
    LOCKED(unlink_path(d, path, true));
}

static int make_dir(struct simdisk *d, const char *path)
{
    struct spot s = walk(d, path);
    if (s.node != SIM_NONE)
        return -EEXIST;
    if (s.dir == SIM_NONE)
        return -ENOENT;
    s.node = sim_image_new_node(&d->now, true);
    struct sim_change c = named(SIM_LINK, &s);
    c.dir = true;
    simdisk_record(d, c);
    return 0;
}

static int sim_mkdir(void *ctx, const char *path, unsigned mode)
{
    MR_UNUSED(mode);
    LOCKED(make_dir(d, path));
}

/* The names are copied first: fn may use the disk. */
static int sim_list(void *ctx, const char *path, int (*fn)(void *arg, const char *name), void *arg)
{
    struct simdisk *d = ctx;
    pthread_mutex_lock(&d->lock);
    struct spot s = walk(d, path);
    size_t count = 0;
    char **names = NULL;
    int rc = s.node == SIM_NONE ? -ENOENT : d->now.nodes[s.node].dir ? 0 : -ENOTDIR;
    if (rc == 0) {
        const struct sim_node *n = &d->now.nodes[s.node];
        count = n->nnames;
        names = sim_alloc(NULL, count * sizeof *names);
        for (size_t i = 0; i < count; i++)
            names[i] = sim_strdup(n->names[i].name, strlen(n->names[i].name));
    }
    pthread_mutex_unlock(&d->lock);
    for (size_t i = 0; i < count; i++) {
        if (rc == 0)
            rc = fn(arg, names[i]);
        free(names[i]);
    }
    free(names);
    return rc;
}

/* ---- lifetime
 * ------------------------------------------------------------------------------------------------ */

struct simdisk *simdisk_over(struct sim_image *base)
{
    struct simdisk *d = sim_alloc(NULL, sizeof *d);
    *d = (struct simdisk){
        .io = {.open = sim_open,
               .close = sim_close,
               .pread = sim_pread,
               .pwrite = sim_pwrite,
               .fdatasync = sim_sync,
               .fsync = sim_sync,
               .fallocate = sim_fallocate,
               .ftruncate = sim_ftruncate,
               .size = sim_size,
               .rename = sim_rename,
               .unlink = sim_unlink,
               .mkdir = sim_mkdir,
               .rmdir = sim_rmdir,
               .list = sim_list},
        .base = *base,
        .limit = UINT64_MAX,
    };
    d->io.ctx = d;
    pthread_mutex_init(&d->lock, NULL);
    sim_image_copy(&d->base, &d->now);
    for (int i = 0; i < SIM_FDS; i++)
        d->fds[i] = SIM_NONE;
    return d;
}

struct simdisk *simdisk_new(void)
{
    struct sim_image empty;
    sim_image_init(&empty);
    return simdisk_over(&empty);
}

void simdisk_free(struct simdisk *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->nchanges; i++)
        sim_change_release(&d->changes[i]);
    free(d->changes);
    sim_image_release(&d->base);
    sim_image_release(&d->now);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

const struct mr_io *simdisk_io(struct simdisk *d)
{
    return &d->io;
}

void simdisk_set_limit(struct simdisk *d, uint64_t bytes)
{
    pthread_mutex_lock(&d->lock);
    d->limit = bytes;
    pthread_mutex_unlock(&d->lock);
}

void simdisk_export(struct simdisk *d, const char *path, const char *to)
{
    pthread_mutex_lock(&d->lock);
    struct spot s = walk(d, path);
    if (s.node != SIM_NONE && d->now.nodes[s.node].dir) {
        const struct sim_node *dir = &d->now.nodes[s.node];
        for (size_t i = 0; i < dir->nnames; i++) {
            const struct sim_node *n = &d->now.nodes[dir->names[i].node];
            char name[4096];
            snprintf(name, sizeof name, "%s/%s", to, dir->names[i].name);
            FILE *out = n->dir ? NULL : fopen(name, "wb");
            if (out == NULL)
                continue;
            if (n->size != 0 && fwrite(n->data, 1, n->size, out) != n->size)
                fprintf(stderr, "cannot write %s\n", name);
            fclose(out);
        }
    }
    pthread_mutex_unlock(&d->lock);
}
