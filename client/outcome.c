#include "client/outcome.h"

#include <stdarg.h>
#include <stdio.h>

#define OUTCOME_TEXT_MAX 65536 /* a service's message beyond this is cut */

void client_outcome_release(struct outcome *o)
{
    mr_arena_release(&o->arena);
    *o = (struct outcome){.error = 0};
}

void client_outcome_reset(struct outcome *o)
{
    int attempts = o->attempts;
    mr_arena_release(&o->arena);
    *o = (struct outcome){.attempts = attempts};
}

int client_outcome_fail(struct outcome *o, int error, const char *fmt, ...)
{
    if (o->error != 0)
        return o->error;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    o->error = error;
    size_t len = n < 0 ? 0 : (size_t)n < sizeof text ? (size_t)n : sizeof text - 1;
    o->message = mr_arena_dup(&o->arena, (struct mr_str){text, len}).ptr;
    return error;
}

int client_outcome_status(struct outcome *o, int status, int error, const char *text)
{
    if (status == MR_ENOMEM)
        return client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    return client_outcome_fail(o, error, "%s", text);
}

void mr_fault_clear(struct mr_fault *fault)
{
    if (fault == NULL)
        return;
    struct mr_arena *own = fault->own;
    if (own != NULL)
        mr_arena_release(own);
    mr_free(own);
    *fault = (struct mr_fault)MR_FAULT_INIT;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

int client_outcome_deliver(struct outcome *o, struct mr_fault *fault)
{
    int error = o->error;
    if (fault != NULL) {
        mr_fault_clear(fault);
        struct mr_arena *own = mr_malloc(sizeof *own);
        fault->error = error;
        fault->http_status = o->http_status;
        fault->attempts = o->attempts;
        fault->retryable = o->retryable;
        if (own != NULL) {
            *own = o->arena;
            o->arena = (struct mr_arena)MR_ARENA_INIT;
            fault->own = own;
            fault->code = or_empty(o->code);
            fault->message = or_empty(o->message);
            fault->request_id = or_empty(o->request_id);
            fault->scheduled_query_arn = or_empty(o->arn);
            fault->rejected = o->rejected;
            fault->nrejected = o->nrejected;
        } else if (error != 0) {
            fault->message = "Out of memory.";
        }
    }
    client_outcome_release(o);
    return error;
}

const char *mr_err_name(int error)
{
    static const char *const names[] = {"0",
                                        "MR_ERR_MEMORY",
                                        "MR_ERR_ARGUMENT",
                                        "MR_ERR_CONFIG",
                                        "MR_ERR_CREDENTIALS",
                                        "MR_ERR_NETWORK",
                                        "MR_ERR_TLS",
                                        "MR_ERR_TIMEOUT",
                                        "MR_ERR_ANSWER",
                                        "MR_ERR_SERVICE",
                                        "MR_ERR_FULL",
                                        "MR_ERR_CLOSED",
                                        "MR_ERR_IO"};
    return error <= 0 && (size_t)-error < MR_ARRAY_LEN(names) ? names[-error] : "unknown";
}
