/* sql/emit_groups.c - a grouped query over a scan's groups: the parts of each group are put together here. */
#include "sql/emit.h"
#include "sql/push.h"

/* What stands for an aggregate of the query. The scan has counted and added up; a group may come in parts. */
static void emit_part(struct emitter *em, const struct bound_relation *r, const struct sql_part *a)
{
    static const char *const texts[] = {
        [SQL_PART_COUNT] = "CAST(coalesce(sum($), 0) AS BIGINT)",
        [SQL_PART_SUM] = "sum($)",
        [SQL_PART_SUM_NARROW] = "mr_narrow_sum(sum($))",
        [SQL_PART_MIN] = "min($)",
        [SQL_PART_MAX] = "max($)",
        [SQL_PART_AVG] = "CAST(sum($) AS DOUBLE) / sum(#)",
        [SQL_PART_LAST] = "arg_max_null($, #)",
        [SQL_PART_FIRST] = "arg_min_null($, #)",
        [SQL_PART_VAR_POP] = "mr_join_var_pop($, #, @)",
        [SQL_PART_VAR_SAMP] = "mr_join_var_samp($, #, @)",
        [SQL_PART_STDDEV_POP] = "mr_join_stddev_pop($, #, @)",
        [SQL_PART_STDDEV_SAMP] = "mr_join_stddev_samp($, #, @)",
    };
    for (const char *p = texts[a->how]; *p != '\0'; p++) {
        if (*p == '$' || *p == '#' || *p == '@')
            mr_buf_printf(&em->out, "t%u.c%zu", r->number, *p == '$' ? a->column : a->other + (*p == '@'));
        else
            mr_buf_char(&em->out, *p);
    }
}

/* FROM (SELECT t0.c0 AS c0, sum(t0.c1) AS c1 FROM mr_scan(0) AS t0 GROUP BY 1) AS t1 */
bool emit_groups(struct emitter *em, struct bound_query *q, const struct push *push)
{
    struct bound_scan *scan = q->from->scan;
    bool first = true;
    emit_text(em, " FROM (SELECT ");
    for (size_t i = 0; i < q->nkeys + q->aggregates.n; i++) {
        bool key = i < q->nkeys;
        if (!key && !q->group->columns[i].used)
            continue;
        emit_text(em, first ? "" : ", ");
        first = false;
        if (key)
            mr_buf_printf(&em->out, "t%u.c%zu", q->from->number, push->keys[i]);
        else
            emit_part(em, q->from, &push->aggregates[i - q->nkeys]);
        mr_buf_printf(&em->out, " AS c%zu", i);
    }
    if (first)
        emit_text(em, "count(*) AS z");
    scan->number = em->scans.n;
    scan->groups = push->groups;
    mr_buf_printf(&em->out, " FROM mr_scan(%zu) AS t%u", scan->number, q->from->number);
    return sql_push(em->cx, &em->scans, scan);
}
