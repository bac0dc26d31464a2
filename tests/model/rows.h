/* tests/model/rows.h - rows of a scan as bytes, one string a row, so that two answers compare exactly
 * whatever order they came in. */
#ifndef MR_TESTS_MODEL_ROWS_H
#define MR_TESTS_MODEL_ROWS_H

#include "store/store.h"

struct model_rows {
    struct mr_buf bytes;
    struct model_row {
        size_t from, len;
        int64_t time;
    } * rows;
    size_t count, cap;
};

#define MODEL_ROWS_INIT                                                                                      \
    {                                                                                                        \
        MR_BUF_INIT, NULL, 0, 0                                                                              \
    }
void model_rows_release(struct model_rows *rows);

/* Begins a row of that time; then its columns in order. */
void model_rows_add(struct model_rows *rows, int64_t time);
void model_rows_null(struct model_rows *rows);
void model_rows_bits(struct model_rows *rows, enum store_type type, int64_t bits);
void model_rows_text(struct model_rows *rows, struct mr_str text);
void model_rows_end(struct model_rows *rows);

/* Drops rows before the time. */
void model_rows_cut(struct model_rows *rows, int64_t from);
void model_rows_sort(struct model_rows *rows);
/* Both sorted. When they differ, says how in `out` (may be NULL) and returns false. */
bool model_rows_equal(const struct model_rows *got, const struct model_rows *want, struct mr_buf *out);

#endif
