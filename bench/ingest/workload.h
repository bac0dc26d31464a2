/* bench/ingest/workload.h - the bodies: readings of host CPUs in time order, never the same twice.
 *
 * Hosts have ten tags and ten readings that walk at random between 0 and 100. A stream is what one request
 * covers: in shape `multi` one host over `batch` steps, in shape `single` a group of hosts at one step, one
 * record per reading. When the time of a stream reaches the present, its hosts are replaced by new ones that
 * start over at the oldest time; so times stay within the chosen hours and every (host, reading, time) occurs
 * once.
 */
#ifndef MR_BENCH_INGEST_WORKLOAD_H
#define MR_BENCH_INGEST_WORKLOAD_H

#include "base/base.h"
#include "base/rand.h"

enum { WORKLOAD_READINGS = 10, WORKLOAD_HOSTS = 100 };

enum workload_shape { WORKLOAD_SINGLE, WORKLOAD_MULTI };

struct workload {
    enum workload_shape shape;
    unsigned batch;   /* records a request, 1 to 100 */
    unsigned streams; /* in all, at least workload_least_streams */
    const char *database, *table;
    int64_t first_ms, last_ms; /* times of the first and the last possible record, since the epoch */
    int64_t step_ms;
    uint64_t seed;
};

struct workload_stream {
    unsigned number;   /* among all streams */
    unsigned replaced; /* times its hosts were */
    int64_t next_ms;
    struct mr_rng rng;
    int32_t (*level)[WORKLOAD_READINGS]; /* of each of its hosts, in 1/10000; owned */
};

unsigned workload_hosts_per_stream(const struct workload *load);
unsigned workload_least_streams(const struct workload *load); /* that cover WORKLOAD_HOSTS hosts */
int64_t workload_span_ms(const struct workload *load);        /* that one request covers */
unsigned workload_values_per_record(const struct workload *load);

int workload_stream_init(const struct workload *load, struct workload_stream *stream, unsigned number);
void workload_stream_release(struct workload_stream *stream);

/* Replaces *body by the stream's next request and moves its time on. MR_OK or MR_ENOMEM. */
int workload_next(const struct workload *load, struct workload_stream *stream, struct mr_buf *body);

#endif
