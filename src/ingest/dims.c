/* Dimensions of a record: the common ones and its own, one sorted array without duplicates (reference 5.2).
 */
#include "ingest/parts.h"

/* Most requests carry the dimensions of one series again and again; comparing them is cheaper than sorting,
 * checking and resolving them. */
static bool same_as_last(const struct ingest_work *w, const struct model_record *record)
{
    if (w->last == NULL || w->last->dimensions.len != record->dimensions.len)
        return false;
    for (size_t i = 0; i < record->dimensions.len; i++) {
        const struct model_dimension *a = &w->last->dimensions.at[i], *b = &record->dimensions.at[i];
        if (!mr_str_eq(a->value, b->value) || !mr_str_eq(a->name, b->name))
            return false;
    }
    return true;
}

static int add(struct ingest_work *w, const struct model_dimension *dim, struct mr_pair *to, uint32_t *bytes)
{
    int status = ingest_check_dimension_name(w, dim->name);
    if (status != MR_OK)
        return status;
    if (dim->value.len == 0)
        return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                          "The dimension value is invalid. The value of dimension '" MR_STR_FMT "' is empty.",
                          MR_STR_ARG(dim->name));
    *to = (struct mr_pair){dim->name, dim->value};
    *bytes += (uint32_t)(dim->name.len + dim->value.len);
    return MR_OK;
}

/* Puts the pair into its place among the `n` sorted ones. False: its name is there already, and it lies
 * beside it.
 */
static bool insert(struct mr_pair *dims, size_t n, struct mr_pair pair)
{
    size_t low = 0, high = n;
    bool fresh = true;
    while (low < high) {
        size_t mid = (low + high) / 2;
        int order = mr_str_cmp(dims[mid].name, pair.name);
        fresh = fresh && order != 0;
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    memmove(dims + low + 1, dims + low, (n - low) * sizeof *dims);
    dims[low] = pair;
    return fresh;
}

/* Checks the record's dimensions and adds them to those that are there. */
static int add_all(struct ingest_work *w, const struct model_record *from, struct ingest_dims *to)
{
    for (size_t i = 0; i < from->dimensions.len; i++) {
        struct mr_pair pair;
        int status = add(w, &from->dimensions.at[i], &pair, &to->bytes);
        if (status != MR_OK)
            return status;
        to->twice |= !insert(to->at, to->count++, pair);
    }
    return MR_OK;
}

/* The common ones are checked and sorted once, by the first record. */
static int merge(struct ingest_work *w, const struct model_record *record, struct ingest_dims *to)
{
    int status = MR_OK;
    if (w->common_dims.at == NULL) {
        w->common_dims.at = MR_ARENA_ARRAY(w->arena, w->common->dimensions.len + 1, struct mr_pair);
        status = w->common_dims.at != NULL ? add_all(w, w->common, &w->common_dims) : MR_ENOMEM;
    }
    if (status != MR_OK)
        return status;
    struct mr_pair *at = to->at;
    *to = w->common_dims;
    to->at = at;
    memcpy(at, w->common_dims.at, w->common_dims.count * sizeof *at);
    if ((status = add_all(w, record, to)) != MR_OK)
        return status;
    for (uint32_t i = 1; i < to->count && to->twice; i++)
        if (mr_str_eq(at[i - 1].name, at[i].name))
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "The record contains dimensions with duplicate names: " MR_STR_FMT ".",
                              MR_STR_ARG(at[i].name));
    return MR_OK;
}

int ingest_merge_dims(struct ingest_work *w, const struct model_record *record, const struct mr_pair **dims,
                      uint32_t *ndims, uint32_t *bytes)
{
    if (!same_as_last(w, record)) {
        size_t n = w->common->dimensions.len + record->dimensions.len;
        if (n == 0)
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "At least one dimension is required for a record.");
        if (n > INGEST_MAX_DIMENSIONS)
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "The record has %zu dimensions. A record can have at most %d dimensions.", n,
                              INGEST_MAX_DIMENSIONS);
        struct ingest_dims merged = {.at = mr_arena_alloc(w->arena, n * sizeof *merged.at)};
        int status = merged.at != NULL ? merge(w, record, &merged) : MR_ENOMEM;
        if (status != MR_OK)
            return status;
        w->last_dims = merged;
    }
    w->last = record;
    *dims = w->last_dims.at;
    *ndims = w->last_dims.count;
    *bytes = w->last_dims.bytes;
    return MR_OK;
}
