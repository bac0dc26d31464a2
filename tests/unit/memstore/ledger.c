#include "ledger.h"

#include "lib/check.h"

#include <stdlib.h>

/* Room for one more. Not with mr_grow: faults are for the table. */
static void room(void **items, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return;
    *cap = *cap != 0 ? 2 * *cap : 2;
    *items = realloc(*items, *cap * size);
    assert_non_null(*items);
}

struct ledger *ledger_new(void)
{
    struct ledger *l = calloc(1, sizeof *l);
    assert_non_null(l);
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        l->series[k].number = UINT32_MAX;
        l->series[k].file_time = INT64_MIN;
    }
    return l;
}

void ledger_free(struct ledger *l)
{
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        for (int64_t t = 0; t < LEDGER_TIMES; t++) {
            free(l->cells[k][t].states);
            free(l->cells[k][t].filed);
        }
    }
    free(l);
}

bool ledger_wants(const struct ledger *l, unsigned k, int64_t time)
{
    return l->series[k].number != UINT32_MAX && time <= l->series[k].file_time &&
           !l->cells[k][time].in_memory;
}

const struct kit_row *ledger_filed(const struct ledger *l, unsigned k, int64_t time, unsigned generation)
{
    const struct ledger_cell *cell = &l->cells[k][time];
    const struct kit_row *best = NULL;
    for (size_t i = 0; i < cell->nfiled; i++) {
        const struct ledger_filed *f = &cell->filed[i];
        if (f->generation <= generation && f->row.series == l->series[k].number &&
            (best == NULL || f->row.version > best->version))
            best = &f->row;
    }
    return best;
}

void ledger_file(struct ledger *l, struct kit_row row, unsigned generation)
{
    struct ledger_cell *cell = &l->cells[row.k][row.time];
    room((void **)&cell->filed, &cell->filed_cap, cell->nfiled, sizeof *cell->filed);
    cell->filed[cell->nfiled++] = (struct ledger_filed){row, generation};
}

void ledger_unfile(struct ledger *l, unsigned generation)
{
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        for (int64_t t = 0; t < LEDGER_TIMES; t++) {
            struct ledger_cell *cell = &l->cells[k][t];
            while (cell->nfiled != 0 && cell->filed[cell->nfiled - 1].generation == generation)
                cell->nfiled--;
        }
    }
}

/* ---- writing
 * --------------------------------------------------------------------------------------------------- */

void ledger_begin(struct ledger *l)
{
    l->nundo = 0;
}

enum mem_outcome ledger_put(struct ledger *l, struct kit_row row, uint64_t lsn, int64_t *existing_version)
{
    struct ledger_cell *cell = &l->cells[row.k][row.time];
    struct ledger_state *there = cell->nstates != 0 ? &cell->states[cell->nstates - 1] : NULL;
    *existing_version = there != NULL ? there->row.version : 0;
    if (there != NULL && row.version < there->row.version)
        return MEM_REJECT_LOWER_VERSION;
    if (there != NULL && row.version == there->row.version)
        return row.content == there->row.content ? MEM_DUPLICATE : MEM_REJECT_SAME_VERSION;
    struct ledger_undo undo = {row.k, row.time, cell->in_memory, l->series[row.k].number == UINT32_MAX};
    l->undo[l->nundo++] = undo;
    if (undo.born)
        l->series[row.k].number = l->next_number++;
    row.series = l->series[row.k].number;
    if (there != NULL)
        there->replaced = lsn;
    room((void **)&cell->states, &cell->states_cap, cell->nstates, sizeof *cell->states);
    cell->states[cell->nstates++] = (struct ledger_state){lsn, UINT64_MAX, row};
    cell->in_memory = true;
    return MEM_STORED;
}

void ledger_commit(struct ledger *l, uint64_t guess, uint64_t lsn)
{
    for (size_t i = 0; i < l->nundo; i++) {
        struct ledger_cell *cell = &l->cells[l->undo[i].k][l->undo[i].time];
        for (size_t s = 0; s < cell->nstates; s++) {
            struct ledger_state *state = &cell->states[s];
            state->lsn = state->lsn == guess ? lsn : state->lsn;
            state->replaced = state->replaced == guess ? lsn : state->replaced;
        }
    }
}

void ledger_abort(struct ledger *l)
{
    while (l->nundo != 0) {
        const struct ledger_undo *undo = &l->undo[--l->nundo];
        struct ledger_cell *cell = &l->cells[undo->k][undo->time];
        if (--cell->nstates != 0)
            cell->states[cell->nstates - 1].replaced = UINT64_MAX;
        cell->in_memory = undo->in_memory;
        if (undo->born)
            l->next_number = l->series[undo->k].number;
        if (undo->born)
            l->series[undo->k].number = UINT32_MAX;
    }
}

/* ---- what comes of it
 * ------------------------------------------------------------------------------------------ */

static const struct ledger_state *state_at(const struct ledger_cell *cell, uint64_t lsn)
{
    for (size_t i = 0; i < cell->nstates; i++)
        if (cell->states[i].lsn <= lsn && lsn < cell->states[i].replaced)
            return &cell->states[i];
    return NULL;
}

const struct kit_row *ledger_at(const struct ledger *l, unsigned k, int64_t time, uint64_t lsn)
{
    const struct ledger_state *state = state_at(&l->cells[k][time], lsn);
    return state != NULL ? &state->row : NULL;
}

void ledger_release(struct ledger *l, uint64_t lsn)
{
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        for (int64_t t = 0; t < LEDGER_TIMES; t++) {
            struct ledger_cell *cell = &l->cells[k][t];
            if (!cell->in_memory || state_at(cell, lsn) == NULL)
                continue;
            if (t > l->series[k].file_time)
                l->series[k].file_time = t;
            cell->in_memory = cell->states[cell->nstates - 1].lsn > lsn;
        }
    }
}

void ledger_evict(struct ledger *l, int64_t cutoff)
{
    l->cutoff = cutoff;
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        bool some = false;
        for (int64_t t = 0; t < LEDGER_TIMES; t++) {
            l->cells[k][t].in_memory &= t >= cutoff;
            some |= l->cells[k][t].in_memory;
        }
        if (some || l->series[k].file_time >= cutoff)
            continue;
        l->series[k].number = UINT32_MAX;
        l->series[k].file_time = INT64_MIN;
    }
}

bool ledger_selects(const struct ledger *l, unsigned k, int64_t from, int64_t to)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (int64_t t = 0; t < LEDGER_TIMES; t++) {
        if (!l->cells[k][t].in_memory)
            continue;
        first = first == INT64_MAX ? t : first;
        last = t;
    }
    return l->series[k].number != UINT32_MAX &&
           (l->series[k].file_time >= from || (first <= to && last >= from));
}

uint64_t ledger_rows(const struct ledger *l)
{
    uint64_t rows = 0;
    for (unsigned k = 0; k < LEDGER_SERIES; k++)
        for (int64_t t = 0; t < LEDGER_TIMES; t++)
            rows += l->cells[k][t].in_memory;
    return rows;
}

/* ---- starting again
 * -------------------------------------------------------------------------------------------- */

void ledger_restart(struct ledger *l, uint64_t durable)
{
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        l->series[k].number = UINT32_MAX;
        l->series[k].file_time = INT64_MIN;
        for (int64_t t = 0; t < LEDGER_TIMES; t++) {
            struct ledger_cell *cell = &l->cells[k][t];
            while (cell->nstates != 0 && cell->states[cell->nstates - 1].lsn > durable)
                cell->nstates--;
            if (cell->nstates != 0)
                cell->states[cell->nstates - 1].replaced = UINT64_MAX;
            cell->in_memory = false;
        }
    }
    l->next_number = 0;
}

void ledger_load_series(struct ledger *l, unsigned k, uint32_t number, int64_t file_time)
{
    l->series[k].number = number;
    if (file_time > l->series[k].file_time)
        l->series[k].file_time = file_time;
    if (number >= l->next_number)
        l->next_number = number + 1;
}

void ledger_load_row(struct ledger *l, struct kit_row row)
{
    if (l->series[row.k].number == row.series)
        l->cells[row.k][row.time].in_memory = true;
}
