/* The way of a request through the API, each step its own function, in travel order:
 *
 *     api_handle  find_operation -> authenticate -> (defer) -> run
 *     run         decode -> authorize -> action -> answer; a WriteRecords that needs files goes through
 * (defer) again
 *
 * A step that refuses the request answers it and returns false.
 */
#include "api/authorize.h"
#include "api/dispatch.h"
#include "api/limits.h"
#include "api/operation_kind.h"
#include "api/state.h"
#include "api/sts.h"

#include "base/log.h"
#include "query/query.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char *operation_name(const struct api_request *req)
{
    return req->operation != NULL ? req->operation->name.ptr : "-"; /* names are literals */
}

/* A record that is required and lost turns what was done into a failure: nobody may rely on it unseen. */
static void audit(struct api_server *s, struct api_request *req, unsigned *status, struct mr_buf *body)
{
    static const struct model_fault lost = {MODEL_INTERNAL, MR_STR("The audit log cannot be written."),
                                            MR_STR_NULL};
    if (s->options.audit == NULL || api_audit_call(s->options.audit, &s->options.context, req, *status) ||
        *status >= 400)
        return;
    mr_buf_release(body);
    model_fault_body(&lost, body);
    req->content_type = NULL;
    *status = model_error_info(lost.error)->status;
}

static void respond(struct api_server *s, struct api_request *req, unsigned status, struct mr_buf *body)
{
    audit(s, req, &status, body);
    size_t op = req->operation != NULL ? (size_t)req->operation->op : MODEL_OP_NONE;
    int64_t latency = mr_clock_mono(s->options.context.clock) - req->started;
    api_metrics_answered(&s->metrics, op, status, latency);
    mr_log(MR_LOG_DEBUG, "request", "id=%s operation=%s status=%u ms=%" PRId64 ".%03" PRId64, req->id,
           operation_name(req), status, latency / MR_NS_PER_MS, latency / MR_NS_PER_US % 1000);
    struct api_access *access = req->access;
    policy_free(req->session_policy);
    req->respond(req, status, body);
    api_access_unref(access);
}

void api_respond_fault(struct api_server *s, struct api_request *req, const struct model_fault *fault)
{
    const struct model_error_info *info = model_error_info(fault->error);
    struct mr_buf body = MR_BUF_INIT;
    api_metrics_add(&s->metrics.errors[fault->error], 1);
    if (info->status >= 500)
        mr_log(MR_LOG_ERROR, "request_failed", "id=%s operation=%s error=%s message=\"" MR_STR_FMT "\"",
               req->id, operation_name(req), info->name, MR_STR_ARG(fault->message));
    model_fault_body(fault, &body);
    req->error_code = info->name;
    req->error_message = fault->message;
    respond(s, req, info->status, &body);
}

void api_respond_raw(struct api_server *s, struct api_request *req, unsigned status, struct mr_buf *body)
{
    respond(s, req, status, body);
}

void api_respond_ok(struct api_server *s, struct api_request *req, struct mr_buf *body)
{
    respond(s, req, 200, body);
}

void api_respond_status(struct api_server *s, struct api_request *req, int status, const struct mr_error *err)
{
    struct model_fault fault = {0};
    switch (status) {
    case MR_EBUSY:
        fault = (struct model_fault){MODEL_THROTTLING, MR_STR("Rate exceeded"), MR_STR_NULL};
        break;
    case MR_ELIMIT:
        fault = (struct model_fault){MODEL_THROTTLING, MR_STR("The memory store is full. Retry the request."),
                                     MR_STR_NULL};
        break;
    case MR_ENOSPC:
        fault = (struct model_fault){MODEL_INTERNAL, MR_STR("No space is left on the server's disk."),
                                     MR_STR_NULL};
        break;
    case MR_ENOMEM:
        fault = (struct model_fault){MODEL_INTERNAL, MR_STR("The server is out of memory."), MR_STR_NULL};
        break;
    default:
        fault = (struct model_fault){MODEL_INTERNAL,
                                     MR_STR("The request processing has failed because of an unknown "
                                            "error, exception or failure."),
                                     MR_STR_NULL};
    }
    if (err != NULL && err->text[0] != '\0')
        mr_log(MR_LOG_ERROR, "status", "id=%s status=%s text=\"%s\"", req->id,
               mr_status_name((enum mr_status)status), err->text);
    api_respond_fault(s, req, &fault);
}

struct mr_str api_header(const struct api_request *req, const char *name)
{
    for (size_t i = 0; i < req->http.nheaders; i++)
        if (mr_str_ieq(req->http.headers[i].name, mr_str_of(name)))
            return req->http.headers[i].value;
    return MR_STR_NULL;
}

static bool find_operation(struct api_server *s, struct api_request *req)
{
    struct mr_str target = api_header(req, "x-amz-target");
    if (mr_str_eq(req->http.method, MR_STR("POST")) && target.ptr != NULL)
        req->operation = model_operation_find(target);
    if (req->operation != NULL && api_operation_is_built(req->operation->op))
        return true;
    struct model_fault fault = {MODEL_UNKNOWN_OPERATION, MR_STR_NULL, MR_STR_NULL};
    api_respond_fault(s, req, &fault);
    return false;
}

static enum api_rate rate_of(const struct api_request *req)
{
    enum model_op op = req->operation != NULL ? req->operation->op : MODEL_OP_NONE;
    if (op == MODEL_OP_NONE || op == MODEL_OP_QUERY || op == MODEL_OP_WRITE_RECORDS ||
        op == MODEL_OP_CANCEL_QUERY || op == MODEL_OP_DESCRIBE_ENDPOINTS)
        return API_RATE_ALL;
    return api_operation_reads(op) ? API_RATE_LIST : API_RATE_CHANGE;
}

/* Sessions count for the key behind them, roles too. */
static bool within_rates(struct api_server *s, const struct api_request *req)
{
    struct api_rates rates = s->options.rates;
    const struct policy_user *user =
        req->access->users != NULL ? policy_users_find(req->access->users, req->who.user) : NULL;
    if (user != NULL && user->requests_per_s != 0)
        rates.all = user->requests_per_s;
    if (rates.all == 0 && rates.change == 0 && rates.list == 0)
        return true;
    enum api_rate rate = rate_of(req);
    int64_t now = mr_clock_mono(&mr_clock_system);
    struct mr_str key = req->who.session != NULL ? req->who.session->issuer : req->who.access_key_id;
    if (!api_limits_take(s->limits, key, API_RATE_ALL, rates.all, now))
        return false;
    return rate == API_RATE_ALL ||
           api_limits_take(s->limits, key, rate, rate == API_RATE_LIST ? rates.list : rates.change, now);
}

bool api_admit(struct api_server *s, struct api_request *req, struct model_fault *fault)
{
    if (s->options.audit != NULL && !api_audit_may_act(s->options.audit, req)) {
        *fault =
            (struct model_fault){MODEL_INTERNAL, MR_STR("The audit log cannot be written."), MR_STR_NULL};
        return false;
    }
    if (within_rates(s, req))
        return true;
    api_metrics_add(&s->metrics.throttled, 1);
    *fault = (struct model_fault){MODEL_THROTTLING, MR_STR("Rate exceeded"), MR_STR_NULL};
    return false;
}

static bool admit(struct api_server *s, struct api_request *req)
{
    struct model_fault fault = {0};
    if (api_admit(s, req, &fault))
        return true;
    api_respond_fault(s, req, &fault);
    return false;
}

void api_note_chaos(struct api_request *req, enum api_chaos_kind kind)
{
    size_t len = strlen(req->chaos);
    snprintf(req->chaos + len, sizeof req->chaos - len, "%s%s", len > 0 ? "," : "", api_chaos_name(kind));
}

/* What chaos has for the call; false when that is its answer. A delay is the worker's to wait for. */
static bool spared(struct api_server *s, struct api_request *req)
{
    if (s->options.chaos == NULL)
        return true;
    req->fate = api_chaos_draw(s->options.chaos, req->operation->op);
    const struct api_chaos_fate *f = &req->fate;
    if (f->delay_ns != 0)
        api_note_chaos(req, CHAOS_DELAY);
    if (f->throttle || f->fail)
        api_note_chaos(req, f->throttle ? CHAOS_THROTTLE : CHAOS_FAIL);
    if (f->empty)
        api_note_chaos(req, CHAOS_EMPTY);
    return f->delay_ns != 0 || !(f->throttle || f->fail);
}

static void fail_on_purpose(struct api_server *s, struct api_request *req)
{
    const struct model_fault fault = {
        req->fate.throttle      ? MODEL_THROTTLING
        : req->fate.unavailable ? MODEL_UNAVAILABLE
                                : MODEL_INTERNAL,
        req->fate.throttle ? MR_STR("Rate exceeded") : MR_STR("Failed on purpose (chaos)."), MR_STR_NULL};
    api_respond_fault(s, req, &fault);
}

static int64_t auth_time(const struct api_server *s)
{
    int64_t skew = s->options.chaos != NULL ? api_chaos_skew_ns(s->options.chaos) : 0;
    return mr_clock_wall(s->options.auth_clock) + skew;
}

static struct mr_str principal_arn(const struct api_context *c, const struct api_request *req)
{
    const struct auth_session *session = req->who.session;
    if (session != NULL && session->role.len > 0)
        return mr_arena_printf(req->arena, "arn:%s:sts::%s:assumed-role/" MR_STR_FMT "/" MR_STR_FMT,
                               c->partition, c->account, MR_STR_ARG(session->role),
                               MR_STR_ARG(session->name));
    if (req->who.root)
        return mr_arena_printf(req->arena, "arn:%s:iam::%s:root", c->partition, c->account);
    return mr_arena_printf(req->arena, "arn:%s:iam::%s:user/" MR_STR_FMT, c->partition, c->account,
                           MR_STR_ARG(req->who.user));
}

int api_authenticate(struct api_server *s, struct api_request *req, const struct auth_options *options,
                     struct auth_failure *why)
{
    req->access = api_server_access(s);
    int status =
        auth_verify(req->access->keys, options, &req->http, auth_time(s), req->arena, &req->who, why);
    if (status == MR_OK)
        req->principal_arn = principal_arn(&s->options.context, req);
    return status == MR_OK && req->principal_arn.ptr == NULL ? MR_ENOMEM : status;
}

static bool authenticate(struct api_server *s, struct api_request *req)
{
    struct auth_failure why;
    int status = api_authenticate(s, req, &s->options.auth, &why);
    if (status == MR_OK)
        return true;
    if (status != MR_EDENIED) {
        api_respond_status(s, req, status, NULL);
        return false;
    }
    struct model_fault fault = {model_error_by_name(why.type),
                                mr_arena_dup(req->arena, mr_str_of(why.message)), MR_STR_NULL};
    api_respond_fault(s, req, &fault);
    return false;
}

/* A presigned request without a body carries its input in the query string (reference 2.3). */
static int decode(struct api_request *req, void **input, struct model_fault *fault)
{
    if (req->who.presigned && req->http.body.len == 0)
        return model_decode_query(req->operation->input, req->http.query, req->arena, input, fault);
    return model_decode(req->operation->input, req->http.body, req->arena, input, fault);
}

/* It was read when the session was made; that it cannot be read now must not widen anything. */
static int read_session_policy(struct api_request *req)
{
    const struct auth_session *session = req->who.session;
    if (session == NULL || session->policy.len == 0 || req->session_policy != NULL)
        return MR_OK;
    int status = policy_parse(MR_STR("session"), session->policy, &req->session_policy, NULL);
    return status == MR_EINVAL ? MR_EDENIED : status;
}

int api_fill_call(const struct api_server *s, struct api_request *req, const void *input, struct mr_buf *out,
                  struct api_call *call)
{
    int status = read_session_policy(req);
    *call = (struct api_call){
        .api = &s->options.context,
        .arena = req->arena,
        .input = input,
        .region = req->who.region,
        .host = api_header(req, "host"),
        .user_agent = api_header(req, "user-agent"),
        .user_name = req->who.user,
        .session = req->who.session,
        .session_policy = req->session_policy,
        .user = api_access_user(req->access, &req->who),
        .peer = mr_str_of(req->peer),
        .id = req->id,
        .api_version_header = api_header(req, "x-amz-api-version").ptr != NULL,
        .tls = req->tls,
        .empty_page = req->fate.empty,
        .out = out,
        .principal_arn = req->principal_arn,
    };
    return status;
}

static void run(struct api_server *s, struct api_request *req)
{
    struct model_fault fault = {0};
    void *input;
    int status = decode(req, &input, &fault);
    struct mr_buf out = MR_BUF_INIT;
    struct api_call call;
    if (status == MR_OK)
        status = api_fill_call(s, req, input, &out, &call);
    if (status == MR_OK)
        status = api_authorize(&call, req->operation->op, &fault);
    if (status == MR_OK && req->operation->op == MODEL_OP_WRITE_RECORDS) {
        api_write_records(s, req, input);
        return;
    }
    if (status == MR_OK) {
        status = api_operation_action(req->operation->op)(&call, &fault);
        if (status == MR_OK && !mr_buf_ok(&out))
            status = MR_ENOMEM;
    }
    if (status == MR_OK) {
        api_respond_ok(s, req, &out);
        return;
    }
    mr_buf_release(&out);
    if (fault.error != MODEL_NO_ERROR)
        api_respond_fault(s, req, &fault);
    else
        api_respond_status(s, req, status, NULL);
}

/* On a worker: they are many, and a test of clients keeps few of them. */
static void run_late(struct api_server *s, struct api_request *req)
{
    struct timespec pause = {req->fate.delay_ns / MR_NS_PER_S, req->fate.delay_ns % MR_NS_PER_S};
    while (nanosleep(&pause, &pause) != 0 && errno == EINTR)
        ;
    if (req->fate.throttle || req->fate.fail)
        fail_on_purpose(s, req);
    else
        run(s, req);
}

void api_handle(struct api_server *s, struct api_request *req)
{
    req->operation = NULL;
    req->access = NULL;
    req->session_policy = NULL;
    req->who = (struct auth_identity){0};
    req->principal_arn = req->error_message = req->sts_parameters = MR_STR_NULL;
    req->fate = (struct api_chaos_fate){0};
    req->chaos[0] = '\0';
    req->content_type = req->error_code = req->sts_action = NULL;
    if (api_sts_is(req)) {
        api_sts(s, req);
        return;
    }
    if (!find_operation(s, req) || !authenticate(s, req) || !admit(s, req))
        return;
    if (!spared(s, req)) {
        fail_on_purpose(s, req);
        return;
    }
    bool late = req->fate.delay_ns != 0;
    if (req->operation->op == MODEL_OP_WRITE_RECORDS && !late) {
        run(s, req);
        return;
    }
    int status = api_defer(s, req, late ? run_late : run);
    if (status != MR_OK)
        api_respond_status(s, req, status, NULL);
}

int api_defer(struct api_server *s, struct api_request *req,
              void (*next)(struct api_server *s, struct api_request *req))
{
    req->next = next;
    return s->options.defer(s->options.defer_ctx, req);
}

void api_resume(struct api_server *s, struct api_request *req)
{
    req->next(s, req);
}

int api_server_new(const struct api_options *options, struct api_server **out, struct mr_error *err)
{
    struct api_server *s = mr_calloc(1, sizeof *s);
    if (s == NULL)
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the API");
    s->options = *options;
    if (api_limits_new(&s->limits) != MR_OK) {
        mr_free(s);
        return mr_error_set(err, MR_ENOMEM, "out of memory starting the API");
    }
    if (s->options.auth_clock == NULL)
        s->options.auth_clock = s->options.context.clock;
    if (s->options.context.state != NULL)
        s->options.auth.session_key = s->options.context.state->session_key;
    pthread_mutex_init(&s->lock, NULL);
    s->access = options->access;
    *out = s;
    return MR_OK;
}

void api_server_free(struct api_server *server)
{
    if (server == NULL)
        return;
    api_access_unref(server->access);
    pthread_mutex_destroy(&server->lock);
    api_limits_free(server->limits);
    mr_free(server);
}

void api_server_set_access(struct api_server *server, struct api_access *access)
{
    pthread_mutex_lock(&server->lock);
    struct api_access *old = server->access;
    server->access = access;
    pthread_mutex_unlock(&server->lock);
    api_access_unref(old);
    if (server->options.context.query != NULL)
        query_service_forget_answers(server->options.context.query);
}

struct api_access *api_server_access(struct api_server *server)
{
    pthread_mutex_lock(&server->lock);
    struct api_access *access = api_access_ref(server->access);
    pthread_mutex_unlock(&server->lock);
    return access;
}

struct api_metrics *api_server_metrics(struct api_server *server)
{
    return &server->metrics;
}
