/* sql/sql.c - the stages in order: text, syntax, checked query, pruning, marking, emission. */
#include "sql/sql.h"

#include "sql/bound.h"
#include "sql/lower.h"
#include "sql/parse.h"

static bool plan_outputs(struct sql_context *cx, const struct bound_query *q, struct sql_plan *plan)
{
    struct sql_output *out = SQL_ARRAY_NEW(cx, q->noutputs, struct sql_output);
    for (size_t i = 0; out != NULL && i < q->noutputs; i++) {
        const struct bound_output *o = &q->outputs[i];
        out[i] = (struct sql_output){.name = o->name, .type = o->type, .aliased = o->aliased};
        if (o->expr != NULL && o->expr->kind == BOUND_COLUMN && o->expr->relation->kind == BOUND_SCAN) {
            out[i].database = o->expr->relation->scan->table.database;
            out[i].table = o->expr->relation->scan->table.name;
        }
    }
    plan->outputs = out;
    plan->noutputs = q->noutputs;
    return out != NULL;
}

/* Every parameter once, in order of first use, with the type any of its uses gave it. */
static bool plan_params(struct sql_context *cx, struct sql_plan *plan)
{
    struct sql_param *params = SQL_ARRAY_NEW(cx, cx->params.n, struct sql_param);
    size_t n = 0;
    for (size_t i = 0; params != NULL && i < cx->params.n; i++) {
        const struct bound_expr *e = cx->params.items[i];
        size_t k = 0;
        while (k < n && !mr_str_eq(params[k].name, e->text))
            k++;
        if (k == n)
            params[n++] = (struct sql_param){.name = e->text, .kind = SQL_UNKNOWN};
        if (params[k].kind == SQL_UNKNOWN)
            params[k].kind = e->type->kind;
    }
    plan->params = params;
    plan->nparams = n;
    return params != NULL;
}

static bool prepare_query(struct sql_context *cx, const struct ast_statement *s, struct sql_plan *plan)
{
    struct bound_query *q = check_query(cx, s->query, NULL);
    if (q == NULL)
        return false;
    if (s->kind == SQL_UNLOAD && !check_unload(cx, s, q, plan))
        return false;
    for (size_t i = 0; i < q->noutputs; i++)
        q->outputs[i].used = true;
    if (!cx->env->plain && !prune_query(cx, q))
        return false;
    if (!lower_query(cx, q))
        return false;
    mark_query(q);
    if (!emit_statement(cx, q, plan) || !plan_outputs(cx, q, plan) || !plan_params(cx, plan))
        return false;
    return s->kind != SQL_EXPLAIN || explain_statement(cx, s->query, q, plan);
}

/* Names of SHOW and DESCRIBE; the table of the latter two must exist. */
static bool prepare_show(struct sql_context *cx, const struct ast_statement *s, struct sql_plan *plan)
{
    plan->like = s->like;
    plan->like_escape = s->like_escape;
    if (s->nparts > 0)
        plan->database = s->parts[0].text;
    if (s->kind == SQL_SHOW_DATABASES || s->kind == SQL_SHOW_TABLES)
        return true;
    if (s->nparts == 1)
        return sql_fail(cx, s->parts[0].pos, "Schema must be specified when session schema is not set");
    plan->table = s->parts[1].text;
    struct ast_relation r = {
        .kind = AST_TABLE, .pos = s->parts[0].pos, .parts = s->parts, .nparts = s->nparts};
    struct scope scope = {0};
    struct bound_relation *out;
    return check_relation(cx, &r, &scope, &out);
}

/* array(row(dimension_name varchar, data_type varchar)) */
static const struct sql_type *dimensions_type(struct sql_context *cx)
{
    struct sql_field *fields = SQL_ARRAY_NEW(cx, 2, struct sql_field);
    if (fields == NULL)
        return NULL;
    fields[0] = (struct sql_field){MR_STR("dimension_name"), sql_scalar(SQL_VARCHAR)};
    fields[1] = (struct sql_field){MR_STR("data_type"), sql_scalar(SQL_VARCHAR)};
    const struct sql_type *row = sql_row_of(cx, fields, 2);
    return row != NULL ? sql_array_of(cx, row) : NULL;
}

/* The columns of the statements that run no query (reference 4.5 to 4.8). */
static bool show_outputs(struct sql_context *cx, const struct ast_statement *s, struct sql_plan *plan)
{
    static const char *const names[][3] = {
        [SQL_SHOW_DATABASES] = {"Database", NULL, NULL},
        [SQL_SHOW_TABLES] = {"Table", NULL, NULL},
        [SQL_SHOW_MEASURES] = {"measure_name", "data_type", "dimensions"},
        [SQL_DESCRIBE] = {"Column", "Type", "Timestream attribute type"},
    };
    struct sql_output *out = SQL_ARRAY_NEW(cx, 3, struct sql_output);
    if (out == NULL)
        return false;
    for (size_t i = 0; i < 3 && names[s->kind][i] != NULL; i++) {
        out[i].name = mr_str_of(names[s->kind][i]);
        out[i].type = sql_scalar(SQL_VARCHAR);
        plan->noutputs = i + 1;
    }
    if (s->kind == SQL_SHOW_MEASURES && (out[2].type = dimensions_type(cx)) == NULL)
        return false;
    plan->outputs = out;
    return true;
}

static bool prepare(struct sql_context *cx, struct sql_plan *plan)
{
    struct ast_statement s;
    if (cx->text.len > SQL_MAX_TEXT)
        return sql_fail_plain(cx, 0, "Query is longer than %d bytes", SQL_MAX_TEXT);
    if (!mr_utf8_valid(cx->text)) {
        size_t n = 0; /* the first byte that is no text; quadratic only in the length of a character */
        while (n < cx->text.len && (unsigned char)cx->text.ptr[n] < 0x80)
            n++;
        return sql_fail_syntax(cx, n);
    }
    if (!sql_parse(cx, &s))
        return false;
    plan->statement = s.kind;
    if (s.query != NULL)
        return prepare_query(cx, &s, plan);
    return prepare_show(cx, &s, plan) && show_outputs(cx, &s, plan);
}

int sql_prepare(struct mr_str text, const struct sql_env *env, struct mr_arena *arena, struct sql_plan **out,
                struct sql_error *error)
{
    struct sql_context cx = {.text = text, .env = env, .arena = arena, .error = error};
    *out = NULL;
    *error = (struct sql_error){0, 0, MR_STR("")};
    struct sql_plan *plan = SQL_NEW(&cx, struct sql_plan);
    if (plan == NULL)
        return MR_ENOMEM;
    bool ok = prepare(&cx, plan);
    if (!ok && cx.status == MR_OK) /* every stage reports; a silent failure would be a lost allocation */
        cx.status = MR_ENOMEM;
    if (cx.status != MR_OK)
        return cx.status;
    *out = plan;
    return MR_OK;
}
