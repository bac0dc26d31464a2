/* sql/lower.c - takes out of lambdas what the engine allows only outside of them: subqueries, columns of
 * queries around and, out of TRY, random numbers. Values are computed first and named:
 *
 *     try(1 + (SELECT ...))  becomes  let h = (SELECT ...) in try(1 + h)
 *
 * The engine binds a function with a lambda as a whole and at one level, so columns from outside are carried
 * to the level of the others: as those of one more relation in FROM. Windows may not even stand in the
 * arguments of such functions; lower_window.c moves them to a level below. The checker itself writes lambdas
 * to name values (bound_let_in), so this is not only about lambdas of the user.
 */
#include "sql/lower.h"

enum {
    LATERAL = 1, /* no column is local */
    WHOLE = 2    /* bound as a whole even without a function: the arguments of a window and the like */
};

struct hoist {
    struct bound_expr *value, *name;
};

/* One expression on its way. */
struct lower {
    struct sql_context *cx;
    const struct bound_query *q;
    struct bound_relation *carry;       /* for columns from outside; NULL: there is no place for one */
    bool lateral;                       /* no column is local */
    bool inside;                        /* of a function with a lambda, or of TRY */
    bool dry;                           /* only look: */
    bool found, named;                  /* there is something to take out; by a name */
    bool naming;                        /* the region gets a name around it */
    unsigned lambdas, functions, tries; /* around: lambdas, functions that have one, TRY */
    struct sql_list hoisted;            /* of struct hoist */
};

bool bound_is_local(const struct bound_query *q, const struct bound_relation *r)
{
    return r == q->group || relation_holds(q->from, r);
}

bool lower_makes_lambda(const struct bound_expr *e)
{
    switch (e->kind) {
    case BOUND_CALL:
        return e->pattern[0] == '!' || strstr(e->pattern, "list_") != NULL ||
               strstr(e->pattern, "lambda") != NULL;
    case BOUND_SUBSCRIPT:
        return true;
    case BOUND_BETWEEN:
        return bound_between_named(e);
    default:
        return false;
    }
}

/* ---- taking out ---- */

static bool name_value(struct lower *l, struct bound_expr **slot)
{
    for (size_t i = 0; i < l->hoisted.n; i++) {
        const struct hoist *h = l->hoisted.items[i];
        if (bound_equal(h->value, *slot)) {
            *slot = h->name;
            return true;
        }
    }
    struct hoist *h = SQL_NEW(l->cx, struct hoist);
    if (h == NULL || (h->name = bound_new(l->cx, BOUND_LAMBDA_ARG, (*slot)->pos, (*slot)->type, 0)) == NULL)
        return false;
    h->value = *slot;
    h->name->index = l->cx->next_table++;
    *slot = h->name;
    return sql_push(l->cx, &l->hoisted, h);
}

static bool grow_carry(struct sql_context *cx, struct bound_relation *r, struct bound_expr *e)
{
    struct bound_query *q = r->query;
    size_t n = q->noutputs;
    struct bound_output *outputs = SQL_ARRAY_NEW(cx, n + 1, struct bound_output);
    struct bound_column *columns = SQL_ARRAY_NEW(cx, n + 1, struct bound_column);
    if (outputs == NULL || columns == NULL)
        return false;
    if (n > 0) {
        memcpy(outputs, q->outputs, n * sizeof *outputs);
        memcpy(columns, r->columns, n * sizeof *columns);
    }
    outputs[n] = (struct bound_output){.name = MR_STR("carried"), .type = e->type, .expr = e, .used = true};
    columns[n].type = e->type;
    q->outputs = outputs;
    r->columns = columns;
    q->noutputs = r->ncolumns = n + 1;
    return true;
}

static bool carry_column(struct lower *l, struct bound_expr **slot)
{
    const struct bound_query *q = l->carry->query;
    size_t i = 0;
    while (i < q->noutputs && !bound_equal(q->outputs[i].expr, *slot))
        i++;
    if (i == q->noutputs && !grow_carry(l->cx, l->carry, *slot))
        return false;
    *slot = bound_column(l->cx, (*slot)->pos, l->carry, i);
    return *slot != NULL;
}

/* Several values are named together, as the fields of a row: one after the other, the second would stand in
 * the lambda of the first. */
static struct bound_expr *name_all(struct lower *l, struct bound_expr *body)
{
    size_t n = l->hoisted.n;
    const struct hoist *first = l->hoisted.items[0];
    if (n == 1)
        return bound_let_in(l->cx, first->value, first->name, body);
    struct sql_field *fields = SQL_ARRAY_NEW(l->cx, n, struct sql_field);
    struct bound_expr *row = bound_new(l->cx, BOUND_ROW, body->pos, sql_scalar(SQL_UNKNOWN), n);
    if (fields == NULL || row == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        const struct hoist *h = l->hoisted.items[i];
        fields[i].type = h->value->type;
        row->args[i] = h->value;
    }
    if ((row->type = sql_row_of(l->cx, fields, n)) == NULL)
        return NULL;
    struct bound_expr *name = bound_new(l->cx, BOUND_LAMBDA_ARG, body->pos, row->type, 0);
    if (name == NULL)
        return NULL;
    name->index = l->cx->next_table++;
    for (size_t i = 0; i < n;
         i++) { /* the names are in the body already: they become fields where they stand */
        const struct hoist *h = l->hoisted.items[i];
        struct bound_expr *field = bound_field(l->cx, h->value->pos, name, i);
        if (field == NULL)
            return NULL;
        *h->name = *field;
    }
    return bound_let_in(l->cx, row, name, body);
}

static bool is_outer(const struct lower *l, const struct bound_expr *e)
{
    if (e->kind != BOUND_COLUMN || e->relation == l->carry)
        return false;
    return l->lateral || !bound_is_local(l->q, e->relation);
}

/* Whether the node has to be computed before, given what is around it. Once something is named, the region
 * stands in the lambda that names it, and no subquery may stay in there. */
static bool must_go(const struct lower *l, const struct bound_expr *e)
{
    if (e->query != NULL)
        return l->naming || l->lambdas > 0 || l->tries > 0;
    if (is_outer(l, e))
        return l->functions > 0 || l->naming;
    return e->is_volatile && e->nargs == 0 && l->tries > 0;
}

static bool lower_root(struct sql_context *cx, const struct bound_query *q, struct bound_relation *carry,
                       unsigned flags, struct bound_expr **slot);

static bool visit_part(void *ctx, struct bound_expr **slot)
{
    const struct lower *l = ctx;
    return lower_root(l->cx, l->q, l->carry, l->lateral ? LATERAL : 0, slot);
}

static bool visit_whole_part(void *ctx, struct bound_expr **slot)
{
    const struct lower *l = ctx;
    return lower_root(l->cx, l->q, l->carry, (l->lateral ? LATERAL : 0) | WHOLE, slot);
}

static bool take_out(struct lower *l, struct bound_expr **slot)
{
    bool carried = (*slot)->kind == BOUND_COLUMN && l->carry != NULL;
    l->found = true;
    l->named = l->named || !carried;
    if (l->dry)
        return true;
    return carried ? carry_column(l, slot) : bound_children(*slot, visit_part, l) && name_value(l, slot);
}

static bool visit(void *ctx, struct bound_expr **slot);

static bool visit_children(struct lower *l, struct bound_expr *e)
{
    unsigned lambda = e->kind == BOUND_LAMBDA, try = e->kind == BOUND_TRY, function = lower_makes_lambda(e);
    l->lambdas += lambda;
    l->tries += try;
    l->functions += function;
    bool ok;
    if (e->kind == BOUND_BETWEEN && function) { /* its bounds stand in a lambda */
        ok = visit(l, &e->args[0]);
        l->lambdas++;
        ok = ok && visit(l, &e->args[1]) && visit(l, &e->args[2]);
        l->lambdas--;
    } else {
        ok = bound_children(e, visit, l);
    }
    l->lambdas -= lambda;
    l->tries -= try;
    l->functions -= function;
    return ok;
}

/* The outermost function with a lambda, or TRY: what has to go out of it is named around it. */
static bool visit_region(struct lower *l, struct bound_expr **slot)
{
    l->dry = true;
    l->found = l->named = false;
    if (!visit_children(l, *slot) || (l->found && (*slot = bound_copy(l->cx, *slot)) == NULL))
        return false;
    l->dry = false;
    l->naming = l->named;
    l->hoisted = (struct sql_list){NULL, 0, 0};
    if (!visit_children(l, *slot))
        return false;
    l->naming = false;
    return l->hoisted.n == 0 || (*slot = name_all(l, *slot)) != NULL;
}

static bool visit(void *ctx, struct bound_expr **slot)
{
    struct lower *l = ctx;
    struct bound_expr *e = *slot;
    if (e->kind == BOUND_AGGREGATE || e->kind == BOUND_WINDOW) /* their arguments are lowered by themselves */
        return l->dry ||
               bound_children(e, e->kind == BOUND_WINDOW || l->functions > 0 ? visit_whole_part : visit_part,
                              l);
    if (e->query != NULL && !l->dry && !lower_query(l->cx, e->query))
        return false;
    if (must_go(l, e))
        return take_out(l, slot);
    if (l->inside || !(e->kind == BOUND_TRY || lower_makes_lambda(e)))
        return visit_children(l, e);
    l->inside = true;
    bool ok = visit_region(l, slot);
    l->inside = false;
    return ok;
}

static bool lower_root(struct sql_context *cx, const struct bound_query *q, struct bound_relation *carry,
                       unsigned flags, struct bound_expr **slot)
{
    struct lower l = {.cx = cx, .q = q, .carry = carry};
    l.lateral = (flags & LATERAL) != 0;
    l.functions = (flags & WHOLE) != 0;
    if (*slot == NULL)
        return true;
    if (l.functions > 0 && (*slot = bound_copy(cx, *slot)) == NULL) /* its columns may be replaced anywhere */
        return false;
    return visit(&l, slot);
}

/* ---- queries ---- */

static struct bound_relation *new_carry(struct sql_context *cx, size_t pos)
{
    struct bound_query *q = bound_new_query(cx, BOUND_SELECT, pos, 0);
    struct bound_relation *r = q != NULL ? SQL_NEW(cx, struct bound_relation) : NULL;
    if (r == NULL)
        return NULL;
    r->kind = BOUND_DERIVED;
    r->number = cx->next_table++;
    r->query = q;
    q->lowered = true;
    return r;
}

static struct bound_relation *cross_join(struct sql_context *cx, struct bound_relation *left,
                                         struct bound_relation *right)
{
    struct bound_relation *join = SQL_NEW(cx, struct bound_relation);
    if (join == NULL)
        return NULL;
    join->kind = BOUND_JOIN;
    join->join = AST_CROSS;
    join->left = left;
    join->right = right;
    return join;
}

/* The engine's outer joins take no column from outside in their conditions: it is carried on the side whose
 * rows all stay (of FULL on any, for the condition sees pairs only). */
static bool lower_condition(struct sql_context *cx, const struct bound_query *q, struct bound_relation *join)
{
    bool outer = join->join != AST_INNER && join->join != AST_CROSS;
    struct bound_relation *carry = new_carry(cx, q->pos);
    if (carry == NULL || !lower_root(cx, q, carry, outer ? WHOLE : 0, &join->on))
        return false;
    if (carry->ncolumns == 0)
        return true;
    struct bound_relation **side = join->join == AST_RIGHT ? &join->right : &join->left;
    *side = cross_join(cx, *side, carry);
    return *side != NULL;
}

static bool lower_relation(struct sql_context *cx, const struct bound_query *q, struct bound_relation *r)
{
    if (r == NULL)
        return true;
    if (r->kind == BOUND_UNNEST) {
        struct bound_relation *carry = new_carry(cx, q->pos);
        for (size_t i = 0; carry != NULL && i < r->nargs; i++) {
            if (!lower_root(cx, q, carry, LATERAL, &r->args[i]))
                return false;
        }
        r->carry = carry != NULL && carry->ncolumns > 0 ? carry : NULL;
        return carry != NULL;
    }
    if (r->kind == BOUND_DERIVED && !lower_query(cx, r->query))
        return false;
    return lower_relation(cx, q, r->left) && lower_relation(cx, q, r->right) &&
           (r->on == NULL || lower_condition(cx, q, r));
}

struct places {
    const struct bound_query *q;
    bool local, outer;
};

static bool find_places(void *ctx, struct bound_expr **slot)
{
    struct places *p = ctx;
    struct bound_expr *e = *slot;
    if (e->query != NULL && !bound_query_walk(e->query, find_places, p))
        return false;
    if (e->kind != BOUND_COLUMN)
        return bound_children(e, find_places, p);
    if (relation_holds(p->q->from, e->relation))
        p->local = true;
    else
        p->outer = true;
    return true;
}

/* The engine takes an aggregate over nothing but columns of the query around for one of that query; with
 * carried columns it is not. */
static unsigned aggregate_flags(const struct bound_query *q, struct bound_expr *aggregate)
{
    struct places p = {q, false, false};
    bound_children(aggregate, find_places, &p);
    return p.outer && !p.local ? WHOLE : 0;
}

/* What is computed of the rows of FROM, and what of the groups. */
static bool lower_lists(struct sql_context *cx, struct bound_query *q, struct bound_relation *carry)
{
    struct bound_relation *late = q->grouped ? NULL : carry;
    for (size_t i = 0; i < q->nrows * q->noutputs; i++) {
        if (!lower_root(cx, q, NULL, 0, &q->rows[i / q->noutputs][i % q->noutputs]))
            return false;
    }
    for (size_t i = 0; i < q->nkeys; i++) {
        if (!lower_root(cx, q, carry, 0, &q->keys[i]))
            return false;
    }
    for (size_t i = 0; i < q->aggregates.n; i++) {
        struct bound_expr **slot = (struct bound_expr **)&q->aggregates.items[i];
        if (!lower_root(cx, q, carry, aggregate_flags(q, *slot), slot))
            return false;
    }
    for (size_t i = 0; i < q->noutputs; i++) {
        if (!lower_root(cx, q, late, 0, &q->outputs[i].expr))
            return false;
    }
    for (size_t i = 0; i < q->norder; i++) {
        if (!lower_root(cx, q, late, 0, &q->order[i].expr))
            return false;
    }
    return lower_root(cx, q, carry, 0, &q->where) && lower_root(cx, q, NULL, 0, &q->having);
}

static bool lower_select(struct sql_context *cx, struct bound_query *q)
{
    struct bound_relation *carry = new_carry(cx, q->pos);
    if (carry == NULL || !lower_lists(cx, q, carry))
        return false;
    if (carry->ncolumns == 0 || q->from == NULL) {
        q->from = carry->ncolumns > 0 ? carry : q->from;
        return true;
    }
    q->from = cross_join(cx, q->from, carry);
    return q->from != NULL;
}

bool lower_query(struct sql_context *cx, struct bound_query *q)
{
    if (q->lowered)
        return true;
    q->lowered = true;
    for (size_t i = 0; i < q->nwith; i++) {
        if (!lower_query(cx, q->with[i]->query))
            return false;
    }
    if (q->kind == BOUND_SETOP && (!lower_query(cx, q->left) || !lower_query(cx, q->right)))
        return false;
    if (q->grouped && !lower_groups(cx, q))
        return false;
    if (q->windowed && !lower_windows(cx, q))
        return false;
    return lower_relation(cx, q, q->from) && lower_select(cx, q);
}
