/* magstore/reader.h - inside of struct magstore_reader and struct magstore_page. */
#ifndef MR_MAGSTORE_READER_H
#define MR_MAGSTORE_READER_H

#include "magstore/block.h"

struct magstore_reader {
    const struct mr_io *io;
    int fd;
    char *path;
    struct magstore_info info;
    struct segment_footer footer;
    unsigned char *directory; /* unpacked */
    size_t directory_bytes;
    uint32_t *strings; /* where each begins in the directory (its length first) */
    size_t nstrings;
    struct reader_series {
        uint64_t entry;  /* offset in the directory */
        uint64_t blocks; /* offset in the file of its first block */
    } *series;
    struct mr_buf column_bytes;
    struct magstore_column *columns;
    size_t ncolumns;
};

struct magstore_page {
    struct magstore_scratch *scratch;
    struct mr_buf head, bytes; /* of the block */
    struct segment_chunk *chunks;
    size_t nchunks, chunks_cap;
    struct magstore_values *columns;
    size_t columns_cap;
    struct mr_arena arena; /* decoded values */
    int64_t *times, *versions;
    size_t rows;
};

/* MR_ECORRUPT with the file's name and the offset. */
int magstore_damaged(const struct magstore_reader *r, uint64_t offset, const char *what, struct mr_error *err);
/* Reads and checks the directories (header and footer are). */
int magstore_reader_load(struct magstore_reader *r, struct mr_error *err);
/* The key at *entry, which is moved behind it. dims: room for MAGSTORE_MAX_DIMS. false: damaged. */
bool magstore_directory_key(const struct magstore_reader *r, struct mr_cursor *entry,
                            struct magstore_key *key, struct mr_pair *dims);
/* Reads block data of the directory into *block, which holds the block before (`first`: none) and the offset.
 * false: damaged. */
bool magstore_directory_block(struct mr_cursor *entry, bool first, struct magstore_block *block);

#endif
