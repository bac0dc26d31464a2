/* DescribeEndpoints: the table of 11.2 of the write-api reference, line by line. */
#include "world.h"

#define BOTO "Boto3/1.43.0 md/Botocore#1.43.0 ua/2.0 os/linux"
#define CLI "aws-cli/1.45.0 md/botocore#1.43.0 lang/python"
#define JS "aws-sdk-js/3.700.0 ua/2.1 os/linux"
#define GO "aws-sdk-go-v2/1.30.0 os/linux"
#define OLD_JS_LIKE "app aws-sdk-js/3.700.0"

static void address_is(const char *host, bool tls, const char *agent, const char *want)
{
    world.call.host = mr_str_of(host);
    world.call.tls = tls;
    world.call.user_agent = mr_str_of(agent);
    struct mr_str answer = mr_arena_printf(
        &world.arena, "{\"Endpoints\":[{\"Address\":\"%s\",\"CachePeriodInMinutes\":1440}]}", want);
    answers("DescribeEndpoints", "{}", answer.ptr);
}

static void by_caller(void **state)
{
    MR_UNUSED(state);
    static const struct {
        const char *host;
        bool tls;
        const char *agent, *want;
    } rows[] = {
        /* default port 443 with TLS, any client */
        {"db.example", true, BOTO, "db.example"},
        {"db.example:443", true, BOTO, "db.example"},
        {"db.example:443", true, GO, "db.example"},
        {"db.example:443", true, JS, "db.example"},
        /* botocore in any case */
        {"localhost:8650", false, BOTO, "http://localhost:8650"},
        {"localhost:8650", false, CLI, "http://localhost:8650"},
        {"localhost", false, BOTO, "http://localhost"},
        {"db.example:8443", true, BOTO, "db.example:8443"},
        /* begins with aws-sdk-js/ */
        {"localhost:8650", false, JS, "localhost"},
        {"db.example:8443", true, JS, "db.example"},
        /* everyone else */
        {"localhost:8650", false, GO, "localhost:8650"},
        {"db.example:8443", true, GO, "db.example:8443"},
        {"localhost:8650", false, OLD_JS_LIKE, "localhost:8650"},
        {"localhost:443", false, GO, "localhost:443"},
        {"localhost", false, GO, "localhost"},
        {"localhost:8650", false, "", "localhost:8650"},
        /* an IPv6 address is in brackets */
        {"[::1]:8650", false, JS, "[::1]"},
        {"[::1]:443", true, GO, "[::1]"},
        {"[::1]:8650", false, BOTO, "http://[::1]:8650"},
        {"[::1", false, JS, "[::1"},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(rows); i++)
        address_is(rows[i].host, rows[i].tls, rows[i].agent, rows[i].want);
}

/* 11.2: botocore's discovery call carries a header that nobody else sends. */
static void by_header(void **state)
{
    MR_UNUSED(state);
    world.call.api_version_header = true;
    address_is("localhost:8650", false, "renamed", "http://localhost:8650");
    address_is("localhost:8650", false, JS, "http://localhost:8650");
}

/* 11.2: a configured public name stands in for the Host header. */
static void public_name(void **state)
{
    MR_UNUSED(state);
    world.api.public_host = "ts.example.org:9443";
    address_is("10.0.0.7:8650", true, GO, "ts.example.org:9443");
    address_is("10.0.0.7:8650", true, JS, "ts.example.org");
    world.api.public_host = "ts.example.org";
    address_is("10.0.0.7:8650", true, BOTO, "ts.example.org");
}

/* HTTP/1.0 knows requests without a Host. */
static void no_host(void **state)
{
    MR_UNUSED(state);
    world.call.host = MR_STR_NULL;
    fails("DescribeEndpoints", "", MODEL_VALIDATION, "The request has no Host header.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(by_caller), TEST(by_header), TEST(public_name), TEST(no_host)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
