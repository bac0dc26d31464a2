/* sql/parse_query.c - queries: WITH, SELECT, set operations, ORDER BY, LIMIT. */
#include "sql/parse.h"

bool parse_starts_query(const struct parser *p, size_t ahead)
{
    return parse_is(p, ahead, SQL_KW_SELECT) || parse_is(p, ahead, SQL_KW_WITH) ||
           parse_is(p, ahead, SQL_KW_VALUES) || parse_is(p, ahead, SQL_KW_TABLE);
}

bool parse_continues_query(const struct parser *p)
{
    return parse_is(p, 0, SQL_KW_UNION) || parse_is(p, 0, SQL_KW_EXCEPT) ||
           parse_is(p, 0, SQL_KW_INTERSECT) || parse_is(p, 0, SQL_KW_ORDER) || parse_is(p, 0, SQL_KW_LIMIT) ||
           parse_is(p, 0, SQL_KW_OFFSET) || parse_is(p, 0, SQL_KW_FETCH);
}

/* ORDER BY expr [ASC | DESC] [NULLS (FIRST | LAST)] [, ...] */
bool parse_order_by(struct parser *p, struct ast_order ***order, size_t *norder)
{
    struct sql_list items = {NULL, 0, 0};
    p->at++;
    if (!parse_need(p, SQL_KW_BY))
        return false;
    do {
        struct ast_order *o = SQL_NEW(p->cx, struct ast_order);
        if (o == NULL || (o->expr = parse_expr(p)) == NULL || !sql_push(p->cx, &items, o))
            return false;
        o->desc = parse_take(p, SQL_KW_DESC);
        if (!o->desc)
            parse_take(p, SQL_KW_ASC);
        if (parse_take(p, SQL_KW_NULLS)) {
            o->nulls_first = parse_take(p, SQL_KW_FIRST);
            if (!o->nulls_first && !parse_need(p, SQL_KW_LAST))
                return false;
        }
    } while (parse_take_symbol(p, ','));
    *order = (struct ast_order **)items.items;
    *norder = items.n;
    return true;
}

/* name . [name .] * lies ahead */
static size_t star_prefix(const struct parser *p)
{
    for (size_t n = 0; n < 3; n++) {
        if (parse_is_symbol(p, 2 * n, '*'))
            return n;
        if (!parse_is_name(p, 2 * n) || !parse_is_symbol(p, 2 * n + 1, '.'))
            break;
    }
    return SIZE_MAX;
}

/* Whether a bare word after an expression is its alias; see alias_ahead of relations for the clause words. */
static bool item_alias_ahead(const struct parser *p)
{
    if (!parse_is_name(p, 0))
        return false;
    const struct sql_token *next = parse_peek(p, 1);
    if (parse_is(p, 0, SQL_KW_LIMIT))
        return next->kind != SQL_TOK_INTEGER && !parse_is(p, 1, SQL_KW_ALL);
    if (parse_is(p, 0, SQL_KW_OFFSET))
        return next->kind != SQL_TOK_INTEGER;
    if (parse_is(p, 0, SQL_KW_FETCH))
        return !parse_is(p, 1, SQL_KW_FIRST) && !parse_is(p, 1, SQL_KW_NEXT);
    return true;
}

/* * | relation . * | expr [[AS] name] */
static struct ast_item *parse_select_item(struct parser *p)
{
    struct ast_item *item = SQL_NEW(p->cx, struct ast_item);
    struct sql_list prefix = {NULL, 0, 0};
    struct ast_name name;
    if (item == NULL)
        return NULL;
    item->pos = parse_peek(p, 0)->pos;
    size_t n = star_prefix(p);
    if (n != SIZE_MAX) {
        item->star = true;
        for (size_t i = 0; i < n; i++) {
            struct ast_name *part = parse_new_name(p);
            if (part == NULL || !sql_push(p->cx, &prefix, part))
                return NULL;
            p->at++; /* '.' */
        }
        item->prefix = (struct ast_name **)prefix.items;
        item->nprefix = n;
        p->at++;
        return item;
    }
    if ((item->expr = parse_expr(p)) == NULL)
        return NULL;
    if (parse_take(p, SQL_KW_AS) || item_alias_ahead(p)) {
        if (!parse_name(p, &name))
            return NULL;
        item->alias = name.text;
    }
    return item;
}

/* ( [expr, ...] ) | expr */
static struct ast_group_set *parse_group_set(struct parser *p)
{
    struct ast_group_set *set = SQL_NEW(p->cx, struct ast_group_set);
    struct sql_list items = {NULL, 0, 0};
    if (set == NULL)
        return NULL;
    if (parse_is_symbol(p, 0, '(') && parse_is_symbol(p, 1, ')')) {
        p->at += 2;
        return set;
    }
    struct ast_expr *e = parse_expr(p);
    if (e == NULL)
        return NULL;
    if (e->kind == AST_ROW && e->bare_row) { /* (a, b): a set of two */
        set->items = e->items;
        set->nitems = e->nitems;
        return set;
    }
    if (!sql_push(p->cx, &items, e))
        return NULL;
    set->items = (struct ast_expr **)items.items;
    set->nitems = 1;
    return set;
}

/* set | (CUBE | ROLLUP | GROUPING SETS) ( set, ... ) */
static struct ast_group *parse_group(struct parser *p)
{
    struct ast_group *g = SQL_NEW(p->cx, struct ast_group);
    struct sql_list sets = {NULL, 0, 0};
    if (g == NULL)
        return NULL;
    g->pos = parse_peek(p, 0)->pos;
    bool grouping = parse_is(p, 0, SQL_KW_GROUPING) && parse_is(p, 1, SQL_KW_SETS);
    g->kind = parse_is(p, 0, SQL_KW_CUBE)     ? AST_GROUP_CUBE
              : parse_is(p, 0, SQL_KW_ROLLUP) ? AST_GROUP_ROLLUP
              : grouping                      ? AST_GROUP_SETS
                                              : AST_GROUP_EXPR;
    if (g->kind != AST_GROUP_EXPR) {
        p->at += grouping ? 2 : 1;
        if (!parse_need_symbol(p, '('))
            return NULL;
    }
    do {
        struct ast_group_set *set = parse_group_set(p);
        if (set == NULL || !sql_push(p->cx, &sets, set))
            return NULL;
    } while (g->kind != AST_GROUP_EXPR && parse_take_symbol(p, ','));
    if (g->kind != AST_GROUP_EXPR && !parse_need_symbol(p, ')'))
        return NULL;
    g->sets = (struct ast_group_set **)sets.items;
    g->nsets = sets.n;
    return g;
}

/* GROUP BY [ALL | DISTINCT] element [, ...] */
static bool parse_group_by(struct parser *p, struct ast_select *s)
{
    struct sql_list groups = {NULL, 0, 0};
    if (!parse_need(p, SQL_KW_BY))
        return false;
    s->grouped = true;
    s->group_distinct = parse_take(p, SQL_KW_DISTINCT);
    if (!s->group_distinct && parse_is(p, 0, SQL_KW_ALL) && !parse_is_symbol(p, 1, ','))
        p->at++;
    do {
        struct ast_group *g = parse_group(p);
        if (g == NULL || !sql_push(p->cx, &groups, g))
            return false;
    } while (parse_take_symbol(p, ','));
    s->groups = (struct ast_group **)groups.items;
    s->ngroups = groups.n;
    return true;
}

/* SELECT [ALL | DISTINCT] item [, ...] [FROM ...] [WHERE expr] [GROUP BY ...] [HAVING expr] */
static struct ast_select *parse_select(struct parser *p)
{
    struct ast_select *s = SQL_NEW(p->cx, struct ast_select);
    struct sql_list items = {NULL, 0, 0};
    if (s == NULL)
        return NULL;
    s->pos = parse_peek(p, 0)->pos;
    p->at++;
    s->distinct = parse_take(p, SQL_KW_DISTINCT);
    if (!s->distinct && parse_is(p, 0, SQL_KW_ALL) && !parse_is_symbol(p, 1, ',') &&
        !parse_is(p, 1, SQL_KW_FROM))
        p->at++;
    do {
        struct ast_item *item = parse_select_item(p);
        if (item == NULL || !sql_push(p->cx, &items, item))
            return NULL;
        if (items.n > SQL_MAX_COLUMNS) {
            sql_fail(p->cx, item->pos, "Query selects more than %d columns", SQL_MAX_COLUMNS);
            return NULL;
        }
    } while (parse_take_symbol(p, ','));
    s->items = (struct ast_item **)items.items;
    s->nitems = items.n;
    if (parse_take(p, SQL_KW_FROM) && (s->from = parse_from(p)) == NULL)
        return NULL;
    if (parse_take(p, SQL_KW_WHERE) && (s->where = parse_expr(p)) == NULL)
        return NULL;
    if (parse_take(p, SQL_KW_GROUP) && !parse_group_by(p, s))
        return NULL;
    if (parse_take(p, SQL_KW_HAVING) && (s->having = parse_expr(p)) == NULL)
        return NULL;
    return s;
}

static struct ast_body *new_body(struct parser *p, enum ast_body_kind kind)
{
    struct ast_body *body = SQL_NEW(p->cx, struct ast_body);
    if (body != NULL) {
        body->kind = kind;
        body->pos = parse_peek(p, 0)->pos;
    }
    return body;
}

static struct ast_body *parenthesised(struct parser *p, struct ast_query *query)
{
    struct ast_body *body = query != NULL ? new_body(p, AST_QUERY) : NULL;
    if (body != NULL) {
        body->query = query;
        body->pos = query->pos;
    }
    return body;
}

/* TABLE name: SELECT * FROM name */
static struct ast_body *parse_table(struct parser *p)
{
    struct ast_body *body = new_body(p, AST_SELECT);
    struct ast_select *s = SQL_NEW(p->cx, struct ast_select);
    struct ast_item *star = SQL_NEW(p->cx, struct ast_item);
    struct sql_list items = {NULL, 0, 0};
    struct ast_relation *r = SQL_NEW(p->cx, struct ast_relation);
    if (body == NULL || s == NULL || star == NULL || r == NULL || !sql_push(p->cx, &items, star))
        return NULL;
    s->pos = star->pos = body->pos;
    star->star = true;
    s->items = (struct ast_item **)items.items;
    s->nitems = 1;
    p->at++;
    r->kind = AST_TABLE;
    r->pos = parse_peek(p, 0)->pos;
    if (!parse_qualified(p, 3, &r->parts, &r->nparts))
        return NULL;
    s->from = r;
    body->select = s;
    return body;
}

/* SELECT ... | VALUES row [, ...] | TABLE name | ( query ) */
static struct ast_body *parse_term(struct parser *p)
{
    struct sql_list rows = {NULL, 0, 0};
    if (++p->cx->branches > SQL_MAX_BRANCHES) {
        sql_fail(p->cx, parse_peek(p, 0)->pos, "Query has more than %d branches", SQL_MAX_BRANCHES);
        return NULL;
    }
    if (parse_is(p, 0, SQL_KW_SELECT)) {
        struct ast_body *body = new_body(p, AST_SELECT);
        return body != NULL && (body->select = parse_select(p)) != NULL ? body : NULL;
    }
    if (parse_is(p, 0, SQL_KW_VALUES)) {
        struct ast_body *body = new_body(p, AST_VALUES);
        p->at++;
        if (body == NULL || !parse_expr_list(p, &rows))
            return NULL;
        body->rows = (struct ast_expr **)rows.items;
        body->nrows = rows.n;
        return body;
    }
    if (parse_is(p, 0, SQL_KW_TABLE))
        return parse_table(p);
    if (!parse_need_symbol(p, '('))
        return NULL;
    struct ast_body *body = parenthesised(p, parse_query(p));
    return body != NULL && parse_need_symbol(p, ')') ? body : NULL;
}

static struct ast_body *set_operation(struct parser *p, enum ast_setop op, struct ast_body *left)
{
    struct ast_body *body = new_body(p, AST_SETOP);
    if (body == NULL)
        return NULL;
    body->op = op;
    body->left = left;
    p->at++;
    body->all = parse_take(p, SQL_KW_ALL);
    if (!body->all)
        parse_take(p, SQL_KW_DISTINCT);
    return body;
}

/* term [INTERSECT term ...]; `first` is a term already read, or NULL */
static struct ast_body *parse_intersect(struct parser *p, struct ast_body *first)
{
    struct ast_body *left = first != NULL ? first : parse_term(p);
    while (left != NULL && parse_is(p, 0, SQL_KW_INTERSECT)) {
        struct ast_body *body = set_operation(p, AST_INTERSECT, left);
        if (body == NULL || (body->right = parse_term(p)) == NULL)
            return NULL;
        left = body;
    }
    return left;
}

/* intersect [(UNION | EXCEPT) intersect ...] */
static struct ast_body *parse_union(struct parser *p, struct ast_body *first)
{
    struct ast_body *left = parse_intersect(p, first);
    while (left != NULL && (parse_is(p, 0, SQL_KW_UNION) || parse_is(p, 0, SQL_KW_EXCEPT))) {
        enum ast_setop op = parse_is(p, 0, SQL_KW_UNION) ? AST_UNION : AST_EXCEPT;
        struct ast_body *body = set_operation(p, op, left);
        if (body == NULL || (body->right = parse_intersect(p, NULL)) == NULL)
            return NULL;
        left = body;
    }
    return left;
}

bool parse_count(struct parser *p, int64_t *out)
{
    const struct sql_token *t = parse_peek(p, 0);
    if (t->kind != SQL_TOK_INTEGER)
        return parse_unexpected(p) != NULL;
    if (!mr_str_to_i64(sql_token_text(p->cx, t), out))
        return sql_fail(p->cx, t->pos, "Invalid numeric literal: " MR_STR_FMT,
                        MR_STR_ARG(sql_token_text(p->cx, t)));
    p->at++;
    return true;
}

/* FETCH (FIRST | NEXT) [n] (ROW | ROWS) (ONLY | WITH TIES) */
static bool parse_fetch(struct parser *p, struct ast_query *q)
{
    if (!parse_take(p, SQL_KW_FIRST) && !parse_need(p, SQL_KW_NEXT))
        return false;
    q->limit = 1;
    if (parse_peek(p, 0)->kind == SQL_TOK_INTEGER && !parse_count(p, &q->limit))
        return false;
    if (!parse_take(p, SQL_KW_ROW) && !parse_need(p, SQL_KW_ROWS))
        return false;
    if (!parse_take(p, SQL_KW_WITH))
        return parse_need(p, SQL_KW_ONLY);
    q->with_ties = true;
    return parse_need(p, SQL_KW_TIES);
}

/* [ORDER BY ...] [OFFSET n [ROW | ROWS]] [LIMIT (n | ALL) | FETCH ...] */
static bool parse_tail(struct parser *p, struct ast_query *q)
{
    if (parse_is(p, 0, SQL_KW_ORDER) && !parse_order_by(p, &q->order, &q->norder))
        return false;
    bool limited = false;
    for (int i = 0; i < 2; i++) { /* OFFSET stands before LIMIT in the ancestor, after it everywhere else */
        if (q->offset < 0 && parse_take(p, SQL_KW_OFFSET)) {
            if (!parse_count(p, &q->offset))
                return false;
            if (!parse_take(p, SQL_KW_ROW))
                parse_take(p, SQL_KW_ROWS);
        } else if (!limited && parse_take(p, SQL_KW_LIMIT)) {
            limited = true;
            if (!parse_take(p, SQL_KW_ALL) && !parse_count(p, &q->limit))
                return false;
        } else if (!limited && parse_take(p, SQL_KW_FETCH)) {
            limited = true;
            if (!parse_fetch(p, q))
                return false;
        }
    }
    return true;
}

/* WITH name [( columns )] AS ( query ) [, ...] */
static bool parse_with(struct parser *p, struct ast_query *q)
{
    struct sql_list items = {NULL, 0, 0};
    if (parse_is(p, 0, SQL_KW_RECURSIVE))
        return sql_fail(p->cx, parse_peek(p, 0)->pos, "Recursive WITH queries are not supported");
    do {
        struct ast_with *w = SQL_NEW(p->cx, struct ast_with);
        struct sql_list columns = {NULL, 0, 0};
        struct ast_name name;
        if (w == NULL || !parse_name(p, &name))
            return false;
        w->name = name.text;
        w->pos = name.pos;
        if (parse_is_symbol(p, 0, '(') && !parse_name_list(p, &columns))
            return false;
        w->columns = (struct ast_name **)columns.items;
        w->ncolumns = columns.n;
        if (!parse_need(p, SQL_KW_AS) || !parse_need_symbol(p, '(') || (w->query = parse_query(p)) == NULL ||
            !parse_need_symbol(p, ')') || !sql_push(p->cx, &items, w))
            return false;
    } while (parse_take_symbol(p, ','));
    q->with = (struct ast_with **)items.items;
    q->nwith = items.n;
    return true;
}

/* [WITH ...] union tail */
static struct ast_query *query_body(struct parser *p, struct ast_query *first)
{
    struct ast_query *q = SQL_NEW(p->cx, struct ast_query);
    unsigned outer = p->height;
    if (q == NULL || !parse_enter(p))
        return NULL;
    q->pos = q->start = first != NULL ? first->start : parse_peek(p, 0)->pos;
    q->limit = q->offset = -1;
    p->height = first != NULL ? first->depth : 0;
    bool ok = first != NULL || !parse_take(p, SQL_KW_WITH) || parse_with(p, q);
    if (ok) {
        struct ast_body *term = first != NULL ? parenthesised(p, first) : NULL;
        ok = (first == NULL || term != NULL) && (q->body = parse_union(p, term)) != NULL && parse_tail(p, q);
    }
    parse_leave(p);
    q->end = (uint32_t)parse_end(p);
    q->depth = p->height + 1;
    if (ok && q->depth > SQL_MAX_NESTING)
        ok = sql_fail(p->cx, q->pos, "Query is nested deeper than %d levels", SQL_MAX_NESTING);
    p->height = outer > q->depth ? outer : q->depth;
    return ok ? q : NULL;
}

struct ast_query *parse_query(struct parser *p)
{
    return query_body(p, NULL);
}

struct ast_query *parse_query_rest(struct parser *p, struct ast_query *first)
{
    return query_body(p, first);
}
