/* tests/unit/sql/reference.c - docs/sql.md is what the tables print, and names every function of the binder.
 */
#include "sql/reference.h"

#include <stdio.h>

#include "lib/check.h"

static void the_page_is_current(void **state)
{
    struct mr_buf page = MR_BUF_INIT, committed = MR_BUF_INIT;
    char part[4096];

    MR_UNUSED(state);
    sql_reference_markdown(&page);
    FILE *file = fopen(MR_SQL_PAGE, "r");
    assert_non_null(file);
    for (size_t n; (n = fread(part, 1, sizeof(part), file)) > 0;)
        mr_buf_add(&committed, part, n);
    fclose(file);
    assert_true(mr_buf_ok(&page) && mr_buf_ok(&committed));
    if (!mr_str_eq(mr_buf_view(&page), mr_buf_view(&committed)))
        fail_msg("docs/sql.md is stale: run mr_sql_reference > docs/sql.md");
    mr_buf_release(&page);
    mr_buf_release(&committed);
}

static size_t mentions(const char *name)
{
    const struct sql_example *e;
    size_t n = 0;

    for (size_t i = 0; (e = sql_example_at(i)) != NULL; i++)
        n += e->name != NULL && strcmp(e->name, name) == 0;
    return n;
}

static void every_function_is_on_it_once(void **state)
{
    const char *name;
    const struct sql_example *e;
    size_t functions = 0, examples = 0;

    MR_UNUSED(state);
    for (; (name = sql_function_name(functions)) != NULL; functions++) {
        if (mentions(name) != 1)
            fail_msg("%s is %zu times on the page", name, mentions(name));
    }
    for (size_t i = 0; (e = sql_example_at(i)) != NULL; i++)
        examples += e->name != NULL;
    assert_int_equal(functions, examples); /* so nothing is on the page that the binder does not know */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_current),
        cmocka_unit_test(every_function_is_on_it_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
