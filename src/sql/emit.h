/* sql/emit.h - printing bound queries as statements for the engine. Private to the emit files.
 *
 * Only what is written in these files and in functions.def can come out, with made-up identifiers (t1, c0,
 * q2, p3) and quoted constants; nothing of the user's text is copied but inside string literals.
 */
#ifndef MR_SQL_EMIT_H
#define MR_SQL_EMIT_H

#include "sql/bound.h"

/* The engine refuses expressions deeper than 250. */
#define EMIT_MAX_DEPTH 240

struct emitter {
    struct sql_context *cx;
    struct mr_buf out;
    struct sql_list scans; /* of struct bound_scan */
    unsigned depth;
    unsigned next_name; /* for the lambdas of patterns */
};

bool emit_query(struct emitter *em, struct bound_query *q);
bool emit_expr(struct emitter *em, const struct bound_expr *e);
bool emit_relation(struct emitter *em, struct bound_relation *r);
/* ORDER BY list; q gives the positions of outputs, NULL inside aggregates and windows. */
bool emit_order(struct emitter *em, const struct bound_query *q, const struct bound_order *order, size_t n);
bool emit_aggregate(struct emitter *em, const struct bound_expr *e);
bool emit_pattern(struct emitter *em, const struct bound_expr *e);
bool emit_special(struct emitter *em, const struct bound_expr *e); /* patterns that begin with '!' */
/* One level deeper; false after the nesting error or when the statement grew too long. */
bool emit_enter(struct emitter *em, size_t pos, unsigned levels);
void emit_text(struct emitter *em, const char *text);

#endif
