/* Statements in, rows out: tests/sql/values through the front end, the engine and a fake store.
 *
 * A file is statements; after each come its rows ("=> cell | cell") or its error ("! text"). A cell is a
 * scalar's text, null, [1,2] for an array of scalars, or the JSON of another value.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "engine/harness.h"
#include "engine/plant.h"
#include "sql/reference.h"

static unsigned bad;
static struct mr_buf valued; /* the statements that gave rows, in lower case and without texts in quotes */

static void add_valued(struct mr_str sql)
{
    char quote = '\0';

    for (size_t i = 0; i < sql.len; i++) {
        char c = sql.ptr[i];
        if (quote == '\0' && (c == '\'' || c == '"'))
            quote = c;
        else if (c == quote)
            quote = '\0';
        else if (quote == '\0')
            mr_buf_char(&valued, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
    mr_buf_char(&valued, '\n');
}

static void check_case(const char *file, struct mr_str sql, struct mr_str want)
{
    struct mr_buf got = MR_BUF_INIT;

    plant_run(sql, &got);
    if (!mr_str_eq(mr_buf_view(&got), want)) {
        print_error("%s: " MR_STR_FMT "\nwant\n" MR_STR_FMT "got\n" MR_STR_FMT "\n", file, MR_STR_ARG(sql),
                    MR_STR_ARG(want), MR_STR_ARG(mr_buf_view(&got)));
        bad++;
    }
    if (mr_str_starts(want, MR_STR("=>")))
        add_valued(sql);
    mr_buf_release(&got);
}

static bool is_answer(struct mr_str line)
{
    return mr_str_starts(line, MR_STR("=> ")) || mr_str_starts(line, MR_STR("! ")) ||
           mr_str_eq(line, MR_STR("=>"));
}

static void check_file(const char *file, struct mr_str text)
{
    struct mr_buf sql = MR_BUF_INIT, want = MR_BUF_INIT;
    unsigned cases = 0;

    for (size_t at = 0; at <= text.len;) {
        size_t end = mr_str_find(text, '\n', at);
        struct mr_str line = mr_str_slice(text, at, end);
        at = end + 1;
        if (is_answer(line)) {
            mr_buf_str(&want, line);
            mr_buf_char(&want, '\n');
            continue;
        }
        if (want.len > 0) {
            check_case(file, mr_buf_view(&sql), mr_buf_view(&want));
            sql.len = want.len = 0;
            cases++;
        }
        if (line.len > 0 && line.ptr[0] != '#') {
            mr_buf_str(&sql, line);
            mr_buf_char(&sql, '\n');
        }
    }
    assert_true(cases > 0);
    mr_buf_release(&sql);
    mr_buf_release(&want);
}

static void rows_are_as_written(void **state)
{
    DIR *dir = opendir(MR_SQL_VALUES);
    unsigned files = 0;

    MR_UNUSED(state);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char path[4096], chunk[4096];
        struct mr_buf text = MR_BUF_INIT;
        size_t n;
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/%s", MR_SQL_VALUES, e->d_name);
        FILE *f = fopen(path, "r");
        assert_non_null(f);
        while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
            mr_buf_add(&text, chunk, n);
        fclose(f);
        check_file(e->d_name, mr_buf_view(&text));
        mr_buf_release(&text);
        files++;
    }
    closedir(dir);
    assert_true(files > 0);
    assert_int_equal(bad, 0);
}

/* "=> a\n=> b\n" as "a / b". */
static void one_line(struct mr_str lines, struct mr_buf *out)
{
    for (size_t at = 0; at < lines.len;) {
        size_t end = mr_str_find(lines, '\n', at);
        if (at > 0)
            mr_buf_str(out, MR_STR(" / "));
        mr_buf_str(out, mr_str_slice(lines, lines.ptr[at] == '=' ? at + 3 : at, end));
        at = end + 1;
    }
}

/* docs/sql.md claims nothing that is not so. */
static void examples_of_the_reference_hold(void **state)
{
    const struct sql_example *e;
    unsigned wrong = 0;

    MR_UNUSED(state);
    for (size_t i = 0; (e = sql_example_at(i)) != NULL; i++) {
        struct mr_buf sql = MR_BUF_INIT, got = MR_BUF_INIT, line = MR_BUF_INIT;
        mr_buf_printf(&sql, "%s%s", e->prefix, e->statement);
        plant_run(mr_buf_view(&sql), &got);
        one_line(mr_buf_view(&got), &line);
        if (!mr_str_eq(mr_buf_view(&line), mr_str_of(e->rows))) {
            print_error(MR_STR_FMT "\nwant %s\ngot  " MR_STR_FMT "\n", MR_STR_ARG(mr_buf_view(&sql)), e->rows,
                        MR_STR_ARG(mr_buf_view(&line)));
            wrong++;
        }
        mr_buf_release(&sql);
        mr_buf_release(&got);
        mr_buf_release(&line);
    }
    assert_int_equal(wrong, 0);
}

static bool is_word(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Called somewhere: the name as a word, then "(", or, of a word like current_date, anything. */
static bool has_value(const char *name)
{
    size_t n = strlen(name);
    bool bare = strncmp(name, "current_", 8) == 0 || strncmp(name, "local", 5) == 0;

    for (size_t at = 0; at + n < valued.len; at++) {
        const char *p = valued.ptr + at;
        if (memcmp(p, name, n) != 0 || (at > 0 && is_word(p[-1])) || is_word(p[n]))
            continue;
        const char *next = p + n + (p[n] == ' ');
        if (bare || *next == '(')
            return true;
    }
    return false;
}

/* The bar of the corpus: every function of the binder has a case with rows. Runs after rows_are_as_written.
 */
static void every_function_has_a_value(void **state)
{
    const char *name;
    unsigned missing = 0, count = 0;

    MR_UNUSED(state);
    for (size_t i = 0; (name = sql_function_name(i)) != NULL; i++, count++) {
        if (!has_value(name)) {
            print_error("tests/sql/values has no rows of %s\n", name);
            missing++;
        }
    }
    print_message("%u of %u functions have a value\n", count - missing, count);
    mr_buf_release(&valued);
    assert_int_equal(missing, 0);
}

/* Each line of the input as a statement, followed by its answer: to see what a new case gives. */
static int answer_input(void)
{
    char *line = NULL;
    size_t cap = 0;

    mr_log_set_level(MR_LOG_DEBUG);
    if (plant_open(NULL) != 0)
        return 1;
    for (ssize_t n; (n = getline(&line, &cap, stdin)) > 0;) {
        struct mr_buf out = MR_BUF_INIT;
        plant_run((struct mr_str){line, (size_t)n}, &out);
        printf("%s" MR_STR_FMT "\n", line, MR_STR_ARG(mr_buf_view(&out)));
        mr_buf_release(&out);
    }
    free(line);
    return harness_close(NULL);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "-") == 0)
        return answer_input();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_as_written),
        cmocka_unit_test(every_function_has_a_value),
        cmocka_unit_test(examples_of_the_reference_hold),
    };
    return cmocka_run_group_tests(tests, plant_open, harness_close);
}
