#include "server/handler.h"

#include "server/chaos_call.h"
#include "server/check_call.h"
#include "server/clock_call.h"
#include "server/hold_call.h"

#include <stdlib.h>
#include <time.h>

/* One request as the rooms around it see it. Lives in the HTTP request's arena. */
struct exchange {
    struct api_request api;
    struct workers_job job;
    struct http_request *http;
    struct server_handler *handler;
};

static struct exchange *of_api(struct api_request *req)
{
    return (struct exchange *)((char *)req - offsetof(struct exchange, api));
}

static struct exchange *of_job(struct workers_job *job)
{
    return (struct exchange *)((char *)job - offsetof(struct exchange, job));
}

/* The header that tells what was done on purpose, and the date by the skewed clock. */
static void mark_chaos(const struct api_chaos *chaos, struct api_request *req, struct http_response *res,
                       char *date, size_t size)
{
    int64_t skew = chaos != NULL ? api_chaos_skew_ns(chaos) : 0;
    if (chaos == NULL || (skew == 0 && req->chaos[0] == '\0'))
        return;
    res->extra.name = "x-millrace-chaos";
    res->extra.value = req->chaos[0] != '\0' ? req->chaos : "skew";
    if (skew == 0)
        return;
    time_t now = (time_t)((mr_clock_wall(&mr_clock_system) + skew) / MR_NS_PER_S);
    struct tm tm;
    strftime(date, size, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    res->date = date;
}

static void answer_api(struct api_request *req, unsigned status, struct mr_buf *body)
{
    struct http_response res = {.status = status, .content_type = req->content_type, .body = *body};
    char date[64];
    *body = (struct mr_buf)MR_BUF_INIT;
    mark_chaos(of_api(req)->handler->chaos, req, &res, date, sizeof date);
    http_respond(of_api(req)->http, &res);
}

static void run_job(struct workers_job *job)
{
    struct exchange *x = of_job(job);
    api_resume(x->handler->api, &x->api);
}

int server_defer(void *handler, struct api_request *req)
{
    struct server_handler *h = handler;
    struct exchange *x = of_api(req);
    x->job.run = run_job;
    bool waits_long = req->operation->op == MODEL_OP_QUERY;
    return workers_submit(waits_long ? h->query_workers : h->workers, &x->job);
}

static void answer_text(struct http_request *req, unsigned status, const char *type, struct mr_buf *body)
{
    struct http_response res = {.status = status, .content_type = type, .body = *body};
    http_respond(req, &res);
}

static bool route_get(struct server_handler *h, struct http_request *req)
{
    if (!mr_str_eq(req->method, MR_STR("GET")))
        return false;
    struct mr_buf body = MR_BUF_INIT;
    if (mr_str_eq(req->path, MR_STR("/health"))) {
        mr_buf_str(&body, MR_STR("{\"status\":\"ok\"}"));
        answer_text(req, 200, "application/json", &body);
        return true;
    }
    if (mr_str_eq(req->path, MR_STR("/metrics"))) {
        server_metrics_text(h, &body);
        answer_text(req, 200, "text/plain; version=0.0.4", &body);
        return true;
    }
    return false;
}

void server_handle(void *handler, struct http_request *req)
{
    struct server_handler *h = handler;
    if (route_get(h, req) || clock_call(h, req) || server_check_call(h, req) || server_hold_call(h, req) ||
        server_chaos_call(h, req))
        return;
    struct exchange *x = MR_ARENA_NEW(&req->arena, struct exchange);
    if (x == NULL) {
        struct mr_buf body = MR_BUF_INIT;
        server_http_fault(h, HTTP_FAULT_OUT_OF_MEMORY, &body);
        answer_text(req, 500, NULL, &body);
        return;
    }
    x->http = req;
    x->handler = h;
    x->api = (struct api_request){
        .http = {req->method, req->path, req->query, req->headers, req->nheaders, req->body, false},
        .arena = &req->arena,
        .tls = req->tls,
        .peer = req->peer,
        .id = req->id,
        .started = req->started,
        .respond = answer_api,
    };
    api_handle(h->api, &x->api);
}

void server_http_fault(void *handler, enum http_fault fault, struct mr_buf *body)
{
    MR_UNUSED(handler);
    static const struct {
        enum model_error error;
        const char *text;
    } rows[] = {
        [HTTP_FAULT_MALFORMED] = {MODEL_MALFORMED, "The HTTP request is malformed."},
        [HTTP_FAULT_ENCODING] = {MODEL_MALFORMED, "Content-Encoding is not supported."},
        [HTTP_FAULT_BODY_TOO_LARGE] = {MODEL_TOO_LARGE,
                                       "The request body exceeds the limit of the server (max-body)."},
        [HTTP_FAULT_HEAD_TOO_LARGE] = {MODEL_TOO_LARGE,
                                       "The request headers exceed the limit of the server (max-head)."},
        [HTTP_FAULT_TARGET_TOO_LONG] = {MODEL_TOO_LARGE,
                                        "The request target exceeds the limit of the server."},
        [HTTP_FAULT_CONNECTIONS] = {MODEL_THROTTLING,
                                    "The server has no more connections (max-connections)."},
        [HTTP_FAULT_BODIES_FULL] = {MODEL_THROTTLING,
                                    "The requests under way exceed the limit of the server (max-bodies)."},
        [HTTP_FAULT_OUT_OF_MEMORY] = {MODEL_INTERNAL, "The server is out of memory."},
    };
    struct model_fault f = {rows[fault].error, mr_str_of(rows[fault].text), MR_STR_NULL};
    model_fault_body(&f, body);
}
