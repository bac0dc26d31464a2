#include "server/root_call.h"

#include "base/log.h"

void root_call_answer(struct http_request *req, unsigned status, struct mr_buf *body)
{
    struct http_response res = {.status = status, .body = *body};
    *body = (struct mr_buf)MR_BUF_INIT;
    http_respond(req, &res);
}

void root_call_fault(struct http_request *req, const struct model_fault *fault)
{
    struct mr_buf body = MR_BUF_INIT;
    model_fault_body(fault, &body);
    root_call_answer(req, model_error_info(fault->error)->status, &body);
}

void root_call_failed(struct http_request *req, int status)
{
    struct model_fault busy = {MODEL_THROTTLING, MR_STR("Rate exceeded"), MR_STR_NULL};
    struct model_fault failed = {MODEL_INTERNAL, MR_STR("The server failed; its log says why."), MR_STR_NULL};
    root_call_fault(req, status == MR_EBUSY ? &busy : &failed);
}

bool root_call_allowed(const struct server_handler *h, struct http_request *req, struct mr_str denied)
{
    struct auth_request signed_part = {.method = req->method,
                                       .path = req->path,
                                       .query = req->query,
                                       .headers = req->headers,
                                       .nheaders = req->nheaders,
                                       .body = req->body};
    struct auth_identity who;
    struct auth_failure why;
    struct api_access *access = api_server_access(h->api);
    int status = auth_verify(access->keys, &h->auth, &signed_part, mr_clock_wall(&mr_clock_system),
                             &req->arena, &who, &why);
    api_access_unref(access); /* of `who` only a flag is used */
    if (status == MR_OK && who.root)
        return true;
    struct model_fault fault = {MODEL_ACCESS_DENIED, denied, MR_STR_NULL};
    if (status == MR_EDENIED)
        fault = (struct model_fault){model_error_by_name(why.type),
                                     mr_arena_dup(&req->arena, mr_str_of(why.message)), MR_STR_NULL};
    if (status == MR_OK || status == MR_EDENIED)
        root_call_fault(req, &fault);
    else
        root_call_failed(req, status);
    return false;
}
