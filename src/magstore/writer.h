/* magstore/writer.h - inside of struct magstore_writer: writer.c takes rows, writer_block.c closes blocks. */
#ifndef MR_MAGSTORE_WRITER_H
#define MR_MAGSTORE_WRITER_H

#include "magstore/directory.h"
#include "magstore/gather.h"
#include "magstore/head.h"
#include "magstore/newfile.h"
#include "magstore/piece.h"

struct magstore_writer {
    struct magstore_newfile file;
    struct magstore_locks locks;
    struct seal_cipher *cipher;
    struct magstore_scratch *scratch;
    uint64_t counter; /* of the next piece: an attempt counts, whether it is written or not */
    int failed;       /* the first failure: nothing more is sealed or written */
    struct magstore_gather gather;
    struct magstore_head head;  /* of the block being closed */
    struct mr_buf pieces;       /* of that block */
    struct mr_buf out;          /* bytes that go to the file next */
    uint64_t offset;            /* in the file, behind `out` */
    struct mr_buf directory;    /* entries so far */
    struct magstore_entry last; /* of the last block */
    struct magstore_info info;  /* so far */
    uint32_t header_crc;
    uint64_t rows; /* added */
    uint32_t last_series;
    int64_t last_time;
};

/* Encodes and seals the rows gathered as one block. */
int magstore_writer_close_block(struct magstore_writer *writer, struct mr_error *err);
/* Writes out what has come together; with `all`, all of it. */
int magstore_writer_drain(struct magstore_writer *writer, bool all, struct mr_error *err);
/* Directory and footer. */
int magstore_writer_close_file(struct magstore_writer *writer, struct mr_error *err);

#endif
