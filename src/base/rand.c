#include "base/rand.h"

#include <errno.h>
#include <sys/random.h>

void mr_random_bytes(void *out, size_t len)
{
    char *p = out;
    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        MR_ASSERT(n > 0);
        p += n;
        len -= (size_t)n;
    }
}
