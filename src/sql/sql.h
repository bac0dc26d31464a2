/* sql/sql.h - the Timestream SQL front end: text in; checked statement, scans and DuckDB SQL out.
 *
 * Everything a user writes passes lexer, parser, binder and type checker here; what comes out is printed from
 * the bound tree by an allow-list, so no byte of the user's text reaches the engine except as a quoted
 * literal. The room meets the catalog only through struct sql_lookup and runs in tests with neither server
 * nor DuckDB. Facts: query-language reference. Thread-safe: no state outside the arena.
 *
 * How Timestream types are carried inside the engine (nothing may round to microseconds, so no DuckDB
 * temporal type is ever used):
 *
 *     boolean BOOLEAN · integer INTEGER · bigint BIGINT · double DOUBLE · varchar VARCHAR
 *     timestamp BIGINT, ns since the epoch · date INTEGER, days since the epoch · time BIGINT, ns of the day
 *     interval day to second BIGINT, ns · interval year to month INTEGER, months
 *     array(T) LIST · row(...) STRUCT with fields f0, f1, ... · timeseries(T) LIST of STRUCT(t BIGINT, v T)
 *     unknown (NULL) INTEGER
 */
#ifndef MR_SQL_SQL_H
#define MR_SQL_SQL_H

#include "base/base.h"

enum sql_kind {
    SQL_UNKNOWN,
    SQL_BOOLEAN,
    SQL_INTEGER,
    SQL_BIGINT,
    SQL_DOUBLE,
    SQL_VARCHAR,
    SQL_DATE,
    SQL_TIME,
    SQL_TIMESTAMP,
    SQL_INTERVAL_DAY,
    SQL_INTERVAL_YEAR,
    SQL_ARRAY,
    SQL_ROW,
    SQL_TIMESERIES
};

struct sql_type;
struct sql_field {
    struct mr_str name; /* MR_STR_NULL for an unnamed field */
    const struct sql_type *type;
};
struct sql_type {
    enum sql_kind kind;
    const struct sql_type *elem;    /* ARRAY: element; TIMESERIES: value */
    const struct sql_field *fields; /* ROW */
    size_t nfields;
};

/* ---- what the binder may ask ---- */

enum sql_role {
    SQL_ROLE_TIME,
    SQL_ROLE_MEASURE_NAME,
    SQL_ROLE_DIMENSION,
    SQL_ROLE_MEASURE_VALUE,
    SQL_ROLE_ATTRIBUTE
};

struct sql_column {
    struct mr_str name; /* "measure_value::double" for those */
    enum sql_kind kind; /* VARCHAR, BIGINT, DOUBLE, BOOLEAN or TIMESTAMP */
    enum sql_role role;
    uint32_t number; /* the store's column number */
};

struct sql_table {
    void *handle; /* the caller's; comes back in the scans */
    struct mr_str database, name;
    const struct sql_column *columns; /* in the order of DESCRIBE and SELECT * */
    size_t ncolumns;
};

struct sql_lookup {
    void *ctx;
    /* MR_OK, or MR_ENOENT with *missing_database set when it is the database that is unknown. Views are in
     * the arena. */
    int (*table)(void *ctx, struct mr_str database, struct mr_str name, struct mr_arena *arena,
                 struct sql_table *out, bool *missing_database);
};

struct sql_param {
    struct mr_str name; /* without '@' */
    enum sql_kind kind;
    int64_t i64; /* TIMESTAMP ns (the only kind bound today: @scheduled_runtime) */
};

struct sql_env {
    const struct sql_lookup *lookup;
    int64_t now_ns;     /* now(), current_*, ago() */
    int64_t time_floor; /* rows before this are past retention of nobody: a lower bound for all scans */
    const struct sql_param *params; /* bound parameters */
    size_t nparams;
    bool prepare; /* PrepareQuery: unbound parameters are allowed and reported */
    bool plain;   /* leave all conditions out of the scans; for comparing the two ways */
    bool groups;  /* let scans aggregate where they can */
};

/* ---- what comes out ---- */

enum sql_statement {
    SQL_SELECT,
    SQL_SHOW_DATABASES,
    SQL_SHOW_TABLES,
    SQL_SHOW_MEASURES,
    SQL_DESCRIBE,
    SQL_EXPLAIN,
    SQL_UNLOAD
};

enum sql_pred_op { SQL_PRED_IN, SQL_PRED_NOT_IN, SQL_PRED_PREFIX, SQL_PRED_IS_NULL, SQL_PRED_NOT_NULL };
struct sql_pred {
    uint32_t column;
    enum sql_pred_op op;
    const struct mr_str *values;
    size_t nvalues;
};

enum sql_filter_op {
    SQL_FILTER_EQ,
    SQL_FILTER_NE,
    SQL_FILTER_LT,
    SQL_FILTER_LE,
    SQL_FILTER_GT,
    SQL_FILTER_GE,
    SQL_FILTER_IS_NULL,
    SQL_FILTER_NOT_NULL
};
/* A test on a column of values against a constant of its kind; means what store/store.h says of the same
 * name there. */
struct sql_filter {
    uint32_t column;
    enum sql_filter_op op;
    enum sql_kind kind;
    union {
        int64_t i64; /* BIGINT, TIMESTAMP, BOOLEAN */
        double f64;
        struct mr_str text;
    };
};

enum sql_fold_op {
    SQL_FOLD_ROWS,
    SQL_FOLD_COUNT,
    SQL_FOLD_SUM,
    SQL_FOLD_MIN,
    SQL_FOLD_MAX,
    SQL_FOLD_FIRST,
    SQL_FOLD_LAST,
    SQL_FOLD_MOMENTS
};

/* An aggregate over the column; means what store/store.h says of the same name there. */
struct sql_fold {
    enum sql_fold_op op;
    uint32_t column;
    enum sql_kind kind;    /* of the column */
    struct mr_str measure; /* ptr NULL: all rows */
};

/* Groups instead of rows. The columns are, in this order: a VARCHAR a key, a BIGINT for the start of the bin
 * when there are bins, then a column a fold: BIGINT for counts, HUGEINT for the sum of BIGINT, else the
 * column's type; after FIRST and LAST their time; for MOMENTS a BIGINT and two DOUBLE. A group may come in
 * several parts. */
struct sql_groups {
    const uint32_t *keys; /* dimensions and measure_name */
    size_t nkeys;
    int64_t bin_ns, bin_origin; /* 0: no bins */
    const struct sql_fold *folds;
    size_t nfolds;
};
#define SQL_FOLDS_MAX 64

/* What a statement computes from the groups that have the same keys and bin. Columns are those of the groups.
 */
enum sql_part_how {
    SQL_PART_KEY, /* as it is: a key, or the start of the bin */
    SQL_PART_COUNT,
    SQL_PART_SUM,
    SQL_PART_SUM_NARROW, /* to BIGINT, or the error of an overflow */
    SQL_PART_MIN,
    SQL_PART_MAX,
    SQL_PART_AVG,
    SQL_PART_LAST,
    SQL_PART_FIRST,
    SQL_PART_VAR_POP, /* this and the next three: of the fold's three columns */
    SQL_PART_VAR_SAMP,
    SQL_PART_STDDEV_POP,
    SQL_PART_STDDEV_SAMP
};
struct sql_part {
    enum sql_part_how how;
    size_t column, other; /* other: count of AVG, time of LAST and FIRST */
};

/* The groups of scans[0] are the answer: with those of the same keys and bin put together, each is a row.
 * Without keys and bins there is one row, whatever is stored. Says the same as the statement for the engine.
 */
struct sql_finish_order {
    struct sql_part part;
    bool desc, nulls_first;
};
#define SQL_TESTS_MAX 16
/* HAVING: a value of the group against a constant of its kind. */
struct sql_finish_test {
    struct sql_part part;   /* not SQL_PART_SUM_NARROW, which may fail */
    struct sql_filter test; /* its column is not looked at */
};
struct sql_finish {
    const struct sql_part *outputs;      /* one an output of the plan */
    const struct sql_finish_test *tests; /* groups that fail one are no rows */
    size_t ntests;
    const struct sql_finish_order *order;
    size_t norder;
    int64_t limit, offset; /* limit -1: none */
};

/* One table in the FROM of some query block. The engine may return a superset of the rows the bounds
 * describe: the emitted SQL applies the whole WHERE again. */
struct sql_scan {
    void *handle; /* of sql_table */
    struct mr_str database, table;
    const uint32_t *columns; /* column numbers the statement needs, in the order the emitted SQL knows them */
    const enum sql_kind *kinds; /* parallel to columns */
    size_t ncolumns;
    int64_t time_min, time_max; /* included; INT64_MIN and INT64_MAX when unbounded */
    const struct sql_pred *preds;
    size_t npreds;
    const struct sql_filter *filters; /* all must hold */
    size_t nfilters;
    const struct sql_groups *groups; /* NULL: rows */
    const char *why_rows; /* EXPLAIN: what keeps a grouped query from being answered by groups; or NULL */
};

struct sql_output {
    struct mr_str name;
    const struct sql_type *type;
    struct mr_str database, table; /* of a plain table column (PrepareQuery), else MR_STR_NULL */
    bool aliased;
};

/* The rows of scans[0] are the answer, in any order or the newest first: nothing is left to test or to
 * compute. Says the same as the statement for the engine. */
#define SQL_NEWEST_MAX 10000 /* rows of the newest that are worth keeping in memory, OFFSET included */
struct sql_rows {
    const size_t *outputs; /* of each output of the plan: its place among the scan's columns */
    bool newest;           /* by falling time; then there is a limit */
    size_t time;           /* newest: the place of `time` among the scan's columns */
    int64_t limit, offset; /* limit -1: none */
};

/* UNLOAD: where to and how. The partition columns are the last of the outputs. */
struct sql_unload {
    struct mr_str bucket, prefix;
    bool parquet, gzip, header, kms; /* else CSV, no compression, no header, SSE_S3 */
    struct mr_str kms_key;           /* MR_STR_NULL: none */
    char delimiter, escape;
    uint64_t max_file_size; /* bytes */
    size_t npartitions;
};

struct sql_plan {
    enum sql_statement statement;
    /* SELECT: in `duckdb`, scan i appears as table function mr_scan(<i>) whose columns are c0, c1, ... of
     * scans[i] */
    struct mr_str duckdb;
    const struct sql_scan *scans;
    size_t nscans;
    const struct sql_finish *finish; /* this and rows NULL: only the statement gives the answer */
    const struct sql_rows *rows;
    const struct sql_output *outputs;
    size_t noutputs;
    const struct sql_param *params; /* every parameter met, in order of first use, with its inferred kind */
    size_t nparams;
    /* SHOW, DESCRIBE: */
    struct mr_str database, table; /* MR_STR_NULL when not given */
    struct mr_str like;            /* pattern, or MR_STR_NULL */
    struct mr_str like_escape;
    const struct sql_unload *unload; /* UNLOAD, whose query is in the members of SELECT */
    struct mr_str explain;           /* EXPLAIN: the text of all stages, one a line */
};

struct sql_error {
    unsigned line, column; /* from 1; 0 when there is none */
    struct mr_str message; /* complete, position included where AWS includes it (query-api reference 8) */
};

/* MR_OK, MR_EINVAL (*error says why: a ValidationException), MR_ENOMEM. Everything is in the arena. */
int sql_prepare(struct mr_str text, const struct sql_env *env, struct mr_arena *arena, struct sql_plan **out,
                struct sql_error *error);

/* "double", "array(row(a bigint))", ...: the text of typeof and of error messages. */
struct mr_str sql_type_text(const struct sql_type *type, struct mr_arena *arena);

#endif
