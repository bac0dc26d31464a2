/* server/hold_call.h - the requests of a backup (docs/format/backup.md), signed with the root key.
 *
 *     POST /-/hold                a moment of the data, held: eight bytes with the number of the hold, then
 * the moment (backup_moment_encode) POST /-/hold/<n>/renew      for another HOLD_LEASE_NS; 404 when it has
 * run out POST /-/hold/<n>/release
 */
#ifndef MR_SERVER_HOLD_CALL_H
#define MR_SERVER_HOLD_CALL_H

#include "server/handler.h"

#define HOLD_LEASE_NS (INT64_C(300) * 1000000000)

/* Takes the request over when it is one of these. */
bool server_hold_call(struct server_handler *h, struct http_request *req);

#endif
