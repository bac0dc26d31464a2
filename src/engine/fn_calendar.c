/* bin, date_trunc, date_add, date_diff, extraction (query-language reference 6.10, 6.11, 6.13). The calendar
 * itself is sql/calendar.h. A unit is nearly always one constant, so its name is looked up again only when it
 * changes. */
#include "engine/fn.h"
#include "sql/calendar.h"

#define TS_RANGE "Timestamp is out of range"

struct units {
    struct mr_str last;
    enum sql_unit unit;
};

static bool date_unit(enum sql_unit unit)
{
    return unit >= SQL_UNIT_DAY && unit <= SQL_UNIT_YEAR;
}

static bool time_unit(enum sql_unit unit)
{
    return unit <= SQL_UNIT_HOUR;
}

/* The row's unit. False, and the call has failed, when it is none that `fits` (NULL: any). */
static bool unit_of(struct fn_call *call, idx_t row, struct units *units, bool (*fits)(enum sql_unit),
                    const char *type)
{
    struct mr_str text = fn_str(call, 0, row);

    if (units->last.ptr != NULL && mr_str_eq(units->last, text))
        return true;
    if (!sql_unit_of(text, &units->unit) || (fits != NULL && !fits(units->unit))) {
        FN_BAD(call, "'" MR_STR_FMT "' is not a valid %s field", MR_STR_ARG(text), type);
        return false;
    }
    units->last = text; /* a view into the argument, which outlives the call */
    return true;
}

static void bin(struct fn_call *call)
{
    const int64_t *ts = FN_ARG(call, int64_t, 0), *ival = FN_ARG(call, int64_t, 1);
    int64_t *out = FN_OUT(call, int64_t);

    FN_EACH(call, i)
    {
        if (MR_UNLIKELY(!sql_ts_bin(ts[i], ival[i], &out[i]))) {
            FN_BAD(call, "%s", ival[i] <= 0 ? "bin interval must be positive" : TS_RANGE);
            return;
        }
    }
}

/* ---- date_trunc
 * ---------------------------------------------------------------------------------------------- */

static void trunc_ts(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, NULL, "TIMESTAMP"))
            return;
        if (!sql_ts_trunc(units.unit, FN_ARG(call, int64_t, 1)[i], &FN_OUT(call, int64_t)[i])) {
            FN_BAD(call, TS_RANGE);
            return;
        }
    }
}

static void trunc_date(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, date_unit, "DATE"))
            return;
        if (!sql_date_trunc(units.unit, FN_ARG(call, int32_t, 1)[i], &FN_OUT(call, int32_t)[i])) {
            FN_BAD(call, "Date is out of range");
            return;
        }
    }
}

static void trunc_time(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, time_unit, "TIME"))
            return;
        int64_t time = FN_ARG(call, int64_t, 1)[i];
        FN_OUT(call, int64_t)[i] = time - time % sql_unit_ns(units.unit);
    }
}

/* ---- date_add
 * ------------------------------------------------------------------------------------------------ */

static void add_ts(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, NULL, "TIMESTAMP"))
            return;
        if (!sql_ts_add(units.unit, FN_ARG(call, int64_t, 1)[i], FN_ARG(call, int64_t, 2)[i],
                        &FN_OUT(call, int64_t)[i])) {
            FN_BAD(call, TS_RANGE);
            return;
        }
    }
}

static bool add_to_date(enum sql_unit unit, int64_t count, int32_t date, int32_t *out)
{
    int64_t each = unit == SQL_UNIT_WEEK ? 7 : unit == SQL_UNIT_QUARTER ? 3 : unit == SQL_UNIT_YEAR ? 12 : 1;
    int64_t total, day;

    if (__builtin_mul_overflow(count, each, &total))
        return false;
    if (unit >= SQL_UNIT_MONTH)
        return sql_date_add_months(date, total, out);
    if (__builtin_add_overflow((int64_t)date, total, &day) || day != (int32_t)day)
        return false;
    *out = (int32_t)day;
    return true;
}

static void add_date(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, date_unit, "DATE"))
            return;
        if (!add_to_date(units.unit, FN_ARG(call, int64_t, 1)[i], FN_ARG(call, int32_t, 2)[i],
                         &FN_OUT(call, int32_t)[i])) {
            FN_BAD(call, "Date is out of range");
            return;
        }
    }
}

static void add_time(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, time_unit, "TIME"))
            return;
        /* count modulo the units of a day, so that the product fits */
        int64_t unit = sql_unit_ns(units.unit);
        int64_t change = FN_ARG(call, int64_t, 1)[i] % (SQL_NS_DAY / unit) * unit;
        int64_t time = (FN_ARG(call, int64_t, 2)[i] + change) % SQL_NS_DAY;
        FN_OUT(call, int64_t)[i] = time < 0 ? time + SQL_NS_DAY : time;
    }
}

/* ---- date_diff
 * ----------------------------------------------------------------------------------------------- */

static void diff_ts(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, NULL, "TIMESTAMP"))
            return;
        FN_OUT(call, int64_t)
        [i] = sql_ts_diff(units.unit, FN_ARG(call, int64_t, 1)[i], FN_ARG(call, int64_t, 2)[i]);
    }
}

static void diff_date(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, date_unit, "DATE"))
            return;
        FN_OUT(call, int64_t)
        [i] = sql_date_diff(units.unit, FN_ARG(call, int32_t, 1)[i], FN_ARG(call, int32_t, 2)[i]);
    }
}

static void diff_time(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!unit_of(call, i, &units, time_unit, "TIME"))
            return;
        FN_OUT(call, int64_t)
        [i] = (FN_ARG(call, int64_t, 2)[i] - FN_ARG(call, int64_t, 1)[i]) / sql_unit_ns(units.unit);
    }
}

/* ---- extract
 * ------------------------------------------------------------------------------------------------- */

static bool field_of(struct mr_str text, enum sql_unit *out)
{
    static const struct {
        struct mr_str name;
        enum sql_unit field;
    } fields[] = {
        {{"nanosecond", 10}, SQL_UNIT_NANOSECOND},
        {{"day_of_week", 11}, SQL_FIELD_DAY_OF_WEEK},
        {{"day_of_year", 11}, SQL_FIELD_DAY_OF_YEAR},
        {{"year_of_week", 12}, SQL_FIELD_YEAR_OF_WEEK},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(fields); i++) {
        if (mr_str_eq(fields[i].name, text)) {
            *out = fields[i].field;
            return true;
        }
    }
    return sql_unit_of(text, out);
}

/* Like unit_of; sql/ gives only fields that the type has, so an unknown one is our own fault. */
static bool extract_field(struct fn_call *call, idx_t row, struct units *units)
{
    struct mr_str text = fn_str(call, 0, row);

    if (units->last.ptr != NULL && mr_str_eq(units->last, text))
        return true;
    if (!field_of(text, &units->unit)) {
        fn_fail(call, MR_EINTERNAL, "unknown field");
        return false;
    }
    units->last = text;
    return true;
}

static void extract_ts(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!extract_field(call, i, &units))
            return;
        FN_OUT(call, int64_t)[i] = sql_ts_field(units.unit, FN_ARG(call, int64_t, 1)[i]);
    }
}

static int64_t date_field(enum sql_unit field, int32_t date)
{
    int64_t days = date;
    struct sql_civil civil;
    unsigned weekday; /* Monday 0 */

    switch (field) {
    case SQL_FIELD_DAY_OF_WEEK:
        return ((days + 3) % 7 + 7) % 7 + 1;
    case SQL_UNIT_WEEK:
    case SQL_FIELD_YEAR_OF_WEEK:
        /* the ISO week and year are those of the week's Thursday */
        weekday = (unsigned)(((days + 3) % 7 + 7) % 7);
        days = days - weekday + 3;
        civil = sql_civil_of_days(days);
        return field == SQL_FIELD_YEAR_OF_WEEK ? civil.year
                                               : (days - sql_days_of_civil(civil.year, 1, 1)) / 7 + 1;
    default:
        break;
    }
    civil = sql_civil_of_days(days);
    switch (field) {
    case SQL_UNIT_YEAR:
        return civil.year;
    case SQL_UNIT_QUARTER:
        return (civil.month - 1) / 3 + 1;
    case SQL_UNIT_MONTH:
        return civil.month;
    case SQL_FIELD_DAY_OF_YEAR:
        return days - sql_days_of_civil(civil.year, 1, 1) + 1;
    default:
        return civil.day;
    }
}

static void extract_date(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!extract_field(call, i, &units))
            return;
        FN_OUT(call, int64_t)[i] = date_field(units.unit, FN_ARG(call, int32_t, 1)[i]);
    }
}

/* Of a time of day, and of an interval, whose fields all carry its sign. */
static int64_t clock_field(enum sql_unit field, int64_t ns)
{
    switch (field) {
    case SQL_UNIT_DAY:
        return ns / SQL_NS_DAY;
    case SQL_UNIT_HOUR:
        return ns % SQL_NS_DAY / SQL_NS_HOUR;
    case SQL_UNIT_MINUTE:
        return ns % SQL_NS_HOUR / SQL_NS_MINUTE;
    case SQL_UNIT_SECOND:
        return ns % SQL_NS_MINUTE / SQL_NS_SECOND;
    case SQL_UNIT_MILLISECOND:
        return ns % SQL_NS_SECOND / 1000000;
    default:
        return ns % SQL_NS_SECOND;
    }
}

static void extract_clock(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!extract_field(call, i, &units))
            return;
        FN_OUT(call, int64_t)[i] = clock_field(units.unit, FN_ARG(call, int64_t, 1)[i]);
    }
}

static void extract_ivaly(struct fn_call *call)
{
    struct units units = {0};

    FN_EACH(call, i)
    {
        if (!extract_field(call, i, &units))
            return;
        int32_t months = FN_ARG(call, int32_t, 1)[i];
        FN_OUT(call, int64_t)[i] = units.unit == SQL_UNIT_YEAR ? months / 12 : months % 12;
    }
}

static int32_t last_day(int64_t days)
{
    struct sql_civil civil = sql_civil_of_days(days);

    return (int32_t)(days - civil.day + sql_days_in_month(civil.year, civil.month));
}

static void last_day_ts(struct fn_call *call)
{
    FN_EACH(call, i)
    FN_OUT(call, int32_t)[i] = last_day(sql_day_of(FN_ARG(call, int64_t, 0)[i]));
}

static void last_day_date(struct fn_call *call)
{
    FN_EACH(call, i)
    FN_OUT(call, int32_t)[i] = last_day(FN_ARG(call, int32_t, 0)[i]);
}

const struct fn_impl fn_calendar_table[] = {
    {"mr_bin", bin},
    {"mr_date_trunc_ts", trunc_ts},
    {"mr_date_trunc_date", trunc_date},
    {"mr_date_trunc_time", trunc_time},
    {"mr_date_add_ts", add_ts},
    {"mr_date_add_date", add_date},
    {"mr_date_add_time", add_time},
    {"mr_date_diff_ts", diff_ts},
    {"mr_date_diff_date", diff_date},
    {"mr_date_diff_time", diff_time},
    {"mr_extract_ts", extract_ts},
    {"mr_extract_date", extract_date},
    {"mr_extract_time", extract_clock},
    {"mr_extract_ival", extract_clock},
    {"mr_extract_ivaly", extract_ivaly},
    {"mr_last_day_ts", last_day_ts},
    {"mr_last_day_date", last_day_date},
    {NULL, NULL},
};
