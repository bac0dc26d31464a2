/* The retention job: what it deletes, and when it does not trust the clock. */
#include "lib/check.h"

#include "lib/dir.h"

#include "server/retention.h"

#include <pthread.h>

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

static void test_rows_past_retention_go(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    struct mr_clock clock;
    int64_t now = 20000 * MR_NS_PER_DAY;
    mr_clock_manual_init(&clock, now);
    struct catalog *catalog = NULL;
    struct store *store = NULL;
    struct store_table *table = NULL;
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database database;
    struct catalog_table info = {
        .database = MR_STR("dbx"), .name = MR_STR("tbl"), .memory_hours = 1, .magnetic_days = 1};
    const struct store_options options = {
        .io = &mr_io_posix, .clock = &mr_clock_system, .dir = dir, .wal_segment_bytes = 1 << 20};
    check_ok(catalog_open(dir, &clock, &catalog, &err), &err);
    check_ok(store_open(&options, &store, &err), &err);
    check_ok(catalog_database_create(catalog, MR_STR("dbx"), MR_STR("alias/aws/timestream"), NULL, 0, &arena,
                                     &database, &err),
             &err);
    check_ok(catalog_table_create(catalog, &info, NULL, 0, &err), &err);
    check_ok(store_table_ref(store, info.database_id, info.id, &table, &err), &err);
    int64_t end = 25 * MR_NS_PER_HOUR; /* an hour in memory, a day after it */
    put(table, now - end - 1);
    put(table, now - end);
    put(table, now);
    check_ok(retention_run(catalog, store, now, &err), &err);
    struct store_stats stats;
    store_stats(store, &stats);
    assert_int_equal(stats.rows, 2);
    check_ok(retention_run(catalog, store, now + MR_NS_PER_DAY, &err), &err);
    store_stats(store, &stats);
    assert_int_equal(stats.rows, 1);
    store_table_unref(table);
    store_close(store);
    catalog_close(catalog);
    mr_arena_release(&arena);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_trust),
        cmocka_unit_test(test_rows_past_retention_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
