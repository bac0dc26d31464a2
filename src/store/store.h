/* store/store.h - the one door to stored records: append a batch, scan columns, expire.
 *
 * Behind it: a write-ahead log, a memory store of per-series columns and a magnetic store of immutable files.
 * Above it nobody may assume that the data is local: a second implementation can put it into a cluster of
 * machines.
 *
 * Words. A series is (table, set of dimensions, measure name). A record of a series at a time is a row.
 * Within a table every column has a number: 0 is `time`, 1 is `measure_name`, and dimensions, the
 * measure_value::<type> columns and multi-measure attributes follow in order of first appearance. Numbers are
 * never reused.
 *
 * Thread-safe throughout. No call made on the append path waits for a disk.
 */
#ifndef MR_STORE_STORE_H
#define MR_STORE_STORE_H

#include "base/clock.h"
#include "base/io.h"

struct seal_keyring;
struct seal_outside;
struct store;
struct store_table;    /* a counted reference to one table's data */
struct store_snapshot; /* a moment in the order of commits, held still */
struct store_scan;

enum store_type {
    STORE_NONE = 0,
    STORE_DOUBLE = 1,
    STORE_BIGINT = 2,
    STORE_VARCHAR = 3,
    STORE_BOOLEAN = 4,
    STORE_TIMESTAMP = 5, /* int64 ns since the epoch */
    STORE_MULTI = 6,     /* of a measure name only: its records carry attributes */
};

enum store_role { STORE_TIME, STORE_MEASURE_NAME, STORE_DIMENSION, STORE_MEASURE_VALUE, STORE_ATTRIBUTE };

#define STORE_COLUMN_TIME 0
#define STORE_COLUMN_MEASURE_NAME 1

/* ---- lifetime
 * ------------------------------------------------------------------------------------------------ */

struct store_options {
    const struct mr_io *io;
    const struct mr_clock *clock;
    const char *dir;            /* exists; the store owns what is in it */
    size_t wal_queue_bytes;     /* 0: the log's default */
    uint64_t wal_segment_bytes; /* 0: the log's default */
    size_t memory_limit;        /* bytes of the memory store; appends beyond it answer MR_ELIMIT; 0: 4 GiB */
    size_t
        flush_bytes; /* bytes of rows in memory at which they are moved to files; 0: a quarter of the limit */
    uint64_t flush_log_bytes; /* bytes of log at which the same happens, which bounds the time of a start; 0:
                                 128 MiB */
    int64_t window_ns;        /* files are cut at multiples of it; 0: 7 days */
    uint64_t file_bytes;      /* files are not merged beyond it; 0: 1 GiB */
    size_t cache_bytes;       /* decoded blocks of files kept in memory; 0: 256 MiB */
    bool no_cache;            /* keeps none */
    const uint64_t
        *dropped; /* tables whose drop the caller remembers: what log and files hold of them is not read */
    size_t ndropped;
    /* Who wraps data keys that the master key does not wrap (seal/seal.h); outlives the store. NULL: nobody.
     */
    const struct seal_outside *outside;
    int64_t key_life_ns; /* how long such a key is used without asking again; 0: five minutes */
    bool by_hand; /* nothing happens in the background: the caller uses store_flush, store_compact (tests) */
};

/* Recovers the log and is ready when it returns. */
int store_open(const struct store_options *options, struct store **out, struct mr_error *err);
/* Flushes and frees; no call may be under way. */
void store_close(struct store *store);

/* The table of that id, made empty when it is new; ids come from the catalog and are never reused. The
 * reference is given back by store_table_unref. MR_ENOENT when the id was dropped. database_id groups tables
 * for keys on disk. */
int store_table_ref(struct store *store, uint64_t database_id, uint64_t table_id, struct store_table **out,
                    struct mr_error *err);
void store_table_unref(struct store_table *table);
/* Forgets the table's data for good (durable when it returns); scans under way end well. May wait for the
 * disk. MR_ENOSPC: the data is out of reach and its files are gone as far as possible, but the disk is too
 * full to log that: the caller has to remember it, calls again later, and names the table in
 * store_options.dropped until that succeeds. */
int store_table_drop(struct store *store, uint64_t table_id, struct mr_error *err);

/* ---- append
 * -------------------------------------------------------------------------------------------------- */

struct store_value {
    enum store_type type; /* DOUBLE, BIGINT, VARCHAR, BOOLEAN or TIMESTAMP */
    union {
        double f64;
        int64_t i64; /* BIGINT and TIMESTAMP */
        bool boolean;
        struct mr_str str; /* UTF-8 */
    };
};

struct store_attr {
    struct mr_str name; /* attribute name; ignored for a single-measure record */
    struct store_value value;
};

enum store_outcome {
    STORE_STORED,                   /* new, or replaced by a higher version */
    STORE_DUPLICATE,                /* same version, same content: nothing to do, a success */
    STORE_REJECT_SAME_VERSION,      /* same version, other content */
    STORE_REJECT_LOWER_VERSION,     /* existing_version says what is there */
    STORE_REJECT_MEASURE_TYPE,      /* the measure name is bound to another type */
    STORE_REJECT_ATTRIBUTE_TYPE,    /* the attribute is bound to another type; `detail` is its name */
    STORE_REJECT_NAME_IS_MEASURE,   /* a dimension's name is an attribute's already; `detail` is the name */
    STORE_REJECT_NAME_IS_DIMENSION, /* an attribute's name is a dimension's already; `detail` is the name */
    STORE_REJECT_DIMENSION_LIMIT,   /* 128 a table */
    STORE_REJECT_MEASURE_LIMIT,     /* 8192 a table */
    STORE_REJECT_ATTRIBUTE_LIMIT,   /* 1024 a table */
};

/* One record, valid by itself (names, values, window); what depends on what is stored is decided by the
 * store. */
struct store_record {
    const struct mr_pair *dims; /* sorted by name (bytes), names unique; records may share the array, which is
                                   then the same series key and costs one look-up */
    uint32_t ndims;
    uint32_t nattrs; /* exactly 1 for a single-measure record */
    struct mr_str measure_name;
    enum store_type type;           /* DOUBLE, BIGINT, VARCHAR, BOOLEAN (single measure) or MULTI */
    const struct store_attr *attrs; /* MULTI: names unique */
    int64_t time;                   /* ns since the epoch, >= 0 */
    int64_t version;                /* >= 1 */
    bool magnetic;                  /* belongs to the magnetic store by its age */
    /* set by store_append: */
    enum store_outcome outcome;
    int64_t existing_version;
    struct mr_str detail; /* a view into the record */
};

struct store_commit {
    /* Set by the caller. Runs on the log thread or inside store_append, perhaps before that returns; must not
     * block. */
    void (*done)(struct store_commit *commit);
    void *reserved[4]; /* the store's */
};

/* Decides every record in order and queues the accepted ones as one unit that survives whole or not at all;
 * the outcomes are set when it returns. MR_OK: `commit->done` runs exactly once, when all of it (and
 * everything an outcome was based on) is durable; only then may the caller acknowledge. On any other status
 * nothing was queued, done never runs and the outcomes mean nothing: MR_EBUSY (log queue full), MR_ELIMIT
 * (memory store full, or a batch beyond the log's frame), MR_EAGAIN (late rows: files must be read to judge
 * them, so hand the same records to store_append_wait on a thread that may), MR_ENOSPC, MR_ENOMEM, MR_ENOENT
 * (the table was dropped), MR_EINVAL (a record whose types do not fit together). Rows become visible to
 * snapshots opened after they are durable. */
int store_append(struct store_table *table, struct store_record *records, size_t count,
                 struct store_commit *commit, struct mr_error *err);
/* The same for a caller who may wait for the disk; never answers MR_EAGAIN. */
int store_append_wait(struct store_table *table, struct store_record *records, size_t count,
                      struct store_commit *commit, struct mr_error *err);

/* ---- schema
 * -------------------------------------------------------------------------------------------------- */

struct store_column {
    struct mr_str name;   /* "time", "measure_name", dimension, "measure_value::double", attribute */
    enum store_type type; /* never MULTI */
    enum store_role role;
};

struct store_measure {
    struct mr_str name;
    enum store_type type; /* one of the scalars, or MULTI */
    const uint32_t *dims; /* column numbers of dimensions seen with it, in order of first appearance */
    size_t ndims;
};

struct store_schema {
    const struct store_column *columns; /* indexed by column number */
    size_t ncolumns;
    const struct store_measure *measures; /* in order of first appearance */
    size_t nmeasures;
    uint64_t version; /* grows with every change */
};

/* A copy in the arena. Includes only what is durable or about to be; never shrinks. */
int store_schema_get(struct store_table *table, struct mr_arena *arena, struct store_schema *out);

/* ---- scan
 * ---------------------------------------------------------------------------------------------------- */

int store_snapshot_open(struct store *store, struct store_snapshot **out);
void store_snapshot_close(struct store_snapshot *snapshot);

enum store_pred_op {
    STORE_PRED_IN,     /* equal to one of `values` (one value: =) */
    STORE_PRED_NOT_IN, /* not NULL and equal to none */
    STORE_PRED_PREFIX, /* starts with values[0] */
    STORE_PRED_IS_NULL,
    STORE_PRED_NOT_NULL,
};

/* A test on a dimension or on measure_name (never NULL). Exact: rows of other series are not returned. */
struct store_pred {
    uint32_t column;
    enum store_pred_op op;
    const struct mr_str *values;
    size_t nvalues;
};

enum store_filter_op {
    STORE_FILTER_EQ,
    STORE_FILTER_NE,
    STORE_FILTER_LT,
    STORE_FILTER_LE,
    STORE_FILTER_GT,
    STORE_FILTER_GE,
    STORE_FILTER_IS_NULL,
    STORE_FILTER_NOT_NULL,
};

/* A test on a column of values, of the type that the value has (VARCHAR and BOOLEAN: EQ and NE only). A NULL
 * passes IS_NULL alone. As for MIN and MAX, NaN is the greatest DOUBLE; the value must not be one. Exact. */
struct store_filter {
    uint32_t column;
    enum store_filter_op op;
    struct store_value value; /* the type is looked at for IS_NULL and NOT_NULL, too */
};

struct store_scan_spec {
    int64_t time_min, time_max; /* both included; exact */
    const uint32_t *columns;    /* projection, may be empty (row counts only) and may repeat none */
    size_t ncolumns;
    const struct store_pred *preds; /* all must hold */
    size_t npreds;
    const struct store_filter *filters; /* likewise; texts of values must outlive the scan */
    size_t nfilters;
};

/* The version of each row that was current at the snapshot, in no order across series; rows of one series
 * come ascending by time, and one batch never mixes series. The spec is copied; the snapshot stays open at
 * least as long as the scan. MR_ENOENT: the table was dropped. MR_EINVAL: no such column, a predicate on a
 * measure, or a filter of another type than its column. */
int store_scan_open(struct store_snapshot *snapshot, struct store_table *table,
                    const struct store_scan_spec *spec, struct store_scan **out, struct mr_error *err);
void store_scan_close(struct store_scan *scan);
/* Before the first cursor is opened: of each series only the row of the greatest time matters, any of the
 * others may be left out. */
void store_scan_newest(struct store_scan *scan);
/* Before the first cursor is opened: series that have the same values of these dimensions (and measure_name)
 * are read by one cursor, one after the other, and the batch of no rows behind the last of them says
 * `run_ended`. False, and nothing changes: some of these runs are too long for that, or memory is out. */
bool store_scan_together(struct store_scan *scan, const uint32_t *keys, size_t nkeys);

#define STORE_BATCH_ROWS 2048

struct store_vec {
    enum store_type type; /* VARCHAR for dimensions and measure_name, TIMESTAMP for time */
    bool constant;        /* one value (or one NULL) stands for all rows: only element 0 is there */
    const void *values;   /* double[], int64_t[], uint8_t[] (BOOLEAN), struct mr_str[] */
    const uint8_t *valid; /* 1 or 0 a row; NULL: no NULLs */
};

struct store_batch {
    size_t rows;                  /* 1..STORE_BATCH_ROWS; 0: the end, unless `more` */
    bool more;                    /* with filters: rows were read, none passed, and others follow */
    bool run_ended;               /* no rows, and others follow: see store_scan_together */
    const struct store_vec *cols; /* ncolumns of the spec, in its order */
    uint64_t bytes;               /* of stored data looked at for this batch, in files or kept of them, for
                                     progress and metering */
};

/* MR_ELIMIT from store_cursor_next: a flush has waited SNAPSHOT_PATIENCE_S (60) seconds for this snapshot to
 * close and has then gone on without it; the scan cannot be finished. */

/* A worker's cursor; several may share one scan and split its series between them. Views of a batch stay
 * valid until the next call on the same cursor or the close of the scan. */
struct store_cursor;
int store_cursor_open(struct store_scan *scan, struct store_cursor **out);
int store_cursor_next(struct store_cursor *cursor, struct store_batch *out, struct mr_error *err);
void store_cursor_close(struct store_cursor *cursor);

/* For progress and planning: series selected and done, and how many cursors could usefully share the scan. */
struct store_scan_info {
    uint64_t series_total, series_selected, series_done, rows_estimate;
};
void store_scan_info(struct store_scan *scan, struct store_scan_info *out);
/* A time within the scan's bounds that none of its rows is later than, near the latest of them; INT64_MIN:
 * there is no row. Looks at each series chosen. */
int64_t store_scan_last(struct store_scan *scan);

/* ---- aggregate
 * ----------------------------------------------------------------------------------------------- */

enum store_fold_op {
    STORE_FOLD_ROWS,  /* count of rows; no column. BIGINT */
    STORE_FOLD_COUNT, /* of values that are not NULL, any type. BIGINT */
    STORE_FOLD_SUM,   /* of DOUBLE: a DOUBLE; of BIGINT: __int128, so it cannot overflow */
    STORE_FOLD_MIN,   /* of DOUBLE, BIGINT, TIMESTAMP: the same type. NaN is the greatest DOUBLE */
    STORE_FOLD_MAX,
    STORE_FOLD_FIRST, /* value, perhaps NULL, of the row with the least time, and that time: two columns. Any
                         type but VARCHAR */
    STORE_FOLD_LAST,  /* of the greatest time */
    STORE_FOLD_MOMENTS, /* of DOUBLE and BIGINT, for variances: count (BIGINT), mean and sum of squared
                           distances from it (DOUBLE; both 0 of nothing): three columns */
};

#define STORE_FOLDS_MAX 128 /* of one aggregate */

struct store_fold {
    enum store_fold_op op;
    uint32_t column;      /* `time` or a column of values */
    enum store_type type; /* of the column */
    struct mr_str
        measure; /* only rows of this measure name count; ptr NULL: all rows. Outlives the aggregate */
};

/* Rows of a scan as groups. The columns of the scan's own spec are not looked at. */
struct store_aggregate_spec {
    struct store_scan_spec scan;
    const uint32_t *keys; /* dimensions and measure_name, none twice; may be empty */
    size_t nkeys;
    int64_t bin_ns; /* > 0: groups are also cut where (time - bin_origin) reaches a multiple; 0: not */
    int64_t bin_origin;
    const struct store_fold *folds;
    size_t nfolds;
};

struct store_aggregate;
struct store_aggregate_cursor;

/* Partial groups: every row that a scan would return is in exactly one of them, and the same keys and bin may
 * come several times, from one cursor or from several; whoever asked adds them up (counts and sums added,
 * least of the least, the last by its time). That keeps memory bounded whatever is grouped, lets cursors run
 * without waiting for each other, and lets the parts come from several machines. A sum of DOUBLE depends on
 * the order of the additions, as everywhere; which row of several with the same time is first or last is not
 * defined. Errors as of store_scan_open; MR_EINVAL also for a fold of the wrong type. */
int store_aggregate_open(struct store_snapshot *snapshot, struct store_table *table,
                         const struct store_aggregate_spec *spec, struct store_aggregate **out,
                         struct mr_error *err);
void store_aggregate_close(struct store_aggregate *aggregate); /* NULL is fine */
void store_aggregate_info(struct store_aggregate *aggregate, struct store_scan_info *out);
int64_t store_aggregate_last(struct store_aggregate *aggregate); /* as store_scan_last */

struct store_groups {
    size_t rows; /* 0..STORE_BATCH_ROWS; 0 and not `ended`: more was read, and nothing is to be handed over */
    bool ended;
    const struct store_vec *cols; /* keys, the start of the bin when there are bins, then the folds. A MIN,
                                     MAX or SUM of nothing is NULL */
    uint64_t bytes;               /* of stored data read during this call */
    bool whole;                   /* these keys and bins come nowhere else */
};

/* Cursors share the work as those of a scan do. A call reads a limited number of rows, so that the caller can
 * look around. Views stay valid until the next call on the cursor. After a failure only close is allowed. */
int store_aggregate_cursor_open(struct store_aggregate *aggregate, struct store_aggregate_cursor **out);
int store_aggregate_cursor_next(struct store_aggregate_cursor *cursor, struct store_groups *out,
                                struct mr_error *err);
void store_aggregate_cursor_close(struct store_aggregate_cursor *cursor); /* NULL is fine */

/* ---- age
 * ----------------------------------------------------------------------------------------------------- */

/* Removes the rows of the table before `cutoff` (ns). Called by the retention job; queries hide such rows by
 * their own time bounds, so this only frees memory and disk. Files wholly before it go at once, others when
 * they are next merged. Not logged: a restart brings such rows back until the next call, which is harmless,
 * because the ingestion window refuses records that old before they get here. May wait for the disk.
 */
int store_expire(struct store_table *table, int64_t cutoff, struct mr_error *err);

/* The same for good: neither a start nor an earlier cutoff brings such rows back. Rows in memory are flushed,
 * and files that hold earlier rows beside later ones are written again, so this may take as long as that; for
 * the rare moment when a retention becomes longer. A damaged file, whose rows nobody can read either, is
 * passed over. The caller sees to it that no such rows are appended meanwhile. Errors of a flush and of a
 * merge. */
int store_purge(struct store_table *table, int64_t cutoff, struct mr_error *err);

/* Moves all rows that are durable now into files of the magnetic store and lets the log forget them. Waits
 * for the disk, and for scans of older snapshots to end. Serialised with everything else that makes files. */
int store_flush(struct store *store, struct mr_error *err);
/* The keys of the store, for whoever makes and forgets them; the store stays their owner. */
struct seal_keyring *store_keyring(struct store *store);
/* The key of a database has changed: from now on new files are under it, and old ones are written again in
 * the background, after which the old key is forgotten. */
void store_keys_changed(struct store *store);
/* Unwraps keys that are due, and opens or closes what depends on them; the background does it by itself.
 * Returns when it wants to be called again (monotonic), INT64_MAX for never. */
int64_t store_keys_refresh(struct store *store);
/* May the data of the database be read and written? MR_EDENIED: its key says no; MR_EIO: the service of its
 * key does not answer. Appends and scans of its tables answer the same. Waits for nothing. */
int store_database_usable(struct store *store, uint64_t database_id, struct mr_error *err);

/* Merges files and removes those past their table's last cutoff, until nothing is left to do. */
int store_compact(struct store *store, struct mr_error *err);

struct store_stats {
    uint64_t tables, series, rows, memory_bytes, series_bytes, log_bytes, durable_lsn, last_lsn, appends,
        records, duplicates, rejected, syncs, sync_ns_total, sync_ns_max, commits;
    /* rows: in memory. Files: */
    uint64_t files, file_bytes, file_rows, flushes, flush_rows, flush_ns, compactions, compacted_rows,
        compacted_bytes, late_lookups;
    uint64_t old_key_files, old_key_bytes;          /* under another key than the newest of their database */
    uint64_t closed_files;                          /* segments whose key is not at hand */
    uint64_t cache_bytes, cache_hits, cache_misses; /* pieces of decoded blocks */
};
void store_stats(struct store *store, struct store_stats *out);

#endif
