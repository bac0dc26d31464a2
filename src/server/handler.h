/* server/handler.h - where HTTP meets the API: routes, and the two requests in one allocation.
 *
 *     POST /...      the API (the path is ignored, write-api reference 1.1)
 *     GET /health    200 while the server serves
 *     GET /metrics   counters in Prometheus' text format
 *     /-/clock       the test clock, only while it is on (server/clock_call.h)
 *     /-/flush       likewise: what the background does with files, at once
 *     /-/check       what the scrub found, and a pass at once (server/check_call.h)
 *     /-/hold        a moment of the data, for a backup (server/hold_call.h)
 *     /-/chaos       faults on purpose, only with --chaos (server/chaos_call.h)
 *
 * /health and /metrics need no signature and tell nothing of the data but sizes and counts.
 */
#ifndef MR_SERVER_HANDLER_H
#define MR_SERVER_HANDLER_H

#include "api/api.h"
#include "http/http.h"
#include "server/workers.h"

struct care_scrub;
struct reports;
struct retention_job;

struct server_handler {
    struct api_server *api;
    struct workers *workers; /* for calls that wait for a disk */
    struct workers
        *query_workers;       /* for Query, which waits up to a minute: it must not keep others waiting */
    struct http_server *http; /* for its statistics; set after the start, before the first request matters */
    const struct api_context *context;
    struct api_chaos *chaos; /* NULL: none */
    struct api_audit *audit; /* NULL: none */
    struct reports *reports; /* NULL: there is no object storage */
    const char *store_path;  /* of the store, for copies of it */
    int64_t started_wall;
    struct care_scrub *scrub;
    struct auth_options auth; /* of the calls under "/-/" */
    /* for the test clock only */
    struct mr_clock *test_clock; /* NULL: there is none */
    struct retention_job *retention;
};

void server_handle(void *handler, struct http_request *req);                       /* http_options.handler */
void server_http_fault(void *handler, enum http_fault fault, struct mr_buf *body); /* http_options.fault */
int server_defer(void *handler, struct api_request *req);                          /* api_options.defer */

/* metrics.c */
void server_metrics_text(const struct server_handler *h, struct mr_buf *out);

#endif
