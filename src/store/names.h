/* store/names.h - files of names: what makes the numbers in segments mean something.
 *
 * A segment names its rows by numbers of series and columns. The names behind them were only in the log,
 * which is trimmed after a flush; so a flush writes what is new among a table's columns, measure names and
 * series to a file of its own, "names-<number>.mrn", before it commits the segments. All files of names of a
 * table together, in the order of their numbers, are its catalog: a start reads them, then the log. Layout:
 * docs/format/names.md.
 *
 * Files are sealed by the newest data key of the database and bound to database, table and number.
 *
 * Thread-safety: both functions take the table's lock themselves, in steps of a few milliseconds. Writers of
 * one table are serialised by the caller; nobody else uses a table that is being read into.
 */
#ifndef MR_STORE_NAMES_H
#define MR_STORE_NAMES_H

#include "magstore/manifest.h"
#include "memstore/memstore.h"
#include "seal/seal.h"

/* Writes the columns from `first_column` on, measure names from `first_measure` on and series from
 * `first_series` on that exist when this is called, and some of those that come while it runs; *end_columns,
 * *end_measures and *end_series are the first numbers that are not in the file. (Columns 0 and 1 are in every
 * table and in no file: first_column 0 means 2.) Series that died are left out. `out` is what the manifest
 * has to say of the file: rows counts the series, time_min is above time_max.
 * The file is durable under its name when this returns MR_OK. A failed sync ends the process (reliability
 * rule 2); after any other failure at most a temporary file is left. MR_ENOSPC, MR_EIO, MR_ENOMEM. */
int names_write(const struct mr_io *io, const char *dir, struct seal_keyring *keyring, uint64_t database,
                uint64_t table, uint64_t number, struct mem_table *mem, uint32_t first_column,
                uint32_t first_measure, uint32_t first_series, struct magstore_file *out,
                uint32_t *end_columns, uint32_t *end_measures, uint32_t *end_series, struct mr_error *err);

/* Loads the file into the table; its series get the file time (mem_load_filed), series loaded after it none,
 * and the table's next series number is at least what it was when the file was written. Files of a table are
 * read in the order of their numbers. MR_ECORRUPT: names the file and the offset. MR_ENOENT: no such file,
 * or its key was forgotten. After a failure the table is unusable. mem NULL: everything is checked and
 * nothing is loaded. */
int names_read(const struct mr_io *io, const char *dir, struct seal_keyring *keyring,
               const struct magstore_file *file, struct mem_table *mem, int64_t file_time,
               struct mr_error *err);

#endif
