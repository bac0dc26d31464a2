/* api/limits.h - how often one access key may call: a token bucket each.
 *
 * A bucket holds one second's worth of calls, at least one, and fills evenly. Buckets sit in a table of fixed
 * size by a hash of the key's id; two keys that meet in a place share a bucket only while both are busy. Only
 * keys whose signature was right get there. Sessions count for the long-term key behind them. Thread-safe.
 */
#ifndef MR_API_LIMITS_H
#define MR_API_LIMITS_H

#include "base/base.h"

struct api_limits;

/* What a call counts as. */
enum api_rate {
    API_RATE_ALL,    /* every call */
    API_RATE_CHANGE, /* create, update, delete, tag (AWS: 1 a second) */
    API_RATE_LIST,   /* list, describe, prepare (AWS: 5 a second) */
    API_RATE_COUNT
};

int api_limits_new(struct api_limits **out);
void api_limits_free(struct api_limits *limits); /* NULL is fine */
/* One call more of this key at a rate of per_second; 0: no limit. False when it is too many. */
bool api_limits_take(struct api_limits *limits, struct mr_str key, enum api_rate rate, int64_t per_second,
                     int64_t mono_ns);

#endif
