/* tests/unit/sql/cases.h - the golden files of tests/sql: <area>/<name>.sql with .emit or .err beside it. */
#ifndef MR_TESTS_SQL_CASES_H
#define MR_TESTS_SQL_CASES_H

#include "base/base.h"

struct sql_case {
    char path[256]; /* below tests/sql, without extension: "prune/like" */
    char *text;     /* the statement, NUL-terminated; owned */
    size_t len;
};

/* All of them, sorted by path. Fails the test when there are none. */
struct sql_case *cases_load(size_t *n);
void cases_free(struct sql_case *cases, size_t n);

/* The file beside a case, NULL when there is none. Owned by the caller (free). */
char *case_read(const struct sql_case *c, const char *extension);
void case_write(const struct sql_case *c, const char *extension, struct mr_str text);

#endif
