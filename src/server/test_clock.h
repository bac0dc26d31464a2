/* server/test_clock.h - a clock for tests that can be set forward, and only forward (docs/test-clock.md).
 *
 * It starts at the system's time. In the mode ON it runs on with the system's clock, ahead of it by all it
 * was set forward; in the mode STILL it stands between the steps, so that what a test sees depends on its
 * steps alone. Monotonic time stays the system's: timeouts and latencies are real. Thread-safe.
 */
#ifndef MR_SERVER_TEST_CLOCK_H
#define MR_SERVER_TEST_CLOCK_H

#include "base/clock.h"

/* In the order of the words of the setting `test-clock`. */
enum test_clock_mode { TEST_CLOCK_OFF, TEST_CLOCK_ON, TEST_CLOCK_STILL };

/* 2200-01-01: far enough for every retention, and no sum with one overflows. */
#define TEST_CLOCK_END (INT64_C(7258118400) * MR_NS_PER_S)

/* `mode` is not OFF. */
void test_clock_init(struct mr_clock *clock, enum test_clock_mode mode);

/* Both set *now to what the clock then shows. MR_EINVAL, and nothing moves: backwards, or beyond the end. */
int test_clock_advance(struct mr_clock *clock, int64_t by_ns, int64_t *now);
int test_clock_move_to(struct mr_clock *clock, int64_t to_ns, int64_t *now);

#endif
