/* store/aggregate_groups.c - the groups a cursor holds: tuples of keys are numbered, groups are (number,
 * bin).
 */
#include "store/aggregate.h"

#include "base/hash.h"

enum { FIRST_SLOTS = 64, FIRST_GROUPS = 64 };

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
    if (g->tuple_slots != NULL)
        memset(g->tuple_slots, 0, g->ntuple_slots * sizeof *g->tuple_slots);
    if (g->hashed != 0)
        memset(g->slots, 0, g->nslots * sizeof *g->slots);
    g->ntuples = g->count = g->hashed = 0;
    g->begun = 0;
}

size_t groups_bytes(const struct groups *g)
{
    size_t group = sizeof(struct group) + g->nfolds * sizeof(struct fold_state) + 2 * sizeof *g->slots;
    size_t tuple = g->nkeys * sizeof(struct mr_str) + 2 * sizeof *g->tuple_slots;
    return g->count * group + g->ntuples * tuple + g->texts.total;
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
    while (n < 2 * count)
        n *= 4;
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

/* Room for n more groups. */
static int grow(struct groups *g, size_t n)
{
    if (g->count + n <= g->cap)
        return MR_OK;
    size_t cap = g->cap != 0 ? g->cap : FIRST_GROUPS, list_cap = g->cap;
    while (cap < g->count + n)
        cap *= 2;
    struct fold_state *states = mr_malloc((cap * g->nfolds + 1) * sizeof *states);
    if (states == NULL || mr_grow((void **)&g->list, &list_cap, cap, sizeof *g->list) != MR_OK) {
        mr_free(states);
        return MR_ENOMEM;
    }
    for (size_t i = 0; i < g->nfolds && g->count != 0; i++)
        memcpy(states + i * cap, groups_states(g, i), g->count * sizeof *states);
    mr_free(g->states);
    g->states = states;
    g->cap = cap;
    return MR_OK;
}

/* Groups for all the bins, behind all others. */
static int append(struct groups *g, uint32_t tuple, const int64_t *bins, size_t n)
{
    int rc = grow(g, n);
    if (rc != MR_OK)
        return rc;
    for (size_t i = 0; i < g->nfolds; i++)
        memset(groups_states(g, i) + g->count, 0, n * sizeof *g->states);
    for (size_t i = 0; i < n; i++)
        g->list[g->count++] = (struct group){tuple, bins[i]};
    return MR_OK;
}

/* Its slot, or the free one where it belongs. */
static size_t slot_of(const struct groups *g, uint32_t tuple, int64_t bin)
{
    size_t at = hash_group(tuple, bin) & (g->nslots - 1);
    for (; g->slots[at] != 0; at = (at + 1) & (g->nslots - 1)) {
        const struct group *group = &g->list[g->slots[at] - 1];
        if (group->tuple == tuple && group->bin == bin)
            break;
    }
    return at;
}

/* Puts all groups into the hash, with room for another. */
static int hash_groups(struct groups *g)
{
    uint32_t *before = g->slots;
    int rc = make_room(g, false, &g->slots, &g->nslots, g->count + 1);
    if (rc == MR_OK && g->slots != before)
        g->hashed = g->count; /* it was made anew of all */
    for (; rc == MR_OK && g->hashed < g->count; g->hashed++)
        g->slots[slot_of(g, g->list[g->hashed].tuple, g->list[g->hashed].bin)] = (uint32_t)g->hashed + 1;
    return rc;
}

size_t groups_find(struct groups *g, uint32_t tuple, int64_t bin)
{
    if (hash_groups(g) != MR_OK)
        return SIZE_MAX;
    size_t at = slot_of(g, tuple, bin);
    if (g->slots[at] != 0)
        return g->slots[at] - 1;
    if (append(g, tuple, &bin, 1) != MR_OK)
        return SIZE_MAX;
    g->slots[at] = (uint32_t)g->count;
    g->hashed = g->count;
    return g->count - 1;
}

/* ---- stretches ---- */

/* How many of the bins are those of the groups from `first` on. */
static size_t match(const struct groups *g, size_t first, uint32_t tuple, const int64_t *bins, size_t rows)
{
    size_t n = 0;
    while (n < rows && first + n < g->count && g->list[first + n].bin == bins[n] &&
           g->list[first + n].tuple == tuple)
        n++;
    return n;
}

static void begin_run(struct groups *g, uint32_t tuple)
{
    g->run.tuple = tuple;
    g->run.first = g->run.next = g->count;
    g->run.ascending = tuple == g->begun;
    g->begun += g->run.ascending;
}

int groups_stretch(struct groups *g, uint32_t tuple, const int64_t *bins, size_t rows, size_t *first,
                   size_t *count)
{
    if (tuple != g->run.tuple || g->count == 0)
        begin_run(g, tuple);
    size_t at = g->run.next, n = match(g, at, tuple, bins, rows);
    if (n == 0) { /* the next series of the run, as a rule */
        at = g->run.first;
        n = match(g, at, tuple, bins, rows);
    }
    if (n == 0 && g->run.ascending && (g->count == g->run.first || bins[0] > g->list[g->count - 1].bin)) {
        at = g->count;
        n = rows;
        if (append(g, tuple, bins, rows) != MR_OK)
            return MR_ENOMEM;
    }
    if (n == 0) {
        size_t before = g->count;
        at = groups_find(g, tuple, bins[0]);
        n = 1;
        if (at == SIZE_MAX)
            return MR_ENOMEM;
        g->run.ascending = g->run.ascending && g->count == before;
    }
    g->run.next = at + n;
    *first = at;
    *count = n;
    return MR_OK;
}
