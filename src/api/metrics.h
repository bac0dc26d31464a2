/* api/metrics.h - counters of the API for an operator: per operation, and of what WriteRecords did.
 *
 * Counters only grow and are updated with relaxed atomics; a reader sees each of them, not one moment of all.
 */
#ifndef MR_API_METRICS_H
#define MR_API_METRICS_H

#include "model/model.h"

/* Upper bounds of the latency histogram, in ns; one more bucket takes the rest. */
#define API_LATENCY_BUCKETS 12
extern const int64_t api_latency_bounds[API_LATENCY_BUCKETS];

struct api_operation_metrics {
    uint64_t requests;                   /* answered */
    uint64_t user_errors, system_errors; /* 4xx, 5xx */
    uint64_t latency_ns;                 /* sum */
    uint64_t latency[API_LATENCY_BUCKETS + 1];
};

struct api_metrics {
    struct api_operation_metrics operation[MODEL_OP_COUNT]; /* MODEL_OP_NONE: no operation was found */
    uint64_t errors[MODEL_ERROR_COUNT];
    uint64_t records_memory, records_magnetic, records_rejected, metered_bytes;
    uint64_t throttled;          /* calls refused for the rate of their key */
    uint64_t records_unreported; /* version conflicts acknowledged like AWS does */
};

void api_metrics_answered(struct api_metrics *m, size_t operation, unsigned status, int64_t latency_ns);
void api_metrics_add(uint64_t *counter, uint64_t n);
uint64_t api_metrics_get(const uint64_t *counter);

#endif
