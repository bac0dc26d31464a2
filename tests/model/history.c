/* tests/model/history.c - set-up, the choice of operations, and what must hold when a store was opened. */
#include "model/run.h"

#include "base/log.h"

/* ---- engine against model
 * ---------------------------------------------------------------------------------------- */

bool run_same_all(struct run *run, const struct model *model, struct mr_buf *out)
{
    uint64_t scans = run->engine.scans, rows = run->engine.scanned_rows;
    int result = engine_same(&run->engine, model, mr_rng_next(&run->rng), out);
    run_count(run, HISTORY_SCANS, run->engine.scans - scans);
    run_count(run, HISTORY_SCANNED_ROWS, run->engine.scanned_rows - rows);
    if (result == ENGINE_FAILS)
        model_broken(MR_STR_FMT, MR_STR_ARG(mr_buf_view(out)));
    return result == ENGINE_SAME;
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
