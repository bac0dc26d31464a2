/* cli/progress.h - one line on a terminal that says how far something is: count, rate, and with a known end
 * the share and the time left. Nothing at all when standard error is no terminal. */
#ifndef MR_CLI_PROGRESS_H
#define MR_CLI_PROGRESS_H

#include "base/clock.h"

struct cli_progress {
    bool shown;
    bool ever;
    int64_t start_ns, last_ns;
    int64_t total; /* bytes of the input; 0: not known */
};

void cli_progress_start(struct cli_progress *p, int64_t total);
/* Cheap: looks at the clock each time, prints ten times a second at most. */
void cli_progress(struct cli_progress *p, uint64_t count, int64_t done);
/* Wipes the line. */
void cli_progress_end(struct cli_progress *p);

#endif
