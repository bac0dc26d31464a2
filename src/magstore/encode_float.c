/* Doubles with full mantissas, predicted by the double before.
 *
 * Sign and exponent (12 bits) go ahead as two byte planes; they come in runs. With the exponent known, the
 * 53-bit mantissa is compared with the last value's, shifted to the same exponent. A walk with steps of one
 * size moves by more units in the last place where the exponent is small, so the noise to be packed raw grows
 * by one bit for each exponent below the largest; above it stays one symbol a value, as for integers.
 *
 *     k (1 byte) · high plane of sign and exponent, low plane (squeezed) · symbols (squeezed) · noise bits
 */
#include "magstore/encode_float.h"

#include "base/cursor.h"

#include <math.h>

#define MANTISSA ((UINT64_C(1) << 52) - 1)
#define LARGEST_K 54

static unsigned top_of(uint64_t bits)
{
    return (unsigned)(bits >> 52);
}

/* With the implicit bit, where there is one; exponents 0 and 1 have the same unit. */
static uint64_t mantissa_of(uint64_t bits)
{
    return (bits & MANTISSA) | ((top_of(bits) & 0x7FF) != 0 ? UINT64_C(1) << 52 : 0);
}

static unsigned exponent_of(unsigned top)
{
    unsigned e = top & 0x7FF;
    return e != 0 ? e : 1;
}

/* The mantissa that the value before would have under `top`; the middle of the range where it says nothing.
 */
static uint64_t predict(uint64_t before, unsigned top)
{
    uint64_t least = (top & 0x7FF) != 0 ? UINT64_C(1) << 52 : 0;
    uint64_t most = (top & 0x7FF) != 0 ? (UINT64_C(1) << 53) - 1 : MANTISSA;
    if ((top_of(before) ^ top) & 0x800)
        return least;
    int shift = (int)exponent_of(top_of(before)) - (int)exponent_of(top);
    uint64_t m = mantissa_of(before);
    if (shift > 10)
        return most;
    m = shift >= 0 ? m << shift : -shift < 64 ? m >> -shift : 0;
    return m < least ? least : m > most ? most : m;
}

static uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t z)
{
    return (z >> 1) ^ (0 - (z & 1));
}

static unsigned noise_width(unsigned k, unsigned largest, unsigned top)
{
    unsigned width = k + (largest - exponent_of(top));
    return width < LARGEST_K ? width : LARGEST_K;
}

/* How many values have a noise width of k + shift, by shift; the last entry is those of any larger one. */
struct shifts {
    uint32_t count[LARGEST_K + 1];
    unsigned least_k; /* the least k under which all symbols fit a byte */
};

static void count_shifts(const uint64_t *z, const uint64_t *bits, size_t n, unsigned largest,
                         struct shifts *out)
{
    unsigned least_k = 0;
    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        unsigned shift = largest - exponent_of(top_of(bits[i])),
                 width = 64 - (unsigned)__builtin_clzll(z[i] | 1);
        out->count[shift < LARGEST_K ? shift : LARGEST_K]++;
        if (width > shift + 8 + least_k)
            least_k = width - shift - 8;
    }
    out->least_k = least_k;
}

static double noise_cost(const struct shifts *s, unsigned k)
{
    double bits = 0;
    for (unsigned shift = 0; shift <= LARGEST_K; shift++)
        bits += s->count[shift] * (double)(k + shift < LARGEST_K ? k + shift : LARGEST_K);
    return bits;
}

static double symbol_cost(const uint32_t *histogram, size_t symbols, size_t n)
{
    double bits = 0;
    for (size_t i = 0; i < symbols; i++)
        if (histogram[i] != 0)
            bits += histogram[i] * log2((double)n / histogram[i]) + 6;
    return bits;
}

/* The split with the least estimated bits. One pass counts the longest symbols; those one bit shorter are
 * pairs of them. */
static unsigned choose_k(const uint64_t *z, const uint64_t *bits, size_t n, unsigned largest)
{
    uint32_t counts[2][256] = {0};
    struct shifts shifts;
    count_shifts(z, bits, n, largest, &shifts);
    unsigned best = LARGEST_K;
    double least = INFINITY;
    for (size_t i = 0; i < n; i++)
        counts[i % 2][(z[i] >> noise_width(shifts.least_k, largest, top_of(bits[i]))) & 255]++;
    for (size_t i = 0; i < 256; i++)
        counts[0][i] += counts[1][i];
    size_t symbols = 256;
    for (unsigned k = shifts.least_k; k <= LARGEST_K && symbols != 0; k++, symbols /= 2) {
        double cost = noise_cost(&shifts, k) + symbol_cost(counts[0], symbols, n);
        if (cost < least) {
            least = cost;
            best = k;
        }
        for (size_t i = 0; i < symbols / 2; i++)
            counts[0][i] = counts[0][2 * i] + counts[0][2 * i + 1];
    }
    return best;
}

static int write_planes(struct magstore_scratch *s, const uint64_t *bits, size_t n, struct mr_buf *out)
{
    for (unsigned shift = 8; shift <= 8; shift -= 8) { /* high plane, then low: 8, 0, and past zero it ends */
        for (size_t i = 0; i < n; i++)
            s->symbols[i] = (uint8_t)(top_of(bits[i]) >> shift);
        int status = magstore_squeeze(s, MAGSTORE_TEXTS, s->symbols, n, out);
        if (status != MR_OK)
            return status;
    }
    return MR_OK;
}

static void write_noise(const uint64_t *z, const uint64_t *bits, size_t n, unsigned k, unsigned largest,
                        struct mr_buf *out)
{
    __uint128_t held = 0;
    unsigned count = 0;
    unsigned char *to = (unsigned char *)mr_buf_reserve(out, n * 7 + 8);
    if (to == NULL)
        return;
    unsigned char *start = to;
    for (size_t i = 0; i < n; i++) {
        unsigned width = noise_width(k, largest, top_of(bits[i]));
        held |= (__uint128_t)(z[i] & ((UINT64_C(1) << width) - 1)) << count;
        for (count += width; count >= 8; count -= 8, held >>= 8)
            *to++ = (unsigned char)held;
    }
    if (count != 0)
        *to++ = (unsigned char)held;
    out->len += (size_t)(to - start);
}

int magstore_encode_float(struct magstore_scratch *s, const double *values, size_t n, struct mr_buf *out)
{
    uint64_t *z = s->residuals, *bits = (uint64_t *)s->numbers;
    unsigned largest = 1;
    memcpy(bits, values, n * sizeof *bits);
    for (size_t i = 0; i < n; i++) {
        unsigned top = top_of(bits[i]);
        z[i] = zigzag(mantissa_of(bits[i]) - predict(i != 0 ? bits[i - 1] : 0, top));
        if (exponent_of(top) > largest)
            largest = exponent_of(top);
    }
    unsigned k = choose_k(z, bits, n, largest);
    mr_buf_char(out, (char)k);
    int status = write_planes(s, bits, n, out);
    if (status != MR_OK)
        return status;
    for (size_t i = 0; i < n; i++)
        s->symbols[i] = (uint8_t)(z[i] >> noise_width(k, largest, top_of(bits[i])));
    status = magstore_squeeze(s, MAGSTORE_SYMBOLS, s->symbols, n, out);
    write_noise(z, bits, n, k, largest, out);
    return status == MR_OK && !mr_buf_ok(out) ? MR_ENOMEM : status;
}

/* Sign and exponent of every value into tops; the largest exponent. */
static int read_planes(struct magstore_scratch *s, struct mr_cursor *c, uint16_t *tops, size_t n,
                       unsigned *largest)
{
    memset(tops, 0, n * sizeof *tops);
    for (unsigned shift = 8; shift <= 8; shift -= 8) {
        if (magstore_unsqueeze(s, c, s->symbols, n) != MR_OK)
            return MR_ECORRUPT;
        for (size_t i = 0; i < n; i++)
            tops[i] = (uint16_t)(tops[i] | s->symbols[i] << shift);
    }
    *largest = 1;
    for (size_t i = 0; i < n; i++) {
        if (tops[i] > 0xFFF)
            return MR_ECORRUPT;
        if (exponent_of(tops[i]) > *largest)
            *largest = exponent_of(tops[i]);
    }
    return MR_OK;
}

/* `width` bits at bit position `at`; the caller has checked that they are there. */
static uint64_t bits_at(struct mr_str bytes, size_t at, unsigned width)
{
    __uint128_t word = 0;
    size_t left = bytes.len - at / 8;
    memcpy(&word, bytes.ptr + at / 8, left < 16 ? left : 16);
    return (uint64_t)(word >> (at % 8)) & ((UINT64_C(1) << width) - 1);
}

int magstore_decode_float(struct magstore_scratch *s, struct mr_cursor *c, double *values, size_t n)
{
    uint16_t *tops = (uint16_t *)s->codes;
    unsigned largest;
    uint8_t k = mr_cursor_u8(c);
    if (c->bad || k > LARGEST_K || read_planes(s, c, tops, n, &largest) != MR_OK ||
        magstore_unsqueeze(s, c, s->symbols, n) != MR_OK)
        return MR_ECORRUPT;
    struct mr_str noise = {(const char *)c->ptr, c->left};
    size_t at = 0;
    uint64_t before = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned width = noise_width(k, largest, tops[i]);
        if (at + width > noise.len * 8)
            return MR_ECORRUPT;
        uint64_t z = (uint64_t)s->symbols[i] << width | (width != 0 ? bits_at(noise, at, width) : 0);
        at += width;
        uint64_t m = predict(before, tops[i]) + unzigzag(z);
        before = (uint64_t)tops[i] << 52 | (m & MANTISSA);
        memcpy(&values[i], &before, sizeof before);
    }
    return MR_OK;
}
