#include "server/chaos_call.h"

#include "base/log.h"
#include "json/write.h"
#include "server/root_call.h"

#include <inttypes.h>

void server_chaos_warn(struct api_chaos *chaos)
{
    struct mr_buf text = MR_BUF_INIT;
    api_chaos_text(chaos, &text);
    mr_log(MR_LOG_WARN, "chaos", "on=%s text=\"" MR_STR_FMT "\" detail=\"%s\"",
           api_chaos_on(chaos) ? "true" : "false", MR_STR_ARG(mr_buf_view(&text)),
           "this server fails calls on purpose; not for production");
    mr_buf_release(&text);
}

static void answer(struct http_request *req, struct api_chaos *chaos)
{
    struct mr_buf body = MR_BUF_INIT, text = MR_BUF_INIT;
    api_chaos_text(chaos, &text);
    mr_buf_str(&body, MR_STR("{\"Chaos\":"));
    json_write_string(&body, mr_buf_view(&text));
    mr_buf_str(&body, MR_STR(",\"Counts\":{"));
    for (int kind = 0; kind < CHAOS_KINDS; kind++)
        mr_buf_printf(&body, "%s\"%s\":%" PRIu64, kind > 0 ? "," : "",
                      api_chaos_name((enum api_chaos_kind)kind),
                      api_chaos_count(chaos, (enum api_chaos_kind)kind));
    mr_buf_str(&body, MR_STR("}}"));
    bool ok = mr_buf_ok(&body) && mr_buf_ok(&text);
    mr_buf_release(&text);
    if (ok) {
        root_call_answer(req, 200, &body);
    } else {
        mr_buf_release(&body);
        root_call_failed(req, MR_ENOMEM);
    }
}

bool server_chaos_call(struct server_handler *h, struct http_request *req)
{
    bool post = mr_str_eq(req->method, MR_STR("POST"));
    if (h->chaos == NULL || !mr_str_eq(req->path, MR_STR("/-/chaos")) ||
        !(post || mr_str_eq(req->method, MR_STR("GET"))))
        return false;
    if (!root_call_allowed(h, req, MR_STR("Only the root key may ask for chaos.")))
        return true;
    struct mr_error err = MR_ERROR_INIT;
    if (post &&
        (!mr_utf8_valid(req->body) || api_chaos_set(h->chaos, mr_str_trim(req->body), &err) != MR_OK)) {
        const struct model_fault fault = {
            MODEL_VALIDATION, err.text[0] != '\0' ? mr_str_of(err.text) : MR_STR("chaos: not UTF-8"),
            MR_STR_NULL};
        root_call_fault(req, &fault);
        return true;
    }
    if (post)
        server_chaos_warn(h->chaos);
    answer(req, h->chaos);
    return true;
}
