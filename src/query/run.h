/* query/run.h - one run and the service that owns it; what the files of this room share.
 *
 * States of a run, and who moves it (all under the service's lock):
 *
 *     IDLE ──query_run wants a page──> QUEUED ──query thread──> RUNNING ──page ready──> IDLE
 *      └───────── small: the caller's own thread ──────────────────^
 *                                         │                        ├─ error ──> FAILED
 *                                         └──── query_cancel ──────┴──────────> CANCELLED
 *
 * IDLE holds the newest page; its cursor is closed once the last page is made. FAILED and CANCELLED hold
 * nothing but what the next poll is told. A run leaves the service when its answer was final and fitted one
 * page, when its token has expired, or when more than max_parked runs wait.
 */
#ifndef MR_QUERY_RUN_H
#define MR_QUERY_RUN_H

#include "query/query.h"

#include <pthread.h>

#define QUERY_ID_CHARS 62
#define QUERY_SECRET_BYTES 24
#define QUERY_PAGE_BYTES (1024 * 1024)
#define QUERY_COLUMNS_BYTES (100 * 1024) /* of ColumnInfo (query-api reference 4.5) */

enum query_state { QUERY_IDLE, QUERY_QUEUED, QUERY_RUNNING, QUERY_FAILED, QUERY_CANCELLED };

/* Rows made without the engine (SHOW, DESCRIBE, EXPLAIN), each a row's JSON. */
struct query_rows {
    struct mr_str *at; /* in the run's arena */
    size_t len, cap, next;
};

struct query_page {
    uint64_t number;    /* from 1; 0: none yet */
    struct mr_buf rows; /* "row,row,..." without brackets */
    uint64_t count;
    bool last;
};

struct query_run {
    /* set at birth */
    char id[QUERY_ID_CHARS + 1];
    unsigned char secret[QUERY_SECRET_BYTES]; /* in its page tokens */
    struct mr_arena arena;
    struct mr_str text, principal;
    struct mr_str client_token; /* ptr NULL: none */
    uint64_t parameters;        /* of the call that made it, see replay.c */
    struct sql_plan *plan;
    struct mr_str columns;       /* ColumnInfo of a SELECT */
    struct sql_plan bound;       /* the plan with the scans' handles resolved and retention applied */
    struct query_table **tables; /* references held */
    size_t ntables, captables;
    size_t tables_met;       /* their number, kept after they are let go */
    struct query_table *met; /* in the arena, kept likewise: their names, for query_may */
    struct store_snapshot *snapshot;
    int64_t deadline, now_ns;
    bool insights;

    /* used by the one thread that runs it */
    struct engine_run *engine;
    struct query_rows fixed;
    bool use_fixed;
    struct mr_buf pending; /* the first row of the next page, already fetched */
    bool has_pending, ended;

    /* under the service's lock */
    enum query_state state;
    pthread_cond_t changed;
    unsigned users; /* calls that look at it; freed when 0 and unlinked */
    bool linked;
    uint64_t want_rows; /* MaxRows of the page being made */
    struct query_page page;
    int status; /* of a FAILED run */
    struct mr_error error;
    struct engine_progress progress;
    uint64_t rows, bytes; /* returned so far */
    int64_t last_used;    /* monotonic */
    struct query_run *next_queued, *next, *prev;
};

/* A table met by the binder. */
struct query_table {
    struct store_table *store; /* gone once the run is closed */
    struct catalog_table info;
    struct store_schema schema;
    struct query_table *next_met;
};

struct query_replay; /* replay.c */

struct query_service {
    struct query_options options;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct query_run *queue_head, **queue_tail;
    unsigned in_progress, max_in_progress; /* runs queued or running; how many there may be, 0: any number */
    struct query_run *runs;                /* all linked runs, newest first */
    size_t nruns;
    bool draining;
    pthread_t *threads;
    unsigned nthreads;
    struct query_replay *replay;
    struct query_stats stats;
    char (*recent)[QUERY_ID_CHARS + 1]; /* ring of finished ids, for CancelQuery */
    size_t recent_next;
};

#define QUERY_RECENT 4096
#define QUERY_TCU_STEP 4          /* compute units come in fours, */
#define QUERY_RUNS_PER_TCU_STEP 7 /* which are good for so many queries at one time */

/* plan.c: parses and binds the text, resolves tables, opens snapshot and cursor. Fault on a user's mistake.
 */
int query_run_new(struct query_service *s, const struct query_caller *caller,
                  const struct model_query_request *in, struct mr_arena *arena, struct query_run **out,
                  struct model_fault *fault);
/* Everything that makes two calls under one ClientToken the same call. */
uint64_t query_parameters(const struct model_query_request *in);
void query_run_close(
    struct query_run *run); /* lets go of cursor, snapshot and tables; the newest page stays */
void query_run_free(struct query_run *run);
/* A table by its two names, pinned by the run. MR_ENOENT, *missing_database saying which name is unknown; or
 * MR_EINVAL with the fault set, when the key of its database says no. */
int query_find_table(struct query_service *s, struct query_run *run, struct mr_str database,
                     struct mr_str name, struct sql_table *out, bool *missing_database,
                     struct mr_arena *arena, struct model_fault *fault);
/* Binds a text for PrepareQuery; the tables met are in `run`, which the caller frees. Nobody learns of a
 * table, not even whether it is there, who may not select from it. */
int query_bind(struct query_service *s, const struct query_caller *caller, struct mr_str text, bool prepare,
               struct query_run *run, struct mr_arena *arena, struct model_fault *fault);
/* Whether the caller may run what was bound: asked once it is known, and again for each further page. */
int query_may(const struct query_run *run, const struct query_caller *caller, struct model_fault *fault);

/* show.c: fills run->fixed for everything that is not a SELECT. */
int query_show(struct query_service *s, struct query_run *run, struct mr_arena *arena,
               struct model_fault *fault);
/* SQL LIKE: % any run, _ one character; escape is one character or empty. Linear in text x pattern at worst.
 */
bool query_like(struct mr_str text, struct mr_str pattern, struct mr_str escape);

/* page.c: makes the next page into *page; called without the lock by the one thread that runs the run. */
int query_page_make(struct query_run *run, uint64_t max_rows, struct query_page *page, struct mr_error *err);

/* answer.c */
void query_answer(const struct query_run *run, const struct query_caller *caller, bool with_page,
                  struct mr_str token, struct mr_buf *out);
void query_columns(const struct sql_plan *plan, struct mr_buf *out);

/* token.c: "v1" of a page token: secret and page number, base64url. */
void query_token_make(const struct query_run *run, uint64_t page, struct mr_buf *out);
bool query_token_parse(struct mr_str token, unsigned char secret[static QUERY_SECRET_BYTES], uint64_t *page);

/* replay.c: answers kept for five minutes under their ClientToken (4.3). Called under the service's lock. */
struct query_replay *query_replay_new(void);
void query_replay_free(struct query_replay *replay);
void query_replay_forget(struct query_replay *replay); /* the answers; which tokens were used stays known */
enum query_replay_hit { QUERY_REPLAY_NONE, QUERY_REPLAY_SAME, QUERY_REPLAY_CONFLICT };
enum query_replay_hit query_replay_find(struct query_replay *r, struct mr_str principal,
                                        struct mr_str client_token, uint64_t parameters, int64_t now,
                                        struct mr_buf *out);
void query_replay_keep(struct query_replay *r, struct mr_str principal, struct mr_str client_token,
                       uint64_t parameters, int64_t now, struct mr_str answer);

#endif
