/* engine/engine.h - the embedded database: runs emitted SQL over store scans and turns rows into result JSON.
 *
 * The only room that includes duckdb.h, so that it can move into worker processes. DuckDB is opened in memory
 * with external access, extensions and spilling off and its configuration locked; engine_open tries forbidden
 * statements and refuses to open when one works. Only SQL printed by sql/ is ever run here, and of that only
 * SELECT.
 *
 * One database serves all runs, each on a connection of its own. Its worker threads are shared: they take
 * tasks of all runs in turn, a task being a stretch of input, and besides them the thread that asks for a
 * run's rows works for that run alone. So a heavy run slows the others down to their share of the cores, and
 * none waits for the end of another. Memory has no shares: when the limit is reached, the run that asks for
 * more ends with MR_ELIMIT. At most 256 runs are open at a time.
 *
 * A plan whose groups are the answer (struct sql_finish) is run without DuckDB, by the thread that asks and,
 * when there is much to look at, by helpers that all runs share. An internal error of DuckDB ends the runs on
 * that database; the next run opens a new one. Thread-safe: each run is used by one thread at a time, except
 * engine_cancel and engine_progress.
 */
#ifndef MR_ENGINE_ENGINE_H
#define MR_ENGINE_ENGINE_H

#include "base/clock.h"
#include "sql/sql.h"
#include "store/store.h"

struct engine;
struct engine_run;

struct engine_options {
    size_t memory_limit;  /* bytes for all queries together, and as many again for aggregates of our own; 0: 1
                             GiB */
    size_t process_limit; /* bytes of the whole process in memory; a query during which it grows beyond that
                             is ended; 0: none */
    unsigned threads;     /* of the embedded database; 0: one a core */
    uint64_t help_from;   /* values a run without it must look at for helpers to be woken; 0: 200,000 */
    const struct mr_clock *clock;
};

int engine_open(const struct engine_options *options, struct engine **out, struct mr_error *err);
void engine_close(struct engine *engine);

struct engine_limits {
    int64_t deadline_mono;     /* monotonic ns; the run ends with MR_ECANCEL after it; 0: none */
    uint64_t max_value_bytes;  /* of one computed value; 0: 1 MiB */
    uint64_t max_result_bytes; /* of all rows as JSON; 0: 5 GB */
};

/* Prepares and starts the plan's SQL over the snapshot (borrowed until engine_run_close; the scans' handles
 * are struct store_table *, borrowed likewise). The plan must outlive the run. mr_scan(<i>) has the columns
 * c0, c1, ... of scans[i], by name: before them comes one that is read when none is needed. MR_EBUSY: too
 * many runs. Else fails as engine_run_row does, for constants are computed here already. */
int engine_run_open(struct engine *engine, const struct sql_plan *plan, struct store_snapshot *snapshot,
                    const struct engine_limits *limits, struct engine_run **out, struct mr_error *err);

/* Appends the next row as {"Data":[...]} in the encoding of query-api reference 7. MR_OK; MR_ENOENT at the
 * end; MR_EINVAL: the query failed for a reason of its own (division by zero, a cast, ...), text in AWS's
 * words; MR_ECANCEL: cancelled or past its deadline, the text says which; MR_ELIMIT, MR_ECORRUPT, MR_ENOMEM,
 * MR_EINTERNAL. No text of the embedded database ever comes out. A run that failed gives the same error
 * again. */
int engine_run_row(struct engine_run *run, struct mr_buf *out, struct mr_error *err);
/* Before the first row: all of it takes a few milliseconds, as far as can be told from the number of rows
 * that the scan may read. Never of a run in the embedded database. */
bool engine_run_is_small(const struct engine_run *run);
/* At any point of the run; NULL is fine. When it returns nothing reads the plan, the snapshot or the tables
 * any more. */
void engine_run_close(struct engine_run *run);

/* Makes the run end with MR_ECANCEL soon; any thread; harmless after the end. */
void engine_cancel(struct engine_run *run);

struct engine_progress {
    double percent;         /* 0..100 */
    uint64_t bytes_scanned; /* stored bytes read */
    uint64_t rows;          /* rows returned so far */
    /* Of the scans begun, the one that reads the largest share of its table's series; a table without series
     * counts as read whole. */
    bool has_coverage;
    double coverage; /* 0..1 */
    size_t coverage_scan;
};
void engine_progress(struct engine_run *run, struct engine_progress *out);

/* Appends a ColumnInfo object {"Name":...,"Type":{...}} (7.1). name MR_STR_NULL: without Name. */
void engine_column_info(struct mr_str name, const struct sql_type *type, struct mr_buf *out);

#endif
