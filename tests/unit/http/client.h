/* tests/unit/http/client.h - a raw client over loopback, and a server to point it at.
 *
 * The client sends bytes and reads answers; it knows just enough HTTP to find an answer's end. A read that
 * gets nothing for 20 seconds fails the test, so a hung server cannot hang the suite.
 */
#ifndef MR_TESTS_HTTP_CLIENT_H
#define MR_TESTS_HTTP_CLIENT_H

#include "http/http.h"

struct reply {
    unsigned status;    /* 0: the server closed without an answer */
    struct mr_str head; /* status line and headers, blank line included */
    struct mr_str body;
};

/* Bytes received and not yet consumed. */
struct client {
    int fd;
    void *ssl; /* SSL *, or NULL */
    struct mr_buf in;
    bool reset;  /* the server has answered something we sent with a reset */
    size_t used; /* bytes of `in` that earlier replies took */
};

void client_open(struct client *c, uint16_t port);
void client_open_tls(struct client *c, uint16_t port);
void client_close(struct client *c);
void client_send(struct client *c, const void *bytes, size_t len);
void client_say(struct client *c, const char *text);
/* The next answer, with its body by Content-Length; views live until the next call. */
struct reply client_read(struct client *c);
/* Like client_read, for an answer to HEAD. */
struct reply client_read_head(struct client *c);
/* Fails the test unless the server ends the connection with no byte more. */
void client_expect_end(struct client *c);
/* Value of a header of the reply, or MR_STR_NULL. */
struct mr_str reply_header(const struct reply *r, const char *name);

/* A server whose handler echoes what it got: "method path query body-length body" (body cut at 100 bytes), on
 * another thread when the path starts with /later, never when it starts with /hold until echo_release. */
struct echo {
    struct http_server *server;
    struct http_options options; /* may be changed between echo_init and echo_start */
    uint16_t port;
};

void echo_init(struct echo *e);
void echo_start(struct echo *e);
/* Also waits for the other threads to have given their answers, which may be after the server has gone. */
void echo_stop(struct echo *e, unsigned drain_ms);
/* Waits until `count` requests are held. */
void echo_wait_held(unsigned count);
/* Answers all held requests. */
void echo_release(void);

/* One connection, one request, one answer: its status, 0 for a close without answer. */
unsigned ask(uint16_t port, const void *bytes, size_t len);
/* The server still answers a good request. */
void check_serves(uint16_t port);

#endif
