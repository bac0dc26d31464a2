#include "server/workers.h"

#include <pthread.h>

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct workers_job *head, **tail; /* FIFO */
    size_t queued, max_queue;
    bool stopping;
    unsigned threads;
    pthread_t thread[];
};

static struct workers_job *take(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    while (w->head == NULL && !w->stopping)
        pthread_cond_wait(&w->wake, &w->lock);
    struct workers_job *job = w->head;
    if (job != NULL) {
        w->head = job->next;
        if (w->head == NULL)
            w->tail = &w->head;
        w->queued--;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void *loop(void *arg)
{
    struct workers *w = arg;
    struct workers_job *job;
    while ((job = take(w)) != NULL)
        job->run(job);
    return NULL;
}

int workers_start(unsigned threads, size_t max_queue, struct workers **out, struct mr_error *err)
{
    struct workers *w = mr_calloc(1, sizeof *w + threads * sizeof w->thread[0]);
    if (w == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting worker threads");
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    w->tail = &w->head;
    w->max_queue = max_queue;
    for (; w->threads < threads; w->threads++) {
        int e = pthread_create(&w->thread[w->threads], NULL, loop, w);
        if (e != 0) {
            workers_stop(w);
            return mr_error_errno(err, MR_EIO, e, "cannot start a worker thread");
        }
    }
    *out = w;
    return MR_OK;
}

int workers_submit(struct workers *w, struct workers_job *job)
{
    int status = MR_EBUSY;
    pthread_mutex_lock(&w->lock);
    if (!w->stopping && w->queued < w->max_queue) {
        job->next = NULL;
        *w->tail = job;
        w->tail = &job->next;
        w->queued++;
        pthread_cond_signal(&w->wake);
        status = MR_OK;
    }
    pthread_mutex_unlock(&w->lock);
    return status;
}

void workers_stop(struct workers *w)
{
    if (w == NULL)
        return;
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->wake);
    pthread_mutex_unlock(&w->lock);
    for (unsigned i = 0; i < w->threads; i++)
        pthread_join(w->thread[i], NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    mr_free(w);
}
