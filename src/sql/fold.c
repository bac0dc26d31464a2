/* sql/fold.c - constants computed while checking, so that time bounds are known before a row is read.
 *
 * Only what bounds of scans are made of is folded: intervals, instants, their arithmetic, and integers that
 * become them. What would fail (overflow, bad text) is left for run time, where it has its text and where TRY
 * can catch it.
 */
#include "sql/bound.h"

#include <math.h>

#include "sql/timetext.h"

typedef bool (*fold_fn)(const struct bound_expr *const *a, int64_t *out);

static bool fold_ts_add(const struct bound_expr *const *a, int64_t *out)
{
    return !__builtin_add_overflow(a[0]->i64, a[1]->i64, out);
}

static bool fold_ts_sub(const struct bound_expr *const *a, int64_t *out)
{
    return !__builtin_sub_overflow(a[0]->i64, a[1]->i64, out);
}

static bool fold_negate(const struct bound_expr *const *a, int64_t *out)
{
    return !__builtin_sub_overflow((int64_t)0, a[0]->i64, out);
}

static bool fold_mul(const struct bound_expr *const *a, int64_t *out)
{
    return !__builtin_mul_overflow(a[0]->i64, a[1]->i64, out);
}

static bool fold_add_months(const struct bound_expr *const *a, int64_t *out)
{
    return sql_ts_add_months(a[0]->i64, a[1]->i64, out);
}

static bool fold_sub_months(const struct bound_expr *const *a, int64_t *out)
{
    return sql_ts_add_months(a[0]->i64, -a[1]->i64, out);
}

static bool fold_bin(const struct bound_expr *const *a, int64_t *out)
{
    return sql_ts_bin(a[0]->i64, a[1]->i64, out);
}

static bool fold_trunc(const struct bound_expr *const *a, int64_t *out)
{
    enum sql_unit unit;
    return sql_unit_of(a[0]->text, &unit) && sql_ts_trunc(unit, a[1]->i64, out);
}

static bool fold_date_add(const struct bound_expr *const *a, int64_t *out)
{
    enum sql_unit unit;
    return sql_unit_of(a[0]->text, &unit) && sql_ts_add(unit, a[1]->i64, a[2]->i64, out);
}

static bool fold_from_millis(const struct bound_expr *const *a, int64_t *out)
{
    return !__builtin_mul_overflow(a[0]->i64, (int64_t)1000000, out);
}

static bool fold_from_unixtime(const struct bound_expr *const *a, int64_t *out)
{
    double seconds = a[0]->f64, whole = floor(seconds);
    if (!(whole > -9.2e9 && whole < 9.2e9)) /* NaN as well: the engine says what is wrong */
        return false;
    *out = (int64_t)whole * SQL_NS_SECOND + (int64_t)llround((seconds - whole) * 1e9);
    return true;
}

static bool fold_duration(const struct bound_expr *const *a, int64_t *out)
{
    bool months;
    struct mr_str unit;
    return sql_parse_duration(a[0]->text, &months, out, &unit) == SQL_DURATION_OK && !months;
}

static bool fold_iso(const struct bound_expr *const *a, int64_t *out)
{
    return sql_parse_iso_timestamp(a[0]->text, out);
}

static bool fold_text_ts(const struct bound_expr *const *a, int64_t *out)
{
    return sql_parse_timestamp(a[0]->text, out);
}

static bool fold_text_i64(const struct bound_expr *const *a, int64_t *out)
{
    return mr_str_to_i64(a[0]->text, out);
}

static bool fold_date_ts(const struct bound_expr *const *a, int64_t *out)
{
    return sql_date_to_ts((int32_t)a[0]->i64, out);
}

static bool fold_same(const struct bound_expr *const *a, int64_t *out)
{
    *out = a[0]->i64;
    return true;
}

static bool fold_millis(const struct bound_expr *const *a, int64_t *out)
{
    *out = a[0]->i64 / 1000000 - (a[0]->i64 % 1000000 < 0);
    return true;
}

static const struct {
    const char *pattern;
    fold_fn fold;
} folds[] = {
    {"mr_ts_add($1, $2)", fold_ts_add},
    {"mr_ts_sub($1, $2)", fold_ts_sub},
    {"mr_ts_diff($1, $2)", fold_ts_sub},
    {"mr_ival_add($1, $2)", fold_ts_add},
    {"mr_ival_sub($1, $2)", fold_ts_sub},
    {"mr_add_i64($1, $2)", fold_ts_add},
    {"mr_sub_i64($1, $2)", fold_ts_sub},
    {"mr_mul_i64($1, $2)", fold_mul},
    {"mr_neg_i64($1)", fold_negate},
    {"mr_neg_i32($1)", fold_negate},
    {"mr_ival_neg($1)", fold_negate},
    {"mr_ivaly_neg($1)", fold_negate},
    {"mr_add_i32($1, $2)", fold_ts_add},
    {"mr_sub_i32($1, $2)", fold_ts_sub},
    {"mr_mul_i32($1, $2)", fold_mul},
    {"mr_ivaly_add($1, $2)", fold_ts_add},
    {"mr_ivaly_sub($1, $2)", fold_ts_sub},
    {"mr_ival_mul_i64($1, $2)", fold_mul},
    {"mr_ivaly_mul_i64($1, $2)", fold_mul},
    {"mr_ts_add_months($1, $2)", fold_add_months},
    {"mr_ts_sub_months($1, $2)", fold_sub_months},
    {"mr_bin($1, $2)", fold_bin},
    {"mr_date_trunc_ts($1, $2)", fold_trunc},
    {"mr_date_add_ts($1, $2, $3)", fold_date_add},
    {"mr_from_millis($1)", fold_from_millis},
    {"mr_from_unixtime($1)", fold_from_unixtime},
    {"mr_parse_duration($1)", fold_duration},
    {"mr_from_iso8601_timestamp($1)", fold_iso},
    {"mr_text_to_ts($1)", fold_text_ts},
    {"mr_text_to_i64($1)", fold_text_i64},
    {"mr_date_to_ts($1)", fold_date_ts},
    {"mr_ts_to_millis($1)", fold_millis},
    {"CAST($1 AS BIGINT)", fold_same},
    {"$1", fold_same},
};

static bool is_int32(const struct sql_type *t)
{
    return t->kind == SQL_INTEGER || t->kind == SQL_INTERVAL_YEAR || t->kind == SQL_DATE;
}

static struct bound_expr *fold_double(struct sql_context *cx, struct bound_expr *e)
{
    const struct bound_expr *a = e->args[0];
    if (strcmp(e->pattern, "CAST($1 AS DOUBLE)") == 0 && a->type->kind != SQL_BOOLEAN)
        return bound_double(cx, e->pos, (double)a->i64);
    if (strcmp(e->pattern, "(-$1)") == 0)
        return bound_double(cx, e->pos, -a->f64);
    return e;
}

struct bound_expr *sql_fold(struct sql_context *cx, struct bound_expr *e)
{
    int64_t value;
    if (e == NULL || e->kind != BOUND_CALL || e->nargs == 0)
        return e;
    for (size_t i = 0; i < e->nargs; i++) {
        if (!bound_is_const(e->args[i]))
            return e;
    }
    if (e->type->kind == SQL_DOUBLE)
        return fold_double(cx, e);
    if (e->type->elem != NULL || e->type->kind == SQL_ROW || e->type->kind == SQL_VARCHAR)
        return e;
    for (size_t i = 0; i < MR_ARRAY_LEN(folds); i++) {
        if (strcmp(e->pattern, folds[i].pattern) != 0)
            continue;
        if (!folds[i].fold((const struct bound_expr *const *)e->args, &value) ||
            (is_int32(e->type) && (value > INT32_MAX || value < INT32_MIN)))
            return e;
        return bound_int(cx, e->pos, e->type->kind, value);
    }
    return e;
}
