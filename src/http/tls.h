/* http/tls.h - what a TLS handshake needs: certificate, key, and whose clients to trust. Private to http/.
 *
 * One set is current; each connection takes the one that is current when it begins and keeps it, so a new set
 * takes effect for new connections and disturbs none that is open. Sets are counted. Thread-safe.
 */
#ifndef MR_HTTP_TLS_H
#define MR_HTTP_TLS_H

#include "base/base.h"

struct http_tls;

/* PEM texts, NUL-terminated: the chain, its key, and the authorities of client certificates (NULL: none are
 * asked for). MR_EINVAL: they are no such thing, or do not belong together. */
int http_tls_new(const char *cert, const char *key, const char *client_ca, struct http_tls **out,
                 struct mr_error *err);
struct http_tls *http_tls_ref(struct http_tls *tls);
void http_tls_unref(struct http_tls *tls); /* NULL is fine */

/* Gives the set to a session (gnutls_session_t) whose handshake has not begun; false: it cannot be had, and
 * the session must not be served. The set outlives the session. */
bool http_tls_use(struct http_tls *tls, void *session);

#endif
