/* store/lookup.c - what files hold of rows that are about to be written late.
 *
 * The order matters: first the table's epoch, then the view. A release that begins after the epoch was read
 * changes it, and the batch asks again; one that ended before has its segments in the view.
 */
#include "store/private.h"

struct search {
    struct store_table *table;
    struct store_lookup *out;
    struct magstore_reader **readers;
    size_t nreaders;
    struct magstore_merge *merge;
};

static int open_search(struct search *s, const struct store_view *view, const struct mem_want *wants,
                       size_t n, struct mr_error *err)
{
    int64_t from = INT64_MAX, to = INT64_MIN;
    for (size_t i = 0; i < n; i++) {
        from = wants[i].time < from ? wants[i].time : from;
        to = wants[i].time > to ? wants[i].time : to;
    }
    s->readers = mr_calloc(view_count(view, s->table->id), sizeof(struct magstore_reader *));
    if (s->readers == NULL)
        return MR_ENOMEM;
    int rc = view_readers(view, s->table->id, from, to, s->readers, &s->nreaders, NULL, err);
    if (rc == MR_OK)
        rc = magstore_merge_open(s->readers, s->nreaders, from, to, NULL, 0, true, &s->merge);
    return rc;
}

/* The row's cells into the arena. */
static int keep_cells(struct mr_arena *arena, const struct magstore_rows *rows, struct mem_row *out)
{
    struct mem_cell *cells = MR_ARENA_ARRAY(arena, rows->ncolumns + 1, struct mem_cell);
    if (cells == NULL)
        return MR_ENOMEM;
    for (size_t i = 0; i < rows->ncolumns; i++) {
        const struct magstore_values *v = &rows->columns[i];
        if (v->type == MAGSTORE_NONE || (v->valid != NULL && !v->valid[0]))
            continue;
        struct mem_cell *cell = &cells[out->ncells++];
        *cell = (struct mem_cell){(uint16_t)v->column, {.type = (enum mem_type)v->type}};
        if (v->type == MAGSTORE_VARCHAR) {
            cell->value.str = mr_arena_dup(arena, *(const struct mr_str *)v->values);
            if (cell->value.str.ptr == NULL)
                return MR_ENOMEM;
        } else if (v->type == MAGSTORE_BOOLEAN) {
            cell->value.boolean = *(const uint8_t *)v->values != 0;
        } else {
            memcpy(&cell->value.i64, v->values, sizeof cell->value.i64);
        }
    }
    out->cells = cells;
    return MR_OK;
}

static int search_one(struct search *s, const struct mem_want *want, struct mr_error *err)
{
    struct mem_prior *prior = &s->out->priors[s->out->npriors];
    struct magstore_rows rows;
    uint32_t series;
    *prior = (struct mem_prior){.series = want->series, .time = want->time};
    magstore_merge_seek(s->merge, want->series, want->time, want->time);
    int rc = magstore_merge_next(s->merge, 1, true, &series, &rows, err);
    if (rc == MR_OK && rows.count != 0) {
        prior->found = prior->whole = true;
        prior->row = (struct mem_row){.series = want->series,
                                      .time = want->time,
                                      .version = rows.versions != NULL ? rows.versions[0] : 1};
        rc = keep_cells(&s->out->arena, &rows, &prior->row);
    }
    s->out->npriors += rc == MR_OK;
    return rc;
}

static int search_all(struct store_table *table, const struct mem_want *wants, size_t n,
                      struct store_lookup *out, struct mr_error *err)
{
    struct search s = {.table = table, .out = out};
    struct store_view *view = snapshot_view(table->store);
    out->priors = MR_ARENA_ARRAY(&out->arena, n + 1, struct mem_prior);
    int rc = out->priors != NULL ? open_search(&s, view, wants, n, err) : MR_ENOMEM;
    for (size_t i = 0; i < n && rc == MR_OK; i++)
        rc = search_one(&s, &wants[i], err);
    magstore_merge_close(s.merge);
    mr_free(s.readers);
    view_unref(view);
    return rc;
}

int lookup_priors(struct store_table *table, const struct mem_record *records, size_t count,
                  struct store_lookup *out, struct mr_error *err)
{
    *out = (struct store_lookup){.arena = MR_ARENA_INIT};
    struct mem_want *wants = mr_calloc(count, sizeof *wants);
    if (wants == NULL)
        return MR_ENOMEM;
    mem_read_lock(table->mem);
    out->epoch = mem_epoch(table->mem);
    size_t n = mem_wants(table->mem, records, count, wants);
    mem_read_unlock(table->mem);
    int rc = search_all(table, wants, n, out, err);
    mr_free(wants);
    __atomic_fetch_add(&table->store->counters.lookups, n, __ATOMIC_RELAXED);
    return rc;
}

void lookup_release(struct store_lookup *lookup)
{
    mr_arena_release(&lookup->arena);
}
