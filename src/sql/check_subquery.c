/* sql/check_subquery.c - subqueries in expressions: scalar, EXISTS, IN, ALL and ANY. */
#include "sql/bound.h"

static bool one_column(struct check *c, const struct ast_expr *e, const struct bound_query *q)
{
    if (q->noutputs == 1)
        return true;
    return sql_fail(c->cx, e->query->pos,
                    "Multiple columns returned by subquery are not yet supported. Found %zu", q->noutputs);
}

static bool query_may_nan(const struct bound_query *q)
{
    if (q->kind == BOUND_SELECT)
        return bound_may_nan(q->outputs[0].expr);
    for (size_t i = 0; i < q->nrows; i++) {
        if (bound_may_nan(q->rows[i][0]))
            return true;
    }
    return q->kind == BOUND_SETOP;
}

/* Where the engine's comparison will not do: the comparisons are the query's rows, and the answer is drawn
 * from them. */
static struct bound_expr *truth_query(struct check *c, struct bound_expr *e)
{
    bool in = e->kind == BOUND_IN_QUERY;
    struct bound_relation *r = check_derived(c->cx, e->query);
    struct bound_expr *y = r != NULL ? bound_column(c->cx, e->pos, r, 0) : NULL;
    struct bound_query *q = y != NULL ? bound_new_query(c->cx, BOUND_SELECT, e->query->pos, 1) : NULL;
    if (q == NULL)
        return NULL;
    uint8_t op = in ? AST_EQ : e->op;
    struct bound_expr *each = op == AST_EQ || op == AST_NE
                                  ? check_equal(c->cx, e->pos, e->args[0], y)
                                  : check_comparison(c->cx, e->pos, op, e->args[0], y);
    if (op == AST_NE)
        each = check_negated(c->cx, each);
    if (each == NULL)
        return NULL;
    q->from = r;
    q->outputs[0] = (struct bound_output){.name = MR_STR("truth"), .type = each->type, .expr = each};
    e->kind = BOUND_TRUTH;
    e->query = q;
    e->nargs = 0;
    bool negated = e->negated;
    e->negated = false;
    return negated ? check_negated(c->cx, e) : e;
}

/* a op (query): both sides to one type */
static struct bound_expr *value_query(struct check *c, const struct ast_expr *e, struct bound_query *q)
{
    bool in = e->kind == AST_IN_QUERY;
    struct bound_expr *a = check_expr(c, e->a);
    struct bound_expr *out = a != NULL ? bound_new(c->cx, in ? BOUND_IN_QUERY : BOUND_QUANTIFIED, e->pos,
                                                   sql_scalar(SQL_BOOLEAN), 1)
                                       : NULL;
    if (out == NULL || !one_column(c, e, q))
        return NULL;
    const struct sql_type *t = sql_common_type(c->cx, a->type, q->outputs[0].type);
    if (t == NULL || !sql_is_comparable(t)) {
        struct mr_str x = check_type_text(c->cx, a->type), y = check_type_text(c->cx, q->outputs[0].type);
        sql_fail(c->cx, e->pos,
                 "value and result of subquery must be of the same type for %s expression: " MR_STR_FMT
                 " vs " MR_STR_FMT,
                 in ? "IN" : "quantified comparison", MR_STR_ARG(x), MR_STR_ARG(y));
        return NULL;
    }
    out->op = e->op;
    out->all = e->all;
    out->negated = e->negated;
    out->args[0] = sql_coerce(c->cx, a, t);
    out->query = out->args[0] != NULL ? check_coerce_query(c->cx, q, &t) : NULL;
    if (out->query == NULL)
        return NULL;
    bool left = bound_may_nan(out->args[0]), right = t->kind == SQL_DOUBLE && query_may_nan(out->query);
    bool equality = in || e->op == AST_EQ || e->op == AST_NE;
    bool own = t->kind == SQL_ROW || t->kind == SQL_ARRAY || (equality ? left && right : left || right);
    return own ? truth_query(c, out) : out;
}

struct bound_expr *check_subquery(struct check *c, const struct ast_expr *e)
{
    if (c->in_lambda) {
        sql_fail(c->cx, e->pos, "Lambda expression cannot contain subqueries");
        return NULL;
    }
    struct bound_query *q = check_query(c->cx, e->query, c->scope);
    if (q == NULL)
        return NULL;
    if (e->kind == AST_IN_QUERY || e->kind == AST_QUANTIFIED)
        return value_query(c, e, q);
    bool exists = e->kind == AST_EXISTS;
    if (!exists && !one_column(c, e, q))
        return NULL;
    struct bound_expr *out = bound_new(c->cx, exists ? BOUND_EXISTS : BOUND_SUBQUERY, e->pos,
                                       exists ? sql_scalar(SQL_BOOLEAN) : q->outputs[0].type, 0);
    if (out != NULL)
        out->query = q;
    return out;
}
