/* tests/model/history.h - a history: operations drawn from one seed, played against engine and model.
 *
 * Each operation has a random sequence of its own, so that leaving some out changes none of the others: that
 * is what lets a failing history shrink.
 */
#ifndef MR_TESTS_MODEL_HISTORY_H
#define MR_TESTS_MODEL_HISTORY_H

#include "model/engine.h"

enum history_count {
    HISTORY_OPERATIONS,
    HISTORY_RECORDS,
    HISTORY_STORED,
    HISTORY_DUPLICATES,
    HISTORY_REFUSED,
    HISTORY_LATE_LOOKUPS, /* appends that had to wait for files */
    HISTORY_SCANS,
    HISTORY_SCANNED_ROWS,
    HISTORY_HELD,
    HISTORY_FLUSHES,
    HISTORY_FLUSHES_HELD, /* begun while a snapshot was open */
    HISTORY_COMPACTIONS,
    HISTORY_EXPIRIES,
    HISTORY_DROPS,
    HISTORY_REOPENS,
    HISTORY_KILLS,
    HISTORY_POWER_CUTS,
    HISTORY_UNACKED, /* appends that were lost in a crash, never acknowledged */
    HISTORY_COUNTS,
};
const char *history_count_name(enum history_count which);

/* What a history tells the process that started it; in shared memory. */
struct history_notes {
    uint64_t counts[HISTORY_COUNTS];
    size_t operation; /* the one under way */
    char text[4096];  /* why it failed */
};

struct history_plan {
    uint64_t seed;
    size_t nops;
    const bool *keep; /* nops of them; NULL: all */
    bool verbose;     /* says what each operation does */
    struct history_notes *notes;
};

/* Plays it in this process, which ends when engine and model differ. */
void history_play(const struct history_plan *plan);

/* Searches for a smaller set of operations that still fails, and prints it. `failed` is where the whole plan
 * failed. Plays in child processes. */
void history_shrink(const struct history_plan *plan, size_t failed);
/* Plays in a child process: true when it came to its end. On failure notes->text says why. `quiet`: without
 * its stderr. */
bool history_try(const struct history_plan *plan, unsigned seconds, bool quiet);

#endif
