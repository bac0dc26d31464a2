/* magstore/strings.h - strings numbered in order of first appearance, each kept once. One owner at a time. */
#ifndef MR_MAGSTORE_STRINGS_H
#define MR_MAGSTORE_STRINGS_H

#include "base/base.h"

struct magstore_strings {
    struct mr_buf bytes;     /* of each: varint length, bytes */
    size_t *starts, starts_cap; /* where each begins in bytes */
    uint32_t *slots;         /* open-addressed: number + 1 */
    size_t nslots, count;
};

/* Starts as all zeros. */
void magstore_strings_release(struct magstore_strings *strings);
/* The number of the string, new or old. MR_ENOMEM. */
int magstore_strings_add(struct magstore_strings *strings, struct mr_str s, uint32_t *number);

#endif
