/* One thread that ends runs: it looks at deadlines and at the size of the process, and repeats the interrupt
 * of a stopped run until the run is over, because DuckDB forgets an interrupt that arrives between two of its
 * phases (prepare, start, fetch). */
#include "engine/duck.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void run_stop(struct engine_run *run, enum run_stop why)
{
    int none = RUN_GOES_ON;
    atomic_compare_exchange_strong(&run->stop, &none, (int)why);
}

/* ---- memory: DuckDB's own limit does not see the vectors that functions and lists are computed in */

/* Bytes of the process in memory; 0: not known. */
static uint64_t resident(const struct engine *engine)
{
    char text[128];
    ssize_t n = engine->statm >= 0 ? pread(engine->statm, text, sizeof(text) - 1, 0) : -1;
    if (n <= 0)
        return 0;
    text[n] = '\0';
    const char *second = strchr(text, ' ');
    return second != NULL ? strtoull(second, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Beyond the limit, the oldest run is ended during which the process has grown by a part of it; then there is
 * time for what it held to go. Runs that began when it was that large already are not to blame. */
static void look_at_memory(struct engine *engine, int64_t now)
{
    const uint64_t limit = engine->options.process_limit;
    struct engine_run *oldest = NULL;
    uint64_t bytes = resident(engine);
    for (unsigned i = 0; i < engine->nruns; i++) {
        struct engine_run *run = engine->runs[i];
        if (run->begun == 0) {
            run->begun = now;
            run->resident = bytes;
        }
        if (!run_stopped(run) && bytes > run->resident + limit / 16 &&
            (oldest == NULL || run->begun < oldest->begun))
            oldest = run;
    }
    if (bytes <= limit || oldest == NULL || now - engine->ended_at < 5 * ENGINE_WATCH_MS * MR_NS_PER_MS)
        return;
    engine->ended_at = now;
    run_stop(oldest, RUN_OVER_MEMORY);
}

static int look(struct engine *engine)
{
    int64_t now = mr_clock_mono(engine->options.clock);
    int timeout = -1;

    pthread_mutex_lock(&engine->lock);
    if (engine->statm >= 0 && engine->nruns != 0) {
        timeout = ENGINE_WATCH_MS;
        look_at_memory(engine, now);
    }
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
    engine->idle_looks = timeout < 0 ? engine->idle_looks + 1 : 0;
    engine->asleep = engine->idle_looks > ENGINE_WATCH_IDLE;
    if (!engine->asleep)
        timeout = ENGINE_WATCH_MS;
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

void watch_run(struct engine *engine)
{
    pthread_mutex_lock(&engine->lock);
    bool asleep = engine->asleep;
    engine->asleep = false; /* it will be woken once */
    pthread_mutex_unlock(&engine->lock);
    if (asleep)
        watch_wake(engine);
}

int watch_start(struct engine *engine, struct mr_error *err)
{
    engine->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (engine->wake < 0)
        return mr_error_errno(err, MR_EIO, errno, "cannot make an eventfd");
    if (engine->options.process_limit != 0) {
        engine->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
        if (engine->statm < 0)
            return mr_error_errno(err, MR_EIO, errno, "cannot read the size of the process");
    }
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
    if (engine->statm >= 0)
        close(engine->statm);
    engine->wake = engine->statm = -1;
}
