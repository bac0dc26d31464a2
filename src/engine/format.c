#include "engine/format.h"

#include <strings.h>

#include "sql/calendar.h"

const char *const format_months[12] = {"January", "February", "March",     "April",   "May",      "June",
                                       "July",    "August",   "September", "October", "November", "December"};
const char *const format_weekdays[7] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                        "Friday", "Saturday", "Sunday"};

void format_take_apart(int64_t ts, struct format_parts *out)
{
    int64_t time = sql_time_of(ts);
    struct sql_civil civil = sql_civil_of_days(sql_day_of(ts));

    *out = (struct format_parts){
        .year = civil.year,
        .week_year = sql_ts_field(SQL_FIELD_YEAR_OF_WEEK, ts),
        .month = civil.month,
        .day = civil.day,
        .day_of_year = (unsigned)sql_ts_field(SQL_FIELD_DAY_OF_YEAR, ts),
        .week = (unsigned)sql_ts_field(SQL_UNIT_WEEK, ts),
        .weekday = (unsigned)sql_ts_field(SQL_FIELD_DAY_OF_WEEK, ts),
        .hour = (unsigned)(time / SQL_NS_HOUR),
        .minute = (unsigned)(time / SQL_NS_MINUTE % 60),
        .second = (unsigned)(time / SQL_NS_SECOND % 60),
        .ns = (unsigned)(time % SQL_NS_SECOND),
    };
}

/* ---- reading
 * ------------------------------------------------------------------------------------------------- */

void format_input_init(struct format_input *in, struct mr_str text)
{
    *in = (struct format_input){.text = text,
                                .year = 1970,
                                .week_year = 1970,
                                .month = 1,
                                .day = 1,
                                .day_of_year = 1,
                                .week = 1,
                                .weekday = 1,
                                .hour12 = 12};
}

static bool digit_at(const struct format_input *in, size_t at)
{
    return at < in->text.len && in->text.ptr[at] >= '0' && in->text.ptr[at] <= '9';
}

bool format_read_number(struct format_input *in, unsigned max_digits, bool sign, int64_t *out)
{
    size_t at = in->at;
    bool negative = sign && at < in->text.len && in->text.ptr[at] == '-';
    int64_t v = 0;
    unsigned n = 0;

    if (sign && at < in->text.len && (in->text.ptr[at] == '-' || in->text.ptr[at] == '+'))
        at++;
    while (n < max_digits && n < 18 && digit_at(in, at)) {
        v = v * 10 + (in->text.ptr[at++] - '0');
        n++;
    }
    if (n == 0)
        return false;
    in->at = at;
    *out = negative ? -v : v;
    return true;
}

bool format_read_literal(struct format_input *in, struct mr_str literal)
{
    if (!mr_str_ieq(mr_str_slice(in->text, in->at, in->at + literal.len), literal))
        return false;
    in->at += literal.len;
    return true;
}

/* The name at `at`, long or short, or -1. */
static int read_name(struct format_input *in, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (format_read_literal(in, mr_str_of(names[i])) ||
            format_read_literal(in, (struct mr_str){names[i], 3}))
            return i;
    return -1;
}

bool format_read_month_name(struct format_input *in)
{
    int month = read_name(in, format_months, 12);

    in->month = month + 1;
    in->has_month = true;
    return month >= 0;
}

bool format_read_weekday_name(struct format_input *in)
{
    int weekday = read_name(in, format_weekdays, 7);

    in->weekday = weekday + 1;
    in->has_weekday = true;
    return weekday >= 0;
}

bool format_read_half(struct format_input *in)
{
    in->pm = format_read_literal(in, MR_STR("PM"));
    in->has_half = true;
    return in->pm || format_read_literal(in, MR_STR("AM"));
}

bool format_read_fraction(struct format_input *in, unsigned max_digits)
{
    int64_t unit = 100000000;
    unsigned n = 0;

    in->ns = 0;
    for (; n < max_digits && digit_at(in, in->at); n++) {
        in->ns += (in->text.ptr[in->at++] - '0') * unit; /* digits beyond the ninth count nothing */
        unit /= 10;
    }
    return n > 0;
}

static bool read_offset(struct format_input *in)
{
    size_t start = in->at;
    int64_t hours, minutes = 0;
    bool west = in->at < in->text.len && in->text.ptr[in->at] == '-';

    if (in->at >= in->text.len || (!west && in->text.ptr[in->at] != '+'))
        return false;
    in->at++;
    if (format_read_number(in, 2, false, &hours) && hours <= 23) {
        bool colon = format_read_literal(in, MR_STR(":"));
        if ((format_read_number(in, 2, false, &minutes) || !colon) && minutes <= 59) {
            in->offset = (west ? -1 : 1) * (hours * 3600 + minutes * 60);
            return true;
        }
    }
    in->at = start;
    return false;
}

bool format_read_zone(struct format_input *in)
{
    static const struct {
        struct mr_str name;
        int hours;
    } zones[] = {
        {{"UTC", 3}, 0},  {{"GMT", 3}, 0},  {{"EST", 3}, -5}, {{"EDT", 3}, -4},
        {{"CST", 3}, -6}, {{"CDT", 3}, -5}, {{"MST", 3}, -7}, {{"MDT", 3}, -6},
        {{"PST", 3}, -8}, {{"PDT", 3}, -7}, {{"Z", 1}, 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(zones); i++) {
        if (format_read_literal(in, zones[i].name)) {
            in->offset = zones[i].hours * 3600;
            return true;
        }
    }
    return read_offset(in);
}

bool format_read_two_digit_year(struct format_input *in)
{
    int64_t v;

    if (!digit_at(in, in->at) || !digit_at(in, in->at + 1))
        return false;
    if (!format_read_number(in, 2, false, &v))
        return false;
    in->year = v < 70 ? 2000 + v : 1900 + v;
    in->has_year = true;
    return true;
}

/* ---- putting together
 * ---------------------------------------------------------------------------------------- */

static bool resolve_day(const struct format_input *in, int64_t *out)
{
    int64_t year = in->bc ? 1 - in->year : in->year;

    if (year < -9999 || year > 9999)
        return false;
    if (in->has_week || in->has_week_year) {
        /* the week of January 4th is the first; its Monday is `first` */
        int64_t january4 = sql_days_of_civil(in->has_week_year ? in->week_year : year, 1, 4);
        int64_t first = january4 - ((january4 + 3) % 7 + 7) % 7;
        *out = first + (in->week - 1) * 7 + in->weekday - 1;
        return in->week >= 1 && in->week <= 53 && in->weekday >= 1 && in->weekday <= 7;
    }
    if (in->has_day_of_year) {
        *out = sql_days_of_civil(year, 1, 1) + in->day_of_year - 1;
        return in->day_of_year >= 1 && *out < sql_days_of_civil(year + 1, 1, 1);
    }
    if (in->month < 1 || in->month > 12 || in->day < 1 ||
        in->day > sql_days_in_month(year, (unsigned)in->month))
        return false;
    *out = sql_days_of_civil(year, (unsigned)in->month, (unsigned)in->day);
    return true;
}

bool format_resolve(const struct format_input *in, int64_t *out)
{
    int64_t days, hour = in->hour;

    if (in->has_hour12 || in->has_half) {
        if (in->has_hour12 && in->hour12 > 12)
            return false;
        if (in->has_hour12)
            hour = in->hour12 % 12 + (in->pm ? 12 : 0);
    }
    if (hour > 23 || in->minute > 59 || in->second > 59 || in->week_year < -9999 || in->week_year > 9999 ||
        !resolve_day(in, &days))
        return false;
    int64_t seconds = hour * 3600 + in->minute * 60 + in->second - in->offset;
    __int128 ns = ((__int128)days * 86400 + seconds) * SQL_NS_SECOND + in->ns;
    if (ns < INT64_MIN || ns > INT64_MAX)
        return false;
    *out = (int64_t)ns;
    return true;
}
