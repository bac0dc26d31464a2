/* The retention job: what it deletes, and when it does not trust the clock. */
#include "lib/check.h"

#include "lib/dir.h"

#include "base/log.h"
#include "server/retention.h"

#include <pthread.h>
#include <sched.h>

#define MINUTE (60 * MR_NS_PER_S)

static void test_clock_trust(void **state)
{
    MR_UNUSED(state);
    struct retention_clock c = {0};
    int64_t wall = 1000 * MR_NS_PER_DAY, mono = 5;
    assert_false(retention_clock_check(&c, wall, mono)); /* just started */
    assert_false(retention_clock_check(&c, wall + 9 * MINUTE, mono + 9 * MINUTE));
    assert_true(retention_clock_check(&c, wall + 10 * MINUTE, mono + 10 * MINUTE));
    assert_true(
        retention_clock_check(&c, wall + 60 * MINUTE, mono + 11 * MINUTE)); /* 49 minutes: within reason */
    assert_false(retention_clock_check(&c, wall + 9000 * MINUTE, mono + 12 * MINUTE)); /* years ahead */
    assert_false(retention_clock_check(&c, wall + 9009 * MINUTE, mono + 21 * MINUTE));
    assert_true(retention_clock_check(&c, wall + 9010 * MINUTE, mono + 22 * MINUTE));
    assert_false(retention_clock_check(&c, wall, mono + 23 * MINUTE)); /* and back */
}

struct waiter {
    struct store_commit commit;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool durable;
};

static void on_durable(struct store_commit *commit)
{
    struct waiter *w = (struct waiter *)commit;
    pthread_mutex_lock(&w->lock);
    w->durable = true;
    pthread_cond_signal(&w->done);
    pthread_mutex_unlock(&w->lock);
}

static void put(struct store_table *table, int64_t time)
{
    static const struct mr_pair dims[] = {{MR_STR("host"), MR_STR("a")}};
    struct store_attr attr = {.value = {.type = STORE_DOUBLE, .f64 = 1}};
    struct store_record record = {.dims = dims,
                                  .ndims = 1,
                                  .nattrs = 1,
                                  .measure_name = MR_STR("cpu"),
                                  .type = STORE_DOUBLE,
                                  .attrs = &attr,
                                  .time = time,
                                  .version = 1};
    struct waiter w = {
        .commit.done = on_durable, .lock = PTHREAD_MUTEX_INITIALIZER, .done = PTHREAD_COND_INITIALIZER};
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_append(table, &record, 1, &w.commit, &err), &err);
    pthread_mutex_lock(&w.lock);
    while (!w.durable)
        pthread_cond_wait(&w.done, &w.lock);
    pthread_mutex_unlock(&w.lock);
}

/* A catalog with one table (an hour in memory, a day after it), a store, and the job without its thread. */
struct world {
    char *dir;
    struct mr_clock clock;
    struct catalog *catalog;
    struct store *store;
    struct store_table *table;
    struct retention_job *job;
};

#define START (20000 * MR_NS_PER_DAY)
#define LIFE (25 * MR_NS_PER_HOUR)

/* `jumps`: the wall clock alone is set by the test, the monotonic one goes on as the system's. */
static void world_open(struct world *w, bool trusting, bool jumps)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database database;
    struct catalog_table info = {
        .database = MR_STR("dbx"), .name = MR_STR("tbl"), .memory_hours = 1, .magnetic_days = 1};
    *w = (struct world){.dir = dir_make()};
    mr_clock_manual_init(&w->clock, START);
    if (jumps)
        w->clock.mono = mr_clock_system.mono;
    const struct store_options options = {
        .io = &mr_io_posix, .clock = &w->clock, .dir = w->dir, .wal_segment_bytes = 1 << 20};
    check_ok(catalog_open(w->dir, &w->clock, &w->catalog, &err), &err);
    check_ok(store_open(&options, &w->store, &err), &err);
    check_ok(catalog_database_create(w->catalog, MR_STR("dbx"), MR_STR("alias/aws/timestream"), NULL, 0,
                                     &arena, &database, &err),
             &err);
    check_ok(catalog_table_create(w->catalog, &info, NULL, 0, &err), &err);
    check_ok(store_table_ref(w->store, info.database_id, info.id, &w->table, &err), &err);
    const struct retention_options job = {w->catalog, w->store, &w->clock, trusting, 0};
    check_ok(retention_start(&job, &w->job, &err), &err);
    mr_arena_release(&arena);
}

/* The store alone, from its log and files. */
static void world_restart(struct world *w)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_table info;
    retention_stop(w->job);
    store_table_unref(w->table);
    store_close(w->store);
    const struct store_options options = {
        .io = &mr_io_posix, .clock = &w->clock, .dir = w->dir, .wal_segment_bytes = 1 << 20};
    check_ok(store_open(&options, &w->store, &err), &err);
    check_ok(catalog_table_get(w->catalog, MR_STR("dbx"), MR_STR("tbl"), &arena, &info, NULL), NULL);
    check_ok(store_table_ref(w->store, info.database_id, info.id, &w->table, &err), &err);
    const struct retention_options job = {w->catalog, w->store, &w->clock, true, 0};
    check_ok(retention_start(&job, &w->job, &err), &err);
    mr_arena_release(&arena);
}

static void world_close(struct world *w)
{
    retention_stop(w->job);
    store_table_unref(w->table);
    store_close(w->store);
    catalog_close(w->catalog);
    dir_remove(w->dir);
}

static uint64_t rows(const struct world *w)
{
    struct store_stats stats;
    store_stats(w->store, &stats);
    return stats.rows + stats.file_rows;
}

/* As UpdateTable does it. */
static void set_retention(struct world *w, int64_t hours, int64_t days)
{
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_table out;
    const struct catalog_table_change change = {
        .set_retention = true, .memory_hours = hours, .magnetic_days = days};
    check_ok(retention_change_begin(w->job, MR_STR("dbx"), MR_STR("tbl"), hours + days * 24, &err), &err);
    check_ok(catalog_table_update(w->catalog, MR_STR("dbx"), MR_STR("tbl"), &change, &arena, &out, &err),
             &err);
    retention_change_end(w->job);
    mr_arena_release(&arena);
}

static void test_rows_past_retention_go(void **state)
{
    MR_UNUSED(state);
    struct world w;
    struct mr_error err = MR_ERROR_INIT;
    world_open(&w, true, false);
    put(w.table, START - LIFE - 1);
    put(w.table, START - LIFE);
    put(w.table, START);
    check_ok(retention_now(w.job, &err), &err);
    assert_int_equal(rows(&w), 2);
    mr_clock_manual_set(&w.clock, START + 1);
    check_ok(retention_now(w.job, &err), &err);
    assert_int_equal(rows(&w), 1);
    mr_clock_manual_set(&w.clock, START + LIFE);
    check_ok(retention_now(w.job, &err), &err);
    assert_int_equal(rows(&w), 1); /* the last nanosecond of its life */
    mr_clock_manual_set(&w.clock, START + LIFE + 1);
    check_ok(retention_now(w.job, &err), &err);
    assert_int_equal(rows(&w), 0);
    world_close(&w);
}

/* Reference 6: what a shorter retention has cut off does not come back with a longer one. */
static void test_longer_retention_brings_nothing_back(void **state)
{
    MR_UNUSED(state);
    struct world w;
    world_open(&w, false, false);
    set_retention(&w, 1, 30);
    put(w.table, START - 20 * MR_NS_PER_DAY);
    put(w.table, START - 10 * MR_NS_PER_DAY - 3 * MR_NS_PER_HOUR);
    put(w.table, START - 10 * MR_NS_PER_DAY); /* of one file with the one before */
    put(w.table, START);
    check_ok(store_flush(w.store, NULL), NULL);
    set_retention(&w, 1, 10); /* shorter: the job's business, at its time */
    assert_int_equal(rows(&w), 4);
    set_retention(&w, 25, 9); /* the same sum, divided otherwise */
    assert_int_equal(rows(&w), 4);
    set_retention(&w, 1, 300);
    assert_int_equal(rows(&w), 2);
    world_restart(&w);
    assert_int_equal(rows(&w), 2);
    world_close(&w);
}

static void test_no_removal_by_a_clock_that_jumped(void **state)
{
    MR_UNUSED(state);
    struct world w;
    struct mr_error err = MR_ERROR_INIT;
    mr_log_set_level(MR_LOG_ERROR);
    world_open(&w, false, true);
    put(w.table, START);
    set_retention(&w, 1, 2);
    mr_clock_manual_set(&w.clock, START + 1000 * MR_NS_PER_DAY);
    set_retention(&w, 1, 3);
    assert_int_equal(rows(&w), 1);
    world_close(&w);

    world_open(&w, true, true);
    put(w.table, START);
    mr_clock_manual_set(&w.clock, START + 1000 * MR_NS_PER_DAY);
    set_retention(&w, 1, 3);
    assert_int_equal(rows(&w), 0);
    assert_int_equal(retention_change_begin(w.job, MR_STR("dbx"), MR_STR("nil"), 1, &err), MR_OK);
    retention_change_end(w.job);
    world_close(&w);
    mr_log_set_level(MR_LOG_INFO);
}

static struct {
    struct world *world;
    bool stop;
} eager;

static void *expire_eagerly(void *arg)
{
    MR_UNUSED(arg);
    while (!__atomic_load_n(&eager.stop, __ATOMIC_ACQUIRE)) {
        struct mr_error err = MR_ERROR_INIT;
        check_ok(retention_now(eager.world->job, &err), &err);
    }
    return NULL;
}

/* A run under way when a retention grows goes by the new one: a late record that it lets in stays. */
static void test_a_run_knows_the_retention_of_now(void **state)
{
    MR_UNUSED(state);
    struct world w;
    pthread_t thread;
    world_open(&w, false, false);
    eager.world = &w;
    eager.stop = false;
    assert_int_equal(pthread_create(&thread, NULL, expire_eagerly, NULL), 0);
    for (int i = 0; i < 50; i++) {
        set_retention(&w, 1, 1);
        set_retention(&w, 1, 1000);
        assert_int_equal(rows(&w), 0);
        put(w.table, START - 500 * MR_NS_PER_DAY + i);
        for (int k = 0; k < 20; k++) {
            assert_int_equal(rows(&w), 1);
            sched_yield();
        }
    }
    __atomic_store_n(&eager.stop, true, __ATOMIC_RELEASE);
    pthread_join(thread, NULL);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_trust),
        cmocka_unit_test(test_rows_past_retention_go),
        cmocka_unit_test(test_longer_retention_brings_nothing_back),
        cmocka_unit_test(test_no_removal_by_a_clock_that_jumped),
        cmocka_unit_test(test_a_run_knows_the_retention_of_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
