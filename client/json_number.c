/* client/json_number.c - json/number.h in plain C, for the library that others link (client/json_parse.c says
 * why).
 *
 * Correctly rounded through libc: printf and strtod are in glibc. Whatever the program's locale is, only
 * digits are taken from what printf wrote, and strtod gets the C locale.
 */
#include "json/number.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_locale(void)
{
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool grammar(struct mr_str text)
{
    size_t i = 0, count = 0;
    if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-'))
        i++;
    for (; i < text.len && is_digit(text.ptr[i]); i++)
        count++;
    if (i < text.len && text.ptr[i] == '.')
        for (i++; i < text.len && is_digit(text.ptr[i]); i++)
            count++;
    if (count == 0)
        return false;
    if (i == text.len)
        return true;
    if (text.ptr[i] != 'e' && text.ptr[i] != 'E')
        return false;
    i++;
    if (i < text.len && (text.ptr[i] == '+' || text.ptr[i] == '-'))
        i++;
    size_t from = i;
    while (i < text.len && is_digit(text.ptr[i]))
        i++;
    return i == text.len && i > from;
}

bool json_parse_double(struct mr_str text, double *out)
{
    char small[64];
    pthread_once(&once, make_locale);
    if (!grammar(text))
        return false;
    char *copy = text.len < sizeof small ? small : mr_malloc(text.len + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    double v = c_locale != (locale_t)0 ? strtod_l(copy, NULL, c_locale) : strtod(copy, NULL);
    if (copy != small)
        mr_free(copy);
    if (!isfinite(v))
        return false;
    *out = v;
    return true;
}

/* Digits and the decimal exponent of the first one. */
struct decimal {
    char digits[24];
    int count;
    int exponent;
};

static struct decimal decimal_of(double v, int places)
{
    struct decimal d = {.count = 0};
    char text[64];
    snprintf(text, sizeof text, "%.*e", places, v);
    const char *p = text;
    for (; *p != '\0' && *p != 'e'; p++) /* passes over a sign and whatever the locale's point is */
        if (is_digit(*p) && d.count < (int)sizeof d.digits)
            d.digits[d.count++] = *p;
    d.exponent = *p == 'e' ? (int)strtol(p + 1, NULL, 10) : 0;
    return d;
}

static double value_of(const struct decimal *d)
{
    char text[48];
    double v = 0;
    int n = snprintf(text, sizeof text, "%.*se%d", d->count, d->digits, d->exponent - (d->count - 1));
    return json_parse_double((struct mr_str){text, (size_t)n}, &v) ? v : 0;
}

/* v is finite and above 0. */
static struct decimal shortest(double v)
{
    struct decimal d = decimal_of(v, 0);
    for (int places = 1; places <= 16 && value_of(&d) != v; places++)
        d = decimal_of(v, places);
    return d;
}

static size_t copy_out(const char *text, int len, char *out)
{
    memcpy(out, text, (size_t)len);
    return (size_t)len;
}

/* Plain where that is not longer than scientific, like to_chars. */
size_t json_format_double(double v, char *out)
{
    char text[64];
    const char *sign = signbit(v) ? "-" : "";
    if (v == 0)
        return signbit(v) ? copy_out("-0", 2, out) : copy_out("0", 1, out);
    struct decimal d = shortest(fabs(v));
    int e = d.exponent, n = d.count, len;
    if (e >= n - 1 && e < 17 && e - (n - 1) <= 4)
        len = snprintf(text, sizeof text, "%s%.*s%.*s", sign, n, d.digits, e - (n - 1), "0000");
    else if (e >= 0 && e < n - 1)
        len = snprintf(text, sizeof text, "%s%.*s.%.*s", sign, e + 1, d.digits, n - e - 1, d.digits + e + 1);
    else if (e < 0 && e >= -4)
        len = snprintf(text, sizeof text, "%s0.%.*s%.*s", sign, -e - 1, "000", n, d.digits);
    else if (n > 1)
        len = snprintf(text, sizeof text, "%s%c.%.*se%+03d", sign, d.digits[0], n - 1, d.digits + 1, e);
    else
        len = snprintf(text, sizeof text, "%s%ce%+03d", sign, d.digits[0], e);
    return copy_out(text, len, out);
}

size_t json_format_i64(int64_t v, char *out)
{
    char text[24];
    size_t at = sizeof text;
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do
        text[--at] = (char)('0' + size % 10);
    while ((size /= 10) > 0);
    if (v < 0)
        text[--at] = '-';
    memcpy(out, text + at, sizeof text - at);
    return sizeof text - at;
}

size_t json_format_java_double(double v, char *out)
{
    if (isnan(v))
        return copy_out("NaN", 3, out);
    if (isinf(v))
        return v < 0 ? copy_out("-Infinity", 9, out) : copy_out("Infinity", 8, out);
    if (v == 0)
        return signbit(v) ? copy_out("-0.0", 4, out) : copy_out("0.0", 3, out);
    struct decimal d = shortest(fabs(v));
    if (d.count == 1)
        d = decimal_of(fabs(v), 1); /* Java writes at least two digits, the two that lie nearest */
    while (d.count > 2 && d.digits[d.count - 1] == '0')
        d.count--;
    char text[64];
    const char *sign = v < 0 ? "-" : "";
    int e = d.exponent, n = d.count, len;
    if (e >= 7 || e < -3)
        len = snprintf(text, sizeof text, "%s%c.%.*sE%d", sign, d.digits[0], n - 1, d.digits + 1, e);
    else if (e >= n - 1)
        len = snprintf(text, sizeof text, "%s%.*s%.*s.0", sign, n, d.digits, e - (n - 1), "000000");
    else if (e >= 0)
        len = snprintf(text, sizeof text, "%s%.*s.%.*s", sign, e + 1, d.digits, n - e - 1, d.digits + e + 1);
    else {
        if (n == 2 && d.digits[1] == '0')
            n = 1; /* says nothing behind leading zeros */
        len = snprintf(text, sizeof text, "%s0.%.*s%.*s", sign, -e - 1, "00", n, d.digits);
    }
    return copy_out(text, len, out);
}
