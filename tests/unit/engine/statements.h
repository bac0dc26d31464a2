/* Random statements over the table d.t of groups.c: grouped ones as a rule, and some of plain rows. */
#ifndef MR_TESTS_ENGINE_STATEMENTS_H
#define MR_TESTS_ENGINE_STATEMENTS_H

#include "base/base.h"
#include "base/rand.h"

/* Appends one. twins: rows have the same times, so none asks what is not defined then. */
void random_statement(struct mr_rng *rng, bool twins, struct mr_buf *out);

#endif
