/* Endpoint discovery: when it happens, how long it holds, and what brings it back. */
#include "fake.h"

#include <stdio.h>

#define ENDPOINT(address, minutes)                                                                           \
    "{\"Endpoints\":[{\"Address\":\"" address "\",\"CachePeriodInMinutes\":" minutes "}]}"
#define INVALID                                                                                              \
    "{\"__type\":\"com.amazonaws.timestream.v20181101#InvalidEndpointException\",\"message\":\"moved\"}"

static struct mr_client *open_discovering(struct fake *f, const char *endpoint)
{
    struct mr_options options = MR_OPTIONS_INIT;
    fake_env(f, "AWS_ENDPOINT_URL", NULL);
    options.endpoint = endpoint;
    options.discovery = endpoint != NULL ? MR_CHOICE_ON : MR_CHOICE_AUTO;
    return fake_open(f, &options);
}

static int list(struct mr_client *c, struct mr_fault *fault)
{
    return mr_list_databases(c, &(struct mr_list_databases_request){.max_results = {false, 0}}, NULL, fault);
}

static void test_cached_for_its_period(void **state)
{
    (void)state;
    struct fake f;
    const int64_t start = INT64_C(1767323045) * MR_NS_PER_S, minute = 60 * MR_NS_PER_S;
    fake_init(&f);
    fake_answer(&f, 0, 200, ENDPOINT("ingest-cell2.timestream.us-east-1.amazonaws.com", "1440"));
    fake_answer(&f, 0, 200, "{}");
    fake_answer(&f, 0, 200, "{}");
    fake_answer(&f, 0, 200, ENDPOINT("ingest-cell3.timestream.us-east-1.amazonaws.com", "1440"));
    fake_answer(&f, 0, 200, "{}");
    struct mr_client *c = open_discovering(&f, NULL);
    assert_int_equal(list(c, NULL), 0);
    assert_string_equal(f.requests[0].url, "https://ingest.timestream.us-east-1.amazonaws.com/");
    assert_string_equal(f.requests[0].body, "{}");
    assert_string_equal(fake_header(&f, 0, "X-Amz-Target"), "Timestream_20181101.DescribeEndpoints");
    assert_string_equal(f.requests[1].url, "https://ingest-cell2.timestream.us-east-1.amazonaws.com/");
    assert_string_equal(fake_header(&f, 1, "Host"), "ingest-cell2.timestream.us-east-1.amazonaws.com");
    mr_clock_manual_set(&f.clock, start + 1439 * minute);
    assert_int_equal(list(c, NULL), 0);
    assert_int_equal(f.nrequests, 3);
    mr_clock_manual_set(&f.clock, start + 1441 * minute);
    assert_int_equal(list(c, NULL), 0);
    assert_int_equal(f.nrequests, 5);
    assert_string_equal(f.requests[4].url, "https://ingest-cell3.timestream.us-east-1.amazonaws.com/");
    mr_client_close(c);
}

static void test_each_api_has_its_own(void **state)
{
    (void)state;
    struct fake f;
    fake_init(&f);
    fake_answer(&f, 0, 200, ENDPOINT("cell-w", "10"));
    fake_answer(&f, 0, 200, "{}");
    fake_answer(&f, 0, 200, ENDPOINT("cell-q", "10"));
    fake_answer(&f, 0, 200, "{\"QueryId\":\"Q\"}");
    struct mr_client *c = open_discovering(&f, NULL);
    assert_int_equal(list(c, NULL), 0);
    assert_int_equal(mr_query(c, &(struct mr_query_request){.query_string = mr_text("SELECT 1")}, NULL, NULL),
                     0);
    assert_string_equal(f.requests[2].url, "https://query.timestream.us-east-1.amazonaws.com/");
    assert_string_equal(f.requests[3].url, "https://cell-q/");
    mr_client_close(c);
}

static void test_rediscovery(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(&f, 0, 200, ENDPOINT("one", "1440"));
    fake_answer(&f, 0, 421, INVALID);
    fake_answer(&f, 0, 200, ENDPOINT("two", "1440"));
    fake_answer(&f, 0, 200, "{}");
    struct mr_client *c = open_discovering(&f, NULL);
    assert_int_equal(list(c, &fault), 0);
    assert_string_equal(f.requests[3].url, "https://two/");
    assert_int_equal(f.sleeps, 0);
    mr_client_close(c);

    fake_init(&f); /* twice in one call is no cell that moved */
    fake_answer(&f, 0, 200, ENDPOINT("one", "1440"));
    fake_answer(&f, 0, 421, INVALID);
    fake_answer(&f, 0, 200, ENDPOINT("two", "1440"));
    fake_answer(&f, 0, 421, INVALID);
    c = open_discovering(&f, NULL);
    assert_int_equal(list(c, &fault), MR_ERR_SERVICE);
    assert_string_equal(fault.code, "InvalidEndpointException");
    assert_int_equal(f.nrequests, 4);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_forms_of_an_address(void **state)
{
    (void)state;
    static const struct {
        const char *base, *answer, *want; /* want NULL: refused */
    } cases[] = {
        {"http://127.0.0.1:8650", ENDPOINT("127.0.0.1:8650", "1"), "http://127.0.0.1:8650/"},
        {"http://127.0.0.1:8650", ENDPOINT("http://127.0.0.1:8650", "1"), "http://127.0.0.1:8650/"},
        {"https://front:8443", ENDPOINT("front:8443", "1"), "https://front:8443/"},
        {"https://front:8443", ENDPOINT("http://front:8443", "1"), NULL}, /* no way down from TLS */
        {"http://front", ENDPOINT("a b", "1"), NULL},
        {"http://front", ENDPOINT("a@b", "1"), NULL},
        {"http://front", "{\"Endpoints\":[]}", NULL},
        {"http://front", "{}", NULL},
        {"http://front", "{\"Endpoints\":[{\"CachePeriodInMinutes\":5}]}", NULL},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct fake f;
        struct mr_fault fault = MR_FAULT_INIT;
        fake_init(&f);
        fake_answer(&f, 0, 200, cases[i].answer);
        fake_answer(&f, 0, 200, "{}");
        struct mr_client *c = open_discovering(&f, cases[i].base);
        int rc = list(c, &fault);
        assert_int_equal(rc, cases[i].want != NULL ? 0 : MR_ERR_ANSWER);
        if (cases[i].want != NULL)
            assert_string_equal(f.requests[1].url, cases[i].want);
        else
            assert_int_equal(f.nrequests, 1);
        mr_client_close(c);
        mr_fault_clear(&fault);
    }
}

static void test_failing_discovery(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    const int64_t start = INT64_C(1767323045) * MR_NS_PER_S, minute = 60 * MR_NS_PER_S;
    fake_init(&f);
    fake_answer(&f, 0, 403, "{\"__type\":\"x#AccessDeniedException\",\"message\":\"not you\"}");
    struct mr_client *c = open_discovering(&f, NULL);
    assert_int_equal(list(c, &fault), MR_ERR_SERVICE);
    assert_string_equal(fault.code, "AccessDeniedException");
    assert_non_null(strstr(fault.message, "DescribeEndpoints"));
    assert_non_null(strstr(fault.message, "not you"));
    mr_client_close(c);

    fake_init(&f); /* an address whose time is over serves on while nobody can say better */
    fake_answer(&f, 0, 200, ENDPOINT("one", "1"));
    fake_answer(&f, 0, 200, "{}");
    for (int i = 0; i < 3; i++)
        fake_answer(&f, MR_ERR_NETWORK, 0, NULL);
    fake_answer(&f, 0, 200, "{}");
    c = open_discovering(&f, NULL);
    assert_int_equal(list(c, &fault), 0);
    mr_clock_manual_set(&f.clock, start + 5 * minute);
    assert_int_equal(list(c, &fault), 0);
    assert_string_equal(f.requests[5].url, "https://one/");
    assert_int_equal(list(c, &fault), 0); /* and is not asked about with every call */
    assert_int_equal(f.nrequests, 7);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cached_for_its_period), cmocka_unit_test(test_each_api_has_its_own),
        cmocka_unit_test(test_rediscovery),           cmocka_unit_test(test_forms_of_an_address),
        cmocka_unit_test(test_failing_discovery),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
