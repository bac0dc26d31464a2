/* A request that verifies, changed in one place, must not verify: each byte of each component. */
#include "wire.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const char text[] = "POST /plant/boilers?unit=7&bay=north\n"
                           "Content-Type: application/x-amz-json-1.0\n"
                           "Host: localhost:8443\n"
                           "X-Amz-Target: Timestream_20181101.WriteRecords\n"
                           "X-Empty:\n"
                           "\n"
                           "{\"DatabaseName\":\"plant\"}";

enum kind { BY_HEADER, PRESIGNED, TEMPORARY, KINDS };

struct fixture {
    struct auth_keys *keys;
    struct mr_arena arena;
    struct wire wire[KINDS];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct auth_credentials lasting = wire_credentials(), temporary = wire_temporary_credentials();
    f->keys = wire_keys();
    temporary.session_token =
        mr_arena_dup(&f->arena, temporary.session_token); /* a literal cannot be flipped */
    for (int k = 0; k < KINDS; k++)
        wire_parse(&f->wire[k], text);
    wire_sign(&f->wire[BY_HEADER], &lasting, &f->arena);
    wire_sign(&f->wire[TEMPORARY], &temporary, &f->arena);
    struct auth_request *req = &f->wire[PRESIGNED].req;
    assert_int_equal(auth_presign(&lasting, req, WIRE_NOW, 900, &f->arena, &req->query), MR_OK);
    for (int k = 0; k < KINDS; k++)
        assert_string_equal(wire_verdict(&f->wire[k], f->keys, WIRE_NOW), "");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++) {
        assert_string_equal(wire_verdict(&f->wire[k], f->keys, WIRE_NOW), ""); /* every change was undone */
        wire_free(&f->wire[k]);
    }
    mr_arena_release(&f->arena);
    auth_keys_free(f->keys);
    free(f);
    return 0;
}

static void must_fail(const struct fixture *f, const struct wire *wire, struct mr_str part, size_t at)
{
    if (wire_verdict(wire, f->keys, WIRE_NOW)[0] == '\0')
        fail_msg("accepted with byte %zu of '" MR_STR_FMT "' changed", at, MR_STR_ARG(part));
}

/* Every bit of every byte of the view, one at a time, except those in `spared`. The bytes are ours to write.
 */
static void flip(const struct fixture *f, const struct wire *wire, struct mr_str part, unsigned spared)
{
    for (size_t i = 0; i < part.len; i++) {
        char *byte = (char *)(uintptr_t)part.ptr + i, before = *byte;
        for (unsigned bit = 1; bit < 256; bit <<= 1) {
            if ((spared & bit) != 0)
                continue;
            *byte = (char)((unsigned char)before ^ bit);
            must_fail(f, wire, part, i);
        }
        *byte = before;
    }
}

static void method_path_body(void **state)
{
    const struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++) {
        flip(f, &f->wire[k], f->wire[k].req.method, 0);
        flip(f, &f->wire[k], f->wire[k].req.path, 0);
        flip(f, &f->wire[k], f->wire[k].req.body, 0);
    }
}

/* Values with blanks around them count as trimmed, so the view without them is what is flipped. */
static void header_values(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++)
        for (size_t i = 0; i < f->wire[k].req.nheaders; i++)
            if (!mr_str_eq(f->wire[k].headers[i].name, MR_STR("authorization")))
                flip(f, &f->wire[k], mr_str_trim(f->wire[k].headers[i].value), 0);
}

/* The case of a header name means nothing (bit 0x20 of a letter), all else does. */
static void header_names(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++) {
        struct wire *wire = &f->wire[k];
        for (size_t i = 0; i < wire->req.nheaders; i++) {
            struct mr_str kept = wire->headers[i].name;
            char name[64];
            assert_true(kept.len < sizeof name);
            memcpy(name, kept.ptr, kept.len);
            wire->headers[i].name.ptr = name;
            for (size_t at = 0; at < kept.len; at++)
                flip(f, wire, (struct mr_str){name + at, 1}, isalpha((unsigned char)name[at]) ? 0x20 : 0);
            wire->headers[i].name = kept;
        }
    }
}

/* Spellings of one escape (%2F, %2f) are the same request; all other changes are not. */
static void query_parameters(void **state)
{
    const struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++) {
        struct mr_str query = f->wire[k].req.query;
        char *copy = strndup(query.ptr, query.len);
        struct wire wire = f->wire[k];
        wire.req.query = (struct mr_str){copy, query.len};
        for (size_t i = 0; i < query.len; i++) {
            bool escape = (i > 0 && copy[i - 1] == '%') || (i > 1 && copy[i - 2] == '%');
            flip(f, &wire, (struct mr_str){copy + i, 1},
                 escape && isalpha((unsigned char)copy[i]) ? 0x20 : 0);
        }
        free(copy);
    }
}

static void authorization_header(void **state)
{
    const struct fixture *f = *state;
    for (int k = 0; k < KINDS; k += TEMPORARY) {
        const struct wire *wire = &f->wire[k];
        for (size_t i = 0; i < wire->req.nheaders; i++) {
            if (!mr_str_eq(wire->headers[i].name, MR_STR("authorization")))
                continue;
            struct mr_str value = wire->headers[i].value;
            for (size_t at = 0; at < value.len; at++) {
                /* A separator may turn into another one: ',' and ' ' part alike, and doubled ones are one. */
                unsigned spared = value.ptr[at] == ',' || value.ptr[at] == ' ' ? 0xFF : 0;
                flip(f, wire, (struct mr_str){value.ptr + at, 1}, spared);
            }
        }
    }
}

/* All other hex digits in each place of the signature, and the right digit as a capital. */
static void every_digit_of_the_signature(void **state)
{
    const struct fixture *f = *state;
    const struct wire *wire = &f->wire[BY_HEADER];
    struct mr_str value = wire->headers[wire->req.nheaders - 2].value;
    char *digits = (char *)(uintptr_t)value.ptr + value.len - AUTH_HEX_LEN;
    for (size_t i = 0; i < AUTH_HEX_LEN; i++) {
        char before = digits[i];
        for (const char *c = "0123456789abcdefABCDEFg"; *c != '\0'; c++) {
            if (*c == before)
                continue;
            digits[i] = *c;
            must_fail(f, wire, value, i);
        }
        digits[i] = before;
    }
}

static void what_came_and_what_went(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++) {
        for (size_t i = 0; i < f->wire[k].req.nheaders; i++) {
            struct wire less = f->wire[k], more = f->wire[k];
            less.req.headers = less.headers;
            more.req.headers = more.headers;
            less.headers[i] = less.headers[--less.req.nheaders];
            must_fail(f, &less, f->wire[k].headers[i].name, i);
            more.headers[more.req.nheaders++] = more.headers[i];
            must_fail(f, &more, f->wire[k].headers[i].name, i);
        }
        struct wire extra = f->wire[k];
        extra.req.headers = extra.headers;
        char *query;
        assert_true(asprintf(&query, MR_STR_FMT "&unit=8", MR_STR_ARG(extra.req.query)) > 0);
        extra.req.query = mr_str_of(query);
        must_fail(f, &extra, extra.req.query, 0);
        free(query);
        extra = f->wire[k];
        extra.req.headers = extra.headers;
        extra.req.body = MR_STR("");
        must_fail(f, &extra, extra.req.body, 0);
    }
}

/* Headers no one signed may come and go freely: proxies add some. */
static void unsigned_headers_are_free(void **state)
{
    struct fixture *f = *state;
    for (int k = 0; k < KINDS; k++) {
        struct wire more = f->wire[k];
        more.req.headers = more.headers;
        wire_set(&more, "X-Forwarded-For", MR_STR("192.0.2.1"));
        wire_set(&more, "User-Agent", MR_STR("anything"));
        wire_set(&more, "X-Amzn-Trace-Id", MR_STR("Root=1"));
        assert_string_equal(wire_verdict(&more, f->keys, WIRE_NOW), "");
    }
}

/* The declared body hash is held against the body even though the signature covers both. */
static void content_hash_must_be_the_bodys(void **state)
{
    struct fixture *f = *state;
    struct auth_credentials cred = wire_credentials();
    static const char *const wrong[] = {
        "6f2d2e1c7a3f5b9cdd0c3d6a7d0f1a4b8a41e8f6a1a5d4c3b2a1908f7e6d5c4b",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", /* of no body at all */
        "",
        "unsigned-payload",
    };
    char right[AUTH_HEX_LEN + 1], capital[AUTH_HEX_LEN + 1];
    assert_int_equal(auth_sha256_hex(f->wire[0].req.body, right), MR_OK);
    for (size_t i = 0; i <= AUTH_HEX_LEN; i++)
        capital[i] = (char)toupper((unsigned char)right[i]);
    for (size_t i = 0; i < MR_ARRAY_LEN(wrong) + 2; i++) {
        const char *hash = i < MR_ARRAY_LEN(wrong) ? wrong[i] : i == MR_ARRAY_LEN(wrong) ? right : capital;
        struct wire wire;
        wire_parse(&wire, text);
        wire_set(&wire, "X-Amz-Content-Sha256", mr_str_of(hash));
        wire_sign(&wire, &cred, &f->arena);
        bool accepted = wire_verdict(&wire, f->keys, WIRE_NOW)[0] == '\0';
        assert_int_equal(accepted, hash == right);
        wire_free(&wire);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(method_path_body),
        cmocka_unit_test(header_values),
        cmocka_unit_test(header_names),
        cmocka_unit_test(query_parameters),
        cmocka_unit_test(authorization_header),
        cmocka_unit_test(every_digit_of_the_signature),
        cmocka_unit_test(what_came_and_what_went),
        cmocka_unit_test(unsigned_headers_are_free),
        cmocka_unit_test(content_hash_must_be_the_bodys),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
