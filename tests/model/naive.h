/* tests/model/naive.h - a naive Timestream: what the engine must answer, decided the slow way.
 *
 * Some tables; in each a list of series, in each the rows sorted by time, in each row the record that counts.
 * The rules are those of the write-api reference, 5.7 (versions) and 5.10 (types bound at first use). Nothing
 * is shared with the engine, nothing is fast but what a test of ten million operations needs.
 */
#ifndef MR_TESTS_MODEL_NAIVE_H
#define MR_TESTS_MODEL_NAIVE_H

#include "model/record.h"
#include "model/rows.h"

enum { MODEL_TABLES = 3, MODEL_COLUMNS = 2 + MODEL_NAMES + 4 };

enum model_column_kind { MODEL_TIME, MODEL_MEASURE_NAME, MODEL_DIM, MODEL_VALUE, MODEL_ATTR };

struct model_column {
    enum model_column_kind kind;
    unsigned name; /* of a dimension or attribute */
    enum store_type type;
};

struct model_table {
    uint64_t id;
    int64_t cutoff; /* rows before it do not count any more */
    struct model_column columns[MODEL_COLUMNS];
    unsigned ncolumns;
    enum store_type measures[MODEL_MEASURES]; /* STORE_NONE: not bound */
    struct model_series {
        unsigned set, measure;
        struct model_record *rows; /* ascending by time */
        size_t count, cap;
    } * series;
    size_t nseries, series_cap, nrows;
};

struct model {
    struct model_table tables[MODEL_TABLES];
};

void model_init(struct model *model); /* tables 1, 2, 3 */
void model_release(struct model *model);
void model_copy(const struct model *from, struct model *to);

/* The table in that place is gone, and an empty one with another id is there. */
void model_replace_table(struct model *model, unsigned table, uint64_t id);
enum store_outcome model_put(struct model_table *table, const struct model_record *record,
                             int64_t *existing_version);
/* Raises the cutoff. */
void model_expire(struct model_table *table, int64_t cutoff);
const struct model_record *model_row(const struct model_table *table, size_t number); /* below nrows */

struct model_pred {
    unsigned column;
    enum store_pred_op op;
    char values[3][16];
    unsigned nvalues;
};

struct model_spec {
    int64_t time_min, time_max;
    uint32_t columns[MODEL_COLUMNS];
    unsigned ncolumns, npreds;
    struct model_pred preds[2];
};

/* All columns, all times not before the cutoff. */
void model_spec_all(const struct model_table *table, struct model_spec *out);
/* Adds the rows, sorted, to `out`. */
void model_scan(const struct model_table *table, const struct model_spec *spec, struct model_rows *out);
/* "name:role:type" of each column, blank-separated. */
void model_schema(const struct model_table *table, struct mr_buf *out);

#endif
