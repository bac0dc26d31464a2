/* Random appends, snapshots, failures of the log, crashes and expiry, each answer held against the model.
 *
 * MR_SEED and MR_OPS in the environment choose another run; a mismatch prints both, and the operation it came
 * at. */
#include "fake_wal.h"
#include "kit.h"
#include "model.h"

#include "base/log.h"
#include "base/rand.h"
#include "lib/check.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 6, SNAPSHOTS = 3 };

/* What a run draws from. */
struct profile {
    unsigned dim_sets, measures, names, texts;
    int64_t times, versions;
    unsigned check_every;
    bool files; /* rows are flushed into files, those are merged; and nothing expires, which files do not do
                   to the record */
};

struct held {
    struct store_snapshot *snapshot;
    uint64_t lsn;
};

struct run {
    const struct profile *profile;
    uint64_t seed, op;
    struct mr_rng rng;
    struct kit kit;
    struct model *model;
    uint64_t last, durable;
    struct held held[SNAPSHOTS];
    struct store_commit commits[64];
    uint64_t started, finished;
    uint64_t late, flushes; /* appends that had to read files, flushes */
};

static struct run run;

static void fail_at(const char *what, const char *got, const char *want)
{
    while (*got != '\0' && *got == *want) { /* to the first line that differs */
        size_t line = strcspn(got, "\n");
        if (strncmp(got, want, line + 1) != 0)
            break;
        got += line + (got[line] != '\0');
        want += line + (want[line] != '\0');
    }
    fprintf(stderr, "MR_SEED=%llu operation %llu: %s\n  got  %.*s\n  want %.*s\n",
            (unsigned long long)run.seed, (unsigned long long)run.op, what, (int)strcspn(got, "\n"), got,
            (int)strcspn(want, "\n"), want);
    fail();
}

static void expect_equal(const char *what, uint64_t got, uint64_t want)
{
    char a[24], b[24];
    snprintf(a, sizeof a, "%llu", (unsigned long long)got);
    snprintf(b, sizeof b, "%llu", (unsigned long long)want);
    if (got != want)
        fail_at(what, a, b);
}

static uint64_t below(uint64_t n)
{
    return mr_rng_below(&run.rng, n);
}

/* ---- records
 * --------------------------------------------------------------------------------------------------- */

static struct model_value random_value(enum store_type type)
{
    struct model_value v = {.type = type};
    double d = (double)below(3);
    switch (type) {
    case STORE_DOUBLE:
        memcpy(&v.bits, &d, sizeof d);
        break;
    case STORE_VARCHAR:
        v.text = (unsigned)below(run.profile->texts);
        break;
    case STORE_BOOLEAN:
        v.bits = (int64_t)below(2);
        break;
    default:
        v.bits = (int64_t)below(3) - 1;
    }
    return v;
}

static void random_record(struct model_record *r)
{
    memset(r, 0, sizeof *r);
    r->dim_set = (unsigned)below(run.profile->dim_sets);
    r->measure = (unsigned)below(run.profile->measures);
    unsigned kind = below(40) == 0 ? (unsigned)below(6) : r->measure;
    r->multi = kind >= 4;
    r->time = (int64_t)below((uint64_t)run.profile->times);
    r->version = 1 + (int64_t)below((uint64_t)run.profile->versions);
    if (below(50) == 0)
        r->version += INT64_C(1) << 40;
    r->nattrs = r->multi ? 1 + (unsigned)below(MODEL_ATTRS) : 1;
    unsigned first = (unsigned)below(run.profile->names);
    for (unsigned i = 0; i < r->nattrs; i++) {
        /* Neighbouring names, so that none repeats; each mostly with its own type. */
        unsigned name = (first + i) % MODEL_NAMES;
        enum store_type type = r->multi ? (enum store_type)(1 + name % 5) : (enum store_type)(1 + kind);
        if (r->multi && below(60) == 0)
            type = (enum store_type)(1 + below(5));
        r->attr_names[i] = name;
        r->values[i] = random_value(type);
    }
}

/* Everything a store record borrows. */
struct words {
    char dim_names[4][8], dim_value[8], measure[8], attr_names[MODEL_ATTRS][8], texts[MODEL_ATTRS][16];
    struct mr_pair dims[4];
    struct store_attr attrs[MODEL_ATTRS];
};

static struct store_attr make_attr(struct words *w, const struct model_record *r, unsigned i)
{
    const struct model_value *v = &r->values[i];
    snprintf(w->attr_names[i], sizeof w->attr_names[i], "n%u", r->attr_names[i] % 100);
    const char *name = r->multi ? w->attr_names[i] : NULL;
    double d;
    switch (v->type) {
    case STORE_DOUBLE:
        memcpy(&d, &v->bits, sizeof d);
        return kit_double(name, d);
    case STORE_VARCHAR:
        snprintf(w->texts[i], sizeof w->texts[i], "t%u", v->text);
        return kit_text(name, w->texts[i]);
    case STORE_BOOLEAN:
        return kit_bool(name, v->bits != 0);
    case STORE_TIMESTAMP:
        return kit_time(name, v->bits);
    default:
        return kit_bigint(name, v->bits);
    }
}

static struct store_record make_record(struct words *w, const struct model_record *r)
{
    unsigned names[4], ndims = model_dims(r->dim_set, names);
    snprintf(w->dim_value, sizeof w->dim_value, "v%u", r->dim_set % 100);
    snprintf(w->measure, sizeof w->measure, "m%u", r->measure % 100);
    for (unsigned i = 0; i < ndims; i++) {
        snprintf(w->dim_names[i], sizeof w->dim_names[i], "n%u", names[i] % 100);
        w->dims[i] = (struct mr_pair){mr_str_of(w->dim_names[i]), mr_str_of(w->dim_value)};
    }
    for (unsigned i = 0; i < r->nattrs; i++)
        w->attrs[i] = make_attr(w, r, i);
    return kit_record(w->dims, ndims, w->measure, r->time, r->version, w->attrs, r->nattrs);
}

/* ---- operations
 * ------------------------------------------------------------------------------------------------ */

static void on_done(struct store_commit *commit)
{
    MR_UNUSED(commit);
    run.finished++;
}

static void do_append(void)
{
    struct model_record wanted[BATCH];
    struct words words[BATCH];
    struct store_record records[BATCH];
    enum store_outcome outcomes[BATCH];
    int64_t versions[BATCH];
    size_t count = 1 + below(BATCH), stored = 0;
    bool fails = below(40) == 0;
    if (below(500) == 0) /* beyond what a chunk counts in four bytes */
        run.last = fake_wal_jump(UINT64_C(1) << 33);
    uint64_t skip = below(8) == 0 ? below(1000) : 0, guess = run.last + 1;
    for (size_t i = 0; i < count; i++) {
        random_record(&wanted[i]);
        if (i != 0 && below(4) == 0) { /* the same row again */
            wanted[i].dim_set = wanted[i - 1].dim_set;
            wanted[i].measure = wanted[i - 1].measure;
            wanted[i].time = wanted[i - 1].time;
        }
        records[i] = make_record(&words[i], &wanted[i]);
        outcomes[i] = model_put(run.model, &wanted[i], guess, &versions[i]);
        stored += outcomes[i] == STORE_STORED;
    }
    struct store_commit *commit = &run.commits[run.started % MR_ARRAY_LEN(run.commits)];
    commit->done = on_done;
    fake_wal_fail(fails ? MR_EBUSY : MR_OK);
    fake_wal_skip(skip);
    struct mr_error err = MR_ERROR_INIT;
    int rc = store_append(run.kit.table, records, count, commit, NULL);
    if (rc == MR_EAGAIN) {
        run.late++;
        rc = store_append_wait(run.kit.table, records, count, commit, &err);
    }
    fake_wal_fail(MR_OK);
    fake_wal_skip(0);
    expect_equal("status of an append", (uint64_t)rc, (uint64_t)(fails && stored != 0 ? MR_EBUSY : MR_OK));
    if (rc != MR_OK) {
        model_undo(run.model, guess);
        return;
    }
    run.started++;
    for (size_t i = 0; i < count; i++) {
        expect_equal("outcome", records[i].outcome, outcomes[i]);
        expect_equal("existing version", (uint64_t)records[i].existing_version, (uint64_t)versions[i]);
    }
    if (stored != 0) {
        run.last = guess + skip;
        if (skip != 0)
            model_renumber(run.model, guess, run.last);
    }
    if (run.started - run.finished == MR_ARRAY_LEN(run.commits)) { /* all are in use */
        run.durable = run.last;
        fake_wal_durable(run.durable);
    }
}

static void check_rows(struct store_snapshot *snapshot, uint64_t lsn)
{
    int64_t a = 0, b = MODEL_TIMES - 1;
    if (below(3) == 0) {
        a = (int64_t)below((uint64_t)run.profile->times);
        b = a + (int64_t)below((uint64_t)(run.profile->times - a));
    }
    char *got = kit_rows_at(snapshot, run.kit.table, NULL, 0, a, b);
    char *want = model_rows(run.model, lsn, a, b);
    if (strcmp(got, want) != 0)
        fail_at("rows of a snapshot", got, want);
    mr_free(got);
    mr_free(want);
}

static void do_snapshot(void)
{
    struct held *held = &run.held[below(SNAPSHOTS)];
    if (held->snapshot == NULL) {
        check_ok(store_snapshot_open(run.kit.store, &held->snapshot), NULL);
        held->lsn = run.durable;
    }
    check_rows(held->snapshot, held->lsn);
    if (below(3) == 0) {
        store_snapshot_close(held->snapshot);
        held->snapshot = NULL;
    }
}

static void do_durable(void)
{
    run.durable += below(run.last - run.durable + 1);
    fake_wal_durable(run.durable);
    if (run.durable == run.last)
        expect_equal("commits finished", run.finished, run.started);
}

static void check_schema(void)
{
    struct mr_arena arena = MR_ARENA_INIT;
    struct mr_buf got = MR_BUF_INIT;
    struct store_schema schema;
    check_ok(store_schema_get(run.kit.table, &arena, &schema), NULL);
    for (size_t i = 0; i < schema.ncolumns; i++)
        mr_buf_printf(&got, MR_STR_FMT ":%d:%d ", MR_STR_ARG(schema.columns[i].name),
                      (int)schema.columns[i].role, (int)schema.columns[i].type);
    mr_buf_char(&got, '\0');
    char *want = model_schema(run.model);
    if (strcmp(got.ptr, want) != 0)
        fail_at("schema", got.ptr, want);
    mr_free(want);
    mr_buf_release(&got);
    mr_arena_release(&arena);
}

static void do_restart(void)
{
    for (int i = 0; i < SNAPSHOTS; i++) {
        store_snapshot_close(run.held[i].snapshot);
        run.held[i].snapshot = NULL;
    }
    if (below(2) == 0) { /* a clean end: all of it is durable */
        run.durable = run.last;
        fake_wal_durable(run.durable);
    }
    store_table_unref(run.kit.table);
    store_close(run.kit.store);
    fake_wal_lose();
    run.last = run.durable;
    run.started = run.finished = 0;
    model_restart(run.model, run.durable);
    struct mr_error err = MR_ERROR_INIT;
    check_ok(store_open(&run.kit.options, &run.kit.store, &err), &err);
    check_ok(store_table_ref(run.kit.store, 3, 7, &run.kit.table, &err), &err);
}

static void do_expire(void)
{
    int64_t cutoff = (int64_t)below((uint64_t)run.profile->times);
    check_ok(store_expire(run.kit.table, cutoff, NULL), NULL);
    model_expire(run.model, cutoff);
}

static void do_files(void)
{
    struct mr_error err = MR_ERROR_INIT;
    if (below(4) == 0) {
        check_ok(store_compact(run.kit.store, &err), &err);
        return;
    }
    check_ok(store_flush(run.kit.store, &err), &err); /* flushes the log too, when it finds rows */
    run.durable = run.last;
    fake_wal_durable(run.durable);
    run.flushes++;
}

static void step(void)
{
    uint64_t dice = below(10000);
    if (dice < 7)
        do_restart();
    else if (dice < 20 && !run.profile->files)
        do_expire();
    else if (dice < 80 && run.profile->files)
        do_files();
    else if (dice < 1000)
        do_durable();
    else if (dice < 1000 + 10000 / run.profile->check_every)
        do_snapshot();
    else
        do_append();
    if (run.op % run.profile->check_every == 0)
        check_schema();
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    uint64_t v;
    return mr_str_to_u64(mr_str_of(getenv(name)), &v) ? v : otherwise;
}

static void play(const struct profile *profile, uint64_t seed, uint64_t ops)
{
    memset(&run, 0, sizeof run);
    run.profile = profile;
    run.seed = setting("MR_SEED", seed);
    run.rng.state = run.seed;
    run.model = model_new();
    fake_wal_reset();
    run.kit.options.by_hand = true;
    run.kit.options.window_ns = 1000;
    kit_open(&run.kit);
    for (run.op = 0; run.op < setting("MR_OPS", ops); run.op++)
        step();
    do_restart();
    struct held last = {NULL, run.durable};
    check_ok(store_snapshot_open(run.kit.store, &last.snapshot), NULL);
    check_rows(last.snapshot, last.lsn);
    store_snapshot_close(last.snapshot);
    if (profile->files && run.op >= 1000)
        assert_true(run.late != 0 && run.flushes != 0);
    kit_close(&run.kit);
    fake_wal_reset();
    model_free(run.model);
}

/* Few rows, so that most records meet one: versions, types, roles. */
static void test_few_rows(void **state)
{
    MR_UNUSED(state);
    static const struct profile few = {6, 6, 12, 3, 12, 6, 100, false};
    play(&few, 20240601, 80000);
}

/* Two series of thousands of rows in random order: chunks split, grow, and lose their front. */
static void test_long_series(void **state)
{
    MR_UNUSED(state);
    static const struct profile longer = {1, 6, 12, 1000, MODEL_TIMES, 4, 2000, false};
    play(&longer, 77, 30000);
}

/* The same two with files: late records meet rows that left memory long ago. */
static void test_few_rows_in_files(void **state)
{
    MR_UNUSED(state);
    static const struct profile few = {6, 6, 12, 3, 12, 6, 100, true};
    play(&few, 31337, 6000);
}

static void test_long_series_in_files(void **state)
{
    MR_UNUSED(state);
    static const struct profile longer = {1, 6, 12, 1000, MODEL_TIMES, 4, 500, true};
    play(&longer, 4711, 6000);
}

int main(void)
{
    mr_log_set_level(MR_LOG_ERROR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_few_rows), cmocka_unit_test(test_long_series),
                                       cmocka_unit_test(test_few_rows_in_files),
                                       cmocka_unit_test(test_long_series_in_files)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
