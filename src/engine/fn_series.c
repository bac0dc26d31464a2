/* Derivatives, integrals and correlations of time series (query-language reference 6.1). */
#include <math.h>
#include <stdlib.h>

#include "engine/series.h"

/* ---- derivative
 * ---------------------------------------------------------------------------------------------- */

static void derivative(struct fn_call *call, bool drop_negative)
{
    struct fn_series arg = fn_series_arg(call, 0);
    struct fn_list_out list = fn_list_out(call, 2);
    struct series s = {0};

    FN_EACH(call, i)
    {
        int64_t ival = FN_ARG(call, int64_t, 1)[i];
        if (ival <= 0) {
            FN_BAD(call, "interval must be positive");
            break;
        }
        if (!series_load(&s, call, &arg, i) || !fn_list_room(&list, s.n, 16))
            break;
        for (size_t k = 1; k < s.n; k++) {
            double v = (s.v[k] - s.v[k - 1]) / (series_gap(s.t[k - 1], s.t[k]) / (double)ival);
            if (!drop_negative || !(v < 0))
                series_put(&list, s.t[k], v, true, true);
        }
        fn_list_end(&list, i);
    }
    series_release(&s);
    fn_list_finish(&list);
}

static void f_derivative(struct fn_call *call)
{
    derivative(call, false);
}

static void f_derivative_nonneg(struct fn_call *call)
{
    derivative(call, true);
}

/* ---- integral
 * ------------------------------------------------------------------------------------------------ */

static void f_integral(struct fn_call *call)
{
    struct fn_series arg = fn_series_arg(call, 0);
    struct series s = {0};

    FN_EACH(call, i)
    {
        int64_t ival = FN_ARG(call, int64_t, 1)[i];
        double area = 0;
        if (ival <= 0) {
            FN_BAD(call, "interval must be positive");
            break;
        }
        if (!series_load(&s, call, &arg, i))
            break;
        for (size_t k = 1; k < s.n; k++)
            area += (s.v[k] + s.v[k - 1]) / 2 * (series_gap(s.t[k - 1], s.t[k]) / (double)ival);
        if (s.n == 0)
            fn_null(call, i);
        FN_OUT(call, double)[i] = area;
    }
    series_release(&s);
}

/* ---- correlation
 * --------------------------------------------------------------------------------------------- */

/* Pearson's coefficient; NaN when one side is constant. */
static double pearson(const double *x, const double *y, size_t n)
{
    double mean_x = 0, mean_y = 0, xx = 0, yy = 0, xy = 0;

    for (size_t k = 0; k < n; k++) {
        double dx = x[k] - mean_x, dy = y[k] - mean_y;
        mean_x += dx / (double)(k + 1);
        mean_y += dy / (double)(k + 1);
        xx += dx * (x[k] - mean_x);
        yy += dy * (y[k] - mean_y);
        xy += dx * (y[k] - mean_y);
    }
    if (xx == 0 || yy == 0 || n == 0)
        return NAN;
    double r = xy / sqrt(xx * yy);
    return r > 1 ? 1 : r < -1 ? -1 : r;
}

struct ranked {
    double v;
    size_t place;
};

static int by_value(const void *a, const void *b)
{
    double x = ((const struct ranked *)a)->v, y = ((const struct ranked *)b)->v;

    if (isnan(x) || isnan(y))
        return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

/* The ranks of the values into s->second, ties with the mean of theirs. */
static bool rank(struct series *s, struct fn_call *call)
{
    call->scratch.len = 0;
    struct ranked *order =
        (struct ranked *)(void *)mr_buf_reserve(&call->scratch, (s->n + 1) * sizeof(*order));
    if (order == NULL)
        return false;
    for (size_t k = 0; k < s->n; k++)
        order[k] = (struct ranked){s->v[k], k};
    qsort(order, s->n, sizeof(*order), by_value);
    for (size_t from = 0; from < s->n;) {
        size_t to = from + 1;
        while (to < s->n && by_value(&order[from], &order[to]) == 0)
            to++;
        for (size_t k = from; k < to; k++)
            s->second[order[k].place] = (double)(from + to + 1) / 2;
        from = to;
    }
    return true;
}

static void correlate(struct fn_call *call, bool by_rank)
{
    struct fn_series left = fn_series_arg(call, 0), right = fn_series_arg(call, 1);
    struct series x = {0}, y = {0};

    FN_EACH(call, i)
    {
        if (!series_load(&x, call, &left, i) || !series_load(&y, call, &right, i))
            break;
        if (x.n != y.n || (x.n > 0 && memcmp(x.t, y.t, x.n * sizeof(*x.t)) != 0)) {
            FN_BAD(call, "Both time series must have the same timestamps");
            break;
        }
        if (by_rank && (!rank(&x, call) || !rank(&y, call)))
            break;
        FN_OUT(call, double)[i] = by_rank ? pearson(x.second, y.second, x.n) : pearson(x.v, y.v, x.n);
        if (x.n == 0)
            fn_null(call, i);
    }
    series_release(&x);
    series_release(&y);
}

static void f_pearson(struct fn_call *call)
{
    correlate(call, false);
}

static void f_spearman(struct fn_call *call)
{
    correlate(call, true);
}

const struct fn_impl fn_series_table[] = {
    {"mr_derivative", f_derivative},       {"mr_derivative_nonneg", f_derivative_nonneg},
    {"mr_integral", f_integral},           {"mr_correlate_pearson", f_pearson},
    {"mr_correlate_spearman", f_spearman}, {NULL, NULL},
};
