#include "engine/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

char *number_java_double(char *to, double v)
{
    char text[40], digits[24];
    int precision = 1, exponent, n = 0;

    if (isnan(v))
        return memcpy(to, "NaN", 3), to + 3;
    if (signbit(v))
        *to++ = '-';
    v = fabs(v);
    if (isinf(v))
        return memcpy(to, "Infinity", 8), to + 8;
    if (v == 0)
        return memcpy(to, "0.0", 3), to + 3;
    do {
        snprintf(text, sizeof(text), "%.*e", precision - 1, v);
    } while (strtod(text, NULL) != v && ++precision <= 17);
    exponent = atoi(strchr(text, 'e') + 1);
    for (const char *p = text; *p != 'e'; p++)
        if (*p != '.')
            digits[n++] = *p;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    bool plain = v >= 1e-3 && v < 1e7;
    int point = plain ? exponent + 1 : 1; /* digits before the point */
    if (point <= 0) {
        *to++ = '0';
        *to++ = '.';
        for (int i = point; i < 0; i++)
            *to++ = '0';
        for (int i = 0; i < n; i++)
            *to++ = digits[i];
    } else {
        for (int i = 0; i < point || i < n; i++) {
            if (i == point)
                *to++ = '.';
            *to++ = i < n ? digits[i] : '0';
        }
        if (n <= point) {
            *to++ = '.';
            *to++ = '0';
        }
    }
    return plain ? to : to + sprintf(to, "E%d", exponent);
}

void number_json_escape(struct mr_str s, struct mr_buf *out)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (MR_LIKELY(c >= 0x20 && c != '"' && c != '\\'))
            continue;
        mr_buf_add(out, s.ptr + from, i - from);
        from = i + 1;
        switch (c) {
        case '"':
            mr_buf_str(out, MR_STR("\\\""));
            break;
        case '\\':
            mr_buf_str(out, MR_STR("\\\\"));
            break;
        case '\n':
            mr_buf_str(out, MR_STR("\\n"));
            break;
        case '\r':
            mr_buf_str(out, MR_STR("\\r"));
            break;
        case '\t':
            mr_buf_str(out, MR_STR("\\t"));
            break;
        default:
            mr_buf_printf(out, "\\u%04x", c);
            break;
        }
    }
    mr_buf_add(out, s.ptr + from, s.len - from);
}
