/* seal/seal.h - AES-256-GCM over stored bytes, and the keyring on this machine's disk that holds the keys.
 *
 * Three steps of keys (the scheme of docs/format/keyring.md):
 *
 *     wrapping key          the master key, 32 random bytes in a file of mode 0600; a named key of this
 *                           machine, likewise; or a key of a service elsewhere, which never shows it
 *       data key            random, one a scope and generation; a scope is a database's number, or 0 for what
 *                           belongs to the whole store (the log)
 *         file key          HKDF-SHA-256(data key, random id of the file); never stored
 *
 * A piece of a file is sealed under the file's key with a nonce of 4 bytes stream and 8 bytes counter. The
 * owner of a file gives every pair (stream, counter) away once, counts attempts and not successes, and never
 * opens a file again to seal more: so no nonce repeats under a key. Associated data binds a piece to its
 * place.
 *
 * The keyring's keys lie in locked pages left out of core dumps and are wiped when freed; the copies given
 * out are the caller's to wipe (seal_key_wipe). Thread-safety: a keyring and a struct seal_key that is not
 * being written may be used by many threads; a struct seal_cipher has one owner at a time.
 */
#ifndef MR_SEAL_SEAL_H
#define MR_SEAL_SEAL_H

#include "base/io.h"

#define SEAL_KEY_BYTES 32
#define SEAL_ID_BYTES 32 /* of a file: random, in the clear at its head */
#define SEAL_TAG_BYTES 16
#define SEAL_SCOPE_STORE 0 /* the scope of the log */

struct seal_key {
    unsigned char bytes[SEAL_KEY_BYTES];
};
void seal_key_wipe(struct seal_key *key);

/* ---- pieces ------------------------------------------------------------------------------------------ */

/* The key of the file with this id. MR_EINTERNAL when the library fails. */
int seal_derive(const struct seal_key *data_key, const unsigned char id[SEAL_ID_BYTES], struct seal_key *out,
                struct mr_error *err);

/* Working state of the cipher; a key used twice in a row is set up once. */
struct seal_cipher;
int seal_cipher_new(struct seal_cipher **out); /* MR_ENOMEM */
void seal_cipher_free(struct seal_cipher *cipher);

/* In a build for fuzzing nothing is sealed and no tag is believed: a sealed piece is its plain bytes and 16
 * zeros, so that fuzzers reach the decoders behind. */

/* Writes plain.len + SEAL_TAG_BYTES bytes to `out`, which may be where the plain bytes lie. Cannot fail but
 * by a fault of the library, which ends the process: nothing unsealed is ever written. */
void seal_lock(struct seal_cipher *cipher, const struct seal_key *key, uint32_t stream, uint64_t counter,
               struct mr_str aad, struct mr_str plain, void *out);
/* Writes sealed.len - SEAL_TAG_BYTES bytes to `out` (may be in place). False: not what was sealed there; out
 * then holds nothing of use. */
bool seal_unlock(struct seal_cipher *cipher, const struct seal_key *key, uint32_t stream, uint64_t counter,
                 struct mr_str aad, struct mr_str sealed, void *out) MR_MUST_USE;

/* ---- what wraps a data key ---------------------------------------------------------------------------- */

enum seal_kind {
    SEAL_BY_MASTER = 0, /* "master.key", which wraps the keys of scope 0 and of databases without a key of
                           their own; its keys are always at hand */
    SEAL_BY_LOCAL = 1,  /* "<name>.key" beside it, made on first use */
    SEAL_BY_OUTSIDE = 2 /* a service elsewhere */
};

/* Views. */
struct seal_wrapping {
    enum seal_kind kind;
    struct mr_str key;     /* LOCAL: 1 to 64 of a-z, 0-9, '-'; OUTSIDE: what the service calls it; else "" */
    struct mr_str binding; /* OUTSIDE: the context the service binds the data key to; else "" */
};

/* The service elsewhere. Both calls block, and are made under no lock. MR_EIO: it did not answer, or not now;
 * MR_ENOMEM; any other status: it says no. */
struct seal_outside {
    void *ctx;
    int (*generate)(void *ctx, const struct seal_wrapping *by, struct seal_key *out, struct mr_buf *wrapped,
                    struct mr_error *err);
    int (*unwrap)(void *ctx, const struct seal_wrapping *by, struct mr_str wrapped, struct seal_key *out,
                  struct mr_error *err);
    /* What is to wrap the keys of a scope that has none yet; MR_ENOENT: nobody knows it. May be NULL: the
     * master key. */
    int (*wrapping)(void *ctx, uint64_t scope, struct mr_arena *arena, struct seal_wrapping *out,
                    struct mr_error *err);
};

/* ---- the keyring ------------------------------------------------------------------------------------- */

struct seal_keyring;

/* Opens the keyring in `dir` (exists): "master.key" and "keyring"; makes both, durably, when neither is
 * there. MR_ECORRUPT: a keyring without its master key, a wrong master key, or damage; the text says which
 * and what that means for the data. MR_EDENIED: the master key can be read by others. Keys wrapped otherwise
 * are not at hand until seal_keyring_refresh has unwrapped them. io must outlive it. */
int seal_keyring_open(const struct mr_io *io, const char *dir, struct seal_keyring **out,
                      struct mr_error *err);
void seal_keyring_close(struct seal_keyring *keyring); /* NULL is fine */
/* Before anybody else uses the keyring. `outside` outlives it; NULL calls: there is no such service. */
void seal_keyring_set_outside(struct seal_keyring *keyring, const struct seal_outside *outside);

/* The newest data key of the scope; made, and durable before this returns, when there is none. May wait for
 * the disk, and for the service, when it makes one. When it is not at hand: as seal_keyring_usable. */
int seal_keyring_newest(struct seal_keyring *keyring, uint64_t scope, uint32_t *generation,
                        struct seal_key *out, struct mr_error *err);
/* The data key of that generation. MR_ENOENT: forgotten, or never there. When it is not at hand: as
 * seal_keyring_usable. */
int seal_keyring_get(struct seal_keyring *keyring, uint64_t scope, uint32_t generation, struct seal_key *out,
                     struct mr_error *err);
/* Are all data keys of the scope at hand (or is there none)? MR_EDENIED: the key that wraps one says no;
 * MR_EIO: its service does not answer. The text names the key. Never waits for a disk. */
int seal_keyring_usable(struct seal_keyring *keyring, uint64_t scope, struct mr_error *err);

/* Number of the scope's newest generation, 0 when it has none; and whether it is wrapped like that. */
uint32_t seal_keyring_generation(struct seal_keyring *keyring, uint64_t scope);
bool seal_keyring_wrapped_by(struct seal_keyring *keyring, uint64_t scope, const struct seal_wrapping *by);

/* A new generation for the scope, wrapped as the newest one is, durable when it returns. */
int seal_keyring_rotate(struct seal_keyring *keyring, uint64_t scope, struct mr_error *err);

/* A data key that belongs to no scope yet. seal_fresh_make blocks: it may ask the service. MR_EIO, MR_ENOMEM,
 * MR_EDENIED (a local key is named whose file has gone), or what the service says. */
struct seal_fresh;
int seal_fresh_make(struct seal_keyring *keyring, const struct seal_wrapping *by, struct seal_fresh **out,
                    struct mr_error *err);
void seal_fresh_free(struct seal_fresh *fresh); /* NULL is fine */
/* Makes it the newest generation of the scope, durable when this returns. It stays the caller's to free. */
int seal_fresh_adopt(struct seal_keyring *keyring, uint64_t scope, const struct seal_fresh *fresh,
                     struct mr_error *err);

/* Forgets that generation durably, provided it is not the newest. MR_OK when it is not there; MR_EIO as
 * below. */
int seal_keyring_retire(struct seal_keyring *keyring, uint64_t scope, uint32_t generation,
                        struct mr_error *err);
/* Forgets all keys of the scope, durably: what was sealed under them is gone for good. MR_OK when there is
 * none. The file that held them is overwritten; MR_EIO with them forgotten all the same: that failed. */
int seal_keyring_forget(struct seal_keyring *keyring, uint64_t scope, struct mr_error *err);

/* A key of the ring, without its secret. Views into the arena. */
struct seal_entry {
    uint64_t scope;
    uint32_t generation;
    bool newest, at_hand;
    struct seal_wrapping by;
};
/* All of them, ascending by scope and generation. MR_ENOMEM. */
int seal_keyring_list(struct seal_keyring *keyring, struct mr_arena *arena, struct seal_entry **out,
                      size_t *count);

/* Unwraps again what is due: a key that is at hand after half its life, one that is not after a pause that
 * doubles up to SEAL_PAUSE_MAX_NS. A key whose wrapping key says no is no longer at hand at once; one whose
 * service does not answer, SEAL_LIFE_NS after it last did. Blocks. *changed: something came to hand or left
 * it. now: monotonic. Returns when to come back, INT64_MAX for never. */
#define SEAL_LIFE_NS (INT64_C(300) * 1000000000)
#define SEAL_PAUSE_MIN_NS (INT64_C(1) * 1000000000)
#define SEAL_PAUSE_MAX_NS (INT64_C(30) * 1000000000)
int64_t seal_keyring_refresh(struct seal_keyring *keyring, int64_t now, int64_t life_ns, bool *changed);

#endif
