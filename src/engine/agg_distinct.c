/* approx_distinct: HyperLogLog over hashes, exact while there are few (query-language reference 6.14).
 *
 * A state begins as an open-addressed set of the hashes themselves. When the set would outgrow the registers
 * it becomes 2^p registers of a byte, p being what the wanted standard error asks for: 1.04 / sqrt(2^p). The
 * estimate is that of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
 * section 4, which needs no table of corrections.
 */
#include <math.h>

#include "engine/fn.h"
#include "json/number.h"

#define ERROR_LEAST 0.0040625
#define ERROR_MOST 0.26
#define SET_LEAST 64 /* hashes kept at any precision */

struct distinct {
    struct agg_budget *budget;
    uint64_t *set;      /* capacity slots, 0: free; NULL once there are registers */
    uint8_t *registers; /* 1 << p; NULL before */
    uint32_t capacity, used;
    uint32_t p; /* 0: no row yet */
};

static idx_t distinct_size(duckdb_function_info info)
{
    MR_UNUSED(info);
    return sizeof(struct distinct);
}

static void distinct_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    MR_UNUSED(info);
    *(struct distinct *)(void *)state = (struct distinct){0};
}

static void release(struct distinct *d)
{
    agg_free(d->budget, d->set, d->capacity * sizeof(*d->set));
    agg_free(d->budget, d->registers, (size_t)1 << d->p);
    *d = (struct distinct){0};
}

static void distinct_destroy(duckdb_aggregate_state *states, idx_t count)
{
    for (idx_t i = 0; i < count; i++)
        release((struct distinct *)(void *)states[i]);
}

/* Spreads hashes of any quality over all bits (SplitMix64's finish). 0 marks a free slot, so it is none. */
static uint64_t spread(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    return z != 0 ? z : 1;
}

static void put_register(struct distinct *d, uint64_t hash)
{
    size_t index = hash >> (64 - d->p);
    uint64_t rest = hash << d->p | (UINT64_C(1) << (d->p - 1)); /* the bit bounds the run at 64 - p + 1 */
    uint8_t run = (uint8_t)(__builtin_clzll(rest) + 1);

    if (run > d->registers[index])
        d->registers[index] = run;
}

static bool put_slot(uint64_t *set, uint32_t capacity, uint64_t hash)
{
    uint32_t at = (uint32_t)hash & (capacity - 1);

    while (set[at] != 0 && set[at] != hash)
        at = (at + 1) & (capacity - 1);
    if (set[at] == hash)
        return false;
    set[at] = hash;
    return true;
}

static bool to_registers(duckdb_function_info info, struct distinct *d)
{
    size_t size = (size_t)1 << d->p;
    uint8_t *registers = agg_realloc(info, &d->budget, NULL, 0, size);

    if (registers == NULL)
        return false;
    memset(registers, 0, size);
    d->registers = registers;
    for (uint32_t i = 0; i < d->capacity; i++)
        if (d->set[i] != 0)
            put_register(d, d->set[i]);
    agg_free(d->budget, d->set, d->capacity * sizeof(*d->set));
    d->set = NULL;
    d->capacity = d->used = 0;
    return true;
}

static bool grow_set(duckdb_function_info info, struct distinct *d)
{
    uint32_t most = 1U << d->p >> 3; /* as many bytes as the registers would take */
    uint32_t capacity = d->capacity == 0 ? 16 : d->capacity * 2;

    if (capacity > (most > 2 * SET_LEAST ? most : 2 * SET_LEAST))
        return to_registers(info, d);
    uint64_t *set = agg_realloc(info, &d->budget, NULL, 0, capacity * sizeof(*set));
    if (set == NULL)
        return false;
    memset(set, 0, capacity * sizeof(*set));
    for (uint32_t i = 0; i < d->capacity; i++)
        if (d->set[i] != 0)
            put_slot(set, capacity, d->set[i]);
    agg_free(d->budget, d->set, d->capacity * sizeof(*d->set));
    d->set = set;
    d->capacity = capacity;
    return true;
}

static bool put(duckdb_function_info info, struct distinct *d, uint64_t hash)
{
    /* half full at most: probes stay short, and the set holds at least SET_LEAST */
    if (d->registers == NULL && d->used * 2 >= d->capacity && !grow_set(info, d))
        return false;
    if (d->registers != NULL)
        put_register(d, hash);
    else
        d->used += put_slot(d->set, d->capacity, hash);
    return true;
}

static bool choose_precision(duckdb_function_info info, struct distinct *d, double error)
{
    if (!(error >= ERROR_LEAST && error <= ERROR_MOST)) {
        char text[JSON_NUMBER_MAX];
        int len = (int)json_format_java_double(error, text);
        agg_fail(info, MR_EINVAL, "Max standard error must be in [0.0040625, 0.26]: %.*s", len, text);
        return false;
    }
    d->p = (uint32_t)ceil(2 * log2(1.04 / error));
    d->p = d->p < 4 ? 4 : d->p > 16 ? 16 : d->p;
    return true;
}

static void update(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states)
{
    duckdb_vector vh = duckdb_data_chunk_get_vector(in, 0), ve = duckdb_data_chunk_get_vector(in, 1);
    const uint64_t *hash = duckdb_vector_get_data(vh);
    const double *error = duckdb_vector_get_data(ve);
    const uint64_t *hvalid = duckdb_vector_get_validity(vh), *evalid = duckdb_vector_get_validity(ve);
    idx_t rows = duckdb_data_chunk_get_size(in);

    for (idx_t i = 0; i < rows; i++) {
        struct distinct *d = (struct distinct *)(void *)states[i];
        if (!vector_row_valid(hvalid, i) || !vector_row_valid(evalid, i))
            continue;
        if ((d->p == 0 && !choose_precision(info, d, error[i])) || !put(info, d, spread(hash[i])))
            return;
    }
}

/* The error is one constant for all rows, so both have the same precision. */
static bool join(duckdb_function_info info, const struct distinct *from, struct distinct *into)
{
    if (from->p == 0)
        return true;
    if (into->p == 0)
        into->p = from->p;
    for (uint32_t i = 0; i < from->capacity; i++)
        if (from->set[i] != 0 && !put(info, into, from->set[i]))
            return false;
    if (from->registers == NULL)
        return true;
    if (into->registers == NULL && !to_registers(info, into))
        return false;
    if (from->p == into->p)
        for (size_t i = 0; i < (size_t)1 << into->p; i++)
            if (from->registers[i] > into->registers[i])
                into->registers[i] = from->registers[i];
    return true;
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *into,
                    idx_t count)
{
    for (idx_t i = 0; i < count; i++)
        if (!join(info, (const struct distinct *)(void *)from[i], (struct distinct *)(void *)into[i]))
            return;
}

/* ---- the estimate
 * -------------------------------------------------------------------------------------------- */

static double sigma(double x)
{
    double y = 1, z = x, before;

    if (x == 1)
        return INFINITY;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z != before);
    return z;
}

static double tau(double x)
{
    double y = 1, z = 1 - x, before;

    if (x == 0 || x == 1)
        return 0;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z != before);
    return z / 3;
}

static double estimate(const struct distinct *d)
{
    double m = (double)((size_t)1 << d->p);
    unsigned q = 64 - d->p;
    uint32_t counts[66] = {0};

    for (size_t i = 0; i < (size_t)1 << d->p; i++)
        counts[d->registers[i]]++;
    double z = m * tau(1 - counts[q + 1] / m);
    for (unsigned k = q; k >= 1; k--)
        z = 0.5 * (z + counts[k]);
    z += m * sigma(counts[0] / m);
    return m * m / (2 * M_LN2 * z);
}

static void finalize(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out,
                     idx_t count, idx_t offset)
{
    int64_t *to = duckdb_vector_get_data(out);

    MR_UNUSED(info);
    for (idx_t i = 0; i < count; i++) {
        const struct distinct *d = (const struct distinct *)(void *)states[i];
        to[offset + i] = d->registers != NULL ? llround(estimate(d)) : d->used;
    }
}

const struct agg_impl agg_distinct_table[] = {
    {"mr_approx_distinct", distinct_size, distinct_init, update, combine, finalize, distinct_destroy},
    {.name = NULL},
};
