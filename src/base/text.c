#include "base/text.h"

#include "base/rand.h"

void mr_hex_encode(const void *bytes, size_t len, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[p[i] >> 4];
        out[2 * i + 1] = digits[p[i] & 15];
    }
    out[2 * len] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool mr_hex_decode(struct mr_str text, void *out)
{
    if (text.len % 2 != 0)
        return false;
    unsigned char *to = out;
    for (size_t i = 0; i < text.len; i += 2) {
        int high = hex_digit(text.ptr[i]), low = hex_digit(text.ptr[i + 1]);
        if (high < 0 || low < 0)
            return false;
        to[i / 2] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void mr_base32_random(size_t chars, char *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    mr_random_bytes(out, chars);
    for (size_t i = 0; i < chars; i++)
        out[i] = alphabet[(unsigned char)out[i] & 31];
    out[chars] = '\0';
}

static const char alphabet64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void mr_base64url_encode(struct mr_str bytes, struct mr_buf *out)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t v = (uint32_t)p[i] << 16 | (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (n > 2 ? p[i + 2] : 0);
        char quad[4];
        for (size_t k = 0; k < n + 1; k++)
            quad[k] = alphabet64[(v >> (18 - 6 * k)) & 63];
        mr_buf_add(out, quad, n + 1);
    }
}

static int value64(char c)
{
    const char *hit = c != '\0' ? strchr(alphabet64, c) : NULL;
    return hit != NULL ? (int)(hit - alphabet64) : -1;
}

bool mr_base64url_decode(struct mr_str text, struct mr_buf *out)
{
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i += 4) {
        size_t n = text.len - i < 4 ? text.len - i : 4;
        uint32_t v = 0;
        for (size_t k = 0; k < n; k++) {
            int digit = value64(text.ptr[i + k]);
            if (digit < 0)
                return false;
            v |= (uint32_t)digit << (18 - 6 * k);
        }
        unsigned char triple[3] = {(unsigned char)(v >> 16), (unsigned char)(v >> 8), (unsigned char)v};
        mr_buf_add(out, triple, n - 1);
    }
    return true;
}
