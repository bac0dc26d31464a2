#include "http/client.h"

#include "lib/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

void client_open(struct client *c, uint16_t port)
{
    *c = (struct client){.in = MR_BUF_INIT};
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(c->fd >= 0);
    const struct timeval limit = {.tv_sec = 20};
    assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
    assert_int_equal(setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
    const int on = 1;
    assert_int_equal(setsockopt(c->fd, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on), 0);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons(port)};
    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(c->fd, (struct sockaddr *)&addr, sizeof addr), 0);
}

void client_open_tls(struct client *c, uint16_t port)
{
    client_open(c, port);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(ctx);
    c->ssl = SSL_new(ctx);
    SSL_CTX_free(ctx); /* the session holds its own reference */
    assert_non_null(c->ssl);
    assert_int_equal(SSL_set_fd(c->ssl, c->fd), 1);
    assert_int_equal(SSL_connect(c->ssl), 1);
}

void client_close(struct client *c)
{
    if (c->ssl != NULL) {
        SSL_shutdown(c->ssl);
        SSL_free(c->ssl);
    }
    close(c->fd);
    mr_buf_release(&c->in);
}

/* A server may refuse and close in the middle of what we send; what it answered is the point, so a broken
 * pipe is no failure here. */
void client_send(struct client *c, const void *bytes, size_t len)
{
    const char *at = bytes;
    while (len > 0) {
        ssize_t n = c->ssl != NULL ? SSL_write(c->ssl, at, (int)len) : send(c->fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && c->ssl == NULL && (errno == EPIPE || errno == ECONNRESET)) {
            c->reset = true;
            return;
        }
        assert_true(n > 0);
        at += n;
        len -= (size_t)n;
    }
}

void client_say(struct client *c, const char *text)
{
    client_send(c, text, strlen(text));
}

/* False at the end of the connection. */
static bool fill(struct client *c)
{
    char *to = mr_buf_reserve(&c->in, 65536);
    assert_non_null(to);
    ssize_t n = c->ssl != NULL ? SSL_read(c->ssl, to, 65536) : recv(c->fd, to, 65536, 0);
    if (n < 0 && c->ssl == NULL && errno == ECONNRESET) {
        c->reset = true;
        return false;
    }
    if (n < 0 && c->ssl == NULL)
        fail_msg("no answer within the limit: %s", strerror(errno));
    if (n <= 0)
        return false;
    c->in.len += (size_t)n;
    return true;
}

struct mr_str reply_header(const struct reply *r, const char *name)
{
    struct mr_str text = r->head;
    size_t at = mr_str_find(text, '\n', 0) + 1;
    while (at < text.len) {
        size_t end = mr_str_find(text, '\r', at), colon = mr_str_find(text, ':', at);
        if (colon < end && mr_str_ieq(mr_str_slice(text, at, colon), mr_str_of(name)))
            return mr_str_trim(mr_str_slice(text, colon + 1, end));
        at = end + 2;
    }
    return MR_STR_NULL;
}

static struct reply read_reply(struct client *c, bool with_body)
{
    struct reply r = {.status = 0, .head = MR_STR(""), .body = MR_STR("")};
    const char *end;
    for (;;) {
        end = memmem(c->in.ptr != NULL ? c->in.ptr + c->used : "", c->in.len - c->used, "\r\n\r\n", 4);
        if (end != NULL)
            break;
        if (!fill(c)) {
            assert_int_equal(c->in.len, c->used); /* no half answer */
            return r;
        }
    }
    size_t head = (size_t)(end + 4 - (c->in.ptr + c->used));
    r.head = (struct mr_str){c->in.ptr + c->used, head};
    uint64_t status;
    assert_true(mr_str_starts(r.head, MR_STR("HTTP/1.1 ")));
    assert_true(mr_str_to_u64(mr_str_slice(r.head, 9, 12), &status));
    r.status = (unsigned)status;
    uint64_t length = 0;
    if (with_body && r.status != 100)
        assert_true(mr_str_to_u64(reply_header(&r, "Content-Length"), &length));
    while (c->in.len - c->used - head < length)
        assert_true(fill(c));
    r.head = (struct mr_str){c->in.ptr + c->used, head};
    r.body = (struct mr_str){c->in.ptr + c->used + head, length};
    c->used += head + length;
    return r;
}

struct reply client_read(struct client *c)
{
    return read_reply(c, true);
}

struct reply client_read_head(struct client *c)
{
    return read_reply(c, false);
}

void client_expect_end(struct client *c)
{
    while (fill(c))
        ;
    if (c->in.len != c->used)
        fail_msg("unexpected bytes: %.*s", (int)(c->in.len - c->used), c->in.ptr + c->used);
}

/* The echo server. */

#define MAX_HELD 64

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct http_request *held[MAX_HELD];
    unsigned count;
    unsigned later; /* threads that have an answer to give */
} hold = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void answer(struct http_request *req)
{
    struct http_response res = {.status = 200, .body = MR_BUF_INIT};
    unsigned status;
    if (sscanf(req->query.len > 0 ? req->query.ptr : "", "status=%3u", &status) == 1)
        res.status = status;
    if (mr_str_starts(req->path, MR_STR("/allow"))) {
        res.allow = "POST";
        res.content_type = "text/plain";
    }
    res.close = mr_str_starts(req->path, MR_STR("/close"));
    mr_buf_printf(&res.body, MR_STR_FMT " " MR_STR_FMT " " MR_STR_FMT " %zu ", MR_STR_ARG(req->method),
                  MR_STR_ARG(req->path), MR_STR_ARG(req->query), req->body.len);
    mr_buf_str(&res.body, mr_str_slice(req->body, 0, 100));
    struct mr_str show = http_header(req, "X-Show");
    if (show.ptr != NULL)
        mr_buf_str(&res.body, show);
    if (mr_str_starts(req->path, MR_STR("/big"))) {
        char *to = mr_buf_reserve(&res.body, 3000000);
        memset(to, 'z', 3000000);
        res.body.len += 3000000;
    }
    http_respond(req, &res);
}

static void *answer_later(void *req)
{
    answer(req);
    pthread_mutex_lock(&hold.lock);
    hold.later--;
    pthread_cond_broadcast(&hold.changed);
    pthread_mutex_unlock(&hold.lock);
    return NULL;
}

static void handle(void *ctx, struct http_request *req)
{
    MR_UNUSED(ctx);
    if (mr_str_starts(req->path, MR_STR("/later"))) {
        pthread_mutex_lock(&hold.lock);
        hold.later++;
        pthread_mutex_unlock(&hold.lock);
        pthread_t thread;
        pthread_attr_t attr;
        pthread_attr_init(&attr);
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
        if (pthread_create(&thread, &attr, answer_later, req) != 0)
            abort();
        pthread_attr_destroy(&attr);
    } else if (mr_str_starts(req->path, MR_STR("/hold"))) {
        pthread_mutex_lock(&hold.lock);
        if (hold.count == MAX_HELD)
            abort();
        hold.held[hold.count++] = req;
        pthread_cond_broadcast(&hold.changed);
        pthread_mutex_unlock(&hold.lock);
    } else {
        answer(req);
    }
}

void echo_wait_held(unsigned count)
{
    pthread_mutex_lock(&hold.lock);
    while (hold.count < count)
        pthread_cond_wait(&hold.changed, &hold.lock);
    pthread_mutex_unlock(&hold.lock);
}

void echo_release(void)
{
    pthread_mutex_lock(&hold.lock);
    while (hold.count > 0)
        answer(hold.held[--hold.count]);
    pthread_mutex_unlock(&hold.lock);
}

static void write_fault(void *ctx, enum http_fault fault, struct mr_buf *body)
{
    MR_UNUSED(ctx);
    mr_buf_printf(body, "fault %d", (int)fault);
}

void echo_init(struct echo *e)
{
    *e = (struct echo){
        .options = {.host = "127.0.0.1", .threads = 2, .handler = handle, .fault = write_fault}};
}

void echo_start(struct echo *e)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(http_server_start(&e->options, &e->server, &err), &err);
    e->port = http_server_port(e->server);
    assert_int_not_equal(e->port, 0);
}

void echo_stop(struct echo *e, unsigned drain_ms)
{
    http_server_stop(e->server, drain_ms);
    e->server = NULL;
    pthread_mutex_lock(&hold.lock);
    while (hold.later > 0)
        pthread_cond_wait(&hold.changed, &hold.lock);
    pthread_mutex_unlock(&hold.lock);
}

unsigned ask(uint16_t port, const void *bytes, size_t len)
{
    struct client c;
    client_open(&c, port);
    client_send(&c, bytes, len);
    shutdown(c.fd, SHUT_WR);
    struct reply r = client_read(&c);
    unsigned status = r.status;
    if (status >= 400) /* every refusal ends the connection */
        client_expect_end(&c);
    client_close(&c);
    return status;
}

void check_serves(uint16_t port)
{
    struct client c;
    client_open(&c, port);
    client_say(&c, "POST /ok HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi");
    struct reply r = client_read(&c);
    assert_int_equal(r.status, 200);
    check_str(r.body, "POST /ok  2 hi");
    client_close(&c);
}
