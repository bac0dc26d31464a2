/* sql/check_outer.c - joins that the engine does not do as they are written.
 *
 * Its outer joins take no condition with a relation beside them that uses their columns (UNNEST, LATERAL),
 * nor one with a subquery that uses columns of both sides. Then
 *
 *     l LEFT JOIN r ON condition  becomes  l LEFT JOIN LATERAL (SELECT * FROM r WHERE condition) ON true
 *
 * and a RIGHT JOIN its mirror image. This happens right after the condition was checked: nothing but the
 * fields of the scope knows the columns of r yet.
 */
#include "sql/bound.h"

struct uses {
    const struct bound_relation *of;
    bool everywhere; /* else in subqueries and what is compared with them */
    bool found;
};

static bool find_use(void *ctx, struct bound_expr **slot)
{
    struct uses *u = ctx;
    struct bound_expr *e = *slot;
    if (e->kind == BOUND_COLUMN && u->everywhere && relation_holds(u->of, e->relation))
        u->found = true;
    bool before = u->everywhere;
    u->everywhere = before || e->query != NULL;
    bool ok = (e->query == NULL || bound_query_walk(e->query, find_use, u)) && bound_children(e, find_use, u);
    u->everywhere = before;
    return ok;
}

/* Whether r, which stands beside `of`, uses its columns. */
static bool is_beside(struct bound_relation *r, const struct bound_relation *of)
{
    struct uses u = {of, true, false};
    bound_relation_walk(r, find_use, &u);
    return u.found;
}

static bool has_query_over(struct bound_expr *on, const struct bound_relation *of)
{
    struct uses u = {of, false, false};
    find_use(&u, &on);
    return u.found;
}

/* ---- a side becomes a query ---- */

struct inward {
    struct sql_context *cx;
    const struct bound_relation *side;
    struct bound_relation *level;
    struct sql_list outputs; /* of struct bound_expr */
};

static bool move_inward(void *ctx, struct bound_expr **slot)
{
    struct inward *in = ctx;
    struct bound_expr *e = *slot;
    if (e->kind != BOUND_COLUMN || !relation_holds(in->side, e->relation))
        return bound_children(e, move_inward, in);
    size_t i = 0;
    while (i < in->outputs.n && !bound_equal(in->outputs.items[i], e))
        i++;
    if (i == in->outputs.n && !sql_push(in->cx, &in->outputs, e))
        return false;
    struct bound_expr *column = bound_new(in->cx, BOUND_COLUMN, e->pos, e->type, 0);
    if (column == NULL)
        return false;
    column->relation = in->level;
    column->index = i;
    *slot = column;
    return true;
}

/* The side as (SELECT columns FROM side WHERE condition); the fields from `from` on name its columns. */
static struct bound_relation *side_query(struct sql_context *cx, struct scope *scope, size_t from,
                                         struct bound_relation *side, struct bound_expr *on)
{
    struct inward in = {cx, side, SQL_NEW(cx, struct bound_relation), {NULL, 0, 0}};
    if (in.level == NULL)
        return NULL;
    for (size_t i = from; i < scope->nfields; i++) {
        struct bound_expr **slot = &scope->fields[i].expr;
        if ((*slot = bound_copy(cx, *slot)) == NULL || !move_inward(&in, slot))
            return NULL;
    }
    size_t n = in.outputs.n;
    struct bound_query *q = bound_new_query(cx, BOUND_SELECT, on->pos, n);
    struct bound_relation *level = q != NULL ? in.level : NULL;
    if (level == NULL || (level->columns = SQL_ARRAY_NEW(cx, n, struct bound_column)) == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        struct bound_expr *e = in.outputs.items[i];
        q->outputs[i] = (struct bound_output){.name = MR_STR("side"), .type = e->type, .expr = e};
        level->columns[i].type = e->type;
    }
    q->from = side;
    q->where = on;
    level->kind = BOUND_DERIVED;
    level->number = cx->next_table++;
    level->ncolumns = n;
    level->query = q;
    level->lateral = true;
    return level;
}

static struct bound_expr *always(struct sql_context *cx, size_t pos)
{
    struct bound_expr *e = bound_new(cx, BOUND_CONST, pos, sql_scalar(SQL_BOOLEAN), 0);
    if (e != NULL)
        e->i64 = 1;
    return e;
}

/* left LEFT JOIN LATERAL (right WHERE on) ON true, or the same with the sides exchanged */
static bool move_condition(struct sql_context *cx, struct scope *scope, size_t from,
                           struct bound_relation *join, bool exchange)
{
    struct bound_relation *kept = exchange ? join->right : join->left;
    join->right = side_query(cx, scope, from, exchange ? join->left : join->right, join->on);
    join->left = kept;
    join->join = AST_LEFT;
    join->on = join->right != NULL ? always(cx, join->on->pos) : NULL;
    return join->on != NULL;
}

bool check_outer_join(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope,
                      size_t from, struct bound_relation *join)
{
    if (join->join == AST_INNER || join->join == AST_CROSS)
        return true;
    bool always_true = bound_is_const(join->on) && join->on->i64 != 0;
    bool lateral = join->right->kind == BOUND_UNNEST || join->right->lateral;
    if (join->join == AST_LEFT) {
        bool move = lateral ? !always_true : has_query_over(join->on, join->right);
        return !move || move_condition(cx, scope, from, join, false);
    }
    if (is_beside(join->right, join->left)) { /* there is no row of it that has no row beside it */
        if (!always_true)
            return sql_fail(cx, ast->pos, "%s JOIN involving %s is only supported with condition ON TRUE",
                            join->join == AST_RIGHT ? "RIGHT" : "FULL",
                            join->right->kind == BOUND_UNNEST ? "UNNEST" : "LATERAL");
        join->join = join->join == AST_RIGHT ? AST_INNER : AST_LEFT;
        return true;
    }
    if (join->join == AST_RIGHT && has_query_over(join->on, join->left))
        return move_condition(cx, scope, from, join, true);
    return true;
}
