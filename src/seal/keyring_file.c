/* seal/keyring_file.c - the file "keyring" to and from a table of data keys.
 *
 * Three checks, each with its own answer for the one who has to repair it:
 *   the CRC        the disk gave back other bytes than were written
 *   a key's tag    this key was altered, or (when all fail) the master key is another one
 *   the file's tag keys were taken out or put in by somebody without the master key
 */
#include "seal/private.h"

#include "base/cursor.h"
#include "base/hash.h"
#include "base/rand.h"

/* Random nonces are safe here: the master key seals some few pieces a change, far from the 2^32 at which
 * chance meetings of 96 bits begin to count (NIST SP 800-38D, 8.3). */
struct keyring_nonce keyring_fresh_nonce(void)
{
    struct keyring_nonce nonce;
    mr_random_bytes(&nonce, sizeof nonce);
    return nonce;
}

uint64_t keyring_counter(struct keyring_nonce nonce)
{
    return (uint64_t)nonce.counter[1] << 32 | nonce.counter[0];
}

static struct keyring_place place_of(struct seal_name name, uint32_t version)
{
    struct keyring_place place = {.version = version, .generation = name.generation, .scope = name.scope};
    memcpy(place.magic, KEYRING_MAGIC, sizeof place.magic);
    return place;
}

#define STR_OF(object) ((struct mr_str){(const char *)&(object), sizeof(object)})

static void add_key(struct mr_buf *out, struct seal_name name, const struct seal_key *key,
                    const struct seal_key *master, struct seal_cipher *cipher)
{
    struct keyring_place place = place_of(name, KEYRING_VERSION);
    struct keyring_key k = {
        .scope = name.scope, .generation = name.generation, .nonce = keyring_fresh_nonce()};
    seal_lock(cipher, master, k.nonce.stream, keyring_counter(k.nonce), STR_OF(place), STR_OF(key->bytes),
              k.wrapped);
    mr_buf_add(out, &k, sizeof k);
}

/* The rest of the key's bytes follow. Lengths were checked when the wrap was made. */
static void add_named(struct mr_buf *out, struct seal_name name, const struct seal_wrap *wrap)
{
    struct keyring_named n = {.scope = name.scope,
                              .generation = name.generation,
                              .kind = (uint16_t)wrap->by.kind,
                              .key_bytes = (uint16_t)wrap->by.key.len,
                              .binding_bytes = (uint16_t)wrap->by.binding.len,
                              .wrapped_bytes = (uint16_t)wrap->blob.len};
    mr_buf_add(out, &n, sizeof n);
    mr_buf_str(out, wrap->by.key);
    mr_buf_str(out, wrap->by.binding);
    mr_buf_str(out, wrap->blob);
}

int keyring_encode(const struct seal_table *table, const struct seal_key *master, struct seal_cipher *cipher,
                   struct mr_buf *out)
{
    struct keyring_header header = {.version = KEYRING_VERSION};
    memcpy(header.magic, KEYRING_MAGIC, sizeof header.magic);
    mr_buf_add(out, &header, sizeof header);
    for (size_t i = 0; i < table->count; i++) {
        if (table->states[i].wrap == NULL)
            add_key(out, table->names[i], seal_table_key(table, i), master, cipher);
        header.keys += table->states[i].wrap == NULL;
    }
    size_t named = out->len;
    for (size_t i = 0; i < table->count; i++)
        if (table->states[i].wrap != NULL)
            add_named(out, table->names[i], table->states[i].wrap);
    if (!mr_buf_ok(out))
        return MR_ENOMEM;
    if (out->len + sizeof(struct keyring_end) > KEYRING_LIMIT)
        return MR_ELIMIT;
    header.named = (uint32_t)table->count - header.keys;
    header.named_bytes = (uint32_t)(out->len - named);
    memcpy(out->ptr, &header, sizeof header);
    struct keyring_end end = {.nonce = keyring_fresh_nonce()};
    seal_lock(cipher, master, end.nonce.stream, keyring_counter(end.nonce), mr_buf_view(out), MR_STR(""),
              end.tag);
    mr_buf_add(out, &end, sizeof end);
    if (!mr_buf_ok(out))
        return MR_ENOMEM;
    uint32_t crc = mr_crc32c(0, out->ptr, out->len - sizeof crc);
    memcpy(out->ptr + out->len - sizeof crc, &crc, sizeof crc);
    return MR_OK;
}

/* What a file is made of, as its frame says. */
struct frame {
    struct keyring_header header; /* of version 1 too, with no named keys */
    size_t header_bytes;
    struct keyring_end end;
};

/* Sizes, magic, version and checksum. NULL: all is well. */
static const char *read_frame(struct mr_str bytes, struct frame *f)
{
    if (bytes.len < KEYRING_V1_HEADER_BYTES + sizeof f->end)
        return "too short";
    *f = (struct frame){.header_bytes = KEYRING_V1_HEADER_BYTES};
    memcpy(&f->header, bytes.ptr, KEYRING_V1_HEADER_BYTES);
    memcpy(&f->end, bytes.ptr + bytes.len - sizeof f->end, sizeof f->end);
    if (memcmp(f->header.magic, KEYRING_MAGIC, sizeof f->header.magic) != 0)
        return "not a keyring";
    if (f->header.version == KEYRING_VERSION) {
        if (bytes.len < KEYRING_FILE_BYTES(0))
            return "too short";
        f->header_bytes = sizeof f->header;
        memcpy(&f->header, bytes.ptr, sizeof f->header);
    } else if (f->header.version != 1) {
        return "a version this program does not know";
    }
    if (f->header.keys > KEYRING_MAX_KEYS || f->header.named > KEYRING_MAX_KEYS ||
        bytes.len != f->header_bytes + f->header.keys * sizeof(struct keyring_key) + f->header.named_bytes +
                         sizeof f->end ||
        f->header.named_bytes < f->header.named * sizeof(struct keyring_named))
        return "its length does not fit the number of its keys";
#ifndef MR_FUZZING
    if (mr_crc32c(0, bytes.ptr, bytes.len - sizeof f->end.crc) != f->end.crc)
        return "checksum";
#endif
    return NULL;
}

/* One list of keys read in step with the other, so that the table ascends. */
struct lists {
    const char *key;        /* the next one; keys_left of them */
    struct mr_cursor named; /* likewise */
    size_t keys_left, named_left;
    struct seal_name last;
    bool any;
};

static bool ascends(struct lists *l, struct seal_name name)
{
    bool ok = name.generation != 0 && (!l->any || seal_name_compare(l->last, name) < 0);
    l->last = name;
    l->any = true;
    return ok;
}

static bool named_valid(const struct keyring_named *n)
{
    if (n->zero != 0 || n->key_bytes == 0 || n->key_bytes > KEYRING_NAME_MAX ||
        n->binding_bytes > KEYRING_NAME_MAX || n->wrapped_bytes == 0 || n->wrapped_bytes > KEYRING_WRAP_MAX)
        return false;
    if (n->kind == SEAL_BY_LOCAL)
        return n->key_bytes <= KEYRING_LOCAL_NAME && n->binding_bytes == 0 &&
               n->wrapped_bytes == sizeof(struct keyring_local);
    return n->kind == SEAL_BY_OUTSIDE;
}

/* The next named key, into the table. */
static const char *take_named(struct lists *l, struct seal_table *out)
{
    struct keyring_named n;
    struct mr_str head = mr_cursor_bytes(&l->named, sizeof n);
    if (l->named.bad)
        return "a named key is cut off";
    memcpy(&n, head.ptr, sizeof n);
    struct seal_wrapping by = {.kind = (enum seal_kind)n.kind};
    by.key = mr_cursor_bytes(&l->named, n.key_bytes);
    by.binding = mr_cursor_bytes(&l->named, n.binding_bytes);
    struct mr_str blob = mr_cursor_bytes(&l->named, n.wrapped_bytes);
    if (l->named.bad || !named_valid(&n) || (by.kind == SEAL_BY_LOCAL && !local_name_valid(by.key)))
        return "a named key is none";
    struct seal_name name = {n.scope, n.generation};
    if (!ascends(l, name))
        return "its keys are not in order";
    seal_table_add(out, name);
    struct seal_state *state = &out->states[out->count - 1];
    *state = (struct seal_state){.why = MR_EIO};
    l->named_left--;
    return seal_wrap_new(&by, blob, &state->wrap) == MR_OK ? NULL : "there is no memory for its keys";
}

/* The next key under the master key. *bad counts those that do not unwrap, *first is one of them. */
static const char *take_key(struct lists *l, uint32_t version, const struct seal_key *master,
                            struct seal_cipher *cipher, struct seal_table *out, size_t *bad,
                            struct seal_name *first)
{
    struct keyring_key k;
    memcpy(&k, l->key, sizeof k);
    struct seal_name name = {k.scope, k.generation};
    if (!ascends(l, name))
        return "its keys are not in order";
    struct keyring_place place = place_of(name, version);
    struct seal_key *to = seal_table_add(out, name);
    if (!seal_unlock(cipher, master, k.nonce.stream, keyring_counter(k.nonce), STR_OF(place),
                     STR_OF(k.wrapped), to) &&
        (*bad)++ == 0)
        *first = name;
    l->key += sizeof k;
    l->keys_left--;
    return NULL;
}

/* Does a named key come next? Only looks. */
static bool named_first(const struct lists *l)
{
    struct keyring_key k;
    struct keyring_named n;
    if (l->keys_left == 0 || l->named_left == 0 || l->named.left < sizeof n)
        return l->keys_left == 0;
    memcpy(&k, l->key, sizeof k);
    memcpy(&n, l->named.ptr, sizeof n);
    return seal_name_compare((struct seal_name){n.scope, n.generation},
                             (struct seal_name){k.scope, k.generation}) < 0;
}

static const char *read_keys(struct mr_str bytes, const struct frame *f, const struct seal_key *master,
                             struct seal_cipher *cipher, struct seal_table *out, size_t *bad,
                             struct seal_name *first)
{
    struct lists l = {
        .key = bytes.ptr + f->header_bytes, .keys_left = f->header.keys, .named_left = f->header.named};
    l.named = mr_cursor_of(l.key + l.keys_left * sizeof(struct keyring_key), f->header.named_bytes);
    const char *why = NULL;
    while (why == NULL && l.keys_left + l.named_left > 0)
        why = named_first(&l) ? take_named(&l, out)
                              : take_key(&l, f->header.version, master, cipher, out, bad, first);
    if (why == NULL && l.named.left != 0)
        return "its named keys are not as long as it says";
    return why;
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
    struct frame f;
    const char *why = read_frame(bytes, &f);
    if (why != NULL)
        return mr_error_set(
            err, MR_ECORRUPT,
            "%s: damaged: %s. No data key can be trusted and nothing stored here can be read; "
            "put back a copy of the keyring",
            path, why);
    if (seal_table_new((size_t)f.header.keys + f.header.named, out) != MR_OK)
        return mr_error_set(err, MR_ENOMEM, "out of memory reading %s", path);
    size_t bad = 0;
    struct seal_name first = {0, 0};
    why = read_keys(bytes, &f, master, cipher, out, &bad, &first);
    int status = MR_OK;
    if (why != NULL)
        status = mr_error_set(err, MR_ECORRUPT, "%s: altered: %s. Put back a copy of the keyring", path, why);
    else if (bad != 0)
        status = not_unwrapped(path, first, bad, f.header.keys, err);
    else if (!seal_unlock(cipher, master, f.end.nonce.stream, keyring_counter(f.end.nonce),
                          mr_str_slice(bytes, 0, bytes.len - sizeof f.end), STR_OF(f.end.tag), NULL))
        status = f.header.keys == 0
                     ? not_unwrapped(path, first, 0, 0, err)
                     : mr_error_set(err, MR_ECORRUPT,
                                    "%s: altered: keys were taken out or put in without the master "
                                    "key. Put back a copy of the keyring",
                                    path);
    if (status != MR_OK)
        seal_table_release(out);
    return status;
}
