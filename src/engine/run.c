/* One run of a plan: prepare, stream chunks, hand out rows. */
#include "engine/duck.h"

static void settle_limits(struct engine_run *run, const struct engine_limits *limits)
{
    if (limits != NULL)
        run->limits = *limits;
    if (run->limits.max_value_bytes == 0)
        run->limits.max_value_bytes = ENGINE_VALUE_BYTES;
    if (run->limits.max_result_bytes == 0)
        run->limits.max_result_bytes = ENGINE_RESULT_BYTES;
}

/* The text goes to DuckDB as it is, NUL-terminated. */
static int prepare(struct engine_run *run, struct mr_error *err)
{
    struct mr_str sql = run->plan->duckdb;
    char *text = mr_strndup(sql.ptr, sql.len);
    if (text == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    /* Constants are folded in here: deadline and cancel must be armed already. */
    duckdb_state rc = duckdb_prepare(run->conn->con, text, &run->statement);
    mr_free(text);
    if (rc != DuckDBSuccess)
        return error_map(run, duckdb_prepare_error(run->statement), err);
    if (run_stopped(run))
        return error_map(run, NULL, err);
    /* sql/ prints nothing but SELECT; this door stays shut should it ever be wrong. */
    if (duckdb_prepared_statement_type(run->statement) != DUCKDB_STATEMENT_TYPE_SELECT)
        return mr_error_set(err, MR_EINTERNAL, "The query failed for an internal reason");
    if (duckdb_pending_prepared_streaming(run->statement, &run->pending) != DuckDBSuccess)
        return error_map(run, duckdb_pending_error(run->pending), err);
    return MR_OK;
}

int engine_run_open(struct engine *engine, const struct sql_plan *plan, struct store_snapshot *snapshot,
                    const struct engine_limits *limits, struct engine_run **out, struct mr_error *err)
{
    struct engine_run *run = mr_calloc(1, sizeof(*run));
    if (run == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    run->engine = engine;
    run->plan = plan;
    run->snapshot = snapshot;
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->gone, NULL);
    settle_limits(run, limits);

    int status = run_list(run, err);
    if (status == MR_OK && run->limits.deadline_mono != 0)
        watch_run(engine);
    if (status == MR_OK && plan->finish != NULL) {
        status = finish_open(run, err);
    } else if (status == MR_OK && plan->rows != NULL) {
        status = plain_open(run, err);
    } else if (status == MR_OK) {
        status = conn_take(run, err);
        if (status == MR_OK)
            status = prepare(run, err);
    }
    if (status != MR_OK) {
        engine_run_close(run);
        return status;
    }
    *out = run;
    return MR_OK;
}

bool engine_run_is_small(const struct engine_run *run)
{
    uint64_t values = UINT64_MAX;
    if (run->finish != NULL)
        values = finish_values(run->finish);
    else if (run->plain != NULL)
        values = plain_values(run->plain);
    return values < run->engine->options.help_from;
}

/* A worker thread that was at a task when the query ended may still hold what the task belonged to: it lets
 * go of the scan in its own time, moments after the database says that all tasks are over. */
static void wait_for_scans(struct engine_run *run)
{
    pthread_mutex_lock(&run->lock);
    while (run->scans != NULL)
        pthread_cond_wait(&run->gone, &run->lock);
    pthread_mutex_unlock(&run->lock);
}

void engine_run_close(struct engine_run *run)
{
    if (run == NULL)
        return;
    bool ended = atomic_load(&run->finished) || run->pending == NULL;
    if (!ended)
        run_stop(run, RUN_CANCELLED); /* tasks at work see it at their next step */
    if (run->chunk != NULL)
        duckdb_destroy_data_chunk(&run->chunk);
    if (run->has_result)
        duckdb_destroy_result(&run->result);
    if (run->pending != NULL)
        duckdb_destroy_pending(&run->pending);
    if (run->statement != NULL)
        duckdb_destroy_prepare(&run->statement);
    run_unlist(run);
    conn_give(run, ended);
    finish_close(run->finish);
    plain_close(run->plain);
    row_coder_close(run->coder);
    wait_for_scans(run);
    pthread_cond_destroy(&run->gone);
    pthread_mutex_destroy(&run->lock);
    mr_free(run);
}

/* Executes until the first chunk can be had. */
static int execute(struct engine_run *run, struct mr_error *err)
{
    run->has_result = true; /* an error's result is released like any other */
    if (duckdb_execute_pending(run->pending, &run->result) != DuckDBSuccess)
        return error_map(run, duckdb_result_error(&run->result), err);
    return row_coder_open(run->plan, &run->result, &run->coder, err);
}

static int next_groups(struct engine_run *run, struct mr_error *err)
{
    size_t rows = 0;
    int status = finish_chunk(run, &rows, err);
    run->chunk_rows = rows;
    run->chunk_next = 0;
    if (status == MR_OK && rows == 0) {
        atomic_store(&run->finished, true);
        return MR_ENOENT;
    }
    return status;
}

static int next_chunk(struct engine_run *run, struct mr_error *err)
{
    if (run->finish != NULL)
        return next_groups(run, err);
    if (run->chunk != NULL)
        duckdb_destroy_data_chunk(&run->chunk);
    run->chunk_rows = run->chunk_next = 0;
    while (run->chunk_rows == 0) {
        if (run_stopped(run))
            return error_map(run, NULL, err);
        run->chunk = duckdb_fetch_chunk(run->result);
        if (run->chunk == NULL) {
            const char *text = duckdb_result_error(&run->result);
            if ((text != NULL && text[0] != '\0') || run_stopped(run))
                return error_map(run, text, err);
            atomic_store(&run->finished, true);
            return MR_ENOENT;
        }
        run->chunk_rows = duckdb_data_chunk_get_size(run->chunk);
        if (run->chunk_rows == 0)
            duckdb_destroy_data_chunk(&run->chunk);
    }
    row_coder_chunk(run->coder, run->chunk);
    return MR_OK;
}

/* The next row of a chunk. */
static int coded_row(struct engine_run *run, struct mr_buf *out, struct mr_error *err)
{
    int status = MR_OK;

    if (!run->has_result && run->finish == NULL)
        status = execute(run, err);
    if (status == MR_OK && run->chunk_next == run->chunk_rows)
        status = next_chunk(run, err);
    if (status == MR_OK && !run_stopped(run))
        row_coder_row(run->coder, run->chunk_next++, out);
    return status;
}

static int next_row(struct engine_run *run, struct mr_buf *out, struct mr_error *err)
{
    size_t before = out->len;
    int status = run->plain != NULL ? plain_row(run, out, err) : coded_row(run, out, err);

    if (status == MR_ENOENT)
        atomic_store(&run->finished, true);
    if (status != MR_OK)
        return status;
    if (run_stopped(run))
        return error_map(run, NULL, err);
    if (!mr_buf_ok(out))
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    run->result_bytes += out->len - before;
    if (run->result_bytes > run->limits.max_result_bytes)
        return mr_error_set(err, MR_ELIMIT, "Query result exceeds the limit of %llu bytes",
                            (unsigned long long)run->limits.max_result_bytes);
    atomic_fetch_add_explicit(&run->rows, 1, memory_order_relaxed);
    return MR_OK;
}

int engine_run_row(struct engine_run *run, struct mr_buf *out, struct mr_error *err)
{
    if (atomic_load(&run->finished))
        return MR_ENOENT;
    if (run->failure.status == MR_OK) {
        int status = next_row(run, out, &run->failure);
        if (status == MR_OK || status == MR_ENOENT)
            return status;
    }
    return mr_error_set(err, run->failure.status, "%s", run->failure.text); /* once failed, failed for good */
}

void engine_cancel(struct engine_run *run)
{
    run_stop(run, RUN_CANCELLED);
    watch_wake(run->engine); /* the watcher interrupts, again and again until the run has ended */
}

void engine_progress(struct engine_run *run, struct engine_progress *out)
{
    scan_progress(run, out);
    if (atomic_load(&run->finished))
        out->percent = 100;
    out->bytes_scanned = atomic_load_explicit(&run->bytes_scanned, memory_order_relaxed);
    out->rows = atomic_load_explicit(&run->rows, memory_order_relaxed);
}
