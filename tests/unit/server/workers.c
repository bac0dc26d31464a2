#include "lib/check.h"

#include "server/workers.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static int ran;
static bool gate_open;

struct task {
    struct workers_job job;
    bool waits;
};

static void run(struct workers_job *job)
{
    struct task *t = (struct task *)job;
    pthread_mutex_lock(&lock);
    while (t->waits && !gate_open)
        pthread_cond_wait(&moved, &lock);
    ran++;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
}

static void test_all_jobs_run_and_stop_drains(void **state)
{
    MR_UNUSED(state);
    struct workers *w;
    struct mr_error err = MR_ERROR_INIT;
    static struct task tasks[500];
    ran = 0;
    check_ok(workers_start(4, 1000, &w, &err), &err);
    for (size_t i = 0; i < MR_ARRAY_LEN(tasks); i++) {
        tasks[i].job.run = run;
        assert_int_equal(workers_submit(w, &tasks[i].job), MR_OK);
    }
    workers_stop(w);
    assert_int_equal(ran, 500);
}

static void test_queue_is_bounded(void **state)
{
    MR_UNUSED(state);
    struct workers *w;
    struct mr_error err = MR_ERROR_INIT;
    static struct task tasks[20];
    ran = 0;
    gate_open = false;
    check_ok(workers_start(1, 5, &w, &err), &err);
    int accepted = 0;
    for (size_t i = 0; i < MR_ARRAY_LEN(tasks); i++) {
        tasks[i] = (struct task){.job.run = run, .waits = true};
        accepted += workers_submit(w, &tasks[i].job) == MR_OK;
    }
    assert_in_range(accepted, 5, 6); /* five wait, one may be running */
    pthread_mutex_lock(&lock);
    gate_open = true;
    pthread_cond_broadcast(&moved);
    pthread_mutex_unlock(&lock);
    workers_stop(w);
    assert_int_equal(ran, accepted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_jobs_run_and_stop_drains),
        cmocka_unit_test(test_queue_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
