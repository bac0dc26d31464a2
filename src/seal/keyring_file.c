/* seal/keyring_file.c - the file "keyring" to and from a table of data keys.
 *
 * Three checks, each with its own answer for the one who has to repair it:
 *   the CRC        the disk gave back other bytes than were written
 *   a key's tag    this key was altered, or (when all fail) the master key is another one
 *   the file's tag keys were taken out or put in by somebody without the master key
 */
#include "seal/private.h"

#include "base/hash.h"
#include "base/rand.h"

/* Random nonces are safe here: the master key seals some few pieces a change, far from the 2^32 at which
 * chance meetings of 96 bits begin to count (NIST SP 800-38D, 8.3). */
static struct keyring_nonce fresh_nonce(void)
{
    struct keyring_nonce nonce;
    mr_random_bytes(&nonce, sizeof nonce);
    return nonce;
}

static uint64_t counter_of(struct keyring_nonce nonce)
{
    return (uint64_t)nonce.counter[1] << 32 | nonce.counter[0];
}

static struct keyring_place place_of(struct seal_name name)
{
    struct keyring_place place = {
        .version = KEYRING_VERSION, .generation = name.generation, .scope = name.scope};
    memcpy(place.magic, KEYRING_MAGIC, sizeof place.magic);
    return place;
}

#define STR_OF(object) ((struct mr_str){(const char *)&(object), sizeof(object)})

static void add_key(struct mr_buf *out, struct seal_name name, const struct seal_key *key,
                    const struct seal_key *master, struct seal_cipher *cipher)
{
    struct keyring_place place = place_of(name);
    struct keyring_key k = {.scope = name.scope, .generation = name.generation, .nonce = fresh_nonce()};
    seal_lock(cipher, master, k.nonce.stream, counter_of(k.nonce), STR_OF(place), STR_OF(key->bytes),
              k.wrapped);
    mr_buf_add(out, &k, sizeof k);
}

int keyring_encode(const struct seal_table *table, const struct seal_key *master, struct seal_cipher *cipher,
                   struct mr_buf *out)
{
    struct keyring_header header = {.version = KEYRING_VERSION, .keys = (uint32_t)table->count};
    memcpy(header.magic, KEYRING_MAGIC, sizeof header.magic);
    if (mr_buf_reserve(out, KEYRING_FILE_BYTES(table->count)) == NULL)
        return MR_ENOMEM;
    mr_buf_add(out, &header, sizeof header);
    for (size_t i = 0; i < table->count; i++)
        add_key(out, table->names[i], seal_table_key(table, i), master, cipher);
    struct keyring_end end = {.nonce = fresh_nonce()};
    seal_lock(cipher, master, end.nonce.stream, counter_of(end.nonce), mr_buf_view(out), MR_STR(""), end.tag);
    mr_buf_add(out, &end, sizeof end);
    uint32_t crc = mr_crc32c(0, out->ptr, out->len - sizeof crc);
    memcpy(out->ptr + out->len - sizeof crc, &crc, sizeof crc);
    return MR_OK;
}

/* Sizes, magic, version and checksum; the header and the end to their places. NULL: all is well. */
static const char *read_frame(struct mr_str bytes, struct keyring_header *header, struct keyring_end *end)
{
    if (bytes.len < KEYRING_FILE_BYTES(0))
        return "too short";
    memcpy(header, bytes.ptr, sizeof *header);
    memcpy(end, bytes.ptr + bytes.len - sizeof *end, sizeof *end);
    if (memcmp(header->magic, KEYRING_MAGIC, sizeof header->magic) != 0)
        return "not a keyring";
    if (header->version != KEYRING_VERSION)
        return "a version this program does not know";
    if (header->keys > KEYRING_MAX_KEYS || bytes.len != KEYRING_FILE_BYTES((size_t)header->keys))
        return "its length does not fit the number of its keys";
#ifndef MR_FUZZING
    if (mr_crc32c(0, bytes.ptr, bytes.len - sizeof end->crc) != end->crc)
        return "checksum";
#endif
    return NULL;
}

/* Unwraps all keys. *bad counts those that do not unwrap, *first is one of them. */
static const char *read_keys(struct mr_str bytes, const struct seal_key *master, struct seal_cipher *cipher,
                             struct seal_table *out, size_t *bad, struct seal_name *first)
{
    const char *at = bytes.ptr + sizeof(struct keyring_header);
    struct seal_name last = {0, 0};
    for (size_t i = 0; i < out->room; i++, at += sizeof(struct keyring_key)) {
        struct keyring_key k;
        memcpy(&k, at, sizeof k);
        struct seal_name name = {k.scope, k.generation};
        if (name.generation == 0 || (i > 0 && seal_name_compare(last, name) >= 0))
            return "its keys are not in order";
        last = name;
        struct keyring_place place = place_of(name);
        struct seal_key *to = seal_table_add(out, name);
        if (!seal_unlock(cipher, master, k.nonce.stream, counter_of(k.nonce), STR_OF(place),
                         STR_OF(k.wrapped), to) &&
            (*bad)++ == 0)
            *first = name;
    }
    return NULL;
}

static int not_unwrapped(const char *path, struct seal_name name, size_t bad, size_t all,
                         struct mr_error *err)
{
    if (bad == all)
        return mr_error_set(err, MR_ECORRUPT,
                            "%s: wrong master key: none of its keys unwraps. Nothing stored here can be read "
                            "without the %s this keyring was written with; put that one back",
                            path, MASTER_NAME);
    return mr_error_set(
        err, MR_ECORRUPT,
        "%s: altered: the key of scope %llu, generation %u does not unwrap (%zu of %zu do not). "
        "What is sealed under it cannot be read; put back a copy of the keyring",
        path, (unsigned long long)name.scope, name.generation, bad, all);
}

int keyring_decode(struct mr_str bytes, const char *path, const struct seal_key *master,
                   struct seal_cipher *cipher, struct seal_table *out, struct mr_error *err)
{
    struct keyring_header header;
    struct keyring_end end;
    const char *why = read_frame(bytes, &header, &end);
    if (why != NULL)
        return mr_error_set(
            err, MR_ECORRUPT,
            "%s: damaged: %s. No data key can be trusted and nothing stored here can be read; "
            "put back a copy of the keyring",
            path, why);
    if (seal_table_new(header.keys, out) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", path);
    size_t bad = 0;
    struct seal_name first = {0, 0};
    why = read_keys(bytes, master, cipher, out, &bad, &first);
    int status = MR_OK;
    if (why != NULL)
        status = mr_error_set(err, MR_ECORRUPT, "%s: altered: %s. Put back a copy of the keyring", path, why);
    else if (bad != 0)
        status = not_unwrapped(path, first, bad, out->count, err);
    else if (!seal_unlock(cipher, master, end.nonce.stream, counter_of(end.nonce),
                          mr_str_slice(bytes, 0, bytes.len - sizeof end), STR_OF(end.tag), NULL))
        status = out->count == 0
                     ? not_unwrapped(path, first, 0, 0, err)
                     : mr_error_set(err, MR_ECORRUPT,
                                    "%s: altered: keys were taken out or put in without the master "
                                    "key. Put back a copy of the keyring",
                                    path);
    if (status != MR_OK)
        seal_table_release(out);
    return status;
}
