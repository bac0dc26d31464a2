/* store/aggregate_groups.c - the groups a cursor holds: tuples of keys are numbered, groups are (number,
 * bin).
 */
#include "store/aggregate.h"

#include "base/hash.h"

enum { FIRST_SLOTS = 64 };

void groups_init(struct groups *g, size_t nkeys, size_t nfolds)
{
    *g = (struct groups){.nkeys = nkeys, .nfolds = nfolds, .texts = MR_ARENA_INIT};
}

void groups_release(struct groups *g)
{
    mr_arena_release(&g->texts);
    mr_free(g->keys);
    mr_free(g->tuple_slots);
    mr_free(g->list);
    mr_free(g->states);
    mr_free(g->slots);
    groups_init(g, g->nkeys, g->nfolds);
}

void groups_reset(struct groups *g)
{
    mr_arena_reset(&g->texts);
    g->ntuples = g->count = 0;
    if (g->tuple_slots != NULL)
        memset(g->tuple_slots, 0, g->ntuple_slots * sizeof *g->tuple_slots);
    if (g->slots != NULL)
        memset(g->slots, 0, g->nslots * sizeof *g->slots);
}

bool groups_full(const struct groups *g)
{
    size_t group = sizeof(struct group) + g->nfolds * sizeof(struct fold_state) + 2 * sizeof *g->slots;
    size_t tuple = g->nkeys * sizeof(struct mr_str) + 2 * sizeof *g->tuple_slots;
    return g->count * group + g->ntuples * tuple + g->texts.total > GROUPS_BYTES;
}

/* ---- hashing ---- */

static uint64_t hash_key(struct mr_str key, uint64_t hash)
{
    return key.ptr != NULL ? mr_hash64(key.ptr, key.len, hash) : hash * 31 + 7;
}

static uint64_t hash_tuple(const struct mr_str *keys, size_t nkeys)
{
    uint64_t hash = mr_hash_seed();
    for (size_t i = 0; i < nkeys; i++)
        hash = hash_key(keys[i], hash);
    return hash;
}

static uint64_t hash_group(uint32_t tuple, int64_t bin)
{
    uint64_t h = ((uint64_t)bin ^ ((uint64_t)tuple << 40)) * UINT64_C(0x9E3779B97F4A7C15) + tuple;
    return (h ^ h >> 32) * UINT64_C(0xD6E8FEB86659FD93) >> 16;
}

static uint64_t hash_of(const struct groups *g, bool tuples, size_t i)
{
    return tuples ? hash_tuple(g->keys + i * g->nkeys, g->nkeys)
                  : hash_group(g->list[i].tuple, g->list[i].bin);
}

/* A table with a free half for `count` entries, one more than there are; rebuilt when it has to grow. */
static int make_room(const struct groups *g, bool tuples, uint32_t **slots, size_t *nslots, size_t count)
{
    if (*nslots >= 2 * count)
        return MR_OK;
    size_t n = *nslots != 0 ? *nslots * 4 : FIRST_SLOTS;
    uint32_t *fresh = mr_calloc(n, sizeof *fresh);
    if (fresh == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i + 1 < count; i++) {
        size_t at = hash_of(g, tuples, i) & (n - 1);
        while (fresh[at] != 0)
            at = (at + 1) & (n - 1);
        fresh[at] = (uint32_t)i + 1;
    }
    mr_free(*slots);
    *slots = fresh;
    *nslots = n;
    return MR_OK;
}

/* ---- tuples ---- */

static struct mr_str key_of(const struct store_vec *vec)
{
    if (vec->valid != NULL && !vec->valid[0])
        return MR_STR_NULL;
    struct mr_str key = *(const struct mr_str *)vec->values;
    return key.len != 0 ? key : MR_STR("");
}

static bool same_key(struct mr_str a, struct mr_str b)
{
    return (a.ptr == NULL) == (b.ptr == NULL) && mr_str_eq(a, b);
}

bool groups_is_tuple(const struct groups *g, const struct store_vec *vecs, uint32_t tuple)
{
    for (size_t i = 0; i < g->nkeys; i++)
        if (!same_key(key_of(&vecs[i]), g->keys[tuple * g->nkeys + i]))
            return false;
    return true;
}

static int add_tuple(struct groups *g, const struct store_vec *vecs, size_t slot, uint32_t *out)
{
    int rc = mr_grow((void **)&g->keys, &g->keys_cap, (g->ntuples + 1) * g->nkeys + 1, sizeof *g->keys);
    if (rc != MR_OK)
        return rc;
    struct mr_str *keys = g->keys + g->ntuples * g->nkeys;
    for (size_t i = 0; i < g->nkeys; i++) {
        keys[i] = key_of(&vecs[i]);
        if (keys[i].ptr == NULL)
            continue;
        keys[i] = mr_arena_dup(&g->texts, keys[i]);
        if (keys[i].ptr == NULL)
            return MR_ENOMEM;
    }
    *out = (uint32_t)g->ntuples++;
    g->tuple_slots[slot] = *out + 1;
    return MR_OK;
}

int groups_tuple(struct groups *g, const struct store_vec *vecs, uint32_t *out)
{
    uint64_t hash = mr_hash_seed();
    for (size_t i = 0; i < g->nkeys; i++) {
        if (!vecs[i].constant || vecs[i].type != STORE_VARCHAR)
            return MR_EINVAL;
        hash = hash_key(key_of(&vecs[i]), hash);
    }
    int rc = make_room(g, true, &g->tuple_slots, &g->ntuple_slots, g->ntuples + 1);
    if (rc != MR_OK)
        return rc;
    size_t at = hash & (g->ntuple_slots - 1);
    for (; g->tuple_slots[at] != 0; at = (at + 1) & (g->ntuple_slots - 1)) {
        *out = g->tuple_slots[at] - 1;
        if (groups_is_tuple(g, vecs, *out))
            return MR_OK;
    }
    return add_tuple(g, vecs, at, out);
}

/* ---- groups ---- */

struct fold_state *groups_find(struct groups *g, uint32_t tuple, int64_t bin)
{
    if (make_room(g, false, &g->slots, &g->nslots, g->count + 1) != MR_OK)
        return NULL;
    size_t at = hash_group(tuple, bin) & (g->nslots - 1);
    for (; g->slots[at] != 0; at = (at + 1) & (g->nslots - 1)) {
        size_t i = g->slots[at] - 1;
        if (g->list[i].tuple == tuple && g->list[i].bin == bin)
            return g->states + i * g->nfolds;
    }
    if (mr_grow((void **)&g->list, &g->list_cap, g->count + 1, sizeof *g->list) != MR_OK ||
        mr_grow((void **)&g->states, &g->states_cap, (g->count + 1) * g->nfolds + 1, sizeof *g->states) !=
            MR_OK)
        return NULL;
    g->list[g->count] = (struct group){tuple, bin};
    struct fold_state *states = g->states + g->count * g->nfolds;
    if (g->nfolds != 0)
        memset(states, 0, g->nfolds * sizeof *states);
    g->slots[at] = (uint32_t)++g->count;
    return states;
}
