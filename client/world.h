/* client/world.h - everything the client asks of the outside, as one table, so that a test can be the
 * outside.
 *
 * Failures of a send are enum mr_err of millrace.h: NETWORK, TLS, TIMEOUT, ANSWER, MEMORY.
 */
#ifndef MR_CLIENT_WORLD_H
#define MR_CLIENT_WORLD_H

#include "base/clock.h"
#include "base/io.h"
#include "millrace.h"

struct client_request {
    const char *method; /* "POST", "GET", "PUT" */
    const char *url;
    const struct mr_pair *headers; /* all that go out but content-length */
    size_t nheaders;
    struct mr_str body;
    int connect_timeout_ms, timeout_ms; /* the second one in all */
    bool local;                         /* no proxy: metadata endpoints live next door */
};

struct client_response {
    int status;
    struct mr_buf body;
    bool framed;         /* the head told where the body ends */
    char request_id[80]; /* "" when none came */
    int64_t date_s;      /* of the Date header, seconds since the epoch; 0 when none came */
    char problem[320];   /* what went wrong, when something did */
};

struct client_world {
    const struct mr_clock *clock;
    unsigned clock_speed; /* how many times faster than time it runs, for tests; 0 counts as 1 */
    const struct mr_io *io;
    const char *(*env)(void *ctx, const char *name);
    void (*sleep)(void *ctx, int64_t ns);
    /* One request, no retries, no redirects. The response starts zeroed and is the caller's to release. */
    int (*send)(void *ctx, const struct client_request *request, struct client_response *response);
    /* Runs a program and gives what it prints; the form of client_process_run (process.h). */
    int (*run)(const char *const *argv, struct mr_buf *out, struct mr_error *err);
    void *ctx;
};

static inline const char *client_env(const struct client_world *world, const char *name)
{
    const char *value = world->env(world->ctx, name);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

#endif
