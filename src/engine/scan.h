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
};

/* One open scan of a run, shared by its workers. */
struct scan {
    struct engine_run *run;
    struct store_scan *store;
    struct scan_column *columns; /* read from the store, in the order of its batches */
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
    struct store_batch held; /* read but not yet handed over; rows 0: none */
    bool ended;
    struct constant *constants; /* one a column */
    size_t nconstants;
};

/* Fills the chunk with the next rows; 0 rows at the end. */
int scan_fill(struct worker *worker, duckdb_data_chunk chunk, struct mr_error *err);

#endif
