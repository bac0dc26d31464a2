/* One call: what goes out, what comes back, and when it is tried again. */
#include "fake.h"

#include "lib/fault.h"

#define OK_DATABASES "{\"Databases\":[{\"DatabaseName\":\"alpha\",\"TableCount\":3}]}"

static const char throttled[] =
    "{\"__type\":\"com.amazonaws.timestream.v20181101#ThrottlingException\",\"message\":\"slow down\"}";
static const char missing[] = "{\"__type\":\"com.amazonaws.timestream.v20181101#ResourceNotFoundException\","
                              "\"message\":\"no such thing\"}";

/* The vector of write-api reference 2.2's kind: fixed clock, fixed keys. */
static void test_request_on_the_wire(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(&f, 0, 200, OK_DATABASES);
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_list_databases_request request = {.max_results = mr_int(5)};
    struct mr_list_databases_response *answer;
    assert_int_equal(mr_list_databases(c, &request, &answer, &fault), 0);
    assert_string_equal(f.requests[0].method, "POST");
    assert_string_equal(f.requests[0].url, "http://localhost:8443/");
    assert_string_equal(f.requests[0].body, "{\"MaxResults\":5}");
    assert_string_equal(fake_header(&f, 0, "Host"), "localhost:8443");
    assert_string_equal(fake_header(&f, 0, "Content-Type"), "application/x-amz-json-1.0");
    assert_string_equal(fake_header(&f, 0, "X-Amz-Target"), "Timestream_20181101.ListDatabases");
    assert_string_equal(fake_header(&f, 0, "X-Amz-Date"), "20260102T030405Z");
    assert_non_null(
        strstr(fake_header(&f, 0, "Authorization"),
               "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/timestream/aws4_request, "
               "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="));
    assert_null(fake_header(&f, 0, "X-Amz-Security-Token"));
    assert_int_equal(answer->databases.len, 1);
    assert_string_equal(answer->databases.at[0].database_name.ptr, "alpha");
    assert_int_equal(answer->databases.at[0].table_count.v, 3);
    assert_null(answer->next_token.ptr);
    assert_string_equal(fault.request_id, "REQUEST7");
    assert_int_equal(fault.attempts, 1);
    mr_response_free(answer);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

/* The vector of write-api reference 2.3. */
static void test_presigned_url(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    char *url;
    fake_init(&f);
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_list_databases_request request = {.max_results = mr_int(5)};
    assert_int_equal(mr_presign(c, MR_OP_LIST_DATABASES, &request, 900, &url, &fault), 0);
    assert_string_equal(
        url, "http://localhost:8443/?MaxResults=5&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
             "AKIDEXAMPLE%2F20260102%2Fus-east-1%2Ftimestream%2Faws4_request&X-Amz-Date="
             "20260102T030405Z&X-Amz-Expires=900&X-Amz-SignedHeaders=content-type%3Bhost%3Bx-amz-target"
             "&X-Amz-Signature=1aef7c6ddfb1947013a58316defeaed7302c164fc23275b463adc3165d076a56");
    mr_response_free(url);
    struct mr_tag tags[] = {{mr_text("a"), mr_text("b")}};
    struct mr_create_database_request create = {.database_name = mr_text("alpha"), .tags = MR_LIST(tags)};
    assert_int_equal(mr_presign(c, MR_OP_CREATE_DATABASE, &create, 900, &url, &fault), MR_ERR_ARGUMENT);
    assert_non_null(strstr(fault.message, "Tags"));
    assert_null(url);
    assert_int_equal(mr_presign(c, MR_OP_LIST_DATABASES, &request, 604801, &url, &fault), MR_ERR_ARGUMENT);
    assert_int_equal(f.nrequests, 0);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static int list(struct mr_client *c, struct mr_fault *fault)
{
    return mr_list_databases(c, &(struct mr_list_databases_request){.max_results = {false, 0}}, NULL, fault);
}

static void test_what_is_retried(void **state)
{
    (void)state;
    static const struct {
        struct fake_answer answer;
        bool again;
    } cases[] = {
        {{MR_ERR_NETWORK, 0, NULL, 0}, true},
        {{MR_ERR_TIMEOUT, 0, NULL, 0}, true},
        {{MR_ERR_TLS, 0, NULL, 0}, false},
        {{MR_ERR_ANSWER, 200, NULL, 0}, false},
        {{0, 429, throttled, 0}, true},
        {{0, 400, throttled, 0}, true},
        {{0, 404, missing, 0}, false},
        {{0, 500, "{\"__type\":\"x#InternalServerException\"}", 0}, true},
        {{0, 503, "<html>nobody home</html>", 0}, true},
        {{0, 502, "", 0}, true},
        {{0, 501, "", 0}, false},
        {{0, 302, "", 0}, false},
        {{0, 200, "<html>log in to the hotel</html>", 0}, false},
        {{0, 419, "{\"__type\":\"x#RejectedRecordsException\",\"RejectedRecords\":[]}", 0}, false},
        {{0, 421, "{\"__type\":\"x#InvalidEndpointException\"}", 0}, false}, /* nothing to rediscover here */
        {{0, 409, "{\"__type\":\"x#ConflictException\"}", 0}, false},
    };
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        struct fake f;
        struct mr_fault fault = MR_FAULT_INIT;
        fake_init(&f);
        f.answers[f.nanswers++] = cases[i].answer;
        fake_answer(&f, 0, 200, OK_DATABASES);
        struct mr_client *c = fake_open(&f, NULL);
        int rc = list(c, &fault);
        if ((rc == 0) != cases[i].again || fault.attempts != (cases[i].again ? 2 : 1))
            fail_msg("case %zu: %s after %d attempts: %s", i, mr_err_name(rc), fault.attempts, fault.message);
        assert_int_equal(f.sleeps, cases[i].again ? 1 : 0);
        mr_client_close(c);
        mr_fault_clear(&fault);
    }
}

static void test_attempts_end(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(&f, 0, 429, throttled);
    struct mr_options options = MR_OPTIONS_INIT;
    options.max_attempts = 5;
    struct mr_client *c = fake_open(&f, &options);
    assert_int_equal(list(c, &fault), MR_ERR_SERVICE);
    assert_int_equal(fault.attempts, 5);
    assert_int_equal(f.nrequests, 5);
    assert_int_equal(f.sleeps, 4);
    assert_string_equal(fault.code, "ThrottlingException");
    assert_string_equal(fault.message, "slow down");
    assert_int_equal(fault.http_status, 429);
    assert_true(fault.retryable);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_pauses_grow_and_are_bounded(void **state)
{
    (void)state;
    struct mr_rng rng = {42};
    for (int attempt = 1; attempt < 40; attempt++) {
        int64_t most = 0;
        for (int i = 0; i < 200; i++) {
            int64_t soon = client_retry_pause_ns(RETRY_SOON, attempt, &rng),
                    slow = client_retry_pause_ns(RETRY_SLOWER, attempt, &rng);
            assert_true(soon >= 0 && soon <= RETRY_CAP_NS && slow >= 0 && slow <= RETRY_CAP_NS);
            most = soon > most ? soon : most;
        }
        int64_t bound = attempt < 8 ? (INT64_C(100000000) << attempt) : RETRY_CAP_NS;
        bound = bound > RETRY_CAP_NS ? RETRY_CAP_NS : bound;
        assert_true(most <= bound && most > bound / 2); /* spread over the whole range */
    }
    assert_int_equal(client_retry_pause_ns(RETRY_DISCOVER, 3, &rng), 0);
}

static void test_rejected_records(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    fake_answer(
        &f, 0, 419,
        "{\"__type\":\"com.amazonaws.timestream.v20181101#RejectedRecordsException\",\"RejectedRecords\":["
        "{\"Reason\":\"too "
        "old\",\"RecordIndex\":4},{\"Reason\":\"lower\",\"RecordIndex\":9,\"ExistingVersion\":7}],"
        "\"message\":\"One or more records have been rejected.\"}");
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_record record = {.time = mr_text("1")};
    struct mr_write_records_request request = {
        .database_name = mr_text("alpha"), .table_name = mr_text("beta"), .records = {&record, 1, true}};
    struct mr_write_records_response *answer = (void *)&f;
    assert_int_equal(mr_write_records(c, &request, &answer, &fault), MR_ERR_SERVICE);
    assert_null(answer);
    assert_int_equal(fault.nrejected, 2);
    assert_int_equal(fault.rejected[0].record_index.v, 4);
    assert_string_equal(fault.rejected[0].reason.ptr, "too old");
    assert_false(fault.rejected[0].existing_version.set);
    assert_int_equal(fault.rejected[1].existing_version.v, 7);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_requests_that_cannot_be(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_create_database_request request = {.database_name = mr_text("\xff\xfe")};
    assert_int_equal(mr_create_database(c, &request, NULL, &fault), MR_ERR_ARGUMENT);
    assert_non_null(strstr(fault.message, "DatabaseName"));
    assert_int_equal(mr_create_database(c, NULL, NULL, &fault), MR_ERR_ARGUMENT);
    struct mr_record record = {.time_unit = (enum mr_time_unit)77};
    struct mr_write_records_request write = {.records = {&record, 1, true}};
    assert_int_equal(mr_write_records(c, &write, NULL, &fault), MR_ERR_ARGUMENT);
    assert_non_null(strstr(fault.message, "TimeUnit"));
    write.records = (struct mr_record_list){NULL, 3, true};
    assert_int_equal(mr_write_records(c, &write, NULL, NULL), MR_ERR_ARGUMENT);
    assert_int_equal(mr_query(NULL, NULL, NULL, &fault), MR_ERR_ARGUMENT);
    assert_int_equal(f.nrequests, 0);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_client_token_is_filled(void **state)
{
    (void)state;
    struct fake f;
    fake_init(&f);
    fake_answer(&f, 0, 503, "");
    fake_answer(&f, 0, 200, "{\"QueryId\":\"Q\",\"Rows\":[],\"ColumnInfo\":[]}");
    struct mr_client *c = fake_open(&f, NULL);
    struct mr_query_request request = {.query_string = mr_text("SELECT 1")};
    assert_int_equal(mr_query(c, &request, NULL, NULL), 0);
    const char *token = strstr(f.requests[0].body, "\"ClientToken\":\"");
    assert_non_null(token);
    assert_int_equal(strcspn(token + 15, "\""), 36);
    assert_string_equal(f.requests[0].body, f.requests[1].body); /* a retry is the same call */
    assert_int_equal(mr_query(c, &request, NULL, NULL), 0);
    assert_string_not_equal(f.requests[1].body, f.requests[2].body);
    request.client_token = mr_text("0123456789abcdef0123456789abcdef");
    assert_int_equal(mr_query(c, &request, NULL, NULL), 0);
    assert_non_null(strstr(f.requests[3].body, "\"ClientToken\":\"0123456789abcdef0123456789abcdef\""));
    mr_client_close(c);
}

static void test_clock_is_corrected(void **state)
{
    (void)state;
    struct fake f;
    struct mr_fault fault = MR_FAULT_INIT;
    fake_init(&f);
    f.answers[f.nanswers++] =
        (struct fake_answer){0, 403,
                             "{\"__type\":\"com.amazon.coral.service#InvalidSignatureException\",\"message\":"
                             "\"Signature expired\"}",
                             INT64_C(1767323045) + 7200};
    fake_answer(&f, 0, 200, OK_DATABASES);
    struct mr_client *c = fake_open(&f, NULL);
    assert_int_equal(list(c, &fault), 0);
    assert_string_equal(fake_header(&f, 1, "X-Amz-Date"), "20260102T050405Z");
    assert_int_equal(f.sleeps, 0);
    assert_int_equal(list(c, &fault), 0); /* and stays corrected */
    assert_string_equal(fake_header(&f, 2, "X-Amz-Date"), "20260102T050405Z");
    mr_client_close(c);
    mr_fault_clear(&fault);
}

/* Every allocation fails once, from opening to closing: the call says so or succeeds, and nothing leaks or
 * breaks. */
static void test_failing_memory(void **state)
{
    (void)state;
    unsigned failures = 0;
    for (unsigned nth = 1;; nth++) {
        struct fake f;
        struct mr_client *c = NULL;
        struct mr_paginator *pages = NULL;
        struct mr_fault fault = MR_FAULT_INIT;
        char *url = NULL;
        fake_init(&f);
        fake_answer(&f, 0, 429, throttled);
        fake_answer(&f, 0, 200, OK_DATABASES);
        struct mr_list_databases_request request = {.max_results = mr_int(5)};
        fault_alloc(nth);
        int rc = client_open_in(&f.world, NULL, &c, &fault);
        if (rc == 0)
            rc = list(c, &fault);
        if (rc == 0)
            rc = mr_paginator_open(c, MR_OP_LIST_DATABASES, &request, &pages, &fault);
        if (rc == 0 && mr_paginator_next(pages, &fault) == NULL)
            rc = fault.error;
        if (rc == 0)
            rc = mr_presign(c, MR_OP_LIST_DATABASES, &request, 60, &url, &fault);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        if (rc != 0 && rc != MR_ERR_MEMORY)
            fail_msg("allocation %u: %s: %s", nth, mr_err_name(rc), fault.message);
        assert_true(rc == 0 || fired);
        failures += rc != 0;
        mr_response_free(url);
        mr_paginator_close(pages);
        mr_client_close(c);
        mr_fault_clear(&fault);
        if (!fired)
            break;
    }
    assert_true(failures > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_request_on_the_wire),
        cmocka_unit_test(test_presigned_url),
        cmocka_unit_test(test_what_is_retried),
        cmocka_unit_test(test_attempts_end),
        cmocka_unit_test(test_pauses_grow_and_are_bounded),
        cmocka_unit_test(test_rejected_records),
        cmocka_unit_test(test_requests_that_cannot_be),
        cmocka_unit_test(test_client_token_is_filled),
        cmocka_unit_test(test_clock_is_corrected),
        cmocka_unit_test(test_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
