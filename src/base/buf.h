/* base/buf.h - owned, growable bytes.
 *
 * Growth that fails sets `failed` and leaves the contents alone; later appends do nothing. So a writer may
 * append a whole document and test once at the end (mr_buf_ok). Not thread-safe.
 */
#ifndef MR_BASE_BUF_H
#define MR_BASE_BUF_H

#include "base/core.h"
#include "base/str.h"

struct mr_buf {
    char *ptr;   /* owned; NULL while nothing was appended */
    size_t len;  /* bytes in use */
    size_t cap;  /* bytes allocated */
    bool failed; /* an allocation failed since init */
};

#define MR_BUF_INIT                                                                                          \
    {                                                                                                        \
        NULL, 0, 0, false                                                                                    \
    }

void mr_buf_release(struct mr_buf *buf); /* frees and returns to MR_BUF_INIT */

/* Makes room for `more` bytes after len and returns where they start, or NULL. Does not change len. */
char *mr_buf_reserve(struct mr_buf *buf, size_t more);

void mr_buf_add(struct mr_buf *buf, const void *bytes, size_t len);
void mr_buf_printf(struct mr_buf *buf, const char *fmt, ...) MR_PRINTF(2, 3);

static inline void mr_buf_str(struct mr_buf *buf, struct mr_str s)
{
    mr_buf_add(buf, s.ptr, s.len);
}

static inline void mr_buf_char(struct mr_buf *buf, char c)
{
    mr_buf_add(buf, &c, 1);
}

static inline struct mr_str mr_buf_view(const struct mr_buf *buf)
{
    return (struct mr_str){buf->ptr != NULL ? buf->ptr : "", buf->len};
}

static inline bool mr_buf_ok(const struct mr_buf *buf)
{
    return !buf->failed;
}

/* Little-endian integers, the byte order of everything we store. */
void mr_buf_u32(struct mr_buf *buf, uint32_t v);
void mr_buf_u64(struct mr_buf *buf, uint64_t v);
void mr_buf_varint(struct mr_buf *buf, uint64_t v); /* LEB128, at most 10 bytes */

#endif
