/* store/flush.h - rows of one table on their way from memory into new files. Private to the store. */
#ifndef MR_STORE_FLUSH_H
#define MR_STORE_FLUSH_H

#include "store/private.h"

/* What a flush has written so far and will commit. Grows table by table. */
struct flush {
    struct store *store;
    uint64_t lsn; /* rows up to it are copied */
    struct magstore_file *add, *remove;
    size_t nadd, add_cap, nremove, remove_cap;
    struct store_segment **fresh;
    size_t nfresh, fresh_cap;
    struct flushed_table *tables; /* with rows or names among it; pinned */
    size_t ntables, tables_cap;
    uint64_t rows;
    bool keep_log; /* something of it is in no file: a table's key is not at hand, or its names are damaged */
    struct mr_error *err;
};

struct flushed_table {
    struct store_table *table;
    bool rows;
    uint32_t end_columns, end_measures, end_series; /* named when this is committed */
};

/* Writes the table's rows up to the LSN into segments, one for each window of time they touch. *rows: how
 * many. What was written is noted in the flush even when this fails, so that it can be discarded. */
int flush_rows(struct flush *flush, struct store_table *table, uint64_t *rows);
/* Writes the names that no file has yet; all of the table's when there are many small files. */
int flush_names(struct flush *flush, struct store_table *table, struct flushed_table *out);

int flush_note_file(struct flush *flush, const struct magstore_file *file);

#endif
