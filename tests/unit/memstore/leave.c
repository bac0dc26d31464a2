/* Random batches, failures, flushes into "files" (a list), releases, evictions and restarts of one table,
 * each answer held against the ledger.
 *
 * MR_SEED and MR_OPS in the environment choose another run; a mismatch prints both, and the operation it came
 * at. */
#include "leave.h"

#include "lib/check.h"
#include "lib/fault.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- writing
 * --------------------------------------------------------------------------------------------------- */

static uint64_t horizon(void)
{
    uint64_t lsn = world.flush.phase != IDLE ? world.flush.lsn : world.durable;
    for (int i = 0; i < SNAPSHOTS; i++)
        if (world.held[i].open && world.held[i].lsn < lsn)
            lsn = world.held[i].lsn;
    return lsn;
}

/* Versions rise as the run goes on. A few series are busy at a time, so that others die. */
static struct kit_row random_row(void)
{
    int64_t time = world.ledger->cutoff + (int64_t)below((uint64_t)world.window);
    unsigned busy = (unsigned)(world.op / 250 + below(3)) % LEDGER_SERIES;
    struct kit_row row = {below(200) == 0 ? (unsigned)below(LEDGER_SERIES) : busy, 0, time,
                          1 + (int64_t)below(2 + world.op / 40), 1 + (unsigned)below(15)};
    if (below(60) == 0)
        row.version += INT64_C(1) << 40;
    const struct kit_row *there = ledger_at(world.ledger, row.k, time, UINT64_MAX - 1);
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
    mem_read_lock(world.table);
    size_t nwants = mem_wants(world.table, records, count, wants), expected = 0;
    for (size_t i = 0; i < count; i++) {
        bool first = true;
        int64_t least = rows[i].version;
        for (size_t k = 0; k < count; k++) {
            bool same = rows[k].k == rows[i].k && rows[k].time == rows[i].time;
            first &= !same || k >= i;
            least = same && rows[k].version < least ? rows[k].version : least;
        }
        if (!first || !ledger_wants(world.ledger, rows[i].k, rows[i].time))
            continue;
        size_t at = 0;
        while (at < nwants &&
               (wants[at].series != world.ledger->series[rows[i].k].number || wants[at].time != rows[i].time))
            at++;
        expect("a want", at < nwants, 1);
        expect("version of a want", (uint64_t)wants[at].version, (uint64_t)least);
        expected++;
    }
    expect("number of wants", nwants, expected);
    for (size_t i = 0; i < nwants; i++) {
        unsigned k = kit_k(world.table, wants[i].series);
        expect("order of wants",
               i == 0 || wants[i - 1].series < wants[i].series ||
                   (wants[i - 1].series == wants[i].series && wants[i - 1].time < wants[i].time),
               1);
        const struct kit_row *filed = ledger_filed(world.ledger, k, wants[i].time, world.generation);
        priors[i] = (struct mem_prior){.series = wants[i].series, .time = wants[i].time};
        if (filed == NULL)
            continue;
        priors[i].found = true;
        priors[i].row.version = filed->version;
        priors[i].whole = filed->version >= wants[i].version && below(10) != 0;
        if (priors[i].whole)
            priors[i].row = kit_cells(&words[i], world.table, *filed);
    }
    mem_read_unlock(world.table);
    return nwants;
}

/* Does the record need a prior that is not there? */
static bool lacks_prior(struct kit_row row, const struct mem_prior *priors, size_t npriors)
{
    if (!ledger_wants(world.ledger, row.k, row.time))
        return false;
    for (size_t i = 0; i < npriors; i++)
        if (priors[i].series == world.ledger->series[row.k].number && priors[i].time == row.time)
            return priors[i].found && priors[i].row.version == row.version && !priors[i].whole;
    return true;
}

static void log_commit(const struct kit_row *rows, const enum mem_outcome *outcomes, size_t count,
                       uint64_t lsn)
{
    struct entry *entry = &world.log[world.nlog++];
    struct mem_batch batch;
    assert_true(world.nlog < ENTRIES);
    mem_batch_view(world.table, &batch);
    kit_names_take(&entry->names, world.table, &batch);
    entry->lsn = lsn;
    entry->nrows = 0;
    for (size_t i = 0; i < count; i++) {
        if (outcomes[i] != MEM_STORED)
            continue;
        entry->rows[entry->nrows] = rows[i];
        entry->rows[entry->nrows].series = world.ledger->series[rows[i].k].number;
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
             wants = ledger_wants(world.ledger, rows[i].k, rows[i].time);
        int rc = mem_batch_put(world.table, &records[i]);
        if (rc == MR_ENOMEM && fault_alloc_fired())
            return rc;
        expect("status of a record", (uint64_t)rc, (uint64_t)(lacks ? MR_EAGAIN : MR_OK));
        if (lacks)
            return rc;
        int64_t version;
        outcomes[i] = ledger_put(world.ledger, rows[i], guess, &version);
        expect("outcome", records[i].outcome, outcomes[i]);
        expect("existing version", (uint64_t)records[i].existing_version, (uint64_t)version);
        world.seen.stored += outcomes[i] == MEM_STORED;
        world.seen.shadowed += wants && version != 0 && outcomes[i] == MEM_STORED;
        world.seen.filed_duplicates += wants && outcomes[i] == MEM_DUPLICATE;
        world.seen.filed_rejects += wants && outcomes[i] > MEM_DUPLICATE;
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
        world.last += UINT64_C(1) << 33;
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
    uint64_t epoch = mem_epoch(world.table), guess = world.last + 1,
             lsn = guess + (below(8) == 0 ? below(1000) : 0);
    size_t npriors = look_up(records, rows, count, priors, filed);
    if (below(16) == 0) /* a flush came between: what was looked up does not count */
        epoch--;
    mem_write_lock(world.table);
    mem_batch_begin(world.table, world.scratch, guess, horizon());
    if (below(16) != 0)
        mem_batch_priors(world.table, priors, npriors, epoch);
    else
        npriors = 0;
    ledger_begin(world.ledger);
    if (below(10) == 0)
        fault_alloc(1 + (unsigned)below(30));
    int rc =
        put_all(records, rows, outcomes, count, guess, priors, epoch == mem_epoch(world.table) ? npriors : 0);
    fault_alloc(0);
    world.seen.again += rc == MR_EAGAIN;
    if (rc != MR_OK || below(20) == 0 || world.ledger->nundo == 0) {
        mem_batch_abort(world.table);
        ledger_abort(world.ledger);
    } else {
        log_commit(rows, outcomes, count, lsn);
        mem_batch_commit(world.table, lsn);
        ledger_commit(world.ledger, guess, lsn);
        world.last = lsn;
    }
    mem_write_unlock(world.table);
}

/* ---- snapshots and flushes
 * ---------------------------------------------------------------------------------------- */

static void do_snapshot(void)
{
    int i = (int)below(SNAPSHOTS);
    if (!world.held[i].open) {
        world.held[i].open = true;
        world.held[i].lsn = world.durable;
        world.held[i].generation = world.generation;
    }
    check(world.held[i].lsn, world.held[i].generation);
    world.held[i].open = below(3) != 0;
}

/* A few series at a time; then the names, in portions. */
static void copy_some(void)
{
    static struct kit_row rows[LEDGER_TIMES];
    uint32_t numbers[3];
    size_t room = 1 + below(3), count = mem_series_list(world.table, world.flush.next, numbers, room);
    struct kit_reader *reader = kit_reader_open(world.table);
    for (size_t i = 0; i < count; i++) {
        size_t nrows = kit_read(reader, world.table, numbers[i], INT64_MIN, INT64_MAX, world.flush.lsn, rows,
                                LEDGER_TIMES);
        for (size_t row = 0; row < nrows; row++)
            ledger_file(world.ledger, rows[row], world.generation + 1);
        world.flush.next = numbers[i] + 1;
    }
    kit_reader_close(reader);
    world.flush.phase = count < room ? COPIED : COPYING;
}

static void take_names(void)
{
    uint32_t numbers[64], from = 0;
    size_t count = 0, room = 1 + below(4);
    struct mem_batch batch, all = {0};
    struct mem_counts counts;
    mem_counts(world.table, &counts);
    while (from < counts.next_series) {
        from = mem_names_since(world.table, 0, 0, from, numbers + count, room, &batch);
        count += batch.nseries;
    }
    expect("end of the names", from, counts.next_series);
    mem_names_since(world.table, 0, 0, from, NULL, 0, &all);
    all.series = numbers;
    all.nseries = count;
    kit_names_take(&world.flush.names, world.table, &all);
    world.flush.next_series = from;
}

static void publish(void)
{
    world.generation++;
    world.flushed = world.flush.lsn;
    kit_names_free(&world.names);
    world.names = world.flush.names;
    world.next_series = world.flush.next_series;
    world.flush.names.series = NULL;
    for (unsigned k = 0; k < LEDGER_SERIES; k++)
        for (int64_t t = world.newest > 0 ? world.newest : 0; t < LEDGER_TIMES; t++)
            if (world.ledger->cells[k][t].nfiled != 0)
                world.newest = t;
    world.flush.phase = PUBLISHED;
}

static void release(void)
{
    for (int i = 0; i < SNAPSHOTS; i++)
        world.held[i].open &= world.held[i].generation == world.generation;
    uint64_t epoch = mem_epoch(world.table), before = ledger_rows(world.ledger);
    if (below(3) == 0)
        fault_alloc(1 + (unsigned)below(4));
    mem_release(world.table, world.flush.lsn);
    fault_alloc(0);
    expect("epoch changed", mem_epoch(world.table) != epoch, true);
    ledger_release(world.ledger, world.flush.lsn);
    world.seen.released += before - ledger_rows(world.ledger);
    world.flush.phase = IDLE;
    check(world.durable, world.generation);
}

static void do_flush(void)
{
    switch (world.flush.phase) {
    case IDLE:
        world.flush.phase = COPYING;
        world.flush.lsn = world.durable;
        world.flush.next = 0;
        check_extent(world.durable);
        break;
    case COPYING:
        copy_some();
        if (world.flush.phase == COPIED)
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
    int64_t cutoff = world.ledger->cutoff + (int64_t)below((uint64_t)world.window / 2);
    if (cutoff + world.window > world.times)
        return;
    mem_evict(world.table, cutoff, horizon());
    ledger_evict(world.ledger, cutoff);
}

static void load_names(const struct kit_names *names, int64_t file_time)
{
    check_ok(kit_names_load(names, world.table), NULL);
    for (size_t i = 0; i < names->batch.nseries; i++) {
        uint32_t number = names->series[i].number;
        if (mem_series_list(world.table, number, &number, 1) == 0 || number != names->series[i].number)
            continue; /* it had died: passed over */
        ledger_load_series(world.ledger, kit_k(world.table, number), number, file_time);
    }
}

/* The names of the last flush, then the log from somewhere before its end on. */
static void do_restart(void)
{
    for (int i = 0; i < SNAPSHOTS; i++)
        world.held[i].open = false;
    if (world.flush.phase == COPYING || world.flush.phase == COPIED)
        ledger_unfile(world.ledger, world.generation + 1);
    kit_names_free(&world.flush.names);
    world.flush.phase = IDLE;
    world.durable = below(2) == 0 ? world.last : world.durable;
    world.last = world.durable;
    mem_table_close(world.table);
    check_ok(mem_table_open(&world.budget, &world.table), NULL);
    ledger_restart(world.ledger, world.durable);
    if (world.next_series != 0) {
        mem_load_filed(world.table, world.newest);
        load_names(&world.names, world.newest);
        mem_load_filed(world.table, INT64_MIN);
        mem_load_next(world.table, world.next_series);
        world.ledger->next_number = world.next_series;
    }
    while (world.nlog != 0 && world.log[world.nlog - 1].lsn > world.durable)
        kit_names_free(&world.log[--world.nlog].names);
    size_t first = 0;
    while (first < world.nlog && world.log[first].lsn <= world.flushed)
        first++;
    for (size_t back = below(200); first > 0 && back > 0; back--)
        first--;
    for (size_t i = first; i < world.nlog; i++) {
        const struct entry *entry = &world.log[i];
        load_names(&entry->names, INT64_MIN);
        for (size_t row = 0; row < entry->nrows; row++) {
            struct kit_words words;
            struct mem_row cells = kit_cells(&words, world.table, entry->rows[row]);
            check_ok(mem_load_row(world.table, &cells, entry->lsn), NULL);
            ledger_load_row(world.ledger, entry->rows[row]);
        }
    }
    check(world.durable, world.generation);
}

static void step(void)
{
    uint64_t dice = below(1000);
    if (dice < 2)
        do_restart();
    else if (dice < 12)
        do_evict();
    else if (dice < 100)
        world.durable += below(world.last - world.durable + 1);
    else if (dice < 120)
        do_snapshot();
    else if (dice < 120 + world.flushing)
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
    memset(&world, 0, sizeof world);
    world.seed = setting("MR_SEED", seed);
    world.rng.state = world.seed;
    world.times = times;
    world.window = window;
    world.flushing = flushing;
    world.newest = INT64_MIN;
    world.ledger = ledger_new();
    world.log = calloc(ENTRIES, sizeof *world.log);
    world.scratch = mem_scratch_new();
    assert_true(world.log != NULL && world.scratch != NULL);
    check_ok(mem_table_open(&world.budget, &world.table), NULL);
    for (world.op = 0; world.op < setting("MR_OPS", ops); world.op++)
        step();
    do_restart();
    uint32_t births = world.ledger->next_number;
    mem_table_close(world.table);
    mem_scratch_free(world.scratch);
    while (world.nlog != 0)
        kit_names_free(&world.log[--world.nlog].names);
    free(world.log);
    kit_names_free(&world.names);
    ledger_free(world.ledger);
    expect("bytes left", mem_budget_bytes(&world.budget), 0);
    if (getenv("MR_VERBOSE"))
        fprintf(stderr, "stored %llu again %llu dup %llu rej %llu shadow %llu rel %llu births %u\n",
                (unsigned long long)world.seen.stored, (unsigned long long)world.seen.again,
                (unsigned long long)world.seen.filed_duplicates, (unsigned long long)world.seen.filed_rejects,
                (unsigned long long)world.seen.shadowed, (unsigned long long)world.seen.released, births);
    if (getenv("MR_OPS") == NULL) { /* it all happened */
        assert_true(world.seen.stored > ops / 4 && world.seen.released > ops / 20 && world.seen.again > 10);
        assert_true(world.seen.shadowed > 10 && world.seen.filed_duplicates > 10 &&
                    world.seen.filed_rejects > 10);
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
