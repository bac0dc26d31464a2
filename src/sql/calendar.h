/* sql/calendar.h - the proleptic Gregorian calendar over int64 nanoseconds and int32 days.
 *
 * Used by the binder to fold constants and by the engine to compute rows, so that both agree. Everything is
 * UTC. Functions that return bool give false when the result leaves its range. No state.
 */
#ifndef MR_SQL_CALENDAR_H
#define MR_SQL_CALENDAR_H

#include "base/base.h"

#define SQL_NS_SECOND INT64_C(1000000000)
#define SQL_NS_MINUTE (60 * SQL_NS_SECOND)
#define SQL_NS_HOUR (3600 * SQL_NS_SECOND)
#define SQL_NS_DAY (86400 * SQL_NS_SECOND)

struct sql_civil {
    int64_t year;
    unsigned month, day; /* from 1 */
};

struct sql_civil sql_civil_of_days(int64_t days);
/* month 1-12; any day number (1 is the first). */
int64_t sql_days_of_civil(int64_t year, unsigned month, unsigned day);
unsigned sql_days_in_month(int64_t year, unsigned month);

/* Floor division: days since the epoch, and ns since that day's midnight. */
int64_t sql_day_of(int64_t ns);
int64_t sql_time_of(int64_t ns);

/* Units of date_trunc, date_add, date_diff, and fields of extract, as one list. */
enum sql_unit {
    SQL_UNIT_NANOSECOND,
    SQL_UNIT_MILLISECOND,
    SQL_UNIT_SECOND,
    SQL_UNIT_MINUTE,
    SQL_UNIT_HOUR,
    SQL_UNIT_DAY,
    SQL_UNIT_WEEK,
    SQL_UNIT_MONTH,
    SQL_UNIT_QUARTER,
    SQL_UNIT_YEAR,
    SQL_FIELD_DAY_OF_WEEK,
    SQL_FIELD_DAY_OF_YEAR,
    SQL_FIELD_YEAR_OF_WEEK
};

/* millisecond second minute hour day week month quarter year, any case; false for another text. */
bool sql_unit_of(struct mr_str text, enum sql_unit *out);
/* Nanoseconds of a unit up to week; 0 for calendar units. */
int64_t sql_unit_ns(enum sql_unit unit);

bool sql_ts_add_months(int64_t ts, int64_t months, int64_t *out); /* clamps to the month's end */
bool sql_date_add_months(int32_t date, int64_t months, int32_t *out);
bool sql_ts_trunc(enum sql_unit unit, int64_t ts, int64_t *out);
bool sql_date_trunc(enum sql_unit unit, int32_t date, int32_t *out); /* day and longer */
bool sql_ts_add(enum sql_unit unit, int64_t count, int64_t ts, int64_t *out);
/* b - a in complete units, truncated toward zero. */
int64_t sql_ts_diff(enum sql_unit unit, int64_t a, int64_t b);
int64_t sql_date_diff(enum sql_unit unit, int32_t a, int32_t b);
/* Every unit and field. */
int64_t sql_ts_field(enum sql_unit field, int64_t ts);
/* floor(ts / interval) * interval; false when interval <= 0 or the bin starts before the range. */
bool sql_ts_bin(int64_t ts, int64_t interval, int64_t *out);
bool sql_date_to_ts(int32_t date, int64_t *out);

#endif
