/* A store on a disk that is full again and again.
 *
 * A life runs under a limit. What finds no room is refused with MR_ENOSPC, and until there is more room
 * everything acknowledged is readable; then the same is done again and succeeds, without a restart. Some
 * calls wait for the log instead of being refused (the header of the log says so): whoever waits gets more
 * room after a second.
 *
 * MR_SIM_SEED picks the first life, MR_SIM_LIVES how many.
 */
#include "sim/store_life.h"

#include "base/log.h"

#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { APPENDS = 120, FIRST_ROOM = 416 << 10, MORE_ROOM = 7 << 10, ENOUGH = 20, SECONDS = 300 };

static struct {
    uint64_t acts, refused[LIFE_KINDS], waited, checks;
} totals;

static char where[256];

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

/* ---- the one who brings room
 * --------------------------------------------------------------------------------------- */

struct room {
    struct simdisk *disk;
    uint64_t limit;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t begun, ended; /* waits */
    bool over;
};

static void more(struct room *room)
{
    room->limit += MORE_ROOM;
    simdisk_set_limit(room->disk, room->limit);
}

/* Watches: a call that takes a second waits for room. */
static void *watch(void *arg)
{
    struct room *room = arg;
    pthread_mutex_lock(&room->lock);
    while (!room->over) {
        uint64_t call = room->begun;
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        while (!room->over && call == room->begun && call != room->ended &&
               pthread_cond_timedwait(&room->changed, &room->lock, &until) == 0)
            ;
        if (call != room->ended && call == room->begun && !room->over) {
            totals.waited++;
            more(room);
        }
        while (!room->over && room->begun == room->ended)
            pthread_cond_wait(&room->changed, &room->lock);
    }
    pthread_mutex_unlock(&room->lock);
    return NULL;
}

static void tell(struct room *room, uint64_t *what)
{
    pthread_mutex_lock(&room->lock);
    ++*what;
    pthread_cond_signal(&room->changed);
    pthread_mutex_unlock(&room->lock);
}

/* ---- a life
 * ------------------------------------------------------------------------------------------------------ */

static int act(struct engine *e, struct room *room, const struct life_act *a, struct engine_commit *commit,
               struct mr_error *err)
{
    tell(room, &room->begun);
    int rc = life_do(e, simdisk_io(room->disk), a, commit, err);
    if (rc == MR_OK)
        engine_settle(e);
    tell(room, &room->ended);
    return rc;
}

static void check(struct engine *e, struct room *room, const struct model *model, const char *when)
{
    struct mr_buf text = MR_BUF_INIT;
    tell(room, &room->begun);
    totals.checks++;
    if (engine_same(e, model, totals.checks, &text) != ENGINE_SAME)
        model_broken("%s: " MR_STR_FMT, when, MR_STR_ARG(mr_buf_view(&text)));
    tell(room, &room->ended);
    mr_buf_release(&text);
}

static void live(struct engine *e, struct room *room, const struct life *life, struct model *model)
{
    struct mr_error err;
    struct engine_commit commit = {.disk = NULL};
    for (size_t i = 0; i < life->count; i++, totals.acts++) {
        const struct life_act *a = &life->acts[i];
        if (a->kind == LIFE_REOPEN) /* a full disk refuses a start, which no life survives */
            continue;
        for (int attempt = 0; act(e, room, a, &commit, &err) != MR_OK; attempt++) {
            if (err.status != MR_ENOSPC)
                model_broken("act %zu (%s): %s", i, life_kind_name(a->kind), err.text);
            if (attempt == 0) {
                totals.refused[a->kind]++;
                if (a->kind != LIFE_DROP) /* the table is out of reach already, only its end is not logged */
                    check(e, room, model, "on a full disk");
            }
            if (attempt < ENOUGH) {
                pthread_mutex_lock(&room->lock);
                more(room);
                pthread_mutex_unlock(&room->lock);
            }
            sched_yield(); /* the log looks for room in its own time */
        }
        life_note(model, a);
    }
}

static void whole_life(uint64_t seed)
{
    static struct engine engine;
    struct life life;
    struct model model;
    struct mr_error err = MR_ERROR_INIT;
    struct room room = {.disk = simdisk_new(), .limit = FIRST_ROOM};
    pthread_t watcher;
    snprintf(where, sizeof where, "seed %" PRIu64, seed);
    pthread_mutex_init(&room.lock, NULL);
    pthread_cond_init(&room.changed, NULL);
    MR_ASSERT(pthread_create(&watcher, NULL, watch, &room) == 0);
    life_draw(&life, seed, APPENDS);
    model_init(&model);
    engine_init(&engine, &life.profile, true);
    engine_make_dir(simdisk_io(room.disk));
    if (!engine_try_open(&engine, simdisk_io(room.disk), &err))
        model_broken("a new store does not open: %s", err.text);
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        engine_table(&engine, i, i + 1);
    simdisk_set_limit(room.disk, room.limit);
    live(&engine, &room, &life, &model);
    simdisk_set_limit(room.disk, UINT64_MAX);
    check(&engine, &room, &model, "with room again");
    engine_close(&engine);
    if (!engine_try_open(&engine, simdisk_io(room.disk), &err))
        model_broken("the store does not open: %s", err.text);
    check(&engine, &room, &model, "after a reopen");
    engine_close(&engine);
    pthread_mutex_lock(&room.lock);
    room.over = true;
    pthread_cond_signal(&room.changed);
    pthread_mutex_unlock(&room.lock);
    pthread_join(watcher, NULL);
    pthread_mutex_destroy(&room.lock);
    pthread_cond_destroy(&room.changed);
    engine_destroy(&engine);
    model_release(&model);
    life_release(&life);
    simdisk_free(room.disk);
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    uint64_t first = setting("MR_SIM_SEED", 31), lives = setting("MR_SIM_LIVES", 8);
    mr_log_set_level(MR_LOG_ERROR);
    for (uint64_t i = 0; i < lives; i++) {
        alarm(SECONDS);
        whole_life(first + i);
    }
    printf("seeds %" PRIu64 "..%" PRIu64 ": %" PRIu64 " acts, %" PRIu64 " waited for room, %" PRIu64
           " checks; refused for room:",
           first, first + lives - 1, totals.acts, totals.waited, totals.checks);
    for (int k = 0; k < LIFE_KINDS; k++)
        printf(" %s %" PRIu64, life_kind_name((enum life_kind)k), totals.refused[k]);
    printf("\n");
    return 0;
}
