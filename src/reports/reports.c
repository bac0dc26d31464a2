/* reports/reports.c - the thread that writes reports, and what it counts.
 *
 * The lock is held for moments only. A closed batch is the thread's: nobody else changes it or takes it out.
 */
#include "reports/private.h"

#include "base/log.h"

#include <errno.h>
#include <time.h>

#define DEFAULT_MEMORY ((size_t)16 << 20)
#define DEFAULT_OBJECT ((size_t)1 << 20)
#define LONGEST_PAUSE_NS (60 * MR_NS_PER_S)
#define LAST_MS 3000 /* for a report when the server stops */

struct reports {
    struct remote *s3;
    const struct mr_clock *clock;
    size_t memory, object;
    int64_t linger_ns, pause_ns;
    pthread_t thread;
    bool has_thread;

    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct reports_queue queue;
    struct reports_stats stats;
    bool stopping;
    bool failing; /* the last attempt failed, and the log says so */
    bool full;    /* records were dropped for want of room, and the log says so */
};

static int64_t mono(void)
{
    return mr_clock_mono(&mr_clock_system);
}

/* ---- the thread */

/* The batch to write next, closed; NULL: none is due, and *next says when one is. Under the lock. */
static struct reports_batch *choose(struct reports *r, int64_t now, int64_t *next)
{
    *next = INT64_MAX;
    for (struct reports_batch *b = r->queue.first; b != NULL; b = b->next) {
        int64_t due = b->closed ? b->due : b->born + r->linger_ns;
        if (r->stopping || due <= now) {
            if (!b->closed)
                queue_close_batch(b, mr_clock_wall(r->clock), now);
            return b;
        }
        *next = due < *next ? due : *next;
    }
    return NULL;
}

static void note(struct reports *r, const struct reports_batch *b, enum reports_outcome outcome,
                 const struct mr_error *err)
{
    if (outcome == REPORTS_WRITTEN) {
        r->stats.objects++;
        r->stats.records += b->count;
        if (r->failing)
            mr_log(MR_LOG_INFO, "reports_recovered", "bucket=" MR_STR_FMT, MR_STR_ARG(b->place.bucket));
        r->failing = false;
        return;
    }
    (*(outcome == REPORTS_USER_FAULT ? &r->stats.user_failures : &r->stats.own_failures))++;
    if (!r->failing)
        mr_log(MR_LOG_WARN, "reports_failing", "bucket=" MR_STR_FMT " text=\"%s\"",
               MR_STR_ARG(b->place.bucket), err->text);
    r->failing = true;
}

/* Under the lock. */
static void settle(struct reports *r, struct reports_batch *b, enum reports_outcome outcome,
                   const struct mr_error *err)
{
    note(r, b, outcome, err);
    b->attempts++;
    if (outcome == REPORTS_WRITTEN) {
        queue_take_out(&r->queue, b);
    } else if (r->stopping || b->attempts >= REPORTS_ATTEMPTS) {
        r->stats.dropped += b->count;
        queue_take_out(&r->queue, b);
    } else {
        int64_t pause = r->pause_ns << (b->attempts - 1 < 10 ? b->attempts - 1 : 10);
        b->due = mono() + (pause < LONGEST_PAUSE_NS ? pause : LONGEST_PAUSE_NS);
    }
}

static void wait_until(struct reports *r, int64_t next)
{
    struct timespec until = {next / MR_NS_PER_S, next % MR_NS_PER_S};
    if (next == INT64_MAX)
        pthread_cond_wait(&r->wake, &r->lock);
    else
        pthread_cond_clockwait(&r->wake, &r->lock, CLOCK_MONOTONIC, &until);
}

static void *run(void *arg)
{
    struct reports *r = arg;
    pthread_mutex_lock(&r->lock);
    for (;;) {
        int64_t next;
        struct reports_batch *b = choose(r, mono(), &next);
        if (b == NULL && r->stopping)
            break;
        if (b == NULL) {
            wait_until(r, next);
            continue;
        }
        struct mr_error err = MR_ERROR_INIT;
        uint32_t total_ms = r->stopping ? LAST_MS : 0;
        pthread_mutex_unlock(&r->lock);
        enum reports_outcome outcome = reports_upload(r->s3, b, total_ms, &err);
        pthread_mutex_lock(&r->lock);
        settle(r, b, outcome, &err);
        /* At a stop one target that fails is enough to know. */
        if (r->stopping && outcome == REPORTS_OWN_FAULT)
            remote_cancel(r->s3);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* ---- for others */

int reports_open(const struct reports_options *options, struct reports **out, struct mr_error *err)
{
    struct remote_options s3 = options->s3;
    struct reports *r = mr_calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL)
        return mr_error_set(err, MR_ENOMEM, "no memory for reports");
    s3.service = "s3";
    r->clock = s3.clock != NULL ? s3.clock : &mr_clock_system;
    r->memory = options->memory != 0 ? options->memory : DEFAULT_MEMORY;
    r->object = options->object != 0 ? options->object : DEFAULT_OBJECT;
    r->linger_ns = options->linger_ns != 0 ? options->linger_ns : MR_NS_PER_S;
    r->pause_ns = options->pause_ns != 0 ? options->pause_ns : MR_NS_PER_S;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->wake, NULL);
    int status = remote_open(&s3, &r->s3, err);
    if (status == MR_OK) {
        int rc = pthread_create(&r->thread, NULL, run, r);
        r->has_thread = rc == 0;
        if (rc != 0)
            status = mr_error_errno(err, MR_EIO, rc, "cannot start a thread");
    }
    if (status != MR_OK)
        reports_close(r);
    else
        *out = r;
    return status;
}

void reports_close(struct reports *r)
{
    if (r == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    r->stopping = true;
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
    if (r->has_thread)
        pthread_join(r->thread, NULL);
    if (r->stats.dropped != 0)
        mr_log(MR_LOG_WARN, "reports_dropped", "records=%llu", (unsigned long long)r->stats.dropped);
    MR_ASSERT(r->queue.first == NULL);
    remote_close(r->s3);
    pthread_mutex_destroy(&r->lock);
    pthread_cond_destroy(&r->wake);
    mr_free(r);
}

void reports_add(struct reports *r, const struct reports_place *place, struct mr_str reason,
                 struct mr_str record)
{
    struct reports_batch *b = NULL;
    int64_t now = mono();
    pthread_mutex_lock(&r->lock);
    bool room = r->queue.bytes + record.len <= r->memory;
    if (!room && !r->full)
        mr_log(MR_LOG_WARN, "reports_full", "bytes=%zu meaning=\"further records are not reported\"",
               r->queue.bytes);
    r->full = !room || (r->full && r->queue.bytes > r->memory / 2);
    if (!room || queue_add(&r->queue, place, reason, record, now, &b) != MR_OK)
        r->stats.dropped++;
    else if (b->bytes >= r->object)
        queue_close_batch(b, mr_clock_wall(r->clock), now);
    pthread_cond_signal(&r->wake);
    pthread_mutex_unlock(&r->lock);
}

int reports_check(struct reports *r, struct mr_str bucket, struct mr_error *err)
{
    struct mr_buf path = MR_BUF_INIT;
    struct remote_answer answer = REMOTE_ANSWER_INIT;
    mr_buf_printf(&path, "/" MR_STR_FMT, MR_STR_ARG(bucket));
    const struct remote_request request = {.method = "HEAD", .path = mr_buf_view(&path)};
    int status = mr_buf_ok(&path) ? remote_call(r->s3, &request, &answer, err) : MR_ENOMEM;
    int http = answer.status;
    remote_answer_release(&answer);
    mr_buf_release(&path);
    if (status != MR_OK)
        return status == MR_ENOMEM ? MR_ENOMEM : MR_EIO;
    if (http / 100 == 2)
        return MR_OK;
    return mr_error_set(err,
                        http == 404   ? MR_ENOENT
                        : http == 403 ? MR_EDENIED
                                      : MR_EIO,
                        "the bucket " MR_STR_FMT " answers %d", MR_STR_ARG(bucket), http);
}

void reports_stats(struct reports *r, struct reports_stats *out)
{
    pthread_mutex_lock(&r->lock);
    *out = r->stats;
    out->waiting_bytes = r->queue.bytes;
    pthread_mutex_unlock(&r->lock);
}
