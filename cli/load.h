/* cli/load.h - records on their way into a table: what `write` and `import` share.
 *
 * Records go through the library's batching writer. What cannot be written is counted, the first five are
 * named on standard error, and the file of rejects takes every one as a line of JSON.
 */
#ifndef MR_CLI_LOAD_H
#define MR_CLI_LOAD_H

#include <pthread.h>

#include "cli/cli.h"

struct cli_load {
    struct cli *cli;
    struct mr_writer *writer;
    pthread_mutex_t lock;    /* guards what is below: the writer's threads report, too */
    FILE *rejects;           /* NULL: only counted */
    uint64_t refused, named; /* of this run and of the ones it continues; told on standard error */
    uint64_t written_before; /* by the runs that this one continues */
    bool rejects_failed;
    bool stops; /* set before opening: a service that stays away ends the job instead of refusing records */
    uint64_t unsent; /* records that it stayed away for */
};

/* Asks for the table, so that a wrong name or key is said once, and opens the writer and the file of rejects;
 * `keep` bytes of the latter stay (0: it begins anew). CLI_OK, or CLI_FAILED after a word on standard error;
 * close in any case. */
int cli_load_open(struct cli_load *load, struct cli *cli, int64_t keep);
/* Hands over one record; `text` is where it came from, for the file of rejects. CLI_OK also when the record
 * is refused: the others go on. */
int cli_load_record(struct cli_load *load, const struct mr_record *record, struct mr_str text);
/* The same for a line of JSON or of Influx line protocol. A blank line is nothing. */
int cli_load_line(struct cli_load *load, struct mr_str line, bool influx);
/* Counts what is no record. */
void cli_load_bad(struct cli_load *load, const char *why, struct mr_str text);
/* The service stayed away too long, with `stops`: what was handed over is not all written or refused. */
bool cli_load_stopped(struct cli_load *load);
/* Waits until every record has ended, and the file of rejects is on its way to the disk. *written counts the
 * earlier runs too; *rejects is the length of that file. */
int cli_load_flush(struct cli_load *load, uint64_t *written, int64_t *rejects);
/* Flushes, ends and prints what became of the records; rc is the verdict so far, and what comes back the one
 * for exit: CLI_FAILED also when something was refused. */
int cli_load_close(struct cli_load *load, int rc);

#endif
