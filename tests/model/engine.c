#include "model/engine.h"

#include <sched.h>
#include <stdlib.h>

void engine_init(struct engine *e, const struct model_profile *p, bool by_hand)
{
    *e = (struct engine){
        .options = {.clock = &mr_clock_system,
                    .dir = ENGINE_DIR,
                    .wal_segment_bytes = 64 << 10,
                    .wal_queue_bytes = 1 << 20,
                    .memory_limit = 256 << 20,
                    .flush_bytes = by_hand ? 0 : 64 << 10,
                    .flush_log_bytes = by_hand ? 0 : 256 << 10,
                    .window_ns = p->step * (int64_t)(p->times / 6 + 1),
                    .file_bytes = 256 << 10,
                    .by_hand = by_hand},
    };
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->changed, NULL);
}

void engine_destroy(struct engine *e)
{
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->changed);
}

void engine_make_dir(const struct mr_io *io)
{
    struct mr_error err = MR_ERROR_INIT;
    if (io->mkdir(io->ctx, ENGINE_DIR, 0700) != 0 || mr_io_sync_dir(io, "/", &err) != MR_OK)
        model_broken("cannot make the directory: %s", err.text);
}

bool engine_try_open(struct engine *e, const struct mr_io *io, struct mr_error *err)
{
    e->options.io = io;
    e->store = NULL;
    memset(e->tables, 0, sizeof e->tables);
    return store_open(&e->options, &e->store, err) == MR_OK;
}

void engine_close(struct engine *e)
{
    engine_settle(e);
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        store_table_unref(e->tables[i]);
    memset(e->tables, 0, sizeof e->tables);
    store_close(e->store);
    e->store = NULL;
}

int engine_try_table(struct engine *e, unsigned table, uint64_t id, struct mr_error *err)
{
    if (e->tables[table] != NULL && e->ids[table] == id)
        return MR_OK;
    store_table_unref(e->tables[table]);
    e->tables[table] = NULL;
    e->ids[table] = id;
    return store_table_ref(e->store, ENGINE_DATABASE, id, &e->tables[table], err);
}

bool engine_table(struct engine *e, unsigned table, uint64_t id)
{
    struct mr_error err = MR_ERROR_INIT;
    int rc = engine_try_table(e, table, id, &err);
    if (rc != MR_OK && rc != MR_ENOENT)
        model_broken("table %llu: %s", (unsigned long long)id, err.text);
    return rc == MR_OK;
}

/* ---- append
 * ------------------------------------------------------------------------------------------------------ */

static void on_done(struct store_commit *commit)
{
    struct engine_commit *c = (struct engine_commit *)commit;
    struct engine *e = c->engine;
    if (c->disk != NULL)
        c->acked_at = simdisk_changes(c->disk);
    if (c->acked != NULL)
        __atomic_store_n(c->acked, 1, __ATOMIC_RELEASE);
    pthread_mutex_lock(&e->lock);
    e->finished++;
    pthread_cond_signal(&e->changed);
    pthread_mutex_unlock(&e->lock);
}

void engine_settle(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    while (e->finished != e->started)
        pthread_cond_wait(&e->changed, &e->lock);
    pthread_mutex_unlock(&e->lock);
}

bool engine_settled(struct engine *e)
{
    pthread_mutex_lock(&e->lock);
    bool settled = e->finished == e->started;
    pthread_mutex_unlock(&e->lock);
    return settled;
}

static int try_append(struct engine *e, unsigned table, struct store_record *records, size_t count,
                      struct engine_commit *commit, bool may_wait, struct mr_error *err)
{
    for (;;) {
        *err = (struct mr_error)MR_ERROR_INIT;
        int rc = may_wait ? store_append_wait(e->tables[table], records, count, &commit->commit, err)
                          : store_append(e->tables[table], records, count, &commit->commit, err);
        if (rc == MR_EAGAIN && !may_wait) {
            e->again++;
            may_wait = true;
        } else if (rc == MR_EBUSY) {
            e->busy++;
            engine_settle(e); /* what is queued makes room; ours is not counted yet */
            sched_yield();
        } else {
            return rc;
        }
    }
}

int engine_append(struct engine *e, unsigned table, const struct model_record *records, size_t count,
                  enum store_outcome *outcomes, int64_t *existing, struct engine_commit *commit,
                  bool may_wait, struct mr_error *err)
{
    struct store_record *said = calloc(count, sizeof *said);
    struct model_words *words = calloc(count, sizeof *words);
    MR_ASSERT(said != NULL && words != NULL);
    for (size_t i = 0; i < count; i++) {
        said[i] = model_say(&words[i], &records[i]);
        if (i != 0 && records[i].set == records[i - 1].set) /* as clients do with common attributes */
            said[i].dims = said[i - 1].dims;
    }
    commit->commit.done = on_done;
    commit->engine = e;
    commit->acked_at = SIZE_MAX;
    int rc = try_append(e, table, said, count, commit, may_wait, err);
    if (rc == MR_OK) { /* done may have run: started trails finished for a moment, which nobody but us sees */
        pthread_mutex_lock(&e->lock);
        e->started++;
        pthread_mutex_unlock(&e->lock);
    }
    for (size_t i = 0; i < count && rc == MR_OK; i++) {
        outcomes[i] = said[i].outcome;
        existing[i] = said[i].existing_version;
    }
    free(said);
    free(words);
    return rc;
}

/* ---- rows
 * -------------------------------------------------------------------------------------------------------- */

int engine_scan(struct engine *e, struct store_snapshot *snapshot, unsigned table,
                const struct model_spec *spec, struct store_scan **out, struct mr_error *err)
{
    struct store_pred preds[MR_ARRAY_LEN(spec->preds)];
    struct mr_str values[MR_ARRAY_LEN(spec->preds)][MR_ARRAY_LEN(spec->preds[0].values)];
    for (unsigned i = 0; i < spec->npreds; i++) {
        for (unsigned k = 0; k < spec->preds[i].nvalues; k++)
            values[i][k] = mr_str_of(spec->preds[i].values[k]);
        preds[i] =
            (struct store_pred){spec->preds[i].column, spec->preds[i].op, values[i], spec->preds[i].nvalues};
    }
    struct store_scan_spec said = {spec->time_min, spec->time_max, spec->columns, spec->ncolumns,
                                   preds,          spec->npreds,   NULL,          0};
    return store_scan_open(snapshot, e->tables[table], &said, out, err);
}

static void add_value(struct model_rows *out, const struct store_vec *vec, size_t row)
{
    size_t at = vec->constant ? 0 : row;
    if (vec->valid != NULL && !vec->valid[at])
        model_rows_null(out);
    else if (vec->type == STORE_VARCHAR)
        model_rows_text(out, ((const struct mr_str *)vec->values)[at]);
    else if (vec->type == STORE_BOOLEAN)
        model_rows_bits(out, vec->type, ((const uint8_t *)vec->values)[at]);
    else /* of a double: its bits */
        model_rows_bits(out, vec->type, ((const int64_t *)vec->values)[at]);
}

static void add_row(struct model_rows *out, const struct model_spec *spec, const struct store_batch *batch,
                    size_t row)
{
    int64_t time = INT64_MIN;
    for (unsigned i = 0; i < spec->ncolumns; i++)
        if (spec->columns[i] == STORE_COLUMN_TIME)
            time = ((const int64_t *)batch->cols[i].values)[batch->cols[i].constant ? 0 : row];
    if (row != 0 && time != INT64_MIN && time <= out->rows[out->count - 1].time)
        model_broken("rows of a batch are not ascending by time");
    if (time != INT64_MIN && (time < spec->time_min || time > spec->time_max))
        model_broken("a row outside the range of the scan");
    model_rows_add(out, time);
    for (unsigned i = 0; i < spec->ncolumns; i++)
        add_value(out, &batch->cols[i], row);
    model_rows_end(out);
}

int engine_batch(struct store_cursor *cursor, const struct model_spec *spec, struct model_rows *out,
                 bool *more, struct mr_error *err)
{
    struct store_batch batch;
    int rc = store_cursor_next(cursor, &batch, err);
    if (rc != MR_OK)
        return rc;
    if (batch.rows > STORE_BATCH_ROWS)
        model_broken("a batch of %zu rows", batch.rows);
    for (size_t row = 0; row < batch.rows; row++)
        add_row(out, spec, &batch, row);
    *more = batch.rows != 0;
    return MR_OK;
}

int engine_drain(struct store_scan *scan, const struct model_spec *spec, unsigned cursors,
                 struct model_rows *out, struct mr_error *err)
{
    struct store_cursor *cursor[2] = {NULL, NULL};
    struct store_scan_info info;
    int rc = MR_OK;
    MR_ASSERT(cursors >= 1 && cursors <= 2);
    for (unsigned i = 0; i < cursors && rc == MR_OK; i++)
        rc = store_cursor_open(scan, &cursor[i]);
    for (bool more[2] = {true, cursors == 2}; rc == MR_OK && (more[0] || more[1]);)
        for (unsigned i = 0; i < cursors && rc == MR_OK; i++)
            if (more[i])
                rc = engine_batch(cursor[i], spec, out, &more[i], err);
    for (unsigned i = 0; i < cursors; i++)
        store_cursor_close(cursor[i]);
    store_scan_info(scan, &info);
    if (rc == MR_OK && info.series_done != info.series_selected)
        model_broken("a scan at its end has done %llu of %llu series", (unsigned long long)info.series_done,
                     (unsigned long long)info.series_selected);
    return rc;
}

int engine_rows(struct engine *e, unsigned table, const struct model_spec *spec, struct model_rows *out,
                struct mr_error *err)
{
    struct store_snapshot *snapshot;
    struct store_scan *scan;
    if (store_snapshot_open(e->store, &snapshot) != MR_OK)
        model_broken("no snapshot");
    int rc = engine_scan(e, snapshot, table, spec, &scan, err);
    if (rc == MR_OK) {
        rc = engine_drain(scan, spec, 1, out, err);
        store_scan_close(scan);
    }
    store_snapshot_close(snapshot);
    model_rows_sort(out);
    return rc;
}

void engine_schema(struct engine *e, unsigned table, struct mr_buf *out)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct store_schema schema;
    if (store_schema_get(e->tables[table], &arena, &schema) != MR_OK)
        model_broken("no schema of table %llu", (unsigned long long)e->ids[table]);
    for (size_t i = 0; i < schema.ncolumns; i++)
        mr_buf_printf(out, MR_STR_FMT ":%d:%d ", MR_STR_ARG(schema.columns[i].name),
                      (int)schema.columns[i].role, (int)schema.columns[i].type);
    mr_arena_release(&arena);
}

int engine_versions(struct engine *e, unsigned table, const struct model_record *rows, size_t count,
                    int64_t *versions, struct mr_error *err)
{
    struct model_record probes[MODEL_BATCH];
    enum store_outcome outcomes[MODEL_BATCH];
    struct engine_commit commit = {.disk = NULL};
    for (size_t from = 0; from < count; from += MODEL_BATCH) {
        size_t n = count - from < MODEL_BATCH ? count - from : MODEL_BATCH;
        for (size_t i = 0; i < n; i++) {
            probes[i] = rows[from + i];
            probes[i].version = 1;
            probes[i].attrs[0].bits ^= probes[i].attrs[0].type == STORE_VARCHAR ? 4 : 1; /* another text */
        }
        int rc = engine_append(e, table, probes, n, outcomes, versions + from, &commit, true, err);
        if (rc != MR_OK)
            return rc;
        engine_settle(e);
        for (size_t i = 0; i < n; i++) {
            if (outcomes[i] == STORE_REJECT_SAME_VERSION)
                versions[from + i] = 1;
            else if (outcomes[i] != STORE_REJECT_LOWER_VERSION)
                model_broken("a row that a scan shows is not there for a write: outcome %d",
                             (int)outcomes[i]);
        }
    }
    return MR_OK;
}
