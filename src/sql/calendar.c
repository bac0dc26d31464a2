/* sql/calendar.c - civil dates from day numbers and back (H. Hinnant's algorithms), units and fields. */
#include "sql/calendar.h"

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a % b < 0) != (b < 0));
}

struct sql_civil sql_civil_of_days(int64_t days)
{
    int64_t z = days + 719468; /* day 0 is 0000-03-01 */
    int64_t era = floor_div(z, 146097);
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    struct sql_civil c;
    c.day = doy - (153 * mp + 2) / 5 + 1;
    c.month = mp < 10 ? mp + 3 : mp - 9;
    c.year = (int64_t)yoe + era * 400 + (c.month <= 2);
    return c;
}

int64_t sql_days_of_civil(int64_t year, unsigned month, unsigned day)
{
    int64_t y = year - (month <= 2);
    int64_t era = floor_div(y, 400);
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

unsigned sql_days_in_month(int64_t year, unsigned month)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

int64_t sql_day_of(int64_t ns)
{
    return floor_div(ns, SQL_NS_DAY);
}

int64_t sql_time_of(int64_t ns)
{
    int64_t r = ns % SQL_NS_DAY;
    return r < 0 ? r + SQL_NS_DAY : r;
}

bool sql_unit_of(struct mr_str text, enum sql_unit *out)
{
    static const char *const names[] = {"millisecond", "second", "minute",  "hour", "day",
                                        "week",        "month",  "quarter", "year"};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        if (mr_str_ieq(text, mr_str_of(names[i]))) {
            *out = (enum sql_unit)(SQL_UNIT_MILLISECOND + i);
            return true;
        }
    }
    return false;
}

int64_t sql_unit_ns(enum sql_unit unit)
{
    switch (unit) {
    case SQL_UNIT_NANOSECOND:
        return 1;
    case SQL_UNIT_MILLISECOND:
        return 1000000;
    case SQL_UNIT_SECOND:
        return SQL_NS_SECOND;
    case SQL_UNIT_MINUTE:
        return SQL_NS_MINUTE;
    case SQL_UNIT_HOUR:
        return SQL_NS_HOUR;
    case SQL_UNIT_DAY:
        return SQL_NS_DAY;
    case SQL_UNIT_WEEK:
        return 7 * SQL_NS_DAY;
    default:
        return 0;
    }
}

static int64_t unit_months(enum sql_unit unit)
{
    return unit == SQL_UNIT_YEAR ? 12 : unit == SQL_UNIT_QUARTER ? 3 : 1;
}

/* False when the count of months is beyond any date of ours. */
static bool days_add_months(int64_t days, int64_t months, int64_t *out)
{
    if (months > 200000000 || months < -200000000)
        return false;
    struct sql_civil c = sql_civil_of_days(days);
    int64_t total = c.year * 12 + (int64_t)c.month - 1 + months;
    int64_t year = floor_div(total, 12);
    unsigned month = (unsigned)(total - year * 12) + 1;
    unsigned last = sql_days_in_month(year, month);
    *out = sql_days_of_civil(year, month, c.day < last ? c.day : last);
    return true;
}

static bool ts_of(int64_t days, int64_t time, int64_t *out)
{
    /* The first and the last day are partial, so midnight itself may be out of range. */
    __int128 ns = (__int128)days * SQL_NS_DAY + time;
    if (ns > INT64_MAX || ns < INT64_MIN)
        return false;
    *out = (int64_t)ns;
    return true;
}

bool sql_ts_add_months(int64_t ts, int64_t months, int64_t *out)
{
    int64_t days;
    return days_add_months(sql_day_of(ts), months, &days) && ts_of(days, sql_time_of(ts), out);
}

bool sql_date_add_months(int32_t date, int64_t months, int32_t *out)
{
    int64_t days;
    if (!days_add_months(date, months, &days) || days > INT32_MAX || days < INT32_MIN)
        return false;
    *out = (int32_t)days;
    return true;
}

static int64_t days_trunc(enum sql_unit unit, int64_t days)
{
    struct sql_civil c = sql_civil_of_days(days);
    switch (unit) {
    case SQL_UNIT_WEEK:
        return days -
               (sql_ts_field(SQL_FIELD_DAY_OF_WEEK, 0) - 1 + days % 7 + 7) % 7; /* 1970-01-01: Thursday */
    case SQL_UNIT_MONTH:
        return days - c.day + 1;
    case SQL_UNIT_QUARTER:
        return sql_days_of_civil(c.year, (c.month - 1) / 3 * 3 + 1, 1);
    case SQL_UNIT_YEAR:
        return sql_days_of_civil(c.year, 1, 1);
    default:
        return days;
    }
}

bool sql_ts_trunc(enum sql_unit unit, int64_t ts, int64_t *out)
{
    if (unit < SQL_UNIT_WEEK)
        return sql_ts_bin(ts, sql_unit_ns(unit), out);
    return ts_of(days_trunc(unit, sql_day_of(ts)), 0, out);
}

bool sql_date_trunc(enum sql_unit unit, int32_t date, int32_t *out)
{
    int64_t days = days_trunc(unit, date);
    if (days < INT32_MIN)
        return false;
    *out = (int32_t)days;
    return true;
}

bool sql_ts_add(enum sql_unit unit, int64_t count, int64_t ts, int64_t *out)
{
    int64_t ns = sql_unit_ns(unit);
    if (ns == 0) {
        int64_t months;
        return !__builtin_mul_overflow(count, unit_months(unit), &months) &&
               sql_ts_add_months(ts, months, out);
    }
    __int128 sum = (__int128)count * ns + ts;
    if (sum > INT64_MAX || sum < INT64_MIN)
        return false;
    *out = (int64_t)sum;
    return true;
}

/* Complete months from a to b, each given as day and time of day. */
static int64_t months_between(int64_t day_a, int64_t time_a, int64_t day_b, int64_t time_b)
{
    bool negative = day_b < day_a || (day_b == day_a && time_b < time_a);
    if (negative) {
        int64_t d = day_a, t = time_a;
        day_a = day_b;
        time_a = time_b;
        day_b = d;
        time_b = t;
    }
    struct sql_civil a = sql_civil_of_days(day_a), b = sql_civil_of_days(day_b);
    int64_t months = (b.year - a.year) * 12 + (int64_t)b.month - (int64_t)a.month;
    if (b.day < a.day || (b.day == a.day && time_b < time_a))
        months--;
    return negative ? -months : months;
}

int64_t sql_ts_diff(enum sql_unit unit, int64_t a, int64_t b)
{
    int64_t ns = sql_unit_ns(unit);
    if (ns != 0) {
        __int128 q = ((__int128)b - a) / ns;
        return q > INT64_MAX ? INT64_MAX : q < INT64_MIN ? INT64_MIN : (int64_t)q;
    }
    return months_between(sql_day_of(a), sql_time_of(a), sql_day_of(b), sql_time_of(b)) / unit_months(unit);
}

int64_t sql_date_diff(enum sql_unit unit, int32_t a, int32_t b)
{
    if (unit == SQL_UNIT_DAY)
        return (int64_t)b - a;
    if (unit == SQL_UNIT_WEEK)
        return ((int64_t)b - a) / 7;
    return months_between(a, 0, b, 0) / unit_months(unit);
}

/* The Thursday of the ISO week decides its year. */
static int64_t iso_thursday(int64_t days)
{
    return days_trunc(SQL_UNIT_WEEK, days) + 3;
}

static int64_t day_of_year(int64_t days)
{
    return days - sql_days_of_civil(sql_civil_of_days(days).year, 1, 1) + 1;
}

int64_t sql_ts_field(enum sql_unit field, int64_t ts)
{
    int64_t days = sql_day_of(ts), time = sql_time_of(ts);
    struct sql_civil c = sql_civil_of_days(days);
    switch (field) {
    case SQL_UNIT_NANOSECOND:
        return time % SQL_NS_SECOND;
    case SQL_UNIT_MILLISECOND:
        return time % SQL_NS_SECOND / 1000000;
    case SQL_UNIT_SECOND:
        return time / SQL_NS_SECOND % 60;
    case SQL_UNIT_MINUTE:
        return time / SQL_NS_MINUTE % 60;
    case SQL_UNIT_HOUR:
        return time / SQL_NS_HOUR;
    case SQL_UNIT_DAY:
        return c.day;
    case SQL_UNIT_WEEK:
        return (day_of_year(iso_thursday(days)) - 1) / 7 + 1;
    case SQL_UNIT_MONTH:
        return c.month;
    case SQL_UNIT_QUARTER:
        return (c.month - 1) / 3 + 1;
    case SQL_UNIT_YEAR:
        return c.year;
    case SQL_FIELD_DAY_OF_WEEK:
        return ((days % 7 + 7) % 7 + 3) % 7 + 1; /* day 0 was a Thursday, 4 */
    case SQL_FIELD_DAY_OF_YEAR:
        return day_of_year(days);
    case SQL_FIELD_YEAR_OF_WEEK:
        return sql_civil_of_days(iso_thursday(days)).year;
    }
    return 0;
}

bool sql_ts_bin(int64_t ts, int64_t interval, int64_t *out)
{
    if (interval <= 0)
        return false;
    return !__builtin_mul_overflow(floor_div(ts, interval), interval, out);
}

bool sql_date_to_ts(int32_t date, int64_t *out)
{
    return !__builtin_mul_overflow((int64_t)date, SQL_NS_DAY, out);
}
