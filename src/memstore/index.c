/* memstore/index.c - predicates to series, before any row is looked at.
 *
 * The shortest posting lists among the IN predicates drive; every candidate is then held against the other
 * predicates by the numbers of its values. Without an IN all series are candidates. Between two steps the
 * lock is free, so nothing is remembered but numbers, which are never given out twice: the last one seen, and
 * those of the values.
 */
#include "memstore/table.h"

#include <stdlib.h>

struct test {
    uint32_t column;
    enum mem_pred_op op;
    struct mr_str prefix;
    uint32_t *numbers; /* IN, NOT_IN: of the values that exist, ascending; owned by the arena */
    size_t count;
    uint64_t cost; /* IN: candidates if it drives */
};

struct mem_select {
    struct mr_arena arena;
    struct test *tests;
    size_t ntests;
    int64_t time_min, time_max;
    const struct test *driver; /* NULL: all series */
    size_t value;              /* of the driver: whose list is being read */
    uint32_t next;             /* smallest number not looked at yet, in that list */
    uint32_t end;              /* series from here on are younger than the select */
};

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static const struct mem_posting *posting_of(const struct mem_table *t, uint32_t column, uint32_t number)
{
    if (column == MEM_COLUMN_MEASURE_NAME)
        return &t->measure_index[number].posting;
    const struct mem_word *word = mem_dict_word(t->dicts[column], number);
    return word != NULL ? &word->posting : NULL;
}

static uint32_t number_of(const struct mem_table *t, uint32_t column, struct mr_str value)
{
    if (column == MEM_COLUMN_MEASURE_NAME)
        return schema_find_measure(t, value);
    const struct mem_word *word = mem_dict_find(t->dicts[column], value, mem_hash(value));
    return word != NULL ? word->number : MEM_NOT_FOUND;
}

static int resolve_values(struct mem_select *sel, const struct mem_table *t, const struct mem_pred *pred,
                          struct test *test)
{
    test->numbers = mr_arena_alloc(&sel->arena, pred->nvalues * sizeof *test->numbers);
    if (test->numbers == NULL)
        return MR_ENOMEM;
    size_t count = 0;
    for (size_t i = 0; i < pred->nvalues; i++) {
        uint32_t number = number_of(t, pred->column, pred->values[i]);
        if (number != MEM_NOT_FOUND)
            test->numbers[count++] = number;
    }
    if (count != 0)
        qsort(test->numbers, count, sizeof *test->numbers, by_number);
    for (size_t i = 0; i < count; i++) {
        if (i != 0 && test->numbers[i] == test->numbers[i - 1])
            continue;
        test->numbers[test->count++] = test->numbers[i];
        test->cost += posting_of(t, pred->column, test->numbers[i])->count;
    }
    return MR_OK;
}

static int resolve(struct mem_select *sel, const struct mem_table *t, const struct mem_pred *pred,
                   struct test *test)
{
    if (pred->column >= t->ncolumns ||
        (pred->column != MEM_COLUMN_MEASURE_NAME && t->dicts[pred->column] == NULL))
        return MR_EINVAL;
    *test = (struct test){.column = pred->column, .op = pred->op};
    if (pred->op == MEM_PRED_PREFIX) {
        if (pred->nvalues != 1)
            return MR_EINVAL;
        test->prefix = mr_arena_dup(&sel->arena, pred->values[0]);
        return test->prefix.ptr != NULL ? MR_OK : MR_ENOMEM;
    }
    if (pred->op != MEM_PRED_IN && pred->op != MEM_PRED_NOT_IN)
        return MR_OK;
    int rc = resolve_values(sel, t, pred, test);
    if (rc == MR_OK && pred->op == MEM_PRED_IN && (sel->driver == NULL || test->cost < sel->driver->cost))
        sel->driver = test;
    return rc;
}

int mem_select_open(struct mem_table *t, const struct mem_pred *preds, size_t npreds, int64_t time_min,
                    int64_t time_max, struct mem_select **out)
{
    struct mem_select *sel = mr_calloc(1, sizeof *sel);
    if (sel == NULL)
        return MR_ENOMEM;
    sel->time_min = time_min;
    sel->time_max = time_max;
    sel->end = t->next_series;
    sel->tests = MR_ARENA_ARRAY(&sel->arena, npreds + 1, struct test);
    int rc = sel->tests != NULL ? MR_OK : MR_ENOMEM;
    for (size_t i = 0; rc == MR_OK && i < npreds; i++)
        rc = resolve(sel, t, &preds[i], &sel->tests[sel->ntests++]);
    if (rc != MR_OK) {
        mem_select_close(sel);
        return rc;
    }
    *out = sel;
    return MR_OK;
}

void mem_select_close(struct mem_select *sel)
{
    if (sel == NULL)
        return;
    mr_arena_release(&sel->arena);
    mr_free(sel);
}

/* The number of the series' value in the column, or MEM_NOT_FOUND (NULL). */
static uint32_t value_of(const struct mem_series *s, uint32_t column)
{
    if (column == MEM_COLUMN_MEASURE_NAME)
        return s->measure;
    const uint16_t *columns = series_columns(s);
    for (uint32_t i = 0; i < s->ndims; i++)
        if (columns[i] == column)
            return s->words[i];
    return MEM_NOT_FOUND;
}

static bool contains(const struct test *test, uint32_t number)
{
    if (test->count == 1)
        return test->numbers[0] == number;
    return test->count != 0 && bsearch(&number, test->numbers, test->count, sizeof number, by_number) != NULL;
}

static bool holds(const struct mem_table *t, const struct test *test, const struct mem_series *s)
{
    uint32_t number = value_of(s, test->column);
    switch (test->op) {
    case MEM_PRED_IS_NULL:
        return number == MEM_NOT_FOUND;
    case MEM_PRED_NOT_NULL:
        return number != MEM_NOT_FOUND;
    case MEM_PRED_IN:
        return number != MEM_NOT_FOUND && contains(test, number);
    case MEM_PRED_NOT_IN:
        return number != MEM_NOT_FOUND && !contains(test, number);
    case MEM_PRED_PREFIX:
        break;
    }
    if (number == MEM_NOT_FOUND)
        return false;
    struct mr_str value = test->column == MEM_COLUMN_MEASURE_NAME
                              ? t->measures[number].name
                              : mem_word_str(mem_dict_word(t->dicts[test->column], number));
    return mr_str_starts(value, test->prefix);
}

static bool matches(const struct mem_select *sel, const struct mem_table *t, const struct mem_series *s)
{
    for (size_t i = 0; i < sel->ntests; i++)
        if (&sel->tests[i] != sel->driver && !holds(t, &sel->tests[i], s))
            return false;
    if (s->file_time != INT64_MIN && s->file_time >= sel->time_min)
        return true; /* nobody knows how far back the files go */
    if (s->nruns == 0)
        return false;
    const struct mem_chunk *last = series_chunk(s, s->nruns - 1);
    return chunk_time(series_chunk(s, 0))[0] <= sel->time_max &&
           chunk_time(last)[last->rows - 1] >= sel->time_min;
}

static uint64_t rows_about(const struct mem_series *s)
{
    return s->nruns <= 4 ? series_rows(s) : (uint64_t)s->nruns * series_chunk(s, s->nruns / 2)->rows;
}

/* First position in the list with a number >= next. */
static uint32_t posting_from(const struct mem_posting *posting, uint32_t next)
{
    const uint32_t *items = mem_posting_items(posting);
    uint32_t low = 0, count = posting->count;
    while (count != 0) {
        uint32_t half = count / 2;
        if (items[low + half] < next) {
            low += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return low;
}

struct step {
    uint32_t *out;
    size_t room, found, looked;
    uint64_t rows;
};

enum { STEP_CANDIDATES = 4096 };

static bool step_full(const struct step *step)
{
    return step->found == step->room || step->looked == STEP_CANDIDATES;
}

static void take(struct mem_select *sel, const struct mem_table *t, uint32_t number, struct step *step)
{
    const struct mem_series *s = mem_pages_get(&t->series, number);
    sel->next = number + 1;
    step->looked++;
    if (s == NULL || !matches(sel, t, s))
        return;
    step->out[step->found++] = number;
    step->rows += rows_about(s);
}

static bool step_all(struct mem_select *sel, const struct mem_table *t, struct step *step)
{
    while (!step_full(step)) {
        uint32_t number = mem_pages_after(&t->series, sel->next);
        if (number >= sel->end)
            return false;
        take(sel, t, number, step);
    }
    return true;
}

static bool step_driver(struct mem_select *sel, const struct mem_table *t, struct step *step)
{
    for (; sel->value < sel->driver->count; sel->value++, sel->next = 0) {
        const struct mem_posting *posting =
            posting_of(t, sel->driver->column, sel->driver->numbers[sel->value]);
        if (posting == NULL)
            continue; /* its last series has gone */
        const uint32_t *items = mem_posting_items(posting);
        for (uint32_t i = posting_from(posting, sel->next); i < posting->count && items[i] < sel->end; i++) {
            if (step_full(step))
                return true;
            take(sel, t, items[i], step);
        }
    }
    return false;
}

bool mem_select_step(struct mem_select *sel, struct mem_table *t, uint32_t *out, size_t room, size_t *found,
                     uint64_t *rows)
{
    struct step step = {.out = out, .room = room};
    bool more = sel->driver != NULL ? step_driver(sel, t, &step) : step_all(sel, t, &step);
    *found = step.found;
    *rows += step.rows;
    return more;
}
