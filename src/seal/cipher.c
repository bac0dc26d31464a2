/* seal/cipher.c - AES-256-GCM over pieces of a file, through OpenSSL's EVP.
 *
 * Setting up a key (schedule and hash table of GCM) costs as much as sealing some hundred bytes, and a file
 * is sealed under one key: so the key of the last call is remembered, and set up again only when its bytes
 * are others.
 *
 * In a build for fuzzing nothing is sealed and no tag is believed: a sealed piece is its plain bytes and 16
 * zeros. So fuzzers reach the decoders behind.
 */
#include "seal/seal.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#define NONCE_BYTES 12

struct seal_cipher {
    EVP_CIPHER_CTX *ctx;
    struct seal_key key; /* that ctx is set up for */
    bool keyed;
};

void seal_key_wipe(struct seal_key *key)
{
    OPENSSL_cleanse(key->bytes, sizeof key->bytes);
}

int seal_cipher_new(struct seal_cipher **out)
{
    *out = NULL;
    struct seal_cipher *c = mr_calloc(1, sizeof *c);
    if (c == NULL)
        return MR_ENOMEM;
    c->ctx = EVP_CIPHER_CTX_new();
    if (c->ctx == NULL || EVP_CipherInit_ex(c->ctx, EVP_aes_256_gcm(), NULL, NULL, NULL, 1) != 1) {
        seal_cipher_free(c);
        return MR_ENOMEM;
    }
    *out = c;
    return MR_OK;
}

void seal_cipher_free(struct seal_cipher *c)
{
    if (c == NULL)
        return;
    EVP_CIPHER_CTX_free(c->ctx); /* wipes the key schedule */
    seal_key_wipe(&c->key);
    mr_free(c);
}

#ifndef MR_FUZZING

/* Key, nonce and associated data into the context; what comes next is the text. */
static bool begin(struct seal_cipher *c, const struct seal_key *key, uint32_t stream, uint64_t counter,
                  struct mr_str aad, int encrypt)
{
    unsigned char nonce[NONCE_BYTES];
    memcpy(nonce, &stream, sizeof stream);
    memcpy(nonce + sizeof stream, &counter, sizeof counter);
    bool same = c->keyed && CRYPTO_memcmp(c->key.bytes, key->bytes, SEAL_KEY_BYTES) == 0;
    c->keyed = false;
    if (EVP_CipherInit_ex(c->ctx, NULL, NULL, same ? NULL : key->bytes, nonce, encrypt) != 1)
        return false;
    if (!same)
        c->key = *key;
    c->keyed = true;
    int n;
    return aad.len == 0 ||
           (aad.len <= INT_MAX &&
            EVP_CipherUpdate(c->ctx, NULL, &n, (const unsigned char *)aad.ptr, (int)aad.len) == 1);
}

void seal_lock(struct seal_cipher *c, const struct seal_key *key, uint32_t stream, uint64_t counter,
               struct mr_str aad, struct mr_str plain, void *out)
{
    unsigned char *to = out;
    int n = 0, end = 0;
    MR_ASSERT(plain.len <= INT_MAX);
    MR_ASSERT(begin(c, key, stream, counter, aad, 1));
    if (plain.len != 0)
        MR_ASSERT(EVP_CipherUpdate(c->ctx, to, &n, (const unsigned char *)plain.ptr, (int)plain.len) == 1);
    MR_ASSERT(EVP_CipherFinal_ex(c->ctx, to + n, &end) == 1 && (size_t)(n + end) == plain.len);
    MR_ASSERT(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, to + plain.len) == 1);
}

bool seal_unlock(struct seal_cipher *c, const struct seal_key *key, uint32_t stream, uint64_t counter,
                 struct mr_str aad, struct mr_str sealed, void *out)
{
    if (sealed.len < SEAL_TAG_BYTES || sealed.len - SEAL_TAG_BYTES > INT_MAX)
        return false;
    unsigned char *to = out, none;
    size_t len = sealed.len - SEAL_TAG_BYTES;
    unsigned char tag[SEAL_TAG_BYTES];
    int n = 0, end = 0;
    memcpy(tag, sealed.ptr + len, sizeof tag);
    MR_ASSERT(begin(c, key, stream, counter, aad, 0));
    if (len != 0)
        MR_ASSERT(EVP_CipherUpdate(c->ctx, to, &n, (const unsigned char *)sealed.ptr, (int)len) == 1);
    MR_ASSERT(EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, tag) == 1);
    return EVP_CipherFinal_ex(c->ctx, &none, &end) == 1;
}

#else

void seal_lock(struct seal_cipher *c, const struct seal_key *key, uint32_t stream, uint64_t counter,
               struct mr_str aad, struct mr_str plain, void *out)
{
    MR_UNUSED(c);
    MR_UNUSED(key);
    MR_UNUSED(stream);
    MR_UNUSED(counter);
    MR_UNUSED(aad);
    if (plain.len != 0)
        memmove(out, plain.ptr, plain.len);
    memset((char *)out + plain.len, 0, SEAL_TAG_BYTES);
}

bool seal_unlock(struct seal_cipher *c, const struct seal_key *key, uint32_t stream, uint64_t counter,
                 struct mr_str aad, struct mr_str sealed, void *out)
{
    MR_UNUSED(c);
    MR_UNUSED(key);
    MR_UNUSED(stream);
    MR_UNUSED(counter);
    MR_UNUSED(aad);
    if (sealed.len < SEAL_TAG_BYTES)
        return false;
    if (sealed.len != SEAL_TAG_BYTES)
        memmove(out, sealed.ptr, sealed.len - SEAL_TAG_BYTES);
    return true;
}

#endif
