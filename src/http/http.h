/* http/http.h - the server side of HTTP/1.1 on libmicrohttpd.
 *
 * The room turns bytes into whole requests and answers into bytes; it knows nothing of what they mean. A
 * request is handed to the handler once, complete, on an I/O thread; the handler must not wait for a disk or
 * a lock that is held while one is waited for. It answers by http_respond, at once or later from any thread;
 * until then the connection is suspended. Every limit has its own clear answer (docs/architecture.md lists
 * them), written by the `fault` callback so that this room needs no knowledge of AWS's error bodies.
 */
#ifndef MR_HTTP_HTTP_H
#define MR_HTTP_HTTP_H

#include "base/base.h"

struct http_server;

/* One complete request. Views point into memory that lives until the response has been sent. */
struct http_request {
    struct mr_str method; /* "POST" */
    struct mr_str path;   /* as received, before '?', still percent-encoded */
    struct mr_str query;  /* as received, after '?', still percent-encoded; empty when there is none */
    const struct mr_pair *headers; /* in order of arrival, names as sent */
    size_t nheaders;
    struct mr_str body; /* chunked coding already removed */
    bool tls;
    char peer[64];         /* "address:port" of the client, for logs */
    char id[27];           /* the x-amzn-RequestId of this request: 26 base32 characters */
    int64_t started;       /* monotonic ns when the first byte of the request head was processed */
    struct mr_arena arena; /* request-lifetime memory for the handler; single-threaded use at any one time */
    void *user;            /* the handler's own */
};

struct http_response {
    unsigned status;
    const char *content_type; /* static or request-lifetime; NULL for AWS JSON 1.0 */
    struct mr_buf body;       /* ownership moves to http_respond */
    const char *allow;        /* value of an Allow header, or NULL */
    const char *date;         /* value of the Date header; NULL: the time */
    struct {
        const char *name, *value;
    } extra;    /* one more header, when it has a name */
    bool close; /* end the connection after this answer */
};

/* What the room refuses by itself; the fault callback writes the body. */
enum http_fault {
    HTTP_FAULT_MALFORMED,       /* 400: breaks RFC 9112 or our stricter reading of it */
    HTTP_FAULT_ENCODING,        /* 400: a Content-Encoding other than identity */
    HTTP_FAULT_BODY_TOO_LARGE,  /* 413 */
    HTTP_FAULT_HEAD_TOO_LARGE,  /* 431 */
    HTTP_FAULT_TARGET_TOO_LONG, /* 414 */
    HTTP_FAULT_CONNECTIONS,     /* 429: one connection too many; its answer comes without a request */
    HTTP_FAULT_BODIES_FULL,     /* 429: the bodies of all requests together reach their limit */
    HTTP_FAULT_OUT_OF_MEMORY,   /* 500 */
};

#define HTTP_MIN_BODY_RATE 1024 /* bytes a second, in each stretch of body_grace_seconds */
#define HTTP_BODY_FREE 65536

struct http_options {
    const char *host;     /* numeric address or name to bind; required */
    uint16_t port;        /* 0 picks a free one */
    const char *tls_cert; /* PEM file paths; both or neither */
    const char *tls_key;
    const char *tls_client_ca;   /* PEM; only clients with a certificate of these authorities; NULL: all */
    unsigned threads;            /* I/O threads; 0: one per core */
    unsigned max_connections;    /* 0: 1000 */
    unsigned idle_seconds;       /* 0: 60; without a byte either way, and outside the handler */
    unsigned head_seconds;       /* 0: 10; from the first byte of a head to its last */
    unsigned body_grace_seconds; /* 0: 5; after that a body must have come at HTTP_MIN_BODY_RATE on average */
    size_t max_body;             /* bytes; 0: 4 MiB */
    /* Bytes received and not yet answered, of all requests together, the first HTTP_BODY_FREE of each apart:
     * who holds large bodies open keeps nobody from sending an ordinary one. 0: 64 MiB */
    size_t max_bodies;
    size_t max_head;      /* bytes of request line and headers; 0: 32 KiB */
    unsigned max_headers; /* count; 0: 100 */
    void (*handler)(void *ctx, struct http_request *req);
    /* Appends a body that explains the fault; the status is the one named at the enum. */
    void (*fault)(void *ctx, enum http_fault fault, struct mr_buf *body);
    void *ctx;
};

/* Counters since start; read without locks, so mutually slightly out of step. */
struct http_stats {
    uint64_t connections_open, connections_accepted, connections_refused, requests, faults, bytes_in,
        bytes_out;
};

/* Binds, listens and starts the I/O threads. The options' strings are copied. */
int http_server_start(const struct http_options *options, struct http_server **out, struct mr_error *err);
uint16_t http_server_port(const struct http_server *server);
void http_server_stats(const struct http_server *server, struct http_stats *out);

/* Reads the TLS files again, for connections that begin from now on. After a failure those of before stay.
 * MR_OK without TLS. */
int http_server_reload(struct http_server *server, struct mr_error *err);

/* Stops accepting, waits up to `drain_ms` for requests in flight, closes everything, frees. */
void http_server_stop(struct http_server *server, unsigned drain_ms);

/* Answers the request, exactly once; `req` and its arena are gone when this returns. Any thread. */
void http_respond(struct http_request *req, struct http_response *res);

/* First header of that name (ASCII case ignored), or MR_STR_NULL. */
struct mr_str http_header(const struct http_request *req, const char *name);

#endif
