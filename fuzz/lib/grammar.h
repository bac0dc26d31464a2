/* fuzz/lib/grammar.h - statements grown from bytes: each byte is a choice of the grammar, so that a fuzzer's
 * mutations change the shape of a statement and not its letters.
 *
 * Expressions are typed as the binder types them, their functions come from its own table; a small share is
 * made wrong on purpose. When the bytes run out the shortest choices are taken, so every input ends.
 */
#ifndef MR_FUZZ_GRAMMAR_H
#define MR_FUZZ_GRAMMAR_H

#include "base/base.h"

/* Tables the statement may read: "database.table" and its columns with types in the letters of
 * sql/functions.c. */
struct grammar_column {
    const char *name, *type;
};
struct grammar_table {
    const char *name;
    const struct grammar_column *columns;
    size_t ncolumns;
};

/* Appends one statement. */
void grammar_statement(const uint8_t *data, size_t size, const struct grammar_table *table,
                       struct mr_buf *out);

#endif
