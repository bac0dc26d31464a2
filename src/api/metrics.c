#include "api/metrics.h"

#define MS INT64_C(1000000)

const int64_t api_latency_bounds[API_LATENCY_BUCKETS] = {
    MS / 4,  MS / 2,  1 * MS,   2 * MS,   5 * MS,    10 * MS,
    25 * MS, 50 * MS, 100 * MS, 500 * MS, 2000 * MS, 10000 * MS,
};

void api_metrics_add(uint64_t *counter, uint64_t n)
{
    __atomic_fetch_add(counter, n, __ATOMIC_RELAXED);
}

uint64_t api_metrics_get(const uint64_t *counter)
{
    return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

void api_metrics_answered(struct api_metrics *m, size_t operation, unsigned status, int64_t latency_ns)
{
    struct api_operation_metrics *op = &m->operation[operation];
    api_metrics_add(&op->requests, 1);
    if (status >= 500)
        api_metrics_add(&op->system_errors, 1);
    else if (status >= 400)
        api_metrics_add(&op->user_errors, 1);
    size_t bucket = 0;
    while (bucket < API_LATENCY_BUCKETS && latency_ns > api_latency_bounds[bucket])
        bucket++;
    api_metrics_add(&op->latency[bucket], 1);
    api_metrics_add(&op->latency_ns, (uint64_t)(latency_ns > 0 ? latency_ns : 0));
}
