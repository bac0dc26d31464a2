/* bench/tsbs/data.h - the data set: hosts with ten tags and ten readings every ten seconds.
 *
 * The cpu part of the Time Series Benchmark Suite in kind: readings walk at random between 0 and 100. A
 * host's data depend on seed and number alone, so hosts can be made in any order and by any thread. All three
 * kinds are the same walks, printed with fewer or more digits.
 */
#ifndef MR_BENCH_TSBS_DATA_H
#define MR_BENCH_TSBS_DATA_H

#include "base/base.h"
#include "base/rand.h"

enum { DATA_TAGS = 10, DATA_READINGS = 10, DATA_STEP_MS = 10000 };

enum data_kind {
    DATA_WHOLE, /* 57 */
    DATA_TWO,   /* 57.31 */
    DATA_FULL,  /* 57.3187246280915: all digits that a double surely keeps */
};

struct data_spec {
    enum data_kind kind;
    uint64_t seed;
    unsigned hosts, steps;
    int64_t start_ms; /* time of every host's first reading, since the epoch */
};

extern const char *const data_tag_names[DATA_TAGS]; /* the first is hostname */
extern const char *const data_reading_names[DATA_READINGS];

struct data_host {
    char tags[DATA_TAGS][24];
    struct mr_rng rng;
    int64_t level[DATA_READINGS]; /* 10^13 is 1 */
};

/* The host with its first readings. */
void data_host_init(const struct data_spec *spec, struct data_host *host, unsigned number);

/* The next readings. */
void data_host_step(struct data_host *host);

/* Appends one reading as decimal text. */
void data_add_value(const struct data_spec *spec, const struct data_host *host, int reading,
                    struct mr_buf *out);

/* Appends v with at least `least` digits: printf would cost more than all the rest. */
void data_add_number(struct mr_buf *out, uint64_t v, int least);

#endif
