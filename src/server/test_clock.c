#include "server/test_clock.h"

/* `manual` holds the time of a clock that stands still, the lead over the system's of one that runs. */

static int64_t held(const struct mr_clock *clock)
{
    return __atomic_load_n(&clock->manual, __ATOMIC_ACQUIRE);
}

static int64_t still_wall(const struct mr_clock *clock)
{
    return held(clock);
}

static int64_t running_wall(const struct mr_clock *clock)
{
    return mr_clock_wall(&mr_clock_system) + held(clock);
}

static int64_t mono(const struct mr_clock *clock)
{
    MR_UNUSED(clock);
    return mr_clock_mono(&mr_clock_system);
}

void test_clock_init(struct mr_clock *clock, enum test_clock_mode mode)
{
    if (mode == TEST_CLOCK_STILL)
        *clock = (struct mr_clock){still_wall, mono, mr_clock_wall(&mr_clock_system)};
    else
        *clock = (struct mr_clock){running_wall, mono, 0};
}

/* Until no other step came in between: then nobody can have seen a time after `to` or after now + by. */
static int step(struct mr_clock *clock, bool relative, int64_t value, int64_t *now)
{
    int64_t before = held(clock), by;
    do {
        int64_t base = clock->wall == still_wall ? 0 : mr_clock_wall(&mr_clock_system);
        by = relative ? value : value - (base + before);
        if (by < 0 || by > TEST_CLOCK_END - (base + before))
            return MR_EINVAL;
        *now = base + before + by;
    } while (!__atomic_compare_exchange_n(&clock->manual, &before, before + by, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_ACQUIRE));
    return MR_OK;
}

int test_clock_advance(struct mr_clock *clock, int64_t by_ns, int64_t *now)
{
    return step(clock, true, by_ns, now);
}

int test_clock_move_to(struct mr_clock *clock, int64_t to_ns, int64_t *now)
{
    return to_ns < 0 ? MR_EINVAL : step(clock, false, to_ns, now);
}
