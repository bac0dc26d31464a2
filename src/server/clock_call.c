#include "server/clock_call.h"

#include "server/retention.h"
#include "server/root_call.h"
#include "server/test_clock.h"

#include "base/log.h"
#include "json/json.h"

#include <inttypes.h>

static const struct mr_str clock_path = MR_STR("/-/clock"), flush_path = MR_STR("/-/flush");

/* Lives in the HTTP request's arena. */
struct call {
    struct workers_job job;
    struct server_handler *handler;
    struct http_request *req;
};

bool clock_parse_duration(struct mr_str text, int64_t *ns)
{
    static const struct {
        struct mr_str name;
        int64_t ns;
    } units[] = {
        {MR_STR("ns"), 1},
        {MR_STR("us"), MR_NS_PER_US},
        {MR_STR("ms"), MR_NS_PER_MS},
        {MR_STR("s"), MR_NS_PER_S},
        {MR_STR("m"), 60 * MR_NS_PER_S},
        {MR_STR("h"), MR_NS_PER_HOUR},
        {MR_STR("d"), MR_NS_PER_DAY},
    };
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    struct mr_str unit = mr_str_slice(text, digits, text.len);
    if (!mr_str_to_i64(mr_str_slice(text, 0, digits), ns))
        return false;
    for (size_t i = 0; i < MR_ARRAY_LEN(units); i++)
        if (mr_str_eq(unit, units[i].name))
            return !__builtin_mul_overflow(*ns, units[i].ns, ns);
    return false;
}

static void answer_time(struct http_request *req, int64_t now)
{
    struct mr_buf body = MR_BUF_INIT;
    char text[32];
    mr_format_iso_ms(now, text);
    mr_buf_printf(&body, "{\"Time\":\"%s\",\"Nanoseconds\":\"%" PRId64 "\"}", text, now);
    root_call_answer(req, 200, &body);
}

/* One of the two members, as a step of the clock. */
static int step(struct mr_clock *clock, struct http_request *req, int64_t *now, struct model_fault *fault)
{
    struct json_doc doc;
    struct mr_error err = MR_ERROR_INIT;
    struct json_value value;
    int64_t ns;
    int status = json_parse(req->body, &req->arena, &doc, &err);
    if (status == MR_EINVAL)
        return model_fail(fault, MODEL_SERIALIZATION, &req->arena, "%s", err.text);
    if (status != MR_OK)
        return status;
    struct json_value root = json_root(&doc);
    bool one = json_type(root) == JSON_OBJECT && json_count(root) == 1;
    if (one && json_get(root, MR_STR("By"), &value) && json_type(value) == JSON_STRING &&
        clock_parse_duration(json_text(value), &ns))
        status = test_clock_advance(clock, ns, now);
    else if (one && json_get(root, MR_STR("To"), &value) && json_type(value) == JSON_STRING &&
             mr_str_to_i64(json_text(value), &ns))
        status = test_clock_move_to(clock, ns, now);
    else
        return model_fail(fault, MODEL_VALIDATION, &req->arena,
                          "The body must be {\"By\":\"<digits><ns|us|ms|s|m|h|d>\"} or "
                          "{\"To\":\"<nanoseconds since the epoch>\"}.");
    if (status == MR_OK)
        return MR_OK;
    return model_fail(fault, MODEL_VALIDATION, &req->arena,
                      "The clock goes forward only, and to 2200-01-01 at most.");
}

static int set_clock(struct server_handler *h, struct http_request *req, int64_t *now,
                     struct model_fault *fault, struct mr_error *err)
{
    int status = step(h->test_clock, req, now, fault);
    if (status != MR_OK)
        return status;
    char text[32];
    mr_format_iso_ms(*now, text);
    mr_log(MR_LOG_INFO, "test_clock_set", "time=%s", text);
    return retention_now(h->retention, err);
}

static int flush(struct server_handler *h, int64_t *now, struct mr_error *err)
{
    int status = store_flush(h->context->store, err);
    if (status == MR_OK)
        status = store_compact(h->context->store, err);
    *now = mr_clock_wall(h->test_clock);
    return status;
}

static void run(struct workers_job *job)
{
    struct call *call = (struct call *)((char *)job - offsetof(struct call, job));
    struct http_request *req = call->req;
    struct model_fault fault = {0};
    struct mr_error err = MR_ERROR_INIT;
    int64_t now = 0;
    int status = mr_str_eq(req->path, flush_path) ? flush(call->handler, &now, &err)
                                                  : set_clock(call->handler, req, &now, &fault, &err);
    if (err.status != MR_OK)
        mr_log(MR_LOG_ERROR, "test_call_failed", "text=\"%s\"", err.text);
    if (status == MR_OK)
        answer_time(req, now);
    else if (fault.error != MODEL_NO_ERROR)
        root_call_fault(req, &fault);
    else
        root_call_failed(req, status);
}

bool clock_call(struct server_handler *h, struct http_request *req)
{
    bool get = mr_str_eq(req->method, MR_STR("GET")) && mr_str_eq(req->path, clock_path);
    bool post = mr_str_eq(req->method, MR_STR("POST")) &&
                (mr_str_eq(req->path, clock_path) || mr_str_eq(req->path, flush_path));
    if (h->test_clock == NULL || !(get || post))
        return false;
    if (!root_call_allowed(h, req, MR_STR("Only the root key may use the test clock.")))
        return true;
    if (get) {
        answer_time(req, mr_clock_wall(h->test_clock));
        return true;
    }
    struct call *call = MR_ARENA_NEW(&req->arena, struct call);
    int status = MR_ENOMEM;
    if (call != NULL) {
        *call = (struct call){.job.run = run, .handler = h, .req = req};
        status = workers_submit(h->workers, &call->job);
    }
    if (status != MR_OK)
        root_call_failed(req, status);
    return true;
}
