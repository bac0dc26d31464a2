/* query/query.h - queries as the Query API knows them: started, paged, watched, cancelled.
 *
 * A run is one execution of one statement. It holds a snapshot of the store and an open cursor of the engine;
 * pages are pulled from that cursor, never recomputed. Rules: query-api reference sections 4 to 7 and 9.
 * Thread-safe.
 */
#ifndef MR_QUERY_QUERY_H
#define MR_QUERY_QUERY_H

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "model/model.h"

struct query_service;

struct query_options {
    struct engine *engine;
    struct store *store;
    struct catalog *catalog;
    const struct mr_clock *clock;
    unsigned concurrency;  /* runs that execute at one time */
    int64_t timeout_ns;    /* of one run, first call to last page; 0: 1 hour */
    int64_t first_page_ns; /* how long a call waits for a page before it answers an empty one; 0: 55 s */
    int64_t token_ns;      /* life of a page token; 0: 1 hour */
    unsigned max_parked;   /* runs that wait for their next page; the longest idle one goes; 0: 256 */
};

int query_service_open(const struct query_options *options, struct query_service **out, struct mr_error *err);
/* Ends waiting calls and cancels runs; later calls fail. */
void query_service_drain(struct query_service *service);
void query_service_close(struct query_service *service);

/* How many Timestream compute units queries may use: by the reference's guideline 4 are good for 7 queries at
 * one time. A Query that would be one more, counting those that wait for their turn, is refused with
 * "MaxQueryTCU exceeded"; SHOW, DESCRIBE and further pages are not counted. Until it is set there is no
 * limit. */
void query_service_set_tcu(struct query_service *service, int64_t tcu);

/* Who asks, and under which names the tables are shown. */
struct query_caller {
    struct mr_str principal; /* tokens are good for this principal only */
    struct mr_str region;
    const char *account, *partition; /* for TableArn */
    bool bytes_scanned_pricing;      /* metering of QueryStatus */
    bool empty_page; /* waits for nothing: answers without rows, and with a token for the same page, on
                        purpose */
    /* Whether the caller may do "timestream:<action>" (query-api reference 14), asked before anything of the
     * table is looked up or read, and again for every page; table or both names may be MR_STR_NULL. MR_OK,
     * MR_EINVAL with the fault set (without a fault to set: MR_EDENIED, and nothing is logged), or another
     * status. NULL: the caller may do everything. */
    int (*may)(void *ctx, const char *action, struct mr_str database, struct mr_str table,
               struct model_fault *fault);
    void *may_ctx;
};

/* The three operations. On MR_OK the response JSON is appended to out; otherwise the fault is set (MR_EINVAL)
 * or the status is MR_ENOMEM or MR_EBUSY. They may wait, for a page or for a place among the runs. */
int query_run(struct query_service *service, const struct query_caller *caller,
              const struct model_query_request *input, struct mr_arena *arena, struct mr_buf *out,
              struct model_fault *fault);
int query_cancel(struct query_service *service, const struct query_caller *caller,
                 const struct model_cancel_query_request *input, struct mr_arena *arena, struct mr_buf *out,
                 struct model_fault *fault);
int query_prepare(struct query_service *service, const struct query_caller *caller,
                  const struct model_prepare_query_request *input, struct mr_arena *arena, struct mr_buf *out,
                  struct model_fault *fault);

/* Forgets answers kept for callers who repeat a ClientToken: after a change of who may do what they must be
 * asked for again. */
void query_service_forget_answers(struct query_service *service);

struct query_stats {
    uint64_t started, failed, cancelled, refused; /* refused: for MaxQueryTCU */
    uint64_t in_progress, running;                /* queued or running; of those the running */
    uint64_t kept;        /* runs there are, with those that wait for their next page */
    uint64_t rows, bytes; /* answered */
};
void query_service_stats(struct query_service *service, struct query_stats *out);

#endif
