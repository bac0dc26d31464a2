/* The service: its threads, its queue and its list of runs. The states and who moves them are drawn in run.h.
 */
#include "query/registry.h"

/* Opens the cursor if that is still to be done, then makes the page. Without the lock. `here`, in the
 * caller's own thread: MR_EAGAIN, with the cursor open, when that is for a query thread to do. */
static int produce(struct query_service *s, struct query_run *run, bool here, uint64_t max_rows,
                   struct query_page *page, struct mr_error *err)
{
    if (run->engine == NULL && !run->use_fixed) {
        struct engine_limits limits = {.deadline_mono = run->deadline};
        struct engine_run *engine = NULL;
        int status = engine_run_open(s->options.engine, &run->bound, run->snapshot, &limits, &engine, err);
        if (status != MR_OK)
            return status;
        pthread_mutex_lock(&s->lock);
        run->engine = engine;
        bool cancelled = run->state == QUERY_CANCELLED;
        pthread_mutex_unlock(&s->lock);
        if (cancelled)
            return MR_ECANCEL;
        if (here && !engine_run_is_small(engine))
            return MR_EAGAIN;
    }
    return query_page_make(run, max_rows, page, err);
}

/* Takes over what produce() made. With the lock. */
static void settle(struct query_service *s, struct query_run *run, int status, const struct mr_error *err,
                   struct query_page *page)
{
    if (run->engine != NULL)
        engine_progress(run->engine, &run->progress);
    if (run->state == QUERY_CANCELLED || status != MR_OK) {
        if (run->state != QUERY_CANCELLED) {
            run->state = QUERY_FAILED;
            run->status = status;
            run->error = *err;
            s->stats.failed++;
        }
        mr_buf_release(&page->rows);
        return;
    }
    mr_buf_release(&run->page.rows);
    page->number = run->page.number + 1;
    run->page = *page;
    run->rows += page->count;
    run->bytes += page->rows.len;
    run->state = QUERY_IDLE;
    s->stats.rows += page->count;
    s->stats.bytes += page->rows.len;
}

static void enqueue(struct query_service *s, struct query_run *run)
{
    run->state = QUERY_QUEUED;
    s->in_progress++;
    run->next_queued = NULL;
    *s->queue_tail = run;
    s->queue_tail = &run->next_queued;
    pthread_cond_signal(&s->work);
}

/* Makes the page wanted, or puts the run into the queue when it turns out to be for a query thread. With the
 * lock. */
static void run_one(struct query_service *s, struct query_run *run, bool here)
{
    struct query_page page = {0};
    struct mr_error err = MR_ERROR_INIT;
    uint64_t max_rows = run->want_rows;
    run->state = QUERY_RUNNING;
    s->stats.running++;
    s->in_progress++;
    pthread_mutex_unlock(&s->lock);
    int status = produce(s, run, here, max_rows, &page, &err);
    pthread_mutex_lock(&s->lock);
    s->stats.running--;
    s->in_progress--;
    if (here && status == MR_EAGAIN && run->state == QUERY_RUNNING) {
        enqueue(s, run);
        return;
    }
    settle(s, run, status, &err, &page);
    pthread_cond_broadcast(&run->changed);
    if (run->state != QUERY_IDLE || run->page.last)
        query_registry_close(s, run);
    query_registry_unuse(s, run);
    if (here && s->queue_head != NULL) /* the threads count those that run elsewhere, too */
        pthread_cond_signal(&s->work);
}

static void *loop(void *arg)
{
    struct query_service *s = arg;
    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (s->queue_head == NULL ? !s->draining : s->stats.running >= s->nthreads)
            pthread_cond_wait(&s->work, &s->lock);
        struct query_run *run = s->queue_head;
        if (run == NULL)
            break;
        s->queue_head = run->next_queued;
        if (s->queue_head == NULL)
            s->queue_tail = &s->queue_head;
        s->in_progress--; /* counted again by run_one */
        if (run->state == QUERY_QUEUED) {
            run_one(s, run, false);
        } else { /* cancelled while it waited */
            pthread_cond_broadcast(&run->changed);
            query_registry_unuse(s, run);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* The first page of a query that may take less than handing it to a query thread and being woken by it, while
 * one of those is free. */
static bool may_run_here(const struct query_service *s, const struct query_run *run)
{
    return run->engine == NULL && (run->bound.finish != NULL || run->bound.rows != NULL) &&
           s->queue_head == NULL && s->stats.running < s->nthreads;
}

void query_want_page(struct query_service *s, struct query_run *run, uint64_t max_rows)
{
    run->want_rows = max_rows;
    run->users++;       /* whoever makes the page */
    if (run->use_fixed) /* the rows are there: no reason to wait behind queries */
        run_one(s, run, false);
    else if (may_run_here(s, run))
        run_one(s, run, true);
    else
        enqueue(s, run);
}

int query_service_open(const struct query_options *options, struct query_service **out, struct mr_error *err)
{
    struct query_service *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the query service");
    s->options = *options;
    s->options.timeout_ns = options->timeout_ns != 0 ? options->timeout_ns : MR_NS_PER_HOUR;
    s->options.first_page_ns = options->first_page_ns != 0 ? options->first_page_ns : 55 * MR_NS_PER_S;
    s->options.token_ns = options->token_ns != 0 ? options->token_ns : MR_NS_PER_HOUR;
    s->options.max_parked = options->max_parked != 0 ? options->max_parked : 256;
    unsigned threads = options->concurrency != 0 ? options->concurrency : 8;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    s->queue_tail = &s->queue_head;
    s->replay = query_replay_new();
    s->recent = mr_calloc(QUERY_RECENT, sizeof *s->recent);
    s->threads = mr_calloc(threads, sizeof *s->threads);
    int status = s->replay == NULL || s->recent == NULL || s->threads == NULL ? MR_ENOMEM : MR_OK;
    for (; status == MR_OK && s->nthreads < threads; s->nthreads++)
        if (pthread_create(&s->threads[s->nthreads], NULL, loop, s) != 0) {
            status = MR_EIO;
            break;
        }
    if (status != MR_OK) {
        query_service_close(s);
        return mr_error_set(err, (enum mr_status)status, "cannot start the query service");
    }
    *out = s;
    return MR_OK;
}

void query_service_drain(struct query_service *s)
{
    pthread_mutex_lock(&s->lock);
    s->draining = true;
    for (struct query_run *run = s->runs; run != NULL; run = run->next)
        query_registry_cancel(s, run);
    pthread_cond_broadcast(&s->work);
    pthread_mutex_unlock(&s->lock);
}

void query_service_close(struct query_service *s)
{
    query_service_drain(s);
    for (unsigned i = 0; i < s->nthreads; i++)
        pthread_join(s->threads[i], NULL);
    pthread_mutex_lock(&s->lock);
    while (s->runs != NULL)
        query_registry_unlink(s, s->runs);
    pthread_mutex_unlock(&s->lock);
    query_replay_free(s->replay);
    mr_free(s->recent);
    mr_free(s->threads);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->lock);
    mr_free(s);
}

void query_service_set_tcu(struct query_service *s, int64_t tcu)
{
    MR_ASSERT(tcu >= QUERY_TCU_STEP);
    pthread_mutex_lock(&s->lock);
    s->max_in_progress = (unsigned)(tcu / QUERY_TCU_STEP) * QUERY_RUNS_PER_TCU_STEP;
    pthread_mutex_unlock(&s->lock);
}

void query_service_stats(struct query_service *s, struct query_stats *out)
{
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    out->kept = s->nruns;
    out->in_progress = s->in_progress;
    pthread_mutex_unlock(&s->lock);
}

void query_service_forget_answers(struct query_service *s)
{
    pthread_mutex_lock(&s->lock);
    query_replay_forget(s->replay);
    pthread_mutex_unlock(&s->lock);
}
