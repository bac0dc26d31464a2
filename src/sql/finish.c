/* sql/finish.c - statements whose rows are the scan's groups, or its rows, and nothing is left to compute.
 *
 * One grouped block whose scan gives groups, or one whose WHERE the scan has been told wholly (then without
 * an order), and around it any number of blocks that only rename, reorder or
 * leave out columns. ORDER BY, LIMIT and OFFSET may stand at one of them: those above it leave the order
 * alone, those below it have none.
 */
#include "sql/push.h"

struct finder {
    const struct bound_query *grouped; /* the block, or */
    const struct bound_query *plain;   /* the one over the table */
    const struct bound_query *ordered; /* the one whose order and limit count */
};

static bool has_order(const struct bound_query *q)
{
    return q->norder > 0 || q->limit >= 0 || q->offset > 0;
}

/* The block inside, when this one only shows its columns. */
static const struct bound_query *inside(const struct bound_query *q)
{
    if (q->grouped || q->where != NULL || q->having != NULL || q->from == NULL)
        return NULL;
    if (q->from->kind == BOUND_DERIVED || (q->from->kind == BOUND_WITH && q->from->with->references == 1))
        return q->from->query;
    return NULL;
}

/* Goes down to the grouped block. */
static bool descend(struct finder *f, const struct bound_query *q)
{
    for (; q != NULL; q = inside(q)) {
        if (q->kind != BOUND_SELECT || q->distinct || q->windowed || q->with_ties)
            return false;
        if (has_order(q) && f->ordered != NULL && (q->limit >= 0 || q->offset > 0))
            return false; /* an order inside of another says nothing, a limit does */
        if (has_order(q) && f->ordered == NULL)
            f->ordered = q;
        if (q->grouped) {
            f->grouped = q;
            return q->push != NULL;
        }
        if (q->from != NULL && q->from->kind == BOUND_SCAN) {
            f->plain = q;
            return q->having == NULL && (q->where == NULL || push_where_is_said(q->from, q->where));
        }
    }
    return false;
}

/* The column of the relation that it is, perhaps through the outputs of blocks around. NULL: it is none. */
static const struct bound_expr *column_of(const struct bound_expr *e, const struct bound_relation *relation)
{
    while (e != NULL && e->kind == BOUND_COLUMN && e->relation != relation) {
        const struct bound_relation *r = e->relation;
        if (r->kind != BOUND_DERIVED && r->kind != BOUND_WITH)
            return NULL;
        e = r->query->outputs[e->index].expr;
    }
    return e != NULL && e->kind == BOUND_COLUMN ? e : NULL;
}

static bool part_of(const struct finder *f, const struct bound_expr *e, struct sql_part *out)
{
    e = column_of(e, f->grouped->group);
    if (e == NULL)
        return false;
    size_t nkeys = f->grouped->nkeys;
    if (e->index < nkeys)
        *out = (struct sql_part){SQL_PART_KEY, f->grouped->push->keys[e->index], 0};
    else
        *out = f->grouped->push->aggregates[e->index - nkeys];
    return true;
}

static bool take_outputs(struct sql_context *cx, const struct finder *f, const struct bound_query *q,
                         struct sql_finish *out)
{
    struct sql_part *parts = SQL_ARRAY_NEW(cx, q->noutputs, struct sql_part);
    for (size_t i = 0; parts != NULL && i < q->noutputs; i++)
        if (!part_of(f, q->outputs[i].expr, &parts[i]))
            return false;
    out->outputs = parts;
    return parts != NULL;
}

static bool take_order(struct sql_context *cx, const struct finder *f, struct sql_finish *out)
{
    const struct bound_query *q = f->ordered;
    out->limit = -1;
    if (q == NULL)
        return true;
    out->limit = q->limit;
    out->offset = q->offset > 0 ? q->offset : 0;
    struct sql_finish_order *order = SQL_ARRAY_NEW(cx, q->norder + 1, struct sql_finish_order);
    for (size_t i = 0; order != NULL && i < q->norder; i++) {
        const struct bound_order *o = &q->order[i];
        const struct bound_expr *e = o->expr != NULL ? o->expr : q->outputs[o->output].expr;
        if (e != NULL && e->kind == BOUND_CONST)
            continue; /* says nothing */
        struct sql_finish_order *to = &order[out->norder++];
        *to = (struct sql_finish_order){.desc = o->desc, .nulls_first = o->nulls_first};
        if (!part_of(f, e, &to->part))
            return false;
    }
    out->order = order;
    return order != NULL;
}

static bool test_of(const struct finder *f, const struct bound_expr *e, enum ast_compare op,
                    const struct bound_expr *value, struct sql_finish_test *out)
{
    return part_of(f, e, &out->part) && out->part.how != SQL_PART_SUM_NARROW &&
           filter_of_value(e->type->kind, op, value, &out->test);
}

static bool compare_of(const struct finder *f, const struct bound_expr *e, struct sql_finish_test *out)
{
    static const enum ast_compare flipped[] = {AST_EQ, AST_NE, AST_GT, AST_GE, AST_LT, AST_LE};
    enum ast_compare op = (enum ast_compare)e->op;
    return test_of(f, e->args[0], op, e->args[1], out) ||
           test_of(f, e->args[1], flipped[op], e->args[0], out);
}

/* The condition's tests joined by AND. False: it is something else. */
static bool take_tests(const struct finder *f, const struct bound_expr *e, struct sql_finish_test *tests,
                       size_t *n)
{
    if (e->kind == BOUND_AND) {
        for (size_t i = 0; i < e->nargs; i++)
            if (!take_tests(f, e->args[i], tests, n))
                return false;
        return true;
    }
    if (*n + 2 > SQL_TESTS_MAX)
        return false;
    if (e->kind == BOUND_COMPARE)
        return compare_of(f, e, &tests[(*n)++]);
    if (e->kind == BOUND_BETWEEN && !e->negated) {
        *n += 2;
        return test_of(f, e->args[0], AST_GE, e->args[1], &tests[*n - 2]) &&
               test_of(f, e->args[0], AST_LE, e->args[2], &tests[*n - 1]);
    }
    return false;
}

static bool take_having(struct sql_context *cx, const struct finder *f, struct sql_finish *out)
{
    const struct bound_expr *having = f->grouped->having;
    if (having == NULL)
        return true;
    struct sql_finish_test *tests = SQL_ARRAY_NEW(cx, SQL_TESTS_MAX, struct sql_finish_test);
    if (tests == NULL || !take_tests(f, having, tests, &out->ntests))
        return false;
    out->tests = tests;
    return true;
}

const struct sql_finish *finish_find(struct sql_context *cx, const struct bound_query *q)
{
    struct finder f = {NULL, NULL, NULL};
    if (!descend(&f, q) || f.grouped == NULL)
        return NULL;
    struct sql_finish *finish = SQL_NEW(cx, struct sql_finish);
    if (finish == NULL || !take_outputs(cx, &f, q, finish) || !take_order(cx, &f, finish) ||
        !take_having(cx, &f, finish))
        return NULL;
    return finish;
}

/* No order, or by falling time with a limit that is not large. */
static bool rows_order(const struct finder *f, struct sql_rows *rows)
{
    const struct bound_query *q = f->ordered;
    rows->limit = q != NULL ? q->limit : -1;
    rows->offset = q != NULL && q->offset > 0 ? q->offset : 0;
    for (size_t i = 0; q != NULL && i < q->norder; i++) {
        const struct bound_order *o = &q->order[i];
        const struct bound_expr *e = o->expr != NULL ? o->expr : q->outputs[o->output].expr;
        if (e != NULL && e->kind == BOUND_CONST)
            continue;
        e = column_of(e, f->plain->from);
        if (e == NULL || rows->newest || !o->desc || rows->limit < 0 || rows->limit > SQL_NEWEST_MAX ||
            rows->offset > SQL_NEWEST_MAX - rows->limit)
            return false;
        const struct bound_column *c = &f->plain->from->columns[e->index];
        rows->newest = c->source->role == SQL_ROLE_TIME;
        rows->time = c->slot;
        if (!rows->newest)
            return false;
    }
    return true;
}

const struct sql_rows *rows_find(struct sql_context *cx, const struct bound_query *q)
{
    struct finder f = {NULL, NULL, NULL};
    if (!cx->env->groups || cx->env->plain || !descend(&f, q) || f.plain == NULL)
        return NULL;
    struct sql_rows *rows = SQL_NEW(cx, struct sql_rows);
    size_t *outputs = SQL_ARRAY_NEW(cx, q->noutputs, size_t);
    if (rows == NULL || outputs == NULL || !rows_order(&f, rows))
        return NULL;
    for (size_t i = 0; i < q->noutputs; i++) {
        const struct bound_expr *e = column_of(q->outputs[i].expr, f.plain->from);
        if (e == NULL)
            return NULL;
        outputs[i] = f.plain->from->columns[e->index].slot;
    }
    rows->outputs = outputs;
    return rows;
}
