/* tests/unit/engine/harness.h - runs hand-written DuckDB SQL through the engine as if sql/ had printed it. */
#ifndef MR_TESTS_ENGINE_HARNESS_H
#define MR_TESTS_ENGINE_HARNESS_H

#include "lib/check.h"

#include "engine/engine.h"

/* One engine for a whole test program: cmocka group set-up and tear-down. */
extern struct engine *harness_engine;
int harness_open(void **state);
int harness_close(void **state);

/* A type from a letter: ? b i l d s D(ate) T(ime) t(imestamp) v(interval day) y(ear interval); [x] array,
 * (xy..) row, <x> time series. The string may hold several; each call reads one. */
const struct sql_type *harness_type(const char **letters, struct mr_arena *arena);

struct harness_case {
    struct mr_arena arena;
    struct sql_plan plan;
};
/* A plan of the SQL with outputs of the types in letters, released by harness_case_release. */
void harness_case_init(struct harness_case *c, const char *sql, const char *types);
void harness_case_release(struct harness_case *c);

/* All rows, one a line, each without {"Data": and }. On an error its status, a blank and its text. */
void harness_run(const struct sql_plan *plan, const struct engine_limits *limits, struct mr_buf *out);

/* The SQL's rows (or error) are exactly `want`. */
void check_rows(const char *sql, const char *types, const char *want);
/* The SELECT of one VARCHAR, BIGINT, ... value: its text; NULL is "null". An error: "! text". */
void check_value(const char *type, const char *expression, const char *want);

struct value_case {
    const char *type, *expression, *want;
};
void check_values(const struct value_case *values, size_t count);
#define CHECK_VALUES(values) check_values(values, MR_ARRAY_LEN(values))

#endif
