/* tests/model/crash.c - a burst of changes, then a crash at some moment of it.
 *
 * The log keeps entries in the order in which they were appended, so what a crash leaves is the model before
 * the burst and the first so many of its changes: at least those acknowledged by the moment of the crash, at
 * most those begun. Which number it is the rows tell.
 */
#include "model/run.h"

#include <inttypes.h>
#include <stdlib.h>

struct run_event *run_event(struct run *run, unsigned table)
{
    if (!run->burst)
        return NULL;
    struct run_event *event = &run->events[run->nevents++];
    *event = (struct run_event){.table = table, .begun_at = simdisk_changes(run->disk)};
    event->commit.acked_at = SIZE_MAX;
    return event;
}

static void burst(struct run *run)
{
    uint64_t steps = 1 + run_below(run, RUN_EVENTS - 4);
    run->burst = true;
    run->nevents = run->nexpired = 0;
    while (steps-- > 0) {
        uint64_t dice = run_below(run, 100);
        if (dice < 70)
            run_append(run, run_below(run, 4) == 0);
        else if (dice < 82)
            run_flush(run);
        else if (dice < 90)
            run_compact(run);
        else if (dice < 94)
            run_expire(run);
        else if (dice < 97)
            run_drop(run);
        else
            engine_settle(&run->engine);
    }
    run->burst = false;
}

/* Expiry is not in the log; whoever decides about it remembers the cutoff. */
static void expire_again(const struct run *run, struct model *model)
{
    for (size_t i = 0; i < run->nexpired; i++) {
        const struct run_expired *x = &run->expired[i];
        if (model->tables[x->table].id == x->id)
            model_expire(&model->tables[x->table], x->cutoff);
    }
}

static void happen(struct model *model, const struct run_event *event)
{
    int64_t version;
    if (event->new_id != 0)
        model_replace_table(model, event->table, event->new_id);
    for (size_t i = 0; i < event->count; i++)
        model_put(&model->tables[event->table], &event->records[i], &version);
}

/* Brings `model` to the state that was found; returns how many events were there. */
static size_t find_state(struct run *run, struct model *model, size_t acked, size_t begun)
{
    struct mr_buf text = MR_BUF_INIT;
    size_t k = 0;
    for (; k < acked; k++)
        happen(model, &run->events[k]);
    for (;; k++) {
        expire_again(run, model);
        mr_buf_printf(&text, "\n  with %zu of the burst: ", k);
        if (run_same_all(run, model, &text))
            break;
        if (k == begun)
            model_broken("after a crash neither of %zu..%zu changes of the burst fits:" MR_STR_FMT, acked,
                         begun, MR_STR_ARG(mr_buf_view(&text)));
        happen(model, &run->events[k]);
    }
    mr_buf_release(&text);
    return k;
}

static struct simdisk *crashed(struct run *run, size_t moment)
{
    uint64_t kind = run_below(run, 10), seed = mr_rng_next(&run->rng);
    enum simdisk_keep keep = (enum simdisk_keep)run_below(run, SIMDISK_KEEPS);
    bool cut = kind < 6, lose = kind >= 8;
    run_say(run, "%s at change %zu of %zu%s%s", cut ? "power cut" : "kill", moment,
            simdisk_changes(run->disk),
            cut    ? ", keeping "
            : lose ? " after a sync that failed"
                   : "",
            cut ? simdisk_keep_name(keep) : "");
    run_count(run, cut ? HISTORY_POWER_CUTS : HISTORY_KILLS, 1);
    return cut ? simdisk_power_cut(run->disk, moment, keep, seed) : simdisk_kill(run->disk, moment, lose);
}

static void recover(struct run *run, struct model *before, size_t moment)
{
    struct mr_error err = MR_ERROR_INIT;
    size_t acked = 0, begun = 0;
    for (size_t i = 0; i < run->nevents; i++) {
        if (run->events[i].commit.acked_at <= moment)
            acked = i + 1;
        if (run->events[i].begun_at <= moment)
            begun = i + 1;
    }
    if (!engine_try_open(&run->engine, simdisk_io(run->disk), &err))
        model_broken("the store does not open after a crash: %s", err.text);
    size_t found = find_state(run, before, acked, begun);
    bool drops_gone = true;
    for (size_t i = 0; i < run->nevents; i++) {
        if (i < found && run->events[i].new_id != 0)
            drops_gone &= engine_is_gone(&run->engine, run->events[i].old_id);
        if (i >= found && run->events[i].new_id == 0)
            run_count(run, HISTORY_UNACKED, 1);
    }
    if (!drops_gone)
        model_broken("a table that was dropped is back after a crash");
}

void run_crash(struct run *run)
{
    struct model before;
    run_release(run, MODEL_TABLES, true);
    engine_settle(&run->engine);
    run->used = 0;
    model_copy(&run->model, &before);
    size_t start = simdisk_changes(run->disk);
    burst(run);
    size_t now = simdisk_changes(run->disk);
    size_t moment = run_below(run, 3) == 0 ? now : start + run_below(run, now - start + 1);
    struct simdisk *after = crashed(run, moment);
    engine_close(&run->engine);
    simdisk_free(run->disk);
    run->disk = after;
    recover(run, &before, moment);
    model_release(&run->model);
    run->model = before;
    for (size_t i = 0; i < run->nevents; i++)
        free(run->events[i].records);
}
