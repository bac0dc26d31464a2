/* tests/model/record.h - records by small numbers: a history is thousands of them, and a failing one must be
 * printable.
 *
 * Names are n0..n11, dimensions and attributes alike, so that they can collide; measure names m0..m7; a
 * dimension set is one number that says which names it has and with which values. Texts are numbers too: most
 * are short, some empty, some of two thousand bytes.
 */
#ifndef MR_TESTS_MODEL_RECORD_H
#define MR_TESTS_MODEL_RECORD_H

#include "base/rand.h"
#include "store/store.h"

enum { MODEL_NAMES = 12, MODEL_MEASURES = 8, MODEL_ATTRS = 6, MODEL_DIMS = 3, MODEL_BATCH = 300 };

struct model_attr {
    unsigned name; /* of a MULTI record */
    enum store_type type;
    int64_t bits; /* the number, the boolean, the double's bits, the number of the text */
};

struct model_record {
    unsigned set, measure, nattrs;
    bool multi, magnetic;
    struct model_attr attrs[MODEL_ATTRS];
    int64_t time, version;
};

static inline enum store_type model_type(const struct model_record *r)
{
    return r->multi ? STORE_MULTI : r->attrs[0].type;
}

/* What the records of one history are drawn from. Times are base + step * slot, and slots below `times`. */
struct model_profile {
    unsigned sets, measures, versions, batch;
    uint64_t times;
    int64_t base, step;
    unsigned late_of_ten, strange_of_thousand; /* strange: of a type or name that may not fit */
    bool texts;                                /* with long ones among them */
};
void model_profile_draw(struct mr_rng *rng, struct model_profile *out);

/* A batch of 1..MODEL_BATCH records. `next` is the slot where writing in order goes on; slots from `first`
 * on. */
size_t model_batch_draw(const struct model_profile *profile, struct mr_rng *rng, uint64_t first,
                        uint64_t *next, struct model_record *out);

/* The names in a dimension set, ascending as text; returns how many. */
unsigned model_dims(unsigned set, unsigned names[static MODEL_DIMS]);
void model_name_text(unsigned name, char out[static 16]);
void model_measure_text(unsigned measure, char out[static 16]);
void model_dim_text(unsigned set, unsigned name, char out[static 16]); /* its value */
struct mr_str model_text(int64_t number);                              /* lives for ever */
void model_record_print(struct mr_buf *out, const struct model_record *record);

/* Everything a store_record borrows. */
struct model_words {
    char names[MODEL_DIMS][16], values[MODEL_DIMS][16], measure[16], attr_names[MODEL_ATTRS][16];
    struct mr_pair dims[MODEL_DIMS];
    struct store_attr attrs[MODEL_ATTRS];
};
struct store_record model_say(struct model_words *words, const struct model_record *record);

#endif
