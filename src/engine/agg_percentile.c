/* approx_percentile: exact, by nearest rank (query-language reference 6.14).
 *
 * A state keeps every value, as a key whose order as an integer is the value's own order, and its weight from
 * the first weight on that is not 1. Memory is counted against the engine's limit. One percentile is found by
 * selection, several by sorting. Finishing allocates nothing and cannot fail: DuckDB does not free the states
 * of a group whose finish failed.
 */
#include <math.h>
#include <stdlib.h>

#include "base/rand.h"
#include "engine/fn.h"

struct weighted {
    int64_t key, weight;
};

struct percentile {
    struct agg_budget *budget;
    union {
        int64_t *keys;          /* all weights are 1 */
        struct weighted *pairs; /* `weighted` */
    };
    double *ps; /* wanted percentiles */
    size_t n, capacity, nps;
    bool started, weighted;
};

static size_t bytes_of(const struct percentile *s, size_t count)
{
    return count * (s->weighted ? sizeof(struct weighted) : sizeof(int64_t));
}

static idx_t percentile_size(duckdb_function_info info)
{
    MR_UNUSED(info);
    return sizeof(struct percentile);
}

static void percentile_init(duckdb_function_info info, duckdb_aggregate_state state)
{
    MR_UNUSED(info);
    *(struct percentile *)(void *)state = (struct percentile){0};
}

static void percentile_destroy(duckdb_aggregate_state *states, idx_t count)
{
    for (idx_t i = 0; i < count; i++) {
        struct percentile *s = (struct percentile *)(void *)states[i];
        agg_free(s->budget, s->keys, bytes_of(s, s->capacity));
        agg_free(s->budget, s->ps, s->nps * sizeof(*s->ps));
        *s = (struct percentile){0};
    }
}

/* NaN is the largest; the two zeros are apart, which nobody sees but in the sign. */
static int64_t key_of(double v)
{
    int64_t bits;

    if (isnan(v))
        return INT64_MAX;
    memcpy(&bits, &v, sizeof(bits));
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

static double value_of(int64_t key)
{
    int64_t bits = key < 0 ? key ^ INT64_MAX : key;
    double v;

    if (key == INT64_MAX)
        return NAN;
    memcpy(&v, &bits, sizeof(v));
    return v;
}

/* ---- collecting
 * ---------------------------------------------------------------------------------------------- */

static bool grow(duckdb_function_info info, struct percentile *s, size_t need)
{
    size_t capacity = s->capacity * 2 > need ? s->capacity * 2 : need;

    if (capacity < 8)
        capacity = 8;
    void *grown = agg_realloc(info, &s->budget, s->keys, bytes_of(s, s->capacity), bytes_of(s, capacity));
    if (grown == NULL)
        return false;
    s->keys = grown;
    s->capacity = capacity;
    return true;
}

static bool begin_weights(duckdb_function_info info, struct percentile *s)
{
    struct weighted *pairs = agg_realloc(info, &s->budget, NULL, 0, s->capacity * sizeof(*pairs));

    if (pairs == NULL)
        return false;
    for (size_t i = 0; i < s->n; i++)
        pairs[i] = (struct weighted){s->keys[i], 1};
    agg_free(s->budget, s->keys, bytes_of(s, s->capacity));
    s->pairs = pairs;
    s->weighted = true;
    return true;
}

static bool add(duckdb_function_info info, struct percentile *s, int64_t key, int64_t weight)
{
    if (weight <= 0) {
        agg_fail(info, MR_EINVAL, "percentile weight must be > 0");
        return false;
    }
    if (s->n == s->capacity && !grow(info, s, s->n + 1))
        return false;
    if (weight != 1 && !s->weighted && !begin_weights(info, s))
        return false;
    if (s->weighted)
        s->pairs[s->n++] = (struct weighted){key, weight};
    else
        s->keys[s->n++] = key;
    return true;
}

/* The percentiles are the same in every row; the first row's are kept. */
static bool begin(duckdb_function_info info, struct percentile *s, const double *ps, const uint64_t *valid,
                  size_t from, size_t n)
{
    for (size_t i = from; i < from + n; i++) {
        if (!vector_row_valid(valid, i) || !(ps[i] >= 0 && ps[i] <= 1)) {
            agg_fail(info, MR_EINVAL, "Percentile must be between 0 and 1");
            return false;
        }
    }
    if (n > 0) {
        s->ps = agg_realloc(info, &s->budget, NULL, 0, n * sizeof(*s->ps));
        if (s->ps == NULL)
            return false;
        memcpy(s->ps, ps + from, n * sizeof(*s->ps));
    }
    s->nps = n;
    s->started = true;
    return true;
}

static void update(duckdb_function_info info, duckdb_data_chunk in, duckdb_aggregate_state *states,
                   bool is_double, bool is_list)
{
    duckdb_vector v[3];
    const uint64_t *valid[3];
    for (unsigned a = 0; a < 3; a++) {
        v[a] = duckdb_data_chunk_get_vector(in, a);
        valid[a] = duckdb_vector_get_validity(v[a]);
    }
    const void *x = duckdb_vector_get_data(v[0]);
    const int64_t *weight = duckdb_vector_get_data(v[1]);
    const duckdb_list_entry *lists = is_list ? duckdb_vector_get_data(v[2]) : NULL;
    duckdb_vector vp = is_list ? duckdb_list_vector_get_child(v[2]) : v[2];
    const double *ps = duckdb_vector_get_data(vp);
    const uint64_t *pvalid = duckdb_vector_get_validity(vp);
    idx_t rows = duckdb_data_chunk_get_size(in);

    for (idx_t i = 0; i < rows; i++) {
        struct percentile *s = (struct percentile *)(void *)states[i];
        if (!vector_row_valid(valid[0], i) || !vector_row_valid(valid[1], i) ||
            !vector_row_valid(valid[2], i))
            continue;
        size_t from = is_list ? lists[i].offset : i, n = is_list ? lists[i].length : 1;
        if (!s->started && !begin(info, s, ps, pvalid, from, n))
            return;
        int64_t key = is_double ? key_of(((const double *)x)[i]) : ((const int64_t *)x)[i];
        if (!add(info, s, key, weight[i]))
            return;
    }
}

static bool join(duckdb_function_info info, const struct percentile *from, struct percentile *into)
{
    if (!from->started)
        return true;
    if (!into->started && !begin(info, into, from->ps, NULL, 0, from->nps))
        return false;
    if (into->n + from->n > into->capacity && !grow(info, into, into->n + from->n))
        return false;
    for (size_t i = 0; i < from->n; i++) {
        int64_t key = from->weighted ? from->pairs[i].key : from->keys[i];
        if (!add(info, into, key, from->weighted ? from->pairs[i].weight : 1))
            return false;
    }
    return true;
}

static void combine(duckdb_function_info info, duckdb_aggregate_state *from, duckdb_aggregate_state *into,
                    idx_t count)
{
    for (idx_t i = 0; i < count; i++)
        if (!join(info, (const struct percentile *)(void *)from[i], (struct percentile *)(void *)into[i]))
            return;
}

/* ---- answering
 * ----------------------------------------------------------------------------------------------- */

/* Of keys, and of pairs, which begin with their key. */
static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* The key of rank `rank` (from 0); reorders the keys. Wirth's version of Hoare's selection, with a pivot by
 * chance, so that no order of the input makes it slow. */
static int64_t select_rank(int64_t *keys, size_t n, size_t rank)
{
    struct mr_rng rng = {n};
    ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, k = (ptrdiff_t)rank;

    while (low < high) {
        int64_t pivot = keys[low + (ptrdiff_t)mr_rng_below(&rng, (uint64_t)(high - low) + 1)];
        ptrdiff_t i = low, j = high;
        while (i <= j) {
            while (keys[i] < pivot)
                i++;
            while (keys[j] > pivot)
                j--;
            if (i > j)
                break;
            int64_t swap = keys[i];
            keys[i++] = keys[j];
            keys[j--] = swap;
        }
        if (j < k)
            low = i;
        if (k < i)
            high = j;
    }
    return keys[rank];
}

static size_t rank_of(double p, size_t n)
{
    double rank = ceil(p * (double)n);

    return rank < 1 ? 0 : (size_t)rank > n ? n - 1 : (size_t)rank - 1;
}

/* The first key whose cumulative weight is at least p of the total; pairs are sorted. */
static int64_t weighted_key(const struct weighted *pairs, size_t n, double p)
{
    double total = 0, sum = 0;
    size_t i = 0;

    for (size_t k = 0; k < n; k++)
        total += (double)pairs[k].weight;
    for (; i + 1 < n; i++) {
        sum += (double)pairs[i].weight;
        if (sum >= p * total)
            break;
    }
    return pairs[i].key;
}

/* Puts the values in the order in which `answer` looks for them. */
static void prepare(struct percentile *s)
{
    if (s->weighted)
        qsort(s->pairs, s->n, sizeof(*s->pairs), compare);
    else if (s->nps > 1)
        qsort(s->keys, s->n, sizeof(*s->keys), compare);
}

static int64_t answer(struct percentile *s, double p)
{
    if (s->weighted)
        return weighted_key(s->pairs, s->n, p);
    size_t rank = rank_of(p, s->n);
    return s->nps > 1 ? s->keys[rank] : select_rank(s->keys, s->n, rank);
}

static void put_key(void *data, size_t at, int64_t key, bool is_double)
{
    if (is_double)
        ((double *)data)[at] = value_of(key);
    else
        ((int64_t *)data)[at] = key;
}

static void finish_one(duckdb_aggregate_state *states, duckdb_vector out, idx_t count, idx_t offset,
                       bool is_double)
{
    void *data = duckdb_vector_get_data(out);

    for (idx_t i = 0; i < count; i++) {
        struct percentile *s = (struct percentile *)(void *)states[i];
        if (s->n == 0) {
            vector_set_null(out, offset + i);
            continue;
        }
        prepare(s);
        put_key(data, offset + i, answer(s, s->ps[0]), is_double);
    }
}

static void finish_list(duckdb_aggregate_state *states, duckdb_vector out, idx_t count, idx_t offset,
                        bool is_double)
{
    duckdb_list_entry *entries = duckdb_vector_get_data(out);
    idx_t size = duckdb_list_vector_get_size(out);

    for (idx_t i = 0; i < count; i++) {
        struct percentile *s = (struct percentile *)(void *)states[i];
        entries[offset + i] = (duckdb_list_entry){size, s->nps};
        if (s->n == 0) {
            vector_set_null(out, offset + i);
            continue;
        }
        prepare(s);
        duckdb_list_vector_reserve(out, size + s->nps);
        void *data = duckdb_vector_get_data(duckdb_list_vector_get_child(out));
        for (size_t k = 0; k < s->nps; k++)
            put_key(data, size++, answer(s, s->ps[k]), is_double);
        duckdb_list_vector_set_size(out, size);
    }
}

#define PERCENTILE(name, is_double, is_list, finish)                                                         \
    static void update_##name(duckdb_function_info info, duckdb_data_chunk in,                               \
                              duckdb_aggregate_state *states)                                                \
    {                                                                                                        \
        update(info, in, states, is_double, is_list);                                                        \
    }                                                                                                        \
    static void finish_##name(duckdb_function_info info, duckdb_aggregate_state *states, duckdb_vector out,  \
                              idx_t count, idx_t offset)                                                     \
    {                                                                                                        \
        MR_UNUSED(info);                                                                                     \
        finish(states, out, count, offset, is_double);                                                       \
    }
PERCENTILE(percentile_f64, true, false, finish_one)
PERCENTILE(percentile_i64, false, false, finish_one)
PERCENTILE(percentiles_f64, true, true, finish_list)
PERCENTILE(percentiles_i64, false, true, finish_list)

#define ROW(name)                                                                                            \
    {                                                                                                        \
        "mr_" #name, percentile_size, percentile_init, update_##name, combine, finish_##name,                \
            percentile_destroy                                                                               \
    }
const struct agg_impl agg_percentile_table[] = {
    ROW(percentile_f64), ROW(percentile_i64), ROW(percentiles_f64), ROW(percentiles_i64), {.name = NULL},
};
