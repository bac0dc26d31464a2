/* base/hash.h - checksums and hashes that are not secrets.
 *
 * CRC-32C (Castagnoli, reflected, as in RFC 3720) guards stored bytes. The 64-bit hash is XXH3 with a seed;
 * it addresses hash tables, and without a secret seed it is stored by the catalog: its values are the same in
 * every release of the library since 0.8. Thread-safe.
 */
#ifndef MR_BASE_HASH_H
#define MR_BASE_HASH_H

#include "base/base.h"

/* Continues `crc` (0 to start) over the bytes. */
uint32_t mr_crc32c(uint32_t crc, const void *bytes, size_t len);

uint64_t mr_hash64(const void *bytes, size_t len, uint64_t seed);

/* A seed drawn once per process, so that outside names cannot aim at one bucket. */
uint64_t mr_hash_seed(void);

#endif
