#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define BAR 24

void cli_progress_start(struct cli_progress *p, int64_t total)
{
    int64_t now = mr_clock_mono(&mr_clock_system);
    *p = (struct cli_progress){
        .shown = isatty(STDERR_FILENO), .start_ns = now, .last_ns = now, .total = total};
}

static void print_bar(const struct cli_progress *p, int64_t done)
{
    char bar[BAR + 1];
    int full = done < p->total ? (int)(BAR * (double)done / (double)p->total) : BAR;
    memset(bar, '.', BAR);
    memset(bar, '#', (size_t)full);
    bar[BAR] = '\0';
    fprintf(stderr, "[%s] %3d %%  ", bar,
            done < p->total ? (int)(100 * (double)done / (double)p->total) : 100);
}

static void print_left(const struct cli_progress *p, int64_t done, double seconds)
{
    double left = seconds * (double)(p->total - done) / (double)(done - p->done_before);
    if (left < 0)
        left = 0;
    if (left < 100)
        fprintf(stderr, ", %.0f s left", left);
    else if (left < 6000)
        fprintf(stderr, ", %.0f min left", left / 60);
    else
        fprintf(stderr, ", %.0f h left", left / 3600);
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
    fputc('\r', stderr);
    if (p->total > 0)
        print_bar(p, done);
    fprintf(stderr, "%" PRIu64 " records, %.0f/s", count, (double)(count - p->count_before) / seconds);
    if (p->total > 0 && done > p->done_before)
        print_left(p, done, seconds);
    fputs("\033[K", stderr);
    fflush(stderr);
}

void cli_progress_end(struct cli_progress *p)
{
    if (p->ever)
        fputs("\r\033[K", stderr);
}
