/* server/clock_call.h - the requests of the test clock (docs/test-clock.md).
 *
 *     GET  /-/clock                     the time the server goes by
 *     POST /-/clock {"By":"36h"}        forward by that much: ns, us, ms, s, m, h or d
 *     POST /-/clock {"To":"<ns>"}       forward to that time, nanoseconds since the epoch
 *
 *     POST /-/flush                     what the background does in time: rows go to files, files are merged
 *
 * Signed as any request, with the root key. A step is answered when what is past its retention by then has
 * been removed. Exist only while the test clock is on; otherwise the paths mean nothing special.
 */
#ifndef MR_SERVER_CLOCK_CALL_H
#define MR_SERVER_CLOCK_CALL_H

#include "server/handler.h"

/* Takes the request over when it is one of these. */
bool clock_call(struct server_handler *h, struct http_request *req);

/* "36h" in nanoseconds; false for anything else than digits and one of the units, or beyond 64 bits. */
bool clock_parse_duration(struct mr_str text, int64_t *ns);

#endif
