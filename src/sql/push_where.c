/* sql/push_where.c - whether a scan's bounds and predicates say all that a condition says.
 *
 * Pruning hands over what it can and the statement applies the whole WHERE again, so nothing there depends on
 * bounds being exact. Here it does. So a condition counts only if it follows from what the scan has been
 * given, and that is looked up in the scan: whatever pruning left out, or took wider, is simply not found.
 */
#include "sql/push.h"

static bool is_column(const struct bound_relation *r, const struct bound_expr *e, enum sql_role a,
                      enum sql_role b)
{
    if (e->kind != BOUND_COLUMN || e->relation != r)
        return false;
    enum sql_role role = r->columns[e->index].source->role;
    return role == a || role == b;
}

static bool is_time(const struct bound_relation *r, const struct bound_expr *e)
{
    return is_column(r, e, SQL_ROLE_TIME, SQL_ROLE_TIME);
}

static bool is_name(const struct bound_relation *r, const struct bound_expr *e)
{
    return is_column(r, e, SQL_ROLE_DIMENSION, SQL_ROLE_MEASURE_NAME);
}

/* time op value */
static bool time_is_said(const struct bound_scan *scan, enum ast_compare op, const struct bound_expr *value)
{
    if (!bound_is_const(value) || value->type->kind != SQL_TIMESTAMP)
        return false;
    switch (op) {
    case AST_EQ:
        return scan->time_min >= value->i64 && scan->time_max <= value->i64;
    case AST_LT:
        return scan->time_max < value->i64;
    case AST_LE:
        return scan->time_max <= value->i64;
    case AST_GT:
        return scan->time_min > value->i64;
    case AST_GE:
        return scan->time_min >= value->i64;
    default:
        return false;
    }
}

/* One of the constants args[from ..] of the expressions is that text. */
static bool has_text(struct bound_expr *const *list, size_t n, struct mr_str text)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 1; k < list[i]->nargs; k++)
            if (!list[i]->args[k]->null && mr_str_eq(list[i]->args[k]->text, text))
                return true;
    return false;
}

static bool all_const_texts(struct bound_expr *const *list, size_t n, bool nulls)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 1; k < list[i]->nargs; k++)
            if (list[i]->args[k]->kind != BOUND_CONST || (list[i]->args[k]->null && !nulls))
                return false;
    return true;
}

/* The column is equal to a constant of one of the expressions, each `column = ...` or `column IN (...)`: a
 * predicate allows nothing else. */
static bool in_is_said(const struct bound_scan *scan, uint32_t column, struct bound_expr *const *list,
                       size_t n)
{
    for (size_t p = 0; p < scan->npreds; p++) {
        const struct sql_pred *pred = &scan->preds[p];
        bool within = pred->column == column && pred->op == SQL_PRED_IN;
        for (size_t i = 0; within && i < pred->nvalues; i++)
            within = has_text(list, n, pred->values[i]);
        if (within)
            return true;
    }
    return false;
}

/* The column is none of the constants: a predicate excludes each. */
static bool not_in_is_said(const struct bound_scan *scan, uint32_t column, const struct bound_expr *e)
{
    for (size_t k = 1; k < e->nargs; k++) {
        bool found = false;
        for (size_t p = 0; p < scan->npreds && !found; p++) {
            const struct sql_pred *pred = &scan->preds[p];
            bool about = pred->column == column && pred->op == SQL_PRED_NOT_IN;
            for (size_t i = 0; about && i < pred->nvalues && !found; i++)
                found = mr_str_eq(pred->values[i], e->args[k]->text);
        }
        if (!found)
            return false;
    }
    return true;
}

static bool pred_is_there(const struct bound_scan *scan, uint32_t column, enum sql_pred_op op,
                          struct mr_str text)
{
    for (size_t p = 0; p < scan->npreds; p++) {
        const struct sql_pred *pred = &scan->preds[p];
        if (pred->column == column && pred->op == op &&
            ((pred->nvalues == 0 && op != SQL_PRED_NOT_IN) ||
             (pred->nvalues == 1 && mr_str_eq(pred->values[0], text))))
            return true;
    }
    return false;
}

static uint32_t number_of(const struct bound_relation *r, const struct bound_expr *e)
{
    return r->columns[e->index].source->number;
}

/* Without wildcards, or with one % at the end. */
static bool like_is_said(const struct bound_relation *r, const struct bound_expr *e)
{
    if (e->negated || e->nargs != 2 || !is_name(r, e->args[0]) || !bound_is_const(e->args[1]))
        return false;
    struct mr_str text = e->args[1]->text;
    size_t n = 0;
    while (n < text.len && text.ptr[n] != '%' && text.ptr[n] != '_')
        n++;
    if (n == text.len)
        return pred_is_there(r->scan, number_of(r, e->args[0]), SQL_PRED_IN, text);
    return text.ptr[n] == '%' && n + 1 == text.len &&
           pred_is_there(r->scan, number_of(r, e->args[0]), SQL_PRED_PREFIX, mr_str_slice(text, 0, n));
}

/* A filter of the scan says the same of a column of values. */
static bool filter_is_there(const struct bound_scan *scan, const struct sql_filter *want)
{
    for (size_t i = 0; i < scan->nfilters; i++) {
        const struct sql_filter *f = &scan->filters[i];
        if (f->column != want->column || f->op != want->op || f->kind != want->kind)
            continue;
        if (f->op >= SQL_FILTER_IS_NULL ||
            (f->kind == SQL_VARCHAR ? mr_str_eq(f->text, want->text) : f->i64 == want->i64))
            return true;
    }
    return false;
}

static bool value_is_said(const struct bound_relation *r, const struct bound_expr *a, enum ast_compare op,
                          const struct bound_expr *b)
{
    struct sql_filter filter;
    return filter_of_compare(r, a, op, b, &filter) && filter_is_there(r->scan, &filter);
}

static bool null_is_said(const struct bound_relation *r, const struct bound_expr *e)
{
    struct sql_filter filter;
    if (filter_of_null(r, e, &filter))
        return filter_is_there(r->scan, &filter);
    return is_name(r, e->args[0]) &&
           pred_is_there(r->scan, number_of(r, e->args[0]), e->negated ? SQL_PRED_NOT_NULL : SQL_PRED_IS_NULL,
                         MR_STR(""));
}

static bool compare_is_said(const struct bound_relation *r, struct bound_expr *e)
{
    static const enum ast_compare flipped[] = {AST_EQ, AST_NE, AST_GT, AST_GE, AST_LT, AST_LE};
    enum ast_compare op = (enum ast_compare)e->op;
    if (value_is_said(r, e->args[0], op, e->args[1]))
        return true;
    if (is_time(r, e->args[0]))
        return time_is_said(r->scan, op, e->args[1]);
    if (is_time(r, e->args[1]))
        return time_is_said(r->scan, flipped[op], e->args[0]);
    bool left = is_name(r, e->args[0]);
    const struct bound_expr *name = e->args[left ? 0 : 1], *value = e->args[left ? 1 : 0];
    if (!is_name(r, name) || !bound_is_const(value))
        return false;
    if (op == AST_EQ)
        return pred_is_there(r->scan, number_of(r, name), SQL_PRED_IN, value->text);
    return op == AST_NE && pred_is_there(r->scan, number_of(r, name), SQL_PRED_NOT_IN, value->text);
}

static bool in_list_is_said(const struct bound_relation *r, struct bound_expr *e)
{
    if (!is_name(r, e->args[0]) || !all_const_texts(&e, 1, !e->negated))
        return false;
    uint32_t column = number_of(r, e->args[0]);
    return e->negated ? not_in_is_said(r->scan, column, e) : in_is_said(r->scan, column, &e, 1);
}

static bool or_is_said(const struct bound_relation *r, const struct bound_expr *e)
{
    for (size_t i = 0; i < e->nargs; i++) {
        const struct bound_expr *a = e->args[i];
        bool is_eq = a->kind == BOUND_COMPARE && a->op == AST_EQ, is_in = a->kind == BOUND_IN && !a->negated;
        if ((!is_eq && !is_in) || !is_name(r, a->args[0]) || a->args[0]->index != e->args[0]->args[0]->index)
            return false;
    }
    return all_const_texts(e->args, e->nargs, true) &&
           in_is_said(r->scan, number_of(r, e->args[0]->args[0]), e->args, e->nargs);
}

bool push_where_is_said(const struct bound_relation *r, const struct bound_expr *e)
{
    switch (e->kind) {
    case BOUND_AND:
        for (size_t i = 0; i < e->nargs; i++)
            if (!push_where_is_said(r, e->args[i]))
                return false;
        return true;
    case BOUND_OR:
        return e->nargs > 0 && or_is_said(r, e);
    case BOUND_COMPARE:
        return compare_is_said(r, (struct bound_expr *)e);
    case BOUND_BETWEEN:
        if (!e->negated && value_is_said(r, e->args[0], AST_GE, e->args[1]) &&
            value_is_said(r, e->args[0], AST_LE, e->args[2]))
            return true;
        return !e->negated && is_time(r, e->args[0]) && time_is_said(r->scan, AST_GE, e->args[1]) &&
               time_is_said(r->scan, AST_LE, e->args[2]);
    case BOUND_IN:
        return in_list_is_said(r, (struct bound_expr *)e);
    case BOUND_LIKE:
        return like_is_said(r, e);
    case BOUND_IS_NULL:
        return null_is_said(r, e);
    default:
        return false;
    }
}
