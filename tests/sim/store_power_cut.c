/* A whole store on a disk that loses power: appends, flushes, compactions, expiry, drops and starts are
 * recorded once, then the power goes at every change of all but the appends, and at many of those.
 *
 * Each state is opened, and must hold the acts acknowledged before the cut, perhaps some of those begun, and
 * each whole; a second open finds the same; no file is left that no manifest names. Of some states the
 * recovery itself is cut, and what the second finds is what the first found. Of some the newest manifest is
 * damaged, and the one before it does.
 *
 * MR_SIM_SEED picks another first life, MR_SIM_STATES the number of states (150 cut some of the changes only,
 * 2,000 all of a life). A failure prints life, moment and what was kept. The log's threads race as they do in
 * life, so the same seed may need a few runs to show the same failure.
 */
#include "sim/store_life.h"

#include "base/log.h"
#include "magstore/manifest.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { APPENDS = 80 };

/* A life that was lived, and when on its disk. */
struct record {
    uint64_t seed;
    struct life life;
    struct simdisk *disk;
    struct moments {
        size_t begun, ended; /* changes before the act, and after it returned */
        struct engine_commit commit;
    } * moments;
    size_t opened;  /* changes when the first open had returned */
    size_t changes; /* by all but appends */
};

static struct {
    uint64_t states, spoilt, recoveries, opens, files_seen, whole_lives;
    uint64_t changes[LIFE_KINDS], cut[LIFE_KINDS];
} totals;

static char where[512]; /* the state under way, for a failure */

void model_broken(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    printf("FAILED %s\n  ", where);
    vprintf(fmt, args);
    va_end(args);
    printf("\n");
    exit(1);
}

/* ---- living
 * ------------------------------------------------------------------------------------------------------ */

static void live(struct record *r, uint64_t seed)
{
    static struct engine engine;
    struct mr_error err = MR_ERROR_INIT;
    memset(r, 0, sizeof *r);
    r->seed = seed;
    snprintf(where, sizeof where, "seed %" PRIu64, seed);
    life_draw(&r->life, seed, APPENDS);
    r->disk = simdisk_new();
    r->moments = calloc(r->life.count, sizeof *r->moments);
    MR_ASSERT(r->moments != NULL);
    const struct mr_io *io = simdisk_io(r->disk);
    engine_init(&engine, &r->life.profile, true);
    engine_make_dir(io);
    if (!engine_try_open(&engine, io, &err))
        model_broken("a new store does not open: %s", err.text);
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        engine_table(&engine, i, i + 1);
    r->opened = simdisk_changes(r->disk);
    for (size_t i = 0; i < r->life.count; i++) {
        const struct life_act *act = &r->life.acts[i];
        struct moments *m = &r->moments[i];
        m->begun = simdisk_changes(r->disk);
        m->commit = (struct engine_commit){.disk = r->disk, .acked_at = SIZE_MAX};
        if (life_do(&engine, io, act, &m->commit, &err) != MR_OK)
            model_broken("a%s %s fails: %s", act->kind == LIFE_APPEND ? "n" : "", life_kind_name(act->kind),
                         err.text);
        if (act->settle)
            engine_settle(&engine);
        m->ended = simdisk_changes(r->disk);
        if (act->kind == LIFE_DROP)
            m->commit.acked_at = m->ended;
        totals.changes[act->kind] += m->ended - m->begun;
        r->changes += act->kind != LIFE_APPEND ? m->ended - m->begun : 0;
    }
    engine_close(&engine);
    engine_destroy(&engine);
}

static void record_release(struct record *r)
{
    simdisk_free(r->disk);
    life_release(&r->life);
    free(r->moments);
}

/* ---- judging
 * ----------------------------------------------------------------------------------------------------- */

struct directory {
    const struct mr_io *io;
    struct magstore_manifest named; /* by any manifest there */
    size_t manifests;
    bool second; /* pass: now every file must be among them */
};

static int look_at(void *arg, const char *name)
{
    struct directory *d = arg;
    struct mr_error err = MR_ERROR_INIT;
    char path[256], known[MAGSTORE_FILE_NAME_BYTES];
    snprintf(path, sizeof path, ENGINE_DIR "/files/%s", name);
    bool manifest = strncmp(name, "manifest-", 9) == 0 && strstr(name, ".tmp") == NULL;
    d->manifests += manifest && !d->second;
    if (!d->second && manifest) {
        struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
        struct mr_buf bytes = MR_BUF_INIT;
        if (mr_io_read_file(d->io, path, 1 << 20, &bytes, &err) == MR_OK &&
            magstore_manifest_decode(mr_buf_view(&bytes), &m, &err) == MR_OK)
            for (size_t i = 0; i < m.nfiles; i++)
                MR_ASSERT(magstore_manifest_add(&d->named, &m.files[i]) == MR_OK);
        magstore_manifest_release(&m);
        mr_buf_release(&bytes);
    }
    bool found = manifest || !d->second || strcmp(name, "ballast") == 0;
    for (size_t i = 0; i < d->named.nfiles && !found; i++) {
        magstore_file_name(d->named.files[i].kind, d->named.files[i].number, known);
        found = strcmp(known, name) == 0;
    }
    if (!found)
        model_broken("%s is left and no manifest names it", path);
    totals.files_seen += d->second;
    return 0;
}

/* A store that has opened keeps no file that no manifest names (as long as there is none, it removes
 * nothing). */
static void check_files(const struct mr_io *io)
{
    struct directory d = {.io = io, .named = MAGSTORE_MANIFEST_INIT};
    if (io->list(io->ctx, ENGINE_DIR "/files", look_at, &d) < 0)
        model_broken("there is no directory of files");
    d.second = true;
    if (d.manifests != 0)
        io->list(io->ctx, ENGINE_DIR "/files", look_at, &d);
    magstore_manifest_release(&d.named);
}

static void open_state(struct engine *e, struct simdisk *state)
{
    struct mr_error err = MR_ERROR_INIT;
    totals.opens++;
    if (!engine_try_open(e, simdisk_io(state), &err))
        model_broken("the store is refused: %s", err.text);
}

/* What is on this disk is exactly what the model holds. */
static void open_again(struct engine *e, struct simdisk *state, const struct model *model, bool spoilt,
                       const char *what)
{
    struct mr_buf text = MR_BUF_INIT;
    open_state(e, state);
    if (!spoilt)
        check_files(simdisk_io(state));
    if (engine_same(e, model, 7, &text) != ENGINE_SAME)
        model_broken("%s finds something else: " MR_STR_FMT, what, MR_STR_ARG(mr_buf_view(&text)));
    engine_close(e);
    mr_buf_release(&text);
}

/* ---- the manifest before the newest
 * ------------------------------------------------------------------------------- */

struct newest {
    char name[64];
    unsigned count;
};

static int find_newest(void *arg, const char *name)
{
    struct newest *found = arg;
    if (strncmp(name, "manifest-", 9) != 0 || strstr(name, ".tmp") != NULL)
        return 0;
    found->count++;
    if (strcmp(name, found->name) > 0)
        snprintf(found->name, sizeof found->name, "%s", name);
    return 0;
}

/* Two manifests are kept so that one may be damaged: spoils the newest. False when there are not two. */
static bool spoil_manifest(struct simdisk *state)
{
    const struct mr_io *io = simdisk_io(state);
    struct newest found = {"", 0};
    char path[256];
    unsigned char byte;
    if (io->list(io->ctx, ENGINE_DIR "/files", find_newest, &found) < 0 || found.count < 2)
        return false;
    snprintf(path, sizeof path, ENGINE_DIR "/files/%s", found.name);
    int fd = io->open(io->ctx, path, O_RDWR, 0);
    int64_t at = io->size(io->ctx, fd) / 2;
    bool read = io->pread(io->ctx, fd, &byte, 1, at) == 1;
    byte ^= 0x10;
    if (!read || io->pwrite(io->ctx, fd, &byte, 1, at) != 1)
        model_broken("the manifest cannot be spoilt");
    io->close(io->ctx, fd);
    return true;
}

/* ---- cutting
 * ----------------------------------------------------------------------------------------------------- */

static void cut(const struct record *r, size_t moment, enum simdisk_keep keep, struct mr_rng *rng,
                const struct model *acked_model, size_t acked, size_t begun)
{
    static struct engine engine;
    struct model model;
    uint64_t seed = mr_rng_next(rng);
    snprintf(where, sizeof where,
             "seed %" PRIu64 " moment %zu of %zu keep %s state seed %" PRIu64 ", during act %zu (%s)",
             r->seed, moment, simdisk_changes(r->disk), simdisk_keep_name(keep), seed, begun - 1,
             life_kind_name(r->life.acts[begun - 1].kind));
    struct simdisk *state = simdisk_power_cut(r->disk, moment, keep, seed);
    engine_init(&engine, &r->life.profile, true);
    model_copy(acked_model, &model);
    bool spoilt = totals.states % 4 == 3 && spoil_manifest(state);
    totals.spoilt += spoilt;
    if (spoilt)
        strcat(where, ", its newest manifest spoilt");
    open_state(&engine, state);
    size_t opened = simdisk_changes(state);
    life_find(&engine, &r->life, NULL, acked, begun, &model);
    if (!spoilt)
        check_files(simdisk_io(state));
    engine_close(&engine);
    open_again(&engine, state, &model, spoilt, "a second open");
    if (totals.states++ % 8 == 0) {
        size_t at = mr_rng_below(rng, opened + 1);
        enum simdisk_keep again = (enum simdisk_keep)mr_rng_below(rng, SIMDISK_KEEPS);
        struct simdisk *second = simdisk_power_cut(state, at, again, mr_rng_next(rng));
        open_again(&engine, second, &model, spoilt, "an open after a cut recovery");
        totals.recoveries++;
        simdisk_free(second);
    }
    engine_destroy(&engine);
    model_release(&model);
    simdisk_free(state);
}

/* Whether the power goes at this change: at all of flush, compaction, expiry, drop and start when there are
 * `states` enough, and at some of the appends. */
static bool is_cut(const struct record *r, size_t act, uint64_t states, struct mr_rng *rng)
{
    bool append = r->life.acts[act].kind == LIFE_APPEND;
    return (!append || mr_rng_below(rng, 8) == 0) &&
           (states >= r->changes || mr_rng_below(rng, r->changes) < states);
}

static void cut_life(const struct record *r, uint64_t states)
{
    struct mr_rng rng = {r->seed ^ 0xc07};
    struct model model;
    model_init(&model);
    size_t acked = 0, noted = 0, begun = 0, changes = simdisk_changes(r->disk);
    for (size_t moment = r->opened; moment <= changes; moment++) {
        for (size_t i = acked; i < r->life.count && r->moments[i].begun <= moment; i++)
            if (life_is_logged(&r->life.acts[i]) && r->moments[i].commit.acked_at <= moment)
                acked = i + 1;
        while (begun < r->life.count && r->moments[begun].begun <= moment)
            begun++;
        for (; noted < acked; noted++)
            life_note(&model, &r->life.acts[noted]);
        if (!is_cut(r, begun - 1, states, &rng))
            continue;
        cut(r, moment, (enum simdisk_keep)mr_rng_below(&rng, SIMDISK_KEEPS), &rng, &model, acked, begun);
        totals.cut[r->life.acts[begun - 1].kind]++;
    }
    model_release(&model);
    totals.whole_lives += states >= r->changes;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    uint64_t first = setting("MR_SIM_SEED", 20241125), want = setting("MR_SIM_STATES", 150), seed = first;
    mr_log_set_level(MR_LOG_ERROR); /* torn tails are the normal case here */
    while (totals.states < want) {
        static struct record r;
        live(&r, seed++);
        cut_life(&r, want - totals.states);
        record_release(&r);
    }
    printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " crash states (%" PRIu64
           " with a spoilt manifest), %" PRIu64 " recoveries cut, %" PRIu64 " opens, %" PRIu64
           " files looked at; %" PRIu64 " lives cut at every change but those of appends\n",
           first, seed - 1, totals.states, totals.spoilt, totals.recoveries, totals.opens, totals.files_seen,
           totals.whole_lives);
    for (int k = 0; k < LIFE_KINDS; k++)
        printf("  %s: %" PRIu64 " changes, cut %" PRIu64 " times\n", life_kind_name((enum life_kind)k),
               totals.changes[k], totals.cut[k]);
    return 0;
}
