/* What a well-behaved client sees. */
#include "http/client.h"
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

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

static void test_headers_are_exactly_these(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    struct reply r = client_read(&c);
    assert_int_equal(r.status, 200);
    check_str(r.body, "POST /  2 {}");
    unsigned lines = 0;
    for (size_t i = 0; i < r.head.len; i++)
        lines += r.head.ptr[i] == '\n';
    assert_int_equal(lines, 6); /* status line, four headers, blank line */
    struct mr_str id = reply_header(&r, "x-amzn-RequestId");
    assert_int_equal(id.len, 26);
    for (size_t i = 0; i < id.len; i++)
        assert_non_null(strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", id.ptr[i]));
    check_str(reply_header(&r, "Content-Type"), "application/x-amz-json-1.0");
    check_str(reply_header(&r, "Content-Length"), "12");
    struct mr_str date = reply_header(&r, "Date");
    assert_int_equal(date.len, 29);
    assert_true(mr_str_eq(mr_str_slice(date, 26, 29), MR_STR("GMT")));
    client_close(&c);
}

static void test_allow_close_and_type(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "GET /allow?status=405 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct reply r = client_read(&c);
    assert_int_equal(r.status, 405);
    check_str(reply_header(&r, "Allow"), "POST");
    check_str(reply_header(&r, "Content-Type"), "text/plain");
    client_say(&c, "GET /close HTTP/1.1\r\nHost: a\r\n\r\n");
    r = client_read(&c);
    check_str(reply_header(&r, "Connection"), "close");
    client_expect_end(&c);
    client_close(&c);
}

static void test_every_status_passes(void **state)
{
    MR_UNUSED(state);
    static const unsigned all[] = {200, 400, 402, 403, 404, 405, 408, 409, 413, 419, 421, 429, 500, 503};
    struct client c;
    client_open(&c, echo.port);
    for (size_t i = 0; i < MR_ARRAY_LEN(all); i++) {
        char text[100];
        snprintf(text, sizeof text, "POST /?status=%u HTTP/1.1\r\nHost: a\r\n\r\n", all[i]);
        client_say(&c, text);
        struct reply r = client_read(&c);
        assert_int_equal(r.status, all[i]);
    }
    client_close(&c);
}

static void test_keep_alive_and_pipelining(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    for (int i = 0; i < 100; i++) {
        client_say(&c, "POST /a?b=c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz");
        check_str(client_read(&c).body, "POST /a b=c 3 xyz");
    }
    client_say(&c, "POST /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1"
                   "POST /later2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n2\r\n0\r\n\r\n"
                   "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    check_str(client_read(&c).body, "POST /1  1 1");
    check_str(client_read(&c).body, "POST /later2  1 2");
    check_str(client_read(&c).body, "GET /3  0 ");
    client_close(&c);
    client_open(&c, echo.port);
    client_say(&c, "GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    check_str(client_read(&c).body, "GET /last  0 ");
    client_expect_end(&c);
    client_close(&c);
}

static void test_http_1_0(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "GET /old HTTP/1.0\r\n\r\n");
    struct reply r = client_read(&c);
    assert_int_equal(r.status, 200);
    check_str(reply_header(&r, "Connection"), "close");
    client_expect_end(&c);
    client_close(&c);
}

static void test_expect_continue(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "PUT /e HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
    assert_int_equal(client_read(&c).status, 100);
    client_say(&c, "body");
    check_str(client_read(&c).body, "PUT /e  4 body");
    client_close(&c);
}

static void test_chunked_with_extensions_and_trailers(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
                   "4;x=y\r\nabcd\r\n0A\r\n0123456789\r\n0\r\nT: v\r\n\r\n");
    check_str(client_read(&c).body, "POST /c  14 abcd0123456789");
    client_close(&c);
}

static void test_targets_and_values_stay_as_sent(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "GET /a%20b/%2f?x=%41&&y=?z HTTP/1.1\r\nHost: a\r\nX-Show: \t v, \xC3\xA4  w \t \r\n\r\n");
    check_str(client_read(&c).body, "GET /a%20b/%2f x=%41&&y=?z 0 v, \xC3\xA4  w");
    client_say(&c, "GET http://host:80/p?q HTTP/1.1\r\nHost: a\r\n\r\n");
    check_str(client_read(&c).body, "GET /p q 0 ");
    client_say(&c, "GET https://host?q HTTP/1.1\r\nHost: a\r\nX-Show:\r\nContent-Encoding: identity\r\n\r\n");
    check_str(client_read(&c).body, "GET / q 0 ");
    client_say(&c, "OPTIONS * HTTP/1.1\r\nHost:\r\nCookie: a=b; c; d=\"e\"\r\n\r\n");
    check_str(client_read(&c).body, "OPTIONS *  0 ");
    client_say(&c, "HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n");
    struct reply r = client_read_head(&c);
    check_str(reply_header(&r, "Content-Length"), "11");
    client_say(&c, "\r\nGET /after-empty-line HTTP/1.1\r\nHost: a\r\n\r\n");
    check_str(client_read(&c).body, "GET /after-empty-line  0 ");
    client_close(&c);
}

/* Whatever the pieces in which a request arrives, it reads the same; the strict check of the head relies on
 * where the library keeps things, so this is its test too. */
static void test_every_split(void **state)
{
    MR_UNUSED(state);
    static const char plain[] =
        "POST /s?t=u HTTP/1.1\r\nHost: example\r\nX-Show:  v \r\nA:\r\nContent-Length: 5\r\n"
        "User-Agent: a client (of some length; really) 1.2.3\r\n\r\nhello";
    static const char chunked[] =
        "POST /later HTTP/1.1\r\nHost: example\r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;e\r\nde\r\n0\r\nT: x\r\n\r\n";
    struct client c;
    client_open(&c, echo.port);
    for (size_t i = 1; i < sizeof plain - 1; i++) {
        client_send(&c, plain, i);
        client_send(&c, plain + i, sizeof plain - 1 - i);
        check_str(client_read(&c).body, "POST /s t=u 5 hellov");
    }
    for (size_t i = 1; i < sizeof chunked - 1; i++) {
        client_send(&c, chunked, i);
        client_send(&c, chunked + i, sizeof chunked - 1 - i);
        check_str(client_read(&c).body, "POST /later  5 abcde");
    }
    for (size_t i = 0; i < sizeof plain - 1; i++)
        client_send(&c, plain + i, 1);
    check_str(client_read(&c).body, "POST /s t=u 5 hellov");
    client_close(&c);
}

static void test_large_bodies_both_ways(void **state)
{
    MR_UNUSED(state);
    const size_t size = (size_t)4 << 20; /* the default limit itself */
    char *bytes = malloc(size);
    assert_non_null(bytes);
    memset(bytes, 'b', size);
    struct client c;
    client_open(&c, echo.port);
    char head[100];
    snprintf(head, sizeof head, "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", size);
    for (int i = 0; i < 3; i++) {
        client_say(&c, head);
        client_send(&c, bytes, size);
        struct reply r = client_read(&c);
        assert_int_equal(r.status, 200);
        assert_true(r.body.len > 3000000);
        assert_true(mr_str_starts(r.body, MR_STR("POST /big  4194304 bbbb")));
    }
    client_close(&c);
    free(bytes);
}

static void test_answers_from_other_threads(void **state)
{
    MR_UNUSED(state);
    struct client c[8];
    for (size_t i = 0; i < MR_ARRAY_LEN(c); i++)
        client_open(&c[i], echo.port);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < MR_ARRAY_LEN(c); i++)
            client_say(&c[i], "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n!");
        for (size_t i = 0; i < MR_ARRAY_LEN(c); i++)
            check_str(client_read(&c[i]).body, "POST /later  1 !");
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(c); i++)
        client_say(&c[i], "POST /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    echo_wait_held(MR_ARRAY_LEN(c));
    check_serves(echo.port); /* held requests hold up nobody */
    echo_release();
    for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
        check_str(client_read(&c[i]).body, "POST /hold  0 ");
        client_close(&c[i]);
    }
}

static void test_client_that_leaves(void **state)
{
    MR_UNUSED(state);
    struct client c;
    client_open(&c, echo.port);
    client_say(&c, "POST /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    echo_wait_held(1);
    client_close(&c);
    echo_release();
    client_open(&c, echo.port);
    client_say(&c, "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf");
    client_close(&c);
    check_serves(echo.port);
}

/* A client that half-closes with its last byte gets its answer, then the end, and long before the idle limit
 * (the client gives up after 20 seconds). So does one that leaves a request unfinished. */
static void test_half_closed_clients(void **state)
{
    MR_UNUSED(state);
    static const char *const sent[] = {"GET /later HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HT",
                                       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell"};
    static const unsigned status[] = {200, 0, 0};
    struct client c[MR_ARRAY_LEN(sent)];
    for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
        client_open(&c[i], echo.port);
        client_say(&c[i], sent[i]);
        shutdown(c[i].fd, SHUT_WR);
    }
    for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
        assert_int_equal(client_read(&c[i]).status, status[i]);
        client_expect_end(&c[i]);
        client_close(&c[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_are_exactly_these),
        cmocka_unit_test(test_allow_close_and_type),
        cmocka_unit_test(test_every_status_passes),
        cmocka_unit_test(test_keep_alive_and_pipelining),
        cmocka_unit_test(test_http_1_0),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_chunked_with_extensions_and_trailers),
        cmocka_unit_test(test_targets_and_values_stay_as_sent),
        cmocka_unit_test(test_every_split),
        cmocka_unit_test(test_large_bodies_both_ways),
        cmocka_unit_test(test_answers_from_other_threads),
        cmocka_unit_test(test_client_that_leaves),
        cmocka_unit_test(test_half_closed_clients),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
