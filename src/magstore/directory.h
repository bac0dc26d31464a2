/* magstore/directory.h - one entry a block, in the order of the blocks. */
#ifndef MR_MAGSTORE_DIRECTORY_H
#define MR_MAGSTORE_DIRECTORY_H

#include "magstore/segment_format.h"

struct magstore_entry {
    struct magstore_block block;
    uint64_t counter;    /* of the nonce of the head */
    uint32_t head_bytes; /* as stored */
};

/* Appends the entry of a block that follows `before` (NULL: the first one). */
void magstore_entry_write(const struct magstore_entry *before, const struct magstore_entry *entry,
                          struct mr_buf *out);

/* Reads `count` entries, which fill the bytes; their blocks fill the file from the header up to `end`. Checks
 * the order of the blocks. *out is owned by the caller. NULL, or what is wrong; "" when memory is. */
const char *magstore_directory_parse(struct mr_str bytes, uint32_t count, uint64_t end,
                                     struct magstore_entry **out) MR_MUST_USE;

#endif
