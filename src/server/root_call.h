/* server/root_call.h - calls under "/-/": signed as every other call is, by the root key and nobody else.
 *
 * Signatures are judged by the machine's clock: clients sign with theirs. Thread-safe.
 */
#ifndef MR_SERVER_ROOT_CALL_H
#define MR_SERVER_ROOT_CALL_H

#include "server/handler.h"

/* Whether the request comes from the root key; when not, it is answered (`denied` is what another key is
 * told). */
bool root_call_allowed(const struct server_handler *handler, struct http_request *req, struct mr_str denied);

/* Answers; the body is taken over. */
void root_call_answer(struct http_request *req, unsigned status, struct mr_buf *body);
void root_call_fault(struct http_request *req, const struct model_fault *fault);
/* What another status means to the caller: MR_EBUSY throttling, else a failure that the log explains. */
void root_call_failed(struct http_request *req, int status);

#endif
