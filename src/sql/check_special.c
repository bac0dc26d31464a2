/* sql/check_special.c - functions with rules of their own: conditional ones, constants of the query, EXTRACT,
 * and those that take lambdas. */
#include "sql/bound.h"

#include "sql/calendar.h"

static struct bound_expr *bad_count(struct check *c, const struct ast_expr *e, const char *expected)
{
    sql_fail(c->cx, e->pos, "Unexpected parameters for function " MR_STR_FMT ". Expected: %s",
             MR_STR_ARG(e->text), expected);
    return NULL;
}

/* if(cond, a [, b]) */
static struct bound_expr *special_if(struct check *c, const struct ast_expr *e)
{
    if (e->nitems != 2 && e->nitems != 3)
        return bad_count(c, e, "if(boolean, T, T)");
    struct bound_expr *out = bound_new(c->cx, BOUND_CASE, e->pos, sql_scalar(SQL_UNKNOWN), 3);
    if (out == NULL || (out->args[0] = check_expr(c, e->items[0])) == NULL)
        return NULL;
    if (sql_coercion(out->args[0]->type, sql_scalar(SQL_BOOLEAN)) < 0) {
        struct mr_str type = check_type_text(c->cx, out->args[0]->type);
        sql_fail(c->cx, e->items[0]->pos, "IF condition must evaluate to a boolean (actual: " MR_STR_FMT ")",
                 MR_STR_ARG(type));
        return NULL;
    }
    out->args[0] = sql_coerce(c->cx, out->args[0], sql_scalar(SQL_BOOLEAN));
    if (out->args[0] == NULL || (out->args[1] = check_expr(c, e->items[1])) == NULL)
        return NULL;
    out->args[2] =
        e->nitems == 3 ? check_expr(c, e->items[2]) : bound_null(c->cx, e->pos, sql_scalar(SQL_UNKNOWN));
    if (out->args[2] == NULL)
        return NULL;
    if (!check_same_type(c->cx, out->args + 1, 2, 1, 0, &out->type)) {
        struct mr_str type = check_type_text(c->cx, out->type);
        sql_fail(c->cx, e->pos, "Result types for IF must be the same: " MR_STR_FMT, MR_STR_ARG(type));
        return NULL;
    }
    return out;
}

static struct bound_expr *special_coalesce(struct check *c, const struct ast_expr *e)
{
    if (e->nitems < 1)
        return bad_count(c, e, "coalesce(T, ...)");
    struct bound_expr *out = bound_new(c->cx, BOUND_CALL, e->pos, sql_scalar(SQL_UNKNOWN), e->nitems);
    if (out == NULL || !check_args(c, e, &out->args))
        return NULL;
    if (!check_same_type(c->cx, out->args, e->nitems, 1, 0, &out->type)) {
        struct mr_str type = check_type_text(c->cx, out->type);
        sql_fail(c->cx, e->pos, "All COALESCE operands must be the same type: " MR_STR_FMT, MR_STR_ARG(type));
        return NULL;
    }
    out->pattern = "coalesce($*)";
    return out;
}

/* nullif(a, b): compared in their common type, the result keeps the type of a */
static struct bound_expr *special_nullif(struct check *c, const struct ast_expr *e)
{
    if (e->nitems != 2)
        return bad_count(c, e, "nullif(T, T)");
    struct bound_expr **args;
    if (!check_args(c, e, &args))
        return NULL;
    const struct sql_type *t = sql_common_type(c->cx, args[0]->type, args[1]->type);
    if (t == NULL || !sql_is_comparable(t)) {
        struct mr_str a = check_type_text(c->cx, args[0]->type), b = check_type_text(c->cx, args[1]->type);
        sql_fail(c->cx, e->pos, "Types are not comparable with NULLIF: " MR_STR_FMT " vs " MR_STR_FMT,
                 MR_STR_ARG(a), MR_STR_ARG(b));
        return NULL;
    }
    struct bound_expr *once = bound_let(c->cx, args[0]);
    struct bound_expr *out = bound_new(c->cx, BOUND_CASE, e->pos, args[0]->type, 3);
    if (once == NULL || out == NULL)
        return NULL;
    struct bound_expr *a = sql_coerce(c->cx, once, t);
    struct bound_expr *b = a != NULL ? sql_coerce(c->cx, args[1], t) : NULL;
    out->args[0] = b != NULL ? check_equal(c->cx, e->pos, a, b) : NULL;
    out->args[1] = bound_null(c->cx, e->pos, args[0]->type);
    out->args[2] = once;
    return out->args[0] != NULL && out->args[1] != NULL ? bound_let_in(c->cx, args[0], once, out) : NULL;
}

/* A random number in TRY, to be drawn before it. */
struct chance {
    struct sql_context *cx;
    struct bound_expr *drawn, *name;
};

static bool name_chance(void *ctx, struct bound_expr **slot)
{
    struct chance *ch = ctx;
    if (ch->name != NULL || !(*slot)->is_volatile)
        return ch->name != NULL || bound_children(*slot, name_chance, ch);
    ch->drawn = *slot;
    *slot = ch->name = bound_let(ch->cx, *slot);
    return *slot != NULL;
}

/* The engine's TRY takes nothing random. Outside of lambdas lower.c draws the numbers before; inside, each
 * call of the lambda needs its own. */
struct bound_expr *check_try(struct check *c, struct bound_expr *a, size_t pos)
{
    if (a == NULL || a->kind == BOUND_CONST || a->kind == BOUND_COLUMN)
        return a;
    struct bound_expr *try = bound_new(c->cx, BOUND_TRY, pos, a->type, 1);
    if (try == NULL)
        return NULL;
    try->args[0] = a;
    struct bound_expr *out = try;
    while (c->in_lambda && out != NULL && bound_volatile(try)) {
        struct chance ch = {.cx = c->cx};
        if (!name_chance(&ch, &try->args[0]))
            return NULL;
        out = bound_let_in(c->cx, ch.drawn, ch.name, out);
    }
    return out;
}

static struct bound_expr *special_try(struct check *c, const struct ast_expr *e)
{
    if (e->nitems != 1)
        return bad_count(c, e, "try(T)");
    struct bound_expr *a = check_expr(c, e->items[0]);
    return check_try(c, a, e->pos);
}

static struct bound_expr *special_typeof(struct check *c, const struct ast_expr *e)
{
    if (e->nitems != 1)
        return bad_count(c, e, "typeof(T)");
    struct bound_expr *a = check_expr(c, e->items[0]);
    return a != NULL ? bound_text(c->cx, e->pos, check_type_text(c->cx, a->type)) : NULL;
}

static struct bound_expr *special_ago(struct check *c, const struct ast_expr *e)
{
    if (e->nitems != 1)
        return bad_count(c, e, "ago(interval day to second)");
    struct bound_expr *a = check_expr(c, e->items[0]);
    if (a == NULL)
        return NULL;
    if (a->type->kind == SQL_VARCHAR) { /* as recorded from the service */
        sql_fail_syntax(c->cx, e->pos);
        return NULL;
    }
    if (a->type->kind != SQL_INTERVAL_DAY && a->type->kind != SQL_INTERVAL_YEAR) {
        struct mr_str type = check_type_text(c->cx, a->type);
        sql_fail(c->cx, e->pos,
                 "Unexpected parameters (" MR_STR_FMT
                 ") for function ago. Expected: ago(interval day to second), "
                 "ago(interval year to month)",
                 MR_STR_ARG(type));
        return NULL;
    }
    return check_arith_of(c->cx, e->pos, '-', bound_int(c->cx, e->pos, SQL_TIMESTAMP, c->cx->env->now_ns), a);
}

/* now() and the words without parentheses */
static struct bound_expr *special_now(struct check *c, const struct ast_expr *e)
{
    int64_t now = c->cx->env->now_ns;
    if (e->nitems != 0)
        return bad_count(c, e, "now()");
    if (mr_str_ieq(e->text, MR_STR("current_date")))
        return bound_int(c->cx, e->pos, SQL_DATE, sql_day_of(now));
    if (mr_str_ieq(e->text, MR_STR("current_time")) || mr_str_ieq(e->text, MR_STR("localtime")))
        return bound_int(c->cx, e->pos, SQL_TIME, sql_time_of(now));
    return bound_int(c->cx, e->pos, SQL_TIMESTAMP, now);
}

static struct bound_expr *special_user(struct check *c, const struct ast_expr *e)
{
    sql_fail_syntax(c->cx, e->pos);
    return NULL;
}

/* grouping(a, ...): becomes a column of the GROUP relation later */
static struct bound_expr *special_grouping(struct check *c, const struct ast_expr *e)
{
    if (c->clause != NULL || c->inside_name.ptr != NULL || c->in_lambda) {
        struct mr_str text = check_source(c->cx, e);
        sql_fail(c->cx, e->pos,
                 "%s cannot contain aggregations, window functions or grouping operations: [" MR_STR_FMT "]",
                 c->clause != NULL ? c->clause : "Expression", MR_STR_ARG(text));
        return NULL;
    }
    if (e->nitems == 0 || e->nitems > 31)
        return bad_count(c, e, "grouping(T, ...)");
    struct bound_expr *out = bound_new(c->cx, BOUND_GROUPING, e->pos, sql_scalar(SQL_BIGINT), e->nitems);
    if (out == NULL || !check_args(c, e, &out->args))
        return NULL;
    c->has_grouping = true;
    return out;
}

/* EXTRACT(field FROM x) is the function of the field's name */
static struct bound_expr *special_extract(struct check *c, const struct ast_expr *e)
{
    static const char *const fields[] = {"year",         "quarter",     "month", "week",        "day",
                                         "day_of_month", "day_of_week", "dow",   "day_of_year", "doy",
                                         "year_of_week", "yow",         "hour",  "minute",      "second"};
    for (size_t i = 0; i < MR_ARRAY_LEN(fields); i++) {
        if (!mr_str_ieq(e->text, mr_str_of(fields[i])))
            continue;
        struct ast_call plain = {0};
        struct ast_expr *operand = e->a;
        struct ast_expr call = *e;
        call.kind = AST_CALL;
        call.text = mr_str_of(fields[i]);
        call.items = &operand;
        call.nitems = 1;
        call.call = &plain;
        return check_call(c, &call);
    }
    sql_fail(c->cx, e->pos, "Invalid EXTRACT field: " MR_STR_FMT, MR_STR_ARG(e->text));
    return NULL;
}

/* ---- lambdas ---- */

struct lambda_param {
    const struct sql_type *type;
    bool point; /* of a time series */
};

/* names -> body with the parameters' types; the result's type is that of the body. */
static struct bound_expr *check_lambda(struct check *c, const struct ast_expr *e,
                                       const struct lambda_param *params, size_t n)
{
    if (e->kind != AST_LAMBDA || e->nnames != n) {
        sql_fail(c->cx, e->pos, "Expected a lambda with %zu argument%s", n, n == 1 ? "" : "s");
        return NULL;
    }
    struct scope inner = {
        .parent = c->scope->parent, .same = c->scope, .with = c->scope->with, .nwith = c->scope->nwith};
    struct check in = *c;
    in.scope = &inner;
    in.in_lambda = true;
    unsigned first = c->cx->next_table;
    c->cx->next_table += (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        MR_ASSERT(params[i].type != NULL);
        struct bound_expr *arg = bound_new(c->cx, BOUND_LAMBDA_ARG, e->pos, params[i].type, 0);
        if (arg == NULL)
            return NULL;
        arg->index = first + i;
        arg->op = params[i].point;
        if (!scope_add(c->cx, &inner, (struct scope_field){.name = e->names[i], .expr = arg}))
            return NULL;
    }
    struct bound_expr *body = check_expr(&in, e->a);
    struct bound_expr *out = body != NULL ? bound_new(c->cx, BOUND_LAMBDA, e->pos, body->type, 1) : NULL;
    if (out == NULL)
        return NULL;
    out->index = first;
    out->op = (uint8_t)n;
    out->args[0] = body;
    return out;
}

static const struct sql_type *point_type(struct check *c, const struct sql_type *series)
{
    struct sql_field *fields = SQL_ARRAY_NEW(c->cx, 2, struct sql_field);
    if (fields == NULL)
        return NULL;
    fields[0] = (struct sql_field){MR_STR("time"), sql_scalar(SQL_TIMESTAMP)};
    fields[1] = (struct sql_field){MR_STR("value"), series->elem};
    return sql_row_of(c->cx, fields, 2);
}

/* The parameter that stands for an element of an array or a point of a series. */
static bool element_param(struct check *c, const struct ast_expr *e, const struct sql_type *list,
                          struct lambda_param *out)
{
    if (list->kind != SQL_ARRAY && list->kind != SQL_TIMESERIES) {
        struct mr_str type = check_type_text(c->cx, list);
        return sql_fail(c->cx, e->pos,
                        "Unexpected parameters (" MR_STR_FMT ", function) for function " MR_STR_FMT,
                        MR_STR_ARG(type), MR_STR_ARG(e->text));
    }
    out->point = list->kind == SQL_TIMESERIES;
    out->type = out->point ? point_type(c, list) : list->elem;
    return out->type != NULL;
}

/* filter(list, x -> boolean) */
static struct bound_expr *special_filter(struct check *c, const struct ast_expr *e)
{
    struct lambda_param p = {NULL, false};
    if (e->nitems != 2)
        return bad_count(c, e, "filter(timeseries(T), function(row, boolean))");
    struct bound_expr *list = check_expr(c, e->items[0]);
    if (list == NULL || !element_param(c, e, list->type, &p))
        return NULL;
    struct bound_expr *lambda = check_lambda(c, e->items[1], &p, 1);
    if (lambda == NULL)
        return NULL;
    if (sql_coercion(lambda->type, sql_scalar(SQL_BOOLEAN)) < 0) {
        struct mr_str type = check_type_text(c->cx, lambda->type);
        sql_fail(c->cx, e->items[1]->pos, "Lambda of filter must give a boolean (actual: " MR_STR_FMT ")",
                 MR_STR_ARG(type));
        return NULL;
    }
    lambda->args[0] = sql_coerce(c->cx, lambda->args[0], sql_scalar(SQL_BOOLEAN));
    if (lambda->args[0] == NULL)
        return NULL;
    return bound_call2(c->cx, e->pos, list->type, "list_filter($1, $2)", list, lambda);
}

/* transform(array, x -> y) */
static struct bound_expr *special_transform(struct check *c, const struct ast_expr *e)
{
    struct lambda_param p = {NULL, false};
    if (e->nitems != 2)
        return bad_count(c, e, "transform(array(T), function(T, U))");
    struct bound_expr *list = check_expr(c, e->items[0]);
    if (list == NULL || !element_param(c, e, list->type, &p))
        return NULL;
    struct bound_expr *lambda = check_lambda(c, e->items[1], &p, 1);
    const struct sql_type *type = lambda != NULL ? sql_array_of(c->cx, lambda->type) : NULL;
    return type != NULL ? bound_call2(c->cx, e->pos, type, "list_transform($1, $2)", list, lambda) : NULL;
}

/* reduce(list, initial, (s, x) -> s, s -> r): the engine folds lists of pairs (state, element), so that both
 * have one type; see emit_reduce. */
static struct bound_expr *special_reduce(struct check *c, const struct ast_expr *e)
{
    struct lambda_param p[2] = {{NULL, false}};
    if (e->nitems != 4)
        return bad_count(c, e, "reduce(timeseries(T), S, function(S, row, S), function(S, R))");
    struct bound_expr *list = check_expr(c, e->items[0]);
    struct bound_expr *initial = list != NULL ? check_expr(c, e->items[1]) : NULL;
    if (initial == NULL || !element_param(c, e, list->type, &p[1]))
        return NULL;
    p[0] = (struct lambda_param){initial->type, false};
    struct bound_expr *step = check_lambda(c, e->items[2], p, 2);
    if (step == NULL)
        return NULL;
    if (sql_coercion(step->type, initial->type) < 0) {
        struct mr_str a = check_type_text(c->cx, initial->type), b = check_type_text(c->cx, step->type);
        sql_fail(c->cx, e->items[2]->pos,
                 "Lambda of reduce must give the type of its state: expected " MR_STR_FMT
                 ", actual " MR_STR_FMT,
                 MR_STR_ARG(a), MR_STR_ARG(b));
        return NULL;
    }
    step->args[0] = sql_coerce(c->cx, step->args[0], initial->type);
    struct bound_expr *finish = step->args[0] != NULL ? check_lambda(c, e->items[3], p, 1) : NULL;
    struct bound_expr *out = finish != NULL ? bound_new(c->cx, BOUND_CALL, e->pos, finish->type, 4) : NULL;
    if (out == NULL)
        return NULL;
    out->pattern = "!reduce";
    out->args[0] = list;
    out->args[1] = initial;
    out->args[2] = step;
    out->args[3] = finish;
    return out;
}

/* regexp_replace(s, pattern, groups -> text) */
static struct bound_expr *special_regexp(struct check *c, const struct ast_expr *e)
{
    const struct sql_type *text = sql_scalar(SQL_VARCHAR);
    struct lambda_param p = {sql_array_of(c->cx, text), false};
    struct bound_expr *out = bound_new(c->cx, BOUND_CALL, e->pos, text, 3);
    if (out == NULL || p.type == NULL)
        return NULL;
    for (size_t i = 0; i < 2; i++) {
        struct bound_expr *a = check_expr(c, e->items[i]);
        if (a == NULL)
            return NULL;
        if (sql_coercion(a->type, text) < 0)
            return bad_count(c, e, "regexp_replace(varchar, varchar, function(array(varchar), varchar))");
        if ((out->args[i] = sql_coerce(c->cx, a, text)) == NULL)
            return NULL;
    }
    struct bound_expr *lambda = check_lambda(c, e->items[2], &p, 1);
    if (lambda == NULL)
        return NULL;
    if (sql_coercion(lambda->type, text) < 0)
        return bad_count(c, e, "regexp_replace(varchar, varchar, function(array(varchar), varchar))");
    if ((lambda->args[0] = sql_coerce(c->cx, lambda->args[0], text)) == NULL)
        return NULL;
    out->pattern = "!regexp_replace";
    out->args[2] = lambda;
    return out;
}

/* zip(a, b, ...): rows without names, the shorter arrays padded with NULL */
static struct bound_expr *special_zip(struct check *c, const struct ast_expr *e)
{
    struct sql_field *fields = SQL_ARRAY_NEW(c->cx, e->nitems, struct sql_field);
    struct bound_expr *out = bound_new(c->cx, BOUND_CALL, e->pos, sql_scalar(SQL_UNKNOWN), e->nitems);
    if (fields == NULL || out == NULL || !check_args(c, e, &out->args))
        return NULL;
    if (e->nitems < 2)
        return bad_count(c, e, "zip(array(T), array(U), ...)");
    for (size_t i = 0; i < e->nitems; i++) {
        if (out->args[i]->type->kind == SQL_UNKNOWN) {
            const struct sql_type *none = sql_array_of(c->cx, out->args[i]->type);
            if (none == NULL || (out->args[i] = sql_coerce(c->cx, out->args[i], none)) == NULL)
                return NULL;
        }
        if (out->args[i]->type->kind != SQL_ARRAY)
            return bad_count(c, e, "zip(array(T), array(U), ...)");
        fields[i] = (struct sql_field){MR_STR_NULL, out->args[i]->type->elem};
    }
    const struct sql_type *row = sql_row_of(c->cx, fields, e->nitems);
    out->type = row != NULL ? sql_array_of(c->cx, row) : NULL;
    out->pattern = "!zip";
    return out->type != NULL ? out : NULL;
}

/* array_join(x, delimiter [, null replacement]): elements of any scalar type, as text */
static struct bound_expr *special_array_join(struct check *c, const struct ast_expr *e)
{
    const struct sql_type *result, *texts = sql_array_of(c->cx, sql_scalar(SQL_VARCHAR));
    struct bound_expr *out = bound_new(c->cx, BOUND_CALL, e->pos, sql_scalar(SQL_VARCHAR), e->nitems);
    if (texts == NULL || out == NULL || !check_args(c, e, &out->args))
        return NULL;
    if (e->nitems > 0 && out->args[0]->type->kind == SQL_ARRAY &&
        (out->args[0] = sql_cast(c->cx, out->args[0], texts, e->pos)) == NULL)
        return NULL;
    const struct function *f = function_find(c->cx, e->pos, e->text, out->args, out->nargs, &result);
    if (f == NULL)
        return NULL;
    out->pattern = f->pattern;
    return out;
}

static const struct {
    const char *name;
    struct bound_expr *(*check)(struct check *c, const struct ast_expr *e);
} specials[] = {
#define SQL_SPECIAL(name, check, signature) {#name, special_##check},
#define SQL_SYNTAX(name, signature)
#include "sql/specials.def"
#undef SQL_SPECIAL
#undef SQL_SYNTAX
    {"current_user", special_user}, /* reserved words without a meaning */
    {"normalize", special_user},
};

struct bound_expr *check_special(struct check *c, const struct ast_expr *e, bool *known)
{
    *known = true;
    if (e->kind == AST_EXTRACT)
        return special_extract(c, e);
    const struct ast_call *call = e->call;
    for (size_t i = 0; i < MR_ARRAY_LEN(specials); i++) {
        if (!mr_str_ieq(e->text, mr_str_of(specials[i].name)))
            continue;
        if (call->star || call->distinct || call->norder > 0 || call->filter != NULL || call->over != NULL) {
            sql_fail(c->cx, e->pos, MR_STR_FMT " takes neither DISTINCT nor ORDER BY, FILTER or OVER",
                     MR_STR_ARG(e->text));
            return NULL;
        }
        return specials[i].check(c, e);
    }
    if (mr_str_ieq(e->text, MR_STR("regexp_replace")) && e->nitems == 3 && e->items[2]->kind == AST_LAMBDA)
        return special_regexp(c, e);
    *known = false;
    return NULL;
}
