/* Variances, skewness, geometric mean (query-language reference 6.14), by one-pass updates.
 *
 * The update of Welford gives the digits the service prints; partial states are joined as Chan et al. do. */
#include <math.h>

#include "base/moments.h"
#include "engine/fn.h"

struct moments {
    struct mr_moments two;
    double m3;
};

static idx_t moments_size(duckdb_function_info info)
{
    MR_UNUSED(info);
    return sizeof(struct moments);
}

static void moments_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    MR_UNUSED(info);
    *(struct moments *)(void *)state = (struct moments){0};
}

/* Calls add(state, x) for each row that is not NULL. */
static void each_row(duckdb_data_chunk in, duckdb_aggregate_state *states,
                     void (*add)(struct moments *m, double x))
{
    duckdb_vector vector = duckdb_data_chunk_get_vector(in, 0);
    const double *x = duckdb_vector_get_data(vector);
    const uint64_t *valid = duckdb_vector_get_validity(vector);
    idx_t rows = duckdb_data_chunk_get_size(in);

    for (idx_t i = 0; i < rows; i++)
        if (vector_row_valid(valid, i))
            add((struct moments *)(void *)states[i], x[i]);
}

static void add_second(struct moments *m, double x)
{
    double delta = x - m->two.mean;

    m->two.n++;
    m->two.mean += delta / m->two.n;
    m->two.m2 += delta * (x - m->two.mean);
}

static void add_third(struct moments *m, double x)
{
    double before = m->two.n++;
    double delta = x - m->two.mean, part = delta / m->two.n, square = delta * part * before;

    m->m3 += square * part * (m->two.n - 2) - 3 * part * m->two.m2;
    m->two.m2 += square;
    m->two.mean += part;
}

static void add_log(struct moments *m, double x)
{
    m->two.n++;
    m->two.mean += log(x); /* the sum, not yet divided */
}

static void update_second(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    MR_UNUSED(info);
    each_row(in, states, add_second);
}

static void update_third(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    MR_UNUSED(info);
    each_row(in, states, add_third);
}

static void update_log(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    MR_UNUSED(info);
    each_row(in, states, add_log);
}

static void join(const struct moments *from, struct moments *into)
{
    const struct mr_moments *a = &into->two, *b = &from->two;
    double n = a->n + b->n, delta = b->mean - a->mean;

    if (a->n != 0 && b->n != 0)
        into->m3 += delta * delta * delta * (a->n * b->n) * (a->n - b->n) / (n * n) +
                    3 * delta * (a->n * b->m2 - b->n * a->m2) / n;
    into->m3 += from->m3;
    mr_moments_join(&into->two, &from->two);
}

static void update_join(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    const int64_t *n = duckdb_vector_get_data(duckdb_data_chunk_get_vector(in, 0));
    const double *mean = duckdb_vector_get_data(duckdb_data_chunk_get_vector(in, 1));
    const double *m2 = duckdb_vector_get_data(duckdb_data_chunk_get_vector(in, 2));
    idx_t rows = duckdb_data_chunk_get_size(in);

    MR_UNUSED(info);
    for (idx_t i = 0; i < rows; i++) { /* no NULLs: they are the store's */
        const struct moments from = {.two = {(double)n[i], mean[i], m2[i]}};
        join(&from, (struct moments *)(void *)states[i]);
    }
}

static void combine_moments(duckdb_function_info info, duckdb_aggregate_state *from,
                            duckdb_aggregate_state *into, idx_t count)
{
    MR_UNUSED(info);
    for (idx_t i = 0; i < count; i++)
        join((const struct moments *)(void *)from[i], (struct moments *)(void *)into[i]);
}

static void combine_logs(duckdb_function_info info, duckdb_aggregate_state *from,
                         duckdb_aggregate_state *into, idx_t count)
{
    MR_UNUSED(info);
    for (idx_t i = 0; i < count; i++) {
        const struct moments *f = (const struct moments *)(void *)from[i];
        struct moments *m = (struct moments *)(void *)into[i];
        m->two.n += f->two.n;
        m->two.mean += f->two.mean;
    }
}

/* least: rows without which there is no result. */
static void finish(duckdb_aggregate_state *states, duckdb_vector out, idx_t count, idx_t offset, double least,
                   double (*result)(const struct moments *m))
{
    double *to = duckdb_vector_get_data(out);

    for (idx_t i = 0; i < count; i++) {
        const struct moments *m = (const struct moments *)(void *)states[i];
        if (m->two.n < least)
            vector_set_null(out, offset + i);
        else
            to[offset + i] = result(m);
    }
}

static double var_pop(const struct moments *m)
{
    return m->two.m2 / m->two.n;
}

static double var_samp(const struct moments *m)
{
    return m->two.m2 / (m->two.n - 1);
}

static double stddev_pop(const struct moments *m)
{
    return sqrt(var_pop(m));
}

static double stddev_samp(const struct moments *m)
{
    return sqrt(var_samp(m));
}

static double skewness(const struct moments *m)
{
    return sqrt(m->two.n) * m->m3 / pow(m->two.m2, 1.5);
}

static double geometric_mean(const struct moments *m)
{
    return exp(m->two.mean / m->two.n);
}

#define FINALIZE(name, least)                                                                                \
    static void finish_##name(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out,  \
                              idx_t count, idx_t offset)                                                     \
    {                                                                                                        \
        MR_UNUSED(info);                                                                                     \
        finish(states, out, count, offset, least, name);                                                     \
    }
FINALIZE(var_pop, 1)
FINALIZE(var_samp, 2)
FINALIZE(stddev_pop, 1)
FINALIZE(stddev_samp, 2)
FINALIZE(skewness, 3)
FINALIZE(geometric_mean, 1)

#define MOMENTS(name, update, combine)                                                                       \
    {                                                                                                        \
        "mr_" #name, moments_size, moments_init, update, combine, finish_##name, NULL                        \
    }
const struct agg_impl agg_moments_table[] = {
    MOMENTS(var_pop, update_second, combine_moments),
    MOMENTS(var_samp, update_second, combine_moments),
    MOMENTS(stddev_pop, update_second, combine_moments),
    MOMENTS(stddev_samp, update_second, combine_moments),
    {"mr_join_var_pop", moments_size, moments_init, update_join, combine_moments, finish_var_pop, NULL},
    {"mr_join_var_samp", moments_size, moments_init, update_join, combine_moments, finish_var_samp, NULL},
    {"mr_join_stddev_pop", moments_size, moments_init, update_join, combine_moments, finish_stddev_pop, NULL},
    {"mr_join_stddev_samp", moments_size, moments_init, update_join, combine_moments, finish_stddev_samp,
     NULL},
    MOMENTS(skewness, update_third, combine_moments),
    MOMENTS(geometric_mean, update_log, combine_logs),
    {.name = NULL},
};
