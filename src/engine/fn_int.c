/* Integer arithmetic with the overflow texts of Trino. */
#include <inttypes.h>

#include "engine/fn.h"

/* (a, b) -> a op b, failing on overflow. */
#define OVERFLOWING(name, type, word, noun, sign, builtin, format)                                           \
    static void name(struct fn_call *call)                                                                   \
    {                                                                                                        \
        const type *a = FN_ARG(call, type, 0), *b = FN_ARG(call, type, 1);                                   \
        type *out = FN_OUT(call, type);                                                                      \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            if (MR_UNLIKELY(builtin(a[i], b[i], &out[i]))) {                                                 \
                FN_BAD(call, word " " noun " overflow: %" format " " sign " %" format, a[i], b[i]);          \
                return;                                                                                      \
            }                                                                                                \
        }                                                                                                    \
    }
OVERFLOWING(add_i32, int32_t, "integer", "addition", "+", __builtin_add_overflow, PRId32)
OVERFLOWING(sub_i32, int32_t, "integer", "subtraction", "-", __builtin_sub_overflow, PRId32)
OVERFLOWING(mul_i32, int32_t, "integer", "multiplication", "*", __builtin_mul_overflow, PRId32)
OVERFLOWING(add_i64, int64_t, "bigint", "addition", "+", __builtin_add_overflow, PRId64)
OVERFLOWING(sub_i64, int64_t, "bigint", "subtraction", "-", __builtin_sub_overflow, PRId64)
OVERFLOWING(mul_i64, int64_t, "bigint", "multiplication", "*", __builtin_mul_overflow, PRId64)

#define DIVIDING(suffix, type, min, word, format)                                                            \
    static void div_##suffix(struct fn_call *call)                                                           \
    {                                                                                                        \
        const type *a = FN_ARG(call, type, 0), *b = FN_ARG(call, type, 1);                                   \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            if (MR_UNLIKELY(b[i] == 0)) {                                                                    \
                FN_BAD(call, "Division by zero");                                                            \
                return;                                                                                      \
            }                                                                                                \
            if (MR_UNLIKELY(a[i] == (min) && b[i] == -1)) {                                                  \
                FN_BAD(call, word " division overflow: %" format " / %" format, a[i], b[i]);                 \
                return;                                                                                      \
            }                                                                                                \
            FN_OUT(call, type)[i] = a[i] / b[i];                                                             \
        }                                                                                                    \
    }                                                                                                        \
    static void mod_##suffix(struct fn_call *call)                                                           \
    {                                                                                                        \
        const type *a = FN_ARG(call, type, 0), *b = FN_ARG(call, type, 1);                                   \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            if (MR_UNLIKELY(b[i] == 0)) {                                                                    \
                FN_BAD(call, "Division by zero");                                                            \
                return;                                                                                      \
            }                                                                                                \
            FN_OUT(call, type)[i] = b[i] == -1 ? 0 : a[i] % b[i];                                            \
        }                                                                                                    \
    }                                                                                                        \
    static void neg_##suffix(struct fn_call *call)                                                           \
    {                                                                                                        \
        const type *a = FN_ARG(call, type, 0);                                                               \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            if (MR_UNLIKELY(a[i] == (min))) {                                                                \
                FN_BAD(call, word " negation overflow: %" format, a[i]);                                     \
                return;                                                                                      \
            }                                                                                                \
            FN_OUT(call, type)[i] = -a[i];                                                                   \
        }                                                                                                    \
    }                                                                                                        \
    static void abs_##suffix(struct fn_call *call)                                                           \
    {                                                                                                        \
        const type *a = FN_ARG(call, type, 0);                                                               \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            if (MR_UNLIKELY(a[i] == (min))) {                                                                \
                FN_BAD(call, "Value %" format " is out of range for abs(" word ")", a[i]);                   \
                return;                                                                                      \
            }                                                                                                \
            FN_OUT(call, type)[i] = a[i] < 0 ? -a[i] : a[i];                                                 \
        }                                                                                                    \
    }
DIVIDING(i32, int32_t, INT32_MIN, "integer", PRId32)
DIVIDING(i64, int64_t, INT64_MIN, "bigint", PRId64)

/* Rounds v to a multiple of 10^digits, half away from zero; false when the multiple is outside int64. */
static bool round_left(int64_t v, int64_t digits, int64_t *out)
{
    int64_t unit = 1;

    if (digits > 18) { /* 10^19 is beyond twice any int64: half of it rounds up from 5e18 on, out of range */
        bool up = digits == 19 && (v >= INT64_C(5000000000000000000) || v <= -INT64_C(5000000000000000000));
        *out = 0;
        return !up;
    }
    for (int64_t d = 0; d < digits; d++)
        unit *= 10;
    int64_t rest = v % unit, base = v - rest;
    if (rest >= unit - rest)
        return !__builtin_add_overflow(base, unit, out);
    if (-rest >= unit + rest)
        return !__builtin_sub_overflow(base, unit, out);
    *out = base;
    return true;
}

#define ROUNDING(suffix, type, word, format)                                                                 \
    static void round_##suffix(struct fn_call *call)                                                         \
    {                                                                                                        \
        const type *x = FN_ARG(call, type, 0);                                                               \
        const int64_t *digits = FN_ARG(call, int64_t, 1);                                                    \
        FN_EACH(call, i)                                                                                     \
        {                                                                                                    \
            int64_t v = x[i];                                                                                \
            if (digits[i] < 0 &&                                                                             \
                (!round_left(x[i], digits[i] < -30 ? 30 : -digits[i], &v) || v != (type)v)) {                \
                FN_BAD(call, "Out of range for " word ": %" format, x[i]);                                   \
                return;                                                                                      \
            }                                                                                                \
            FN_OUT(call, type)[i] = (type)v;                                                                 \
        }                                                                                                    \
    }
ROUNDING(i32, int32_t, "integer", PRId32)
ROUNDING(i64, int64_t, "bigint", PRId64)

static void bit_count(struct fn_call *call)
{
    const int64_t *x = FN_ARG(call, int64_t, 0), *bits = FN_ARG(call, int64_t, 1);

    FN_EACH(call, i)
    {
        if (bits[i] < 2 || bits[i] > 64) {
            FN_BAD(call, "Bits specified in bit_count must be between 2 and 64, got %" PRId64, bits[i]);
            return;
        }
        int64_t lowest = INT64_MIN >> (64 - bits[i]);
        if (x[i] < lowest || x[i] > ~lowest) {
            FN_BAD(call,
                   "Number must be representable with the bits specified. %" PRId64
                   " can not be represented with %" PRId64 " bits",
                   x[i], bits[i]);
            return;
        }
        uint64_t mask = UINT64_MAX >> (64 - bits[i]);
        FN_OUT(call, int64_t)[i] = __builtin_popcountll((uint64_t)x[i] & mask);
    }
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

static bool parse_base(struct mr_str s, int64_t radix, int64_t *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t from = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+') ? 1 : 0;
    int64_t v = 0;

    for (size_t i = from; i < s.len; i++) {
        int digit = digit_of(s.ptr[i]);
        if (digit >= radix || __builtin_mul_overflow(v, radix, &v) ||
            __builtin_sub_overflow(v, (int64_t)digit,
                                   &v)) /* downwards, because the range reaches further there */
            return false;
    }
    if (s.len == from || (!negative && v == INT64_MIN))
        return false;
    *out = negative ? v : -v;
    return true;
}

static void from_base(struct fn_call *call)
{
    const int64_t *radix = FN_ARG(call, int64_t, 1);

    FN_EACH(call, i)
    {
        struct mr_str s = fn_str(call, 0, i);
        if (radix[i] < 2 || radix[i] > 36) {
            FN_BAD(call, "Radix must be between 2 and 36");
            return;
        }
        if (!parse_base(s, radix[i], &FN_OUT(call, int64_t)[i])) {
            FN_BAD(call, "Not a valid base-%" PRId64 " number: " MR_STR_FMT, radix[i], MR_STR_ARG(s));
            return;
        }
    }
}

static void to_base(struct fn_call *call)
{
    const int64_t *x = FN_ARG(call, int64_t, 0), *radix = FN_ARG(call, int64_t, 1);
    char text[72];

    FN_EACH(call, i)
    {
        if (radix[i] < 2 || radix[i] > 36) {
            FN_BAD(call, "Radix must be between 2 and 36");
            return;
        }
        uint64_t v = x[i] < 0 ? 0 - (uint64_t)x[i] : (uint64_t)x[i];
        char *p = text + sizeof(text);
        do {
            *--p = "0123456789abcdefghijklmnopqrstuvwxyz"[v % (uint64_t)radix[i]];
            v /= (uint64_t)radix[i];
        } while (v > 0);
        if (x[i] < 0)
            *--p = '-';
        if (!fn_put_str(call, i, (struct mr_str){p, (size_t)(text + sizeof(text) - p)}))
            return;
    }
}

static void subscript(struct fn_call *call)
{
    const int64_t *index = FN_ARG(call, int64_t, 0), *length = FN_ARG(call, int64_t, 1);

    FN_EACH(call, i)
    {
        if (index[i] >= 1 && index[i] <= length[i]) {
            FN_OUT(call, int64_t)[i] = index[i];
            continue;
        }
        if (index[i] == 0)
            FN_BAD(call, "SQL array indices start at 1");
        else if (index[i] < 0)
            FN_BAD(call, "Array subscript is negative: %" PRId64, index[i]);
        else
            FN_BAD(call, "Array subscript must be less than or equal to array length: %" PRId64 " > %" PRId64,
                   index[i], length[i]);
        return;
    }
}

static void check_i64(struct fn_call *call)
{
    const int64_t *x = FN_ARG(call, int64_t, 0), *low = FN_ARG(call, int64_t, 1),
                  *high = FN_ARG(call, int64_t, 2);

    FN_EACH(call, i)
    {
        if (x[i] < low[i] || x[i] > high[i]) {
            FN_BAD(call, MR_STR_FMT, MR_STR_ARG(fn_str(call, 3, i)));
            return;
        }
        FN_OUT(call, int64_t)[i] = x[i];
    }
}

static void narrow_sum(struct fn_call *call)
{
    const duckdb_hugeint *sum = FN_ARG(call, duckdb_hugeint, 0);

    FN_EACH(call, i)
    {
        int64_t low = (int64_t)sum[i].lower;
        if (sum[i].upper != (low < 0 ? -1 : 0)) {
            FN_BAD(call, "bigint addition overflow");
            return;
        }
        FN_OUT(call, int64_t)[i] = low;
    }
}

const struct fn_impl fn_int_table[] = {
    {"mr_add_i32", add_i32},
    {"mr_sub_i32", sub_i32},
    {"mr_mul_i32", mul_i32},
    {"mr_div_i32", div_i32},
    {"mr_mod_i32", mod_i32},
    {"mr_neg_i32", neg_i32},
    {"mr_abs_i32", abs_i32},
    {"mr_add_i64", add_i64},
    {"mr_sub_i64", sub_i64},
    {"mr_mul_i64", mul_i64},
    {"mr_div_i64", div_i64},
    {"mr_mod_i64", mod_i64},
    {"mr_neg_i64", neg_i64},
    {"mr_abs_i64", abs_i64},
    {"mr_round_i32", round_i32},
    {"mr_round_i64", round_i64},
    {"mr_bit_count", bit_count},
    {"mr_from_base", from_base},
    {"mr_to_base", to_base},
    {"mr_subscript", subscript},
    {"mr_check_i64", check_i64},
    {"mr_narrow_sum", narrow_sum},
    {NULL, NULL},
};
