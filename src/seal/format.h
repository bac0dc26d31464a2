/* seal/format.h - the bytes of the file "keyring", at their offsets. docs/format/keyring.md is the same in
 * prose.
 *
 *     offset 0   16                        16 + 72 * keys
 *     +----------+--------+--- ... -------+------------------+
 *     | header   | key    | key           | end: tag, CRC    |
 *     +----------+--------+--- ... -------+------------------+
 *
 * Keys ascend by (scope, generation). Each is wrapped by itself, so that damage can be told by its name; the
 * tag at the end holds all of them together.
 */
#ifndef MR_SEAL_FORMAT_H
#define MR_SEAL_FORMAT_H

#include "seal/seal.h"

#define KEYRING_MAGIC "MRKEYRNG"
#define KEYRING_VERSION 1u
#define KEYRING_NAME "keyring"
#define MASTER_NAME "master.key"
#define KEYRING_LIMIT (64u << 20) /* bytes; a larger file is neither read nor written */

/* Random, 96 bits, as the cipher takes them. */
struct keyring_nonce {
    uint32_t stream;
    uint32_t counter[2]; /* low, high */
};

struct keyring_header {
    char magic[8];
    uint32_t version;
    uint32_t keys;
};

struct keyring_key {
    uint64_t scope;
    uint32_t generation; /* from 1 */
    struct keyring_nonce nonce;
    unsigned char wrapped[SEAL_KEY_BYTES + SEAL_TAG_BYTES];
};

struct keyring_end {
    struct keyring_nonce nonce;
    unsigned char tag[SEAL_TAG_BYTES]; /* of nothing, all bytes before the end as associated data */
    uint32_t crc;                      /* CRC-32C of all above */
};

/* What a wrapped key is bound to: the associated data of its sealing. */
struct keyring_place {
    char magic[8];
    uint32_t version;
    uint32_t generation;
    uint64_t scope;
};

_Static_assert(sizeof(struct keyring_nonce) == 12, "format");
_Static_assert(sizeof(struct keyring_header) == 16, "format");
_Static_assert(offsetof(struct keyring_header, version) == 8, "format");
_Static_assert(offsetof(struct keyring_header, keys) == 12, "format");
_Static_assert(sizeof(struct keyring_key) == 72, "format");
_Static_assert(offsetof(struct keyring_key, generation) == 8, "format");
_Static_assert(offsetof(struct keyring_key, nonce) == 12, "format");
_Static_assert(offsetof(struct keyring_key, wrapped) == 24, "format");
_Static_assert(sizeof(struct keyring_end) == 32, "format");
_Static_assert(offsetof(struct keyring_end, tag) == 12, "format");
_Static_assert(offsetof(struct keyring_end, crc) == 28, "format");
_Static_assert(sizeof(struct keyring_place) == 24, "format");
_Static_assert(offsetof(struct keyring_place, version) == 8, "format");
_Static_assert(offsetof(struct keyring_place, generation) == 12, "format");
_Static_assert(offsetof(struct keyring_place, scope) == 16, "format");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "stored integers are copied as they lie");

#define KEYRING_FILE_BYTES(keys)                                                                             \
    (sizeof(struct keyring_header) + (keys) * sizeof(struct keyring_key) + sizeof(struct keyring_end))
#define KEYRING_MAX_KEYS                                                                                     \
    ((KEYRING_LIMIT - sizeof(struct keyring_header) - sizeof(struct keyring_end)) /                          \
     sizeof(struct keyring_key))

#endif
