/* The spool: what it promised is there after a power cut at any moment, and what is damaged is told from what
 * is lost. */
#include "client/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/rand.h"
#include "lib/check.h"
#include "lib/dir.h"
#include "lib/fault.h"
#include "lib/simdisk.h"

#define IDS 4000

/* What the history of one run promised, and when (simdisk_changes). SIZE_MAX: never. */
struct history {
    size_t promised[IDS], done_from[IDS]; /* done_from: the moment before client_spool_done was called */
    unsigned n;
};

static struct mr_str payload_of(unsigned id, struct mr_buf *buf)
{
    buf->len = 0;
    mr_buf_u32(buf, id);
    for (unsigned i = 0; i < 40 + id % 700; i++)
        mr_buf_char(buf, (char)(id * 31 + i));
    return mr_buf_view(buf);
}

static unsigned id_of(struct mr_str payload)
{
    unsigned id;
    struct mr_buf want = MR_BUF_INIT;
    assert_true(payload.len >= sizeof id);
    memcpy(&id, payload.ptr, sizeof id);
    assert_true(mr_str_eq(payload_of(id, &want), payload));
    mr_buf_release(&want);
    return id;
}

static struct spool *opened(const struct mr_io *io, const char *dir)
{
    struct spool *s;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(client_spool_open(&s, io, dir, UINT64_C(1) << 30, false, &err), &err);
    return s;
}

/* Takes everything there is; marks what was found. */
static unsigned drain(struct spool *s, bool *found)
{
    struct spool_frame frame;
    struct mr_buf bytes = MR_BUF_INIT;
    unsigned n = 0;
    while (client_spool_take(s, &frame)) {
        struct mr_error err = MR_ERROR_INIT;
        check_ok(client_spool_read(s, &frame, &bytes, &err), &err);
        unsigned id = id_of(mr_buf_view(&bytes));
        assert_int_equal(frame.records, 1 + id % 100);
        found[id] = true;
        client_spool_done(s, &frame, true);
        n++;
    }
    mr_buf_release(&bytes);
    return n;
}

/* Appends and sends at random, over two lives of the process. */
static void live(struct simdisk *disk, struct history *h, struct mr_rng *rng)
{
    const struct mr_io *io = simdisk_io(disk);
    struct mr_buf buf = MR_BUF_INIT;
    for (int life = 0; life < 2; life++) {
        struct spool *s = opened(io, "/spool");
        for (int step = 0; step < 60; step++) {
            if (mr_rng_below(rng, 3) != 0) {
                struct mr_error err = MR_ERROR_INIT;
                unsigned id = h->n++;
                h->promised[id] = h->done_from[id] = SIZE_MAX;
                check_ok(client_spool_append(s, payload_of(id, &buf), 1 + id % 100, &err), &err);
                h->promised[id] = simdisk_changes(disk);
            } else {
                struct spool_frame frame;
                struct mr_error err = MR_ERROR_INIT;
                if (!client_spool_take(s, &frame))
                    continue;
                check_ok(client_spool_read(s, &frame, &buf, &err), &err);
                unsigned id = id_of(mr_buf_view(&buf));
                if (mr_rng_below(rng, 4) == 0) {
                    client_spool_return(s, &frame);
                } else {
                    if (h->done_from[id] == SIZE_MAX)
                        h->done_from[id] = simdisk_changes(disk);
                    client_spool_done(s, &frame, true);
                }
            }
        }
        client_spool_close(s);
    }
    mr_buf_release(&buf);
}

static void test_power_cuts(void **state)
{
    (void)state;
    static bool found[IDS];
    static struct history h;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct mr_rng rng = {seed};
        struct simdisk *disk = simdisk_new();
        const struct mr_io *io = simdisk_io(disk);
        h.n = 0;
        assert_int_equal(io->mkdir(io->ctx, "/spool", 0700), 0);
        struct mr_error err = MR_ERROR_INIT;
        check_ok(mr_io_sync_dir(io, "/", &err), &err);
        size_t from = simdisk_changes(disk);
        live(disk, &h, &rng);
        size_t to = simdisk_changes(disk);
        for (int cut = 0; cut < 120; cut++) {
            size_t moment = from + mr_rng_below(&rng, to - from + 1);
            struct simdisk *after =
                simdisk_power_cut(disk, moment, (enum simdisk_keep)(cut % SIMDISK_KEEPS), mr_rng_next(&rng));
            memset(found, 0, sizeof found);
            struct spool *s = opened(simdisk_io(after), "/spool");
            drain(s, found);
            struct spool_stats stats;
            client_spool_stats(s, &stats);
            assert_int_equal(stats.damaged, 0);
            assert_int_equal(stats.frames, 0);
            assert_int_equal(stats.bytes, 0);
            for (unsigned id = 0; id < h.n; id++)
                if (h.promised[id] <= moment && h.done_from[id] >= moment && !found[id])
                    fail_msg("seed %llu, cut at %zu (%s): frame %u is lost", (unsigned long long)seed, moment,
                             simdisk_keep_name((enum simdisk_keep)(cut % SIMDISK_KEEPS)), id);
            client_spool_close(s);
            simdisk_free(after);
        }
        simdisk_free(disk);
    }
}

static int count_names(void *arg, const char *name)
{
    const char *const *suffix = arg;
    (void)suffix;
    size_t len = strlen(name);
    return len > 4 && strcmp(name + len - 4, ".bad") == 0 ? 7 : 0;
}

static void patch(const struct mr_io *io, const char *path, int64_t offset, const void *bytes, size_t len)
{
    struct mr_error err = MR_ERROR_INIT;
    int fd = io->open(io->ctx, path, O_RDWR, 0);
    assert_true(fd >= 0);
    check_ok(mr_io_pwrite_full(io, fd, bytes, len, offset, path, &err), &err);
    io->close(io->ctx, fd);
}

/* Ten frames, one of them damaged in its payload, its length, or its head: the other nine are found, the file
 * is kept. */
static void test_damage(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        struct mr_buf buf = MR_BUF_INIT;
        struct mr_error err = MR_ERROR_INIT;
        char *dir = dir_make(), path[400];
        bool found[IDS] = {false};
        struct spool *s = opened(&mr_io_posix, dir);
        int64_t offset = 8, victim = 0;
        for (unsigned id = 0; id < 10; id++) {
            if (id == 4)
                victim = offset;
            check_ok(client_spool_append(s, payload_of(id, &buf), 1 + id % 100, &err), &err);
            offset += 12 + (int64_t)buf.len;
        }
        client_spool_close(s);
        snprintf(path, sizeof path, "%s/spool-%016x.mrs", dir, 1u);
        static const uint32_t lengths[] = {0xffffffffu, 5};
        if (kind < 2)
            patch(&mr_io_posix, path, victim, &lengths[kind], 4);
        else
            patch(&mr_io_posix, path, victim + 20, "xx", 2);
        s = opened(&mr_io_posix, dir);
        assert_int_equal(drain(s, found), 9);
        for (unsigned id = 0; id < 10; id++)
            assert_int_equal(found[id], id != 4);
        struct spool_stats stats;
        client_spool_stats(s, &stats);
        assert_int_equal(stats.damaged, 1);
        client_spool_close(s);
        assert_int_equal(mr_io_posix.list(NULL, dir, count_names, NULL), 7); /* there is a .bad */
        s = opened(&mr_io_posix, dir);
        assert_int_equal(drain(s, found), 0);
        client_spool_close(s);
        dir_remove(dir);
        mr_buf_release(&buf);
    }
}

static void test_limits_and_full_disks(void **state)
{
    (void)state;
    struct simdisk *disk = simdisk_new();
    const struct mr_io *io = simdisk_io(disk);
    struct mr_buf buf = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    struct spool *s;
    bool found[IDS] = {false};
    unsigned kept = 0;
    assert_int_equal(io->mkdir(io->ctx, "/spool", 0700), 0);
    check_ok(client_spool_open(&s, io, "/spool", 20000, false, &err), &err);
    while (client_spool_append(s, payload_of(kept, &buf), 1 + kept % 100, &err) == MR_OK)
        kept++;
    assert_int_equal(err.status, MR_ENOSPC);
    assert_true(kept > 20 && kept < 200);
    assert_int_equal(drain(s, found), kept);
    err = (struct mr_error)MR_ERROR_INIT;
    check_ok(client_spool_append(s, payload_of(kept, &buf), 1 + kept % 100, &err),
             &err); /* there is room again */
    simdisk_set_limit(disk, 2000);
    unsigned more = kept + 1;
    while (client_spool_append(s, payload_of(more, &buf), 1 + more % 100, &err) == MR_OK)
        more++;
    assert_int_equal(err.status, MR_ENOSPC);
    simdisk_set_limit(disk, UINT64_MAX);
    err = (struct mr_error)MR_ERROR_INIT;
    check_ok(client_spool_append(s, payload_of(more, &buf), 1 + more % 100, &err), &err);
    assert_int_equal(drain(s, found), more - kept + 1);
    client_spool_close(s);
    simdisk_free(disk);
    mr_buf_release(&buf);
}

/* The n-th file operation fails, for every n: what was promised before and after is there. */
static void test_failing_files(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 60; nth++) {
        struct fault_io fault;
        struct mr_buf buf = MR_BUF_INIT;
        bool found[IDS] = {false}, promised[40] = {false};
        char *dir = dir_make();
        fault_io_init(&fault);
        struct spool *s = opened(&fault.io, dir);
        fault_io_arm(&fault, nth, EIO, nth % 2 == 0 ? FAULT_SHORT : FAULT_ERROR, false);
        for (unsigned id = 0; id < 40; id++)
            promised[id] = client_spool_append(s, payload_of(id, &buf), 1 + id % 100, NULL) == MR_OK;
        fault_io_arm(&fault, 0, 0, FAULT_ERROR, false);
        client_spool_close(s);
        s = opened(&mr_io_posix, dir);
        drain(s, found);
        for (unsigned id = 0; id < 40; id++)
            if (promised[id] && !found[id])
                fail_msg("operation %u failed: frame %u is lost", nth, id);
        client_spool_close(s);
        dir_remove(dir);
        mr_buf_release(&buf);
    }
}

static void test_failing_memory(void **state)
{
    (void)state;
    char *dir = dir_make();
    struct mr_buf buf = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    bool found[IDS] = {false};
    struct spool *s = opened(&mr_io_posix, dir);
    for (unsigned id = 0; id < 20; id++)
        check_ok(client_spool_append(s, payload_of(id, &buf), 1 + id % 100, &err), &err);
    client_spool_close(s);
    for (unsigned nth = 1;; nth++) {
        fault_alloc(nth);
        int rc = client_spool_open(&s, &mr_io_posix, dir, 1 << 20, false, &err);
        bool fired = fault_alloc_fired();
        fault_alloc(0);
        if (rc == MR_OK && !fired)
            break;
        assert_int_equal(rc, MR_ENOMEM);
        assert_null(s);
    }
    assert_int_equal(drain(s, found), 20);
    client_spool_close(s);
    dir_remove(dir);
    mr_buf_release(&buf);
}

static void test_one_process_at_a_time(void **state)
{
    (void)state;
    char *dir = dir_make();
    struct spool *a, *b;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(client_spool_open(&a, &mr_io_posix, dir, 1 << 20, true, &err), &err);
    assert_int_equal(client_spool_open(&b, &mr_io_posix, dir, 1 << 20, true, &err), MR_EBUSY);
    client_spool_close(a);
    err = (struct mr_error)MR_ERROR_INIT;
    check_ok(client_spool_open(&b, &mr_io_posix, dir, 1 << 20, true, &err), &err);
    client_spool_close(b);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_damage),
        cmocka_unit_test(test_limits_and_full_disks),
        cmocka_unit_test(test_failing_files),
        cmocka_unit_test(test_failing_memory),
        cmocka_unit_test(test_one_process_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
