/* sql/check_query.c - queries: WITH, select lists, set operations, VALUES, ORDER BY. */
#include "sql/bound.h"

struct bound_query *bound_new_query(struct sql_context *cx, enum bound_query_kind kind, size_t pos,
                                    size_t noutputs)
{
    struct bound_query *q = SQL_NEW(cx, struct bound_query);
    if (q == NULL || (q->outputs = SQL_ARRAY_NEW(cx, noutputs, struct bound_output)) == NULL)
        return NULL;
    q->kind = kind;
    q->pos = (uint32_t)pos;
    q->noutputs = noutputs;
    q->limit = q->offset = -1;
    return q;
}

static struct mr_str column_name(struct sql_context *cx, size_t index)
{
    struct mr_str name = mr_arena_printf(cx->arena, "_col%zu", index);
    if (name.ptr == NULL)
        sql_fail_memory(cx);
    return name;
}

struct bound_query *check_wrap(struct sql_context *cx, struct bound_query *inner)
{
    struct bound_relation *r = check_derived(cx, inner);
    struct bound_query *q = r != NULL ? bound_new_query(cx, BOUND_SELECT, inner->pos, inner->noutputs) : NULL;
    if (q == NULL)
        return NULL;
    q->from = r;
    for (size_t i = 0; i < inner->noutputs; i++) {
        q->outputs[i] = inner->outputs[i];
        q->outputs[i].used = false;
        if ((q->outputs[i].expr = bound_column(cx, inner->pos, r, i)) == NULL)
            return NULL;
    }
    return q;
}

struct bound_query *check_coerce_query(struct sql_context *cx, struct bound_query *q,
                                       const struct sql_type *const *types)
{
    bool same = true;
    for (size_t i = 0; i < q->noutputs; i++)
        same = same && sql_type_equal(q->outputs[i].type, types[i]);
    if (same)
        return q;
    if (q->kind == BOUND_SETOP ||
        (q->kind == BOUND_SELECT && (q->norder > 0 || q->limit >= 0 || q->offset >= 0)))
        q = check_wrap(cx, q);
    for (size_t i = 0; q != NULL && i < q->noutputs; i++) {
        struct bound_output *o = &q->outputs[i];
        o->type = types[i];
        if (o->expr != NULL && (o->expr = sql_coerce(cx, o->expr, types[i])) == NULL)
            return NULL;
        for (size_t k = 0; k < q->nrows; k++) {
            if ((q->rows[k][i] = sql_coerce(cx, q->rows[k][i], types[i])) == NULL)
                return NULL;
        }
    }
    return q;
}

/* ---- WITH ---- */

static bool name_columns(struct sql_context *cx, struct bound_query *q, const struct ast_with *w)
{
    if (w->ncolumns > 0 && w->ncolumns != q->noutputs)
        return sql_fail(cx, w->pos,
                        "Column alias list has %zu entries but '" MR_STR_FMT "' has %zu columns available",
                        w->ncolumns, MR_STR_ARG(w->name), q->noutputs);
    for (size_t i = 0; i < w->ncolumns; i++)
        q->outputs[i].name = w->columns[i]->text;
    return true;
}

/* Each item sees those before it. */
static bool check_with(struct sql_context *cx, const struct ast_query *ast, struct scope *scope)
{
    scope->with = SQL_ARRAY_NEW(cx, ast->nwith, struct bound_with *);
    for (size_t i = 0; scope->with != NULL && i < ast->nwith; i++) {
        const struct ast_with *w = ast->with[i];
        for (size_t k = 0; k < i; k++) {
            if (mr_str_ieq(ast->with[k]->name, w->name))
                return sql_fail(cx, w->pos, "WITH query name '" MR_STR_FMT "' specified more than once",
                                MR_STR_ARG(w->name));
        }
        struct bound_with *b = SQL_NEW(cx, struct bound_with);
        if (b == NULL || (b->query = check_query(cx, w->query, scope)) == NULL ||
            !name_columns(cx, b->query, w))
            return false;
        b->name = w->name;
        b->number = cx->next_table++;
        scope->with[scope->nwith++] = b;
    }
    return scope->with != NULL;
}

/* ---- select list ---- */

struct block {
    struct sql_context *cx;
    struct scope scope;
    struct sql_list outputs; /* of struct bound_output */
    struct sql_list sources; /* of struct ast_expr, parallel; NULL for columns of a star */
    bool aggregates, windows;
};

static bool push_output(struct block *b, struct bound_output value, const struct ast_expr *source)
{
    struct bound_output *o = SQL_NEW(b->cx, struct bound_output);
    if (o == NULL)
        return false;
    *o = value;
    if (b->outputs.n == SQL_MAX_COLUMNS)
        return sql_fail(b->cx, value.expr->pos, "Query selects more than %d columns", SQL_MAX_COLUMNS);
    return sql_push(b->cx, &b->outputs, o) && sql_push(b->cx, &b->sources, (void *)source);
}

static bool star_matches(const struct scope_field *f, const struct ast_item *item, bool exact)
{
    bool (*same)(struct mr_str, struct mr_str) = exact ? mr_str_eq : mr_str_ieq;
    if (item->nprefix == 0)
        return !f->hidden;
    struct mr_str relation = item->prefix[item->nprefix - 1]->text;
    if (f->relation.ptr == NULL || !same(f->relation, relation))
        return false;
    return item->nprefix < 2 || (f->database.ptr != NULL && same(f->database, item->prefix[0]->text));
}

/* * or relation.* */
static bool check_star(struct block *b, const struct ast_item *item)
{
    size_t before = b->outputs.n;
    if (b->scope.nfields == 0)
        return sql_fail(b->cx, item->pos, "SELECT * not allowed in queries without FROM clause");
    for (int exact = 1; exact >= 0 && b->outputs.n == before; exact--) {
        for (size_t i = 0; i < b->scope.nfields; i++) {
            const struct scope_field *f = &b->scope.fields[i];
            if (!star_matches(f, item, exact != 0))
                continue;
            struct bound_output o = {.name = f->name, .type = f->expr->type, .expr = f->expr};
            if (!push_output(b, o, NULL))
                return false;
        }
    }
    if (b->outputs.n == before)
        return sql_fail(b->cx, item->pos, "Table '" MR_STR_FMT "' not found",
                        MR_STR_ARG(item->prefix[item->nprefix - 1]->text));
    return true;
}

static bool check_item(struct block *b, const struct ast_item *item)
{
    if (item->star)
        return check_star(b, item);
    struct check c = {.cx = b->cx, .scope = &b->scope};
    struct bound_output o = {.name = item->alias, .aliased = item->alias.ptr != NULL};
    o.expr = check_expr(&c, item->expr);
    if (o.expr == NULL)
        return false;
    o.type = o.expr->type;
    b->aggregates = b->aggregates || c.has_aggregate || c.has_grouping;
    b->windows = b->windows || c.has_window;
    if (!o.aliased) {
        bool named = item->expr->kind == AST_NAME || item->expr->kind == AST_FIELD;
        o.name = named ? item->expr->text : column_name(b->cx, b->outputs.n);
        if (o.name.ptr == NULL)
            return false;
    }
    return push_output(b, o, item->expr);
}

static bool take_outputs(struct block *b, struct bound_query *q)
{
    q->noutputs = b->outputs.n;
    q->outputs = SQL_ARRAY_NEW(b->cx, q->noutputs, struct bound_output);
    for (size_t i = 0; q->outputs != NULL && i < q->noutputs; i++)
        q->outputs[i] = *(struct bound_output *)b->outputs.items[i];
    return q->outputs != NULL;
}

/* ---- ORDER BY ---- */

static bool check_ordinal(struct sql_context *cx, const struct bound_query *q, const struct ast_expr *e,
                          size_t *out)
{
    if (e->i64 < 1 || (uint64_t)e->i64 > q->noutputs)
        return sql_fail(cx, e->pos, "ORDER BY position %lld is not in select list", (long long)e->i64);
    *out = (size_t)e->i64 - 1;
    return true;
}

/* Output columns are found before the columns of FROM, but not inside aggregates. */
static bool check_order(struct block *b, struct bound_query *q, const struct ast_query *ast)
{
    struct scope outputs = {
        .parent = b->scope.parent, .same = &b->scope, .with = b->scope.with, .nwith = b->scope.nwith};
    struct check c = {.cx = b->cx, .scope = &outputs, .inner = &b->scope};
    for (size_t i = 0; i < q->noutputs; i++) {
        struct scope_field f = {.name = q->outputs[i].name, .expr = q->outputs[i].expr};
        if (!scope_add(b->cx, &outputs, f))
            return false;
    }
    if (ast->norder > SQL_MAX_COLUMNS)
        return sql_fail(b->cx, ast->order[0]->expr->pos, "ORDER BY has more than %d expressions",
                        SQL_MAX_COLUMNS);
    q->order = SQL_ARRAY_NEW(b->cx, ast->norder, struct bound_order);
    for (size_t i = 0; q->order != NULL && i < ast->norder; i++) {
        struct bound_order *o = &q->order[i];
        const struct ast_expr *e = ast->order[i]->expr;
        o->desc = ast->order[i]->desc;
        o->nulls_first = ast->order[i]->nulls_first;
        if (e->kind == AST_INTEGER) {
            if (!check_ordinal(b->cx, q, e, &o->output))
                return false;
        } else if ((o->expr = check_expr(&c, e)) == NULL) {
            return false;
        }
        for (size_t k = 0; o->expr != NULL && k < q->noutputs; k++) {
            if (q->outputs[k].expr == o->expr || bound_equal(q->outputs[k].expr, o->expr)) {
                o->output = k;
                o->expr = NULL;
            }
        }
        const struct sql_type *type = o->expr != NULL ? o->expr->type : q->outputs[o->output].type;
        if (!sql_is_orderable(type)) {
            struct mr_str text = check_type_text(b->cx, type);
            return sql_fail(b->cx, e->pos,
                            "Type " MR_STR_FMT " is not orderable, and therefore cannot be used in ORDER BY",
                            MR_STR_ARG(text));
        }
        if (o->expr != NULL && q->distinct)
            return sql_fail(b->cx, e->pos,
                            "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
    q->norder = ast->norder;
    b->aggregates = b->aggregates || c.has_aggregate || c.has_grouping;
    b->windows = b->windows || c.has_window;
    return q->order != NULL;
}

/* ---- SELECT ---- */

static bool check_distinct(struct block *b, struct bound_query *q)
{
    for (size_t i = 0; q->distinct && i < q->noutputs; i++) {
        if (!sql_is_comparable(q->outputs[i].type)) {
            struct mr_str type = check_type_text(b->cx, q->outputs[i].type);
            return sql_fail(b->cx, q->outputs[i].expr->pos,
                            "DISTINCT can only be applied to comparable types (actual: " MR_STR_FMT ")",
                            MR_STR_ARG(type));
        }
    }
    return true;
}

/* Everything that is computed after grouping. */
static bool regroup_block(struct block *b, struct bound_query *q, const struct ast_select *s,
                          const struct ast_query *ast)
{
    if (!check_group_relation(b->cx, q))
        return false;
    for (size_t i = 0; i < q->noutputs; i++) {
        const struct ast_expr *source = b->sources.items[i];
        struct mr_str what = source != NULL ? check_source(b->cx, source) : q->outputs[i].name;
        size_t pos = source != NULL ? source->pos : s->items[0]->pos;
        if (!check_grouped(b->cx, q, &q->outputs[i].expr, what, pos))
            return false;
    }
    if (s->having != NULL &&
        !check_grouped(b->cx, q, &q->having, check_source(b->cx, s->having), s->having->pos))
        return false;
    for (size_t i = 0; i < q->norder; i++) {
        const struct ast_expr *e = ast->order[i]->expr;
        if (!check_grouped(b->cx, q, &q->order[i].expr, check_source(b->cx, e), e->pos))
            return false;
    }
    return true;
}

/* `ast` is the query the select is the body of; its ORDER BY belongs to the select unless `tail` is false. */
static struct bound_query *check_select(struct sql_context *cx, const struct ast_select *s,
                                        const struct ast_query *ast, struct scope *outer, bool tail)
{
    struct block b = {.cx = cx,
                      .scope = {.parent = outer->parent, .with = outer->with, .nwith = outer->nwith}};
    struct bound_query *q = bound_new_query(cx, BOUND_SELECT, s->pos, 0);
    if (q == NULL || (s->from != NULL && !check_relation(cx, s->from, &b.scope, &q->from)))
        return NULL;
    struct check where = {.cx = cx, .scope = &b.scope, .clause = "WHERE clause"};
    if (s->where != NULL && !check_boolean(&where, s->where, &q->where))
        return NULL;
    for (size_t i = 0; i < s->nitems; i++) {
        if (!check_item(&b, s->items[i]))
            return NULL;
    }
    q->distinct = s->distinct;
    if (!take_outputs(&b, q) || !check_distinct(&b, q))
        return NULL;
    struct check group = {.cx = cx, .scope = &b.scope, .clause = "GROUP BY clause"};
    if (s->grouped && !check_group_by(&group, q, s))
        return NULL;
    struct check having = {.cx = cx, .scope = &b.scope, .name = "HAVING clause"};
    if (s->having != NULL && !check_boolean(&having, s->having, &q->having))
        return NULL;
    if (having.has_window) {
        sql_fail(cx, s->having->pos, "HAVING clause cannot contain window functions");
        return NULL;
    }
    if (tail && ast->norder > 0 && !check_order(&b, q, ast))
        return NULL;
    q->grouped = s->grouped || s->having != NULL || b.aggregates;
    q->windowed = b.windows;
    if (q->grouped && !regroup_block(&b, q, s, ast))
        return NULL;
    return q;
}

/* ---- VALUES and set operations ---- */

static struct bound_query *check_values(struct sql_context *cx, const struct ast_body *body,
                                        struct scope *outer)
{
    struct scope scope = {.parent = outer->parent, .with = outer->with, .nwith = outer->nwith};
    struct check c = {.cx = cx, .scope = &scope, .clause = "VALUES"};
    const struct ast_expr *first = body->rows[0];
    size_t width = first->kind == AST_ROW ? first->nitems : 1;
    struct bound_query *q = bound_new_query(cx, BOUND_VALUES, body->pos, width);
    if (q == NULL || (q->rows = SQL_ARRAY_NEW(cx, body->nrows, struct bound_expr **)) == NULL)
        return NULL;
    q->nrows = body->nrows;
    const struct sql_type **types = SQL_ARRAY_NEW(cx, width, const struct sql_type *);
    for (size_t i = 0; types != NULL && i < width; i++)
        types[i] = sql_scalar(SQL_UNKNOWN);
    for (size_t i = 0; types != NULL && i < body->nrows; i++) {
        const struct ast_expr *row = body->rows[i];
        bool many = row->kind == AST_ROW;
        if ((many ? row->nitems : 1) != width) {
            sql_fail(cx, row->pos, "Values rows have mismatched sizes: %zu vs %zu", width,
                     many ? row->nitems : 1);
            return NULL;
        }
        if ((q->rows[i] = SQL_ARRAY_NEW(cx, width, struct bound_expr *)) == NULL)
            return NULL;
        for (size_t k = 0; k < width; k++) {
            struct bound_expr *e = q->rows[i][k] = check_expr(&c, many ? row->items[k] : row);
            const struct sql_type *t = e != NULL ? sql_common_type(cx, types[k], e->type) : NULL;
            if (t == NULL) {
                if (e != NULL)
                    sql_fail(cx, row->pos, "Values rows have mismatched types in column %zu", k + 1);
                return NULL;
            }
            types[k] = t;
        }
    }
    for (size_t i = 0; types != NULL && i < width; i++) {
        q->outputs[i].name = column_name(cx, i);
        q->outputs[i].type = sql_scalar(SQL_UNKNOWN);
        if (q->outputs[i].name.ptr == NULL)
            return NULL;
        for (size_t k = 0; k < q->nrows; k++) {
            if ((q->rows[k][i] = sql_coerce(cx, q->rows[k][i], types[i])) == NULL)
                return NULL;
        }
        q->outputs[i].type = types[i];
    }
    return types != NULL ? q : NULL;
}

static struct bound_query *check_body(struct sql_context *cx, const struct ast_body *body,
                                      const struct ast_query *ast, struct scope *scope, bool tail);

static const char *const setop_texts[] = {"UNION", "INTERSECT", "EXCEPT"};

static struct bound_query *check_setop(struct sql_context *cx, const struct ast_body *body,
                                       const struct ast_query *ast, struct scope *scope)
{
    struct bound_query *l = check_body(cx, body->left, ast, scope, false);
    struct bound_query *r = l != NULL ? check_body(cx, body->right, ast, scope, false) : NULL;
    if (r == NULL)
        return NULL;
    if (l->noutputs != r->noutputs) {
        sql_fail(cx, body->pos, "%s query has different number of fields: %zu, %zu", setop_texts[body->op],
                 l->noutputs, r->noutputs);
        return NULL;
    }
    struct bound_query *q = bound_new_query(cx, BOUND_SETOP, body->pos, l->noutputs);
    const struct sql_type **types = SQL_ARRAY_NEW(cx, l->noutputs, const struct sql_type *);
    if (q == NULL || types == NULL)
        return NULL;
    for (size_t i = 0; i < l->noutputs; i++) {
        const struct sql_type *a = l->outputs[i].type, *b = r->outputs[i].type;
        types[i] = sql_common_type(cx, a, b);
        bool ok = types[i] != NULL && (sql_is_comparable(types[i]) || (body->op == AST_UNION && body->all));
        if (!ok) {
            struct mr_str x = check_type_text(cx, a), y = check_type_text(cx, b);
            sql_fail(cx, body->pos,
                     "column %zu in %s query has incompatible types: " MR_STR_FMT ", " MR_STR_FMT, i + 1,
                     setop_texts[body->op], MR_STR_ARG(x), MR_STR_ARG(y));
            return NULL;
        }
        q->outputs[i] = (struct bound_output){
            .name = l->outputs[i].name, .type = types[i], .aliased = l->outputs[i].aliased};
    }
    q->op = body->op;
    q->all = body->all;
    q->left = check_coerce_query(cx, l, types);
    q->right = q->left != NULL ? check_coerce_query(cx, r, types) : NULL;
    return q->right != NULL ? q : NULL;
}

static struct bound_query *check_body(struct sql_context *cx, const struct ast_body *body,
                                      const struct ast_query *ast, struct scope *scope, bool tail)
{
    switch (body->kind) {
    case AST_SELECT:
        return check_select(cx, body->select, ast, scope, tail);
    case AST_VALUES:
        return check_values(cx, body, scope);
    case AST_SETOP:
        return check_setop(cx, body, ast, scope);
    default:
        return check_query(cx, body->query, scope);
    }
}

/* ORDER BY over the outputs of a query that is no plain SELECT. */
static struct bound_query *order_outputs(struct sql_context *cx, struct bound_query *inner,
                                         const struct ast_query *ast, struct scope *scope)
{
    struct block b = {.cx = cx,
                      .scope = {.parent = scope->parent, .with = scope->with, .nwith = scope->nwith}};
    struct bound_query *q = check_wrap(cx, inner);
    if (q == NULL || (ast->norder > 0 && !check_order(&b, q, ast)))
        return NULL;
    if (b.aggregates) {
        sql_fail(cx, ast->order[0]->expr->pos, "ORDER BY of a set operation cannot contain aggregations");
        return NULL;
    }
    q->windowed = b.windows;
    return q;
}

struct bound_query *check_query(struct sql_context *cx, const struct ast_query *ast, struct scope *outer)
{
    /* `outer` stands for the level around: its fields are not ours, its WITH items are. */
    struct scope scope = {.parent = outer};
    if (ast->with_ties && ast->norder == 0) {
        sql_fail(cx, ast->pos, "FETCH FIRST WITH TIES clause requires ORDER BY");
        return NULL;
    }
    if (!check_with(cx, ast, &scope))
        return NULL;
    bool plain = ast->body->kind == AST_SELECT;
    struct bound_query *q = check_body(cx, ast->body, ast, &scope, plain);
    if (q == NULL)
        return NULL;
    bool tail = ast->norder > 0 || ast->limit >= 0 || ast->offset >= 0;
    if (!plain && tail && (q = order_outputs(cx, q, ast, &scope)) == NULL)
        return NULL;
    if (q->nwith > 0 && ast->nwith > 0 &&
        (q = check_wrap(cx, q)) == NULL) /* ( WITH ... ) under a WITH of its own */
        return NULL;
    if (tail) {
        q->limit = ast->limit;
        q->offset = ast->offset;
    }
    if (ast->with_ties && (q = check_ties(cx, q)) == NULL)
        return NULL;
    if (ast->nwith > 0) {
        q->with = scope.with;
        q->nwith = scope.nwith;
    }
    return q;
}
