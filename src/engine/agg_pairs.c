/* Covariance, correlation and linear regression of (y, x) (query-language reference 6.14). */
#include <math.h>

#include "engine/fn.h"

struct pairs {
    double n, mean_x, mean_y, xx, yy, xy; /* sums of products of the distances from the means */
};

static idx_t pairs_size(duckdb_function_info info)
{
    MR_UNUSED(info);
    return sizeof(struct pairs);
}

static void pairs_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    MR_UNUSED(info);
    *(struct pairs *)(void *)state = (struct pairs){0};
}

static void add(struct pairs *p, double y, double x)
{
    double dx = x - p->mean_x, dy = y - p->mean_y;

    p->n++;
    p->mean_x += dx / p->n;
    p->mean_y += dy / p->n;
    p->xx += dx * (x - p->mean_x);
    p->yy += dy * (y - p->mean_y);
    p->xy += dx * (y - p->mean_y);
}

static void update(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    duckdb_vector vy = duckdb_data_chunk_get_vector(in, 0), vx = duckdb_data_chunk_get_vector(in, 1);
    const double *y = duckdb_vector_get_data(vy), *x = duckdb_vector_get_data(vx);
    const uint64_t *yvalid = duckdb_vector_get_validity(vy), *xvalid = duckdb_vector_get_validity(vx);
    idx_t rows = duckdb_data_chunk_get_size(in);

    MR_UNUSED(info);
    for (idx_t i = 0; i < rows; i++)
        if (vector_row_valid(yvalid, i) && vector_row_valid(xvalid, i))
            add((struct pairs *)(void *)states[i], y[i], x[i]);
}

static void join(const struct pairs *from, struct pairs *into)
{
    double n = from->n + into->n, dx = from->mean_x - into->mean_x, dy = from->mean_y - into->mean_y;

    if (from->n == 0)
        return;
    if (into->n == 0) {
        *into = *from;
        return;
    }
    double weight = from->n * into->n / n;
    into->xx += from->xx + dx * dx * weight;
    into->yy += from->yy + dy * dy * weight;
    into->xy += from->xy + dx * dy * weight;
    into->mean_x += dx * from->n / n;
    into->mean_y += dy * from->n / n;
    into->n = n;
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *into,
                    idx_t count)
{
    MR_UNUSED(info);
    for (idx_t i = 0; i < count; i++)
        join((const struct pairs *)(void *)from[i], (struct pairs *)(void *)into[i]);
}

/* Each gives false where there is no result. */
static bool covar_pop(const struct pairs *p, double *out)
{
    *out = p->xy / p->n;
    return p->n >= 1;
}

static bool covar_samp(const struct pairs *p, double *out)
{
    *out = p->xy / (p->n - 1);
    return p->n >= 2;
}

static bool corr(const struct pairs *p, double *out)
{
    double product = p->xx * p->yy;

    *out = isnormal(product) ? p->xy / sqrt(product) : p->xy / (sqrt(p->xx) * sqrt(p->yy));
    return p->n >= 2 && p->xx != 0 && p->yy != 0;
}

static bool regr_slope(const struct pairs *p, double *out)
{
    *out = p->xy / p->xx;
    return p->n >= 2 && p->xx != 0;
}

static bool regr_intercept(const struct pairs *p, double *out)
{
    *out = p->mean_y - p->xy / p->xx * p->mean_x;
    return p->n >= 2 && p->xx != 0;
}

static void finish(duckdb_aggregate_state *states, duckdb_vector out, idx_t count, idx_t offset,
                   bool (*result)(const struct pairs *p, double *out))
{
    double *to = duckdb_vector_get_data(out);

    for (idx_t i = 0; i < count; i++)
        if (!result((const struct pairs *)(void *)states[i], &to[offset + i]))
            vector_set_null(out, offset + i);
}

#define FINALIZE(name)                                                                                       \
    static void finish_##name(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out,  \
                              idx_t count, idx_t offset)                                                     \
    {                                                                                                        \
        MR_UNUSED(info);                                                                                     \
        finish(states, out, count, offset, name);                                                            \
    }
FINALIZE(covar_pop)
FINALIZE(covar_samp)
FINALIZE(corr)
FINALIZE(regr_slope)
FINALIZE(regr_intercept)

#define PAIRS(name)                                                                                          \
    {                                                                                                        \
        "mr_" #name, pairs_size, pairs_init, update, combine, finish_##name, NULL                            \
    }
const struct agg_impl agg_pairs_table[] = {
    PAIRS(covar_pop),  PAIRS(covar_samp),     PAIRS(corr),
    PAIRS(regr_slope), PAIRS(regr_intercept), {.name = NULL},
};
