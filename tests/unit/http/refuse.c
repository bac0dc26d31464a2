/* What the server refuses, with which answer, and that it goes on serving. */
#include "http/client.h"
#include "lib/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static struct echo echo;

static int start(void **state)
{
    MR_UNUSED(state);
    echo_init(&echo);
    echo_start(&echo);
    return 0;
}

static int stop(void **state)
{
    MR_UNUSED(state);
    echo_stop(&echo, 1000);
    return 0;
}

struct malformed {
    const char *what;
    unsigned status; /* 0: closed without an answer */
    const char *bytes;
    size_t len; /* 0: strlen */
};

#define P "POST / HTTP/1.1\r\n"
#define H P "Host: a\r\n"
#define BYTES(literal) literal, sizeof(literal) - 1

static const struct malformed forms[] = {
    {"no target", 0, "GET\r\n\r\n", 0},
    {"no version", 400, "GET /\r\n\r\n", 0},
    {"version 2.0", 505, "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 0},
    {"version 0.9", 505, "GET / HTTP/0.9\r\nHost: a\r\n\r\n", 0},
    {"version 1.2", 400, "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 0},
    {"version 1.10", 400, "GET / HTTP/1.10\r\nHost: a\r\n\r\n", 0},
    {"lower-case version", 400, "GET / http/1.1\r\nHost: a\r\n\r\n", 0},
    {"two blanks before the target", 400, "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"two blanks after the target", 400, "GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"blank after the version", 400, "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 0},
    {"blank in the target", 400, "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"tab in the target", 400, "GET /a\tb HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"fragment in the target", 400, "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"8-bit byte in the target", 400, "GET /\xE4 HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"target without slash", 400, "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"authority target", 400, "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"NUL in the target", 400, BYTES("GET /a\0b HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"NUL in the query", 400, BYTES("GET /a?b\0c HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"NUL in the method", 400, BYTES("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n")},
    {"bad method", 400, "G@T / HTTP/1.1\r\nHost: a\r\n\r\n", 0},
    {"bare LF after the request line", 400, "GET / HTTP/1.1\nHost: a\r\n\r\n", 0},
    {"bare LF after a header", 400, P "Host: a\nX: y\r\n\r\n", 0},
    {"bare LF at the end", 400, H "\n", 0},
    {"bare LF everywhere", 400, "GET / HTTP/1.1\nHost: a\n\n", 0},
    {"CR in a value", 400, H "X: a\rb\r\n\r\n", 0},
    {"CR CR LF", 400, H "X: a\r\r\n\r\n", 0},
    {"folded line", 400, H "X: a\r\n b\r\n\r\n", 0},
    {"folded line with tab", 400, H "X: a\r\n\tb\r\n\r\n", 0},
    {"folded Content-Length", 400, H "Content-Length: 1\r\n 0\r\n\r\n0123456789", 0},
    {"first header folded", 400, P " Host: a\r\n\r\n", 0},
    {"header without colon", 400, H "X\r\n\r\n", 0},
    {"header without name", 400, H ": a\r\n\r\n", 0},
    {"blank before the colon", 400, H "X : a\r\n\r\n", 0},
    {"tab before the colon", 400, H "X\t: a\r\n\r\n", 0},
    {"bad character in a name", 400, H "X(: a\r\n\r\n", 0},
    {"8-bit byte in a name", 400, H "\xC3\xA4: a\r\n\r\n", 0},
    {"NUL in a name", 400, BYTES(H "X\0Y: a\r\n\r\n")},
    {"NUL in a value", 400, BYTES(H "X: a\0b\r\n\r\n")},
    {"NUL at the end of a value", 400, BYTES(H "X: a\0\r\n\r\n")},
    {"two NULs at the end of a value", 400, BYTES(H "X: a\0\0\r\n\r\n")},
    {"NUL before a value", 400, BYTES(H "X: \0a\r\n\r\n")},
    {"BEL in a value", 400, H "X: a\ab\r\n\r\n", 0},
    {"DEL in a value", 400, H "X: a\x7F\r\n\r\n", 0},
    {"no Host", 400, P "\r\n", 0},
    {"two Hosts", 400, H "Host: a\r\n\r\n", 0},
    {"two Hosts in 1.0", 400, "GET / HTTP/1.0\r\nhost: a\r\nHost: a\r\n\r\n", 0},
    {"two names in Host", 400, P "Host: a b\r\n\r\n", 0},
    {"path in Host", 400, P "Host: a/b\r\n\r\n", 0},
    {"user in Host", 400, P "Host: u@a\r\n\r\n", 0},
    {"Content-Length not a number", 400, H "Content-Length: x\r\n\r\n", 0},
    {"Content-Length empty", 400, H "Content-Length:\r\n\r\n", 0},
    {"Content-Length signed", 400, H "Content-Length: +5\r\n\r\nhello", 0},
    {"Content-Length negative", 400, H "Content-Length: -5\r\n\r\n", 0},
    {"Content-Length hexadecimal", 400, H "Content-Length: 0x5\r\n\r\nhello", 0},
    {"Content-Length with fraction", 400, H "Content-Length: 5.0\r\n\r\nhello", 0},
    {"Content-Length list", 400, H "Content-Length: 5, 5\r\n\r\nhello", 0},
    {"Content-Length with inner blank", 400, H "Content-Length: 5 5\r\n\r\nhello", 0},
    {"Content-Length twice, equal", 400, H "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 0},
    {"Content-Length twice, different", 400, H "Content-Length: 5\r\ncontent-length: 6\r\n\r\nhello!", 0},
    {"Content-Length beyond 64 bits", 400, H "Content-Length: 18446744073709551621\r\n\r\nhello", 0},
    {"Content-Length and chunked", 400, H "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     0},
    {"chunked and Content-Length", 400, H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
     0},
    {"Transfer-Encoding gzip", 400, H "Transfer-Encoding: gzip\r\n\r\n", 0},
    {"Transfer-Encoding gzip, chunked", 400, H "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0},
    {"Transfer-Encoding identity", 400, H "Transfer-Encoding: identity\r\n\r\n", 0},
    {"Transfer-Encoding empty", 400, H "Transfer-Encoding:\r\n\r\n", 0},
    {"Transfer-Encoding xchunked", 400, H "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0},
    {"Transfer-Encoding twice", 400,
     H "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0},
    {"chunked in 1.0", 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0},
    {"Content-Encoding gzip", 400, H "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 0},
    {"Content-Encoding empty", 400, H "Content-Encoding:\r\n\r\n", 0},
    {"Content-Encoding aws-chunked", 400, H "Content-Encoding: aws-chunked\r\n\r\n", 0},
    {"chunk size not hexadecimal", 400, H "Transfer-Encoding: chunked\r\n\r\nx\r\n", 0},
    {"chunk size negative", 400, H "Transfer-Encoding: chunked\r\n\r\n-1\r\n", 0},
    {"chunk size with prefix", 400, H "Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n", 0},
    {"chunk size empty", 400, H "Transfer-Encoding: chunked\r\n\r\n\r\n", 0},
    {"chunk size with blank", 400, H "Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n", 0},
    {"chunk longer than said", 400, H "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", 0},
    {"chunk beyond 64 bits", 413, H "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 0},
    {"trailer without colon", 400, H "Transfer-Encoding: chunked\r\n\r\n0\r\nX\r\n\r\n", 0},
    {"TLS hello", 0, BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")},
    {"HTTP/2 preface", 505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0},
};

static void test_malformed(void **state)
{
    MR_UNUSED(state);
    unsigned wrong = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(forms); i++) {
        const struct malformed *m = &forms[i];
        unsigned got = ask(echo.port, m->bytes, m->len != 0 ? m->len : strlen(m->bytes));
        if (got != m->status) {
            print_error("%s: answered %u, not %u\n", m->what, got, m->status);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
    check_serves(echo.port);
}

/* The same in pieces and after a good request on the same connection. */
static void test_malformed_in_pieces(void **state)
{
    MR_UNUSED(state);
    for (size_t i = 0; i < MR_ARRAY_LEN(forms); i++) {
        const struct malformed *m = &forms[i];
        size_t len = m->len != 0 ? m->len : strlen(m->bytes);
        struct client c;
        client_open(&c, echo.port);
        client_say(&c, H "Content-Length: 2\r\n\r\nok");
        assert_int_equal(client_read(&c).status, 200);
        for (size_t k = 0; k < len; k++)
            client_send(&c, m->bytes + k, 1);
        assert_int_equal(client_read(&c).status, m->status);
        client_expect_end(&c);
        client_close(&c);
    }
    check_serves(echo.port);
}

static void test_a_fault_has_its_answer(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, H "Content-Length: x\r\n\r\n");
    struct reply r = client_read(&c);
    assert_int_equal(r.status, 400);
    check_str(r.body, "fault 0");
    check_str(reply_header(&r, "Connection"), "close");
    check_str(reply_header(&r, "Content-Type"), "application/x-amz-json-1.0");
    assert_int_equal(reply_header(&r, "x-amzn-RequestId").len, 26);
    assert_int_equal(reply_header(&r, "Date").len, 29);
    client_expect_end(&c);
    client_close(&c);
}

/* head_bytes of filler in one header beside a well-formed request. */
static struct mr_buf padded(size_t filler)
{
    struct mr_buf b = MR_BUF_INIT;
    mr_buf_printf(&b, H "X: ");
    for (size_t i = 0; i < filler; i++)
        mr_buf_char(&b, 'x');
    mr_buf_printf(&b, "\r\n\r\n");
    assert_true(mr_buf_ok(&b));
    return b;
}

static void test_head_limits(void **state)
{
    MR_UNUSED(state);
    const size_t rest = strlen(H "X: \r\n\r\n");
    static const struct {
        size_t head;
        unsigned status;
    } sizes[] = {{32768, 200}, {32769, 431}, {40000, 431}, {1000000, 431}};
    for (size_t i = 0; i < MR_ARRAY_LEN(sizes); i++) {
        struct mr_buf b = padded(sizes[i].head - rest);
        assert_int_equal(ask(echo.port, b.ptr, b.len), sizes[i].status);
        mr_buf_release(&b);
    }
    static const struct {
        unsigned headers, status;
    } counts[] = {{100, 200}, {101, 431}, {300, 431}, {8000, 431}};
    for (size_t i = 0; i < MR_ARRAY_LEN(counts); i++) {
        struct mr_buf b = MR_BUF_INIT;
        mr_buf_printf(&b, H);
        for (unsigned k = 1; k < counts[i].headers; k++)
            mr_buf_printf(&b, "X:\r\n");
        mr_buf_printf(&b, "\r\n");
        assert_int_equal(ask(echo.port, b.ptr, b.len), counts[i].status);
        mr_buf_release(&b);
    }
    check_serves(echo.port);
}

static void test_target_limit(void **state)
{
    MR_UNUSED(state);
    static const struct {
        size_t target;
        unsigned status;
    } sizes[] = {{16384, 200}, {16385, 414}, {30000, 414}, {100000, 414}};
    for (int query = 0; query < 2; query++) {
        for (size_t i = 0; i < MR_ARRAY_LEN(sizes); i++) {
            struct mr_buf b = MR_BUF_INIT;
            mr_buf_printf(&b, query ? "GET /?" : "GET /x");
            for (size_t k = 2; k < sizes[i].target; k++)
                mr_buf_char(&b, query ? '&' : 'x'); /* thousands of parameters are no special case */
            mr_buf_printf(&b, " HTTP/1.1\r\nHost: a\r\n\r\n");
            assert_int_equal(ask(echo.port, b.ptr, b.len), sizes[i].status);
            mr_buf_release(&b);
        }
    }
    check_serves(echo.port);
}

static void test_cookies_do_not_exhaust(void **state)
{
    MR_UNUSED(state);
    struct mr_buf b = MR_BUF_INIT;
    mr_buf_printf(&b, H "Cookie: ");
    for (int i = 0; i < 10000; i++)
        mr_buf_printf(&b, "a;");
    mr_buf_printf(&b, "\r\n\r\n");
    unsigned status = ask(echo.port, b.ptr, b.len); /* one answer: the library alone would send two heads */
    assert_int_equal(status, 400);
    mr_buf_release(&b);
    check_serves(echo.port);
}

/* Sends `total` bytes of body in the given coding and returns the first answer's status. */
static unsigned send_body(size_t total, bool chunked, const char *extra)
{
    static char block[65536];
    struct client c;
    client_open(&c, echo.port);
    char head[200];
    if (chunked)
        snprintf(head, sizeof head, H "Transfer-Encoding: chunked\r\n%s\r\n", extra);
    else
        snprintf(head, sizeof head, H "Content-Length: %zu\r\n%s\r\n", total, extra);
    client_say(&c, head);
    for (size_t sent = 0; sent < total && *extra == '\0';) {
        size_t n = total - sent < sizeof block ? total - sent : sizeof block;
        if (chunked) {
            snprintf(head, sizeof head, "%zx\r\n", n);
            client_say(&c, head);
        }
        client_send(&c, block, n);
        if (chunked)
            client_say(&c, "\r\n");
        sent += n;
    }
    if (chunked && *extra == '\0')
        client_say(&c, "0\r\n\r\n");
    struct reply r = client_read(&c);
    unsigned status = r.status;
    if (status == 413) {
        check_str(r.body, "fault 2");
        client_expect_end(&c);
        assert_false(c.reset); /* on other systems than Linux a reset takes the unread answer with it */
    }
    client_close(&c);
    return status;
}

static void test_body_limit(void **state)
{
    MR_UNUSED(state);
    const size_t limit = (size_t)4 << 20;
    assert_int_equal(send_body(limit, false, ""), 200);
    assert_int_equal(send_body(limit, true, ""), 200);
    assert_int_equal(send_body(limit + 1, false, ""), 413);
    assert_int_equal(send_body(limit + 1, true, ""), 413);
    assert_int_equal(send_body(3 * limit, false, ""),
                     413); /* the answer survives what the client still sends */
    assert_int_equal(send_body(3 * limit, true, ""), 413);
    assert_int_equal(send_body(limit + 1, false, "Expect: 100-continue\r\n"), 413); /* and no 100 before it */
    check_serves(echo.port);
}

/* Large bodies together reach their limit; ordinary ones go on, and large ones when there is room again. */
static void test_bodies_limit(void **state)
{
    MR_UNUSED(state);
    enum { HELD = 600000 };
    static char bytes[HELD];
    struct echo small;
    struct client holder, large;
    echo_init(&small);
    small.options.max_bodies = 1 << 20;
    echo_start(&small);
    memset(bytes, 'x', sizeof bytes);
    client_open(&holder, small.port);
    client_say(&holder, H "Content-Length: 700000\r\n\r\n");
    client_send(&holder, bytes, sizeof bytes);
    struct http_stats stats;
    do { /* until it has all been read */
        http_server_stats(small.server, &stats);
    } while (stats.bytes_in < HELD);
    client_open(&large, small.port);
    client_say(&large, H "Content-Length: 600000\r\n\r\n");
    client_send(&large, bytes, sizeof bytes);
    assert_int_equal(client_read(&large).status, 429);
    client_close(&large);
    check_serves(small.port); /* a small body */
    client_send(&holder, bytes, 100000);
    assert_int_equal(client_read(&holder).status, 200);
    client_close(&holder);
    client_open(&large, small.port);
    client_say(&large, H "Content-Length: 600000\r\n\r\n");
    client_send(&large, bytes, sizeof bytes);
    assert_int_equal(client_read(&large).status, 200);
    client_close(&large);
    echo_stop(&small, 1000);
}

static void test_out_of_connections(void **state)
{
    MR_UNUSED(state);
    struct echo small;
    echo_init(&small);
    small.options.max_connections = 3;
    echo_start(&small);
    struct client c[3], extra;
    for (int i = 0; i < 3; i++) {
        client_open(&c[i], small.port);
        client_say(&c[i], H "\r\n");
        assert_int_equal(client_read(&c[i]).status, 200);
    }
    client_open(&extra, small.port);
    client_say(&extra, H
               "Content-Length: 2\r\n\r\nok"); /* read and dropped, so that no reset takes the answer away */
    assert_int_equal(client_read(&extra).status, 429);
    client_expect_end(&extra);
    client_close(&extra);
    struct http_stats stats;
    http_server_stats(small.server, &stats);
    assert_int_equal(stats.connections_open, 3);
    assert_int_equal(stats.connections_accepted, 3);
    assert_int_equal(stats.connections_refused, 1);
    client_close(&c[0]);
    do { /* the place is free as soon as the server has seen the close */
        http_server_stats(small.server, &stats);
    } while (stats.connections_open == 3);
    check_serves(small.port);
    client_close(&c[1]);
    client_close(&c[2]);
    echo_stop(&small, 1000);
}

static void *trickle(void *arg)
{
    struct client *c = arg;
    for (int i = 0; i < 200; i++) { /* bounded; the server ends it long before */
        if (send(c->fd, "x", 1, MSG_NOSIGNAL) < 0)
            break;
        usleep(100000);
    }
    return NULL;
}

/* Each client is cut off although it is never silent for long. */
static void test_slow_clients(void **state)
{
    MR_UNUSED(state);
    struct echo quick;
    echo_init(&quick);
    quick.options.head_seconds = 1;
    quick.options.body_grace_seconds = 1;
    quick.options.idle_seconds = 15;
    echo_start(&quick);
    static const char *const begun[] = {
        "POST / HTT",
        H "X: ",
        H "Content-Length: 100000\r\n\r\n",
        H "Transfer-Encoding: chunked\r\n\r\nffff\r\n",
        H "Content-Length: 2\r\n\r\nokPOST /",
    };
    struct client c[MR_ARRAY_LEN(begun)];
    pthread_t threads[MR_ARRAY_LEN(begun)];
    for (size_t i = 0; i < MR_ARRAY_LEN(begun); i++) {
        client_open(&c[i], quick.port);
        client_say(&c[i], begun[i]);
        assert_int_equal(pthread_create(&threads[i], NULL, trickle, &c[i]), 0);
    }
    assert_int_equal(client_read(&c[4]).status, 200);
    for (size_t i = 0; i < MR_ARRAY_LEN(begun); i++) {
        client_expect_end(&c[i]);
        pthread_join(threads[i], NULL);
        client_close(&c[i]);
    }
    check_serves(quick.port);
    echo_stop(&quick, 1000);
}

static void test_idle_connections_end(void **state)
{
    MR_UNUSED(state);
    struct echo quick;
    echo_init(&quick);
    quick.options.idle_seconds = 1;
    echo_start(&quick);
    struct client c, fresh, held;
    client_open(&c, quick.port);
    client_open(&fresh, quick.port);
    client_open(&held, quick.port);
    client_say(&held, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    echo_wait_held(1);
    client_say(&c, H "\r\n");
    assert_int_equal(client_read(&c).status, 200);
    client_expect_end(&c);
    client_expect_end(&fresh);
    echo_release(); /* a slow handler is not an idle connection */
    assert_int_equal(client_read(&held).status, 200);
    client_close(&c);
    client_close(&fresh);
    client_close(&held);
    echo_stop(&quick, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_malformed_in_pieces),
        cmocka_unit_test(test_a_fault_has_its_answer),
        cmocka_unit_test(test_head_limits),
        cmocka_unit_test(test_target_limit),
        cmocka_unit_test(test_cookies_do_not_exhaust),
        cmocka_unit_test(test_body_limit),
        cmocka_unit_test(test_bodies_limit),
        cmocka_unit_test(test_out_of_connections),
        cmocka_unit_test(test_slow_clients),
        cmocka_unit_test(test_idle_connections_end),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
