/* The chain of credentials, their renewal, and what can go wrong next door. */
#include "fake.h"

#include <stdio.h>

#include "lib/dir.h"

#define SOON_EXPIRY "2026-01-02T03:34:05Z" /* half an hour on */
#define CONTAINER(id, expiry)                                                                                \
    "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"s3\",\"Token\":\"tok\",\"Expiration\":\"" expiry "\"" \
    "}"

struct scene {
    struct fake f;
    struct mr_options options;
    struct profiles profiles;
    struct credentials c;
};

static void scene_init(struct scene *s)
{
    memset(s, 0, sizeof *s);
    fake_init(&s->f);
    s->options = (struct mr_options)MR_OPTIONS_INIT;
    fake_env(&s->f, "AWS_ACCESS_KEY_ID", NULL);
    fake_env(&s->f, "AWS_SECRET_ACCESS_KEY", NULL);
    assert_int_equal(client_credentials_init(&s->c, &s->f.world, &s->options, &s->profiles), MR_OK);
}

static void scene_end(struct scene *s)
{
    client_credentials_release(&s->c);
    client_profiles_release(&s->profiles);
}

static void load_profiles(struct scene *s, const char *credentials)
{
    struct mr_error err = MR_ERROR_INIT;
    static char path[300];
    char *dir = dir_make();
    check_ok(mr_io_write_file(&mr_io_posix, dir, "credentials", mr_str_of(credentials), 0600, &err), &err);
    snprintf(path, sizeof path, "%s/credentials", dir);
    fake_env(&s->f, "AWS_SHARED_CREDENTIALS_FILE", path);
    check_ok(client_profiles_load(&s->profiles, &s->options, &s->f.world, &err), &err);
    dir_remove(dir);
}

/* The id and the token that come out, as "id token". */
static const char *got(struct scene *s)
{
    static char text[1024];
    struct mr_arena arena = MR_ARENA_INIT;
    struct auth_credentials who = {{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct mr_error err = MR_ERROR_INIT;
    int rc = client_credentials_get(&s->c, mr_clock_wall(&s->f.clock), &arena, &who, &err);
    if (rc == 0)
        snprintf(text, sizeof text, MR_STR_FMT " " MR_STR_FMT, MR_STR_ARG(who.access_key_id),
                 MR_STR_ARG(who.session_token));
    else
        snprintf(text, sizeof text, "%s: %s", mr_err_name(rc), err.text);
    mr_arena_release(&arena);
    return text;
}

static void test_order(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    load_profiles(
        &s,
        "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\naws_session_token = filetok\n");
    assert_string_equal(got(&s), "AKIDFILE filetok");
    scene_end(&s);

    scene_init(&s);
    load_profiles(&s, "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n");
    fake_env(&s.f, "AWS_ACCESS_KEY_ID", "AKIDENV");
    fake_env(&s.f, "AWS_SECRET_ACCESS_KEY", "s");
    fake_env(&s.f, "AWS_SESSION_TOKEN", "envtok");
    assert_string_equal(got(&s), "AKIDENV envtok");
    scene_end(&s);

    scene_init(&s);
    load_profiles(&s, "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = s\n");
    fake_env(&s.f, "AWS_ACCESS_KEY_ID", "AKIDENV");
    fake_env(&s.f, "AWS_SECRET_ACCESS_KEY", "s");
    s.options.profile = "default"; /* whoever names a profile means it */
    assert_string_equal(got(&s), "AKIDFILE ");
    s.options.access_key_id = "AKIDOPTION";
    s.options.secret_access_key = "s";
    client_credentials_release(&s.c);
    memset(&s.c, 0, sizeof s.c);
    assert_int_equal(client_credentials_init(&s.c, &s.f.world, &s.options, &s.profiles), MR_OK);
    assert_string_equal(got(&s), "AKIDOPTION ");
    assert_int_equal(s.f.nrequests, 0);
    scene_end(&s);
}

static void test_halves_and_the_unbuilt(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    fake_env(&s.f, "AWS_ACCESS_KEY_ID", "AKIDENV");
    assert_non_null(strstr(got(&s), "environment: an access key id needs a secret"));
    scene_end(&s);

    scene_init(&s);
    load_profiles(&s, "[default]\nrole_arn = arn:aws:iam::1:role/x\n");
    assert_non_null(strstr(got(&s), "role_arn"));
    scene_end(&s);

    scene_init(&s);
    fake_env(&s.f, "AWS_EC2_METADATA_DISABLED", "true");
    assert_non_null(strstr(got(&s), "MR_ERR_CREDENTIALS: No credentials"));
    assert_int_equal(s.f.nrequests, 0);
    scene_end(&s);
}

static void test_container(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    fake_env(&s.f, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/credentials/7");
    fake_answer(&s.f, 0, 200, CONTAINER("AKIDTASK", SOON_EXPIRY));
    assert_string_equal(got(&s), "AKIDTASK tok");
    assert_string_equal(s.f.requests[0].url, "http://169.254.170.2/v2/credentials/7");
    assert_string_equal(s.f.requests[0].method, "GET");
    assert_null(fake_header(&s.f, 0, "Authorization"));
    assert_string_equal(got(&s), "AKIDTASK tok");
    assert_int_equal(s.f.nrequests, 1); /* kept */
    scene_end(&s);

    scene_init(&s);
    fake_env(&s.f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost:912/creds");
    fake_env(&s.f, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "Bearer 9");
    fake_answer(&s.f, 0, 200, CONTAINER("AKIDPOD", SOON_EXPIRY));
    assert_string_equal(got(&s), "AKIDPOD tok");
    assert_string_equal(fake_header(&s.f, 0, "Authorization"), "Bearer 9");
    scene_end(&s);

    static const char *const refused[] = {"http://example.com/creds", "http://127.example.com@evil/",
                                          "nonsense"};
    for (size_t i = 0; i < MR_ARRAY_LEN(refused); i++) {
        scene_init(&s);
        fake_env(&s.f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", refused[i]);
        assert_non_null(strstr(got(&s), "URI"));
        assert_int_equal(s.f.nrequests, 0);
        scene_end(&s);
    }
    scene_init(&s);
    fake_env(&s.f, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/");
    fake_env(&s.f, "AWS_CONTAINER_AUTHORIZATION_TOKEN", "a\r\nX-Evil: 1");
    assert_non_null(strstr(got(&s), "line break"));
    assert_int_equal(s.f.nrequests, 0);
    scene_end(&s);
}

static void test_instance(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    fake_answer(&s.f, 0, 200, "TOKEN==\n");
    fake_answer(&s.f, 0, 200, "fleet-role\n");
    fake_answer(&s.f, 0, 200,
                "{\"Code\":\"Success\","
                "\"AccessKeyId\":\"AKIDEC2\",\"SecretAccessKey\":\"s\",\"Token\":\"t\","
                "\"Expiration\":\"" SOON_EXPIRY "\"}");
    assert_string_equal(got(&s), "AKIDEC2 t");
    assert_int_equal(s.f.nrequests, 3);
    assert_string_equal(s.f.requests[0].method, "PUT");
    assert_string_equal(s.f.requests[0].url, "http://169.254.169.254/latest/api/token");
    assert_string_equal(fake_header(&s.f, 0, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
    assert_string_equal(fake_header(&s.f, 2, "x-aws-ec2-metadata-token"), "TOKEN==");
    assert_string_equal(s.f.requests[2].url,
                        "http://169.254.169.254/latest/meta-data/iam/security-credentials/fleet-role");
    scene_end(&s);

    scene_init(&s); /* no such machine: not an error of its own */
    fake_answer(&s.f, MR_ERR_TIMEOUT, 0, NULL);
    assert_non_null(strstr(got(&s), "No credentials in"));
    scene_end(&s);

    scene_init(&s); /* a proxy that answers everything */
    fake_answer(&s.f, 0, 200, "<html>hello there</html>");
    assert_non_null(strstr(got(&s), "broken token"));
    scene_end(&s);
}

static void test_renewal(void **state)
{
    (void)state;
    struct scene s;
    const int64_t start = INT64_C(1767323045) * MR_NS_PER_S, minute = 60 * MR_NS_PER_S;
    scene_init(&s);
    fake_env(&s.f, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
    fake_answer(&s.f, 0, 200, CONTAINER("AKIDONE", SOON_EXPIRY));
    fake_answer(&s.f, MR_ERR_NETWORK, 0, NULL);
    fake_answer(&s.f, 0, 200, CONTAINER("AKIDTWO", "2026-01-02T09:00:00Z"));
    fake_answer(&s.f, 0, 500, "");
    assert_string_equal(got(&s), "AKIDONE tok");
    mr_clock_manual_set(&s.f.clock, start + 24 * minute);
    assert_string_equal(got(&s), "AKIDONE tok");
    assert_int_equal(s.f.nrequests, 1);
    mr_clock_manual_set(&s.f.clock,
                        start + 26 * minute); /* due, and the source is gone: the old ones still hold */
    assert_string_equal(got(&s), "AKIDONE tok");
    assert_string_equal(got(&s), "AKIDONE tok");
    assert_int_equal(s.f.nrequests, 2); /* not asked again at once */
    mr_clock_manual_set(&s.f.clock, start + 27 * minute);
    assert_string_equal(got(&s), "AKIDTWO tok");
    client_credentials_drop(&s.c, MR_STR("AKIDONE")); /* somebody else's news */
    assert_string_equal(got(&s), "AKIDTWO tok");
    assert_int_equal(s.f.nrequests, 3);
    client_credentials_drop(&s.c, MR_STR("AKIDTWO"));
    assert_non_null(strstr(got(&s), "answered 500"));
    scene_end(&s);
}

static void test_documents(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "",
        "[]",
        "{}",
        "{\"AccessKeyId\":\"A\"}",
        "{\"AccessKeyId\":7,\"SecretAccessKey\":\"s\"}",
        "{\"Code\":\"AssumeRoleUnauthorizedAccess\",\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"tomorrow\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2026-13-02T03:34:05Z\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\",\"Expiration\":\"+026-01-02T03:34:05Z\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"s\""};
    for (size_t i = 0; i < MR_ARRAY_LEN(broken); i++) {
        struct credential_set set = {.expires_ns = 0};
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(client_credentials_from_json(mr_str_of(broken[i]), &set, &err), MR_EINVAL);
        client_credential_set_release(&set);
    }
    struct credential_set set = {.expires_ns = 0};
    struct mr_error err = MR_ERROR_INIT;
    check_ok(client_credentials_from_json(MR_STR(CONTAINER("A", "2026-01-02T03:34:05.123Z")), &set, &err),
             &err);
    assert_int_equal(set.expires_ns, (INT64_C(1767323045) + 1800) * MR_NS_PER_S);
    client_credential_set_release(&set);
}

/* ExpiredTokenException: fetched anew and sent again, without a pause. */
static void test_expired_token_of_a_call(void **state)
{
    (void)state;
    struct fake f;
    fake_init(&f);
    fake_env(&f, "AWS_ACCESS_KEY_ID", NULL);
    fake_env(&f, "AWS_SECRET_ACCESS_KEY", NULL);
    fake_env(&f, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
    fake_answer(&f, 0, 200, CONTAINER("AKIDONE", SOON_EXPIRY));
    fake_answer(&f, 0, 403, "{\"__type\":\"com.amazon.coral.service#ExpiredTokenException\"}");
    fake_answer(&f, 0, 200, CONTAINER("AKIDTWO", SOON_EXPIRY));
    fake_answer(&f, 0, 200, "{}");
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_list_databases_request request = {.max_results = {false, 0}};
    assert_int_equal(mr_list_databases(c, &request, NULL, NULL), 0);
    assert_int_equal(f.nrequests, 4);
    assert_int_equal(f.sleeps, 0);
    assert_string_equal(fake_header(&f, 1, "X-Amz-Security-Token"), "tok");
    assert_non_null(strstr(fake_header(&f, 3, "Authorization"), "AKIDTWO"));
    mr_client_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_halves_and_the_unbuilt),
        cmocka_unit_test(test_container),
        cmocka_unit_test(test_instance),
        cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_expired_token_of_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
