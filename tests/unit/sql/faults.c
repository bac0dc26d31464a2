/* tests/unit/sql/faults.c - every allocation of a statement fails once: MR_ENOMEM, or no difference at all.
 */
#include "cases.h"
#include "fixture.h"
#include "lib/check.h"
#include "lib/fault.h"

/* Goldens with the most different code paths; all of them would take minutes under sanitizers. */
static bool chosen(const char *path)
{
    static const char *const areas[] = {"relation/",  "group/",  "prune/", "subquery/",
                                        "statement/", "window/", "error/u"};
    for (size_t i = 0; i < MR_ARRAY_LEN(areas); i++) {
        if (strncmp(path, areas[i], strlen(areas[i])) == 0)
            return true;
    }
    return strcmp(path, "function/time-series-lambdas") == 0 || strcmp(path, "function/cast-nested") == 0 ||
           strcmp(path, "operator/concat") == 0 || strcmp(path, "literal/texts") == 0;
}

/* False when the n-th allocation no longer happens. */
static bool fail_nth(const struct sql_case *c, unsigned nth, int want)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct sql_plan *plan;
    struct sql_error error;
    struct sql_env env = fixture_env;
    env.prepare = strchr(c->text, '@') != NULL;
    fault_alloc(nth);
    int status = sql_prepare((struct mr_str){c->text, c->len}, &env, &arena, &plan, &error);
    bool fired = fault_alloc_fired();
    fault_alloc(0);
    if (fired && status != MR_ENOMEM && status != want)
        fail_msg("%s: allocation %u failed and gave status %d", c->path, nth, status);
    if (!fired)
        assert_int_equal(status, want);
    mr_arena_release(&arena);
    return fired;
}

/* The arena takes whole chunks from the heap, so a second sweep narrows its limit step by step instead. */
static void narrow(const struct sql_case *c, int want)
{
    for (size_t limit = 1024; limit < (64U << 10); limit += 1024) {
        struct mr_arena arena = MR_ARENA_INIT;
        struct sql_plan *plan;
        struct sql_error error;
        struct sql_env env = fixture_env;
        env.prepare = strchr(c->text, '@') != NULL;
        arena.limit = limit;
        int status = sql_prepare((struct mr_str){c->text, c->len}, &env, &arena, &plan, &error);
        if (status != MR_ENOMEM && status != want)
            fail_msg("%s: an arena of %zu bytes gave status %d", c->path, limit, status);
        mr_arena_release(&arena);
    }
}

static void every_allocation(void **state)
{
    size_t n;
    MR_UNUSED(state);
    struct sql_case *cases = cases_load(&n);
    for (size_t i = 0; i < n; i++) {
        if (!chosen(cases[i].path))
            continue;
        int want = strncmp(cases[i].path, "error/", 6) == 0 ? MR_EINVAL : MR_OK;
        for (unsigned nth = 1; nth < 100000 && fail_nth(&cases[i], nth, want); nth++)
            ;
        narrow(&cases[i], want);
    }
    cases_free(cases, n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
