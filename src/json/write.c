#include "json/write.h"

#include <math.h>

#include "json/number.h"

/* 0: stands as it is; 'u': \u00XX; otherwise the letter after the backslash. */
static const char escapes[256] = {
    ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r', ['"'] = '"',  ['\\'] = '\\',
    [0x00] = 'u', [0x01] = 'u', [0x02] = 'u', [0x03] = 'u', [0x04] = 'u', [0x05] = 'u', [0x06] = 'u',
    [0x07] = 'u', [0x0b] = 'u', [0x0e] = 'u', [0x0f] = 'u', [0x10] = 'u', [0x11] = 'u', [0x12] = 'u',
    [0x13] = 'u', [0x14] = 'u', [0x15] = 'u', [0x16] = 'u', [0x17] = 'u', [0x18] = 'u', [0x19] = 'u',
    [0x1a] = 'u', [0x1b] = 'u', [0x1c] = 'u', [0x1d] = 'u', [0x1e] = 'u', [0x1f] = 'u',
};

/* True when one of the eight bytes needs an escape: below 0x20, or a quote, or a backslash. May also be true
 * for nothing (a byte above 0x7f beside a borrow); the caller looks again byte by byte. */
static bool any_escape(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    uint64_t low = (word - ones * 0x20) & ~word;
    return ((low | ((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & highs) != 0;
}

/* The end of the run of bytes at `from` that stand as they are. */
static size_t plain_until(struct mr_str s, size_t from)
{
    size_t i = from;
    for (;;) {
        uint64_t word;
        while (s.len - i >= sizeof word) {
            memcpy(&word, s.ptr + i, sizeof word);
            if (any_escape(word))
                break;
            i += sizeof word;
        }
        size_t stop = s.len - i < sizeof word ? s.len : i + sizeof word;
        for (; i < stop; i++)
            if (escapes[(unsigned char)s.ptr[i]] != 0)
                return i;
        if (i == s.len)
            return i;
    }
}

void json_write_escaped(struct mr_buf *buf, struct mr_str s)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < s.len;) {
        size_t end = plain_until(s, i);
        mr_buf_add(buf, s.ptr + i, end - i);
        if (end == s.len)
            return;
        unsigned char c = (unsigned char)s.ptr[end];
        if (escapes[c] == 'u')
            mr_buf_add(buf, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
        else
            mr_buf_add(buf, (char[]){'\\', escapes[c]}, 2);
        i = end + 1;
    }
}

void json_write_string(struct mr_buf *buf, struct mr_str s)
{
    mr_buf_char(buf, '"');
    json_write_escaped(buf, s);
    mr_buf_char(buf, '"');
}

void json_write_i64(struct mr_buf *buf, int64_t v)
{
    char text[JSON_NUMBER_MAX];
    mr_buf_add(buf, text, json_format_i64(v, text));
}

void json_write_double(struct mr_buf *buf, double v)
{
    char text[JSON_NUMBER_MAX];
    if (isfinite(v))
        mr_buf_add(buf, text, json_format_double(v, text));
    else
        mr_buf_str(buf, MR_STR("null"));
}

void json_write_java_double(struct mr_buf *buf, double v)
{
    char text[JSON_NUMBER_MAX];
    mr_buf_add(buf, text, json_format_java_double(v, text));
}
