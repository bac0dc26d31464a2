/* tests/model/held.c - scans: whole ones, and ones that are held open while the history goes on. */
#include "model/run.h"

#include <inttypes.h>
#include <stdio.h>

static void draw_word(struct run *run, const struct model_column *c, char text[static 16])
{
    if (c->kind == MODEL_MEASURE_NAME)
        model_measure_text((unsigned)run_below(run, run->profile.measures), text);
    else
        model_dim_text((unsigned)run_below(run, run->profile.sets), c->name, text);
}

static void draw_pred(struct run *run, const struct model_table *t, struct model_spec *spec)
{
    unsigned words[MODEL_COLUMNS], count = 0;
    for (unsigned i = 0; i < t->ncolumns; i++)
        if (t->columns[i].kind == MODEL_MEASURE_NAME || t->columns[i].kind == MODEL_DIM)
            words[count++] = i;
    struct model_pred *p = &spec->preds[spec->npreds++];
    *p = (struct model_pred){.column = words[run_below(run, count)],
                             .op = (enum store_pred_op)run_below(run, 5)};
    p->nvalues = p->op == STORE_PRED_PREFIX   ? 1
                 : p->op <= STORE_PRED_NOT_IN ? 1 + (unsigned)run_below(run, 3)
                                              : 0;
    for (unsigned i = 0; i < p->nvalues; i++)
        draw_word(run, &t->columns[p->column], p->values[i]);
    if (p->op == STORE_PRED_PREFIX)
        p->values[0][run_below(run, 3)] = '\0';
}

void run_draw_spec(struct run *run, unsigned table, bool with_time, struct model_spec *out)
{
    const struct model_table *t = &run->model.tables[table];
    uint64_t first = run_first(run, table), times = run->profile.times;
    model_spec_all(t, out);
    if (run_below(run, 2) == 0) {
        uint64_t a = first + run_below(run, times - first), b = a + run_below(run, (times - a) / 4 + 1);
        out->time_min = run->profile.base + run->profile.step * (int64_t)a;
        out->time_max = run->profile.base + run->profile.step * (int64_t)b;
    }
    if (run_below(run, 2) == 0) { /* some of the columns */
        out->ncolumns = 0;
        for (unsigned i = 0; i < t->ncolumns; i++)
            if ((i == STORE_COLUMN_TIME && with_time) || run_below(run, 3) == 0)
                out->columns[out->ncolumns++] = i;
        if (out->ncolumns > 1) { /* in another order */
            uint32_t last = out->columns[out->ncolumns - 1];
            out->columns[out->ncolumns - 1] = out->columns[0];
            out->columns[0] = last;
        }
    }
    while (out->npreds < MR_ARRAY_LEN(out->preds) && run_below(run, 3) == 0)
        draw_pred(run, t, out);
}

static void compare(struct run *run, struct model_rows *got, struct model_rows *want, unsigned table,
                    const char *what)
{
    struct mr_buf text = MR_BUF_INIT;
    run_count(run, HISTORY_SCANS, 1);
    run_count(run, HISTORY_SCANNED_ROWS, got->count);
    model_rows_sort(got);
    model_rows_sort(want);
    if (!model_rows_equal(got, want, &text))
        model_broken("%s of table %u: " MR_STR_FMT, what, table, MR_STR_ARG(mr_buf_view(&text)));
    model_rows_release(got);
    model_rows_release(want);
}

static struct store_snapshot *open_snapshot(struct run *run)
{
    struct store_snapshot *snapshot;
    engine_settle(&run->engine); /* what the model knows is durable, and so in the snapshot */
    if (store_snapshot_open(run->engine.store, &snapshot) != MR_OK)
        model_broken("no snapshot");
    return snapshot;
}

void run_scan(struct run *run)
{
    unsigned table = (unsigned)run_below(run, MODEL_TABLES);
    struct model_spec spec;
    struct model_rows got = MODEL_ROWS_INIT, want = MODEL_ROWS_INIT;
    run_draw_spec(run, table, false, &spec);
    run_say(run, "scan table %u: %u columns, %u predicates, times %" PRId64 "..%" PRId64, table,
            spec.ncolumns, spec.npreds, spec.time_min, spec.time_max);
    struct store_snapshot *snapshot = open_snapshot(run);
    struct store_scan *scan;
    struct mr_error err = MR_ERROR_INIT;
    if (engine_scan(&run->engine, snapshot, table, &spec, &scan, &err) != MR_OK ||
        engine_drain(scan, &spec, 1 + (unsigned)run_below(run, 2), &got, &err) != MR_OK)
        model_broken("a scan of table %u fails: %s", table, err.text);
    store_scan_close(scan);
    store_snapshot_close(snapshot);
    model_scan(&run->model.tables[table], &spec, &want);
    compare(run, &got, &want, table, "a scan");
}

/* ---- held
 * -------------------------------------------------------------------------------------------------------- */

bool run_holds(const struct run *run)
{
    for (unsigned i = 0; i < RUN_HELD; i++)
        if (run->held[i].snapshot != NULL)
            return true;
    return false;
}

static void open_scan(struct run *run, struct run_held *h)
{
    struct mr_error err = MR_ERROR_INIT;
    if (engine_scan(&run->engine, h->snapshot, h->table, &h->spec, &h->scan, &err) != MR_OK)
        model_broken("a scan of a held snapshot of table %u cannot be opened: %s", h->table, err.text);
    if (store_cursor_open(h->scan, &h->cursor) != MR_OK)
        model_broken("no cursor");
}

static bool read_batch(struct run_held *h)
{
    struct mr_error err = MR_ERROR_INIT;
    bool more;
    if (engine_batch(h->cursor, &h->spec, &h->got, &more, &err) != MR_OK)
        model_broken("a scan of table %u that was held open fails: %s", h->table, err.text);
    return more;
}

/* Opens a snapshot and keeps it: as it is, or with a scan that has given a batch or none. */
void run_hold(struct run *run)
{
    struct run_held *h = &run->held[run_below(run, RUN_HELD)];
    if (h->snapshot != NULL)
        return;
    *h = (struct run_held){.table = (unsigned)run_below(run, MODEL_TABLES)};
    const struct model_table *t = &run->model.tables[h->table];
    h->id = t->id;
    h->cutoff = t->cutoff;
    run_draw_spec(run, h->table, true, &h->spec);
    run_say(run, "hold slot %zu: table %u, %u columns, %u predicates, times %" PRId64 "..%" PRId64,
            (size_t)(h - run->held), h->table, h->spec.ncolumns, h->spec.npreds, h->spec.time_min,
            h->spec.time_max);
    run_count(run, HISTORY_HELD, 1);
    h->snapshot = open_snapshot(run);
    model_scan(t, &h->spec, &h->want);
    uint64_t depth = run_below(run, 3);
    if (depth != 0)
        open_scan(run, h);
    if (depth == 2)
        read_batch(h);
}

/* Reads it to the end: what it shows is what was there when it was opened. */
static void finish(struct run *run, struct run_held *h)
{
    run_say(run, "read slot %zu, %s, to its end", (size_t)(h - run->held),
            h->scan != NULL ? "a scan" : "a snapshot");
    if (h->scan == NULL)
        open_scan(run, h);
    while (read_batch(h))
        ;
    store_cursor_close(h->cursor);
    store_scan_close(h->scan);
    store_snapshot_close(h->snapshot);
    h->snapshot = NULL;
    model_rows_cut(&h->got, h->cutoff);
    model_rows_cut(&h->want, h->cutoff);
    compare(run, &h->got, &h->want, h->table, "a scan that was held open");
}

void run_read_held(struct run *run)
{
    struct run_held *h = &run->held[run_below(run, RUN_HELD)];
    if (h->snapshot == NULL)
        return;
    if (h->scan != NULL && run_below(run, 2) == 0)
        read_batch(h);
    else
        finish(run, h);
}

void run_release(struct run *run, unsigned table, bool scans_too)
{
    for (unsigned i = 0; i < RUN_HELD; i++) {
        struct run_held *h = &run->held[i];
        if (h->snapshot != NULL && (table == MODEL_TABLES || h->table == table) &&
            (scans_too || h->scan == NULL))
            finish(run, h);
    }
    if (table == MODEL_TABLES)
        run_join(run);
}

/* A flush under way may wait for snapshots, so they go first. */
void run_join(struct run *run)
{
    if (!run->flushing)
        return;
    run->flushing = false; /* run_release asks for us */
    run_release(run, MODEL_TABLES, true);
    pthread_join(run->flusher, NULL);
}
