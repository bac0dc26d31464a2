/* 64-bit integers: divide, predict, zigzag, split, squeeze. The column starts with one byte: the predictor,
 * and whether all values are a multiple of something above their minimum (times of whole seconds are). */
#include "magstore/scratch.h"

#include "base/cursor.h"

#include <math.h>

enum predictor {
    PREDICT_MINIMUM = 0,    /* residual = value - minimum, unsigned */
    PREDICT_LAST = 1,       /* zigzag of the difference to the value before */
    PREDICT_DIFFERENCE = 2, /* zigzag of the change of the difference */
    PREDICT_COUNT
};

#define DIVIDING_BITS 128 /* what a minimum and a divisor cost; less cannot be saved by them */
#define DIVIDED                                                                                              \
    0x10 /* in the first byte: minimum and divisor come first, then the column of the quotients              \
          */

/* Predictors are tried on so many values, in stretches: what suits them suits the rest. */
#define SAMPLE 1024
#define STRETCH 256

static uint64_t zigzag(uint64_t difference)
{
    return (difference << 1) ^ (uint64_t)((int64_t)difference >> 63);
}

static uint64_t unzigzag(uint64_t z)
{
    return (z >> 1) ^ (0 - (z & 1));
}

/* What the second value is expected to differ by from the first: stored with PREDICT_DIFFERENCE, 0 otherwise.
 */
static uint64_t first_difference(const int64_t *v, size_t n, enum predictor p)
{
    return p == PREDICT_DIFFERENCE && n > 1 ? (uint64_t)v[1] - (uint64_t)v[0] : 0;
}

/* All arithmetic wraps in 64 bits, so any values at all come back exactly. */
static void residuals(const int64_t *v, size_t n, enum predictor p, int64_t base, uint64_t *out)
{
    if (p == PREDICT_MINIMUM) {
        for (size_t i = 0; i < n; i++)
            out[i] = (uint64_t)v[i] - (uint64_t)base;
        return;
    }
    uint64_t difference = first_difference(v, n, p);
    out[0] = 0; /* the base is the first value */
    for (size_t i = 1; i < n; i++) {
        uint64_t d = (uint64_t)v[i] - (uint64_t)v[i - 1];
        out[i] = zigzag(d - difference);
        if (p == PREDICT_DIFFERENCE)
            difference = d;
    }
}

static int64_t minimum_of(const int64_t *v, size_t n)
{
    int64_t least = v[0];
    for (size_t i = 1; i < n; i++)
        least = v[i] < least ? v[i] : least;
    return least;
}

static unsigned width_of(uint64_t v)
{
    return v == 0 ? 0 : 64 - (unsigned)__builtin_clzll(v);
}

/* Bits a value of a Huffman-coded symbol stream: its entropy, but never below one bit when two symbols occur.
 */
static double symbol_cost(const uint32_t *histogram, size_t symbols, size_t n)
{
    double bits = 0;
    size_t kinds = 0;
    for (size_t i = 0; i < symbols; i++) {
        if (histogram[i] == 0)
            continue;
        kinds++;
        bits += histogram[i] * log2((double)n / histogram[i]);
    }
    if (kinds > 1 && bits < (double)n)
        bits = (double)n;
    return bits + (double)kinds * 6; /* what the table costs */
}

/* The split with the least estimated bits. Residuals above `most` are exceptions and count as 0; `width` is
 * that of the largest other one. Symbols are a byte at most. One pass counts the longest symbols; those one
 * bit shorter are pairs of them. */
static unsigned choose_split(const uint64_t *r, size_t n, unsigned width, uint64_t most, double *cost)
{
    uint32_t counts[4][256] = {0}; /* four, so that equal symbols in a row do not wait for each other */
    unsigned least = width > 8 ? width - 8 : 0, best = width;
    *cost = (double)width * (double)n;
    if (width == 0)
        return 0;
    for (size_t i = 0; i < n; i++)
        counts[i % 4][r[i] <= most ? r[i] >> least & 255 : 0]++;
    for (size_t i = 0; i < 256; i++)
        counts[0][i] += counts[1][i] + counts[2][i] + counts[3][i];
    size_t symbols = (size_t)1 << (width - least);
    for (unsigned k = least; k < width; k++, symbols /= 2) {
        double bits = symbol_cost(counts[0], symbols, n) + (double)k * (double)n;
        if (bits < *cost) {
            *cost = bits;
            best = k;
        }
        for (size_t i = 0; i < symbols / 2; i++)
            counts[0][i] = counts[0][2 * i] + counts[0][2 * i + 1];
    }
    return best;
}

#define EXCEPTION_BITS 80 /* what one costs: its distance and its residual */

/* How residuals will be written. */
struct split {
    unsigned width;    /* of the largest that is no exception */
    unsigned k;        /* low bits that are packed */
    uint64_t most;     /* those above are exceptions */
    size_t exceptions; /* how many */
    double cost;       /* bits, estimated */
};

static uint64_t largest_of_width(unsigned width)
{
    return width == 0 ? 0 : UINT64_MAX >> (64 - width);
}

/* The width beyond which residuals would best be exceptions, if packing were all; sets how many those are and
 * the width of the largest of all. */
static unsigned exception_width(const uint64_t *r, size_t n, unsigned *widest, size_t *exceptions)
{
    uint32_t count[2][65] = {0};
    for (size_t i = 0; i < n; i++)
        count[i % 2][width_of(r[i])]++;
    *widest = 64;
    while (*widest > 0 && count[0][*widest] + count[1][*widest] == 0)
        (*widest)--;
    size_t above = 0, least = n * *widest;
    unsigned best = *widest;
    *exceptions = 0;
    for (unsigned w = *widest; w-- > 0;) {
        above += count[0][w + 1] + count[1][w + 1];
        size_t cost = n * w + above * EXCEPTION_BITS;
        if (cost < least) {
            least = cost;
            best = w;
            *exceptions = above;
        }
    }
    return best;
}

/* A few wild values would widen the split for all: they are taken out as exceptions where that pays. */
static struct split choose(const uint64_t *r, size_t n)
{
    struct split plain = {.most = UINT64_MAX}, wild = {0};
    wild.width = exception_width(r, n, &plain.width, &wild.exceptions);
    plain.k = choose_split(r, n, plain.width, plain.most, &plain.cost);
    if (plain.width <= wild.width + 4)
        return plain;
    wild.most = largest_of_width(wild.width);
    wild.k = choose_split(r, n, wild.width, wild.most, &wild.cost);
    wild.cost += (double)wild.exceptions * EXCEPTION_BITS;
    return wild.cost < plain.cost ? wild : plain;
}

/* Writes the exceptions and makes them 0. */
static void write_exceptions(uint64_t *r, size_t n, const struct split *split, struct mr_buf *out)
{
    size_t last = 0;
    mr_buf_varint(out, split->exceptions);
    for (size_t i = 0; split->exceptions != 0 && i < n; i++) {
        if (r[i] <= split->most)
            continue;
        mr_buf_varint(out, i - last);
        mr_buf_varint(out, r[i]);
        last = i;
        r[i] = 0;
    }
}

/* Estimated bits of all n values under the predictor, from a sample of them. */
static double try_predictor(struct magstore_scratch *s, const int64_t *v, size_t n, enum predictor p,
                            int64_t minimum)
{
    uint64_t *r = s->residuals;
    size_t sample = 0, stretch = n > SAMPLE ? STRETCH : n;
    for (size_t at = 0; at + stretch <= n; at += n > SAMPLE ? n / (SAMPLE / STRETCH) : n) {
        residuals(v + at, stretch, p, p == PREDICT_MINIMUM ? minimum : v[at], r + sample);
        sample += stretch;
    }
    return choose(r, sample).cost * (double)n / (double)sample;
}

static enum predictor choose_predictor(struct magstore_scratch *s, const int64_t *v, size_t n,
                                       int64_t minimum, double *cost)
{
    enum predictor best = PREDICT_MINIMUM;
    *cost = INFINITY;
    for (enum predictor p = PREDICT_MINIMUM; p < PREDICT_COUNT; p++) {
        double bits = try_predictor(s, v, n, p, minimum);
        if (bits < *cost) {
            *cost = bits;
            best = p;
        }
    }
    return best;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* What divides all values above the minimum; 0 when all are equal. */
static uint64_t divisor_of(const int64_t *v, size_t n, int64_t minimum)
{
    uint64_t g = 0;
    for (size_t i = 0; i < n && g != 1; i++) {
        uint64_t d = (uint64_t)v[i] - (uint64_t)minimum;
        if (g == 0 || d % g != 0)
            g = gcd(g, d);
    }
    return g;
}

static int encode_predicted(struct magstore_scratch *s, const int64_t *values, size_t n, enum predictor p,
                            int64_t minimum, struct mr_buf *out)
{
    int64_t base = p == PREDICT_MINIMUM ? minimum : values[0];
    uint64_t *r = s->residuals;
    residuals(values, n, p, base, r);
    mr_buf_u64(out, (uint64_t)base);
    if (p == PREDICT_DIFFERENCE)
        mr_buf_u64(out, first_difference(values, n, p));
    const struct split split = choose(r, n);
    write_exceptions(r, n, &split, out);
    mr_buf_char(out, (char)split.width);
    mr_buf_char(out, (char)split.k);
    magstore_pack(r, n, split.k, out);
    if (split.k == split.width)
        return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
    for (size_t i = 0; i < n; i++)
        s->symbols[i] = (uint8_t)(r[i] >> split.k);
    return magstore_squeeze(s, MAGSTORE_SYMBOLS, s->symbols, n, out);
}

int magstore_encode_i64(struct magstore_scratch *s, const int64_t *values, size_t n, struct mr_buf *out)
{
    MR_ASSERT(n <= MAGSTORE_MAX_VALUES);
    if (n == 0)
        return MR_OK;
    double cost;
    int64_t minimum = minimum_of(values, n);
    enum predictor p = choose_predictor(s, values, n, minimum, &cost);
    uint64_t g = cost > DIVIDING_BITS ? divisor_of(values, n, minimum) : 1;
    if (g <= 1) {
        mr_buf_char(out, (char)p);
        return encode_predicted(s, values, n, p, minimum, out);
    }
    for (size_t i = 0; i < n; i++) /* `values` may be these */
        s->numbers[i] = (int64_t)(((uint64_t)values[i] - (uint64_t)minimum) / g);
    p = choose_predictor(s, s->numbers, n, 0, &cost);
    mr_buf_char(out, (char)(p | DIVIDED));
    mr_buf_u64(out, (uint64_t)minimum);
    mr_buf_varint(out, g);
    return encode_predicted(s, s->numbers, n, p, minimum_of(s->numbers, n), out);
}

static void integrate(enum predictor p, int64_t base, uint64_t difference, const uint64_t *r, int64_t *values,
                      size_t n)
{
    if (p == PREDICT_MINIMUM) {
        for (size_t i = 0; i < n; i++)
            values[i] = (int64_t)(r[i] + (uint64_t)base);
        return;
    }
    uint64_t last = (uint64_t)base;
    values[0] = base;
    for (size_t i = 1; i < n; i++) {
        uint64_t d = unzigzag(r[i]) + difference;
        if (p == PREDICT_DIFFERENCE)
            difference = d;
        last += d;
        values[i] = (int64_t)last;
    }
}

static int read_exceptions(struct mr_cursor *c, uint64_t *r, size_t n, uint64_t count)
{
    uint64_t at = 0;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t step = mr_cursor_varint(c), value = mr_cursor_varint(c);
        if (c->bad || step >= n || (at += step) >= n)
            return MR_ECORRUPT;
        r[at] = value;
    }
    return MR_OK;
}

int magstore_decode_i64(struct magstore_scratch *s, struct mr_str bytes, int64_t *values, size_t n)
{
    if (n == 0)
        return MR_OK;
    if (n > MAGSTORE_MAX_VALUES)
        return MR_ECORRUPT;
    struct mr_cursor c = mr_cursor_of(bytes.ptr, bytes.len);
    uint8_t first = mr_cursor_u8(&c), p = first & (uint8_t)~DIVIDED;
    uint64_t minimum = (first & DIVIDED) != 0 ? mr_cursor_u64(&c) : 0;
    uint64_t divisor = (first & DIVIDED) != 0 ? mr_cursor_varint(&c) : 1;
    int64_t base = (int64_t)mr_cursor_u64(&c);
    uint64_t difference = p == PREDICT_DIFFERENCE ? mr_cursor_u64(&c) : 0;
    uint64_t count = mr_cursor_varint(&c);
    struct mr_cursor exceptions = c; /* applied last: they overwrite zeros */
    if (c.bad || p >= PREDICT_COUNT || count > n || read_exceptions(&c, s->residuals, n, count) != MR_OK)
        return MR_ECORRUPT;
    uint8_t width = mr_cursor_u8(&c), k = mr_cursor_u8(&c);
    if (c.bad || width > 64 || k > width || width - k > 8)
        return MR_ECORRUPT;
    uint64_t *r = s->residuals;
    memset(r, 0, n * sizeof *r);
    if (!magstore_unpack(&c, n, k, r))
        return MR_ECORRUPT;
    if (k < width) {
        if (magstore_unsqueeze(s, &c, s->symbols, n) != MR_OK)
            return MR_ECORRUPT;
        for (size_t i = 0; i < n; i++)
            r[i] |= (uint64_t)s->symbols[i] << k;
    }
    if (read_exceptions(&exceptions, r, n, count) != MR_OK)
        return MR_ECORRUPT;
    integrate((enum predictor)p, base, difference, r, values, n);
    for (size_t i = 0; (first & DIVIDED) != 0 && i < n; i++)
        values[i] = (int64_t)((uint64_t)values[i] * divisor + minimum);
    return MR_OK;
}
