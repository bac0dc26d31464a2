/* Files of names while things fail: file operations, allocations, the power. */
#include "lib/dir.h"
#include "lib/fault.h"
#include "lib/simdisk.h"
#include "unit/store/names_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY INT64_C(86400000000000)
#define SERIES 6000 /* two frames */

struct world {
    char *dir;
    struct seal_keyring *keyring;
    struct names_kit from;
    struct magstore_file file; /* an undisturbed one, number 1 */
};

/* What a child tells of itself. */
struct notes {
    bool fired;
    int status;
};
static struct notes *notes;

static int write_one(struct world *w, const struct mr_io *io, const char *dir, uint64_t number,
                     struct magstore_file *file, struct mr_error *err)
{
    uint32_t columns, measures, series;
    return names_write(io, dir, w->keyring, NAMES_DATABASE, NAMES_TABLE, number, w->from.mem, 0, 0, 0, file,
                       &columns, &measures, &series, err);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof *w);
    struct mr_error err = MR_ERROR_INIT;
    assert_non_null(w);
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(notes != MAP_FAILED);
    w->dir = dir_make();
    check_ok(seal_keyring_open(&mr_io_posix, w->dir, &w->keyring, &err), &err);
    names_kit_open(&w->from);
    names_kit_fill(&w->from, 1, 0, SERIES, DAY);
    check_ok(write_one(w, &mr_io_posix, w->dir, 1, &w->file, &err), &err);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    names_kit_close(&w->from);
    seal_keyring_close(w->keyring);
    dir_remove(w->dir);
    munmap(notes, sizeof *notes);
    free(w);
    return 0;
}

static int read_one(struct world *w, const struct mr_io *io, const char *dir,
                    const struct magstore_file *file, bool compare)
{
    struct names_kit to;
    struct mr_error err = MR_ERROR_INIT;
    names_kit_open(&to);
    int status = names_read(io, dir, w->keyring, file, to.mem, 0, &err);
    assert_true(status == MR_OK || err.text[0] != '\0');
    if (status == MR_OK && compare)
        names_kit_check_same(w->from.mem, to.mem);
    names_kit_close(&to);
    return status;
}

/* ---- file operations --------------------------------------------------------------------------------- */

static bool is_there(const struct world *w, uint64_t number, const char *suffix)
{
    char path[512], name[MAGSTORE_FILE_NAME_BYTES];
    magstore_file_name(MAGSTORE_NAMES, number, name);
    snprintf(path, sizeof path, "%s/%s%s", w->dir, name, suffix);
    return access(path, F_OK) == 0;
}

/* Returns false when the child was aborted. */
static bool write_in_child(struct world *w, struct fault_io *fault, uint64_t number)
{
    memset(notes, 0, sizeof *notes);
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct magstore_file file;
        struct mr_error err = MR_ERROR_INIT;
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        notes->status = write_one(w, &fault->io, w->dir, number, &file, &err);
        notes->fired = fault->fired;
        _exit(notes->status != MR_OK && err.text[0] == '\0' ? 3 : 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return false;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status %x", (unsigned)status);
    return true;
}

static void every_call_of_a_write_may_fail(void **state)
{
    struct world *w = *state;
    unsigned aborted = 0, failed = 0;
    for (int way = 0; way < 3; way++)
        for (unsigned nth = 1;; nth++) {
            uint64_t number = (uint64_t)(way + 1) * 1000 + nth;
            struct fault_io fault;
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, way == 0 ? EIO : ENOSPC, way == 2 ? FAULT_SHORT : FAULT_ERROR, false);
            bool returned = write_in_child(w, &fault, number);
            if (returned && !notes->fired) {
                assert_int_equal(notes->status, MR_OK);
                assert_true(is_there(w, number, ""));
                break;
            }
            aborted += !returned;
            failed += returned && notes->status != MR_OK;
            assert_false(returned && (is_there(w, number, "") || is_there(w, number, ".tmp")));
        }
    print_message("%u ended the process, %u returned a failure\n", aborted, failed);
    assert_true(aborted == 6 && failed >= 20);
}

static void every_call_of_a_read_may_fail(void **state)
{
    struct world *w = *state;
    unsigned failed = 0;
    for (int way = 0; way < 2; way++)
        for (unsigned nth = 1;; nth++) {
            struct fault_io fault;
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, EIO, way == 0 ? FAULT_ERROR : FAULT_SHORT, false);
            int status = read_one(w, &fault.io, w->dir, &w->file, true);
            if (!fault.fired)
                break;
            assert_int_equal(status, MR_EIO);
            failed++;
        }
    assert_true(failed >= 16);
}

/* ---- memory ------------------------------------------------------------------------------------------ */

static void every_allocation_may_fail(void **state)
{
    struct world *w = *state;
    unsigned failed = 0;
    bool fired = true;
    for (unsigned nth = 1; fired; nth += nth < 60 ? 1 : 37) {
        struct magstore_file file;
        fault_alloc(nth);
        int status = write_one(w, &mr_io_posix, w->dir, 2, &file, NULL);
        fired = fault_alloc_fired();
        fault_alloc(0);
        assert_int_equal(status, fired ? MR_ENOMEM : MR_OK);
        failed += fired;
    }
    assert_true(failed >= 5);
    fired = true;
    for (unsigned nth = 1; fired; nth += nth < 60 ? 1 : 211) {
        struct names_kit to;
        names_kit_open(&to);
        fault_alloc(nth);
        int status = names_read(&mr_io_posix, w->dir, w->keyring, &w->file, to.mem, 0, NULL);
        fired = fault_alloc_fired();
        fault_alloc(0);
        assert_true(status == MR_OK || (fired && status == MR_ENOMEM));
        failed += fired;
        names_kit_close(&to);
    }
    assert_true(failed >= 40);
}

/* ---- power ------------------------------------------------------------------------------------------- */

static void durable_when_it_returns(void **state)
{
    struct world *w = *state;
    struct simdisk *disk = simdisk_new();
    const struct mr_io *io = simdisk_io(disk);
    struct magstore_file file;
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(io->mkdir(io->ctx, "/names", 0700), 0);
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
    size_t begun = simdisk_changes(disk);
    check_ok(write_one(w, io, "/names", 5, &file, &err), &err);
    size_t done = simdisk_changes(disk);
    for (size_t moment = begun; moment <= done; moment++)
        for (int keep = 0; keep < SIMDISK_KEEPS; keep++) {
            struct simdisk *after = simdisk_power_cut(disk, moment, (enum simdisk_keep)keep, moment);
            int status = read_one(w, simdisk_io(after), "/names", &file, false);
            /* Under its name it is whole, or it is not there. */
            assert_true(status == MR_OK || (status == MR_ENOENT && moment < done));
            simdisk_free(after);
        }
    simdisk_free(disk);
}

#define WITH_WORLD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORLD(every_call_of_a_write_may_fail),
        WITH_WORLD(every_call_of_a_read_may_fail),
        WITH_WORLD(every_allocation_may_fail),
        WITH_WORLD(durable_when_it_returns),
    };
    return cmocka_run_group_tests_name("store/names_fault", tests, NULL, NULL);
}
