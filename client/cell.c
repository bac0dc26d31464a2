#include "client/cell.h"

#include <math.h>

#include "base/clock.h"
#include "json/number.h"

/* ---- texts of scalars (reference 7.3) ---- */

struct scanner {
    const char *at, *end;
    bool bad;
};

/* Up to `most` digits, at least one. */
static int64_t number(struct scanner *s, int most)
{
    int64_t v = 0;
    const char *from = s->at;
    while (s->at < s->end && s->at - from < most && *s->at >= '0' && *s->at <= '9')
        v = v * 10 + (*s->at++ - '0');
    s->bad = s->bad || s->at == from;
    return v;
}

static void expect(struct scanner *s, char c)
{
    if (s->at < s->end && *s->at == c)
        s->at++;
    else
        s->bad = true;
}

static bool finished(const struct scanner *s)
{
    return !s->bad && s->at == s->end;
}

/* HH:MM:SS with up to nine digits of fraction, as nanoseconds. */
static int64_t clock_time(struct scanner *s)
{
    int64_t h = number(s, 2), m, sec, ns = 0;
    expect(s, ':');
    m = number(s, 2);
    expect(s, ':');
    sec = number(s, 2);
    if (s->at < s->end && *s->at == '.') {
        const char *from = ++s->at;
        ns = number(s, 9);
        for (int64_t i = s->at - from; i < 9; i++)
            ns *= 10;
    }
    s->bad = s->bad || h > 23 || m > 59 || sec > 59;
    return (h * 3600 + m * 60 + sec) * MR_NS_PER_S + ns;
}

static int64_t date(struct scanner *s)
{
    bool negative = s->at < s->end && *s->at == '-';
    s->at += negative;
    int64_t year = number(s, 6), month, day;
    expect(s, '-');
    month = number(s, 2);
    expect(s, '-');
    day = number(s, 2);
    s->bad = s->bad || month < 1 || month > 12 || day < 1 || day > 31;
    return s->bad ? 0 : mr_days_from_civil(negative ? -year : year, (unsigned)month, (unsigned)day);
}

static struct scanner over(struct mr_str text)
{
    const char *from = text.ptr != NULL ? text.ptr : "";
    return (struct scanner){from, from + text.len, text.len == 0};
}

bool client_cell_timestamp(struct mr_str text, int64_t *ns)
{
    struct scanner s = over(text);
    int64_t days = date(&s), day_ns;
    expect(&s, ' ');
    day_ns = clock_time(&s);
    return finished(&s) && !__builtin_mul_overflow(days, MR_NS_PER_DAY, ns) &&
           !__builtin_add_overflow(*ns, day_ns, ns);
}

/* D HH:MM:SS.nnnnnnnnn, a sign in front of all of it. */
static bool interval(struct mr_str text, int64_t *ns)
{
    struct scanner s = over(text);
    bool negative = !s.bad && *s.at == '-';
    s.at += negative;
    int64_t days = number(&s, 9), rest;
    expect(&s, ' ');
    rest = clock_time(&s);
    if (!finished(&s) || __builtin_mul_overflow(days, MR_NS_PER_DAY, ns) ||
        __builtin_add_overflow(*ns, rest, ns))
        return false;
    *ns = negative ? -*ns : *ns;
    return true;
}

/* Y-M, a sign in front of both. */
static bool months(struct mr_str text, int64_t *out)
{
    struct scanner s = over(text);
    bool negative = !s.bad && *s.at == '-';
    s.at += negative;
    int64_t years = number(&s, 9), rest;
    expect(&s, '-');
    rest = number(&s, 2);
    *out = (years * 12 + rest) * (negative ? -1 : 1);
    return finished(&s);
}

static bool floating(struct mr_str text, double *out)
{
    if (json_parse_double(text, out))
        return true;
    bool negative = mr_str_eq(text, MR_STR("-Infinity"));
    if (negative || mr_str_eq(text, MR_STR("Infinity")))
        *out = negative ? -HUGE_VAL : HUGE_VAL;
    else if (mr_str_eq(text, MR_STR("NaN")))
        *out = (double)NAN;
    else
        return false;
    return true;
}

static bool boolean(struct mr_str text, bool *out)
{
    *out = mr_str_eq(text, MR_STR("true"));
    return *out || mr_str_eq(text, MR_STR("false"));
}

static void scalar(int type, struct mr_str text, struct mr_cell *out)
{
    struct scanner s = over(text);
    enum mr_cell_kind kind = MR_CELL_TEXT;
    bool good = true;
    out->text = (struct mr_text){text.ptr, text.len};
    switch (type) {
    case MODEL_SCALAR_TYPE_BOOLEAN:
        good = boolean(text, &out->v.boolean);
        kind = MR_CELL_BOOLEAN;
        break;
    case MODEL_SCALAR_TYPE_BIGINT:
    case MODEL_SCALAR_TYPE_INTEGER:
        good = mr_str_to_i64(text, &out->v.integer);
        kind = MR_CELL_INT;
        break;
    case MODEL_SCALAR_TYPE_DOUBLE:
        good = floating(text, &out->v.number);
        kind = MR_CELL_DOUBLE;
        break;
    case MODEL_SCALAR_TYPE_TIMESTAMP:
        good = client_cell_timestamp(text, &out->v.integer);
        kind = MR_CELL_TIMESTAMP;
        break;
    case MODEL_SCALAR_TYPE_DATE:
        out->v.integer = date(&s);
        good = finished(&s);
        kind = MR_CELL_DATE;
        break;
    case MODEL_SCALAR_TYPE_TIME:
        out->v.integer = clock_time(&s);
        good = finished(&s);
        kind = MR_CELL_TIME;
        break;
    case MODEL_SCALAR_TYPE_INTERVAL_DAY_TO_SECOND:
        good = interval(text, &out->v.integer);
        kind = MR_CELL_INTERVAL;
        break;
    case MODEL_SCALAR_TYPE_INTERVAL_YEAR_TO_MONTH:
        good = months(text, &out->v.integer);
        kind = MR_CELL_MONTHS;
        break;
    default: /* VARCHAR, UNKNOWN, and types to come */
        break;
    }
    out->kind = good ? kind : MR_CELL_TEXT;
}

/* ---- structure ---- */

static int read_cell(const struct model_type *type, const struct model_datum *datum, struct mr_arena *arena,
                     unsigned depth, struct mr_cell *out);

static int items(size_t n, const struct model_datum *data, const struct model_type *const *each,
                 const struct model_column_info *fields, struct mr_arena *arena, unsigned depth,
                 struct mr_cell *out)
{
    struct mr_cell *cells = MR_ARENA_ARRAY(arena, n, struct mr_cell);
    if (cells == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < n; i++) {
        int rc = read_cell(each != NULL ? *each : fields[i].type, &data[i], arena, depth + 1, &cells[i]);
        if (rc != MR_OK)
            return rc;
    }
    out->v.items = (struct mr_cells){cells, n};
    return MR_OK;
}

static int series(const struct model_type *each, const struct model_time_series_data_point_list *list,
                  struct mr_arena *arena, unsigned depth, struct mr_cell *out)
{
    struct mr_point *points = MR_ARENA_ARRAY(arena, list->len, struct mr_point);
    if (points == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < list->len; i++) {
        if (list->at[i].value == NULL || !client_cell_timestamp(list->at[i].time, &points[i].time_ns))
            return MR_EINVAL;
        int rc = read_cell(each, list->at[i].value, arena, depth + 1, &points[i].value);
        if (rc != MR_OK)
            return rc;
    }
    out->kind = MR_CELL_SERIES;
    out->v.points = (struct mr_points){points, list->len};
    return MR_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by CELL_DEPTH */
static int read_cell(const struct model_type *type, const struct model_datum *datum, struct mr_arena *arena,
                     unsigned depth, struct mr_cell *out)
{
    *out = (struct mr_cell){.kind = MR_CELL_NULL};
    if (depth > CELL_DEPTH || type == NULL)
        return MR_EINVAL;
    if (datum->null_value.v)
        return MR_OK;
    if (type->scalar_type != 0 || datum->scalar_value.ptr != NULL) {
        if (datum->scalar_value.ptr == NULL)
            return MR_EINVAL;
        scalar(type->scalar_type, datum->scalar_value, out);
        return MR_OK;
    }
    if (type->array_column_info != NULL && datum->array_value.set) {
        const struct model_type *each = type->array_column_info->type;
        out->kind = MR_CELL_ARRAY;
        return items(datum->array_value.len, datum->array_value.at, &each, NULL, arena, depth, out);
    }
    if (type->row_column_info.set && datum->row_value != NULL) {
        const struct model_datum_list *data = &datum->row_value->data;
        out->kind = MR_CELL_ROW;
        return data->len == type->row_column_info.len
                   ? items(data->len, data->at, NULL, type->row_column_info.at, arena, depth, out)
                   : MR_EINVAL;
    }
    if (type->time_series_measure_value_column_info != NULL && datum->time_series_value.set)
        return series(type->time_series_measure_value_column_info->type, &datum->time_series_value, arena,
                      depth, out);
    return MR_EINVAL;
}

int client_cell_read(const struct model_type *type, const struct model_datum *datum, struct mr_arena *arena,
                     struct mr_cell *out)
{
    return read_cell(type, datum, arena, 0, out);
}
