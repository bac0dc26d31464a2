/* api/api.h - the two APIs above the transport: a request in, an answer out.
 *
 * Steps of a request, in the order AWS takes them (write-api reference 1.6): method, target, signature, JSON
 * types, model constraints, the operation. The room knows nothing of sockets: whoever feeds it fills a struct
 * api_request and gets exactly one call of its respond(). Steps that may wait (for SQLite, a query, files
 * that late records are judged against) are handed to `defer`, which continues them by api_resume on a thread
 * that may; the others finish on the caller's thread, WriteRecords by a callback from the log thread once the
 * data is on disk. Thread-safe.
 */
#ifndef MR_API_API_H
#define MR_API_API_H

#include "api/access.h"
#include "api/action.h"
#include "api/audit.h"
#include "api/chaos.h"
#include "api/metrics.h"
#include "auth/auth.h"

struct api_server;

struct api_request {
    struct auth_request http; /* as it came over the wire */
    struct mr_arena *arena;   /* lives until respond() */
    bool tls;
    const char *peer; /* "address:port" of the client */
    const char *id;   /* request id, for the log */
    int64_t started;  /* monotonic ns */
    /* Takes the body over; the request and its arena are gone when it returns. Any thread, exactly once. */
    void (*respond)(struct api_request *req, unsigned status, struct mr_buf *body);
    void *user; /* the transport's */

    /* api's own, set on the way */
    const struct model_operation *operation;
    struct api_access *access; /* a reference, until the answer */
    struct auth_identity who;
    struct policy *session_policy; /* of temporary credentials that were narrowed; owned until the answer */
    struct mr_str principal_arn;   /* of who; set once it is known */
    struct api_chaos_fate fate;    /* what is done to it on purpose, */
    char chaos[64];                /* and how the answer says so; "" for nothing */
    const char *content_type;      /* of the answer; NULL: AWS's JSON */
    const char *error_code;        /* of a refusal, for the audit log; static */
    struct mr_str error_message;
    const char *sts_action;       /* of a call of STS: its name (static), */
    struct mr_str sts_parameters; /* and what is told of its parameters, a JSON object */
    void (*next)(struct api_server *server, struct api_request *req); /* what api_resume goes on with */
    void *state;                                                      /* of that step, in the arena */
};

/* Calls a second that one access key may make; 0: any number. A user of the users file may have a number of
 * its own in place of `all`. */
struct api_rates {
    int64_t all, change, list;
};

struct api_options {
    struct api_context context; /* copied; what it points to stays the caller's and outlives the server */
    struct api_access *access;  /* the server takes the reference over when it starts */
    struct auth_options auth;
    const struct mr_clock *auth_clock; /* dates of signatures are judged by it; NULL: the context's */
    /* MR_OK: api_resume(server, req) will be called on a thread that may wait; MR_EBUSY: too much is waiting.
     */
    int (*defer)(void *ctx, struct api_request *req);
    void *defer_ctx;
    struct api_rates rates;
    struct api_chaos *chaos; /* NULL: none. The caller's */
    struct api_audit *audit; /* NULL: no audit log. The caller's */
};

int api_server_new(const struct api_options *options, struct api_server **out, struct mr_error *err);
void api_server_free(struct api_server *server); /* no request may be under way; NULL is fine */

/* Who may use the server from the next request on; takes the reference over. Thread-safe. */
void api_server_set_access(struct api_server *server, struct api_access *access);
/* A reference to the present one. */
struct api_access *api_server_access(struct api_server *server);

void api_handle(struct api_server *server, struct api_request *req);
void api_resume(struct api_server *server, struct api_request *req);

struct api_metrics *api_server_metrics(struct api_server *server);

#endif
