/* tests/model/play.c - a history from its first operation to its last. */
#include "model/run.h"

#include "base/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct history_notes *notes; /* of the one history this process plays */

void run_notes(struct history_notes *shared)
{
    notes = shared;
}

void model_broken(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(notes->text, sizeof notes->text, fmt, args);
    va_end(args);
    _exit(1);
}

const char *history_count_name(enum history_count which)
{
    static const char *const names[HISTORY_COUNTS] = {
        "operations",
        "records",
        "stored",
        "duplicates",
        "refused",
        "late look-ups",
        "scans",
        "scanned rows",
        "held scans",
        "flushes",
        "flushes behind a snapshot",
        "compactions",
        "expiries",
        "drops",
        "reopens",
        "kills",
        "power cuts",
        "unacknowledged appends lost",
    };
    return names[which];
}

void run_count(struct run *run, enum history_count which, uint64_t n)
{
    run->plan->notes->counts[which] += n;
}

void run_say(struct run *run, const char *fmt, ...)
{
    if (!run->plan->verbose)
        return;
    va_list args;
    va_start(args, fmt);
    printf("  %zu: ", run->plan->notes->operation);
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
    fflush(stdout);
}

uint64_t run_first(const struct run *run, unsigned table)
{
    int64_t cutoff = run->model.tables[table].cutoff;
    return cutoff == INT64_MIN ? 0 : (uint64_t)((cutoff - run->profile.base) / run->profile.step);
}

/* ---- writing
 * ----------------------------------------------------------------------------------------------------- */

static void say_records(struct run *run, const struct model_record *records, size_t count)
{
    if (!run->plan->verbose)
        return;
    for (size_t i = 0; i < count; i++) {
        struct mr_buf text = MR_BUF_INIT;
        model_record_print(&text, &records[i]);
        printf("       " MR_STR_FMT "\n", MR_STR_ARG(mr_buf_view(&text)));
        mr_buf_release(&text);
    }
}

static void judge(struct run *run, unsigned table, const struct model_record *r, enum store_outcome got,
                  int64_t got_version)
{
    int64_t version;
    enum store_outcome want = model_put(&run->model.tables[table], r, &version);
    bool lower = want == STORE_REJECT_LOWER_VERSION;
    run_count(run,
              want == STORE_STORED      ? HISTORY_STORED
              : want == STORE_DUPLICATE ? HISTORY_DUPLICATES
                                        : HISTORY_REFUSED,
              1);
    if (got == want && (!lower || got_version == version))
        return;
    struct mr_buf text = MR_BUF_INIT;
    model_record_print(&text, r);
    model_broken("table %u: outcome %d (existing version %" PRId64 ") instead of %d (%" PRId64
                 ") of " MR_STR_FMT,
                 table, (int)got, got_version, (int)want, version, MR_STR_ARG(mr_buf_view(&text)));
}

static struct engine_commit *take_commit(struct run *run)
{
    if (run->used == RUN_COMMITS) {
        engine_settle(&run->engine);
        run->used = 0;
    }
    return &run->commits[run->used++];
}

void run_append(struct run *run, bool wait)
{
    struct model_record records[MODEL_BATCH];
    enum store_outcome outcomes[MODEL_BATCH];
    int64_t versions[MODEL_BATCH];
    unsigned table = (unsigned)run_below(run, MODEL_TABLES);
    size_t count =
        model_batch_draw(&run->profile, &run->rng, run_first(run, table), &run->next[table], records);
    struct run_event *event = run_event(run, table);
    struct engine_commit *commit = event != NULL ? &event->commit : take_commit(run);
    struct mr_error err;
    if (event != NULL) {
        event->records = calloc(count, sizeof *event->records);
        MR_ASSERT(event->records != NULL);
        memcpy(event->records, records, count * sizeof *records);
        event->count = count;
    }
    commit->disk = run->disk;
    run_say(run, "append %zu records to table %u", count, table);
    say_records(run, records, count);
    uint64_t again = run->engine.again;
    if (engine_append(&run->engine, table, records, count, outcomes, versions, commit, run_below(run, 8) == 0,
                      &err) != MR_OK)
        model_broken("an append fails: %s", err.text);
    run_count(run, HISTORY_LATE_LOOKUPS, run->engine.again - again);
    run_count(run, HISTORY_RECORDS, count);
    for (size_t i = 0; i < count; i++)
        judge(run, table, &records[i], outcomes[i], versions[i]);
    if (wait)
        engine_settle(&run->engine);
}

static void *flush(void *arg)
{
    struct run *run = arg;
    struct mr_error err = MR_ERROR_INIT;
    if (store_flush(run->engine.store, &err) != MR_OK)
        model_broken("a flush fails: %s", err.text);
    return NULL;
}

/* While snapshots are open a flush may wait for them, so it gets a thread and the history goes on. */
void run_flush(struct run *run)
{
    run_join(run);
    if (run_below(run, 2) == 0)
        engine_settle(&run->engine);
    bool behind = run_holds(run);
    run_say(run, "flush%s", behind ? " behind a snapshot" : "");
    run_count(run, HISTORY_FLUSHES, 1);
    if (!behind) {
        flush(run);
        return;
    }
    run_count(run, HISTORY_FLUSHES_HELD, 1);
    MR_ASSERT(pthread_create(&run->flusher, NULL, flush, run) == 0);
    run->flushing = true;
}

void run_compact(struct run *run)
{
    struct mr_error err = MR_ERROR_INIT;
    run_join(run);
    run_say(run, "compact");
    run_count(run, HISTORY_COMPACTIONS, 1);
    if (store_compact(run->engine.store, &err) != MR_OK)
        model_broken("a compaction fails: %s", err.text);
}

void run_expire(struct run *run)
{
    struct mr_error err = MR_ERROR_INIT;
    unsigned table = (unsigned)run_below(run, MODEL_TABLES);
    uint64_t first = run_first(run, table), last = run->profile.times * 3 / 4;
    uint64_t slot = first < last ? first + run_below(run, (last - first) / 2 + 1) : first;
    bool lower = run_below(run, 8) == 0; /* a retention that was raised again */
    int64_t cutoff = run->profile.base + run->profile.step * (int64_t)(lower ? slot / 2 : slot);
    run_join(run);
    run_say(run, "expire table %u before slot %" PRIu64, table, lower ? slot / 2 : slot);
    run_count(run, HISTORY_EXPIRIES, 1);
    if (store_expire(run->engine.tables[table], cutoff, &err) != MR_OK)
        model_broken("an expiry fails: %s", err.text);
    model_expire(&run->model.tables[table], cutoff);
    for (unsigned i = 0; i < RUN_HELD; i++)
        if (run->held[i].snapshot != NULL && run->held[i].id == run->model.tables[table].id &&
            run->held[i].cutoff < cutoff)
            run->held[i].cutoff = cutoff;
    if (run->burst)
        run->expired[run->nexpired++] = (struct run_expired){table, run->model.tables[table].id, cutoff};
}

void run_drop(struct run *run)
{
    struct mr_error err = MR_ERROR_INIT;
    unsigned table = (unsigned)run_below(run, MODEL_TABLES);
    uint64_t old = run->model.tables[table].id, id = run->next_id++;
    run_join(run);
    run_release(run, table, false);
    run_say(run, "drop table %u (number %" PRIu64 "), which becomes number %" PRIu64, table, old, id);
    run_count(run, HISTORY_DROPS, 1);
    struct run_event *event = run_event(run, table);
    if (event != NULL) {
        event->old_id = old;
        event->new_id = id;
    }
    if (store_table_drop(run->engine.store, old, &err) != MR_OK)
        model_broken("a drop fails: %s", err.text);
    if (event != NULL)
        event->commit.acked_at = simdisk_changes(run->disk);
    model_replace_table(&run->model, table, id);
    run->next[table] = 0;
    if (!engine_table(&run->engine, table, id))
        model_broken("a new table is said to be dropped");
}
