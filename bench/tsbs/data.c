#include "tsbs/data.h"

#include <stdio.h>

/* Levels count in units of 10^-13. A step is uniform within the square root of 3, so its variance is 1. */
#define UNIT INT64_C(10000000000000)
#define FULL (100 * UNIT)
#define LARGEST_STEP INT64_C(17320508075688)

const char *const data_tag_names[DATA_TAGS] = {
    "hostname", "region",          "datacenter",          "rack", "os", "arch", "team",
    "service",  "service_version", "service_environment",
};
const char *const data_reading_names[DATA_READINGS] = {
    "usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
    "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice",
};

void data_host_init(const struct data_spec *spec, struct data_host *host, unsigned number)
{
    static const char *const systems[] = {"Debian12", "Debian11", "Alpine3"};
    static const char *const teams[] = {"north", "south", "east", "west"};
    static const char *const stages[] = {"live", "trial", "test"};
    *host = (struct data_host){.rng = {spec->seed * 1000003 + number}};
    unsigned region = (unsigned)mr_rng_below(&host->rng, 9), place = (unsigned)mr_rng_below(&host->rng, 3);
    snprintf(host->tags[0], sizeof host->tags[0], "host_%u", number);
    snprintf(host->tags[1], sizeof host->tags[1], "region-%u", region);
    snprintf(host->tags[2], sizeof host->tags[2], "region-%u%c", region, 'a' + place);
    snprintf(host->tags[3], sizeof host->tags[3], "%u", (unsigned)mr_rng_below(&host->rng, 100));
    snprintf(host->tags[4], sizeof host->tags[4], "%s", systems[mr_rng_below(&host->rng, 3)]);
    snprintf(host->tags[5], sizeof host->tags[5], "%s", mr_rng_below(&host->rng, 2) == 0 ? "x64" : "arm64");
    snprintf(host->tags[6], sizeof host->tags[6], "%s", teams[mr_rng_below(&host->rng, 4)]);
    snprintf(host->tags[7], sizeof host->tags[7], "%u", (unsigned)mr_rng_below(&host->rng, 20));
    snprintf(host->tags[8], sizeof host->tags[8], "%u", (unsigned)mr_rng_below(&host->rng, 2));
    snprintf(host->tags[9], sizeof host->tags[9], "%s", stages[mr_rng_below(&host->rng, 3)]);
    for (int r = 0; r < DATA_READINGS; r++)
        host->level[r] = (int64_t)mr_rng_below(&host->rng, FULL + 1);
}

void data_host_step(struct data_host *host)
{
    for (int r = 0; r < DATA_READINGS; r++) {
        int64_t v = host->level[r] + (int64_t)mr_rng_below(&host->rng, 2 * LARGEST_STEP + 1) - LARGEST_STEP;
        host->level[r] = v < 0 ? -v : v > FULL ? 2 * FULL - v : v;
    }
}

void data_add_number(struct mr_buf *out, uint64_t v, int least)
{
    char digits[20];
    int n = 0;
    for (; v > 0 || n < least; v /= 10)
        digits[sizeof digits - (size_t)++n] = (char)('0' + v % 10);
    mr_buf_add(out, digits + sizeof digits - n, (size_t)n);
}

void data_add_value(const struct data_spec *spec, const struct data_host *host, int reading,
                    struct mr_buf *out)
{
    static const struct {
        uint64_t scale;
        int digits;
    } kinds[] = {[DATA_WHOLE] = {1, 0}, [DATA_TWO] = {100, 2}, [DATA_FULL] = {UNIT, 13}};
    uint64_t scale = kinds[spec->kind].scale;
    uint64_t v = (uint64_t)host->level[reading] / ((uint64_t)UNIT / scale);
    data_add_number(out, v / scale, 1);
    if (kinds[spec->kind].digits == 0)
        return;
    mr_buf_char(out, '.');
    data_add_number(out, v % scale, kinds[spec->kind].digits);
}
