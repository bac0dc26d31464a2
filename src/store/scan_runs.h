/* store/scan_runs.h - series of a scan that belong together, side by side. Private to the store. */
#ifndef MR_STORE_SCAN_RUNS_H
#define MR_STORE_SCAN_RUNS_H

#include "store/private.h"

/* Run i is series[ends[i - 1] .. ends[i]). */
struct scan_runs {
    size_t *ends; /* owned */
    size_t count;
};

/* Puts series of the same values of the keys (columns of dimensions, measure_name) into one run; runs and the
 * series within come in the order of `series`. Takes the table's read lock in steps. False, with nothing
 * changed: a run would be so long that a single cursor should not read it, or memory is out. */
bool scan_runs_find(struct mem_table *mem, uint32_t *series, size_t nseries, const uint32_t *keys,
                    size_t nkeys, struct scan_runs *out);

#endif
