/* Key sets: adding, the credentials file, and the memory of signing keys. */
#include "wire.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/keys.h"
#include "base/clock.h"
#include "lib/fault.h"

static void ids_are_unique_and_found(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct mr_error err = MR_ERROR_INIT;
    char id[16];
    for (int i = 0; i < 200; i++) { /* in no order */
        snprintf(id, sizeof id, "AK%03d", i * 77 % 200);
        check_ok(auth_keys_add(keys, MR_STR("u"), mr_str_of(id), MR_STR("s"), MR_STR_NULL, 0, false, &err),
                 &err);
    }
    assert_int_equal(auth_keys_count(keys), 202);
    for (int i = 0; i < 200; i++) {
        snprintf(id, sizeof id, "AK%03d", i);
        check_str(auth_keys_find(keys, mr_str_of(id))->id, id);
    }
    assert_true(auth_keys_find(keys, MR_STR("AK200"))->nobody);
    assert_true(auth_keys_find(keys, MR_STR(""))->nobody);
    assert_false(auth_keys_find(keys, MR_STR(WIRE_ID))->nobody);
    assert_int_equal(
        auth_keys_add(keys, MR_STR("u"), MR_STR("AK007"), MR_STR("s"), MR_STR_NULL, 0, false, &err),
        MR_EEXIST);
    assert_string_equal(err.text, "access key id AK007 is there already");
    assert_int_equal(auth_keys_count(keys), 202);
    auth_keys_free(keys);
    auth_keys_free(NULL);
}

static void bad_pairs_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *user, *id;
        size_t secret_len;
    } rows[] = {{"", "AK", 10},
                {"u", "", 10},
                {"u", "A/K", 10},
                {"u", "A,K", 10},
                {"u", "A K", 10},
                {"u", "AK", 0},
                {"u", "AK", AUTH_MAX_SECRET + 1}};
    static const char secret[AUTH_MAX_SECRET + 1] = {'s'};
    struct auth_keys *keys = wire_keys();
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(auth_keys_add(keys, mr_str_of(rows[i].user), mr_str_of(rows[i].id),
                                       (struct mr_str){secret, rows[i].secret_len}, MR_STR_NULL, 0, false,
                                       &err),
                         MR_EINVAL);
        assert_true(err.text[0] != '\0');
    }
    assert_int_equal(auth_keys_count(keys), 2);
    auth_keys_free(keys);
}

static void file_with_all_it_may_hold(void **state)
{
    (void)state;
    struct auth_keys *keys;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(auth_keys_new(&keys), MR_OK);
    check_ok(auth_keys_parse(keys,
                             MR_STR("\xEF\xBB\xBF# keys of the plant\r\n"
                                    "\r\n"
                                    "[root]\r\n"
                                    "aws_access_key_id = AKROOT\r\n"
                                    "aws_secret_access_key=root/secret+=\r\n"
                                    "; a comment\n"
                                    "  [ grafana ]   # reads\n"
                                    "region = eu-west-1\n"
                                    "s3 =\n"
                                    "    max_concurrent_requests = 20\n"
                                    "aws_secret_access_key = a secret # with a mark\n"
                                    "aws_access_key_id\t=\tAKGRAF\n"
                                    "[temp]\n"
                                    "aws_access_key_id = ASIA\n"
                                    "aws_secret_access_key = t\n"
                                    "aws_session_token = tok=en=="),
                             &err),
             &err);
    assert_int_equal(auth_keys_count(keys), 3);
    const struct auth_pair *pair = auth_keys_find(keys, MR_STR("AKROOT"));
    check_str(pair->secret, "root/secret+=");
    check_str(pair->user, "root");
    assert_true(pair->root);
    assert_null(pair->token.ptr);
    pair = auth_keys_find(keys, MR_STR("AKGRAF"));
    check_str(pair->secret, "a secret # with a mark");
    check_str(pair->user, "grafana");
    assert_false(pair->root);
    check_str(auth_keys_find(keys, MR_STR("ASIA"))->token, "tok=en==");
    check_ok(auth_keys_parse(keys, MR_STR(""), &err), &err);
    check_ok(auth_keys_parse(keys, MR_STR("# nothing\n\n"), &err), &err);
    auth_keys_free(keys);
}

static void file_errors_name_the_line_and_no_secret(void **state)
{
    (void)state;
#define PAIR "aws_access_key_id = AK\naws_secret_access_key = hush\n"
    static const struct {
        const char *text, *error;
        int status;
    } rows[] = {
        {PAIR, "line 1: setting before the first [user]", MR_EINVAL},
        {"[a]\n" PAIR "hush\n", "line 4: expected name = value", MR_EINVAL},
        {"\n[a\n" PAIR, "line 2: a section heading is [user]", MR_EINVAL},
        {"[]\n" PAIR, "line 1: a section heading is [user]", MR_EINVAL},
        {"[a] hush\n" PAIR, "line 1: a section heading is [user]", MR_EINVAL},
        {"[a]\n[b]\n" PAIR, "line 1: section without aws_access_key_id", MR_EINVAL},
        {"#\n[a]\naws_secret_access_key = hush\n", "line 2: section without aws_access_key_id", MR_EINVAL},
        {"[a]\naws_access_key_id = AK\n", "line 1: section without aws_secret_access_key", MR_EINVAL},
        {"[a]\naws_access_key_id = AK\naws_secret_access_key =\n",
         "line 1: section without aws_secret_access_key", MR_EINVAL},
        {"[a]\n" PAIR "aws_secret_access_key = hush\n", "line 4: second aws_secret_access_key in one section",
         MR_EINVAL},
        {"[a]\n" PAIR "[b]\n" PAIR, "line 4: access key id AK is there already", MR_EEXIST},
        {"[a]\naws_access_key_id = A K\naws_secret_access_key = hush\n",
         "line 1: an access key id has 1 to 128 characters of A-Z a-z 0-9 - _ . ~", MR_EINVAL},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++) {
        struct auth_keys *keys;
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(auth_keys_new(&keys), MR_OK);
        assert_int_equal(auth_keys_parse(keys, mr_str_of(rows[i].text), &err), rows[i].status);
        assert_string_equal(err.text, rows[i].error);
        auth_keys_free(keys);
    }
}

static void short_memory_leaves_the_set_alone(void **state)
{
    (void)state;
    for (unsigned nth = 1;; nth++) {
        struct auth_keys *keys = NULL;
        struct mr_error err = MR_ERROR_INIT;
        size_t count = 0;
        fault_alloc(nth);
        int status = auth_keys_new(&keys);
        if (status == MR_OK) {
            status = auth_keys_parse(keys, MR_STR("[a]\n" PAIR "aws_session_token = t\n"), &err);
            count = auth_keys_count(keys);
        }
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        assert_int_equal(status, fired ? MR_ENOMEM : MR_OK);
        assert_int_equal(count, fired ? 0 : 1);
        auth_keys_free(keys);
        if (!fired)
            break;
    }
}

static unsigned filled(const struct auth_pair *pair)
{
    unsigned n = 0;
    for (size_t i = 0; i < AUTH_KEY_SLOTS; i++)
        n += pair->slots[i].scope_len > 0;
    return n;
}

static void verify_once(const struct auth_keys *keys, struct auth_credentials cred, int64_t now, bool right)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct wire wire;
    struct mr_pair out[4];
    size_t n;
    wire_parse(&wire, "GET /\nHost: h\n\n");
    assert_int_equal(auth_sign(&cred, &wire.req, now, &arena, out, &n), MR_OK);
    for (size_t i = 0; i < n; i++)
        wire_set(&wire, out[i].name.ptr, out[i].value);
    assert_int_equal(wire_verdict(&wire, keys, now)[0] == '\0', right);
    wire_free(&wire);
    mr_arena_release(&arena);
}

/* Only proven requests are remembered, in a bounded number, and a remembered key answers for its scope alone.
 */
static void signing_keys_are_remembered(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    const struct auth_pair *pair = auth_keys_find(keys, MR_STR(WIRE_ID));
    struct auth_credentials cred = wire_credentials(), wrong = cred;
    wrong.secret = MR_STR("guess");
    for (int i = 0; i < 3; i++)
        verify_once(keys, wrong, WIRE_NOW, false);
    assert_int_equal(filled(pair), 0);
    for (int i = 0; i < 3; i++)
        verify_once(keys, cred, WIRE_NOW, true);
    assert_int_equal(filled(pair), 1);
    verify_once(keys, wrong, WIRE_NOW, false);
    wrong.access_key_id = MR_STR("AKIDNOBODY");
    verify_once(keys, wrong, WIRE_NOW, false);
    assert_int_equal(filled(pair), 1);
    for (int day = 0; day < 3; day++) {
        for (int i = 0; i < 26; i++) {
            char region[] = {'r', (char)('a' + i), '\0'};
            cred.region = mr_str_of(region);
            verify_once(keys, cred, WIRE_NOW + day * MR_NS_PER_DAY, true);
            verify_once(keys, cred, WIRE_NOW + day * MR_NS_PER_DAY, true);
        }
    }
    assert_int_equal(filled(pair), AUTH_KEY_SLOTS);
    auth_keys_free(keys);
}

static void scope_too_long_to_remember(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct auth_pair *pair = auth_keys_find(keys, MR_STR(WIRE_ID));
    static const char service[AUTH_SCOPE_MAX] = "s";
    struct auth_scope scope = {MR_STR("20260102"), MR_STR("r"), {service, sizeof service}};
    unsigned char one[AUTH_HASH_LEN], two[AUTH_HASH_LEN];
    assert_int_equal(auth_pair_key(pair, &scope, one), MR_OK);
    auth_pair_remember(pair, &scope, one);
    assert_int_equal(filled(pair), 0);
    assert_int_equal(auth_pair_key(pair, &scope, two), MR_OK);
    assert_memory_equal(one, two, sizeof one);
    auth_keys_free(keys);
}

enum { THREADS = 4, ROUNDS = 400 };

struct worker {
    pthread_t thread;
    const struct auth_keys *keys;
    unsigned number;
    unsigned wrong; /* verdicts that were not as expected */
};

/* Signs and verifies with changing regions, so that threads evict each other's keys; every third secret is
 * wrong. */
static void *work(void *arg)
{
    struct worker *w = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct auth_credentials cred = wire_credentials();
        char region[] = {'r', (char)('a' + (i * 7 + w->number) % 9), '\0'};
        cred.region = mr_str_of(region);
        bool guess = i % 3 == 0;
        if (guess)
            cred.secret = MR_STR("guess");
        struct mr_pair headers[5] = {{MR_STR("host"), MR_STR("h")}};
        struct auth_request req = {.method = MR_STR("GET"),
                                   .path = MR_STR("/"),
                                   .headers = headers,
                                   .nheaders = 1,
                                   .body = MR_STR("")};
        struct mr_arena arena = MR_ARENA_INIT;
        struct auth_identity who;
        struct auth_failure why;
        size_t n = 0;
        int status = auth_sign(&cred, &req, WIRE_NOW, &arena, headers + 1, &n);
        req.nheaders += n;
        if (status == MR_OK)
            status = auth_verify(w->keys, NULL, &req, WIRE_NOW, &arena, &who, &why);
        w->wrong += status != (guess ? MR_EDENIED : MR_OK);
        mr_arena_release(&arena);
    }
    return NULL;
}

static void threads_share_a_set(void **state)
{
    (void)state;
    struct auth_keys *keys = wire_keys();
    struct worker workers[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.keys = keys, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
    }
    auth_keys_free(keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_unique_and_found),
        cmocka_unit_test(bad_pairs_are_refused),
        cmocka_unit_test(file_with_all_it_may_hold),
        cmocka_unit_test(file_errors_name_the_line_and_no_secret),
        cmocka_unit_test(short_memory_leaves_the_set_alone),
        cmocka_unit_test(signing_keys_are_remembered),
        cmocka_unit_test(scope_too_long_to_remember),
        cmocka_unit_test(threads_share_a_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
