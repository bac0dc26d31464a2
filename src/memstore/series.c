#include "memstore/table.h"

#include "base/hash.h"

uint64_t series_dims_hash(const struct mr_pair *dims, uint32_t ndims)
{
    uint64_t hash = mr_hash_seed() + ndims;
    for (uint32_t i = 0; i < ndims; i++) {
        hash = mr_hash64(dims[i].name.ptr, dims[i].name.len, hash);
        hash = mr_hash64(dims[i].value.ptr, dims[i].value.len, hash);
    }
    return hash;
}

uint32_t series_hash(uint64_t dims_hash, struct mr_str measure)
{
    return (uint32_t)mr_hash64(measure.ptr, measure.len, dims_hash);
}

bool series_has_key(const struct mem_table *t, const struct mem_series *s, struct mr_str measure,
                    const struct mr_pair *dims, uint32_t ndims)
{
    if (s->ndims != ndims || !mr_str_eq(t->measures[s->measure].name, measure))
        return false;
    for (uint32_t i = 0; i < ndims; i++) {
        uint16_t column = series_columns(s)[i];
        if (!mr_str_eq(t->columns[column].name, dims[i].name) ||
            !mr_str_eq(mem_word_str(mem_dict_word(t->dicts[column], s->words[i])), dims[i].value))
            return false;
    }
    return true;
}

struct mem_series *series_find(const struct mem_table *t, uint32_t hash, struct mr_str measure,
                               const struct mr_pair *dims, uint32_t ndims)
{
    struct mem_probe probe;
    for (uint32_t n = mem_map_find(&t->series_map, hash, &probe); n != MEM_NOT_FOUND;
         n = mem_map_next(&probe)) {
        struct mem_series *s = mem_pages_get(&t->series, n);
        if (series_has_key(t, s, measure, dims, ndims))
            return s;
    }
    return NULL;
}

/* Values are interned: series with the same dimensions have the same numbers. */
static bool same_dims(const struct mem_series *a, const struct mem_series *b)
{
    size_t size = a->ndims * (sizeof *a->words + sizeof(uint16_t));
    return a->ndims == b->ndims && memcmp(a->words, b->words, size) == 0;
}

static struct mem_series *find_like(const struct mem_table *t, uint32_t hash, struct mr_str measure,
                                    const struct mem_series *peer)
{
    struct mem_probe probe;
    for (uint32_t n = mem_map_find(&t->series_map, hash, &probe); n != MEM_NOT_FOUND;
         n = mem_map_next(&probe)) {
        struct mem_series *s = mem_pages_get(&t->series, n);
        if (mr_str_eq(t->measures[s->measure].name, measure) && same_dims(s, peer))
            return s;
    }
    return NULL;
}

struct mem_series *series_of(const struct mem_table *t, struct series_lookup *l, const struct mem_record *r,
                             uint32_t *hash)
{
    if (l->known && l->dims == r->dims && l->ndims == r->ndims) {
        if (l->last != NULL && mr_str_eq(t->measures[l->last->measure].name, r->measure_name))
            return l->last;
    } else {
        l->known = true;
        l->dims = r->dims;
        l->ndims = r->ndims;
        l->dims_hash = series_dims_hash(r->dims, r->ndims);
        l->peer = NULL;
    }
    *hash = series_hash(l->dims_hash, r->measure_name);
    l->last = l->peer != NULL ? find_like(t, *hash, r->measure_name, l->peer)
                              : series_find(t, *hash, r->measure_name, r->dims, r->ndims);
    if (l->last != NULL)
        l->peer = l->last;
    return l->last;
}

/* Takes the first `count` dimensions of a series out of the index again. */
static void unindex_dims(struct mem_table *t, struct mem_series *s, uint32_t count, bool undo)
{
    for (uint32_t i = 0; i < count; i++) {
        struct mem_dict *dict = t->dicts[series_columns(s)[i]];
        struct mem_word *word = mem_dict_word(dict, s->words[i]);
        if (undo)
            mem_posting_undo(&word->posting, s->number);
        else
            mem_posting_sweep(&word->posting, &t->heap, word->refs - 1, &t->series);
        mem_dict_give(dict, &t->heap, word);
    }
}

static int index_dims(struct mem_table *t, struct mem_series *s, const struct mr_pair *dims)
{
    for (uint32_t i = 0; i < s->ndims; i++) {
        struct mem_dict *dict = t->dicts[series_columns(s)[i]];
        struct mem_word *word = mem_dict_take(dict, &t->heap, dims[i].value);
        if (word != NULL && mem_posting_add(&word->posting, &t->heap, s->number) != MR_OK) {
            mem_dict_give(dict, &t->heap, word);
            word = NULL;
        }
        if (word == NULL) {
            unindex_dims(t, s, i, true);
            return MR_ENOMEM;
        }
        s->words[i] = word->number;
    }
    return MR_OK;
}

struct mem_series *series_new(struct mem_table *t, uint32_t number, uint32_t hash, uint32_t measure,
                              const struct mr_pair *dims, const uint16_t *columns, uint32_t ndims)
{
    struct mem_heap *heap = &t->heap;
    struct measure_index *index = &t->measure_index[measure];
    if (number == MEM_NOT_FOUND || mem_pages_reserve(&t->series, heap, number) != MR_OK)
        return NULL;
    struct mem_series *s = mem_alloc(heap, MEM_SERIES, series_size(ndims));
    if (s == NULL)
        return NULL;
    *s = (struct mem_series){.number = number,
                             .hash = hash,
                             .file_time = INT64_MIN,
                             .measure = (uint16_t)measure,
                             .ndims = (uint16_t)ndims};
    memcpy(series_columns(s), columns, ndims * sizeof *columns);
    if (index_dims(t, s, dims) != MR_OK)
        goto free_it;
    if (mem_posting_add(&index->posting, heap, number) != MR_OK)
        goto unindex;
    if (mem_map_insert(&t->series_map, heap, hash, number) != MR_OK)
        goto unpost;
    index->live++;
    mem_pages_set(&t->series, number, s);
    t->next_series = number + 1;
    t->nseries++;
    return s;
unpost:
    mem_posting_undo(&index->posting, number);
unindex:
    unindex_dims(t, s, ndims, true);
free_it:
    mem_free(heap, MEM_SERIES, s, series_size(ndims));
    return NULL;
}

void series_drop(struct mem_table *t, struct mem_series *s)
{
    MR_ASSERT(s->nruns == 0);
    struct measure_index *index = &t->measure_index[s->measure];
    bool newest = s->number + 1 == t->next_series; /* an undone birth leaves no trace in the lists */
    mem_map_remove(&t->series_map, s->hash, s->number);
    mem_pages_clear(&t->series, &t->heap, s->number);
    unindex_dims(t, s, s->ndims, newest);
    index->live--;
    if (newest)
        mem_posting_undo(&index->posting, s->number);
    else
        mem_posting_sweep(&index->posting, &t->heap, index->live, &t->series);
    t->nseries--;
    mem_free(&t->heap, MEM_SERIES, s, series_size(s->ndims));
}

int series_renumber(struct mem_table *t, struct mem_series *s, uint32_t number)
{
    struct mem_heap *heap = &t->heap;
    if (number < t->next_series || mem_pages_reserve(&t->series, heap, number) != MR_OK)
        return MR_ENOMEM;
    for (uint32_t i = 0; i < s->ndims; i++) {
        struct mem_word *word = mem_dict_word(t->dicts[series_columns(s)[i]], s->words[i]);
        if (mem_posting_add(&word->posting, heap, number) != MR_OK)
            return MR_ENOMEM;
    }
    if (mem_posting_add(&t->measure_index[s->measure].posting, heap, number) != MR_OK ||
        mem_map_insert(&t->series_map, heap, s->hash, number) != MR_OK)
        return MR_ENOMEM;
    mem_pages_set(&t->series, number, s); /* first: clearing the old number may free its page */
    mem_map_remove(&t->series_map, s->hash, s->number);
    mem_pages_clear(&t->series, heap, s->number);
    s->number = number;
    t->next_series = number + 1;
    return MR_OK;
}
