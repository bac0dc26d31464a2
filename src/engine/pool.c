/* The open database and its connections. */
#include "engine/duck.h"

static int register_all(struct duck *duck, duckdb_connection con, struct mr_error *err)
{
    if (scan_register(duck, con) != MR_OK)
        return mr_error_set(err, MR_EINTERNAL, "embedded database refused the scan function");
    return functions_register(duck, con, err);
}

int duck_open(struct engine *engine, struct duck **out, struct mr_error *err)
{
    duckdb_connection con = NULL;
    struct duck *duck = mr_calloc(1, sizeof(*duck));
    if (duck == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    duck->engine = engine;
    duck->refs = 1;

    int status = MR_OK;
    if (duckdb_open(NULL, &duck->db) != DuckDBSuccess || duckdb_connect(duck->db, &con) != DuckDBSuccess)
        status = mr_error_set(err, MR_EINTERNAL, "embedded database does not open");
    /* Functions first: nothing may depend on a setting, and the lock-down tries are made on the finished
     * database. */
    if (status == MR_OK)
        status = register_all(duck, con, err);
    if (status == MR_OK)
        status = lockdown_apply(con, &engine->options, err);
    duckdb_disconnect(&con);
    if (status == MR_OK) {
        *out = duck;
    } else {
        duckdb_close(&duck->db);
        mr_free(duck);
    }
    return status;
}

void duck_unref(struct duck *duck)
{
    MR_ASSERT(duck->refs > 0);
    if (--duck->refs > 0)
        return;
    duckdb_close(&duck->db);
    mr_free(duck);
}

static void conn_close(struct conn *conn)
{
    duckdb_disconnect(&conn->con);
    duck_unref(conn->duck);
    mr_free(conn);
}

/* With engine->lock held: a working database, opened anew when the last one was ruined. */
static int current_duck(struct engine *engine, struct duck **out, struct mr_error *err)
{
    if (engine->duck->broken) {
        struct duck *fresh = NULL;
        int status = duck_open(engine, &fresh, err);
        if (status != MR_OK)
            return status;
        duck_unref(engine->duck);
        engine->duck = fresh;
    }
    *out = engine->duck;
    return MR_OK;
}

static int conn_open(struct engine *engine, struct conn **out, struct mr_error *err)
{
    struct duck *duck;
    int status = current_duck(engine, &duck, err);
    if (status != MR_OK)
        return status;
    struct conn *conn = mr_calloc(1, sizeof(*conn));
    if (conn == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    if (duckdb_connect(duck->db, &conn->con) != DuckDBSuccess) {
        mr_free(conn);
        return mr_error_set(err, MR_EINTERNAL, "embedded database refused a connection");
    }
    duckdb_client_context context;
    duckdb_connection_get_client_context(conn->con, &context);
    conn->id = duckdb_client_context_get_connection_id(context);
    duckdb_destroy_client_context(&context);
    conn->duck = duck;
    duck->refs++;
    *out = conn;
    return MR_OK;
}

int run_list(struct engine_run *run, struct mr_error *err)
{
    struct engine *engine = run->engine;
    int status = MR_OK;

    pthread_mutex_lock(&engine->lock);
    if (engine->nruns == ENGINE_RUNS_MAX)
        status = mr_error_set(err, MR_EBUSY, "too many queries at a time (%d)", ENGINE_RUNS_MAX);
    else
        engine->runs[engine->nruns++] = run;
    pthread_mutex_unlock(&engine->lock);
    return status;
}

void run_unlist(struct engine_run *run)
{
    struct engine *engine = run->engine;

    pthread_mutex_lock(&engine->lock);
    for (unsigned i = 0; i < engine->nruns; i++) {
        if (engine->runs[i] == run) {
            engine->runs[i] = engine->runs[--engine->nruns];
            break;
        }
    }
    pthread_mutex_unlock(&engine->lock);
}

int conn_take(struct engine_run *run, struct mr_error *err)
{
    struct engine *engine = run->engine;
    struct conn *conn = NULL;
    int status = MR_OK;

    pthread_mutex_lock(&engine->lock);
    if (engine->idle != NULL) {
        conn = engine->idle;
        engine->idle = conn->next;
        engine->nidle--;
    } else {
        status = conn_open(engine, &conn, err);
    }
    if (status == MR_OK) {
        conn->run = run;
        run->conn = conn;
    }
    pthread_mutex_unlock(&engine->lock);
    return status;
}

/* Waits for the tasks of a query given up half-way. Preparing anything ends what ran before on the
 * connection. To disconnect at once would not do: a task borrows the connection's context, and when it gives
 * back the last reference the context is destroyed inside of the task, where it waits for that very task for
 * ever. */
static void end_tasks(struct conn *conn)
{
    duckdb_prepared_statement nothing = NULL;
    (void)duckdb_prepare(conn->con, "SELECT 1", &nothing);
    duckdb_destroy_prepare(&nothing);
}

void conn_give(struct engine_run *run, bool ended)
{
    struct engine *engine = run->engine;
    struct conn *conn = run->conn;

    if (conn == NULL)
        return;
    pthread_mutex_lock(&engine->lock);
    conn->run = NULL;
    run->conn = NULL;
    bool keep = ended && engine->nidle < ENGINE_IDLE_CONNS_MAX && !conn->duck->broken && !engine->closing;
    if (keep) {
        conn->next = engine->idle;
        engine->idle = conn;
        engine->nidle++;
    }
    pthread_mutex_unlock(&engine->lock);
    if (keep)
        return;
    /* Outside of the lock: it waits for the query's tasks that are still at work. */
    end_tasks(conn);
    duckdb_disconnect(&conn->con);
    pthread_mutex_lock(&engine->lock);
    duck_unref(conn->duck);
    pthread_mutex_unlock(&engine->lock);
    mr_free(conn);
}

struct engine_run *duck_run_of(struct duck *duck, duckdb_client_context context)
{
    struct engine *engine = duck->engine;
    struct engine_run *run = NULL;
    idx_t id = duckdb_client_context_get_connection_id(context);

    duckdb_destroy_client_context(&context);
    pthread_mutex_lock(&engine->lock);
    for (unsigned i = 0; i < engine->nruns && run == NULL; i++) {
        struct conn *conn = engine->runs[i]->conn;
        if (conn != NULL && conn->duck == duck && conn->id == id)
            run = engine->runs[i];
    }
    pthread_mutex_unlock(&engine->lock);
    return run;
}

void duck_mark_broken(struct engine_run *run)
{
    struct engine *engine = run->engine;

    pthread_mutex_lock(&engine->lock);
    run->conn->duck->broken = true;
    struct conn *idle = engine->idle;
    engine->idle = NULL;
    engine->nidle = 0;
    while (idle != NULL) {
        struct conn *next = idle->next;
        conn_close(idle);
        idle = next;
    }
    pthread_mutex_unlock(&engine->lock);
    mr_log(MR_LOG_ERROR, "engine_reopen", "reason=\"internal error of the embedded database\"");
}
