/* store/aggregate_fold.c - a stretch of rows into one state. Loops over several lanes, for the compiler to
 * make vectors of: a single accumulator would wait for itself at every value. */
#include "store/aggregate.h"

#include "base/moments.h"

#include <math.h>

enum { LANES = 8 };

bool fold_fits(const struct store_fold *fold)
{
    switch (fold->op) {
    case STORE_FOLD_ROWS:
        return true;
    case STORE_FOLD_COUNT:
        return fold->type >= STORE_DOUBLE && fold->type <= STORE_TIMESTAMP;
    case STORE_FOLD_SUM:
    case STORE_FOLD_MOMENTS:
        return fold->type == STORE_DOUBLE || fold->type == STORE_BIGINT;
    case STORE_FOLD_MIN:
    case STORE_FOLD_MAX:
        return fold->type == STORE_DOUBLE || fold->type == STORE_BIGINT || fold->type == STORE_TIMESTAMP;
    case STORE_FOLD_FIRST:
    case STORE_FOLD_LAST:
        return fold->type >= STORE_DOUBLE && fold->type <= STORE_TIMESTAMP && fold->type != STORE_VARCHAR;
    }
    return false;
}

static uint64_t count_valid(const uint8_t *valid, size_t n)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += valid[i];
    return count;
}

/* ---- DOUBLE ---- */

static double sum_f64(const double *v, const uint8_t *valid, size_t n)
{
    double lane[LANES] = {0};
    size_t i = 0;
    if (valid == NULL) {
        for (; i + LANES <= n; i += LANES)
            for (size_t k = 0; k < LANES; k++)
                lane[k] += v[i + k];
        for (; i < n; i++)
            lane[0] += v[i];
    } else {
        for (; i < n; i++)
            lane[i % LANES] += valid[i] ? v[i] : 0.0;
    }
    return ((lane[0] + lane[4]) + (lane[1] + lane[5])) + ((lane[2] + lane[6]) + (lane[3] + lane[7]));
}

/* The least value that is no NaN (`sign` 1), or minus the greatest (-1); infinity when there is none. */
static double least_f64(const double *v, const uint8_t *valid, size_t n, double sign, uint64_t *nans)
{
    double lane[LANES];
    uint64_t bad[LANES] = {0};
    size_t i = 0;
    for (size_t k = 0; k < LANES; k++)
        lane[k] = INFINITY;
    if (valid == NULL) {
        for (; i + LANES <= n; i += LANES) {
            for (size_t k = 0; k < LANES; k++) {
                double x = v[i + k] * sign;
                lane[k] = x < lane[k] ? x : lane[k];
                bad[k] += x != x;
            }
        }
    }
    for (; i < n; i++) {
        double x = valid == NULL || valid[i] ? v[i] * sign : INFINITY;
        lane[0] = x < lane[0] ? x : lane[0];
        bad[0] += x != x;
    }
    double best = lane[0];
    *nans = bad[0];
    for (size_t k = 1; k < LANES; k++) {
        best = lane[k] < best ? lane[k] : best;
        *nans += bad[k];
    }
    return best;
}

static void best_f64(struct fold_state *s, bool max, const double *v, const uint8_t *valid, size_t n)
{
    uint64_t nans;
    double sign = max ? -1.0 : 1.0, best = least_f64(v, valid, n, sign, &nans) * sign;
    if (s->count > s->extra)
        best = (max ? best > s->f64 : best < s->f64) ? best : s->f64;
    s->f64 = best;
    s->extra += nans;
}

/* ---- int64 ---- */

static __int128 sum_i64(const int64_t *v, const uint8_t *valid, size_t n)
{
    /* Halves of 32 bits: a batch has few enough rows for sums of them to stay far from 64 bits. */
    int64_t high = 0, low = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t x = valid == NULL || valid[i] ? v[i] : 0;
        high += x >> 32;
        low += (int64_t)((uint64_t)x & UINT32_MAX);
    }
    return (__int128)high * ((int64_t)1 << 32) + low;
}

static int64_t least_i64(const int64_t *v, const uint8_t *valid, size_t n)
{
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < n; i++) {
        int64_t x = valid == NULL || valid[i] ? v[i] : INT64_MAX;
        best = x < best ? x : best;
    }
    return best;
}

static int64_t greatest_i64(const int64_t *v, const uint8_t *valid, size_t n)
{
    int64_t best = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        int64_t x = valid == NULL || valid[i] ? v[i] : INT64_MIN;
        best = x > best ? x : best;
    }
    return best;
}

static void best_i64(struct fold_state *s, bool max, const int64_t *v, const uint8_t *valid, size_t n)
{
    int64_t best = max ? greatest_i64(v, valid, n) : least_i64(v, valid, n);
    if (s->count == 0 || (max ? best > s->i64 : best < s->i64))
        s->i64 = best;
}

/* ---- first, last ---- */

/* Of the row: rows of a series ascend, so it is the first or the last of the stretch. */
static void take_row(struct fold_state *s, const struct store_fold *fold, const struct store_vec *vec,
                     const int64_t *times, size_t row)
{
    bool later = fold->op == STORE_FOLD_LAST;
    size_t at = vec->constant ? 0 : row;
    if (s->count != 0 && (later ? times[row] <= s->at.time : times[row] >= s->at.time))
        return;
    s->count = 1;
    s->at.time = times[row];
    s->extra = vec->valid == NULL || vec->valid[at];
    if (s->extra == 0)
        s->at.bits = 0;
    else if (fold->type == STORE_BOOLEAN)
        s->at.bits = ((const uint8_t *)vec->values)[at];
    else
        s->at.bits = ((const int64_t *)vec->values)[at];
}

/* ---- moments ---- */

/* x[i] of `of`, less `from`; 0 for a NULL. */
static double distance(const void *of, enum store_type type, const uint8_t *valid, size_t i, double from)
{
    double x = type == STORE_DOUBLE ? ((const double *)of)[i] : (double)((const int64_t *)of)[i];
    return valid == NULL || valid[i] ? x - from : 0;
}

/* The sum of the distances, and of their squares. */
static void sum_distances(const void *of, enum store_type type, const uint8_t *valid, size_t n, double from,
                          double *sum, double *squares)
{
    double lane[LANES] = {0}, square[LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        double d = distance(of, type, valid, i, from);
        lane[i % LANES] += d;
        square[i % LANES] += d * d;
    }
    *sum = *squares = 0;
    for (size_t k = 0; k < LANES; k++) {
        *sum += lane[k];
        *squares += square[k];
    }
}

/* Twice over the values: the mean by way of some value, so that equal ones have exactly theirs, then the
 * squares. */
static void add_moments(struct fold_state *s, enum store_type type, const void *values, const uint8_t *valid,
                        size_t n, uint64_t count)
{
    struct mr_moments all = {(double)s->count, s->moments.mean, s->moments.m2}, these = {.n = (double)count};
    size_t first = 0;
    double sum, squares;
    while (valid != NULL && !valid[first])
        first++;
    these.mean = distance(values, type, NULL, first, 0);
    sum_distances(values, type, valid, n, these.mean, &sum, &squares);
    these.mean += sum / these.n;
    if (count > 1)
        sum_distances(values, type, valid, n, these.mean, &sum, &squares);
    if (isfinite(squares)) /* the sum would be 0 but for rounding */
        squares = fmax(squares - sum * sum / these.n, 0);
    these.m2 = squares;
    mr_moments_join(&all, &these);
    s->moments.mean = all.mean;
    s->moments.m2 = all.m2;
}

/* ---- any ---- */

static void fold_values(const struct store_fold *fold, struct fold_state *s, const void *values,
                        const uint8_t *valid, size_t n)
{
    uint64_t count = valid != NULL ? count_valid(valid, n) : n;
    bool max = fold->op == STORE_FOLD_MAX;
    if (count == 0)
        return;
    if (count == n)
        valid = NULL;
    if (fold->op == STORE_FOLD_MOMENTS)
        add_moments(s, fold->type, values, valid, n, count);
    else if (fold->op == STORE_FOLD_SUM && fold->type == STORE_DOUBLE)
        s->f64 += sum_f64(values, valid, n);
    else if (fold->op == STORE_FOLD_SUM)
        s->wide += sum_i64(values, valid, n);
    else if (fold->op != STORE_FOLD_COUNT && fold->type == STORE_DOUBLE)
        best_f64(s, max, values, valid, n);
    else if (fold->op != STORE_FOLD_COUNT)
        best_i64(s, max, values, valid, n);
    s->count += count;
}

void fold_rows(const struct store_fold *fold, struct fold_state *state, const struct store_vec *vec,
               const int64_t *times, size_t from, size_t end)
{
    if (fold->op == STORE_FOLD_ROWS) {
        state->count += end - from;
        return;
    }
    if (fold_wants_time(fold)) {
        take_row(state, fold, vec, times, fold->op == STORE_FOLD_LAST ? end - 1 : from);
        return;
    }
    if (vec->constant) { /* a column without values here, as a rule */
        for (size_t i = from; i < end && (vec->valid == NULL || vec->valid[0]); i++)
            fold_values(fold, state, vec->values, NULL, 1);
        return;
    }
    fold_values(fold, state, (const char *)vec->values + from * (fold->op == STORE_FOLD_COUNT ? 0 : 8),
                vec->valid != NULL ? vec->valid + from : NULL, end - from);
}

/* ---- each row into its own group ---- */

static void each_f64_best(struct fold_state *s, bool max, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++, s++) {
        bool nan = v[i] != v[i];
        bool first = s->count == s->extra; /* of those that are no NaN */
        if (!nan && (first || (max ? v[i] > s->f64 : v[i] < s->f64)))
            s->f64 = v[i];
        s->extra += nan;
        s->count++;
    }
}

static void each_f64_sum(struct fold_state *s, const double *v, size_t n)
{
    for (size_t i = 0; i < n; i++, s++) {
        s->f64 += v[i];
        s->count++;
    }
}

void fold_each(const struct store_fold *fold, struct fold_state *states, const struct store_vec *vec,
               const int64_t *times, size_t from, size_t n)
{
    bool sum = fold->op == STORE_FOLD_SUM, best = fold->op == STORE_FOLD_MIN || fold->op == STORE_FOLD_MAX;
    bool plain = (sum || best) && fold->type == STORE_DOUBLE && !vec->constant && vec->valid == NULL;
    const double *v = plain ? (const double *)vec->values + from : NULL;
    if (plain && sum)
        each_f64_sum(states, v, n);
    else if (plain)
        each_f64_best(states, fold->op == STORE_FOLD_MAX, v, n);
    for (size_t i = 0; i < n && !plain; i++)
        fold_rows(fold, states + i, vec, times, from + i, from + i + 1);
}
