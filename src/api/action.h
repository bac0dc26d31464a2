/* api/action.h - one operation of the API: what it is given, what it answers, and the list of those that
 * exist.
 *
 * An action decides and answers one decoded, constraint-checked request: JSON is appended to call->out and
 * MR_OK returned, or a fault is set (MR_EINVAL), or another status tells that the server failed. It may wait
 * for the disk. Actions run on many threads at once. One file an operation, named after it.
 */
#ifndef MR_API_ACTION_H
#define MR_API_ACTION_H

#include "api/keys.h"
#include "api/reports.h"
#include "catalog/catalog.h"
#include "model/model.h"
#include "store/store.h"

struct auth_session;
struct policy;
struct policy_user;
struct query_service;
struct api_state; /* api/state.h */

/* Told around every change of a table's two retentions (`hours`: their new sum), so that rows past the old
 * end can be let go before a longer one would show them again. A status of begin() other than MR_OK fails the
 * change, and end() is not called. begin() and end() run on one thread. */
struct api_retention_guard {
    int (*begin)(void *ctx, struct mr_str database, struct mr_str table, int64_t hours, struct mr_error *err);
    void (*end)(void *ctx);
    void *ctx;
};

/* Told how many Timestream compute units the account's queries may use at one time: by api_capacity_boot, and
 * after every change of the settings. */
struct api_capacity {
    void (*set)(void *ctx, int64_t tcu);
    void *ctx;
};

/* What all requests share; filled by the caller, completed by api_context_init, then immutable. */
struct api_context {
    struct catalog *catalog;
    struct store *store;
    const struct mr_clock *clock;
    const char *account;     /* 12 digits; NULL: 123456789012 */
    const char *partition;   /* NULL: "aws" */
    const char *public_host; /* what DescribeEndpoints answers instead of the Host header, "host[:port]";
                                NULL: none */
    struct query_service *query;
    bool magnetic_conflicts_later;        /* INGEST_CONFLICTS_LATER of ingest/ingest.h */
    struct api_retention_guard retention; /* begin NULL: nobody to tell */
    struct api_keys keys;
    struct api_reports reports;
    struct api_capacity capacity;       /* set NULL: nobody to tell */
    uint64_t max_databases, max_tables; /* 0: AWS's 500 and 50,000 (write-api reference 12) */
    struct api_state *state;            /* made by api_context_init; copies of the context share it */
};

/* Fills in defaults, tells the catalog its limits, reads secrets from it or makes them. */
int api_context_init(struct api_context *context, struct mr_error *err);
/* Cleanses and frees the state; no request may be under way. A zeroed context is fine. */
void api_context_release(struct api_context *context);
/* Forgets the data of a table that the catalog has deleted, then lets the catalog forget its number; logs how
 * it went. What fails is tried again by the next start. */
int api_finish_drop(const struct api_context *context, uint64_t id, struct mr_error *err);
/* Finishes table deletions that a crash cut in half. Call once, before the first request. */
int api_boot_cleanup(const struct api_context *context, struct mr_error *err);
/* Tells context->capacity what the settings say; the default when they are unreadable. Call once, before the
 * first request. */
int api_capacity_boot(const struct api_context *context, struct mr_error *err);

struct api_call {
    const struct api_context *api;
    struct mr_arena *arena; /* ends with the request */
    const void *input;      /* struct model_<operation>_request */
    struct mr_str region;   /* of the credential scope; ARNs carry it */
    struct mr_str principal_arn, user_name;
    const struct policy_user *user;      /* whose policies decide; NULL: everything is allowed */
    const struct auth_session *session;  /* temporary credentials; NULL: none */
    const struct policy *session_policy; /* allows no more than `user` does; NULL: as much */
    struct mr_str peer;                  /* "address:port" of the client */
    const char *id;                      /* of the request, for the log */
    struct mr_str host;                  /* Host header */
    struct mr_str user_agent;
    bool api_version_header; /* x-amz-api-version is present */
    bool tls;
    bool empty_page;    /* of Query, on purpose (api/chaos.h) */
    struct mr_buf *out; /* the answer is appended here */
};

typedef int api_action(struct api_call *call, struct model_fault *fault);

api_action api_create_database;
api_action api_describe_database;
api_action api_list_databases;
api_action api_update_database;
api_action api_delete_database;
api_action api_create_table;
api_action api_describe_table;
api_action api_list_tables;
api_action api_update_table;
api_action api_delete_table;
api_action api_tag_resource;
api_action api_untag_resource;
api_action api_list_tags_for_resource;
api_action api_describe_endpoints;
api_action api_describe_account_settings;
api_action api_update_account_settings;

#endif
