/* A full disk: appends say so, what is there stays fine, and the log heals by itself. */
#include "lib/simdisk.h"
#include "unit/wal/kit.h"
#include "wal/private.h"

#include <sched.h>

#define DIR "/wal"

struct counted {
    struct wal_waiter waiter; /* first */
    unsigned *runs;
};

static void count(struct wal_waiter *w)
{
    ++*((struct counted *)w)->runs;
}

static struct simdisk *new_disk(void)
{
    struct simdisk *disk = simdisk_new();
    const struct mr_io *io = simdisk_io(disk);
    struct mr_error err = MR_ERROR_INIT;
    assert_int_equal(io->mkdir(io->ctx, DIR, 0700), 0);
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
    return disk;
}

/* Appends entries from `n` on until the disk is full; returns how many were taken. */
static uint64_t fill(struct wal *wal, uint64_t n)
{
    uint64_t first = n;
    for (;;) {
        int status = wal_append(wal, kit_entry(n), NULL, NULL);
        if (status == MR_ENOSPC)
            return n - first;
        if (status == MR_OK)
            n++;
        else
            assert_int_equal(status, MR_EBUSY);
        sched_yield();
    }
}

/* The log takes entries again: at once, or when the preparer has noticed. */
static void until_taken(struct wal *wal, uint64_t n)
{
    int status;
    while ((status = wal_append(wal, kit_entry(n), NULL, NULL)) != MR_OK) {
        assert_true(status == MR_ENOSPC || status == MR_EBUSY);
        sched_yield();
    }
}

static bool knows_of_no_room(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    bool knows = wal->room_failed;
    pthread_mutex_unlock(&wal->lock);
    return knows;
}

/* Room for two segments. The log learns that there is no third while most of the second is free: from then on
 * what it takes has its place, to the last frame. */
static void what_is_taken_has_its_place(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = new_disk();
    struct wal_options o = kit_options(simdisk_io(disk), DIR);
    simdisk_set_limit(disk, 2 * o.segment_bytes + 100);
    struct wal *wal = kit_open(&o, NULL);
    struct wal_stats stats = {.segments = 0};
    uint64_t frames = 0;
    for (; stats.segments < 2; wal_stats(wal, &stats), frames++) {
        assert_int_equal(wal_append(wal, MR_STR("one to a frame"), NULL, NULL), MR_OK);
        wal_flush(wal);
    }
    while (!knows_of_no_room(wal))
        sched_yield();
    int status;
    while ((status = wal_append(wal, MR_STR("one to a frame"), NULL, NULL)) == MR_OK) {
        wal_flush(wal);
        frames++;
    }
    assert_int_equal(status, MR_ENOSPC);
    assert_int_equal(frames, 2 * (o.segment_bytes / WAL_SECTOR - 1)); /* every place but the headers' */
    assert_int_equal(wal_durable_lsn(wal), frames);
    wal_close(wal);
    simdisk_set_limit(disk, UINT64_MAX);
    struct mr_error err = MR_ERROR_INIT;
    struct kit_found found = {.first_lsn = 0};
    kit_recover(simdisk_io(disk), DIR, MR_OK, &found, &err);
    assert_int_equal(found.count, frames);
    kit_found_release(&found);
    simdisk_free(disk);
}

static void a_full_disk_refuses_appends_until_there_is_room(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = new_disk();
    struct wal_options o = kit_options(simdisk_io(disk), DIR);
    simdisk_set_limit(disk, 4 * o.segment_bytes + 100);
    struct wal *wal = kit_open(&o, NULL);
    uint64_t taken = fill(wal, 1); /* the last of them may wait for room: taken before the log knew */
    assert_true(taken > 50);
    uint64_t durable = wal_durable_lsn(wal);
    assert_true(durable > 20);
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_trim(wal, durable, &err), &err); /* goes on, and makes room */
    until_taken(wal, taken + 1);
    wal_flush(wal);
    assert_int_equal(wal_durable_lsn(wal), taken + 1);
    simdisk_set_limit(disk, UINT64_MAX);
    for (uint64_t n = taken + 2; n < taken + 200; n++)
        until_taken(wal, n);
    wal_close(wal);

    struct kit_found found = {.first_lsn = 0};
    wal_close(kit_open(&o, &found));
    assert_true(found.first_lsn > 1 && found.first_lsn <= durable + 1);
    assert_int_equal(found.first_lsn + found.count, taken + 200);
    for (uint64_t lsn = found.first_lsn; lsn < taken + 200; lsn++)
        assert_true(kit_found_is(&found, lsn, lsn));
    kit_found_release(&found);
    simdisk_free(disk);
}

static void a_full_disk_does_not_stop_a_start(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = new_disk();
    struct wal_options o = kit_options(simdisk_io(disk), DIR);
    simdisk_set_limit(disk, 1000);
    struct wal *wal = kit_open(&o, NULL);
    unsigned runs = 0;
    struct counted c[2] = {{.waiter = {.done = count}, .runs = &runs},
                           {.waiter = {.done = count}, .runs = &runs}};
    /* Before the first attempt has failed an entry may be taken; it waits for room and is given up at the
     * end. */
    int status = wal_append(wal, kit_entry(1), &c[0].waiter, NULL);
    assert_true(status == MR_OK || status == MR_ENOSPC);
    while (wal_append(wal, kit_entry(2), NULL, NULL) != MR_ENOSPC)
        sched_yield();
    wal_close(wal);
    assert_int_equal(runs, 0);
    simdisk_set_limit(disk, UINT64_MAX);
    kit_expect(&o, 1, 0);
    simdisk_free(disk);
}

static void entries_that_wait_for_room_get_it(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = new_disk();
    struct wal_options o = kit_options(simdisk_io(disk), DIR);
    simdisk_set_limit(disk, 1000);
    struct wal *wal = kit_open(&o, NULL);
    uint64_t taken = fill(wal, 1);
    simdisk_set_limit(disk, UINT64_MAX);
    until_taken(wal, taken + 1);
    wal_flush(wal);
    assert_int_equal(wal_durable_lsn(wal), taken + 1);
    wal_close(wal);
    kit_expect(&o, 1, taken + 1);
    simdisk_free(disk);
}

/* Killed with an unmarked frame, started on a full disk: nothing is lost then, or when room comes back. */
static void a_tail_survives_a_start_without_room(void **state)
{
    MR_UNUSED(state);
    struct simdisk *disk = new_disk();
    struct wal_options o = kit_options(simdisk_io(disk), DIR);
    struct wal *wal = kit_open(&o, NULL);
    for (uint64_t n = 1; n <= 20; n++)
        kit_append(wal, n, NULL);
    wal_flush(wal);
    struct simdisk *killed = simdisk_kill(disk, simdisk_changes(disk), false);
    wal_close(wal);
    simdisk_free(disk);

    o.io = simdisk_io(killed);
    simdisk_set_limit(killed, 1);
    struct kit_found found = {.first_lsn = 0};
    wal = kit_open(&o, &found);
    assert_int_equal(found.count, 20);
    assert_int_equal(wal_durable_lsn(wal), 20); /* readers see it, though the tail is not written again yet */
    kit_found_release(&found);
    struct simdisk *cut = simdisk_power_cut(killed, simdisk_changes(killed), SIMDISK_NONE, 0);
    struct mr_error err = MR_ERROR_INIT;
    kit_recover(simdisk_io(cut), DIR, MR_OK, &found, &err);
    assert_int_equal(found.count, 20);
    kit_found_release(&found);
    simdisk_free(cut);

    uint64_t taken = fill(wal, 21);
    simdisk_set_limit(killed, UINT64_MAX);
    until_taken(wal, 21 + taken);
    wal_close(wal);
    kit_expect(&o, 1, 21 + taken);
    simdisk_free(killed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_taken_has_its_place),
        cmocka_unit_test(a_full_disk_refuses_appends_until_there_is_room),
        cmocka_unit_test(a_full_disk_does_not_stop_a_start),
        cmocka_unit_test(entries_that_wait_for_room_get_it),
        cmocka_unit_test(a_tail_survives_a_start_without_room),
    };
    return cmocka_run_group_tests_name("wal/space", tests, NULL, NULL);
}
