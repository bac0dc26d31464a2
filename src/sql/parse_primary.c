/* sql/parse_primary.c - literals, names, parentheses and what may follow them. */
#include "sql/parse.h"

#include <stdlib.h>

#include "sql/timetext.h"

static struct ast_expr *leaf(struct parser *p, enum ast_kind kind)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, kind, pos, pos);
    if (e != NULL)
        p->at++;
    return e != NULL ? parse_done(p, e) : NULL;
}

static struct ast_expr *parse_bool(struct parser *p, bool value)
{
    struct ast_expr *e = leaf(p, AST_BOOL);
    if (e != NULL)
        e->i64 = value;
    return e;
}

static struct ast_expr *parse_integer(struct parser *p)
{
    const struct sql_token *t = parse_peek(p, 0);
    int64_t value;
    if (!mr_str_to_i64(sql_token_text(p->cx, t), &value)) {
        sql_fail(p->cx, t->pos, "Invalid numeric literal: " MR_STR_FMT, MR_STR_ARG(sql_token_text(p->cx, t)));
        return NULL;
    }
    struct ast_expr *e = leaf(p, AST_INTEGER);
    if (e != NULL)
        e->i64 = value;
    return e;
}

static struct ast_expr *parse_decimal(struct parser *p)
{
    const struct sql_token *t = parse_peek(p, 0);
    struct mr_str text = mr_arena_dup(p->cx->arena, sql_token_text(p->cx, t)); /* NUL-terminated */
    if (text.ptr == NULL) {
        sql_fail_memory(p->cx);
        return NULL;
    }
    struct ast_expr *e = leaf(p, AST_DOUBLE);
    if (e != NULL)
        e->f64 = strtod(text.ptr, NULL); /* digits, point and exponent only: the lexer saw to it */
    return e;
}

static struct ast_expr *parse_text(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_STRING, pos, pos);
    return e != NULL && parse_string(p, &e->text) ? parse_done(p, e) : NULL;
}

/* 5m, 1year */
static struct ast_expr *parse_duration(struct parser *p)
{
    const struct sql_token *t = parse_peek(p, 0);
    bool months;
    int64_t value;
    struct mr_str unit;
    if (sql_parse_duration(sql_token_text(p->cx, t), &months, &value, &unit) != SQL_DURATION_OK ||
        (months && value > INT32_MAX))
        return parse_unexpected(p);
    struct ast_expr *e = leaf(p, AST_INTERVAL);
    if (e != NULL) {
        e->i64 = value;
        e->months = months;
    }
    return e;
}

/* type 'text' */
static struct ast_expr *parse_typed(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_TYPED, pos, pos);
    if (e == NULL || (e->type = parse_type(p)) == NULL || !parse_string(p, &e->text))
        return NULL;
    return parse_done(p, e);
}

/* name [, ...] -> expr, parentheses around the names unless there is one */
static struct ast_expr *parse_lambda(struct parser *p, bool parens)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_LAMBDA, pos, pos);
    struct sql_list names = {NULL, 0, 0};
    if (e == NULL)
        return NULL;
    if (parens && parse_is_symbol(p, 1, ')')) {
        p->at += 2;
    } else if (parens) {
        if (!parse_name_list(p, &names))
            return NULL;
    } else {
        struct ast_name *name = parse_new_name(p);
        if (name == NULL || !sql_push(p->cx, &names, name))
            return NULL;
    }
    e->names = SQL_ARRAY_NEW(p->cx, names.n, struct mr_str);
    if (e->names == NULL || !parse_need_symbol(p, SQL_SYM_ARROW))
        return NULL;
    for (size_t i = 0; i < names.n; i++)
        e->names[i] = ((struct ast_name *)names.items[i])->text;
    e->nnames = names.n;
    e->a = parse_expr(p);
    return e->a != NULL ? parse_done(p, e) : NULL;
}

/* '(' [name {, name}] ')' '->' lies ahead */
static bool lambda_ahead(const struct parser *p)
{
    size_t i = 1;
    if (!parse_is_symbol(p, i, ')')) {
        for (;; i++) {
            if (!parse_is_name(p, i))
                return false;
            i++;
            if (!parse_is_symbol(p, i, ','))
                break;
        }
    }
    return parse_is_symbol(p, i, ')') && parse_is_symbol(p, i + 1, SQL_SYM_ARROW);
}

static struct ast_expr *subquery(struct parser *p, size_t pos, struct ast_query *query)
{
    struct ast_expr *e = query != NULL ? parse_node(p, AST_SUBQUERY, pos, pos) : NULL;
    if (e == NULL || !parse_need_symbol(p, ')'))
        return NULL;
    e->query = query;
    return parse_done(p, e);
}

/* ( query ) | ( expr ) | ( expr, expr [, ...] ) | lambda */
static struct ast_expr *parse_parens(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct sql_list items = {NULL, 0, 0};
    if (lambda_ahead(p))
        return parse_lambda(p, true);
    p->at++;
    if (parse_starts_query(p, 0))
        return subquery(p, pos, parse_query(p));
    struct ast_expr *e = parse_expr(p);
    if (e == NULL)
        return NULL;
    if (e->kind == AST_SUBQUERY && parse_continues_query(p))
        return subquery(p, pos, parse_query_rest(p, e->query));
    if (parse_take_symbol(p, ')'))
        return e;
    if (!sql_push(p->cx, &items, e) || !parse_need_symbol(p, ',') || !parse_expr_list(p, &items) ||
        !parse_need_symbol(p, ')'))
        return NULL;
    e = parse_node(p, AST_ROW, pos, pos);
    if (e == NULL)
        return NULL;
    e->items = (struct ast_expr **)items.items;
    e->nitems = items.n;
    e->bare_row = true;
    return parse_done(p, e);
}

/* EXISTS ( query ) */
static struct ast_expr *parse_exists(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_EXISTS, pos, pos);
    if (e == NULL)
        return NULL;
    p->at++;
    if (!parse_need_symbol(p, '(') || (e->query = parse_query(p)) == NULL || !parse_need_symbol(p, ')'))
        return NULL;
    return parse_done(p, e);
}

/* CASE [expr] WHEN expr THEN expr ... [ELSE expr] END */
static struct ast_expr *parse_case(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_CASE, pos, pos);
    struct sql_list items = {NULL, 0, 0};
    if (e == NULL)
        return NULL;
    p->at++;
    if (!parse_is(p, 0, SQL_KW_WHEN) && (e->a = parse_expr(p)) == NULL)
        return NULL;
    do {
        struct ast_expr *when, *then;
        if (!parse_need(p, SQL_KW_WHEN) || (when = parse_expr(p)) == NULL || !parse_need(p, SQL_KW_THEN) ||
            (then = parse_expr(p)) == NULL || !sql_push(p->cx, &items, when) ||
            !sql_push(p->cx, &items, then))
            return NULL;
    } while (parse_is(p, 0, SQL_KW_WHEN));
    if (parse_take(p, SQL_KW_ELSE) && (e->b = parse_expr(p)) == NULL)
        return NULL;
    e->items = (struct ast_expr **)items.items;
    e->nitems = items.n;
    return parse_need(p, SQL_KW_END) ? parse_done(p, e) : NULL;
}

/* (CAST | TRY_CAST) ( expr AS type ) */
static struct ast_expr *parse_cast(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_CAST, pos, pos);
    if (e == NULL)
        return NULL;
    e->try = parse_is(p, 0, SQL_KW_TRY_CAST);
    p->at += 2;
    if ((e->a = parse_expr(p)) == NULL || !parse_need(p, SQL_KW_AS) || (e->type = parse_type(p)) == NULL ||
        !parse_need_symbol(p, ')'))
        return NULL;
    return parse_done(p, e);
}

/* EXTRACT ( name FROM expr ) */
static struct ast_expr *parse_extract(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_EXTRACT, pos, pos);
    struct ast_name field;
    if (e == NULL)
        return NULL;
    p->at++;
    if (!parse_need_symbol(p, '(') || !parse_name(p, &field) || !parse_need(p, SQL_KW_FROM) ||
        (e->a = parse_expr(p)) == NULL || !parse_need_symbol(p, ')'))
        return NULL;
    e->text = field.text;
    return parse_done(p, e);
}

/* POSITION ( value IN value ), as strpos with its arguments turned */
static struct ast_expr *parse_position(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_CALL, pos, pos);
    struct ast_expr *needle, *text;
    struct sql_list items = {NULL, 0, 0};
    if (e == NULL || (e->call = SQL_NEW(p->cx, struct ast_call)) == NULL)
        return NULL;
    p->at += 2;
    if (!parse_enter(p))
        return NULL;
    if ((needle = parse_value(p)) == NULL || !parse_need(p, SQL_KW_IN) || (text = parse_value(p)) == NULL ||
        !parse_need_symbol(p, ')') || !sql_push(p->cx, &items, text) || !sql_push(p->cx, &items, needle))
        return NULL;
    parse_leave(p);
    e->text = MR_STR("strpos");
    e->items = (struct ast_expr **)items.items;
    e->nitems = 2;
    return parse_done(p, e);
}

/* ARRAY [ [expr [, ...]] ] */
static struct ast_expr *parse_array(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    struct ast_expr *e = parse_node(p, AST_ARRAY, pos, pos);
    struct sql_list items = {NULL, 0, 0};
    if (e == NULL)
        return NULL;
    p->at += 2;
    if (!parse_is_symbol(p, 0, ']') && !parse_expr_list(p, &items))
        return NULL;
    e->items = (struct ast_expr **)items.items;
    e->nitems = items.n;
    return parse_need_symbol(p, ']') ? parse_done(p, e) : NULL;
}

/* current_date and its like: functions without parentheses */
static struct ast_expr *parse_current(struct parser *p)
{
    const struct sql_token *t = parse_peek(p, 0);
    struct ast_expr *e = leaf(p, AST_CALL);
    if (e == NULL || (e->call = SQL_NEW(p->cx, struct ast_call)) == NULL)
        return NULL;
    e->text = sql_token_text(p->cx, t);
    return e;
}

static bool is_string(const struct parser *p, size_t ahead)
{
    uint8_t kind = parse_peek(p, ahead)->kind;
    return kind == SQL_TOK_STRING || kind == SQL_TOK_UNICODE;
}

/* A type name lies ahead and a string follows it. */
static bool typed_ahead(const struct parser *p)
{
    return parse_peek(p, 0)->kind == SQL_TOK_WORD && parse_is_name(p, 0) && is_string(p, 1);
}

/* Words that begin an expression of their own. *known is false when the word does not. */
static struct ast_expr *parse_word(struct parser *p, bool *known)
{
    *known = true;
    switch ((enum sql_keyword)parse_peek(p, 0)->keyword) {
    case SQL_KW_NULL:
        return leaf(p, AST_NULL);
    case SQL_KW_TRUE:
        return parse_bool(p, true);
    case SQL_KW_FALSE:
        return parse_bool(p, false);
    case SQL_KW_CASE:
        return parse_case(p);
    case SQL_KW_EXISTS:
        return parse_exists(p);
    case SQL_KW_EXTRACT:
        return parse_extract(p);
    case SQL_KW_CURRENT_DATE:
    case SQL_KW_CURRENT_TIME:
    case SQL_KW_CURRENT_TIMESTAMP:
    case SQL_KW_LOCALTIME:
    case SQL_KW_LOCALTIMESTAMP:
    case SQL_KW_CURRENT_USER:
        return parse_current(p);
    case SQL_KW_CAST:
        return parse_is_symbol(p, 1, '(') ? parse_cast(p) : parse_unexpected(p);
    case SQL_KW_TRY_CAST:
        if (parse_is_symbol(p, 1, '('))
            return parse_cast(p);
        break;
    case SQL_KW_POSITION:
        if (parse_is_symbol(p, 1, '('))
            return parse_position(p);
        break;
    case SQL_KW_ARRAY:
        if (parse_is_symbol(p, 1, '['))
            return parse_array(p);
        break;
    case SQL_KW_INTERVAL:
        if (is_string(p, 1) ||
            ((parse_is_symbol(p, 1, '-') || parse_is_symbol(p, 1, '+')) && is_string(p, 2)))
            return parse_interval(p);
        break;
    case SQL_KW_GROUPING:
    case SQL_KW_NORMALIZE: {
        struct ast_name name = {sql_token_text(p->cx, parse_peek(p, 0)), parse_peek(p, 0)->pos};
        p->at++;
        return parse_is_symbol(p, 0, '(') ? parse_call(p, name) : parse_unexpected(p);
    }
    default:
        break;
    }
    *known = false;
    return NULL;
}

/* literal | name | call | ( ... ) | CASE ... | ... */
static struct ast_expr *parse_start(struct parser *p)
{
    bool known;
    struct ast_name name;
    switch ((enum sql_token_kind)parse_peek(p, 0)->kind) {
    case SQL_TOK_INTEGER:
        return parse_integer(p);
    case SQL_TOK_DECIMAL:
        return parse_decimal(p);
    case SQL_TOK_DURATION:
        return parse_duration(p);
    case SQL_TOK_STRING:
    case SQL_TOK_UNICODE:
        return parse_text(p);
    case SQL_TOK_PARAM: {
        struct mr_str text = sql_token_value(p->cx, parse_peek(p, 0));
        struct ast_expr *e = leaf(p, AST_PARAM);
        if (e != NULL)
            e->text = text;
        return e;
    }
    case SQL_TOK_SYMBOL:
        return parse_is_symbol(p, 0, '(') ? parse_parens(p) : parse_unexpected(p);
    case SQL_TOK_WORD: {
        struct ast_expr *e = parse_word(p, &known);
        if (known)
            return e;
        if (typed_ahead(p))
            return parse_typed(p);
        break;
    }
    default:
        break;
    }
    if (parse_is_name(p, 0) && parse_is_symbol(p, 1, SQL_SYM_ARROW))
        return parse_lambda(p, false);
    size_t pos = parse_peek(p, 0)->pos;
    if (!parse_name(p, &name))
        return NULL;
    if (parse_is_symbol(p, 0, '('))
        return parse_call(p, name);
    struct ast_expr *e = parse_node(p, AST_NAME, pos, pos);
    if (e == NULL)
        return NULL;
    e->text = name.text;
    return parse_done(p, e);
}

/* start ['.' name | '[' expr ']' ...] */
struct ast_expr *parse_primary(struct parser *p)
{
    size_t from = parse_peek(p, 0)->pos; /* e may begin inside of parentheses */
    struct ast_expr *e = parse_start(p);
    while (e != NULL && (parse_is_symbol(p, 0, '.') || parse_is_symbol(p, 0, '['))) {
        bool field = parse_is_symbol(p, 0, '.');
        struct ast_expr *outer = parse_node(p, field ? AST_FIELD : AST_SUBSCRIPT, from, from);
        struct ast_name name;
        if (outer == NULL)
            return NULL;
        p->at++;
        outer->a = e;
        if (field) {
            if (!parse_name(p, &name))
                return NULL;
            outer->text = name.text;
        } else if ((outer->b = parse_expr(p)) == NULL || !parse_need_symbol(p, ']')) {
            return NULL;
        }
        e = parse_done(p, outer);
    }
    return e;
}
