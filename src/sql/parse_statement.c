/* sql/parse_statement.c - the statements: SELECT, SHOW, DESCRIBE, UNLOAD, and our EXPLAIN. */
#include "sql/parse.h"

/* [LIKE 'pattern' [ESCAPE 'c']] */
static bool parse_like(struct parser *p, struct ast_statement *s)
{
    if (!parse_take(p, SQL_KW_LIKE))
        return true;
    if (!parse_string(p, &s->like))
        return false;
    return !parse_take(p, SQL_KW_ESCAPE) || parse_string(p, &s->like_escape);
}

/* SHOW (DATABASES | TABLES [(FROM | IN) name] | MEASURES (FROM | IN) name . name) like */
static bool parse_show(struct parser *p, struct ast_statement *s)
{
    if (parse_take(p, SQL_KW_DATABASES)) {
        s->kind = SQL_SHOW_DATABASES;
        return parse_like(p, s);
    }
    if (parse_take(p, SQL_KW_TABLES)) {
        s->kind = SQL_SHOW_TABLES;
        if ((parse_take(p, SQL_KW_FROM) || parse_take(p, SQL_KW_IN)) &&
            !parse_qualified(p, 1, &s->parts, &s->nparts))
            return false;
        return parse_like(p, s);
    }
    s->kind = SQL_SHOW_MEASURES;
    if (!parse_need(p, SQL_KW_MEASURES) || (!parse_take(p, SQL_KW_FROM) && !parse_need(p, SQL_KW_IN)))
        return false;
    return parse_qualified(p, 2, &s->parts, &s->nparts) && parse_like(p, s);
}

/* WITH ( name = expr [, ...] ) */
static bool parse_options(struct parser *p, struct ast_statement *s)
{
    struct sql_list items = {NULL, 0, 0};
    if (!parse_need_symbol(p, '('))
        return false;
    do {
        struct ast_option *o = SQL_NEW(p->cx, struct ast_option);
        struct ast_name name;
        if (o == NULL || !parse_name(p, &name) || !parse_need_symbol(p, '=') ||
            (o->value = parse_expr(p)) == NULL || !sql_push(p->cx, &items, o))
            return false;
        o->name = name.text;
        o->pos = name.pos;
    } while (parse_take_symbol(p, ','));
    s->options = (struct ast_option **)items.items;
    s->noptions = items.n;
    return parse_need_symbol(p, ')');
}

/* UNLOAD ( query ) TO 'uri' [WITH options] */
static bool parse_unload(struct parser *p, struct ast_statement *s)
{
    s->kind = SQL_UNLOAD;
    if (!parse_need_symbol(p, '(') || (s->query = parse_query(p)) == NULL || !parse_need_symbol(p, ')') ||
        !parse_need(p, SQL_KW_TO) || !parse_string(p, &s->to))
        return false;
    return !parse_take(p, SQL_KW_WITH) || parse_options(p, s);
}

/* query | SHOW ... | DESCRIBE name . name | UNLOAD ... | EXPLAIN query */
static bool parse_any(struct parser *p, struct ast_statement *s)
{
    s->pos = parse_peek(p, 0)->pos;
    if (parse_take(p, SQL_KW_SHOW))
        return parse_show(p, s);
    if (parse_take(p, SQL_KW_DESCRIBE)) {
        s->kind = SQL_DESCRIBE;
        return parse_qualified(p, 2, &s->parts, &s->nparts);
    }
    if (parse_take(p, SQL_KW_UNLOAD))
        return parse_unload(p, s);
    s->kind = parse_take(p, SQL_KW_EXPLAIN) ? SQL_EXPLAIN : SQL_SELECT;
    s->query = parse_query(p);
    return s->query != NULL;
}

/* statement [';'] end */
bool sql_parse(struct sql_context *cx, struct ast_statement *out)
{
    struct sql_tokens tokens = {0};
    *out = (struct ast_statement){.kind = SQL_SELECT};
    if (!sql_lex(cx, &tokens))
        return false;
    struct parser p = {cx, tokens.items, tokens.n, 0, 0, 0};
    if (!parse_any(&p, out))
        return false;
    parse_take_symbol(&p, ';');
    return parse_peek(&p, 0)->kind == SQL_TOK_END || parse_unexpected(&p) != NULL;
}
