/* The n-th file operation fails, at every n. A load and a clean return; a commit returns or, where a sync
 * failed, ends the process. Whatever happens, the next start finds the old state or the new one, and no file
 * that either names is gone. */
#include "lib/dir.h"
#include "lib/fault.h"
#include "unit/magstore/manifest_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child tells of itself. */
struct notes {
    unsigned calls;
    bool fired, committed;
    int status;
};
static struct notes *notes;

static int set_up(void **state)
{
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(notes != MAP_FAILED);
    *state = NULL;
    return 0;
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    munmap(notes, sizeof *notes);
    return 0;
}

/* Files 1 to 4 named, 5 and 6 written, generation 2. */
static void prepare(const char *dir, struct magstore_manifest *m)
{
    struct mr_error err = MR_ERROR_INIT;
    *m = (struct magstore_manifest)MAGSTORE_MANIFEST_INIT;
    for (uint64_t n = 1; n <= 6; n++)
        manifest_kit_create(&mr_io_posix, dir, n);
    manifest_kit_add(m, 1, 4);
    m->wal_low = 100;
    check_ok(magstore_manifest_commit(&mr_io_posix, dir, m, &err), &err);
    check_ok(magstore_manifest_commit(&mr_io_posix, dir, m, &err), &err);
}

/* From there: 1 and 3 become 5; clean; once more with a new log mark; clean. */
static int work(const struct mr_io *io, const char *dir, struct magstore_manifest *m, struct mr_error *err)
{
    size_t removed;
    manifest_kit_add(m, 5, 1);
    m->next_file = 7;
    assert_true(magstore_manifest_remove(m, MAGSTORE_SEGMENT, 1));
    assert_true(magstore_manifest_remove(m, MAGSTORE_NAMES, 3));
    m->wal_low = 200;
    int status = magstore_manifest_commit(io, dir, m, err);
    if (status != MR_OK)
        return status;
    notes->committed = true;
    status = magstore_manifest_clean(io, dir, 6, &removed, err);
    if (status == MR_OK)
        status = magstore_manifest_commit(io, dir, m, err);
    if (status == MR_OK)
        status = magstore_manifest_clean(io, dir, UINT64_MAX, &removed, err);
    return status;
}

static bool run_child(const char *dir, struct magstore_manifest *m, struct fault_io *fault)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        close(null);
        struct mr_error err = MR_ERROR_INIT;
        notes->status = work(&fault->io, dir, m, &err);
        if (notes->status != MR_OK && err.text[0] == '\0')
            _exit(3); /* a failure without a word */
        notes->calls = fault->calls;
        notes->fired = fault->fired;
        magstore_manifest_release(m);
        exit(0); /* with what a sanitizer has to say about leaks */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return false;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status %x", (unsigned)status);
    return true;
}

/* What a start finds after the child. */
static void check_directory(const char *dir, const char *what, unsigned nth)
{
    struct magstore_manifest m = MAGSTORE_MANIFEST_INIT;
    struct mr_error err = MR_ERROR_INIT;
    size_t removed;
    check_ok(magstore_manifest_load(&mr_io_posix, dir, &m, &err), &err);
    check_ok(magstore_manifest_clean(&mr_io_posix, dir, UINT64_MAX, &removed, &err), &err);
    bool old = m.wal_low == 100 && m.nfiles == 4, new = m.wal_low == 200 && m.nfiles == 3;
    if (m.fell_back || (!old && !new) || (notes->committed && !new))
        fail_msg("%s at call %u: generation %llu, log %llu, %zu files", what, nth,
                 (unsigned long long)m.generation, (unsigned long long)m.wal_low, m.nfiles);
    for (size_t i = 0; i < m.nfiles; i++)
        if (!manifest_kit_file_is_there(&mr_io_posix, dir, m.files[i].number))
            fail_msg("%s at call %u: file %llu is gone", what, nth, (unsigned long long)m.files[i].number);
    assert_false(manifest_kit_file_is_there(&mr_io_posix, dir, 6));
    check_ok(magstore_manifest_commit(&mr_io_posix, dir, &m, &err), &err);
    assert_int_equal(manifest_kit_count(&mr_io_posix, dir, "manifest-"), 2); /* also those left over */
    magstore_manifest_release(&m);
}

static void every_call_may_fail(void **unused)
{
    MR_UNUSED(unused);
    static const struct {
        const char *name;
        int errnum;
        enum fault_kind kind;
        bool sticky;
    } ways[] = {
        {"EIO", EIO, FAULT_ERROR, false},
        {"ENOSPC from then on", ENOSPC, FAULT_ERROR, true},
        {"ENOSPC, short", ENOSPC, FAULT_SHORT, false},
        {"EMFILE", EMFILE, FAULT_ERROR, false},
    };
    unsigned aborted = 0, failed = 0, cases = 0;
    for (size_t way = 0; way < MR_ARRAY_LEN(ways); way++)
        for (unsigned nth = 1;; nth++, cases++) {
            char *dir = dir_make();
            struct fault_io fault;
            struct magstore_manifest m;
            prepare(dir, &m);
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, ways[way].errnum, ways[way].kind, ways[way].sticky);
            memset(notes, 0, sizeof *notes);
            bool returned = run_child(dir, &m, &fault);
            check_directory(dir, ways[way].name, nth);
            magstore_manifest_release(&m);
            dir_remove(dir);
            aborted += !returned;
            failed += returned && notes->status != MR_OK;
            if (returned && !notes->fired) {
                assert_int_equal(notes->status, MR_OK);
                break;
            }
        }
    print_message("%u cases: %u ended the process, %u returned a failure\n", cases, aborted, failed);
    assert_true(aborted >= 16 && failed >= 40);
}

/* In one process: a commit that failed can be tried again. */
static void a_failed_commit_can_be_repeated(void **unused)
{
    MR_UNUSED(unused);
    unsigned failures = 0;
    for (unsigned nth = 1; nth <= 4; nth++) { /* open the directory, open, write, (sync,) rename */
        char *dir = dir_make();
        struct fault_io fault;
        struct magstore_manifest m, back = MAGSTORE_MANIFEST_INIT;
        struct mr_error err = MR_ERROR_INIT;
        prepare(dir, &m);
        fault_io_init(&fault);
        fault_io_arm(&fault, nth == 4 ? 5 : nth, ENOSPC, FAULT_ERROR, false);
        m.wal_low = 300;
        int status = magstore_manifest_commit(&fault.io, dir, &m, &err);
        if (nth != 4 || fault.fired)
            failures += status == MR_ENOSPC;
        assert_int_equal(m.generation, 2);
        check_ok(magstore_manifest_load(&mr_io_posix, dir, &back, &err), &err);
        assert_true(back.generation == 2 && back.wal_low == 100);
        magstore_manifest_release(&back);
        err = (struct mr_error)MR_ERROR_INIT;
        check_ok(magstore_manifest_commit(&fault.io, dir, &m, &err), &err);
        check_ok(magstore_manifest_load(&mr_io_posix, dir, &back, &err), &err);
        assert_true(back.generation == m.generation && back.wal_low == 300);
        magstore_manifest_release(&back);
        magstore_manifest_release(&m);
        dir_remove(dir);
    }
    assert_int_equal(failures, 4);
}

/* Allocations too; here nothing ends the process. */
static void every_allocation_may_fail(void **unused)
{
    MR_UNUSED(unused);
    bool fired = true;
    for (unsigned nth = 1; fired; nth++) {
        char *dir = dir_make();
        struct magstore_manifest m, back = MAGSTORE_MANIFEST_INIT;
        prepare(dir, &m);
        fault_alloc(nth);
        int status = magstore_manifest_load(&mr_io_posix, dir, &back, NULL);
        if (status == MR_OK)
            status = magstore_manifest_commit(&mr_io_posix, dir, &back, NULL);
        size_t removed;
        if (status == MR_OK)
            status = magstore_manifest_clean(&mr_io_posix, dir, 5, &removed, NULL);
        fired = fault_alloc_fired();
        fault_alloc(0);
        assert_true(status == MR_OK || (fired && status == MR_ENOMEM)); /* old manifests may wait */
        for (uint64_t n = 1; n <= 4; n++)
            assert_true(manifest_kit_file_is_there(&mr_io_posix, dir, n));
        magstore_manifest_release(&m);
        magstore_manifest_release(&back);
        dir_remove(dir);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_call_may_fail, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_commit_can_be_repeated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_allocation_may_fail, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("magstore/manifest_fault", tests, NULL, NULL);
}
