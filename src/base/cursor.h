/* base/cursor.h - reading stored bytes with every length checked against what is left.
 *
 * A read past the end sets `bad` and yields zeros or an empty view; a decoder reads a whole structure and
 * tests `bad` once before it trusts any of it. Little-endian.
 */
#ifndef MR_BASE_CURSOR_H
#define MR_BASE_CURSOR_H

#include "base/base.h"

struct mr_cursor {
    const unsigned char *ptr;
    size_t left;
    bool bad;
};

static inline struct mr_cursor mr_cursor_of(const void *bytes, size_t len)
{
    return (struct mr_cursor){bytes, len, false};
}

static inline struct mr_str mr_cursor_bytes(struct mr_cursor *c, size_t len)
{
    if (MR_UNLIKELY(c->bad || len > c->left)) {
        c->bad = true;
        return (struct mr_str){"", 0};
    }
    struct mr_str s = {(const char *)c->ptr, len};
    c->ptr += len;
    c->left -= len;
    return s;
}

static inline uint8_t mr_cursor_u8(struct mr_cursor *c)
{
    struct mr_str s = mr_cursor_bytes(c, 1);
    return s.len == 1 ? (uint8_t)s.ptr[0] : 0;
}

static inline uint16_t mr_cursor_u16(struct mr_cursor *c)
{
    uint16_t v = 0;
    struct mr_str s = mr_cursor_bytes(c, 2);
    if (s.len == 2)
        memcpy(&v, s.ptr, 2);
    return v;
}

static inline uint32_t mr_cursor_u32(struct mr_cursor *c)
{
    uint32_t v = 0;
    struct mr_str s = mr_cursor_bytes(c, 4);
    if (s.len == 4)
        memcpy(&v, s.ptr, 4);
    return v;
}

static inline uint64_t mr_cursor_u64(struct mr_cursor *c)
{
    uint64_t v = 0;
    struct mr_str s = mr_cursor_bytes(c, 8);
    if (s.len == 8)
        memcpy(&v, s.ptr, 8);
    return v;
}

static inline uint64_t mr_cursor_varint(struct mr_cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t b = mr_cursor_u8(c);
        if (shift == 63 && b > 1)
            break; /* more than 64 bits */
        v |= (uint64_t)(b & 0x7F) << shift;
        if (b < 0x80)
            return c->bad ? 0 : v;
    }
    c->bad = true;
    return 0;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored integers are copied as they lie");

#endif
