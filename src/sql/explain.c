/* sql/explain.c - EXPLAIN: what each stage made of the statement, one fact a line. */
#include "sql/bound.h"

#include "sql/timetext.h"

static void print_text(struct mr_buf *out, struct mr_str s)
{
    mr_buf_char(out, '\'');
    for (size_t i = 0; i < s.len; i++) { /* one line each, whatever the text holds */
        if (s.ptr[i] == '\n')
            mr_buf_str(out, MR_STR("\\n"));
        else
            mr_buf_char(out, s.ptr[i]);
    }
    mr_buf_char(out, '\'');
}

static void print_syntax(struct mr_buf *out, const struct ast_query *ast)
{
    static const char *const kinds[] = {"select", "set operation", "values", "query in parentheses"};
    mr_buf_printf(out, "syntax: %s, with items %zu, order items %zu", kinds[ast->body->kind], ast->nwith,
                  ast->norder);
    if (ast->body->kind == AST_SELECT) {
        const struct ast_select *s = ast->body->select;
        mr_buf_printf(out, ", select items %zu%s%s%s%s", s->nitems, s->from != NULL ? ", from" : "",
                      s->where != NULL ? ", where" : "", s->grouped ? ", group by" : "",
                      s->having != NULL ? ", having" : "");
    }
    if (ast->limit >= 0)
        mr_buf_printf(out, ", limit %lld", (long long)ast->limit);
    mr_buf_char(out, '\n');
}

static void print_time(struct mr_buf *out, int64_t ns)
{
    char text[SQL_TIME_TEXT];
    sql_print_timestamp(ns, text);
    mr_buf_str(out, mr_str_of(text));
}

static void print_pred(struct mr_buf *out, const struct sql_table *unused, const struct sql_pred *p)
{
    static const char *const ops[] = {"in", "not in", "begins with", "is null", "is not null"};
    MR_UNUSED(unused);
    mr_buf_printf(out, "  predicate: column %u %s", p->column, ops[p->op]);
    for (size_t i = 0; i < p->nvalues; i++) {
        mr_buf_char(out, ' ');
        print_text(out, p->values[i]);
    }
    mr_buf_char(out, '\n');
}

static void print_filter(struct mr_buf *out, const struct sql_filter *f)
{
    static const char *const ops[] = {"=", "<>", "<", "<=", ">", ">=", "is null", "is not null"};
    mr_buf_printf(out, "  filter: column %u %s", f->column, ops[f->op]);
    if (f->op < SQL_FILTER_IS_NULL) {
        mr_buf_char(out, ' ');
        if (f->kind == SQL_VARCHAR)
            print_text(out, f->text);
        else if (f->kind == SQL_DOUBLE)
            mr_buf_printf(out, "%.17g", f->f64);
        else
            mr_buf_printf(out, "%lld", (long long)f->i64);
    }
    mr_buf_char(out, '\n');
}

/* Which way a grouped query goes. */
static void print_path(struct mr_buf *out, const struct sql_scan *s)
{
    static const char *const ops[] = {"rows", "count", "sum", "min", "max", "first", "last", "moments"};
    const struct sql_groups *g = s->groups;
    if (s->why_rows != NULL)
        mr_buf_printf(out, "  rows are read: %s\n", s->why_rows);
    if (g == NULL)
        return;
    mr_buf_str(out, MR_STR("  aggregated in the store: by"));
    for (size_t i = 0; i < g->nkeys; i++)
        mr_buf_printf(out, " %u", g->keys[i]);
    if (g->bin_ns == 1)
        mr_buf_str(out, MR_STR(" time"));
    else if (g->bin_ns != 0)
        mr_buf_printf(out, " bins of %lld ns from %lld", (long long)g->bin_ns, (long long)g->bin_origin);
    mr_buf_str(out, g->nkeys == 0 && g->bin_ns == 0 ? MR_STR(" nothing;") : MR_STR(";"));
    for (size_t i = 0; i < g->nfolds; i++) {
        mr_buf_printf(out, " %s", ops[g->folds[i].op]);
        if (g->folds[i].op != SQL_FOLD_ROWS)
            mr_buf_printf(out, "(%u)", g->folds[i].column);
        if (g->folds[i].measure.ptr != NULL) {
            mr_buf_str(out, MR_STR(" where measure_name is "));
            print_text(out, g->folds[i].measure);
        }
    }
    mr_buf_char(out, '\n');
}

static void print_scan(struct mr_buf *out, const struct sql_scan *s, size_t number)
{
    mr_buf_printf(out, "scan %zu: ", number);
    print_text(out, s->database);
    mr_buf_char(out, ' ');
    print_text(out, s->table);
    mr_buf_str(out, MR_STR(" columns"));
    for (size_t i = 0; i < s->ncolumns; i++)
        mr_buf_printf(out, " %u", s->columns[i]);
    mr_buf_char(out, '\n');
    if (s->time_min != INT64_MIN || s->time_max != INT64_MAX) {
        mr_buf_str(out, MR_STR("  time: "));
        if (s->time_min != INT64_MIN)
            print_time(out, s->time_min);
        mr_buf_str(out, MR_STR(" .. "));
        if (s->time_max != INT64_MAX)
            print_time(out, s->time_max);
        mr_buf_char(out, '\n');
    }
    for (size_t i = 0; i < s->npreds; i++)
        print_pred(out, NULL, &s->preds[i]);
    for (size_t i = 0; i < s->nfilters; i++)
        print_filter(out, &s->filters[i]);
    print_path(out, s);
}

bool explain_statement(struct sql_context *cx, const struct ast_query *ast, const struct bound_query *q,
                       struct sql_plan *plan)
{
    struct mr_buf out = MR_BUF_INIT;
    print_syntax(&out, ast);
    for (size_t i = 0; i < q->noutputs; i++) {
        mr_buf_printf(&out, "column %zu: ", i);
        print_text(&out, q->outputs[i].name);
        mr_buf_char(&out, ' ');
        mr_buf_str(&out, check_type_text(cx, q->outputs[i].type));
        mr_buf_char(&out, '\n');
    }
    for (size_t i = 0; i < plan->nscans; i++)
        print_scan(&out, &plan->scans[i], i);
    if (plan->finish != NULL)
        mr_buf_str(&out, MR_STR("the groups are the answer: the engine's statement is not run\n"));
    if (plan->rows != NULL)
        mr_buf_str(&out, MR_STR("the rows are the answer: the engine's statement is not run\n"));
    mr_buf_str(&out, MR_STR("engine: "));
    mr_buf_str(&out, plan->duckdb);
    if (mr_buf_ok(&out))
        plan->explain = mr_arena_dup(cx->arena, mr_buf_view(&out));
    mr_buf_release(&out);
    return plan->explain.ptr != NULL || sql_fail_memory(cx);
}
