/* cli/parquet.h - the rows of a Parquet file, each cell as the text that a record wants.
 *
 * The one place outside src/engine that speaks to DuckDB, through a database of its own in memory: no
 * extension is loaded, one thread reads, rows come in the order of the file.
 */
#ifndef MR_CLI_PARQUET_H
#define MR_CLI_PARQUET_H

#include "base/base.h"
#include "millrace.h"

struct cli_parquet;

/* MR_OK, MR_ENOMEM, or MR_EINVAL with the error set: no such file, or it is none. */
int cli_parquet_open(struct cli_parquet **out, const char *path, struct mr_error *err);
size_t cli_parquet_width(const struct cli_parquet *p);
struct mr_str cli_parquet_name(const struct cli_parquet *p, size_t column);
/* MR_SCALAR_TYPE_UNKNOWN: a list, a struct, or another type without a place in a record; its cells are NULL.
 */
enum mr_scalar_type cli_parquet_type(const struct cli_parquet *p, size_t column);
/* Stored as INT96, of which DuckDB keeps microseconds. */
bool cli_parquet_coarse(const struct cli_parquet *p, size_t column);
/* 1: there is a row; 0: no more; -1: the file broke off, the error is set. */
int cli_parquet_next(struct cli_parquet *p, struct mr_error *err);
/* Times are nanoseconds since the epoch, NULL has ptr NULL. Valid until the next row. */
struct mr_str cli_parquet_cell(const struct cli_parquet *p, size_t column);
void cli_parquet_close(struct cli_parquet *p);

#endif
