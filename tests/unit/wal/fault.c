/* Every file operation of the log fails once, or from then on.
 *
 * A life of the log runs in a child, which may finish, be refused, or abort; what it was told is durable is
 * noted in shared memory. Then the parent opens the log without faults: all of that is there, and nothing
 * else.
 */
#include "lib/dir.h"
#include "lib/fault.h"
#include "unit/wal/kit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 150u

struct notes {
    uint64_t acked;   /* highest LSN whose waiter ran */
    uint64_t given;   /* highest LSN given out */
    uint64_t trimmed; /* highest LSN given up */
    unsigned calls;   /* file operations in all */
    unsigned opened;
    unsigned fired;
};

static struct notes *notes;

static int set_up(void **state)
{
    MR_UNUSED(state);
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return notes == MAP_FAILED;
}

static void ack(struct wal_waiter *w)
{
    __atomic_store_n(&notes->acked, w->lsn, __ATOMIC_RELEASE);
}

/* Appends and trims; on a disk without room it gives up after some attempts. Runs in the child. */
static void live(const struct wal_options *o, bool close)
{
    struct wal *wal;
    struct mr_error err = MR_ERROR_INIT;
    if (wal_open(o, NULL, NULL, &wal, &err) != MR_OK)
        return;
    notes->opened = 1;
    if (wal_durable_lsn(wal) > notes->acked)
        notes->acked = wal_durable_lsn(wal);
    unsigned refused = 0;
    for (uint64_t n = wal_last_lsn(wal) + 1, last = n + ENTRIES; n < last && refused < 50;) {
        static struct wal_waiter waiters[2 * ENTRIES + 1];
        struct wal_waiter *w = &waiters[n];
        w->done = ack;
        notes->given = n; /* before the call: it may be written before the call returns */
        if (wal_append(wal, kit_entry(n), w, NULL) == MR_OK) {
            n++;
            for (int i = 0;
                 n % 10 == 0 && i < 2000 && __atomic_load_n(&notes->acked, __ATOMIC_ACQUIRE) + 1 < n; i++)
                sched_yield(); /* more frames; without insisting, for there may be no room */
            if (n % 40 == 0) {
                uint64_t acked = __atomic_load_n(&notes->acked, __ATOMIC_ACQUIRE);
                uint64_t to = n / 2 < acked ? n / 2 : acked;
                notes->trimmed =
                    to > notes->trimmed ? to : notes->trimmed; /* an earlier life went further? */
                if (wal_trim(wal, to, &err) != MR_OK)
                    refused = 50;
            }
            continue;
        }
        refused++;
        sched_yield();
    }
    if (!close)
        _exit(0); /* as kill -9 would */
    wal_close(wal);
}

enum end { FINISHED, ABORTED };

static enum end run_child(const char *dir, struct fault_io *fault, bool close)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        struct wal_options o = kit_options(fault != NULL ? &fault->io : &mr_io_posix, dir);
        live(&o, close);
        if (fault != NULL) {
            notes->calls = fault->calls;
            notes->fired = fault->fired;
        }
        exit(0); /* with what a sanitizer has to say about leaks */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return ABORTED;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status %x", (unsigned)status);
    return FINISHED;
}

/* What the log holds now agrees with what the child was told. */
static void check_log(const char *dir, const char *what, unsigned nth)
{
    struct kit_found f = {.first_lsn = 0};
    struct wal_options o = kit_options(&mr_io_posix, dir);
    wal_close(kit_open(&o, &f));
    uint64_t last = f.count != 0 ? f.first_lsn + f.count - 1 : 0;
    bool right = !f.gap && last >= notes->acked && last <= notes->given &&
                 (f.count == 0 || f.first_lsn <= notes->trimmed + 1);
    for (uint64_t lsn = f.first_lsn; f.count != 0 && lsn <= last && right; lsn++)
        right = kit_found_is(&f, lsn, lsn);
    if (!right)
        fail_msg("%s, call %u: %llu acknowledged, %llu given out, %llu trimmed, %llu..%llu found", what, nth,
                 (unsigned long long)notes->acked, (unsigned long long)notes->given,
                 (unsigned long long)notes->trimmed, (unsigned long long)f.first_lsn,
                 (unsigned long long)last);
    kit_found_release(&f);
}

static const struct {
    const char *name;
    int errnum;
    enum fault_kind kind;
    bool sticky;
} faults[] = {
    {"EIO once", EIO, FAULT_ERROR, false},        {"EIO from then on", EIO, FAULT_ERROR, true},
    {"ENOSPC once", ENOSPC, FAULT_ERROR, false},  {"ENOSPC from then on", ENOSPC, FAULT_ERROR, true},
    {"short, then EIO", EIO, FAULT_SHORT, false}, {"short, then ENOSPC", ENOSPC, FAULT_SHORT, true},
};

/* Each call of a life on a new log, or on one that was killed before, fails in each way. */
static void sweep(bool killed_before)
{
    unsigned cases = 0, aborted = 0, refused = 0;
    for (size_t k = 0; k < MR_ARRAY_LEN(faults); k++) {
        unsigned calls = 1;
        for (unsigned nth = 1; nth <= calls; nth++) {
            char *dir = dir_make();
            memset(notes, 0, sizeof *notes);
            if (killed_before)
                run_child(dir, NULL, false);
            notes->opened = 0;
            struct fault_io fault;
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, faults[k].errnum, faults[k].kind, faults[k].sticky);
            enum end end = run_child(dir, &fault, true);
            aborted += end == ABORTED;
            refused += end == FINISHED && !notes->opened;
            check_log(dir, faults[k].name, nth);
            dir_remove(dir);
            cases++;
            if (end == ABORTED || notes->fired || !notes->opened)
                calls = nth + 1; /* there was an nth call; there may be another */
        }
    }
    print_message("%u cases: %u aborted, %u refused to open\n", cases, aborted, refused);
    assert_true(cases >= 150 && aborted > cases / 10 && refused > 5);
}

static void any_failing_call_on_a_new_log(void **state)
{
    MR_UNUSED(state);
    sweep(false);
}

static void any_failing_call_after_a_kill(void **state)
{
    MR_UNUSED(state);
    sweep(true);
}

/* ---- the sites at which the log has to abort
 * ----------------------------------------------------------------- */

struct site {
    struct mr_io io;
    int dir_fd;
    int frames_fd;
    bool frame_written;
    unsigned countdown;
    enum { FRAME_WRITE, FRAME_SYNC, DIR_SYNC } kind;
};

static int site_open(void *ctx, const char *path, int flags, unsigned mode)
{
    struct site *s = ctx;
    int fd = mr_io_posix.open(NULL, path, flags, mode);
    if (flags & O_DIRECTORY)
        s->dir_fd = fd;
    return fd;
}

static bool due(struct site *s)
{
    return s->countdown != 0 && --s->countdown == 0;
}

static ssize_t site_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    struct site *s = ctx;
    uint32_t magic;
    memcpy(&magic, buf, sizeof magic);
    if (magic == WAL_FRAME_MAGIC) {
        if (s->kind == FRAME_WRITE && due(s))
            return -EIO;
        s->frames_fd = fd;
    }
    return mr_io_posix.pwrite(NULL, fd, buf, len, offset);
}

static int site_fdatasync(void *ctx, int fd)
{
    struct site *s = ctx;
    if (s->kind == FRAME_SYNC && fd == s->frames_fd && due(s))
        return -EIO;
    return mr_io_posix.fdatasync(NULL, fd);
}

static int site_fsync(void *ctx, int fd)
{
    struct site *s = ctx;
    if (s->kind == DIR_SYNC && fd == s->dir_fd && due(s))
        return -EIO;
    return mr_io_posix.fsync(NULL, fd);
}

/* Appends one entry at a time until the fault kills the child. */
static void until_abort(const char *dir, struct site *s)
{
    struct wal_options o = kit_options(&s->io, dir);
    struct wal *wal;
    struct mr_error err = MR_ERROR_INIT;
    if (wal_open(&o, NULL, NULL, &wal, &err) != MR_OK)
        _exit(3);
    for (uint64_t n = 1; n < 1000; n++) {
        static struct wal_waiter waiters[1000];
        struct wal_waiter *w = &waiters[n];
        w->done = ack;
        notes->given = n;
        if (wal_append(wal, kit_entry(n), w, NULL) != MR_OK)
            _exit(4);
        wal_flush(wal);
        if (n % 100 == 0) {
            notes->trimmed = n - 50;
            if (wal_trim(wal, n - 50, &err) != MR_OK)
                _exit(5);
        }
    }
    _exit(6); /* the fault should have ended it */
}

static void a_failed_write_or_sync_aborts(void **state)
{
    MR_UNUSED(state);
    for (int kind = FRAME_WRITE; kind <= DIR_SYNC; kind++) {
        for (unsigned nth = 1; nth <= 9; nth += 2) {
            char *dir = dir_make();
            memset(notes, 0, sizeof *notes);
            int line[2];
            assert_int_equal(pipe(line), 0);
            fflush(NULL);
            pid_t child = fork();
            assert_true(child >= 0);
            if (child == 0) {
                dup2(line[1], STDERR_FILENO);
                struct site s = {.io = mr_io_posix, .dir_fd = -1, .frames_fd = -1, .countdown = nth};
                s.kind = (unsigned)kind;
                s.io.ctx = &s;
                s.io.open = site_open;
                s.io.pwrite = site_pwrite;
                s.io.fdatasync = site_fdatasync;
                s.io.fsync = site_fsync;
                until_abort(dir, &s);
            }
            close(line[1]);
            char text[4096];
            size_t len = 0;
            ssize_t n;
            while (len < sizeof text - 1 && (n = read(line[0], text + len, sizeof text - 1 - len)) > 0)
                len += (size_t)n;
            text[len] = '\0';
            close(line[0]);
            int status;
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
            const char *said = strstr(text, "event=wal_failed");
            assert_non_null(said);
            assert_null(strstr(said + 1, "event=wal_failed")); /* one line */
            if (kind != DIR_SYNC)
                assert_true(notes->acked < notes->given); /* the frame that failed was not acknowledged */
            check_log(dir, "abort", nth);
            dir_remove(dir);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_failing_call_on_a_new_log),
        cmocka_unit_test(any_failing_call_after_a_kill),
        cmocka_unit_test(a_failed_write_or_sync_aborts),
    };
    /* The subject is what the log does, not what a disk takes its time for. */
    if (access("/dev/shm", W_OK) == 0)
        setenv("TMPDIR", "/dev/shm", 0);
    return cmocka_run_group_tests_name("wal/fault", tests, set_up, NULL);
}
