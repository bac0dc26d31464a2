/* server/chaos_call.h - /-/chaos: the faults on purpose of api/chaos.h, read and changed while the server
 * runs. Root key only, and only when it was started with --chaos.
 *
 *     GET /-/chaos     {"Chaos":"*:throttle=0.1","Counts":{"throttle":12,...}}
 *     POST /-/chaos    the new text as body, or nothing to end it; the same answer
 */
#ifndef MR_SERVER_CHAOS_CALL_H
#define MR_SERVER_CHAOS_CALL_H

#include "server/handler.h"

/* Takes the request when it is one of these. */
bool server_chaos_call(struct server_handler *handler, struct http_request *req);
/* The loud line in the log. */
void server_chaos_warn(struct api_chaos *chaos);

#endif
