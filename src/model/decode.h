/* model/decode.h - what the two decoders and the validator share. Private to this room. */
#ifndef MR_MODEL_DECODE_H
#define MR_MODEL_DECODE_H

#include "model/table.h"

#define MODEL_FAILURES 10 /* constraint failures listed in one text (reference 1.7) */

/* The value of an enum field that the enum does not have, until the validator has told the client. */
#define MODEL_UNKNOWN_WORD (-1)

struct model_unknown_word {
    const int *field;
    struct mr_str word;
    struct model_unknown_word *next;
};

/* Which member stood at each place of the last object of a shape: clients send one order again and again, and
 * to compare a name is cheaper than to find it. Only advice: shapes share a few of them in turn. */
struct model_order {
    uint8_t at[32];
};

#define MODEL_ORDERS 8u

struct model_decoder {
    struct mr_arena *arena;
    struct model_fault *fault;
    bool lenient; /* an answer: no constraints */
    /* The decoder looks at every value anyway and sees cheaply that a constraint may be broken; only then is
     * the whole request walked again to find out and to write the text. */
    bool suspect;
    struct model_unknown_word *unknown; /* all of them, the latest first */
    const void *nulls[MODEL_FAILURES];  /* list elements that were null, the first ten */
    size_t nnulls;
    struct model_order orders[MODEL_ORDERS];
};

/* Stores a string member and suspects it. */
void model_take_text(struct model_decoder *d, const struct model_member *m, struct mr_str text, void *field);
/* Stores an integer and suspects it. false when the wire type is narrower. */
bool model_take_integer(struct model_decoder *d, const struct model_member *m, int64_t v, void *field);

/* MR_OK, or MR_EINVAL with MODEL_CONSTRAINT and its text, or MR_ENOMEM. */
int model_validate(struct model_decoder *d, const struct model_shape *shape, const void *value);

#endif
