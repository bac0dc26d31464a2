/* Texts as numbers, times, truths and networks. */
#include "policy/private.h"

#include "base/clock.h"
#include "json/number.h"

#include <arpa/inet.h>

bool policy_read_number(struct mr_str text, double *out)
{
    return json_parse_double(text, out);
}

bool policy_read_bool(struct mr_str text, bool *out)
{
    *out = mr_str_ieq(text, MR_STR("true"));
    return *out || mr_str_ieq(text, MR_STR("false"));
}

/* Exactly `digits` digits at *at, which moves behind them. */
static bool digits(struct mr_str text, size_t *at, size_t count, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++, ++*at) {
        if (*at >= text.len || text.ptr[*at] < '0' || text.ptr[*at] > '9')
            return false;
        *out = *out * 10 + (text.ptr[*at] - '0');
    }
    return true;
}

static bool skip(struct mr_str text, size_t *at, char c)
{
    if (*at >= text.len || text.ptr[*at] != c)
        return false;
    ++*at;
    return true;
}

static bool read_date(struct mr_str text, size_t *at, int64_t *days)
{
    static const unsigned char lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year, month, day;
    if (!digits(text, at, 4, &year) || !skip(text, at, '-') || !digits(text, at, 2, &month) ||
        !skip(text, at, '-') || !digits(text, at, 2, &day))
        return false;
    if (year < 1970 || year > 2261 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1])
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (month == 2 && day == 29 && !leap)
        return false;
    *days = mr_days_from_civil(year, (unsigned)month, (unsigned)day);
    return true;
}

/* "Z", "+hh:mm", "-hh:mm" to the end of the text, in seconds */
static bool read_zone(struct mr_str text, size_t *at, int64_t *seconds)
{
    int64_t hours, minutes;
    *seconds = 0;
    if (skip(text, at, 'Z'))
        return *at == text.len;
    bool west = *at < text.len && text.ptr[*at] == '-';
    if (!skip(text, at, west ? '-' : '+') || !digits(text, at, 2, &hours) || !skip(text, at, ':') ||
        !digits(text, at, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return *at == text.len;
}

/* hh:mm, hh:mm:ss or hh:mm:ss.fraction, with its zone, in ns of the day, which may lie outside it */
static bool read_clock(struct mr_str text, size_t *at, int64_t *ns)
{
    int64_t hour, minute, second = 0, fraction = 0, zone;
    if (!digits(text, at, 2, &hour) || !skip(text, at, ':') || !digits(text, at, 2, &minute))
        return false;
    if (skip(text, at, ':') && !digits(text, at, 2, &second))
        return false;
    if (skip(text, at, '.')) {
        int64_t digit, unit = MR_NS_PER_S;
        size_t from = *at;
        while (unit > 1 && digits(text, at, 1, &digit)) {
            unit /= 10;
            fraction += digit * unit;
        }
        if (*at == from)
            return false;
    }
    if (hour > 23 || minute > 59 || second > 59 || !read_zone(text, at, &zone))
        return false;
    *ns = (hour * 3600 + minute * 60 + second - zone) * MR_NS_PER_S + fraction;
    return true;
}

bool policy_read_time(struct mr_str text, int64_t *out)
{
    int64_t days, ns = 0, seconds;
    size_t at = 0;
    if (mr_str_to_i64(text, &seconds))
        return !__builtin_mul_overflow(seconds, MR_NS_PER_S, out);
    if (!read_date(text, &at, &days))
        return false;
    if (at != text.len && (!skip(text, &at, 'T') || !read_clock(text, &at, &ns)))
        return false;
    return !__builtin_add_overflow(days * MR_NS_PER_DAY, ns, out);
}

bool policy_read_network(struct mr_str text, struct policy_network *out)
{
    char address[INET6_ADDRSTRLEN];
    size_t slash = mr_str_find(text, '/', 0);
    uint64_t bits = 0;
    if (slash == 0 || slash >= sizeof address || memchr(text.ptr, '\0', slash) != NULL)
        return false;
    memcpy(address, text.ptr, slash);
    address[slash] = '\0';
    *out = (struct policy_network){{0}, 128};
    out->bytes[10] = out->bytes[11] = 0xFF;
    bool v4 = inet_pton(AF_INET, address, out->bytes + 12) == 1;
    if (!v4 && inet_pton(AF_INET6, address, out->bytes) != 1)
        return false;
    if (slash == text.len)
        return true;
    if (!mr_str_to_u64(mr_str_slice(text, slash + 1, text.len), &bits) || bits > (v4 ? 32U : 128U))
        return false;
    out->bits = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

bool policy_network_has(const struct policy_network *network, const struct policy_network *address)
{
    unsigned whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(network->bytes, address->bytes, whole) != 0)
        return false;
    return rest == 0 || ((network->bytes[whole] ^ address->bytes[whole]) >> (8 - rest)) == 0;
}
