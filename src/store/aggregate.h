/* store/aggregate.h - what the files of the aggregate seam share. Private to the store.
 *
 *     aggregate.c         the seam: opens the scan, feeds batches in, hands groups out
 *     aggregate_groups.c  the groups a cursor holds: keys interned, (keys, bin) hashed
 *     aggregate_fold.c    a stretch of rows into one state
 *
 * The keys of a series are constant, so they are looked up once a batch; within a series rows ascend by time,
 * so a bin is one stretch of rows, found by search, and folded in a tight loop. All of it stands on the scan
 * seam of store.h alone.
 */
#ifndef MR_STORE_AGGREGATE_H
#define MR_STORE_AGGREGATE_H

#include "base/arena.h"
#include "store/store.h"

/* All zeroes before the first row. */
struct fold_state {
    union {
        double f64;
        int64_t i64; /* BIGINT, TIMESTAMP */
        __int128 wide;
        struct {
            int64_t bits, time; /* FIRST, LAST: the value, whatever its type, and when */
        } at;
    };
    uint64_t count; /* values that are not NULL; FIRST, LAST: 1 when a row was seen */
    uint64_t extra; /* MIN, MAX of DOUBLE: NaNs, counted but not in f64; FIRST, LAST: 1: not NULL */
};

/* Rows [from, end) of the batch. times: of the whole batch, NULL unless the fold needs them. */
void fold_rows(const struct store_fold *fold, struct fold_state *state, const struct store_vec *vec,
               const int64_t *times, size_t from, size_t end);
/* Whether the fold can be made of such a column. */
bool fold_fits(const struct store_fold *fold);
static inline bool fold_wants_time(const struct store_fold *fold)
{
    return fold->op == STORE_FOLD_FIRST || fold->op == STORE_FOLD_LAST;
}

/* ---- groups ---- */

struct groups {
    size_t nkeys, nfolds;
    struct mr_arena texts;    /* of keys */
    struct mr_str *keys;      /* nkeys for each tuple; ptr NULL: NULL */
    size_t ntuples, keys_cap; /* keys_cap in strings */
    uint32_t *tuple_slots;    /* hash of tuples: number + 1; 0: free */
    size_t ntuple_slots;      /* a power of two */
    struct group *list;       /* in order of making */
    size_t count, list_cap;
    struct fold_state *states; /* nfolds for each group */
    size_t states_cap;
    uint32_t *slots; /* hash of groups: number + 1; 0: free */
    size_t nslots;
};

struct group {
    uint32_t tuple;
    int64_t bin;
};

void groups_init(struct groups *groups, size_t nkeys, size_t nfolds);
void groups_release(struct groups *groups);
/* Forgets all groups and tuples, keeps room. */
void groups_reset(struct groups *groups);
/* More than GROUPS_BYTES are held: hand out and reset. */
#define GROUPS_BYTES ((size_t)8 << 20)
bool groups_full(const struct groups *groups);
/* The tuple of the vectors' constant values (one a key). MR_EINVAL: not constant texts. MR_ENOMEM. */
int groups_tuple(struct groups *groups, const struct store_vec *vecs, uint32_t *out);
/* Whether the vectors still say the same as the tuple. */
bool groups_is_tuple(const struct groups *groups, const struct store_vec *vecs, uint32_t tuple);
/* The states of that group, made when it is new; valid until the next call. NULL: no memory. */
struct fold_state *groups_find(struct groups *groups, uint32_t tuple, int64_t bin);

#endif
