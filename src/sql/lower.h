/* sql/lower.h - the last change to a checked query before it is printed: what the engine cannot run where the
 * user wrote it moves to where it can. After pruning, which knows conditions by their shape; before marking.
 */
#ifndef MR_SQL_LOWER_H
#define MR_SQL_LOWER_H

#include "sql/bound.h"

bool lower_query(struct sql_context *cx, struct bound_query *q);

/* Of the files of this stage. */
bool lower_groups(struct sql_context *cx, struct bound_query *q);
bool lower_windows(struct sql_context *cx, struct bound_query *q);
bool lower_makes_lambda(const struct bound_expr *e); /* the engine's text for it has one */
bool bound_is_local(const struct bound_query *q, const struct bound_relation *r);

#endif
