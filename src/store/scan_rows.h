/* store/scan_rows.h - rows of one series from memory and from files, as one stream. Private to the store.
 *
 * Where both have a row of the same time, the one in memory counts: it was judged against the one in the file
 * and is the same or of a higher version. Long stretches of one side come as views; where the sides
 * alternate, rows are copied together into full batches.
 */
#ifndef MR_STORE_SCAN_ROWS_H
#define MR_STORE_SCAN_ROWS_H

#include "store/private.h"

/* What a scan has fixed for all its cursors. */
struct rows_spec {
    struct store_table *table;
    uint64_t lsn;
    int64_t time_min, time_max;
    const uint32_t *columns;        /* asked for */
    const struct mem_column *kinds; /* of each of them: type and role (names are not looked at) */
    size_t ncolumns;
    struct magstore_reader **readers; /* segments that may matter */
    size_t nreaders;
    const struct magstore_filter *filters; /* blocks may be left out by them; rows are not looked at */
    size_t nfilters;
};

/* One owner at a time. The spec outlives it. */
struct rows_stream;
int rows_open(const struct rows_spec *spec, struct rows_stream **out);
void rows_close(struct rows_stream *stream);

/* Goes to the series; its rows from `from` (>= time_min) on. */
void rows_seek(struct rows_stream *stream, uint32_t series, int64_t from);
/* The same, to the newest of its rows within the spec's time; nothing follows when there is none. */
int rows_seek_newest(struct rows_stream *stream, uint32_t series, struct mr_error *err);
/* The next batch of the series sought into vecs (ncolumns of them); *rows 0: it has ended. Views stay valid
 * until the next call. */
int rows_next(struct rows_stream *stream, struct store_vec *vecs, size_t *rows, struct mr_error *err);
/* Stored bytes read since the last time this was asked. */
uint64_t rows_bytes(struct rows_stream *stream);

#endif
