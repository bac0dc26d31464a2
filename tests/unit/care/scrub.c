/* A scrub finds what was damaged under a running store, and lets go of what a merge has replaced. */
#include "kit.h"

#include "care/scrub.h"
#include "lib/check.h"

#include <sched.h>
#include <stdio.h>

struct running {
    struct care_kit kit;
    struct store *store;
    struct catalog *catalog;
    struct care_scrub *scrub;
};

static void start(struct running *r, uint64_t rate)
{
    struct mr_error err = MR_ERROR_INIT;
    care_kit_make(&r->kit);
    r->store = care_kit_store(&r->kit);
    check_ok(catalog_open(r->kit.dir, &mr_clock_system, &r->catalog, &err), &err);
    const struct care_scrub_options options = {r->store, r->catalog, rate, 0};
    check_ok(care_scrub_start(&options, &r->scrub, &err), &err);
}

static void end(struct running *r)
{
    care_scrub_stop(r->scrub);
    catalog_close(r->catalog);
    store_close(r->store);
    care_kit_release(&r->kit);
}

/* A pass now, and what it says. */
static struct care_scrub_state pass(struct running *r, struct mr_arena *arena)
{
    struct care_scrub_state state;
    uint64_t number = care_scrub_now(r->scrub);
    do {
        sched_yield();
        mr_arena_reset(arena);
        assert_int_equal(care_scrub_state(r->scrub, arena, &state), MR_OK);
    } while (state.running || state.pass < number);
    return state;
}

static void test_whole(void **state)
{
    struct running r;
    struct mr_arena arena = MR_ARENA_INIT;
    MR_UNUSED(state);
    start(&r, 1); /* a byte a second: one that was asked for does not wait */
    struct care_scrub_state s = pass(&r, &arena);
    assert_int_equal(s.damaged, 0);
    assert_int_equal(s.passes, 1);
    assert_true(s.total > 0);
    assert_int_equal(s.done, s.total);
    assert_true(s.ended >= s.began && s.began != 0);
    end(&r);
    mr_arena_release(&arena);
}

static void test_finds(void **state)
{
    static const struct {
        const char *sub, *prefix;
    } kinds[] = {{"store/files", "seg-"},
                 {"store/files", "names-"},
                 {"store/files", "manifest-0000000000000002"},
                 {"store/keys", "keyring"}};
    struct running r;
    struct mr_arena arena = MR_ARENA_INIT;
    MR_UNUSED(state);
    start(&r, 0);
    for (size_t k = 0; k < MR_ARRAY_LEN(kinds); k++) {
        size_t n;
        char **paths = care_kit_paths(r.kit.dir, kinds[k].sub, kinds[k].prefix, &n);
        assert_true(n != 0);
        care_kit_flip(paths[0], care_kit_size(paths[0]) / 2);
        struct care_scrub_state s = pass(&r, &arena);
        assert_int_equal(s.damaged, 1);
        assert_int_equal(s.nfindings, 1);
        check_str(s.findings[0].file, strrchr(paths[0], '/') + 1);
        care_kit_flip(paths[0], care_kit_size(paths[0]) / 2);
        care_kit_paths_free(paths, n);
        assert_int_equal(pass(&r, &arena).damaged, 0);
    }
    end(&r);
    mr_arena_release(&arena);
}

/* Files that come and go during passes are no damage. */
static void test_beside_flushes(void **state)
{
    struct running r;
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_error err = MR_ERROR_INIT;
    MR_UNUSED(state);
    start(&r, 0);
    for (int i = 0; i < 12; i++) {
        care_scrub_now(r.scrub);
        care_kit_write(r.store, 1, "d", i * 10, i * 10 + 10);
        check_ok(store_flush(r.store, &err), &err);
        check_ok(store_compact(r.store, &err), &err);
        struct care_scrub_state s;
        assert_int_equal(care_scrub_state(r.scrub, NULL, &s), MR_OK);
        assert_int_equal(s.damaged, 0);
    }
    assert_int_equal(pass(&r, &arena).damaged, 0);
    end(&r);
    mr_arena_release(&arena);
}

/* A stop does not wait for the rate. */
static void test_stop(void **state)
{
    struct running r;
    MR_UNUSED(state);
    start(&r, 1);
    care_scrub_now(r.scrub);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_finds),
        cmocka_unit_test(test_beside_flushes),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
