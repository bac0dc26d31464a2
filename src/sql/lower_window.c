/* sql/lower_window.c - windows below functions with lambdas, and such functions over groups and columns from
 * outside: the query becomes two, the inner one with windows, groups and columns as its outputs, the outer
 * one with the rest. */
#include "sql/lower.h"

/* ---- is it needed? ---- */

struct look {
    const struct bound_query *q;
    bool groups; /* for a column from outside among what is computed of groups; else for a window */
    bool inside, found;
};

static bool look_at(void *ctx, struct bound_expr **slot)
{
    struct look *l = ctx;
    struct bound_expr *e = *slot;
    if (e->kind == BOUND_WINDOW && !l->groups) {
        l->found = l->found || l->inside;
        return true;
    }
    if (e->kind == BOUND_COLUMN && l->groups && l->inside && !bound_is_local(l->q, e->relation))
        l->found = true;
    bool before = l->inside;
    l->inside = l->inside || e->kind == BOUND_WINDOW || lower_makes_lambda(e) || e->kind == BOUND_TRY ||
                e->query != NULL;
    bool ok = bound_children(e, look_at, l);
    l->inside = before;
    return ok;
}

static bool is_needed(struct bound_query *q, bool groups)
{
    struct look l = {q, groups, false, false};
    for (size_t i = 0; i < q->noutputs; i++)
        look_at(&l, &q->outputs[i].expr);
    for (size_t i = 0; i < q->norder; i++) {
        if (q->order[i].expr != NULL)
            look_at(&l, &q->order[i].expr);
    }
    if (groups && q->having != NULL)
        look_at(&l, &q->having);
    return l.found;
}

/* ---- the split ---- */

struct split {
    struct sql_context *cx;
    bool groups; /* windows stay above */
    struct bound_query *inner;
    struct bound_relation *level; /* the inner query as a relation */
    struct sql_list outputs;      /* of struct bound_expr */
};

/* The inner query's column for e, a new one unless it has it. */
static bool move_down(struct split *s, struct bound_expr **slot)
{
    size_t i = 0;
    while (i < s->outputs.n && !bound_equal(s->outputs.items[i], *slot))
        i++;
    if (i == s->outputs.n && !sql_push(s->cx, &s->outputs, *slot))
        return false;
    struct bound_expr *e = bound_new(s->cx, BOUND_COLUMN, (*slot)->pos, (*slot)->type, 0);
    if (e == NULL)
        return false;
    e->relation = s->level;
    e->index = i;
    *slot = e;
    return true;
}

static bool split_at(void *ctx, struct bound_expr **slot)
{
    struct split *s = ctx;
    struct bound_expr *e = *slot;
    if ((e->kind == BOUND_WINDOW && !s->groups) ||
        (e->kind == BOUND_COLUMN && bound_is_local(s->inner, e->relation)))
        return move_down(s, slot);
    if (e->query != NULL && !bound_query_walk(e->query, split_at, s))
        return false;
    return bound_children(e, split_at, s);
}

static bool split_slot(struct split *s, struct bound_expr **slot)
{
    return *slot == NULL || ((*slot = bound_copy(s->cx, *slot)) != NULL && split_at(s, slot));
}

static bool split_all(struct split *s, struct bound_query *q)
{
    for (size_t i = 0; i < q->noutputs; i++) {
        if (!split_slot(s, &q->outputs[i].expr))
            return false;
    }
    for (size_t i = 0; i < q->norder; i++) {
        if (!split_slot(s, &q->order[i].expr))
            return false;
    }
    return !s->groups || split_slot(s, &q->having);
}

/* What the inner query gives, and the relation's columns with it. */
static bool fill_outputs(struct split *s)
{
    size_t n = s->outputs.n;
    s->inner->outputs = SQL_ARRAY_NEW(s->cx, n, struct bound_output);
    s->level->columns = SQL_ARRAY_NEW(s->cx, n, struct bound_column);
    if (s->inner->outputs == NULL || s->level->columns == NULL)
        return false;
    s->inner->noutputs = s->level->ncolumns = n;
    for (size_t i = 0; i < n; i++) {
        struct bound_expr *e = s->outputs.items[i];
        s->inner->outputs[i] = (struct bound_output){.name = MR_STR("level"), .type = e->type, .expr = e};
        s->level->columns[i].type = e->type;
    }
    return true;
}

static bool split_query(struct sql_context *cx, struct bound_query *q, bool groups)
{
    struct split s = {.cx = cx,
                      .groups = groups,
                      .inner = SQL_NEW(cx, struct bound_query),
                      .level = SQL_NEW(cx, struct bound_relation)};
    if (s.inner == NULL || s.level == NULL)
        return false;
    *s.inner = *q;
    s.inner->with = NULL;
    s.inner->nwith = 0;
    s.inner->order = NULL;
    s.inner->norder = 0;
    s.inner->limit = s.inner->offset = -1;
    s.inner->distinct = false;
    s.inner->lowered = false;
    if (groups) {
        s.inner->having = NULL;
        s.inner->windowed = false;
    }
    s.level->kind = BOUND_DERIVED;
    s.level->number = cx->next_table++;
    s.level->query = s.inner;
    if (!split_all(&s, q) || !fill_outputs(&s))
        return false;
    q->from = s.level;
    q->where = groups ? q->having : NULL;
    q->having = NULL;
    q->grouped = false;
    q->windowed = groups && q->windowed;
    q->group = NULL;
    q->keys = NULL;
    q->nkeys = q->nsets = 0;
    q->sets = NULL;
    q->aggregates = (struct sql_list){NULL, 0, 0};
    return true;
}

/* What is computed of groups has no FROM that could carry a column from outside; the outer query has one. */
bool lower_groups(struct sql_context *cx, struct bound_query *q)
{
    return q->kind != BOUND_SELECT || !is_needed(q, true) || split_query(cx, q, true);
}

bool lower_windows(struct sql_context *cx, struct bound_query *q)
{
    return q->kind != BOUND_SELECT || !is_needed(q, false) || split_query(cx, q, false);
}
