/* sql/check_relation.c - FROM: tables, derived tables, WITH items, UNNEST, joins; fills the scope of the
 * block. */
#include "sql/bound.h"

static struct bound_relation *new_relation(struct sql_context *cx, enum bound_relation_kind kind,
                                           size_t ncolumns)
{
    struct bound_relation *r = SQL_NEW(cx, struct bound_relation);
    if (r == NULL || (r->columns = SQL_ARRAY_NEW(cx, ncolumns, struct bound_column)) == NULL)
        return NULL;
    r->kind = kind;
    r->ncolumns = ncolumns;
    r->number = cx->next_table++;
    return r;
}

/* Adds the relation's columns to the scope under its alias, with the alias's own column names. */
static bool add_fields(struct sql_context *cx, const struct ast_relation *ast, struct bound_relation *r,
                       struct scope *scope, struct mr_str database, struct mr_str name)
{
    if (ast->ncolumns > 0 && ast->ncolumns != r->ncolumns)
        return sql_fail(cx, ast->alias_pos,
                        "Column alias list has %zu entries but '" MR_STR_FMT "' has %zu columns available",
                        ast->ncolumns, MR_STR_ARG(ast->alias), r->ncolumns);
    for (size_t i = 0; i < r->ncolumns; i++) {
        struct scope_field f = {.name = r->columns[i].name, .relation = name, .database = database};
        if (ast->alias.ptr != NULL) {
            f.relation = ast->alias;
            f.database = MR_STR_NULL;
        }
        if (ast->ncolumns > 0)
            f.name = ast->columns[i]->text;
        f.expr = bound_column(cx, ast->pos, r, i);
        if (!scope_add(cx, scope, f))
            return false;
    }
    return true;
}

static bool not_found(struct sql_context *cx, const struct ast_relation *ast, bool missing_database)
{
    unsigned line, column;
    struct mr_str db = ast->parts[0].text, table = ast->parts[1].text, what = missing_database ? db : table;
    sql_position(cx->text, ast->pos, &line, &column);
    return sql_fail_plain(cx, ast->pos,
                          "Requested %s '" MR_STR_FMT "' not found for identifier '" MR_STR_FMT "." MR_STR_FMT
                          "' at line %u:%u",
                          missing_database ? "database" : "table", MR_STR_ARG(what), MR_STR_ARG(db),
                          MR_STR_ARG(table), line, column);
}

static bool check_table(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                        struct bound_relation **out)
{
    struct sql_table table = {0};
    bool missing = false;
    if (ast->nparts == 3)
        return sql_fail(cx, ast->pos, "Catalog " MR_STR_FMT " does not exist",
                        MR_STR_ARG(ast->parts[0].text));
    const struct sql_lookup *lookup = cx->env->lookup;
    int r = lookup != NULL ? lookup->table(lookup->ctx, ast->parts[0].text, ast->parts[1].text, cx->arena,
                                           &table, &missing)
                           : MR_ENOENT;
    if (r == MR_ENOENT)
        return not_found(cx, ast, missing);
    struct bound_relation *rel = r == MR_OK ? new_relation(cx, BOUND_SCAN, table.ncolumns) : NULL;
    struct bound_scan *scan = rel != NULL ? SQL_NEW(cx, struct bound_scan) : NULL;
    if (scan == NULL) {
        cx->status = cx->status != MR_OK ? cx->status : r != MR_OK ? r : MR_ENOMEM;
        return false;
    }
    scan->table = table;
    scan->columns = SQL_ARRAY_NEW(cx, table.ncolumns + 1, uint32_t);
    scan->kinds = SQL_ARRAY_NEW(cx, table.ncolumns + 1, enum sql_kind);
    if (scan->columns == NULL || scan->kinds == NULL)
        return false;
    scan->time_min = cx->env->time_floor;
    scan->time_max = INT64_MAX;
    rel->scan = scan;
    for (size_t i = 0; i < table.ncolumns; i++) {
        rel->columns[i].name = table.columns[i].name;
        rel->columns[i].type = sql_scalar(table.columns[i].kind);
        rel->columns[i].source = &table.columns[i];
    }
    *out = rel;
    return add_fields(cx, ast, rel, scope, table.database, table.name);
}

struct bound_relation *check_derived(struct sql_context *cx, struct bound_query *query)
{
    struct bound_relation *r = query != NULL ? new_relation(cx, BOUND_DERIVED, query->noutputs) : NULL;
    if (r == NULL)
        return NULL;
    r->query = query;
    for (size_t i = 0; i < query->noutputs; i++) {
        r->columns[i].name = query->outputs[i].name;
        r->columns[i].type = query->outputs[i].type;
    }
    return r;
}

/* A one-part name is a WITH item. */
static bool check_with_name(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                            struct bound_relation **out)
{
    struct bound_with *w = scope_find_with(scope, ast->parts[0].text);
    if (w == NULL)
        return sql_fail(cx, ast->pos, "Schema must be specified when session schema is not set");
    struct bound_relation *r = check_derived(cx, w->query);
    if (r == NULL)
        return false;
    r->kind = BOUND_WITH;
    r->with = w;
    w->references++;
    *out = r;
    return add_fields(cx, ast, r, scope, MR_STR_NULL, ast->parts[0].text);
}

static size_t unnest_width(const struct sql_type *t)
{
    return t->kind == SQL_TIMESERIES ? 2 : t->elem->kind == SQL_ROW ? t->elem->nfields : 1;
}

/* The columns one argument of UNNEST gives, from column `at` on. */
static bool unnest_columns(struct sql_context *cx, struct bound_relation *r, const struct sql_type *t,
                           size_t at)
{
    if (t->kind == SQL_TIMESERIES) {
        r->columns[at].name = MR_STR("time");
        r->columns[at].type = sql_scalar(SQL_TIMESTAMP);
        r->columns[at + 1].name = MR_STR("value");
        r->columns[at + 1].type = t->elem;
        return true;
    }
    for (size_t i = 0; i < unnest_width(t); i++) {
        bool row = t->elem->kind == SQL_ROW;
        r->columns[at + i].type = row ? t->elem->fields[i].type : t->elem;
        r->columns[at + i].name = row ? t->elem->fields[i].name : MR_STR_NULL;
        if (r->columns[at + i].name.ptr == NULL)
            r->columns[at + i].name = mr_arena_printf(cx->arena, "_col%zu", at + i);
        if (r->columns[at + i].name.ptr == NULL)
            return sql_fail_memory(cx);
    }
    return true;
}

static bool check_unnest(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                         struct bound_relation **out)
{
    struct scope left = {.parent =
                             scope}; /* the relations to the left are an outer level: implicit LATERAL */
    struct check c = {.cx = cx, .scope = &left, .clause = "UNNEST"};
    struct bound_expr **args = SQL_ARRAY_NEW(cx, ast->nargs, struct bound_expr *);
    size_t width = ast->ordinality ? 1 : 0;
    for (size_t i = 0; args != NULL && i < ast->nargs; i++) {
        if ((args[i] = check_expr(&c, ast->args[i])) == NULL)
            return false;
        const struct sql_type *t = args[i]->type;
        if (t->kind != SQL_ARRAY && t->kind != SQL_TIMESERIES) {
            struct mr_str type = check_type_text(cx, t);
            return sql_fail(cx, ast->args[i]->pos, "Cannot unnest type: " MR_STR_FMT, MR_STR_ARG(type));
        }
        width += unnest_width(t);
    }
    struct bound_relation *r = args != NULL ? new_relation(cx, BOUND_UNNEST, width) : NULL;
    if (r == NULL)
        return false;
    r->args = args;
    r->nargs = ast->nargs;
    r->ordinality = ast->ordinality;
    size_t at = 0;
    for (size_t i = 0; i < ast->nargs; i++) {
        if (!unnest_columns(cx, r, args[i]->type, at))
            return false;
        at += unnest_width(args[i]->type);
    }
    if (ast->ordinality) {
        r->columns[at].name = MR_STR("ordinality");
        r->columns[at].type = sql_scalar(SQL_BIGINT);
    }
    *out = r;
    return add_fields(cx, ast, r, scope, MR_STR_NULL, MR_STR_NULL);
}

static bool check_derived_item(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                               struct bound_relation **out)
{
    struct scope outer = {
        .parent = ast->lateral ? scope : scope->parent, .with = scope->with, .nwith = scope->nwith};
    struct bound_relation *r = check_derived(cx, check_query(cx, ast->query, &outer));
    if (r == NULL)
        return false;
    r->lateral = ast->lateral;
    *out = r;
    return add_fields(cx, ast, r, scope, MR_STR_NULL, MR_STR_NULL);
}

/* ---- joins ---- */

/* The field of one side that an unqualified name means. */
static struct bound_expr *side_field(struct sql_context *cx, struct scope *scope, size_t from, size_t to,
                                     const struct ast_name *name)
{
    struct scope side = {.fields = scope->fields + from, .nfields = to - from};
    size_t used;
    struct bound_expr *e = scope_find(cx, &side, &name->text, 1, name->pos, &used);
    if (e == NULL && cx->status == MR_OK)
        sql_fail(cx, name->pos, "Column '" MR_STR_FMT "' is missing from %s side of join",
                 MR_STR_ARG(name->text), from == 0 || to < scope->nfields ? "left" : "right");
    return e;
}

static void hide(struct scope *scope, size_t from, struct bound_expr *e)
{
    for (size_t i = from; i < scope->nfields; i++) {
        if (scope->fields[i].expr == e)
            scope->fields[i].hidden = true;
    }
}

static struct bound_expr *equal(struct sql_context *cx, const struct ast_name *name, struct bound_expr *a,
                                struct bound_expr *b, enum ast_join join, struct bound_expr **merged)
{
    const struct sql_type *t = sql_common_type(cx, a->type, b->type);
    if (t == NULL || !sql_is_comparable(t)) {
        struct mr_str x = check_type_text(cx, a->type), y = check_type_text(cx, b->type);
        sql_fail(cx, name->pos, "Column types of '" MR_STR_FMT "' differ: " MR_STR_FMT ", " MR_STR_FMT,
                 MR_STR_ARG(name->text), MR_STR_ARG(x), MR_STR_ARG(y));
        return NULL;
    }
    a = sql_coerce(cx, a, t);
    b = a != NULL ? sql_coerce(cx, b, t) : NULL;
    if (b == NULL)
        return NULL;
    *merged = join == AST_FULL    ? bound_call2(cx, name->pos, t, "coalesce($*)", a, b)
              : join == AST_RIGHT ? b
                                  : a;
    return *merged != NULL ? check_equal(cx, name->pos, a, b) : NULL;
}

/* USING: the condition, and the merged columns in front of the others. */
static bool check_using(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                        size_t left, size_t right, struct bound_expr **on)
{
    size_t n = ast->nusing, end = scope->nfields;
    struct scope_field *merged = SQL_ARRAY_NEW(cx, n, struct scope_field);
    struct bound_expr *all = bound_new(cx, BOUND_AND, ast->pos, sql_scalar(SQL_BOOLEAN), n);
    if (merged == NULL || all == NULL)
        return false;
    for (size_t i = 0; i < n; i++) {
        const struct ast_name *name = ast->using_names[i];
        struct bound_expr *a = side_field(cx, scope, left, right, name);
        struct bound_expr *b = a != NULL ? side_field(cx, scope, right, end, name) : NULL;
        merged[i].name = name->text;
        if (b == NULL || (all->args[i] = equal(cx, name, a, b, ast->join, &merged[i].expr)) == NULL)
            return false;
        hide(scope, left, a);
        hide(scope, left, b);
    }
    for (size_t i = 0; i < n; i++) { /* room at the end, then shifted */
        if (!scope_add(cx, scope, merged[i]))
            return false;
    }
    memmove(scope->fields + left + n, scope->fields + left, (end - left) * sizeof *scope->fields);
    memcpy(scope->fields + left, merged, n * sizeof *merged);
    scope->indexed = 0; /* fields have moved */
    *on = all;
    return true;
}

static bool check_join(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                       struct bound_relation **out)
{
    struct bound_relation *r = new_relation(cx, BOUND_JOIN, 0);
    size_t left = scope->nfields, outer_names = cx->outer_names;
    if (r == NULL || !check_relation(cx, ast->left, scope, &r->left))
        return false;
    size_t right = scope->nfields;
    if (!check_relation(cx, ast->right, scope, &r->right))
        return false;
    r->join = ast->join;
    *out = r;
    if (ast->nusing > 0)
        return check_using(cx, ast, scope, left, right, &r->on) && check_outer_join(cx, ast, scope, left, r);
    if (ast->on == NULL)
        return true;
    struct scope sides = {.parent = scope->parent,
                          .with = scope->with,
                          .nwith = scope->nwith,
                          .fields = scope->fields + left,
                          .nfields = scope->nfields - left};
    struct check c = {.cx = cx, .scope = &sides, .clause = "JOIN clause"};
    if (!check_boolean(&c, ast->on, &r->on) || !check_outer_join(cx, ast, scope, left, r))
        return false;
    bool hard = r->join == AST_FULL && (cx->outer_names != outer_names || check_hard_full_join(r));
    return !hard || check_full_join(cx, ast, scope, left, out);
}

bool check_relation(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                    struct bound_relation **out)
{
    switch (ast->kind) {
    case AST_TABLE:
        return ast->nparts == 1 ? check_with_name(cx, ast, scope, out) : check_table(cx, ast, scope, out);
    case AST_DERIVED:
        return check_derived_item(cx, ast, scope, out);
    case AST_UNNEST:
        return check_unnest(cx, ast, scope, out);
    default:
        return check_join(cx, ast, scope, out);
    }
}
