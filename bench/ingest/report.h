/* bench/ingest/report.h - what a run measured, as JSON for programs and a table for people. */
#ifndef MR_BENCH_INGEST_REPORT_H
#define MR_BENCH_INGEST_REPORT_H

#include "base/base.h"

/* Latencies of one connection, in microseconds; every one is kept, so percentiles are exact. */
struct report_latencies {
    uint32_t *us; /* owned */
    size_t n, cap;
};

struct report {
    const char *shape;
    unsigned connections, batch, values_per_record;
    uint64_t hosts;                        /* distinct hosts written */
    uint64_t requests, errors, body_bytes; /* requests: answered with 200; errors: all others */
    double seconds;                        /* from the first request to the last answer */
    double server_cpu_s, own_cpu_s;        /* server_cpu_s is negative without --pid */
    char first_error[512];
};

/* Seconds of user and system time of a process so far; negative when it cannot be read. */
double report_cpu_of(long pid);
double report_cpu_own(void);

/* JSON on one line to stdout, the table to stderr. Sorts the latencies. */
void report_print(const struct report *report, struct report_latencies *latencies);

#endif
