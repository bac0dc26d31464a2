/* The files of the AWS command line, and how they, the environment and the options become settings. */
#include "fake.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/dir.h"

static struct ini parsed(const char *text, struct mr_arena *arena, int want)
{
    struct ini ini = {NULL, 0, 0};
    struct mr_error err = MR_ERROR_INIT;
    int rc = client_ini_parse(&ini, mr_str_of(text), "FILE", arena, &err);
    if (rc != want)
        fail_msg("%d, not %d: %s", rc, want, err.text);
    return ini;
}

static void test_format(void **state)
{
    (void)state;
    struct mr_arena arena = MR_ARENA_INIT;
    struct ini ini = parsed("\xEF\xBB\xBF# comment\r\n"
                            "[default]\r\n"
                            "region = eu-west-1\r\n"
                            "; another = comment\n"
                            "secret=a=b#c\n"
                            "[ profile   \"the blue one\" ] # here\n"
                            "region=  first\n"
                            "region = second\n"
                            "empty =\n"
                            "[services local]\n"
                            "timestream_write =\n"
                            "  endpoint_url = http://one:1\n"
                            "\tother= x\n"
                            "timestream_query =\n"
                            "  endpoint_url = http://two:2\n"
                            "long = first\n"
                            "  continued without any sign\n"
                            "[default]\n"
                            "output = json",
                            &arena, MR_OK);
    check_str(client_ini_get(&ini, MR_STR("default"), MR_STR("region")), "eu-west-1");
    check_str(client_ini_get(&ini, MR_STR("default"), MR_STR("secret")), "a=b#c");
    check_str(client_ini_get(&ini, MR_STR("default"), MR_STR("output")), "json");
    check_str(client_ini_get(&ini, MR_STR("profile the blue one"), MR_STR("region")), "second");
    check_str(client_ini_get(&ini, MR_STR("services local"), MR_STR("timestream_write.endpoint_url")),
              "http://one:1");
    check_str(client_ini_get(&ini, MR_STR("services local"), MR_STR("timestream_query.endpoint_url")),
              "http://two:2");
    assert_null(client_ini_get(&ini, MR_STR("default"), MR_STR("another")).ptr);
    assert_true(client_ini_has_section(&ini, MR_STR("services local")));
    assert_false(client_ini_has_section(&ini, MR_STR("services")));
    client_ini_release(&ini);
    mr_arena_release(&arena);
}

static void test_format_errors_never_echo(void **state)
{
    (void)state;
    static const char *const broken[] = {
        "[default]\nregion = x\nTOPSECRET\n", "TOPSECRET = 1\n",       "[default\nx = TOPSECRET\n",
        "[default]\n= TOPSECRET\n",           "[default] TOPSECRET\n", "[]\n"};
    for (size_t i = 0; i < MR_ARRAY_LEN(broken); i++) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct ini ini = {NULL, 0, 0};
        struct mr_error err = MR_ERROR_INIT;
        assert_int_equal(client_ini_parse(&ini, mr_str_of(broken[i]), "FILE", &arena, &err), MR_EINVAL);
        assert_non_null(strstr(err.text, "FILE, line "));
        assert_null(strstr(err.text, "TOPSECRET"));
        client_ini_release(&ini);
        mr_arena_release(&arena);
    }
}

static void put_file(const char *dir, const char *name, const char *text)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_write_file(&mr_io_posix, dir, name, mr_str_of(text), 0600, &err), &err);
}

struct scene {
    struct fake f;
    char *dir;
    char config[300], credentials[300];
};

static void scene_init(struct scene *s, const char *config, const char *credentials)
{
    fake_init(&s->f);
    s->dir = dir_make();
    snprintf(s->config, sizeof s->config, "%s/config", s->dir);
    snprintf(s->credentials, sizeof s->credentials, "%s/credentials", s->dir);
    if (config != NULL)
        put_file(s->dir, "config", config);
    if (credentials != NULL)
        put_file(s->dir, "credentials", credentials);
    fake_env(&s->f, "AWS_CONFIG_FILE", s->config);
    fake_env(&s->f, "AWS_SHARED_CREDENTIALS_FILE", s->credentials);
    fake_env(&s->f, "AWS_REGION", NULL);
    fake_env(&s->f, "AWS_ENDPOINT_URL", NULL);
    fake_env(&s->f, "AWS_ACCESS_KEY_ID", NULL);
    fake_env(&s->f, "AWS_SECRET_ACCESS_KEY", NULL);
}

static void fails(struct scene *s, const struct mr_options *options, int error, const char *text)
{
    struct mr_client *client;
    struct mr_fault fault = MR_FAULT_INIT;
    assert_int_equal(client_open_in(&s->f.world, options, &client, &fault), error);
    assert_null(client);
    if (strstr(fault.message, text) == NULL)
        fail_msg("\"%s\" is not in: %s", text, fault.message);
    mr_fault_clear(&fault);
}

static void test_order_of_sources(void **state)
{
    (void)state;
    struct scene s;
    scene_init(&s,
               "[default]\nregion = eu-west-1\nmax_attempts = 7\n"
               "[profile blue]\nregion = eu-west-2\nservices = local\nendpoint_url = http://profile:1\n"
               "[services local]\ntimestream_query =\n  endpoint_url = http://services:2\n",
               "[blue]\naws_access_key_id = AKIDBLUE\naws_secret_access_key = s\n");
    struct mr_client *c = fake_open(&s.f, NULL);
    assert_string_equal(mr_client_region(c), "eu-west-1");
    assert_int_equal(c->settings.max_attempts, 7);
    check_str(c->settings.endpoint[CLIENT_WRITE].text, "https://ingest.timestream.eu-west-1.amazonaws.com/");
    check_str(c->settings.endpoint[CLIENT_QUERY].text, "https://query.timestream.eu-west-1.amazonaws.com/");
    assert_true(c->settings.discover[CLIENT_WRITE] && c->settings.discover[CLIENT_QUERY]);
    mr_client_close(c);

    fake_env(&s.f, "AWS_PROFILE", "blue");
    c = fake_open(&s.f, NULL);
    assert_string_equal(mr_client_region(c), "eu-west-2");
    check_str(c->settings.endpoint[CLIENT_WRITE].text, "http://profile:1/");
    check_str(c->settings.endpoint[CLIENT_QUERY].text, "http://services:2/");
    assert_false(c->settings.discover[CLIENT_WRITE]);
    mr_client_close(c);

    fake_env(&s.f, "AWS_ENDPOINT_URL", "http://variable:3");
    fake_env(&s.f, "AWS_ENDPOINT_URL_TIMESTREAM_WRITE", "https://own-variable:443/");
    fake_env(&s.f, "AWS_REGION", "us-west-2");
    c = fake_open(&s.f, NULL);
    assert_string_equal(mr_client_region(c), "us-west-2");
    check_str(c->settings.endpoint[CLIENT_WRITE].text, "https://own-variable/");
    check_str(c->settings.endpoint[CLIENT_WRITE].host, "own-variable");
    check_str(c->settings.endpoint[CLIENT_QUERY].text, "http://variable:3/");
    mr_client_close(c);

    struct mr_options options = MR_OPTIONS_INIT;
    options.endpoint = "http://option:4";
    options.query_endpoint = "http://[::1]:5/base";
    options.region = "ap-south-1";
    options.discovery = MR_CHOICE_ON;
    c = fake_open(&s.f, &options);
    assert_string_equal(mr_client_region(c), "ap-south-1");
    check_str(c->settings.endpoint[CLIENT_WRITE].host, "option:4");
    check_str(c->settings.endpoint[CLIENT_QUERY].name, "::1");
    check_str(c->settings.endpoint[CLIENT_QUERY].path, "/base");
    assert_true(c->settings.discover[CLIENT_WRITE]);
    mr_client_close(c);

    options = (struct mr_options)MR_OPTIONS_INIT;
    fake_env(&s.f, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    fake_env(&s.f, "AWS_REGION", "cn-north-1");
    c = fake_open(&s.f, &options);
    check_str(c->settings.endpoint[CLIENT_WRITE].host, "ingest.timestream.cn-north-1.amazonaws.com.cn");
    mr_client_close(c);
    dir_remove(s.dir);
}

static void test_broken_settings(void **state)
{
    (void)state;
    struct scene s;
    struct mr_options options = MR_OPTIONS_INIT;
    scene_init(&s, "[default]\nx = 1\n", NULL);
    fails(&s, NULL, MR_ERR_CONFIG, "No region");
    options.region = "not a region";
    fails(&s, &options, MR_ERR_CONFIG, "is no region");
    options.region = "us-east-1";
    options.profile = "nowhere";
    fails(&s, &options, MR_ERR_CONFIG, "nowhere");
    options.profile = NULL;
    static const char *const bad[] = {"localhost:8650", "ftp://x",       "http://",    "http://x:0",
                                      "http://x:99999", "http://u@x",    "http://x?y", "http://x y",
                                      "http://[::1",    "http://x\r\ny", "http://x:"};
    for (size_t i = 0; i < MR_ARRAY_LEN(bad); i++) {
        options.endpoint = bad[i];
        fails(&s, &options, MR_ERR_CONFIG, "is no endpoint");
    }
    options.endpoint = NULL;
    fake_env(&s.f, "AWS_MAX_ATTEMPTS", "many");
    fails(&s, &options, MR_ERR_CONFIG, "max_attempts");
    fake_env(&s.f, "AWS_MAX_ATTEMPTS", NULL);
    options.user_agent = "a\r\nb";
    fails(&s, &options, MR_ERR_CONFIG, "user_agent");
    options.user_agent = NULL;
    put_file(s.dir, "config", "[default]\nwhat is this\n");
    fails(&s, &options, MR_ERR_CONFIG, "line 2");
    options.size = 0;
    fails(&s, &options, MR_ERR_CONFIG, "MR_OPTIONS_INIT");
    dir_remove(s.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_format_errors_never_echo),
        cmocka_unit_test(test_order_of_sources),
        cmocka_unit_test(test_broken_settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
