/* tests/sim/store_life.h - a life of a store as a list of acts, drawn from a seed without looking at any
 * store.
 *
 * So that it can be lived on a disk that records, in a child that may abort, or on paper only, and each knows
 * what the others were told.
 */
#ifndef MR_TESTS_SIM_STORE_LIFE_H
#define MR_TESTS_SIM_STORE_LIFE_H

#include "model/engine.h"

enum life_kind {
    LIFE_APPEND, /* records into a table */
    LIFE_DROP,   /* a table, which goes on under another number */
    LIFE_EXPIRE, /* rows before the cutoff */
    LIFE_FLUSH,
    LIFE_COMPACT,
    LIFE_REOPEN, /* closed and opened again */
    LIFE_KINDS,
};
const char *life_kind_name(enum life_kind kind);

struct life_act {
    enum life_kind kind;
    unsigned table;
    uint64_t old_id, new_id; /* of a drop */
    int64_t cutoff;
    struct model_record *records;
    size_t count;
    bool settle; /* the life waits until all is acknowledged before it goes on */
};

struct life {
    struct model_profile profile;
    struct life_act *acts;
    size_t count;
};

/* About `appends` appends with everything else between them; every kind of act comes, several times. */
void life_draw(struct life *life, uint64_t seed, unsigned appends);
void life_release(struct life *life);

/* Does it to the engine. MR_OK, or what the store answered. `commit` is for an append alone; a reopen is on
 * `io`. */
int life_do(struct engine *engine, const struct mr_io *io, const struct life_act *act,
            struct engine_commit *commit, struct mr_error *err);
/* Does it to the model. */
void life_note(struct model *model, const struct life_act *act);
/* It is in the log as one entry: after a crash it has happened or not. */
static inline bool life_is_logged(const struct life_act *act)
{
    return act->kind == LIFE_APPEND || act->kind == LIFE_DROP;
}

/* The store holds the acts before `acked`, which are in the model already, and perhaps some of those before
 * `begun`, without those left out (NULL: none): finds out which, brings the model there and returns how many
 * acts that are. Ends the test when nothing fits. */
size_t life_find(struct engine *engine, const struct life *life, const bool *left_out, size_t acked,
                 size_t begun, struct model *model);

#endif
