/* catalog/sums.h - a sum over all rows of the catalog, so that a flipped bit in a value is noticed.
 *
 * SQLite's own check sees damage to the shape of its pages and not to what rows say. Triggers keep the sum,
 * so it changes in the transaction that changes the rows, whatever statement does it: the 64-bit XXH3 hash of
 * each row (of its table's name, and of type, length and bytes of each column) is added when the row comes
 * and subtracted when it goes, modulo 2^64. Beside it stand the highest ids ever given, which SQLite keeps
 * where no trigger reaches. docs/format/catalog.md has the layout. Not a secret, not against forgers: who can
 * write the file can write the sum.
 */
#ifndef MR_CATALOG_SUMS_H
#define MR_CATALOG_SUMS_H

#include "base/base.h"

#include <sqlite3.h>

/* Gives the connection the functions that the triggers call; without them it can read and not write. Returns
 * SQLite's code. */
int sums_register(sqlite3 *handle);

/* Makes the table of sums and the triggers, over the rows that are there. In a transaction of the caller's.
 * Returns SQLite's code. */
int sums_make(sqlite3 *handle);

/* Adds up all rows: SQLITE_OK and *same, or SQLite's code. */
int sums_check(sqlite3 *handle, bool *same);

#endif
