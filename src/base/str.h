/* base/str.h - borrowed bytes. A view owns nothing and is valid as long as what it points into. */
#ifndef MR_BASE_STR_H
#define MR_BASE_STR_H

#include "base/core.h"

struct mr_str {
    const char *ptr; /* NULL means "absent"; an empty string has a non-NULL ptr and len 0 */
    size_t len;      /* bytes, no terminator counted or promised */
};

/* A name and its value, both borrowed: an HTTP header, a query parameter, a dimension. */
struct mr_pair {
    struct mr_str name, value;
};

#define MR_STR_NULL ((struct mr_str){NULL, 0})
#define MR_STR(literal) ((struct mr_str){("" literal), sizeof(literal) - 1}) /* string literals only */
#define MR_STR_FMT "%.*s"
#define MR_STR_ARG(s) (int)(s).len, ((s).ptr != NULL ? (s).ptr : "")

static inline struct mr_str mr_str_of(const char *cstr)
{
    return (struct mr_str){cstr, cstr != NULL ? strlen(cstr) : 0};
}

/* memcmp() == 0 without the call, for the dozen bytes that names and values mostly have. */
static inline bool mr_bytes_eq(const char *a, const char *b, size_t len)
{
    uint64_t x, y;
    uint32_t v, w;
    if (len > 64)
        return memcmp(a, b, len) == 0;
    if (len >= sizeof x) {
        for (size_t i = 0; i < len - sizeof x; i += sizeof x) {
            memcpy(&x, a + i, sizeof x);
            memcpy(&y, b + i, sizeof y);
            if (x != y)
                return false;
        }
        memcpy(&x, a + len - sizeof x, sizeof x);
        memcpy(&y, b + len - sizeof y, sizeof y);
        return x == y;
    }
    if (len >= sizeof v) {
        memcpy(&v, a, sizeof v);
        memcpy(&w, b, sizeof w);
        if (v != w)
            return false;
        memcpy(&v, a + len - sizeof v, sizeof v);
        memcpy(&w, b + len - sizeof w, sizeof w);
        return v == w;
    }
    return len == 0 || (a[0] == b[0] && a[len / 2] == b[len / 2] && a[len - 1] == b[len - 1]);
}

static inline bool mr_str_eq(struct mr_str a, struct mr_str b)
{
    return a.len == b.len && mr_bytes_eq(a.ptr, b.ptr, a.len);
}

static inline bool mr_str_starts(struct mr_str s, struct mr_str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* Order of UTF-8 bytes, which is also code-point order. <0, 0 or >0. */
int mr_str_cmp(struct mr_str a, struct mr_str b);

/* ASCII case-insensitive equality; bytes above 127 compare as they are. */
bool mr_str_ieq(struct mr_str a, struct mr_str b);

/* Index of byte c at or after `from`, or s.len when there is none. */
size_t mr_str_find(struct mr_str s, char c, size_t from);

/* s[from, to), both clamped to the view. */
struct mr_str mr_str_slice(struct mr_str s, size_t from, size_t to);

/* Without leading and trailing blanks and tabs. */
struct mr_str mr_str_trim(struct mr_str s);

/* Decimal integers, the whole view and nothing else: `[+-]digits`. false on anything else, overflow included.
 */
bool mr_str_to_i64(struct mr_str s, int64_t *out);
bool mr_str_to_u64(struct mr_str s, uint64_t *out);

/* Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool mr_utf8_valid(struct mr_str s);

/* Number of code points of valid UTF-8. */
size_t mr_utf8_length(struct mr_str s);

#endif
