/* sql/types.h - SQL types: the scalars are constants, the others are built in the arena and compared by
 * shape. */
#ifndef MR_SQL_TYPES_H
#define MR_SQL_TYPES_H

#include "sql/ast.h"

const struct sql_type *sql_scalar(enum sql_kind kind); /* a constant; not for ARRAY, ROW, TIMESERIES */
/* NULL when memory ended. */
const struct sql_type *sql_array_of(struct sql_context *cx, const struct sql_type *elem);
const struct sql_type *sql_series_of(struct sql_context *cx, const struct sql_type *value);
const struct sql_type *sql_row_of(struct sql_context *cx, const struct sql_field *fields, size_t n);

bool sql_type_equal(const struct sql_type *a, const struct sql_type *b); /* field names do not count */
/* Price of an implicit coercion (reference 3.2): 0 same, more for farther, -1 when there is none. */
int sql_coercion(const struct sql_type *from, const struct sql_type *to);
/* The type both coerce to: NULL when there is none (or memory ended: the context tells). */
const struct sql_type *sql_common_type(struct sql_context *cx, const struct sql_type *a,
                                       const struct sql_type *b);
bool sql_is_numeric(const struct sql_type *t);
bool sql_is_comparable(const struct sql_type *t); /* for = and GROUP BY */
bool sql_is_orderable(const struct sql_type *t);  /* for < and ORDER BY */

/* The written type; NULL after "Unknown type: x". */
const struct sql_type *sql_type_of_ast(struct sql_context *cx, const struct ast_type *type);
/* Appends the engine's type, e.g. STRUCT(f0 BIGINT, f1 VARCHAR)[]. */
void sql_engine_type(const struct sql_type *t, struct mr_buf *out);

#endif
