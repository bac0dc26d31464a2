/* Readers beside writers: what a reader sees is always one whole state. Meant for ThreadSanitizer too. */
#include "catalog/catalog.h"
#include "lib/check.h"
#include "lib/dir.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define READERS 3
#define WRITERS 2
#define CHANGES 120

static struct catalog *catalog;
static atomic_bool stop;
static atomic_uint broken;

static void expect(bool holds)
{
    if (!holds)
        atomic_fetch_add(&broken, 1);
}

/* Writers keep the two retention periods equal, and the tag's value equal to its key. */
static void check_tables(struct mr_arena *arena)
{
    struct catalog_table *list = NULL;
    size_t n = 0;
    bool more = false;
    expect(catalog_table_list(catalog, MR_STR_NULL, MR_STR_NULL, MR_STR_NULL, 100, arena, &list, &n, &more) ==
           MR_OK);
    for (size_t i = 0; i < n; i++) {
        expect(list[i].memory_hours == list[i].magnetic_days);
        expect(i == 0 || mr_str_cmp(list[i - 1].database, list[i].database) <= 0);
    }
}

static void check_database(struct mr_arena *arena)
{
    struct catalog_database d;
    struct mr_pair *tags = NULL;
    struct mr_str setting;
    size_t n = 0;
    expect(catalog_database_get(catalog, MR_STR("d0"), arena, &d) == MR_OK);
    expect(mr_str_eq(d.kms_key, MR_STR("even")) || mr_str_eq(d.kms_key, MR_STR("odd")));
    expect(catalog_tags_list(catalog, MR_STR("database/d0"), arena, &tags, &n) == MR_OK);
    for (size_t i = 0; i < n; i++)
        expect(mr_str_eq(tags[i].name, tags[i].value));
    if (catalog_setting_get(catalog, "s", arena, &setting) == MR_OK)
        expect(mr_str_eq(setting, MR_STR("even")) || mr_str_eq(setting, MR_STR("odd")));
}

static void *reader(void *arg)
{
    struct mr_arena arena = MR_ARENA_INIT;
    MR_UNUSED(arg);
    uint64_t seen = 0;
    while (!atomic_load(&stop)) {
        uint64_t version = catalog_version(catalog), databases = 0, tables = 0;
        expect(version >= seen);
        seen = version;
        check_tables(&arena);
        check_database(&arena);
        catalog_counts(catalog, &databases, &tables);
        expect(databases == WRITERS && tables <= 2 * WRITERS);
        mr_arena_reset(&arena);
    }
    mr_arena_release(&arena);
    return NULL;
}

static void *writer(void *arg)
{
    struct mr_arena arena = MR_ARENA_INIT;
    char name[16];
    snprintf(name, sizeof name, "d%d", *(int *)arg);
    struct mr_str db = mr_str_of(name);
    for (int i = 0; i < CHANGES; i++) {
        struct mr_str word = i % 2 != 0 ? MR_STR("odd") : MR_STR("even");
        struct mr_pair tag = {word, word};
        struct catalog_database d;
        struct catalog_table t = {.database = db, .name = word, .memory_hours = 1, .magnetic_days = 1}, out;
        struct catalog_table_change change = {
            .set_retention = true, .memory_hours = i + 2, .magnetic_days = i + 2};
        uint64_t id = 0;
        expect(catalog_database_update(catalog, db, word, &arena, &d, NULL) == MR_OK);
        expect(catalog_tags_put(catalog, MR_STR("database/d0"), &tag, 1, 50, NULL) == MR_OK);
        expect(catalog_table_create(catalog, &t, &tag, 1, NULL) == MR_OK);
        expect(catalog_table_update(catalog, db, word, &change, &arena, &out, NULL) == MR_OK);
        expect(catalog_table_delete(catalog, db, word, &id, NULL) == MR_OK);
        expect(catalog_dropped_done(catalog, id, NULL) == MR_OK);
        expect(catalog_setting_put(catalog, "s", word, NULL) == MR_OK);
        expect(catalog_tags_remove(catalog, MR_STR("database/d0"), &word, 1, NULL) == MR_OK);
        mr_arena_reset(&arena);
    }
    mr_arena_release(&arena);
    return NULL;
}

static void readers_see_whole_states(void **state)
{
    char *dir = dir_make();
    struct mr_error err = MR_ERROR_INIT;
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database d;
    pthread_t readers[READERS], writers[WRITERS];
    int numbers[WRITERS];
    MR_UNUSED(state);
    check_ok(catalog_open(dir, &mr_clock_system, &catalog, &err), &err);
    for (int i = 0; i < WRITERS; i++) {
        char name[16];
        snprintf(name, sizeof name, "d%d", i);
        check_ok(catalog_database_create(catalog, mr_str_of(name), MR_STR("odd"), NULL, 0, &arena, &d, &err),
                 &err);
    }
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, reader, NULL), 0);
    for (int i = 0; i < WRITERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&writers[i], NULL, writer, &numbers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++)
        pthread_join(writers[i], NULL);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);
    assert_int_equal(broken, 0);
    catalog_close(catalog);
    mr_arena_release(&arena);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(readers_see_whole_states)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
