/* magstore/segment.h - immutable files that hold rows of one table, sorted by series, then by time.
 *
 * A segment is a sequence of rows in the order (series, time), each pair once, cut into blocks of at most
 * MAGSTORE_BLOCK_ROWS rows. A block holds rows of one series, or, when series are short, of many; so ten
 * million series of one row each take some thousand blocks. The directory has one entry a block and stays in
 * memory; what series a block holds stands in the head of the block. A block's columns are sealed pieces of
 * their own: a reader touches only those it is asked for. Layout with offsets and measured sizes:
 * docs/format/segment.md.
 *
 * Series and columns are the numbers of the table's catalog of names (docs/format/names.md); the types repeat
 * those of store/store.h with the same numbers: this room stands below the store.
 *
 * Thread-safety: a writer and a page have one owner at a time. A reader never changes after its open: any
 * number of threads may read through it, each with a page of its own.
 */
#ifndef MR_MAGSTORE_SEGMENT_H
#define MR_MAGSTORE_SEGMENT_H

#include "base/io.h"
#include "seal/seal.h"

enum magstore_type {
    MAGSTORE_NONE = 0,
    MAGSTORE_DOUBLE = 1,
    MAGSTORE_BIGINT = 2,
    MAGSTORE_VARCHAR = 3,
    MAGSTORE_BOOLEAN = 4,
    MAGSTORE_TIMESTAMP = 5,
};

#define MAGSTORE_BLOCK_ROWS 8192
#define MAGSTORE_MAX_COLUMNS 65000 /* of one segment */

/* Files of the store are numbered from one sequence: "seg-<16 hex digits>.mrs". */
#define MAGSTORE_NAME_BYTES 32
void magstore_segment_name(uint64_t number, char out[static MAGSTORE_NAME_BYTES]);

/* The values of one column: double[], int64_t[] (BIGINT, TIMESTAMP), struct mr_str[] or uint8_t[] (0, 1). */
struct magstore_values {
    uint32_t column;
    enum magstore_type type; /* MAGSTORE_NONE: no row has a value, and values is NULL */
    const void *values;      /* at a NULL: anything but a view that cannot be read */
    const uint8_t *valid;    /* a byte a row, 0 is NULL; NULL: every row has a value */
};

/* Rows of one series. */
struct magstore_rows {
    size_t count;
    const int64_t *times;    /* ascending, each once */
    const int64_t *versions; /* NULL: all 1 */
    const struct magstore_values *columns;
    size_t ncolumns;
};

/* What a segment is as a whole; the manifest repeats most of it. */
struct magstore_info {
    uint64_t table, database, size, blocks, rows;
    uint32_t first_series, last_series;
    int64_t time_min, time_max; /* min > max: no rows */
    uint32_t key_generation;
    uint32_t footer_crc;
};

/* Where a segment is, and how to read it. All outlive what is opened with it. */
struct magstore_place {
    const struct mr_io *io;
    const char *dir;
    struct seal_keyring *keyring;
    uint64_t database, table;
    uint64_t number; /* of the file */
};

/* ---- writing ----------------------------------------------------------------------------------------- */

struct magstore_writer;

/* Creates the file under its name with ".tmp" behind it, sealed by the newest key of the database. */
int magstore_writer_open(const struct magstore_place *place, struct magstore_writer **out,
                         struct mr_error *err);
/* Appends any number of rows of the series; they are copied. (series, time) must ascend from call to call,
 * columns ascend by number within a call and keep their type: else MR_EINVAL. Values may be NULL as a whole
 * or by row. MR_ELIMIT: one row is too large (16 MiB). A block is written when enough rows have come. */
int magstore_writer_add(struct magstore_writer *writer, uint32_t series, const struct magstore_rows *rows,
                        struct mr_error *err);
/* Bytes written so far, and rows added. */
uint64_t magstore_writer_bytes(const struct magstore_writer *writer);
uint64_t magstore_writer_rows(const struct magstore_writer *writer);
/* Writes what is left, the directory and the footer, syncs the file and gives it its name. The directory is
 * synced too (reliability rule 3). A failed sync ends the process (rule 2); any other failure returns, with
 * at most the temporary file left. Frees the writer whatever happens. Without rows: MR_EINVAL. */
int magstore_writer_finish(struct magstore_writer *writer, struct magstore_info *out, struct mr_error *err);
/* Removes the temporary file and frees the writer. NULL is fine. After any failure but of finish, this is
 * what is left to do. */
void magstore_writer_abort(struct magstore_writer *writer);

/* ---- reading ----------------------------------------------------------------------------------------- */

struct magstore_reader;

/* Reads and checks header, footer and directory, and keeps the file open. MR_ECORRUPT: names the file and the
 * offset. MR_ENOENT: no such file, or its key was forgotten. */
int magstore_reader_open(const struct magstore_place *place, struct magstore_reader **out,
                         struct mr_error *err);
void magstore_reader_close(struct magstore_reader *reader); /* NULL is fine */
/* Pages of this reader keep what they decode in the cache (cache.h), which outlives the reader. To be called
 * before others see the reader. */
struct magstore_cache;
void magstore_reader_use(struct magstore_reader *reader, struct magstore_cache *cache);

const struct magstore_info *magstore_reader_info(const struct magstore_reader *reader);
size_t magstore_reader_memory(const struct magstore_reader *reader);

/* An entry of the directory. Blocks follow each other in the order of (series, time). */
struct magstore_block {
    uint32_t first_series, last_series;
    int64_t first_time, last_time; /* of the first and of the last row in that order */
    int64_t time_min, time_max;    /* of all its rows */
    uint32_t rows, bytes;
    uint64_t offset;
};
const struct magstore_block *magstore_reader_block(const struct magstore_reader *reader, uint32_t index);
/* The blocks [*first, *end) that may hold rows of the series within [from, to]; empty: none does. */
void magstore_reader_locate(const struct magstore_reader *reader, uint32_t series, int64_t from, int64_t to,
                            uint32_t *first, uint32_t *end);

/* Room for one decoded block; reused. */
struct magstore_page;
int magstore_page_new(struct magstore_page **out); /* MR_ENOMEM */
void magstore_page_past_cache(
    struct magstore_page *page);                     /* before it loads: for who reads everything once */
void magstore_page_free(struct magstore_page *page); /* NULL is fine */

/* Reads the head of a block and decodes its times. What the page holds already is kept: loading the same
 * block again costs nothing. MR_ECORRUPT: names the file and the offset. */
int magstore_page_load(struct magstore_page *page, const struct magstore_reader *reader, uint32_t block,
                       struct mr_error *err);
/* Of the block loaded: its runs of rows, one a series, in their order. */
struct magstore_run {
    uint32_t series;
    uint32_t first, rows; /* in the block */
};
const struct magstore_run *magstore_page_runs(const struct magstore_page *page, uint32_t *count);
const int64_t *magstore_page_times(const struct magstore_page *page); /* of all rows */
/* Decodes on first use, then answers from the page until another block is loaded. Versions: NULL when all
 * are 1. A column without a value in the block has type MAGSTORE_NONE. Views are over all rows. */
int magstore_page_versions(struct magstore_page *page, const int64_t **out, struct mr_error *err);
int magstore_page_column(struct magstore_page *page, uint32_t column, struct magstore_values *out,
                         struct mr_error *err);
/* The columns that have a value in the block, ascending. */
const uint32_t *magstore_page_columns(const struct magstore_page *page, uint32_t *count);
/* Stored bytes of the pieces looked at so far, whether they were read or in the cache. */
uint64_t magstore_page_bytes(const struct magstore_page *page);

/* What the head of a block says of a column without decoding it. */
struct magstore_stats {
    enum magstore_type type; /* MAGSTORE_NONE: no value in the block */
    uint32_t count;          /* values that are not NULL */
    bool numbers;            /* the rest is known: a numeric column, without NaN */
    union {
        struct {
            double min, max, sum; /* sum: added up in the order of rows */
        } f64;
        struct {
            int64_t min, max;
            __int128 sum;
        } i64; /* BIGINT and TIMESTAMP */
    };
};
void magstore_page_stats(const struct magstore_page *page, uint32_t column, struct magstore_stats *out);

#endif
