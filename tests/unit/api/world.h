/* tests/unit/api/world.h - a control plane to send requests to, without sockets, signatures or a store.
 *
 * Account 123456789012, region eu-west-1; the clock stands at 1700000000.123 s. A request is decoded and
 * validated by the model as the server would, so constraint texts are seen too.
 */
#ifndef MR_TESTS_UNIT_API_WORLD_H
#define MR_TESTS_UNIT_API_WORLD_H

#include "api/action.h"
#include "lib/check.h"

struct world {
    char *dir;
    struct mr_clock clock;
    struct api_context api;
    struct mr_arena arena;
    struct api_call call;     /* template: region, host, user agent, ... may be changed */
    struct model_fault fault; /* of the last request */
    struct mr_buf out;        /* of the last request */
};

extern struct world world;

/* cmocka's setup and teardown of one test. */
int world_setup(void **state);
int world_teardown(void **state);
/* Closes the catalog and opens it again, as a restart would. */
void world_restart(void);

/* Runs an operation; the status of decoding or of the action. */
int world_send(const char *operation, const char *input);
/* The answer is exactly that JSON. */
void answers(const char *operation, const char *input, const char *want);
/* The operation succeeds; what it answers does not matter. */
void succeeds(const char *operation, const char *input);
/* The operation fails with that error and exactly that message. */
void fails(const char *operation, const char *input, enum model_error error, const char *message);
/* The value of a string member of the last answer, without escapes, up to the next quote; "" when there is
 * none. */
const char *member(const char *name);

/* The ids store_table_drop was called with since the last setup, and what it answers. */
extern uint64_t dropped[8];
extern unsigned ndropped;
extern int drop_status;

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

/* The key ARN that alias/aws/timestream stands for in this world, whose seed is fixed. */
#define DEFAULT_KEY "arn:aws:kms:eu-west-1:123456789012:key/cff2b11c-a9e1-42bb-9310-468ee80e23a1"

#endif
