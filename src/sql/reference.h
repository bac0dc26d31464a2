/* sql/reference.h - what docs/sql.md says, printed from the tables that the checker itself uses.
 *
 * Thread-safe: constants only. */
#ifndef MR_SQL_REFERENCE_H
#define MR_SQL_REFERENCE_H

#include "base/base.h"

/* A function or clause of the page. `statement` is its example, `rows` what that gives: cells parted by " |
 * ", rows by " / ". */
struct sql_example {
    const char *name;               /* of a function; NULL for a clause */
    const char *prefix, *statement; /* run as one text */
    const char *rows;
};

/* Example number i, NULL beyond the last. */
const struct sql_example *sql_example_at(size_t i);

/* The name of function number i of the binder, each name once; NULL beyond the last. */
const char *sql_function_name(size_t i);

/* Appends docs/sql.md. */
void sql_reference_markdown(struct mr_buf *out);

#endif
