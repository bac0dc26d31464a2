/* sql/parse_type.c - type names of CAST (query-language reference 3.1). */
#include "sql/parse.h"

static struct mr_str lower(struct parser *p, struct mr_str s)
{
    struct mr_str copy = mr_arena_dup(p->cx->arena, s);
    if (copy.ptr == NULL) {
        sql_fail_memory(p->cx);
        return copy;
    }
    for (size_t i = 0; i < copy.len; i++) {
        char *c = (char *)copy.ptr + i;
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    }
    return copy;
}

/* INTERVAL (DAY TO SECOND | YEAR TO MONTH) */
static bool parse_interval_type(struct parser *p, struct ast_type *type)
{
    if (parse_take(p, SQL_KW_DAY)) {
        type->name = MR_STR("interval day to second");
        return parse_need(p, SQL_KW_TO) && parse_need(p, SQL_KW_SECOND);
    }
    type->name = MR_STR("interval year to month");
    return parse_need(p, SQL_KW_YEAR) && parse_need(p, SQL_KW_TO) && parse_need(p, SQL_KW_MONTH);
}

/* [name] type, told apart by what follows the first word */
static bool parse_row_field(struct parser *p, struct ast_type **type, struct mr_str *field)
{
    struct ast_name name;
    *field = MR_STR_NULL;
    bool named = parse_is_name(p, 0) && parse_is_name(p, 1) &&
                 !(parse_is(p, 0, SQL_KW_INTERVAL) &&
                   (parse_is(p, 1, SQL_KW_DAY) || parse_is(p, 1, SQL_KW_YEAR)) && parse_is(p, 2, SQL_KW_TO));
    if (named) {
        if (!parse_name(p, &name))
            return false;
        *field = name.text;
    }
    *type = parse_type(p);
    return *type != NULL;
}

/* ( arg [, ...] ), or < arg > for ARRAY<T> */
static bool parse_type_args(struct parser *p, struct ast_type *type, unsigned close)
{
    struct sql_list types = {NULL, 0, 0};
    struct sql_list names = {NULL, 0, 0};
    bool row = mr_str_eq(type->name, MR_STR("row"));
    do {
        struct ast_type *arg;
        struct mr_str *field = SQL_NEW(p->cx, struct mr_str);
        if (field == NULL)
            return false;
        if (row ? !parse_row_field(p, &arg, field) : (arg = parse_type(p)) == NULL)
            return false;
        if (!sql_push(p->cx, &types, arg) || !sql_push(p->cx, &names, field))
            return false;
    } while (parse_take_symbol(p, ','));
    type->args = (struct ast_type **)types.items;
    type->nargs = types.n;
    type->fields = SQL_ARRAY_NEW(p->cx, types.n, struct mr_str);
    if (type->fields == NULL)
        return false;
    for (size_t i = 0; i < types.n; i++)
        type->fields[i] = *(struct mr_str *)names.items[i];
    return parse_need_symbol(p, close);
}

/* ( n [, ...] ), after the ( */
static bool parse_numbers(struct parser *p, struct ast_type *type)
{
    bool ok = parse_count(p, &type->length);
    type->measured = !mr_str_eq(type->name, MR_STR("varchar"));
    while (ok && parse_take_symbol(p, ',')) {
        int64_t more;
        type->measured = true;
        ok = parse_count(p, &more);
    }
    return ok && parse_need_symbol(p, ')');
}

/* name [( integer )] | ARRAY ( type ) | ARRAY < type > | ROW ( [name] type [, ...] ) | interval type */
struct ast_type *parse_type(struct parser *p)
{
    struct ast_type *type = SQL_NEW(p->cx, struct ast_type);
    struct ast_name name;
    bool ok;
    if (type == NULL || !parse_enter(p))
        return NULL;
    bool word = parse_peek(p, 0)->kind == SQL_TOK_WORD;
    ok = parse_name(p, &name);
    if (!ok)
        return NULL;
    type->pos = name.pos;
    type->length = -1;
    type->name = lower(p, name.text);
    if (type->name.ptr == NULL)
        return NULL;
    bool array = mr_str_eq(type->name, MR_STR("array")), row = mr_str_eq(type->name, MR_STR("row"));
    if (word && mr_str_eq(type->name, MR_STR("interval"))) {
        ok = parse_interval_type(p, type);
    } else if ((array || row) && parse_take_symbol(p, '(')) {
        ok = parse_type_args(p, type, ')');
    } else if (array && parse_take_symbol(p, '<')) {
        ok = parse_type_args(p, type, '>');
    } else if (parse_take_symbol(p, '(')) {
        ok = parse_numbers(p, type);
    }
    parse_leave(p);
    return ok ? type : NULL;
}
