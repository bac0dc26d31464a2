/* server/backup_commands.h - `millrace backup` and `millrace restore`.
 *
 * Exit status: 0 done, 1 the restored data is damaged, 2 it could not be done (stderr says why). */
#ifndef MR_SERVER_BACKUP_COMMANDS_H
#define MR_SERVER_BACKUP_COMMANDS_H

#include <stdbool.h>
#include <stdio.h>

/* Runs argv[0]; *known false: it is neither. */
int backup_command(int argc, char **argv, bool *known);
bool backup_command_help(const char *name, FILE *out);
void backup_command_list(FILE *out);

#endif
