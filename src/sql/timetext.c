/* sql/timetext.c - a small scanner over fixed forms; every reader advances only when it matches. */
#include "sql/timetext.h"

#include <inttypes.h>
#include <stdio.h>

struct scan {
    struct mr_str s;
    size_t at;
};

static bool at_end(const struct scan *sc)
{
    return sc->at == sc->s.len;
}

static bool take(struct scan *sc, char c)
{
    if (at_end(sc) || sc->s.ptr[sc->at] != c)
        return false;
    sc->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At least `min` and at most `max` digits. */
static bool digits(struct scan *sc, unsigned min, unsigned max, int64_t *out)
{
    unsigned n = 0;
    int64_t v = 0;
    while (n < max && !at_end(sc) && is_digit(sc->s.ptr[sc->at])) {
        v = v * 10 + (sc->s.ptr[sc->at++] - '0');
        n++;
    }
    *out = v;
    return n >= min;
}

/* year '-' month '-' day */
static bool read_date(struct scan *sc, unsigned min_digits, int64_t *days)
{
    int64_t y, m, d;
    if (!digits(sc, 4, 4, &y) || !take(sc, '-') || !digits(sc, min_digits, 2, &m) || !take(sc, '-') ||
        !digits(sc, min_digits, 2, &d))
        return false;
    if (m < 1 || m > 12 || d < 1 || d > sql_days_in_month(y, (unsigned)m))
        return false;
    *days = sql_days_of_civil(y, (unsigned)m, (unsigned)d);
    return true;
}

/* ['.' digit{1,9}], in ns */
static bool read_fraction(struct scan *sc, int64_t *ns)
{
    *ns = 0;
    if (!take(sc, '.'))
        return true;
    size_t from = sc->at;
    if (!digits(sc, 1, 9, ns))
        return false;
    for (size_t n = sc->at - from; n < 9; n++)
        *ns *= 10;
    return true;
}

/* hour ':' minute [':' second ['.' fraction]] */
static bool read_time(struct scan *sc, unsigned min_hour, int64_t *ns)
{
    int64_t h, m, s = 0, f = 0;
    if (!digits(sc, min_hour, 2, &h) || !take(sc, ':') || !digits(sc, 2, 2, &m))
        return false;
    if (take(sc, ':') && (!digits(sc, 2, 2, &s) || !read_fraction(sc, &f)))
        return false;
    if (h > 23 || m > 59 || s > 59)
        return false;
    *ns = h * SQL_NS_HOUR + m * SQL_NS_MINUTE + s * SQL_NS_SECOND + f;
    return true;
}

/* [[' '] ('Z' | 'UTC' | ('+'|'-') hh [':'] mm)], as ns to subtract */
static bool read_zone(struct scan *sc, int64_t *offset)
{
    *offset = 0;
    if (at_end(sc))
        return true;
    while (take(sc, ' '))
        ;
    if (mr_str_ieq(mr_str_slice(sc->s, sc->at, sc->s.len), MR_STR("UTC"))) {
        sc->at = sc->s.len;
        return true;
    }
    if (take(sc, 'Z') || take(sc, 'z'))
        return true;
    int64_t h, m = 0;
    bool minus = take(sc, '-');
    if ((!minus && !take(sc, '+')) || !digits(sc, 2, 2, &h))
        return false;
    if (take(sc, ':') ? !digits(sc, 2, 2, &m) : (!at_end(sc) && !digits(sc, 2, 2, &m)))
        return false;
    if (h > 18 || m > 59)
        return false;
    *offset = (h * SQL_NS_HOUR + m * SQL_NS_MINUTE) * (minus ? -1 : 1);
    return true;
}

static bool instant(int64_t days, int64_t time, int64_t offset, int64_t *out)
{
    __int128 ns = (__int128)days * SQL_NS_DAY + time - offset;
    if (ns > INT64_MAX || ns < INT64_MIN)
        return false;
    *out = (int64_t)ns;
    return true;
}

/* What follows the date of a timestamp: nothing, or time and zone. */
static bool read_rest(struct scan *sc, int64_t days, bool blank_ok, int64_t *out)
{
    int64_t time = 0, offset = 0;
    if (!at_end(sc)) {
        if (!take(sc, 'T') && !(blank_ok && take(sc, ' ')))
            return false;
        if (!read_time(sc, 1, &time))
            return false;
    }
    return read_zone(sc, &offset) && at_end(sc) && instant(days, time, offset, out);
}

bool sql_parse_timestamp(struct mr_str text, int64_t *out)
{
    struct scan sc = {text, 0};
    int64_t days;
    return read_date(&sc, 1, &days) && read_rest(&sc, days, true, out);
}

bool sql_parse_date(struct mr_str text, int32_t *out)
{
    struct scan sc = {text, 0};
    int64_t days;
    if (!read_date(&sc, 1, &days) || !at_end(&sc))
        return false;
    *out = (int32_t)days;
    return true;
}

bool sql_parse_time(struct mr_str text, int64_t *out)
{
    struct scan sc = {text, 0};
    return read_time(&sc, 1, out) && at_end(&sc);
}

/* -W10[-4] */
static bool read_week(struct scan *sc, int64_t year, int64_t *days)
{
    int64_t week, day = 1;
    if (!digits(sc, 2, 2, &week) || (take(sc, '-') && !digits(sc, 1, 1, &day)) || week < 1 || week > 53 ||
        day < 1 || day > 7)
        return false;
    int64_t jan4 = sql_days_of_civil(year, 1, 4); /* always in week 1 */
    int64_t monday = jan4 - (sql_ts_field(SQL_FIELD_DAY_OF_WEEK, jan4 * SQL_NS_DAY) - 1);
    *days = monday + (week - 1) * 7 + day - 1;
    return true;
}

/* year ['-' (month ['-' day] | 'W' week ['-' day] | day-of-year)] */
static bool read_iso_date(struct scan *sc, int64_t *days)
{
    int64_t year, n, day = 1;
    if (!digits(sc, 4, 4, &year))
        return false;
    *days = sql_days_of_civil(year, 1, 1);
    if (!take(sc, '-'))
        return true;
    if (year > 1677 && year < 2263 && take(sc, 'W'))
        return read_week(sc, year, days);
    size_t from = sc->at;
    if (!digits(sc, 2, 3, &n) || n < 1)
        return false;
    if (sc->at - from == 3) {
        *days += n - 1;
        return n <= sql_days_of_civil(year + 1, 1, 1) - sql_days_of_civil(year, 1, 1);
    }
    if (n > 12 || (take(sc, '-') && !digits(sc, 2, 2, &day)) || day < 1 ||
        day > sql_days_in_month(year, (unsigned)n))
        return false;
    *days = sql_days_of_civil(year, (unsigned)n, (unsigned)day);
    return true;
}

bool sql_parse_iso_timestamp(struct mr_str text, int64_t *out)
{
    struct scan sc = {text, 0};
    int64_t days;
    return read_iso_date(&sc, &days) && read_rest(&sc, days, false, out);
}

bool sql_parse_iso_date(struct mr_str text, int32_t *out)
{
    struct scan sc = {text, 0};
    int64_t days;
    if (!read_iso_date(&sc, &days) || !at_end(&sc))
        return false;
    *out = (int32_t)days;
    return true;
}

static const struct {
    const char *name;
    bool months;
    int64_t size;
} duration_units[] = {
    {"ns", false, 1},
    {"nanosecond", false, 1},
    {"us", false, 1000},
    {"microsecond", false, 1000},
    {"ms", false, 1000000},
    {"millisecond", false, 1000000},
    {"s", false, SQL_NS_SECOND},
    {"second", false, SQL_NS_SECOND},
    {"m", false, SQL_NS_MINUTE},
    {"minute", false, SQL_NS_MINUTE},
    {"h", false, SQL_NS_HOUR},
    {"hour", false, SQL_NS_HOUR},
    {"d", false, SQL_NS_DAY},
    {"day", false, SQL_NS_DAY},
    {"y", true, 12},
    {"year", true, 12},
    {"month", true, 1},
};

/* whole * size + fraction * size, the fraction as up to 18 digits over a power of ten. */
static bool scale(int64_t whole, int64_t fraction, int64_t power, int64_t size, int64_t *out)
{
    int64_t part = (int64_t)((__int128)fraction * size / power);
    return !__builtin_mul_overflow(whole, size, out) && !__builtin_add_overflow(*out, part, out);
}

enum sql_duration sql_parse_duration(struct mr_str text, bool *months, int64_t *value, struct mr_str *unit)
{
    struct scan sc = {text, 0};
    int64_t whole = 0, fraction = 0, power = 1;
    *unit = MR_STR("");
    while (take(&sc, ' '))
        ;
    size_t from = sc.at;
    while (!at_end(&sc) && is_digit(sc.s.ptr[sc.at])) {
        if (__builtin_mul_overflow(whole, (int64_t)10, &whole) ||
            __builtin_add_overflow(whole, (int64_t)(sc.s.ptr[sc.at] - '0'), &whole))
            return SQL_DURATION_BAD_FORM;
        sc.at++;
    }
    if (sc.at == from)
        return SQL_DURATION_BAD_FORM;
    if (take(&sc, '.')) {
        from = sc.at;
        if (!digits(&sc, 1, 18, &fraction))
            return SQL_DURATION_BAD_FORM;
        for (size_t n = sc.at - from; n > 0; n--)
            power *= 10;
    }
    while (take(&sc, ' '))
        ;
    *unit = mr_str_trim(mr_str_slice(text, sc.at, text.len));
    if (unit->len == 0)
        return SQL_DURATION_BAD_FORM;
    for (size_t i = 0; i < MR_ARRAY_LEN(duration_units); i++) {
        if (!mr_str_ieq(*unit, mr_str_of(duration_units[i].name)))
            continue;
        *months = duration_units[i].months;
        return scale(whole, fraction, power, duration_units[i].size, value) ? SQL_DURATION_OK
                                                                            : SQL_DURATION_BAD_FORM;
    }
    return SQL_DURATION_BAD_UNIT;
}

static size_t print_instant(int64_t ns, char separator, const char *suffix, char out[SQL_TIME_TEXT])
{
    struct sql_civil c = sql_civil_of_days(sql_day_of(ns));
    int64_t t = sql_time_of(ns);
    return (size_t)snprintf(out, SQL_TIME_TEXT, "%04" PRId64 "-%02u-%02u%c%02d:%02d:%02d.%09d%s", c.year,
                            c.month, c.day, separator, (int)(t / SQL_NS_HOUR), (int)(t / SQL_NS_MINUTE % 60),
                            (int)(t / SQL_NS_SECOND % 60), (int)(t % SQL_NS_SECOND), suffix);
}

size_t sql_print_timestamp(int64_t ns, char out[SQL_TIME_TEXT])
{
    return print_instant(ns, ' ', "", out);
}

size_t sql_print_iso_timestamp(int64_t ns, char out[SQL_TIME_TEXT])
{
    return print_instant(ns, 'T', "Z", out);
}

size_t sql_print_date(int32_t days, char out[SQL_TIME_TEXT])
{
    struct sql_civil c = sql_civil_of_days(days);
    return (size_t)snprintf(out, SQL_TIME_TEXT, "%04" PRId64 "-%02u-%02u", c.year, c.month, c.day);
}

size_t sql_print_time(int64_t ns, char out[SQL_TIME_TEXT])
{
    return (size_t)snprintf(out, SQL_TIME_TEXT, "%02d:%02d:%02d.%09d", (int)(ns / SQL_NS_HOUR),
                            (int)(ns / SQL_NS_MINUTE % 60), (int)(ns / SQL_NS_SECOND % 60),
                            (int)(ns % SQL_NS_SECOND));
}

size_t sql_print_interval_day(int64_t ns, char out[SQL_TIME_TEXT])
{
    uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
    uint64_t t = u % (uint64_t)SQL_NS_DAY;
    return (size_t)snprintf(out, SQL_TIME_TEXT, "%s%" PRIu64 " %02u:%02u:%02u.%09u", ns < 0 ? "-" : "",
                            u / (uint64_t)SQL_NS_DAY, (unsigned)(t / SQL_NS_HOUR),
                            (unsigned)(t / SQL_NS_MINUTE % 60), (unsigned)(t / SQL_NS_SECOND % 60),
                            (unsigned)(t % SQL_NS_SECOND));
}

size_t sql_print_interval_year(int32_t months, char out[SQL_TIME_TEXT])
{
    uint32_t u = months < 0 ? 0 - (uint32_t)months : (uint32_t)months;
    return (size_t)snprintf(out, SQL_TIME_TEXT, "%s%u-%u", months < 0 ? "-" : "", u / 12, u % 12);
}
