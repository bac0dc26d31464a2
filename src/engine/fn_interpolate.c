/* Interpolation of time series at requested instants (query-language reference 6.1).
 *
 * An instant outside the samples has no value, except that the last value carries forward (locf) and that
 * fill knows a value for everything. With several samples at one instant the last of them counts.
 */
#include <math.h>

#include "engine/series.h"

/* The value at t. False: there is none. `constant` is of fill only. */
typedef bool (*interpolate)(const struct series *series, int64_t t, double constant, double *out);

static bool linear(const struct series *s, int64_t t, double constant, double *out)
{
    size_t k = series_at(s, t);

    MR_UNUSED(constant);
    if (k == SIZE_MAX || (k + 1 == s->n && s->t[k] != t))
        return false;
    if (s->t[k] == t) {
        *out = s->v[k];
        return true;
    }
    /* The instants' distances fit a double exactly enough; the times themselves would not. */
    double part = series_gap(s->t[k], t) / series_gap(s->t[k], s->t[k + 1]);
    *out = s->v[k] + (s->v[k + 1] - s->v[k]) * part;
    return true;
}

static bool locf(const struct series *s, int64_t t, double constant, double *out)
{
    size_t k = series_at(s, t);

    MR_UNUSED(constant);
    if (k == SIZE_MAX)
        return false;
    *out = s->v[k];
    return true;
}

static bool fill(const struct series *s, int64_t t, double constant, double *out)
{
    size_t k = series_at(s, t);

    *out = k != SIZE_MAX && s->t[k] == t ? s->v[k] : constant;
    return true;
}

/* ---- natural cubic spline
 * ------------------------------------------------------------------------------------ */

static double step(const struct series *s, size_t k)
{
    return series_gap(s->t[k], s->t[k + 1]) / 1e9;
}

/* Keeps the last of the points at one instant: a spline needs distinct ones. */
static void unique_times(struct series *s)
{
    size_t n = 0;

    for (size_t k = 0; k < s->n; k++) {
        if (n > 0 && s->t[n - 1] == s->t[k])
            n--;
        s->t[n] = s->t[k];
        s->v[n++] = s->v[k];
    }
    s->n = n;
}

/* The second derivatives at the points by the Thomas algorithm; `upper` is scratch of n. */
static void solve(struct series *s, double *upper)
{
    s->second[0] = upper[0] = 0;
    for (size_t k = 1; k + 1 < s->n; k++) {
        double before = step(s, k - 1), after = step(s, k);
        double diagonal = 2 * (before + after) - before * upper[k - 1];
        double right = 6 * ((s->v[k + 1] - s->v[k]) / after - (s->v[k] - s->v[k - 1]) / before);
        upper[k] = after / diagonal;
        s->second[k] = (right - before * s->second[k - 1]) / diagonal;
    }
    s->second[s->n - 1] = 0;
    for (size_t k = s->n - 1; k-- > 1;)
        s->second[k] -= upper[k] * s->second[k + 1];
}

static bool prepare_spline(struct series *s, struct fn_call *call)
{
    unique_times(s);
    if (s->n < 3)
        return true;
    call->scratch.len = 0;
    double *upper = (double *)(void *)mr_buf_reserve(&call->scratch, s->n * sizeof(double));
    if (upper == NULL)
        return false;
    solve(s, upper);
    return true;
}

static bool spline(const struct series *s, int64_t t, double constant, double *out)
{
    size_t k = series_at(s, t);

    MR_UNUSED(constant);
    if (k == SIZE_MAX)
        return false;
    if (s->t[k] == t) {
        *out = s->v[k];
        return true;
    }
    if (s->n < 3 || k + 1 == s->n)
        return false;
    double h = step(s, k), x = series_gap(s->t[k], t) / 1e9;
    double slope = (s->v[k + 1] - s->v[k]) / h - h * (2 * s->second[k] + s->second[k + 1]) / 6;
    *out = s->v[k] + x * (slope + x * (s->second[k] / 2 + x * (s->second[k + 1] - s->second[k]) / (6 * h)));
    return true;
}

/* ---- at an array of instants
 * --------------------------------------------------------------------------------- */

static void at_instants(struct fn_call *call, interpolate value)
{
    struct fn_series arg = fn_series_arg(call, 0);
    struct fn_list instants = fn_list_arg(call, 1);
    struct fn_list_out list = fn_list_out(call, 2);
    struct series s = {0};

    FN_EACH(call, i)
    {
        duckdb_list_entry wanted = instants.entries[i];
        double constant = value == fill ? FN_ARG(call, double, 2)[i] : 0;
        if (!series_load(&s, call, &arg, i) || (value == spline && !prepare_spline(&s, call)) ||
            !fn_list_room(&list, wanted.length, 16))
            break;
        for (uint64_t k = wanted.offset; k < wanted.offset + wanted.length; k++) {
            bool tvalid = vector_row_valid(instants.valid, k);
            int64_t t = tvalid ? ((const int64_t *)instants.data)[k] : 0;
            double v = 0;
            bool vvalid = tvalid && value(&s, t, constant, &v);
            series_put(&list, t, v, tvalid, vvalid);
        }
        if (fn_worked(call, 16 * wanted.length))
            break;
        fn_list_end(&list, i);
    }
    series_release(&s);
    fn_list_finish(&list);
}

static void at_instant(struct fn_call *call, interpolate value)
{
    struct fn_series arg = fn_series_arg(call, 0);
    struct series s = {0};

    FN_EACH(call, i)
    {
        double constant = value == fill ? FN_ARG(call, double, 2)[i] : 0;
        if (!series_load(&s, call, &arg, i) || (value == spline && !prepare_spline(&s, call)))
            break;
        if (!value(&s, FN_ARG(call, int64_t, 1)[i], constant, &FN_OUT(call, double)[i]))
            fn_null(call, i);
    }
    series_release(&s);
}

#define INTERPOLATE(name)                                                                                    \
    static void name##_array(struct fn_call *call)                                                           \
    {                                                                                                        \
        at_instants(call, name);                                                                             \
    }                                                                                                        \
    static void name##_one(struct fn_call *call)                                                             \
    {                                                                                                        \
        at_instant(call, name);                                                                              \
    }
INTERPOLATE(linear)
INTERPOLATE(spline)
INTERPOLATE(locf)
INTERPOLATE(fill)

const struct fn_impl fn_interpolate_table[] = {
    {"mr_interpolate_linear", linear_array},
    {"mr_interpolate_linear_at", linear_one},
    {"mr_interpolate_spline", spline_array},
    {"mr_interpolate_spline_at", spline_one},
    {"mr_interpolate_locf", locf_array},
    {"mr_interpolate_locf_at", locf_one},
    {"mr_interpolate_fill", fill_array},
    {"mr_interpolate_fill_at", fill_one},
    {NULL, NULL},
};
