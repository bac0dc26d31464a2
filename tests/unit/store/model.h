/* tests/unit/store/model.h - what a store should answer, decided the slow way.
 *
 * Everything ever accepted is kept in the order of its log entries, per (series, time). The state as of an
 * LSN, the state after a crash and the schema are read off that list; there is nothing clever in it.
 */
#ifndef MR_TESTS_MODEL_H
#define MR_TESTS_MODEL_H

#include "store/store.h"

enum { MODEL_NAMES = 12, MODEL_MEASURES = 6, MODEL_DIM_SETS = 6, MODEL_TIMES = 4096, MODEL_ATTRS = 6 };

/* A record by small numbers: names are n0..n11 for dimensions and attributes alike, measure names m0..m5. */
struct model_value {
    enum store_type type;
    int64_t bits;  /* the number, the boolean, the double's bits */
    unsigned text; /* VARCHAR: t<text> */
};

struct model_record {
    unsigned dim_set, measure;
    bool multi;
    unsigned nattrs;
    unsigned attr_names[MODEL_ATTRS]; /* multi */
    struct model_value values[MODEL_ATTRS];
    int64_t time, version;
};

struct model;
struct model *model_new(void);
void model_free(struct model *model);

/* Names of a dimension set: its size, and the number of the i-th name (ascending as text). */
unsigned model_dims(unsigned dim_set, unsigned names[4]);

/* Decides, and remembers when stored. `lsn` is what the entry will get if it is logged. */
enum store_outcome model_put(struct model *model, const struct model_record *record, uint64_t lsn,
                             int64_t *existing_version);
/* Takes back everything of that LSN: the append failed. */
void model_undo(struct model *model, uint64_t lsn);
/* Gives what has LSN `from` the LSN `to`. */
void model_renumber(struct model *model, uint64_t from, uint64_t to);
/* Restart: only entries up to `durable` are there, and expired rows that the log still has come back. */
void model_restart(struct model *model, uint64_t durable);
void model_expire(struct model *model, int64_t cutoff);
/* The rows as of the LSN in the form of kit_rows (lines sorted). Free with mr_free. */
char *model_rows(const struct model *model, uint64_t lsn, int64_t time_min, int64_t time_max);
/* "name:role:type" of each column in order, blank-separated. Free with mr_free. */
char *model_schema(const struct model *model);

#endif
