/* seal/seal.h - AES-256-GCM over stored bytes, and the keyring on this machine's disk that holds the keys.
 *
 * Three steps of keys (the scheme of docs/format/keyring.md):
 *
 *     master key            32 random bytes in a file of mode 0600; wraps the data keys
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

/* ---- the keyring ------------------------------------------------------------------------------------- */

struct seal_keyring;

/* Opens the keyring in `dir` (exists): "master.key" and "keyring"; makes both, durably, when neither is
 * there. MR_ECORRUPT: a keyring without its master key, a wrong master key, or damage; the text says which
 * and what that means for the data. MR_EDENIED: the master key can be read by others. io must outlive it. */
int seal_keyring_open(const struct mr_io *io, const char *dir, struct seal_keyring **out,
                      struct mr_error *err);
void seal_keyring_close(struct seal_keyring *keyring); /* NULL is fine */

/* The newest data key of the scope; made, and durable before this returns, when there is none. May wait for
 * the disk when it makes one. */
int seal_keyring_newest(struct seal_keyring *keyring, uint64_t scope, uint32_t *generation,
                        struct seal_key *out, struct mr_error *err);
/* The data key of that generation. MR_ENOENT: forgotten, or never there. */
int seal_keyring_get(struct seal_keyring *keyring, uint64_t scope, uint32_t generation, struct seal_key *out,
                     struct mr_error *err);
/* A new generation for the scope, durable when it returns. */
int seal_keyring_rotate(struct seal_keyring *keyring, uint64_t scope, struct mr_error *err);
/* Forgets all keys of the scope, durably: what was sealed under them is gone for good. MR_OK when there is
 * none. */
int seal_keyring_forget(struct seal_keyring *keyring, uint64_t scope, struct mr_error *err);

#endif
