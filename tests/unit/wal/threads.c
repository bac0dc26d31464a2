/* Eight appenders, notifiers and a trimmer at once. Meant for -DMR_TSAN=ON as much as for its own checks. */
#include "lib/dir.h"
#include "unit/wal/kit.h"

#include "base/rand.h"

#include <pthread.h>
#include <sched.h>

#define APPENDERS 8
#define EACH 1500u
#define ALL (APPENDERS * EACH)

struct note {
    struct wal_waiter waiter; /* first */
    struct shared *shared;
    uint64_t number;
    bool entry; /* of an append, not of a notify */
};

struct shared {
    struct wal *wal;
    struct note notes[APPENDERS][EACH + EACH / 10];
    /* written by callbacks; those of entries run on the log thread only */
    uint64_t last_lsn;
    unsigned entries, backwards, early;
    unsigned notified; /* atomic: notify may run on any thread */
    uint64_t number_at[ALL + 1];
    bool stop; /* atomic */
};

static void done(struct wal_waiter *w)
{
    struct note *n = (struct note *)w;
    struct shared *s = n->shared;
    if (!n->entry) {
        __atomic_fetch_add(&s->notified, wal_durable_lsn(s->wal) >= w->lsn, __ATOMIC_RELAXED);
        return;
    }
    s->backwards += w->lsn <= s->last_lsn;
    s->early += wal_durable_lsn(s->wal) < w->lsn;
    s->last_lsn = w->lsn;
    s->entries++;
    s->number_at[w->lsn] = n->number;
}

struct appender {
    struct shared *shared;
    unsigned index;
    pthread_t thread;
};

static void *append_all(void *arg)
{
    struct appender *a = arg;
    struct note *notes = a->shared->notes[a->index];
    uint64_t before = 0;
    for (unsigned i = 0; i < EACH; i++) {
        uint64_t number = (uint64_t)a->index * EACH + i;
        notes[i] =
            (struct note){.waiter = {.done = done}, .shared = a->shared, .number = number, .entry = true};
        uint64_t lsn = kit_append(a->shared->wal, number, &notes[i].waiter);
        assert_true(lsn > before);
        before = lsn;
        if (i % 10 == 0) {
            struct note *n = &notes[EACH + i / 10];
            *n = (struct note){.waiter = {.done = done}, .shared = a->shared};
            wal_notify(a->shared->wal, &n->waiter);
        }
        if (i % 200 == 0)
            wal_flush(a->shared->wal);
    }
    return NULL;
}

static void *trim_and_watch(void *arg)
{
    struct shared *s = arg;
    uint64_t before = 0;
    while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
        struct wal_stats stats;
        struct mr_error err = MR_ERROR_INIT;
        uint64_t durable = wal_durable_lsn(s->wal);
        assert_true(durable >= before && wal_last_lsn(s->wal) >= durable);
        before = durable;
        check_ok(wal_trim(s->wal, durable / 2, &err), &err);
        wal_stats(s->wal, &stats);
        sched_yield();
    }
    return NULL;
}

static void appenders_do_not_disturb_each_other(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    static struct shared s;
    struct wal_options o = kit_options(&mr_io_posix, dir);
    o.segment_bytes = 1 << 20;
    o.idle_mark_ms = 1;
    s.wal = kit_open(&o, NULL);
    struct appender appenders[APPENDERS];
    pthread_t trimmer;
    assert_int_equal(pthread_create(&trimmer, NULL, trim_and_watch, &s), 0);
    for (unsigned i = 0; i < APPENDERS; i++) {
        appenders[i] = (struct appender){.shared = &s, .index = i};
        assert_int_equal(pthread_create(&appenders[i].thread, NULL, append_all, &appenders[i]), 0);
    }
    for (unsigned i = 0; i < APPENDERS; i++)
        pthread_join(appenders[i].thread, NULL);
    wal_flush(s.wal);
    __atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
    pthread_join(trimmer, NULL);
    assert_int_equal(s.entries, ALL); /* with strictly rising LSNs: each exactly once */
    assert_int_equal(s.backwards, 0);
    assert_int_equal(s.early, 0);
    assert_int_equal(s.last_lsn, ALL);
    assert_int_equal(s.notified, APPENDERS * (EACH / 10));
    wal_close(s.wal);

    struct kit_found found = {.first_lsn = 0};
    wal_close(kit_open(&o, &found));
    assert_false(found.gap);
    assert_true(found.first_lsn <= ALL / 2 + 1);
    assert_int_equal(found.first_lsn + found.count - 1, ALL);
    for (uint64_t lsn = found.first_lsn; lsn <= ALL; lsn++)
        assert_true(kit_found_is(&found, lsn, s.number_at[lsn]));
    kit_found_release(&found);
    dir_remove(dir);
}

/* Opening and closing at once, with work in every state. */
static void closing_loses_nothing(void **state)
{
    MR_UNUSED(state);
    char *dir = dir_make();
    struct wal_options o = kit_options(&mr_io_posix, dir);
    o.idle_mark_ms = 1;
    uint64_t n = 0;
    for (int i = 0; i < 60; i++) {
        struct wal *wal = kit_open(&o, NULL);
        assert_int_equal(wal_last_lsn(wal), n);
        for (int k = 0; k < i % 7; k++)
            kit_append(wal, ++n, NULL);
        if (i % 3 == 0)
            sched_yield();
        wal_close(wal);
    }
    kit_expect(&o, 1, n);
    dir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appenders_do_not_disturb_each_other),
        cmocka_unit_test(closing_loses_nothing),
    };
    return cmocka_run_group_tests_name("wal/threads", tests, NULL, NULL);
}
