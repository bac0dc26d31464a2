/* magstore/segment.h - immutable files that hold rows of one table, sorted by series, then by time.
 *
 * A segment is written once, front to back, under a temporary name and takes its own name when it is whole
 * and on disk. It is read through pread, a block of one series and a chunk of one column at a time. Layout
 * with offsets and measured sizes: docs/format/segment.md.
 *
 * The types repeat those of store/store.h with the same numbers: this room stands below the store.
 *
 * Thread-safety: a writer and a page have one owner at a time. A reader never changes after its open: any
 * number of threads may read through it, each with a page of its own.
 */
#ifndef MR_MAGSTORE_SEGMENT_H
#define MR_MAGSTORE_SEGMENT_H

#include "base/io.h"

enum magstore_type {
    MAGSTORE_DOUBLE = 1,
    MAGSTORE_BIGINT = 2,
    MAGSTORE_VARCHAR = 3,
    MAGSTORE_BOOLEAN = 4,
    MAGSTORE_TIMESTAMP = 5,
    MAGSTORE_MULTI = 6, /* kind of a series only */
};

#define MAGSTORE_BLOCK_ROWS 8192   /* of one block */
#define MAGSTORE_MAX_DIMS 128      /* of one series */
#define MAGSTORE_MAX_COLUMNS 65000 /* of one segment */

/* Name of segment `number` in its directory: "seg-<16 hex digits>.mrs". */
#define MAGSTORE_NAME_BYTES 32
void magstore_segment_name(uint64_t number, char out[static MAGSTORE_NAME_BYTES]);

/* A column that may have values here. `role` is the caller's, kept as it is. */
struct magstore_column {
    uint32_t id;
    enum magstore_type type;
    uint8_t role;
    struct mr_str name;
};

struct magstore_key {
    struct mr_str measure_name;
    enum magstore_type kind;    /* type of a single measure, or MAGSTORE_MULTI; not part of the order */
    const struct mr_pair *dims; /* sorted by name, unique */
    uint32_t ndims;
};

/* The order of series in a segment: measure name, then the dimensions one by one (name, value), by bytes; of
 * two that agree so far the one with fewer dimensions is first. <0, 0 or >0. */
int magstore_key_cmp(const struct magstore_key *a, const struct magstore_key *b);

/* The values of one column: double[], int64_t[] (BIGINT, TIMESTAMP), struct mr_str[] or uint8_t[] (0, 1). */
struct magstore_values {
    uint32_t column;
    enum magstore_type type;
    const void *values;   /* at a NULL: anything but a view that cannot be read. NULL: no row has a value */
    const uint8_t *valid; /* a byte a row, 0 is NULL; NULL: every row has a value */
};

struct magstore_rows {
    size_t count;
    const int64_t *times;    /* ascending, each once */
    const int64_t *versions; /* NULL: all 1 */
    const struct magstore_values *columns;
    size_t ncolumns;
};

/* What a segment is as a whole; the manifest repeats most of it. */
struct magstore_info {
    uint64_t table, size, series, blocks, rows;
    int64_t time_min, time_max; /* min > max: no rows */
    uint32_t footer_crc;
};

/* ---- writing ----------------------------------------------------------------------------------------- */

struct magstore_writer;

/* Creates dir/name.tmp. Columns ascend by id and are copied. io must outlive the writer. */
int magstore_writer_open(const struct mr_io *io, const char *dir, const char *name, uint64_t table,
                         const struct magstore_column *columns, size_t ncolumns, struct magstore_writer **out,
                         struct mr_error *err);
/* Rows that follow are of this series. MR_EINVAL: not behind the series before it. */
int magstore_writer_series(struct magstore_writer *writer, const struct magstore_key *key,
                           struct mr_error *err);
/* Writes one block of at most MAGSTORE_BLOCK_ROWS rows (more than one when its texts are long). Times must go
 * on where the last ones of this series ended, columns ascend by id and are those of the open: else
 * MR_EINVAL. MR_ELIMIT: one row is too large. */
int magstore_writer_block(struct magstore_writer *writer, const struct magstore_rows *rows,
                          struct mr_error *err);
/* The same for any number of rows: they are copied and gathered into full blocks. Not to be mixed with
 * magstore_writer_block within one series. */
int magstore_writer_rows(struct magstore_writer *writer, const struct magstore_rows *rows,
                         struct mr_error *err);
/* Writes the directories, makes all durable and gives the file its name (reliability rule 3). Frees the
 * writer whatever happens; on failure nothing is left under the name, at most the temporary file. */
int magstore_writer_finish(struct magstore_writer *writer, struct magstore_info *out, struct mr_error *err);
/* Removes the temporary file and frees the writer. NULL is fine. After any failure but of finish, this is
 * what is left to do. */
void magstore_writer_abort(struct magstore_writer *writer);

/* ---- reading ----------------------------------------------------------------------------------------- */

struct magstore_reader;

/* Reads and checks header, footer and directories, and keeps the file open. It needs as much memory as the
 * directories have bytes unpacked, and 8 or 16 bytes for each string and each series. MR_ECORRUPT: names the
 * file and the offset. io must outlive the reader. */
int magstore_reader_open(const struct mr_io *io, const char *dir, const char *name,
                         struct magstore_reader **out, struct mr_error *err);
void magstore_reader_close(struct magstore_reader *reader); /* NULL is fine */

const struct magstore_info *magstore_reader_info(const struct magstore_reader *reader);
/* Ascending by id; valid as long as the reader. */
const struct magstore_column *magstore_reader_columns(const struct magstore_reader *reader, size_t *count);
/* Bytes of memory held. */
size_t magstore_reader_memory(const struct magstore_reader *reader);

struct magstore_series {
    struct magstore_key key; /* dims below; views valid as long as the reader */
    uint64_t blocks, rows;
    int64_t time_min, time_max;
    struct mr_pair dims[MAGSTORE_MAX_DIMS];
};
/* Series number `index` below info.series, in the order of keys. key.dims points into *out: do not copy it.
 */
void magstore_reader_series(const struct magstore_reader *reader, uint64_t index,
                            struct magstore_series *out);
/* Its number, by binary search. */
bool magstore_reader_find(const struct magstore_reader *reader, const struct magstore_key *key,
                          uint64_t *index);

/* Where a block lies. */
struct magstore_block {
    uint64_t series, offset;
    uint32_t bytes, head_bytes, rows;
    int64_t time_min, time_max;
};

/* A walk over the blocks of one series that overlap [from, to], without touching the file. Not to be
 * released. */
struct magstore_walk {
    struct magstore_block next; /* offset: of the block to come */
    const unsigned char *at;
    size_t left, blocks;
    int64_t from, to;
};
void magstore_walk_start(const struct magstore_reader *reader, uint64_t series, int64_t from, int64_t to,
                         struct magstore_walk *out);
bool magstore_walk_next(struct magstore_walk *walk, struct magstore_block *out);

/* Room for one decoded block; reused. */
struct magstore_page;
int magstore_page_new(struct magstore_page **out);
void magstore_page_free(struct magstore_page *page); /* NULL is fine */

/* Decodes the rows of the block within [from, to] and the named columns, in the order of `ids`. A column that
 * has no value in the block comes back with values NULL and type 0. Views are the page's, until its next use.
 * MR_ECORRUPT: names the file and the offset. */
int magstore_read_block(const struct magstore_reader *reader, const struct magstore_block *block,
                        int64_t from, int64_t to, const uint32_t *ids, size_t nids,
                        struct magstore_page *page, struct magstore_rows *out, struct mr_error *err);
/* All columns that have a value in the block, ascending by id. */
int magstore_read_all(const struct magstore_reader *reader, const struct magstore_block *block,
                      struct magstore_page *page, struct magstore_rows *out, struct mr_error *err);

/* What the head of a block says of a column. */
struct magstore_stats {
    enum magstore_type type; /* 0: no value in the block */
    uint32_t count;          /* values that are not NULL */
    bool numbers;            /* the rest is known: a numeric column of a block that is not tiny, without NaN */
    union {
        struct {
            double min, max, sum; /* sum: added up in order of time */
        } f64;
        struct {
            int64_t min, max;
            __int128 sum;
        } i64; /* BIGINT and TIMESTAMP */
    };
};
/* Reads the head only. `out` has room for nids. */
int magstore_read_stats(const struct magstore_reader *reader, const struct magstore_block *block,
                        const uint32_t *ids, size_t nids, struct magstore_page *page,
                        struct magstore_stats *out, struct mr_error *err);

/* The row of the series at this time: *row is its index in *out, which holds the named columns of its block.
 * MR_ENOENT (err untouched): there is none. */
int magstore_reader_lookup(const struct magstore_reader *reader, uint64_t series, int64_t time,
                           const uint32_t *ids, size_t nids, struct magstore_page *page,
                           struct magstore_rows *out, size_t *row, int64_t *version, struct mr_error *err);

#endif
