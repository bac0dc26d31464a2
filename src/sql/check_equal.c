/* sql/check_equal.c - equality as the reference has it: NULL inside of rows and arrays makes it unknown, and
 * NaN equals nothing. The engine by itself calls NULLs inside and NaNs equal, so those comparisons are taken
 * apart. */
#include "sql/bound.h"

struct bound_expr *check_comparison(struct sql_context *cx, size_t pos, uint8_t op, struct bound_expr *a,
                                    struct bound_expr *b)
{
    struct bound_expr *e =
        a != NULL && b != NULL ? bound_new(cx, BOUND_COMPARE, pos, sql_scalar(SQL_BOOLEAN), 2) : NULL;
    if (e == NULL)
        return NULL;
    e->op = op;
    e->args[0] = a;
    e->args[1] = b;
    return e;
}

struct bound_expr *check_negated(struct sql_context *cx, struct bound_expr *e)
{
    struct bound_expr *out = e != NULL ? bound_new(cx, BOUND_NOT, e->pos, sql_scalar(SQL_BOOLEAN), 1) : NULL;
    if (out != NULL)
        out->args[0] = e;
    return out;
}

bool check_own_equality(const struct bound_expr *a, const struct bound_expr *b)
{
    enum sql_kind k = a->type->kind;
    return k == SQL_ROW || k == SQL_ARRAY || (bound_may_nan(a) && bound_may_nan(b));
}

/* Elements that the engine compares rightly once none is NULL. */
#define PLAIN_ARRAYS                                                                                         \
    "list_extract(list_transform([struct_pack(x := $1, y := $2)], lambda $b: CASE WHEN $b.x IS NULL OR "     \
    "$b.y "                                                                                                  \
    "IS NULL THEN CAST(NULL AS BOOLEAN) WHEN len($b.x) <> len($b.y) THEN false WHEN list_count($b.x) = "     \
    "len($b.x) AND list_count($b.y) = len($b.y) THEN $b.x = $b.y WHEN len(list_filter(list_zip($b.x, "       \
    "$b.y), "                                                                                                \
    "lambda $c: $c[1] <> $c[2])) > 0 THEN false END), 1)"

/* $3 holds the answer for each pair of elements. */
#define ANY_ARRAYS                                                                                           \
    "list_extract(list_transform([struct_pack(x := $1, y := $2, z := $3)], lambda $b: CASE WHEN $b.x IS "    \
    "NULL "                                                                                                  \
    "OR $b.y IS NULL THEN CAST(NULL AS BOOLEAN) WHEN len($b.x) <> len($b.y) THEN false WHEN "                \
    "len(list_filter($b.z, lambda $c: NOT $c)) > 0 THEN false WHEN list_count($b.z) = len($b.z) THEN true "  \
    "END), 1)"

/* (element of a, element of b) -> whether they are equal */
static struct bound_expr *pair_lambda(struct sql_context *cx, size_t pos, const struct sql_type *pair)
{
    struct bound_expr *arg = bound_new(cx, BOUND_LAMBDA_ARG, pos, pair, 0);
    if (arg == NULL)
        return NULL;
    arg->index = cx->next_table++;
    struct bound_expr *x = bound_field(cx, pos, arg, 0), *y = bound_field(cx, pos, arg, 1);
    struct bound_expr *body = x != NULL && y != NULL ? check_equal(cx, pos, x, y) : NULL;
    struct bound_expr *out = body != NULL ? bound_new(cx, BOUND_LAMBDA, pos, body->type, 1) : NULL;
    if (out == NULL)
        return NULL;
    out->index = arg->index;
    out->op = 1;
    out->args[0] = body;
    return out;
}

static struct bound_expr *equal_arrays(struct sql_context *cx, size_t pos, struct bound_expr *a,
                                       struct bound_expr *b)
{
    const struct sql_type *elem = a->type->elem, *boolean = sql_scalar(SQL_BOOLEAN);
    if (elem->kind != SQL_ROW && elem->kind != SQL_ARRAY && elem->kind != SQL_DOUBLE)
        return bound_call2(cx, pos, boolean, PLAIN_ARRAYS, a, b);
    struct sql_field *fields = SQL_ARRAY_NEW(cx, 2, struct sql_field);
    if (fields == NULL)
        return NULL;
    fields[0].type = fields[1].type = elem;
    const struct sql_type *pair = sql_row_of(cx, fields, 2);
    const struct sql_type *pairs = pair != NULL ? sql_array_of(cx, pair) : NULL;
    const struct sql_type *answers = sql_array_of(cx, boolean);
    struct bound_expr *x = bound_let(cx, a), *y = bound_let(cx, b);
    if (pairs == NULL || answers == NULL || x == NULL || y == NULL)
        return NULL;
    struct bound_expr *zip = bound_call2(cx, pos, pairs, "!zip", x, y);
    struct bound_expr *lambda = zip != NULL ? pair_lambda(cx, pos, pair) : NULL;
    struct bound_expr *each =
        lambda != NULL ? bound_call2(cx, pos, answers, "list_transform($1, $2)", zip, lambda) : NULL;
    struct bound_expr *out = each != NULL ? bound_new(cx, BOUND_CALL, pos, boolean, 3) : NULL;
    if (out == NULL)
        return NULL;
    out->pattern = ANY_ARRAYS;
    out->args[0] = x;
    out->args[1] = y;
    out->args[2] = each;
    return bound_let_in(cx, a, x, bound_let_in(cx, b, y, out));
}

struct bound_expr *check_equal(struct sql_context *cx, size_t pos, struct bound_expr *a, struct bound_expr *b)
{
    const struct sql_type *t = a->type;
    if (t->kind == SQL_ARRAY)
        return equal_arrays(cx, pos, a, b);
    if (t->kind != SQL_ROW)
        return check_comparison(cx, pos, AST_EQ, a, b);
    struct bound_expr *x = bound_let(cx, a), *y = bound_let(cx, b);
    struct bound_expr *all = bound_new(cx, BOUND_AND, pos, sql_scalar(SQL_BOOLEAN), t->nfields);
    for (size_t i = 0; x != NULL && y != NULL && all != NULL && i < t->nfields; i++) {
        struct bound_expr *f = bound_field(cx, pos, x, i), *g = bound_field(cx, pos, y, i);
        if (f == NULL || g == NULL || (all->args[i] = check_equal(cx, pos, f, g)) == NULL)
            return NULL;
    }
    if (x == NULL || y == NULL)
        return NULL;
    return bound_let_in(cx, a, x, bound_let_in(cx, b, y, all));
}
