/* sql/parse_call.c - function calls with all that may hang on them: DISTINCT, ORDER BY, FILTER, OVER. */
#include "sql/parse.h"

/* UNBOUNDED (PRECEDING | FOLLOWING) | CURRENT ROW | expr (PRECEDING | FOLLOWING) */
static bool parse_bound(struct parser *p, enum ast_bound *bound, struct ast_expr **expr)
{
    if (parse_is(p, 0, SQL_KW_UNBOUNDED) &&
        (parse_is(p, 1, SQL_KW_PRECEDING) || parse_is(p, 1, SQL_KW_FOLLOWING))) {
        *bound = parse_is(p, 1, SQL_KW_PRECEDING) ? AST_UNBOUNDED_PRECEDING : AST_UNBOUNDED_FOLLOWING;
        p->at += 2;
        return true;
    }
    if (parse_is(p, 0, SQL_KW_CURRENT) && parse_is(p, 1, SQL_KW_ROW)) {
        *bound = AST_CURRENT_ROW;
        p->at += 2;
        return true;
    }
    *expr = parse_expr(p);
    if (*expr == NULL)
        return false;
    *bound = parse_is(p, 0, SQL_KW_PRECEDING) ? AST_PRECEDING : AST_FOLLOWING;
    return parse_take(p, SQL_KW_PRECEDING) || parse_need(p, SQL_KW_FOLLOWING);
}

/* (ROWS | RANGE) (bound | BETWEEN bound AND bound) */
static bool parse_frame(struct parser *p, struct ast_window *w)
{
    w->framed = true;
    w->rows = parse_is(p, 0, SQL_KW_ROWS);
    w->to = AST_CURRENT_ROW;
    p->at++;
    if (!parse_take(p, SQL_KW_BETWEEN))
        return parse_bound(p, &w->from, &w->from_expr);
    return parse_bound(p, &w->from, &w->from_expr) && parse_need(p, SQL_KW_AND) &&
           parse_bound(p, &w->to, &w->to_expr);
}

/* OVER ( [PARTITION BY expr, ...] [ORDER BY ...] [frame] ) */
static struct ast_window *parse_over(struct parser *p)
{
    struct ast_window *w = SQL_NEW(p->cx, struct ast_window);
    struct sql_list items = {NULL, 0, 0};
    if (w == NULL)
        return NULL;
    w->pos = parse_peek(p, 0)->pos;
    p->at++;
    if (!parse_need_symbol(p, '('))
        return NULL;
    if (parse_take(p, SQL_KW_PARTITION) && (!parse_need(p, SQL_KW_BY) || !parse_expr_list(p, &items)))
        return NULL;
    w->partition = (struct ast_expr **)items.items;
    w->npartition = items.n;
    if (parse_is(p, 0, SQL_KW_ORDER) && !parse_order_by(p, &w->order, &w->norder))
        return NULL;
    if ((parse_is(p, 0, SQL_KW_ROWS) || parse_is(p, 0, SQL_KW_RANGE)) && !parse_frame(p, w))
        return NULL;
    return parse_need_symbol(p, ')') ? w : NULL;
}

/* ( [* | [DISTINCT | ALL] expr [, ...] [ORDER BY ...]] ) */
static bool parse_arguments(struct parser *p, struct ast_expr *e)
{
    struct sql_list items = {NULL, 0, 0};
    p->at++;
    if (parse_is_symbol(p, 0, '*') && parse_is_symbol(p, 1, ')')) {
        e->call->star = true;
        p->at += 2;
        return true;
    }
    if (parse_take_symbol(p, ')'))
        return true;
    e->call->distinct = parse_take(p, SQL_KW_DISTINCT);
    if (!e->call->distinct && parse_is(p, 0, SQL_KW_ALL) && !parse_is_symbol(p, 1, ',') &&
        !parse_is_symbol(p, 1, ')'))
        p->at++;
    if (!parse_expr_list(p, &items))
        return false;
    e->items = (struct ast_expr **)items.items;
    e->nitems = items.n;
    if (parse_is(p, 0, SQL_KW_ORDER) && !parse_order_by(p, &e->call->order, &e->call->norder))
        return false;
    return parse_need_symbol(p, ')');
}

static void deepen(struct ast_expr *e)
{
    const struct ast_call *c = e->call;
    parse_under(e, c->filter);
    for (size_t i = 0; i < c->norder; i++)
        parse_under(e, c->order[i]->expr);
    if (c->over == NULL)
        return;
    for (size_t i = 0; i < c->over->norder; i++)
        parse_under(e, c->over->order[i]->expr);
    for (size_t i = 0; i < c->over->npartition; i++)
        parse_under(e, c->over->partition[i]);
    parse_under(e, c->over->from_expr);
    parse_under(e, c->over->to_expr);
}

/* name arguments [FILTER ( WHERE expr )] [(IGNORE | RESPECT) NULLS] [OVER window]; ROW(...) becomes a row */
struct ast_expr *parse_call(struct parser *p, struct ast_name name)
{
    struct ast_expr *e = parse_node(p, AST_CALL, name.pos, name.pos);
    if (e == NULL || (e->call = SQL_NEW(p->cx, struct ast_call)) == NULL)
        return NULL;
    e->text = name.text;
    if (!parse_enter(p))
        return NULL;
    bool ok = parse_arguments(p, e);
    if (ok && mr_str_ieq(name.text, MR_STR("row")) && e->nitems > 0 && !e->call->distinct &&
        e->call->norder == 0)
        e->kind = AST_ROW;
    if (ok && parse_is(p, 0, SQL_KW_FILTER) && parse_is_symbol(p, 1, '(') && parse_is(p, 2, SQL_KW_WHERE)) {
        p->at += 3;
        ok = (e->call->filter = parse_expr(p)) != NULL && parse_need_symbol(p, ')');
    }
    if (ok && parse_is(p, 1, SQL_KW_NULLS) &&
        (parse_is(p, 0, SQL_KW_IGNORE) || parse_is(p, 0, SQL_KW_RESPECT))) {
        e->call->ignore_nulls = parse_is(p, 0, SQL_KW_IGNORE);
        p->at += 2;
    }
    if (ok && parse_is(p, 0, SQL_KW_OVER) && parse_is_symbol(p, 1, '('))
        ok = (e->call->over = parse_over(p)) != NULL;
    parse_leave(p);
    if (!ok)
        return NULL;
    deepen(e);
    return parse_done(p, e);
}
