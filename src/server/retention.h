/* server/retention.h - the job that lets go of rows past their table's retention.
 *
 * Queries never show such rows and writes never accept them, whether the job has run or not; it only frees
 * memory. It distrusts the wall clock (reliability rule 8): after a start, and after the wall clock has moved
 * by more than an hour against the monotonic one, it deletes nothing for ten minutes, so that a clock that is
 * being set right costs no data.
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
    bool started;
};

/* Takes note of both clocks and says whether deleting is safe now. Logs a jump. */
bool retention_clock_check(struct retention_clock *clock, int64_t wall, int64_t mono);

/* Expires every table once. The first failure is returned, after the other tables had their turn. */
int retention_run(struct catalog *catalog, struct store *store, int64_t wall, struct mr_error *err);

struct retention_job;
/* Runs every `interval_ns` on a thread of its own. */
int retention_start(struct catalog *catalog, struct store *store, const struct mr_clock *clock,
                    int64_t interval_ns, struct retention_job **out, struct mr_error *err);
void retention_stop(struct retention_job *job); /* NULL is fine */

#endif
