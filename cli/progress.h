/* cli/progress.h - one line on a terminal that says how far something is: a bar, the share, count, rate and
 * the time left, as far as the end is known. Nothing at all when standard error is no terminal. */
#ifndef MR_CLI_PROGRESS_H
#define MR_CLI_PROGRESS_H

#include "base/clock.h"

struct cli_progress {
    bool shown;
    bool ever;
    int64_t start_ns, last_ns;
    int64_t total;       /* of what `done` counts: bytes, rows; 0: not known */
    int64_t done_before; /* by an earlier run */
    uint64_t count_before;
};

void cli_progress_start(struct cli_progress *p, int64_t total);
/* Cheap: looks at the clock each time, prints ten times a second at most. */
void cli_progress(struct cli_progress *p, uint64_t count, int64_t done);
/* Wipes the line. */
void cli_progress_end(struct cli_progress *p);

#endif
