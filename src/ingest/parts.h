/* ingest/parts.h - what the files of this room share; nobody else includes it. */
#ifndef MR_INGEST_PARTS_H
#define MR_INGEST_PARTS_H

#include "ingest/ingest.h"

/* Limits of reference 5.8 and 12 that the model's own constraints do not catch. Bytes unless said otherwise.
 */
#define INGEST_MAX_DIMENSION_BYTES 2048 /* names and values of one record */
#define INGEST_MAX_VALUE 2048
#define INGEST_MAX_ATTRIBUTES 256 /* a MULTI record */
#define INGEST_MAX_DIMENSIONS 128 /* a record */

/* Checked dimensions, sorted by name. */
struct ingest_dims {
    struct mr_pair *at;
    uint32_t count;
    uint32_t bytes; /* of names and values */
    bool twice;     /* a name is there more than once */
};

/* The request while it is being worked on. */
struct ingest_work {
    const struct model_write_records_request *input;
    const struct model_record *common; /* never NULL: an empty record when the request has none */
    const struct catalog_table *table;
    struct mr_arena *arena;
    struct model_fault *fault;
    struct ingest_batch *batch;
    int64_t window_from, window_to; /* [from, to) in ns */
    int64_t memory_from;            /* older records belong to the magnetic store */
    /* Merged dimensions of the record before: equal input shares the array, and with it the store's series
     * look-up. */
    const struct model_record *last;
    struct ingest_dims last_dims;
    struct ingest_dims common_dims; /* at: NULL until the first record */
};

/* names.c: reference 4.3. MR_OK or a fault. */
int ingest_check_dimension_name(struct ingest_work *w, struct mr_str name);
int ingest_check_measure_name(struct ingest_work *w, struct mr_str name);

/* dims.c: common ++ record, sorted, unique, checked; `dims` is shared with the record before when it can be.
 */
int ingest_merge_dims(struct ingest_work *w, const struct model_record *record, const struct mr_pair **dims,
                      uint32_t *ndims, uint32_t *bytes);

/* value.c: reference 5.4 and 5.5. */
int ingest_parse_value(struct ingest_work *w, enum store_type type, struct mr_str text, int64_t unit_ns,
                       struct store_value *out);
int ingest_parse_time(struct ingest_work *w, struct mr_str text, int64_t unit_ns, int64_t *ns);
/* Nanoseconds of a model_time_unit; the default when absent. */
int64_t ingest_unit_ns(int unit);

/* answer.c: why a record was refused, in the arena or static; MR_STR_NULL when it was not, or without memory.
 */
struct mr_str ingest_reason(const struct store_record *r, struct mr_arena *arena);
/* Is it one that INGEST_CONFLICTS_LATER leaves out of the answer? */
bool ingest_is_unreported(const struct store_record *r);

/* Adds a rejection of the record at that index. */
int ingest_reject(struct ingest_work *w, uint32_t index, struct mr_str reason);

#endif
