/* memstore/batch.c - a batch changes the table as it goes and keeps a list of what it did: commit numbers it,
 * abort walks the list backwards. Neither allocates. */
#include "memstore/table.h"

struct mem_scratch *mem_scratch_new(void)
{
    return mr_calloc(1, sizeof(struct mem_scratch));
}

void mem_scratch_free(struct mem_scratch *b)
{
    if (b == NULL)
        return;
    mr_free(b->ops);
    mr_free(b->rows);
    mr_free(b->series);
    mr_arena_release(&b->arena);
    mr_free(b);
}

void mem_batch_begin(struct mem_table *t, struct mem_scratch *b, uint64_t lsn, uint64_t horizon)
{
    enum { SETTLE = 256 }; /* more than a batch replaces, so that kept rows cannot pile up */
    MR_ASSERT(t->batch == NULL);
    t->batch = b;
    b->lsn = lsn;
    b->schema_version = t->schema_version;
    b->first_column = t->ncolumns;
    b->first_measure = t->nmeasures;
    b->nops = b->nrows = b->nseries = 0;
    b->lookup = (struct series_lookup){0};
    b->priors = NULL;
    b->npriors = 0;
    mr_arena_reset(&b->arena);
    t->heap.refused = false;
    old_settle(&t->olds, &t->heap, horizon, SETTLE);
}

/* Makes room for one more note, so that the change it describes can be noted. */
int batch_room(struct mem_table *t)
{
    struct mem_scratch *b = t->batch;
    return mr_grow((void **)&b->ops, &b->ops_cap, b->nops + 1, sizeof *b->ops);
}

void batch_note(struct mem_table *t, struct op op)
{
    MR_ASSERT(t->batch->nops < t->batch->ops_cap);
    t->batch->ops[t->batch->nops++] = op;
}

void mem_batch_view(const struct mem_table *t, struct mem_batch *out)
{
    const struct mem_scratch *b = t->batch;
    *out = (struct mem_batch){.first_column = b->first_column,
                              .ncolumns = t->ncolumns - b->first_column,
                              .first_measure = b->first_measure,
                              .nmeasures = t->nmeasures - b->first_measure,
                              .series = b->series,
                              .nseries = b->nseries,
                              .rows = b->rows,
                              .nrows = b->nrows};
}

/* The row an operation speaks of; it is there. */
static struct mem_series *find_row(const struct mem_table *t, const struct op *op, struct spot *spot)
{
    struct mem_series *s = mem_pages_get(&t->series, op->number);
    bool found = s != NULL && series_locate(s, op->time, spot);
    MR_ASSERT(found);
    return s;
}

void mem_batch_commit(struct mem_table *t, uint64_t lsn)
{
    struct mem_scratch *b = t->batch;
    MR_ASSERT(lsn >= b->lsn && lsn - b->lsn < MEM_LSN_SLACK);
    for (size_t i = 0; i < b->nops && lsn != b->lsn; i++) {
        struct op *op = &b->ops[i];
        if (op->kind != OP_INSERT && op->kind != OP_REPLACE)
            continue;
        struct spot spot;
        struct mem_series *s = find_row(t, op, &spot);
        chunk_set_lsn(series_chunk(s, spot.run), spot.row, lsn);
        if (op->kind == OP_REPLACE) {
            op->old->replaced = lsn;
            if (op->old->lsn == b->lsn)
                op->old->lsn = lsn;
        }
    }
    t->batch = NULL;
}

static void undo(struct mem_table *t, const struct op *op)
{
    struct spot spot;
    struct mem_series *s = NULL;
    switch (op->kind) {
    case OP_COLUMN:
        schema_drop_last_column(t);
        break;
    case OP_MEASURE:
        schema_drop_last_measure(t);
        break;
    case OP_MEASURE_DIM:
        t->measures[op->number].ndims--;
        break;
    case OP_SERIES:
        series_drop(t, mem_pages_get(&t->series, op->number));
        t->next_series = op->number; /* nobody has heard of it */
        break;
    case OP_INSERT:
        s = find_row(t, op, &spot);
        series_remove_row(t, s, spot);
        break;
    case OP_REPLACE:
        s = find_row(t, op, &spot);
        series_restore(t, s, spot, op->old);
        break;
    }
}

/* Chunks took up the columns of rows that are gone again; the numbers will be given to others. */
static void forget_columns(struct mem_table *t, size_t nops)
{
    const struct mem_scratch *b = t->batch;
    for (size_t i = 0; i < nops; i++) {
        if (b->ops[i].kind != OP_INSERT && b->ops[i].kind != OP_REPLACE)
            continue;
        struct mem_series *s = mem_pages_get(&t->series, b->ops[i].number);
        for (uint32_t run = 0; s != NULL && run < s->nruns; run++)
            chunk_drop_columns(series_chunk(s, run), b->first_column);
    }
}

void mem_batch_abort(struct mem_table *t)
{
    struct mem_scratch *b = t->batch;
    bool widened = t->ncolumns != b->first_column;
    size_t nops = b->nops;
    while (b->nops != 0)
        undo(t, &b->ops[--b->nops]);
    if (widened)
        forget_columns(t, nops);
    t->schema_version = b->schema_version;
    t->batch = NULL;
}
