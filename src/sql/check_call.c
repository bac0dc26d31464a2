/* sql/check_call.c - calls: scalar functions, aggregates and window functions of functions.def. */
#include "sql/bound.h"

#include "sql/timetext.h"

bool check_args(struct check *c, const struct ast_expr *e, struct bound_expr ***args)
{
    *args = SQL_ARRAY_NEW(c->cx, e->nitems + 1, struct bound_expr *);
    if (*args == NULL)
        return false;
    for (size_t i = 0; i < e->nitems; i++) {
        if (((*args)[i] = check_expr(c, e->items[i])) == NULL)
            return false;
    }
    return true;
}

/* Aggregates and windows are errors in this clause, in lambdas and in each other. */
static bool allowed_here(struct check *c, const struct ast_expr *e, bool window)
{
    struct mr_str text = check_source(c->cx, e);
    if (c->in_lambda)
        return sql_fail(c->cx, e->pos,
                        "Lambda expression cannot contain aggregations, window functions or grouping "
                        "operations: [" MR_STR_FMT "]",
                        MR_STR_ARG(text));
    if (c->inside_name.ptr != NULL)
        return sql_fail(c->cx, e->pos, "Cannot nest %s inside aggregation '" MR_STR_FMT "': [" MR_STR_FMT "]",
                        window ? "window functions" : "aggregations", MR_STR_ARG(c->inside_name),
                        MR_STR_ARG(text));
    if (c->in_window && window)
        return sql_fail(c->cx, e->pos,
                        "Cannot nest window functions inside window function: [" MR_STR_FMT "]",
                        MR_STR_ARG(text));
    if (c->clause != NULL)
        return sql_fail(
            c->cx, e->pos,
            "%s cannot contain aggregations, window functions or grouping operations: [" MR_STR_FMT "]",
            c->clause, MR_STR_ARG(text));
    return true;
}

bool check_order_items(struct check *c, struct ast_order *const *items, size_t n, struct bound_order **out)
{
    *out = SQL_ARRAY_NEW(c->cx, n, struct bound_order);
    for (size_t i = 0; *out != NULL && i < n; i++) {
        struct bound_order *o = &(*out)[i];
        o->desc = items[i]->desc;
        o->nulls_first = items[i]->nulls_first;
        o->expr = check_expr(c, items[i]->expr);
        if (o->expr == NULL)
            return false;
        if (!sql_is_orderable(o->expr->type)) {
            struct mr_str type = check_type_text(c->cx, o->expr->type);
            return sql_fail(c->cx, items[i]->expr->pos,
                            "Type " MR_STR_FMT " is not orderable, and therefore cannot be used in ORDER BY",
                            MR_STR_ARG(type));
        }
    }
    return *out != NULL;
}

/* What only aggregates may have. */
static bool only_plain(struct check *c, const struct ast_expr *e, enum function_class class)
{
    const struct ast_call *call = e->call;
    if (class == FUNCTION_AGGREGATE)
        return true;
    if (call->star || call->distinct)
        return sql_fail(c->cx, e->pos, "%s is not supported for non-aggregation functions",
                        call->distinct ? "DISTINCT" : "*");
    if (call->norder > 0)
        return sql_fail(c->cx, e->pos, "ORDER BY is only valid for aggregation functions");
    if (call->filter != NULL)
        return sql_fail(c->cx, e->pos, "Filter is only valid for aggregation functions");
    return true;
}

static bool check_filter(struct check *c, const struct ast_expr *e, struct bound_expr *out)
{
    if (e->call->filter == NULL)
        return true;
    struct check in = *c;
    in.name = "FILTER clause";
    return check_boolean(&in, e->call->filter, &out->filter);
}

/* With DISTINCT, ORDER BY may use the arguments only. */
static bool check_aggregate_order(struct check *c, const struct ast_expr *e, struct bound_expr *out)
{
    if (e->call->norder == 0)
        return true;
    if (!check_order_items(c, e->call->order, e->call->norder, &out->order))
        return false;
    out->norder = e->call->norder;
    for (size_t i = 0; out->distinct && i < out->norder; i++) {
        bool found = false;
        for (size_t k = 0; k < out->nargs; k++)
            found = found || bound_equal(out->order[i].expr, out->args[k]);
        if (!found)
            return sql_fail(
                c->cx, e->call->order[i]->expr->pos,
                "For aggregate function with DISTINCT, ORDER BY expressions must appear in arguments");
    }
    return true;
}

static bool needs_order(const char *pattern)
{
    static const char *const ranked[] = {"min{", "max{", "arg_", "list_transform(arg_"};
    for (size_t i = 0; i < MR_ARRAY_LEN(ranked); i++) {
        if (strncmp(pattern, ranked[i], strlen(ranked[i])) == 0)
            return true;
    }
    return false;
}

/* A series has no point without time or value: such rows do not count. */
static bool skip_null_points(struct check *c, const struct function *f, struct bound_expr *out)
{
    if (strcmp(f->name, "create_time_series") != 0)
        return true;
    struct bound_expr *all =
        bound_new(c->cx, BOUND_AND, out->pos, sql_scalar(SQL_BOOLEAN), out->filter != NULL ? 3 : 2);
    for (size_t i = 0; all != NULL && i < 2; i++) {
        struct bound_expr *test = bound_new(c->cx, BOUND_IS_NULL, out->pos, sql_scalar(SQL_BOOLEAN), 1);
        if (test == NULL)
            return false;
        test->negated = true;
        test->args[0] = out->args[i];
        all->args[i] = test;
    }
    if (all == NULL)
        return false;
    if (out->filter != NULL)
        all->args[2] = out->filter;
    out->filter = all;
    return true;
}

static bool may_ignore_nulls(struct mr_str name)
{
    static const char *const names[] = {"first_value", "last_value", "nth_value", "lead", "lag"};
    for (size_t i = 0; i < MR_ARRAY_LEN(names); i++) {
        if (mr_str_ieq(name, mr_str_of(names[i])))
            return true;
    }
    return false;
}

static struct bound_expr *aggregate(struct check *c, const struct ast_expr *e, enum function_class class)
{
    bool window = e->call->over != NULL;
    const struct sql_type *result;
    if (class == FUNCTION_WINDOW && !window) {
        sql_fail(c->cx, e->pos, "Window function " MR_STR_FMT " requires an OVER clause",
                 MR_STR_ARG(e->text));
        return NULL;
    }
    if (e->call->ignore_nulls && !may_ignore_nulls(e->text)) {
        sql_fail(c->cx, e->pos, "Cannot specify null treatment clause for " MR_STR_FMT " function",
                 MR_STR_ARG(e->text));
        return NULL;
    }
    if (!allowed_here(c, e, window))
        return NULL;
    struct check in = *c;
    if (window)
        in.in_window = true;
    else
        in.inside_name = e->text;
    if (!window && c->inner != NULL)
        in.scope = c->inner;
    struct bound_expr *out =
        bound_new(c->cx, window ? BOUND_WINDOW : BOUND_AGGREGATE, e->pos, sql_scalar(SQL_BIGINT), e->nitems);
    if (out == NULL || !check_args(&in, e, &out->args))
        return NULL;
    if (e->call->star && !mr_str_ieq(e->text, MR_STR("count"))) {
        sql_fail(c->cx, e->pos, "'*' is an argument of count only");
        return NULL;
    }
    const struct function *f = function_find(c->cx, e->pos, e->text, out->args, out->nargs, &result);
    if (f == NULL)
        return NULL;
    if (needs_order(f->pattern) && out->nargs > 0 &&
        !sql_is_orderable(out->args[out->nargs > 1 && f->pattern[0] != 'm' ? 1 : 0]->type)) {
        struct mr_str type = check_type_text(c->cx, out->args[0]->type);
        sql_fail(c->cx, e->pos, "Type " MR_STR_FMT " is not orderable", MR_STR_ARG(type));
        return NULL;
    }
    out->pattern = f->pattern;
    out->type = result;
    out->distinct = e->call->distinct;
    out->ignore_nulls = e->call->ignore_nulls;
    if (!check_filter(&in, e, out) || !skip_null_points(&in, f, out) || !check_aggregate_order(&in, e, out))
        return NULL;
    if (window && (out->window = check_window(&in, e->call->over)) == NULL)
        return NULL;
    c->has_aggregate = c->has_aggregate || !window || in.has_aggregate;
    c->has_window = c->has_window || window;
    c->has_grouping = c->has_grouping || in.has_grouping;
    return out;
}

/* A unit given as a constant is checked now. */
static bool check_unit(struct check *c, const struct function *f, struct bound_expr **args)
{
    if (f->args[0] != 's' || (strncmp(f->name, "date_trunc", 10) != 0 &&
                              strncmp(f->name, "date_add", 8) != 0 && strncmp(f->name, "date_diff", 9) != 0))
        return true;
    enum sql_unit unit;
    char kind = f->args[strlen(f->args) - 1];
    if (!bound_is_const(args[0]))
        return true;
    bool ok = sql_unit_of(args[0]->text, &unit) &&
              (kind == 't' || (kind == 'D' ? unit >= SQL_UNIT_DAY : unit < SQL_UNIT_DAY));
    if (!ok)
        return sql_fail(c->cx, args[0]->pos, "'" MR_STR_FMT "' is not a valid %s field",
                        MR_STR_ARG(args[0]->text),
                        kind == 't'   ? "TIMESTAMP"
                        : kind == 'D' ? "DATE"
                                      : "TIME");
    return true;
}

/* parse_duration of a constant in months has another type than its signature says. */
static struct bound_expr *constant_months(struct check *c, const struct function *f, struct bound_expr **args,
                                          size_t pos)
{
    bool months = false;
    int64_t value;
    struct mr_str unit;
    if (strcmp(f->name, "parse_duration") != 0 || !bound_is_const(args[0]))
        return NULL;
    enum sql_duration r = sql_parse_duration(args[0]->text, &months, &value, &unit);
    if (r == SQL_DURATION_BAD_UNIT)
        sql_fail(c->cx, args[0]->pos, "Unknown time unit: " MR_STR_FMT, MR_STR_ARG(unit));
    else if (r == SQL_DURATION_BAD_FORM)
        sql_fail(c->cx, args[0]->pos, "duration is not a valid data duration string: " MR_STR_FMT,
                 MR_STR_ARG(args[0]->text));
    else if (months && value <= INT32_MAX)
        return bound_int(c->cx, pos, SQL_INTERVAL_YEAR, value);
    return NULL;
}

/* What depends on chance and on arguments is computed of them and a random number, $n after the last. */
static bool add_chance(struct check *c, struct bound_expr *out)
{
    if (out->nargs == 0) {
        out->is_volatile = true;
        return true;
    }
    struct bound_expr *chance = bound_new(c->cx, BOUND_CALL, out->pos, sql_scalar(SQL_DOUBLE), 0);
    if (chance == NULL)
        return false;
    chance->pattern = "mr_random()";
    chance->is_volatile = true;
    out->args[out->nargs++] = chance; /* check_args left a place */
    return true;
}

static struct bound_expr *scalar(struct check *c, const struct ast_expr *e, enum function_class class)
{
    const struct sql_type *result;
    if (e->call->over != NULL) {
        sql_fail(c->cx, e->pos, "Not a window function: " MR_STR_FMT, MR_STR_ARG(e->text));
        return NULL;
    }
    struct bound_expr *out = bound_new(c->cx, BOUND_CALL, e->pos, sql_scalar(SQL_UNKNOWN), e->nitems);
    if (out == NULL || !check_args(c, e, &out->args))
        return NULL;
    const struct function *f = function_find(c->cx, e->pos, e->text, out->args, out->nargs, &result);
    if (f == NULL || !check_unit(c, f, out->args))
        return NULL;
    struct bound_expr *months = constant_months(c, f, out->args, e->pos);
    if (months != NULL || c->cx->status != MR_OK)
        return months;
    out->pattern = f->pattern;
    out->type = result;
    if (class == FUNCTION_VOLATILE)
        return add_chance(c, out) ? out : NULL;
    return sql_fold(c->cx, out);
}

struct bound_expr *check_call(struct check *c, const struct ast_expr *e)
{
    enum function_class class;
    bool known = false;
    struct bound_expr *special = check_special(c, e, &known);
    if (known || c->cx->status != MR_OK)
        return special;
    if (!function_exists(e->text, &class)) {
        sql_fail(c->cx, e->pos, "Function " MR_STR_FMT " not registered", MR_STR_ARG(e->text));
        return NULL;
    }
    if (!only_plain(c, e, class))
        return NULL;
    return class == FUNCTION_SCALAR || class == FUNCTION_VOLATILE ? scalar(c, e, class)
                                                                  : aggregate(c, e, class);
}
