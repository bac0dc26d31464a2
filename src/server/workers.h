/* server/workers.h - threads for calls that may wait: for a disk, for SQLite, for a query.
 *
 * A bounded queue in front of a fixed number of threads. Thread-safe.
 */
#ifndef MR_SERVER_WORKERS_H
#define MR_SERVER_WORKERS_H

#include "base/base.h"

struct workers;

/* Embedded in the caller's object; run() may free it. */
struct workers_job {
    void (*run)(struct workers_job *job);
    struct workers_job *next;
};

int workers_start(unsigned threads, size_t max_queue, struct workers **out, struct mr_error *err);
/* MR_OK: run() will be called exactly once. MR_EBUSY: the queue is full or the pool stops; run() is not
 * called. */
int workers_submit(struct workers *workers, struct workers_job *job);
/* Runs what is queued, then joins and frees. */
void workers_stop(struct workers *workers);

#endif
