/* base/clock.h - the one source of time. Nothing else in the tree asks the system what time it is.
 *
 * Wall time is nanoseconds since the Unix epoch (what records, retention, signatures and now() use);
 * monotonic time is nanoseconds since an arbitrary start (timeouts). Thread-safe.
 */
#ifndef MR_BASE_CLOCK_H
#define MR_BASE_CLOCK_H

#include "base/base.h"

#define MR_NS_PER_US INT64_C(1000)
#define MR_NS_PER_MS INT64_C(1000000)
#define MR_NS_PER_S INT64_C(1000000000)
#define MR_NS_PER_HOUR (INT64_C(3600) * MR_NS_PER_S)
#define MR_NS_PER_DAY (INT64_C(86400) * MR_NS_PER_S)

struct mr_clock {
    int64_t (*wall)(const struct mr_clock *clock);
    int64_t (*mono)(const struct mr_clock *clock);
    int64_t manual; /* wall and monotonic value of a manual clock; read and written atomically */
};

extern const struct mr_clock mr_clock_system;

/* A clock that stands still until set: for tests and the documented test mode. */
void mr_clock_manual_init(struct mr_clock *clock, int64_t wall_ns);
void mr_clock_manual_set(struct mr_clock *clock, int64_t wall_ns);

static inline int64_t mr_clock_wall(const struct mr_clock *clock)
{
    return clock->wall(clock);
}

static inline int64_t mr_clock_mono(const struct mr_clock *clock)
{
    return clock->mono(clock);
}

/* Civil date in the proleptic Gregorian calendar from days since 1970-01-01, and back. */
void mr_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day);
int64_t mr_days_from_civil(int64_t year, unsigned month, unsigned day);

/* "2023-02-13T19:22:45.051Z" into out (25 bytes with NUL; the form of AWS's ingestion-window texts). */
void mr_format_iso_ms(int64_t wall_ns, char out[static 32]);
/* "20230213T192245Z" into out (17 bytes with NUL; the form of SigV4). */
void mr_format_amz_date(int64_t wall_ns, char out[static 32]);

#endif
