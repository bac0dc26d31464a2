/* sql/expr.c - building, comparing and walking bound expressions. */
#include "sql/bound.h"

struct bound_expr *bound_new(struct sql_context *cx, enum bound_kind kind, size_t pos,
                             const struct sql_type *type, size_t nargs)
{
    struct bound_expr *e = type != NULL ? SQL_NEW(cx, struct bound_expr) : NULL;
    if (e == NULL)
        return NULL;
    e->kind = kind;
    e->pos = (uint32_t)pos;
    e->type = type;
    e->nargs = nargs;
    if (nargs > 0 && (e->args = SQL_ARRAY_NEW(cx, nargs, struct bound_expr *)) == NULL)
        return NULL;
    return e;
}

struct bound_expr *bound_call1(struct sql_context *cx, size_t pos, const struct sql_type *type,
                               const char *pattern, struct bound_expr *a)
{
    struct bound_expr *e = a != NULL ? bound_new(cx, BOUND_CALL, pos, type, 1) : NULL;
    if (e == NULL)
        return NULL;
    e->pattern = pattern;
    e->args[0] = a;
    return e;
}

struct bound_expr *bound_call2(struct sql_context *cx, size_t pos, const struct sql_type *type,
                               const char *pattern, struct bound_expr *a, struct bound_expr *b)
{
    struct bound_expr *e = a != NULL && b != NULL ? bound_new(cx, BOUND_CALL, pos, type, 2) : NULL;
    if (e == NULL)
        return NULL;
    e->pattern = pattern;
    e->args[0] = a;
    e->args[1] = b;
    return e;
}

struct bound_expr *bound_int(struct sql_context *cx, size_t pos, enum sql_kind kind, int64_t value)
{
    struct bound_expr *e = bound_new(cx, BOUND_CONST, pos, sql_scalar(kind), 0);
    if (e != NULL)
        e->i64 = value;
    return e;
}

struct bound_expr *bound_double(struct sql_context *cx, size_t pos, double value)
{
    struct bound_expr *e = bound_new(cx, BOUND_CONST, pos, sql_scalar(SQL_DOUBLE), 0);
    if (e != NULL)
        e->f64 = value;
    return e;
}

struct bound_expr *bound_text(struct sql_context *cx, size_t pos, struct mr_str value)
{
    struct bound_expr *e = bound_new(cx, BOUND_CONST, pos, sql_scalar(SQL_VARCHAR), 0);
    if (e != NULL)
        e->text = value;
    return e;
}

struct bound_expr *bound_null(struct sql_context *cx, size_t pos, const struct sql_type *type)
{
    struct bound_expr *e = bound_new(cx, BOUND_CONST, pos, type, 0);
    if (e != NULL)
        e->null = true;
    return e;
}

struct bound_expr *bound_column(struct sql_context *cx, size_t pos, struct bound_relation *r, size_t index)
{
    struct bound_expr *e = bound_new(cx, BOUND_COLUMN, pos, r->columns[index].type, 0);
    if (e != NULL) {
        e->relation = r;
        e->index = index;
    }
    return e;
}

struct bound_expr *bound_field(struct sql_context *cx, size_t pos, struct bound_expr *row, size_t index)
{
    struct bound_expr *e = bound_new(cx, BOUND_FIELD, pos, row->type->fields[index].type, 1);
    if (e != NULL) {
        e->args[0] = row;
        e->index = index;
    }
    return e;
}

struct bound_expr *bound_let(struct sql_context *cx, struct bound_expr *e)
{
    if (e == NULL || e->kind == BOUND_COLUMN || e->kind == BOUND_CONST || e->kind == BOUND_LAMBDA_ARG)
        return e;
    struct bound_expr *arg = bound_new(cx, BOUND_LAMBDA_ARG, e->pos, e->type, 0);
    if (arg != NULL)
        arg->index = cx->next_table++;
    return arg;
}

/* A list of one element, transformed: the engine's way to name a value. */
struct bound_expr *bound_let_in(struct sql_context *cx, struct bound_expr *e, struct bound_expr *arg,
                                struct bound_expr *body)
{
    if (body == NULL || arg == e)
        return body;
    struct bound_expr *lambda = bound_new(cx, BOUND_LAMBDA, e->pos, body->type, 1);
    if (lambda == NULL)
        return NULL;
    lambda->index = arg->index;
    lambda->op = 1;
    lambda->args[0] = body;
    return bound_call2(cx, e->pos, body->type, "list_extract(list_transform([$1], $2), 1)", e, lambda);
}

bool bound_is_const(const struct bound_expr *e)
{
    return e->kind == BOUND_CONST && !e->null;
}

static bool equal_const(const struct bound_expr *a, const struct bound_expr *b)
{
    if (a->null || b->null)
        return a->null == b->null;
    if (a->type->kind == SQL_VARCHAR)
        return mr_str_eq(a->text, b->text);
    return a->i64 == b->i64; /* the bits of doubles too */
}

static bool both(const void *a, const void *b)
{
    return (a == NULL) == (b == NULL);
}

static bool equal_order(const struct bound_order *a, const struct bound_order *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i].desc != b[i].desc || a[i].nulls_first != b[i].nulls_first || a[i].output != b[i].output ||
            !both(a[i].expr, b[i].expr) || (a[i].expr != NULL && !bound_equal(a[i].expr, b[i].expr)))
            return false;
    }
    return true;
}

static bool equal_window(const struct bound_window *a, const struct bound_window *b)
{
    if (a->npartition != b->npartition || a->norder != b->norder || a->framed != b->framed ||
        a->rows != b->rows || a->from != b->from || a->to != b->to || !both(a->from_expr, b->from_expr) ||
        !both(a->to_expr, b->to_expr))
        return false;
    for (size_t i = 0; i < a->npartition; i++) {
        if (!bound_equal(a->partition[i], b->partition[i]))
            return false;
    }
    return equal_order(a->order, b->order, a->norder) &&
           (a->from_expr == NULL || bound_equal(a->from_expr, b->from_expr)) &&
           (a->to_expr == NULL || bound_equal(a->to_expr, b->to_expr));
}

bool bound_equal(const struct bound_expr *a, const struct bound_expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->op != b->op || a->negated != b->negated || a->all != b->all ||
        a->distinct != b->distinct || a->ignore_nulls != b->ignore_nulls || a->nargs != b->nargs ||
        a->relation != b->relation || a->index != b->index || a->pattern != b->pattern ||
        a->query != b->query || a->norder != b->norder || a->is_volatile || b->is_volatile ||
        !sql_type_equal(a->type, b->type) || !both(a->filter, b->filter) || !both(a->window, b->window))
        return false;
    if (a->kind == BOUND_CONST && !equal_const(a, b))
        return false;
    if (a->kind == BOUND_PARAM && !mr_str_eq(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->nargs; i++) {
        if (!bound_equal(a->args[i], b->args[i]))
            return false;
    }
    return (a->filter == NULL || bound_equal(a->filter, b->filter)) &&
           equal_order(a->order, b->order, a->norder) &&
           (a->window == NULL || equal_window(a->window, b->window));
}

bool bound_children(struct bound_expr *e, bound_visit visit, void *ctx)
{
    for (size_t i = 0; i < e->nargs; i++) {
        if (!visit(ctx, &e->args[i]))
            return false;
    }
    if (e->filter != NULL && !visit(ctx, &e->filter))
        return false;
    for (size_t i = 0; i < e->norder; i++) {
        if (!visit(ctx, &e->order[i].expr))
            return false;
    }
    struct bound_window *w = e->window;
    if (w == NULL)
        return true;
    for (size_t i = 0; i < w->npartition; i++) {
        if (!visit(ctx, &w->partition[i]))
            return false;
    }
    for (size_t i = 0; i < w->norder; i++) {
        if (!visit(ctx, &w->order[i].expr))
            return false;
    }
    return (w->from_expr == NULL || visit(ctx, &w->from_expr)) &&
           (w->to_expr == NULL || visit(ctx, &w->to_expr));
}

static bool visit_stable(void *ctx, struct bound_expr **child)
{
    MR_UNUSED(ctx);
    return !bound_volatile(*child);
}

bool bound_volatile(const struct bound_expr *e)
{
    return e->is_volatile || !bound_children((struct bound_expr *)e, visit_stable, NULL);
}

/* Patterns whose result is a number when their arguments are. */
static bool keeps_numbers(const char *pattern)
{
    static const char *const patterns[] = {
        "CAST($1 AS DOUBLE)", "abs($1)",      "min{$1}",       "max{$1}", "avg{$1}",
        "mr_ceil($1)",        "mr_floor($1)", "any_value{$1}", "(-$1)"};
    for (size_t i = 0; i < MR_ARRAY_LEN(patterns); i++) {
        if (strcmp(pattern, patterns[i]) == 0)
            return true;
    }
    return false;
}

bool bound_may_nan(const struct bound_expr *e)
{
    if (e->type->kind != SQL_DOUBLE)
        return false;
    if (e->kind == BOUND_CONST)
        return !e->null && e->f64 != e->f64;
    if (e->kind == BOUND_COLUMN)
        return e->relation->kind != BOUND_SCAN; /* writes refuse NaN and infinities */
    if (e->pattern == NULL || !keeps_numbers(e->pattern))
        return true;
    for (size_t i = 0; i < e->nargs; i++) {
        if (bound_may_nan(e->args[i]))
            return true;
    }
    return false;
}

bool relation_holds(const struct bound_relation *from, const struct bound_relation *r)
{
    if (from == NULL)
        return false;
    return from == r ||
           (from->kind == BOUND_JOIN && (relation_holds(from->left, r) || relation_holds(from->right, r)));
}

bool bound_between_named(const struct bound_expr *e)
{
    return bound_may_nan(e->args[0]) || bound_may_nan(e->args[1]) || bound_may_nan(e->args[2]) ||
           bound_volatile(e->args[0]);
}

bool bound_relation_walk(struct bound_relation *r, bound_visit visit, void *ctx)
{
    if (r == NULL)
        return true;
    for (size_t i = 0; i < r->nargs; i++) {
        if (!visit(ctx, &r->args[i]))
            return false;
    }
    if (r->kind == BOUND_DERIVED && !bound_query_walk(r->query, visit, ctx))
        return false;
    return bound_relation_walk(r->left, visit, ctx) && bound_relation_walk(r->right, visit, ctx) &&
           (r->on == NULL || visit(ctx, &r->on));
}

bool bound_query_walk(struct bound_query *q, bound_visit visit, void *ctx)
{
    for (size_t i = 0; i < q->nwith; i++) {
        if (!bound_query_walk(q->with[i]->query, visit, ctx))
            return false;
    }
    for (size_t i = 0; i < q->nrows * q->noutputs; i++) {
        if (!visit(ctx, &q->rows[i / q->noutputs][i % q->noutputs]))
            return false;
    }
    if (q->left != NULL &&
        (!bound_query_walk(q->left, visit, ctx) || !bound_query_walk(q->right, visit, ctx)))
        return false;
    if (!bound_relation_walk(q->from, visit, ctx) || (q->where != NULL && !visit(ctx, &q->where)) ||
        (q->having != NULL && !visit(ctx, &q->having)))
        return false;
    for (size_t i = 0; i < q->nkeys; i++) {
        if (!visit(ctx, &q->keys[i]))
            return false;
    }
    for (size_t i = 0; i < q->aggregates.n; i++) {
        if (!visit(ctx, (struct bound_expr **)&q->aggregates.items[i]))
            return false;
    }
    for (size_t i = 0; i < q->noutputs; i++) {
        if (q->outputs[i].expr != NULL && !visit(ctx, &q->outputs[i].expr))
            return false;
    }
    for (size_t i = 0; i < q->norder; i++) {
        if (q->order[i].expr != NULL && !visit(ctx, &q->order[i].expr))
            return false;
    }
    return true;
}
