/* The server as a whole: TLS, addresses, many connections, stopping, memory that runs out. */
#include "http/client.h"
#include "lib/check.h"
#include "lib/dir.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define GET "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

/* A self-signed certificate and its key, as PEM files in dir. */
static void make_certificate(const char *dir, char cert_path[600], char key_path[600])
{
    snprintf(cert_path, 600, "%s/cert.pem", dir);
    snprintf(key_path, 600, "%s/key.pem", dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    assert_non_null(key);
    assert_non_null(cert);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_NAME *name = X509_get_subject_name(cert);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, name);
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    FILE *f = fopen(cert_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    fclose(f);
    f = fopen(key_path, "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
    X509_free(cert);
    EVP_PKEY_free(key);
}

/* The client may offer only that version: does the server agree? */
static bool tls_version_works(uint16_t port, int version)
{
    struct client c;
    client_open(&c, port);
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(ctx, 0); /* or the client would not even offer TLS 1.1 */
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    SSL *ssl = SSL_new(ctx);
    SSL_set_fd(ssl, c.fd);
    bool works = SSL_connect(ssl) == 1;
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    client_close(&c);
    return works;
}

static void test_tls(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make(), cert[600], key[600];
    make_certificate(dir, cert, key);
    struct echo e;
    echo_init(&e);
    e.options.tls_cert = cert;
    e.options.tls_key = key;
    e.options.head_seconds = 1;
    echo_start(&e);
    struct client c;
    client_open_tls(&c, e.port);
    for (int i = 0; i < 20; i++) {
        client_say(&c, "POST /later?q HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello");
        check_str(client_read(&c).body, "POST /later q 5 hello");
    }
    client_say(&c, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_true(client_read(&c).body.len > 3000000);
    client_say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n");
    struct reply r = client_read(&c);
    assert_int_equal(r.status, 413);
    check_str(r.body, "fault 2");
    client_expect_end(&c);
    client_close(&c);
    client_open_tls(&c, e.port);
    client_say(&c, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n");
    r = client_read(&c);
    assert_int_equal(r.status, 400);
    check_str(r.body, "fault 0");
    client_expect_end(&c);
    client_close(&c);
    assert_true(tls_version_works(e.port, TLS1_2_VERSION));
    assert_true(tls_version_works(e.port, TLS1_3_VERSION));
    assert_false(tls_version_works(e.port, TLS1_1_VERSION));
    client_open(&c, e.port); /* plain HTTP to a TLS port */
    client_say(&c, GET);
    client_expect_end(&c);
    client_close(&c);
    client_open(&c, e.port); /* a handshake that never goes on is a head that never comes */
    client_send(&c, "\x16\x03\x01\x02", 4);
    client_expect_end(&c);
    client_close(&c);
    echo_stop(&e, 1000);
    dir_remove(dir);
}

static void refuse_start(const struct echo *e, const char *hint)
{
    struct http_server *server;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_not_equal(http_server_start(&e->options, &server, &err), MR_OK);
    assert_null(server);
    if (strstr(err.text, hint) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, hint);
}

static void test_starts_that_must_fail(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make(), cert[600], key[600], other[600];
    make_certificate(dir, cert, key);
    snprintf(other, sizeof other, "%s/none.pem", dir);
    struct echo e;
    echo_init(&e);
    e.options.tls_cert = cert;
    refuse_start(&e, "both");
    e.options.tls_key = other;
    refuse_start(&e, "none.pem");
    e.options.tls_key = cert; /* not a key */
    refuse_start(&e, "the TLS certificate and its key cannot be used: ");
    e.options.tls_cert = e.options.tls_key = NULL;
    e.options.host = "192.0.2.1"; /* documentation range: not ours */
    refuse_start(&e, "192.0.2.1");
    e.options.host = "no such host.";
    refuse_start(&e, "resolve");
    e.options.host = "127.0.0.1";
    echo_start(&e);
    struct echo second = e;
    second.options.port = e.port;
    refuse_start(&second, "in use");
    echo_stop(&e, 0);
    dir_remove(dir);
}

static int connect_v6(uint16_t port)
{
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in6 addr = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof addr) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void test_addresses(void **state)
{
    MR_UNUSED(state);
    struct echo e;
    echo_init(&e);
    e.options.host = "localhost";
    echo_start(&e);
    check_serves(e.port);
    echo_stop(&e, 1000);
    echo_init(&e);
    e.options.host = "::1";
    e.options.threads = 1;
    struct mr_error err = MR_ERROR_INIT;
    if (http_server_start(&e.options, &e.server, &err) != MR_OK) {
        print_message("no IPv6 on this machine: only IPv4 was tested\n");
        return;
    }
    struct client c = {.fd = connect_v6(http_server_port(e.server))};
    assert_true(c.fd >= 0);
    client_say(&c, GET);
    assert_int_equal(client_read(&c).status, 200);
    client_close(&c);
    echo_stop(&e, 1000);
}

static size_t resident(void)
{
    size_t total, pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%zu %zu", &total, &pages), 2);
    fclose(f);
    return pages * 4096;
}

static void test_a_thousand_idle_connections(void **state)
{
    MR_UNUSED(state);
    enum { COUNT = 1000 };
    struct rlimit files;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = files.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
    struct echo e;
    echo_init(&e);
    e.options.max_connections = COUNT + 1;
    echo_start(&e);
    static struct client c[COUNT];
    size_t before = resident();
    for (int i = 0; i < COUNT; i++)
        client_open(&c[i], e.port);
    struct http_stats stats;
    do
        http_server_stats(e.server, &stats);
    while (stats.connections_open < COUNT);
    check_serves(e.port);
    size_t fresh = resident();
    for (int i = 0; i < COUNT; i++) {
        client_say(&c[i], GET);
        assert_int_equal(client_read(&c[i]).status, 200);
        mr_buf_release(&c[i].in);
        c[i].used = 0;
    }
    size_t used = resident();
    print_message("resident per connection: %zu bytes before its first request, %zu after\n",
                  (fresh - before) / COUNT, (used - before) / COUNT);
    check_serves(e.port);
    http_server_stats(e.server, &stats);
    assert_int_equal(stats.requests, COUNT + 2);
    for (int i = 0; i < COUNT; i++)
        client_close(&c[i]);
    echo_stop(&e, 1000);
}

static void *stop_with_patience(void *arg)
{
    echo_stop(arg, 60000);
    return NULL;
}

static void test_stop_waits_for_requests(void **state)
{
    MR_UNUSED(state);
    struct echo e;
    echo_init(&e);
    echo_start(&e);
    struct client held, idle;
    client_open(&held, e.port);
    client_open(&idle, e.port);
    client_say(&idle, GET);
    assert_int_equal(client_read(&idle).status, 200);
    client_say(&held, "POST /hold HTTP/1.1\r\nHost: a\r\n\r\n");
    echo_wait_held(1);
    pthread_t stopper;
    assert_int_equal(pthread_create(&stopper, NULL, stop_with_patience, &e), 0);
    for (;;) { /* a request on an open connection is still answered, and told when it is the last */
        client_say(&idle, GET);
        struct reply r = client_read(&idle);
        assert_int_equal(r.status, 200);
        if (reply_header(&r, "Connection").ptr != NULL)
            break;
    }
    client_expect_end(&idle);
    echo_release();
    struct reply r = client_read(&held);
    assert_int_equal(r.status, 200);
    check_str(reply_header(&r, "Connection"), "close");
    client_expect_end(&held);
    pthread_join(stopper, NULL);
    client_close(&held);
    client_close(&idle);
}

/* Handlers that answer after the server has gone find nothing to answer to, and nothing is freed under them.
 */
static void test_stop_without_patience(void **state)
{
    MR_UNUSED(state);
    for (int round = 0; round < 20; round++) {
        struct echo e;
        echo_init(&e);
        e.options.threads = 1 + (unsigned)round % 2;
        echo_start(&e);
        struct client c[10];
        for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
            client_open(&c[i], e.port);
            client_say(&c[i], i < 5
                                  ? "POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"
                                  : "POST /later HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nunfinishe");
        }
        echo_wait_held(5);
        echo_stop(&e, 0);
        echo_release();
        for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
            client_expect_end(&c[i]);
            client_close(&c[i]);
        }
    }
}

/* Answers and the stop race for the same connections. */
static void *release_soon(void *arg)
{
    MR_UNUSED(arg);
    echo_release();
    return NULL;
}

static void test_stop_races_with_answers(void **state)
{
    MR_UNUSED(state);
    for (int round = 0; round < 50; round++) {
        struct echo e;
        echo_init(&e);
        echo_start(&e);
        struct client c[16];
        for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
            client_open(&c[i], e.port);
            client_say(&c[i], i % 2 == 0 ? "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"
                                         : "GET /later HTTP/1.1\r\nHost: a\r\n\r\n");
        }
        echo_wait_held(MR_ARRAY_LEN(c) / 2);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, release_soon, NULL), 0);
        echo_stop(&e, 0);
        pthread_join(thread, NULL);
        for (size_t i = 0; i < MR_ARRAY_LEN(c); i++) {
            while (client_read(&c[i]).status != 0)
                ;
            client_close(&c[i]);
        }
    }
}

/* lib/fault.h counts for one thread; here the server's threads allocate while the test arms the fault. */
static atomic_uint fail_in; /* the allocation that fails, counted down; 0 for none */

static bool fails(void)
{
    return atomic_load(&fail_in) != 0 && atomic_fetch_sub(&fail_in, 1) == 1;
}

static void *failing_malloc(size_t size)
{
    return fails() ? NULL : malloc(size);
}

static void *failing_realloc(void *ptr, size_t size)
{
    return fails() ? NULL : realloc(ptr, size);
}

/* Each allocation of a request fails once: a 500 or a close, and the next request is served. */
static void test_out_of_memory(void **state)
{
    MR_UNUSED(state);
    static const struct mr_alloc_ops ops = {failing_malloc, failing_realloc, free};
    static const char request[] = "POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";
    mr_alloc_use(&ops);
    struct echo e;
    echo_init(&e);
    e.options.threads = 1;
    echo_start(&e);
    unsigned n = 1;
    for (bool failed = true; failed; n++) {
        struct client c;
        client_open(&c, e.port);
        atomic_store(&fail_in, n);
        client_send(&c, request, sizeof request - 1);
        char answer[1000]; /* no buffer from the heap: the fault is for the server */
        ssize_t got = recv(c.fd, answer, sizeof answer, 0);
        failed = atomic_exchange(&fail_in, 0) == 0;
        assert_true(got > 12 ? memcmp(answer, failed ? "HTTP/1.1 500" : "HTTP/1.1 200", 12) == 0 : failed);
        client_close(&c);
        check_serves(e.port);
    }
    assert_true(n > 4);
    echo_stop(&e, 1000);
    mr_alloc_use(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls),
        cmocka_unit_test(test_starts_that_must_fail),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_a_thousand_idle_connections),
        cmocka_unit_test(test_stop_waits_for_requests),
        cmocka_unit_test(test_stop_without_patience),
        cmocka_unit_test(test_stop_races_with_answers),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
