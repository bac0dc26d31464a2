/* store/aggregate.h - what the files of the aggregate seam share. Private to the store.
 *
 *     aggregate.c         the seam: opens the scan, feeds batches in, hands groups out
 *     aggregate_groups.c  the groups a cursor holds: keys interned, (keys, bin) hashed
 *     aggregate_fold.c    a stretch of rows into one state, or each into the next of many
 *     aggregate_out.c     states as columns
 *
 * The keys of a series are constant, so they are looked up once a batch; within a series rows ascend by time,
 * so a bin is one stretch of rows, found by search, and folded in a tight loop. Where each time is its own
 * bin (bin_ns 1), the series of the same keys are read by one cursor after each other: their times are the
 * same as a rule, so the groups of a stretch of rows lie side by side, too. All of it stands on the scan seam
 * of store.h alone.
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
        struct {
            double mean, m2;
        } moments;
    };
    uint64_t count; /* values that are not NULL; FIRST, LAST: 1 when a row was seen */
    uint64_t extra; /* MIN, MAX of DOUBLE: NaNs, counted but not in f64; FIRST, LAST: 1: not NULL */
};

/* Rows [from, end) of the batch. times: of the whole batch, NULL unless the fold needs them. */
void fold_rows(const struct store_fold *fold, struct fold_state *state, const struct store_vec *vec,
               const int64_t *times, size_t from, size_t end);
/* The same where each row is of a group of its own: row from + i into states[i]. */
void fold_each(const struct store_fold *fold, struct fold_state *states, const struct store_vec *vec,
               const int64_t *times, size_t from, size_t n);
/* Whether the fold can be made of such a column. */
bool fold_fits(const struct store_fold *fold);
static inline bool fold_wants_time(const struct store_fold *fold)
{
    return fold->op == STORE_FOLD_FIRST || fold->op == STORE_FOLD_LAST;
}

/* The columns that the fold is handed out as. */
static inline size_t fold_columns(const struct store_fold *fold)
{
    return fold->op == STORE_FOLD_MOMENTS ? 3 : fold_wants_time(fold) ? 2 : 1;
}

/* ---- groups ---- */

struct groups {
    size_t nkeys, nfolds;
    struct mr_arena texts;     /* of keys */
    struct mr_str *keys;       /* nkeys for each tuple; ptr NULL: NULL */
    size_t ntuples, keys_cap;  /* keys_cap in strings */
    uint32_t *tuple_slots;     /* hash of tuples: number + 1; 0: free */
    size_t ntuple_slots;       /* a power of two */
    struct group *list;        /* in order of making */
    struct fold_state *states; /* those of the first fold for all groups, then those of the second, ... */
    size_t count, cap;         /* of list, and of the states of a fold */
    uint32_t *slots;           /* hash of groups: number + 1; 0: free */
    size_t nslots, hashed;     /* groups behind the first `hashed` are not in it yet */
    struct {                   /* groups_stretch: of the tuple last asked for */
        uint32_t tuple;
        size_t first, next; /* its first group, if they lie side by side; the one the next row may be of */
        bool ascending;     /* they do, its bins ascend, and there are no others of it */
    } run;
    uint32_t begun; /* tuples below have had groups */
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
size_t groups_bytes(const struct groups *groups);
/* The tuple of the vectors' constant values (one a key). MR_EINVAL: not constant texts. MR_ENOMEM. */
int groups_tuple(struct groups *groups, const struct store_vec *vecs, uint32_t *out);
/* Whether the vectors still say the same as the tuple. */
bool groups_is_tuple(const struct groups *groups, const struct store_vec *vecs, uint32_t tuple);
/* The number of that group, made when it is new. SIZE_MAX: no memory. */
size_t groups_find(struct groups *groups, uint32_t tuple, int64_t bin);
/* Of all groups; valid until another is made. */
static inline struct fold_state *groups_states(const struct groups *g, size_t fold)
{
    return g->states + fold * g->cap;
}
/* The groups of bins[0 .. *count), made when they are new, are those from *first on; *count, up to `rows` and
 * at least 1, is as many as lie side by side. The bins ascend. MR_ENOMEM. */
int groups_stretch(struct groups *groups, uint32_t tuple, const int64_t *bins, size_t rows, size_t *first,
                   size_t *count);

/* ---- groups as columns ---- */

/* A column being handed out. */
struct output {
    void *values;
    uint8_t *valid;
};

/* n states of the fold into the columns from o on, from row 0 on. */
void put_fold(const struct store_fold *fold, const struct fold_state *states, struct output *o, size_t n);

#endif
