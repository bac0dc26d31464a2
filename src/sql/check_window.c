/* sql/check_window.c - OVER ( ... ): partitions, order and frames. */
#include "sql/bound.h"

#define BAD_OFFSET "Window frame offset value must not be negative or null"

/* The offset, or an error when it is negative or NULL: of BIGINT, or of DOUBLE. */
static const char whole_offset[] = "mr_check_i64(coalesce($1, -1), 0, 9223372036854775807, '" BAD_OFFSET "')";
static const char months_offset[] =
    "CAST(mr_check_i64(coalesce($1, -1), 0, 2147483647, '" BAD_OFFSET "') AS INTEGER)";
static const char double_offset[] = "list_extract(list_transform([$1], lambda $b: $b + "
                                    "CAST(mr_check_i64(CASE WHEN mr_le_f64(0e0, $b) THEN 0 ELSE -1 "
                                    "END, 0, 0, '" BAD_OFFSET "') AS DOUBLE)), 1)";

static struct bound_expr *check_rows_offset(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *out = check_expr(c, e);
    if (out != NULL && sql_coercion(out->type, sql_scalar(SQL_BIGINT)) < 0) {
        struct mr_str type = check_type_text(c->cx, out->type);
        sql_fail(c->cx, e->pos, "Window frame offset must be of type bigint (actual: " MR_STR_FMT ")",
                 MR_STR_ARG(type));
        return NULL;
    }
    return out != NULL ? sql_coerce(c->cx, out, sql_scalar(SQL_BIGINT)) : NULL;
}

/* The kind an offset must have for a key of a kind; SQL_UNKNOWN when there is none. */
static enum sql_kind offset_kind(enum sql_kind key)
{
    switch (key) {
    case SQL_INTEGER:
    case SQL_BIGINT:
        return SQL_BIGINT;
    case SQL_DOUBLE:
        return SQL_DOUBLE;
    case SQL_DATE:
    case SQL_TIME:
    case SQL_TIMESTAMP:
    case SQL_INTERVAL_DAY:
        return SQL_INTERVAL_DAY;
    case SQL_INTERVAL_YEAR:
        return SQL_INTERVAL_YEAR;
    default:
        return SQL_UNKNOWN;
    }
}

/* Months before or after a date or an instant are as many days or nanoseconds as lie between it and where
 * they lead. */
static struct bound_expr *check_months_offset(struct check *c, const struct ast_expr *e,
                                              struct bound_expr *months, const struct bound_window *w,
                                              bool preceding)
{
    struct sql_context *cx = c->cx;
    const struct sql_type *distance = sql_scalar(SQL_BIGINT);
    if (bound_is_const(months) && months->i64 < 0) {
        sql_fail(cx, e->pos, BAD_OFFSET);
        return NULL;
    }
    if (!bound_is_const(months))
        months = bound_call1(cx, e->pos, months->type, months_offset, months);
    bool back = preceding != w->order[0].desc;
    struct bound_expr *to =
        months != NULL ? check_arith_of(cx, e->pos, back ? '-' : '+', w->range_expr, months) : NULL;
    struct bound_expr *from = bound_call1(cx, e->pos, distance, "CAST($1 AS BIGINT)", w->range_expr);
    to = to != NULL ? bound_call1(cx, e->pos, distance, "CAST($1 AS BIGINT)", to) : NULL;
    if (from == NULL || to == NULL)
        return NULL;
    return bound_call2(cx, e->pos, distance, "coalesce(($1 - $2), 0)", back ? from : to, back ? to : from);
}

/* A distance in the key: of numbers a number, of times an interval. The engine adds it to the key, so both
 * have its type: BIGINT (ns, days, months) or DOUBLE. */
static struct bound_expr *check_range_offset(struct check *c, const struct ast_expr *e,
                                             const struct bound_window *w, bool preceding)
{
    const struct sql_type *key = w->range_expr->type;
    struct bound_expr *out = check_expr(c, e);
    if (out == NULL)
        return NULL;
    enum sql_kind kind = offset_kind(key->kind);
    bool months = out->type->kind == SQL_INTERVAL_YEAR && kind == SQL_INTERVAL_DAY &&
                  (key->kind == SQL_DATE || key->kind == SQL_TIMESTAMP);
    if (months)
        return check_months_offset(c, e, out, w, preceding);
    if (sql_coercion(out->type, sql_scalar(kind)) < 0) {
        struct mr_str type = check_type_text(c->cx, out->type), of = check_type_text(c->cx, key);
        sql_fail(c->cx, e->pos,
                 "Window frame RANGE value type (" MR_STR_FMT
                 ") not compatible with sort item type (" MR_STR_FMT ")",
                 MR_STR_ARG(type), MR_STR_ARG(of));
        return NULL;
    }
    if ((out = sql_coerce(c->cx, out, sql_scalar(kind))) == NULL)
        return NULL;
    if (key->kind == SQL_DATE) /* whole days, so what is beyond them adds none */
        return bound_call1(c->cx, e->pos, sql_scalar(SQL_BIGINT), "($1 // 86400000000000)", out);
    if (kind == SQL_INTERVAL_YEAR)
        return bound_call1(c->cx, e->pos, sql_scalar(SQL_BIGINT), "CAST($1 AS BIGINT)", out);
    return out;
}

static bool check_bound(struct check *c, const struct ast_expr *e, const struct bound_window *w,
                        enum ast_bound bound, struct bound_expr **out)
{
    if (e == NULL)
        return true;
    *out = w->rows ? check_rows_offset(c, e) : check_range_offset(c, e, w, bound == AST_PRECEDING);
    if (*out == NULL)
        return false;
    if (bound_is_const(*out) && (*out)->type->kind != SQL_DOUBLE && (*out)->i64 < 0)
        return sql_fail(c->cx, e->pos, BAD_OFFSET);
    if (bound_is_const(*out) && (*out)->type->kind != SQL_DOUBLE)
        return true;
    bool real = (*out)->type->kind == SQL_DOUBLE;
    *out = bound_call1(c->cx, e->pos, (*out)->type, real ? double_offset : whole_offset, *out);
    return *out != NULL;
}

/* RANGE with a distance needs one key that distances can be added to. */
static bool check_range_key(struct check *c, const struct ast_window *w, struct bound_window *out)
{
    if (w->norder != 1)
        return sql_fail(
            c->cx, w->pos,
            w->norder == 0 ? "Window frame of type RANGE PRECEDING or FOLLOWING requires ORDER BY"
                           : "Window frame of type RANGE PRECEDING or FOLLOWING requires single sort item in "
                             "ORDER BY (actual: %zu)",
            w->norder);
    struct bound_order *o = &out->order[0];
    const struct sql_type *key = o->expr->type;
    out->range_expr = o->expr;
    if (offset_kind(key->kind) == SQL_UNKNOWN) {
        struct mr_str type = check_type_text(c->cx, key);
        return sql_fail(
            c->cx, w->order[0]->expr->pos,
            "Window frame of type RANGE PRECEDING or FOLLOWING requires that sort item type be numeric, "
            "datetime or interval (actual: " MR_STR_FMT ")",
            MR_STR_ARG(type));
    }
    bool real = key->kind == SQL_DOUBLE;
    o->expr = bound_call1(c->cx, o->expr->pos, sql_scalar(real ? SQL_DOUBLE : SQL_BIGINT),
                          real ? "CAST($1 AS DOUBLE)" : "CAST($1 AS BIGINT)", o->expr);
    return o->expr != NULL;
}

static bool check_frame(struct check *c, const struct ast_window *w, struct bound_window *out)
{
    out->framed = w->framed;
    out->rows = w->rows;
    out->from = w->from;
    out->to = w->to;
    if (w->framed && w->from == AST_UNBOUNDED_FOLLOWING)
        return sql_fail(c->cx, w->pos, "Window frame start cannot be UNBOUNDED FOLLOWING");
    if (w->framed && w->to == AST_UNBOUNDED_PRECEDING)
        return sql_fail(c->cx, w->pos, "Window frame end cannot be UNBOUNDED PRECEDING");
    if (w->framed && w->from > w->to)
        return sql_fail(c->cx, w->pos, "Window frame starting from %s cannot end with %s",
                        w->from == AST_CURRENT_ROW ? "CURRENT ROW" : "FOLLOWING",
                        w->to == AST_CURRENT_ROW ? "CURRENT ROW" : "PRECEDING");
    if (!w->rows && (w->from_expr != NULL || w->to_expr != NULL) && !check_range_key(c, w, out))
        return false;
    return check_bound(c, w->from_expr, out, w->from, &out->from_expr) &&
           check_bound(c, w->to_expr, out, w->to, &out->to_expr);
}

struct bound_window *check_window(struct check *c, const struct ast_window *w)
{
    struct bound_window *out = SQL_NEW(c->cx, struct bound_window);
    if (out == NULL || (out->partition = SQL_ARRAY_NEW(c->cx, w->npartition, struct bound_expr *)) == NULL)
        return NULL;
    out->npartition = w->npartition;
    for (size_t i = 0; i < w->npartition; i++) {
        struct bound_expr *e = out->partition[i] = check_expr(c, w->partition[i]);
        if (e == NULL)
            return NULL;
        if (!sql_is_comparable(e->type)) {
            struct mr_str type = check_type_text(c->cx, e->type);
            sql_fail(c->cx, w->partition[i]->pos,
                     MR_STR_FMT
                     " is not comparable, and therefore cannot be used in window function PARTITION BY",
                     MR_STR_ARG(type));
            return NULL;
        }
    }
    if (!check_order_items(c, w->order, w->norder, &out->order))
        return NULL;
    out->norder = w->norder;
    return check_frame(c, w, out) ? out : NULL;
}
