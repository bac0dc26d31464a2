/* sql/emit_query.c - queries, relations and the plan's scans. */
#include "sql/emit.h"
#include "sql/push.h"

/* " ORDER BY x DESC NULLS LAST, 2 NULLS LAST": the place of NULLs is always written */
bool emit_order(struct emitter *em, const struct bound_query *q, const struct bound_order *order, size_t n)
{
    const char *before = " ORDER BY ";
    for (size_t i = 0; i < n; i++) {
        const struct bound_order *o = &order[i];
        if (o->expr != NULL && o->expr->kind == BOUND_CONST)
            continue; /* says nothing, and a number would be a position */
        emit_text(em, before);
        before = ", ";
        if (o->expr != NULL) {
            if (!emit_expr(em, o->expr))
                return false;
        } else {
            size_t position = 1;
            for (size_t k = 0; k < o->output; k++)
                position += q->outputs[k].used;
            mr_buf_printf(&em->out, "%zu", position);
        }
        emit_text(em, o->desc ? " DESC" : " ASC");
        emit_text(em, o->nulls_first ? " NULLS FIRST" : " NULLS LAST");
    }
    return true;
}

/* e AS c0, ...; an output nobody needs is left out, and 1 stands when none is needed */
static bool emit_outputs(struct emitter *em, const struct bound_query *q)
{
    bool first = true;
    for (size_t i = 0; i < q->noutputs; i++) {
        if (!q->outputs[i].used)
            continue;
        if (!first)
            emit_text(em, ", ");
        first = false;
        if (!emit_expr(em, q->outputs[i].expr))
            return false;
        mr_buf_printf(&em->out, " AS c%zu", i);
    }
    if (first)
        emit_text(em, "1 AS z");
    return true;
}

/* ---- relations ---- */

/* mr_scan(0) AS t1 */
static bool emit_scan(struct emitter *em, struct bound_relation *r)
{
    struct bound_scan *scan = r->scan;
    if (scan->ncolumns == 0) { /* count(*): any column, so the one that is always there */
        for (size_t i = 0; i < scan->table.ncolumns && scan->ncolumns == 0; i++) {
            if (scan->table.columns[i].role == SQL_ROLE_TIME) {
                scan->columns[0] = scan->table.columns[i].number;
                scan->kinds[0] = scan->table.columns[i].kind;
                scan->ncolumns = 1;
            }
        }
    }
    scan->number = em->scans.n;
    mr_buf_printf(&em->out, "mr_scan(%zu) AS t%u", scan->number, r->number);
    return sql_push(em->cx, &em->scans, scan);
}

static bool emit_derived(struct emitter *em, struct bound_relation *r)
{
    mr_buf_char(&em->out, '(');
    if (!emit_query(em, r->query))
        return false;
    mr_buf_printf(&em->out, ") AS t%u", r->number);
    return true;
}

/* (SELECT u0.t AS c0, ... FROM (SELECT unnest(a) AS u0, ...)) AS t1 */
static bool emit_unnest(struct emitter *em, struct bound_relation *r)
{
    size_t column = 0;
    emit_text(em, "(SELECT ");
    for (size_t i = 0; i < r->nargs; i++) {
        const struct sql_type *t = r->args[i]->type;
        bool series = t->kind == SQL_TIMESERIES, row = !series && t->elem->kind == SQL_ROW;
        size_t width = series ? 2 : row ? t->elem->nfields : 1;
        for (size_t k = 0; k < width; k++, column++) {
            emit_text(em, column > 0 ? ", " : "");
            if (series)
                mr_buf_printf(&em->out, "struct_extract(u%zu, '%s') AS c%zu", i, k == 0 ? "t" : "v", column);
            else if (row)
                mr_buf_printf(&em->out, "struct_extract(u%zu, 'f%zu') AS c%zu", i, k, column);
            else
                mr_buf_printf(&em->out, "u%zu AS c%zu", i, column);
        }
    }
    if (r->ordinality)
        mr_buf_printf(&em->out, ", o AS c%zu", column);
    emit_text(em, " FROM (SELECT ");
    for (size_t i = 0; i < r->nargs; i++) {
        emit_text(em, i > 0 ? ", unnest(" : "unnest(");
        if (!emit_expr(em, r->args[i]))
            return false;
        mr_buf_printf(&em->out, ") AS u%zu", i);
    }
    if (r->ordinality) {
        emit_text(em, ", unnest(generate_series(1, greatest(");
        for (size_t i = 0; i < r->nargs; i++) {
            emit_text(em, i > 0 ? ", len(" : "len(");
            if (!emit_expr(em, r->args[i]))
                return false;
            mr_buf_char(&em->out, ')');
        }
        emit_text(em, "))) AS o");
    }
    if (r->carry != NULL) {
        emit_text(em, " FROM ");
        if (!emit_derived(em, r->carry))
            return false;
    }
    mr_buf_printf(&em->out, ")) AS t%u", r->number);
    return true;
}

/* (left JOIN right ON ...) */
static bool emit_join(struct emitter *em, struct bound_relation *r)
{
    static const char *const texts[] = {" JOIN ", " LEFT JOIN ", " RIGHT JOIN ", " FULL JOIN ",
                                        " CROSS JOIN "};
    bool lateral = (r->right->kind == BOUND_UNNEST || r->right->lateral) && r->join != AST_RIGHT &&
                   r->join != AST_FULL; /* those do not use columns of the left side */
    mr_buf_char(&em->out, '(');
    if (!emit_relation(em, r->left))
        return false;
    emit_text(em, texts[r->join]);
    if (lateral)
        emit_text(em, "LATERAL ");
    if (!emit_relation(em, r->right))
        return false;
    if (r->on != NULL) {
        emit_text(em, " ON ");
        if (!emit_expr(em, r->on))
            return false;
    }
    mr_buf_char(&em->out, ')');
    return true;
}

bool emit_relation(struct emitter *em, struct bound_relation *r)
{
    switch (r->kind) {
    case BOUND_SCAN:
        return emit_scan(em, r);
    case BOUND_DERIVED:
        return emit_derived(em, r);
    case BOUND_WITH:
        if (r->with->references == 1) /* in place: WITH is left out */
            return emit_derived(em, r);
        mr_buf_printf(&em->out, "q%u AS t%u", r->with->number, r->number);
        return true;
    case BOUND_UNNEST:
        return emit_unnest(em, r);
    default:
        return emit_join(em, r);
    }
}

/* ---- blocks ---- */

/* [FROM ...] [WHERE ...] */
static bool emit_source(struct emitter *em, struct bound_query *q)
{
    if (q->from != NULL) {
        emit_text(em, " FROM ");
        if (!emit_relation(em, q->from))
            return false;
    }
    if (q->where != NULL) {
        emit_text(em, " WHERE ");
        if (!emit_expr(em, q->where))
            return false;
    }
    return true;
}

/* GROUP BY 1, 2 | GROUP BY GROUPING SETS ((1, 2), (1), ()) */
static void emit_group_by(struct emitter *em, const struct bound_query *q)
{
    struct mr_buf *out = &em->out;
    if (q->sets == NULL) {
        for (size_t i = 0; i < q->nkeys; i++)
            mr_buf_printf(out, "%s%zu", i == 0 ? " GROUP BY " : ", ", i + 1);
        return;
    }
    emit_text(em, " GROUP BY GROUPING SETS (");
    for (size_t i = 0; i < q->nsets; i++) {
        emit_text(em, i > 0 ? ", (" : "(");
        for (size_t k = 0; k < q->sets[i].nkeys; k++)
            mr_buf_printf(out, "%s%zu", k > 0 ? ", " : "", q->sets[i].keys[k] + 1);
        mr_buf_char(out, ')');
    }
    mr_buf_char(out, ')');
}

/* FROM (SELECT key AS c0, aggregate AS c1 FROM ... */
static bool emit_keys_and_aggregates(struct emitter *em, struct bound_query *q)
{
    bool first = true;
    emit_text(em, " FROM (SELECT ");
    for (size_t i = 0; i < q->nkeys + q->aggregates.n; i++) {
        bool key = i < q->nkeys;
        if (!key && !q->group->columns[i].used)
            continue;
        emit_text(em, first ? "" : ", ");
        first = false;
        if (!emit_expr(em, key ? q->keys[i] : q->aggregates.items[i - q->nkeys]))
            return false;
        mr_buf_printf(&em->out, " AS c%zu", i);
    }
    if (first)
        emit_text(em, "count(*) AS z");
    return emit_source(em, q);
}

/* FROM (SELECT key AS c0, aggregate AS c1 FROM ... GROUP BY 1) AS t1 [WHERE having] */
static bool emit_grouped_source(struct emitter *em, struct bound_query *q)
{
    const struct push *push = push_find(em->cx, q);
    if (em->cx->status != MR_OK)
        return false;
    q->push = push;
    if (push != NULL ? !emit_groups(em, q, push) : !emit_keys_and_aggregates(em, q))
        return false;
    emit_group_by(em, q);
    mr_buf_printf(&em->out, ") AS t%u", q->group->number);
    if (q->having != NULL) {
        emit_text(em, " WHERE ");
        return emit_expr(em, q->having);
    }
    return true;
}

/* SELECT [DISTINCT] outputs source */
static bool emit_select(struct emitter *em, struct bound_query *q)
{
    emit_text(em, q->distinct ? "SELECT DISTINCT " : "SELECT ");
    return emit_outputs(em, q) && (q->grouped ? emit_grouped_source(em, q) : emit_source(em, q));
}

/* SELECT c0, c1 FROM (VALUES (...), (...)) AS v(c0, c1) */
static bool emit_values(struct emitter *em, const struct bound_query *q)
{
    bool first = true;
    emit_text(em, "SELECT ");
    for (size_t i = 0; i < q->noutputs; i++) {
        if (q->outputs[i].used) {
            mr_buf_printf(&em->out, "%sc%zu", first ? "" : ", ", i);
            first = false;
        }
    }
    emit_text(em, first ? "1 AS z FROM (VALUES " : " FROM (VALUES ");
    for (size_t i = 0; i < q->nrows; i++) {
        emit_text(em, i > 0 ? ", (" : "(");
        for (size_t k = 0; k < q->noutputs; k++) {
            if (k > 0)
                emit_text(em, ", ");
            if (!emit_expr(em, q->rows[i][k]))
                return false;
        }
        mr_buf_char(&em->out, ')');
    }
    emit_text(em, ") AS v(");
    for (size_t i = 0; i < q->noutputs; i++)
        mr_buf_printf(&em->out, "%sc%zu", i > 0 ? ", " : "", i);
    mr_buf_char(&em->out, ')');
    return true;
}

static bool is_plain_setop(const struct bound_query *q)
{
    return q->kind == BOUND_SETOP && q->nwith == 0 && q->limit < 0 && q->offset < 0;
}

/* A left side of the same strength needs no parentheses: a chain stays flat. */
static bool emit_branch(struct emitter *em, struct bound_query *q, const struct bound_query *parent,
                        bool left)
{
    bool flat = left && is_plain_setop(q) && (q->op == AST_INTERSECT) == (parent->op == AST_INTERSECT);
    if (!flat)
        mr_buf_char(&em->out, '(');
    if (!emit_query(em, q))
        return false;
    if (!flat)
        mr_buf_char(&em->out, ')');
    return true;
}

/* left UNION [ALL] right */
static bool emit_setop(struct emitter *em, const struct bound_query *q)
{
    static const char *const texts[] = {" UNION ", " INTERSECT ", " EXCEPT "};
    if (!emit_branch(em, q->left, q, true))
        return false;
    emit_text(em, texts[q->op]);
    emit_text(em, q->all ? "ALL " : "");
    return emit_branch(em, q->right, q, false);
}

/* WITH q1 AS (...), for the items used more than once */
static bool emit_with(struct emitter *em, const struct bound_query *q)
{
    const char *before = "WITH ";
    for (size_t i = 0; i < q->nwith; i++) {
        if (q->with[i]->references < 2)
            continue;
        mr_buf_printf(&em->out, "%sq%u AS (", before, q->with[i]->number);
        if (!emit_query(em, q->with[i]->query))
            return false;
        mr_buf_char(&em->out, ')');
        before = ", ";
    }
    if (*before == ',')
        mr_buf_char(&em->out, ' ');
    return true;
}

/* " QUALIFY rank() OVER (ORDER BY x) <= 5 AND row_number() OVER (ORDER BY x) > 2": the rows after OFFSET, up
 * to the equals of the last one */
static bool emit_ties(struct emitter *em, const struct bound_query *q)
{
    int64_t offset = q->offset > 0 ? q->offset : 0, last;
    if (__builtin_add_overflow(q->limit, offset, &last))
        last = INT64_MAX;
    emit_text(em, " QUALIFY rank() OVER (");
    if (!emit_order(em, NULL, q->order, q->norder))
        return false;
    mr_buf_printf(&em->out, ") <= %lld", (long long)last);
    if (q->limit == 0)
        emit_text(em, " AND false");
    if (offset == 0)
        return true;
    emit_text(em, " AND row_number() OVER (");
    if (!emit_order(em, NULL, q->order, q->norder))
        return false;
    mr_buf_printf(&em->out, ") > %lld", (long long)offset);
    return true;
}

bool emit_query(struct emitter *em, struct bound_query *q)
{
    unsigned depth = em->depth;
    bool chain = q->kind == BOUND_SETOP; /* its branches stand beside each other, however many */
    if (!emit_enter(em, q->pos, chain ? 0 : 2) || !emit_with(em, q))
        return false;
    bool ok = q->kind == BOUND_SELECT   ? emit_select(em, q)
              : q->kind == BOUND_VALUES ? emit_values(em, q)
                                        : emit_setop(em, q);
    if (!ok || (q->with_ties && !emit_ties(em, q)) || !emit_order(em, q, q->order, q->norder))
        return false;
    if (q->with_ties) { /* OFFSET is in there */
        em->depth = depth;
        return true;
    }
    if (q->limit >= 0)
        mr_buf_printf(&em->out, " LIMIT %lld", (long long)q->limit);
    if (q->offset > 0)
        mr_buf_printf(&em->out, " OFFSET %lld", (long long)q->offset);
    em->depth = depth;
    return true;
}

/* ---- the plan ---- */

static bool plan_scans(struct emitter *em, struct sql_plan *plan)
{
    struct sql_scan *scans = SQL_ARRAY_NEW(em->cx, em->scans.n, struct sql_scan);
    for (size_t i = 0; scans != NULL && i < em->scans.n; i++) {
        const struct bound_scan *s = em->scans.items[i];
        scans[i] = (struct sql_scan){
            .handle = s->table.handle,
            .database = s->table.database,
            .table = s->table.name,
            .columns = s->columns,
            .kinds = s->kinds,
            .ncolumns = s->ncolumns,
            .time_min = s->time_min,
            .time_max = s->time_max,
            .preds = s->preds,
            .npreds = s->npreds,
            .filters = s->filters,
            .nfilters = s->nfilters,
            .groups = s->groups,
            .why_rows = s->why_rows,
        };
    }
    plan->scans = scans;
    plan->nscans = em->scans.n;
    return scans != NULL;
}

bool emit_statement(struct sql_context *cx, struct bound_query *q, struct sql_plan *plan)
{
    struct emitter em = {.cx = cx, .out = MR_BUF_INIT};
    bool ok = emit_query(&em, q);
    if (ok && !mr_buf_ok(&em.out))
        ok = sql_fail_memory(cx);
    if (ok) {
        plan->duckdb = mr_arena_dup(cx->arena, mr_buf_view(&em.out));
        ok = plan->duckdb.ptr != NULL || sql_fail_memory(cx);
    }
    mr_buf_release(&em.out);
    if (ok && em.scans.n == 1)
        plan->finish = finish_find(cx, q);
    if (ok && em.scans.n == 1 && plan->finish == NULL)
        plan->rows = rows_find(cx, q);
    return ok && plan_scans(&em, plan);
}
