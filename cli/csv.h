/* cli/csv.h - one row of CSV from one or more lines.
 *
 * A cell in double quotes may hold delimiters and ends of lines; a quote in it is written twice (RFC 4180).
 * With an escape character, as UNLOAD writes, that one and the character behind it stand for the latter, in
 * quotes and outside. A row ends with LF or CRLF.
 */
#ifndef MR_CLI_CSV_H
#define MR_CLI_CSV_H

#include "base/base.h"

#define CLI_CSV_COLUMNS 2048
#define CLI_CSV_BYTES ((size_t)4 << 20) /* of a row */

enum cli_csv_result {
    CLI_CSV_ROW,  /* a whole row is there */
    CLI_CSV_MORE, /* the row goes on in the next line */
    CLI_CSV_BAD,  /* no row; `why` says so. The next line begins a new one */
    CLI_CSV_STOP, /* a quote was opened long ago, or memory is short: what follows would make no sense */
};

/* Starts zeroed but for the first two. */
struct cli_csv {
    char delimiter;
    int escape; /* a character, or -1 */

    int state;
    bool begun, broken;
    struct mr_buf raw;  /* the row as it stands in the file */
    struct mr_buf text; /* its cells, one behind the other */
    size_t *ends;       /* CLI_CSV_COLUMNS; allocated at the first row */
    size_t len;         /* cells */
    const char *why;
};

/* The next line, its end included; one without an end is the last. */
enum cli_csv_result cli_csv_feed(struct cli_csv *csv, struct mr_str line);
/* Of a whole row, valid until the next feed. */
struct mr_str cli_csv_cell(const struct cli_csv *csv, size_t i);
void cli_csv_release(struct cli_csv *csv);

#endif
