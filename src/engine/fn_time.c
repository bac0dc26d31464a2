/* Arithmetic of timestamps, dates, times of day and intervals (query-language reference 5.6). */
#include <math.h>

#include "engine/fn.h"
#include "sql/calendar.h"

#define TS_RANGE "Timestamp is out of range"
#define DATE_RANGE "Date is out of range"
#define IVAL_RANGE "Interval is out of range"

/* out[i] = a[i] op b[i], or the error: `compute` is an expression over x, y and *out that is true when it
 * fails. */
#define TWO(name, left, right, type, compute, text)                                                          \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        const left *first = FN_ARG(call, left, 0);                                                           \
        const right *second = FN_ARG(call, right, 1);                                                        \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            left x = first[i];                                                                               \
            right y = second[i];                                                                             \
            type *out = &FN_OUT(call, type)[i];                                                              \
            if (MR_UNLIKELY(compute)) {                                                                      \
                FN_BAD(call, text);                                                                          \
                return;                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }
#define ONE(name, left, type, compute, text)                                                                 \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        const left *first = FN_ARG(call, left, 0);                                                           \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            left x = first[i];                                                                               \
            type *out = &FN_OUT(call, type)[i];                                                              \
            if (MR_UNLIKELY(compute)) {                                                                      \
                FN_BAD(call, text);                                                                          \
                return;                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }

static bool wrap_day(int64_t time, int64_t change, int64_t *out)
{
    int64_t t = time % SQL_NS_DAY + change % SQL_NS_DAY;

    t %= SQL_NS_DAY;
    *out = t < 0 ? t + SQL_NS_DAY : t;
    return false;
}

/* The whole part of v as an int64; true when there is none. */
static bool to_i64(double v, int64_t *out)
{
    v = trunc(v);
    if (!(v >= -0x1p63 && v < 0x1p63))
        return true;
    *out = (int64_t)v;
    return false;
}

static bool to_i32(double v, int32_t *out)
{
    int64_t wide;

    if (to_i64(v, &wide) || wide != (int32_t)wide)
        return true;
    *out = (int32_t)wide;
    return false;
}

static bool mul_i32(int32_t x, int64_t y, int32_t *out)
{
    int64_t wide;

    if (__builtin_mul_overflow((int64_t)x, y, &wide) || wide != (int32_t)wide)
        return true;
    *out = (int32_t)wide;
    return false;
}

TWO(ts_add, int64_t, int64_t, int64_t, __builtin_add_overflow(x, y, out), TS_RANGE)
TWO(ts_sub, int64_t, int64_t, int64_t, __builtin_sub_overflow(x, y, out), TS_RANGE)
TWO(ts_diff, int64_t, int64_t, int64_t, __builtin_sub_overflow(x, y, out), IVAL_RANGE)
TWO(ts_add_months, int64_t, int32_t, int64_t, !sql_ts_add_months(x, y, out), TS_RANGE)
TWO(ts_sub_months, int64_t, int32_t, int64_t, !sql_ts_add_months(x, -(int64_t)y, out), TS_RANGE)
TWO(date_add_months, int32_t, int32_t, int32_t, !sql_date_add_months(x, y, out), DATE_RANGE)
TWO(date_sub_months, int32_t, int32_t, int32_t, !sql_date_add_months(x, -(int64_t)y, out), DATE_RANGE)
TWO(date_diff_ival, int32_t, int32_t, int64_t, __builtin_mul_overflow((int64_t)x - y, SQL_NS_DAY, out),
    IVAL_RANGE)
TWO(time_add, int64_t, int64_t, int64_t, wrap_day(x, y, out), TS_RANGE)
TWO(time_sub, int64_t, int64_t, int64_t, wrap_day(x, -(y % SQL_NS_DAY), out), TS_RANGE)
TWO(ival_add, int64_t, int64_t, int64_t, __builtin_add_overflow(x, y, out), IVAL_RANGE)
TWO(ival_sub, int64_t, int64_t, int64_t, __builtin_sub_overflow(x, y, out), IVAL_RANGE)
TWO(ival_mul_i64, int64_t, int64_t, int64_t, __builtin_mul_overflow(x, y, out), IVAL_RANGE)
TWO(ival_mul_f64, int64_t, double, int64_t, to_i64((double)x *y, out), IVAL_RANGE)
TWO(ivaly_add, int32_t, int32_t, int32_t, __builtin_add_overflow(x, y, out), IVAL_RANGE)
TWO(ivaly_sub, int32_t, int32_t, int32_t, __builtin_sub_overflow(x, y, out), IVAL_RANGE)
TWO(ivaly_mul_i64, int32_t, int64_t, int32_t, mul_i32(x, y, out), IVAL_RANGE)
TWO(ivaly_mul_f64, int32_t, double, int32_t, to_i32((double)x *y, out), IVAL_RANGE)
ONE(ival_neg, int64_t, int64_t, __builtin_sub_overflow((int64_t)0, x, out), IVAL_RANGE)
ONE(ivaly_neg, int32_t, int32_t, __builtin_sub_overflow((int32_t)0, x, out), IVAL_RANGE)
ONE(date_to_ts, int32_t, int64_t, !sql_date_to_ts(x, out), TS_RANGE)
ONE(from_millis, int64_t, int64_t, __builtin_mul_overflow(x, INT64_C(1000000), out), TS_RANGE)

/* ---- what needs more than one error
 * -------------------------------------------------------------------------- */

#define DIVIDE(name, type, narrow)                                                                           \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            double by = FN_ARG(call, double, 1)[i];                                                          \
            if (by == 0) {                                                                                   \
                FN_BAD(call, "Division by zero");                                                            \
                return;                                                                                      \
            }                                                                                                \
            if (narrow((double)FN_ARG(call, type, 0)[i] / by, &FN_OUT(call, type)[i])) {                     \
                FN_BAD(call, IVAL_RANGE);                                                                    \
                return;                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }
DIVIDE(ival_div_f64, int64_t, to_i64)
DIVIDE(ivaly_div_f64, int32_t, to_i32)

static void shift_date(struct fn_call *call, int sign, const char *not_whole)
{
    const int32_t *date = FN_ARG(call, int32_t, 0);
    const int64_t *ival = FN_ARG(call, int64_t, 1);

    FN_EACH(call, i)
    {
        if (ival[i] % SQL_NS_DAY != 0) {
            FN_BAD(call, "%s", not_whole);
            return;
        }
        int64_t day = (int64_t)date[i] + sign * (ival[i] / SQL_NS_DAY);
        if (day != (int32_t)day) {
            FN_BAD(call, DATE_RANGE);
            return;
        }
        FN_OUT(call, int32_t)[i] = (int32_t)day;
    }
}

static void date_add(struct fn_call *call)
{
    shift_date(call, 1, "Cannot add hour, minutes or seconds to a date");
}

static void date_sub(struct fn_call *call)
{
    shift_date(call, -1, "Cannot subtract hour, minutes or seconds from a date");
}

/* The nearest ns, reached without rounding twice: whole seconds are exact, and so is what they leave. */
static void from_unixtime(struct fn_call *call)
{
    const double *seconds = FN_ARG(call, double, 0);

    FN_EACH(call, i)
    {
        int64_t whole, ns;
        double rest = seconds[i] - floor(seconds[i]);
        if (to_i64(floor(seconds[i]), &whole) || __builtin_mul_overflow(whole, SQL_NS_SECOND, &ns) ||
            __builtin_add_overflow(ns, (int64_t)llround(rest * 1e9), &FN_OUT(call, int64_t)[i])) {
            FN_BAD(call, TS_RANGE);
            return;
        }
    }
}

static void ts_to_date(struct fn_call *call)
{
    FN_EACH(call, i)
    FN_OUT(call, int32_t)[i] = (int32_t)sql_day_of(FN_ARG(call, int64_t, 0)[i]);
}

static void ts_to_time(struct fn_call *call)
{
    FN_EACH(call, i)
    FN_OUT(call, int64_t)[i] = sql_time_of(FN_ARG(call, int64_t, 0)[i]);
}

static void ts_to_millis(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        int64_t ns = FN_ARG(call, int64_t, 0)[i];
        FN_OUT(call, int64_t)[i] = ns / 1000000 - (ns % 1000000 < 0);
    }
}

static void ival_to_millis(struct fn_call *call)
{
    FN_EACH(call, i)
    FN_OUT(call, int64_t)[i] = FN_ARG(call, int64_t, 0)[i] / 1000000;
}

const struct fn_impl fn_time_table[] = {
    {"mr_ts_add", ts_add},
    {"mr_ts_sub", ts_sub},
    {"mr_ts_diff", ts_diff},
    {"mr_ts_add_months", ts_add_months},
    {"mr_ts_sub_months", ts_sub_months},
    {"mr_date_add", date_add},
    {"mr_date_sub", date_sub},
    {"mr_date_diff_ival", date_diff_ival},
    {"mr_date_add_months", date_add_months},
    {"mr_date_sub_months", date_sub_months},
    {"mr_time_add", time_add},
    {"mr_time_sub", time_sub},
    {"mr_ival_add", ival_add},
    {"mr_ival_sub", ival_sub},
    {"mr_ival_neg", ival_neg},
    {"mr_ival_mul_i64", ival_mul_i64},
    {"mr_ival_mul_f64", ival_mul_f64},
    {"mr_ival_div_f64", ival_div_f64},
    {"mr_ivaly_add", ivaly_add},
    {"mr_ivaly_sub", ivaly_sub},
    {"mr_ivaly_neg", ivaly_neg},
    {"mr_ivaly_mul_i64", ivaly_mul_i64},
    {"mr_ivaly_mul_f64", ivaly_mul_f64},
    {"mr_ivaly_div_f64", ivaly_div_f64},
    {"mr_ts_to_date", ts_to_date},
    {"mr_ts_to_time", ts_to_time},
    {"mr_date_to_ts", date_to_ts},
    {"mr_from_millis", from_millis},
    {"mr_from_unixtime", from_unixtime},
    {"mr_ts_to_millis", ts_to_millis},
    {"mr_ival_to_millis", ival_to_millis},
    {NULL, NULL},
};
