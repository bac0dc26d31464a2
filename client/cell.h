/* client/cell.h - one value of a result, from its text to C (query-api reference 7). */
#ifndef MR_CLIENT_CELL_H
#define MR_CLIENT_CELL_H

#include "base/base.h"
#include "millrace.h"
#include "model/model.h"

#define CELL_DEPTH 64 /* arrays in rows in arrays; JSON itself ends there too */

/* Reads a datum as its column's type says; elements go into the arena. Scalars whose text does not fit the C
 * form of their type become MR_CELL_TEXT. MR_OK; MR_EINVAL when the datum does not have the type's structure;
 * MR_ENOMEM. */
int client_cell_read(const struct model_type *type, const struct model_datum *datum, struct mr_arena *arena,
                     struct mr_cell *out);

/* "2023-03-09 06:47:15.209000000" to nanoseconds since the epoch; up to nine digits of fraction, or none.
 * false when it is none, or outside what 64 bits hold (1677 to 2262). */
bool client_cell_timestamp(struct mr_str text, int64_t *ns);

#endif
