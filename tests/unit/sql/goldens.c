/* tests/unit/sql/goldens.c - every statement of tests/sql gives the plan of its .emit or the error of its
 * .err.
 *
 * MR_UPDATE=1 in the environment rewrites the files; read the difference before committing it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "cases.h"
#include "fixture.h"
#include "lib/check.h"

static const char *const statements[] = {"select",   "show databases", "show tables", "show measures",
                                         "describe", "explain",        "unload"};
static const char *const pred_ops[] = {"in", "not in", "begins with", "is null", "is not null"};

static void print_scan(struct mr_buf *out, const struct sql_scan *s, size_t number)
{
    mr_buf_printf(out, "scan %zu: " MR_STR_FMT "." MR_STR_FMT " columns", number, MR_STR_ARG(s->database),
                  MR_STR_ARG(s->table));
    for (size_t i = 0; i < s->ncolumns; i++)
        mr_buf_printf(out, " %u", s->columns[i]);
    mr_buf_char(out, '\n');
    if (s->time_min != INT64_MIN)
        mr_buf_printf(out, "  time >= %" PRId64 "\n", s->time_min);
    if (s->time_max != INT64_MAX)
        mr_buf_printf(out, "  time <= %" PRId64 "\n", s->time_max);
    for (size_t i = 0; i < s->npreds; i++) {
        mr_buf_printf(out, "  column %u %s", s->preds[i].column, pred_ops[s->preds[i].op]);
        for (size_t k = 0; k < s->preds[i].nvalues; k++)
            mr_buf_printf(out, " '" MR_STR_FMT "'", MR_STR_ARG(s->preds[i].values[k]));
        mr_buf_char(out, '\n');
    }
}

static void print_optional(struct mr_buf *out, const char *what, struct mr_str value)
{
    if (value.ptr != NULL)
        mr_buf_printf(out, "%s: " MR_STR_FMT "\n", what, MR_STR_ARG(value));
}

static void print_unload(struct mr_buf *out, const struct sql_unload *u)
{
    mr_buf_printf(out, "unload: bucket " MR_STR_FMT " prefix " MR_STR_FMT " %s%s%s%s, delimiter %c escape %c",
                  MR_STR_ARG(u->bucket), MR_STR_ARG(u->prefix), u->parquet ? "parquet" : "csv",
                  u->gzip ? " gzip" : "", u->header ? " header" : "", u->kms ? " kms" : "", u->delimiter,
                  u->escape);
    mr_buf_printf(out, ", files of %" PRIu64 " bytes, partitions %zu", u->max_file_size, u->npartitions);
    if (u->kms_key.ptr != NULL)
        mr_buf_printf(out, ", key " MR_STR_FMT, MR_STR_ARG(u->kms_key));
    mr_buf_char(out, '\n');
}

static void print_plan(struct mr_buf *out, const struct sql_plan *p, struct mr_arena *arena)
{
    if (p->statement != SQL_SELECT)
        mr_buf_printf(out, "statement: %s\n", statements[p->statement]);
    print_optional(out, "database", p->database);
    print_optional(out, "table", p->table);
    print_optional(out, "like", p->like);
    print_optional(out, "escape", p->like_escape);
    for (size_t i = 0; i < p->noutputs; i++) {
        const struct sql_output *o = &p->outputs[i];
        struct mr_str type = sql_type_text(o->type, arena);
        mr_buf_printf(out, "column: " MR_STR_FMT " " MR_STR_FMT "%s", MR_STR_ARG(o->name), MR_STR_ARG(type),
                      o->aliased ? " aliased" : "");
        if (o->table.ptr != NULL)
            mr_buf_printf(out, " of " MR_STR_FMT "." MR_STR_FMT, MR_STR_ARG(o->database),
                          MR_STR_ARG(o->table));
        mr_buf_char(out, '\n');
    }
    for (size_t i = 0; i < p->nparams; i++)
        mr_buf_printf(out, "parameter: " MR_STR_FMT " kind %d\n", MR_STR_ARG(p->params[i].name),
                      p->params[i].kind);
    for (size_t i = 0; i < p->nscans; i++)
        print_scan(out, &p->scans[i], i);
    if (p->unload != NULL)
        print_unload(out, p->unload);
    print_optional(out, "explain", p->explain);
    print_optional(out, "engine", p->duckdb);
}

static int differs(const struct sql_case *c, const char *extension, struct mr_str got)
{
    if (getenv("MR_UPDATE") != NULL)
        case_write(c, extension, got);
    char *want = case_read(c, extension);
    bool same = want != NULL && mr_str_eq(mr_str_of(want), got);
    if (!same)
        print_error("%s.%s: got\n" MR_STR_FMT "want\n%s\n", c->path, extension, MR_STR_ARG(got),
                    want != NULL ? want : "(no file)\n");
    free(want);
    return same ? 0 : 1;
}

static int run_case(const struct sql_case *c)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf out = MR_BUF_INIT;
    struct sql_plan *plan;
    struct sql_error error;
    struct sql_env env = fixture_env;
    env.prepare = strchr(c->text, '@') != NULL;
    bool fails = strncmp(c->path, "error/", 6) == 0;
    int status = sql_prepare((struct mr_str){c->text, c->len}, &env, &arena, &plan, &error);
    int bad = 0;
    if ((status != MR_OK) != fails) {
        print_error("%s: status %d, " MR_STR_FMT "\n", c->path, status, MR_STR_ARG(error.message));
        bad = 1;
    } else if (fails) {
        mr_buf_printf(&out, "%u:%u\n" MR_STR_FMT "\n", error.line, error.column, MR_STR_ARG(error.message));
        bad = differs(c, "err", mr_buf_view(&out));
    } else {
        print_plan(&out, plan, &arena);
        bad = differs(c, "emit", mr_buf_view(&out));
    }
    mr_buf_release(&out);
    mr_arena_release(&arena);
    return bad;
}

static void every_case(void **state)
{
    size_t n;
    int bad = 0;
    MR_UNUSED(state);
    struct sql_case *cases = cases_load(&n);
    for (size_t i = 0; i < n; i++)
        bad += run_case(&cases[i]);
    cases_free(cases, n);
    assert_int_equal(bad, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_case)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
