/* base/rand.h - secure random bytes, and a seeded generator for tests and benches. */
#ifndef MR_BASE_RAND_H
#define MR_BASE_RAND_H

#include "base/base.h"

/* From the kernel; aborts when it cannot (there is no safe way to go on). Thread-safe. */
void mr_random_bytes(void *out, size_t len);

/* SplitMix64: a full-period 64-bit sequence from any seed. Not for secrets. One owner at a time. */
struct mr_rng {
    uint64_t state;
};

static inline uint64_t mr_rng_next(struct mr_rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Uniform in [0, n), n > 0 (bias below 2^-32 for n below 2^32). */
static inline uint64_t mr_rng_below(struct mr_rng *rng, uint64_t n)
{
    return (uint64_t)(((__uint128_t)mr_rng_next(rng) * n) >> 64);
}

/* Uniform in [0, 1). */
static inline double mr_rng_unit(struct mr_rng *rng)
{
    return (double)(mr_rng_next(rng) >> 11) * 0x1.0p-53;
}

#endif
