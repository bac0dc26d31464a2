/* Dimensions of a record: the common ones and its own, one sorted array without duplicates (reference 5.2).
 */
#include "ingest/parts.h"

#include <stdlib.h>

static int by_name(const void *a, const void *b)
{
    return mr_str_cmp(((const struct mr_pair *)a)->name, ((const struct mr_pair *)b)->name);
}

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

static int merge(struct ingest_work *w, const struct model_record *record, struct mr_pair *dims,
                 uint32_t *bytes)
{
    size_t n = 0;
    int status;
    for (size_t i = 0; i < w->common->dimensions.len; i++)
        if ((status = add(w, &w->common->dimensions.at[i], &dims[n++], bytes)) != MR_OK)
            return status;
    for (size_t i = 0; i < record->dimensions.len; i++)
        if ((status = add(w, &record->dimensions.at[i], &dims[n++], bytes)) != MR_OK)
            return status;
    qsort(dims, n, sizeof *dims, by_name);
    for (size_t i = 1; i < n; i++)
        if (mr_str_eq(dims[i - 1].name, dims[i].name))
            return model_fail(w->fault, MODEL_VALIDATION, w->arena,
                              "The record contains dimensions with duplicate names: " MR_STR_FMT ".",
                              MR_STR_ARG(dims[i].name));
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
        struct mr_pair *merged = MR_ARENA_ARRAY(w->arena, n, struct mr_pair);
        if (merged == NULL)
            return MR_ENOMEM;
        w->last_dim_bytes = 0;
        int status = merge(w, record, merged, &w->last_dim_bytes);
        if (status != MR_OK)
            return status;
        w->last_dims = merged;
        w->last_ndims = (uint32_t)n;
    }
    w->last = record;
    *dims = w->last_dims;
    *ndims = w->last_ndims;
    *bytes = w->last_dim_bytes;
    return MR_OK;
}
