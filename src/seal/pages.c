/* seal/pages.c - memory for keys: whole pages, locked, left out of core dumps, wiped before they go. */
#include "seal/private.h"

#include "base/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <sys/mman.h>
#include <unistd.h>

/* Locking fails where the limit of locked memory is tiny (RLIMIT_MEMLOCK). Keys may then reach the swap
 * space, which is worth a line in the log and not a refusal to start. */
static void lock_pages(void *pages, size_t bytes)
{
    static int told; /* atomic */
    if (mlock(pages, bytes) == 0 || __atomic_exchange_n(&told, 1, __ATOMIC_RELAXED) != 0)
        return;
    mr_log(MR_LOG_WARN, "keys_not_locked", "reason=\"%s\" meaning=\"keys may be swapped out\"",
           strerror(errno));
}

int seal_pages_new(size_t bytes, struct seal_pages *out)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (bytes + page - 1) / page * page;
    *out = (struct seal_pages){NULL, 0};
    if (whole == 0)
        return MR_OK;
    void *at = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED)
        return MR_ENOMEM;
    lock_pages(at, whole);
    if (madvise(at, whole, MADV_DONTDUMP) != 0) {
        munmap(at, whole);
        return MR_ENOMEM;
    }
    *out = (struct seal_pages){at, whole};
    return MR_OK;
}

void seal_pages_free(struct seal_pages *pages)
{
    if (pages->ptr == NULL)
        return;
    OPENSSL_cleanse(pages->ptr, pages->bytes);
    munmap(pages->ptr, pages->bytes); /* unlocks too */
    *pages = (struct seal_pages){NULL, 0};
}
