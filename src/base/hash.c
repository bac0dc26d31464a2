#include "base/hash.h"

#include "base/rand.h"

#include <pthread.h>
#include <xxhash.h>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

static uint32_t crc_table[8][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

/* Slicing-by-8 tables (Kounavis and Berry, 2005) for machines without the instruction. */
static void crc_init(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = (c >> 1) ^ (c & 1 ? 0x82F63B78u : 0);
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            crc_table[t][i] = (crc_table[t - 1][i] >> 8) ^ crc_table[0][crc_table[t - 1][i] & 0xFF];
}

static uint32_t crc_soft(uint32_t c, const unsigned char *p, size_t len)
{
    pthread_once(&crc_once, crc_init);
    while (len >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        w ^= c;
        c = 0;
        for (int i = 0; i < 8; i++)
            c ^= crc_table[7 - i][(w >> (8 * i)) & 0xFF];
        p += 8;
        len -= 8;
    }
    while (len-- > 0)
        c = (c >> 8) ^ crc_table[0][(c ^ *p++) & 0xFF];
    return c;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t crc_sse42(uint32_t c, const unsigned char *p, size_t len)
{
    uint64_t wide = c;
    while (len >= 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        wide = _mm_crc32_u64(wide, w);
        p += 8;
        len -= 8;
    }
    c = (uint32_t)wide;
    while (len-- > 0)
        c = _mm_crc32_u8(c, *p++);
    return c;
}
#endif

uint32_t mr_crc32c(uint32_t crc, const void *bytes, size_t len)
{
    crc = ~crc;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return ~crc_sse42(crc, bytes, len);
#endif
    return ~crc_soft(crc, bytes, len);
}

uint64_t mr_hash64(const void *bytes, size_t len, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes, len, seed);
}

static uint64_t process_seed;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;

static void seed_init(void)
{
    mr_random_bytes(&process_seed, sizeof process_seed);
}

uint64_t mr_hash_seed(void)
{
    pthread_once(&seed_once, seed_init);
    return process_seed;
}
