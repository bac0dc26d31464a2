/* WriteRecords that the store can only judge by reading files: the way over a thread that may wait. The store
 * is this file's (the linker puts its functions before the real ones), so every outcome can be ordered. */
#include "lib/check.h"

#include "lib/dir.h"

#include "api/dispatch.h"
#include "base/log.h"

#define NOW (INT64_C(1700000000000) * MR_NS_PER_MS)
#define SECRET "of+the/writer"

static struct {
    char *dir;
    struct mr_clock clock;
    struct mr_arena arena;
    struct auth_keys *keys;
    struct api_options options;
    struct api_server *server;
    /* orders to the store and the queue */
    int append, append_wait, defer;
    bool lose;  /* the first record's version */
    bool later; /* the log takes its time */
    /* what happened */
    int appends, waits, refs;
    struct store_commit *commit;
    struct api_request *deferred;
    unsigned status;
    char body[1000];
} w;

int __wrap_store_table_ref(struct store *store, uint64_t database_id, uint64_t table_id,
                           struct store_table **out, struct mr_error *err);
void __wrap_store_table_unref(struct store_table *table);
int __wrap_store_append(struct store_table *table, struct store_record *records, size_t count,
                        struct store_commit *commit, struct mr_error *err);
int __wrap_store_append_wait(struct store_table *table, struct store_record *records, size_t count,
                             struct store_commit *commit, struct mr_error *err);

int __wrap_store_table_ref(struct store *store, uint64_t database_id, uint64_t table_id,
                           struct store_table **out, struct mr_error *err)
{
    MR_UNUSED(store);
    MR_UNUSED(database_id);
    MR_UNUSED(table_id);
    MR_UNUSED(err);
    w.refs++;
    *out = (struct store_table *)&w;
    return MR_OK;
}

void __wrap_store_table_unref(struct store_table *table)
{
    assert_ptr_equal(table, &w);
    w.refs--;
}

static int decide(int status, struct store_record *records, size_t count, struct store_commit *commit)
{
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++)
        records[i].outcome = STORE_STORED;
    if (w.lose)
        records[0].outcome = STORE_REJECT_SAME_VERSION;
    if (status == MR_OK && w.later)
        w.commit = commit;
    else if (status == MR_OK)
        commit->done(commit);
    return status;
}

int __wrap_store_append(struct store_table *table, struct store_record *records, size_t count,
                        struct store_commit *commit, struct mr_error *err)
{
    MR_UNUSED(table);
    w.appends++;
    if (w.append == MR_EAGAIN)
        return mr_error_set(err, MR_EAGAIN, "files must be read");
    return decide(w.append, records, count, commit);
}

int __wrap_store_append_wait(struct store_table *table, struct store_record *records, size_t count,
                             struct store_commit *commit, struct mr_error *err)
{
    MR_UNUSED(table);
    MR_UNUSED(err);
    w.waits++;
    return decide(w.append_wait, records, count, commit);
}

static int defer(void *ctx, struct api_request *req)
{
    MR_UNUSED(ctx);
    assert_null(w.deferred);
    if (w.defer == MR_OK)
        w.deferred = req;
    return w.defer;
}

static void respond(struct api_request *req, unsigned status, struct mr_buf *body)
{
    MR_UNUSED(req);
    assert_int_equal(w.status, 0); /* exactly once */
    w.status = status;
    assert_true(body->len < sizeof w.body);
    memcpy(w.body, body->ptr, body->len);
    w.body[body->len] = '\0';
    mr_buf_release(body);
}

static int setup(void **state)
{
    MR_UNUSED(state);
    struct mr_error err = MR_ERROR_INIT;
    struct catalog_database database;
    struct catalog_table table = {.database = MR_STR("plant"),
                                  .name = MR_STR("pumps"),
                                  .memory_hours = 1,
                                  .magnetic_days = 30,
                                  .magnetic_writes = true};
    memset(&w, 0, sizeof w);
    w.dir = dir_make();
    mr_clock_manual_init(&w.clock, NOW);
    struct api_context *api = &w.options.context;
    api->clock = &w.clock;
    check_ok(catalog_open(w.dir, &w.clock, &api->catalog, &err), &err);
    check_ok(api_context_init(api, &err), &err);
    check_ok(catalog_database_create(api->catalog, MR_STR("plant"), MR_STR("alias/aws/timestream"), NULL, 0,
                                     &w.arena, &database, &err),
             &err);
    check_ok(catalog_table_create(api->catalog, &table, NULL, 0, &err), &err);
    check_ok(auth_keys_new(&w.keys), NULL);
    check_ok(auth_keys_add(w.keys, MR_STR("writer"), MR_STR("AKIDWRITER0000000001"), MR_STR(SECRET),
                           MR_STR_NULL, 0, false, &err),
             &err);
    check_ok(api_access_new(w.keys, NULL, &w.options.access), NULL);
    w.options.defer = defer;
    mr_log_set_level(MR_LOG_ERROR);
    return 0;
}

static int teardown(void **state)
{
    MR_UNUSED(state);
    mr_log_set_level(MR_LOG_INFO);
    assert_int_equal(w.refs, 0);
    api_server_free(w.server);
    api_context_release(&w.options.context);
    catalog_close(w.options.context.catalog);
    mr_arena_release(&w.arena);
    dir_remove(w.dir);
    return 0;
}

static struct mr_pair headers[6] = {
    {MR_STR("host"), MR_STR("localhost:8650")},
    {MR_STR("x-amz-target"), MR_STR("Timestream_20181101.WriteRecords")},
};

/* One record of now and one of two days ago, signed. */
static void send(struct api_request *req)
{
    const struct auth_credentials writer = {MR_STR("AKIDWRITER0000000001"), MR_STR(SECRET), MR_STR_NULL,
                                            MR_STR("eu-west-1"), MR_STR("timestream")};
    struct mr_error err = MR_ERROR_INIT;
    size_t added = 0;
    if (w.server == NULL)
        check_ok(api_server_new(&w.options, &w.server, &err), &err);
    *req = (struct api_request){
        .http = {MR_STR("POST"), MR_STR("/"), MR_STR_NULL, headers, 2,
                 MR_STR("{\"DatabaseName\":\"plant\",\"TableName\":\"pumps\",\"CommonAttributes\":{"
                        "\"Dimensions\":[{\"Name\":\"site\",\"Value\":\"n\"}],\"MeasureName\":\"flow\","
                        "\"MeasureValue\":\"1\"},\"Records\":[{\"Time\":\"1699827200000\"},"
                        "{\"Time\":\"1700000000000\"}]}")},
        .arena = &w.arena,
        .id = "REQUEST",
        .respond = respond,
    };
    check_ok(auth_sign(&writer, &req->http, NOW, &w.arena, headers + 2, &added), NULL);
    req->http.nheaders = 2 + added;
    w.status = 0;
    w.deferred = NULL;
    api_handle(w.server, req);
}

static void resume(void)
{
    struct api_request *req = w.deferred;
    assert_non_null(req);
    w.deferred = NULL;
    api_resume(w.server, req);
}

#define COUNTS "{\"RecordsIngested\":{\"MagneticStore\":1,\"MemoryStore\":1,\"Total\":2}}"

static void in_memory_nobody_waits(void **state)
{
    MR_UNUSED(state);
    struct api_request req;
    send(&req);
    assert_null(w.deferred);
    assert_int_equal(w.status, 200);
    assert_string_equal(w.body, COUNTS);
    assert_int_equal(w.waits, 0);
}

static void files_are_read_elsewhere(void **state)
{
    MR_UNUSED(state);
    struct api_request req;
    w.append = MR_EAGAIN;
    send(&req);
    assert_int_equal(w.status, 0);
    assert_int_equal(w.waits, 0);
    resume();
    assert_int_equal(w.appends, 1); /* judged once, not asked again */
    assert_int_equal(w.waits, 1);
    assert_int_equal(w.status, 200);
    assert_string_equal(w.body, COUNTS);

    w.lose = true;
    w.later = true; /* the answer stands before the data is on disk */
    send(&req);
    resume();
    assert_int_equal(w.status, 0);
    w.commit->done(w.commit);
    assert_int_equal(w.status, 419);
    assert_non_null(strstr(w.body, "\"RecordIndex\":0"));
}

static void conflicts_may_be_told_later(void **state)
{
    MR_UNUSED(state);
    struct api_request req;
    w.options.context.magnetic_conflicts_later = true;
    w.append = MR_EAGAIN;
    w.lose = true;
    send(&req);
    resume();
    assert_int_equal(w.status, 200);
    assert_string_equal(w.body, COUNTS);
    struct api_metrics *m = api_server_metrics(w.server);
    assert_int_equal(api_metrics_get(&m->records_unreported), 1);
    assert_int_equal(api_metrics_get(&m->records_magnetic), 0);
    assert_int_equal(api_metrics_get(&m->records_memory), 1);
}

static void a_full_queue_throttles(void **state)
{
    MR_UNUSED(state);
    struct api_request req;
    w.append = MR_EAGAIN;
    w.defer = MR_EBUSY;
    send(&req);
    assert_int_equal(w.status, 429);
    assert_non_null(strstr(w.body, "#ThrottlingException"));
    assert_int_equal(w.waits, 0);
}

static void refusals_of_the_waiting_call(void **state)
{
    MR_UNUSED(state);
    static const struct {
        int status;
        unsigned http;
        const char *text;
    } cases[] = {
        {MR_ENOENT, 404, "The table pumps does not exist."}, /* dropped meanwhile */
        {MR_EBUSY, 429, "Rate exceeded"},
        {MR_ELIMIT, 429, "The memory store is full."},
        {MR_EIO, 500, "InternalServerException"},
    };
    struct api_request req;
    w.append = MR_EAGAIN;
    for (size_t i = 0; i < MR_ARRAY_LEN(cases); i++) {
        w.append_wait = cases[i].status;
        send(&req);
        resume();
        assert_int_equal(w.status, cases[i].http);
        if (strstr(w.body, cases[i].text) == NULL)
            fail_msg("'%s' does not say '%s'", w.body, cases[i].text);
        assert_int_equal(w.refs, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(in_memory_nobody_waits), TEST(files_are_read_elsewhere),     TEST(conflicts_may_be_told_later),
        TEST(a_full_queue_throttles), TEST(refusals_of_the_waiting_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
