/* The log on a disk that loses power.
 *
 * A chain is a log's life: it runs, is cut off (power or kill), recovers, runs on, up to four times. Of each
 * run many crash states are built and recovered, and each must keep the log's promises:
 *   - every entry whose waiter had run before the cut is there (unless it was trimmed), whole and in its
 * place;
 *   - nothing is there that was not appended;
 *   - the log is not refused;
 *   - what a recovery returned as there stays there, also through a second cut inside the recovery.
 *
 * MR_SIM_SEED picks other lives, MR_SIM_STATES more of them. A failure prints seed, chain, run, moment and
 * what was kept, and leaves the directory for millrace dump. The log's own threads race as they do in life,
 * so the same seed may need a few runs to show the same failure.
 */
#include "lib/dir.h"
#include "lib/simdisk.h"
#include "unit/wal/kit.h"

#include "base/log.h"
#include "base/rand.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#define RUNS_IN_CHAIN 4
#define STATES_IN_RUN 12
#define MAX_ENTRIES 2000 /* of a life */

static uint64_t base_seed = 20240817;

/* What was promised about a disk, up to any moment of its record. By LSN; [0] is unused. */
struct promise {
    struct simdisk *disk;
    uint64_t number[MAX_ENTRIES + 1]; /* the entry appended */
    size_t acked_at[MAX_ENTRIES + 1]; /* moment when its waiter had run; SIZE_MAX: never */
    uint64_t last;                    /* LSN given out */
    struct {
        size_t at; /* moment before the call */
        uint64_t lsn;
    } trims[64];
    size_t ntrims;
    size_t opened_at; /* moment when the open returned */
    uint64_t next_number;
    uint64_t seed;
    unsigned chain, run;
};

struct ack {
    struct wal_waiter waiter; /* first */
    struct promise *promise;
};

static void acked(struct wal_waiter *w)
{
    struct ack *a = (struct ack *)w;
    a->promise->acked_at[w->lsn] = simdisk_changes(a->promise->disk);
    free(a);
}

static struct wal_options options(struct simdisk *disk)
{
    struct wal_options o = kit_options(simdisk_io(disk), "/wal");
    o.segment_bytes = 48 << 10;
    o.idle_mark_ms = 1;
    return o;
}

static void append_some(struct promise *p, struct wal *wal, struct mr_rng *rng)
{
    for (uint64_t n = 1 + mr_rng_below(rng, 12); n > 0 && p->last < MAX_ENTRIES; n--) {
        struct ack *a = malloc(sizeof *a);
        assert_non_null(a);
        *a = (struct ack){.waiter = {.done = acked}, .promise = p};
        uint64_t lsn = p->last + 1;
        p->number[lsn] = p->next_number;
        p->acked_at[lsn] = SIZE_MAX;
        assert_int_equal(kit_append(wal, p->next_number++, &a->waiter), lsn);
        p->last = lsn;
    }
}

/* One run on p->disk, whose log recovers to p->last. */
static void run(struct promise *p, struct wal *wal, struct mr_rng *rng)
{
    uint64_t steps = 5 + mr_rng_below(rng, 30);
    for (uint64_t i = 0; i < steps; i++) {
        append_some(p, wal, rng);
        switch (mr_rng_below(rng, 8)) {
        case 0:
        case 1:
        case 2:
            wal_flush(wal);
            break;
        case 3:
            sched_yield();
            break;
        case 4:
            if (p->ntrims < MR_ARRAY_LEN(p->trims) && mr_rng_below(rng, 3) == 0) {
                uint64_t lsn = mr_rng_below(rng, wal_durable_lsn(wal) + 1);
                struct mr_error err = MR_ERROR_INIT;
                p->trims[p->ntrims].at = simdisk_changes(p->disk);
                p->trims[p->ntrims++].lsn = lsn;
                check_ok(wal_trim(wal, lsn, &err), &err);
            }
            break;
        default:
            break;
        }
    }
}

static uint64_t trimmed(const struct promise *p, size_t moment)
{
    uint64_t lsn = 0;
    for (size_t i = 0; i < p->ntrims; i++)
        if (p->trims[i].at <= moment && p->trims[i].lsn > lsn)
            lsn = p->trims[i].lsn;
    return lsn;
}

static void broken(const struct promise *p, struct simdisk *state, size_t moment, const char *kept,
                   uint64_t seed, const char *what)
{
    char *dir = dir_make(); /* stays */
    simdisk_export(state, "/wal", dir);
    fail_msg(
        "%s\n  seed %llu chain %u run %u moment %zu kept %s state seed %llu\n  millrace dump --keys ... %s",
        what, (unsigned long long)p->seed, p->chain, p->run, moment, kept, (unsigned long long)seed, dir);
}

/* NULL when what was found keeps what was promised up to the moment. */
static const char *judge(const struct promise *p, size_t moment, const struct kit_found *f)
{
    uint64_t floor = trimmed(p, moment), need = 0;
    for (uint64_t lsn = floor + 1; lsn <= p->last; lsn++)
        if (p->acked_at[lsn] <= moment)
            need = lsn;
    if (f->gap)
        return "LSNs with a gap";
    uint64_t last = f->count != 0 ? f->first_lsn + f->count - 1 : 0;
    if (last > p->last)
        return "more entries than were appended";
    for (uint64_t lsn = f->first_lsn; f->count != 0 && lsn <= last; lsn++)
        if (!kit_found_is(f, lsn, p->number[lsn]))
            return "an entry differs from what was appended";
    if (need != 0 && (f->count == 0 || f->first_lsn > floor + 1))
        return "acknowledged entries are missing at the beginning";
    if (need != 0 && last < need)
        return "acknowledged entries are missing at the end";
    return NULL;
}

static void recover_and_judge(const struct promise *p, struct simdisk *state, size_t moment, const char *kept,
                              uint64_t seed, struct kit_found *f)
{
    struct wal_recovery r;
    struct mr_error err = MR_ERROR_INIT;
    *f = (struct kit_found){.first_lsn = 0};
    int status = wal_recover(simdisk_io(state), "/wal", kit_keyring(), 0, kit_replay, f, &r, &err);
    wal_recovery_release(&r);
    if (status != MR_OK)
        broken(p, state, moment, kept, seed, err.text);
    const char *why = judge(p, moment, f);
    if (why != NULL)
        broken(p, state, moment, kept, seed, why);
}

static bool same(const struct kit_found *a, const struct kit_found *b)
{
    return a->count == b->count && (a->count == 0 || (a->first_lsn == b->first_lsn &&
                                                      memcmp(a->hashes, b->hashes, a->count * 8) == 0));
}

/* Recovery of the state is itself cut; what the first would have returned is there after the second. */
static void cut_recovery(const struct promise *p, struct simdisk *state, size_t moment, struct mr_rng *rng)
{
    struct kit_found first = {.first_lsn = 0}, second;
    struct wal_options o = options(state);
    struct wal *wal = kit_open(&o, &first);
    size_t opened = simdisk_changes(state);
    wal_close(wal);
    for (int i = 0; i < 3; i++) {
        size_t at = mr_rng_below(rng, opened + 1);
        enum simdisk_keep keep = (enum simdisk_keep)mr_rng_below(rng, SIMDISK_KEEPS);
        uint64_t seed = mr_rng_next(rng);
        struct simdisk *again = simdisk_power_cut(state, at, keep, seed);
        recover_and_judge(p, again, moment, simdisk_keep_name(keep), seed, &second);
        if (!same(&first, &second))
            broken(p, again, at, simdisk_keep_name(keep), seed, "two recoveries differ");
        kit_found_release(&second);
        simdisk_free(again);
    }
    kit_found_release(&first);
}

static unsigned states_built, recoveries_cut;

/* Crash states of the run that p describes. */
static void cut_run(const struct promise *p, struct mr_rng *rng)
{
    for (int i = 0; i < STATES_IN_RUN; i++) {
        size_t moment = mr_rng_below(rng, simdisk_changes(p->disk) + 1);
        enum simdisk_keep keep = (enum simdisk_keep)mr_rng_below(rng, SIMDISK_KEEPS);
        uint64_t seed = mr_rng_next(rng);
        struct simdisk *state = simdisk_power_cut(p->disk, moment, keep, seed);
        struct kit_found found;
        if (moment >= p->opened_at) { /* before it, the directory itself may be missing */
            recover_and_judge(p, state, moment, simdisk_keep_name(keep), seed, &found);
            kit_found_release(&found);
            states_built++;
            if (i % 8 == 0) {
                cut_recovery(p, state, moment, rng);
                recoveries_cut += 3;
            }
        }
        simdisk_free(state);
    }
}

/* The next run begins on a crash state of this one. Its promises: all that its open returns. */
static struct wal *carry_on(struct promise *p, struct mr_rng *rng)
{
    size_t span = simdisk_changes(p->disk) - p->opened_at;
    size_t moment = p->opened_at + mr_rng_below(rng, span + 1);
    uint64_t kind = mr_rng_below(rng, 3), seed = mr_rng_next(rng);
    struct simdisk *state = kind == 0   ? simdisk_power_cut(p->disk, moment, SIMDISK_COIN, seed)
                            : kind == 1 ? simdisk_kill(p->disk, moment, false)
                                        : simdisk_kill(p->disk, moment, true);
    static const char *const kinds[] = {"coin", "kill", "kill after a failed sync"};
    struct kit_found found = {.first_lsn = 0};
    struct wal_options o = options(state);
    struct wal *wal = kit_open(&o, &found);
    const char *why = judge(p, moment, &found);
    if (why != NULL)
        broken(p, state, moment, kinds[kind], seed, why);
    uint64_t floor = trimmed(p, moment);
    simdisk_free(p->disk);
    p->disk = state;
    p->run++;
    p->opened_at = simdisk_changes(state);
    p->last = wal_last_lsn(wal);
    for (uint64_t lsn = 1; lsn <= p->last; lsn++)
        p->acked_at[lsn] = p->opened_at;
    p->ntrims = 1;
    p->trims[0].at = 0;
    p->trims[0].lsn = floor;
    kit_found_release(&found);
    return wal;
}

static void live(uint64_t seed, unsigned chain)
{
    struct mr_rng rng = {seed + chain};
    static struct promise p;
    memset(&p, 0, sizeof p);
    p.disk = simdisk_new();
    p.seed = seed;
    p.chain = chain;
    p.next_number = 1;
    const struct mr_io *io = simdisk_io(p.disk);
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(io->mkdir(io->ctx, "/wal", 0700), 0);
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
    struct wal_options o = options(p.disk);
    struct wal *wal = kit_open(&o, NULL);
    p.opened_at = simdisk_changes(p.disk);
    for (int i = 0;; i++) {
        run(&p, wal, &rng);
        wal_close(wal);
        cut_run(&p, &rng);
        if (i + 1 == RUNS_IN_CHAIN)
            break;
        wal = carry_on(&p, &rng);
    }
    simdisk_free(p.disk);
}

static void power_cuts_keep_every_promise(void **unused)
{
    MR_UNUSED(unused);
    const char *states = getenv("MR_SIM_STATES"), *seed = getenv("MR_SIM_SEED");
    unsigned long want = states != NULL ? strtoul(states, NULL, 10) : 2000;
    if (seed != NULL)
        base_seed = strtoull(seed, NULL, 10);
    for (unsigned chain = 0; states_built < want; chain++)
        live(base_seed, chain);
    print_message("seed %llu: %u crash states, %u recoveries cut\n", (unsigned long long)base_seed,
                  states_built, recoveries_cut);
    assert_true(recoveries_cut >= want / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_keep_every_promise),
    };
    mr_log_set_level(MR_LOG_ERROR); /* torn tails are the normal case here */
    return cmocka_run_group_tests_name("sim/wal_power_cut", tests, NULL, NULL);
}
