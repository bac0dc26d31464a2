/* short_writes.c - preloaded into a server: every SHORT_EVERY-th pwrite of more than one byte writes half and
 * says so.
 *
 * A short write is no error: whoever writes has to go on behind it. strace can make a call fail, not do half
 * of it.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static unsigned long calls;

static size_t shorter(size_t len)
{
    static unsigned long every;
    if (every == 0) {
        const char *text = getenv("SHORT_EVERY");
        every = text != NULL ? strtoul(text, NULL, 10) : 2;
    }
    return len > 1 && __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) % every == 0 ? len / 2 : len;
}

ssize_t pwrite64(int fd, const void *buf, size_t len, off64_t offset)
{
    static ssize_t (*next)(int, const void *, size_t, off64_t);
    if (next == NULL)
        next = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    return next(fd, buf, shorter(len), offset);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t offset)
{
    return pwrite64(fd, buf, len, offset);
}
