/* A world for the client in a test: an environment of its own, a clock that stands still, sleeps that are
 * counted, and answers from a script. */
#ifndef MR_TESTS_CLIENT_FAKE_H
#define MR_TESTS_CLIENT_FAKE_H

#include "client/client.h"
#include "lib/check.h"

/* What the next request gets. error != 0: the transfer fails so. */
struct fake_answer {
    int error;
    int status;
    const char *body;
    int64_t date_s;
};

struct fake_request {
    char method[8];
    char url[512];
    char headers[4096]; /* "Name: value\n" lines */
    char body[65536];
};

struct fake {
    struct client_world world;
    struct mr_clock clock;
    const char *env[32][2];
    struct fake_answer answers[32]; /* in order; the last one again and again */
    size_t nanswers;
    struct fake_request requests[16]; /* the first ones */
    size_t nrequests;
    int64_t slept_ns;
    int sleeps;
    pthread_mutex_t lock;
};

/* 2026-01-02T03:04:05Z, keys and region in the environment, no files. */
void fake_init(struct fake *f);
void fake_env(struct fake *f, const char *name, const char *value); /* NULL removes */
void fake_answer(struct fake *f, int error, int status, const char *body);
struct mr_client *fake_open(struct fake *f, const struct mr_options *options);
/* The header of a request, or NULL. In a static buffer. */
const char *fake_header(const struct fake *f, size_t request, const char *name);

#endif
