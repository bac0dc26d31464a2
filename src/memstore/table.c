#include "memstore/table.h"

/* Neither side starves: whoever comes takes the gate, waits behind it for the lock, and opens it again. */
void mem_read_lock(struct mem_table *t)
{
    pthread_mutex_lock(&t->gate);
    pthread_rwlock_rdlock(&t->lock);
    pthread_mutex_unlock(&t->gate);
}

void mem_read_unlock(struct mem_table *t)
{
    pthread_rwlock_unlock(&t->lock);
}

void mem_write_lock(struct mem_table *t)
{
    pthread_mutex_lock(&t->gate);
    pthread_rwlock_wrlock(&t->lock);
    pthread_mutex_unlock(&t->gate);
}

void mem_write_unlock(struct mem_table *t)
{
    pthread_rwlock_unlock(&t->lock);
}

int mem_table_open(struct mem_budget *budget, struct mem_table **out)
{
    struct mem_heap heap = {.budget = budget, .loading = true}; /* an empty table is no place to refuse */
    struct mem_table *t = mem_alloc(&heap, MEM_SERIES, sizeof *t);
    if (t == NULL)
        return MR_ENOMEM;
    memset(t, 0, sizeof *t);
    t->heap = heap;
    t->lowest = INT64_MAX;
    t->load_file = INT64_MIN;
    pthread_mutex_init(&t->gate, NULL);
    pthread_rwlock_init(&t->lock, NULL);
    int rc = schema_add_column(t, MEM_TIME, MEM_TIMESTAMP, MR_STR("time"));
    if (rc == MR_OK)
        rc = schema_add_column(t, MEM_MEASURE_NAME, MEM_VARCHAR, MR_STR("measure_name"));
    if (rc != MR_OK) {
        mem_table_close(t);
        return MR_ENOMEM;
    }
    t->heap.loading = false;
    *out = t;
    return MR_OK;
}

void mem_table_close(struct mem_table *t)
{
    if (t == NULL)
        return;
    MR_ASSERT(t->batch == NULL);
    old_release(&t->olds, &t->heap);
    for (uint32_t n = mem_pages_after(&t->series, 0); n != UINT32_MAX;
         n = mem_pages_after(&t->series, n + 1)) {
        struct mem_series *s = mem_pages_get(&t->series, n);
        series_free_runs(t, s);
        mem_free(&t->heap, MEM_SERIES, s, series_size(s->ndims));
    }
    mem_pages_release(&t->series, &t->heap);
    mem_map_release(&t->series_map, &t->heap);
    schema_release(t);
    pthread_rwlock_destroy(&t->lock);
    pthread_mutex_destroy(&t->gate);
    struct mem_heap heap = t->heap;
    mem_free(&heap, MEM_SERIES, t, sizeof *t);
}

uint64_t mem_epoch(const struct mem_table *t)
{
    return t->epoch;
}

bool mem_series_key(const struct mem_table *t, uint32_t number, uint32_t *measure, struct mem_dim *dims,
                    uint32_t *ndims)
{
    const struct mem_series *s = mem_pages_get(&t->series, number);
    if (s == NULL)
        return false;
    *measure = s->measure;
    *ndims = s->ndims;
    for (uint32_t i = 0; i < s->ndims; i++) {
        uint16_t column = series_columns(s)[i];
        dims[i] = (struct mem_dim){column, mem_word_str(mem_dict_word(t->dicts[column], s->words[i]))};
    }
    return true;
}

void mem_counts(const struct mem_table *t, struct mem_counts *out)
{
    *out = (struct mem_counts){t->nseries, t->nrows, t->olds.count, t->next_series};
}
