/* sql/parse_relation.c - FROM: tables, derived tables, UNNEST, joins and aliases. */
#include "sql/parse.h"

static struct ast_relation *new_relation(struct parser *p, enum ast_relation_kind kind)
{
    struct ast_relation *r = SQL_NEW(p->cx, struct ast_relation);
    if (r != NULL) {
        r->kind = kind;
        r->pos = parse_peek(p, 0)->pos;
    }
    return r;
}

/* A non-reserved word is an alias, unless what follows shows that it begins a clause. */
static bool alias_ahead(const struct parser *p)
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
    if (parse_is(p, 0, SQL_KW_TABLESAMPLE))
        return false;
    return true;
}

/* [[AS] name [( name, ... )]] */
static bool parse_alias(struct parser *p, struct ast_relation *r)
{
    struct sql_list columns = {NULL, 0, 0};
    struct ast_name name;
    bool as = parse_take(p, SQL_KW_AS);
    if (!as && !alias_ahead(p))
        return true;
    if (!parse_name(p, &name))
        return false;
    r->alias = name.text;
    r->alias_pos = name.pos;
    if (parse_is_symbol(p, 0, '(') && !parse_name_list(p, &columns))
        return false;
    r->columns = (struct ast_name **)columns.items;
    r->ncolumns = columns.n;
    return true;
}

/* UNNEST ( expr [, ...] ) [WITH ORDINALITY] */
static struct ast_relation *parse_unnest(struct parser *p)
{
    struct ast_relation *r = new_relation(p, AST_UNNEST);
    struct sql_list args = {NULL, 0, 0};
    if (r == NULL)
        return NULL;
    p->at++;
    if (!parse_need_symbol(p, '(') || !parse_expr_list(p, &args) || !parse_need_symbol(p, ')'))
        return NULL;
    r->args = (struct ast_expr **)args.items;
    r->nargs = args.n;
    if (parse_is(p, 0, SQL_KW_WITH) && parse_is(p, 1, SQL_KW_ORDINALITY)) {
        p->at += 2;
        r->ordinality = true;
    }
    return r;
}

static struct ast_relation *derived(struct parser *p, struct ast_relation *r, struct ast_query *query)
{
    r->query = query;
    return query != NULL && parse_need_symbol(p, ')') ? r : NULL;
}

static struct ast_relation *parse_joined(struct parser *p);
static struct ast_relation *join_rest(struct parser *p, struct ast_relation *left);
static struct ast_relation *parse_item(struct parser *p);

/* ( query ) | ( relation ): several parentheses may open before it is clear which */
static struct ast_relation *parse_paren_relation(struct parser *p)
{
    struct ast_relation *r = new_relation(p, AST_DERIVED);
    if (r == NULL)
        return NULL;
    p->at++;
    if (parse_starts_query(p, 0))
        return derived(p, r, parse_query(p));
    struct ast_relation *inner = parse_item(p);
    if (inner == NULL)
        return NULL;
    if (inner->kind == AST_DERIVED && inner->alias.ptr == NULL && !inner->lateral && parse_continues_query(p))
        return derived(p, r, parse_query_rest(p, inner->query));
    inner = join_rest(p, inner);
    return inner != NULL && parse_need_symbol(p, ')') ? inner : NULL;
}

/* table | ( ... ) | LATERAL ( query ) | UNNEST ( ... ), with an alias */
static struct ast_relation *parse_item(struct parser *p)
{
    struct ast_relation *r = NULL;
    if (!parse_enter(p))
        return NULL;
    if (parse_is_symbol(p, 0, '(')) {
        r = parse_paren_relation(p);
    } else if (parse_is(p, 0, SQL_KW_UNNEST)) {
        r = parse_unnest(p);
    } else if (parse_is(p, 0, SQL_KW_LATERAL) && parse_is_symbol(p, 1, '(')) {
        r = new_relation(p, AST_DERIVED);
        p->at += 2;
        if (r != NULL) {
            r->lateral = true;
            r = derived(p, r, parse_query(p));
        }
    } else {
        r = new_relation(p, AST_TABLE);
        if (r != NULL && !parse_qualified(p, 3, &r->parts, &r->nparts))
            r = NULL;
    }
    parse_leave(p);
    if (r == NULL)
        return NULL;
    if (r->kind == AST_JOIN || r->alias.ptr != NULL)
        return parse_is(p, 0, SQL_KW_AS) || alias_ahead(p) ? parse_unexpected(p) : r;
    if (!parse_alias(p, r))
        return NULL;
    if (parse_is(p, 0, SQL_KW_TABLESAMPLE))
        return parse_unexpected(p);
    return r;
}

/* ON expr | USING ( name, ... ) */
static bool parse_join_condition(struct parser *p, struct ast_relation *join)
{
    struct sql_list names = {NULL, 0, 0};
    if (parse_take(p, SQL_KW_ON))
        return (join->on = parse_expr(p)) != NULL;
    if (!parse_need(p, SQL_KW_USING) || !parse_name_list(p, &names))
        return false;
    join->using_names = (struct ast_name **)names.items;
    join->nusing = names.n;
    return true;
}

/* [CROSS | INNER | (LEFT | RIGHT | FULL) [OUTER]] JOIN; false when no join follows. NATURAL is refused. */
static bool take_join(struct parser *p, enum ast_join *kind)
{
    size_t ahead = 1;
    if (parse_is(p, 0, SQL_KW_JOIN)) {
        *kind = AST_INNER;
        ahead = 0;
    } else if (parse_is(p, 0, SQL_KW_CROSS)) {
        *kind = AST_CROSS;
    } else if (parse_is(p, 0, SQL_KW_INNER)) {
        *kind = AST_INNER;
    } else if (parse_is(p, 0, SQL_KW_LEFT) || parse_is(p, 0, SQL_KW_RIGHT) || parse_is(p, 0, SQL_KW_FULL)) {
        *kind = parse_is(p, 0, SQL_KW_LEFT) ? AST_LEFT : parse_is(p, 0, SQL_KW_RIGHT) ? AST_RIGHT : AST_FULL;
        ahead += parse_is(p, 1, SQL_KW_OUTER);
    } else {
        return false;
    }
    p->at += ahead;
    return parse_need(p, SQL_KW_JOIN);
}

static struct ast_relation *new_join(struct parser *p, enum ast_join kind, struct ast_relation *left)
{
    struct ast_relation *join = new_relation(p, AST_JOIN);
    if (++p->cx->joins > SQL_MAX_JOINS) {
        sql_fail(p->cx, parse_peek(p, 0)->pos, "Query has more than %d joins", SQL_MAX_JOINS);
        return NULL;
    }
    if (join != NULL) {
        join->join = kind;
        join->left = left;
    }
    return join;
}

/* [join item condition ...]: a join may nest on the right before its ON */
static struct ast_relation *join_rest(struct parser *p, struct ast_relation *left)
{
    enum ast_join kind;
    while (left != NULL && take_join(p, &kind)) {
        struct ast_relation *join = new_join(p, kind, left);
        if (join == NULL || !parse_enter(p))
            return NULL;
        join->right = kind == AST_CROSS ? parse_item(p) : parse_joined(p);
        parse_leave(p);
        if (join->right == NULL || (kind != AST_CROSS && !parse_join_condition(p, join)))
            return NULL;
        left = join;
    }
    return p->cx->status == MR_OK ? left : NULL;
}

/* The right side of a join: an item, and joins whose conditions come before ours. Only a JOIN that is
 * followed by two conditions nests that way; it is told by what stands after the item. */
static struct ast_relation *parse_joined(struct parser *p)
{
    struct ast_relation *item = parse_item(p);
    if (item == NULL || parse_is(p, 0, SQL_KW_ON) || parse_is(p, 0, SQL_KW_USING))
        return item;
    return join_rest(p, item);
}

/* relation [, relation ...]; the comma is a cross join */
struct ast_relation *parse_from(struct parser *p)
{
    struct ast_relation *left = parse_item(p);
    left = left != NULL ? join_rest(p, left) : NULL;
    while (left != NULL && parse_take_symbol(p, ',')) {
        struct ast_relation *join = new_join(p, AST_CROSS, left);
        struct ast_relation *right = join != NULL ? parse_item(p) : NULL;
        right = right != NULL ? join_rest(p, right) : NULL;
        if (right == NULL)
            return NULL;
        join->right = right;
        left = join;
    }
    return left;
}
