/* Numbers as record values. */
#include <math.h>
#include <stdio.h>

#include "json/number.h"
#include "millrace.h"

struct mr_text mr_text_of_int(int64_t v, char buffer[MR_NUMBER_TEXT])
{
    size_t len = json_format_i64(v, buffer);
    buffer[len] = '\0';
    return (struct mr_text){buffer, len};
}

/* A decimal with few places, if v is one: with n = v * 10^places an exact integer below 2^53, n / 10^places
 * is rounded once, so comparing it with v decides (Clinger 1990). Most sensors deliver such numbers, and
 * printf costs a microsecond. Returns the length, 0 when v is not of that kind. */
static size_t few_places(double v, char *out)
{
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
    char digits[JSON_NUMBER_MAX];
    double size = fabs(v);
    for (size_t places = 0; places < MR_ARRAY_LEN(powers) && size * powers[places] < 0x1p53; places++) {
        double n = round(size * powers[places]);
        if (n / powers[places] != size)
            continue;
        size_t len = json_format_i64((int64_t)n, digits), at = 0, pad = len <= places ? places + 1 - len : 0;
        if (signbit(v))
            out[at++] = '-';
        for (size_t i = 0; i < pad + len; i++) {
            if (i > 0 && i == pad + len - places)
                out[at++] = '.';
            out[at++] = i < pad ? '0' : digits[i - pad];
        }
        return at;
    }
    return 0;
}

struct mr_text mr_text_of_double(double v, char buffer[MR_NUMBER_TEXT])
{
    if (!isfinite(v))
        return (struct mr_text){NULL, 0};
    size_t len = few_places(v, buffer);
    if (len == 0)
        len = json_format_double(v, buffer);
    buffer[len] = '\0';
    return (struct mr_text){buffer, len};
}
