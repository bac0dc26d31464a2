/* api/dispatch.h - what the files of this room share: the server object, answers, and the table of actions.
 */
#ifndef MR_API_DISPATCH_H
#define MR_API_DISPATCH_H

#include "api/api.h"

#include <pthread.h>

struct api_server {
    struct api_options options;
    struct api_metrics metrics;
    pthread_mutex_t lock; /* of access */
    struct api_access *access;
    struct api_limits *limits;
};

/* Exactly one of these ends a request; the request is gone afterwards. */
void api_respond_ok(struct api_server *s, struct api_request *req, struct mr_buf *body); /* body moves */
void api_respond_fault(struct api_server *s, struct api_request *req, const struct model_fault *fault);
/* A status without a fault: throttling for full queues, else InternalServerException; `err` (may be NULL) is
 * logged. */
void api_respond_status(struct api_server *s, struct api_request *req, int status,
                        const struct mr_error *err);

/* An answer that is neither: sts. */
void api_respond_raw(struct api_server *s, struct api_request *req, unsigned status, struct mr_buf *body);

/* Fills in access, who and principal_arn. As auth_verify. */
int api_authenticate(struct api_server *s, struct api_request *req, const struct auth_options *options,
                     struct auth_failure *why);

/* Whether an authenticated request may go on: the audit log and the caller's rates have a say. Sets the fault
 * when not. */
bool api_admit(struct api_server *s, struct api_request *req, struct model_fault *fault);

/* Adds a kind of chaos to what the answer tells. */
void api_note_chaos(struct api_request *req, enum api_chaos_kind kind);

/* The call of an authenticated request. MR_OK, MR_ENOMEM, MR_EDENIED when its session policy cannot be read.
 */
int api_fill_call(const struct api_server *s, struct api_request *req, const void *input, struct mr_buf *out,
                  struct api_call *call);

/* The request goes on with `next` on a thread that may wait. On a status other than MR_OK it stays with the
 * caller. */
int api_defer(struct api_server *s, struct api_request *req,
              void (*next)(struct api_server *s, struct api_request *req));

struct mr_str api_header(const struct api_request *req, const char *name);

/* actions.c: an operation that is modelled but not built answers UnknownOperationException. */
bool api_operation_is_built(int operation);
api_action *api_operation_action(int operation);

/* write_records.c: takes the request over and answers it, now or when the data is durable. */
void api_write_records(struct api_server *s, struct api_request *req, const void *input);

#endif
