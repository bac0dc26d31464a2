/* The client side: what it signs the server accepts, what it cannot sign it refuses to. */
#include "wire.h"

#include <stdio.h>

#include <openssl/crypto.h>

#include "base/rand.h"
#include "lib/fault.h"

static const char *const odd_requests[] = {
    "GET /\nHost: h\n\n",
    "GET /?\nHost: h\n\n",
    "POST /a%20b/../c//d/\nhost:  h:1  \nX-A: 1\nx-a: 2\n\nbody",
    "POST /?b=2&a=%zz&a=1+1&&c\nHOST: h\n\n",
    "DELETE /?X-Amz-Date=old&X-Amz-Signature=old\nHost: h\n\n",
    "PATCH /%C3%A9?%e2%82%ac=\xE2\x82\xAC\nHost: h\nX-Note:  a\t b\n c \n\n\n",
};

static void round_trip_by_header(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct auth_credentials creds[] = {wire_credentials(), wire_temporary_credentials()};
    for (size_t i = 0; i < MR_ARRAY_LEN(odd_requests); i++) {
        for (size_t k = 0; k < MR_ARRAY_LEN(creds); k++) {
            struct mr_arena arena = MR_ARENA_INIT;
            struct wire wire;
            wire_parse(&wire, odd_requests[i]);
            wire_sign(&wire, &creds[k], &arena);
            assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW), "");
            wire_free(&wire);
            mr_arena_release(&arena);
        }
    }
    auth_keys_free(keys);
}

static void round_trip_presigned(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct auth_credentials creds[] = {wire_credentials(), wire_temporary_credentials()};
    for (size_t i = 0; i < MR_ARRAY_LEN(odd_requests); i++) {
        for (size_t k = 0; k < MR_ARRAY_LEN(creds); k++) {
            if (strstr(odd_requests[i], "X-Amz-Signature") != NULL)
                continue; /* holds parameters that presigning adds */
            struct mr_arena arena = MR_ARENA_INIT;
            struct wire wire;
            wire_parse(&wire, odd_requests[i]);
            struct mr_str query;
            assert_int_equal(auth_presign(&creds[k], &wire.req, WIRE_NOW, 60, &arena, &query), MR_OK);
            wire.req.query = query;
            assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW), "");
            wire_free(&wire);
            mr_arena_release(&arena);
        }
    }
    auth_keys_free(keys);
}

/* Random bytes everywhere the protocol lets them be. */
static void round_trip_at_random(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct auth_credentials cred = wire_credentials();
    struct mr_rng rng = {20260102};
    for (int i = 0; i < 2000; i++) {
        char noise[5][24];
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k / sizeof noise[0]][k % sizeof noise[0]] = (char)(1 + mr_rng_below(&rng, 255));
        struct mr_pair headers[8] = {
            {MR_STR("Host"), MR_STR("h")},
            {MR_STR("x-noise"), {noise[0], sizeof noise[0]}},
            {MR_STR("X-Noise"), {noise[1], sizeof noise[1]}},
        };
        struct auth_request req = {.method = MR_STR("POST"),
                                   .path = {noise[2], sizeof noise[2]},
                                   .query = {noise[3], sizeof noise[3]},
                                   .headers = headers,
                                   .nheaders = 3,
                                   .body = {noise[4], sizeof noise[4]}};
        struct mr_arena arena = MR_ARENA_INIT;
        struct auth_identity who;
        struct auth_failure why;
        size_t n;
        if (i % 2 == 0) {
            assert_int_equal(auth_sign(&cred, &req, WIRE_NOW, &arena, headers + 3, &n), MR_OK);
            req.nheaders += n;
        } else {
            assert_int_equal(auth_presign(&cred, &req, WIRE_NOW, 60, &arena, &req.query), MR_OK);
        }
        assert_int_equal(auth_verify(keys, NULL, &req, WIRE_NOW, &arena, &who, &why), MR_OK);
        mr_arena_release(&arena);
    }
    auth_keys_free(keys);
}

static void refuses_what_cannot_be_signed(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET /\nX-A: 1\n\n",
        "GET /\nHost: h\nX-Amz-Date: x\n\n",
        "GET /\nHost: h\nx-AMZ-security-token: x\n\n",
        "GET /\nHost: h\nAuthorization: x\n\n",
        "GET /\nHost: h\nA;b: x\n\n",
        "GET /\nHost: h\nA b: x\n\n",
        "GET /\nHost: h\n: x\n\n",
    };
    struct auth_credentials cred = wire_temporary_credentials();
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_pair out[4];
    size_t n;
    struct wire wire;
    for (size_t i = 0; i < MR_ARRAY_LEN(requests); i++) {
        wire_parse(&wire, requests[i]);
        assert_int_equal(auth_sign(&cred, &wire.req, WIRE_NOW, &arena, out, &n), MR_EINVAL);
        assert_int_equal(n, 0);
        wire_free(&wire);
    }
    wire_parse(&wire, "GET /\nHost: h\n\n");
    wire.headers[wire.req.nheaders++] = (struct mr_pair){MR_STR("x-a\0b"), MR_STR("1")};
    assert_int_equal(auth_sign(&cred, &wire.req, WIRE_NOW, &arena, out, &n), MR_EINVAL);
    wire.req.nheaders--;
    while (wire.req.nheaders < AUTH_MAX_SIGNED_HEADERS - 2)
        wire.headers[wire.req.nheaders++] = (struct mr_pair){MR_STR("x-a"), MR_STR("1")};
    assert_int_equal(auth_sign(&cred, &wire.req, WIRE_NOW, &arena, out, &n), MR_OK);
    while (wire.req.nheaders <= AUTH_MAX_SIGNED_HEADERS) {
        wire.headers[wire.req.nheaders++] = (struct mr_pair){MR_STR("x-a"), MR_STR("1")};
        assert_int_equal(auth_sign(&cred, &wire.req, WIRE_NOW, &arena, out, &n), MR_EINVAL);
    }
    wire_free(&wire);
    mr_arena_release(&arena);
}

static void refuses_credentials_no_server_takes(void **state)
{
    (void)state;
    static const char long_secret[AUTH_MAX_SECRET + 1] = {'x'};
    struct auth_credentials good = wire_credentials(), bad[7] = {good, good, good, good, good, good, good};
    bad[0].access_key_id = MR_STR("");
    bad[1].access_key_id = MR_STR("a/b");
    bad[2].secret = MR_STR("");
    bad[3].secret = (struct mr_str){long_secret, sizeof long_secret};
    bad[4].region = MR_STR("us/east");
    bad[5].service = MR_STR("");
    bad[6].access_key_id = (struct mr_str){long_secret, 129};
    struct mr_arena arena = MR_ARENA_INIT;
    struct wire wire;
    wire_parse(&wire, "GET /\nHost: h\n\n");
    struct mr_pair out[4];
    struct mr_str query;
    size_t n;
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        assert_int_equal(auth_sign(&bad[i], &wire.req, WIRE_NOW, &arena, out, &n), MR_EINVAL);
        assert_int_equal(auth_presign(&bad[i], &wire.req, WIRE_NOW, 60, &arena, &query), MR_EINVAL);
    }
    assert_int_equal(auth_presign(&good, &wire.req, WIRE_NOW, 0, &arena, &query), MR_EINVAL);
    assert_int_equal(auth_presign(&good, &wire.req, WIRE_NOW, 604801, &arena, &query), MR_EINVAL);
    wire_free(&wire);
    mr_arena_release(&arena);
}

/* The crypto library allocates through our table too, so that its failures are among those below. */
static void *crypto_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return mr_malloc(size);
}

static void *crypto_realloc(void *ptr, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return mr_realloc(ptr, size);
}

static void crypto_free(void *ptr, const char *file, int line)
{
    (void)file;
    (void)line;
    mr_free(ptr);
}

/* A request so long in every part that each step outgrows the memory of the one before. */
static char *long_request(void)
{
    struct mr_buf text = MR_BUF_INIT;
    mr_buf_str(&text, MR_STR("POST "));
    for (int i = 0; i < 300; i++)
        mr_buf_printf(&text, "/segment%%20%d", i);
    mr_buf_str(&text, MR_STR("?first"));
    for (int i = 0; i < 300; i++)
        mr_buf_printf(&text, "&name%d=value%%2f%d", i, i);
    mr_buf_str(&text, MR_STR("\nHost: h\n"));
    for (int i = 0; i < 60; i++)
        mr_buf_printf(&text, "X-Amz-Meta-Of-Considerable-Length-%d: %0400d\n", i, i);
    mr_buf_add(&text, "\nbody", sizeof "\nbody");
    assert_true(mr_buf_ok(&text));
    return text.ptr;
}

/* Signs and verifies while the nth allocation fails. Returns whether it happened. */
static bool once_with_fault(const struct auth_keys *keys, const char *text, bool presigned, unsigned nth,
                            int *status)
{
    struct auth_credentials cred = wire_temporary_credentials();
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_identity who;
    struct auth_failure why;
    struct wire wire;
    size_t n = 0;
    wire_parse(&wire, text);
    fault_alloc(nth);
    *status = presigned ? auth_presign(&cred, &wire.req, WIRE_NOW, 60, &arena, &wire.req.query)
                        : auth_sign(&cred, &wire.req, WIRE_NOW, &arena, wire.headers + wire.req.nheaders, &n);
    wire.req.nheaders += n;
    if (*status == MR_OK)
        *status = auth_verify(keys, NULL, &wire.req, WIRE_NOW, &arena, &who, &why);
    bool fired = fault_alloc_fired();
    fault_alloc(0);
    wire_free(&wire);
    mr_arena_release(&arena);
    return fired;
}

/* Every allocation fails once: the call says so, leaks nothing, and never takes a request for a wrong one.
 * The crypto library can do without some of its own, so success is allowed then. */
static void short_memory_is_reported(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    char *long_text = long_request();
    const char *const texts[] = {odd_requests[2], long_text};
    for (size_t i = 0; i < MR_ARRAY_LEN(texts); i++) {
        for (int presigned = 0; presigned < 2; presigned++) {
            int status = MR_EINTERNAL;
            unsigned refused = 0, nth = 1;
            assert_false(once_with_fault(keys, texts[i], presigned != 0, 0, &status));
            assert_int_equal(status, MR_OK);
            for (; once_with_fault(keys, texts[i], presigned != 0, nth, &status); nth++) {
                assert_true(status == MR_ENOMEM || status == MR_OK);
                refused += status == MR_ENOMEM;
            }
            assert_int_equal(status, MR_OK);
            assert_true(refused > 10 && refused + 5 >= nth);
        }
    }
    mr_free(long_text);
    auth_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip_by_header),
        cmocka_unit_test(round_trip_presigned),
        cmocka_unit_test(round_trip_at_random),
        cmocka_unit_test(refuses_what_cannot_be_signed),
        cmocka_unit_test(refuses_credentials_no_server_takes),
        cmocka_unit_test(short_memory_is_reported),
    };
    if (CRYPTO_set_mem_functions(crypto_malloc, crypto_realloc, crypto_free) != 1)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
