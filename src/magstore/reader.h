/* magstore/reader.h - inside of struct magstore_reader, for pages. */
#ifndef MR_MAGSTORE_READER_H
#define MR_MAGSTORE_READER_H

#include "magstore/directory.h"
#include "magstore/piece.h"

struct magstore_cache;

struct magstore_reader {
    uint64_t id;                  /* of this open: an address may come again, this does not */
    struct magstore_cache *cache; /* NULL: none */
    const struct mr_io *io;
    int fd;
    char *path; /* owned; for messages */
    struct magstore_locks locks;
    struct magstore_info info;
    struct magstore_entry *entries; /* owned; info.blocks of them */
};

/* Sets the message of a damaged file and yields MR_ECORRUPT. */
int magstore_damaged(const struct magstore_reader *reader, uint64_t offset, const char *what,
                     struct mr_error *err);

#endif
