/* tests/model/history.c - set-up, the choice of operations, and what must hold when a store was opened. */
#include "model/run.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdlib.h>

/* ---- engine against model
 * ---------------------------------------------------------------------------------------- */

static bool same_rows(struct run *run, const struct model *model, unsigned table, struct mr_buf *out)
{
    const struct model_table *t = &model->tables[table];
    struct mr_buf got = MR_BUF_INIT, want = MR_BUF_INIT;
    struct model_rows got_rows = MODEL_ROWS_INIT, want_rows = MODEL_ROWS_INIT;
    struct model_spec spec;
    if (!engine_table(&run->engine, table, t->id)) {
        mr_buf_printf(out, "table %u (number %" PRIu64 ") was dropped", table, t->id);
        return false;
    }
    engine_schema(&run->engine, table, &got);
    model_schema(t, &want);
    bool same = mr_str_eq(mr_buf_view(&got), mr_buf_view(&want));
    if (!same)
        mr_buf_printf(
            out, "schema of table %u (number %" PRIu64 ")\n    got    " MR_STR_FMT "\n    wanted " MR_STR_FMT,
            table, t->id, MR_STR_ARG(mr_buf_view(&got)), MR_STR_ARG(mr_buf_view(&want)));
    mr_buf_release(&got);
    mr_buf_release(&want);
    if (!same)
        return false;
    model_spec_all(t, &spec);
    engine_rows(&run->engine, table, &spec, &got_rows);
    model_scan(t, &spec, &want_rows);
    run_count(run, HISTORY_SCANS, 1);
    run_count(run, HISTORY_SCANNED_ROWS, got_rows.count);
    same = model_rows_equal(&got_rows, &want_rows, &got);
    if (!same)
        mr_buf_printf(out, "table %u (number %" PRIu64 "): " MR_STR_FMT, table, t->id,
                      MR_STR_ARG(mr_buf_view(&got)));
    mr_buf_release(&got);
    model_rows_release(&got_rows);
    model_rows_release(&want_rows);
    return same;
}

/* Versions show in no scan, so some rows are asked for theirs. */
static bool same_versions(struct run *run, const struct model *model, unsigned table, struct mr_buf *out)
{
    const struct model_table *t = &model->tables[table];
    static struct model_record rows[MODEL_BATCH];
    int64_t versions[MODEL_BATCH];
    size_t count = t->nrows < MODEL_BATCH ? t->nrows : MODEL_BATCH;
    size_t from = t->nrows > count ? run_below(run, t->nrows - count) : 0, stride = 1;
    for (size_t i = 0; i < count; i++)
        rows[i] = *model_row(t, from + i * stride);
    engine_versions(&run->engine, table, rows, count, versions);
    for (size_t i = 0; i < count; i++) {
        if (versions[i] == rows[i].version)
            continue;
        mr_buf_printf(out, "table %u: version %" PRId64 " of ", table, versions[i]);
        model_record_print(out, &rows[i]);
        return false;
    }
    return true;
}

bool run_same_all(struct run *run, const struct model *model, struct mr_buf *out)
{
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        if (!same_rows(run, model, i, out))
            return false;
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        if (!same_versions(run, model, i, out))
            return false;
    return true;
}

void run_check_all(struct run *run, const char *why)
{
    struct mr_buf text = MR_BUF_INIT;
    engine_settle(&run->engine);
    if (!run_same_all(run, &run->model, &text))
        model_broken("%s: " MR_STR_FMT, why, MR_STR_ARG(mr_buf_view(&text)));
    mr_buf_release(&text);
}

/* ---- operations
 * -------------------------------------------------------------------------------------------------- */

static void append(struct run *run)
{
    run_append(run, run_below(run, 2) == 0);
}

static void check(struct run *run)
{
    run_say(run, "check everything");
    run_check_all(run, "a check");
}

static void reopen(struct run *run)
{
    struct mr_error err = MR_ERROR_INIT;
    run_release(run, MODEL_TABLES, true);
    run_say(run, "close and open");
    run_count(run, HISTORY_REOPENS, 1);
    engine_close(&run->engine);
    if (!engine_try_open(&run->engine, simdisk_io(run->disk), &err))
        model_broken("the store does not open again: %s", err.text);
    run_check_all(run, "after a reopen");
}

/* Of ten thousand. */
static const struct {
    unsigned weight;
    void (*play)(struct run *run);
} operations[] = {
    {6900, append},   {1500, run_scan},   {450, run_hold},  {450, run_read_held},
    {220, run_flush}, {110, run_compact}, {70, run_expire}, {40, run_drop},
    {100, check},     {60, reopen},       {100, run_crash},
};

static void step(struct run *run)
{
    uint64_t dice = run_below(run, 10000);
    size_t i = 0;
    while (i + 1 < MR_ARRAY_LEN(operations) && dice >= operations[i].weight)
        dice -= operations[i++].weight;
    operations[i].play(run);
    run_count(run, HISTORY_OPERATIONS, 1);
}

static void begin(struct run *run, const struct history_plan *plan)
{
    struct mr_rng rng = {plan->seed};
    struct mr_error err = MR_ERROR_INIT;
    run->plan = plan;
    run->next_id = MODEL_TABLES + 1;
    model_profile_draw(&rng, &run->profile);
    model_init(&run->model);
    run->disk = simdisk_new();
    engine_init(&run->engine, &run->profile, mr_rng_below(&rng, 4) != 0);
    engine_make_dir(simdisk_io(run->disk));
    if (!engine_try_open(&run->engine, simdisk_io(run->disk), &err))
        model_broken("a new store does not open: %s", err.text);
    run_check_all(run, "a new store");
}

static void end(struct run *run)
{
    reopen(run);
    run_release(run, MODEL_TABLES, true);
    engine_close(&run->engine);
    engine_destroy(&run->engine);
    simdisk_free(run->disk);
    model_release(&run->model);
}

void history_play(const struct history_plan *plan)
{
    static struct run run;
    struct mr_rng seeds = {plan->seed ^ 0x5eed};
    run_notes(plan->notes);
    begin(&run, plan);
    for (size_t i = 0; i < plan->nops; i++) {
        uint64_t seed = mr_rng_next(&seeds);
        if (plan->keep != NULL && !plan->keep[i])
            continue;
        run.rng.state = seed;
        plan->notes->operation = i;
        step(&run);
    }
    plan->notes->operation = plan->nops;
    end(&run);
}
