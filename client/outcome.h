/* client/outcome.h - what a call came to, on its way into the caller's mr_fault. */
#ifndef MR_CLIENT_OUTCOME_H
#define MR_CLIENT_OUTCOME_H

#include "base/base.h"
#include "client/world.h"

struct model_shape;

/* Starts zeroed. Texts are NUL-terminated and live in the arena; NULL stands for "". */
struct outcome {
    struct mr_arena arena;
    int error; /* enum mr_err */
    int http_status;
    const char *code, *message, *request_id, *arn;
    int attempts;
    bool retryable;
    int64_t date_s; /* of the last answer, 0 for none */
    const struct mr_rejected_record *rejected;
    size_t nrejected;
};

void client_outcome_release(struct outcome *o);

/* Sets error and message and returns the error, so that `return client_outcome_fail(...)` reads well. The
 * first one stays. */
int client_outcome_fail(struct outcome *o, int error, const char *fmt, ...) MR_PRINTF(3, 4);
/* A status of the inner rooms: MR_ENOMEM is MR_ERR_MEMORY, anything else the given error with the text. */
int client_outcome_status(struct outcome *o, int status, int error, const char *text);
/* Forgets the error (not the attempts), for the next attempt. */
void client_outcome_reset(struct outcome *o);

/* Moves everything into the fault, which may be NULL, and releases the outcome. Returns the error. */
int client_outcome_deliver(struct outcome *o, struct mr_fault *fault);

/* Reads an answer: status and body. 0 and *value, a struct of the shape in the arena, for 200; else the
 * outcome's error. A shape without members takes any body. */
int client_answer_read(const struct model_shape *shape, const struct client_response *response,
                       struct mr_arena *arena, void **value, struct outcome *o);

#endif
