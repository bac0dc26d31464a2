/* engine/duck.h - what the files of this room share: the open database, its connections, and a run.
 *
 * Private to engine/. Only files of this room include it, and only through it do they see duckdb.h.
 *
 *     engine 1 --- 1 duck (the open database; replaced by a fresh one after an error that ruins it)
 *     duck   1 --- n conn (one a run, kept for the next run when it ends)
 *     conn   1 --- 0..1 run
 *
 * Functions are registered once in a duck's catalog and are shared by all connections. They find their run by
 * the id of the connection they are bound on (duck_run_of): so `mr_scan(0)` means scan 0 of whichever run
 * binds it, no SQL text is ever rewritten, and runs cannot mix.
 *
 * Locks: engine->lock guards the lists of ducks, connections and runs; run->lock guards the run's scans.
 * Order: engine->lock before run->lock. No call into DuckDB that may take long is made under either;
 * duckdb_interrupt (which stores a flag) is.
 */
#ifndef MR_ENGINE_DUCK_H
#define MR_ENGINE_DUCK_H

#include <duckdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/log.h"
#include "engine/engine.h"

#define ENGINE_RUNS_MAX 256      /* at one time; more answer MR_EBUSY */
#define ENGINE_IDLE_CONNS_MAX 16 /* kept open for the next run */
#define ENGINE_WATCH_MS 10       /* how often deadlines are looked at while something runs */
#define ENGINE_WATCH_IDLE                                                                                    \
    50 /* looks at nothing before the watcher sleeps: waking it costs a short query dear */
#define ENGINE_VALUE_BYTES ((uint64_t)1 << 20)
#define ENGINE_RESULT_BYTES UINT64_C(5000000000)
#define ENGINE_VECTOR_BYTES_MAX ((uint64_t)256 << 20) /* an eighth of the memory of queries, but no more */
#define ENGINE_VECTOR_BYTES_MIN ((uint64_t)16 << 20)

struct duck {
    struct engine *engine;
    duckdb_database db;
    unsigned refs; /* the engine's and one a connection */
    bool broken;   /* an error ruined it; no new runs */
};

struct conn {
    struct duck *duck; /* counted */
    duckdb_connection con;
    idx_t id;               /* the client context's connection id, unique within the duck */
    struct engine_run *run; /* NULL while idle */
    struct conn *next;      /* in engine->idle */
};

/* Memory of the aggregate states of this room, which DuckDB's own limit does not see. */
struct agg_budget {
    _Atomic uint64_t used;
    uint64_t limit;
};

struct engine {
    struct engine_options options;
    pthread_mutex_t lock;
    struct duck *duck; /* the current one */
    struct conn *idle;
    unsigned nidle;
    struct engine_run *runs[ENGINE_RUNS_MAX]; /* the first nruns are live */
    unsigned nruns;
    struct agg_budget agg;
    struct crew *crew; /* for runs without DuckDB */
    pthread_t watcher;
    int wake;              /* eventfd: something changed for the watcher */
    int64_t ended_at;      /* monotonic: when the watcher ended a run for its memory */
    int statm;             /* /proc/self/statm, for the watcher; -1: not watched */
    uint64_t vector_bytes; /* what one call of one function may produce for its 2048 rows */
    bool watching, closing;
    unsigned idle_looks; /* of the watcher, since it last had something to look at */
    bool asleep;         /* the watcher looks again when it is woken, not before */
};

enum run_stop { RUN_GOES_ON, RUN_CANCELLED, RUN_PAST_DEADLINE, RUN_OVER_MEMORY };

struct scan;      /* scan.c */
struct row_coder; /* row.c */
struct finish;    /* finish.c */
struct plain;     /* plain.c */

struct engine_run {
    struct engine *engine;
    struct conn *conn; /* NULL: this run does without; engine->lock */
    const struct sql_plan *plan;
    struct store_snapshot *snapshot;
    struct engine_limits limits; /* zeros replaced by the defaults */
    atomic_int stop;             /* enum run_stop; first setter wins */
    int64_t begun;               /* the next two are the watcher's: when it saw the run first (monotonic), */
    uint64_t resident;           /* and the size of the process then */

    pthread_mutex_t lock;
    pthread_cond_t gone;
    /* a scan went: engine_run_close waits for the last */ /* scans and what they add up to */
    struct scan *scans;
    _Atomic uint64_t bytes_scanned;
    double percent; /* never falls */
    bool has_coverage;
    double coverage; /* of the scan that reads the largest share of its series */
    size_t coverage_scan;

    struct finish *finish; /* this or the next in place of the four behind them */
    struct plain *plain;
    duckdb_prepared_statement statement;
    duckdb_pending_result pending;
    duckdb_result result;
    bool has_result;
    atomic_bool finished;
    struct mr_error failure; /* of an earlier row */
    duckdb_data_chunk chunk;
    idx_t chunk_rows, chunk_next;
    struct row_coder *coder;
    uint64_t result_bytes;
    _Atomic uint64_t rows;
};

/* ---- lockdown.c ---- */
/* Applies the settings in their order, reads them back and tries forbidden statements. MR_EINTERNAL when any
 * works. */
int lockdown_apply(duckdb_connection con, const struct engine_options *options, struct mr_error *err);

/* ---- pool.c ---- */
int duck_open(struct engine *engine, struct duck **out, struct mr_error *err);
void duck_unref(struct duck *duck); /* engine->lock held or nobody else about */
/* In the list of runs, which the watcher looks at. MR_EBUSY. */
int run_list(struct engine_run *run, struct mr_error *err);
void run_unlist(struct engine_run *run);
int conn_take(struct engine_run *run, struct mr_error *err);
/* ended: the query's last row was fetched, or none was started. Otherwise the connection is closed, for only
 * that makes DuckDB end a query whose result is merely dropped; when conn_give returns nothing of it runs any
 * more. */
void conn_give(struct engine_run *run, bool ended);
/* The run on the connection of this context; NULL outside of a run. Destroys the context. */
struct engine_run *duck_run_of(struct duck *duck, duckdb_client_context context);
/* No new run uses the database the run was on. */
void duck_mark_broken(struct engine_run *run);

/* ---- watch.c ---- */
int watch_start(struct engine *engine, struct mr_error *err);
void watch_stop(struct engine *engine);
void watch_wake(struct engine *engine);
/* There is a run to look at. */
void watch_run(struct engine *engine);
static inline bool run_stopped(const struct engine_run *run)
{
    return atomic_load_explicit(&run->stop, memory_order_relaxed) != RUN_GOES_ON;
}
void run_stop(struct engine_run *run, enum run_stop why);

/* ---- scan.c ---- */
int scan_register(struct duck *duck, duckdb_connection con);
void scan_progress(struct engine_run *run, struct engine_progress *out);

/* ---- row.c ---- */
/* A coder for the plan's outputs; MR_EINTERNAL when the result's types are not what the plan promises. */
int row_coder_open(const struct sql_plan *plan, duckdb_result *result, struct row_coder **out,
                   struct mr_error *err);
/* The same for scalar columns that lie in plain memory, as a vector of DuckDB's would. */
int row_coder_open_flat(const struct sql_plan *plan, struct row_coder **out, struct mr_error *err);
void row_coder_flat(struct row_coder *coder, size_t column, const void *data, const uint64_t *valid);
void row_coder_close(struct row_coder *coder);
struct text_day;
/* One value that is no text, within TEXT_SCALAR_MAX bytes; returns one past it. */
char *row_put_scalar(char *to, enum sql_kind kind, const void *data, size_t row, struct text_day *day);
void row_coder_chunk(struct row_coder *coder, duckdb_data_chunk chunk);
void row_coder_row(struct row_coder *coder, idx_t row, struct mr_buf *out);

/* ---- finish.c: a plan whose groups are the answer ---- */
int finish_open(struct engine_run *run, struct mr_error *err);
void finish_close(struct finish *finish);            /* NULL is fine */
uint64_t finish_values(const struct finish *finish); /* that are read, about */
/* Aggregates, on the first call, and points the run's coder at the next rows; *rows 0: the end. */
int finish_chunk(struct engine_run *run, size_t *rows, struct mr_error *err);

/* ---- plain.c: a plan whose rows are the answer ---- */
int plain_open(struct engine_run *run, struct mr_error *err);
void plain_close(struct plain *plain); /* NULL is fine */
uint64_t plain_values(const struct plain *plain);
/* Appends the next row; MR_ENOENT at the end. */
int plain_row(struct engine_run *run, struct mr_buf *out, struct mr_error *err);

/* ---- error.c ---- */
/* Sets the error of a run that was stopped, and says its status. */
int error_stopped(const struct engine_run *run, struct mr_error *err);
/* Turns an error of DuckDB, or of our functions inside it, into one of ours. */
int error_map(struct engine_run *run, const char *text, struct mr_error *err);

/* ---- functions.c ---- */
int functions_register(struct duck *duck, duckdb_connection con, struct mr_error *err);

#endif
