/* Every file operation of a whole store fails: once, or from then on.
 *
 * A life of appends, flushes, compactions, expiry, drops and starts runs in a child, which may be refused or
 * abort (after a sync that fails it must); what it was told is noted in shared memory. After the first
 * refusal everything that was acknowledged is still readable, and a second try of what failed once succeeds.
 * Then the parent opens the store without faults: all that was acknowledged is there, and nothing that was
 * not begun, or that was refused.
 *
 * MR_SIM_FAULTS is the number of cases (40; 0: every call in every way), MR_SIM_SEED the life.
 */
#include "lib/dir.h"
#include "lib/fault.h"
#include "sim/store_life.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { APPENDS = 80, MAX_ACTS = 400, SECONDS = 10 };

struct notes {
    unsigned begun[MAX_ACTS], refused[MAX_ACTS], acked[MAX_ACTS];
    unsigned calls, checks, retried, sync_failed;
    char text[2048];
};

static const struct fault {
    const char *name;
    int errnum;
    enum fault_kind kind;
    bool sticky;
} faults[] = {
    {"EIO once", EIO, FAULT_ERROR, false},        {"EIO from then on", EIO, FAULT_ERROR, true},
    {"ENOSPC once", ENOSPC, FAULT_ERROR, false},  {"ENOSPC from then on", ENOSPC, FAULT_ERROR, true},
    {"short, then EIO", EIO, FAULT_SHORT, false}, {"short, then ENOSPC", ENOSPC, FAULT_SHORT, false},
};

static struct notes *notes;
static bool in_child;
static char where[256];
static int words; /* what the child of the case wrote to its stderr */

void model_broken(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    if (in_child) {
        vsnprintf(notes->text, sizeof notes->text, fmt, args);
        _exit(3);
    }
    printf("FAILED %s\n  ", where);
    vprintf(fmt, args);
    printf("\n");
    va_end(args);
    char line[4096];
    for (ssize_t n, at = 0; (n = pread(words, line, sizeof line, at)) > 0; at += n)
        fwrite(line, 1, (size_t)n, stdout);
    exit(1);
}

/* ---- syncs
 * ------------------------------------------------------------------------------------------------------ */

/* Syncs that fail while the store is open must end the process; but for those of a segment of the log that is
 * being prepared (nothing is in it yet, and it is thrown away) and of the keyring (written anew as a whole).
 * A start may refuse instead. */
static struct mr_io faulty;
static bool excused[1024]; /* by descriptor */
static bool is_open;

static int noting_open(void *ctx, const char *path, int flags, unsigned mode)
{
    int fd = faulty.open(ctx, path, flags, mode);
    if (fd >= 0 && fd < (int)MR_ARRAY_LEN(excused))
        excused[fd] = strstr(path, "/wal-ready.tmp") != NULL || strstr(path, "/keys") != NULL;
    return fd;
}

static int note_failure(int fd, int rc)
{
    char link[64];
    if (rc >= 0 || !is_open || (fd < (int)MR_ARRAY_LEN(excused) && excused[fd]))
        return rc;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(link, notes->text, sizeof notes->text - 1);
    notes->text[len > 0 ? len : 0] = '\0';
    notes->sync_failed = 1;
    return rc;
}

static int noting_fdatasync(void *ctx, int fd)
{
    return note_failure(fd, faulty.fdatasync(ctx, fd));
}

static int noting_fsync(void *ctx, int fd)
{
    return note_failure(fd, faulty.fsync(ctx, fd));
}

static void watch_syncs(struct mr_io *io)
{
    faulty = *io;
    io->open = noting_open;
    io->fdatasync = noting_fdatasync;
    io->fsync = noting_fsync;
}

/* ---- the child
 * --------------------------------------------------------------------------------------------------- */

struct child {
    struct engine engine;
    struct fault_io *fault;
    const struct fault *how;
    struct model model; /* what was not refused */
    struct engine_commit commits[MAX_ACTS];
};

/* Until all is acknowledged; on a disk that goes on failing that may never be. */
static void settle(struct child *c)
{
    if (!c->how->sticky)
        engine_settle(&c->engine);
    while (!engine_settled(&c->engine) && !__atomic_load_n(&c->fault->fired, __ATOMIC_RELAXED))
        sched_yield();
}

/* What was acknowledged can be read, now that something was refused. */
static void check(struct child *c, const char *after)
{
    struct mr_buf text = MR_BUF_INIT;
    engine_settle(&c->engine);
    notes->checks++;
    if (engine_same(&c->engine, &c->model, notes->checks, &text) != ENGINE_SAME)
        model_broken("after %s: " MR_STR_FMT, after, MR_STR_ARG(mr_buf_view(&text)));
    mr_buf_release(&text);
}

/* A scan of what is in memory and files may fail now, but not lie. */
static void check_failing(struct child *c)
{
    struct mr_buf text = MR_BUF_INIT;
    struct model_rows got = MODEL_ROWS_INIT, want = MODEL_ROWS_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct model_spec spec;
    for (unsigned i = 0; i < MODEL_TABLES && engine_settled(&c->engine); i++) {
        model_spec_all(&c->model.tables[i], &spec);
        notes->checks++;
        if (engine_rows(&c->engine, i, &spec, &got, &err) == MR_OK) {
            model_scan(&c->model.tables[i], &spec, &want);
            if (!model_rows_equal(&got, &want, &text))
                model_broken("while the disk fails: " MR_STR_FMT, MR_STR_ARG(mr_buf_view(&text)));
        }
        model_rows_release(&got);
        model_rows_release(&want);
    }
    mr_buf_release(&text);
}

/* False: the life ends here. */
static bool act(struct child *c, const struct life_act *a, size_t i)
{
    struct mr_error err;
    c->commits[i] = (struct engine_commit){.acked = &notes->acked[i]};
    __atomic_store_n(&notes->begun[i], 1, __ATOMIC_RELEASE);
    bool fired = c->fault->fired;
    is_open = a->kind != LIFE_REOPEN;
    int rc = life_do(&c->engine, &c->fault->io, a, &c->commits[i], &err);
    if (a->kind == LIFE_REOPEN && c->fault->fired && !fired)
        return false; /* it may be without a table or a file until the next start */
    if (rc == MR_OK) {
        life_note(&c->model, a);
        if (a->kind == LIFE_DROP)
            notes->acked[i] = 1;
        if (a->settle)
            settle(c);
        return true;
    }
    if (!c->fault->fired)
        model_broken("act %zu (%s) fails without a fault: %s", i, life_kind_name(a->kind), err.text);
    if (err.status != MR_OK && err.text[0] == '\0')
        model_broken("act %zu (%s) fails without a word", i, life_kind_name(a->kind));
    if (a->kind == LIFE_REOPEN || a->kind == LIFE_DROP)
        return false; /* nothing is open; or dropped and not, who knows */
    notes->refused[i] = a->kind == LIFE_APPEND;
    if (a->kind == LIFE_EXPIRE)
        life_note(&c->model, a); /* what it did not free is not asked for */
    if (c->how->sticky)
        return true;
    check(c, life_kind_name(a->kind));
    if (fired)
        return true;
    notes->retried++;
    notes->refused[i] = 0;
    do /* the log looks for room in its own time */
        rc = life_do(&c->engine, &c->fault->io, a, &c->commits[i], &err);
    while (rc == MR_ENOSPC);
    if (rc != MR_OK)
        model_broken("act %zu (%s) fails again, without a fault: %s", i, life_kind_name(a->kind), err.text);
    life_note(&c->model, a);
    return true;
}

static void live(const struct life *life, const char *dir, struct fault_io *fault, const struct fault *how,
                 bool close)
{
    static struct child c;
    struct mr_error err = MR_ERROR_INIT;
    c.fault = fault;
    c.how = how;
    model_init(&c.model);
    engine_init(&c.engine, &life->profile, true);
    c.engine.options.dir = dir;
    if (!engine_try_open(&c.engine, &fault->io, &err))
        exit(0);
    for (unsigned i = 0; i < MODEL_TABLES; i++)
        engine_table(&c.engine, i, i + 1);
    unsigned after = 0; /* acts since a fault that stays; only appends, the others may wait for the log */
    for (size_t i = 0; i < life->count && after < 6; i++) {
        if (after != 0 && life->acts[i].kind != LIFE_APPEND)
            break;
        if (!act(&c, &life->acts[i], i))
            _exit(0);
        after += how->sticky && fault->fired;
    }
    if (after != 0)
        check_failing(&c);
    if (!close || after != 0)
        _exit(0); /* as kill -9 would */
    engine_close(&c.engine);
    model_release(&c.model);
}

/* ---- the parent
 * -------------------------------------------------------------------------------------------------- */

static struct {
    unsigned cases, finished, aborted, syncs, hung, checks, retried;
} totals;

static void run_child(const struct life *life, const char *dir, unsigned nth, const struct fault *how)
{
    MR_ASSERT(ftruncate(words, 0) == 0 && lseek(words, 0, SEEK_SET) == 0);
    fflush(NULL);
    pid_t child = fork();
    MR_ASSERT(child >= 0);
    if (child == 0) {
        static struct fault_io fault; /* where a sanitizer finds what it holds */
        dup2(words, STDERR_FILENO);
        in_child = true;
        alarm(SECONDS);
        fault_io_init(&fault);
        fault_io_arm(&fault, nth, how->errnum, how->kind, how->sticky);
        watch_syncs(&fault.io);
        live(life, dir, &fault, how, nth % 2 == 0);
        notes->calls = fault.calls;
        exit(0);
    }
    int status;
    while (waitpid(child, &status, 0) != child)
        ;
    bool alarmed = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    totals.finished += WIFEXITED(status) && WEXITSTATUS(status) == 0;
    totals.aborted += WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
    totals.hung += alarmed;
    totals.syncs += notes->sync_failed;
    if (notes->sync_failed && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT))
        model_broken("a sync of %s failed and the process went on", notes->text);
    if (alarmed && how->sticky)
        return; /* the log waits for a disk that lets it go on */
    if (WIFEXITED(status) && WEXITSTATUS(status) == 3)
        model_broken("in the child, %s", notes->text);
    if (alarmed || (WIFEXITED(status) && WEXITSTATUS(status) != 0) ||
        (WIFSIGNALED(status) && WTERMSIG(status) != SIGABRT))
        model_broken("the child %s (status %x)", alarmed ? "hangs" : "ended with a crash", (unsigned)status);
}

static void check_store(const struct life *life, const char *dir)
{
    static struct engine engine;
    static bool left_out[MAX_ACTS];
    struct mr_error err = MR_ERROR_INIT;
    struct model model;
    size_t acked = 0, begun = 0;
    model_init(&model);
    for (size_t i = 0; i < life->count; i++) {
        left_out[i] = notes->refused[i];
        if (notes->begun[i])
            begun = i + 1;
        if (notes->acked[i])
            acked = i + 1;
    }
    for (size_t i = 0; i < acked; i++)
        if (!left_out[i])
            life_note(&model, &life->acts[i]);
    engine_init(&engine, &life->profile, true);
    engine.options.dir = dir;
    if (!engine_try_open(&engine, &mr_io_posix, &err))
        model_broken("the store is refused: %s", err.text);
    size_t found = life_find(&engine, life, left_out, acked, begun, &model);
    if (store_flush(engine.store, &err) != MR_OK || store_compact(engine.store, &err) != MR_OK)
        model_broken("a healthy disk does not help: %s", err.text);
    life_find(&engine, life, left_out, found, found, &model);
    engine_close(&engine);
    engine_destroy(&engine);
    model_release(&model);
}

static void one_case(const struct life *life, unsigned nth, const struct fault *how)
{
    snprintf(where, sizeof where, "%s at call %u", how->name, nth);
    char *dir = dir_make();
    memset(notes, 0, sizeof *notes);
    run_child(life, dir, nth, how);
    check_store(life, dir);
    dir_remove(dir);
    totals.cases++;
    totals.checks += notes->checks;
    totals.retried += notes->retried;
}

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

int main(void)
{
    static const struct fault none = {"no fault", EIO, FAULT_ERROR, false};
    uint64_t want = setting("MR_SIM_FAULTS", 40), seed = setting("MR_SIM_SEED", 5);
    struct life life;
    mr_log_set_level(MR_LOG_ERROR);
    if (access("/dev/shm", W_OK) == 0) /* thousands of syncs need no disk */
        setenv("TMPDIR", "/dev/shm", 0);
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    words = memfd_create("stderr", 0);
    MR_ASSERT(notes != MAP_FAILED && words >= 0);
    life_draw(&life, seed, APPENDS);
    MR_ASSERT(life.count <= MAX_ACTS);
    one_case(&life, 0, &none);
    unsigned calls = notes->calls;
    double stride = want != 0 ? (double)calls * MR_ARRAY_LEN(faults) / (double)want : 1;
    for (size_t k = 0; k < MR_ARRAY_LEN(faults); k++) {
        /* Each kind begins elsewhere, so that together they come to more calls. */
        for (double at = 1 + stride * (double)k / MR_ARRAY_LEN(faults); at < calls + 1;
             at += stride < 1 ? 1 : stride)
            one_case(&life, (unsigned)at, &faults[k]);
    }
    printf("seed %" PRIu64 ": %u calls in a life; %u cases: %u went on or ended, %u aborted (%u for a sync), "
           "%u waited for room; %u checks "
           "after a refusal, %u tried again\n",
           seed, calls, totals.cases, totals.finished, totals.aborted, totals.syncs, totals.hung,
           totals.checks, totals.retried);
    life_release(&life);
    return 0;
}
