/* sql/prune_values.c - conditions on measures, handed to the scan: it reads no block in which none holds, and
 * no row that fails comes out.
 *
 * Only what stands in the WHERE of the block whose FROM is the table, joined by AND, and compares a column of
 * values with a constant of its own kind. The statement applies all of it again, but where it does not run.
 */
#include "sql/bound.h"

#include <math.h>

static const struct sql_column *value_of(const struct bound_relation *r, const struct bound_expr *e)
{
    if (e->kind != BOUND_COLUMN || e->relation != r)
        return NULL;
    const struct sql_column *c = r->columns[e->index].source;
    return c->role == SQL_ROLE_MEASURE_VALUE || c->role == SQL_ROLE_ATTRIBUTE ? c : NULL;
}

bool filter_of_value(enum sql_kind kind, enum ast_compare op, const struct bound_expr *value,
                     struct sql_filter *out)
{
    static const enum sql_filter_op ops[] = {
        [AST_EQ] = SQL_FILTER_EQ, [AST_NE] = SQL_FILTER_NE, [AST_LT] = SQL_FILTER_LT,
        [AST_LE] = SQL_FILTER_LE, [AST_GT] = SQL_FILTER_GT, [AST_GE] = SQL_FILTER_GE,
    };
    if (!bound_is_const(value) || value->type->kind != kind)
        return false;
    *out = (struct sql_filter){.op = ops[op], .kind = kind};
    switch (kind) {
    case SQL_DOUBLE:
        out->f64 = value->f64;
        return !isnan(value->f64);
    case SQL_BIGINT:
    case SQL_TIMESTAMP:
        out->i64 = value->i64;
        return true;
    case SQL_BOOLEAN:
        out->i64 = value->i64;
        return op == AST_EQ || op == AST_NE;
    case SQL_VARCHAR:
        out->text = value->text;
        return op == AST_EQ || op == AST_NE;
    default:
        return false;
    }
}

static bool of_column(const struct sql_column *c, enum ast_compare op, const struct bound_expr *value,
                      struct sql_filter *out)
{
    bool fits = filter_of_value(c->kind, op, value, out);
    out->column = c->number;
    return fits;
}

bool filter_of_compare(const struct bound_relation *r, const struct bound_expr *a, enum ast_compare op,
                       const struct bound_expr *b, struct sql_filter *out)
{
    static const enum ast_compare flipped[] = {AST_EQ, AST_NE, AST_GT, AST_GE, AST_LT, AST_LE};
    const struct sql_column *c = value_of(r, a);
    if (c != NULL)
        return of_column(c, op, b, out);
    c = value_of(r, b);
    return c != NULL && of_column(c, flipped[op], a, out);
}

bool filter_of_null(const struct bound_relation *r, const struct bound_expr *e, struct sql_filter *out)
{
    const struct sql_column *c = value_of(r, e->args[0]);
    if (c == NULL)
        return false;
    *out = (struct sql_filter){
        .column = c->number, .op = e->negated ? SQL_FILTER_NOT_NULL : SQL_FILTER_IS_NULL, .kind = c->kind};
    return true;
}

static bool add(struct sql_context *cx, struct bound_scan *scan, struct sql_filter filter)
{
    if (scan->nfilters == scan->filters_cap) {
        size_t cap = scan->filters_cap > 0 ? scan->filters_cap * 2 : 4;
        struct sql_filter *filters = SQL_ARRAY_NEW(cx, cap, struct sql_filter);
        if (filters == NULL)
            return false;
        if (scan->nfilters > 0)
            memcpy(filters, scan->filters, scan->nfilters * sizeof *filters);
        scan->filters = filters;
        scan->filters_cap = cap;
    }
    scan->filters[scan->nfilters++] = filter;
    return true;
}

static bool take(struct sql_context *cx, struct bound_relation *r, const struct bound_expr *e)
{
    struct sql_filter filter;
    switch (e->kind) {
    case BOUND_AND:
        for (size_t i = 0; i < e->nargs; i++)
            if (!take(cx, r, e->args[i]))
                return false;
        return true;
    case BOUND_COMPARE:
        return !filter_of_compare(r, e->args[0], (enum ast_compare)e->op, e->args[1], &filter) ||
               add(cx, r->scan, filter);
    case BOUND_BETWEEN:
        if (e->negated || !filter_of_compare(r, e->args[0], AST_GE, e->args[1], &filter))
            return true;
        return add(cx, r->scan, filter) &&
               (!filter_of_compare(r, e->args[0], AST_LE, e->args[2], &filter) || add(cx, r->scan, filter));
    case BOUND_IS_NULL:
        return !filter_of_null(r, e, &filter) || add(cx, r->scan, filter);
    default:
        return true;
    }
}

bool prune_values(struct sql_context *cx, struct bound_query *q)
{
    if (q->where == NULL || q->from == NULL || q->from->kind != BOUND_SCAN)
        return true;
    return take(cx, q->from, q->where);
}
