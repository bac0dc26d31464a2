/* sql/check_expr.c - one node at a time: names, literals, rows, arrays, subqueries; the rest goes to its
 * file. */
#include "sql/bound.h"

struct mr_str check_source(struct sql_context *cx, const struct ast_expr *e)
{
    struct mr_str s = mr_str_slice(cx->text, e->start, e->end);
    return s.len > 200 ? mr_str_slice(s, 0, 200) : s;
}

struct mr_str check_type_text(struct sql_context *cx, const struct sql_type *t)
{
    struct mr_str text = sql_type_text(t, cx->arena);
    if (text.ptr == NULL) {
        sql_fail_memory(cx);
        return MR_STR("");
    }
    return text;
}

bool check_boolean(struct check *c, const struct ast_expr *e, struct bound_expr **out)
{
    *out = check_expr(c, e);
    if (*out == NULL)
        return false;
    if (sql_coercion((*out)->type, sql_scalar(SQL_BOOLEAN)) < 0) {
        struct mr_str type = check_type_text(c->cx, (*out)->type);
        return sql_fail(c->cx, e->pos, "%s must evaluate to a boolean: actual type " MR_STR_FMT,
                        c->name != NULL     ? c->name
                        : c->clause != NULL ? c->clause
                                            : "Expression",
                        MR_STR_ARG(type));
    }
    *out = sql_coerce(c->cx, *out, sql_scalar(SQL_BOOLEAN));
    return *out != NULL;
}

static bool find_field(const struct sql_type *row, struct mr_str name, size_t *index)
{
    for (int exact = 1; exact >= 0; exact--) {
        for (size_t i = 0; i < row->nfields; i++) {
            struct mr_str have = row->fields[i].name;
            if (have.ptr != NULL && (exact ? mr_str_eq(have, name) : mr_str_ieq(have, name))) {
                *index = i;
                return true;
            }
        }
    }
    return false;
}

/* A point of a series is a row to the user and a pair (t, v) to the engine. */
static bool is_point(const struct bound_expr *e)
{
    return e->kind == BOUND_LAMBDA_ARG && e->op == 1;
}

static struct bound_expr *point_part(struct sql_context *cx, struct bound_expr *point, size_t index,
                                     size_t pos)
{
    struct bound_expr *e = bound_new(cx, BOUND_POINT, pos, point->type->fields[index].type, 1);
    if (e != NULL) {
        e->index = index;
        e->args[0] = point;
    }
    return e;
}

static struct bound_expr *whole_point(struct sql_context *cx, struct bound_expr *point, size_t pos)
{
    struct bound_expr *row = bound_new(cx, BOUND_ROW, pos, point->type, 2);
    if (row == NULL || (row->args[0] = point_part(cx, point, 0, pos)) == NULL ||
        (row->args[1] = point_part(cx, point, 1, pos)) == NULL)
        return NULL;
    return row;
}

static struct bound_expr *field_of(struct check *c, const struct ast_expr *at, struct bound_expr *base,
                                   struct mr_str name)
{
    size_t index;
    if (base->type->kind != SQL_ROW || !find_field(base->type, name, &index)) {
        struct mr_str text = check_source(c->cx, at);
        sql_fail(c->cx, at->pos, "Column '" MR_STR_FMT "' does not exist", MR_STR_ARG(text));
        return NULL;
    }
    return is_point(base) ? point_part(c->cx, base, index, at->pos)
                          : bound_field(c->cx, at->pos, base, index);
}

#define MAX_PARTS 32

/* a.b.c as names, innermost first; 0 when the base is no name */
static size_t name_parts(const struct ast_expr *e, struct mr_str *parts)
{
    size_t n = 0;
    for (; e->kind == AST_FIELD; e = e->a) {
        if (n == MAX_PARTS - 1)
            return 0;
        parts[n++] = e->text;
    }
    if (e->kind != AST_NAME)
        return 0;
    parts[n++] = e->text;
    for (size_t i = 0; i < n / 2; i++) {
        struct mr_str t = parts[i];
        parts[i] = parts[n - 1 - i];
        parts[n - 1 - i] = t;
    }
    return n;
}

static struct bound_expr *check_name(struct check *c, const struct ast_expr *e)
{
    struct mr_str parts[MAX_PARTS];
    size_t n = name_parts(e, parts), used = 0;
    if (n == 0) {
        struct bound_expr *base = check_expr(c, e->a);
        return base != NULL ? field_of(c, e, base, e->text) : NULL;
    }
    struct bound_expr *found = scope_find(c->cx, c->scope, parts, n, e->pos, &used);
    if (found == NULL && c->cx->status == MR_OK) {
        struct mr_str text = {"", 0};
        for (size_t i = 0; i < n && text.ptr != NULL; i++)
            text = mr_arena_printf(c->cx->arena, MR_STR_FMT "%s" MR_STR_FMT, MR_STR_ARG(text),
                                   i > 0 ? "." : "", MR_STR_ARG(parts[i]));
        sql_fail(c->cx, e->pos, "Column '" MR_STR_FMT "' does not exist", MR_STR_ARG(text));
    }
    for (size_t i = used; found != NULL && i < n; i++)
        found = field_of(c, e, found, parts[i]);
    return found != NULL && is_point(found) ? whole_point(c->cx, found, e->pos) : found;
}

static struct bound_expr *check_param(struct check *c, const struct ast_expr *e)
{
    const struct sql_env *env = c->cx->env;
    for (size_t i = 0; i < env->nparams; i++) {
        if (mr_str_eq(env->params[i].name, e->text) && env->params[i].kind == SQL_TIMESTAMP)
            return bound_int(c->cx, e->pos, SQL_TIMESTAMP, env->params[i].i64);
    }
    if (!env->prepare) {
        sql_fail(c->cx, e->pos, "Parameter '@" MR_STR_FMT "' has no value", MR_STR_ARG(e->text));
        return NULL;
    }
    bool runtime = mr_str_eq(e->text, MR_STR("scheduled_runtime"));
    struct bound_expr *p =
        bound_new(c->cx, BOUND_PARAM, e->pos, sql_scalar(runtime ? SQL_TIMESTAMP : SQL_UNKNOWN), 0);
    if (p == NULL)
        return NULL;
    p->text = e->text;
    return sql_push(c->cx, &c->cx->params, p) ? p : NULL;
}

static struct bound_expr *check_row(struct check *c, const struct ast_expr *e)
{
    struct sql_field *fields = SQL_ARRAY_NEW(c->cx, e->nitems, struct sql_field);
    const struct sql_type *type = fields != NULL ? sql_row_of(c->cx, fields, e->nitems) : NULL;
    struct bound_expr *row = bound_new(c->cx, BOUND_ROW, e->pos, type, e->nitems);
    if (row == NULL)
        return NULL;
    for (size_t i = 0; i < e->nitems; i++) {
        row->args[i] = check_expr(c, e->items[i]);
        if (row->args[i] == NULL)
            return NULL;
        fields[i].name = MR_STR_NULL;
        fields[i].type = row->args[i]->type;
    }
    return row;
}

static struct bound_expr *check_array(struct check *c, const struct ast_expr *e)
{
    const struct sql_type *elem = sql_scalar(SQL_UNKNOWN);
    struct bound_expr *array = bound_new(c->cx, BOUND_ARRAY, e->pos, elem, e->nitems);
    if (array == NULL)
        return NULL;
    for (size_t i = 0; i < e->nitems; i++) {
        if ((array->args[i] = check_expr(c, e->items[i])) == NULL)
            return NULL;
        const struct sql_type *common = sql_common_type(c->cx, elem, array->args[i]->type);
        if (common == NULL) {
            struct mr_str type = check_type_text(c->cx, elem);
            sql_fail(c->cx, e->items[i]->pos, "All ARRAY elements must be the same type: " MR_STR_FMT,
                     MR_STR_ARG(type));
            return NULL;
        }
        elem = common;
    }
    for (size_t i = 0; i < e->nitems; i++) {
        if ((array->args[i] = sql_coerce(c->cx, array->args[i], elem)) == NULL)
            return NULL;
    }
    array->type = sql_array_of(c->cx, elem);
    return array->type != NULL ? array : NULL;
}

static struct bound_expr *check_subscript(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *a = check_expr(c, e->a), *i = a != NULL ? check_expr(c, e->b) : NULL;
    if (i == NULL)
        return NULL;
    if (a->type->kind != SQL_ARRAY || sql_coercion(i->type, sql_scalar(SQL_BIGINT)) < 0) {
        struct mr_str type = check_type_text(c->cx, a->type), index = check_type_text(c->cx, i->type);
        sql_fail(c->cx, e->pos, "Cannot use " MR_STR_FMT " for subscript of " MR_STR_FMT, MR_STR_ARG(index),
                 MR_STR_ARG(type));
        return NULL;
    }
    struct bound_expr *s = bound_new(c->cx, BOUND_SUBSCRIPT, e->pos, a->type->elem, 2);
    if (s == NULL)
        return NULL;
    s->args[0] = a;
    s->args[1] = sql_coerce(c->cx, i, sql_scalar(SQL_BIGINT));
    return s->args[1] != NULL ? s : NULL;
}

static struct bound_expr *check_logic(struct check *c, const struct ast_expr *e)
{
    bool and = e->kind == AST_AND;
    struct bound_expr *out =
        bound_new(c->cx, and? BOUND_AND : BOUND_OR, e->pos, sql_scalar(SQL_BOOLEAN), e->nitems);
    for (size_t i = 0; out != NULL && i < e->nitems; i++) {
        struct bound_expr *a = check_expr(c, e->items[i]);
        if (a == NULL)
            return NULL;
        if (sql_coercion(a->type, sql_scalar(SQL_BOOLEAN)) < 0) {
            struct mr_str type = check_type_text(c->cx, a->type);
            sql_fail(c->cx, e->items[i]->pos,
                     "%s side of logical expression must evaluate to a boolean (actual: " MR_STR_FMT ")",
                     i == 0 ? "Left" : "Right", MR_STR_ARG(type));
            return NULL;
        }
        if ((out->args[i] = sql_coerce(c->cx, a, sql_scalar(SQL_BOOLEAN))) == NULL)
            return NULL;
    }
    return out;
}

static struct bound_expr *check_not(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *a = check_expr(c, e->a);
    if (a == NULL)
        return NULL;
    if (sql_coercion(a->type, sql_scalar(SQL_BOOLEAN)) < 0) {
        struct mr_str type = check_type_text(c->cx, a->type);
        sql_fail(c->cx, e->a->pos,
                 "Value of logical NOT expression must evaluate to a boolean (actual: " MR_STR_FMT ")",
                 MR_STR_ARG(type));
        return NULL;
    }
    struct bound_expr *out = bound_new(c->cx, BOUND_NOT, e->pos, sql_scalar(SQL_BOOLEAN), 1);
    if (out == NULL || (out->args[0] = sql_coerce(c->cx, a, sql_scalar(SQL_BOOLEAN))) == NULL)
        return NULL;
    return out;
}

static struct bound_expr *check_is_null(struct check *c, const struct ast_expr *e)
{
    struct bound_expr *a = check_expr(c, e->a);
    struct bound_expr *out =
        a != NULL ? bound_new(c->cx, BOUND_IS_NULL, e->pos, sql_scalar(SQL_BOOLEAN), 1) : NULL;
    if (out == NULL)
        return NULL;
    out->negated = e->negated;
    out->args[0] = a;
    return out;
}

static struct bound_expr *check_literal(struct check *c, const struct ast_expr *e)
{
    switch (e->kind) {
    case AST_NULL:
        return bound_null(c->cx, e->pos, sql_scalar(SQL_UNKNOWN));
    case AST_BOOL:
        return bound_int(c->cx, e->pos, SQL_BOOLEAN, e->i64);
    case AST_INTEGER:
        return bound_int(c->cx, e->pos, e->i64 <= INT32_MAX && e->i64 >= 0 ? SQL_INTEGER : SQL_BIGINT,
                         e->i64);
    case AST_DOUBLE:
        return bound_double(c->cx, e->pos, e->f64);
    case AST_INTERVAL:
        return bound_int(c->cx, e->pos, e->months ? SQL_INTERVAL_YEAR : SQL_INTERVAL_DAY, e->i64);
    default:
        return bound_text(c->cx, e->pos, e->text);
    }
}

struct bound_expr *check_expr(struct check *c, const struct ast_expr *e)
{
    switch ((enum ast_kind)e->kind) {
    case AST_NAME:
    case AST_FIELD:
        return check_name(c, e);
    case AST_PARAM:
        return check_param(c, e);
    case AST_TYPED:
        return check_typed(c, e);
    case AST_NEGATE:
        return check_negate(c, e);
    case AST_ARITH:
        return check_arith(c, e);
    case AST_CONCAT:
        return check_concat(c, e);
    case AST_COMPARE:
    case AST_DISTINCT:
        return check_compare(c, e);
    case AST_AND:
    case AST_OR:
        return check_logic(c, e);
    case AST_NOT:
        return check_not(c, e);
    case AST_IS_NULL:
        return check_is_null(c, e);
    case AST_BETWEEN:
        return check_between(c, e);
    case AST_IN_LIST:
        return check_in_list(c, e);
    case AST_LIKE:
        return check_like(c, e);
    case AST_IN_QUERY:
    case AST_QUANTIFIED:
    case AST_EXISTS:
    case AST_SUBQUERY:
        return check_subquery(c, e);
    case AST_CASE:
        return check_case(c, e);
    case AST_CAST:
        return check_cast(c, e);
    case AST_EXTRACT:
    case AST_CALL:
        return check_call(c, e);
    case AST_ROW:
        return check_row(c, e);
    case AST_ARRAY:
        return check_array(c, e);
    case AST_SUBSCRIPT:
        return check_subscript(c, e);
    case AST_LAMBDA:
        sql_fail(c->cx, e->pos, "Lambda expression should always be used inside a function");
        return NULL;
    default:
        return check_literal(c, e);
    }
}
