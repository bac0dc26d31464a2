#include "auth/sigv4.h"

#include <pthread.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "base/text.h"

/* Looking an algorithm up by name costs more than hashing a short string, so it happens once per process. The
 * HMAC context has its digest set and no key; users copy it. Neither is ever freed. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;
static EVP_MAC_CTX *hmac_model;

static void fetch(void)
{
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    EVP_MD *md = EVP_MD_fetch(NULL, "SHA256", NULL);
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    EVP_MAC_free(mac); /* the context keeps its own reference */
    if (md == NULL || ctx == NULL || EVP_MAC_CTX_set_params(ctx, params) != 1) {
        EVP_MD_free(md);
        EVP_MAC_CTX_free(ctx);
        return;
    }
    sha256 = md;
    hmac_model = ctx;
}

static int ready(void)
{
    pthread_once(&once, fetch);
    return sha256 != NULL ? MR_OK : MR_EINTERNAL;
}

int auth_sha256(struct mr_str bytes, unsigned char out[static AUTH_HASH_LEN])
{
    int status = ready();
    if (status != MR_OK)
        return status;
    return EVP_Digest(bytes.ptr != NULL ? bytes.ptr : "", bytes.len, out, NULL, sha256, NULL) == 1
               ? MR_OK
               : MR_ENOMEM;
}

int auth_sha256_hex(struct mr_str bytes, char out[static AUTH_HEX_LEN + 1])
{
    unsigned char hash[AUTH_HASH_LEN];
    int status = auth_sha256(bytes, hash);
    if (status == MR_OK)
        mr_hex_encode(hash, sizeof hash, out);
    return status;
}

int auth_hmac(const void *key, size_t key_len, struct mr_str bytes, unsigned char out[static AUTH_HASH_LEN])
{
    int status = ready();
    if (status != MR_OK)
        return status;
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(hmac_model);
    size_t len = 0;
    if (ctx == NULL || EVP_MAC_init(ctx, key, key_len, NULL) != 1 ||
        EVP_MAC_update(ctx, (const unsigned char *)bytes.ptr, bytes.len) != 1 ||
        EVP_MAC_final(ctx, out, &len, AUTH_HASH_LEN) != 1)
        status = MR_ENOMEM;
    EVP_MAC_CTX_free(ctx);
    return status;
}

int auth_signing_key(struct mr_str secret, const struct auth_scope *scope,
                     unsigned char out[static AUTH_HASH_LEN])
{
    if (secret.len > AUTH_MAX_SECRET)
        return MR_EINVAL;
    char first[4 + AUTH_MAX_SECRET] = {'A', 'W', 'S', '4'};
    if (secret.len > 0)
        memcpy(first + 4, secret.ptr, secret.len);

    const struct mr_str steps[] = {scope->region, scope->service, MR_STR(AUTH_TERMINATOR)};
    int status = auth_hmac(first, 4 + secret.len, scope->date, out);
    for (size_t i = 0; i < MR_ARRAY_LEN(steps) && status == MR_OK; i++) {
        unsigned char key[AUTH_HASH_LEN];
        memcpy(key, out, sizeof key);
        status = auth_hmac(key, sizeof key, steps[i], out);
        OPENSSL_cleanse(key, sizeof key);
    }
    OPENSSL_cleanse(first, sizeof first);
    return status;
}
