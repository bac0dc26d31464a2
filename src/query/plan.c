/* From text to a run: parse and bind against the catalog, pin the tables met, open snapshot and cursor. */
#include "query/run.h"

#include "base/rand.h"
#include "base/text.h"
#include "catalog/retention.h"

struct lookup {
    struct query_service *service;
    struct query_run *run;
    const struct query_caller *caller; /* NULL: was asked already */
    struct model_fault *fault;
    struct mr_str text;
    struct mr_arena *arena; /* of the fault */
};

static int ask(const struct query_caller *caller, const char *action, struct mr_str database,
               struct mr_str table, struct model_fault *fault)
{
    if (caller == NULL || caller->may == NULL)
        return MR_OK;
    return caller->may(caller->may_ctx, action, database, table, fault);
}

/* What the tables of a SELECT demand, or its having none. */
static int may_select(const struct query_run *run, const struct query_caller *caller,
                      struct model_fault *fault)
{
    int status = MR_OK;
    if (run->tables_met == 0)
        return ask(caller, "SelectValues", MR_STR_NULL, MR_STR_NULL, fault);
    for (const struct query_table *t = run->met; t != NULL && status == MR_OK; t = t->next_met)
        status = ask(caller, "Select", t->info.database, t->info.name, fault);
    return status;
}

int query_may(const struct query_run *run, const struct query_caller *caller, struct model_fault *fault)
{
    const struct sql_plan *plan = run->plan;
    switch (plan->statement) {
    case SQL_SHOW_DATABASES:
        return ask(caller, "ListDatabases", MR_STR_NULL, MR_STR_NULL, fault);
    case SQL_SHOW_TABLES:
        return ask(caller, "ListTables", plan->database, MR_STR_NULL, fault);
    case SQL_SHOW_MEASURES:
        return ask(caller, "ListMeasures", plan->database, plan->table, fault);
    case SQL_DESCRIBE:
        return ask(caller, "DescribeTable", plan->database, plan->table, fault);
    case SQL_SELECT:
    case SQL_EXPLAIN:
    case SQL_UNLOAD:
        return may_select(run, caller, fault);
    }
    return MR_EINTERNAL;
}

static enum sql_kind kind_of(enum store_type type)
{
    switch (type) {
    case STORE_DOUBLE:
        return SQL_DOUBLE;
    case STORE_BIGINT:
        return SQL_BIGINT;
    case STORE_BOOLEAN:
        return SQL_BOOLEAN;
    case STORE_TIMESTAMP:
        return SQL_TIMESTAMP;
    default:
        return SQL_VARCHAR;
    }
}

static enum sql_role role_of(enum store_role role)
{
    switch (role) {
    case STORE_TIME:
        return SQL_ROLE_TIME;
    case STORE_MEASURE_NAME:
        return SQL_ROLE_MEASURE_NAME;
    case STORE_DIMENSION:
        return SQL_ROLE_DIMENSION;
    case STORE_MEASURE_VALUE:
        return SQL_ROLE_MEASURE_VALUE;
    case STORE_ATTRIBUTE:
        return SQL_ROLE_ATTRIBUTE;
    }
    return SQL_ROLE_ATTRIBUTE;
}

/* Rank of a column in DESCRIBE and SELECT *: dimensions, measure_name, time, measure_value::* in the order
 * double, bigint, varchar, boolean, attributes (query-language reference 2). */
static unsigned rank_of(const struct store_column *c)
{
    switch (c->role) {
    case STORE_DIMENSION:
        return 0;
    case STORE_MEASURE_NAME:
        return 1;
    case STORE_TIME:
        return 2;
    case STORE_MEASURE_VALUE:
        return 2 + (unsigned)c->type;
    case STORE_ATTRIBUTE:
        return 100;
    }
    return 100;
}

static struct sql_column *order_columns(const struct store_schema *schema, struct mr_arena *arena)
{
    struct sql_column *out = MR_ARENA_ARRAY(arena, schema->ncolumns, struct sql_column);
    size_t n = 0;
    for (unsigned rank = 0; out != NULL && n < schema->ncolumns; rank++) {
        MR_ASSERT(rank <= 100);
        for (uint32_t i = 0; i < schema->ncolumns; i++) {
            const struct store_column *c = &schema->columns[i];
            if (rank_of(c) == rank)
                out[n++] = (struct sql_column){c->name, kind_of(c->type), role_of(c->role), i};
        }
    }
    return out;
}

/* The table's object, its reference held by the run until the run ends. */
static int pin(struct lookup *l, const struct catalog_table *info, struct query_table **out)
{
    struct query_run *run = l->run;
    for (size_t i = 0; i < run->ntables; i++) {
        if (run->tables[i]->info.id == info->id) {
            *out = run->tables[i];
            return MR_OK;
        }
    }
    struct query_table *t = MR_ARENA_NEW(&run->arena, struct query_table);
    if (t == NULL ||
        mr_grow((void **)&run->tables, &run->captables, run->ntables + 1, sizeof(void *)) != MR_OK)
        return MR_ENOMEM;
    t->info = *info;
    struct mr_error err = MR_ERROR_INIT;
    struct store *store = l->service->options.store;
    int status = store_database_usable(store, info->database_id, &err);
    if (status == MR_OK)
        status = store_table_ref(store, info->database_id, info->id, &t->store, &err);
    if (status == MR_EDENIED && l->fault != NULL)
        model_fail(l->fault, MODEL_ACCESS_DENIED, l->arena,
                   "The data of the database " MR_STR_FMT " cannot be decrypted: %s.",
                   MR_STR_ARG(info->database), err.text);
    if (status != MR_OK)
        return status;
    run->tables[run->ntables++] = t;
    run->tables_met++;
    t->next_met = run->met;
    run->met = t;
    *out = t;
    return store_schema_get(t->store, &run->arena, &t->schema);
}

/* Whether the caller may learn of a table that the text names: who may select from it, describe it or list
 * its measures. The binder asks before it is known which of them the statement does; query_may decides that.
 * A refusal names what the first word of the text suggests. */
static int may_know(const struct lookup *l, struct mr_str database, struct mr_str table)
{
    static const char *const actions[] = {"Select", "DescribeTable", "ListMeasures"};
    if (l->caller == NULL)
        return MR_OK;
    for (size_t i = 0; i < MR_ARRAY_LEN(actions); i++) {
        int status = ask(l->caller, actions[i], database, table, NULL);
        if (status != MR_EDENIED)
            return status;
    }
    struct mr_str text = mr_str_trim(l->text);
    size_t word = mr_str_ieq(mr_str_slice(text, 0, 8), MR_STR("DESCRIBE")) ? 1
                  : mr_str_ieq(mr_str_slice(text, 0, 4), MR_STR("SHOW"))   ? 2
                                                                           : 0;
    return ask(l->caller, actions[word], database, table, l->fault);
}

static int lookup_table(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                        struct sql_table *out, bool *missing_database)
{
    struct lookup *l = ctx;
    MR_UNUSED(arena); /* it is the run's */
    struct catalog_table info;
    *missing_database = false;
    int status = may_know(l, database, name);
    if (status != MR_OK)
        return status == MR_EINVAL ? MR_EDENIED : status; /* the fault is set, and it is not the text's */
    status = catalog_table_get(l->service->options.catalog, database, name, &l->run->arena, &info,
                               missing_database);
    struct query_table *t = NULL;
    if (status == MR_OK)
        status = pin(l, &info, &t);
    if (status != MR_OK)
        return status;
    struct sql_column *columns = order_columns(&t->schema, &l->run->arena);
    if (columns == NULL)
        return MR_ENOMEM;
    *out = (struct sql_table){t, info.database, info.name, columns, t->schema.ncolumns};
    return MR_OK;
}

int query_find_table(struct query_service *s, struct query_run *run, struct mr_str database,
                     struct mr_str name, struct sql_table *out, bool *missing_database,
                     struct mr_arena *arena, struct model_fault *fault)
{
    struct lookup l = {.service = s, .run = run, .fault = fault, .arena = arena};
    int status = lookup_table(&l, database, name, &run->arena, out, missing_database);
    return status == MR_EDENIED ? MR_EINVAL : status; /* the fault is set */
}

int query_bind(struct query_service *s, const struct query_caller *caller, struct mr_str text, bool prepare,
               struct query_run *run, struct mr_arena *arena, struct model_fault *fault)
{
    struct lookup l = {s, run, caller, fault, text, arena};
    struct sql_lookup lookup = {&l, lookup_table};
    struct sql_env env = {.lookup = &lookup,
                          .now_ns = run->now_ns,
                          .time_floor = INT64_MIN,
                          .prepare = prepare,
                          .groups = true};
    struct sql_error error = {0};
    int status = sql_prepare(text, &env, &run->arena, &run->plan, &error);
    if (status == MR_EINVAL)
        return model_fail(fault, MODEL_VALIDATION, arena, MR_STR_FMT, MR_STR_ARG(error.message));
    if (status == MR_EDENIED)
        return MR_EINVAL;
    return status == MR_OK ? query_may(run, caller, fault) : status;
}

/* The plan as the engine wants it: store handles instead of ours, and no row before the table's retention. */
static int bind_scans(struct query_run *run)
{
    run->bound = *run->plan;
    struct sql_scan *scans = MR_ARENA_ARRAY(&run->arena, run->plan->nscans, struct sql_scan);
    if (scans == NULL && run->plan->nscans != 0)
        return MR_ENOMEM;
    for (size_t i = 0; i < run->plan->nscans; i++) {
        const struct query_table *t = run->plan->scans[i].handle;
        int64_t floor = catalog_retention_floor(&t->info, run->now_ns);
        scans[i] = run->plan->scans[i];
        scans[i].handle = t->store;
        if (scans[i].time_min < floor)
            scans[i].time_min = floor;
    }
    run->bound.scans = scans;
    return MR_OK;
}

/* ColumnInfo, which every page repeats. */
static int keep_columns(struct query_run *run, struct mr_arena *arena, struct model_fault *fault)
{
    struct mr_buf columns = MR_BUF_INIT;
    int status = MR_OK;
    query_columns(run->plan, &columns);
    if (columns.len > QUERY_COLUMNS_BYTES)
        status = model_fail(fault, MODEL_QUERY_EXECUTION, arena,
                            "Query aborted as the metadata of its columns exceeds the limit of %d bytes",
                            QUERY_COLUMNS_BYTES);
    else if (!mr_buf_ok(&columns) ||
             (run->columns = mr_arena_dup(&run->arena, mr_buf_view(&columns))).ptr == NULL)
        status = MR_ENOMEM;
    mr_buf_release(&columns);
    return status;
}

static int open_cursor(struct query_service *s, struct query_run *run, struct mr_arena *arena,
                       struct model_fault *fault)
{
    if (run->plan->statement == SQL_UNLOAD)
        return model_fail(fault, MODEL_VALIDATION, arena,
                          "UNLOAD cannot be run: this server has no object storage to write to.");
    if (run->plan->statement != SQL_SELECT) {
        run->use_fixed = true;
        return query_show(s, run, arena, fault);
    }
    int status = keep_columns(run, arena, fault);
    if (status == MR_OK)
        status = bind_scans(run);
    if (status == MR_OK)
        status = store_snapshot_open(s->options.store, &run->snapshot);
    return status; /* the engine's cursor is opened by the thread that makes the first page: preparing may
                      take long */
}

int query_run_new(struct query_service *s, const struct query_caller *caller,
                  const struct model_query_request *in, struct mr_arena *arena, struct query_run **out,
                  struct model_fault *fault)
{
    struct query_run *run = mr_calloc(1, sizeof *run);
    if (run == NULL)
        return MR_ENOMEM;
    run->arena.limit = (size_t)256 << 20;
    pthread_cond_init(&run->changed, NULL);
    memcpy(run->id, "AE", 2);
    mr_base32_random(QUERY_ID_CHARS - 2, run->id + 2);
    mr_random_bytes(run->secret, sizeof run->secret);
    run->now_ns = mr_clock_wall(s->options.clock) / MR_NS_PER_MS * MR_NS_PER_MS; /* now() has milliseconds */
    run->deadline = mr_clock_mono(s->options.clock) + s->options.timeout_ns;
    run->insights = in->query_insights != NULL &&
                    in->query_insights->mode == MODEL_QUERY_INSIGHTS_MODE_ENABLED_WITH_RATE_CONTROL;
    run->parameters = query_parameters(in);
    run->text = mr_arena_dup(&run->arena, in->query_string);
    run->principal = mr_arena_dup(&run->arena, caller->principal);
    if (in->client_token.ptr != NULL)
        run->client_token = mr_arena_dup(&run->arena, in->client_token);
    int status = run->text.ptr == NULL || run->principal.ptr == NULL ||
                         (in->client_token.ptr != NULL && run->client_token.ptr == NULL)
                     ? MR_ENOMEM
                     : MR_OK;
    if (status == MR_OK)
        status = query_bind(s, caller, run->text, false, run, arena, fault);
    if (status == MR_OK)
        status = open_cursor(s, run, arena, fault);
    if (status != MR_OK) {
        query_run_free(run);
        return status;
    }
    *out = run;
    return MR_OK;
}

/* Lets go of everything but the newest page. */
void query_run_close(struct query_run *run)
{
    if (run->engine != NULL)
        engine_run_close(run->engine);
    if (run->snapshot != NULL)
        store_snapshot_close(run->snapshot);
    for (size_t i = 0; i < run->ntables; i++)
        store_table_unref(run->tables[i]->store);
    run->engine = NULL;
    run->snapshot = NULL;
    run->ntables = 0;
    mr_buf_release(&run->pending);
}

void query_run_free(struct query_run *run)
{
    if (run == NULL)
        return;
    query_run_close(run);
    mr_free(run->tables);
    mr_buf_release(&run->page.rows);
    mr_arena_release(&run->arena);
    pthread_cond_destroy(&run->changed);
    mr_free(run);
}
