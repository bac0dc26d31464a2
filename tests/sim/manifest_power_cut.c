/* Manifests on a disk that loses power, at every moment of a store's life.
 *
 * A life creates files, names them in manifests, names some no more and cleans. Cut off anywhere, the next
 * start must find:
 *   - the last state whose commit had returned, or that of the commit under way: never an older one, never
 *     none;
 *   - every file that this state names, and every file that any intact manifest names;
 *   - the same after it has cleaned, and after a second cut at any moment of that start.
 *
 * MR_SIM_SEED picks other lives, MR_SIM_STATES more of them. A failure prints what to repeat it with.
 */
#include "lib/simdisk.h"
#include "unit/magstore/manifest_kit.h"

#include "base/rand.h"

#include <stdio.h>
#include <stdlib.h>

#define DIR "/store"
#define STEPS 25
#define MAX_COMMITS 64

struct commit {
    struct magstore_manifest state; /* as it was handed over */
    size_t begun, done;             /* moments; done SIZE_MAX: never */
};

struct life {
    struct simdisk *disk;
    struct magstore_manifest m;
    struct commit commits[MAX_COMMITS];
    size_t ncommits;
    size_t opened_at; /* before it, the directory may be missing */
    uint64_t seed, next_log;
};

static unsigned states_built, starts_cut;

static void note_commit(struct life *l, size_t begun)
{
    MR_ASSERT(l->ncommits < MAX_COMMITS);
    struct commit *c = &l->commits[l->ncommits++];
    assert_int_equal(magstore_manifest_copy(&l->m, &c->state), MR_OK);
    c->begun = begun;
    c->done = simdisk_changes(l->disk);
}

static void commit(struct life *l)
{
    struct mr_error err = MR_ERROR_INIT;
    size_t begun = simdisk_changes(l->disk);
    l->m.wal_low = l->next_log++;
    check_ok(magstore_manifest_commit(simdisk_io(l->disk), DIR, &l->m, &err), &err);
    note_commit(l, begun);
}

/* New files, sometimes in place of old ones; sometimes one that is never named. */
static void change(struct life *l, struct mr_rng *rng)
{
    for (uint64_t n = mr_rng_below(rng, 4); n > 0; n--) {
        uint64_t number = l->m.next_file++;
        manifest_kit_create(simdisk_io(l->disk), DIR, number);
        if (mr_rng_below(rng, 4) != 0)
            manifest_kit_add(&l->m, number, 1);
    }
    for (uint64_t n = mr_rng_below(rng, 3); n > 0 && l->m.nfiles > 3; n--) {
        struct magstore_file *file = &l->m.files[mr_rng_below(rng, l->m.nfiles)];
        assert_true(magstore_manifest_remove(&l->m, file->kind, file->number));
    }
}

static void clean(struct life *l)
{
    size_t removed;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(magstore_manifest_clean(simdisk_io(l->disk), DIR, l->m.next_file, &removed, &err), &err);
}

static void live(struct life *l, struct mr_rng *rng)
{
    for (int i = 0; i < STEPS; i++) {
        change(l, rng);
        commit(l);
        if (mr_rng_below(rng, 3) != 0)
            clean(l);
    }
}

static void broken(const struct life *l, size_t moment, const char *kept, uint64_t seed, const char *what)
{
    fail_msg("%s\n  MR_SIM_SEED=%llu moment %zu kept %s state seed %llu", what, (unsigned long long)l->seed,
             moment, kept, (unsigned long long)seed);
}

static const char *check_files(const struct mr_io *io, const struct magstore_manifest *m)
{
    for (size_t i = 0; i < m->nfiles; i++)
        if (!manifest_kit_file_is_there(io, DIR, m->files[i].number))
            return "a file that is named is gone";
    return NULL;
}

/* Every manifest that is there and intact, the newest two and those that linger. */
struct all {
    const struct mr_io *io;
    const char *why;
};

static int check_manifest(void *arg, const char *name)
{
    struct all *all = arg;
    char path[64];
    struct mr_buf bytes = MR_BUF_INIT;
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    if (strncmp(name, "manifest-", 9) != 0 || strlen(name) != 25)
        return 0;
    snprintf(path, sizeof path, DIR "/%s", name);
    int status = mr_io_read_file(all->io, path, 1 << 20, &bytes, NULL);
    if (status == MR_OK)
        status = magstore_manifest_decode(mr_buf_view(&bytes), &m, NULL);
    if (status != MR_OK)
        all->why = "a manifest under its name is not whole";
    else if (all->why == NULL)
        all->why = check_files(all->io, &m);
    magstore_manifest_release(&m);
    mr_buf_release(&bytes);
    return 0;
}

/* NULL: what was loaded keeps what was promised up to the moment. */
static const char *judge(const struct life *l, size_t moment, const struct mr_io *io,
                         const struct magstore_manifest *m)
{
    const struct commit *found = NULL;
    bool below = false;
    for (size_t i = 0; i < l->ncommits; i++) {
        const struct commit *c = &l->commits[i];
        if (c->state.generation == m->generation && c->begun <= moment)
            found = c;
        below = below || (c->state.generation > m->generation && c->done <= moment);
    }
    if (m->fell_back)
        return "a manifest is damaged";
    if (below)
        return "a state that was committed is gone";
    if (found == NULL && m->generation != 0)
        return "a state that was never committed";
    if (found != NULL) {
        struct magstore_manifest same = *m;
        same.next_file = found->state.next_file; /* may be higher: files that nobody names yet */
        if (m->next_file < found->state.next_file || !manifest_kit_same(&same, &found->state))
            return "a state that differs from what was committed";
    }
    struct all all = {io, check_files(io, m)};
    assert_int_equal(io->list(io->ctx, DIR, check_manifest, &all), 0);
    return all.why;
}

/* What a start does. Returns why it is wrong; *out is the state found. */
static const char *start(const struct life *l, size_t moment, struct simdisk *disk,
                         struct magstore_manifest *out, struct mr_error *err)
{
    const struct mr_io *io = simdisk_io(disk);
    size_t removed;
    *out = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
    if (magstore_manifest_load(io, DIR, out, err) != MR_OK)
        return err->text;
    const char *why = judge(l, moment, io, out);
    if (why != NULL)
        return why;
    if (magstore_manifest_clean(io, DIR, UINT64_MAX, &removed, err) != MR_OK)
        return err->text;
    return judge(l, moment, io, out);
}

/* The start on the state is cut too: what it found stays. */
static void cut_start(const struct life *l, size_t moment, struct simdisk *state, uint64_t generation,
                      size_t started_at, size_t loaded_at, const char *kept, struct mr_rng *rng)
{
    for (int i = 0; i < 3; i++) {
        struct magstore_manifest m;
        struct mr_error err = MR_ERROR_INIT;
        size_t at = started_at + mr_rng_below(rng, simdisk_changes(state) - started_at + 1);
        enum simdisk_keep keep = (enum simdisk_keep)mr_rng_below(rng, SIMDISK_KEEPS);
        uint64_t seed = mr_rng_next(rng);
        struct simdisk *again = simdisk_power_cut(state, at, keep, seed);
        const char *why = start(l, moment, again, &m, &err);
        if (why == NULL && at >= loaded_at && m.generation != generation)
            why = "a state that a start had found is gone after a second cut";
        if (why != NULL)
            broken(l, moment, kept, seed, why);
        magstore_manifest_release(&m);
        simdisk_free(again);
        starts_cut++;
    }
}

static void check_state(const struct life *l, size_t moment, struct simdisk *state, const char *kept,
                        uint64_t seed, struct mr_rng *rng)
{
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    size_t started_at = simdisk_changes(state); /* after a kill, the record goes on */
    check_ok(magstore_manifest_load(simdisk_io(state), DIR, &m, &err), &err);
    size_t loaded_at = simdisk_changes(state);
    uint64_t generation = m.generation;
    magstore_manifest_release(&m);
    const char *why = start(l, moment, state, &m, &err);
    if (why != NULL)
        broken(l, moment, kept, seed, why);
    if (mr_rng_below(rng, 8) == 0 || strcmp(kept, "kill") == 0)
        cut_start(l, moment, state, generation, started_at, loaded_at, kept, rng);
    magstore_manifest_release(&m);
    simdisk_free(state);
    states_built++;
}

static void begin(struct life *l, uint64_t seed)
{
    struct mr_error err = MR_ERROR_INIT;
    *l = (struct life){.seed = seed, .next_log = 1, .m = MAGSTORE_MANIFEST_INIT};
    l->disk = simdisk_new();
    const struct mr_io *io = simdisk_io(l->disk);
    assert_int_equal(io->mkdir(io->ctx, DIR, 0700), 0);
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
    l->opened_at = simdisk_changes(l->disk);
}

static void end(struct life *l)
{
    for (size_t i = 0; i < l->ncommits; i++)
        magstore_manifest_release(&l->commits[i].state);
    magstore_manifest_release(&l->m);
    simdisk_free(l->disk);
}

static void one_life(uint64_t seed)
{
    static struct life l;
    struct mr_rng rng = {seed};
    begin(&l, seed);
    live(&l, &rng);
    for (size_t moment = l.opened_at; moment <= simdisk_changes(l.disk); moment++) {
        for (int keep = 0; keep < SIMDISK_KEEPS; keep++) {
            uint64_t s = mr_rng_next(&rng);
            struct simdisk *state = simdisk_power_cut(l.disk, moment, (enum simdisk_keep)keep, s);
            check_state(&l, moment, state, simdisk_keep_name((enum simdisk_keep)keep), s, &rng);
        }
        check_state(&l, moment, simdisk_kill(l.disk, moment, false), "kill", 0, &rng);
    }
    end(&l);
}

static void power_cuts_leave_the_old_or_the_new_state(void **unused)
{
    MR_UNUSED(unused);
    const char *states = getenv("MR_SIM_STATES"), *given = getenv("MR_SIM_SEED");
    unsigned long want = states != NULL ? strtoul(states, NULL, 10) : 5000;
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20250211;
    for (uint64_t i = 0; states_built < want; i++)
        one_life(seed + i);
    print_message("seed %llu: %u crash states, %u starts cut\n", (unsigned long long)seed, states_built,
                  starts_cut);
    assert_true(starts_cut >= want / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(power_cuts_leave_the_old_or_the_new_state),
    };
    return cmocka_run_group_tests_name("sim/manifest_power_cut", tests, NULL, NULL);
}
