/* cli/cli.h - the command line beside `millrace serve`: a thin layer over libmillrace.
 *
 * Exit status: 0 done, 1 the service or the network said no (the reason is on stderr), 2 the command line
 * makes no sense.
 */
#ifndef MR_CLI_CLI_H
#define MR_CLI_CLI_H

#include <stdio.h>

#include "base/base.h"
#include "millrace.h"

#define CLI_OK 0
#define CLI_FAILED 1
#define CLI_USAGE 2

/* Runs the command argv[0] with its arguments; *known is false when there is no such command. */
int cli_run(int argc, char **argv, bool *known);
/* The text of `millrace COMMAND --help`; false when there is no such command. */
bool cli_help(const char *command, FILE *out);
/* One line for each command, for `millrace --help`. */
void cli_list(FILE *out);

/* ---- for the commands ---- */

enum cli_format {
    CLI_TABLE,
    CLI_CSV,
    CLI_JSON, /* one object a line */
};

/* What every command understands; the rest of argv is its own. */
struct cli {
    const char *command;
    const char *usage; /* printed by --help and after a mistake */
    struct mr_options options;
    enum cli_format format;
    const char *database, *table, *rejects, *input; /* -d, -t, --rejects, --input-format */
    const char *spool;
    const char *resume;                             /* of import and export */
    const char *from, *to, *output, *output_format; /* of export */
    const char *time_column, *time_unit, *dimensions, *measures, *measure_name, *measure_name_column,
        *delimiter, *escape; /* of import */
    bool create, verify;
    const char *memory, *magnetic, *give_up;        /* as given */
    int64_t memory_hours, magnetic_days, give_up_s; /* 0: not given */
    char **words;                                   /* what is no option */
    int nwords;
    struct mr_client *client;
    struct mr_fault fault;
};

/* One file a command. */
int cli_query(struct cli *cli);
int cli_write(struct cli *cli);
int cli_import(struct cli *cli);
int cli_export(struct cli *cli);
int cli_databases(struct cli *cli);
int cli_tables(struct cli *cli);
int cli_tags(struct cli *cli);
/* These work on files and read their own options. */
int cli_user(const char *usage, int argc, char **argv);
int cli_policy(const char *usage, int argc, char **argv);

/* Runs one statement and prints its rows. */
int cli_query_text(struct cli *cli, const char *sql);
/* Reads statements from the terminal until its end. */
int cli_shell(struct cli *cli);
bool cli_take_format(struct cli *cli, const char *word);

/* "database"."table" of the options, and a text in quotes, as they stand in a statement. */
void cli_table_name(struct mr_buf *sql, const struct cli *cli);
void cli_quote_text(struct mr_buf *sql, const char *text);

/* Prints "millrace: CODE: message" and gives CLI_FAILED. */
int cli_fault(struct cli *cli);
/* Prints the text and the usage, and gives CLI_USAGE. */
int cli_misuse(struct cli *cli, const char *fmt, ...) MR_PRINTF(2, 3);

/* ---- rows on stdout ---- */

struct cli_output;

/* A table is laid out by its first rows, which are held back until there are enough or no more. */
int cli_output_open(struct cli_output **out, enum cli_format format, FILE *file, size_t columns);
/* Before the first row. */
void cli_output_name(struct cli_output *out, size_t column, struct mr_text name);
void cli_output_cell(struct cli_output *out, const struct mr_cell *cell);
/* A text and a number as cells, for lists that come from elsewhere. */
void cli_output_text(struct cli_output *out, struct mr_text text);
void cli_output_int(struct cli_output *out, struct mr_int v);
/* After the last cell of a row. */
void cli_output_row(struct cli_output *out);
/* MR_OK, MR_ENOMEM, or MR_EIO when the file did not take it. Frees in any case. */
int cli_output_close(struct cli_output *out);

/* ---- Influx line protocol ---- */

/* One line to one multi-measure record: measurement, tags, fields and a timestamp in nanoseconds become
 * measure name, dimensions, measure values and time. Everything points into the arena. false with *why when
 * the line is none; a blank line or a comment gives true and record->measure_name.ptr NULL. Without a
 * timestamp `now` is taken. */
bool cli_line(struct mr_str line, int64_t now_ns, struct mr_arena *arena, struct mr_record *record,
              const char **why);

#endif
