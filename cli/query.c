#include "cli/cli.h"

#include <unistd.h>

#define SQL_MAX ((size_t)262144) /* characters of a statement (query-api reference) */

/* The statement from the command line, or from standard input for "-". */
static int statement(struct cli *cli, struct mr_buf *sql)
{
    if (cli->nwords != 1)
        return cli_misuse(cli, "One statement is needed; quote it.");
    if (strcmp(cli->words[0], "-") != 0) {
        mr_buf_str(sql, mr_str_of(cli->words[0]));
    } else {
        char piece[8192];
        size_t n;
        while ((n = fread(piece, 1, sizeof piece, stdin)) > 0 && sql->len <= 4 * SQL_MAX)
            mr_buf_add(sql, piece, n);
    }
    return mr_buf_ok(sql) ? CLI_OK : CLI_FAILED;
}

static int print_rows(struct cli *cli, struct mr_rows *rows)
{
    struct cli_output *out;
    size_t width = mr_rows_width(rows);
    int next;
    if (cli_output_open(&out, cli->format, stdout, width) != MR_OK)
        return CLI_FAILED;
    for (size_t i = 0; i < width; i++)
        cli_output_name(out, i, mr_rows_column(rows, i)->name);
    while ((next = mr_rows_next(rows, &cli->fault)) == 1) {
        for (size_t i = 0; i < width; i++)
            cli_output_cell(out, mr_rows_cell(rows, i));
        cli_output_row(out);
    }
    int rc = next < 0 ? cli_fault(cli) : CLI_OK;
    if (cli_output_close(out) != MR_OK) {
        fputs("millrace: standard output did not take all rows\n", stderr);
        rc = CLI_FAILED;
    }
    return rc;
}

static int run_query(struct cli *cli, struct mr_text sql)
{
    struct mr_query_request request = {.query_string = sql};
    struct mr_rows *rows = NULL;
    int rc =
        mr_rows_open(cli->client, &request, &rows, &cli->fault) == 0 ? print_rows(cli, rows) : cli_fault(cli);
    mr_rows_close(rows);
    return rc;
}

int cli_query_text(struct cli *cli, const char *sql)
{
    return run_query(cli, mr_text(sql));
}

int cli_query(struct cli *cli)
{
    struct mr_buf sql = MR_BUF_INIT;
    if (cli->nwords == 0 && isatty(STDIN_FILENO))
        return cli_shell(cli);
    int rc = statement(cli, &sql);
    if (rc == CLI_OK)
        rc = run_query(cli, (struct mr_text){sql.ptr, sql.len});
    mr_buf_release(&sql);
    return rc;
}
