/* seal/derive.c - HKDF-SHA-256 (RFC 5869): the key of a file from a data key. */
#include "seal/seal.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define INFO "millrace file key"

int seal_derive(const struct seal_key *data_key, const unsigned char id[SEAL_ID_BYTES], struct seal_key *out,
                struct mr_error *err)
{
    /* OpenSSL takes parameters without const and does not change them. */
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)data_key->bytes,
                                          SEAL_KEY_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)id, SEAL_ID_BYTES),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)INFO, sizeof INFO - 1),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = ctx != NULL && EVP_KDF_derive(ctx, out->bytes, SEAL_KEY_BYTES, params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    return ok ? MR_OK : mr_error_set(err, MR_EINTERNAL, "cannot derive the key of a file");
}
