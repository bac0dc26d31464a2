/* Records from a file or standard input, as they come, through the batching writer. */
#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "cli/input.h"
#include "cli/load.h"
#include "cli/progress.h"

/* By stdio, not by cli_input: a line from a pipe is written when it comes, not when a block is full. */
static int take_lines(struct cli_load *load, FILE *in, struct cli_progress *progress, bool influx)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    uint64_t lines = 0;
    int64_t read = 0;
    int rc = CLI_OK;
    while (rc == CLI_OK && (len = getline(&line, &room, in)) >= 0) {
        read += len;
        cli_progress(progress, lines++, read);
        if ((size_t)len > CLI_LINE_MAX)
            cli_load_bad(load, "the line is longer than 1 MiB", MR_STR(""));
        else
            rc = cli_load_line(load, (struct mr_str){line, (size_t)len}, influx);
    }
    if (ferror(in)) {
        fputs("millrace: the input cannot be read\n", stderr);
        rc = CLI_FAILED;
    }
    free(line);
    return rc;
}

int cli_write(struct cli *cli)
{
    struct cli_load load = {.writer = NULL};
    struct cli_progress progress;
    struct stat st;
    bool influx = cli->input != NULL && strcmp(cli->input, "line") == 0;
    if (cli->database == NULL || cli->table == NULL || cli->nwords > 1)
        return cli_misuse(cli, "A database, a table and at most one file are needed.");
    if (cli->input != NULL && !influx && strcmp(cli->input, "json") != 0)
        return cli_misuse(cli, "\"%s\" is no input format.", cli->input);
    bool file = cli->nwords == 1 && strcmp(cli->words[0], "-") != 0;
    FILE *in = file ? fopen(cli->words[0], "r") : stdin;
    if (in == NULL) {
        fprintf(stderr, "millrace: %s: %s\n", cli->words[0], strerror(errno));
        return CLI_FAILED;
    }
    cli_progress_start(&progress, fstat(fileno(in), &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0);
    int rc = cli_load_open(&load, cli, 0);
    if (rc == CLI_OK)
        rc = take_lines(&load, in, &progress, influx);
    cli_progress_end(&progress);
    rc = cli_load_close(&load, rc);
    if (file)
        fclose(in);
    return rc;
}
