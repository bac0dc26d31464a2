#include "engine/text.h"

#include "base/clock.h"

static const char pairs[201] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
    "46474849505152535455565758596061626364656667686970717273747576777879808182838485868788899091"
    "9293949596979899";

static char *put2(char *to, unsigned v)
{
    memcpy(to, pairs + 2 * v, 2);
    return to + 2;
}

static char *text_u64(char *to, uint64_t v)
{
    char tmp[TEXT_U64_MAX];
    char *p = tmp + sizeof(tmp);

    while (v >= 100) {
        p -= 2;
        memcpy(p, pairs + 2 * (v % 100), 2);
        v /= 100;
    }
    if (v >= 10) {
        p -= 2;
        memcpy(p, pairs + 2 * v, 2);
    } else {
        *--p = (char)('0' + v);
    }
    size_t len = (size_t)(tmp + sizeof(tmp) - p);
    memcpy(to, p, len);
    return to + len;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return a % b < 0 ? q - 1 : q;
}

char *text_date(char *to, int64_t days, struct text_day *memo)
{
    if (memo->len == 0 || memo->day != days) {
        int64_t year;
        unsigned month, day;
        char *p = memo->text;
        mr_civil_from_days(days, &year, &month, &day);
        if (year < 0)
            *p++ = '-';
        uint64_t y = year < 0 ? 0 - (uint64_t)year : (uint64_t)year;
        if (y < 10000) {
            p = put2(p, (unsigned)(y / 100));
            p = put2(p, (unsigned)(y % 100));
        } else { /* an INTEGER of days reaches year 5,881,580 */
            p = text_u64(p, y);
        }
        *p++ = '-';
        p = put2(p, month);
        *p++ = '-';
        p = put2(p, day);
        memo->len = (unsigned)(p - memo->text);
        memo->day = days;
    }
    memcpy(to, memo->text, memo->len);
    return to + memo->len;
}

char *text_time(char *to, int64_t ns_of_day)
{
    uint64_t seconds = (uint64_t)ns_of_day / 1000000000, ns = (uint64_t)ns_of_day % 1000000000;

    to = put2(to, (unsigned)(seconds / 3600 % 100));
    *to++ = ':';
    to = put2(to, (unsigned)(seconds / 60 % 60));
    *to++ = ':';
    to = put2(to, (unsigned)(seconds % 60));
    *to++ = '.';
    to = put2(to, (unsigned)(ns / 10000000));
    to = put2(to, (unsigned)(ns / 100000 % 100));
    to = put2(to, (unsigned)(ns / 1000 % 100));
    to = put2(to, (unsigned)(ns / 10 % 100));
    *to++ = (char)('0' + ns % 10);
    return to;
}

char *text_timestamp(char *to, int64_t ns, struct text_day *memo)
{
    int64_t days = floor_div(ns, MR_NS_PER_DAY);

    to = text_date(to, days, memo);
    *to++ = ' ';
    /* In unsigned arithmetic, because days * MR_NS_PER_DAY may lie below the smallest int64. */
    return text_time(to, (int64_t)((uint64_t)ns - (uint64_t)days * (uint64_t)MR_NS_PER_DAY));
}

char *text_interval_day(char *to, int64_t ns)
{
    uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;

    if (ns < 0)
        *to++ = '-';
    to = text_u64(to, size / (uint64_t)MR_NS_PER_DAY);
    *to++ = ' ';
    return text_time(to, (int64_t)(size % (uint64_t)MR_NS_PER_DAY));
}

char *text_interval_year(char *to, int64_t months)
{
    uint64_t size = months < 0 ? 0 - (uint64_t)months : (uint64_t)months;

    if (months < 0)
        *to++ = '-';
    to = text_u64(to, size / 12);
    *to++ = '-';
    return text_u64(to, size % 12);
}
