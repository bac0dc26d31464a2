/* tests/unit/store/names_kit.h - tables full of names, and whether two of them say the same. */
#ifndef MR_TESTS_NAMES_KIT_H
#define MR_TESTS_NAMES_KIT_H

#include "lib/check.h"

#include "store/names.h"

#define NAMES_DATABASE 7
#define NAMES_TABLE 70

struct names_kit {
    struct mem_budget budget;
    struct mem_table *mem;
    struct mem_scratch *scratch;
    uint64_t lsn;
};

void names_kit_open(struct names_kit *kit);
void names_kit_close(struct names_kit *kit);
/* One row of series number `n` of a family: dimensions host, region and, of every third, rack; measure
 * "cpu-<n % measures>", a MULTI of one attribute out of `attributes`. Its time is `time`. */
void names_kit_put(struct names_kit *kit, unsigned family, unsigned n, unsigned measures, unsigned attributes,
                   int64_t time);
/* Rows of the numbers [from, to), all at `time`. */
void names_kit_fill(struct names_kit *kit, unsigned family, unsigned from, unsigned to, int64_t time);
/* Columns, measure names, series with their keys, and the next number. */
void names_kit_check_same(const struct mem_table *a, const struct mem_table *b);

#endif
