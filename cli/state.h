/* cli/state.h - how far a long command is, in a file that replaces itself whole, for the next run to go on.
 */
#ifndef MR_CLI_STATE_H
#define MR_CLI_STATE_H

#include "base/base.h"

struct cli_state_field {
    const char *name;
    int64_t *value;
};

struct cli_state {
    const char *path; /* NULL: nothing is kept */
    uint32_t job;     /* of what: a state of another job is refused */
    const struct cli_state_field *fields;
    size_t len;
};

/* Fills the fields when there is a file. CLI_OK with *found, or CLI_FAILED after a word on standard error. */
int cli_state_load(const struct cli_state *state, bool *found);
/* On disk when it returns. CLI_OK, or CLI_FAILED after a word on standard error. */
int cli_state_save(const struct cli_state *state);

#endif
