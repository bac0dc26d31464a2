#include "http/tls.h"

#include "base/log.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>

struct http_tls {
    atomic_uint refs;
    gnutls_certificate_credentials_t credentials;
    bool ask_client;
};

/* During the handshake, when the client has sent a certificate. One that sends none is refused by the
 * library. */
static int verify_client(gnutls_session_t session)
{
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID,
                                     (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    unsigned faults = 0;
    int rc = gnutls_certificate_verify_peers(session, &purpose, 1, &faults);
    if (rc == 0 && faults == 0)
        return 0;
    gnutls_datum_t text = {NULL, 0};
    if (rc == 0)
        (void)gnutls_certificate_verification_status_print(faults, GNUTLS_CRT_X509, &text, 0);
    mr_log(MR_LOG_WARN, "client_certificate_refused", "why=\"%s\"",
           text.data != NULL ? (const char *)text.data
           : rc != 0         ? gnutls_strerror(rc)
                             : "not trusted");
    gnutls_free(text.data);
    return GNUTLS_E_CERTIFICATE_ERROR;
}

static gnutls_datum_t pem(const char *text)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)text, (unsigned)strlen(text)};
}

int http_tls_new(const char *cert, const char *key, const char *client_ca, struct http_tls **out,
                 struct mr_error *err)
{
    struct http_tls *tls = mr_calloc(1, sizeof *tls);
    if (tls == NULL || gnutls_certificate_allocate_credentials(&tls->credentials) != GNUTLS_E_SUCCESS) {
        mr_free(tls);
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    }
    atomic_init(&tls->refs, 1);
    gnutls_datum_t chain = pem(cert), private = pem(key);
    int rc = gnutls_certificate_set_x509_key_mem(tls->credentials, &chain, &private, GNUTLS_X509_FMT_PEM);
    if (rc < 0)
        mr_error_set(err, MR_EINVAL, "the TLS certificate and its key cannot be used: %s",
                     gnutls_strerror(rc));
    if (rc >= 0 && client_ca != NULL) {
        gnutls_datum_t authorities = pem(client_ca);
        rc = gnutls_certificate_set_x509_trust_mem(tls->credentials, &authorities, GNUTLS_X509_FMT_PEM);
        if (rc <= 0)
            mr_error_set(err, MR_EINVAL,
                         "the file of client authorities has no certificate that can be used%s%s",
                         rc < 0 ? ": " : "", rc < 0 ? gnutls_strerror(rc) : "");
        rc = rc > 0 ? 0 : -1;
        gnutls_certificate_set_verify_function(tls->credentials, verify_client);
        tls->ask_client = true;
    }
    if (rc < 0) {
        http_tls_unref(tls);
        return MR_EINVAL;
    }
    *out = tls;
    return MR_OK;
}

struct http_tls *http_tls_ref(struct http_tls *tls)
{
    if (tls != NULL)
        atomic_fetch_add(&tls->refs, 1);
    return tls;
}

void http_tls_unref(struct http_tls *tls)
{
    if (tls == NULL || atomic_fetch_sub(&tls->refs, 1) != 1)
        return;
    gnutls_certificate_free_credentials(tls->credentials);
    mr_free(tls);
}

bool http_tls_use(struct http_tls *tls, void *session)
{
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials) != GNUTLS_E_SUCCESS)
        return false;
    gnutls_certificate_server_set_request(session,
                                          tls->ask_client ? GNUTLS_CERT_REQUIRE : GNUTLS_CERT_IGNORE);
    return true;
}
