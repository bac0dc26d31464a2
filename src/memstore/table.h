/* memstore/table.h - what the files of this room share: the table, its series, and the steps of a write.
 * Private. */
#ifndef MR_MEMSTORE_TABLE_H
#define MR_MEMSTORE_TABLE_H

#include "memstore/chunk.h"
#include "memstore/intern.h"
#include "memstore/old.h"

#include <pthread.h>

/* A chunk in the list of its series. */
struct mem_run {
    int64_t first; /* time of the chunk's first row */
    struct mem_chunk *chunk;
};

/* Dimensions are in order of their columns' names; the numbers of their values follow the columns. */
struct mem_series {
    uint32_t number;
    uint32_t hash;
    uint32_t nruns;
    uint32_t runs_cap; /* 0: the one chunk is inside */
    int64_t file_time; /* no file holds a later row of it; INT64_MIN: none holds any */
    union {
        struct mem_chunk *one;
        struct mem_run *many; /* ascending, ranges do not overlap, no chunk is empty */
    };
    uint16_t measure;
    uint16_t ndims;
    uint32_t words[]; /* then uint16_t columns[ndims] */
};

static inline uint16_t *series_columns(const struct mem_series *s)
{
    return (uint16_t *)(s->words + s->ndims);
}

static inline struct mem_chunk *series_chunk(const struct mem_series *s, uint32_t run)
{
    return s->runs_cap == 0 ? s->one : s->many[run].chunk;
}

static inline struct mem_chunk **series_slot(struct mem_series *s, uint32_t run)
{
    return s->runs_cap == 0 ? &s->one : &s->many[run].chunk;
}

/* One change of the batch under way; undone in reverse. */
enum op_kind { OP_COLUMN, OP_MEASURE, OP_MEASURE_DIM, OP_SERIES, OP_INSERT, OP_REPLACE };

struct op {
    enum op_kind kind;
    uint32_t number; /* measure (OP_MEASURE_DIM), series (the rest) */
    int64_t time;
    struct mem_old *old; /* OP_REPLACE: the row before */
};

/* What the last record resolved to: the next one often has the same dimensions. Starts zeroed. */
struct series_lookup {
    bool known;
    const struct mr_pair *dims;
    uint32_t ndims;
    uint64_t dims_hash;
    struct mem_series *last;
    const struct mem_series *peer; /* one with these dimensions, when one was found */
};

/* What a batch has done so far. Kept from batch to batch, so that a steady stream allocates nothing here. */
struct mem_scratch {
    uint64_t lsn;
    uint64_t schema_version;
    uint32_t first_column, first_measure;
    struct op *ops;
    size_t nops, ops_cap;
    struct mem_row *rows;
    size_t nrows, rows_cap;
    uint32_t *series; /* made by this batch */
    size_t nseries, series_cap;
    struct mr_arena arena; /* cells of the rows */
    struct series_lookup lookup;
    const struct mem_prior *priors; /* the caller's, or NULL */
    size_t npriors;
};

/* The series of one measure, as a posting list with its own count of the living. */
struct measure_index {
    struct mem_posting posting;
    uint32_t live;
};

struct mem_table {
    pthread_mutex_t gate; /* whoever comes waits here once, so neither side starves */
    pthread_rwlock_t lock;
    struct mem_heap heap;

    struct mem_column *columns;
    struct mem_dict **dicts; /* of dimensions; parallel to columns */
    uint32_t ncolumns, columns_cap, dicts_cap;
    uint32_t ndimensions, nattributes;
    uint32_t value_column[MEM_MULTI]; /* measure_value::<type>, 0 while there is none */
    struct mem_map column_map;

    struct mem_measure *measures;
    struct measure_index *measure_index; /* parallel */
    uint32_t nmeasures, measures_cap, index_cap;
    struct mem_map measure_map;
    uint64_t schema_version;

    struct mem_pages series; /* number -> struct mem_series */
    struct mem_map series_map;
    uint32_t next_series;
    uint64_t nseries, nrows;
    int64_t lowest; /* no row is older, nor the file time of a series without rows: lets an eviction end */

    uint64_t epoch;       /* of releases */
    int64_t load_file;    /* file time of series that are loaded */
    uint32_t named_below; /* all living series below it were loaded from files of names */

    struct mem_olds olds;
    struct mem_scratch *batch; /* the one under way, or NULL */
};

static inline size_t series_size(uint32_t ndims)
{
    size_t size = offsetof(struct mem_series, words) + ndims * (sizeof(uint32_t) + sizeof(uint16_t));
    return size > sizeof(struct mem_series) ? size : sizeof(struct mem_series);
}

/* ---- schema.c */
uint32_t schema_find_column(const struct mem_table *t, struct mr_str name); /* MEM_NOT_FOUND */
uint32_t schema_find_measure(const struct mem_table *t, struct mr_str name);
int schema_add_column(struct mem_table *t, enum mem_role role, enum mem_type type, struct mr_str name);
void schema_drop_last_column(struct mem_table *t);
int schema_add_measure(struct mem_table *t, enum mem_type type, struct mr_str name);
void schema_drop_last_measure(struct mem_table *t);
/* A dimension is used with the measure; *added when that is new. */
int schema_measure_sees(struct mem_table *t, uint32_t measure, uint16_t column, bool *added);
struct mr_str schema_value_column_name(enum mem_type type);
void schema_release(struct mem_table *t);

/* ---- series.c */
uint64_t series_dims_hash(const struct mr_pair *dims, uint32_t ndims);
uint32_t series_hash(uint64_t dims_hash, struct mr_str measure);
bool series_has_key(const struct mem_table *t, const struct mem_series *s, struct mr_str measure,
                    const struct mr_pair *dims, uint32_t ndims);
struct mem_series *series_find(const struct mem_table *t, uint32_t hash, struct mr_str measure,
                               const struct mr_pair *dims, uint32_t ndims);
/* The series of a record, or NULL; then *hash is what it will be filed under. */
struct mem_series *series_of(const struct mem_table *t, struct series_lookup *lookup,
                             const struct mem_record *r, uint32_t *hash);
/* `columns` are the dimensions' columns, in order of name like the dims. NULL: no memory. */
struct mem_series *series_new(struct mem_table *t, uint32_t number, uint32_t hash, uint32_t measure,
                              const struct mr_pair *dims, const uint16_t *columns, uint32_t ndims);
/* Removes a series without rows. */
void series_drop(struct mem_table *t, struct mem_series *s);
/* Moves the series to a higher number. */
int series_renumber(struct mem_table *t, struct mem_series *s, uint32_t number);

/* ---- insert.c */
/* The chunk and row of a time. */
struct spot {
    uint32_t run;
    uint32_t row;
};
/* False: no such row, and *spot says where it would go. */
bool series_locate(const struct mem_series *s, int64_t time, struct spot *spot);
int series_insert(struct mem_table *t, struct mem_series *s, struct spot spot, const struct mem_row *row,
                  uint64_t lsn);
/* Overwrites the row's cells, version and LSN; with `keep`, the old state goes there. */
int series_replace(struct mem_table *t, struct mem_series *s, struct spot spot, const struct mem_row *row,
                   uint64_t lsn, struct mem_old **keep);
void series_remove_row(struct mem_table *t, struct mem_series *s, struct spot spot);
void series_restore(struct mem_table *t, struct mem_series *s, struct spot spot, struct mem_old *old);
/* Takes the runs [from, to) off the list; the chunks are the caller's. */
void series_cut(struct mem_table *t, struct mem_series *s, uint32_t from, uint32_t to);
void series_free_runs(struct mem_table *t, struct mem_series *s);
uint64_t series_rows(const struct mem_series *s);

/* ---- prior.c */
/* What the caller found out about a row in files, or NULL. */
const struct mem_prior *prior_find(const struct mem_scratch *b, uint32_t series, int64_t time);

/* ---- batch.c */
int batch_room(struct mem_table *t);
void batch_note(struct mem_table *t, struct op op); /* after batch_room */

#endif
