/* ingest/ingest.h - from a decoded WriteRecords request to records the store can decide on, and back to an
 * answer.
 *
 * Two kinds of refusal (write-api reference 5.9): a fault of the request (ValidationException) refuses all of
 * it and nothing is stored; a rejection refuses one record and the others go on. What depends only on the
 * request, the table's properties and the clock is decided here; what depends on stored data is decided by
 * store_append, between ingest_build and ingest_answer. Everything lives in the request's arena. Thread-safe:
 * no state.
 */
#ifndef MR_INGEST_INGEST_H
#define MR_INGEST_INGEST_H

#include "catalog/catalog.h"
#include "model/model.h"
#include "store/store.h"

/* Distance between the retention period and the ingestion window (reference 5.6): together the 40 minutes
 * every sample shows, of which the documented 15 lie in the future. */
#define INGEST_PAST_GRACE (25 * 60 * MR_NS_PER_S)
#define INGEST_FUTURE_LIMIT (15 * 60 * MR_NS_PER_S)

struct ingest_rejection {
    uint32_t index;           /* of the request's Records, from 0 */
    int64_t existing_version; /* 0: none to report */
    struct mr_str reason;
};

struct ingest_batch {
    struct store_record *records; /* in request order; for store_append */
    uint32_t *index;              /* of the request's Records, parallel to records */
    size_t count;
    struct ingest_rejection
        *rejections; /* by windows, sizes and partition key; ingest_answer adds the store's */
    size_t nrejections;
    size_t total;           /* records in the request */
    uint64_t metered_bytes; /* reference 5.13, before rounding up */
};

/* Merges, validates and converts. MR_OK; or MR_EINVAL with the fault set; or MR_ENOMEM. */
int ingest_build(const struct model_write_records_request *input, const struct catalog_table *table,
                 int64_t now_ns, struct mr_arena *arena, struct ingest_batch *out, struct model_fault *fault);

/* Moves records from the batch to its rejections, those that `drop` wants gone; asked once for each, in
 * order. */
void ingest_drop(struct ingest_batch *batch, bool (*drop)(void *ctx), void *ctx, struct mr_str reason);

/* What the answer says of a magnetic-store record whose version lost (reference 5.7): AWS acknowledges it and
 * tells later, elsewhere. */
enum ingest_conflicts { INGEST_CONFLICTS_NOW, INGEST_CONFLICTS_LATER };

struct ingest_counts {
    uint64_t memory, magnetic; /* records ingested, duplicates of what is there included */
    uint64_t rejected;
    uint64_t unreported; /* conflicts that the answer counts as ingested: INGEST_CONFLICTS_LATER only */
};

/* After store_append has set the outcomes: the body of the 200 goes to `out`, or the fault (RejectedRecords,
 * 419) is set and MR_EINVAL returned. MR_ENOMEM. */
int ingest_answer(struct ingest_batch *batch, enum ingest_conflicts conflicts, struct mr_arena *arena,
                  struct mr_buf *out, struct ingest_counts *counts, struct model_fault *fault);

/* After store_append, under INGEST_CONFLICTS_LATER: calls fn for each record that the answer leaves out, with
 * why it lost and the record as JSON, both valid during the call. MR_ENOMEM: some are missing. */
typedef void ingest_report_fn(void *ctx, struct mr_str reason, struct mr_str record);
int ingest_report(const struct ingest_batch *batch, struct mr_arena *arena, ingest_report_fn *fn, void *ctx);

#endif
