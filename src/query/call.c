/* The three calls of query.h: what a client asks for, and what it is told. */
#include "query/registry.h"

#include "base/log.h"
#include "json/write.h"

#include <errno.h>
#include <time.h>

#define NO_MAX UINT64_MAX

static int bad_token(struct mr_arena *arena, struct model_fault *fault)
{
    return model_fail(fault, MODEL_VALIDATION, arena, "Invalid pagination token.");
}

static int cancelled(struct mr_arena *arena, struct model_fault *fault)
{
    return model_fail(fault, MODEL_CONFLICT, arena, "Unable to poll results for a cancelled query.");
}

/* What a failed run tells: errors of the query are QueryExecutionException, the rest is ours. */
static int failed(const struct query_run *run, struct mr_arena *arena, struct model_fault *fault)
{
    switch (run->status) {
    case MR_EINVAL:
    case MR_ELIMIT:
    case MR_ECANCEL:
        return model_fail(fault, MODEL_QUERY_EXECUTION, arena, "%s", run->error.text);
    case MR_EUNSUPPORTED:
        return model_fail(fault, MODEL_VALIDATION, arena, "%s", run->error.text);
    case MR_ENOMEM:
        return model_fail(fault, MODEL_QUERY_EXECUTION, arena, "The query exceeded the memory limit.");
    case MR_EBUSY:
        return model_fail(fault, MODEL_THROTTLING, arena, "%s", run->error.text);
    default:
        mr_log(MR_LOG_ERROR, "query_failed", "status=%s text=\"%s\"", mr_status_name(run->status),
               run->error.text);
        if (run->status == MR_ECORRUPT)
            return model_fail(
                fault, MODEL_INTERNAL, arena,
                "The query needs stored data that is damaged; the log of the server names the file.");
        return model_fail(fault, MODEL_INTERNAL, arena, "The query failed because of an internal error.");
    }
}

/* Waits until the run is neither queued nor running, or the time is over. With the lock. */
static void wait_for_page(struct query_service *s, const struct query_caller *caller, struct query_run *run)
{
    if (caller->empty_page)
        return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + s->options.first_page_ns;
    until.tv_sec += ns / MR_NS_PER_S;
    until.tv_nsec = ns % MR_NS_PER_S;
    while (run->state == QUERY_QUEUED || run->state == QUERY_RUNNING)
        if (pthread_cond_clockwait(&run->changed, &s->lock, CLOCK_MONOTONIC, &until) == ETIMEDOUT)
            break;
}

/* The answer to whoever asked for page `number` of a run that was waited for. With the lock. */
static int answer_page(const struct query_caller *caller, struct query_run *run, uint64_t number,
                       struct mr_arena *arena, struct mr_buf *out, struct model_fault *fault)
{
    if (run->state == QUERY_CANCELLED)
        return cancelled(arena, fault);
    if (run->state == QUERY_FAILED)
        return failed(run, arena, fault);
    struct mr_buf token = MR_BUF_INIT;
    bool ready = !caller->empty_page && run->state == QUERY_IDLE && run->page.number == number;
    if (!ready)
        query_token_make(run, number, &token); /* still running: ask for the same page again */
    else if (!run->page.last)
        query_token_make(run, number + 1, &token);
    bool ok = mr_buf_ok(&token);
    query_answer(run, caller, ready, mr_buf_view(&token), out);
    mr_buf_release(&token);
    return ok && mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

static int next_page(struct query_service *s, const struct query_caller *caller,
                     const struct model_query_request *in, struct mr_arena *arena, struct mr_buf *out,
                     struct model_fault *fault)
{
    unsigned char secret[QUERY_SECRET_BYTES];
    uint64_t number;
    if (!query_token_parse(in->next_token, secret, &number))
        return bad_token(arena, fault);
    pthread_mutex_lock(&s->lock);
    struct query_run *run = query_registry_by_secret(s, secret);
    int status = MR_OK;
    if (run == NULL || !mr_str_eq(run->principal, caller->principal) ||
        !mr_str_eq(run->text, in->query_string) || number == 0 || number > run->page.number + 1 ||
        number < run->page.number ||
        (number == run->page.number + 1 && run->state == QUERY_IDLE && run->page.last)) {
        status = bad_token(arena, fault);
    } else {
        query_registry_use(run);
        run->last_used = mr_clock_mono(s->options.clock);
        status = query_may(run, caller, fault); /* it may have been taken away since the last page */
        if (status == MR_OK) {
            if (run->state == QUERY_IDLE && number == run->page.number + 1)
                query_want_page(s, run, in->max_rows.set ? (uint64_t)in->max_rows.v : NO_MAX);
            wait_for_page(s, caller, run);
            status = answer_page(caller, run, number, arena, out, fault);
        }
        query_registry_unuse(s, run);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

static int replayed(struct query_service *s, const struct query_caller *caller,
                    const struct model_query_request *in, struct mr_arena *arena, struct mr_buf *out,
                    struct model_fault *fault, bool *done)
{
    *done = false;
    if (in->client_token.ptr == NULL)
        return MR_OK;
    pthread_mutex_lock(&s->lock);
    enum query_replay_hit hit = query_replay_find(s->replay, caller->principal, in->client_token,
                                                  query_parameters(in), mr_clock_mono(s->options.clock), out);
    pthread_mutex_unlock(&s->lock);
    *done = hit != QUERY_REPLAY_NONE;
    if (hit == QUERY_REPLAY_CONFLICT)
        return model_fail(
            fault, MODEL_VALIDATION, arena,
            "The ClientToken was already used with other parameters or more than 5 minutes ago.");
    return MR_OK;
}

/* Whether one more run may begin. With the lock. */
static int admit(struct query_service *s, const struct query_run *run, struct mr_arena *arena,
                 struct model_fault *fault)
{
    if (s->draining)
        return model_fail(fault, MODEL_UNAVAILABLE, arena, "The server is shutting down.");
    if (s->max_in_progress == 0 || s->in_progress < s->max_in_progress || run->use_fixed)
        return MR_OK;
    s->stats.refused++;
    return model_fail(fault, MODEL_THROTTLING, arena, "MaxQueryTCU exceeded");
}

/* The call that asks again, under its ClientToken, for a run that has not answered yet. With the lock. */
static struct query_run *same_call(struct query_service *s, const struct query_caller *caller,
                                   const struct model_query_request *in)
{
    if (in->client_token.ptr == NULL)
        return NULL;
    for (struct query_run *run = s->runs; run != NULL; run = run->next) {
        if ((run->state == QUERY_QUEUED || run->state == QUERY_RUNNING) && run->page.number == 0 &&
            run->parameters == query_parameters(in) && mr_str_eq(run->client_token, in->client_token) &&
            mr_str_eq(run->principal, caller->principal))
            return run;
    }
    return NULL;
}

static int first_page(struct query_service *s, const struct query_caller *caller,
                      const struct model_query_request *in, struct mr_arena *arena, struct mr_buf *out,
                      struct model_fault *fault)
{
    struct query_run *run = NULL;
    size_t before = out->len;
    int status = query_run_new(s, caller, in, arena, &run, fault);
    if (status != MR_OK)
        return status;
    pthread_mutex_lock(&s->lock);
    struct query_run *same = same_call(s, caller, in);
    if (same != NULL) {
        query_registry_use(same);
        wait_for_page(s, caller, same);
        status = answer_page(caller, same, 1, arena, out, fault);
        query_registry_unuse(s, same);
        pthread_mutex_unlock(&s->lock);
        query_run_free(run);
        return status;
    }
    status = admit(s, run, arena, fault);
    if (status != MR_OK) {
        pthread_mutex_unlock(&s->lock);
        query_run_free(run);
        return status;
    }
    query_registry_link(s, run);
    query_want_page(s, run, in->max_rows.set ? (uint64_t)in->max_rows.v : NO_MAX);
    wait_for_page(s, caller, run);
    status = answer_page(caller, run, 1, arena, out, fault);
    if (status == MR_OK && in->client_token.ptr != NULL)
        query_replay_keep(s->replay, caller->principal, in->client_token, query_parameters(in),
                          mr_clock_mono(s->options.clock), mr_str_slice(mr_buf_view(out), before, out->len));
    bool over =
        run->state == QUERY_FAILED || (run->state == QUERY_IDLE && run->page.last && !caller->empty_page);
    if (over)
        query_registry_unlink(s, run);
    query_registry_unuse(s, run);
    pthread_mutex_unlock(&s->lock);
    return status;
}

int query_run(struct query_service *s, const struct query_caller *caller,
              const struct model_query_request *in, struct mr_arena *arena, struct mr_buf *out,
              struct model_fault *fault)
{
    if (in->next_token.ptr != NULL)
        return next_page(s, caller, in, arena, out, fault);
    bool done;
    int status = replayed(s, caller, in, arena, out, fault, &done);
    return done || status != MR_OK ? status : first_page(s, caller, in, arena, out, fault);
}

int query_cancel(struct query_service *s, const struct query_caller *caller,
                 const struct model_cancel_query_request *in, struct mr_arena *arena, struct mr_buf *out,
                 struct model_fault *fault)
{
    const char *message = NULL;
    pthread_mutex_lock(&s->lock);
    struct query_run *run = query_registry_by_id(s, in->query_id);
    bool known = run != NULL ? mr_str_eq(run->principal, caller->principal)
                             : query_registry_was_there(s, in->query_id);
    bool parked = run != NULL && run->state == QUERY_IDLE;
    if (known && run != NULL && query_registry_cancel(s, run)) {
        if (parked) { /* no thread will come by to let its resources go */
            query_registry_use(run);
            query_registry_close(s, run);
            query_registry_unuse(s, run);
        }
    } else if (known) {
        message = run != NULL && run->state == QUERY_CANCELLED ? "has already been canceled"
                                                               : "has already completed";
    }
    pthread_mutex_unlock(&s->lock);
    if (!known)
        return model_fail(fault, MODEL_VALIDATION, arena, "The query " MR_STR_FMT " does not exist.",
                          MR_STR_ARG(in->query_id));
    if (message != NULL)
        mr_buf_printf(out, "{\"CancellationMessage\":\"Query " MR_STR_FMT " %s\"}", MR_STR_ARG(in->query_id),
                      message);
    else
        mr_buf_str(out, MR_STR("{}"));
    return mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
}

static void prepared_columns(const struct sql_plan *plan, struct mr_buf *out)
{
    for (size_t i = 0; i < plan->noutputs; i++) {
        const struct sql_output *o = &plan->outputs[i];
        if (i != 0)
            mr_buf_char(out, ',');
        engine_column_info(o->name, o->type, out);
        out->len--; /* reopen the object for what only PrepareQuery shows */
        if (o->database.ptr != NULL) {
            mr_buf_str(out, MR_STR(",\"DatabaseName\":"));
            json_write_string(out, o->database);
            mr_buf_str(out, MR_STR(",\"TableName\":"));
            json_write_string(out, o->table);
        }
        mr_buf_printf(out, ",\"Aliased\":%s}", o->aliased ? "true" : "false");
    }
}

static void prepared_parameters(const struct sql_plan *plan, struct mr_buf *out)
{
    for (size_t i = 0; i < plan->nparams; i++) {
        const struct sql_type type = {.kind = plan->params[i].kind};
        if (i != 0)
            mr_buf_char(out, ',');
        engine_column_info(plan->params[i].name, &type, out);
    }
}

int query_prepare(struct query_service *s, const struct query_caller *caller,
                  const struct model_prepare_query_request *in, struct mr_arena *arena, struct mr_buf *out,
                  struct model_fault *fault)
{
    if (!in->validate_only.set || !in->validate_only.v)
        return model_fail(fault, MODEL_VALIDATION, arena, "PrepareQuery requires ValidateOnly to be true.");
    struct query_run *run = mr_calloc(1, sizeof *run);
    if (run == NULL)
        return MR_ENOMEM;
    pthread_cond_init(&run->changed, NULL);
    run->arena.limit = (size_t)256 << 20;
    run->now_ns = mr_clock_wall(s->options.clock);
    int status = query_bind(s, caller, in->query_string, true, run, arena, fault);
    if (status == MR_OK) {
        mr_buf_str(out, MR_STR("{\"QueryString\":"));
        json_write_string(out, in->query_string);
        mr_buf_str(out, MR_STR(",\"Columns\":["));
        prepared_columns(run->plan, out);
        mr_buf_str(out, MR_STR("],\"Parameters\":["));
        prepared_parameters(run->plan, out);
        mr_buf_str(out, MR_STR("]}"));
        status = mr_buf_ok(out) ? MR_OK : MR_ENOMEM;
    }
    query_run_free(run);
    return status;
}
