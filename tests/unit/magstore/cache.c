/* The cache of decoded blocks: what it holds is what the file says, it stays within its budget, and what is
 * held or forgotten goes when it should. */
#include <pthread.h>

#include "lib/check.h"
#include "magstore/cache.h"
#include "unit/magstore/rows_kit.h"

static struct kit_place kit;
static struct kit_model model;
static struct magstore_reader *reader;

static int write_segment(void **state)
{
    struct mr_rng rng = {3};
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_info info;
    MR_UNUSED(state);
    kit_open(&kit);
    for (uint32_t i = 0; i < 30000; i++)
        kit_fill(&model, kit_append(&model, i / 3000, (int64_t)(i % 3000) * 10, i % 5 == 0 ? 2 : 1), &rng);
    kit_settle(&model);
    kit_write(&kit.place, &model, &rng, &info);
    assert_true(info.blocks > 4);
    check_ok(magstore_reader_open(&kit.place, &reader, &err), &err);
    return 0;
}

static int remove_segment(void **state)
{
    MR_UNUSED(state);
    magstore_reader_close(reader);
    kit_free(&model);
    kit_close(&kit);
    return 0;
}

static struct magstore_cache_stats stats_of(struct magstore_cache *cache)
{
    struct magstore_cache_stats stats;
    magstore_cache_stats(cache, &stats);
    return stats;
}

static void test_what_is_kept_is_what_was_read(void **state)
{
    struct magstore_cache *cache;
    MR_UNUSED(state);
    assert_int_equal(magstore_cache_open((size_t)64 << 20, &cache), MR_OK);
    magstore_reader_use(reader, cache);
    kit_compare(reader, &model);
    struct magstore_cache_stats first = stats_of(cache);
    assert_true(first.bytes > 0);
    kit_compare(reader, &model);
    struct magstore_cache_stats second = stats_of(cache);
    assert_int_equal(second.misses, first.misses);
    assert_true(second.hits > first.hits);
    assert_int_equal(second.bytes, first.bytes);
    magstore_reader_use(reader, NULL);
    magstore_cache_close(cache);
}

static void test_the_budget_holds(void **state)
{
    struct magstore_cache *cache;
    MR_UNUSED(state);
    for (size_t bytes = 0; bytes <= (size_t)2 << 20; bytes += (size_t)512 << 10) {
        assert_int_equal(magstore_cache_open(bytes, &cache), MR_OK);
        magstore_reader_use(reader, cache);
        kit_compare(reader, &model);
        kit_compare(reader, &model);
        assert_true(stats_of(cache).bytes <= bytes);
        magstore_reader_use(reader, NULL);
        magstore_cache_close(cache);
    }
}

static struct magstore_cached *piece_of(uint64_t file, uint32_t piece, size_t bytes)
{
    struct magstore_cached *p = mr_calloc(1, sizeof *p);
    assert_non_null(p);
    p->reader = file;
    p->piece = piece;
    p->bytes = bytes;
    p->values = mr_malloc(8);
    assert_non_null(p->values);
    return p;
}

static bool is_there(struct magstore_cache *cache, uint64_t file, uint32_t piece)
{
    struct magstore_cached *p = magstore_cache_find(cache, file, 0, piece);
    magstore_cache_drop(cache, p);
    return p != NULL;
}

static void test_the_oldest_goes_first(void **state)
{
    struct magstore_cache *cache;
    struct magstore_cached *p[5];
    MR_UNUSED(state);
    assert_int_equal(magstore_cache_open(400, &cache), MR_OK);
    for (uint32_t i = 0; i < 4; i++)
        magstore_cache_add(cache, p[i] = piece_of(1, i, 100));
    for (uint32_t i = 1; i < 4; i++)
        magstore_cache_drop(cache, p[i]); /* the first stays held */
    assert_true(is_there(cache, 1, 1));   /* used again */
    magstore_cache_add(cache, p[4] = piece_of(2, 0, 100));
    magstore_cache_drop(cache, p[4]);
    assert_true(is_there(cache, 1, 0) && is_there(cache, 1, 1) && is_there(cache, 1, 3));
    assert_false(is_there(cache, 1, 2));
    magstore_cache_add(cache, p[4] = piece_of(2, 7, 101)); /* more than a quarter */
    assert_false(is_there(cache, 2, 7));
    magstore_cache_drop(cache, p[4]);
    magstore_cache_add(cache, p[4] = piece_of(1, 1, 100)); /* there already */
    magstore_cache_drop(cache, p[4]);
    assert_int_equal(stats_of(cache).bytes, 400);
    magstore_cache_forget(cache, 1);
    assert_int_equal(stats_of(cache).bytes, 100);
    assert_false(is_there(cache, 1, 0));
    assert_int_equal(*(char *)memset(p[0]->values, 7, 8), 7); /* still held */
    magstore_cache_drop(cache, p[0]);
    magstore_cache_close(cache);
}

static void *read_all(void *arg)
{
    MR_UNUSED(arg);
    for (int i = 0; i < 2; i++)
        kit_compare(reader, &model);
    return NULL;
}

static void test_threads_share_it(void **state)
{
    struct magstore_cache *cache;
    pthread_t threads[3];
    MR_UNUSED(state);
    assert_int_equal(magstore_cache_open((size_t)1 << 20, &cache), MR_OK);
    magstore_reader_use(reader, cache);
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, NULL), 0);
    for (size_t i = 0; i < MR_ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    magstore_reader_use(reader, NULL);
    magstore_cache_close(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_kept_is_what_was_read), cmocka_unit_test(test_the_budget_holds),
        cmocka_unit_test(test_the_oldest_goes_first), cmocka_unit_test(test_threads_share_it)};
    return cmocka_run_group_tests(tests, write_segment, remove_segment);
}
