/* client/http.h - single HTTP requests over libcurl, with connections kept for the next one.
 *
 * Handles are pooled: each holds its own connections, and a request takes the one that was used last.
 * Redirects are not followed (a signed request is good for one host), only http and https are spoken,
 * certificates are verified. A body above HTTP_BODY_MAX or heads above HTTP_HEAD_MAX end the transfer with
 * MR_ERR_ANSWER. Thread-safe.
 */
#ifndef MR_CLIENT_HTTP_H
#define MR_CLIENT_HTTP_H

#include "client/world.h"

#define HTTP_BODY_MAX ((size_t)64 << 20) /* a page of Query holds some 1 MB (query-api reference 4.1) */
#define HTTP_HEAD_MAX ((size_t)64 << 10)

struct http_pool;

struct http_options {
    struct mr_str proxy;   /* ptr NULL: as the environment says; empty: none */
    struct mr_str ca_file; /* ptr NULL: the system's */
    bool insecure;
    int idle; /* handles kept */
};

/* NULL when memory is short or libcurl refuses to start. The options' texts must outlive the pool. */
struct http_pool *client_http_pool_new(const struct http_options *options);
void client_http_pool_free(struct http_pool *pool);

/* Has the shape of client_world.send; ctx is the pool. */
int client_http_send(void *ctx, const struct client_request *request, struct client_response *response);

#endif
