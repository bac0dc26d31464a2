/* engine/utf8.h - code points of valid UTF-8. Private to engine/.
 *
 * Strings in the engine are valid UTF-8 (checked where they enter the server); still nothing here reads past
 * a view.
 */
#ifndef MR_ENGINE_UTF8_H
#define MR_ENGINE_UTF8_H

#include "base/base.h"

/* Bytes of the code point at `at`, at least 1 and not past the end. */
static inline size_t utf8_step(struct mr_str s, size_t at)
{
    unsigned char c = (unsigned char)s.ptr[at];
    size_t len = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;

    return len < s.len - at ? len : s.len - at;
}

/* Byte offset of the n-th code point from `at`; s.len when there are fewer. */
static inline size_t utf8_skip(struct mr_str s, size_t at, uint64_t n)
{
    while (n-- > 0 && at < s.len)
        at += utf8_step(s, at);
    return at;
}

static inline uint32_t utf8_get(struct mr_str s, size_t at)
{
    const unsigned char *p = (const unsigned char *)s.ptr + at;

    switch (utf8_step(s, at)) {
    case 2:
        return (uint32_t)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3:
        return (uint32_t)(p[0] & 0x0F) << 12 | (uint32_t)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3F) << 12 | (uint32_t)(p[2] & 0x3F) << 6 |
               (p[3] & 0x3F);
    default:
        return p[0];
    }
}

/* Writes at most 4 bytes; returns how many. */
static inline size_t utf8_put(uint32_t c, char out[static 4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xC0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xE0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3F));
        out[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3F));
    out[2] = (char)(0x80 | (c >> 6 & 0x3F));
    out[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

#endif
