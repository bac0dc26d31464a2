/* sql/check_outer.c - joins that the engine does not do as they are written.
 *
 * Its outer joins take no condition with a relation beside them that uses their columns (UNNEST, LATERAL),
 * nor one with a subquery that uses columns of both sides. Then
 *
 *     l LEFT JOIN r ON condition  becomes  l LEFT JOIN LATERAL (SELECT * FROM r WHERE condition) ON true
 *
 * and a RIGHT JOIN its mirror image. A FULL JOIN that such a condition or columns from outside make too hard
 * becomes the UNION ALL of that LEFT JOIN and of the rows of r for which there is no l, both sides checked
 * once more. This happens right after the condition was checked: nothing but the fields of the scope knows
 * the columns of the sides yet.
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

/* ---- FULL ---- */

#define MAX_DOUBLED 32 /* FULL JOINs in FULL JOINs double again */

/* NOT EXISTS (SELECT 1 FROM left WHERE on) */
static struct bound_expr *without_partner(struct sql_context *cx, struct bound_relation *left,
                                          struct bound_expr *on)
{
    struct bound_query *q = bound_new_query(cx, BOUND_SELECT, on->pos, 1);
    struct bound_expr *exists = bound_new(cx, BOUND_EXISTS, on->pos, sql_scalar(SQL_BOOLEAN), 0);
    if (q == NULL || exists == NULL)
        return NULL;
    q->from = left;
    q->where = on;
    q->outputs[0] = (struct bound_output){
        .name = MR_STR("one"), .type = sql_scalar(SQL_BOOLEAN), .expr = always(cx, on->pos)};
    exists->query = q;
    return q->outputs[0].expr != NULL ? check_negated(cx, exists) : NULL;
}

/* The fields from `from` on as outputs; those before `right` are NULL. */
static struct bound_query *fields_query(struct sql_context *cx, const struct scope *scope, size_t from,
                                        size_t right, size_t pos)
{
    size_t n = scope->nfields - from;
    struct bound_query *q = bound_new_query(cx, BOUND_SELECT, pos, n);
    for (size_t i = 0; q != NULL && i < n; i++) {
        const struct scope_field *f = &scope->fields[from + i];
        struct bound_expr *e = from + i < right ? bound_null(cx, pos, f->expr->type) : f->expr;
        if (e == NULL)
            return NULL;
        q->outputs[i] = (struct bound_output){.name = f->name, .type = f->expr->type, .expr = e};
    }
    return q;
}

/* SELECT NULL, ..., right columns FROM right WHERE NOT EXISTS (...), of the sides checked again */
static struct bound_query *lone_rows(struct sql_context *cx, const struct ast_relation *ast,
                                     const struct scope *around, size_t from)
{
    struct scope scope = {.parent = around->parent, .with = around->with, .nwith = around->nwith};
    struct bound_relation *left, *right;
    struct bound_expr *on;
    for (size_t i = 0; i < from; i++) {
        if (!scope_add(cx, &scope, around->fields[i]))
            return NULL;
    }
    if (!check_relation(cx, ast->left, &scope, &left))
        return NULL;
    size_t at = scope.nfields;
    if (!check_relation(cx, ast->right, &scope, &right))
        return NULL;
    struct scope sides = {.parent = scope.parent,
                          .with = scope.with,
                          .nwith = scope.nwith,
                          .fields = scope.fields + from,
                          .nfields = scope.nfields - from};
    struct check c = {.cx = cx, .scope = &sides, .clause = "JOIN clause"};
    if (!check_boolean(&c, ast->on, &on))
        return NULL;
    struct bound_query *q = fields_query(cx, &scope, from, at, ast->pos);
    if (q == NULL || (q->where = without_partner(cx, left, on)) == NULL)
        return NULL;
    q->from = right;
    return q;
}

bool check_full_join(struct sql_context *cx, const struct ast_relation *ast, struct scope *scope, size_t from,
                     struct bound_relation **join)
{
    if (cx->doubled++ == MAX_DOUBLED)
        return sql_fail(cx, ast->pos, "Given correlated subquery is not supported");
    if (!move_condition(cx, scope, from, *join, false))
        return false;
    struct bound_query *left = fields_query(cx, scope, from, 0, ast->pos);
    struct bound_query *right = left != NULL ? lone_rows(cx, ast, scope, from) : NULL;
    struct bound_query *q = right != NULL ? bound_new_query(cx, BOUND_SETOP, ast->pos, left->noutputs) : NULL;
    if (q == NULL)
        return false;
    left->from = *join;
    for (size_t i = 0; i < left->noutputs; i++)
        q->outputs[i] = (struct bound_output){.name = left->outputs[i].name, .type = left->outputs[i].type};
    q->op = AST_UNION;
    q->all = true;
    q->left = left;
    q->right = right;
    struct bound_relation *r = check_derived(cx, q);
    for (size_t i = from; r != NULL && i < scope->nfields; i++) {
        if ((scope->fields[i].expr = bound_column(cx, ast->pos, r, i - from)) == NULL)
            return false;
    }
    if (r == NULL)
        return false;
    r->lateral = from > 0;
    *join = r;
    return true;
}

bool check_hard_full_join(const struct bound_relation *join)
{
    return has_query_over(join->on, join->left) || has_query_over(join->on, join->right);
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
