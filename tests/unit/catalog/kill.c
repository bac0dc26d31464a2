/* A process killed in the middle of changes: after a restart every acknowledged change is there, and at most
 * the one under way besides. The child draws changes from a seed, the parent draws the same ones, so it knows
 * what to find. */
#include "catalog/catalog.h"
#include "lib/check.h"
#include "lib/dir.h"

#include "base/rand.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMES 12
#define ROUNDS 25

struct table_state {
    bool there;
    int64_t hours;
    int tag; /* value of its only tag, 0 for none */
};

struct world {
    struct mr_rng rng;
    struct table_state tables[NAMES]; /* of the one database */
    uint64_t dropped;
};

static const struct mr_str database = MR_STR("db");

/* The next change: decided from the seed and the state, done to the state, and to the catalog if there is
 * one. */
static int step(struct world *w, struct catalog *c, struct mr_arena *arena)
{
    char name_text[16], value_text[16], path_text[64];
    unsigned i = (unsigned)mr_rng_below(&w->rng, NAMES);
    unsigned what = (unsigned)mr_rng_below(&w->rng, 4);
    int number = 1 + (int)mr_rng_below(&w->rng, 1000);
    struct table_state *t = &w->tables[i];
    snprintf(name_text, sizeof name_text, "t%u", i);
    snprintf(value_text, sizeof value_text, "%d", number);
    snprintf(path_text, sizeof path_text, "database/db/table/t%u", i);
    struct mr_str name = mr_str_of(name_text);
    if (!t->there) {
        *t = (struct table_state){true, number, 0};
        struct catalog_table row = {
            .database = database, .name = name, .memory_hours = number, .magnetic_days = 1};
        return c != NULL ? catalog_table_create(c, &row, NULL, 0, NULL) : MR_OK;
    }
    if (what == 0) {
        uint64_t id = 0;
        *t = (struct table_state){0};
        w->dropped++;
        return c != NULL ? catalog_table_delete(c, database, name, &id, NULL) : MR_OK;
    }
    if (what == 1) {
        struct mr_pair tag = {MR_STR("k"), mr_str_of(value_text)};
        t->tag = number;
        return c != NULL ? catalog_tags_put(c, mr_str_of(path_text), &tag, 1, 50, NULL) : MR_OK;
    }
    struct catalog_table out;
    struct catalog_table_change change = {.set_retention = true, .memory_hours = number, .magnetic_days = 1};
    t->hours = number;
    return c != NULL ? catalog_table_update(c, database, name, &change, arena, &out, NULL) : MR_OK;
}

static bool tag_is(struct catalog *c, unsigned i, int want, struct mr_arena *arena)
{
    char path[64];
    struct mr_pair *tags = NULL;
    size_t n = 0;
    int64_t number = 0;
    snprintf(path, sizeof path, "database/db/table/t%u", i);
    if (catalog_tags_list(c, mr_str_of(path), arena, &tags, &n) != MR_OK)
        return false;
    return want == 0 ? n == 0 : n == 1 && mr_str_to_i64(tags[0].value, &number) && number == want;
}

static bool is_world(struct catalog *c, const struct world *w)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_table t;
    uint64_t *ids = NULL;
    size_t n = 0;
    bool same = catalog_dropped_tables(c, &arena, &ids, &n) == MR_OK && n == w->dropped;
    for (unsigned i = 0; i < NAMES && same; i++) {
        char name[16];
        snprintf(name, sizeof name, "t%u", i);
        int rc = catalog_table_get(c, database, mr_str_of(name), &arena, &t, NULL);
        if (w->tables[i].there)
            same =
                rc == MR_OK && t.memory_hours == w->tables[i].hours && tag_is(c, i, w->tables[i].tag, &arena);
        else
            same = rc == MR_ENOENT;
    }
    mr_arena_release(&arena);
    return same;
}

/* Changes without end; one byte to the pipe after each that was acknowledged. */
static void child(const char *dir, struct world *w, int ack)
{
    struct catalog *c = NULL;
    struct mr_arena arena = MR_ARENA_INIT;
    if (catalog_open(dir, &mr_clock_system, &c, NULL) != MR_OK)
        _exit(3);
    for (;;) {
        if (step(w, c, &arena) != MR_OK || write(ack, "k", 1) != 1)
            _exit(4);
        mr_arena_reset(&arena);
    }
}

/* Starts a child, kills it after about `acks` acknowledgements, returns how many there were. */
static unsigned run_and_kill(const char *dir, const struct world *start, unsigned acks)
{
    int ends[2];
    char byte;
    unsigned seen = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct world w = *start;
        close(ends[0]);
        child(dir, &w, ends[1]);
    }
    close(ends[1]);
    while (seen < acks && read(ends[0], &byte, 1) == 1)
        seen++;
    kill(pid, SIGKILL);
    while (read(ends[0], &byte, 1) == 1) /* acknowledged before the signal arrived */
        seen++;
    close(ends[0]);
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    return seen;
}

static void acknowledged_changes_survive(void **state)
{
    char *dir = dir_make();
    struct mr_arena arena = MR_ARENA_INIT;
    struct catalog_database d;
    struct catalog *c = NULL;
    struct world w = {.rng = {20240229}};
    struct mr_rng chance = {7};
    MR_UNUSED(state);
    check_ok(catalog_open(dir, &mr_clock_system, &c, NULL), NULL);
    check_ok(catalog_database_create(c, database, MR_STR("k"), NULL, 0, &arena, &d, NULL), NULL);
    catalog_close(c);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct mr_error err = MR_ERROR_INIT;
        unsigned acked = run_and_kill(dir, &w, 1 + (unsigned)mr_rng_below(&chance, 60));
        for (unsigned i = 0; i < acked; i++)
            step(&w, NULL, NULL);
        check_ok(catalog_open(dir, &mr_clock_system, &c, &err), &err);
        if (!is_world(c, &w)) {
            step(&w, NULL, NULL); /* the one under way may have made it */
            if (!is_world(c, &w))
                fail_msg("round %u: an acknowledged change is lost (after %u)", round, acked);
        }
        catalog_close(c);
    }
    mr_arena_release(&arena);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(acknowledged_changes_survive)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
