/* What the header of the log promises about open, trim and close. */
#include "unit/wal/kit.h"

#include "lib/dir.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static int set_up(void **state)
{
    *state = dir_make();
    return 0;
}

static int tear_down(void **state)
{
    dir_remove(*state);
    return 0;
}

static void entries_come_back_after_reopen(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct wal *wal = kit_open(&o, NULL);
    for (uint64_t n = 1; n <= 500; n++)
        assert_int_equal(kit_append(wal, n, NULL), n);
    wal_flush(wal);
    assert_int_equal(wal_durable_lsn(wal), 500);
    assert_int_equal(wal_last_lsn(wal), 500);
    wal_close(wal);
    kit_expect(&o, 1, 500);
    wal = kit_open(&o, NULL);
    for (uint64_t n = 501; n <= 600; n++)
        assert_int_equal(kit_append(wal, n, NULL), n);
    wal_close(wal); /* flushes */
    kit_expect(&o, 1, 600);
}

static void an_open_without_appends_leaves_nothing(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    for (int i = 0; i < 3; i++)
        wal_close(kit_open(&o, NULL));
    assert_int_equal(kit_files(&mr_io_posix, *state), 0);
    struct wal *wal = kit_open(&o, NULL);
    kit_append(wal, 1, NULL);
    wal_close(wal);
    for (int i = 0; i < 3; i++)
        wal_close(kit_open(&o, NULL));
    assert_int_equal(kit_files(&mr_io_posix, *state), 1);
}

static void options_have_ranges(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct mr_error err = MR_ERROR_INIT;
    struct wal *wal;
    static char longer[WAL_PATH_BYTES + 1];
    memset(longer, 'p', WAL_PATH_BYTES);
    o.dir = longer;
    assert_int_equal(wal_open(&o, NULL, NULL, &wal, &err), MR_EINVAL);
    o.dir = "/nowhere/at/all";
    assert_int_equal(wal_open(&o, NULL, NULL, &wal, &err), MR_ENOENT);
    o.dir = *state;
    o.segment_bytes = UINT64_MAX;
    assert_int_equal(wal_open(&o, NULL, NULL, &wal, &err), MR_EINVAL);
    o.segment_bytes = 1; /* two sectors: a frame to a segment */
    wal = kit_open(&o, NULL);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(wal_append(wal, MR_STR("x"), NULL, NULL), MR_OK);
        wal_flush(wal);
    }
    struct wal_stats s;
    wal_stats(wal, &s);
    assert_int_equal(s.segments, 5);
    wal_close(wal);
    wal_close(NULL);
}

/* A frame that a killed process left unmarked is larger than the segments of the one that recovers it. */
static void a_tail_fits_whatever_the_options_say(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    static char big[15000];
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        struct wal *wal = kit_open(&o, NULL);
        wal_append(wal, (struct mr_str){big, sizeof big}, NULL, NULL);
        wal_flush(wal);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    o.segment_bytes = 8192;
    for (int i = 0; i < 2; i++) {
        struct kit_found found = {.first_lsn = 0};
        wal_close(kit_open(&o, &found));
        assert_int_equal(found.count, 1);
        kit_found_release(&found);
    }
}

static void closing_marks_the_end(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct wal *wal = kit_open(&o, NULL);
    kit_append(wal, 1, NULL);
    wal_close(wal);
    struct wal_recovery r;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_recover(&mr_io_posix, *state, kit_keyring(), 0, NULL, NULL, &r, &err), &err);
    assert_int_equal(r.durable_lsn, 1);
    wal_recovery_release(&r);
}

static void trim_removes_whole_segments_from_the_old_end(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct wal *wal = kit_open(&o, NULL);
    struct mr_error err = MR_ERROR_INIT;
    for (uint64_t n = 1; n <= 2000; n++)
        kit_append(wal, n, NULL);
    wal_flush(wal);
    struct wal_stats before, after;
    wal_stats(wal, &before);
    assert_true(before.segments > 5);
    check_ok(wal_trim(wal, 0, &err), &err);
    wal_stats(wal, &after);
    assert_int_equal(after.segments, before.segments);
    check_ok(wal_trim(wal, 1000, &err), &err);
    wal_stats(wal, &after);
    assert_true(after.segments < before.segments && after.segments > 1);
    wal_close(wal);

    struct kit_found found = {.first_lsn = 0};
    o.need_lsn = 1001;
    wal = kit_open(&o, &found);
    assert_true(found.first_lsn > 1 && found.first_lsn <= 1001);
    assert_int_equal(found.first_lsn + found.count - 1, 2000);
    check_ok(wal_trim(wal, UINT64_MAX, &err), &err);
    wal_stats(wal, &after);
    assert_int_equal(after.segments, 1); /* it carries the LSN */
    wal_close(wal);
    kit_found_release(&found);

    o.need_lsn = 0;
    wal = kit_open(&o, NULL);
    assert_int_equal(kit_append(wal, 2001, NULL), 2001);
    wal_close(wal);
}

static void a_start_gives_back_the_room_behind_the_last_frame(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    for (uint64_t n = 1; n <= 3; n++) {
        struct wal *wal = kit_open(&o, NULL);
        kit_append(wal, n, NULL);
        wal_close(wal);
    }
    struct wal_reader r;
    struct mr_error err = MR_ERROR_INIT;
    for (uint64_t sequence = 1; sequence <= 3; sequence++) {
        check_ok(wal_reader_open(&r, &mr_io_posix, *state, kit_keyring(), sequence, &err), &err);
        if (sequence < 3)
            assert_true(r.size <= 4 * (int64_t)WAL_SECTOR);
        else
            assert_int_equal(r.size, o.segment_bytes);
        wal_reader_close(&r);
    }
    kit_expect(&o, 1, 3);
}

static int refuse(void *ctx, uint64_t lsn, struct mr_str entry, struct mr_error *err)
{
    MR_UNUSED(entry);
    return lsn == *(uint64_t *)ctx ? mr_error_set(err, MR_ENOENT, "refused at %d", (int)lsn) : MR_OK;
}

static void a_replay_that_refuses_stops_the_open(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct wal *wal = kit_open(&o, NULL);
    for (uint64_t n = 1; n <= 9; n++)
        kit_append(wal, n, NULL);
    wal_close(wal);
    struct mr_error err = MR_ERROR_INIT;
    uint64_t at = 5;
    assert_int_equal(wal_open(&o, refuse, &at, &wal, &err), MR_ENOENT);
    assert_string_equal(err.text, "refused at 5");
    assert_null(wal);
    kit_expect(&o, 1, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(entries_come_back_after_reopen, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_open_without_appends_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(options_have_ranges, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_tail_fits_whatever_the_options_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(closing_marks_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trim_removes_whole_segments_from_the_old_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_start_gives_back_the_room_behind_the_last_frame, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_replay_that_refuses_stops_the_open, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("wal/open", tests, NULL, NULL);
}
