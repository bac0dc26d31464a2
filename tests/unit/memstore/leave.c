/* Random batches, failures, flushes into "files" (a list), releases, evictions and restarts of one table,
 * each answer held against the ledger.
 *
 * MR_SEED and MR_OPS in the environment choose another run; a mismatch prints both, and the operation it came
 * at. */
#include "ledger.h"

#include "base/rand.h"
#include "lib/check.h"
#include "lib/fault.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 6, SNAPSHOTS = 3, ENTRIES = 40000 };

/* One commit as a log keeps it. */
struct entry {
    uint64_t lsn;
    struct kit_names names;
    struct kit_row rows[BATCH];
    size_t nrows;
};

enum phase { IDLE, COPYING, COPIED, PUBLISHED };

struct run {
    uint64_t seed, op;
    struct mr_rng rng;
    int64_t times, window; /* rows lie below `times`, new ones in the window from the cutoff on */
    uint64_t flushing;     /* in a thousand operations */
    struct mem_budget budget;
    struct mem_table *table;
    struct mem_scratch *scratch;
    struct ledger *ledger;
    uint64_t last, durable;
    struct entry *log;
    size_t nlog;
    struct {
        bool open;
        uint64_t lsn;
        unsigned generation;
    } held[SNAPSHOTS];
    unsigned generation; /* of the files that are published */
    struct {
        enum phase phase;
        uint64_t lsn;
        uint32_t next;
        struct kit_names names;
        uint32_t next_series;
    } flush;
    /* what a start finds: the names of the last published flush, and its LSN */
    struct kit_names names;
    uint32_t next_series;
    uint64_t flushed;
    int64_t newest; /* time in files */
    struct {
        uint64_t stored, again, filed_duplicates, filed_rejects, shadowed, released;
    } seen;
};

static struct run run;

static void expect(const char *what, uint64_t got, uint64_t want)
{
    if (got == want)
        return;
    fprintf(stderr, "MR_SEED=%llu operation %llu: %s is %lld, not %lld\n", (unsigned long long)run.seed,
            (unsigned long long)run.op, what, (long long)got, (long long)want);
    fail();
}

static uint64_t below(uint64_t n)
{
    return mr_rng_below(&run.rng, n);
}

/* ---- writing
 * --------------------------------------------------------------------------------------------------- */

static uint64_t horizon(void)
{
    uint64_t lsn = run.flush.phase != IDLE ? run.flush.lsn : run.durable;
    for (int i = 0; i < SNAPSHOTS; i++)
        if (run.held[i].open && run.held[i].lsn < lsn)
            lsn = run.held[i].lsn;
    return lsn;
}

/* Versions rise as the run goes on. A few series are busy at a time, so that others die. */
static struct kit_row random_row(void)
{
    int64_t time = run.ledger->cutoff + (int64_t)below((uint64_t)run.window);
    unsigned busy = (unsigned)(run.op / 250 + below(3)) % LEDGER_SERIES;
    struct kit_row row = {below(200) == 0 ? (unsigned)below(LEDGER_SERIES) : busy, 0, time,
                          1 + (int64_t)below(2 + run.op / 40), 1 + (unsigned)below(15)};
    if (below(60) == 0)
        row.version += INT64_C(1) << 40;
    const struct kit_row *there = ledger_at(run.ledger, row.k, time, UINT64_MAX - 1);
    if (there != NULL && below(6) == 0)
        row = *there;
    if (there != NULL && below(12) == 0) /* the version alone */
        row.content = there->content;
    return row;
}

/* Holds the wants of the batch against the ledger, and answers them from the files. */
static size_t look_up(const struct mem_record *records, const struct kit_row *rows, size_t count,
                      struct mem_prior *priors, struct kit_words *words)
{
    struct mem_want wants[BATCH];
    mem_read_lock(run.table);
    size_t nwants = mem_wants(run.table, records, count, wants), expected = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        int64_t least = rows[i].version;
        for (size_t k = 0; k < count; k++) {
            bool same = rows[k].k == rows[i].k && rows[k].time == rows[i].time;
            first &= !same || k >= i;
            least = same && rows[k].version < least ? rows[k].version : least;
        }
        if (!first || !ledger_wants(run.ledger, rows[i].k, rows[i].time))
            continue;
        size_t at = 0;
        while (at < nwants &&
               (wants[at].series != run.ledger->series[rows[i].k].number || wants[at].time != rows[i].time))
            at++;
        expect("a want", at < nwants, 1);
        expect("version of a want", (uint64_t)wants[at].version, (uint64_t)least);
        expected++;
    }
    expect("number of wants", nwants, expected);
    for (size_t i = 0; i < nwants; i++) {
        unsigned k = kit_k(run.table, wants[i].series);
        expect("order of wants",
               i == 0 || wants[i - 1].series < wants[i].series ||
                   (wants[i - 1].series == wants[i].series && wants[i - 1].time < wants[i].time),
               1);
        const struct kit_row *filed = ledger_filed(run.ledger, k, wants[i].time, run.generation);
        priors[i] = (struct mem_prior){.series = wants[i].series, .time = wants[i].time};
        if (filed == NULL)
            continue;
        priors[i].found = true;
        priors[i].row.version = filed->version;
        priors[i].whole = filed->version >= wants[i].version && below(10) != 0;
        if (priors[i].whole)
            priors[i].row = kit_cells(&words[i], run.table, *filed);
    }
    mem_read_unlock(run.table);
    return nwants;
}

/* Does the record need a prior that is not there? */
static bool lacks_prior(struct kit_row row, const struct mem_prior *priors, size_t npriors)
{
    if (!ledger_wants(run.ledger, row.k, row.time))
        return false;
    for (size_t i = 0; i < npriors; i++)
        if (priors[i].series == run.ledger->series[row.k].number && priors[i].time == row.time)
            return priors[i].found && priors[i].row.version == row.version && !priors[i].whole;
    return true;
}

static void log_commit(const struct kit_row *rows, const enum mem_outcome *outcomes, size_t count,
                       uint64_t lsn)
{
    struct entry *entry = &run.log[run.nlog++];
    struct mem_batch batch;
    assert_true(run.nlog < ENTRIES);
    mem_batch_view(run.table, &batch);
    kit_names_take(&entry->names, run.table, &batch);
    entry->lsn = lsn;
    entry->nrows = 0;
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i] != MEM_STORED)
            continue;
        entry->rows[entry->nrows] = rows[i];
        entry->rows[entry->nrows].series = run.ledger->series[rows[i].k].number;
        expect("series of a row", batch.rows[entry->nrows].series, entry->rows[entry->nrows].series);
        entry->nrows++;
    }
    expect("rows of a batch", batch.nrows, entry->nrows);
}

/* Puts the rows; what comes back is what the ledger said unless an allocation failed. */
static int put_all(struct mem_record *records, const struct kit_row *rows, enum mem_outcome *outcomes,
                   size_t count, uint64_t guess, const struct mem_prior *priors, size_t npriors)
{
    for (size_t i = 0; i < count; i++) {
        bool lacks = lacks_prior(rows[i], priors, npriors),
             wants = ledger_wants(run.ledger, rows[i].k, rows[i].time);
        int rc = mem_batch_put(run.table, &records[i]);
        if (rc == MR_ENOMEM && fault_alloc_fired())
            return rc;
        expect("status of a record", (uint64_t)rc, (uint64_t)(lacks ? MR_EAGAIN : MR_OK));
        if (lacks)
            return rc;
        int64_t version;
        outcomes[i] = ledger_put(run.ledger, rows[i], guess, &version);
        expect("outcome", records[i].outcome, outcomes[i]);
        expect("existing version", (uint64_t)records[i].existing_version, (uint64_t)version);
        run.seen.stored += outcomes[i] == MEM_STORED;
        run.seen.shadowed += wants && version != 0 && outcomes[i] == MEM_STORED;
        run.seen.filed_duplicates += wants && outcomes[i] == MEM_DUPLICATE;
        run.seen.filed_rejects += wants && outcomes[i] > MEM_DUPLICATE;
    }
    return MR_OK;
}

static void do_append(void)
{
    struct kit_row rows[BATCH];
    struct kit_words words[BATCH], filed[BATCH];
    struct mem_record records[BATCH];
    enum mem_outcome outcomes[BATCH];
    struct mem_prior priors[BATCH];
    size_t count = 1 + below(BATCH);
    if (below(500) == 0) /* beyond what a chunk counts in four bytes */
        run.last += UINT64_C(1) << 33;
    for (size_t i = 0; i < count; i++) {
        rows[i] = random_row();
        if (i != 0 && below(4) == 0) {
            rows[i].k = rows[i - 1].k;
            rows[i].time = rows[i - 1].time;
        }
        records[i] = kit_record(&words[i], rows[i]);
        if (i != 0 && rows[i].k / 2 == rows[i - 1].k / 2)
            records[i].dims = records[i - 1].dims; /* clients share them, and the measure may differ */
    }
    uint64_t epoch = mem_epoch(run.table), guess = run.last + 1,
             lsn = guess + (below(8) == 0 ? below(1000) : 0);
    size_t npriors = look_up(records, rows, count, priors, filed);
    if (below(16) == 0) /* a flush came between: what was looked up does not count */
        epoch--;
    mem_write_lock(run.table);
    mem_batch_begin(run.table, run.scratch, guess, horizon());
    if (below(16) != 0)
        mem_batch_priors(run.table, priors, npriors, epoch);
    else
        npriors = 0;
    ledger_begin(run.ledger);
    if (below(10) == 0)
        fault_alloc(1 + (unsigned)below(30));
    int rc =
        put_all(records, rows, outcomes, count, guess, priors, epoch == mem_epoch(run.table) ? npriors : 0);
    fault_alloc(0);
    run.seen.again += rc == MR_EAGAIN;
    if (rc != MR_OK || below(20) == 0 || run.ledger->nundo == 0) {
        mem_batch_abort(run.table);
        ledger_abort(run.ledger);
    } else {
        log_commit(rows, outcomes, count, lsn);
        mem_batch_commit(run.table, lsn);
        ledger_commit(run.ledger, guess, lsn);
        run.last = lsn;
    }
    mem_write_unlock(run.table);
}

/* ---- reading
 * --------------------------------------------------------------------------------------------------- */

/* The rows of a series in memory and files, the higher version of each time, against the ledger. */
static void check_series(struct kit_reader *reader, unsigned k, int64_t from, int64_t to, uint64_t lsn,
                         unsigned generation)
{
    static struct kit_row rows[LEDGER_TIMES];
    uint32_t number = run.ledger->series[k].number;
    size_t count =
        number != UINT32_MAX ? kit_read(reader, run.table, number, from, to, lsn, rows, LEDGER_TIMES) : 0;
    size_t at = 0;
    for (int64_t t = from; t <= to; t++) {
        const struct kit_row *mem = at < count && rows[at].time == t ? &rows[at++] : NULL;
        const struct kit_row *file = ledger_filed(run.ledger, k, t, generation), *got = mem;
        const struct kit_row *want = ledger_at(run.ledger, k, t, lsn);
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
    check_ok(mem_select_open(run.table, NULL, 0, from, to, &select), NULL);
    expect("more to select", mem_select_step(select, run.table, numbers, LEDGER_SERIES + 1, &found, &rows),
           false);
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        bool is = false;
        for (size_t i = 0; i < found; i++)
            is |= numbers[i] == run.ledger->series[k].number;
        expect("a series selected", is, ledger_selects(run.ledger, k, from, to));
        expected += is;
    }
    expect("series selected", found, expected);
    mem_select_close(select);
}

static void check_table(void)
{
    struct mem_counts counts;
    uint64_t series = 0;
    mem_counts(run.table, &counts);
    for (unsigned k = 0; k < LEDGER_SERIES; k++) {
        expect("number of a series", kit_series(run.table, k), run.ledger->series[k].number);
        series += run.ledger->series[k].number != UINT32_MAX;
    }
    expect("series", counts.series, series);
    expect("next series", counts.next_series, run.ledger->next_number);
    expect("rows", counts.rows, ledger_rows(run.ledger));
}

static void check(uint64_t lsn, unsigned generation)
{
    int64_t from = run.ledger->cutoff, to = run.times - 1;
    if (below(3) == 0) {
        from += (int64_t)below((uint64_t)(run.times - from));
        to = from + (int64_t)below((uint64_t)(run.times - from));
    }
    mem_read_lock(run.table);
    struct kit_reader *reader = kit_reader_open(run.table);
    for (unsigned k = 0; k < LEDGER_SERIES; k++)
        check_series(reader, k, from, to, lsn, generation);
    kit_reader_close(reader);
    check_select(from, to);
    check_table();
    mem_read_unlock(run.table);
}

static void do_snapshot(void)
{
    int i = (int)below(SNAPSHOTS);
    if (!run.held[i].open) {
        run.held[i].open = true;
        run.held[i].lsn = run.durable;
        run.held[i].generation = run.generation;
    }
    check(run.held[i].lsn, run.held[i].generation);
    run.held[i].open = below(3) != 0;
}

/* ---- flushing
 * -------------------------------------------------------------------------------------------------- */

/* The extent as of the LSN is what the cursors show. */
static void check_extent(uint64_t lsn)
{
    static struct kit_row rows[LEDGER_TIMES];
    struct mem_extent extent, want = {0, INT64_MAX, INT64_MIN};
    uint32_t next = 0, number;
    while (mem_extent_step(run.table, lsn, &next, &extent))
        ;
    struct kit_reader *reader = kit_reader_open(run.table);
    for (next = 0; mem_series_list(run.table, next, &number, 1) == 1; next = number + 1) {
        size_t count = kit_read(reader, run.table, number, INT64_MIN, INT64_MAX, lsn, rows, LEDGER_TIMES);
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

/* A few series at a time; then the names, in portions. */
static void copy_some(void)
{
    static struct kit_row rows[LEDGER_TIMES];
    uint32_t numbers[3];
    size_t room = 1 + below(3), count = mem_series_list(run.table, run.flush.next, numbers, room);
    struct kit_reader *reader = kit_reader_open(run.table);
    for (size_t i = 0; i < count; i++) {
        size_t nrows =
            kit_read(reader, run.table, numbers[i], INT64_MIN, INT64_MAX, run.flush.lsn, rows, LEDGER_TIMES);
        for (size_t row = 0; row < nrows; row++)
            ledger_file(run.ledger, rows[row], run.generation + 1);
        run.flush.next = numbers[i] + 1;
    }
    kit_reader_close(reader);
    run.flush.phase = count < room ? COPIED : COPYING;
}

static void take_names(void)
{
    uint32_t numbers[64], from = 0;
    size_t count = 0, room = 1 + below(4);
    struct mem_batch batch, all = {0};
    struct mem_counts counts;
    mem_counts(run.table, &counts);
    while (from < counts.next_series) {
        from = mem_names_since(run.table, 0, 0, from, numbers + count, room, &batch);
        count += batch.nseries;
    }
    expect("end of the names", from, counts.next_series);
    mem_names_since(run.table, 0, 0, from, NULL, 0, &all);
    all.series = numbers;
    all.nseries = count;
    kit_names_take(&run.flush.names, run.table, &all);
    run.flush.next_series = from;
}

static void publish(void)
{
    run.generation++;
    run.flushed = run.flush.lsn;
    kit_names_free(&run.names);
    run.names = run.flush.names;
    run.next_series = run.flush.next_series;
    run.flush.names.series = NULL;
    for (unsigned k = 0; k < LEDGER_SERIES; k++)
        for (int64_t t = run.newest > 0 ? run.newest : 0; t < LEDGER_TIMES; t++)
            if (run.ledger->cells[k][t].nfiled != 0)
                run.newest = t;
    run.flush.phase = PUBLISHED;
}

static void release(void)
{
    for (int i = 0; i < SNAPSHOTS; i++)
        run.held[i].open &= run.held[i].generation == run.generation;
    uint64_t epoch = mem_epoch(run.table), before = ledger_rows(run.ledger);
    if (below(3) == 0)
        fault_alloc(1 + (unsigned)below(4));
    mem_release(run.table, run.flush.lsn);
    fault_alloc(0);
    expect("epoch changed", mem_epoch(run.table) != epoch, true);
    ledger_release(run.ledger, run.flush.lsn);
    run.seen.released += before - ledger_rows(run.ledger);
    run.flush.phase = IDLE;
    check(run.durable, run.generation);
}

static void do_flush(void)
{
    switch (run.flush.phase) {
    case IDLE:
        run.flush.phase = COPYING;
        run.flush.lsn = run.durable;
        run.flush.next = 0;
        check_extent(run.durable);
        break;
    case COPYING:
        copy_some();
        if (run.flush.phase == COPIED)
            take_names();
        break;
    case COPIED:
        publish();
        break;
    case PUBLISHED:
        release();
        break;
    }
}

/* ---- the rest
 * -------------------------------------------------------------------------------------------------- */

static void do_evict(void)
{
    int64_t cutoff = run.ledger->cutoff + (int64_t)below((uint64_t)run.window / 2);
    if (cutoff + run.window > run.times)
        return;
    mem_evict(run.table, cutoff, horizon());
    ledger_evict(run.ledger, cutoff);
}

static void load_names(const struct kit_names *names, int64_t file_time)
{
    check_ok(kit_names_load(names, run.table), NULL);
    for (size_t i = 0; i < names->batch.nseries; i++) {
        uint32_t number = names->series[i].number;
        if (mem_series_list(run.table, number, &number, 1) == 0 || number != names->series[i].number)
            continue; /* it had died: passed over */
        ledger_load_series(run.ledger, kit_k(run.table, number), number, file_time);
    }
}

/* The names of the last flush, then the log from somewhere before its end on. */
static void do_restart(void)
{
    for (int i = 0; i < SNAPSHOTS; i++)
        run.held[i].open = false;
    if (run.flush.phase == COPYING || run.flush.phase == COPIED)
        ledger_unfile(run.ledger, run.generation + 1);
    kit_names_free(&run.flush.names);
    run.flush.phase = IDLE;
    run.durable = below(2) == 0 ? run.last : run.durable;
    run.last = run.durable;
    mem_table_close(run.table);
    check_ok(mem_table_open(&run.budget, &run.table), NULL);
    ledger_restart(run.ledger, run.durable);
    if (run.next_series != 0) {
        mem_load_filed(run.table, run.newest);
        load_names(&run.names, run.newest);
        mem_load_filed(run.table, INT64_MIN);
        mem_load_next(run.table, run.next_series);
        run.ledger->next_number = run.next_series;
    }
    while (run.nlog != 0 && run.log[run.nlog - 1].lsn > run.durable)
        kit_names_free(&run.log[--run.nlog].names);
    size_t first = 0;
    while (first < run.nlog && run.log[first].lsn <= run.flushed)
        first++;
    for (size_t back = below(200); first > 0 && back > 0; back--)
        first--;
    for (size_t i = first; i < run.nlog; i++) {
        const struct entry *entry = &run.log[i];
        load_names(&entry->names, INT64_MIN);
        for (size_t row = 0; row < entry->nrows; row++) {
            struct kit_words words;
            struct mem_row cells = kit_cells(&words, run.table, entry->rows[row]);
            check_ok(mem_load_row(run.table, &cells, entry->lsn), NULL);
            ledger_load_row(run.ledger, entry->rows[row]);
        }
    }
    check(run.durable, run.generation);
}

static void step(void)
{
    uint64_t dice = below(1000);
    if (dice < 2)
        do_restart();
    else if (dice < 12)
        do_evict();
    else if (dice < 100)
        run.durable += below(run.last - run.durable + 1);
    else if (dice < 120)
        do_snapshot();
    else if (dice < 120 + run.flushing)
        do_flush();
    else
        do_append();
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    uint64_t v;
    return mr_str_to_u64(mr_str_of(getenv(name)), &v) ? v : otherwise;
}

static void play(int64_t times, int64_t window, uint64_t flushing, uint64_t seed, uint64_t ops)
{
    memset(&run, 0, sizeof run);
    run.seed = setting("MR_SEED", seed);
    run.rng.state = run.seed;
    run.times = times;
    run.window = window;
    run.flushing = flushing;
    run.newest = INT64_MIN;
    run.ledger = ledger_new();
    run.log = calloc(ENTRIES, sizeof *run.log);
    run.scratch = mem_scratch_new();
    assert_true(run.log != NULL && run.scratch != NULL);
    check_ok(mem_table_open(&run.budget, &run.table), NULL);
    for (run.op = 0; run.op < setting("MR_OPS", ops); run.op++)
        step();
    do_restart();
    uint32_t births = run.ledger->next_number;
    mem_table_close(run.table);
    mem_scratch_free(run.scratch);
    while (run.nlog != 0)
        kit_names_free(&run.log[--run.nlog].names);
    free(run.log);
    kit_names_free(&run.names);
    ledger_free(run.ledger);
    expect("bytes left", mem_budget_bytes(&run.budget), 0);
    if (getenv("MR_VERBOSE"))
        fprintf(stderr, "stored %llu again %llu dup %llu rej %llu shadow %llu rel %llu births %u\n",
                (unsigned long long)run.seen.stored, (unsigned long long)run.seen.again,
                (unsigned long long)run.seen.filed_duplicates, (unsigned long long)run.seen.filed_rejects,
                (unsigned long long)run.seen.shadowed, (unsigned long long)run.seen.released, births);
    if (getenv("MR_OPS") == NULL) { /* it all happened */
        assert_true(run.seen.stored > ops / 4 && run.seen.released > ops / 20 && run.seen.again > 10);
        assert_true(run.seen.shadowed > 10 && run.seen.filed_duplicates > 10 && run.seen.filed_rejects > 10);
        assert_true(window == 1000 || births > LEDGER_SERIES); /* some died and came back */
    }
}

/* Few rows, so that most records meet one. */
static void test_few_rows(void **state)
{
    MR_UNUSED(state);
    for (uint64_t seed = 1; seed <= 12; seed++)
        play(400, 24, 80, seed, 4000);
}

/* Chunks that fill, split and are thinned out. */
static void test_long_series(void **state)
{
    MR_UNUSED(state);
    play(LEDGER_TIMES, 1000, 8, 77, 30000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_few_rows), cmocka_unit_test(test_long_series)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
