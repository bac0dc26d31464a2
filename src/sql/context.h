/* sql/context.h - what every stage of the room shares: the text, the arena, the first error and the caps.
 *
 * A stage that fails reports once through sql_fail* and returns NULL or false all the way up; sql_prepare
 * turns context->status into its result. Running out of arena is noticed the same way, by a NULL.
 */
#ifndef MR_SQL_CONTEXT_H
#define MR_SQL_CONTEXT_H

#include "sql/sql.h"

/* Caps. Each has an error that names it (reliability page: text, branches, joins, nesting, columns). */
#define SQL_MAX_TEXT 262144
#define SQL_MAX_NESTING 200
#define SQL_MAX_BRANCHES 500
#define SQL_MAX_JOINS 50
#define SQL_MAX_COLUMNS 2000
#define SQL_MAX_NODES 100000
#define SQL_MAX_EMITTED (16u << 20) /* bytes of the statement for the engine */

/* A growing array of pointers in the arena. */
struct sql_list {
    void **items;
    size_t n, cap;
};

struct sql_context {
    struct mr_str text;
    const struct sql_env *env;
    struct mr_arena *arena;
    struct sql_error *error;
    int status;   /* MR_OK until the first failure */
    size_t nodes; /* syntax nodes so far */
    size_t joins, branches;
    size_t outer_names;     /* names found in a query around so far */
    size_t doubled;         /* FULL JOINs written as two queries */
    unsigned next_table;    /* number of the next t<N>, q<N>, p<N> */
    struct sql_list params; /* unbound parameters in order of use (bound_expr) */
};

/* Records a failure whose message starts with "line L:C: " of byte offset pos. Always returns false. */
bool sql_fail(struct sql_context *cx, size_t pos, const char *fmt, ...) MR_PRINTF(3, 4);
/* The message alone; %L in no format: the position goes to error->line and column only. */
bool sql_fail_plain(struct sql_context *cx, size_t pos, const char *fmt, ...) MR_PRINTF(3, 4);
/* "The query syntax is invalid at line L:C". */
bool sql_fail_syntax(struct sql_context *cx, size_t pos);
bool sql_fail_memory(struct sql_context *cx);

/* Line and column (code points, both from 1) of a byte offset. */
void sql_position(struct mr_str text, size_t pos, unsigned *line, unsigned *column);

/* Zeroed arena memory; NULL after sql_fail_memory. */
void *sql_alloc(struct sql_context *cx, size_t size);
void *sql_array(struct sql_context *cx, size_t count, size_t size);

#define SQL_NEW(cx, type) ((type *)sql_alloc((cx), sizeof(type)))
#define SQL_ARRAY_NEW(cx, count, type) ((type *)sql_array((cx), (count), sizeof(type)))

bool sql_push(struct sql_context *cx, struct sql_list *list, void *item);

#endif
