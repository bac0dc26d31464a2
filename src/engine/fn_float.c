/* Functions of doubles. IEEE 754 throughout: no domain errors, NaN and infinities come out. */
#include <math.h>

#include "base/rand.h"
#include "engine/fn.h"

#define UNARY(name, expression)                                                                              \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        const double *arg = FN_ARG(call, double, 0);                                                         \
        double *out = FN_OUT(call, double);                                                                  \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            double x = arg[i];                                                                               \
            out[i] = (expression);                                                                           \
        }                                                                                                    \
    }
#define BINARY(name, type, expression)                                                                       \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        const double *left = FN_ARG(call, double, 0), *right = FN_ARG(call, double, 1);                      \
        type *out = FN_OUT(call, type);                                                                      \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            double x = left[i], y = right[i];                                                                \
            out[i] = (expression);                                                                           \
        }                                                                                                    \
    }

/* The C library's cbrt is off by one in the last place even for whole cubes; the wider one rounds to the
 * right one. */
UNARY(f_cbrt, (double)cbrtl((long double)x))
UNARY(f_ceil, ceil(x))
UNARY(f_floor, floor(x))
UNARY(f_degrees, x *(180.0 / M_PI))
UNARY(f_radians, x *(M_PI / 180.0))
UNARY(f_exp, exp(x))
UNARY(f_ln, log(x))
UNARY(f_log2, log2(x))
UNARY(f_log10, log10(x))
UNARY(f_sqrt, sqrt(x))
UNARY(f_acos, acos(x))
UNARY(f_asin, asin(x))
UNARY(f_atan, atan(x))
UNARY(f_cos, cos(x))
UNARY(f_cosh, cosh(x))
UNARY(f_sin, sin(x))
UNARY(f_tan, tan(x))
UNARY(f_tanh, tanh(x))
UNARY(f_round, round(x))
UNARY(f_truncate, trunc(x))
UNARY(f_sign, isnan(x) || x == 0 ? x : x > 0 ? 1.0 : -1.0) /* of -0.0 it is -0.0, as of its ancestor */
BINARY(f_pow, double, pow(x, y))
BINARY(f_atan2, double, atan2(x, y))
BINARY(f_mod, double, fmod(x, y))
BINARY(f_eq, bool, x == y)
BINARY(f_ne, bool, x != y)
BINARY(f_lt, bool, x < y)
BINARY(f_le, bool, x <= y)

/* sign * floor(|x| * 10^d + 0.5) / 10^d (query-language reference 6.5). Where the power or the product leaves
 * the range of a double there is nothing left to round, or nothing left at all. */
static double round_digits(double x, int64_t digits)
{
    if (!isfinite(x) || digits > 308)
        return x;
    if (digits < -308)
        return copysign(0.0, x);
    double power = pow(10, (double)digits);
    double scaled = fabs(x) * power;
    if (!isfinite(scaled))
        return x;
    return copysign(floor(scaled + 0.5) / power, x);
}

static void f_round_n(struct fn_call *call)
{
    const double *x = FN_ARG(call, double, 0);
    const int64_t *digits = FN_ARG(call, int64_t, 1);

    FN_EACH(call, i)
    FN_OUT(call, double)[i] = round_digits(x[i], digits[i]);
}

static void check_f64(struct fn_call *call)
{
    const double *x = FN_ARG(call, double, 0), *low = FN_ARG(call, double, 1),
                 *high = FN_ARG(call, double, 2);

    FN_EACH(call, i)
    {
        if (!(x[i] >= low[i] && x[i] <= high[i])) {
            FN_BAD(call, MR_STR_FMT, MR_STR_ARG(fn_str(call, 3, i)));
            return;
        }
        FN_OUT(call, double)[i] = x[i];
    }
}

/* ---- chance
 * -------------------------------------------------------------------------------------------------- */

static struct mr_rng seeded(void)
{
    struct mr_rng rng;

    mr_random_bytes(&rng.state, sizeof(rng.state));
    return rng;
}

static void f_random(struct fn_call *call)
{
    struct mr_rng rng = seeded();

    FN_EACH(call, i)
    FN_OUT(call, double)[i] = mr_rng_unit(&rng);
}

/* What else depends on chance is a function of such a number: so it may stand in TRY, which takes nothing
 * random. */
static struct mr_rng drawn_by(double chance, uint64_t n)
{
    struct mr_rng rng;

    memcpy(&rng.state, &chance, sizeof(rng.state));
    rng.state += n * UINT64_C(0x9E3779B97F4A7C15);
    return rng;
}

#define RANDOM_BELOW(name, type)                                                                             \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        const type *n = FN_ARG(call, type, 0);                                                               \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            if (n[i] <= 0) {                                                                                 \
                FN_BAD(call, "bound must be positive");                                                      \
                return;                                                                                      \
            }                                                                                                \
            struct mr_rng rng = drawn_by(FN_ARG(call, double, 1)[i], 0);                                     \
            FN_OUT(call, type)[i] = (type)mr_rng_below(&rng, (uint64_t)n[i]);                                \
        }                                                                                                    \
    }
RANDOM_BELOW(random_i32, int32_t)
RANDOM_BELOW(random_i64, int64_t)

static void f_shuffle_key(struct fn_call *call)
{
    FN_EACH(call, i)
    {
        struct mr_rng rng = drawn_by(FN_ARG(call, double, 1)[i], (uint64_t)FN_ARG(call, int64_t, 0)[i]);
        FN_OUT(call, double)[i] = mr_rng_unit(&rng);
    }
}

const struct fn_impl fn_float_table[] = {
    {"mr_cbrt", f_cbrt},
    {"mr_ceil", f_ceil},
    {"mr_floor", f_floor},
    {"mr_degrees", f_degrees},
    {"mr_radians", f_radians},
    {"mr_exp", f_exp},
    {"mr_ln", f_ln},
    {"mr_log2", f_log2},
    {"mr_log10", f_log10},
    {"mr_sqrt", f_sqrt},
    {"mr_acos", f_acos},
    {"mr_asin", f_asin},
    {"mr_atan", f_atan},
    {"mr_cos", f_cos},
    {"mr_cosh", f_cosh},
    {"mr_sin", f_sin},
    {"mr_tan", f_tan},
    {"mr_tanh", f_tanh},
    {"mr_round", f_round},
    {"mr_round_n", f_round_n},
    {"mr_truncate", f_truncate},
    {"mr_sign", f_sign},
    {"mr_pow", f_pow},
    {"mr_atan2", f_atan2},
    {"mr_mod_f64", f_mod},
    {"mr_eq_f64", f_eq},
    {"mr_ne_f64", f_ne},
    {"mr_lt_f64", f_lt},
    {"mr_le_f64", f_le},
    {"mr_check_f64", check_f64},
    {"mr_random", f_random},
    {"mr_shuffle_key", f_shuffle_key},
    {"mr_random_i32", random_i32},
    {"mr_random_i64", random_i64},
    {NULL, NULL},
};
