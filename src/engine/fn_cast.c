/* Casts between numbers, booleans and texts (query-language reference 3.3, 3.5). */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/fn.h"
#include "json/number.h"
#include "sql/timetext.h"

static void i64_to_i32(struct fn_call *call)
{
    const int64_t *x = FN_ARG(call, int64_t, 0);

    FN_EACH(call, i)
    {
        if (x[i] != (int32_t)x[i]) {
            FN_BAD(call, "Out of range for integer: %" PRId64, x[i]);
            return;
        }
        FN_OUT(call, int32_t)[i] = (int32_t)x[i];
    }
}

static void bad_double(struct fn_call *call, double x, const char *type)
{
    char text[JSON_NUMBER_MAX];

    if (isnan(x))
        FN_BAD(call, "Cannot cast double NaN to %s", type);
    else
        FN_BAD(call, "Out of range for %s: %.*s", type, (int)json_format_java_double(x, text), text);
}

static void f64_to_i32(struct fn_call *call)
{
    const double *x = FN_ARG(call, double, 0);

    FN_EACH(call, i)
    {
        double rounded = round(x[i]);
        if (!(rounded >= -0x1p31 && rounded < 0x1p31)) {
            bad_double(call, x[i], "integer");
            return;
        }
        FN_OUT(call, int32_t)[i] = (int32_t)rounded;
    }
}

static void f64_to_i64(struct fn_call *call)
{
    const double *x = FN_ARG(call, double, 0);

    FN_EACH(call, i)
    {
        double rounded = round(x[i]);
        if (!(rounded >= -0x1p63 && rounded < 0x1p63)) {
            bad_double(call, x[i], "bigint");
            return;
        }
        FN_OUT(call, int64_t)[i] = (int64_t)rounded;
    }
}

#define INTEGER_TO_TEXT(name, type)                                                                          \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        char text[24];                                                                                       \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            int n = snprintf(text, sizeof(text), "%" PRId64, (int64_t)FN_ARG(call, type, 0)[i]);             \
            if (!fn_put_str(call, i, (struct mr_str){text, (size_t)n}))                                      \
                return;                                                                                      \
        }                                                                                                    \
    }
INTEGER_TO_TEXT(i32_to_text, int32_t)
INTEGER_TO_TEXT(i64_to_text, int64_t)

static void f64_to_text(struct fn_call *call)
{
    const double *x = FN_ARG(call, double, 0);
    char text[JSON_NUMBER_MAX];

    FN_EACH(call, i)
    if (!fn_put_str(call, i, (struct mr_str){text, json_format_java_double(x[i], text)}))
        return;
}

static void bad_text(struct fn_call *call, struct mr_str s, const char *type)
{
    FN_BAD(call, "Cannot cast '" MR_STR_FMT "' to %s", MR_STR_ARG(s), type);
}

static void text_to_i32(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        int64_t v;
        if (!mr_str_to_i64(s, &v) || v != (int32_t)v) {
            bad_text(call, s, "INT");
            return;
        }
        FN_OUT(call, int32_t)[i] = (int32_t)v;
    }
}

static void text_to_i64(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        if (!mr_str_to_i64(s, &FN_OUT(call, int64_t)[i])) {
            bad_text(call, s, "BIGINT");
            return;
        }
    }
}

static size_t digits(struct mr_str s, size_t at)
{
    size_t from = at;
    while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
        at++;
    return at - from;
}

/* [+-](digits[.digits] | .digits)[(e|E)[+-]digits] */
static bool decimal_form(struct mr_str s)
{
    size_t at = s.len > 0 && (s.ptr[0] == '+' || s.ptr[0] == '-') ? 1 : 0;
    size_t whole = digits(s, at), fraction = 0;

    at += whole;
    if (at < s.len && s.ptr[at] == '.') {
        fraction = digits(s, at + 1);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '+' || s.ptr[at] == '-'))
            at++;
        size_t exponent = digits(s, at);
        if (exponent == 0)
            return false;
        at += exponent;
    }
    return at == s.len;
}

static struct mr_str trim_blanks(struct mr_str s)
{
    while (s.len > 0 && (unsigned char)s.ptr[0] <= ' ')
        s = mr_str_slice(s, 1, s.len);
    while (s.len > 0 && (unsigned char)s.ptr[s.len - 1] <= ' ')
        s.len--;
    return s;
}

static bool parse_double(struct fn_call *call, struct mr_str s, double *out)
{
    s = trim_blanks(s);
    if (mr_str_eq(s, MR_STR("NaN"))) {
        *out = NAN;
    } else if (mr_str_eq(s, MR_STR("Infinity")) || mr_str_eq(s, MR_STR("+Infinity"))) {
        *out = INFINITY;
    } else if (mr_str_eq(s, MR_STR("-Infinity"))) {
        *out = -INFINITY;
    } else {
        if (!decimal_form(s))
            return false;
        call->scratch.len = 0;
        mr_buf_str(&call->scratch, s);
        mr_buf_char(&call->scratch, '\0');
        if (!mr_buf_ok(&call->scratch))
            return false;
        *out = strtod(call->scratch.ptr, NULL); /* the locale is never set, so the point is a point */
    }
    return true;
}

static void text_to_f64(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        if (!parse_double(call, s, &FN_OUT(call, double)[i])) {
            bad_text(call, s, "DOUBLE");
            return;
        }
    }
}

static void text_to_bool(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        bool yes = mr_str_ieq(s, MR_STR("t")) || mr_str_ieq(s, MR_STR("true")) || mr_str_eq(s, MR_STR("1"));
        bool no = mr_str_ieq(s, MR_STR("f")) || mr_str_ieq(s, MR_STR("false")) || mr_str_eq(s, MR_STR("0"));
        if (!yes && !no) {
            bad_text(call, s, "BOOLEAN");
            return;
        }
        FN_OUT(call, bool)[i] = yes;
    }
}

/* ---- times
 * --------------------------------------------------------------------------------------------------- */

#define TIME_FROM_TEXT(name, type, parse, word)                                                              \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            struct mr_str s = fn_str(call, 0, i);                                                            \
            if (!parse(s, &FN_OUT(call, type)[i])) {                                                         \
                FN_BAD(call, "Value cannot be cast to " word ": " MR_STR_FMT, MR_STR_ARG(s));                \
                return;                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }
TIME_FROM_TEXT(text_to_ts, int64_t, sql_parse_timestamp, "timestamp")
TIME_FROM_TEXT(text_to_date, int32_t, sql_parse_date, "date")
TIME_FROM_TEXT(text_to_time, int64_t, sql_parse_time, "time")

#define ISO_FROM_TEXT(name, type, parse)                                                                     \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            struct mr_str s = fn_str(call, 0, i);                                                            \
            if (!parse(s, &FN_OUT(call, type)[i])) {                                                         \
                FN_BAD(call, "Invalid format: \"" MR_STR_FMT "\"", MR_STR_ARG(s));                           \
                return;                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }
ISO_FROM_TEXT(iso_timestamp, int64_t, sql_parse_iso_timestamp)
ISO_FROM_TEXT(iso_date, int32_t, sql_parse_iso_date)

#define TIME_TO_TEXT(name, type, print)                                                                      \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        char text[SQL_TIME_TEXT];                                                                            \
        FN_EACH(call, i)                                                                                     \
        if (!fn_put_str(call, i, (struct mr_str){text, print(FN_ARG(call, type, 0)[i], text)}))              \
            return;                                                                                          \
    }
TIME_TO_TEXT(ts_to_text, int64_t, sql_print_timestamp)
TIME_TO_TEXT(ts_to_iso, int64_t, sql_print_iso_timestamp)
TIME_TO_TEXT(date_to_text, int32_t, sql_print_date)
TIME_TO_TEXT(time_to_text, int64_t, sql_print_time)
TIME_TO_TEXT(ival_to_text, int64_t, sql_print_interval_day)
TIME_TO_TEXT(ivaly_to_text, int32_t, sql_print_interval_year)

static void parse_duration(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i), unit = MR_STR_NULL;
        bool months = false;
        enum sql_duration form = sql_parse_duration(s, &months, &FN_OUT(call, int64_t)[i], &unit);
        if (form == SQL_DURATION_OK && !months)
            continue;
        if (form == SQL_DURATION_BAD_FORM)
            FN_BAD(call, "duration is not a valid data duration string: " MR_STR_FMT, MR_STR_ARG(s));
        else /* months too: the result's type is day to second */
            FN_BAD(call, "Unknown time unit: " MR_STR_FMT, MR_STR_ARG(unit));
        return;
    }
}

const struct fn_impl fn_cast_table[] = {
    {"mr_i64_to_i32", i64_to_i32},
    {"mr_f64_to_i32", f64_to_i32},
    {"mr_f64_to_i64", f64_to_i64},
    {"mr_f64_to_text", f64_to_text},
    {"mr_text_to_i32", text_to_i32},
    {"mr_text_to_i64", text_to_i64},
    {"mr_text_to_f64", text_to_f64},
    {"mr_i32_to_text", i32_to_text},
    {"mr_i64_to_text", i64_to_text},
    {"mr_text_to_bool", text_to_bool},
    {"mr_text_to_ts", text_to_ts},
    {"mr_text_to_date", text_to_date},
    {"mr_text_to_time", text_to_time},
    {"mr_ts_to_text", ts_to_text},
    {"mr_ts_to_iso8601", ts_to_iso},
    {"mr_date_to_text", date_to_text},
    {"mr_time_to_text", time_to_text},
    {"mr_ival_to_text", ival_to_text},
    {"mr_ivaly_to_text", ivaly_to_text},
    {"mr_from_iso8601_timestamp", iso_timestamp},
    {"mr_from_iso8601_date", iso_date},
    {"mr_parse_duration", parse_duration},
    {NULL, NULL},
};
