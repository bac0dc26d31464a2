/* sql/coerce.c - implicit coercions and CAST (query-language reference 3.2, 3.3). */
#include "sql/bound.h"

#include "sql/timetext.h"

/* Converts through a lambda: list_transform(list, lambda x: cast of x). */
static struct bound_expr *each_element(struct sql_context *cx, struct bound_expr *e,
                                       const struct sql_type *to, size_t pos, bool cast)
{
    struct bound_expr *lambda = bound_new(cx, BOUND_LAMBDA, pos, to, 1);
    struct bound_expr *arg = bound_new(cx, BOUND_LAMBDA_ARG, pos, e->type->elem, 0);
    if (lambda == NULL || arg == NULL)
        return NULL;
    lambda->index = arg->index = cx->next_table++;
    lambda->op = 1;
    struct bound_expr *point = arg;
    if (to->kind == SQL_TIMESERIES) {
        point = bound_new(cx, BOUND_POINT, pos, e->type->elem, 1);
        if (point == NULL)
            return NULL;
        point->index = 1;
        point->args[0] = arg;
    }
    struct bound_expr *value = cast ? sql_cast(cx, point, to->elem, pos) : sql_coerce(cx, point, to->elem);
    if (to->kind == SQL_TIMESERIES)
        value = bound_call2(cx, pos, to->elem, "struct_pack(t := $1.t, v := $2)", arg, value);
    if (value == NULL)
        return NULL;
    lambda->args[0] = value;
    return bound_call2(cx, pos, to, "list_transform($1, $2)", e, lambda);
}

static struct bound_expr *each_field(struct sql_context *cx, struct bound_expr *e, const struct sql_type *to,
                                     size_t pos, bool cast)
{
    struct bound_expr *row = bound_new(cx, BOUND_ROW, pos, to, to->nfields);
    struct bound_expr *once = e->kind == BOUND_ROW ? e : bound_let(cx, e);
    if (row == NULL || once == NULL)
        return NULL;
    for (size_t i = 0; i < to->nfields; i++) {
        struct bound_expr *f = e->kind == BOUND_ROW ? e->args[i] : bound_field(cx, pos, once, i);
        if (f == NULL)
            return NULL;
        row->args[i] =
            cast ? sql_cast(cx, f, to->fields[i].type, pos) : sql_coerce(cx, f, to->fields[i].type);
        if (row->args[i] == NULL)
            return NULL;
    }
    if (e->kind == BOUND_ROW)
        return row;
    return bound_let_in(cx, e, once,
                        bound_call2(cx, pos, to, "CASE WHEN $1 IS NOT NULL THEN $2 END", once, row));
}

static struct bound_expr *nested(struct sql_context *cx, struct bound_expr *e, const struct sql_type *to,
                                 size_t pos, bool cast)
{
    if (e->type->kind == SQL_ROW)
        return each_field(cx, e, to, pos, cast);
    if (e->kind != BOUND_ARRAY)
        return each_element(cx, e, to, pos, cast);
    struct bound_expr *array = bound_new(cx, BOUND_ARRAY, e->pos, to, e->nargs);
    if (array == NULL)
        return NULL;
    for (size_t i = 0; i < e->nargs; i++) {
        array->args[i] =
            cast ? sql_cast(cx, e->args[i], to->elem, pos) : sql_coerce(cx, e->args[i], to->elem);
        if (array->args[i] == NULL)
            return NULL;
    }
    return array;
}

/* The type of a NULL, of a parameter, or of an expression that can only be NULL. */
static struct bound_expr *from_unknown(struct sql_context *cx, struct bound_expr *e,
                                       const struct sql_type *to)
{
    if (e->kind == BOUND_PARAM) {
        e->type = to;
        return e;
    }
    return bound_null(cx, e->pos, to);
}

/* A text constant as a time; the literal is checked now. */
static struct bound_expr *text_literal(struct sql_context *cx, const struct bound_expr *e,
                                       const struct sql_type *to)
{
    int64_t ns = 0;
    int32_t days = 0;
    bool ok = to->kind == SQL_TIMESTAMP ? sql_parse_timestamp(e->text, &ns)
              : to->kind == SQL_DATE    ? sql_parse_date(e->text, &days)
                                        : sql_parse_time(e->text, &ns);
    if (!ok) {
        struct mr_str type = check_type_text(cx, to);
        sql_fail(cx, e->pos, "'" MR_STR_FMT "' is not a valid " MR_STR_FMT " literal", MR_STR_ARG(e->text),
                 MR_STR_ARG(type));
        return NULL;
    }
    return bound_int(cx, e->pos, to->kind, to->kind == SQL_DATE ? days : ns);
}

struct bound_expr *sql_coerce(struct sql_context *cx, struct bound_expr *e, const struct sql_type *to)
{
    if (e == NULL || to == NULL)
        return NULL;
    const struct sql_type *from = e->type;
    if (from->kind == SQL_UNKNOWN && to->kind != SQL_UNKNOWN)
        return from_unknown(cx, e, to);
    if (sql_type_equal(from, to))
        return e;
    if (from->kind == to->kind)
        return nested(cx, e, to, e->pos, false);
    if (from->kind == SQL_VARCHAR && e->kind == BOUND_CONST && !e->null)
        return text_literal(cx, e, to);
    return sql_cast(cx, e, to, e->pos);
}

/* Scalar casts: the pattern of each pair. $1 alone: the engine's types agree. */
static const struct {
    enum sql_kind from, to;
    const char *pattern;
} casts[] = {
    {SQL_INTEGER, SQL_BIGINT, "CAST($1 AS BIGINT)"},
    {SQL_INTEGER, SQL_DOUBLE, "CAST($1 AS DOUBLE)"},
    {SQL_INTEGER, SQL_VARCHAR, "mr_i32_to_text($1)"},
    {SQL_INTEGER, SQL_BOOLEAN, "($1 <> 0)"},
    {SQL_BIGINT, SQL_INTEGER, "mr_i64_to_i32($1)"},
    {SQL_BIGINT, SQL_DOUBLE, "CAST($1 AS DOUBLE)"},
    {SQL_BIGINT, SQL_VARCHAR, "mr_i64_to_text($1)"},
    {SQL_BIGINT, SQL_BOOLEAN, "($1 <> 0)"},
    {SQL_DOUBLE, SQL_INTEGER, "mr_f64_to_i32($1)"},
    {SQL_DOUBLE, SQL_BIGINT, "mr_f64_to_i64($1)"},
    {SQL_DOUBLE, SQL_VARCHAR, "mr_f64_to_text($1)"},
    {SQL_DOUBLE, SQL_BOOLEAN, "($1 <> 0)"},
    {SQL_BOOLEAN, SQL_INTEGER, "CAST($1 AS INTEGER)"},
    {SQL_BOOLEAN, SQL_BIGINT, "CAST($1 AS BIGINT)"},
    {SQL_BOOLEAN, SQL_DOUBLE, "CAST($1 AS DOUBLE)"},
    {SQL_BOOLEAN, SQL_VARCHAR, "CAST($1 AS VARCHAR)"},
    {SQL_VARCHAR, SQL_INTEGER, "mr_text_to_i32($1)"},
    {SQL_VARCHAR, SQL_BIGINT, "mr_text_to_i64($1)"},
    {SQL_VARCHAR, SQL_DOUBLE, "mr_text_to_f64($1)"},
    {SQL_VARCHAR, SQL_BOOLEAN, "mr_text_to_bool($1)"},
    {SQL_VARCHAR, SQL_TIMESTAMP, "mr_text_to_ts($1)"},
    {SQL_VARCHAR, SQL_DATE, "mr_text_to_date($1)"},
    {SQL_VARCHAR, SQL_TIME, "mr_text_to_time($1)"},
    {SQL_TIMESTAMP, SQL_VARCHAR, "mr_ts_to_text($1)"},
    {SQL_TIMESTAMP, SQL_DATE, "mr_ts_to_date($1)"},
    {SQL_TIMESTAMP, SQL_TIME, "mr_ts_to_time($1)"},
    {SQL_DATE, SQL_VARCHAR, "mr_date_to_text($1)"},
    {SQL_DATE, SQL_TIMESTAMP, "mr_date_to_ts($1)"},
    {SQL_TIME, SQL_VARCHAR, "mr_time_to_text($1)"},
    {SQL_INTERVAL_DAY, SQL_VARCHAR, "mr_ival_to_text($1)"},
    {SQL_INTERVAL_YEAR, SQL_VARCHAR, "mr_ivaly_to_text($1)"},
};

static bool castable(const struct sql_type *from, const struct sql_type *to)
{
    if (from->kind == SQL_UNKNOWN || sql_type_equal(from, to))
        return true;
    if (from->kind != to->kind) {
        for (size_t i = 0; i < MR_ARRAY_LEN(casts); i++) {
            if (casts[i].from == from->kind && casts[i].to == to->kind)
                return true;
        }
        return false;
    }
    if (from->elem != NULL)
        return castable(from->elem, to->elem);
    if (from->nfields != to->nfields)
        return false;
    for (size_t i = 0; i < from->nfields; i++) {
        if (!castable(from->fields[i].type, to->fields[i].type))
            return false;
    }
    return true;
}

struct bound_expr *sql_cast(struct sql_context *cx, struct bound_expr *e, const struct sql_type *to,
                            size_t pos)
{
    if (e == NULL || to == NULL)
        return NULL;
    if (!castable(e->type, to)) {
        struct mr_str a = check_type_text(cx, e->type), b = check_type_text(cx, to);
        sql_fail(cx, pos, "Cannot cast " MR_STR_FMT " to " MR_STR_FMT, MR_STR_ARG(a), MR_STR_ARG(b));
        return NULL;
    }
    if (e->type->kind == SQL_UNKNOWN && to->kind != SQL_UNKNOWN)
        return from_unknown(cx, e, to);
    if (e->type->kind == to->kind && e->type->elem == NULL && e->type->nfields == 0)
        return e;
    if (e->kind == BOUND_CONST && e->null)
        return bound_null(cx, e->pos, to);
    if (e->type->kind == to->kind) /* also for the names of fields */
        return nested(cx, e, to, pos, true);
    for (size_t i = 0; i < MR_ARRAY_LEN(casts); i++) {
        if (casts[i].from == e->type->kind && casts[i].to == to->kind)
            return sql_fold(cx, bound_call1(cx, pos, to, casts[i].pattern, e));
    }
    return NULL;
}
