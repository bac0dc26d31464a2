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
    s->c.region = MR_STR("us-east-1");
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

static void test_halves_and_nothing(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s);
    fake_env(&s.f, "AWS_ACCESS_KEY_ID", "AKIDENV");
    assert_non_null(strstr(got(&s), "environment: an access key id needs a secret"));
    scene_end(&s);

    scene_init(&s);
    fake_env(&s.f, "AWS_EC2_METADATA_DISABLED", "true");
    assert_non_null(strstr(got(&s), "MR_ERR_CREDENTIALS: No credentials"));
    assert_int_equal(s.f.nrequests, 0);
    scene_end(&s);
}

/* ---- profiles ---- */

#define STS(id, expiry)                                                                                      \
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>" id "</AccessKeyId>"                   \
    "<SecretAccessKey>s&amp;3</SecretAccessKey><SessionToken>t&lt;k</SessionToken><Expiration>" expiry       \
    "</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
#define ROLE "role_arn = arn:aws:iam::1:role/x\n"

/* What comes out of a profile's text; the answers are what the service says, in order. */
static const char *from_profile(struct scene *s, const char *text, const char *answer, int status)
{
    scene_init(s);
    fake_env(&s->f, "AWS_EC2_METADATA_DISABLED", "true");
    load_profiles(s, text);
    if (answer != NULL)
        fake_answer(&s->f, 0, status, answer);
    return got(s);
}

static void test_process(void **state)
{
    (void)state;
    struct scene s;
    assert_string_equal(
        from_profile(
            &s,
            "[default]\ncredential_process = /bin/echo '{\"Version\":1,\"AccessKeyId\":\"AKIDRUN\",' "
            "\"\\\"SecretAccessKey\\\": \\\"s\\\",\"  \\\"SessionToken\\\":\\\"run\\\" "
            ",'\"Expiration\":\"2026-01-02T05:34:05+02:00\"}'\n",
            NULL, 0),
        "AKIDRUN run");
    assert_int_equal(s.c.set.expires_ns, (INT64_C(1767323045) + 1800) * MR_NS_PER_S);
    scene_end(&s);
    static const struct {
        const char *command, *why;
    } bad[] = {{"/bin/false", "/bin/false ended with status 1"},
               {"/nonexistent/x", "No such file"},
               {"'", "is no command"},
               {"/bin/echo nonsense", "not a JSON object"},
               {"/bin/echo {}", "lack a member"},
               {"/usr/bin/yes", "printed too much"}};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        char text[200];
        snprintf(text, sizeof text, "[default]\ncredential_process = %s\n", bad[i].command);
        const char *said = from_profile(&s, text, NULL, 0);
        if (strstr(said, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].command, said);
        scene_end(&s);
    }
}

static void test_role(void **state)
{
    (void)state;
    struct scene s;
    assert_string_equal(from_profile(&s,
                                     "[default]\n" ROLE "source_profile = base\nrole_session_name = me@x\n"
                                     "external_id = e/1\nduration_seconds = 900\n"
                                     "[base]\naws_access_key_id = AKIDBASE\naws_secret_access_key = s\n",
                                     STS("AKIDROLE", SOON_EXPIRY), 200),
                        "AKIDROLE t<k");
    assert_int_equal(s.f.nrequests, 1);
    assert_string_equal(s.f.requests[0].url, "https://sts.us-east-1.amazonaws.com/");
    assert_string_equal(s.f.requests[0].body,
                        "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"
                        "&RoleSessionName=me%40x&DurationSeconds=900&ExternalId=e%2F1");
    assert_non_null(strstr(fake_header(&s.f, 0, "authorization"),
                           "Credential=AKIDBASE/20260102/us-east-1/sts/aws4_request"));
    assert_string_equal(got(&s), "AKIDROLE t<k");
    assert_int_equal(s.f.nrequests, 1); /* kept */
    scene_end(&s);

    /* a role of a role, its own keys, a source */
    assert_string_equal(from_profile(&s,
                                     "[default]\n" ROLE "source_profile = mid\n"
                                     "[mid]\nrole_arn = arn:aws:iam::1:role/mid\nsource_profile = mid\n"
                                     "aws_access_key_id = AKIDMID\naws_secret_access_key = s\n",
                                     STS("AKIDROLE", SOON_EXPIRY), 200),
                        "AKIDROLE t<k");
    assert_int_equal(s.f.nrequests, 2);
    assert_non_null(strstr(fake_header(&s.f, 0, "authorization"), "AKIDMID"));
    assert_non_null(strstr(fake_header(&s.f, 1, "authorization"), "AKIDROLE"));
    assert_string_equal(fake_header(&s.f, 1, "x-amz-security-token"), "t<k");
    scene_end(&s);
    scene_init(&s);
    load_profiles(&s, "[default]\n" ROLE "credential_source = EcsContainer\n");
    fake_env(&s.f, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x");
    fake_env(&s.f, "AWS_ENDPOINT_URL_STS", "http://localhost:5000");
    fake_answer(&s.f, 0, 200, CONTAINER("AKIDTASK", SOON_EXPIRY));
    fake_answer(&s.f, 0, 200, STS("AKIDROLE", SOON_EXPIRY));
    assert_string_equal(got(&s), "AKIDROLE t<k");
    assert_string_equal(s.f.requests[1].url, "http://localhost:5000/");
    assert_non_null(strstr(fake_header(&s.f, 1, "authorization"), "AKIDTASK"));
    scene_end(&s);
}

static void test_web_identity(void **state)
{
    (void)state;
    struct scene s;
    struct mr_error err = MR_ERROR_INIT;
    char path[300], text[600];
    char *dir = dir_make();
    check_ok(mr_io_write_file(&mr_io_posix, dir, "token", MR_STR("a.b/c\n"), 0600, &err), &err);
    snprintf(path, sizeof path, "%s/token", dir);
    scene_init(&s);
    fake_env(&s.f, "AWS_WEB_IDENTITY_TOKEN_FILE", path);
    assert_non_null(strstr(got(&s), "needs AWS_ROLE_ARN"));
    fake_env(&s.f, "AWS_ROLE_ARN", "arn:x");
    fake_answer(&s.f, 0, 200, STS("AKIDWEB", SOON_EXPIRY));
    assert_string_equal(got(&s), "AKIDWEB t<k");
    assert_string_equal(s.f.requests[0].body,
                        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleArn=arn%3Ax"
                        "&RoleSessionName=millrace-1767323045&WebIdentityToken=a.b%2Fc");
    assert_null(fake_header(&s.f, 0, "authorization"));
    scene_end(&s);
    snprintf(text, sizeof text, "[default]\n" ROLE "web_identity_token_file = %s\n", path);
    assert_string_equal(from_profile(&s, text, STS("AKIDWEB", SOON_EXPIRY), 200), "AKIDWEB t<k");
    scene_end(&s);
    dir_remove(dir);
    assert_non_null(strstr(from_profile(&s, text, NULL, 0), "token"));
    scene_end(&s);
}

static void test_profiles_that_lead_nowhere(void **state)
{
    (void)state;
    struct scene s;
    static const struct {
        const char *text, *answer, *why;
        int status;
    } bad[] = {
        {ROLE, NULL, "needs one of source_profile", 0},
        {ROLE "source_profile = nobody\n", NULL, "no profile nobody", 0},
        {ROLE "source_profile = other\n[other]\nregion = x\n", NULL, "has no credentials", 0},
        {ROLE "source_profile = other\n[other]\n" ROLE "source_profile = default\n", NULL, "in a ring", 0},
        {ROLE "mfa_serial = 1\nsource_profile = default\n", NULL, "mfa_serial", 0},
        {ROLE "credential_source = Elsewhere\n", NULL, "must be Environment", 0},
        {ROLE "source_profile = default\naws_access_key_id = A\naws_secret_access_key = s\n",
         "<E><Code>AccessDenied</Code><Message>not you</Message></E>", "AccessDenied: not you", 403},
        {ROLE "source_profile = default\naws_access_key_id = A\naws_secret_access_key = s\n", "<html>",
         "answered 502", 502},
        {ROLE "source_profile = default\naws_access_key_id = A\naws_secret_access_key = s\n", "<html>",
         "sent no credentials", 200},
        {"sso_session = corp\n", NULL, "needs sso_start_url", 0},
        {"sso_start_url = https://x\nsso_region = eu-west-1\nsso_account_id = 1\nsso_role_name = r\n", NULL,
         "aws sso login", 0},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        char text[400];
        snprintf(text, sizeof text, "[default]\n%s", bad[i].text);
        const char *said = from_profile(&s, text, bad[i].answer, bad[i].status);
        if (strstr(said, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].text, said);
        scene_end(&s);
    }
}

static void test_sso(void **state)
{
    (void)state;
    struct scene s;
    struct mr_error err = MR_ERROR_INIT;
    char cache[300];
    char *dir = dir_make();
    static const char *const parts[] = {"/.aws", "/.aws/sso", "/.aws/sso/cache"};
    for (size_t i = 0; i < MR_ARRAY_LEN(parts); i++) {
        snprintf(cache, sizeof cache, "%s%s", dir, parts[i]);
        assert_int_equal(mr_io_posix.mkdir(NULL, cache, 0700), 0);
    }
    /* printf %s https://corp.example/start | sha1sum */
    check_ok(mr_io_write_file(&mr_io_posix, cache, "f7c9b39d0b4c7a7d82c79307585f77e1c5e74378.json",
                              MR_STR("{\"accessToken\":\"tok.en\",\"expiresAt\":\"2026-01-02T04:00:00Z\"}"),
                              0600, &err),
             &err);
    scene_init(&s);
    fake_env(&s.f, "HOME", dir);
    load_profiles(&s, "[default]\nsso_start_url = https://corp.example/start\nsso_region = eu-west-1\n"
                      "sso_account_id = 12\nsso_role_name = read er\n");
    fake_answer(&s.f, 0, 200,
                "{\"roleCredentials\":{\"accessKeyId\":\"AKIDSSO\",\"secretAccessKey\":\"s\","
                "\"sessionToken\":\"t\",\"expiration\":1767324845000}}");
    assert_string_equal(got(&s), "AKIDSSO t");
    assert_string_equal(s.f.requests[0].url,
                        "https://portal.sso.eu-west-1.amazonaws.com/federation/credentials"
                        "?role_name=read%20er&account_id=12");
    assert_string_equal(fake_header(&s.f, 0, "x-amz-sso_bearer_token"), "tok.en");
    assert_int_equal(s.c.set.expires_ns, (INT64_C(1767323045) + 1800) * MR_NS_PER_S);
    client_credentials_drop(&s.c, MR_STR("AKIDSSO"));
    mr_clock_manual_set(&s.f.clock, (INT64_C(1767323045) + 3600) * MR_NS_PER_S);
    assert_non_null(strstr(got(&s), "aws sso login"));
    scene_end(&s);
    dir_remove(dir);
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
        cmocka_unit_test(test_order),        cmocka_unit_test(test_halves_and_nothing),
        cmocka_unit_test(test_process),      cmocka_unit_test(test_role),
        cmocka_unit_test(test_web_identity), cmocka_unit_test(test_profiles_that_lead_nowhere),
        cmocka_unit_test(test_sso),          cmocka_unit_test(test_container),
        cmocka_unit_test(test_instance),     cmocka_unit_test(test_renewal),
        cmocka_unit_test(test_documents),    cmocka_unit_test(test_expired_token_of_a_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
