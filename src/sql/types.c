/* sql/types.c - equality, coercion, common types and texts of types (query-language reference 3). */
#include "sql/types.h"

static const struct sql_type scalars[] = {
    [SQL_UNKNOWN] = {SQL_UNKNOWN, NULL, NULL, 0},
    [SQL_BOOLEAN] = {SQL_BOOLEAN, NULL, NULL, 0},
    [SQL_INTEGER] = {SQL_INTEGER, NULL, NULL, 0},
    [SQL_BIGINT] = {SQL_BIGINT, NULL, NULL, 0},
    [SQL_DOUBLE] = {SQL_DOUBLE, NULL, NULL, 0},
    [SQL_VARCHAR] = {SQL_VARCHAR, NULL, NULL, 0},
    [SQL_DATE] = {SQL_DATE, NULL, NULL, 0},
    [SQL_TIME] = {SQL_TIME, NULL, NULL, 0},
    [SQL_TIMESTAMP] = {SQL_TIMESTAMP, NULL, NULL, 0},
    [SQL_INTERVAL_DAY] = {SQL_INTERVAL_DAY, NULL, NULL, 0},
    [SQL_INTERVAL_YEAR] = {SQL_INTERVAL_YEAR, NULL, NULL, 0},
};

static const struct {
    const char *text, *engine;
} texts[] = {
    [SQL_UNKNOWN] = {"unknown", "INTEGER"},
    [SQL_BOOLEAN] = {"boolean", "BOOLEAN"},
    [SQL_INTEGER] = {"integer", "INTEGER"},
    [SQL_BIGINT] = {"bigint", "BIGINT"},
    [SQL_DOUBLE] = {"double", "DOUBLE"},
    [SQL_VARCHAR] = {"varchar", "VARCHAR"},
    [SQL_DATE] = {"date", "INTEGER"},
    [SQL_TIME] = {"time", "BIGINT"},
    [SQL_TIMESTAMP] = {"timestamp", "BIGINT"},
    [SQL_INTERVAL_DAY] = {"interval day to second", "BIGINT"},
    [SQL_INTERVAL_YEAR] = {"interval year to month", "INTEGER"},
};

const struct sql_type *sql_scalar(enum sql_kind kind)
{
    MR_ASSERT(kind < MR_ARRAY_LEN(scalars));
    return &scalars[kind];
}

static const struct sql_type *new_type(struct sql_context *cx, struct sql_type value)
{
    struct sql_type *t = SQL_NEW(cx, struct sql_type);
    if (t != NULL)
        *t = value;
    return t;
}

const struct sql_type *sql_array_of(struct sql_context *cx, const struct sql_type *elem)
{
    return new_type(cx, (struct sql_type){SQL_ARRAY, elem, NULL, 0});
}

const struct sql_type *sql_series_of(struct sql_context *cx, const struct sql_type *value)
{
    return new_type(cx, (struct sql_type){SQL_TIMESERIES, value, NULL, 0});
}

const struct sql_type *sql_row_of(struct sql_context *cx, const struct sql_field *fields, size_t n)
{
    return new_type(cx, (struct sql_type){SQL_ROW, NULL, fields, n});
}

bool sql_type_equal(const struct sql_type *a, const struct sql_type *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || a->nfields != b->nfields)
        return false;
    if (a->elem != NULL && !sql_type_equal(a->elem, b->elem))
        return false;
    for (size_t i = 0; i < a->nfields; i++) {
        if (!sql_type_equal(a->fields[i].type, b->fields[i].type))
            return false;
    }
    return true;
}

int sql_coercion(const struct sql_type *from, const struct sql_type *to)
{
    if (from->kind == SQL_UNKNOWN)
        return to->kind == SQL_UNKNOWN ? 0 : 1;
    if (from->kind != to->kind) {
        switch (from->kind) {
        case SQL_INTEGER:
            return to->kind == SQL_BIGINT ? 2 : to->kind == SQL_DOUBLE ? 4 : -1;
        case SQL_BIGINT:
            return to->kind == SQL_DOUBLE ? 3 : -1;
        case SQL_DATE:
            return to->kind == SQL_TIMESTAMP ? 3 : -1;
        case SQL_VARCHAR:
            return to->kind == SQL_TIMESTAMP ? 5 : to->kind == SQL_DATE || to->kind == SQL_TIME ? 7 : -1;
        default:
            return -1;
        }
    }
    if (from->elem != NULL)
        return sql_coercion(from->elem, to->elem);
    if (from->nfields != to->nfields)
        return -1;
    int sum = 0;
    for (size_t i = 0; i < from->nfields; i++) {
        int c = sql_coercion(from->fields[i].type, to->fields[i].type);
        if (c < 0)
            return -1;
        sum += c;
    }
    return sum;
}

static const struct sql_type *common_row(struct sql_context *cx, const struct sql_type *a,
                                         const struct sql_type *b)
{
    if (a->nfields != b->nfields)
        return NULL;
    struct sql_field *fields = SQL_ARRAY_NEW(cx, a->nfields, struct sql_field);
    if (fields == NULL)
        return NULL;
    for (size_t i = 0; i < a->nfields; i++) {
        bool same = a->fields[i].name.ptr != NULL && b->fields[i].name.ptr != NULL &&
                    mr_str_eq(a->fields[i].name, b->fields[i].name);
        fields[i].name = same ? a->fields[i].name : MR_STR_NULL;
        fields[i].type = sql_common_type(cx, a->fields[i].type, b->fields[i].type);
        if (fields[i].type == NULL)
            return NULL;
    }
    return sql_row_of(cx, fields, a->nfields);
}

const struct sql_type *sql_common_type(struct sql_context *cx, const struct sql_type *a,
                                       const struct sql_type *b)
{
    if (a->kind == SQL_ROW && b->kind == SQL_ROW)
        return common_row(cx, a, b);
    if (sql_coercion(a, b) >= 0)
        return b;
    if (sql_coercion(b, a) >= 0)
        return a;
    if (a->kind == b->kind && a->elem != NULL) {
        const struct sql_type *elem = sql_common_type(cx, a->elem, b->elem);
        return elem == NULL ? NULL : new_type(cx, (struct sql_type){a->kind, elem, NULL, 0});
    }
    return NULL;
}

bool sql_is_numeric(const struct sql_type *t)
{
    return t->kind == SQL_INTEGER || t->kind == SQL_BIGINT || t->kind == SQL_DOUBLE;
}

bool sql_is_comparable(const struct sql_type *t)
{
    if (t->kind == SQL_TIMESERIES)
        return false;
    if (t->kind == SQL_ARRAY)
        return sql_is_comparable(t->elem);
    for (size_t i = 0; i < t->nfields; i++) {
        if (!sql_is_comparable(t->fields[i].type))
            return false;
    }
    return true;
}

bool sql_is_orderable(const struct sql_type *t)
{
    return sql_is_comparable(t);
}

static const struct sql_type *row_of_ast(struct sql_context *cx, const struct ast_type *type)
{
    struct sql_field *fields = SQL_ARRAY_NEW(cx, type->nargs, struct sql_field);
    if (fields == NULL)
        return NULL;
    for (size_t i = 0; i < type->nargs; i++) {
        fields[i].name = type->fields[i];
        fields[i].type = sql_type_of_ast(cx, type->args[i]);
        if (fields[i].type == NULL)
            return NULL;
    }
    return sql_row_of(cx, fields, type->nargs);
}

const struct sql_type *sql_type_of_ast(struct sql_context *cx, const struct ast_type *type)
{
    if (!type->measured && mr_str_eq(type->name, MR_STR("int")))
        return sql_scalar(SQL_INTEGER);
    for (size_t i = SQL_BOOLEAN; i < MR_ARRAY_LEN(texts); i++) {
        if (!type->measured && mr_str_eq(type->name, mr_str_of(texts[i].text)))
            return sql_scalar((enum sql_kind)i);
    }
    if (mr_str_eq(type->name, MR_STR("array")) && type->nargs == 1) {
        const struct sql_type *elem = sql_type_of_ast(cx, type->args[0]);
        return elem != NULL ? sql_array_of(cx, elem) : NULL;
    }
    if (mr_str_eq(type->name, MR_STR("row")) && type->nargs > 0)
        return row_of_ast(cx, type);
    sql_fail(cx, type->pos, "Unknown type: " MR_STR_FMT, MR_STR_ARG(type->name));
    return NULL;
}

static void append_text(const struct sql_type *t, struct mr_buf *out)
{
    switch (t->kind) {
    case SQL_ARRAY:
        mr_buf_str(out, MR_STR("array("));
        append_text(t->elem, out);
        mr_buf_char(out, ')');
        break;
    case SQL_TIMESERIES:
        mr_buf_str(out, MR_STR("timeseries("));
        append_text(t->elem, out);
        mr_buf_char(out, ')');
        break;
    case SQL_ROW:
        mr_buf_str(out, MR_STR("row("));
        for (size_t i = 0; i < t->nfields; i++) {
            if (i > 0)
                mr_buf_str(out, MR_STR(", "));
            if (t->fields[i].name.ptr != NULL) {
                mr_buf_str(out, t->fields[i].name);
                mr_buf_char(out, ' ');
            }
            append_text(t->fields[i].type, out);
        }
        mr_buf_char(out, ')');
        break;
    default:
        mr_buf_str(out, mr_str_of(texts[t->kind].text));
    }
}

struct mr_str sql_type_text(const struct sql_type *type, struct mr_arena *arena)
{
    struct mr_buf buf = MR_BUF_INIT;
    struct mr_str text = MR_STR_NULL;
    append_text(type, &buf);
    if (mr_buf_ok(&buf))
        text = mr_arena_dup(arena, mr_buf_view(&buf));
    mr_buf_release(&buf);
    return text;
}

void sql_engine_type(const struct sql_type *t, struct mr_buf *out)
{
    switch (t->kind) {
    case SQL_ARRAY:
        sql_engine_type(t->elem, out);
        mr_buf_str(out, MR_STR("[]"));
        break;
    case SQL_TIMESERIES:
        mr_buf_str(out, MR_STR("STRUCT(t BIGINT, v "));
        sql_engine_type(t->elem, out);
        mr_buf_str(out, MR_STR(")[]"));
        break;
    case SQL_ROW:
        mr_buf_str(out, MR_STR("STRUCT("));
        for (size_t i = 0; i < t->nfields; i++) {
            mr_buf_printf(out, "%sf%zu ", i > 0 ? ", " : "", i);
            sql_engine_type(t->fields[i].type, out);
        }
        mr_buf_char(out, ')');
        break;
    default:
        mr_buf_str(out, mr_str_of(texts[t->kind].engine));
    }
}
