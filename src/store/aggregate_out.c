/* store/aggregate_out.c - the states of groups as columns, a fold at a time. */
#include "store/aggregate.h"

static void put_best(const struct store_fold *fold, const struct fold_state *s, void *values, size_t n)
{
    bool max = fold->op == STORE_FOLD_MAX;
    if (fold->type != STORE_DOUBLE) {
        for (size_t i = 0; i < n; i++)
            ((int64_t *)values)[i] = s[i].i64;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        const struct fold_state *of = &s[i];
        bool nan = max ? of->extra != 0 : of->extra == of->count;
        ((double *)values)[i] = nan ? __builtin_nan("") : of->f64;
    }
}

static void put_sum(const struct store_fold *fold, const struct fold_state *s, void *values, size_t n)
{
    for (size_t i = 0; i < n && fold->type == STORE_BIGINT; i++)
        ((__int128 *)values)[i] = s[i].wide;
    for (size_t i = 0; i < n && fold->type != STORE_BIGINT; i++)
        ((double *)values)[i] = s[i].f64;
}

static void put_end(const struct store_fold *fold, const struct fold_state *s, struct output *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct fold_state *of = &s[i];
        if (fold->type == STORE_BOOLEAN)
            ((uint8_t *)o->values)[i] = of->at.bits != 0;
        else
            ((int64_t *)o->values)[i] = of->at.bits;
        o->valid[i] = of->extra != 0;
        if (of->count != 0) /* else no row was of its measure name: any other time is better */
            ((int64_t *)o[1].values)[i] = of->at.time;
        else
            ((int64_t *)o[1].values)[i] = fold->op == STORE_FOLD_LAST ? INT64_MIN : INT64_MAX;
        o[1].valid[i] = 1;
    }
}

static void put_moments(const struct fold_state *s, struct output *o, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        ((int64_t *)o[0].values)[i] = (int64_t)s[i].count;
        ((double *)o[1].values)[i] = s[i].moments.mean;
        ((double *)o[2].values)[i] = s[i].moments.m2;
    }
    for (size_t k = 0; k < 3; k++)
        memset(o[k].valid, 1, n);
}

void put_fold(const struct store_fold *fold, const struct fold_state *states, struct output *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        o->valid[i] = states[i].count != 0;
    switch (fold->op) {
    case STORE_FOLD_ROWS:
    case STORE_FOLD_COUNT:
        for (size_t i = 0; i < n; i++)
            ((int64_t *)o->values)[i] = (int64_t)states[i].count;
        memset(o->valid, 1, n);
        return;
    case STORE_FOLD_SUM:
        put_sum(fold, states, o->values, n);
        return;
    case STORE_FOLD_MIN:
    case STORE_FOLD_MAX:
        put_best(fold, states, o->values, n);
        return;
    case STORE_FOLD_MOMENTS:
        put_moments(states, o, n);
        return;
    case STORE_FOLD_FIRST:
    case STORE_FOLD_LAST:
        put_end(fold, states, o, n);
        return;
    }
}
