/* seal/format.h - the bytes of the file "keyring", at their offsets. docs/format/keyring.md is the same in
 * prose.
 *
 *     offset 0   24                        24 + 72 * keys
 *     +----------+--------+--- ... -------+-------+--- ... ---+------------------+
 *     | header   | key    | key           | named | named     | end: tag, CRC    |
 *     +----------+--------+--- ... -------+-------+--- ... ---+------------------+
 *
 * Keys ascend by (scope, generation), and so do the named ones, which another key than the master key wraps.
 * Each is wrapped by itself, so that damage can be told by its name; the tag at the end holds all of them
 * together. Version 1 had a header of 16 bytes and no named keys.
 */
#ifndef MR_SEAL_FORMAT_H
#define MR_SEAL_FORMAT_H

#include "seal/seal.h"

#define KEYRING_MAGIC "MRKEYRNG"
#define KEYRING_VERSION 2u
#define KEYRING_V1_HEADER_BYTES 16
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
    uint32_t named, named_bytes; /* of all of them together */
};

struct keyring_key {
    uint64_t scope;
    uint32_t generation; /* from 1 */
    struct keyring_nonce nonce;
    unsigned char wrapped[SEAL_KEY_BYTES + SEAL_TAG_BYTES];
};

/* Then key, binding and wrapped bytes, without gaps. */
struct keyring_named {
    uint64_t scope;
    uint32_t generation;
    uint16_t kind; /* enum seal_kind: LOCAL or OUTSIDE */
    uint16_t key_bytes, binding_bytes, wrapped_bytes;
    uint32_t zero;
};

/* The wrapped bytes under a local key. */
struct keyring_local {
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
_Static_assert(sizeof(struct keyring_header) == 24, "format");
_Static_assert(offsetof(struct keyring_header, version) == 8, "format");
_Static_assert(offsetof(struct keyring_header, keys) == 12, "format");
_Static_assert(offsetof(struct keyring_header, named) == 16, "format");
_Static_assert(offsetof(struct keyring_header, named_bytes) == 20, "format");
_Static_assert(sizeof(struct keyring_named) == 24, "format");
_Static_assert(offsetof(struct keyring_named, kind) == 12, "format");
_Static_assert(offsetof(struct keyring_named, key_bytes) == 14, "format");
_Static_assert(offsetof(struct keyring_named, zero) == 20, "format");
_Static_assert(sizeof(struct keyring_local) == 60, "format");
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
#define KEYRING_NAME_MAX 4096 /* bytes of a key's name, or of a binding */
#define KEYRING_WRAP_MAX 8192 /* of wrapped bytes; KMS gives at most 6144 */
#define KEYRING_LOCAL_NAME 64
#define KEYRING_MAX_KEYS                                                                                     \
    ((KEYRING_LIMIT - sizeof(struct keyring_header) - sizeof(struct keyring_end)) /                          \
     sizeof(struct keyring_key))

#endif
