#include "engine/crew.h"

#include <errno.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* On the caller's stack while it is under way. */
struct job {
    void (*fn)(void *ctx);
    void *ctx;
    unsigned wanted;  /* helpers that may still begin */
    unsigned running; /* helpers at it */
    struct job *next; /* in the list while helpers are wanted */
};

struct crew {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    struct job *jobs;
    bool closing;
    pthread_t *threads;
    unsigned nthreads;
};

void crew_give_way(void)
{
    enum { QUERY_NICE = 5 }; /* of 19 */
    static _Thread_local bool done;
    if (done)
        return;
    done = true;
    (void)setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), QUERY_NICE);
}

static void unlist(struct crew *crew, struct job *job)
{
    struct job **link = &crew->jobs;
    while (*link != NULL && *link != job)
        link = &(*link)->next;
    if (*link != NULL)
        *link = job->next;
}

static void *help(void *arg)
{
    struct crew *crew = arg;
    crew_give_way();
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        while (crew->jobs == NULL && !crew->closing)
            pthread_cond_wait(&crew->work, &crew->lock);
        struct job *job = crew->jobs;
        if (job == NULL)
            break;
        job->running++;
        if (--job->wanted == 0)
            unlist(crew, job);
        pthread_mutex_unlock(&crew->lock);
        job->fn(job->ctx);
        pthread_mutex_lock(&crew->lock);
        if (--job->running == 0)
            pthread_cond_broadcast(&crew->done);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

int crew_open(unsigned helpers, struct crew **out, struct mr_error *err)
{
    struct crew *crew = mr_calloc(1, sizeof(*crew));
    if (crew == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory");
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->work, NULL);
    pthread_cond_init(&crew->done, NULL);
    crew->threads = mr_calloc(helpers + 1, sizeof(*crew->threads));
    int rc = crew->threads == NULL ? ENOMEM : 0;
    for (; rc == 0 && crew->nthreads < helpers; crew->nthreads++)
        if ((rc = pthread_create(&crew->threads[crew->nthreads], NULL, help, crew)) != 0)
            break;
    if (rc != 0) {
        crew_close(crew);
        return mr_error_errno(err, MR_EIO, rc, "cannot start a thread");
    }
    *out = crew;
    return MR_OK;
}

void crew_close(struct crew *crew)
{
    if (crew == NULL)
        return;
    pthread_mutex_lock(&crew->lock);
    MR_ASSERT(crew->jobs == NULL);
    crew->closing = true;
    pthread_cond_broadcast(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->nthreads; i++)
        pthread_join(crew->threads[i], NULL);
    mr_free(crew->threads);
    pthread_cond_destroy(&crew->work);
    pthread_cond_destroy(&crew->done);
    pthread_mutex_destroy(&crew->lock);
    mr_free(crew);
}

void crew_run(struct crew *crew, unsigned helpers, void (*fn)(void *ctx), void *ctx)
{
    struct job job = {.fn = fn, .ctx = ctx, .wanted = helpers};
    crew_give_way();
    if (helpers == 0 || crew->nthreads == 0) {
        fn(ctx);
        return;
    }
    pthread_mutex_lock(&crew->lock);
    job.next = crew->jobs;
    crew->jobs = &job; // cppcheck-suppress autoVariables ; it is taken out again below
    for (unsigned i = 0; i < helpers && i < crew->nthreads; i++)
        pthread_cond_signal(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    fn(ctx);
    pthread_mutex_lock(&crew->lock);
    unlist(crew, &job);
    while (job.running != 0)
        pthread_cond_wait(&crew->done, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
}
