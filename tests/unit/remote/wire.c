/* What goes over the wire: spelling, signatures, and what is refused before anything is sent. */
#include "lib/check.h"
#include "remote/private.h"

#define NOW (INT64_C(1767323045) * MR_NS_PER_S) /* 2026-01-02T03:04:05Z */

static struct mr_clock fixed;

static struct remote *open_at(const char *endpoint, const char *region, const char *service,
                              const char *token)
{
    struct mr_error err = MR_ERROR_INIT;
    struct remote *r;
    mr_clock_manual_init(&fixed, NOW);
    const struct remote_options options = {
        .endpoint = endpoint,
        .region = region,
        .service = service,
        .credentials = {.access_key_id = "AKIDREMOTE",
                        .secret_access_key = "remote/secret+1",
                        .session_token = token},
        .clock = &fixed,
    };
    check_ok(remote_open(&options, &r, &err), &err);
    return r;
}

static struct mr_str header(const struct remote_wire *wire, const char *name)
{
    size_t n = strlen(name);
    for (const struct curl_slist *l = wire->headers; l != NULL; l = l->next)
        if (strncmp(l->data, name, n) == 0 && l->data[n] == ':')
            return mr_str_trim(mr_str_of(l->data + n + 1));
    return MR_STR_NULL;
}

/* Signature and spelling as botocore's S3SigV4Auth gives them for the same request. */
static void test_s3_like_botocore(void **state)
{
    (void)state;
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct remote_wire wire = {NULL, NULL};
    struct remote *r = open_at("http://127.0.0.1:9000", "eu-west-1", "s3", NULL);
    const struct mr_pair query[] = {{MR_STR("prefix"), MR_STR("p/q")}, {MR_STR("max-keys"), MR_STR("2")}};
    const struct mr_pair headers[] = {{MR_STR("x-amz-server-side-encryption"), MR_STR("AES256")}};
    const struct remote_request q = {
        .method = "PUT",
        .path = MR_STR("/reports/a//b \xc3\xbc/../x+y"),
        .query = query,
        .nquery = 2,
        .headers = headers,
        .nheaders = 1,
        .body = MR_STR("body of it"),
    };
    check_ok(remote_wire_make(r, &q, &arena, &wire, &err), &err);
    check_str(mr_str_of(wire.url),
              "http://127.0.0.1:9000/reports/a//b%20%C3%BC/../x%2By?prefix=p%2Fq&max-keys=2");
    check_str(header(&wire, "x-amz-content-sha256"),
              "bd7d609d7e3901fd048e2d03f4e531c0d0950e1a34c70dafd43576ce364f9fed");
    check_str(header(&wire, "x-amz-date"), "20260102T030405Z");
    check_str(header(&wire, "authorization"),
              "AWS4-HMAC-SHA256 Credential=AKIDREMOTE/20260102/eu-west-1/s3/aws4_request, "
              "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-server-side-encryption, "
              "Signature=17fa06f1c76dacfb345d45d8db6a337f1bc06c6908c3dae434629fd728cbfca4");
    remote_wire_release(&wire);
    mr_arena_release(&arena);
    remote_close(r);
}

/* Our own verifier takes what is sent to other services: the path twice encoded, the token signed. */
static void test_verifies(void **state)
{
    (void)state;
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct remote_wire wire = {NULL, NULL};
    struct remote *r = open_at("https://kms.test:8443/base/", "us-east-1", "kms", "token/of=it");
    const struct mr_pair headers[] = {{MR_STR("Content-Type"), MR_STR("application/x-amz-json-1.1")},
                                      {MR_STR("X-Amz-Target"), MR_STR("TrentService.Decrypt")}};
    const struct remote_request q = {
        .method = "POST", .path = MR_STR("/a b"), .headers = headers, .nheaders = 2, .body = MR_STR("{}")};
    check_ok(remote_wire_make(r, &q, &arena, &wire, &err), &err);
    check_str(mr_str_of(wire.url), "https://kms.test:8443/base/a%20b");
    check_str(header(&wire, "host"), "kms.test:8443");
    struct mr_pair sent[16];
    size_t n = 0;
    for (const struct curl_slist *l = wire.headers; l != NULL; l = l->next) {
        struct mr_str line = mr_str_of(l->data);
        size_t colon = mr_str_find(line, ':', 0);
        struct mr_str value = mr_str_trim(mr_str_slice(line, colon + 1, line.len));
        if (value.len > 0)
            sent[n++] = (struct mr_pair){mr_str_slice(line, 0, colon), value};
    }
    const struct auth_request got = {.method = MR_STR("POST"),
                                     .path = MR_STR("/base/a%20b"),
                                     .query = MR_STR(""),
                                     .headers = sent,
                                     .nheaders = n,
                                     .body = MR_STR("{}")};
    struct auth_keys *keys;
    struct auth_identity who;
    struct auth_failure why = {NULL, ""};
    assert_int_equal(auth_keys_new(&keys), MR_OK);
    check_ok(auth_keys_add(keys, MR_STR("u"), MR_STR("AKIDREMOTE"), MR_STR("remote/secret+1"),
                           MR_STR("token/of=it"), 0, false, &err),
             &err);
    const struct auth_options options = {.service = "kms"};
    if (auth_verify(keys, &options, &got, NOW, &arena, &who, &why) != MR_OK)
        fail_msg("%s: %s", why.type, why.message);
    auth_keys_free(keys);
    remote_wire_release(&wire);
    mr_arena_release(&arena);
    remote_close(r);
}

static void test_what_curl_would_add_is_not_there(void **state)
{
    (void)state;
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct remote_wire wire = {NULL, NULL};
    struct remote *r = open_at("http://a.test", "us-east-1", "s3", NULL);
    const struct remote_request q = {.method = "GET", .path = MR_STR("/b/k")};
    check_ok(remote_wire_make(r, &q, &arena, &wire, &err), &err);
    check_str(header(&wire, "host"), "a.test");
    assert_int_equal(header(&wire, "Accept").len, 0);
    assert_non_null(header(&wire, "Accept").ptr);
    assert_non_null(header(&wire, "Expect").ptr);
    assert_non_null(header(&wire, "Content-Type").ptr);
    remote_wire_release(&wire);
    mr_arena_release(&arena);
    remote_close(r);
}

static void test_requests_that_are_refused(void **state)
{
    (void)state;
    struct remote *r = open_at("http://127.0.0.1:1", "us-east-1", "s3", NULL);
    const struct mr_pair lines[] = {{MR_STR("x-a"), MR_STR("one\r\nx-b: two")}};
    const struct mr_pair name[] = {{MR_STR("x a"), MR_STR("one")}};
    const struct mr_pair host[] = {{MR_STR("X-Amz-Date"), MR_STR("20260102T030405Z")}};
    const struct remote_request bad[] = {
        {.method = "GET", .path = MR_STR("")},
        {.method = "GET", .path = MR_STR("b/k")},
        {.method = "GET", .path = MR_STR("/b\0k")},
        {.method = "GET", .path = MR_STR("/"), .headers = lines, .nheaders = 1},
        {.method = "GET", .path = MR_STR("/"), .headers = name, .nheaders = 1},
        {.method = "GET", .path = MR_STR("/"), .headers = host, .nheaders = 1},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        struct remote_answer answer;
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(remote_call(r, &bad[i], &answer, &err), MR_EINVAL);
        assert_int_not_equal(err.text[0], '\0');
    }
    remote_close(r);
}

static void test_endpoints(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "127.0.0.1:9000",
        "ftp://a.test",
        "file:///etc/hostname",
        "http://",
        "http://user@a.test",
        "http://user:word@a.test",
        "http://a.test/?q=1",
        "http://a.test/#f",
        "http://a.test/two words",
        "http://a.test/p%20q",
        "http://a.test:99999",
        "http://a.test:port",
        "http://a.test\r\nX: y",
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        struct mr_error err = MR_ERROR_INIT;
        struct remote *r;
        const struct remote_options options = {
            .endpoint = bad[i],
            .region = "us-east-1",
            .service = "s3",
            .credentials = {.access_key_id = "AKIDREMOTE", .secret_access_key = "x"},
        };
        if (remote_open(&options, &r, &err) != MR_EINVAL)
            fail_msg("'%s' was taken", bad[i]);
        assert_null(r);
    }
    static const struct {
        const char *endpoint, *host, *origin, *prefix;
    } good[] = {
        {"http://a.test", "a.test", "http://a.test", ""},
        {"http://a.test:80/", "a.test", "http://a.test", ""},
        {"https://a.test:443/x/y/", "a.test", "https://a.test", "/x/y"},
        {"https://a.test:80", "a.test:80", "https://a.test:80", ""},
        {"http://[::1]:9000", "[::1]:9000", "http://[::1]:9000", ""},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(good); i++) {
        struct remote *r = open_at(good[i].endpoint, "us-east-1", "s3", NULL);
        assert_string_equal(r->host, good[i].host);
        assert_string_equal(r->origin, good[i].origin);
        assert_string_equal(r->prefix, good[i].prefix);
        remote_close(r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_s3_like_botocore),
        cmocka_unit_test(test_verifies),
        cmocka_unit_test(test_what_curl_would_add_is_not_there),
        cmocka_unit_test(test_requests_that_are_refused),
        cmocka_unit_test(test_endpoints),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
