/* sql/copy.c - copies of expressions: a tree may be shared by two places, and be changed in one. Queries
 * inside are not copied. */
#include "sql/bound.h"

static bool copy_order(struct sql_context *cx, struct bound_order **order, size_t n)
{
    struct bound_order *out = SQL_ARRAY_NEW(cx, n, struct bound_order);
    for (size_t i = 0; out != NULL && i < n; i++) {
        out[i] = (*order)[i];
        if (out[i].expr != NULL && (out[i].expr = bound_copy(cx, out[i].expr)) == NULL)
            return false;
    }
    *order = out;
    return out != NULL;
}

static bool copy_window(struct sql_context *cx, struct bound_window **window)
{
    struct bound_window *w = SQL_NEW(cx, struct bound_window);
    if (w == NULL)
        return false;
    *w = **window;
    *window = w;
    struct bound_expr **partition = SQL_ARRAY_NEW(cx, w->npartition, struct bound_expr *);
    for (size_t i = 0; partition != NULL && i < w->npartition; i++) {
        if ((partition[i] = bound_copy(cx, w->partition[i])) == NULL)
            return false;
    }
    w->partition = partition;
    return partition != NULL && copy_order(cx, &w->order, w->norder) &&
           (w->from_expr == NULL || (w->from_expr = bound_copy(cx, w->from_expr)) != NULL) &&
           (w->to_expr == NULL || (w->to_expr = bound_copy(cx, w->to_expr)) != NULL);
}

struct bound_expr *bound_copy(struct sql_context *cx, const struct bound_expr *e)
{
    struct bound_expr *out = SQL_NEW(cx, struct bound_expr);
    if (out == NULL)
        return NULL;
    *out = *e;
    if ((out->args = SQL_ARRAY_NEW(cx, e->nargs, struct bound_expr *)) == NULL)
        return NULL;
    for (size_t i = 0; i < e->nargs; i++) {
        if ((out->args[i] = bound_copy(cx, e->args[i])) == NULL)
            return NULL;
    }
    if ((e->filter != NULL && (out->filter = bound_copy(cx, e->filter)) == NULL) ||
        (e->norder > 0 && !copy_order(cx, &out->order, e->norder)) ||
        (e->window != NULL && !copy_window(cx, &out->window)))
        return NULL;
    return out;
}
