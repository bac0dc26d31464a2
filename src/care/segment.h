/* care/segment.h - every byte of one segment. */
#ifndef MR_CARE_SEGMENT_H
#define MR_CARE_SEGMENT_H

#include "care/care.h"
#include "magstore/manifest.h"
#include "magstore/segment.h"
#include "memstore/memstore.h"

struct care_segment {
    struct magstore_place place;
    const struct magstore_file *file; /* what the manifest says */
    struct mem_table *names;          /* of its table, or NULL: not held against them */
    void *ctx;
    void (*fault)(void *ctx, const char *text); /* damage; goes on with the next block */
    bool (*step)(void *ctx, uint64_t bytes);    /* bytes of the file just looked at; false: MR_ECANCEL */
    uint64_t blocks, rows;                      /* set: that were whole */
};

/* MR_OK: looked at, whatever was found. MR_ENOENT: the file is not there; MR_EDENIED or MR_EIO: its key is
 * not at hand, or the disk does not answer; MR_ENOMEM, MR_ECANCEL. */
int care_segment_check(struct care_segment *segment, struct mr_error *err);

#endif
