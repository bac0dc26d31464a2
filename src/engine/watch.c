/* One thread that ends runs: it looks at deadlines, and repeats the interrupt of a stopped run until the run
 * is over, because DuckDB forgets an interrupt that arrives between two of its phases (prepare, start,
 * fetch). */
#include "engine/duck.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

void run_stop(struct engine_run *run, enum run_stop why)
{
    int none = RUN_GOES_ON;
    atomic_compare_exchange_strong(&run->stop, &none, (int)why);
}

static int look(struct engine *engine)
{
    int64_t now = mr_clock_mono(engine->options.clock);
    int timeout = -1;

    pthread_mutex_lock(&engine->lock);
    for (unsigned i = 0; i < engine->nruns; i++) {
        struct engine_run *run = engine->runs[i];
        if (run->limits.deadline_mono != 0) {
            timeout = ENGINE_WATCH_MS;
            if (now >= run->limits.deadline_mono)
                run_stop(run, RUN_PAST_DEADLINE);
        }
        if (run_stopped(run)) {
            timeout = ENGINE_WATCH_MS;
            if (run->conn != NULL)
                duckdb_interrupt(run->conn->con);
        }
    }
    if (engine->closing)
        timeout = 0;
    pthread_mutex_unlock(&engine->lock);
    return timeout;
}

static void *watch_main(void *arg)
{
    struct engine *engine = arg;

    for (;;) {
        int timeout = look(engine);
        if (timeout == 0)
            return NULL;
        struct pollfd fd = {.fd = engine->wake, .events = POLLIN};
        if (poll(&fd, 1, timeout) > 0) {
            uint64_t count;
            ssize_t n = read(engine->wake, &count, sizeof(count));
            MR_ASSERT(n == (ssize_t)sizeof(count) || errno == EAGAIN || errno == EINTR);
        }
    }
}

void watch_wake(struct engine *engine)
{
    uint64_t one = 1;
    ssize_t n = write(engine->wake, &one, sizeof(one));
    MR_ASSERT(n == (ssize_t)sizeof(one) || errno == EAGAIN || errno == EINTR);
}

int watch_start(struct engine *engine, struct mr_error *err)
{
    engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->wake < 0)
        return mr_error_errno(err, MR_EIO, errno, "cannot make an eventfd");
    int rc = pthread_create(&engine->watcher, NULL, watch_main, engine);
    if (rc != 0)
        return mr_error_errno(err, MR_EIO, rc, "cannot start a thread");
    engine->watching = true;
    return MR_OK;
}

void watch_stop(struct engine *engine)
{
    if (engine->watching) {
        pthread_mutex_lock(&engine->lock);
        engine->closing = true;
        pthread_mutex_unlock(&engine->lock);
        watch_wake(engine);
        pthread_join(engine->watcher, NULL);
        engine->watching = false;
    }
    if (engine->wake >= 0)
        close(engine->wake);
    engine->wake = -1;
}
