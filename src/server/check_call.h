/* server/check_call.h - /-/check: what the scrub has found, and a pass at once. Root key only.
 *
 *     GET /-/check
 * {"Running":false,"Pass":3,"Passes":3,"Done":..,"Total":..,"Damaged":1,"Began":"..","Ended":"..",
 *                       "Findings":[{"File":"seg-..","Table":"2","Text":".."}]}
 *     POST /-/check    the same, of the pass that begins now: "Pass" is its number
 */
#ifndef MR_SERVER_CHECK_CALL_H
#define MR_SERVER_CHECK_CALL_H

#include "server/handler.h"

/* Takes the request when it is one of these. */
bool server_check_call(struct server_handler *handler, struct http_request *req);

#endif
