#include "client/writer.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#define DEFAULT_MEMORY ((size_t)16 << 20)
#define DEFAULT_SPOOL ((uint64_t)1 << 30)
#define MOST_SENDERS 64

/* ---- opening ---- */

static int take_number(int *v, int otherwise, int most, const char *name, struct outcome *o)
{
    if (*v == 0)
        *v = otherwise;
    return *v >= 1 && *v <= most
               ? 0
               : client_outcome_fail(o, MR_ERR_ARGUMENT, "%s must be from 1 to %d.", name, most);
}

static int take_options(struct mr_writer *w, const struct mr_writer_options *given, struct outcome *o)
{
    struct mr_writer_options *own = &w->options;
    *own = (struct mr_writer_options)MR_WRITER_OPTIONS_INIT;
    if (given == NULL || given->size == 0)
        return client_outcome_fail(o, MR_ERR_ARGUMENT,
                                   "The options do not begin with MR_WRITER_OPTIONS_INIT.");
    memcpy(own, given, given->size < sizeof *own ? given->size : sizeof *own);
    if (own->database == NULL || own->table == NULL)
        return client_outcome_fail(o, MR_ERR_ARGUMENT, "A writer needs a database and a table.");
    w->database = mr_arena_dup(&w->arena, mr_str_of(own->database));
    w->table = mr_arena_dup(&w->arena, mr_str_of(own->table));
    if (w->arena.failed)
        return client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    if (!mr_utf8_valid(w->database) || !mr_utf8_valid(w->table))
        return client_outcome_fail(o, MR_ERR_ARGUMENT,
                                   "The name of the database or of the table is not UTF-8.");
    if (own->memory_bytes == 0)
        own->memory_bytes = DEFAULT_MEMORY;
    if (own->spool_bytes == 0)
        own->spool_bytes = DEFAULT_SPOOL;
    if (own->give_up_ms < 0)
        return client_outcome_fail(o, MR_ERR_ARGUMENT, "give_up_ms must not be negative.");
    int rc = take_number(&own->batch_records, BATCH_RECORDS_MAX, BATCH_RECORDS_MAX, "batch_records", o);
    if (rc == 0)
        rc = take_number(&own->linger_ms, 1000, 24 * 3600000, "linger_ms", o);
    return rc == 0 ? take_number(&own->senders, 2, MOST_SENDERS, "senders", o) : rc;
}

static int open_spool(struct mr_writer *w, struct outcome *o)
{
    const struct mr_io *io = w->client->world.io;
    struct mr_error err = MR_ERROR_INIT;
    struct spool_stats stats;
    if (w->options.spool_dir == NULL)
        return 0;
    int rc = client_spool_open(&w->spool, io, w->options.spool_dir, w->options.spool_bytes,
                               io == &mr_io_posix, &err);
    if (rc != MR_OK)
        return client_outcome_status(o, rc, MR_ERR_IO, err.text);
    client_spool_stats(w->spool, &stats);
    w->stats.recovered = stats.recovered;
    return 0;
}

static int make_locks(struct mr_writer *w)
{
    pthread_condattr_t attr;
    if (pthread_mutex_init(&w->lock, NULL) != 0 || pthread_mutex_init(&w->reject_lock, NULL) != 0 ||
        pthread_condattr_init(&attr) != 0)
        return MR_ENOMEM;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int failed = pthread_cond_init(&w->work, &attr) != 0 || pthread_cond_init(&w->room, &attr) != 0;
    pthread_condattr_destroy(&attr);
    return failed ? MR_ENOMEM : MR_OK;
}

static void stop_threads(struct mr_writer *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->work);
    pthread_cond_broadcast(&w->room);
    pthread_mutex_unlock(&w->lock);
    while (w->nthreads > 0)
        pthread_join(w->threads[--w->nthreads], NULL);
}

/* Everything but the locks, which nobody holds any more. */
static void release(struct mr_writer *w)
{
    client_spool_close(w->spool);
    mr_free(w->threads);
    mr_arena_release(&w->arena);
    mr_free(w);
}

static int start_threads(struct mr_writer *w)
{
    w->threads = mr_calloc((size_t)w->options.senders, sizeof *w->threads);
    if (w->threads == NULL)
        return MR_ENOMEM;
    sigset_t all, before; /* signals are for the program's own threads */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (; w->nthreads < w->options.senders; w->nthreads++)
        if (pthread_create(&w->threads[w->nthreads], NULL, client_writer_loop, w) != 0)
            break;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (w->nthreads == w->options.senders)
        return MR_OK;
    stop_threads(w);
    return MR_ENOMEM;
}

int mr_writer_open(struct mr_client *client, const struct mr_writer_options *options, struct mr_writer **out,
                   struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    *out = NULL;
    struct mr_writer *w = client != NULL ? mr_calloc(1, sizeof *w) : NULL;
    if (w == NULL) {
        client_outcome_fail(&o, client != NULL ? MR_ERR_MEMORY : MR_ERR_ARGUMENT, "No client, or no memory.");
        return client_outcome_deliver(&o, fault);
    }
    w->client = client;
    w->next_seq = 1;
    int rc = take_options(w, options, &o);
    if (rc == 0)
        rc = open_spool(w, &o);
    if (rc == 0 && (make_locks(w) != MR_OK || start_threads(w) != MR_OK))
        rc = client_outcome_fail(&o, MR_ERR_MEMORY, "No memory for the threads of the writer.");
    if (rc == 0)
        *out = w;
    else
        release(w);
    return client_outcome_deliver(&o, fault);
}

/* ---- waiting ---- */

/* The moment on CLOCK_MONOTONIC that is ms from now. */
static struct timespec moment(int ms)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + (int64_t)ms * MR_NS_PER_MS;
    at.tv_sec += (time_t)(ns / MR_NS_PER_S);
    at.tv_nsec = (long)(ns % MR_NS_PER_S);
    return at;
}

/* false when the time is over; ms below 0 waits for ever. */
static bool wait_room(struct mr_writer *w, int ms, const struct timespec *until)
{
    if (ms < 0)
        return pthread_cond_wait(&w->room, &w->lock) == 0;
    return pthread_cond_timedwait(&w->room, &w->lock, until) != ETIMEDOUT;
}

/* ---- append ---- */

static struct batch *open_batch(struct mr_writer *w)
{
    struct batch *b = mr_calloc(1, sizeof *b);
    if (b == NULL)
        return NULL;
    b->seq = w->next_seq++;
    b->opened_ns = writer_now(w);
    b->older = w->newest;
    if (w->newest != NULL)
        w->newest->newer = b;
    else
        w->oldest = b;
    w->newest = b;
    w->open = b;
    pthread_cond_signal(&w->work); /* somebody has to look at its linger time */
    return b;
}

static void close_batch(struct mr_writer *w)
{
    w->open->state = BATCH_QUEUED;
    w->open = NULL;
    pthread_cond_signal(&w->work);
}

/* What the record takes at most, packed. */
static size_t packed_bound(const struct model_record *r)
{
    size_t n = 64 + r->measure_name.len + r->measure_value.len + r->time.len;
    for (size_t i = 0; r->dimensions.set && i < r->dimensions.len; i++)
        n += 24 + r->dimensions.at[i].name.len + r->dimensions.at[i].value.len;
    for (size_t i = 0; r->measure_values.set && i < r->measure_values.len; i++)
        n += 24 + r->measure_values.at[i].name.len + r->measure_values.at[i].value.len;
    return n;
}

/* Under the lock. */
static int put(struct mr_writer *w, const struct model_record *record, struct outcome *o)
{
    if (w->open == NULL && open_batch(w) == NULL)
        return client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    struct batch *b = w->open;
    size_t before = b->bytes.len;
    client_batch_pack(&b->bytes, record);
    if (!mr_buf_ok(&b->bytes)) { /* back to the last whole record */
        b->bytes.len = before;
        b->bytes.failed = false;
        if (b->records == 0) {
            w->open = NULL;
            client_writer_drop(w, b);
        }
        return client_outcome_fail(o, MR_ERR_MEMORY, "Out of memory.");
    }
    w->stats.memory_bytes += b->bytes.len - before;
    w->stats.appended++;
    b->records++;
    if (b->records >= (unsigned)w->options.batch_records || b->bytes.len >= BATCH_BYTES_MAX)
        close_batch(w);
    return 0;
}

int mr_writer_append(struct mr_writer *w, const struct mr_record *record, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    const struct model_record *r = (const struct model_record *)(const void *)record;
    if (client_check(&model_shape_record, r, &o) != 0)
        return client_outcome_deliver(&o, fault);
    size_t size = packed_bound(r);
    if (size > BATCH_RECORD_MAX) {
        client_outcome_fail(&o, MR_ERR_ARGUMENT, "A record of more than 64 KiB.");
        return client_outcome_deliver(&o, fault);
    }
    struct timespec until = moment(w->options.block_ms > 0 ? w->options.block_ms : 0);
    pthread_mutex_lock(&w->lock);
    while (!w->stopping && w->oldest != NULL && w->stats.memory_bytes + size > w->options.memory_bytes) {
        if (w->open != NULL && w->open == w->oldest)
            close_batch(w); /* or it would wait for records that wait for it */
        if (!wait_room(w, w->options.block_ms, &until)) {
            client_outcome_fail(&o, MR_ERR_FULL, "The writer holds %zu bytes of unsent records.",
                                w->stats.memory_bytes);
            break;
        }
    }
    if (w->stopping)
        client_outcome_fail(&o, MR_ERR_CLOSED, "The writer is being closed.");
    if (o.error == 0)
        put(w, r, &o);
    pthread_mutex_unlock(&w->lock);
    if (o.error == 0 && fault == NULL)
        return 0;
    return client_outcome_deliver(&o, fault);
}

/* ---- flush, close ---- */

int mr_writer_flush(struct mr_writer *w, int timeout_ms, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    struct timespec until = moment(timeout_ms > 0 ? timeout_ms : 0);
    pthread_mutex_lock(&w->lock);
    uint64_t last = w->next_seq;
    if (w->open != NULL)
        close_batch(w);
    while (w->oldest != NULL && w->oldest->seq < last && !w->stopping)
        if (!wait_room(w, timeout_ms, &until)) {
            client_outcome_fail(&o, MR_ERR_TIMEOUT, "Records are still waiting to be sent.");
            break;
        }
    if (w->stopping)
        client_outcome_fail(&o, MR_ERR_CLOSED, "The writer is being closed.");
    pthread_mutex_unlock(&w->lock);
    return client_outcome_deliver(&o, fault);
}

void mr_writer_stats(const struct mr_writer *writer, struct mr_writer_stats *out)
{
    struct mr_writer *w = (struct mr_writer *)(uintptr_t)writer; /* the lock alone changes */
    struct spool_stats spool = {0, 0, 0, 0};
    if (w->spool != NULL) /* first: a frame that is gone from the spool has been counted */
        client_spool_stats(w->spool, &spool);
    pthread_mutex_lock(&w->lock);
    *out = w->stats;
    pthread_mutex_unlock(&w->lock);
    out->damaged = spool.damaged;
    out->spool_bytes = spool.bytes;
}

/* The threads have ended: what is left goes to disk, or back to its owner. */
static bool settle(struct mr_writer *w)
{
    static const struct mr_rejection why = {
        "NotSent", "The writer was closed before the service took this record.", 0, ""};
    bool all = true;
    while (w->oldest != NULL) {
        struct batch *b = w->oldest;
        struct send_totals totals = {0, 0, 0, 0};
        if (w->spool == NULL ||
            client_spool_append(w->spool, mr_buf_view(&b->bytes), b->records, NULL) != MR_OK) {
            client_writer_reject_all(w, mr_buf_view(&b->bytes), b->records, b->ended, &why, &totals);
            all = false;
        }
        client_writer_drop(w, b);
    }
    return all;
}

int mr_writer_close(struct mr_writer *w, int timeout_ms, struct mr_fault *fault)
{
    struct outcome o = {.error = 0};
    if (w == NULL)
        return client_outcome_deliver(&o, fault);
    (void)mr_writer_flush(w, timeout_ms, NULL);
    stop_threads(w);
    if (!settle(w))
        client_outcome_fail(&o, MR_ERR_TIMEOUT, "Records were not sent; on_reject has been told which.");
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->room);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->reject_lock);
    release(w);
    return client_outcome_deliver(&o, fault);
}
