/* cli/input.h - a file of lines, compressed by gzip or not, from a name or standard input. */
#ifndef MR_CLI_INPUT_H
#define MR_CLI_INPUT_H

#include "base/base.h"

#define CLI_LINE_MAX ((size_t)1 << 20)

struct cli_input;

/* "-" is standard input. Fails with a word on standard error and NULL. */
struct cli_input *cli_input_open(const char *path);
/* 1: a line with its end, as far as it has one, valid until the next call; 0: no more; -1: the file cannot be
 * read or unpacked to its end, said on standard error. Of a line longer than CLI_LINE_MAX the beginning comes
 * and *cut says so. */
int cli_input_line(struct cli_input *in, struct mr_str *line, bool *cut);
/* Bytes of the file, as it lies there: read so far, and in all (0: not known). */
int64_t cli_input_done(struct cli_input *in);
int64_t cli_input_size(const struct cli_input *in);
void cli_input_close(struct cli_input *in);

#endif
