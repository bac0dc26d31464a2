/* Temporary credentials: what comes back, what a changed token is worth, and when they end. */
#include "wire.h"

#include <string.h>

#include "base/clock.h"

#define TOP "POST /\nHost: h\nX-Amz-Target: Timestream_20181101.ListDatabases\n\n{}"

static unsigned char key[AUTH_SESSION_KEY_BYTES] = "a key of thirty-two bytes, this";

static struct auth_session sample(void)
{
    return (struct auth_session){.issuer = MR_STR(WIRE_ID),
                                 .user = MR_STR("root"),
                                 .role = MR_STR("loader"),
                                 .name = MR_STR("night"),
                                 .policy = MR_STR("{}"),
                                 .issued_ns = WIRE_NOW,
                                 .expires_ns = WIRE_NOW + 900 * MR_NS_PER_S};
}

struct issued {
    struct mr_arena arena;
    struct mr_str id, secret, token;
};

static struct issued issue(const struct auth_session *session)
{
    struct issued i = {.arena = MR_ARENA_INIT};
    assert_int_equal(auth_session_issue(key, session, &i.arena, &i.id, &i.secret, &i.token), MR_OK);
    return i;
}

static void test_round_trip(void **state)
{
    MR_UNUSED(state);
    struct auth_session in = sample(), out;
    struct issued i = issue(&in);
    struct mr_str secret;
    assert_int_equal(auth_session_open(key, i.token, &i.arena, &out, &secret), MR_OK);
    assert_true(mr_str_eq(out.id, i.id) && mr_str_eq(secret, i.secret));
    check_str(out.issuer, WIRE_ID);
    check_str(out.user, "root");
    check_str(out.role, "loader");
    check_str(out.name, "night");
    check_str(out.policy, "{}");
    assert_true(out.issued_ns == in.issued_ns && out.expires_ns == in.expires_ns);
    struct issued second = issue(&in);
    assert_false(mr_str_eq(second.id, i.id) || mr_str_eq(second.secret, i.secret));
    mr_arena_release(&i.arena);
    mr_arena_release(&second.arena);
}

/* Every bit of every character, every shorter token, and another server's key. */
static void test_changed_tokens_are_nothing(void **state)
{
    MR_UNUSED(state);
    struct auth_session in = sample(), out;
    struct issued i = issue(&in);
    struct mr_str secret;
    char copy[AUTH_SESSION_MAX_TOKEN];
    unsigned tried = 0;
    for (size_t at = 0; at < i.token.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++, tried++) {
            memcpy(copy, i.token.ptr, i.token.len);
            copy[at] = (char)((unsigned char)copy[at] ^ (1u << bit));
            struct mr_arena arena = MR_ARENA_INIT;
            assert_int_equal(
                auth_session_open(key, (struct mr_str){copy, i.token.len}, &arena, &out, &secret),
                MR_EDENIED);
            mr_arena_release(&arena);
        }
        assert_int_equal(auth_session_open(key, mr_str_slice(i.token, 0, at), &i.arena, &out, &secret),
                         MR_EDENIED);
    }
    print_message("%u bit flips\n", tried);
    unsigned char other[AUTH_SESSION_KEY_BYTES] = "another key";
    assert_int_equal(auth_session_open(other, i.token, &i.arena, &out, &secret), MR_EDENIED);
    mr_arena_release(&i.arena);
    static char long_text[AUTH_SESSION_MAX_TOKEN];
    memset(long_text, 'p', sizeof long_text);
    in.policy = (struct mr_str){long_text, sizeof long_text};
    struct issued none = {.arena = MR_ARENA_INIT};
    assert_int_equal(auth_session_issue(key, &in, &none.arena, &none.id, &none.secret, &none.token),
                     MR_ELIMIT);
    mr_arena_release(&none.arena);
}

/* "" or the type of the refusal. */
static const char *verdict(const struct auth_keys *keys, const struct issued *i, struct mr_str id,
                           int64_t now, struct auth_identity *who)
{
    static struct auth_failure why;
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_credentials cred = wire_credentials();
    struct wire wire;
    cred.access_key_id = id;
    cred.secret = i->secret;
    cred.session_token = i->token;
    wire_parse(&wire, TOP);
    wire_sign(&wire, &cred, &arena);
    const struct auth_options options = {.skew_ns = 3600 * MR_NS_PER_S, .session_key = key};
    int status = auth_verify(keys, &options, &wire.req, now, &arena, who, &why);
    bool role = status == MR_OK && who->session != NULL && mr_str_eq(who->session->role, MR_STR("loader"));
    assert_true(status == MR_EDENIED || (status == MR_OK && who->root != role));
    wire_free(&wire);
    mr_arena_release(&arena);
    return status == MR_OK ? "" : why.type;
}

static void test_who_it_is_and_when_it_ends(void **state)
{
    MR_UNUSED(state);
    struct auth_keys *keys = wire_keys(), *without;
    struct auth_session in = sample();
    struct auth_identity who;
    struct issued i = issue(&in);
    assert_string_equal(verdict(keys, &i, i.id, WIRE_NOW, &who), "");
    assert_false(who.root); /* a role's session is not, even when root's key stands behind it */
    assert_string_equal(verdict(keys, &i, i.id, in.expires_ns - 1, &who), "");
    assert_string_equal(verdict(keys, &i, i.id, in.expires_ns, &who), "ExpiredTokenException");
    assert_string_equal(verdict(keys, &i, MR_STR("ASIAANOTHER"), WIRE_NOW, &who),
                        "UnrecognizedClientException");
    in.role = MR_STR("");
    struct issued own = issue(&in);
    assert_string_equal(verdict(keys, &own, own.id, WIRE_NOW, &who), "");
    assert_true(who.root);
    in.user = MR_STR("somebody"); /* the key was given to another user */
    struct issued moved = issue(&in);
    assert_string_equal(verdict(keys, &moved, moved.id, WIRE_NOW, &who), "UnrecognizedClientException");
    assert_int_equal(auth_keys_new(&without), MR_OK); /* the key is gone */
    assert_string_equal(verdict(without, &i, i.id, WIRE_NOW, &who), "UnrecognizedClientException");
    auth_keys_free(without);
    auth_keys_free(keys);
    mr_arena_release(&i.arena);
    mr_arena_release(&own.arena);
    mr_arena_release(&moved.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
                                       cmocka_unit_test(test_changed_tokens_are_nothing),
                                       cmocka_unit_test(test_who_it_is_and_when_it_ends)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
