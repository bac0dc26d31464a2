/* tests/model/run.h - the state of a history that is being played; shared by play.c, held.c and crash.c. */
#ifndef MR_TESTS_MODEL_RUN_H
#define MR_TESTS_MODEL_RUN_H

#include "model/history.h"

enum { RUN_HELD = 4, RUN_COMMITS = 64, RUN_EVENTS = 40 };

/* A snapshot that stays open, or a scan of it that is half read. */
struct run_held {
    struct store_snapshot *snapshot; /* NULL: free */
    struct store_scan *scan;
    struct store_cursor *cursor;
    struct model_spec spec;
    unsigned table;
    uint64_t id;
    int64_t cutoff; /* rows before it may have gone meanwhile */
    struct model_rows got, want;
};

/* Something the log may or may not hold after a crash. */
struct run_event {
    unsigned table;
    uint64_t old_id, new_id; /* of a drop; 0: an append */
    struct model_record *records;
    size_t count;
    size_t begun_at;
    struct engine_commit commit; /* acked_at: of a drop too */
};

struct run_expired {
    unsigned table;
    uint64_t id;
    int64_t cutoff;
};

struct run {
    const struct history_plan *plan;
    struct model_profile profile;
    struct mr_rng rng; /* of the operation under way */
    struct simdisk *disk;
    struct engine engine;
    struct model model;
    uint64_t next[MODEL_TABLES]; /* where writing in order goes on */
    uint64_t next_id;
    struct engine_commit commits[RUN_COMMITS];
    unsigned used; /* commits given out since the last settle */
    struct run_held held[RUN_HELD];
    bool flushing; /* a flush waits in a thread of its own */
    pthread_t flusher;
    /* Between the start of a burst and its crash: what happened. */
    bool burst;
    struct run_event events[RUN_EVENTS];
    size_t nevents;
    struct run_expired expired[RUN_EVENTS];
    size_t nexpired;
};

void run_count(struct run *run, enum history_count which, uint64_t n);
void run_say(struct run *run, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline uint64_t run_below(struct run *run, uint64_t n)
{
    return mr_rng_below(&run->rng, n);
}
/* The first slot that has not expired. */
uint64_t run_first(const struct run *run, unsigned table);

/* ---- play.c */
void run_notes(struct history_notes *notes); /* where model_broken writes to */
void run_append(struct run *run, bool wait);
void run_flush(struct run *run);
void run_compact(struct run *run);
void run_expire(struct run *run);
void run_drop(struct run *run);

/* ---- history.c */
/* True when engine and model agree; otherwise says in `out` how they do not. */
bool run_same_all(struct run *run, const struct model *model, struct mr_buf *out);
void run_check_all(struct run *run, const char *why); /* `why`: where we are, when they do not */

/* ---- held.c */
void run_draw_spec(struct run *run, unsigned table, bool with_time, struct model_spec *out);
void run_scan(struct run *run);
void run_hold(struct run *run);
void run_read_held(struct run *run);
bool run_holds(const struct run *run);
/* Reads and closes everything that is held (of one table, or of all: MODEL_TABLES), then ends the flush. */
void run_release(struct run *run, unsigned table, bool scans_too);
void run_join(struct run *run);

/* ---- crash.c */
void run_crash(struct run *run);
struct run_event *run_event(struct run *run, unsigned table); /* NULL: no burst */

#endif
