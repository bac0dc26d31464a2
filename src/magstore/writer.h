/* magstore/writer.h - inside of struct magstore_writer; shared by writer.c, gather.c and writer_end.c. */
#ifndef MR_MAGSTORE_WRITER_H
#define MR_MAGSTORE_WRITER_H

#include "magstore/block.h"
#include "magstore/strings.h"

/* Rows being gathered into a block, column by column; texts are copied into the arena. */
struct magstore_gather {
    size_t count, text_bytes;
    int64_t *times, *versions; /* MAGSTORE_BLOCK_ROWS of each */
    struct gather_column {
        char *values; /* MAGSTORE_BLOCK_ROWS of them; NULL: no value yet */
        uint8_t *valid;
        bool used; /* in the rows gathered now */
    } *columns; /* by position in the writer's columns */
    struct magstore_values *views;
    struct mr_arena texts;
};

struct magstore_writer {
    const struct mr_io *io;
    int fd;
    char *dir, *temp, *final; /* owned */
    struct magstore_column *columns;
    size_t ncolumns;
    struct magstore_encoder encoder;
    struct mr_buf pending; /* not yet written */
    uint64_t offset;       /* of the end of pending */
    struct magstore_info info;

    struct magstore_strings strings;
    struct mr_buf series; /* directory entries that are complete */
    struct mr_buf blocks; /* blocks of the series under way */
    uint64_t nblocks;
    struct mr_buf key; /* of the series under way: as in the directory, without the blocks */
    struct mr_arena last_arena;
    struct magstore_key last; /* the same key as strings, to check the order */
    bool any_series;
    int64_t last_time; /* of the last row of the series */
    struct magstore_gather gather;
};

/* Appends bytes to the file; they are written in large pieces. */
int magstore_writer_put(struct magstore_writer *w, const void *bytes, size_t len, struct mr_error *err);
int magstore_writer_drain(struct magstore_writer *w, struct mr_error *err);
/* Closes the entry of the series under way. */
int magstore_writer_close_series(struct magstore_writer *w, struct mr_error *err);
/* Writes what is gathered as a block. */
int magstore_gather_drain(struct magstore_writer *w, struct mr_error *err);
void magstore_gather_release(struct magstore_writer *w);
/* Checks the rows against the series and the columns. */
int magstore_writer_check(const struct magstore_writer *w, const struct magstore_rows *rows,
                          struct mr_error *err);
void magstore_writer_free(struct magstore_writer *w);

#endif
