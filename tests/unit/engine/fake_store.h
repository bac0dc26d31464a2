/* tests/unit/engine/fake_store.h - the scan side of store/store.h over arrays that a test fills in.
 *
 * Implements exactly the functions the engine calls. A table is a list of series; a series is columns by
 * number. Each cursor takes the next series nobody has taken. Predicates are checked, times are cut exactly.
 */
#ifndef MR_TESTS_ENGINE_FAKE_STORE_H
#define MR_TESTS_ENGINE_FAKE_STORE_H

#include "store/store.h"

struct fake_column {
    struct store_vec vec;
    uint32_t number;
};

struct fake_series {
    const int64_t *time;
    size_t rows;
    size_t batch;                      /* rows of one batch; 0: as many as may be */
    const struct fake_column *columns; /* without time; a number that is missing is all NULL */
    size_t ncolumns;
};

struct fake_table {
    const struct fake_series *series;
    size_t nseries;
    enum store_type types[16]; /* by column number */
    int fail_after;            /* batches until MR_ECORRUPT; 0: never */
    /* seen by the last scan: */
    uint32_t asked[16];
    size_t nasked;
    int open_scans, open_cursors;
};

#define FAKE_TABLE(fake) ((struct store_table *)(void *)(fake))

#endif
