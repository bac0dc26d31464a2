#include "auth/sigv4.h"

#include "base/clock.h"

struct civil {
    unsigned year, month, day, hour, minute, second;
};

/* Exactly s.len decimal digits. */
static bool digits(struct mr_str s, unsigned *out)
{
    unsigned v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        v = v * 10 + (unsigned)(s.ptr[i] - '0');
    }
    *out = v;
    return s.len > 0;
}

static bool leap(unsigned year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool to_seconds(const struct civil *c, int64_t *seconds)
{
    static const unsigned char month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (c->year < 1970 || c->year > 2261 || c->month < 1 || c->month > 12 || c->hour > 23 || c->minute > 59 ||
        c->second > 59)
        return false;
    unsigned last = month_days[c->month - 1] + (c->month == 2 && leap(c->year) ? 1U : 0U);
    if (c->day < 1 || c->day > last)
        return false;
    *seconds = mr_days_from_civil(c->year, c->month, c->day) * 86400 +
               (int64_t)(c->hour * 3600 + c->minute * 60 + c->second);
    return true;
}

bool auth_date_basic(struct mr_str text, int64_t *seconds)
{
    struct civil c = {0};
    return text.len == 16 && text.ptr[8] == 'T' && text.ptr[15] == 'Z' &&
           digits(mr_str_slice(text, 0, 4), &c.year) && digits(mr_str_slice(text, 4, 6), &c.month) &&
           digits(mr_str_slice(text, 6, 8), &c.day) && digits(mr_str_slice(text, 9, 11), &c.hour) &&
           digits(mr_str_slice(text, 11, 13), &c.minute) && digits(mr_str_slice(text, 13, 15), &c.second) &&
           to_seconds(&c, seconds);
}

static unsigned month_of(struct mr_str name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (unsigned m = 0; m < 12; m++)
        if (mr_str_eq(name, (struct mr_str){names + 3 * m, 3}))
            return m + 1;
    return 0;
}

/* The zone is always UTC; signers spell it in several ways (Python's formatdate writes -0000). */
static bool is_utc(struct mr_str zone)
{
    return mr_str_eq(zone, MR_STR("GMT")) || mr_str_eq(zone, MR_STR("UTC")) ||
           mr_str_eq(zone, MR_STR("+0000")) || mr_str_eq(zone, MR_STR("-0000"));
}

bool auth_date_http(struct mr_str text, int64_t *seconds)
{
    if (text.len < 28 || text.ptr[3] != ',' || text.ptr[4] != ' ')
        return false;
    struct mr_str s = mr_str_slice(text, 5, text.len); /* "02 Jan 2026 03:04:05 GMT" or "2 Jan ..." */
    size_t day_len = mr_str_find(s, ' ', 0);
    if (day_len > 2)
        return false;
    struct mr_str t = mr_str_slice(s, day_len, s.len); /* " Jan 2026 03:04:05 GMT" */
    if (t.len < 22 || t.ptr[0] != ' ' || t.ptr[4] != ' ' || t.ptr[9] != ' ' || t.ptr[12] != ':' ||
        t.ptr[15] != ':' || t.ptr[18] != ' ')
        return false;
    struct civil c = {.month = month_of(mr_str_slice(t, 1, 4))};
    return digits(mr_str_slice(s, 0, day_len), &c.day) && digits(mr_str_slice(t, 5, 9), &c.year) &&
           digits(mr_str_slice(t, 10, 12), &c.hour) && digits(mr_str_slice(t, 13, 15), &c.minute) &&
           digits(mr_str_slice(t, 16, 18), &c.second) && is_utc(mr_str_slice(t, 19, t.len)) &&
           to_seconds(&c, seconds);
}
