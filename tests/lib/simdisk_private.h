/* tests/lib/simdisk_private.h - shared by simdisk.c (the io table) and simcrash.c (the crash states). */
#ifndef MR_TESTS_SIMDISK_PRIVATE_H
#define MR_TESTS_SIMDISK_PRIVATE_H

#include "lib/simdisk.h"
#include "lib/simimage.h"

#include <pthread.h>

#define SIM_FDS 256
#define SIM_FD_BASE 1000 /* far from real descriptors: mixing them up fails at once */

struct simdisk {
    struct mr_io io;
    pthread_mutex_t lock;
    struct sim_image base; /* durable when the record began */
    struct sim_image now;  /* what programs see */
    struct sim_change *changes;
    size_t nchanges, changes_cap;
    uint32_t fds[SIM_FDS]; /* node, or SIM_NONE */
    uint64_t limit;
};

/* A disk over the image, which it takes. */
struct simdisk *simdisk_over(struct sim_image *base);
/* Records the change and applies it to what programs see. Takes what the change owns. */
void simdisk_record(struct simdisk *disk, struct sim_change change);

#endif
