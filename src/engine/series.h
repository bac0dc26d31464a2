/* engine/series.h - the points of one series value, gathered. Private to engine/.
 *
 * Points without a value or without a time take no part: they are dropped here once, so that the functions
 * see plain arrays in ascending time.
 */
#ifndef MR_ENGINE_SERIES_H
#define MR_ENGINE_SERIES_H

#include "engine/fn.h"

struct series {
    size_t n;
    int64_t *t; /* ascending */
    double *v;
    double *second; /* room for n more, for splines and ranks */
    size_t capacity;
};

/* Starts zeroed; reused from row to row; released by series_release. False: no memory, the call has failed.
 */
bool series_load(struct series *series, struct fn_call *call, const struct fn_series *arg, idx_t row);
void series_release(struct series *series);

/* Nanoseconds between two instants in order; the distance may exceed int64. */
static inline double series_gap(int64_t from, int64_t to)
{
    return (double)((uint64_t)to - (uint64_t)from);
}

/* Index of the last point at or before t; SIZE_MAX when t is before the first. */
size_t series_at(const struct series *series, int64_t t);

/* Appends a point to a list result that has room. vvalid false: without a value. */
void series_put(struct fn_list_out *list, int64_t t, double v, bool tvalid, bool vvalid);

#endif
