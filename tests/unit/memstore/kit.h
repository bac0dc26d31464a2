/* tests/unit/memstore/kit.h - a small world for tests of one table: series and rows by little numbers.
 *
 * Series k has the dimension host=h<k/2>, and rack=r when k/2 is odd. Even k are of the single measure "s"
 * (DOUBLE), odd k of the MULTI measure "m", whose attributes a (DOUBLE), b (VARCHAR), c (BOOLEAN) and
 * d (BIGINT) are there by the bits of the content. A row is (k, time, version, content), content 1..15.
 */
#ifndef MR_TESTS_MEMSTORE_KIT_H
#define MR_TESTS_MEMSTORE_KIT_H

#include "memstore/memstore.h"

struct kit_row {
    unsigned k;
    uint32_t series; /* set by reading */
    int64_t time, version;
    unsigned content;
};

/* What a record or a row borrows. */
struct kit_words {
    char host[16], text[16];
    struct mr_pair dims[2];
    struct mem_attr attrs[4];
    struct mem_cell cells[4];
};

struct mem_record kit_record(struct kit_words *w, struct kit_row row);
/* The row by numbers, as the log or a file has it; its names are in the table. */
struct mem_row kit_cells(struct kit_words *w, const struct mem_table *table, struct kit_row row);
/* The k of a series that exists. */
unsigned kit_k(const struct mem_table *table, uint32_t series);
/* The number of a series, UINT32_MAX when there is none. */
uint32_t kit_series(const struct mem_table *table, unsigned k);

/* Reads rows with all columns and versions. */
struct kit_reader;
struct kit_reader *kit_reader_open(struct mem_table *table);
void kit_reader_close(struct kit_reader *reader);
/* The rows of the series in [from, to] as of the LSN, ascending; at most `room`, which must do. Read lock. */
size_t kit_read(struct kit_reader *reader, struct mem_table *table, uint32_t series, int64_t from, int64_t to,
                uint64_t lsn, struct kit_row *out, size_t room);

/* One batch of one record: its outcome. MR_OK expected. */
enum mem_outcome kit_put(struct mem_table *table, struct mem_scratch *scratch, uint64_t lsn,
                         struct kit_row row);

/* Names as files and logs hold them. */
struct kit_names {
    struct mem_batch batch; /* its counts and first numbers */
    struct kit_column {
        enum mem_role role;
        enum mem_type type;
        char name[32];
    } columns[16], measures[4];
    struct kit_key {
        uint32_t number, measure, ndims;
        struct mem_dim dims[2];
        char values[2][16];
    } * series;
};
/* A copy of what the batch names, freed by kit_names_free. */
void kit_names_take(struct kit_names *names, const struct mem_table *table, const struct mem_batch *batch);
int kit_names_load(const struct kit_names *names, struct mem_table *table);
void kit_names_free(struct kit_names *names);

#endif
