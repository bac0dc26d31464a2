/* What time does to a signature and to a session token. */
#include "refusals.h"

#include "base/clock.h"

/* One request signed for WIRE_NOW, looked at by clocks elsewhere. */
static void window(void **state)
{
    (void)state;
    static const struct {
        int64_t seconds; /* of the server after the signer */
        const char *by_header, *by_query;
    } rows[] = {
        {0, "", ""},
        {900, "", ""},
        {901,
         INV "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T031906Z - "
             "15 min.)",
         INV "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z (20260102T031906Z - "
             "15 min.)"},
        {86400,
         INV "Signature expired: 20260102T030405Z is now earlier than 20260103T024905Z (20260103T030405Z - "
             "15 min.)",
         INV "Signature expired: 20260102T030405Z is now earlier than 20260103T024905Z (20260103T030405Z - "
             "15 min.)"},
        {-900, "", ""},
        {-901,
         INV "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z "
             "(20260102T024904Z + "
             "15 min.)",
         INV "Signature not yet current: 20260102T030405Z is still later than 20260102T030404Z "
             "(20260102T024904Z + "
             "15 min.)"},
        {-7200,
         INV "Signature not yet current: 20260102T030405Z is still later than 20260102T011905Z "
             "(20260102T010405Z + "
             "15 min.)",
         INV "Signature not yet current: 20260102T030405Z is still later than 20260102T011905Z "
             "(20260102T010405Z + "
             "15 min.)"},
    };
    struct auth_keys *keys = wire_keys();
    struct auth_credentials cred = wire_credentials();
    struct mr_arena arena = MR_ARENA_INIT;
    struct wire signed_one, presigned;
    wire_parse(&signed_one, TOP);
    wire_sign(&signed_one, &cred, &arena);
    wire_parse(&presigned, TOP);
    assert_int_equal(auth_presign(&cred, &presigned.req, WIRE_NOW, 900, &arena, &presigned.req.query), MR_OK);
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        int64_t now = WIRE_NOW + rows[i].seconds * MR_NS_PER_S;
        assert_string_equal(wire_verdict(&signed_one, keys, now), rows[i].by_header);
        assert_string_equal(wire_verdict(&presigned, keys, now), rows[i].by_query);
    }
    wire_free(&signed_one);
    wire_free(&presigned);
    mr_arena_release(&arena);
    auth_keys_free(keys);
}

static void presigned_lives_as_long_as_it_says(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct auth_credentials cred = wire_credentials();
    struct mr_arena arena = MR_ARENA_INIT;
    struct wire wire;
    wire_parse(&wire, TOP);
    assert_int_equal(auth_presign(&cred, &wire.req, WIRE_NOW, 604800, &arena, &wire.req.query), MR_OK);
    assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW + 604800 * MR_NS_PER_S), "");
    wire.req.query = MR_STR_NULL;
    assert_int_equal(auth_presign(&cred, &wire.req, WIRE_NOW, 7, &arena, &wire.req.query), MR_OK);
    assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW + 7 * MR_NS_PER_S), "");
    assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW + 8 * MR_NS_PER_S),
                        INV "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z "
                            "(20260102T030413Z - 7 sec.)");
    wire_free(&wire);
    mr_arena_release(&arena);
    auth_keys_free(keys);
}

static void skew_and_service_are_options(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct auth_credentials cred = wire_credentials();
    cred.service = MR_STR("other");
    struct mr_arena arena = MR_ARENA_INIT;
    struct wire wire;
    struct auth_identity who;
    struct auth_failure why;
    wire_parse(&wire, TOP);
    wire_sign(&wire, &cred, &arena);
    struct auth_options options = {.skew_ns = 90 * MR_NS_PER_S, .service = "other"};
    assert_int_equal(auth_verify(keys, &options, &wire.req, WIRE_NOW + 90 * MR_NS_PER_S, &arena, &who, &why),
                     MR_OK);
    assert_int_equal(auth_verify(keys, &options, &wire.req, WIRE_NOW + 91 * MR_NS_PER_S, &arena, &who, &why),
                     MR_EDENIED);
    assert_string_equal(why.message,
                        "Signature expired: 20260102T030405Z is now earlier than 20260102T030406Z "
                        "(20260102T030536Z - 90 sec.)");
    assert_string_equal(wire_verdict(&wire, keys, WIRE_NOW), INV SERVICE);
    wire_free(&wire);
    mr_arena_release(&arena);
    auth_keys_free(keys);
}

/* What the server says to a request signed with `cred`, by header and presigned for two hours, `seconds`
 * later. */
static void token_verdict(struct auth_credentials cred, int64_t seconds, const char *verdict)
{
    struct auth_keys *keys = wire_keys();
    struct mr_arena arena = MR_ARENA_INIT;
    struct wire wire;
    struct mr_pair out[4];
    size_t n;
    int64_t now = WIRE_NOW + seconds * MR_NS_PER_S;
    wire_parse(&wire, TOP);
    assert_int_equal(auth_sign(&cred, &wire.req, now, &arena, out, &n), MR_OK);
    for (size_t i = 0; i < n; i++)
        wire_set(&wire, out[i].name.ptr, out[i].value);
    assert_string_equal(wire_verdict(&wire, keys, now), verdict);
    wire_free(&wire);
    wire_parse(&wire, TOP);
    assert_int_equal(auth_presign(&cred, &wire.req, WIRE_NOW, 7200, &arena, &wire.req.query), MR_OK);
    assert_string_equal(wire_verdict(&wire, keys, now), verdict);
    wire_free(&wire);
    mr_arena_release(&arena);
    auth_keys_free(keys);
}

static void session_tokens(void **state)
{
    (void)state;
    struct auth_credentials cred = wire_temporary_credentials();
    token_verdict(cred, 0, "");
    token_verdict(cred, 3599, "");
    token_verdict(cred, 3600, EXPIRED_TOKEN);
    token_verdict(cred, 7000, EXPIRED_TOKEN);
    cred.session_token = MR_STR_NULL;
    token_verdict(cred, 0, BAD_TOKEN);
    token_verdict(cred, 7000, BAD_TOKEN);
    cred.session_token = MR_STR("Token/with+marks=");
    token_verdict(cred, 0, BAD_TOKEN);
    cred.session_token = MR_STR("Token/with+marks=!");
    token_verdict(cred, 0, BAD_TOKEN);
    cred.session_token = MR_STR(WIRE_TOKEN "x");
    token_verdict(cred, 0, BAD_TOKEN);
    cred = wire_credentials();
    cred.session_token = MR_STR(WIRE_TOKEN);
    token_verdict(cred, 0, BAD_TOKEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(window),
        cmocka_unit_test(presigned_lives_as_long_as_it_says),
        cmocka_unit_test(skew_and_service_are_options),
        cmocka_unit_test(session_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
