/* A table and its files against the ledger. */
#include "leave.h"

#include "lib/check.h"
#include "memstore/table.h"

#include <stdio.h>

struct world world;

void expect(const char *what, uint64_t got, uint64_t want)
{
    if (got == want)
        return;
    fprintf(stderr, "MR_SEED=%llu operation %llu: %s is %lld, not %lld\n", (unsigned long long)world.seed,
            (unsigned long long)world.op, what, (long long)got, (long long)want);
    fail();
}

uint64_t below(uint64_t n)
{
    return mr_rng_below(&world.rng, n);
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------- */

/* The rows of a series in memory and files, the higher version of each time, against the ledger. */
static void check_series(struct kit_reader *reader, unsigned k, int64_t from, int64_t to, uint64_t lsn,
                         unsigned generation)
{
    static struct kit_row rows[LEDGER_TIMES];
    uint32_t number = world.ledger->series[k].number;
    size_t count =
        number != UINT32_MAX ? kit_read(reader, world.table, number, from, to, lsn, rows, LEDGER_TIMES) : 0;
    size_t at = 0;
    for (int64_t t = from; t <= to; t++) {
        const struct kit_row *mem = at < count && rows[at].time == t ? &rows[at++] : NULL;
        const struct kit_row *file = ledger_filed(world.ledger, k, t, generation), *got = mem;
        const struct kit_row *want = ledger_at(world.ledger, k, t, lsn);
        if (mem == NULL || (file != NULL && file->version > mem->version))
            got = file;
        expect("presence of a row", got != NULL, want != NULL);
        if (want == NULL)
            continue;
        expect("version of a row", (uint64_t)got->version, (uint64_t)want->version);
        expect("content of a row", got->content, want->content);
    }
    expect("rows beyond the range", at, count);
}

static void check_select(int64_t from, int64_t to)
{
    struct mem_select *select;
    uint32_t numbers[LEDGER_SERIES + 1];
    size_t found = 0, expected = 0;
    uint64_t rows = 0;
    check_ok(mem_select_open(world.table, NULL, 0, from, to, &select), NULL);
    expect("more to select", mem_select_step(select, world.table, numbers, LEDGER_SERIES + 1, &found, &rows),
           false);
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        bool is = false;
        for (size_t i = 0; i < found; i++)
            is |= numbers[i] == world.ledger->series[k].number;
        expect("a series selected", is, ledger_selects(world.ledger, k, from, to));
        expected += is;
    }
    expect("series selected", found, expected);
    mem_select_close(select);
}

/* Chunks are not empty, sorted, do not overlap, and know their first time and the span of their LSNs. */
static void check_chunks(void)
{
    for (uint32_t n = mem_pages_after(&world.table->series, 0); n != UINT32_MAX;
         n = mem_pages_after(&world.table->series, n + 1)) {
        const struct mem_series *s = mem_pages_get(&world.table->series, n);
        int64_t last = INT64_MIN;
        for (uint32_t i = 0; i < s->nruns; i++) {
            const struct mem_chunk *c = series_chunk(s, i);
            expect("an empty chunk", c->rows == 0, false);
            if (s->runs_cap != 0)
                expect("first time of a chunk", (uint64_t)s->many[i].first, (uint64_t)chunk_time(c)[0]);
            for (uint32_t row = 0; row < c->rows; row++) {
                expect("order of times", chunk_time(c)[row] > last, true);
                expect("span of LSNs", chunk_lsn(c, row) >= c->lsn_base && chunk_lsn(c, row) <= c->lsn_max,
                       true);
                last = chunk_time(c)[row];
            }
        }
    }
}

static void check_table(void)
{
    struct mem_counts counts;
    uint64_t series = 0;
    mem_counts(world.table, &counts);
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        expect("number of a series", kit_series(world.table, k), world.ledger->series[k].number);
        series += world.ledger->series[k].number != UINT32_MAX;
    }
    expect("series", counts.series, series);
    expect("next series", counts.next_series, world.ledger->next_number);
    expect("rows", counts.rows, ledger_rows(world.ledger));
}

void check(uint64_t lsn, unsigned generation)
{
    int64_t from = world.ledger->cutoff, to = world.times - 1;
    if (below(3) == 0) {
        from += (int64_t)below((uint64_t)(world.times - from));
        to = from + (int64_t)below((uint64_t)(world.times - from));
    }
    mem_read_lock(world.table);
    struct kit_reader *reader = kit_reader_open(world.table);
    for (unsigned k = 0; k < LEDGER_SERIES; k++)
        check_series(reader, k, from, to, lsn, generation);
    kit_reader_close(reader);
    check_select(from, to);
    check_chunks();
    check_table();
    mem_read_unlock(world.table);
}

void check_extent(uint64_t lsn)
{
    static struct kit_row rows[LEDGER_TIMES];
    struct mem_extent extent, want = {0, INT64_MAX, INT64_MIN};
    uint32_t next = 0, number;
    while (mem_extent_step(world.table, lsn, &next, &extent))
        ;
    struct kit_reader *reader = kit_reader_open(world.table);
    for (next = 0; mem_series_list(world.table, next, &number, 1) == 1; next = number + 1) {
        size_t count = kit_read(reader, world.table, number, INT64_MIN, INT64_MAX, lsn, rows, LEDGER_TIMES);
        want.rows += count;
        if (count != 0 && rows[0].time < want.time_min)
            want.time_min = rows[0].time;
        if (count != 0 && rows[count - 1].time > want.time_max)
            want.time_max = rows[count - 1].time;
    }
    kit_reader_close(reader);
    expect("rows of the extent", extent.rows, want.rows);
    expect("oldest time of the extent", (uint64_t)extent.time_min, (uint64_t)want.time_min);
    expect("newest time of the extent", (uint64_t)extent.time_max, (uint64_t)want.time_max);
}
