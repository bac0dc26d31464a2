#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;
    MR_ASSERT(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * MR_NS_PER_S + ts.tv_nsec;
}

static int64_t system_wall(const struct mr_clock *clock)
{
    MR_UNUSED(clock);
    return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(const struct mr_clock *clock)
{
    MR_UNUSED(clock);
    return read_clock(CLOCK_MONOTONIC);
}

const struct mr_clock mr_clock_system = {system_wall, system_mono, 0};

static int64_t manual_now(const struct mr_clock *clock)
{
    return __atomic_load_n(&clock->manual, __ATOMIC_ACQUIRE);
}

void mr_clock_manual_init(struct mr_clock *clock, int64_t wall_ns)
{
    *clock = (struct mr_clock){manual_now, manual_now, wall_ns};
}

void mr_clock_manual_set(struct mr_clock *clock, int64_t wall_ns)
{
    __atomic_store_n(&clock->manual, wall_ns, __ATOMIC_RELEASE);
}

/* Both directions count in 400-year eras that start on 1 March, so that the leap day is the last of its year
 * (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
void mr_civil_from_days(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned doe = (unsigned)(days - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    unsigned mp = (5 * doy + 2) / 153;
    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int64_t)yoe + era * 400 + (*month <= 2);
}

int64_t mr_days_from_civil(int64_t year, unsigned month, unsigned day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    unsigned yoe = (unsigned)(year - era * 400);
    unsigned doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + (int64_t)doe - 719468;
}

struct civil {
    int64_t year;
    unsigned month, day, hour, minute, second, ns;
};

static struct civil split(int64_t wall_ns)
{
    int64_t days = wall_ns / MR_NS_PER_DAY;
    int64_t rest = wall_ns % MR_NS_PER_DAY;
    if (rest < 0) {
        rest += MR_NS_PER_DAY;
        days--;
    }
    struct civil c;
    mr_civil_from_days(days, &c.year, &c.month, &c.day);
    c.ns = (unsigned)(rest % MR_NS_PER_S);
    unsigned seconds = (unsigned)(rest / MR_NS_PER_S);
    c.hour = seconds / 3600;
    c.minute = seconds / 60 % 60;
    c.second = seconds % 60;
    return c;
}

void mr_format_iso_ms(int64_t wall_ns, char out[static 32])
{
    struct civil c = split(wall_ns);
    snprintf(out, 32, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%03uZ", c.year, c.month % 100, c.day % 100,
             c.hour % 100, c.minute % 100, c.second % 100, c.ns / 1000000 % 1000);
}

void mr_format_amz_date(int64_t wall_ns, char out[static 32])
{
    struct civil c = split(wall_ns);
    snprintf(out, 32, "%04" PRId64 "%02u%02uT%02u%02u%02uZ", c.year, c.month % 100, c.day % 100, c.hour % 100,
             c.minute % 100, c.second % 100);
}
