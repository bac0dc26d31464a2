/* The sender threads: each turn does the most useful thing there is, or waits. */
#include "client/writer.h"

#define NEVER INT64_MAX

void client_writer_drop(struct mr_writer *w, struct batch *b)
{
    if (b->older != NULL)
        b->older->newer = b->newer;
    else
        w->oldest = b->newer;
    if (b->newer != NULL)
        b->newer->older = b->older;
    else
        w->newest = b->older;
    w->stats.memory_bytes -= b->bytes.len;
    mr_buf_release(&b->bytes);
    mr_free(b);
    pthread_cond_broadcast(&w->room);
}

static struct batch *first_queued(struct mr_writer *w)
{
    for (struct batch *b = w->oldest; b != NULL; b = b->newer)
        if (b->state == BATCH_QUEUED)
            return b;
    return NULL;
}

static void add_totals(struct mr_writer *w, const struct send_totals *t)
{
    w->stats.written += t->written;
    w->stats.rejected += t->rejected;
    w->stats.requests += t->requests;
    w->stats.retries += t->retries;
}

/* After an attempt, under the lock: the outage begins, goes on, or is over. */
static void note_outage(struct mr_writer *w, bool outage, enum retry_class class_)
{
    w->probing = false;
    if (outage) {
        if (w->outage_attempt == 0)
            w->outage_since_ns = writer_now(w);
        if (w->outage_attempt < 30)
            w->outage_attempt++;
        w->outage_until_ns = writer_now(w) + client_pause_ns(w->client, class_, w->outage_attempt);
        w->stats.retries++;
    } else if (w->outage_attempt > 0) {
        w->outage_attempt = 0;
        w->spool_refuses = false;
    }
    pthread_cond_broadcast(&w->work);
}

/* ---- what a turn can do; each is called and returns under the lock ---- */

/* The batch has been retried, or has waited for the end of an outage, as long as its owner wanted. */
static bool is_due(const struct mr_writer *w, const struct batch *b)
{
    int64_t limit = (int64_t)w->options.give_up_ms * MR_NS_PER_MS, from = b->failed_ns;
    if (from == 0)
        from = b->opened_ns > w->outage_since_ns ? b->opened_ns : w->outage_since_ns;
    return limit > 0 && writer_now(w) - from >= limit;
}

/* The batch is in nobody's hands but ours. It is gone afterwards. */
static void give_up(struct mr_writer *w, struct batch *b, const struct outcome *o)
{
    struct send_totals totals = {0, 0, 0, 0};
    struct mr_rejection why = {.code = o->code != NULL ? o->code : mr_err_name(o->error),
                               .reason = o->message != NULL ? o->message : "",
                               .request_id = o->request_id != NULL ? o->request_id : ""};
    pthread_mutex_unlock(&w->lock);
    client_writer_reject_all(w, mr_buf_view(&b->bytes), b->records, b->ended, &why, &totals);
    pthread_mutex_lock(&w->lock);
    add_totals(w, &totals);
    client_writer_drop(w, b);
}

/* During an outage one batch at a time is tried: what failed for it failed for all that wait behind it. */
static void give_up_others(struct mr_writer *w, const struct outcome *o)
{
    for (struct batch *b = w->oldest; b != NULL;)
        if (b->state == BATCH_QUEUED && is_due(w, b)) {
            b->state = BATCH_SENDING;
            give_up(w, b, o);
            b = w->oldest; /* the list may have changed meanwhile */
        } else {
            b = b->newer;
        }
}

static void send_batch(struct mr_writer *w, struct batch *b)
{
    struct send_totals totals = {0, 0, 0, 0};
    struct outcome why = {.error = 0};
    enum retry_class class_ = RETRY_NEVER;
    b->state = BATCH_SENDING;
    w->probing = w->outage_attempt > 0;
    pthread_mutex_unlock(&w->lock);
    enum send_result result =
        client_writer_send(w, mr_buf_view(&b->bytes), b->records, b->ended, &totals, &class_, &why);
    MR_ASSERT(result != SEND_BROKEN); /* packed by ourselves, never out of our hands */
    pthread_mutex_lock(&w->lock);
    add_totals(w, &totals);
    note_outage(w, result == SEND_OUTAGE, class_);
    if (result == SEND_OUTAGE && b->failed_ns == 0)
        b->failed_ns = writer_now(w);
    if (result == SEND_ENDED) {
        client_writer_drop(w, b);
    } else if (is_due(w, b)) {
        give_up(w, b, &why);
        give_up_others(w, &why);
    } else {
        b->state = BATCH_QUEUED;
    }
    client_outcome_release(&why);
}

/* What has ended already is not worth disk: the frame holds all records, and their bits are lost with the
 * process, so what is left is packed anew when something has ended. */
static int repack(const struct batch *b, struct mr_buf *out, unsigned *records)
{
    struct mr_cursor c = mr_cursor_of(b->bytes.ptr, b->bytes.len);
    struct mr_arena arena = MR_ARENA_INIT;
    int rc = MR_OK;
    *records = 0;
    for (unsigned i = 0; rc == MR_OK && i < b->records; i++) {
        struct model_record r;
        mr_arena_reset(&arena);
        rc = client_batch_unpack(&c, &arena, &r);
        if (rc == MR_OK && !batch_ended(b->ended, i)) {
            client_batch_pack(out, &r);
            ++*records;
        }
    }
    mr_arena_release(&arena);
    return rc == MR_OK && !mr_buf_ok(out) ? MR_ENOMEM : rc;
}

static void spool_batch(struct mr_writer *w, struct batch *b)
{
    struct mr_buf left = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    unsigned records = b->records;
    struct mr_str payload = mr_buf_view(&b->bytes);
    int rc = MR_OK;
    b->state = BATCH_SPOOLING;
    pthread_mutex_unlock(&w->lock);
    if (b->ended[0] != 0 || b->ended[1] != 0) {
        rc = repack(b, &left, &records);
        payload = mr_buf_view(&left);
    }
    if (rc == MR_OK && records > 0)
        rc = client_spool_append(w->spool, payload, records, &err);
    mr_buf_release(&left);
    pthread_mutex_lock(&w->lock);
    if (rc == MR_OK) {
        w->stats.spooled += records;
        client_writer_drop(w, b);
        pthread_cond_broadcast(&w->work); /* there is a frame to send */
    } else {
        b->state = BATCH_QUEUED;
        w->spool_refuses = true;
    }
}

static void send_frame(struct mr_writer *w, struct spool_frame *frame)
{
    struct send_totals totals = {0, 0, 0, 0};
    struct outcome why = {.error = 0};
    struct mr_buf payload = MR_BUF_INIT;
    struct mr_error err = MR_ERROR_INIT;
    enum retry_class class_ = RETRY_SLOWER;
    enum send_result result = SEND_OUTAGE;
    w->probing = w->outage_attempt > 0;
    pthread_mutex_unlock(&w->lock);
    int rc = client_spool_read(w->spool, frame, &payload, &err);
    if (rc == MR_OK)
        result = client_writer_send(w, mr_buf_view(&payload), frame->records, frame->ended, &totals, &class_,
                                    &why);
    else if (rc == MR_ECORRUPT)
        result = SEND_BROKEN;
    pthread_mutex_lock(&w->lock);
    add_totals(w, &totals);
    pthread_mutex_unlock(&w->lock);
    if (result == SEND_OUTAGE)
        client_spool_return(w->spool, frame);
    else
        client_spool_done(w->spool, frame, result == SEND_ENDED);
    mr_buf_release(&payload);
    client_outcome_release(&why);
    pthread_mutex_lock(&w->lock);
    note_outage(w, result == SEND_OUTAGE, class_);
    if (result != SEND_OUTAGE)
        w->spool_refuses = false;
    pthread_cond_broadcast(&w->room); /* whoever waits for the spool to become empty */
}

/* ---- the loop ---- */

/* Whether batches go to disk now. */
static bool spooling(const struct mr_writer *w)
{
    return w->spool != NULL && !w->spool_refuses &&
           (w->options.spool_mode == MR_SPOOL_ALWAYS || w->outage_attempt > 0);
}

/* Does something, or says until when there is nothing to do. */
static int64_t turn(struct mr_writer *w)
{
    int64_t now = writer_now(w), wake = NEVER;
    int64_t linger = (int64_t)w->options.linger_ms * MR_NS_PER_MS;
    struct spool_frame frame;
    if (w->open != NULL && now - w->open->opened_ns >= linger) {
        w->open->state = BATCH_QUEUED;
        w->open = NULL;
    }
    if (w->open != NULL)
        wake = w->open->opened_ns + linger;
    struct batch *b = first_queued(w);
    if (b != NULL && spooling(w)) {
        spool_batch(w, b);
        return 0;
    }
    if (w->outage_attempt > 0 && w->probing)
        return wake;
    if (w->outage_attempt > 0 && now < w->outage_until_ns)
        return w->outage_until_ns < wake ? w->outage_until_ns : wake;
    if (w->open != NULL) /* we are about to be busy: somebody else has to look at its time */
        pthread_cond_signal(&w->work);
    w->frame_next = !w->frame_next; /* neither memory nor disk may starve the other */
    if (w->spool != NULL && (b == NULL || w->frame_next) && client_spool_take(w->spool, &frame)) {
        send_frame(w, &frame);
        return 0;
    }
    if (b != NULL) {
        send_batch(w, b);
        return 0;
    }
    return wake;
}

static void wait_until(struct mr_writer *w, int64_t wake)
{
    if (wake == NEVER) {
        pthread_cond_wait(&w->work, &w->lock);
        return;
    }
    /* The condition runs on CLOCK_MONOTONIC; the writer's clock may be another, so the distance is what
     * counts. */
    struct timespec at;
    unsigned speed = w->client->world.clock_speed;
    int64_t distance = (wake - writer_now(w)) / (speed > 0 ? speed : 1);
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + (distance > 0 ? distance : 0);
    at.tv_sec += (time_t)(ns / MR_NS_PER_S);
    at.tv_nsec = (long)(ns % MR_NS_PER_S);
    pthread_cond_timedwait(&w->work, &w->lock, &at);
}

void *client_writer_loop(void *arg)
{
    struct mr_writer *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        int64_t wake = turn(w);
        if (wake != 0 && !w->stopping)
            wait_until(w, wake);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}
