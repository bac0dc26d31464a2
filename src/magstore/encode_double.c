/* Doubles. The column starts with one byte: the decimal exponent e (0..18), or FLOAT.
 *
 * Decimal: value = (double)integer / 10^e bit for bit; the integers follow as an integer column, before it
 * the values for which that does not hold (position, bits). FLOAT: encode_float.c. */
#include "magstore/encode_float.h"

#include "base/cursor.h"

#include <math.h>

#define FLOAT 0xFF
#define MAX_EXPONENT 18

static const double powers[MAX_EXPONENT + 1] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                                1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};

static uint64_t bits_of(double v)
{
    uint64_t b;
    memcpy(&b, &v, sizeof b);
    return b;
}

static double double_of(uint64_t b)
{
    double v;
    memcpy(&v, &b, sizeof v);
    return v;
}

/* The integer that stands for v at exponent e. Magnitudes stay below 2^53, where integers are exact doubles.
 */
static bool as_decimal(double v, unsigned e, int64_t *out)
{
    double scaled = v * powers[e];
    if (!(fabs(scaled) < 9007199254740992.0))
        return false;
    int64_t i = llrint(scaled);
    *out = i;
    return bits_of((double)i / powers[e]) == bits_of(v);
}

/* The smallest exponent that suits a sample, or FLOAT when a fifth of the sample suits none. */
static unsigned choose_exponent(const double *v, size_t n)
{
    size_t step = n > 256 ? n / 256 : 1, sample = (n + step - 1) / step;
    unsigned best = FLOAT;
    size_t most = sample - sample / 5;
    if (most == 0)
        most = 1;
    for (unsigned e = 0; e <= MAX_EXPONENT; e++) {
        size_t fits = 0;
        int64_t ignored;
        for (size_t i = 0; i < n; i += step)
            fits += as_decimal(v[i], e, &ignored);
        if (fits >= most) { /* a larger exponent must fit clearly more: it makes all integers longer */
            best = e;
            most = fits + fits / 64 + 1;
            if (fits == sample)
                break;
        }
    }
    return best;
}

static int encode_float(struct magstore_scratch *s, const double *v, size_t n, struct mr_buf *out)
{
    mr_buf_char(out, (char)FLOAT);
    return magstore_encode_float(s, v, n, out);
}

static int encode_decimal(struct magstore_scratch *s, const double *v, size_t n, unsigned e,
                          struct mr_buf *out)
{
    struct mr_buf exceptions = MR_BUF_INIT;
    size_t count = 0, last = 0;
    int64_t before = 0;
    for (size_t i = 0; i < n; i++) {
        if (as_decimal(v[i], e, &s->numbers[i])) {
            before = s->numbers[i];
            continue;
        }
        s->numbers[i] = before; /* costs least */
        mr_buf_varint(&exceptions, i - last);
        mr_buf_u64(&exceptions, bits_of(v[i]));
        last = i;
        count++;
    }
    mr_buf_char(out, (char)e);
    mr_buf_varint(out, count);
    mr_buf_str(out, mr_buf_view(&exceptions));
    bool ok = mr_buf_ok(&exceptions);
    mr_buf_release(&exceptions);
    return ok ? magstore_encode_i64(s, s->numbers, n, out) : MR_ENOMEM;
}

int magstore_encode_f64(struct magstore_scratch *s, const double *values, size_t n, struct mr_buf *out)
{
    MR_ASSERT(n <= MAGSTORE_MAX_VALUES);
    if (n == 0)
        return MR_OK;
    size_t start = out->len;
    unsigned e = choose_exponent(values, n);
    if (e == FLOAT)
        return encode_float(s, values, n, out);
    int status = encode_decimal(s, values, n, e, out);
    if (status != MR_OK || out->len - start < n * 4)
        return status;
    /* Not small: the sample may have flattered it. Keep the better one. */
    struct mr_buf other = MR_BUF_INIT;
    status = encode_float(s, values, n, &other);
    if (status == MR_OK && other.len < out->len - start) {
        out->len = start;
        mr_buf_str(out, mr_buf_view(&other));
    }
    mr_buf_release(&other);
    return status == MR_OK && !mr_buf_ok(out) ? MR_ENOMEM : status;
}

static int apply_exceptions(struct mr_cursor c, uint64_t count, double *values, size_t n)
{
    uint64_t at = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = mr_cursor_varint(&c), b = mr_cursor_u64(&c);
        if (c.bad || step >= n || (at += step) >= n)
            return MR_ECORRUPT;
        values[at] = double_of(b);
    }
    return MR_OK;
}

int magstore_decode_f64(struct magstore_scratch *s, struct mr_str bytes, double *values, size_t n)
{
    if (n == 0)
        return MR_OK;
    if (n > MAGSTORE_MAX_VALUES)
        return MR_ECORRUPT;
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    uint8_t e = mr_cursor_u8(&c);
    if (e == FLOAT && !c.bad)
        return magstore_decode_float(s, &c, values, n);
    uint64_t count = mr_cursor_varint(&c);
    if (c.bad || e > MAX_EXPONENT || count > n)
        return MR_ECORRUPT;
    struct mr_cursor exceptions = c;
    for (uint64_t i = 0; i < count; i++) {
        mr_cursor_varint(&c);
        mr_cursor_u64(&c);
    }
    struct mr_str integers = {(const char *)c.ptr, c.left};
    int status = c.bad ? MR_ECORRUPT : magstore_decode_i64(s, integers, s->numbers, n);
    if (status != MR_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        values[i] = (double)s->numbers[i] / powers[e];
    return apply_exceptions(exceptions, count, values, n);
}
