/* query/registry.h - the service's runs: found by id or token, counted, parked, thrown out. All under its
 * lock. */
#ifndef MR_QUERY_REGISTRY_H
#define MR_QUERY_REGISTRY_H

#include "query/run.h"

/* Adds the run with one user (the caller) and makes room when more than max_parked are there. */
void query_registry_link(struct query_service *s, struct query_run *run);
/* Takes it out; freed when the last user is done. */
void query_registry_unlink(struct query_service *s, struct query_run *run);
void query_registry_use(struct query_run *run);
void query_registry_unuse(struct query_service *s, struct query_run *run);

struct query_run *query_registry_by_id(struct query_service *s, struct mr_str id);
struct query_run *query_registry_by_secret(struct query_service *s, const unsigned char *secret);

/* IDLE, QUEUED and RUNNING become CANCELLED; the work stops soon. false: there was nothing to stop. */
bool query_registry_cancel(struct query_service *s, struct query_run *run);

/* Closes cursor, snapshot and tables of a run the caller uses and nobody runs; the lock is let go meanwhile,
 * because ending the engine's tasks may take a moment. */
void query_registry_close(struct query_service *s, struct query_run *run);

/* Ids of runs that are gone, so that CancelQuery can tell a finished query from an unknown one. */
void query_registry_remember(struct query_service *s, const char *id);
bool query_registry_was_there(const struct query_service *s, struct mr_str id);

/* service.c: queues the run for its next page, or makes it at once when that is no work; the lock is let go
 * meanwhile. */
void query_want_page(struct query_service *s, struct query_run *run, uint64_t max_rows);

#endif
