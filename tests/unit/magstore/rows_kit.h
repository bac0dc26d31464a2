/* tests/unit/magstore/rows_kit.h - rows of a made-up table, kept naively, to hold segments and merges
 * against.
 *
 * A model is a sorted array of rows; a row has a cell for each of the table's columns. It is written through
 * a writer in calls of random sizes and compared with what pages and merges give back, bit for bit.
 */
#ifndef MR_TESTS_ROWS_KIT_H
#define MR_TESTS_ROWS_KIT_H

#include "base/rand.h"
#include "magstore/segment.h"

#define KIT_COLUMNS 8

struct kit_cell {
    bool set; /* not NULL */
    uint64_t bits;
    struct mr_str text; /* owned by the model's arena */
};

struct kit_row {
    uint32_t series;
    int64_t time, version;
    size_t order; /* of appending */
    struct kit_cell cells[KIT_COLUMNS];
};

struct kit_model {
    struct kit_row *rows; /* owned */
    size_t count, cap;
    struct mr_arena texts;
};

/* Numbers and types of the columns; there are some of every type. */
extern const uint32_t kit_columns[KIT_COLUMNS];
extern const enum magstore_type kit_types[KIT_COLUMNS];

void kit_free(struct kit_model *model);
/* Appends an empty row. */
struct kit_row *kit_append(struct kit_model *model, uint32_t series, int64_t time, int64_t version);
/* Fills a row with values of all kinds, NULLs among them: NaN payloads, -0.0, extremes, long texts. */
void kit_fill(struct kit_model *model, struct kit_row *row, struct mr_rng *rng);
/* Appends rows [at, at + n) of another model, whose texts have to stay. */
void kit_copy(struct kit_model *model, const struct kit_model *from, size_t at, size_t n);
/* Sorts by (series, time); of rows of one series and time that with the highest version stays, of equal ones
 * the one appended first. */
void kit_settle(struct kit_model *model);

/* A scratch directory with a keyring, and what a segment in it needs. */
struct kit_place {
    char *dir;
    struct magstore_place place;
};
void kit_open(struct kit_place *kit);
void kit_close(struct kit_place *kit);

/* Rows [at, at + n) of one series as the writer wants them; valid until the next call. */
void kit_view(const struct kit_model *model, size_t at, size_t n, bool whole_nulls,
              struct magstore_rows *out);
/* Adds all rows, in calls of random sizes. */
int kit_add(struct magstore_writer *writer, const struct kit_model *model, struct mr_rng *rng,
            struct mr_error *err);
/* Writes the model as a segment; fails the test when that fails. */
void kit_write(const struct magstore_place *place, const struct kit_model *model, struct mr_rng *rng,
               struct magstore_info *out);

/* True when the value at `row` is the cell. */
bool kit_same(const struct magstore_values *values, size_t row, const struct kit_cell *cell);
/* Reads a whole segment by pages and compares; fails the test when anything differs. */
void kit_compare(const struct magstore_reader *reader, const struct kit_model *model);

#endif
