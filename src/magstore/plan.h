/* magstore/plan.h - which segments of a table to merge next, and where rows of a flush are cut by time.
 *
 * Pure functions over what the manifest says; the numbers are those of docs/magnetic-store.md. Two aims: few
 * files (a query opens every file that overlaps its time range, expiry drops whole files) and little writing
 * (a row is rewritten at most once a level).
 *
 * Time is cut into windows of `window_ns` aligned to the epoch. Within a window files are merged by tiers:
 * MAGSTORE_FANIN files of one level become one of the next. A file that reaches `max_bytes` is left alone.
 * Files that span windows (the oldest part of a flush) are merged among themselves, as if they were one more
 * window.
 */
#ifndef MR_MAGSTORE_PLAN_H
#define MR_MAGSTORE_PLAN_H

#include "magstore/manifest.h"

#define MAGSTORE_FANIN 4 /* files of one level that make a merge */
#define MAGSTORE_MAX_FANIN 16
#define MAGSTORE_MAX_CUTS 8 /* segments one flush of a table makes */

struct magstore_policy {
    int64_t window_ns;    /* 0: 7 days */
    uint64_t max_bytes;   /* 0: 1 GiB; a merge whose inputs are larger together is not planned */
    uint64_t small_bytes; /* 0: 1 MiB; files below are merged whatever their level: as soon as FANIN of them
                             are of like size, and at 2 * FANIN in any case */
};

/* Windows for the rows of a flush within [time_min, time_max]: window i is [start[i], start[i + 1] - 1], the
 * last one ends at time_max; start[0] <= time_min. At most MAGSTORE_MAX_CUTS: when the range covers more, the
 * oldest are taken together. Returns how many. */
size_t magstore_plan_cuts(const struct magstore_policy *policy, int64_t time_min, int64_t time_max,
                          int64_t start[static MAGSTORE_MAX_CUTS]);

struct magstore_job {
    size_t files[MAGSTORE_MAX_FANIN]; /* indexes into the array given, ascending */
    size_t nfiles;                    /* 0: nothing to do */
    uint8_t level;                    /* of what comes out */
    int64_t cutoff;                   /* rows before it are left out */
};

/* The most useful merge among the segments of one table; or, when there is none and more than half of the
 * time range of a file, and half a window, lies before `cutoff`, a rewrite of that file alone (of a file of
 * max_bytes only when it spans windows). Deterministic. Files wholly before the cutoff are not its business:
 * see magstore_plan_expired. `busy` (may be NULL) marks files to leave alone. Files that are no segments are
 * passed over. Without memory nothing is to be done. */
void magstore_plan_merge(const struct magstore_policy *policy, const struct magstore_file *files,
                         size_t nfiles, const bool *busy, int64_t cutoff, struct magstore_job *out);

static inline bool magstore_plan_expired(const struct magstore_file *file, int64_t cutoff)
{
    return file->time_max < cutoff;
}

#endif
