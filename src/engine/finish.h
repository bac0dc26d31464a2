/* engine/finish.h - the answer from the store's groups alone. Private to engine/.
 *
 *     finish.c         reads the partial groups, by several threads when there is much; orders and hands out
 *     finish_groups.c  puts the parts of each group together
 *     finish_values.c  computes from them
 */
#ifndef MR_ENGINE_FINISH_H
#define MR_ENGINE_FINISH_H

#include "engine/duck.h"
#include "engine/scan.h"

enum whole_role {
    WHOLE_KEY,
    WHOLE_BIN,
    WHOLE_ADD, /* counts and sums */
    WHOLE_LEAST,
    WHOLE_MOST,
    WHOLE_EARLIEST, /* the time is in the next column */
    WHOLE_LATEST,
    WHOLE_MOMENTS, /* the count; mean and squares are in the next two columns */
    WHOLE_REST     /* belongs to a column before */
};

struct whole_column {
    enum whole_role role;
    struct scan_column is;
    size_t offset, width; /* in a row */
};

/* Each group once: a row of the columns of struct sql_groups, behind them a byte a column: 0 is NULL. */
struct wholes {
    struct whole_column *columns; /* owned */
    size_t ncolumns, nkeys;       /* the start of a bin counts as a key */
    size_t row_bytes, valid_at;
    char *rows; /* owned */
    size_t count, rows_cap;
    uint32_t *slots; /* owned; hash: number + 1, 0: free */
    size_t nslots;   /* a power of two */
    struct mr_arena texts;
};

struct whole_value {
    enum sql_kind kind;
    bool valid;
    union {
        int64_t i64; /* BOOLEAN, BIGINT, TIMESTAMP */
        double f64;
        struct mr_str text;
    };
};

int wholes_init(struct wholes *wholes, const struct sql_groups *groups);
void wholes_release(struct wholes *wholes);
size_t wholes_bytes(const struct wholes *wholes);
/* Groups that are whole and fail a test of the plan are left out. MR_ENOMEM. */
int wholes_add(struct wholes *wholes, const struct store_groups *part, const struct sql_finish *plan);
/* All tests of the plan hold; the group is whole. */
bool wholes_pass(const struct wholes *wholes, size_t row, const struct sql_finish *plan);
/* The same of a group that has not been added; tests that need more than one column are left out. */
bool whole_part_passes(const struct wholes *wholes, const struct store_groups *part, size_t row,
                       const struct sql_finish *plan);
/* The group of no rows. */
int wholes_add_empty(struct wholes *wholes);
/* MR_EINVAL: a sum does not fit its type. */
int wholes_value(const struct wholes *wholes, const struct sql_part *part, size_t row,
                 struct whole_value *out, struct mr_error *err);
/* < 0, 0, > 0 in the order of SQL; both valid, of one kind. NaN is the greatest. */
int whole_compare(const struct whole_value *a, const struct whole_value *b);
int whole_compare_doubles(double a, double b);

static inline char *whole_row(const struct wholes *w, size_t row)
{
    return w->rows + row * w->row_bytes;
}
static inline bool whole_valid(const struct wholes *w, size_t row, size_t column)
{
    return whole_row(w, row)[w->valid_at + column] != 0;
}

#endif
