/* What the header of the log promises about append, notify and flush, and what a commit writes. */
#include "unit/wal/kit.h"

#include "lib/dir.h"

#include <pthread.h>

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

struct seen {
    struct wal_waiter waiter; /* first: the waiter is the object */
    struct order *order;
    int runs;
    uint64_t durable; /* as the waiter saw it */
};

struct order {
    struct wal *wal;
    uint64_t last;
    size_t runs;
    bool backwards;
};

static void note(struct wal_waiter *w)
{
    struct seen *s = (struct seen *)w;
    s->runs++;
    s->durable = wal_durable_lsn(s->order->wal);
    if (w->lsn < s->order->last)
        s->order->backwards = true;
    s->order->last = w->lsn;
    s->order->runs++;
}

static void waiters_run_once_in_order_after_the_sync(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct order order = {.wal = kit_open(&o, NULL)};
    static struct seen seen[400];
    for (size_t i = 0; i < MR_ARRAY_LEN(seen); i++) {
        seen[i] = (struct seen){.waiter = {.done = note}, .order = &order};
        if (i % 10 == 9)
            wal_notify(order.wal, &seen[i].waiter);
        else
            kit_append(order.wal, i, &seen[i].waiter);
    }
    wal_flush(order.wal);
    assert_int_equal(order.runs, MR_ARRAY_LEN(seen));
    assert_false(order.backwards);
    for (size_t i = 0; i < MR_ARRAY_LEN(seen); i++) {
        assert_int_equal(seen[i].runs, 1);
        assert_true(seen[i].durable >= seen[i].waiter.lsn);
    }
    wal_close(order.wal);
}

static void notify_runs_at_once_when_all_is_durable(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct order order = {.wal = kit_open(&o, NULL)};
    struct seen empty = {.waiter = {.done = note}, .order = &order}, later = empty;
    wal_notify(order.wal, &empty.waiter);
    assert_int_equal(empty.runs, 1);
    assert_int_equal(empty.waiter.lsn, 0);
    kit_append(order.wal, 1, NULL);
    wal_flush(order.wal);
    wal_notify(order.wal, &later.waiter);
    assert_int_equal(later.runs, 1);
    assert_int_equal(later.waiter.lsn, 1);
    wal_close(order.wal);
}

static void entry_sizes_have_a_limit(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    o.max_frame_bytes = 0; /* lowered to what fits into a segment */
    o.max_queue_bytes = 1;
    struct wal *wal = kit_open(&o, NULL);
    static char big[64 << 10];
    size_t fits = o.segment_bytes - WAL_SECTOR - WAL_FRAME_HEADER_BYTES - SEAL_TAG_BYTES - WAL_VARINT_MAX;
    assert_int_equal(wal_append(wal, (struct mr_str){big, fits + 1}, NULL, NULL), MR_ELIMIT);
    assert_int_equal(wal_append(wal, (struct mr_str){big, fits}, NULL, NULL), MR_OK);
    wal_flush(wal);
    assert_int_equal(wal_append(wal, (struct mr_str){big, fits}, NULL, NULL), MR_OK);
    wal_close(wal);
    wal = kit_open(&o, NULL);
    assert_int_equal(wal_last_lsn(wal), 2);
    wal_close(wal);
}

/* An io table that holds the syncs of frames up until told otherwise (the preparer's pass), so that "in
 * flight" is a state a test can stand in.
 */
struct gate {
    struct mr_io io;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    int frame_fd; /* of the last frame written */
    int waiting;
    unsigned empty_frames; /* idle marks written */
};

static int gate_fdatasync(void *ctx, int fd)
{
    struct gate *g = ctx;
    pthread_mutex_lock(&g->lock);
    g->waiting += fd == g->frame_fd;
    pthread_cond_broadcast(&g->changed);
    while (g->shut && fd == g->frame_fd)
        pthread_cond_wait(&g->changed, &g->lock);
    g->waiting -= fd == g->frame_fd;
    pthread_mutex_unlock(&g->lock);
    return mr_io_posix.fdatasync(NULL, fd);
}

static ssize_t gate_pwrite(void *ctx, int fd, const void *buf, size_t len, int64_t offset)
{
    struct gate *g = ctx;
    struct wal_frame_header h;
    if (len >= sizeof h) {
        memcpy(&h, buf, sizeof h);
        pthread_mutex_lock(&g->lock);
        if (h.magic == WAL_FRAME_MAGIC)
            g->frame_fd = fd;
        if (h.magic == WAL_FRAME_MAGIC && h.entries == 0) {
            g->empty_frames++;
            pthread_cond_broadcast(&g->changed);
        }
        pthread_mutex_unlock(&g->lock);
    }
    return mr_io_posix.pwrite(NULL, fd, buf, len, offset);
}

static void gate_init(struct gate *g)
{
    *g = (struct gate){.io = mr_io_posix,
                       .frame_fd = -1,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .changed = PTHREAD_COND_INITIALIZER};
    g->io.ctx = g;
    g->io.fdatasync = gate_fdatasync;
    g->io.pwrite = gate_pwrite;
}

static void gate_set(struct gate *g, bool shut)
{
    pthread_mutex_lock(&g->lock);
    g->shut = shut;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void gate_wait_for_sync(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (g->waiting == 0)
        pthread_cond_wait(&g->changed, &g->lock);
    pthread_mutex_unlock(&g->lock);
}

static void nothing_is_durable_before_its_sync(void **state)
{
    struct gate gate;
    gate_init(&gate);
    struct wal_options o = kit_options(&gate.io, *state);
    struct order order = {.wal = kit_open(&o, NULL)};
    kit_append(order.wal, 1, NULL);
    wal_flush(order.wal);
    gate_set(&gate, true);
    struct seen entry = {.waiter = {.done = note}, .order = &order}, late = entry;
    kit_append(order.wal, 2, &entry.waiter);
    gate_wait_for_sync(&gate);
    wal_notify(order.wal, &late.waiter); /* the queue may be empty, the frame is in flight */
    assert_int_equal(wal_durable_lsn(order.wal), 1);
    assert_int_equal(wal_last_lsn(order.wal), 2);
    assert_int_equal(entry.runs + late.runs, 0);
    gate_set(&gate, false);
    wal_flush(order.wal);
    assert_int_equal(entry.runs, 1);
    assert_int_equal(late.runs, 1);
    wal_close(order.wal);
}

static void what_comes_during_a_sync_shares_the_next(void **state)
{
    struct gate gate;
    gate_init(&gate);
    struct wal_options o = kit_options(&gate.io, *state);
    struct wal *wal = kit_open(&o, NULL);
    kit_append(wal, 1, NULL);
    wal_flush(wal);
    gate_set(&gate, true);
    wal_append(wal, MR_STR("in flight"), NULL, NULL);
    gate_wait_for_sync(&gate);
    struct wal_stats before, after;
    wal_stats(wal, &before);
    for (int i = 0; i < 100; i++)
        assert_int_equal(wal_append(wal, MR_STR("together"), NULL, NULL), MR_OK);
    wal_stats(wal, &after);
    assert_true(after.queue_bytes >= 100 * 9);
    gate_set(&gate, false);
    wal_flush(wal);
    wal_close(wal);
    struct wal_reader r;
    struct wal_frame f;
    const char *why;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_reader_open(&r, &mr_io_posix, *state, kit_keyring(), 1, &err), &err);
    uint32_t most = 0;
    while (wal_reader_next(&r, &f, &why, &err) == MR_OK)
        most = f.header.entries > most ? f.header.entries : most;
    wal_reader_close(&r);
    assert_in_range(most, 99, 101); /* the first of them may have gone along with the one in flight */
}

static void frames_have_an_entry_cap(void **state)
{
    struct gate gate;
    gate_init(&gate);
    struct wal_options o = kit_options(&gate.io, *state);
    o.max_frame_entries = 7;
    struct wal *wal = kit_open(&o, NULL);
    gate_set(&gate, true);
    for (int i = 0; i < 100; i++)
        assert_int_equal(wal_append(wal, MR_STR("x"), NULL, NULL), MR_OK);
    gate_set(&gate, false);
    wal_close(wal);
    struct wal_reader r;
    struct wal_frame f;
    const char *why;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_reader_open(&r, &mr_io_posix, *state, kit_keyring(), 1, &err), &err);
    while (wal_reader_next(&r, &f, &why, &err) == MR_OK)
        assert_true(f.header.entries <= 7);
    wal_reader_close(&r);
}

static void a_full_queue_says_so_and_takes_nothing(void **state)
{
    struct gate gate;
    gate_init(&gate);
    struct wal_options o = kit_options(&gate.io, *state);
    struct wal *wal = kit_open(&o, NULL);
    gate_set(&gate, true);
    static char big[15 << 10];
    int accepted = 0;
    while (wal_append(wal, (struct mr_str){big, sizeof big}, NULL, NULL) == MR_OK)
        accepted++;
    assert_in_range(accepted, 4, 6);
    assert_int_equal(wal_append(wal, (struct mr_str){big, sizeof big}, NULL, NULL), MR_EBUSY);
    assert_int_equal(wal_last_lsn(wal), accepted);
    gate_set(&gate, false);
    wal_flush(wal);
    assert_int_equal(wal_append(wal, (struct mr_str){big, sizeof big}, NULL, NULL), MR_OK);
    wal_close(wal);
}

static void an_idle_log_writes_its_mark_once(void **state)
{
    struct gate gate;
    gate_init(&gate);
    struct wal_options o = kit_options(&gate.io, *state);
    o.idle_mark_ms = 1;
    struct wal *wal = kit_open(&o, NULL);
    kit_append(wal, 1, NULL);
    pthread_mutex_lock(&gate.lock);
    while (gate.empty_frames == 0)
        pthread_cond_wait(&gate.changed, &gate.lock);
    pthread_mutex_unlock(&gate.lock);
    wal_close(wal); /* nothing new to mark */
    assert_int_equal(gate.empty_frames, 1);
    struct wal_recovery r;
    struct mr_error err = MR_ERROR_INIT;
    check_ok(wal_recover(&mr_io_posix, *state, kit_keyring(), 0, NULL, NULL, &r, &err), &err);
    assert_int_equal(r.durable_lsn, 1);
    assert_int_equal(r.tail_entries, 0);
    wal_recovery_release(&r);
}

static void statistics_count(void **state)
{
    struct wal_options o = kit_options(&mr_io_posix, *state);
    struct wal *wal = kit_open(&o, NULL);
    struct wal_stats s;
    kit_append(wal, 1, NULL);
    kit_append(wal, 2, NULL);
    wal_flush(wal);
    kit_append(wal, 3, NULL);
    wal_flush(wal);
    wal_stats(wal, &s);
    assert_int_equal(s.entries, 3);
    assert_true(s.frames >= 2 && s.syncs >= s.frames && s.bytes >= s.frames * WAL_SECTOR);
    assert_true(s.sync_ns_max > 0 && s.sync_ns_total >= s.sync_ns_max);
    assert_int_equal(s.queue_bytes, 0);
    wal_close(wal);
    wal = kit_open(&o, NULL);
    wal_stats(wal, &s);
    assert_int_equal(s.replayed_entries, 3);
    assert_int_equal(s.torn_bytes, 0);
    wal_close(wal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiters_run_once_in_order_after_the_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(notify_runs_at_once_when_all_is_durable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entry_sizes_have_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_durable_before_its_sync, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_comes_during_a_sync_shares_the_next, set_up, tear_down),
        cmocka_unit_test_setup_teardown(frames_have_an_entry_cap, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_queue_says_so_and_takes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_idle_log_writes_its_mark_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(statistics_count, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("wal/append", tests, NULL, NULL);
}
