/* The n-th file operation or allocation fails, at every n, while a segment is written, read and merged. A
 * failed sync ends the process; anything else returns a status with a text, leaks nothing and leaves no file,
 * under the real name only a whole one. */
#include "lib/check.h"
#include "lib/fault.h"

#include "magstore/merge.h"
#include "rows_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static struct kit_place kit;
static struct kit_model model;

/* What a child tells of itself. */
struct notes {
    bool fired;
    int status;
};
static struct notes *notes;

static int set_up(void **state)
{
    MR_UNUSED(state);
    struct mr_rng rng = {31};
    struct magstore_info info;
    kit_open(&kit);
    for (uint32_t s = 0; s < 60; s++)
        for (int64_t i = 0; i < (s == 7 ? 1500 : 1 + s % 30); i++)
            kit_fill(&model, kit_append(&model, s, i * 10, 1 + s % 3), &rng);
    kit_write(&kit.place, &model, &rng, &info); /* number 33: whole, for reading */
    notes = mmap(NULL, sizeof *notes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(notes != MAP_FAILED);
    return 0;
}

static int tear_down(void **state)
{
    MR_UNUSED(state);
    munmap(notes, sizeof *notes);
    kit_free(&model);
    kit_close(&kit);
    return 0;
}

static bool there(uint64_t number, const char *suffix)
{
    char name[MAGSTORE_NAME_BYTES], path[512];
    magstore_segment_name(number, name);
    snprintf(path, sizeof path, "%s/%s%s", kit.dir, name, suffix);
    return access(path, F_OK) == 0;
}

static int write_it(const struct mr_io *io, uint64_t number, struct mr_error *err)
{
    struct mr_rng rng = {1};
    struct magstore_writer *w;
    struct magstore_info info;
    struct magstore_place place = kit.place;
    place.io = io;
    place.number = number;
    int status = magstore_writer_open(&place, &w, err);
    if (status != MR_OK)
        return status;
    status = kit_add(w, &model, &rng, err);
    if (status == MR_OK)
        return magstore_writer_finish(w, &info, err);
    magstore_writer_abort(w);
    return status;
}

/* Merges the segment with itself into another and reads some of it. */
static int read_it(const struct mr_io *io, struct mr_error *err)
{
    struct magstore_place place = kit.place;
    struct magstore_reader *readers[2] = {NULL, NULL};
    struct magstore_merge *merge = NULL;
    size_t rows_seen = 0;
    place.io = io;
    int status = magstore_reader_open(&place, &readers[0], err);
    if (status == MR_OK)
        status = magstore_reader_open(&place, &readers[1], err);
    if (status == MR_OK)
        status = magstore_merge_open(readers, 2, INT64_MIN, INT64_MAX, NULL, 0, true, &merge);
    if (status != MR_OK)
        mr_error_record(err, (enum mr_status)status, "not opened"); /* merge_open has no text to give */
    while (status == MR_OK) {
        struct magstore_rows rows;
        uint32_t series;
        status = magstore_merge_next(merge, 1000, false, &series, &rows, err);
        if (status != MR_OK || rows.count == 0)
            break;
        rows_seen += rows.count;
    }
    if (status == MR_OK && rows_seen != model.count)
        status = MR_EINTERNAL;
    magstore_merge_close(merge);
    magstore_reader_close(readers[0]);
    magstore_reader_close(readers[1]);
    return status;
}

/* Whether the child returned; false: it was aborted. */
static bool run_child(struct fault_io *fault)
{
    fflush(NULL);
    memset(notes, 0, sizeof *notes);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDERR_FILENO);
        close(null);
        struct mr_error err = MR_ERROR_INIT;
        notes->status = write_it(&fault->io, 50, &err);
        notes->fired = fault->fired;
        if (notes->status != MR_OK && err.text[0] == '\0')
            _exit(3); /* a failure without a word */
        exit(0);      /* with what a sanitizer has to say about leaks */
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT)
        return false;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail_msg("the child ended with status %x", (unsigned)status);
    return true;
}

/* A file under its name is whole. */
static void check_left(bool must_be, bool may_be)
{
    bool is = there(50, "");
    assert_true((is || !must_be) && (!is || may_be));
    if (!is)
        return;
    struct mr_error err = MR_ERROR_INIT;
    struct magstore_reader *r;
    struct magstore_place place = kit.place;
    place.number = 50;
    check_ok(magstore_reader_open(&place, &r, &err), &err);
    kit_compare(r, &model);
    magstore_reader_close(r);
    char name[MAGSTORE_NAME_BYTES], path[512];
    magstore_segment_name(50, name);
    snprintf(path, sizeof path, "%s/%s", kit.dir, name);
    assert_int_equal(unlink(path), 0);
}

static const struct {
    int errnum;
    enum fault_kind kind;
    bool sticky;
    int status;
} ways[] = {
    {EIO, FAULT_ERROR, false, MR_EIO},
    {ENOSPC, FAULT_ERROR, true, MR_ENOSPC},
    {ENOSPC, FAULT_SHORT, false, MR_ENOSPC},
};

static void test_writing(void **state)
{
    MR_UNUSED(state);
    unsigned aborted = 0, failed = 0, cases = 0;
    for (size_t way = 0; way < MR_ARRAY_LEN(ways); way++)
        for (unsigned nth = 1;; nth++, cases++) {
            struct fault_io fault;
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, ways[way].errnum, ways[way].kind, ways[way].sticky);
            bool returned = run_child(&fault);
            aborted += !returned;
            failed += returned && notes->status != MR_OK;
            if (returned && notes->status != MR_OK)
                assert_int_equal(notes->status, ways[way].status);
            check_left(returned && notes->status == MR_OK, !returned || notes->status == MR_OK);
            if (returned && !ways[way].sticky)
                assert_false(there(50, ".tmp")); /* where unlinking may fail, one may be left */
            if (returned && !notes->fired)
                break;
        }
    print_message("%u cases: %u ended the process, %u returned a failure\n", cases, aborted, failed);
    assert_true(aborted >= 6 && failed >= 9);
}

static void test_reading(void **state)
{
    MR_UNUSED(state);
    unsigned failed = 0;
    for (size_t way = 0; way < MR_ARRAY_LEN(ways); way++)
        for (unsigned nth = 1;; nth++) {
            struct fault_io fault;
            struct mr_error err = MR_ERROR_INIT;
            fault_io_init(&fault);
            fault_io_arm(&fault, nth, EIO, ways[way].kind, ways[way].sticky);
            int status = read_it(&fault.io, &err);
            if (!fault.fired) {
                check_ok(status, &err);
                break;
            }
            failed += status != MR_OK; /* closing does not matter */
            if (status != MR_OK && (status != MR_EIO || err.text[0] == '\0'))
                fail_msg("call %u of way %zu: %s, \"%s\"", nth, way, mr_status_name((enum mr_status)status),
                         err.text);
        }
    print_message("%u failures returned\n", failed);
    assert_true(failed > 30);
}

static int no_sync(void *ctx, int fd)
{
    MR_UNUSED(ctx);
    MR_UNUSED(fd);
    return 0;
}

static void test_allocations(void **state)
{
    MR_UNUSED(state);
    struct mr_io io = mr_io_posix; /* hundreds of files: their durability is not the matter here */
    io.fsync = no_sync;
    unsigned nth[2] = {0, 0}, refused = 0;
    for (int reading = 0; reading < 2; reading++)
        for (bool fired = true; fired;) {
            struct mr_error err = MR_ERROR_INIT;
            fault_alloc(++nth[reading]);
            int status = reading != 0 ? read_it(&io, &err) : write_it(&io, 50, &err);
            fired = fault_alloc_fired();
            fault_alloc(0);
            if (status != MR_OK || !fired) /* an encoder without memory may do with a larger encoding */
                assert_int_equal(status, fired ? MR_ENOMEM : MR_OK);
            assert_true((status == MR_OK) == (err.text[0] == '\0'));
            refused += status != MR_OK;
            assert_false(there(50, ".tmp"));
            if (reading == 0)
                check_left(status == MR_OK, status == MR_OK);
        }
    print_message("%u allocations of a writer, %u of readers\n", nth[0] - 1, nth[1] - 1);
    assert_true(nth[0] > 100 && nth[1] > 50 && refused > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_reading),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
