/* server/care_commands.h - `millrace check` and `millrace dump`: what an operator asks of a data directory.
 *
 * Exit status: 0 nothing wrong, 1 damage was found, 2 it could not be done (the reason is on stderr).
 */
#ifndef MR_SERVER_CARE_COMMANDS_H
#define MR_SERVER_CARE_COMMANDS_H

#include "base/base.h"

#include <stdio.h>

/* Runs the command argv[0]; *known is false when it is none of these. */
int care_command(int argc, char **argv, bool *known);
/* The text of --help; false: no such command. */
bool care_command_help(const char *name, FILE *out);
/* One line for each, for `millrace --help`. */
void care_command_list(FILE *out);

#endif
