/* engine/scan.h - what scan.c and scan_fill.c share. Private to engine/. */
#ifndef MR_ENGINE_SCAN_H
#define MR_ENGINE_SCAN_H

#include <stdio.h>

#include "engine/duck.h"
#include "engine/error.h"

/* Batches of fewer rows are packed together. */
#define SCAN_SMALL_BATCH 512

struct scan_column {
    enum sql_kind kind;
    idx_t vector; /* its place in a chunk */
    size_t from;  /* groups: its place among the store's columns */
    bool wide;    /* groups: 128 bits, a sum of BIGINT */
};

/* One open scan of a run, shared by its workers. */
struct scan {
    struct engine_run *run;
    struct store_scan *store;
    struct store_aggregate *groups; /* in place of `store`, when the plan asks for groups */
    struct scan_column *columns;    /* read from the store, in the order of its batches */
    size_t ncolumns;
    idx_t empty; /* the vector of the column that is none, when it was asked for */
    bool has_empty;
    unsigned refs;     /* the global state's and one a worker; run->lock */
    struct scan *next; /* in run->scans; run->lock */
};

/* The last constant seen in a column and its DuckDB value, made once for as long as it stays the same. */
struct constant {
    struct mr_buf bytes;
    duckdb_value value;
};

struct worker {
    struct scan *scan; /* counted; NULL before the first call */
    struct store_cursor *cursor;
    struct store_aggregate_cursor *group_cursor;
    struct store_batch held; /* read but not yet handed over; rows 0: none */
    bool ended;
    struct constant *constants; /* one a column */
    size_t nconstants;
};

enum store_type scan_store_type(enum sql_kind kind);
/* Adds an open scan, of that number in the plan, to the run: for progress and coverage. */
void scan_begun(struct scan *scan, size_t number, struct store_scan_info *about);
void scan_unref(struct scan *scan);
/* The spec of the plan's scan, without columns. On MR_OK scan_spec_free is due; views are the plan's. */
int scan_spec(const struct sql_scan *from, struct store_scan_spec *out, struct mr_error *err);
void scan_spec_free(struct store_scan_spec *spec);

/* Fills the chunk with the next rows; 0 rows at the end. */
int scan_fill(struct worker *worker, duckdb_data_chunk chunk, struct mr_error *err);
/* `rows` values of a column into a flat vector, from row `at` on. */
void scan_put(duckdb_vector vector, const struct store_vec *vec, enum sql_kind kind, size_t at, size_t rows);
void scan_put_validity(duckdb_vector vector, const struct store_vec *vec, size_t at, size_t rows);

/* ---- scan_groups.c: the same for groups ---- */
void scan_groups_bind(duckdb_bind_info info, const struct sql_groups *groups);
size_t scan_groups_columns(const struct sql_groups *groups);
/* One of them: its kind and width. */
struct scan_column scan_groups_column(const struct sql_groups *groups, size_t at);
/* Opens the store's aggregate. spec: time and predicates. */
int scan_groups_start(struct scan *scan, const struct sql_scan *from, const struct store_scan_spec *spec,
                      struct mr_error *err);
/* The same for the columns DuckDB wants. */
int scan_groups_open(struct scan *scan, const struct sql_scan *from, const struct store_scan_spec *spec,
                     duckdb_init_info info, struct mr_error *err);
int scan_groups_fill(struct worker *worker, duckdb_data_chunk chunk, struct mr_error *err);

#endif
