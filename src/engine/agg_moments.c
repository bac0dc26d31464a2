/* Variances, skewness, geometric mean (query-language reference 6.14), by one-pass updates.
 *
 * The update of Welford gives the digits the service prints; partial states are joined as Chan et al. do. */
#include <math.h>

#include "engine/fn.h"

struct moments {
    double n, mean, m2, m3;
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
    double delta = x - m->mean;

    m->n++;
    m->mean += delta / m->n;
    m->m2 += delta * (x - m->mean);
}

static void add_third(struct moments *m, double x)
{
    double before = m->n++;
    double delta = x - m->mean, part = delta / m->n, square = delta * part * before;

    m->m3 += square * part * (m->n - 2) - 3 * part * m->m2;
    m->m2 += square;
    m->mean += part;
}

static void add_log(struct moments *m, double x)
{
    m->n++;
    m->mean += log(x); /* the sum, not yet divided */
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
    double n = from->n + into->n, delta = from->mean - into->mean;

    if (from->n == 0)
        return;
    if (into->n == 0) {
        *into = *from;
        return;
    }
    double nn = from->n * into->n;
    into->m3 += from->m3 + delta * delta * delta * nn * (into->n - from->n) / (n * n) +
                3 * delta * (into->n * from->m2 - from->n * into->m2) / n;
    into->m2 += from->m2 + delta * delta * nn / n;
    into->mean += delta * from->n / n;
    into->n = n;
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
        m->n += f->n;
        m->mean += f->mean;
    }
}

/* least: rows without which there is no result. */
static void finish(duckdb_aggregate_state *states, duckdb_vector out, idx_t count, idx_t offset, double least,
                   double (*result)(const struct moments *m))
{
    double *to = duckdb_vector_get_data(out);

    for (idx_t i = 0; i < count; i++) {
        const struct moments *m = (const struct moments *)(void *)states[i];
        if (m->n < least)
            vector_set_null(out, offset + i);
        else
            to[offset + i] = result(m);
    }
}

static double var_pop(const struct moments *m)
{
    return m->m2 / m->n;
}

static double var_samp(const struct moments *m)
{
    return m->m2 / (m->n - 1);
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
    return sqrt(m->n) * m->m3 / pow(m->m2, 1.5);
}

static double geometric_mean(const struct moments *m)
{
    return exp(m->mean / m->n);
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
    MOMENTS(skewness, update_third, combine_moments),
    MOMENTS(geometric_mean, update_log, combine_logs),
    {.name = NULL},
};
