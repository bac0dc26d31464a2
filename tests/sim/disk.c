/* The simulated disk itself: what it keeps and what it loses. */
#include "lib/check.h"
#include "lib/simdisk.h"

#include <errno.h>
#include <fcntl.h>

static int set_up(void **state)
{
    *state = simdisk_new();
    return 0;
}

static int tear_down(void **state)
{
    simdisk_free(*state);
    return 0;
}

static int make(const struct mr_io *io, const char *path)
{
    int fd = io->open(io->ctx, path, O_RDWR | O_CREAT, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void put(const struct mr_io *io, int fd, const char *text, int64_t offset)
{
    assert_int_equal(io->pwrite(io->ctx, fd, text, strlen(text), offset), strlen(text));
}

static void sync_root(const struct mr_io *io)
{
    struct mr_error err = MR_ERROR_INIT;
    check_ok(mr_io_sync_dir(io, "/", &err), &err);
}

/* What a file holds after a power cut; NULL when there is no such file. The disk is freed. */
static const char *after(struct simdisk *cut, const char *path)
{
    static char text[4096];
    const struct mr_io *io = simdisk_io(cut);
    int fd = io->open(io->ctx, path, O_RDONLY, 0);
    if (fd >= 0) {
        memset(text, 0, sizeof text);
        assert_true(io->pread(io->ctx, fd, text, sizeof text - 1, 0) >= 0);
        io->close(io->ctx, fd);
    }
    simdisk_free(cut);
    return fd >= 0 ? text : NULL;
}

static struct simdisk *cut(const struct simdisk *d, enum simdisk_keep keep)
{
    return simdisk_power_cut(d, simdisk_changes(d), keep, 1);
}

static void programs_see_what_they_wrote(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    char buf[16] = {0};
    int fd = make(io, "/a");
    put(io, fd, "hello", 3);
    assert_int_equal(io->size(io->ctx, fd), 8);
    assert_int_equal(io->pread(io->ctx, fd, buf, sizeof buf, 0), 8);
    assert_memory_equal(buf, "\0\0\0hello", 8);
    assert_int_equal(io->ftruncate(io->ctx, fd, 4), 0);
    assert_int_equal(io->ftruncate(io->ctx, fd, 8), 0);
    assert_int_equal(io->pread(io->ctx, fd, buf, sizeof buf, 0), 8);
    assert_memory_equal(buf, "\0\0\0h\0\0\0\0", 8);
    io->close(io->ctx, fd);
    assert_int_equal(io->open(io->ctx, "/b", O_RDONLY, 0), -ENOENT);
    assert_int_equal(io->open(io->ctx, "/a", O_RDWR | O_CREAT | O_EXCL, 0), -EEXIST);
    assert_int_equal(io->mkdir(io->ctx, "/d", 0700), 0);
    assert_int_equal(io->rename(io->ctx, "/a", "/d/a"), 0);
    assert_int_equal(io->rmdir(io->ctx, "/d"), -ENOTEMPTY);
    assert_int_equal(io->unlink(io->ctx, "/d/a"), 0);
    assert_int_equal(io->rmdir(io->ctx, "/d"), 0);
    assert_int_equal(io->rmdir(io->ctx, "/d"), -ENOENT);
}

static void data_needs_a_sync_and_names_need_their_own(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    int fd = make(io, "/a");
    put(io, fd, "one", 0);
    assert_int_equal(io->fdatasync(io->ctx, fd), 0);
    assert_null(after(cut(*state, SIMDISK_NONE), "/a")); /* the name is not durable */
    assert_string_equal(after(cut(*state, SIMDISK_ALL), "/a"), "one");
    sync_root(io);
    assert_string_equal(after(cut(*state, SIMDISK_NONE), "/a"), "one");
    put(io, fd, "two", 0);
    assert_string_equal(after(cut(*state, SIMDISK_NONE), "/a"), "one");
    assert_string_equal(after(cut(*state, SIMDISK_ALL), "/a"), "two");
    io->close(io->ctx, fd);
}

static void a_rename_is_one_thing(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    int a = make(io, "/a"), b = make(io, "/b");
    put(io, a, "new", 0);
    put(io, b, "old", 0);
    io->fdatasync(io->ctx, a);
    io->fdatasync(io->ctx, b);
    sync_root(io);
    assert_int_equal(io->rename(io->ctx, "/a", "/b"), 0);
    assert_string_equal(after(cut(*state, SIMDISK_NONE), "/b"), "old");
    assert_string_equal(after(cut(*state, SIMDISK_NONE), "/a"), "new");
    assert_string_equal(after(cut(*state, SIMDISK_ALL), "/b"), "new");
    assert_null(after(cut(*state, SIMDISK_ALL), "/a"));
    io->close(io->ctx, a);
    io->close(io->ctx, b);
}

static void a_moment_of_the_past_can_be_cut_too(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    int fd = make(io, "/a");
    put(io, fd, "one", 0);
    io->fdatasync(io->ctx, fd);
    sync_root(io);
    size_t then = simdisk_changes(*state);
    put(io, fd, "two", 0);
    io->fdatasync(io->ctx, fd);
    io->unlink(io->ctx, "/a");
    sync_root(io);
    assert_null(after(cut(*state, SIMDISK_NONE), "/a"));
    assert_string_equal(after(simdisk_power_cut(*state, then, SIMDISK_ALL, 1), "/a"), "one");
    io->close(io->ctx, fd);
}

/* Four sectors, each old or new by itself: every combination turns up. */
static void sectors_survive_each_by_itself(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    char sectors[4 * 512];
    int fd = make(io, "/a");
    memset(sectors, 'o', sizeof sectors);
    io->pwrite(io->ctx, fd, sectors, sizeof sectors, 0);
    io->fdatasync(io->ctx, fd);
    sync_root(io);
    memset(sectors, 'n', sizeof sectors);
    io->pwrite(io->ctx, fd, sectors, sizeof sectors, 0);
    unsigned seen = 0, torn = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const char *text =
            after(simdisk_power_cut(*state, simdisk_changes(*state), SIMDISK_COIN, seed), "/a");
        unsigned which = 0;
        for (int i = 0; i < 4; i++) {
            which |= (text[i * 512] == 'n') << i;
            for (int k = 1; k < 512; k++)
                assert_int_equal(text[i * 512 + k], text[i * 512]);
        }
        seen |= 1u << which;
        text = after(simdisk_power_cut(*state, simdisk_changes(*state), SIMDISK_TORN, seed), "/a");
        for (int i = 0; i < 4; i++)
            torn += text[i * 512] != text[i * 512 + 511];
    }
    assert_int_equal(seen, 0xFFFF);
    assert_true(torn > 300 && torn <= 400);
    io->close(io->ctx, fd);
}

static void a_prefix_and_all_but_one(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    int fd = make(io, "/a");
    io->ftruncate(io->ctx, fd, 8 * 512);
    io->fdatasync(io->ctx, fd);
    sync_root(io);
    for (int i = 0; i < 8; i++)
        put(io, fd, "x", i * 512);
    unsigned lengths = 0, holes = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const char *text =
            after(simdisk_power_cut(*state, simdisk_changes(*state), SIMDISK_PREFIX, seed), "/a");
        int n = 0;
        while (n < 7 && text[n * 512] == 'x')
            n++;
        for (int i = n + 1; i < 7; i++)
            assert_int_equal(text[i * 512], 0);
        lengths |= 1u << n;
        text = after(simdisk_power_cut(*state, simdisk_changes(*state), SIMDISK_ALL_BUT_ONE, seed), "/a");
        int missing = 0;
        for (int i = 0; i < 7; i++)
            missing += text[i * 512] == 0;
        assert_true(missing <= 1);
        holes += missing;
    }
    assert_int_equal(lengths, 0xFF);
    assert_true(holes > 100);
    io->close(io->ctx, fd);
}

static void a_kill_keeps_pending_things_pending(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    int fd = make(io, "/a");
    io->fdatasync(io->ctx, fd);
    sync_root(io);
    put(io, fd, "one", 0);
    struct simdisk *killed = simdisk_kill(*state, simdisk_changes(*state), false);
    assert_string_equal(after(cut(killed, SIMDISK_NONE), "/a"), "");
    assert_string_equal(after(cut(killed, SIMDISK_ALL), "/a"), "one");
    const struct mr_io *again = simdisk_io(killed);
    int fd2 = again->open(again->ctx, "/a", O_RDWR, 0);
    again->fdatasync(again->ctx, fd2);
    assert_string_equal(after(cut(killed, SIMDISK_NONE), "/a"), "one");
    again->close(again->ctx, fd2);
    simdisk_free(killed);

    killed = simdisk_kill(*state, simdisk_changes(*state), true); /* a sync had failed */
    again = simdisk_io(killed);
    char buf[4] = {0};
    fd2 = again->open(again->ctx, "/a", O_RDWR, 0);
    assert_int_equal(again->pread(again->ctx, fd2, buf, 3, 0), 3);
    assert_string_equal(buf, "one"); /* programs see it */
    again->fdatasync(again->ctx, fd2);
    assert_string_not_equal(after(cut(killed, SIMDISK_ALL), "/a"), "one"); /* the disk never will */
    again->close(again->ctx, fd2);
    simdisk_free(killed);
    io->close(io->ctx, fd);
}

static void a_full_disk_says_so(void **state)
{
    const struct mr_io *io = simdisk_io(*state);
    static const char bytes[1000];
    struct mr_error err = MR_ERROR_INIT;
    int fd = make(io, "/a");
    simdisk_set_limit(*state, 1500);
    assert_int_equal(io->fallocate(io->ctx, fd, 0, 2000), -ENOSPC);
    assert_int_equal(io->pwrite(io->ctx, fd, bytes, 1000, 0), 1000);
    assert_int_equal(io->pwrite(io->ctx, fd, bytes, 1000, 1000), 500);
    assert_int_equal(io->pwrite(io->ctx, fd, bytes, 1000, 1500), -ENOSPC);
    assert_int_equal(io->pwrite(io->ctx, fd, bytes, 1000, 0), 1000); /* over what is there */
    assert_int_equal(mr_io_pwrite_full(io, fd, bytes, 1000, 1000, "/a", &err), MR_ENOSPC);
    io->close(io->ctx, fd);
    io->unlink(io->ctx, "/a");
    fd = make(io, "/b");
    assert_int_equal(io->fallocate(io->ctx, fd, 0, 1500), 0);
    io->close(io->ctx, fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(programs_see_what_they_wrote, set_up, tear_down),
        cmocka_unit_test_setup_teardown(data_needs_a_sync_and_names_need_their_own, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_rename_is_one_thing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_moment_of_the_past_can_be_cut_too, set_up, tear_down),
        cmocka_unit_test_setup_teardown(sectors_survive_each_by_itself, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_prefix_and_all_but_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_kill_keeps_pending_things_pending, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_disk_says_so, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("sim/disk", tests, NULL, NULL);
}
