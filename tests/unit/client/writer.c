/* The batching writer against a service that remembers: nothing lost, nothing changed, every refusal
 * explained. */
#include "fake.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/writer.h"
#include "json/json.h"
#include "lib/dir.h"
#include "lib/fault.h"
#include "lib/simdisk.h"

#define IDS 20000

/* What the scripted service does with a record depends on its measure name: "poison" breaks its whole
 * request, "old" is rejected on its own, anything else is stored. */
struct service {
    struct client_world world;
    struct mr_clock clock;
    pthread_mutex_t lock;
    int status; /* not 0: every request is answered so */
    unsigned stored[IDS], rejected[IDS];
    unsigned requests, largest;
    size_t bytes;
    char reason[256];
    int64_t existing_version;
};

static const char *no_files(void *ctx, const char *name)
{
    (void)ctx;
    static const char *const env[][2] = {{"HOME", "/nonexistent"},
                                         {"AWS_REGION", "us-east-1"},
                                         {"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"},
                                         {"AWS_SECRET_ACCESS_KEY", "secret"},
                                         {"AWS_ENDPOINT_URL", "http://localhost:1"}};
    for (size_t i = 0; i < MR_ARRAY_LEN(env); i++)
        if (strcmp(env[i][0], name) == 0)
            return env[i][1];
    return NULL;
}

/* Time runs two hundred times as fast, so that pauses are short. */
static int64_t fast(const struct mr_clock *clock)
{
    (void)clock;
    return mr_clock_mono(&mr_clock_system) * 200;
}

static void no_sleep(void *ctx, int64_t ns)
{
    (void)ctx;
    (void)ns;
}

/* ---- records: everything about one follows from its id ---- */

struct sample {
    char texts[8][40];
    struct mr_dimension dimensions[3];
    struct mr_measure_value values[2];
    struct mr_record record;
};

static void make(unsigned id, const char *name, struct sample *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->texts[0], 40, "%u", id);
    snprintf(s->texts[1], 40, "host-%u", id / 10 % 7);
    snprintf(s->texts[2], 40, "%u", 1700000000 + id / 50);
    s->dimensions[0] = (struct mr_dimension){.name = mr_text("region"), .value = mr_text("north")};
    s->dimensions[1] = (struct mr_dimension){.name = mr_text("host"), .value = mr_text(s->texts[1])};
    s->dimensions[2] = (struct mr_dimension){.name = mr_text("unit"),
                                             .value = mr_text(id % 3 != 0 ? "a" : "b"),
                                             .dimension_value_type = MR_DIMENSION_VALUE_TYPE_VARCHAR};
    s->record = (struct mr_record){.dimensions = {s->dimensions, 2 + id % 2, true},
                                   .measure_name = mr_text(name != NULL  ? name
                                                           : id % 5 != 0 ? "cpu"
                                                                         : "mem"),
                                   .measure_value = mr_text(s->texts[0]),
                                   .measure_value_type = MR_MEASURE_VALUE_TYPE_BIGINT,
                                   .time = mr_text(s->texts[2])};
    if (id % 4 != 0)
        s->record.time_unit = MR_TIME_UNIT_SECONDS;
    if (id / 100 % 2 != 0)
        s->record.version = mr_int((int64_t)(id / 100));
    if (id % 11 == 0) {
        s->values[0] =
            (struct mr_measure_value){mr_text("load"), mr_text(s->texts[0]), MR_MEASURE_VALUE_TYPE_BIGINT};
        s->values[1] =
            (struct mr_measure_value){mr_text("up"), mr_text("true"), MR_MEASURE_VALUE_TYPE_BOOLEAN};
        s->record.measure_value_type = MR_MEASURE_VALUE_TYPE_MULTI;
        s->record.measure_value = mr_text(NULL);
        s->record.measure_values = (struct mr_measure_value_list){s->values, 2, true};
    }
}

static bool same(struct mr_str got, struct mr_text want)
{
    return (got.ptr == NULL) == (want.ptr == NULL) && got.len == want.len &&
           (got.len == 0 || memcmp(got.ptr, want.ptr, got.len) == 0);
}

/* The record after merging is what was appended; the order of dimensions is nobody's business. */
static bool equal(const struct model_record *got, const struct mr_record *want)
{
    bool good =
        same(got->measure_name, want->measure_name) && same(got->measure_value, want->measure_value) &&
        same(got->time, want->time) && got->time_unit == (int)want->time_unit &&
        got->measure_value_type == (int)want->measure_value_type && got->version.set == want->version.set &&
        (!got->version.set || got->version.v == want->version.v) &&
        got->dimensions.len == want->dimensions.len && got->measure_values.len == want->measure_values.len;
    for (size_t i = 0; good && i < want->dimensions.len; i++) {
        bool found = false;
        for (size_t k = 0; k < want->dimensions.len; k++)
            found = found || (same(got->dimensions.at[k].name, want->dimensions.at[i].name) &&
                              same(got->dimensions.at[k].value, want->dimensions.at[i].value));
        good = found;
    }
    for (size_t i = 0; good && i < want->measure_values.len; i++)
        good = same(got->measure_values.at[i].name, want->measure_values.at[i].name) &&
               same(got->measure_values.at[i].value, want->measure_values.at[i].value);
    return good;
}

/* ---- the service ---- */

static void merge(const struct model_record *common, struct model_record *r, struct mr_arena *arena)
{
    size_t n = common->dimensions.len + r->dimensions.len;
    struct model_dimension *all = MR_ARENA_ARRAY(arena, n, struct model_dimension);
    for (size_t i = 0; all != NULL && i < n; i++)
        all[i] = i < common->dimensions.len ? common->dimensions.at[i]
                                            : r->dimensions.at[i - common->dimensions.len];
    r->dimensions = (struct model_dimension_list){all, n, true};
    if (r->measure_name.ptr == NULL)
        r->measure_name = common->measure_name;
    if (r->time.ptr == NULL)
        r->time = common->time;
    if (r->time_unit == 0)
        r->time_unit = common->time_unit;
    if (r->measure_value_type == 0)
        r->measure_value_type = common->measure_value_type;
    if (!r->version.set)
        r->version = common->version;
}

static unsigned id_of(const struct model_record *r)
{
    struct mr_str text = r->measure_values.len > 0 ? r->measure_values.at[0].value : r->measure_value;
    int64_t id;
    MR_ASSERT(mr_str_to_i64(text, &id) && id >= 0 && id < IDS);
    return (unsigned)id;
}

/* Nothing is stored when memory is short: the caller sees it in the arena. */
static void answer(struct service *v, struct model_write_records_request *q, struct mr_arena *arena,
                   struct client_response *r)
{
    static const struct model_record nothing;
    const struct model_record *common = q->common_attributes != NULL ? q->common_attributes : &nothing;
    const char *between = "";
    for (size_t i = 0; i < q->records.len; i++) {
        merge(common, &q->records.at[i], arena);
        if (arena->failed)
            return;
        if (mr_str_eq(q->records.at[i].measure_name, MR_STR("poison"))) {
            r->status = 400;
            mr_buf_printf(
                &r->body,
                "{\"__type\":\"x#ValidationException\",\"message\":\"record %zu of %zu is poison\"}", i,
                q->records.len);
            return;
        }
    }
    mr_buf_str(&r->body, MR_STR("{\"__type\":\"x#RejectedRecordsException\",\"RejectedRecords\":["));
    r->status = 200;
    for (size_t i = 0; i < q->records.len; i++) {
        unsigned id = id_of(&q->records.at[i]);
        if (mr_str_eq(q->records.at[i].measure_name, MR_STR("old"))) {
            r->status = 419;
            mr_buf_printf(&r->body,
                          "%s{\"RecordIndex\":%zu,\"Reason\":\"id %u is too old\",\"ExistingVersion\":%u}",
                          between, i, id, id + 1);
            between = ",";
            continue;
        }
        struct sample want;
        make(id, NULL, &want);
        MR_ASSERT(equal(&q->records.at[i], &want.record));
        v->stored[id]++;
    }
    mr_buf_str(&r->body, MR_STR("],\"message\":\"some\"}"));
    if (r->status == 200)
        r->body.len = 0;
    if (r->status == 200)
        mr_buf_str(&r->body, MR_STR("{\"RecordsIngested\":{\"Total\":1}}"));
}

static int serve(void *ctx, const struct client_request *q, struct client_response *r)
{
    struct service *v = ctx;
    struct mr_arena arena = MR_ARENA_INIT;
    struct model_fault fault = {0};
    void *request = NULL;
    bool failed = false;
    pthread_mutex_lock(&v->lock);
    r->framed = true;
    v->requests++;
    v->bytes += q->body.len;
    if (v->status == -1) {
        pthread_mutex_unlock(&v->lock);
        return MR_ERR_NETWORK;
    }
    if (v->status != 0) {
        r->status = v->status;
        mr_buf_str(&r->body, MR_STR("{\"__type\":\"x#SomeException\",\"message\":\"as the test wants it\"}"));
    } else {
        int rc = model_decode(&model_shape_write_records_request, q->body, &arena, &request, &fault);
        MR_ASSERT(rc == MR_OK || rc == MR_ENOMEM);
        struct model_write_records_request *w = request;
        if (rc == MR_OK) {
            v->largest = w->records.len > v->largest ? (unsigned)w->records.len : v->largest;
            answer(v, w, &arena, r);
        }
        failed = rc != MR_OK;
    }
    failed = failed || arena.failed || !mr_buf_ok(&r->body);
    pthread_mutex_unlock(&v->lock);
    mr_arena_release(&arena);
    return failed ? MR_ERR_MEMORY : 0;
}

static void service_init(struct service *v)
{
    memset(v, 0, sizeof *v);
    v->clock = (struct mr_clock){.wall = mr_clock_system.wall, .mono = fast};
    v->world = (struct client_world){.clock = &v->clock,
                                     .clock_speed = 200,
                                     .io = &mr_io_posix,
                                     .env = no_files,
                                     .sleep = no_sleep,
                                     .send = serve,
                                     .ctx = v};
    pthread_mutex_init(&v->lock, NULL);
}

static void set_status(struct service *v, int status)
{
    pthread_mutex_lock(&v->lock);
    v->status = status;
    pthread_mutex_unlock(&v->lock);
}

static void on_reject(void *arg, const struct mr_record *record, const struct mr_rejection *why)
{
    struct service *v = arg;
    pthread_mutex_lock(&v->lock);
    v->rejected[id_of((const struct model_record *)(const void *)record)]++;
    snprintf(v->reason, sizeof v->reason, "%s: %s", why->code, why->reason);
    v->existing_version = why->existing_version;
    pthread_mutex_unlock(&v->lock);
}

static struct mr_client *client_of(struct service *v)
{
    struct mr_client *c;
    assert_int_equal(client_open_in(&v->world, NULL, &c, NULL), 0);
    return c;
}

static struct mr_writer_options options_of(struct service *v)
{
    struct mr_writer_options o = MR_WRITER_OPTIONS_INIT;
    o.database = "plant";
    o.table = "machines";
    o.on_reject = on_reject;
    o.arg = v;
    return o;
}

static struct mr_writer *open_writer(struct mr_client *c, const struct mr_writer_options *o)
{
    struct mr_writer *w = NULL;
    struct mr_fault fault = MR_FAULT_INIT;
    if (mr_writer_open(c, o, &w, &fault) != 0)
        fail_msg("mr_writer_open: %s", fault.message);
    mr_fault_clear(&fault);
    return w;
}

static int append(struct mr_writer *w, unsigned id, const char *name)
{
    struct sample s;
    make(id, name, &s);
    return mr_writer_append(w, &s.record, NULL);
}

static void check_stored(const struct service *v, unsigned from, unsigned to, bool once)
{
    for (unsigned id = from; id < to; id++)
        if (v->stored[id] == 0 || (once && v->stored[id] != 1))
            fail_msg("record %u was stored %u times", id, v->stored[id]);
}

/* ---- tests ---- */

struct producer {
    struct mr_writer *w;
    unsigned from, to;
};

static void *produce(void *arg)
{
    struct producer *p = arg;
    for (unsigned id = p->from; id < p->to; id++)
        MR_ASSERT(append(p->w, id, NULL) == 0);
    return NULL;
}

static struct service v; /* too large for a stack */

static void test_everything_arrives_unchanged(void **state)
{
    (void)state;
    service_init(&v);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    o.memory_bytes = 200000; /* less than all: producers have to wait */
    o.senders = 3;
    struct mr_writer *w = open_writer(c, &o);
    pthread_t threads[4];
    struct producer p[4];
    for (unsigned i = 0; i < 4; i++) {
        p[i] = (struct producer){w, i * 2500, (i + 1) * 2500};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &p[i]), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(mr_writer_flush(w, -1, NULL), 0);
    check_stored(&v, 0, 10000, true);
    struct mr_writer_stats s;
    mr_writer_stats(w, &s);
    assert_int_equal(s.appended, 10000);
    assert_int_equal(s.written, 10000);
    assert_int_equal(s.memory_bytes, 0);
    assert_int_equal(v.largest, 100);
    assert_int_equal(mr_writer_close(w, 0, NULL), 0);
    mr_client_close(c);
}

static void test_what_is_shared_is_sent_once(void **state)
{
    (void)state;
    service_init(&v);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    struct mr_writer *w = open_writer(c, &o);
    size_t alone = 0;
    for (unsigned id = 0; id < 100; id++) {
        struct sample s;
        struct mr_buf text = MR_BUF_INIT;
        make(id, NULL, &s);
        model_encode(&model_shape_record, &s.record, &text);
        alone += text.len;
        mr_buf_release(&text);
        assert_int_equal(append(w, id, NULL), 0);
    }
    assert_int_equal(mr_writer_close(w, -1, NULL), 0);
    check_stored(&v, 0, 100, true);
    assert_true(v.bytes < alone * 9 / 10); /* region and version, the rest differs in these records */
    mr_client_close(c);
}

static void test_linger(void **state)
{
    (void)state;
    service_init(&v);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    struct mr_writer *w = open_writer(c, &o);
    struct mr_writer_stats s;
    assert_int_equal(append(w, 1, NULL), 0);
    do /* nobody flushes: the batch goes out when its time is over */
        mr_writer_stats(w, &s);
    while (s.written == 0);
    assert_int_equal(mr_writer_close(w, 0, NULL), 0);
    mr_client_close(c);
}

static void test_rejections_name_their_record(void **state)
{
    (void)state;
    service_init(&v);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    o.senders = 1;
    struct mr_writer *w = open_writer(c, &o);
    for (unsigned id = 0; id < 300; id++)
        assert_int_equal(append(w, id,
                                id == 37 || id == 38 || id == 255 ? "poison"
                                : id == 142                       ? "old"
                                                                  : NULL),
                         0);
    assert_int_equal(mr_writer_flush(w, -1, NULL), 0);
    for (unsigned id = 0; id < 300; id++) {
        bool bad = id == 37 || id == 38 || id == 255 || id == 142;
        assert_int_equal(v.rejected[id], bad);
        assert_int_equal(v.stored[id], !bad);
    }
    assert_string_equal(v.reason, "ValidationException: record 0 of 1 is poison");
    assert_int_equal(append(w, 7, "old"), 0);
    assert_int_equal(mr_writer_flush(w, -1, NULL), 0);
    assert_string_equal(v.reason, "RejectedRecordsException: id 7 is too old");
    assert_int_equal(v.existing_version, 8);
    set_status(&v, 404); /* no table: nothing to be found out by splitting */
    unsigned before = v.requests;
    for (unsigned id = 400; id < 450; id++)
        assert_int_equal(append(w, id, NULL), 0);
    assert_int_equal(mr_writer_flush(w, -1, NULL), 0);
    assert_int_equal(v.requests, before + 1);
    assert_string_equal(v.reason, "SomeException: as the test wants it");
    assert_int_equal(mr_writer_close(w, 0, NULL), 0);
    mr_client_close(c);
}

static void test_memory_is_bounded(void **state)
{
    (void)state;
    struct mr_fault fault = MR_FAULT_INIT;
    struct mr_writer_stats s;
    static const int outages[] = {-1, 503, 429, 403, 302};
    for (size_t i = 0; i < MR_ARRAY_LEN(outages); i++) {
        service_init(&v);
        set_status(&v, outages[i]);
        struct mr_client *c = client_of(&v);
        struct mr_writer_options o = options_of(&v);
        o.memory_bytes = 20000;
        o.block_ms = 0;
        struct mr_writer *w = open_writer(c, &o);
        unsigned id = 0;
        struct sample sample;
        do
            make(id, NULL, &sample);
        while (mr_writer_append(w, &sample.record, &fault) == 0 && ++id < 5000);
        assert_int_equal(fault.error, MR_ERR_FULL);
        mr_writer_stats(w, &s);
        assert_true(s.memory_bytes <= 20000 && id > 100);
        assert_int_equal(mr_writer_flush(w, 1, &fault), MR_ERR_TIMEOUT);
        set_status(&v, 0);
        assert_int_equal(mr_writer_flush(w, -1, &fault), 0);
        check_stored(&v, 0, id, true);
        assert_int_equal(append(w, id, NULL), 0);
        assert_int_equal(mr_writer_close(w, -1, &fault), 0);
        check_stored(&v, 0, id + 1, true);
        mr_client_close(c);
    }
    mr_fault_clear(&fault);
}

static void test_giving_up_and_closing(void **state)
{
    (void)state;
    struct mr_fault fault = MR_FAULT_INIT;
    service_init(&v);
    set_status(&v, 503);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    o.give_up_ms = 5000;
    struct mr_writer *w = open_writer(c, &o);
    for (unsigned id = 0; id < 150; id++)
        assert_int_equal(append(w, id, NULL), 0);
    assert_int_equal(mr_writer_flush(w, -1, &fault), 0);
    for (unsigned id = 0; id < 150; id++)
        assert_int_equal(v.rejected[id], 1);
    assert_string_equal(v.reason, "SomeException: as the test wants it");
    assert_int_equal(mr_writer_close(w, 0, &fault), 0);

    o.give_up_ms = 0;
    w = open_writer(c, &o);
    for (unsigned id = 200; id < 350; id++)
        assert_int_equal(append(w, id, NULL), 0);
    assert_int_equal(mr_writer_close(w, 10, &fault), MR_ERR_TIMEOUT);
    for (unsigned id = 200; id < 350; id++)
        assert_int_equal(v.rejected[id], 1);
    assert_non_null(strstr(v.reason, "NotSent: "));
    mr_client_close(c);
    mr_fault_clear(&fault);
}

static void test_outage_with_a_spool(void **state)
{
    (void)state;
    service_init(&v);
    char *dir = dir_make();
    set_status(&v, -1);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    struct mr_writer_stats s;
    o.spool_dir = dir;
    o.memory_bytes = 30000;
    struct mr_writer *w = open_writer(c, &o);
    for (unsigned id = 0; id < 3000; id++)
        assert_int_equal(append(w, id, NULL), 0); /* blocks for the disk only */
    assert_int_equal(mr_writer_close(w, -1, NULL), 0);
    assert_int_equal(v.stored[0], 0);

    set_status(&v, 0);
    w = open_writer(c, &o);
    for (unsigned id = 3000; id < 3100; id++)
        assert_int_equal(append(w, id, NULL), 0);
    do
        mr_writer_stats(w, &s);
    while (s.written < 3100);
    assert_int_equal(s.recovered, 3000);
    assert_int_equal(mr_writer_close(w, -1, NULL), 0);
    check_stored(&v, 0, 3100, true);
    w = open_writer(c, &o); /* and nothing is left to be sent twice */
    mr_writer_stats(w, &s);
    assert_int_equal(s.recovered, 0);
    assert_int_equal(s.spool_bytes, 0);
    assert_int_equal(mr_writer_close(w, 0, NULL), 0);
    mr_client_close(c);
    dir_remove(dir);
}

/* What a flush covered is stored or on the disk, whenever the power goes. */
static void test_power_cut(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        service_init(&v);
        struct simdisk *disk = simdisk_new();
        v.world.io = simdisk_io(disk);
        assert_int_equal(v.world.io->mkdir(v.world.io->ctx, "/spool", 0700), 0);
        assert_int_equal(mr_io_sync_dir(v.world.io, "/", NULL), MR_OK);
        set_status(&v, seed % 3 == 0 ? 503 : 0);
        struct mr_client *c = client_of(&v);
        struct mr_writer_options o = options_of(&v);
        o.spool_dir = "/spool";
        o.spool_mode = MR_SPOOL_ALWAYS;
        struct mr_writer *w = open_writer(c, &o);
        unsigned covered = (unsigned)(100 + seed * 37 % 400);
        for (unsigned id = 0; id < covered; id++)
            assert_int_equal(append(w, id, NULL), 0);
        assert_int_equal(mr_writer_flush(w, -1, NULL), 0);
        size_t moment = simdisk_changes(disk);
        for (unsigned id = covered; id < covered + 150; id++)
            assert_int_equal(append(w, id, NULL), 0);
        set_status(&v, 503); /* nothing more gets through after the cut but what the disk holds */
        struct simdisk *after =
            simdisk_power_cut(disk, moment, (enum simdisk_keep)(seed % SIMDISK_KEEPS), seed);
        mr_writer_close(w, 0, NULL);
        mr_client_close(c);

        v.world.io = simdisk_io(after);
        set_status(&v, 0);
        c = client_of(&v);
        w = open_writer(c, &o);
        struct mr_writer_stats s;
        struct spool_stats spool;
        do {
            client_spool_stats(w->spool, &spool);
            mr_writer_stats(w, &s);
        } while (spool.frames > 0);
        assert_int_equal(mr_writer_close(w, -1, NULL), 0);
        mr_client_close(c);
        check_stored(&v, 0, covered, false);
        simdisk_free(disk);
        simdisk_free(after);
    }
}

static void test_bad_records_and_options(void **state)
{
    (void)state;
    struct mr_fault fault = MR_FAULT_INIT;
    struct mr_writer *w;
    service_init(&v);
    struct mr_client *c = client_of(&v);
    struct mr_writer_options o = options_of(&v);
    o.batch_records = 101;
    assert_int_equal(mr_writer_open(c, &o, &w, &fault), MR_ERR_ARGUMENT);
    o = options_of(&v);
    o.table = NULL;
    assert_int_equal(mr_writer_open(c, &o, &w, &fault), MR_ERR_ARGUMENT);
    o = options_of(&v);
    o.spool_dir = "/nonexistent/spool";
    assert_int_equal(mr_writer_open(c, &o, &w, &fault), MR_ERR_IO);
    assert_int_equal(mr_writer_open(c, NULL, &w, &fault), MR_ERR_ARGUMENT);
    o = options_of(&v);
    w = open_writer(c, &o);
    struct sample s;
    make(1, NULL, &s);
    s.record.measure_name = mr_text("\xff");
    assert_int_equal(mr_writer_append(w, &s.record, &fault), MR_ERR_ARGUMENT);
    char *large = calloc(1, 70000);
    memset(large, 'x', 69999);
    make(1, NULL, &s);
    s.record.measure_value = mr_text(large);
    assert_int_equal(mr_writer_append(w, &s.record, &fault), MR_ERR_ARGUMENT);
    free(large);
    assert_int_equal(mr_writer_append(w, NULL, &fault), MR_ERR_ARGUMENT);
    assert_int_equal(mr_writer_close(w, -1, &fault), 0);
    assert_int_equal(v.requests, 0);
    mr_client_close(c);
    mr_fault_clear(&fault);
}

/* Some allocation fails, in the program or in a sender: what append took arrives all the same. */
static void test_failing_memory(void **state)
{
    (void)state;
    unsigned refused = 0;
    for (unsigned nth = 1; nth <= 250; nth++) {
        bool taken[130];
        service_init(&v);
        struct mr_client *c = client_of(&v);
        struct mr_writer_options o = options_of(&v);
        struct mr_writer *w = open_writer(c, &o);
        fault_alloc(nth);
        for (unsigned id = 0; id < MR_ARRAY_LEN(taken); id++) {
            taken[id] = append(w, id, NULL) == 0;
            refused += !taken[id];
        }
        int rc = mr_writer_flush(w, -1, NULL);
        fault_alloc(0);
        assert_int_equal(rc, 0);
        assert_int_equal(mr_writer_close(w, -1, NULL), 0);
        mr_client_close(c);
        for (unsigned id = 0; id < MR_ARRAY_LEN(taken); id++)
            if (taken[id] != (v.stored[id] > 0))
                fail_msg("allocation %u: record %u was %staken and stored %u times", nth, id,
                         taken[id] ? "" : "not ", v.stored[id]);
    }
    assert_true(refused > 0);
}

/* Packed bytes from elsewhere never do more than be refused. */
static void test_packed_bytes(void **state)
{
    (void)state;
    struct mr_rng rng = {5};
    struct mr_buf buf = MR_BUF_INIT;
    struct sample s;
    make(22, NULL, &s);
    client_batch_pack(&buf, (const struct model_record *)(const void *)&s.record);
    for (int round = 0; round < 20000; round++) {
        char bytes[256];
        struct mr_arena arena = {.limit = 1 << 20};
        struct model_record r;
        memcpy(bytes, buf.ptr, buf.len);
        bytes[mr_rng_below(&rng, buf.len)] = (char)mr_rng_next(&rng);
        struct mr_cursor c = mr_cursor_of(bytes, buf.len - mr_rng_below(&rng, 3));
        int rc = client_batch_unpack(&c, &arena, &r);
        assert_true(rc == MR_OK || rc == MR_ECORRUPT);
        mr_arena_release(&arena);
    }
    mr_buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everything_arrives_unchanged),
        cmocka_unit_test(test_what_is_shared_is_sent_once),
        cmocka_unit_test(test_linger),
        cmocka_unit_test(test_rejections_name_their_record),
        cmocka_unit_test(test_memory_is_bounded),
        cmocka_unit_test(test_giving_up_and_closing),
        cmocka_unit_test(test_outage_with_a_spool),
        cmocka_unit_test(test_power_cut),
        cmocka_unit_test(test_bad_records_and_options),
        cmocka_unit_test(test_packed_bytes),
        cmocka_unit_test(test_failing_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
