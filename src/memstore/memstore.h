/* memstore/memstore.h - one table's rows in memory: per-series columns, an index of series, and the version
 * rule.
 *
 * A mem_table holds the schema of a table (columns and measure names), its series and their rows. Rows of a
 * series lie in columnar chunks sorted by time (chunk.h). Every row carries the LSN of the log entry it came
 * from; a reader names the LSN of its snapshot and sees exactly the state after that entry, because a
 * replaced row is kept aside until no reader can ask for it (old.h). docs/memory-store.md tells the whole
 * story with measured numbers.
 *
 * The types below repeat those of store/store.h with the same numbers: the store stands above this room and
 * may be built on something else one day, so neither side includes the other's words.
 *
 * Thread-safety: a table has one reader-writer lock, taken by the caller (mem_read_lock, mem_write_lock). It
 * is fair: a waiting writer stops new readers and the other way round. Each function says which side it
 * needs. No function keeps the lock busy for long: readers copy at most one batch, eviction works in steps.
 */
#ifndef MR_MEMSTORE_MEMSTORE_H
#define MR_MEMSTORE_MEMSTORE_H

#include "base/base.h"

struct mem_table;

enum mem_type {
    MEM_NONE = 0,
    MEM_DOUBLE = 1,
    MEM_BIGINT = 2,
    MEM_VARCHAR = 3,
    MEM_BOOLEAN = 4,
    MEM_TIMESTAMP = 5,
    MEM_MULTI = 6, /* of a measure name only */
};

enum mem_role { MEM_TIME, MEM_MEASURE_NAME, MEM_DIMENSION, MEM_MEASURE_VALUE, MEM_ATTRIBUTE };

#define MEM_COLUMN_TIME 0
#define MEM_COLUMN_MEASURE_NAME 1
#define MEM_COLUMN_VERSION UINT32_MAX /* of a cursor alone: the version of the row, a BIGINT */

/* Limits of one table (write-api reference, sections 5.8 and 12). */
#define MEM_MAX_DIMENSIONS 128
#define MEM_MAX_MEASURES 8192
#define MEM_MAX_ATTRIBUTES 1024

/* ---- lifetime and memory
 * ------------------------------------------------------------------------------------- */

/* Bytes held by all tables of a store, as the allocator sees them. `limit` 0: none. Atomic counters. */
struct mem_budget {
    uint64_t row_bytes;    /* chunks, varchar values, replaced rows */
    uint64_t series_bytes; /* series, names, indexes, schema */
    uint64_t limit;        /* of both together; an allocation beyond it fails with MR_ELIMIT */
};

/* What the budget holds now; any thread. */
uint64_t mem_budget_bytes(const struct mem_budget *budget);

/* The budget must outlive the table. */
int mem_table_open(struct mem_budget *budget, struct mem_table **out);
/* No call may be under way. */
void mem_table_close(struct mem_table *table);

void mem_read_lock(struct mem_table *table);
void mem_read_unlock(struct mem_table *table);
void mem_write_lock(struct mem_table *table);
void mem_write_unlock(struct mem_table *table);

/* ---- values and rows
 * ----------------------------------------------------------------------------------------- */

struct mem_value {
    enum mem_type type;
    union {
        double f64;
        int64_t i64; /* BIGINT and TIMESTAMP */
        bool boolean;
        struct mr_str str;
    };
};

/* A value under its column number. */
struct mem_cell {
    uint16_t column;
    struct mem_value value;
};

/* A row by numbers: what the log holds. A single-measure row has one cell, that of its measure_value column.
 */
struct mem_row {
    uint32_t series;
    uint32_t ncells;
    int64_t time;
    int64_t version;
    const struct mem_cell *cells; /* ascending by column */
};

struct mem_attr {
    struct mr_str name;
    struct mem_value value;
};

enum mem_outcome {
    MEM_STORED,
    MEM_DUPLICATE,
    MEM_REJECT_SAME_VERSION,
    MEM_REJECT_LOWER_VERSION,
    MEM_REJECT_MEASURE_TYPE,
    MEM_REJECT_ATTRIBUTE_TYPE,
    MEM_REJECT_NAME_IS_MEASURE,
    MEM_REJECT_NAME_IS_DIMENSION,
    MEM_REJECT_DIMENSION_LIMIT,
    MEM_REJECT_MEASURE_LIMIT,
    MEM_REJECT_ATTRIBUTE_LIMIT,
};

/* A record by names: what a client sent. */
struct mem_record {
    const struct mr_pair
        *dims; /* sorted by name, unique; the same pointer again within a batch is the same set */
    uint32_t ndims;
    uint32_t nattrs;
    struct mr_str measure_name;
    enum mem_type type;
    const struct mem_attr *attrs; /* single measure: one, its name ignored */
    int64_t time;
    int64_t version;
    void *looked_up; /* set by mem_batch_look_up; otherwise NULL */
    /* set by mem_batch_put: */
    enum mem_outcome outcome;
    int64_t existing_version; /* of the row that was there, when the outcome speaks of versions */
    struct mr_str detail;     /* the name that offended, a view into the record */
};

/* ---- writing (write lock held from begin to commit or abort)
 * --------------------------------------------------- */

/* Everything a batch changed, by numbers, for the log. Valid until commit or abort. */
struct mem_batch {
    uint32_t first_column, ncolumns;   /* new columns are first_column .. first_column + ncolumns - 1 */
    uint32_t first_measure, nmeasures; /* likewise */
    const uint32_t *series;            /* new series, ascending */
    size_t nseries;
    const struct mem_row *rows; /* accepted rows in order */
    size_t nrows;
};

/* Room to work in, for one batch at a time; reused, it stops allocating. */
struct mem_scratch;
struct mem_scratch *mem_scratch_new(void); /* NULL: no memory */
void mem_scratch_free(struct mem_scratch *scratch);

/* `lsn` is a guess at the batch's LSN, above that of every earlier commit of any table; `horizon` is the
 * highest LSN such that no present or future reader asks for an older state. */
void mem_batch_begin(struct mem_table *table, struct mem_scratch *scratch, uint64_t lsn, uint64_t horizon);

/* What files hold of a row that is not in memory. Looked up by the caller before it took the lock. */
struct mem_prior {
    uint32_t series;
    int64_t time;
    bool found;
    bool whole;         /* row.cells is filled in; it must be when versions are equal */
    struct mem_row row; /* when found: version, and the cells */
};
/* Hands priors to the batch begun: sorted by (series, time), valid until commit or abort. `epoch` is
 * mem_epoch() as it was before they were looked up: when it has changed since, they are not used. */
void mem_batch_priors(struct mem_table *table, const struct mem_prior *priors, size_t count, uint64_t epoch);
/* Finds the series of records that will be put next, one by one and in order, and asks for their memory: a
 * record of another series than the one before waits for three cache misses in a row, and these are the
 * misses of all of them side by side. Only for speed; changes nothing but looked_up. */
void mem_batch_look_up(struct mem_table *table, struct mem_record *records, size_t count);
/* Judges one record against everything before it and applies it when accepted; a record that is not accepted
 * leaves no trace. The checks, first failure wins: measure name (type, limit), dimensions (role, limit),
 * attributes (role, type, limit), version. MR_ENOMEM or MR_ELIMIT: the caller must abort the batch.
 * MR_EAGAIN: likewise, because files may hold the row (mem_wants) and no prior says so. */
int mem_batch_put(struct mem_table *table, struct mem_record *record);
void mem_batch_view(const struct mem_table *table, struct mem_batch *out);
/* Gives the batch its LSN, at least the guess. Cannot fail. */
void mem_batch_commit(struct mem_table *table, uint64_t lsn);
/* Takes everything back. Cannot fail. */
void mem_batch_abort(struct mem_table *table);

/* ---- rows that lie in files
 * ---------------------------------------------------------------------------------------------
 *
 * A flush copies rows up to an LSN into files and then releases them here. A series stays in the index as
 * long as it has rows in memory or may have some in files: each knows a time such that no file holds a later
 * row of it (its file time).
 */

/* Changes with every release: what files hold of this table is not what it was (read lock). */
uint64_t mem_epoch(const struct mem_table *table);

/* The rows of these records that must be looked up in files before a batch can judge them: their series
 * exists, no row of that time is in memory, and the time is not above the series' file time (read lock). The
 * pairs come sorted by (series, time), each once, `version` that of the record (the least, when several name
 * the pair): a row found with a version not below that is needed whole. Writes at most `count`; returns how
 * many. Changes nothing. */
struct mem_want {
    uint32_t series;
    int64_t time;
    int64_t version;
};
size_t mem_wants(struct mem_table *table, const struct mem_record *records, size_t count,
                 struct mem_want *out);

/* All rows up to `lsn`, the current and the replaced, are in files that every reader to come looks into, and
 * no reader is left that does not: changes the epoch, raises the file times, frees the rows (takes the write
 * lock itself, in steps). Rows that were judged after `lsn` stay. */
void mem_release(struct mem_table *table, uint64_t lsn);

/* Rows and oldest and newest time of the state as of `lsn`, into *extent (read lock, in steps of series:
 * start with *next = 0, go on until it returns false). For the cuts of a flush; writers that come between two
 * steps do not change it. */
struct mem_extent {
    uint64_t rows;
    int64_t time_min, time_max; /* min > max: none */
};
bool mem_extent_step(const struct mem_table *table, uint64_t lsn, uint32_t *next, struct mem_extent *extent);
/* The series numbers >= from that exist, ascending, at most `room` (read lock). Returns how many. */
size_t mem_series_list(const struct mem_table *table, uint32_t from, uint32_t *out, size_t room);

/* Names since a point: columns from `first_column` on, measures from `first_measure` on, series from `from`
 * on, at most `room` of them, as a batch without rows (read lock; views valid while it is held). `numbers`
 * holds room series numbers and is what out->series points to. Returns the number to go on from;
 * mem_counts.next_series at the end. */
uint32_t mem_names_since(const struct mem_table *table, uint32_t first_column, uint32_t first_measure,
                         uint32_t from, uint32_t *numbers, size_t room, struct mem_batch *out);
/* Series loaded from now on are given this file time (INT64_MIN, as at first: no file has rows of theirs;
 * write lock). */
void mem_load_filed(struct mem_table *table, int64_t time);
/* After files of names: raises the next series number to at least `next`, and says that every series below
 * it that was alive is loaded (write lock). */
void mem_load_next(struct mem_table *table, uint32_t next);

/* ---- loading from the log (write lock)
 * ------------------------------------------------------------------------- */

/* What was accepted once is applied without judging again. A name that is there already under the same number
 * is fine: files of names and the log overlap. So is a series, or a row of it, whose number is below what
 * mem_load_next said and that is not there: it had died before the names were written, for all its rows were
 * too old, and is passed over. MR_EINVAL: the numbers do not fit this table (the log is damaged); the table
 * is then unusable. */
int mem_load_column(struct mem_table *table, uint32_t column, enum mem_role role, enum mem_type type,
                    struct mr_str name);
int mem_load_measure(struct mem_table *table, uint32_t measure, enum mem_type type, struct mr_str name);

struct mem_dim {
    uint16_t column;
    struct mr_str value;
};
/* `series` is the next number or a higher one (series that died leave gaps, of less than 2^28); dims in order
 * of the columns' names (bytes). A key that is there under a lower number is that series born again: it moves
 * to the new number with its rows. */
int mem_load_series(struct mem_table *table, uint32_t series, uint32_t measure, const struct mem_dim *dims,
                    uint32_t ndims);
int mem_load_row(struct mem_table *table, const struct mem_row *row, uint64_t lsn);

/* ---- looking (read or write lock)
 * ------------------------------------------------------------------------------ */

struct mem_column {
    struct mr_str name; /* stays where it is as long as the table */
    enum mem_type type;
    enum mem_role role;
};

struct mem_measure {
    struct mr_str name; /* likewise */
    enum mem_type type;
    uint16_t *dims; /* columns of dimensions seen with it, in order of first appearance */
    uint32_t ndims, dims_cap;
};

/* Pointers are valid while the lock is held. */
struct mem_schema {
    const struct mem_column *columns;
    const struct mem_measure *measures;
    uint32_t ncolumns, nmeasures;
    uint64_t version;
};
void mem_schema_view(const struct mem_table *table, struct mem_schema *out);

/* The key of a series: its measure and (room for at least MEM_MAX_DIMENSIONS) dimensions in order of name.
 * False when there is no such series (any more). */
bool mem_series_key(const struct mem_table *table, uint32_t series, uint32_t *measure, struct mem_dim *dims,
                    uint32_t *ndims);

struct mem_counts {
    uint64_t series, rows, replaced; /* replaced: old rows still kept for readers */
    uint32_t next_series;            /* all series numbers are below */
};
void mem_counts(const struct mem_table *table, struct mem_counts *out);

/* ---- choosing series (read lock; steps)
 * ------------------------------------------------------------------------ */

enum mem_pred_op { MEM_PRED_IN, MEM_PRED_NOT_IN, MEM_PRED_PREFIX, MEM_PRED_IS_NULL, MEM_PRED_NOT_NULL };

struct mem_pred {
    uint32_t column; /* a dimension or measure_name */
    enum mem_pred_op op;
    const struct mr_str *values;
    size_t nvalues;
};

/* The series for which all predicates hold and that may have rows in [time_min, time_max]. Values are looked
 * up once, at open; then each step takes up where the last one ended, so that the lock can be let go in
 * between. Series born after open may or may not be found: no snapshot taken before open sees their rows.
 * Open and steps need the read lock; close needs none. */
struct mem_select;
int mem_select_open(struct mem_table *table, const struct mem_pred *preds, size_t npreds, int64_t time_min,
                    int64_t time_max, struct mem_select **out);
/* Writes up to `room` numbers of matching series to `out` (*found of them), looking at a bounded number of
 * candidates, and adds an estimate of their rows to *rows. False at the end. */
bool mem_select_step(struct mem_select *select, struct mem_table *table, uint32_t *out, size_t room,
                     size_t *found, uint64_t *rows);
void mem_select_close(struct mem_select *select);

/* ---- reading rows (read lock for fill)
 * ------------------------------------------------------------------------- */

#define MEM_BATCH_ROWS 2048

struct mem_vec {
    enum mem_type type;
    bool constant;
    const void *values;   /* double[], int64_t[], uint8_t[], struct mr_str[] */
    const uint8_t *valid; /* NULL: no NULLs */
};

struct mem_cursor;
/* Copies `columns`; their types are fixed for ever. Needs the read lock. */
int mem_cursor_open(struct mem_table *table, const uint32_t *columns, size_t ncolumns,
                    struct mem_cursor **out);
void mem_cursor_close(struct mem_cursor *cursor);

/* Copies the next rows of the series out: those in [*from, to] as of snapshot `lsn`, ascending by time, at
 * most MEM_BATCH_ROWS and about 4 MiB of text. Moves *from past what was looked at; *more false: nothing
 * follows. *rows may be 0 with more to come (the work of one call is bounded). Views are the cursor's, valid
 * until its next call, with or without the lock. */
int mem_cursor_fill(struct mem_cursor *cursor, struct mem_table *table, uint32_t series, int64_t *from,
                    int64_t to, uint64_t lsn, size_t *rows, bool *more);
/* The time of the newest row of the series within [from, to] as of snapshot `lsn` (read lock). False: there
 * is none here. */
bool mem_newest(const struct mem_table *table, uint32_t series, int64_t from, int64_t to, uint64_t lsn,
                int64_t *time);
const struct mem_vec *mem_cursor_vecs(const struct mem_cursor *cursor);
/* Sets the constant vectors of the series' dimensions and measure name, without any row (read lock); for rows
 * from elsewhere. MR_ENOENT: no such series any more. MR_ENOMEM. */
int mem_cursor_key(struct mem_cursor *cursor, struct mem_table *table, uint32_t series) MR_MUST_USE;
uint64_t mem_cursor_bytes(const struct mem_cursor *cursor); /* stored bytes behind the last batch */

/* ---- age (takes the write lock itself, in steps)
 * --------------------------------------------------------------- */

/* Removes rows before `cutoff`, then series without rows here and with a file time before it. The schema
 * stays. Also lets go of replaced rows that nobody can ask for any more (`horizon` as in mem_batch_begin). */
void mem_evict(struct mem_table *table, int64_t cutoff, uint64_t horizon);

#endif
