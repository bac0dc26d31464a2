#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

void cli_progress_start(struct cli_progress *p, int64_t total)
{
    int64_t now = mr_clock_mono(&mr_clock_system);
    *p = (struct cli_progress){
        .shown = isatty(STDERR_FILENO), .start_ns = now, .last_ns = now, .total = total};
}

void cli_progress(struct cli_progress *p, uint64_t count, int64_t done)
{
    if (!p->shown)
        return;
    int64_t now = mr_clock_mono(&mr_clock_system);
    if (now - p->last_ns < MR_NS_PER_S / 10)
        return;
    double seconds = (double)(now - p->start_ns) / (double)MR_NS_PER_S;
    p->last_ns = now;
    p->ever = true;
    fprintf(stderr, "\r%" PRIu64 " records, %.0f/s", count, (double)count / seconds);
    if (p->total > 0 && done > 0)
        fprintf(stderr, ", %d %%, %.0f s left", (int)(100 * (double)done / (double)p->total),
                seconds * (double)(p->total - done) / (double)done);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->ever)
        fputs("\r\033[K", stderr);
}
