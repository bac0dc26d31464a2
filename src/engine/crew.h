/* engine/crew.h - a few threads that help with the work of runs outside of the embedded database.
 *
 * The caller works too, and never waits for a helper to become free: when all are busy it does everything
 * itself. Helpers, like all threads that run queries, have a lower priority than those that write. Private to
 * engine/. Thread-safe.
 */
#ifndef MR_ENGINE_CREW_H
#define MR_ENGINE_CREW_H

#include "base/base.h"

struct crew;

/* helpers may be 0. */
int crew_open(unsigned helpers, struct crew **out, struct mr_error *err);
void crew_close(struct crew *crew); /* NULL is fine; no call may be under way */

/* Calls fn(ctx) in this thread and in up to `helpers` others at the same time; returns when all calls have.
 * Whatever fn shares between the calls it guards itself, and a call that comes late finds nothing left. */
void crew_run(struct crew *crew, unsigned helpers, void (*fn)(void *ctx), void *ctx);

/* Lowers the priority of the calling thread, once: a query that takes all processors must not make every
 * WriteRecords wait for its turn. A refusal changes nothing but latencies. */
void crew_give_way(void);

#endif
