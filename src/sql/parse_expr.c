/* sql/parse_expr.c - operators, loosest first (query-language reference 5.1). */
#include "sql/parse.h"

struct ast_expr *parse_node(struct parser *p, enum ast_kind kind, size_t start, size_t pos)
{
    if (++p->cx->nodes > SQL_MAX_NODES) {
        sql_fail(p->cx, pos, "Query has more than %d expressions", SQL_MAX_NODES);
        return NULL;
    }
    struct ast_expr *e = SQL_NEW(p->cx, struct ast_expr);
    if (e == NULL)
        return NULL;
    e->kind = (uint8_t)kind;
    e->start = (uint32_t)start;
    e->pos = (uint32_t)pos;
    return e;
}

void parse_under(struct ast_expr *e, const struct ast_expr *child)
{
    if (child != NULL && child->depth > e->depth)
        e->depth = child->depth;
}

struct ast_expr *parse_done(struct parser *p, struct ast_expr *e)
{
    parse_under(e, e->a);
    parse_under(e, e->b);
    parse_under(e, e->c);
    for (size_t i = 0; i < e->nitems; i++)
        parse_under(e, e->items[i]);
    if (e->query != NULL && e->query->depth > e->depth)
        e->depth = (uint8_t)e->query->depth;
    if (e->depth >= SQL_MAX_NESTING) {
        sql_fail(p->cx, e->pos, "Query is nested deeper than %d levels", SQL_MAX_NESTING);
        return NULL;
    }
    e->depth++;
    if (e->depth > p->height)
        p->height = e->depth;
    e->end = (uint32_t)parse_end(p);
    return e;
}

bool parse_expr_list(struct parser *p, struct sql_list *out)
{
    do {
        struct ast_expr *e = parse_expr(p);
        if (e == NULL || !sql_push(p->cx, out, e))
            return false;
    } while (parse_take_symbol(p, ','));
    return true;
}

static struct ast_expr *binary(struct parser *p, enum ast_kind kind, uint8_t op, size_t pos,
                               struct ast_expr *a, struct ast_expr *b)
{
    struct ast_expr *e = b != NULL ? parse_node(p, kind, a->start, pos) : NULL;
    if (e == NULL)
        return NULL;
    e->op = op;
    e->a = a;
    e->b = b;
    return parse_done(p, e);
}

/* The smallest bigint, whose digits alone are none: the token after a minus, NULL when it is another. */
static struct ast_expr *parse_smallest(struct parser *p, size_t pos)
{
    const struct sql_token *t = parse_peek(p, 0);
    if (t->kind != SQL_TOK_INTEGER || !mr_str_eq(sql_token_text(p->cx, t), MR_STR("9223372036854775808")))
        return NULL;
    struct ast_expr *e = parse_node(p, AST_INTEGER, pos, pos);
    p->at++;
    if (e == NULL)
        return NULL;
    e->i64 = INT64_MIN;
    return parse_done(p, e);
}

/* [('-' | '+')] unary | primary */
static struct ast_expr *parse_unary(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    if (parse_take_symbol(p, '+') || parse_is_symbol(p, 0, '-')) {
        bool minus = parse_take_symbol(p, '-');
        if (!parse_enter(p))
            return NULL;
        struct ast_expr *smallest = minus ? parse_smallest(p, pos) : NULL;
        struct ast_expr *a = smallest == NULL && p->cx->status == MR_OK ? parse_unary(p) : NULL;
        parse_leave(p);
        if (smallest != NULL)
            return smallest;
        struct ast_expr *e = a != NULL ? parse_node(p, AST_NEGATE, pos, pos) : NULL;
        if (e == NULL)
            return NULL;
        e->op = minus ? '-' : '+';
        e->a = a;
        return parse_done(p, e);
    }
    return parse_primary(p);
}

/* unary [('*' | '/' | '%') unary ...] */
static struct ast_expr *parse_product(struct parser *p)
{
    struct ast_expr *a = parse_unary(p);
    while (a != NULL &&
           (parse_is_symbol(p, 0, '*') || parse_is_symbol(p, 0, '/') || parse_is_symbol(p, 0, '%'))) {
        const struct sql_token *t = parse_peek(p, 0);
        p->at++;
        a = binary(p, AST_ARITH, (uint8_t)t->symbol, t->pos, a, parse_unary(p));
    }
    return a;
}

/* product [('+' | '-') product ...] */
static struct ast_expr *parse_sum(struct parser *p)
{
    struct ast_expr *a = parse_product(p);
    while (a != NULL && (parse_is_symbol(p, 0, '+') || parse_is_symbol(p, 0, '-'))) {
        const struct sql_token *t = parse_peek(p, 0);
        p->at++;
        a = binary(p, AST_ARITH, (uint8_t)t->symbol, t->pos, a, parse_product(p));
    }
    return a;
}

/* first [separator next ...] as one node with all operands */
static struct ast_expr *chain(struct parser *p, enum ast_kind kind, struct ast_expr *(*next)(struct parser *),
                              bool (*separator)(struct parser *))
{
    struct sql_list items = {NULL, 0, 0};
    size_t start = parse_peek(p, 0)->pos;
    struct ast_expr *a = next(p);
    size_t pos = parse_peek(p, 0)->pos;
    if (a == NULL || !separator(p))
        return a;
    if (!sql_push(p->cx, &items, a))
        return NULL;
    do {
        a = next(p);
        if (a == NULL || !sql_push(p->cx, &items, a))
            return NULL;
    } while (separator(p));
    struct ast_expr *e = parse_node(p, kind, start, pos);
    if (e == NULL)
        return NULL;
    e->items = (struct ast_expr **)items.items;
    e->nitems = items.n;
    return parse_done(p, e);
}

static bool take_concat(struct parser *p)
{
    return parse_take_symbol(p, SQL_SYM_CONCAT);
}

/* sum ['||' sum ...] */
struct ast_expr *parse_value(struct parser *p)
{
    return chain(p, AST_CONCAT, parse_sum, take_concat);
}

static bool compare_op(const struct parser *p, uint8_t *op)
{
    static const struct {
        unsigned symbol;
        enum ast_compare op;
    } ops[] = {{'=', AST_EQ},        {SQL_SYM_NE, AST_NE}, {'<', AST_LT},
               {SQL_SYM_LE, AST_LE}, {'>', AST_GT},        {SQL_SYM_GE, AST_GE}};
    for (size_t i = 0; i < MR_ARRAY_LEN(ops); i++) {
        if (parse_is_symbol(p, 0, ops[i].symbol)) {
            *op = (uint8_t)ops[i].op;
            return true;
        }
    }
    return false;
}

/* op value | op (ALL | ANY | SOME) ( query ) */
static struct ast_expr *parse_comparison(struct parser *p, struct ast_expr *a, uint8_t op)
{
    size_t pos = parse_peek(p, 0)->pos;
    p->at++;
    bool all = parse_is(p, 0, SQL_KW_ALL);
    bool quantified = all || parse_is(p, 0, SQL_KW_ANY) || parse_is(p, 0, SQL_KW_SOME);
    if (!quantified || !parse_is_symbol(p, 1, '('))
        return binary(p, AST_COMPARE, op, pos, a, parse_value(p));
    p->at += 2;
    struct ast_expr *e = parse_node(p, AST_QUANTIFIED, a->start, pos);
    if (e == NULL)
        return NULL;
    e->op = op;
    e->all = all;
    e->a = a;
    e->query = parse_query(p);
    return e->query != NULL && parse_need_symbol(p, ')') ? parse_done(p, e) : NULL;
}

/* ( query ) | ( expr [, ...] ) */
static struct ast_expr *parse_in(struct parser *p, struct ast_expr *e)
{
    struct sql_list items = {NULL, 0, 0};
    if (!parse_need_symbol(p, '('))
        return NULL;
    if (parse_starts_query(p, 0)) {
        e->query = parse_query(p);
    } else {
        struct ast_expr *first = parse_expr(p);
        if (first == NULL || !sql_push(p->cx, &items, first))
            return NULL;
        if (first->kind == AST_SUBQUERY && parse_continues_query(p)) {
            e->query = parse_query_rest(p, first->query);
        } else if (parse_take_symbol(p, ',') && !parse_expr_list(p, &items)) {
            return NULL;
        }
    }
    if (p->cx->status != MR_OK || !parse_need_symbol(p, ')'))
        return NULL;
    e->kind = e->query != NULL ? AST_IN_QUERY : AST_IN_LIST;
    if (e->query == NULL) {
        e->items = (struct ast_expr **)items.items;
        e->nitems = items.n;
    }
    return parse_done(p, e);
}

/* IS [NOT] (NULL | DISTINCT FROM value) */
static struct ast_expr *parse_is_test(struct parser *p, struct ast_expr *e)
{
    e->negated = parse_take(p, SQL_KW_NOT);
    e->kind = AST_IS_NULL;
    if (parse_take(p, SQL_KW_DISTINCT)) {
        e->kind = AST_DISTINCT;
        if (!parse_need(p, SQL_KW_FROM) || (e->b = parse_value(p)) == NULL)
            return NULL;
        return parse_done(p, e);
    }
    return parse_need(p, SQL_KW_NULL) ? parse_done(p, e) : NULL;
}

/* value [comparison | IS test | [NOT] (BETWEEN value AND value | IN in | LIKE value [ESCAPE value])] */
static struct ast_expr *parse_predicate(struct parser *p)
{
    struct ast_expr *a = parse_value(p);
    uint8_t op;
    if (a == NULL)
        return NULL;
    if (compare_op(p, &op))
        return parse_comparison(p, a, op);
    size_t pos = parse_peek(p, 0)->pos;
    bool negated = parse_is(p, 0, SQL_KW_NOT);
    size_t ahead = negated ? 1 : 0;
    bool is = !negated && parse_is(p, 0, SQL_KW_IS), between = parse_is(p, ahead, SQL_KW_BETWEEN),
         in = parse_is(p, ahead, SQL_KW_IN), like = parse_is(p, ahead, SQL_KW_LIKE);
    if (!is && !between && !in && !like)
        return a;
    p->at += ahead + 1;
    struct ast_expr *e = parse_node(p, AST_BETWEEN, a->start, pos);
    if (e == NULL)
        return NULL;
    e->a = a;
    e->negated = negated;
    if (is)
        return parse_is_test(p, e);
    if (in)
        return parse_in(p, e);
    e->b = parse_value(p);
    if (e->b == NULL)
        return NULL;
    if (between && (!parse_need(p, SQL_KW_AND) || (e->c = parse_value(p)) == NULL))
        return NULL;
    if (like)
        e->kind = AST_LIKE;
    if (like && parse_take(p, SQL_KW_ESCAPE) && (e->c = parse_value(p)) == NULL)
        return NULL;
    return parse_done(p, e);
}

/* [NOT] not | predicate */
static struct ast_expr *parse_not(struct parser *p)
{
    size_t pos = parse_peek(p, 0)->pos;
    if (!parse_take(p, SQL_KW_NOT))
        return parse_predicate(p);
    if (!parse_enter(p))
        return NULL;
    struct ast_expr *a = parse_not(p);
    parse_leave(p);
    struct ast_expr *e = a != NULL ? parse_node(p, AST_NOT, pos, pos) : NULL;
    if (e == NULL)
        return NULL;
    e->a = a;
    return parse_done(p, e);
}

static bool take_and(struct parser *p)
{
    return parse_take(p, SQL_KW_AND);
}

static bool take_or(struct parser *p)
{
    return parse_take(p, SQL_KW_OR);
}

/* not [AND not ...] */
static struct ast_expr *parse_and(struct parser *p)
{
    return chain(p, AST_AND, parse_not, take_and);
}

/* and [OR and ...] */
struct ast_expr *parse_expr(struct parser *p)
{
    if (!parse_enter(p))
        return NULL;
    struct ast_expr *e = chain(p, AST_OR, parse_and, take_or);
    parse_leave(p);
    return e;
}
