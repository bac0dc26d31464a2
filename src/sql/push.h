/* sql/push.h - grouped queries whose rows a scan can aggregate itself.
 *
 * The shape: one block over one table; WHERE is wholly said by the scan's bounds, predicates and filters (or
 * there is none); keys are dimensions, measure_name, and at most one of time, bin(time, ...) and date_trunc
 * of a fixed width; aggregates are count, sum, avg, min, max, variances and standard deviations, and max_by
 * and min_by over time, of plain columns of values, which may be of the rows of one measure name alone (CASE
 * WHEN measure_name = ..., FILTER). What stands on top (HAVING, ORDER BY, expressions, joins with other
 * blocks) may be anything. Private to sql/.
 */
#ifndef MR_SQL_PUSH_H
#define MR_SQL_PUSH_H

#include "sql/bound.h"

/* How the query is computed from the scan's groups. */
struct push {
    const struct sql_groups *groups;
    const size_t *keys;                /* the column of each key */
    const struct sql_part *aggregates; /* of those that are used */
};

/* NULL: rows are to be read; the scan then says why. Also NULL after a failure, which the context has. The
 * columns must be marked. */
const struct push *push_find(struct sql_context *cx, const struct bound_query *q);

/* emit_groups.c: "FROM (SELECT keys, aggregates FROM mr_scan(n) AS t0", for the push found. */
struct emitter;
bool emit_groups(struct emitter *em, struct bound_query *q, const struct push *push);

/* finish.c: how the groups alone give the rows of the statement, whose blocks have been emitted; NULL: they
 * do not, or memory is out. */
const struct sql_finish *finish_find(struct sql_context *cx, const struct bound_query *q);

/* The same for the rows of a scan. */
const struct sql_rows *rows_find(struct sql_context *cx, const struct bound_query *q);

/* push_where.c: every row within the scan's bounds, predicates and filters fulfils the condition. */
bool push_where_is_said(const struct bound_relation *r, const struct bound_expr *e);

#endif
