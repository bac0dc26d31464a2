/* sql/mark.c - which columns are needed, from the outputs of the statement down to the scans.
 *
 * A block marks its own expressions first, then the queries in its FROM from right to left (LATERAL and
 * UNNEST on the right use columns of the left), then its WITH items, the last one first, for they use each
 * other the same way.
 */
#include "sql/bound.h"

static bool mark_slot(void *ctx, struct bound_expr **slot);

static void mark_expr(struct bound_expr *e)
{
    if (e->kind == BOUND_COLUMN) {
        struct bound_column *c = &e->relation->columns[e->index];
        struct bound_scan *scan = e->relation->scan;
        if (!c->used && scan != NULL) {
            c->slot = scan->ncolumns;
            scan->columns[scan->ncolumns] = c->source->number;
            scan->kinds[scan->ncolumns++] = c->source->kind;
        }
        c->used = true;
    }
    if (e->query != NULL) {
        for (size_t i = 0; e->kind != BOUND_EXISTS && i < e->query->noutputs; i++)
            e->query->outputs[i].used = true;
        mark_query(e->query);
    }
    bound_children(e, mark_slot, NULL);
}

static bool mark_slot(void *ctx, struct bound_expr **slot)
{
    MR_UNUSED(ctx);
    mark_expr(*slot);
    return true;
}

static void mark_conditions(struct bound_relation *r)
{
    if (r == NULL || r->kind != BOUND_JOIN)
        return;
    if (r->on != NULL)
        mark_expr(r->on);
    mark_conditions(r->left);
    mark_conditions(r->right);
}

static void mark_relation(struct bound_relation *r)
{
    if (r == NULL)
        return;
    if (r->kind == BOUND_JOIN) {
        mark_relation(r->right);
        mark_relation(r->left);
        return;
    }
    for (size_t i = 0; i < r->nargs; i++)
        mark_expr(r->args[i]);
    mark_relation(r->carry);
    if (r->kind != BOUND_DERIVED && r->kind != BOUND_WITH)
        return;
    for (size_t i = 0; i < r->ncolumns; i++)
        r->query->outputs[i].used = r->query->outputs[i].used || r->columns[i].used;
    if (r->kind == BOUND_DERIVED)
        mark_query(r->query);
}

static void mark_group(struct bound_query *q)
{
    for (size_t i = 0; i < q->nkeys; i++)
        mark_expr(q->keys[i]);
    for (size_t i = 0; i < q->aggregates.n; i++) {
        if (q->group->columns[q->nkeys + i].used)
            mark_expr(q->aggregates.items[i]);
    }
}

/* Whether outputs that nobody needs may be left out of the query: DISTINCT and ORDER BY need columns of their
 * own. */
static bool may_drop_outputs(const struct bound_query *q)
{
    if (q->distinct || q->norder > 0)
        return false;
    return q->kind != BOUND_SETOP ||
           (q->op == AST_UNION && q->all && may_drop_outputs(q->left) && may_drop_outputs(q->right));
}

/* Both sides must give the same columns. */
static void mark_setop(struct bound_query *q)
{
    bool all = may_drop_outputs(q);
    for (size_t i = 0; i < q->noutputs; i++) {
        q->outputs[i].used = q->outputs[i].used || !all;
        q->left->outputs[i].used = q->right->outputs[i].used = q->outputs[i].used;
    }
    mark_query(q->left);
    mark_query(q->right);
}

void mark_query(struct bound_query *q)
{
    if (q->marked)
        return;
    q->marked = true;
    for (size_t i = 0; i < q->norder; i++) {
        if (q->order[i].expr != NULL)
            mark_expr(q->order[i].expr);
        else
            q->outputs[q->order[i].output].used = true;
    }
    for (size_t i = 0; i < q->noutputs; i++) {
        q->outputs[i].used = q->outputs[i].used || q->distinct;
        if (q->outputs[i].used && q->outputs[i].expr != NULL)
            mark_expr(q->outputs[i].expr);
    }
    if (q->having != NULL)
        mark_expr(q->having);
    if (q->grouped)
        mark_group(q);
    if (q->where != NULL)
        mark_expr(q->where);
    for (size_t i = 0; i < q->nrows * q->noutputs; i++)
        mark_expr(q->rows[i / q->noutputs][i % q->noutputs]);
    if (q->kind == BOUND_SETOP)
        mark_setop(q);
    mark_conditions(q->from);
    mark_relation(q->from);
    for (size_t i = q->nwith; i > 0; i--) {
        if (q->with[i - 1]->references > 0)
            mark_query(q->with[i - 1]->query);
    }
}
