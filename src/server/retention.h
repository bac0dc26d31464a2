/* server/retention.h - the job that lets go of rows past their table's retention.
 *
 * Queries never show such rows and writes never accept them, whether the job has run or not; it only frees
 * memory and disk. It distrusts the wall clock (reliability rule 8): after a start, and after the wall clock
 * has moved by more than an hour against the monotonic one, it deletes nothing for ten minutes, so that a
 * clock that is being set right costs no data.
 *
 * What is past the end is gone for good (write-api reference 6), also when a longer retention comes before
 * the job: whoever lengthens one does it between retention_change_begin and retention_change_end.
 */
#ifndef MR_SERVER_RETENTION_H
#define MR_SERVER_RETENTION_H

#include "catalog/catalog.h"
#include "store/store.h"

#define RETENTION_TRUST_NS (10 * 60 * MR_NS_PER_S)
#define RETENTION_JUMP_NS MR_NS_PER_HOUR

/* What the job knows of the clocks; starts zeroed. */
struct retention_clock {
    int64_t wall, mono;    /* at the last look */
    int64_t trusted_since; /* monotonic */
    bool started, jumped;
};

/* Takes note of both clocks and says whether deleting is safe now. Logs a jump. */
bool retention_clock_check(struct retention_clock *clock, int64_t wall, int64_t mono);

struct retention_options {
    struct catalog *catalog;
    struct store *store;
    const struct mr_clock *clock;
    bool trusting;       /* the clock is set forward on purpose (test clock): its jumps mean what they say */
    int64_t interval_ns; /* between runs on a thread of the job's own; 0: no thread, only retention_now */
};

struct retention_job;
int retention_start(const struct retention_options *options, struct retention_job **out,
                    struct mr_error *err);
void retention_stop(struct retention_job *job); /* NULL is fine */

/* Expires every table once, whatever the clocks did. The first failure is returned, after the other tables
 * had their turn. */
int retention_now(struct retention_job *job, struct mr_error *err);

/* Before a table's two retentions become `hours` together: when that is longer than before, rows past the old
 * end are removed for good (store_purge), so that they do not come back into sight, after a restart either.
 * Not after a jump of the wall clock, while the job deletes nothing either; a fresh start is no reason to
 * wait here, because the caller's signature has just confirmed the date. MR_OK, also for a table that does
 * not exist: nothing expires until the end call. Otherwise the change must not be made, and the end call
 * either. */
int retention_change_begin(void *job, struct mr_str database, struct mr_str table, int64_t hours,
                           struct mr_error *err);
void retention_change_end(void *job);

#endif
