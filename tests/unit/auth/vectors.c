/* The two worked examples of the write-api reference (2.2 and 2.3), step by step. */
#include "wire.h"

#include <stdio.h>

#include "base/text.h"

#define TIME "20260102T030405Z"

static const char by_header[] = "POST /\n"
                                "Content-Type: application/x-amz-json-1.0\n"
                                "Host: localhost:8443\n"
                                "X-Amz-Date: " TIME "\n"
                                "X-Amz-Target: Timestream_20181101.ListDatabases\n"
                                "\n"
                                "{\"MaxResults\":5}";
static const char signed_by_header[] = "content-type;host;x-amz-date;x-amz-target";
static const char header_signature[] = "fdcd64d33e1091fa983ddb8c732ce7a3f9e81a197371250f2106424b132d71bd";

static const char by_query[] = "POST /?MaxResults=5\n"
                               "Content-Type: application/x-amz-json-1.0\n"
                               "Host: localhost:8443\n"
                               "X-Amz-Target: Timestream_20181101.ListDatabases\n"
                               "\n";
static const char query_signature[] = "1aef7c6ddfb1947013a58316defeaed7302c164fc23275b463adc3165d076a56";

static const struct auth_scope scope = {
    {"20260102", 8},
    {"us-east-1", 9},
    {"timestream", 10},
};

static void header_example_step_by_step(void **state)
{
    (void)state;
    struct wire wire;
    struct mr_buf canonical = MR_BUF_INIT, to_sign = MR_BUF_INIT;
    wire_parse(&wire, by_header);
    char hash[AUTH_HEX_LEN + 1], hex[AUTH_HEX_LEN + 1];
    assert_int_equal(auth_sha256_hex(wire.req.body, hash), MR_OK);
    assert_string_equal(hash, "82eef3ee4d2728db9e62c35b6d42acf8a5c1a903c67b99303e68d73ba2635306");
    assert_int_equal(
        auth_canonical_request(&wire.req, mr_str_of(signed_by_header), mr_str_of(hash), &canonical), MR_OK);
    check_str(mr_buf_view(&canonical), "POST\n/\n\n"
                                       "content-type:application/x-amz-json-1.0\n"
                                       "host:localhost:8443\n"
                                       "x-amz-date:" TIME "\n"
                                       "x-amz-target:Timestream_20181101.ListDatabases\n"
                                       "\n"
                                       "content-type;host;x-amz-date;x-amz-target\n"
                                       "82eef3ee4d2728db9e62c35b6d42acf8a5c1a903c67b99303e68d73ba2635306");
    assert_int_equal(auth_string_to_sign(MR_STR(TIME), &scope, mr_buf_view(&canonical), &to_sign), MR_OK);
    check_str(mr_buf_view(&to_sign),
              "AWS4-HMAC-SHA256\n" TIME "\n20260102/us-east-1/timestream/aws4_request\n"
              "7e9cb83dd433362a4c7be48abe77d6fbc3cfcdf2c6bc49c5cca2bb0aebd7aef0");
    unsigned char key[AUTH_HASH_LEN], mac[AUTH_HASH_LEN];
    assert_int_equal(auth_signing_key(MR_STR(WIRE_SECRET), &scope, key), MR_OK);
    mr_hex_encode(key, sizeof key, hex);
    assert_string_equal(hex, "3c56cac03fcbce5346ff967b7a8e527e0be25bf89a4f4f9dd208d967d757f9cd");
    assert_int_equal(auth_hmac(key, sizeof key, mr_buf_view(&to_sign), mac), MR_OK);
    mr_hex_encode(mac, sizeof mac, hex);
    assert_string_equal(hex, header_signature);
    mr_buf_release(&canonical);
    mr_buf_release(&to_sign);
    wire_free(&wire);
}

static void header_example_signs_and_verifies(void **state)
{
    (void)state;
    struct wire wire;
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_credentials cred = wire_credentials();
    wire_parse(&wire, by_header);
    wire_drop(&wire, "X-Amz-Date");
    wire_sign(&wire, &cred, &arena);
    char want[512];
    snprintf(
        want, sizeof want, "%s%s, Signature=%s",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/timestream/aws4_request, SignedHeaders=",
        signed_by_header, header_signature);
    check_str(wire.headers[wire.req.nheaders - 2].value, want);

    struct auth_keys *keys = wire_keys();
    struct auth_identity who;
    struct auth_failure why;
    assert_int_equal(auth_verify(keys, NULL, &wire.req, WIRE_NOW, &arena, &who, &why), MR_OK);
    check_str(who.access_key_id, WIRE_ID);
    check_str(who.region, "us-east-1");
    check_str(who.user, "root");
    assert_true(who.root);
    assert_false(who.presigned);
    auth_keys_free(keys);
    mr_arena_release(&arena);
    wire_free(&wire);
}

static void query_example_signs_and_verifies(void **state)
{
    (void)state;
    struct wire wire;
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_credentials cred = wire_credentials();
    wire_parse(&wire, by_query);
    struct mr_str query;
    assert_int_equal(auth_presign(&cred, &wire.req, WIRE_NOW, 900, &arena, &query), MR_OK);
    char want[768];
    snprintf(
        want, sizeof want, "%s%s",
        "MaxResults=5&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1"
        "%2Ftimestream%2Faws4_request&X-Amz-Date=" TIME "&X-Amz-Expires=900"
        "&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-target&X-Amz-Signature=",
        query_signature);
    check_str(query, want);

    wire.req.query = query;
    struct auth_keys *keys = wire_keys();
    struct auth_identity who;
    struct auth_failure why;
    assert_int_equal(auth_verify(keys, NULL, &wire.req, WIRE_NOW, &arena, &who, &why), MR_OK);
    assert_true(who.presigned);
    check_str(who.user, "root");
    auth_keys_free(keys);
    mr_arena_release(&arena);
    wire_free(&wire);
}

/* Commas and blanks in any number part the pieces of the header, in any order; a piece of another name is
 * passed over. */
static void separators_and_order_do_not_matter(void **state)
{
    (void)state;
#define CREDENTIAL "Credential=AKIDEXAMPLE/20260102/us-east-1/timestream/aws4_request"
#define LIST "SignedHeaders=content-type;host;x-amz-date;x-amz-target"
#define SIGNATURE "Signature=fdcd64d33e1091fa983ddb8c732ce7a3f9e81a197371250f2106424b132d71bd"
    static const char *const headers[] = {
        "AWS4-HMAC-SHA256 " CREDENTIAL "," LIST "," SIGNATURE,
        "AWS4-HMAC-SHA256 " CREDENTIAL ", " LIST ", " SIGNATURE,
        "AWS4-HMAC-SHA256   " CREDENTIAL " ,  " LIST " , " SIGNATURE " , ",
        "AWS4-HMAC-SHA256 " CREDENTIAL " " LIST " " SIGNATURE,
        "  AWS4-HMAC-SHA256 " SIGNATURE "," LIST ",,Extra=1," CREDENTIAL ",",
    };
    struct auth_keys *keys = wire_keys();
    struct wire wire;
    wire_parse(&wire, by_header);
    for (size_t i = 0; i < MR_ARRAY_LEN(headers); i++) {
        wire_set(&wire, "authorization", mr_str_of(headers[i]));
        assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW), "");
    }
    wire_free(&wire);
    auth_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_example_step_by_step),
        cmocka_unit_test(header_example_signs_and_verifies),
        cmocka_unit_test(query_example_signs_and_verifies),
        cmocka_unit_test(separators_and_order_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
