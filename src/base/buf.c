#include "base/base.h"

#include <stdarg.h>
#include <stdio.h>

void mr_buf_release(struct mr_buf *buf)
{
    mr_free(buf->ptr);
    *buf = (struct mr_buf)MR_BUF_INIT;
}

char *mr_buf_reserve(struct mr_buf *buf, size_t more)
{
    if (buf->failed)
        return NULL;
    size_t need;
    if (__builtin_add_overflow(buf->len, more, &need) ||
        mr_grow((void **)&buf->ptr, &buf->cap, need, 1) != MR_OK) {
        buf->failed = true;
        return NULL;
    }
    return buf->ptr + buf->len;
}

void mr_buf_add(struct mr_buf *buf, const void *bytes, size_t len)
{
    if (len == 0)
        return;
    char *to = mr_buf_reserve(buf, len);
    if (to == NULL)
        return;
    memcpy(to, bytes, len);
    buf->len += len;
}

void mr_buf_printf(struct mr_buf *buf, const char *fmt, ...)
{
    char small[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        buf->failed = true;
    } else if ((size_t)n < sizeof small) {
        mr_buf_add(buf, small, (size_t)n);
    } else {
        char *to = mr_buf_reserve(buf, (size_t)n + 1);
        if (to == NULL)
            return;
        va_start(ap, fmt);
        vsnprintf(to, (size_t)n + 1, fmt, ap);
        va_end(ap);
        buf->len += (size_t)n;
    }
}

void mr_buf_u32(struct mr_buf *buf, uint32_t v)
{
    unsigned char b[4];
    for (int i = 0; i < 4; i++)
        b[i] = (unsigned char)(v >> (8 * i));
    mr_buf_add(buf, b, sizeof b);
}

void mr_buf_u64(struct mr_buf *buf, uint64_t v)
{
    unsigned char b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (unsigned char)(v >> (8 * i));
    mr_buf_add(buf, b, sizeof b);
}

void mr_buf_varint(struct mr_buf *buf, uint64_t v)
{
    unsigned char b[10];
    size_t n = 0;
    while (v >= 0x80) {
        b[n++] = (unsigned char)(v | 0x80);
        v >>= 7;
    }
    b[n++] = (unsigned char)v;
    mr_buf_add(buf, b, n);
}
