/* A server that does what servers must not: every call ends, with the status of the header's promise. */
#include "lib/check.h"
#include "remote/remote.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum manner {
    ANSWER,     /* the text, then the next request */
    CLOSE,      /* the text, then the end of the connection */
    HANG,       /* the text, then nothing until the client goes */
    REPEAT,     /* the first text once, then the second for as long as the client takes it */
    CLOSE_IDLE, /* the text, then the end, without saying so */
};

struct fake {
    int listener;
    unsigned port;
    pthread_t thread;
    enum manner manner;
    const char *text, *more;
    unsigned connections, requests; /* atomic */
    sem_t asked;                    /* posted for each request */
};

/* True when a whole request has come: its head, and as much body as it says. */
static bool read_request(int fd)
{
    char bytes[16384];
    size_t n = 0;
    for (;;) {
        ssize_t got = recv(fd, bytes + n, sizeof bytes - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
        bytes[n] = '\0';
        const char *end = strstr(bytes, "\r\n\r\n"), *length = strstr(bytes, "Content-Length: ");
        unsigned body = 0;
        if (length != NULL)
            sscanf(length, "Content-Length: %u", &body);
        if (end != NULL && n >= (size_t)(end + 4 - bytes) + body)
            return true;
    }
}

static bool send_text(int fd, const char *text)
{
    size_t len = strlen(text);
    return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void serve(struct fake *f, int fd)
{
    char byte;
    while (read_request(fd)) {
        __atomic_add_fetch(&f->requests, 1, __ATOMIC_SEQ_CST);
        sem_post(&f->asked);
        bool ok = send_text(fd, f->text);
        while (f->manner == REPEAT && ok)
            ok = send_text(fd, f->more);
        if (f->manner == HANG)
            while (recv(fd, &byte, 1, 0) > 0)
                ;
        if (f->manner != ANSWER)
            return;
    }
}

static void *run(void *arg)
{
    struct fake *f = arg;
    for (int fd; (fd = accept(f->listener, NULL, NULL)) >= 0;) {
        __atomic_add_fetch(&f->connections, 1, __ATOMIC_SEQ_CST);
        serve(f, fd);
        close(fd);
    }
    return NULL;
}

static void fake_start(struct fake *f)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    f->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(f->listener >= 0);
    assert_int_equal(bind(f->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(f->listener, 16), 0);
    assert_int_equal(getsockname(f->listener, (struct sockaddr *)&at, &len), 0);
    f->port = ntohs(at.sin_port);
    sem_init(&f->asked, 0, 0);
    assert_int_equal(pthread_create(&f->thread, NULL, run, f), 0);
}

/* The client is closed before: no connection is left for the thread to wait on. */
static void fake_stop(struct fake *f)
{
    shutdown(f->listener, SHUT_RDWR);
    pthread_join(f->thread, NULL);
    close(f->listener);
    sem_destroy(&f->asked);
}

static struct remote *client_for(unsigned port, const char *scheme, uint32_t total_ms)
{
    char endpoint[64];
    struct mr_error err = MR_ERROR_INIT;
    struct remote *r;
    snprintf(endpoint, sizeof endpoint, "%s://127.0.0.1:%u", scheme, port);
    const struct remote_options options = {
        .endpoint = endpoint,
        .region = "us-east-1",
        .service = "kms",
        .credentials = {.access_key_id = "AKIDREMOTE", .secret_access_key = "secret-of-the-tests"},
        .total_ms = total_ms,
        .max_answer = 1000,
    };
    check_ok(remote_open(&options, &r, &err), &err);
    return r;
}

static int ask(struct remote *r, const char *method, struct remote_answer *answer, struct mr_error *err)
{
    const struct remote_request q = {.method = method, .path = MR_STR("/"), .body = MR_STR("{}")};
    *err = (struct mr_error)MR_ERROR_INIT;
    return remote_call(r, &q, answer, err);
}

#define OK "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Amz-Id:  seven \r\n\r\nbody"

static const struct hostile {
    const char *name;
    enum manner manner;
    const char *text, *more;
    int status, http;
    uint32_t total_ms; /* 0: the call must end without it */
} cases[] = {
    {"plain", ANSWER, OK, NULL, MR_OK, 200, 0},
    {"error", ANSWER, "HTTP/1.1 503 Slow\r\nContent-Length: 0\r\n\r\n", NULL, MR_OK, 503, 0},
    {"redirect", ANSWER, "HTTP/1.1 302 Go\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n", NULL, MR_OK,
     302, 0},
    {"redirect by method", ANSWER,
     "HTTP/1.1 307 Go\r\nLocation: file:///etc/hostname\r\nContent-Length: 0\r\n\r\n", NULL, MR_OK, 307, 0},
    {"interim", ANSWER, "HTTP/1.1 100 Continue\r\nX-Amz-Id: no\r\n\r\n" OK, NULL, MR_OK, 200, 0},
    {"chunked", ANSWER, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", NULL,
     MR_OK, 200, 0},
    {"nothing", CLOSE, "", NULL, MR_EIO, 0, 0},
    {"garbage", CLOSE, "what is this\r\n\r\n", NULL, MR_EIO, 0, 0},
    {"no head", CLOSE, "<html>old</html>", NULL, MR_EIO, 0, 0},
    {"another protocol", CLOSE, "SSH-2.0-thing\r\n", NULL, MR_EIO, 0, 0},
    {"cut in the head", CLOSE, "HTTP/1.1 200 OK\r\nContent-Le", NULL, MR_EIO, 0, 0},
    {"cut in the body", CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfive.", NULL, MR_EIO, 0, 0},
    {"cut between chunks", CLOSE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", NULL,
     MR_EIO, 0, 0},
    {"nobody says where the body ends", CLOSE, "HTTP/1.1 200 OK\r\n\r\nfive.", NULL, MR_EIO, 0, 0},
    {"no length and no body", CLOSE, "HTTP/1.1 200 OK\r\n\r\n", NULL, MR_OK, 200, 0},
    {"bad chunk", CLOSE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", NULL, MR_EIO, 0,
     0},
    {"silence", HANG, "", NULL, MR_EIO, 0, 300},
    {"half a head", HANG, "HTTP/1.1 200 OK\r\nConten", NULL, MR_EIO, 0, 300},
    {"half a body", HANG, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfive.", NULL, MR_EIO, 0, 300},
    {"continue and nothing", HANG, "HTTP/1.1 100 Continue\r\n\r\n", NULL, MR_EIO, 0, 300},
    {"a body that is too large", CLOSE,
     "HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
     "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
     NULL, MR_EIO, 0, 0},
    {"an endless body", REPEAT, "HTTP/1.1 200 OK\r\n\r\n", "more and more and more", MR_ELIMIT, 0, 0},
    {"endless chunks", REPEAT, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "3\r\nabc\r\n",
     MR_ELIMIT, 0, 0},
    {"an endless head", REPEAT, "HTTP/1.1 200 OK\r\n", "X-More: and more and more\r\n", MR_ELIMIT, 0, 0},
    {"endless interim answers", REPEAT, "", "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n", MR_ELIMIT, 0, 0},
};

static void test_hostile_answers(void **state)
{
    (void)state;
    static const char *const methods[] = {"GET", "POST", "PUT"};
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        for (size_t m = 0; m < MR_ARRAY_LEN(methods); m++) {
            const struct hostile *c = &cases[i];
            struct fake f = {.manner = c->manner, .text = c->text, .more = c->more};
            struct remote_answer answer;
            struct mr_error err;
            fake_start(&f);
            struct remote *r = client_for(f.port, "http", c->total_ms != 0 ? c->total_ms : 60000);
            int status = ask(r, methods[m], &answer, &err);
            if (status != c->status || answer.status != c->http)
                fail_msg("%s, %s: %d and HTTP %d, not %d and %d (%s)", c->name, methods[m], status,
                         answer.status, c->status, c->http, err.text);
            if (__atomic_load_n(&f.requests, __ATOMIC_SEQ_CST) > 1)
                fail_msg("%s: asked %u times", c->name, __atomic_load_n(&f.requests, __ATOMIC_SEQ_CST));
            if (status == MR_OK && c->http == 200 && answer.body.len == 4)
                check_str(remote_answer_header(&answer, MR_STR("x-amz-id")), "seven");
            assert_true(status == MR_OK || (answer.body.ptr == NULL && answer.head.ptr == NULL));
            assert_null(strstr(err.text, "secret-of-the-tests"));
            remote_answer_release(&answer);
            remote_close(r);
            fake_stop(&f);
        }
    }
}

static void test_plain_server_under_https(void **state)
{
    (void)state;
    struct fake f = {.manner = CLOSE, .text = OK};
    struct remote_answer answer;
    struct mr_error err;
    /* It never gets a whole request, and answers nothing: the client gives up. */
    fake_start(&f);
    struct remote *r = client_for(f.port, "https", 300);
    assert_int_equal(ask(r, "POST", &answer, &err), MR_EIO);
    assert_int_equal(__atomic_load_n(&f.requests, __ATOMIC_SEQ_CST), 0);
    remote_close(r);
    fake_stop(&f);
}

static void test_nobody_listens(void **state)
{
    (void)state;
    struct fake f = {.manner = CLOSE, .text = OK};
    struct remote_answer answer;
    struct mr_error err;
    fake_start(&f);
    fake_stop(&f); /* the port is free again */
    struct remote *r = client_for(f.port, "http", 60000);
    assert_int_equal(ask(r, "GET", &answer, &err), MR_EIO);
    remote_close(r);
}

static void test_connections_are_used_again(void **state)
{
    (void)state;
    struct fake f = {.manner = ANSWER, .text = OK};
    struct mr_error err;
    fake_start(&f);
    struct remote *r = client_for(f.port, "http", 60000);
    for (int i = 0; i < 5; i++) {
        struct remote_answer answer;
        check_ok(ask(r, "POST", &answer, &err), &err);
        check_str(mr_buf_view(&answer.body), "body");
        remote_answer_release(&answer);
    }
    assert_int_equal(__atomic_load_n(&f.requests, __ATOMIC_SEQ_CST), 5);
    assert_int_equal(__atomic_load_n(&f.connections, __ATOMIC_SEQ_CST), 1);
    remote_close(r);
    fake_stop(&f);
}

/* The kept connection is closed by the other side: the next call must not fail for it. */
static void test_kept_connection_that_ended(void **state)
{
    (void)state;
    struct fake f = {.manner = CLOSE_IDLE, .text = OK};
    struct mr_error err;
    fake_start(&f);
    struct remote *r = client_for(f.port, "http", 60000);
    for (unsigned i = 1; i <= 5; i++) {
        struct remote_answer answer;
        check_ok(ask(r, "POST", &answer, &err), &err);
        remote_answer_release(&answer);
        assert_int_equal(__atomic_load_n(&f.connections, __ATOMIC_SEQ_CST), i);
    }
    remote_close(r);
    fake_stop(&f);
}

static void *ask_in_thread(void *arg)
{
    struct remote_answer answer;
    struct mr_error err;
    intptr_t status = ask(arg, "POST", &answer, &err);
    remote_answer_release(&answer);
    return (void *)status;
}

static void test_cancel(void **state)
{
    (void)state;
    struct fake f = {.manner = HANG, .text = ""};
    struct remote_answer answer;
    struct mr_error err;
    pthread_t thread;
    void *status;
    fake_start(&f);
    struct remote *r = client_for(f.port, "http", 600000);
    assert_int_equal(pthread_create(&thread, NULL, ask_in_thread, r), 0);
    sem_wait(&f.asked);
    remote_cancel(r);
    pthread_join(thread, &status);
    assert_int_equal((intptr_t)status, MR_ECANCEL);
    assert_int_equal(ask(r, "POST", &answer, &err), MR_ECANCEL);
    remote_close(r);
    fake_stop(&f);
}

static void test_many_threads(void **state)
{
    (void)state;
    struct fake f = {.manner = CLOSE, .text = OK};
    pthread_t threads[8];
    fake_start(&f);
    struct remote *r = client_for(f.port, "http", 60000);
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_in_thread, r), 0);
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++) {
        void *status;
        pthread_join(threads[i], &status);
        assert_int_equal((intptr_t)status, MR_OK);
    }
    remote_close(r);
    fake_stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_answers),
        cmocka_unit_test(test_plain_server_under_https),
        cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_connections_are_used_again),
        cmocka_unit_test(test_kept_connection_that_ended),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_many_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
