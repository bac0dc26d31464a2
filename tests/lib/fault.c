#include "lib/fault.h"

#include <pthread.h>
#include <stdlib.h>

static unsigned alloc_countdown;
static bool alloc_fired;

/* Atomic: the code under test may have threads of its own. */
static bool alloc_fails(void)
{
    unsigned left = __atomic_load_n(&alloc_countdown, __ATOMIC_RELAXED);
    while (left != 0 && !__atomic_compare_exchange_n(&alloc_countdown, &left, left - 1, false,
                                                     __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    if (left != 1)
        return false;
    __atomic_store_n(&alloc_fired, true, __ATOMIC_RELAXED);
    return true;
}

static void *failing_malloc(size_t size)
{
    return alloc_fails() ? NULL : malloc(size);
}

static void *failing_realloc(void *ptr, size_t size)
{
    return alloc_fails() ? NULL : realloc(ptr, size);
}

void fault_alloc(unsigned n)
{
    static const struct mr_alloc_ops ops = {failing_malloc, failing_realloc, free};
    __atomic_store_n(&alloc_countdown, n, __ATOMIC_RELAXED);
    __atomic_store_n(&alloc_fired, false, __ATOMIC_RELAXED);
    mr_alloc_use(n != 0 ? &ops : NULL);
}

bool fault_alloc_fired(void)
{
    return __atomic_load_n(&alloc_fired, __ATOMIC_RELAXED);
}

static int count_call(struct fault_io *f, bool *half)
{
    f->calls++;
    if (f->fired && f->sticky)
        return -f->errnum;
    if (f->countdown == 0 || --f->countdown != 0)
        return 0;
    if (f->kind == FAULT_SHORT && half != NULL) {
        *half = true;
        f->kind = FAULT_ERROR;
        f->countdown = 1; /* the rest of the transfer fails */
        return 0;
    }
    f->fired = true;
    return -f->errnum;
}

/* 0 to go on; otherwise the negated errno to return. *half is set when the transfer is to be cut short. */
static int tick(struct fault_io *f, bool *half)
{
    static pthread_mutex_t lock =
        PTHREAD_MUTEX_INITIALIZER; /* the code under test may have threads of its own */
    pthread_mutex_lock(&lock);
    int rc = count_call(f, half);
    pthread_mutex_unlock(&lock);
    return rc;
}

#define GUARD(half)                                                                                          \
    struct fault_io *f = ctx;                                                                                \
    int rc = tick(f, (half));                                                                                \
    if (rc != 0)                                                                                             \
    return rc

static int f_open(void *ctx, const char *path, int flags, unsigned mode)
{
    GUARD(NULL);
    return mr_io_posix.open(NULL, path, flags, mode);
}

static int f_close(void *ctx, int fd)
{
    MR_UNUSED(ctx); /* a close that fails still closes; failing it would only leak in the harness */
    return mr_io_posix.close(NULL, fd);
}

static ssize_t f_pread(void *ctx, int fd, void *buf, size_t len, int64_t offset)
{
    bool half = false;
    GUARD(&half);
    return mr_io_posix.pread(NULL, fd, buf, half && len > 1 ? len / 2 : len, offset);
}

static ssize_t f_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    bool half = false;
    GUARD(&half);
    return mr_io_posix.pwrite(NULL, fd, buf, half && len > 1 ? len / 2 : len, offset);
}

static int f_fdatasync(void *ctx, int fd)
{
    GUARD(NULL);
    return mr_io_posix.fdatasync(NULL, fd);
}

static int f_fsync(void *ctx, int fd)
{
    GUARD(NULL);
    return mr_io_posix.fsync(NULL, fd);
}

static int f_fallocate(void *ctx, int fd, int64_t offset, int64_t len)
{
    GUARD(NULL);
    return mr_io_posix.fallocate(NULL, fd, offset, len);
}

static int f_ftruncate(void *ctx, int fd, int64_t len)
{
    GUARD(NULL);
    return mr_io_posix.ftruncate(NULL, fd, len);
}

static int64_t f_size(void *ctx, int fd)
{
    GUARD(NULL);
    return mr_io_posix.size(NULL, fd);
}

static int f_rename(void *ctx, const char *from, const char *to)
{
    GUARD(NULL);
    return mr_io_posix.rename(NULL, from, to);
}

static int f_unlink(void *ctx, const char *path)
{
    GUARD(NULL);
    return mr_io_posix.unlink(NULL, path);
}

static int f_mkdir(void *ctx, const char *path, unsigned mode)
{
    GUARD(NULL);
    return mr_io_posix.mkdir(NULL, path, mode);
}

static int f_rmdir(void *ctx, const char *path)
{
    GUARD(NULL);
    return mr_io_posix.rmdir(NULL, path);
}

static int f_list(void *ctx, const char *path, int (*fn)(void *arg, const char *name), void *arg)
{
    GUARD(NULL);
    return mr_io_posix.list(NULL, path, fn, arg);
}

void fault_io_init(struct fault_io *fault)
{
    *fault = (struct fault_io){
        .io = {.open = f_open,
               .close = f_close,
               .pread = f_pread,
               .pwrite = f_pwrite,
               .fdatasync = f_fdatasync,
               .fsync = f_fsync,
               .fallocate = f_fallocate,
               .ftruncate = f_ftruncate,
               .size = f_size,
               .rename = f_rename,
               .unlink = f_unlink,
               .mkdir = f_mkdir,
               .rmdir = f_rmdir,
               .list = f_list},
    };
    fault->io.ctx = fault;
}

void fault_io_arm(struct fault_io *fault, unsigned nth, int errnum, enum fault_kind kind, bool sticky)
{
    fault->countdown = nth;
    fault->errnum = errnum;
    fault->kind = kind;
    fault->sticky = sticky;
    fault->fired = false;
    fault->calls = 0;
}
