/* Eight writers, four readers, drops and expiry at once, on the real log. Made for ThreadSanitizer; on its
 * own it checks that a request is seen whole or not at all, that versions never go back, and that an
 * acknowledged row is there for the next snapshot. */
#include "kit.h"

#include "base/log.h"
#include "base/rand.h"
#include "lib/check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { WRITERS = 8, READERS = 4, REQUESTS = 400, TIMES = 40, DROPS = 15, LATE = 1000000 };

static struct kit kit;
static unsigned failures;      /* atomic; threads do not assert */
static unsigned writers_going; /* atomic */

static void expect(bool holds)
{
    if (!holds)
        __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
}

static void copy_name(char out[static 8], const char *prefix, unsigned n)
{
    snprintf(out, 8, "%s%u", prefix, n % 100);
}

/* Sum of the values of measures "left" and "right" of one writer, and its rows. */
struct sums {
    int64_t left, right;
    size_t left_rows, right_rows;
};

static bool scan_sums(struct store_table *table, struct store_snapshot *snapshot, unsigned writer,
                      const uint32_t columns[2], uint32_t host, struct sums *sums)
{
    char name[8];
    copy_name(name, "w", writer);
    struct mr_str value = mr_str_of(name);
    struct store_pred pred = {host, STORE_PRED_IN, &value, 1};
    struct store_scan_spec spec = {LATE, INT64_MAX, columns, 2, &pred, 1, NULL, 0};
    struct store_scan *scan;
    struct store_cursor *cursor = NULL;
    struct store_batch batch = {0};
    *sums = (struct sums){0};
    if (store_scan_open(snapshot, table, &spec, &scan, NULL) != MR_OK)
        return false;
    bool ok = store_cursor_open(scan, &cursor) == MR_OK;
    while (ok && store_cursor_next(cursor, &batch, NULL) == MR_OK && batch.rows != 0) {
        bool left = ((const struct mr_str *)batch.cols[0].values)->ptr[0] == 'l';
        for (size_t i = 0; i < batch.rows; i++)
            *(left ? &sums->left : &sums->right) += ((const int64_t *)batch.cols[1].values)[i];
        *(left ? &sums->left_rows : &sums->right_rows) += batch.rows;
    }
    store_cursor_close(cursor);
    store_scan_close(scan);
    return ok;
}

static void *write_pairs(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    struct mr_rng rng = {me + 1};
    char name[8];
    copy_name(name, "w", me);
    struct mr_pair dims = {MR_STR("host"), mr_str_of(name)};
    uint32_t columns[2] = {STORE_COLUMN_MEASURE_NAME, 0}, host = kit_column(kit.table, "host");
    columns[1] = kit_column(kit.table, "measure_value::bigint");
    int64_t sum = 0, latest[TIMES] = {0};
    for (int64_t version = 1; version <= REQUESTS; version++) {
        int64_t at = (int64_t)mr_rng_below(&rng, TIMES);
        struct store_attr value = kit_bigint(NULL, version), old = kit_bigint(NULL, 1);
        struct store_record r[] = {kit_record(&dims, 1, "left", LATE + at, version, &value, 1),
                                   kit_record(&dims, 1, "expiring", version, 1, &old, 1),
                                   kit_record(&dims, 1, "right", LATE + at, version, &value, 1)};
        int rc = kit_append(kit.table, r, 3);
        if (rc == MR_EBUSY) {
            version--;
            continue;
        }
        expect(rc == MR_OK && r[0].outcome == STORE_STORED && r[2].outcome == STORE_STORED);
        sum += version - latest[at];
        latest[at] = version;
        if (version % 50 == 0) { /* read your writes */
            struct store_snapshot *snapshot;
            struct sums sums;
            expect(store_snapshot_open(kit.store, &snapshot) == MR_OK);
            expect(scan_sums(kit.table, snapshot, me, columns, host, &sums) && sums.left == sum &&
                   sums.right == sum);
            store_snapshot_close(snapshot);
        }
    }
    __atomic_fetch_sub(&writers_going, 1, __ATOMIC_RELEASE);
    return NULL;
}

static void *read_pairs(void *arg)
{
    struct mr_rng rng = {(uint64_t)(uintptr_t)arg + 100};
    uint32_t columns[2] = {STORE_COLUMN_MEASURE_NAME, kit_column(kit.table, "measure_value::bigint")};
    uint32_t host = kit_column(kit.table, "host");
    int64_t seen[WRITERS] = {0};
    while (__atomic_load_n(&writers_going, __ATOMIC_ACQUIRE) != 0) {
        struct store_snapshot *snapshot;
        struct sums sums, again;
        unsigned writer = (unsigned)mr_rng_below(&rng, WRITERS);
        expect(store_snapshot_open(kit.store, &snapshot) == MR_OK);
        expect(scan_sums(kit.table, snapshot, writer, columns, host, &sums));
        expect(sums.left == sums.right && sums.left_rows == sums.right_rows);
        expect(sums.left >= seen[writer]);
        seen[writer] = sums.left;
        expect(scan_sums(kit.table, snapshot, writer, columns, host, &again));
        expect(again.left == sums.left && again.right == sums.right && again.left_rows == sums.left_rows);
        store_snapshot_close(snapshot);
    }
    return NULL;
}

static void *drop_tables(void *arg)
{
    MR_UNUSED(arg);
    struct mr_pair dims = {MR_STR("host"), MR_STR("x")};
    struct store_attr value = kit_bigint(NULL, 1);
    for (uint64_t id = 100; id < 100 + DROPS; id++) {
        struct store_table *table;
        struct store_snapshot *snapshot;
        struct store_scan *scan;
        struct store_scan_spec spec = {.time_max = INT64_MAX};
        expect(store_table_ref(kit.store, 3, id, &table, NULL) == MR_OK);
        struct store_record r = kit_record(&dims, 1, "m", 1, 1, &value, 1);
        expect(kit_append(table, &r, 1) == MR_OK);
        expect(store_snapshot_open(kit.store, &snapshot) == MR_OK);
        expect(store_scan_open(snapshot, table, &spec, &scan, NULL) == MR_OK);
        expect(store_table_drop(kit.store, id, NULL) == MR_OK);
        expect(kit_append(table, &r, 1) == MR_ENOENT);
        store_scan_close(scan);
        store_snapshot_close(snapshot);
        store_table_unref(table);
    }
    return NULL;
}

static void *expire_rows(void *arg)
{
    MR_UNUSED(arg);
    struct store_stats stats;
    struct mr_arena arena = MR_ARENA_INIT;
    struct store_schema schema;
    for (int64_t cutoff = 0; __atomic_load_n(&writers_going, __ATOMIC_ACQUIRE) != 0; cutoff += 7) {
        expect(store_expire(kit.table, cutoff < LATE ? cutoff : LATE, NULL) == MR_OK);
        store_stats(kit.store, &stats);
        expect(store_schema_get(kit.table, &arena, &schema) == MR_OK);
        mr_arena_reset(&arena);
    }
    mr_arena_release(&arena);
    return NULL;
}

static void seed(void)
{
    struct mr_pair dims = {MR_STR("host"), MR_STR("seed")};
    struct store_attr value = kit_bigint(NULL, 0);
    struct store_record r = kit_record(&dims, 1, "left", 0, 1, &value, 1);
    check_ok(kit_append(kit.table, &r, 1), NULL);
}

/* What no expiry touches. */
static char *late_rows(void)
{
    struct store_snapshot *snapshot;
    check_ok(store_snapshot_open(kit.store, &snapshot), NULL);
    char *text = kit_rows_at(snapshot, kit.table, NULL, 0, LATE, INT64_MAX);
    store_snapshot_close(snapshot);
    return text;
}

static void everything_at_once(struct store_options options)
{
    pthread_t threads[WRITERS + READERS + 2];
    size_t count = 0;
    kit = (struct kit){.options = options};
    kit_open(&kit);
    seed();
    writers_going = WRITERS;
    for (uintptr_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[count++], NULL, write_pairs, (void *)i), 0);
    for (uintptr_t i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[count++], NULL, read_pairs, (void *)i), 0);
    assert_int_equal(pthread_create(&threads[count++], NULL, drop_tables, NULL), 0);
    assert_int_equal(pthread_create(&threads[count++], NULL, expire_rows, NULL), 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    check_ok(store_expire(kit.table, LATE, NULL), NULL);
    char *before = late_rows();
    kit_reopen(&kit);
    check_ok(store_expire(kit.table, LATE, NULL), NULL);
    char *after = late_rows();
    assert_string_equal(after, before);
    mr_free(before);
    mr_free(after);
    kit_close(&kit);
}

static void test_everything_at_once(void **state)
{
    MR_UNUSED(state);
    everything_at_once((struct store_options){.by_hand = true});
}

/* The same while rows are flushed all the time and files are merged. */
static void test_with_files(void **state)
{
    MR_UNUSED(state);
    everything_at_once(
        (struct store_options){.flush_bytes = 16384, .flush_log_bytes = 65536, .window_ns = 100});
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_everything_at_once),
                                       cmocka_unit_test(test_with_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
