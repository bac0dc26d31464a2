#include "engine/series.h"

bool series_load(struct series *series, struct fn_call *call, const struct fn_series *arg, idx_t row)
{
    duckdb_list_entry entry = arg->entries[row];

    if (entry.length > series->capacity) {
        series_release(series);
        series->t = mr_calloc(entry.length, 3 * sizeof(double));
        if (series->t == NULL) {
            fn_fail(call, MR_ENOMEM, "out of memory");
            return false;
        }
        series->v = (double *)series->t + entry.length;
        series->second = series->v + entry.length;
        series->capacity = entry.length;
    }
    series->n = 0;
    for (uint64_t k = entry.offset; k < entry.offset + entry.length; k++) {
        if (!vector_row_valid(arg->pvalid, k) || !vector_row_valid(arg->tvalid, k) ||
            !vector_row_valid(arg->vvalid, k))
            continue;
        series->t[series->n] = arg->t[k];
        series->v[series->n++] = arg->v[k];
    }
    return !fn_worked(call, entry.length);
}

void series_release(struct series *series)
{
    mr_free(series->t);
    *series = (struct series){0};
}

size_t series_at(const struct series *series, int64_t t)
{
    size_t low = 0, high = series->n; /* points before low are <= t, from high on > t */

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (series->t[mid] <= t)
            low = mid + 1;
        else
            high = mid;
    }
    return low == 0 ? SIZE_MAX : low - 1;
}

void series_put(struct fn_list_out *list, int64_t t, double v, bool tvalid, bool vvalid)
{
    ((int64_t *)duckdb_vector_get_data(list->fields[0]))[list->size] = t;
    ((double *)duckdb_vector_get_data(list->fields[1]))[list->size] = v;
    if (!tvalid)
        vector_set_null(list->fields[0], list->size);
    if (!vvalid)
        vector_set_null(list->fields[1], list->size);
    list->size++;
}
