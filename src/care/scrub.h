/* care/scrub.h - a check in a running server: every byte of every file, again and again, slowly.
 *
 * Damage that no query has met is found while a copy may still be at hand. One thread of the lowest priority
 * reads what the newest manifest names, at a bounded rate; then the manifest itself, the keyring and the
 * catalog. The log is not read: what it says is in memory. A pass is due `every_ns` after the last one ended,
 * also across restarts (the catalog remembers); somebody may ask for one at once, which then goes as fast as
 * the disk lets a thread of that priority.
 *
 * What is damaged goes on being served as far as it can be: a scrub tells, and changes nothing.
 *
 * Thread-safe.
 */
#ifndef MR_CARE_SCRUB_H
#define MR_CARE_SCRUB_H

#include "care/care.h"
#include "catalog/catalog.h"
#include "store/store.h"

struct care_scrub_options {
    struct store *store;
    struct catalog *catalog;
    uint64_t bytes_per_second; /* 0: no limit */
    int64_t every_ns;          /* 0: only when asked */
};

struct care_scrub;
int care_scrub_start(const struct care_scrub_options *options, struct care_scrub **out, struct mr_error *err);
void care_scrub_stop(struct care_scrub *scrub); /* ends a pass under way; NULL is fine */
/* A pass that begins now; one that is under way goes on at full speed. Returns its number. */
uint64_t care_scrub_now(struct care_scrub *scrub);

#define CARE_SCRUB_FINDINGS 100 /* kept of a pass */

struct care_scrub_finding {
    struct mr_str file, table, text;
};

struct care_scrub_state {
    bool running;
    uint64_t passes;                     /* that have ended, since the start */
    uint64_t pass;                       /* number of the one under way, else of the last; 0: none yet */
    uint64_t done, total;                /* bytes of it */
    uint64_t bytes;                      /* of all passes */
    uint64_t damaged;                    /* findings of it, kept or not */
    int64_t began, ended;                /* wall ns; ended 0: never since the start */
    struct care_scrub_finding *findings; /* in the arena */
    size_t nfindings;
};
/* MR_ENOMEM. arena NULL: without the findings. */
int care_scrub_state(struct care_scrub *scrub, struct mr_arena *arena, struct care_scrub_state *out);

#endif
