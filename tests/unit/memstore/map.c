/* The small parts under the index: hash to number, number to pointer, words with their posting lists. */
#include "memstore/intern.h"

#include "base/rand.h"
#include "lib/check.h"
#include "lib/fault.h"

#include <stdio.h>
#include <stdlib.h>

static struct mem_budget budget;
static struct mem_heap heap = {.budget = &budget};

static unsigned count_found(const struct mem_map *map, uint32_t hash, uint32_t number)
{
    struct mem_probe probe;
    unsigned found = 0;
    for (uint32_t n = mem_map_find(map, hash, &probe); n != MEM_NOT_FOUND; n = mem_map_next(&probe))
        found += n == number;
    return found;
}

/* Few different hashes, so that runs are long and wrap around; enough numbers to split the map into shards.
 */
static void test_map_against_an_array(void **state)
{
    MR_UNUSED(state);
    enum { NUMBERS = 20000 };
    static uint32_t hash_of[NUMBERS];
    static bool present[NUMBERS];
    struct mem_map map = {{NULL, 0, 0}, NULL};
    struct mr_rng rng = {3};
    for (uint32_t i = 0; i < NUMBERS; i++)
        hash_of[i] = (uint32_t)mr_rng_next(&rng) & 0xFF0000FFu;
    for (int i = 0; i < 100000; i++) {
        uint32_t n = (uint32_t)mr_rng_below(&rng, NUMBERS);
        if (!present[n])
            assert_int_equal(mem_map_insert(&map, &heap, hash_of[n], n), MR_OK);
        else if (i % 3 == 0)
            mem_map_remove(&map, hash_of[n], n);
        else
            continue;
        present[n] = !present[n];
        assert_int_equal(count_found(&map, hash_of[n], n), present[n]);
    }
    assert_non_null(map.shards);
    for (uint32_t n = 0; n < NUMBERS; n++)
        assert_int_equal(count_found(&map, hash_of[n], n), present[n]);
    mem_map_release(&map, &heap);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

/* Whatever allocation fails, the map stays whole. */
static void test_map_without_memory(void **state)
{
    MR_UNUSED(state);
    struct mem_map map = {{NULL, 0, 0}, NULL};
    unsigned refused = 0;
    for (uint32_t n = 0; n < 6000; n++) {
        uint32_t hash = n * 2654435761u;
        fault_alloc(1);
        int rc = mem_map_insert(&map, &heap, hash, n);
        fault_alloc(3);
        if (rc != MR_OK)
            rc = mem_map_insert(&map, &heap, hash, n);
        fault_alloc(0);
        if (rc != MR_OK) {
            refused++;
            assert_int_equal(mem_map_insert(&map, &heap, hash, n), MR_OK);
        }
        assert_int_equal(count_found(&map, hash, n), 1);
    }
    assert_true(refused > 0); /* the split into shards needs many allocations */
    for (uint32_t n = 0; n < 6000; n++)
        assert_int_equal(count_found(&map, n * 2654435761u, n), 1);
    mem_map_release(&map, &heap);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

static void test_pages(void **state)
{
    MR_UNUSED(state);
    struct mem_pages pages = {NULL, 0};
    int thing;
    assert_null(mem_pages_get(&pages, 1000000));
    assert_int_equal(mem_pages_after(&pages, 0), UINT32_MAX);
    for (uint32_t n = 0; n < 10000; n += 3) {
        assert_int_equal(mem_pages_reserve(&pages, &heap, n), MR_OK);
        mem_pages_set(&pages, n, &thing);
    }
    uint64_t full = mem_budget_bytes(&budget);
    uint32_t expected = 0;
    for (uint32_t n = mem_pages_after(&pages, 0); n != UINT32_MAX; n = mem_pages_after(&pages, n + 1)) {
        assert_int_equal(n, expected);
        expected += 3;
    }
    assert_int_equal(expected, 10002);
    for (uint32_t n = 0; n < 9000; n += 3)
        mem_pages_clear(&pages, &heap, n);
    assert_int_equal(mem_pages_after(&pages, 0), 9000);
    assert_null(mem_pages_get(&pages, 30));
    assert_true(mem_budget_bytes(&budget) < full / 4); /* empty pages are gone */
    for (uint32_t n = 9000; n < 10000; n += 3)
        mem_pages_clear(&pages, &heap, n);
    assert_int_equal(mem_pages_after(&pages, 0), UINT32_MAX);
    assert_true(mem_budget_bytes(&budget) <= 32); /* and so are shelves */
    mem_pages_release(&pages, &heap);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

/* Far apart, to the last number: the gaps take next to nothing, and none is stepped through. */
static void test_pages_with_gaps(void **state)
{
    MR_UNUSED(state);
    static const uint32_t numbers[] = {63, 64, 65535, 65536, 1u << 20, (1u << 28) + 7, UINT32_MAX - 1};
    struct mem_pages pages = {NULL, 0};
    int thing;
    for (size_t i = 0; i < MR_ARRAY_LEN(numbers); i++) {
        assert_int_equal(mem_pages_reserve(&pages, &heap, numbers[i]), MR_OK);
        mem_pages_set(&pages, numbers[i], &thing);
    }
    assert_true(mem_budget_bytes(&budget) < (1 << 21));
    uint32_t from = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(numbers); i++) {
        assert_int_equal(mem_pages_after(&pages, from), numbers[i]);
        assert_ptr_equal(mem_pages_get(&pages, numbers[i]), &thing);
        assert_null(mem_pages_get(&pages, numbers[i] + (numbers[i] == 63 || numbers[i] == 65535 ? 2 : 1)));
        from = numbers[i] + 1;
    }
    assert_int_equal(mem_pages_after(&pages, from), UINT32_MAX);
    for (unsigned n = 1; n <= 3; n++) { /* without memory nothing changes */
        uint64_t bytes = mem_budget_bytes(&budget);
        fault_alloc(1);
        assert_int_equal(mem_pages_reserve(&pages, &heap, n << 24), MR_ENOMEM);
        fault_alloc(0);
        assert_int_equal(mem_budget_bytes(&budget), bytes);
        assert_int_equal(mem_pages_after(&pages, (1u << 20) + 1), numbers[5]);
    }
    mem_pages_release(&pages, &heap);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

static void test_words(void **state)
{
    MR_UNUSED(state);
    struct mem_dict dict = {0};
    struct mem_pages series = {NULL, 0};
    int thing;
    struct mem_word *a = mem_dict_take(&dict, &heap, MR_STR("a"));
    struct mem_word *empty = mem_dict_take(&dict, &heap, MR_STR(""));
    assert_ptr_equal(mem_dict_take(&dict, &heap, MR_STR("a")), a);
    assert_ptr_equal(mem_dict_find(&dict, MR_STR(""), mem_hash(MR_STR(""))), empty);
    uint32_t number = a->number;
    mem_dict_give(&dict, &heap, a);
    assert_ptr_equal(mem_dict_word(&dict, number), a);
    mem_dict_give(&dict, &heap, a);
    assert_null(mem_dict_word(&dict, number));
    assert_null(mem_dict_find(&dict, MR_STR("a"), mem_hash(MR_STR("a"))));
    a = mem_dict_take(&dict, &heap, MR_STR("a"));
    assert_int_not_equal(a->number, number); /* numbers do not come back */
    /* A list of 200, of which every tenth lives on. */
    for (uint32_t n = 0; n < 200; n++) {
        assert_int_equal(mem_posting_add(&a->posting, &heap, n), MR_OK);
        if (n % 10 != 0)
            continue;
        assert_int_equal(mem_pages_reserve(&series, &heap, n), MR_OK);
        mem_pages_set(&series, n, &thing);
    }
    mem_posting_sweep(&a->posting, &heap, 100, &series);
    assert_int_equal(a->posting.count, 200); /* half of it alive: not worth it */
    mem_posting_sweep(&a->posting, &heap, 20, &series);
    assert_int_equal(a->posting.count, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(mem_posting_items(&a->posting)[i], 10 * i);
    mem_pages_release(&series, &heap);
    mem_dict_release(&dict, &heap);
    assert_int_equal(mem_budget_bytes(&budget), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map_against_an_array),
        cmocka_unit_test(test_map_without_memory),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_pages_with_gaps),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
