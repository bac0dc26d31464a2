/* sql/check_ties.c - FETCH FIRST ... WITH TIES. */
#include "sql/bound.h"

/* WITH TIES ranks the rows of the finished query, so what it orders by must be among its columns: those that
 * no output has are added behind. */
struct bound_query *check_ties(struct sql_context *cx, struct bound_query *inner)
{
    size_t shown = inner->noutputs;
    struct bound_output *outputs = SQL_ARRAY_NEW(cx, shown + inner->norder, struct bound_output);
    if (outputs == NULL)
        return NULL;
    memcpy(outputs, inner->outputs, shown * sizeof *outputs);
    inner->outputs = outputs;
    for (size_t i = 0; i < inner->norder; i++) {
        struct bound_order *o = &inner->order[i];
        if (o->expr == NULL)
            continue;
        o->output = inner->noutputs++;
        outputs[o->output] =
            (struct bound_output){.name = MR_STR("order"), .type = o->expr->type, .expr = o->expr};
        o->expr = NULL;
    }
    struct bound_query *q = check_wrap(cx, inner);
    if (q == NULL)
        return NULL;
    for (size_t i = 0; i < inner->norder; i++)
        inner->order[i].expr = q->outputs[inner->order[i].output].expr;
    q->noutputs = shown;
    q->order = inner->order;
    q->norder = inner->norder;
    q->limit = inner->limit;
    q->offset = inner->offset;
    q->with_ties = true;
    inner->norder = 0;
    inner->limit = inner->offset = -1;
    return q;
}
